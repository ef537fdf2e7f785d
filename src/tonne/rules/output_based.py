"""Limits that follow output: output times a standard, times a share that falls by so many points each year.

The standard is the law's own, by product, or the installation's own past intensity where the law tables none for what it makes; one mechanism takes
whichever of two leaves more room. What an installation owes or earns against its limit is `baseline_and_credit`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.declare import rule
from tonne.units import Rate, Rounding, fraction, multiply

Shares = Mapping[str, Rate]
Steps = Mapping[int, Any]
_MILLION = 10**6


@rule(
    "output_based_limit",
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
    output_standard: Shares | None = None,
    standard_by_year: Mapping[int, Shares] | None = None,
    own_standard_share: Shares | None = None,
    starting_share: Shares | None = None,
    tightening: Steps | None = None,
    limit_rounding: str = "nearest",
) -> Any:
    """Limit of a row of output: output x standard x the year's share (SOR/2019-266: A x (B - B x C x (D - 2022))), rounded once.

    standard_by_year    by year, then by product: tonnes for one of `quantity`; the last year that names the product holds on
    output_standard     by product, for products without a table by year
    own_standard_share  by product, sector or `all`: for what has no standard, the share of its own past `intensity` that is its standard
    starting_share and tightening are those of `stringency`.

    1,000,000 t x 0.8 x (1 - 0.02 x (2024 - 2022)) = 768,000. Raises ValueError for a row with neither a standard nor an intensity of its own.
    """
    columns = _columns(year, sector, product, quantity, intensity)
    limits = np.zeros(columns[0].shape, dtype=np.int64)
    for rows, (y, s, p) in _groups(columns[:3]):
        share = _share(int(y), s, p, starting_share, tightening)
        standard = _standard(int(y), p, output_standard, standard_by_year)
        if standard is not None:
            limits[rows] = multiply(columns[3][rows].astype(np.int64), standard * share, rounding=Rounding(limit_rounding))
        else:
            own = share * _of(own_standard_share, s, p, Fraction(1))
            limits[rows] = _times_own(columns[3][rows], columns[4][rows], own, limit_rounding, p)
    return _shaped(limits, year, sector, product, quantity, intensity)


@rule("output_based_limit", unit="ratio", given={"year": "year", "sector": "sector", "product": "product"})
def stringency(
    year: int, sector: str = "all", product: str = "", *, starting_share: Shares | None = None, tightening: Steps | None = None
) -> Fraction:
    """Share of its standard that one product of one sector is allowed in a year: the starting share less the points of every year so far.

    starting_share  by product, sector or `all`; 1 where nothing is named
    tightening      by year: points of every year from that one on, until a later one; one rate, or rates by product, sector or `all`

    1 - 0.02 x (2024 - 2022) = 0.96; 0.94 from 2019 with 0.02 from 2020: 0.88 in 2022. Never below zero.
    """
    return _share(int(year), sector, product, starting_share, tightening)


limit_by_standard, share_of_standard = allocation, stringency  # by names of their own: the next mechanism answers the same asks


@rule(  # type: ignore[no-redef]
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
    columns = _columns(year, sector, product, quantity, intensity)
    limits = np.zeros(columns[0].shape, dtype=np.int64)
    for rows, (y, s, p) in _groups(columns[:3]):
        benchmark, only = high_performance_benchmark.get(p), bool((benchmark_only or {}).get(s))
        if benchmark is None and only:
            raise ValueError(f"sector {s!r} has only high-performance benchmarks and there is none for product {p!r}")
        known = np.array([value is not None for value in columns[4][rows].tolist()], dtype=bool) & (not only)
        if benchmark is not None:
            rate = fraction(benchmark) * _share(int(y), s, p, None, benchmark_tightening)
            limits[rows] = multiply(columns[3][rows].astype(np.int64), rate, rounding=Rounding(limit_rounding))
        else:
            known[:] = True
        own = _share(int(y), s, p, facility_starting_share, facility_tightening)
        chosen = rows[known]
        limits[chosen] = np.maximum(limits[chosen], _times_own(columns[3][chosen], columns[4][chosen], own, limit_rounding, p))
    return _shaped(limits, year, sector, product, quantity, intensity)


@rule("less_stringent_benchmark", unit="ratio", given={"year": "year", "sector": "sector"})
def reduction_target(year: int, sector: str = "all", *, facility_starting_share: Shares, facility_tightening: Steps) -> Fraction:
    """Part by which an installation's intensity must lie below its own baseline: 0.10 in 2020, 0.12 in 2022, 0.16 in 2024."""
    return 1 - _share(int(year), sector, "", facility_starting_share, facility_tightening)


