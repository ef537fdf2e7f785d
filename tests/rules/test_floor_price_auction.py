"""An auction with a floor and no limit on one bidder: the same answers, without the limit."""

from __future__ import annotations

from decimal import Decimal as D

from tonne.rules import floor_price_auction, mechanisms

FLOOR = {2019: D("0.50")}


def test_it_answers_what_an_auction_with_a_floor_answers() -> None:
    asks = mechanisms()["floor_price_auction"]
    assert set(asks) == {"auction_reserve_price", "proceeds", "auction_outcome"}
    assert asks["auction_reserve_price"].function(2019, reserve_price_by_year=FLOOR) == D("0.50")
    assert asks["auction_reserve_price"].function(2020, reserve_price_by_year=FLOOR) is None
    assert floor_price_auction.proceeds(436_559, D("6.71")) == D("2929310.89")


def test_short_demand_clears_at_the_floor() -> None:
    outcome = floor_price_auction.auction_outcome(2019, 100, [[D("0.60"), 30], [D("0.40"), 90]], reserve_price_by_year=FLOOR)
    assert outcome == {"price": D("0.50"), "sold": 30, "unsold": 70}
