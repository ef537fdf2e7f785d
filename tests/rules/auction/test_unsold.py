"""What becomes of units that nobody bid for."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.auction.unsold import auction_series, auctions_above_floor, leaves_auctions, reoffered, unsold_spread

D = Decimal
SPREAD = {"spread_auctions": 4, "spread_ceiling": D("1.25")}
RULE = {"reoffer_after_auctions": 2, "reoffer_limit_share": D("0.25")}


def test_unsold_units_come_again() -> None:
    within = auction_series([100, 100, 100], [40, 0, 500], unsold_passes_year_end=False)
    assert within == {"offered": [100, 160, 260], "sold": [40, 0, 260], "to_next_year": 0, "gone": 0}
    assert auction_series([100], [0], unsold_passes_year_end=True) == {"offered": [100], "sold": [0], "to_next_year": 100, "gone": 0}
    assert auction_series([100], [0], unsold_passes_year_end=False)["gone"] == 100
    assert auction_series([], [], unsold_passes_year_end=True)["to_next_year"] == 0


def test_unsold_units_are_spread():
    assert unsold_spread(1000, [10_000] * 4, **SPREAD) == {"volumes": [10_250] * 4, "to_account": 0}
    assert unsold_spread(12_000, [10_000] * 4, **SPREAD) == {"volumes": [12_500] * 4, "to_account": 2000}
    assert unsold_spread(3, [100, 100, 100, 100, 100], **SPREAD)["volumes"] == [101, 101, 101, 100]
    assert unsold_spread(1000, [100, 10_000], already=[25, 0], **SPREAD) == {"volumes": [125, 11_000], "to_account": 0}


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**5), min_size=1, max_size=6))
def test_nothing_is_lost_when_units_are_spread(unsold, planned):
    first = planned[:4]
    result = unsold_spread(unsold, planned, **SPREAD)
    assert sum(result["volumes"]) + result["to_account"] == sum(first) + unsold
    assert all(before <= now <= max(before, before * 5 // 4) for before, now in zip(first, result["volumes"], strict=True))


def test_only_the_latest_auctions_in_a_row_count() -> None:
    assert auctions_above_floor([D("13.57"), D("13.80"), D("14.75")], [D("13.57")] * 3) == 2
    assert auctions_above_floor([D("14.75"), D("13.57")], [D("13.57")] * 2) == 0
    assert auctions_above_floor([], []) == 0
    with pytest.raises(ValueError, match="1 settlement prices and 0 floors"):
        auctions_above_floor([D(1)], [])


def test_a_quarter_of_the_new_offer_cut_down() -> None:
    assert reoffered(74_172_921, 54_962_497, 2, **RULE) == 13_740_624
    assert reoffered(10, 54_962_497, 2, **RULE) == 10
    assert reoffered(74_172_921, 54_962_497, 1, **RULE) == 0
    assert reoffered(np.array([5, 100]), np.array([100, 100]), np.array([2, 3]), **RULE).tolist() == [5, 25]
    assert reoffered(np.array([], dtype=np.int64), np.array([], dtype=np.int64), 2, **RULE).tolist() == []


def test_months_end_on_the_same_day_or_the_months_last() -> None:
    assert not leaves_auctions(date(2016, 2, 17), date(2018, 2, 17), unsold_months=24)
    assert leaves_auctions(date(2016, 2, 17), date(2018, 2, 18), unsold_months=24)
    assert not leaves_auctions(date(2016, 2, 29), date(2018, 2, 28), unsold_months=24)
    assert leaves_auctions(date(2016, 2, 29), date(2018, 3, 1), unsold_months=24)
    days = np.array(["2022-05-18", "2022-05-19"], dtype="datetime64[D]")
    assert leaves_auctions(days, date(2025, 5, 19), unsold_months=36).tolist() == [True, False]
    assert leaves_auctions(days[:0], date(2025, 5, 19), unsold_months=36).tolist() == []
