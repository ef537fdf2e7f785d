"""Industrial allocation: assistance x baseline x output, and the phase-out of assistance."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.allocation.assisted_output import allocation, assistance_class, assistance_level, electricity_part

LEVELS = {"assistance": {"highly": Decimal("0.90"), "moderately": Decimal("0.60")}}
STEPS = {"assistance_phase_out": {2021: Decimal("0.01"), 2031: Decimal("0.02"), 2041: Decimal("0.03"), 2051: 0}}
LAW = {
    **LEVELS,
    **STEPS,
    "allocative_baseline": {"metal": Decimal("2.120"), "lime": Decimal("1.5")},
    "activity_class": {"metal": "highly", "lime": "moderately"},
}
SHARES = {"obligation__surrender_share": {2010: Decimal("0.5"), 2017: Decimal("0.67"), 2019: 1}}
FROM = {"assistance_from": {"moderately": 800, "highly": 1600}}


def test_units_of_a_row() -> None:
    assert allocation(2021, "metal", 333_136, **LAW) == 628_561
    assert allocation(2016, "metal", 1_000, **LAW, **SHARES) == 954
    assert allocation([2020, 2021, 2021], ["lime", "lime", "wool"], 1_000, **LAW).tolist() == [900, 885, 0]
    assert allocation(2020, "metal", Fraction(1, 3), **LAW) == 1  # 0.636
    assert allocation([], [], [], **LAW).tolist() == []
    with pytest.raises(ValueError, match="no level of assistance"):
        allocation(2020, "metal", 1, **{**LAW, "activity_class": {}})


def test_assistance_falls_to_nothing_and_no_further() -> None:
    got = [assistance_level("highly", year, **LEVELS, **STEPS) for year in (2020, 2021, 2022, 2030, 2031, 2040, 2050, 2060)]
    assert got == [Fraction(n, 100) for n in (90, 89, 88, 80, 78, 60, 30, 30)]
    assert assistance_level("moderately", 2050, **LEVELS, **STEPS) == 0
    assert assistance_level("moderately", 2045, **LEVELS, assistance_phase_out={2021: Decimal("0.10")}) == 0
    assert assistance_level("highly", 2045, **LEVELS) == Fraction(9, 10)


@given(st.integers(2010, 2060), st.integers(0, 10**7))
def test_more_output_is_never_fewer_units_and_later_never_more(year: int, output: int) -> None:
    units = allocation(year, "metal", output, **LAW)
    assert allocation(year, "metal", output + 1, **LAW) >= units
    assert allocation(year + 1, "metal", output, **LAW) <= units


def test_classes_and_electricity() -> None:
    assert assistance_class(1600, **FROM) == "highly"
    assert assistance_class([799, 800, Decimal("1599.9")], **FROM).tolist() == ["none", "moderately", "moderately"]
    factors = {"electricity_eligibility_factor": Decimal(1), "electricity_baseline_factor": Decimal("0.52")}
    assert electricity_part(100_000, **factors) == {"eligibility": 100_000, "baseline": 52_000}
    assert electricity_part([1, 100], **factors)["baseline"].tolist() == [1, 52]


def test_a_million_rows_take_seconds() -> None:
    names = np.array(["metal", "lime"] * 500_000, dtype=object)
    start = perf_counter()
    assert len(allocation(2021, names, np.arange(1_000_000), **LAW)) == 1_000_000
    assert perf_counter() - start < 6
