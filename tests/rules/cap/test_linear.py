"""How many units there are for a year."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.cap.linear import aviation_cap, cap, linear_quantity, reduction_step
from tonne.rules.columns import exactly, since

LAW = {
    "starting_quantity": {2013: 2_084_301_856, 2021: 1_571_583_007},
    "reduction_factor": {2013: Decimal("0.0174"), 2021: Decimal("0.022"), 2024: Decimal("0.043"), 2028: Decimal("0.044")},
    "reference_quantity": {2013: 2_199_094_594, 2021: 1_954_705_227, 2024: 2_044_749_581},
    "yearly_step": {2013: 38_264_246},
    "tabled_quantity": {2012: 2_049_000_000},
    "rebasing": {2024: -90_000_000, 2026: -27_000_000},
    "scope_additions": {2024: 78_400_000},
}
STEPS = {name: LAW[name] for name in ("reduction_factor", "reference_quantity", "yearly_step")}


def test_one_year() -> None:
    assert cap(2016, **LAW) == 1_969_509_118
    assert cap(2020, **LAW) == 1_816_452_134
    assert cap(2024, **LAW) == 1_386_051_745
    assert isinstance(cap(2024, **LAW), int)


def test_many_years_agree_with_one() -> None:
    years = np.array([[2030, 2012, 2024], [2013, 2021, 2024]])
    answers = cap(years, **LAW)
    assert answers.dtype == np.int64 and answers.shape == years.shape
    assert answers.ravel().tolist() == [cap(int(y), **LAW) for y in years.ravel()]


def test_no_years() -> None:
    assert cap(np.zeros(0, dtype=np.int64), **LAW).tolist() == []
    assert linear_quantity(np.zeros(0, dtype=np.int64), Decimal("0.0174"), 3).tolist() == []


def test_a_tabled_year_goes_before_the_line_and_years_before_it_are_refused() -> None:
    assert cap(2012, **LAW) == 2_049_000_000
    with pytest.raises(ValueError, match="first known year is 2012"):
        cap(2011, **LAW)
    with pytest.raises(ValueError, match="table is empty"):
        cap(2011, starting_quantity={}, reduction_factor={}, reference_quantity={})


def test_a_repealed_row_counts_as_absent() -> None:
    law = LAW | {"starting_quantity": {2013: 2_084_301_856, 2021: None}}
    assert cap(2021, **law) == 1_816_452_134 - 43_003_515


def test_steps() -> None:
    assert reduction_step(2014, **STEPS) == 38_264_246
    assert reduction_step([2022, 2024, 2028], **STEPS).tolist() == [43_003_515, 87_924_232, 89_968_982]
    with pytest.raises(ValueError, match="no reduction factor for 2012"):
        reduction_step(2012, **STEPS)
    with pytest.raises(ValueError, match="no reference quantity"):
        reduction_step(2014, reduction_factor={2013: Decimal("0.0174")}, reference_quantity={2021: 1})


def test_a_line_in_one_go_keeps_the_fractions_that_whole_steps_lose() -> None:
    assert linear_quantity(2_199_094_594, Decimal("0.0174"), 3) == 2_084_301_856
    assert linear_quantity(2_199_094_594, Decimal("0.0174"), [9, 10]).tolist() == [1_854_716_381, 1_816_452_135]


@given(st.integers(2013, 2060))
def test_the_cap_never_rises_without_an_addition_and_never_falls_below_zero(year: int) -> None:
    law = {**LAW, "scope_additions": {}}
    assert 0 <= cap(year + 1, **law) <= cap(year, **law)


def test_tables() -> None:
    assert since({2013: 1, 2020: 2, 2021: None}, 2025, "thing") == 2
    assert exactly({2013: 1}, 2013, "thing") == 1
    with pytest.raises(ValueError, match="no thing for 2014: the law in force has 2013"):
        exactly({2013: 1, 2014: None}, 2014, "thing")
    assert aviation_cap([2013, 2024], aviation_quantity={2013: 38_000_000, 2024: 28_900_000}).tolist() == [38_000_000, 28_900_000]
    with pytest.raises(ValueError):
        aviation_cap(2022, aviation_quantity={2024: 1})
