"""Baselines of production that fall from year to year."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.allocation.declining_baseline import adjusted_decline, allocation, reduction_contribution

RATE = {"decline_rate_by_year": {2024: Decimal("0.049"), 2031: Decimal("0.03285")}}
FLOORS = {"decline_floor": {"manufacturing": Decimal("0.01"), "other": Decimal("0.02")}}
AVERAGE = {"industry_intensity": {"goods": Decimal(1)}}
LAW = {**RATE, "industry_weight_by_year": {2024: Decimal("0.1"), 2030: 1}}


def test_what_is_left_after_some_years() -> None:
    assert [reduction_contribution(year, **RATE) for year in (2023, 2024, 2030)] == [1, Fraction(951, 1000), Fraction(657, 1000)]
    assert reduction_contribution(2031, **RATE) == Fraction(62415, 100_000)
    assert reduction_contribution(2026, Decimal("0.01"), **RATE) == Fraction(97, 100)
    assert reduction_contribution(2100, **RATE) == 0
    assert reduction_contribution(2024, decline_rate_by_year={}) == 1


def test_a_trade_exposed_facility_declines_between_its_floor_and_the_usual_rate() -> None:
    assert adjusted_decline(Decimal("0.005"), "other", 2024, **RATE, **FLOORS) == Decimal("0.02")
    assert adjusted_decline(Decimal("0.03"), "other", 2024, **RATE, **FLOORS) == Decimal("0.03")
    assert adjusted_decline(Decimal("0.9"), "manufacturing", 2024, **RATE, **FLOORS) == Decimal("0.049")
    with pytest.raises(ValueError, match="no least rate"):
        adjusted_decline(Decimal("0.01"), "farming", 2024, **RATE, **FLOORS)


def test_a_baseline_mixes_the_industry_and_the_facility() -> None:
    assert allocation(2024, "goods", 100_000, Decimal("1.2"), **LAW) == 114_120
    assert allocation(2024, "goods", 100_000, Decimal("1.2"), **LAW, **AVERAGE) == 112_218
    got = allocation([2024, 2030, 2030], "goods", 100_000, [Decimal("1.2"), Decimal("1.2"), Decimal("0.4")], **LAW, **AVERAGE)
    assert got.tolist() == [112_218, 65_700, 65_700]
    assert allocation([], [], [], [], **LAW).tolist() == []
    with pytest.raises(ValueError, match="lacks"):
        allocation(2024, "goods", 1, None, **LAW)


@given(st.integers(2024, 2040), st.integers(0, 10**7), st.decimals("0.01", "5", places=3))
def test_a_baseline_never_rises(year: int, output: int, intensity: Decimal) -> None:
    assert allocation(year + 1, "goods", output, intensity, **LAW) <= allocation(year, "goods", output, intensity, **LAW)


def test_a_million_rows_of_few_intensities_take_seconds() -> None:
    names = np.array(["goods"] * 1_000_000, dtype=object)
    own = np.array([Decimal("1.2"), Decimal("0.8")] * 500_000, dtype=object)
    start = perf_counter()
    assert len(allocation(2025, names, np.arange(1_000_000), own, **LAW, **AVERAGE)) == 1_000_000
    assert perf_counter() - start < 8
