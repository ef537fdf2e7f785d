"""Limits that follow output: by a standard, by one's own past intensity, by the better of two; shares that fall year by year."""

from __future__ import annotations

import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from tonne.rules.output_based import allocation as best_of_two
from tonne.rules.output_based import limit_by_standard, performance_benchmark, reduction_target, share_of_standard

FALLING = {"tightening": {2023: {"all": Decimal("0.02"), "exposed": Decimal("0.01"), "power": Decimal("0")}}}
BEST = {
    "high_performance_benchmark": {"electricity": Decimal("0.37")},
    "benchmark_tightening": {2023: Decimal("0.02")},
    "facility_starting_share": {"all": Decimal("0.90")},
    "facility_tightening": {2021: {"all": Decimal("0.01")}, 2023: {"all": Decimal("0.02")}, 2029: {"oil sands": Decimal("0.04")}},
}


@pytest.mark.parametrize(
    ("year", "sector", "limit"),
    [
        (2022, "other", 800_000),
        (2023, "other", 784_000),
        (2024, "other", 768_000),
        (2030, "other", 672_000),
        (2024, "exposed", 784_000),
        (2030, "power", 800_000),
    ],
)
def test_a_limit_falls_by_points_of_its_standard(year, sector, limit):
    assert limit_by_standard(year, sector, "steel", 1_000_000, output_standard={"steel": Decimal("0.8")}, **FALLING) == limit


def test_a_standard_by_year_goes_before_the_plain_one():
    law = {
        "output_standard": {"coal": 999, "gas": 370},
        "standard_by_year": {2019: {"coal": 800}, 2020: {"coal": 650, "new": 370}, 2021: {"new": 329}},
    }
    asked = [limit_by_standard(y, "power", p, 10, **law) for y, p in [(2018, "coal"), (2019, "coal"), (2025, "coal"), (2020, "gas"), (2022, "new")]]
    assert asked == [9990, 8000, 6500, 3700, 3290]


def test_without_a_standard_the_installation_is_its_own():
    share = {"own_standard_share": {"all": Decimal("0.80"), "exposed": Decimal("0.95")}}
    assert limit_by_standard(2024, "other", "x", 1_000, Decimal("1.25"), **share, **FALLING) == 960  # 1,250 x 0.80 x 0.96
    assert limit_by_standard(2024, "exposed", "x", 1_000, Decimal("1.25"), **share, **FALLING) == 1164  # 1,250 x 0.95 x 0.98 = 1,163.75
    assert limit_by_standard(2024, "other", "x", 1_000, "0.1234567", own_standard_share={"all": 1}) == 123  # more than six decimals
    with pytest.raises(ValueError, match="has no standard"):
        limit_by_standard(2024, "other", "x", 1_000, **share)


def test_shares_fall_and_stop_at_nothing():
    shares = [share_of_standard(y, starting_share={"all": Decimal("0.94")}, tightening={2020: Decimal("0.02")}) for y in (2019, 2020, 2022, 2080)]
    assert shares == [Fraction("0.94"), Fraction("0.92"), Fraction("0.88"), 0]
    assert share_of_standard(2030) == 1
    assert share_of_standard(2025, "s", tightening={2024: {"t": Decimal("0.5")}}) == 1  # nobody named this sector yet


def test_a_step_for_one_sector_leaves_the_others_at_theirs():
    law = {name: BEST[name] for name in ("facility_starting_share", "facility_tightening")}
    assert [reduction_target(y, **law) for y in range(2020, 2026)] == [Fraction(n, 100) for n in (10, 11, 12, 14, 16, 18)]
    assert reduction_target(2030, "oil sands", **law) == Fraction("0.32")  # 24 % in 2028, then 4 points twice
    assert reduction_target(2030, "cement", **law) == Fraction("0.28")


def test_the_better_of_two_benchmarks_counts():
    assert best_of_two(2024, "power", "electricity", 1_000_000, Decimal("0.40"), **BEST) == 355_200
    assert best_of_two(2024, "power", "electricity", 1_000_000, Decimal("0.50"), **BEST) == 420_000
    assert best_of_two(2024, "power", "electricity", 1_000_000, **BEST) == 355_200  # no history, no own benchmark
    assert best_of_two(2024, "power", "electricity", 1_000_000, Decimal("0.50"), benchmark_only={"power": True}, **BEST) == 355_200
    assert best_of_two(2024, "cement", "clinker", 1_000, Decimal("0.80"), **BEST) == 672
    law = {name: BEST[name] for name in ("high_performance_benchmark", "benchmark_tightening")}
    assert performance_benchmark(2024, "electricity", **law) == Fraction("0.3552")


def test_a_row_without_any_measure_is_refused():
    with pytest.raises(ValueError, match="lacks the installation's own"):
        best_of_two(2024, "cement", "clinker", 1_000, **BEST)
    with pytest.raises(ValueError, match="only high-performance"):
        best_of_two(2024, "power", "heat", 1_000, benchmark_only={"power": True}, **BEST)
    with pytest.raises(ValueError, match="no high-performance benchmark"):
        performance_benchmark(2024, "heat", high_performance_benchmark={})


def test_many_rows_no_rows_and_a_million_rows():
    years, sectors = np.array([2022, 2024, 2024]), np.array(["other", "other", "exposed"], dtype=object)
    law = {"output_standard": {"steel": Decimal("0.8")}, **FALLING}
    many = limit_by_standard(years, sectors, "steel", np.array([10**6, 10**6, 10**6]), **law)
    assert many.dtype == np.int64
    assert many.tolist() == [800_000, 768_000, 784_000]
    assert limit_by_standard(2024, "other", "steel", np.zeros(0, dtype=np.int64), **law).shape == (0,)
    none = best_of_two(2024, "cement", "clinker", np.zeros(0, dtype=np.int64), np.zeros(0, dtype=object), **BEST)
    assert none.shape == (0,)
    n = 1_000_000
    own = np.array([Decimal(800_000 + i % 1000) / 1_000_000 for i in range(n)], dtype=object)
    start = time.perf_counter()
    limits = best_of_two(2024, np.array(["cement", "lime"] * (n // 2), dtype=object), "product", np.full(n, 1_000), own, **BEST)
    assert time.perf_counter() - start < 20  # shared machine; about 2 s alone
    assert int(limits[0]) == 672


def test_an_output_that_leaves_64_bits_on_the_way_is_still_exact():
    assert limit_by_standard(2024, "x", "y", np.array([10**13]), np.array([Decimal("1.000001")], dtype=object)).tolist() == [10_000_010_000_000]
