"""Allocation balanced within a sector."""

from __future__ import annotations

from decimal import Decimal as D
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.allocation.balanced_intensity import _coefficient, balance_value, intensity_allocation, solve_balance

BAND: dict[str, Any] = {"intensity_slope": D("0.15"), "intensity_band": D("0.20"), "intensity_limit": D("0.03")}


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(1, 4000)), min_size=1, max_size=30))
def test_at_the_balance_value_the_sector_receives_what_it_emitted(plants: list[tuple[int, int]]) -> None:
    verified, intensities = [e for e, _ in plants], [D(i).scaleb(-3) for _, i in plants]
    if not any(verified):
        assert balance_value(verified, intensities, **BAND) is None
        return
    law = (Fraction(15, 100), Fraction(1, 5), Fraction(3, 100))
    columns = np.array(verified), np.array(intensities, dtype=object)
    exact = solve_balance(*columns, *law)
    assert exact is not None
    assert sum(e * _coefficient(Fraction(i), exact, *law) for e, i in zip(verified, intensities, strict=True)) == 0
    units = intensity_allocation(verified, intensities, **BAND)
    assert 0 <= sum(verified) - int(units.sum()) < len(plants)
    for before, after in pairwise(sorted(zip(intensities, units.tolist(), verified, strict=True))):
        if before[2] == after[2]:
            assert before[1] >= after[1]


def test_the_balance_value_of_three_plants() -> None:
    verified = [1_000_000, 2_000_000, 1_000_000]
    assert balance_value(verified, [D("1.5"), D("1.6"), D("1.8")], **BAND) == D("1.625")
    assert balance_value(verified, [D("1.2"), D("1.6"), D("2.2")], **BAND) == D("1.6")
    assert intensity_allocation(verified, [D("1.5"), D("1.6"), D("1.8")], **BAND).tolist() == [1_011_538, 2_004_615, 983_846]
    assert intensity_allocation(1_000_000, D("1.5"), D("1.625"), **BAND) == 1_011_538
    assert balance_value([], [], **BAND) is None
    assert intensity_allocation([], [], **BAND).tolist() == []
