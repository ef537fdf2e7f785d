"""Uniform-price auctions with a public floor."""

from __future__ import annotations

from decimal import Decimal
from decimal import Decimal as D

import numpy as np
import pytest

from tonne.rules.auction.escalation import formula_reserve_price
from tonne.rules.auction.reserve_price import auction_outcome, auction_reserve_price, bid_limit, proceeds
from tonne.rules.stability.containment_reserves import containment_trigger
from tonne.units import UnitsError

SHORT_FLOOR = {2019: D("0.50")}
FLOOR = {2011: D("1.89"), 2021: D("2.38")}
TRIGGERS = {
    "containment_trigger_by_year": {2014: D("4.00"), 2021: D("13.00"), 2027: D("19.50")},
    "containment_trigger_2_by_year": {2027: D("29.25")},
}
PUBLIC = {"reserve_price_by_year": {2025: Decimal("68.00")}}


def test_a_floor_and_no_limit_on_one_bidder() -> None:
    assert auction_reserve_price(2019, reserve_price_by_year=SHORT_FLOOR) == D("0.50")
    assert auction_reserve_price(2020, reserve_price_by_year=SHORT_FLOOR) is None
    assert bid_limit(100) is None
    assert proceeds(436_559, D("6.71")) == D("2929310.89")


def test_short_demand_clears_at_the_floor() -> None:
    outcome = auction_outcome(2019, 100, [[D("0.60"), 30], [D("0.40"), 90]], reserve_price_by_year=SHORT_FLOOR)
    assert outcome == {"price": D("0.50"), "sold": 30, "unsold": 70}


def test_proceeds() -> None:
    assert proceeds(348_304, D("104.89")) == D("36533606.56")
    assert proceeds([1, 0], D("0.5")).tolist() == [D("0.50"), 0]


def test_prices_of_years():
    assert auction_reserve_price(2011, reserve_price_by_year=FLOOR) == D("1.89")
    assert auction_reserve_price(2009, reserve_price_by_year=FLOOR) is None
    assert auction_reserve_price([2011, 2009], reserve_price_by_year=FLOOR).tolist() == [D("1.89"), None]
    assert auction_reserve_price(np.zeros(0, dtype=np.int64), reserve_price_by_year=FLOOR).shape == (0,)
    assert containment_trigger(2027, 2, **TRIGGERS) == D("29.25")
    with pytest.raises(ValueError, match="tiers 1 and 2"):
        containment_trigger(2027, 3, **TRIGGERS)


def test_an_under_subscribed_auction_clears_at_the_floor():
    assert auction_outcome(2011, 42_189_685, [[D("1.89"), 7_487_000]], reserve_price_by_year=FLOOR) == {
        "price": D("1.89"),
        "sold": 7_487_000,
        "unsold": 34_702_685,
    }
    assert auction_outcome(2009, 10, [["3", 4], [2, 3]], reserve_price_by_year=FLOOR) == {"price": D(2), "sold": 7, "unsold": 3}
    with pytest.raises(UnitsError):
        auction_outcome(2011, 10, [[1.89, 4]], reserve_price_by_year=FLOOR)


def test_money_and_limits():
    assert proceeds(22_987_719, D("7.97")) == D("183212120.43")
    assert proceeds([10, 0], [D("1.89"), D("2.00")]).tolist() == [D("18.90"), D("0.00")]
    assert proceeds([10], D("1.89")).tolist() == [D("18.90")]
    assert bid_limit(22_987_719, bid_limit_share=D("0.25")) == 5_746_929
    assert bid_limit([4, 0], bid_limit_share=D("0.25")).tolist() == [1, 0]


def test_the_public_floor_is_by_year() -> None:
    assert auction_reserve_price(2025, **PUBLIC) == 68
    assert auction_reserve_price(2026, **PUBLIC) is None
    assert auction_reserve_price([2024, 2025], **PUBLIC).tolist() == [None, 68]


def test_minimum_price_and_limit() -> None:
    assert formula_reserve_price(24_000, 25_000, 26_600, reserve_price_step=1) == 25_200
    assert formula_reserve_price(1, 1, 2, reserve_price_step=Decimal("0.01")) == Decimal("1.33")
    assert bid_limit(550_000, bid_limit_share=Decimal("0.15")) == 82_500
    assert bid_limit([550_000, 19], bid_limit_share=Decimal("0.15")).tolist() == [82_500, 2]
    assert bid_limit(np.zeros(0, dtype=np.int64), bid_limit_share=Decimal("0.15")).tolist() == []
