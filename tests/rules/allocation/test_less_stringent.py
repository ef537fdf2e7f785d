"""Limits that follow output by one of two standards, whichever leaves more room."""

from __future__ import annotations

import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from tonne.rules.allocation.less_stringent import allocation, performance_benchmark, reduction_target

BEST = {
    "high_performance_benchmark": {"electricity": Decimal("0.37")},
    "benchmark_tightening": {2023: Decimal("0.02")},
    "facility_starting_share": {"all": Decimal("0.90")},
    "facility_tightening": {2021: {"all": Decimal("0.01")}, 2023: {"all": Decimal("0.02")}, 2029: {"oil sands": Decimal("0.04")}},
}


def test_a_step_for_one_sector_leaves_the_others_at_theirs():
    law = {name: BEST[name] for name in ("facility_starting_share", "facility_tightening")}
    assert [reduction_target(y, **law) for y in range(2020, 2026)] == [Fraction(n, 100) for n in (10, 11, 12, 14, 16, 18)]
    assert reduction_target(2030, "oil sands", **law) == Fraction("0.32")  # 24 % in 2028, then 4 points twice
    assert reduction_target(2030, "cement", **law) == Fraction("0.28")


def test_the_better_of_two_benchmarks_counts():
    assert allocation(2024, "power", "electricity", 1_000_000, Decimal("0.40"), **BEST) == 355_200
    assert allocation(2024, "power", "electricity", 1_000_000, Decimal("0.50"), **BEST) == 420_000
    assert allocation(2024, "power", "electricity", 1_000_000, **BEST) == 355_200  # no history, no own benchmark
    assert allocation(2024, "power", "electricity", 1_000_000, Decimal("0.50"), benchmark_only={"power": True}, **BEST) == 355_200
    assert allocation(2024, "cement", "clinker", 1_000, Decimal("0.80"), **BEST) == 672
    law = {name: BEST[name] for name in ("high_performance_benchmark", "benchmark_tightening")}
    assert performance_benchmark(2024, "electricity", **law) == Fraction("0.3552")


def test_a_row_without_any_measure_is_refused():
    with pytest.raises(ValueError, match="lacks the installation's own"):
        allocation(2024, "cement", "clinker", 1_000, **BEST)
    with pytest.raises(ValueError, match="only high-performance"):
        allocation(2024, "power", "heat", 1_000, benchmark_only={"power": True}, **BEST)
    with pytest.raises(ValueError, match="no high-performance benchmark"):
        performance_benchmark(2024, "heat", high_performance_benchmark={})


def test_no_rows_and_a_million_rows():
    none = allocation(2024, "cement", "clinker", np.zeros(0, dtype=np.int64), np.zeros(0, dtype=object), **BEST)
    assert none.shape == (0,)
    n = 1_000_000
    own = np.array([Decimal(800_000 + i % 1000) / 1_000_000 for i in range(n)], dtype=object)
    start = time.perf_counter()
    limits = allocation(2024, np.array(["cement", "lime"] * (n // 2), dtype=object), "product", np.full(n, 1_000), own, **BEST)
    assert time.perf_counter() - start < 20  # shared machine; about 2 s alone
    assert int(limits[0]) == 672
