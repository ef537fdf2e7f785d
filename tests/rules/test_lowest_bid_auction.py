"""One price, the lowest bid that gets units; a floor that is tabled or follows the market."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.lowest_bid_auction import auction_outcome, auction_reserve_price, auction_volume

BIDS = st.lists(st.tuples(st.integers(1, 100), st.integers(1, 10**6)), max_size=8)


def test_too_few_bids_are_all_filled_at_the_lowest():
    outcome = auction_outcome(1_000_000, [("37.05", 22_461), (35, 400_000)], 35)
    assert outcome == {"price": Decimal(35), "sold": 422_461, "unsold": 577_539, "proceeds": Decimal(14_786_135)}


def test_the_highest_bids_pay_the_lowest_price_that_got_units():
    assert auction_outcome(100, [(10, 60), (12, 60), (11, 1)])["price"] == Decimal(10)
    assert auction_outcome(100, [(10, 60), (12, 60), (11, 40)]) == {"price": Decimal(11), "sold": 100, "unsold": 0, "proceeds": Decimal(1_100)}


def test_nothing_is_sold_below_the_floor_or_without_bids():
    assert auction_outcome(100, [(9, 100)], Decimal("9.01")) == {"price": None, "sold": 0, "unsold": 100, "proceeds": Decimal(0)}
    assert auction_outcome(100, [])["price"] is None


@given(st.integers(0, 10**6), BIDS)
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


def test_a_year_without_a_plan_sells_nothing():
    assert auction_volume([2014, 2015], planned_by_year={2014: 7_800_000}).tolist() == [7_800_000, 0]
    assert auction_volume(2014, planned_by_year={2014: None}) == 0
