"""Limits that follow output by one of two standards, whichever leaves more room."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.allocation.output_based import year_share
from tonne.rules.allocation.own_intensity import times_own
from tonne.rules.columns import plain
from tonne.rules.declare import rule
from tonne.rules.groups import broadcast, row_groups
from tonne.units import Rate, Rounding, fraction, multiply

Shares = Mapping[str, Rate]
Steps = Mapping[int, Any]


@rule(
    "less_stringent_benchmark",
    unit="tCO2e",
    given={"year": "year", "sector": "sector", "product": "product", "quantity": "number", "intensity": "number"},
)
def allocation(
    year: Any,
    sector: Any = "all",
    product: Any = "",
    quantity: Any = 0,
    intensity: Any = None,
    *,
    high_performance_benchmark: Shares,
    benchmark_tightening: Steps | None = None,
    facility_starting_share: Shares,
    facility_tightening: Steps,
    benchmark_only: Mapping[str, bool] | None = None,
    limit_rounding: str = "nearest",
) -> Any:
    """Limit of a row of output: by the high-performance benchmark or by the installation's own baseline intensity, whichever leaves more room.

    A sector marked in `benchmark_only` has no benchmark of its own installations; a product without a high-performance benchmark has only those.
    Both fall by points a year. 1,000,000 MWh x 0.37 x (1 - 0.02 x 2) = 355,200 in 2024; own 0.40 x 0.84 would give 336,000.
    Raises ValueError for a row that lacks the benchmark or the past intensity that is its only measure.
    """
    shape, columns = broadcast(year, sector, product, quantity, intensity)
    limits = np.zeros(columns[0].shape, dtype=np.int64)
    for rows, (y, *names) in row_groups(*columns[:3]):
        s, p = (name or "" for name in names)
        benchmark, only = high_performance_benchmark.get(p), bool((benchmark_only or {}).get(s))
        if benchmark is None and only:
            raise ValueError(f"sector {s!r} has only high-performance benchmarks and there is none for product {p!r}")
        known = np.array([value is not None for value in columns[4][rows].tolist()], dtype=bool) & (not only)
        if benchmark is not None:
            rate = fraction(benchmark) * year_share(int(y), s, p, None, benchmark_tightening)
            limits[rows] = multiply(columns[3][rows].astype(np.int64), rate, rounding=Rounding(limit_rounding))
        else:
            known[:] = True
        own = year_share(int(y), s, p, facility_starting_share, facility_tightening)
        chosen = rows[known]
        limits[chosen] = np.maximum(limits[chosen], times_own(columns[3][chosen], columns[4][chosen], own, limit_rounding, p))
    return plain(limits.reshape(shape))


@rule("less_stringent_benchmark", unit="ratio", given={"year": "year", "sector": "sector"})
def reduction_target(year: int, sector: str = "all", *, facility_starting_share: Shares, facility_tightening: Steps) -> Fraction:
    """Part by which an installation's intensity must lie below its own baseline: 0.10 in 2020, 0.12 in 2022, 0.16 in 2024."""
    return 1 - year_share(int(year), sector, "", facility_starting_share, facility_tightening)


@rule("less_stringent_benchmark", unit="tCO2e_per_MWh", given={"year": "year", "product": "product"})
def performance_benchmark(year: int, product: str, *, high_performance_benchmark: Shares, benchmark_tightening: Steps | None = None) -> Fraction:
    """Tonnes allowed for one unit of a product by its high-performance benchmark: 0.37 x (1 - 0.02 x 2) = 0.3552 in 2024.

    Raises ValueError for a product without one.
    """
    if high_performance_benchmark.get(product) is None:
        raise ValueError(f"no high-performance benchmark for {product!r}; there are {', '.join(high_performance_benchmark) or 'none'}")
    return fraction(high_performance_benchmark[product]) * year_share(int(year), "", product, None, benchmark_tightening)
