"""Free allocation by benchmark: factors by year, lists, sectors; the speed of a million rows; benchmarks that move."""

from __future__ import annotations

import time
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.allocation.benchmark import activity_level_change, allocation, aviation_allocation, uniform_correction_factor, updated_benchmark
from tonne.units import UnitsError

LAW = {
    "benchmark": {"hot_metal": Decimal("1.328"), "heat": Decimal("62.3"), "gone": None},
    "exposure_factor": {2013: Decimal("0.80"), 2014: Decimal("0.7286")},
    "correction_factor": {2013: Decimal("0.94272151"), 2014: Decimal("0.92634731")},
    "benchmark_years": [2013, 2020],
    "exposure_by_sector": {"district_heating": Decimal("0.30")},
    "border_adjustment_factor": {2014: Decimal("0.975")},
    "linear_factor": {2013: Decimal(1), 2014: Decimal("0.9826")},
    "linear_factor_sectors": ["electricity_generation"],
}


def test_one_row() -> None:
    assert allocation(2013, "hot_metal", 1_000_000, True, **LAW) == 1_251_934
    assert allocation(2013, "hot_metal", 1_000_000, **LAW) == 1_001_547
    assert isinstance(allocation(2013, "hot_metal", 1, **LAW), int)


def test_factors() -> None:
    assert allocation(2014, "heat", 1_000, True, True, **LAW) == 56_269  # 62.3 x 1,000 x 0.975 x 0.92634731
    assert allocation(2013, "heat", 1_000, True, True, **LAW) == 58_732  # before the first year of the border adjustment
    assert allocation(2014, "heat", 1_000, True, False, "electricity_generation", **LAW) == 61_216  # 62.3 x 1,000 x 0.9826
    assert allocation(2014, "heat", 1_000, False, False, "district_heating", **LAW) == 17_313  # 62.3 x 1,000 x 0.30 x 0.92634731


@given(
    st.lists(
        st.tuples(st.sampled_from([2013, 2014]), st.sampled_from(["hot_metal", "heat"]), st.integers(0, 10**10), st.booleans(), st.booleans()),
        max_size=12,
    )
)
def test_many_rows_agree_with_one(rows: list[tuple[int, str, int, bool, bool]]) -> None:
    year, product, quantity, listed, adjusted = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [], [], [])
    got = allocation(
        np.array(year, dtype=np.int64),
        np.array(product, dtype=object),
        np.array(quantity, dtype=np.int64),
        np.array(listed, dtype=bool),
        np.array(adjusted, dtype=bool),
        **LAW,
    )
    assert got.tolist() == [allocation(*row, **LAW) for row in rows]


def test_scalars_broadcast_over_columns() -> None:
    got = allocation(2013, np.array(["heat", "hot_metal"]), [1_000, 1_000_000], np.array([True, True]), False, "", **LAW)
    assert got.tolist() == [58_732, 1_251_934]
    assert allocation(2013, "heat", np.array([[1_000], [0]]), True, **LAW).tolist() == [[58_732], [0]]


def test_refusals() -> None:
    for year, product, fault in ((2013, "bread", "bread"), (2013, "gone", "gone"), (2021, "heat", "2013 to 2020"), (2015, "heat", "2015")):
        with pytest.raises(ValueError, match=fault):
            allocation(year, product, 1, **LAW)
    with pytest.raises(UnitsError):
        allocation(2013, "heat", 1.5, **LAW)


def test_without_the_optional_law() -> None:
    law = {name: LAW[name] for name in ("benchmark", "exposure_factor", "correction_factor")}
    assert allocation(2013, "hot_metal", 1_000_000, True, True, "electricity_generation", **law) == 1_251_934


def test_a_million_rows_take_less_than_two_seconds() -> None:
    rng = np.random.default_rng(0)
    rows = 1_000_000
    year, product = rng.integers(2013, 2015, rows), np.array(["hot_metal", "heat"], dtype=object)[rng.integers(0, 2, rows)]
    quantity, listed = rng.integers(0, 5_000_000, rows), rng.random(rows) < 0.5
    start = time.process_time()
    got = allocation(year, product, quantity, listed, **LAW)
    assert time.process_time() - start < 2
    row = 123_456
    assert got[row] == allocation(int(year[row]), str(product[row]), int(quantity[row]), bool(listed[row]), **LAW)


def test_activity_levels() -> None:
    threshold = {"activity_change_threshold": Decimal("0.15")}
    assert activity_level_change(1_000_000, 1_150_000, **threshold) == 1_150_000
    assert activity_level_change(1_000_000, 1_149_999, **threshold) == 1_000_000
    assert activity_level_change([100, 100, 100], [85, 86, 0], **threshold).tolist() == [85, 100, 0]


def test_benchmark_updates() -> None:
    first = {"update_years": 15, "improvement_floor": Decimal("0.002"), "improvement_ceiling": Decimal("0.016")}
    assert updated_benchmark(Decimal("1.328"), Decimal("0.002"), **first) == Decimal("1.288")
    assert str(updated_benchmark(Decimal("1.619"), Decimal("0.002"), **first)) == "1.570"
    assert str(updated_benchmark(Decimal("62.3"), Decimal("0.9"), **first)) == "47.3"
    assert updated_benchmark([Decimal("0.987"), Decimal("8.85")], Decimal(0), **first).tolist() == [Decimal("0.957"), Decimal("8.58")]
    assert updated_benchmark([], Decimal(0), **first).tolist() == []


@given(st.decimals("0.001", "100", places=3), st.decimals("-0.1", "0.1", places=4))
def test_an_update_cuts_between_3_and_24_per_cent(benchmark: Decimal, rate: Decimal) -> None:
    got = updated_benchmark(benchmark, rate, update_years=15, improvement_floor=Decimal("0.002"), improvement_ceiling=Decimal("0.016"))
    assert benchmark * Decimal("0.76") - Decimal("0.0005") <= got <= benchmark * Decimal("0.97") + Decimal("0.0005")


def test_uniform_correction() -> None:
    assert uniform_correction_factor(94_272_151, 100_000_000, correction_decimals=8) == Decimal("0.94272151")
    assert uniform_correction_factor(3, 2, correction_decimals=8) == 1
    assert uniform_correction_factor(0, 0, correction_decimals=8) == 1


def test_aviation() -> None:
    share = {"aviation_free_share": {2013: Decimal("0.82"), 2024: Decimal("0.6375"), 2026: Decimal(0)}}
    assert aviation_allocation(2024, 28_900_000, **share) == 18_423_750
    assert aviation_allocation(2030, [28_900_000, 1], **share).tolist() == [0, 0]
    with pytest.raises(ValueError, match="free share"):
        aviation_allocation(2012, 1, **share)
