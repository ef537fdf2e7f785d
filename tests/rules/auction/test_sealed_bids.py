"""Units sold by sealed bids, dearer bids first and of equal ones the earlier; what a bidder may ask for and pays is announced with the sale."""

from __future__ import annotations

from decimal import Decimal
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.auction.sealed_bids import auction_outcome, auction_reserve_price, bidding_floor, most_bid

ANY_BIDS = st.lists(st.tuples(st.integers(1, 100), st.integers(1, 10**6)), max_size=8)
FLOORS = {"floor_multiple": {"2023-11-30": D("1.2"), "2017-06-30": D("1.2")}, "floor_ceiling": {"2017-06-30": 42}}
BIDS = [(12, 60), (11, 60), (11, 60), (9, 500)]
BIDS_ABOUT_60 = st.lists(st.tuples(st.integers(50, 100), st.integers(0, 5_000)), max_size=12)


def test_too_few_bids_are_all_filled_at_the_lowest():
    outcome = auction_outcome(1_000_000, [("37.05", 22_461), (35, 400_000)], 35)
    assert outcome == {"price": Decimal(35), "sold": 422_461, "unsold": 577_539, "proceeds": Decimal(14_786_135), "filled": [22_461, 400_000]}


def test_the_highest_bids_pay_the_lowest_price_that_got_units():
    assert auction_outcome(100, [(10, 60), (12, 60), (11, 1)])["price"] == Decimal(10)
    assert auction_outcome(100, [(10, 60), (12, 60), (11, 40)]) == {"price": 11, "sold": 100, "unsold": 0, "proceeds": 1_100, "filled": [0, 60, 40]}


def test_nothing_is_sold_below_the_floor_or_without_bids():
    assert auction_outcome(100, [(9, 100)], Decimal("9.01")) == {"price": None, "sold": 0, "unsold": 100, "proceeds": 0, "filled": [0]}
    assert auction_outcome(100, [])["price"] is None


@given(st.integers(0, 10**6), ANY_BIDS)
def test_never_more_is_sold_than_offered_or_bid_for(offered, bids):
    outcome = auction_outcome(offered, bids)
    assert outcome["sold"] == min(offered, sum(quantity for _, quantity in bids))
    assert outcome["sold"] + outcome["unsold"] == offered


def test_a_tabled_floor_goes_before_a_share_of_the_mean():
    law = {"reserve_price_by_year": {2013: 60}, "reserve_mean_share": {2015: Decimal("0.80"), 2016: 1}}
    assert auction_reserve_price(2013, 20, **law) == 60
    assert auction_reserve_price(2015, Decimal("16.05"), **law) == Decimal("12.84")
    assert auction_reserve_price(2020, Decimal("16.09"), **law) == Decimal("16.09")
    assert auction_reserve_price(2014, 20, **law) is None
    assert auction_reserve_price(2016, **law) is None
    assert auction_reserve_price(2016) is None


def test_floors_follow_the_market() -> None:
    assert bidding_floor(D("61.91"), "2023-11-30", **FLOORS) == D("74.29")
    assert bidding_floor(D("40.18"), "2023-11-30", **FLOORS) == D("48.22")
    assert bidding_floor(D("40.00"), "2017-06-30", **FLOORS) == D("42.00")
    with pytest.raises(ValueError, match="no multiple"):
        bidding_floor(D("40.00"), "2016-06-30", **FLOORS)


def test_what_one_bidder_may_ask_for() -> None:
    shares = {"bid_share": {"a": {"emitter": D("0.15"), "voluntary": D("0.03")}}}
    assert most_bid(1_500_000, "emitter", "a", **shares) == 225_000
    assert most_bid(800_000, "emitter", "b", bid_quantity={"b": {"emitter": 100_000}}) == 100_000
    assert most_bid(50_000, "emitter", "b", bid_quantity={"b": {"emitter": 100_000}}) == 50_000
    assert most_bid(2_000_000, "emitter", "c", [1_000_049, 0], bid_emissions_share={"c": {"emitter": D("0.02")}}).tolist() == [20_000, 0]
    both = {"bid_quantity": {"c": {"emitter": 100}}, "bid_emissions_share": {"c": {"emitter": D("0.02")}}}
    assert most_bid(1_000, "emitter", "c", 100_000, **both) == 100
    with pytest.raises(ValueError, match="no limit for a bidder"):
        most_bid(1, "bank", "a", **shares)


def test_who_gets_what() -> None:
    assert auction_outcome(100, BIDS, 10) == {"price": 11, "sold": 100, "unsold": 0, "proceeds": 1_100, "filled": [60, 40, 0, 0]}
    paid = auction_outcome(100, BIDS, 10, "x", pay_as_bid={"x": True})
    assert (paid["price"], paid["proceeds"]) == (D("11.60"), 1_160)
    assert auction_outcome(1_000, BIDS, 10)["unsold"] == 820
    assert auction_outcome(10, BIDS, 100) == {"price": None, "sold": 0, "unsold": 10, "proceeds": 0, "filled": [0, 0, 0, 0]}
    assert auction_outcome(10, [], 1) == {"price": None, "sold": 0, "unsold": 10, "proceeds": 0, "filled": []}


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 100)), max_size=20), st.integers(0, 500), st.integers(1, 30))
def test_nobody_below_the_floor_is_served_and_nothing_is_sold_twice(bids: list[tuple[int, int]], offered: int, floor: int) -> None:
    got = auction_outcome(offered, bids, floor)
    assert sum(got["filled"]) == got["sold"] == offered - got["unsold"] <= offered
    for (price, quantity), units in zip(bids, got["filled"], strict=True):
        assert 0 <= units <= quantity
        assert not units or price >= floor


def test_equal_prices_by_time_of_entry() -> None:
    bids = [[10_300, 2_000], [11_000, 9_000], [10_300, 500]]
    assert auction_outcome(10_000, bids, 10_000)["filled"] == [1_000, 9_000, 0]
    assert auction_outcome(10_000, bids, 10_400)["filled"] == [0, 9_000, 0]
    assert auction_outcome(10_000, bids, 10_000)["price"] == 10_300
    assert auction_outcome(10_000, bids, 20_000)["price"] is None
    with pytest.raises(ValueError, match="no quantity"):
        auction_outcome(10, [[5, -1]], 1)
    with pytest.raises(ValueError, match="binary float"):
        auction_outcome(10, [[5.0, 1]], 1)


@given(BIDS_ABOUT_60, st.integers(0, 20_000))
def test_fills_add_up_and_a_dearer_bid_is_never_passed_over(bids: list[tuple[int, int]], offered: int) -> None:
    got = auction_outcome(offered, bids, 60)
    assert sum(got["filled"]) == got["sold"] <= offered
    unfilled = [price for (price, quantity), filled in zip(bids, got["filled"], strict=True) if filled < quantity and price >= 60]
    if got["price"] is not None and unfilled:
        assert max(unfilled) <= got["price"]
