"""Who owes, and what."""

from __future__ import annotations

import time
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.obligation.surrender import final_obligation, interim_obligation, obligation, shortfall

SHIPS = {"surrender_share": {2024: Decimal("0.40"), 2025: Decimal("0.70"), 2026: Decimal("1.0")}, "surrender_share_kinds": ["maritime"]}
PERIODS = {2021: 2023, 2022: 2023, 2023: 2023}
UNITS = st.integers(0, 10**12)


@pytest.mark.parametrize(
    ("verified", "year", "kind", "owed"),
    [
        (100_000, 2024, "maritime", 40_000),
        (100_000, 2025, "maritime", 70_000),
        (100_000, 2026, "maritime", 100_000),
        (100_000, 2031, "maritime", 100_000),  # the last share stays
        (100_000, 2023, "maritime", 0),  # before the first share nothing is owed
        (100_000, 2024, "stationary", 100_000),
        (101, 2024, "maritime", 41),  # 40.4: a part of a unit cannot be surrendered
    ],
)
def test_a_kind_in_its_first_years_owes_a_share(verified, year, kind, owed):
    assert obligation(verified, year, kind, **SHIPS) == owed


def test_many_rows_are_as_one_row_each():
    verified, years, kinds = [100_000, 7, 101, 0], [2024, 2024, 2025, 2024], ["maritime", "stationary", "maritime", "maritime"]
    many = obligation(verified, years, kinds, **SHIPS)
    assert many.dtype == np.int64
    assert many.tolist() == [obligation(v, y, k, **SHIPS) for v, y, k in zip(verified, years, kinds, strict=True)]


def test_zero_rows():
    none = np.zeros(0, dtype=np.int64)
    assert obligation(none, none, [], **SHIPS).shape == (0,)
    assert interim_obligation(none, 2021, calendar__period_end=PERIODS, interim_share=Decimal("0.5")).shape == (0,)
    assert final_obligation(np.zeros((3, 0), dtype=np.int64), none).shape == (0,)
    assert shortfall(none, none).shape == (0,)


def test_without_phases_everything_is_owed():
    assert obligation(12_345, 2024) == 12_345
    assert obligation(12_345, 2024, surrender_share={2024: Decimal("0.5")}, surrender_share_rounding="nearest") == 6_173


def test_interim_half_of_the_first_years_and_nothing_after_the_last():
    years = [2021, 2022, 2023]
    assert interim_obligation([1_000_001] * 3, years, calendar__period_end=PERIODS, interim_share=Decimal("0.50")).tolist() == [500_001, 500_001, 0]
    assert interim_obligation(1_000_001, 2022, calendar__period_end=PERIODS, interim_share=Decimal("0.50")) == 500_001
    assert interim_obligation(1_000_001, 2022, calendar__period_end=PERIODS) == 0  # no interim share in the law
    assert interim_obligation(1_000_001, 2040, calendar__period_end=PERIODS, interim_share=Decimal("0.50")) == 0  # a year that stands alone


@given(st.lists(UNITS, min_size=3, max_size=3))
def test_interim_and_final_add_up_to_the_period(verified):
    interim = [
        int(interim_obligation(v, y, calendar__period_end=PERIODS, interim_share=Decimal("0.5"))) for v, y in zip(verified, PERIODS, strict=True)
    ]
    assert sum(interim) + final_obligation(verified, sum(interim)) == sum(verified)


@given(UNITS, UNITS)
def test_a_shortfall_is_never_negative_and_fills_the_gap(owed, surrendered):
    missing = shortfall(owed, surrendered)
    assert missing >= 0
    assert min(owed, surrendered) + missing == owed


@given(UNITS, UNITS)
def test_who_emits_more_owes_no_less(a, b):
    low, high = sorted((a, b))
    assert obligation(low, 2024, "maritime", **SHIPS) <= obligation(high, 2024, "maritime", **SHIPS) <= high


def test_refusals_say_what_is_wrong():
    with pytest.raises(ValueError, match="verified emissions: -5 is negative"):
        obligation(-5, 2024)
    with pytest.raises(ValueError, match="verified emissions is a whole number"):
        obligation(0.5, 2024)
    with pytest.raises(ValueError, match="units surrendered"):
        shortfall(5, -1)


def test_a_million_rows_take_less_than_two_seconds():
    rows = 1_000_000
    kinds = np.where(np.arange(rows) % 2 == 0, "maritime", "stationary").astype(object)
    began = time.perf_counter()
    obligation(np.arange(rows), 2024 + np.arange(rows) % 3, kinds, **SHIPS)
    assert time.perf_counter() - began < 2
