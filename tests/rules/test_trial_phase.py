"""A trial phase without fines: topping up, voiding, cutting later."""

from __future__ import annotations

import time
from decimal import Decimal as D

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules import trial_phase as trial

units = st.integers(0, 10**9)


def test_the_reserve_tops_up_and_takes_nothing_back() -> None:
    assert trial.final_allocation(150_000, 160_000) == 160_000
    assert trial.final_allocation([150_000, 150_000], [160_000, 140_000]).tolist() == [160_000, 150_000]
    assert trial.top_up([150_000, 150_000, 7], [160_000, 140_000, 7]).tolist() == [10_000, 0, 0]
    assert trial.top_up(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)).tolist() == []


@given(units, units)
def test_first_allocation_and_top_up_make_the_final_one(initial: int, verified: int) -> None:
    assert initial + trial.top_up(initial, verified) == trial.final_allocation(initial, verified) >= verified


def test_who_did_not_comply_keeps_nothing() -> None:
    assert trial.carry_over(25_000) == {"carried": 25_000, "void": 0}
    assert trial.carry_over(25_000, False) == {"carried": 0, "void": 25_000}
    many = trial.carry_over(np.array([5, 6]), [True, False])
    assert many["carried"].tolist() == [5, 0] and many["void"].tolist() == [0, 6]


def test_a_later_phase_is_cut_by_a_multiple() -> None:
    assert trial.later_phase_cut(1_000, units_per_missing_unit=2) == 2_000
    assert trial.later_phase_cut([1, 0], units_per_missing_unit=D("1.5")).tolist() == [2, 0]
    assert trial.later_phase_cut(1_000) == 0
    with pytest.raises(ValueError, match="surplus"):
        trial.later_phase_cut(-1, units_per_missing_unit=2)


def test_a_million_rows() -> None:
    rows = np.arange(1_000_000, dtype=np.int64)
    started = time.perf_counter()
    trial.final_allocation(rows, rows[::-1].copy())
    trial.carry_over(rows, rows % 2 == 0)
    trial.later_phase_cut(rows, units_per_missing_unit=2)
    assert time.perf_counter() - started < 2
