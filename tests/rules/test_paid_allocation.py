"""Units for money: floors that follow the market, limits of one bidder, who gets what."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.paid_allocation import bidding_floor, bidding_outcome, most_bid, sale_proceeds

FLOORS = {"floor_multiple": {"2023-11-30": D("1.2"), "2017-06-30": D("1.2")}, "floor_ceiling": {"2017-06-30": 42}}
BIDS = [(12, 60), (11, 60), (11, 60), (9, 500)]


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
    assert bidding_outcome(100, 10, BIDS) == {"price": 11, "sold": 100, "unsold": 0, "proceeds": 1_100, "filled": [60, 40, 0, 0]}
    paid = bidding_outcome(100, 10, BIDS, "x", pay_as_bid={"x": True})
    assert (paid["price"], paid["proceeds"]) == (D("11.60"), 1_160)
    assert bidding_outcome(1_000, 10, BIDS)["unsold"] == 820
    assert bidding_outcome(10, 100, BIDS) == {"price": None, "sold": 0, "unsold": 10, "proceeds": 0, "filled": [0, 0, 0, 0]}
    assert bidding_outcome(10, 1, []) == {"price": None, "sold": 0, "unsold": 10, "proceeds": 0, "filled": []}


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 100)), max_size=20), st.integers(0, 500), st.integers(1, 30))
def test_nobody_below_the_floor_is_served_and_nothing_is_sold_twice(bids: list[tuple[int, int]], offered: int, floor: int) -> None:
    got = bidding_outcome(offered, floor, bids)
    assert sum(got["filled"]) == got["sold"] == offered - got["unsold"] <= offered
    for (price, quantity), units in zip(bids, got["filled"], strict=True):
        assert 0 <= units <= quantity
        assert not units or price >= floor


def test_proceeds() -> None:
    assert sale_proceeds(348_304, D("104.89")) == D("36533606.56")
    assert sale_proceeds([1, 0], D("0.5")).tolist() == [D("0.50"), 0]
