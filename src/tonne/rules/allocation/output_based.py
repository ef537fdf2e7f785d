"""Limits that follow output: output times a standard, times a share that falls by so many points each year.

The standard is the law's own, by product, or the installation's own past intensity where the law tables none for what it makes. What an installation
owes or earns against its limit is `baseline_and_credit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.allocation.own_intensity import times_own
from tonne.rules.columns import plain
from tonne.rules.declare import rule
from tonne.rules.groups import broadcast, row_groups
from tonne.units import Rate, Rounding, fraction, multiply

Shares = Mapping[str, Rate]
Steps = Mapping[int, Any]


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
    shape, columns = broadcast(year, sector, product, quantity, intensity)
    limits = np.zeros(columns[0].shape, dtype=np.int64)
    for rows, (y, *names) in row_groups(*columns[:3]):
        s, p = (name or "" for name in names)
        share = year_share(int(y), s, p, starting_share, tightening)
        standard = _standard(int(y), p, output_standard, standard_by_year)
        if standard is not None:
            limits[rows] = multiply(columns[3][rows].astype(np.int64), standard * share, rounding=Rounding(limit_rounding))
        else:
            own = share * of_row(own_standard_share, s, p, Fraction(1))
            limits[rows] = times_own(columns[3][rows], columns[4][rows], own, limit_rounding, p)
    return plain(limits.reshape(shape))


@rule("output_based_limit", unit="ratio", given={"year": "year", "sector": "sector", "product": "product"})
def stringency(
    year: int, sector: str = "all", product: str = "", *, starting_share: Shares | None = None, tightening: Steps | None = None
) -> Fraction:
    """Share of its standard that one product of one sector is allowed in a year: the starting share less the points of every year so far.

    starting_share  by product, sector or `all`; 1 where nothing is named
    tightening      by year: points of every year from that one on, until a later one; one rate, or rates by product, sector or `all`

    1 - 0.02 x (2024 - 2022) = 0.96; 0.94 from 2019 with 0.02 from 2020: 0.88 in 2022. Never below zero.
    """
    return year_share(int(year), sector, product, starting_share, tightening)


def year_share(year: int, sector: str, product: str, start: Shares | None, steps: Steps | None) -> Fraction:
    """The starting share less each year's points. A year's points are those of the latest entry up to it that names the row, or `all`."""
    share = of_row(start, sector, product, Fraction(1))
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
        return of_row(row, sector, product, Fraction(0))
    before = [y for y in steps if y < first]  # an entry for some rows leaves the others as they were
    return _points(steps, max(before), sector, product) if before else Fraction(0)


def of_row(table: Shares | None, sector: str, product: str, otherwise: Fraction) -> Fraction:
    for key in (product, sector, "all"):
        if table and table.get(key) is not None:
            return fraction(table[key])
    return otherwise


def _standard(year: int, product: str, fixed: Shares | None, by_year: Mapping[int, Shares] | None) -> Fraction | None:
    named = [y for y, row in (by_year or {}).items() if y <= year and row and row.get(product) is not None]
    if by_year and named:
        return fraction(by_year[max(named)][product])
    return fraction(fixed[product]) if fixed and fixed.get(product) is not None else None
