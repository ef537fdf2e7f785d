"""A target for a period of years: base-year emissions less a compliance factor, the same in each year of the period and judged over all of them.

A facility's limit for a year is its base-year emissions x (1 - factor); over the period emissions may reach that many times the years. What falls
short of the period's reduction is ordered to be made good with a surcharge in tonnes (`reduction_order`).
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.columns import counted, plain
from tonne.rules.declare import rule
from tonne.rules.groups import broadcast, row_groups
from tonne.units import NEAREST, Rate, fraction, multiply

_GIVEN = {"year": "year", "sector": "sector", "product": "text", "historical": "tCO2"}
Factors = Mapping[int, Mapping[str, Rate]]


@rule("compliance_factor", unit="allowance", given=_GIVEN)
def allocation(
    year: Any, sector: Any, product: Any = "", historical: Any = 0, *, compliance_factor: Factors, relief_share: Mapping[str, Rate] | None = None
) -> Any:
    """A facility's limit for one year: base-year emissions less the compliance factor of its group and period, to the nearest tonne.

    sector      the facility's group, a column of `compliance_factor`
    product     its standing, a key of `relief_share` (top-level facilities bear a part of the factor); the whole factor where it has none
    historical  its base-year emissions

    10,000 x (1 - 0.08) = 9,200 a year. The factor of the latest period begun by the year holds. Raises ValueError before the first period and for a
    group without a factor.
    """
    return _times_base(year, sector, product, historical, compliance_factor, relief_share, {}, kept=True)


@rule("compliance_factor", unit="allowance", given=_GIVEN)
def period_limit(
    year: Any,
    sector: Any,
    product: Any = "",
    historical: Any = 0,
    *,
    compliance_factor: Factors,
    calendar__period_end: Mapping[int, int],
    relief_share: Mapping[str, Rate] | None = None,
) -> Any:
    """What a facility may emit over the whole period of a year: base-year emissions x (1 - factor) x the years of the period.

    10,000 x (1 - 0.17) x 5 = 41,500; a first period of four years with 8 %: 36,800.
    """
    return _times_base(year, sector, product, historical, compliance_factor, relief_share, calendar__period_end, kept=True)


@rule("compliance_factor", unit="tCO2", given=_GIVEN)
def reduction_obligation(
    year: Any,
    sector: Any,
    product: Any = "",
    historical: Any = 0,
    *,
    compliance_factor: Factors,
    calendar__period_end: Mapping[int, int],
    relief_share: Mapping[str, Rate] | None = None,
) -> Any:
    """What a facility must reduce over the whole period of a year: base-year emissions x factor x the years of the period.

    10,000 x 0.17 x 5 = 8,500. With half the factor, as a top-level facility: 4,250.
    """
    return _times_base(year, sector, product, historical, compliance_factor, relief_share, calendar__period_end, kept=False)


def share_of_base(year: int, group: str, standing: str, factors: Factors, relief: Mapping[str, Rate] | None) -> Fraction:
    """The part of its base-year emissions that a facility must cut each year: the factor of its group, less where it has relief."""
    begun = [first for first in factors if first <= year]
    if not begun:
        raise ValueError(f"no compliance factor for {year}: the first period begins in {min(factors, default=None)}")
    row = factors[max(begun)]
    if row.get(group) is None:
        raise ValueError(f"no compliance factor for the group {group!r}; the law has {', '.join(row)}")
    return fraction(row[group]) * fraction((relief or {}).get(standing, 1))


def _times_base(
    year: Any, sector: Any, product: Any, base: Any, factors: Factors, relief: Mapping[str, Rate] | None, ends: Mapping[int, int], kept: bool
) -> Any:
    """Base-year emissions x (what is kept, or what is cut) x the years of the period (one, where no periods are given), by groups of equal rows."""
    counted("base-year emissions", base)
    shape, (*keys, bases) = broadcast(year, sector, product, base)
    amounts, out = bases.astype(np.int64), np.zeros(bases.shape, dtype=np.int64)
    for rows, (y, group, standing) in row_groups(*keys):
        cut = share_of_base(int(y), str(group), str(standing or ""), factors, relief)
        span = ends.get(int(y), int(y)) - max(first for first in factors if first <= int(y)) + 1 if ends else 1
        limit = multiply(amounts[rows], (1 - cut) * span, rounding=NEAREST)
        out[rows] = limit if kept else amounts[rows] * span - limit
    return plain(out.reshape(shape))
