"""What a trial phase adds to an allocation that its base year made too small."""

from __future__ import annotations

import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.allocation.top_up import final_allocation, top_up
from tonne.rules.penalty.units_owed import later_phase_cut
from tonne.rules.registry.banking_for_the_compliant import carry_over

units = st.integers(0, 10**9)


def test_the_reserve_tops_up_and_takes_nothing_back() -> None:
    assert final_allocation(150_000, 160_000) == 160_000
    assert final_allocation([150_000, 150_000], [160_000, 140_000]).tolist() == [160_000, 150_000]
    assert top_up([150_000, 150_000, 7], [160_000, 140_000, 7]).tolist() == [10_000, 0, 0]
    assert top_up(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)).tolist() == []


@given(units, units)
def test_first_allocation_and_top_up_make_the_final_one(initial: int, verified: int) -> None:
    assert initial + top_up(initial, verified) == final_allocation(initial, verified) >= verified


def test_a_million_rows() -> None:
    rows = np.arange(1_000_000, dtype=np.int64)
    started = time.perf_counter()
    final_allocation(rows, rows[::-1].copy())
    carry_over(rows, rows % 2 == 0)
    later_phase_cut(rows, units_per_missing_unit=2)
    assert time.perf_counter() - started < 2
