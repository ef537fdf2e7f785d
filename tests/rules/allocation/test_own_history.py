"""Allocation by an entity's own history."""

from __future__ import annotations

from decimal import Decimal
from decimal import Decimal as D
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.allocation.own_history import base_value, history_allocation, kept_years, prorated_allocation
from tonne.units import NEAREST, round_fraction

YEARS = {"base_years": [2019, 2020]}
FIFTH = Decimal("0.20")
YEAR = st.tuples(st.integers(0, 10**9), st.integers(1, 10**9))


def test_the_highest_counts() -> None:
    assert base_value([120_000, 95_000], **YEARS) == 120_000
    assert base_value([D("0.81"), D("0.84")], **YEARS) == D("0.84")
    assert base_value([[1, 9], [5, 2]], **YEARS).tolist() == [5, 9]
    assert base_value([np.array([D("0.8"), D("0.7")], dtype=object), np.array([D("0.9"), D("0.6")], dtype=object)], **YEARS).tolist() == [
        D("0.9"),
        D("0.7"),
    ]
    assert base_value([[], []], **YEARS).tolist() == []
    with pytest.raises(ValueError, match="2019, 2020"):
        base_value([1, 2, 3], **YEARS)


def test_a_single_year_that_stands_out_is_left_out():
    assert kept_years([100, 100, 160], [100, 100, 100], outlier_share=FIFTH).tolist() == [True, True, False]
    assert kept_years([90, 90, 120], [100, 100, 100], outlier_share=FIFTH).tolist() == [True, True, False]  # a fifth exactly
    assert kept_years([90_001, 90_001, 120_000], [100_000] * 3, outlier_share=FIFTH).tolist() == [True, True, True]


def test_two_years_that_stand_out_are_kept():
    assert kept_years([50, 100, 150], [100, 100, 100], outlier_share=FIFTH).tolist() == [True, True, True]


def test_a_year_without_output_is_none():
    assert kept_years([0, 100, 100], [0, 100, 100], outlier_share=FIFTH).tolist() == [False, True, True]
    with pytest.raises(ValueError, match="no intensity"):
        history_allocation([0, 0], [0, 0], 1, outlier_share=FIFTH)


def test_many_entities_at_once():
    emissions, output = [[100, 100], [100, 100], [160, 100]], [[100, 100], [100, 100], [100, 100]]
    assert kept_years(emissions, output, outlier_share=FIFTH).tolist() == [[True, True], [True, True], [False, True]]
    assert history_allocation(emissions, output, [90, 90], Decimal("0.98"), outlier_share=FIFTH).tolist() == [88, 88]
    nothing = np.zeros((3, 0), dtype=np.int64)
    assert history_allocation(nothing, nothing, nothing[0], outlier_share=FIFTH).shape == (0,)


@given(st.lists(YEAR, min_size=1, max_size=4), st.integers(0, 10**9), st.decimals(0, 2, places=4))
def test_the_same_as_with_fractions(years, quantity, factor):
    emissions, output = [e for e, _ in years], [o for _, o in years]
    kept = kept_years(emissions, output, outlier_share=FIFTH).tolist()
    tonnes, made = (sum(v for v, k in zip(column, kept, strict=True) if k) for column in (emissions, output))
    expected = round_fraction(Fraction(tonnes, made) * Fraction(factor) * quantity, NEAREST)
    assert history_allocation(emissions, output, quantity, factor, outlier_share=FIFTH) == expected


def test_past_emissions_for_the_days_of_production():
    assert prorated_allocation(36_500, 300, Decimal("0.90")) == 27_000
    assert prorated_allocation([36_500, 0], [365, 365], Decimal("0.90"), market_adjustment=Decimal("0.99")).tolist() == [32_522, 0]
    with pytest.raises(ValueError, match="366"):
        prorated_allocation(1, 367)