@rule("less_stringent_benchmark", unit="tCO2e_per_MWh", given={"year": "year", "product": "product"})
def performance_benchmark(year: int, product: str, *, high_performance_benchmark: Shares, benchmark_tightening: Steps | None = None) -> Fraction:
    """Tonnes allowed for one unit of a product by its high-performance benchmark: 0.37 x (1 - 0.02 x 2) = 0.3552 in 2024.

    Raises ValueError for a product without one.
    """
    if high_performance_benchmark.get(product) is None:
        raise ValueError(f"no high-performance benchmark for {product!r}; there are {', '.join(high_performance_benchmark) or 'none'}")
    return fraction(high_performance_benchmark[product]) * _share(int(year), "", product, None, benchmark_tightening)


def _share(year: int, sector: str, product: str, start: Shares | None, steps: Steps | None) -> Fraction:
    """The starting share less each year's points. A year's points are those of the latest entry up to it that names the row, or `all`."""
    share = _of(start, sector, product, Fraction(1))
    from_years = sorted(y for y in steps or () if y <= year)
    for place, first in enumerate(from_years):
        until = from_years[place + 1] if place + 1 < len(from_years) else year + 1
        share -= _points((steps or {}), first, sector, product) * (until - first)
    return max(share, Fraction(0))


def _points(steps: Steps, first: int, sector: str, product: str) -> Fraction:
    row = steps[first]
    if not isinstance(row, Mapping):
        return fraction(row or 0)
    if any(row.get(key) is not None for key in (product, sector, "all")):
        return _of(row, sector, product, Fraction(0))
    before = [y for y in steps if y < first]  # an entry for some rows leaves the others as they were
    return _points(steps, max(before), sector, product) if before else Fraction(0)


def _of(table: Shares | None, sector: str, product: str, otherwise: Fraction) -> Fraction:
    for key in (product, sector, "all"):
        if table and table.get(key) is not None:
            return fraction(table[key])
    return otherwise


def _standard(year: int, product: str, fixed: Shares | None, by_year: Mapping[int, Shares] | None) -> Fraction | None:
    named = [y for y, row in (by_year or {}).items() if y <= year and row and row.get(product) is not None]
    if by_year and named:
        return fraction(by_year[max(named)][product])
    return fraction(fixed[product]) if fixed and fixed.get(product) is not None else None


def _times_own(quantity: Any, intensity: Any, share: Fraction, rounding: str, product: str) -> Any:
    """Output x the row's own intensity x a share. Intensities of up to six decimals are multiplied as whole millionths, all at once."""
    values = intensity.tolist()
    if any(value is None for value in values):
        raise ValueError(f"product {product!r} has no standard, and a row of it lacks the installation's own intensity")
    exact = [fraction(value) * _MILLION if isinstance(value, str) else value * _MILLION for value in values]
    if all(value == int(value) for value in exact):
        millionths = np.array([int(value) for value in exact], dtype=object) * quantity
        fits = not millionths.size or int(millionths.max()) < 2**62
        return multiply(millionths.astype(np.int64) if fits else millionths, share / _MILLION, rounding=Rounding(rounding))
    rows = zip(quantity.tolist(), exact, strict=True)
    return np.array([multiply(int(q), fraction(value) * share / _MILLION, rounding=Rounding(rounding)) for q, value in rows], dtype=np.int64)


def _columns(*values: Any) -> list[Any]:
    """The inputs as flat columns of objects, all of one length."""
    return [column.ravel() for column in np.broadcast_arrays(*(np.asarray(value, dtype=object) for value in values))]


def _shaped(limits: Any, *given: Any) -> Any:
    shape = np.broadcast_shapes(*(np.shape(np.asarray(value, dtype=object)) for value in given))
    return limits.reshape(shape) if shape else int(limits[0])


def _groups(keys: list[Any]) -> Iterator[tuple[Any, tuple[Any, str, str]]]:
    """(rows, (year, sector, product)) of each different triple, in the order they first come."""
    names: dict[Any, int] = {}
    triples = zip(*(key.tolist() for key in keys), strict=True)
    codes = np.fromiter((names.setdefault(triple, len(names)) for triple in triples), dtype=np.int64, count=keys[0].size)
    order = np.argsort(codes, kind="stable")
    ends = np.searchsorted(codes[order], np.arange(len(names) + 1))
    for number, (year, sector, product) in enumerate(names):
        yield order[ends[number] : ends[number + 1]], (year, sector or "", product or "")
