"""Reserves that a price opens."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.auction.reserve_price import auction_outcome
from tonne.rules.stability.containment_reserves import (
    containment_release,
    containment_size,
    containment_withheld,
    emissions_containment_size,
    reserves_outcome,
)

D = Decimal
SIZES = {
    "containment_size_by_year": {2014: 5_000_000, 2027: 11_750_000},
    "containment_size_2_by_year": {2027: 11_750_000},
    "containment_share_by_year": {2021: D("0.10")},
    "cap__base_by_year": {2021: 119_767_784},
}
FLOOR = {2011: D("1.89"), 2021: D("2.38")}
LOW = {"emissions_trigger_by_year": {2021: D("6.00")}, "emissions_size_by_year": {2021: 11_310_000}}
TRIGGERS = {
    "containment_trigger_by_year": {2014: D("4.00"), 2021: D("13.00"), 2027: D("19.50")},
    "containment_trigger_2_by_year": {2027: D("29.25")},
}
ALL = {**SIZES, **TRIGGERS, **LOW, "auction__reserve_price_by_year": FLOOR}
BIDS = st.lists(st.tuples(st.integers(0, 5000).map(lambda c: D(c) / 100), st.integers(0, 5_000_000)), max_size=12)


def test_sizes_of_years():
    assert containment_size(2014, **SIZES) == 5_000_000
    assert containment_size(2021, **SIZES) == 11_976_778
    assert containment_size(2013, **SIZES) == 0
    assert containment_size([2014, 2021, 2013], **SIZES).tolist() == [5_000_000, 11_976_778, 0]
    assert containment_size(2021, 2, **SIZES) == 0
    assert emissions_containment_size(78_070_290, emissions_share=D("0.10")) == 7_807_029
    assert emissions_containment_size([10, 0], emissions_share=None).tolist() == [0, 0]


def test_release_scalar_column_and_nothing():
    assert containment_release(2021, 23_121_518, 27_041_000, **SIZES) == 3_919_482
    assert containment_release([2021, 2014, 2014], [23_121_518, 18_491_350, 1], [27_041_000, 30_000_000, 0], **SIZES).tolist() == [
        3_919_482,
        5_000_000,
        0,
    ]
    assert containment_release(2021, 10, 20, 11_976_770, **SIZES) == 8
    none = np.zeros(0, dtype=np.int64)
    assert containment_release(none, none, none, **SIZES).shape == (0,)


@given(st.integers(0, 10**8), st.integers(0, 10**8), st.integers(0, 2 * 10**7))
def test_a_release_is_bounded_by_demand_and_reserve(offered, demand, before):
    released = containment_release(2021, offered, demand, before, **SIZES)
    assert 0 <= released <= max(11_976_778 - before, 0)
    assert released <= max(demand - offered, 0)


def test_published_auctions():
    assert reserves_outcome(2014, 18_491_350, [[D("4.00"), 23_491_350]], **ALL)["price"] == D("4.00")
    outcome = reserves_outcome(2021, 23_121_518, [[D("13.00"), 27_041_000]], **ALL)
    assert outcome == {"interim_price": D("13.00"), "price": D("13.00"), "containment_sold": 3_919_482, "withheld": 0, "sold": 27_041_000}


def test_two_tiers():
    assert reserves_outcome(2027, 15_000_000, [["19.5", 20_000_000]], **ALL)["price"] == D("19.50")
    assert reserves_outcome(2027, 15_000_000, [["22", 26_750_000]], **ALL) == {
        "interim_price": D(22),
        "price": D(22),
        "containment_sold": 11_750_000,
        "withheld": 0,
        "sold": 26_750_000,
    }
    assert reserves_outcome(2027, 15_000_000, [["40", 30_000_000]], **ALL)["price"] == D("29.25")
    assert reserves_outcome(2027, 15_000_000, [["40", 30_000_000]], [11_750_000, 11_000_000], **ALL) == {
        "interim_price": D(40),
        "price": D(40),
        "containment_sold": 750_000,
        "withheld": 0,
        "sold": 15_750_000,
    }


def test_withholding():
    assert containment_withheld(2021, 15_000_000, 12_000_000, **LOW) == 3_000_000
    assert containment_withheld([2021, 2021, 2030], [15, 9, 9], [12, 10, 0], [0, 0, 0], **LOW).tolist() == [3, 0, 0]
    assert containment_withheld(2021, 22_987_719, 0, 11_000_000, **LOW) == 310_000
    assert containment_withheld(np.zeros(0, dtype=np.int64), [], [], **LOW).shape == (0,)
    with pytest.raises(ValueError, match="not tabled for 2022"):
        containment_withheld(2022, 10, 5, emissions_trigger_by_year={2022: D("6.42")}, emissions_size_by_year={2021: 1})


@given(st.integers(1, 10**7), BIDS)
def test_an_auction_sells_what_is_bid_and_what_there_is(offered, bids):
    outcome = reserves_outcome(2021, offered, bids, **ALL)
    worth = sum(q for p, q in bids if p >= FLOOR[2021])
    assert outcome["sold"] <= min(worth, offered + outcome["containment_sold"] - outcome["withheld"])
    assert outcome["containment_sold"] == 0 or outcome["price"] >= D("13.00")
    assert outcome["price"] is None or outcome["price"] >= FLOOR[2021]
    assert outcome["containment_sold"] == 0 or outcome["withheld"] == 0
    accepted = sum(q for p, q in bids if p >= outcome["price"]) if outcome["price"] is not None else 0
    assert outcome["sold"] <= accepted or outcome["sold"] == worth


@given(st.integers(1, 10**7), BIDS)
def test_a_reserve_never_raises_the_price_and_never_lowers_it_below_its_trigger(offered, bids):
    plain = auction_outcome(2021, offered, bids, reserve_price_by_year=FLOOR)["price"]
    price = reserves_outcome(2021, offered, bids, **ALL)["price"]
    if plain is not None and plain >= D("13.00"):
        assert D("13.00") <= price <= plain
