"""Scheme years, unsold units, partial clearing, cuts by circulation, shares that fall."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.supply_adjustment import (
    allocation,
    auction_outcome,
    auction_reserve_price,
    auction_volume,
    auction_volume_left,
    cap_of_period,
    industry_cap,
    msr_intake,
    msr_release,
    planned_cap,
    proceeds,
    scheme_cap,
    scheme_year_cap,
    small_emitter_factor,
    unsold_spread,
)

D = Decimal
CAPS = {"cap_by_year": {2021: 100, 2024: 50, 2025: None}, "yearly_step": {2022: 10}}
FLOOR = {"reserve_price_by_year": {2021: D(22)}}
SPREAD = {"spread_auctions": 4, "spread_ceiling": D("1.25")}
SHARE = {"free_share_start": 2020, "free_share_cut": {"power": D("0.05"), "industry": D("0.15")}, "free_share_end": {"power": 2025}}


def test_a_cap_falls_by_a_step_unless_it_is_tabled():
    assert scheme_cap([2021, 2022, 2023, 2024, 2025], **CAPS).tolist() == [100, 90, 80, 50, 40]
    assert cap_of_period(2021, 2023, **CAPS) == 270
    with pytest.raises(ValueError, match="no cap for 2020"):
        scheme_cap(2020, **CAPS)
    with pytest.raises(ValueError, match="no yearly step"):
        scheme_cap(2026, cap_by_year={2024: 50})


def test_small_emitters_leave_the_cap():
    assert small_emitter_factor(100, 2) == Fraction(98, 100)
    assert scheme_year_cap(150_000_000, 100_000_000, 2_000_000, 1_000_000) == 148_000_000
    assert scheme_year_cap([100, 101], 100, 2).tolist() == [98, 98]
    for wrong in ((0, 0), (100, 101), (100, -1)):
        with pytest.raises(ValueError, match="small emitters"):
            small_emitter_factor(*wrong)


def test_the_identity_of_the_auction_volume():
    assert auction_volume_left(100, 0, 4, 40, 0, 2, 1, 3) == 56
    assert auction_volume_left(100, 30) == 70
    assert auction_volume_left([100, 10], [30, 30]).tolist() == [70, 0]
    assert industry_cap(2024, 92_100_000, industry_cap_share={2024: D("0.40")}) == 36_840_000


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


def test_an_auction_clears_partly():
    bids = [[50, 4000], [40, 3000], [30, 2000], [21, 5000]]
    assert auction_outcome(2025, 10_000, bids, **FLOOR) == {"price": 30, "sold": 9000, "unsold": 1000}
    assert auction_outcome(2025, 10_000, bids, 45, **FLOOR) == {"price": 50, "sold": 4000, "unsold": 6000}
    assert auction_outcome(2025, 6000, bids, **FLOOR) == {"price": 40, "sold": 6000, "unsold": 0}
    assert auction_outcome(2025, 10, [], **FLOOR) == {"price": None, "sold": 0, "unsold": 10}
    assert proceeds(9000, 30) == 270_000
    assert proceeds([1, 2], D("1.50")).tolist() == [D("1.50"), D("3.00")]
    with pytest.raises(ValueError, match="whole number"):
        auction_outcome(2025, 10, [(30, -1)], **FLOOR)


def test_a_reserve_price_holds_on():
    assert auction_reserve_price(2025, **FLOOR) == 22
    assert auction_reserve_price([2020, 2021], **FLOOR).tolist() == [None, 22]


def test_many_units_in_circulation_cut_the_auction():
    law = {"auction_share": D("0.05"), "circulation_cut": D("0.5")}
    assert auction_volume(4_900_000, **law) == 245_000
    assert auction_volume(4_900_000, 0, 1_000_001, circulation_threshold=1_000_000, **law) == 122_500
    assert auction_volume(4_900_000, 0, 1_000_000, circulation_threshold=1_000_000, **law) == 245_000
    assert auction_volume(4_900_000, 4_800_000, **law) == 100_000
    assert auction_volume([100, 200], [0, 200], **law).tolist() == [5, 0]


def test_a_plan_without_a_figure_sets_no_cap():
    assert planned_cap(2021, cap_by_year={2021: 159_900_000}) == 159_900_000
    assert planned_cap(2019, cap_by_year={2021: 159_900_000}) is None
    assert planned_cap(2019) is None


def test_free_shares_fall_by_sector():
    assert [allocation(y, "power", 1_000_000, **SHARE) for y in (2019, 2020, 2024, 2025, 2026)] == [1_000_000, 1_000_000, 800_000, 0, 0]
    assert allocation(2024, ["power", "industry"], [100, 100], [0, 70], **SHARE).tolist() == [80, 70]
    assert allocation(2030, "industry", 100, **SHARE) == 0
    with pytest.raises(ValueError, match="'waste'"):
        allocation(2020, "waste", 1, **SHARE)


def test_a_million_rows_are_quick():
    rows = np.full(1_000_000, 1000, dtype=np.int64)
    sectors = np.where(np.arange(1_000_000) % 2 == 0, "power", "industry").astype(object)
    assert allocation(2022, sectors, rows, **SHARE).sum() == 500_000 * (900 + 700)


def test_a_reserve_of_set_numbers():
    law = {"upper_threshold": 440, "intake_quantity": 100}
    assert msr_intake([440, 441], **law).tolist() == [0, 100]
    assert msr_release([209, 210], 70, lower_threshold=210, release_quantity=100).tolist() == [70, 0]
    assert msr_intake(np.zeros(0, dtype=np.int64), **law).shape == (0,)
