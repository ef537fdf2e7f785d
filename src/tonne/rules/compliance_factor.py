"""A target for a period of years: base-year emissions less a compliance factor, the same in each year of the period and judged over all of them.

A facility's limit for a year is its base-year emissions x (1 - factor); over the period emissions may reach that many times the years. What
falls short of the period's reduction is ordered to be made good with a surcharge in tonnes.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.declare import rule
from tonne.units import NEAREST, UP, IntArray, Rate, fraction, multiply

Factors = Mapping[int, Mapping[str, Rate]]
_GIVEN = {"year": "year", "sector": "sector", "product": "text", "historical": "tCO2"}


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


@rule("reduction_order", unit="allowance", given={"shortfall": "allowance"})
def ordered_units(shortfall: Any, *, order_multiple: Rate) -> Any:
    """Tonnes that a facility is ordered to cover when its period's target is missed: 1.3 times what is missing. 1,000 x 1.3 = 1,300."""
    missing = _whole("a shortfall", shortfall)
    ordered = multiply(missing, order_multiple, rounding=UP)
    return int(ordered) if missing.ndim == 0 else ordered


@rule("reduction_order", unit="allowance", given={"shortfall": "allowance"})
def penalty_units(shortfall: Any, *, order_multiple: Rate) -> Any:
    """What the order puts on top of the missing tonnes themselves: 1,300 - 1,000 = 300."""
    missing = _whole("a shortfall", shortfall)
    extra = multiply(missing, order_multiple, rounding=UP) - missing
    return int(extra) if missing.ndim == 0 else np.asarray(extra, dtype=np.int64)


@rule("reduction_order", unit="money", given={"uncovered": "allowance"})
def fine_for_ignored_order(uncovered: Any, *, fine_most: Rate) -> Any:
    """The highest fine of one who does not follow the order, whatever is left uncovered; nothing for one who does. 1 tonne left: 500,000."""
    left = _whole("what is left uncovered", uncovered)
    fines = np.where(left > 0, multiply(1, fine_most, rounding=NEAREST), 0)
    return int(fines) if left.ndim == 0 else np.asarray(fines, dtype=np.int64)


@rule("next_period_banking", unit="boolean", given={"vintage": "year", "year": "year"})
def vintage_pays(vintage: Any, year: Any, *, calendar__period_end: Mapping[int, int]) -> Any:
    """Whether units of one period pay for a year: in their own period and in the next one, neither later nor earlier.

    A unit of a period that ends in 2014 pays 2014 and 2019, not 2024; a unit of 2019 does not pay 2014.
    """
    ends = sorted(set(calendar__period_end.values()))
    rank = {y: ends.index(end) for y, end in calendar__period_end.items()}
    vintages, years = np.broadcast_arrays(np.asarray(vintage), np.asarray(year))
    ahead = _ranks(years, rank) - _ranks(vintages, rank)
    pays = np.asarray((ahead == 0) | (ahead == 1))
    return bool(pays) if pays.ndim == 0 else pays


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
    bases = _whole("base-year emissions", base)
    texts = [np.asarray(column, dtype=object) for column in (year, sector, product)]
    *columns, rows = np.broadcast_arrays(*texts, bases)
    out = np.zeros(rows.shape, dtype=np.int64)
    flat, amounts = out.reshape(-1), np.array(rows).ravel()
    keys = list(zip(*(column.ravel().tolist() for column in columns), strict=True))
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    index = np.fromiter((numbers[key] for key in keys), dtype=np.int64, count=len(keys))
    for (y, group, standing), number in numbers.items():
        cut = share_of_base(int(y), str(group), str(standing or ""), factors, relief)
        span = ends.get(int(y), int(y)) - max(first for first in factors if first <= int(y)) + 1 if ends else 1
        chosen = index == number
        limit = multiply(amounts[chosen], (1 - cut) * span, rounding=NEAREST)
        flat[chosen] = limit if kept else amounts[chosen] * span - limit
    return int(out) if out.ndim == 0 else out


def _ranks(years: Any, ranks: Mapping[int, int]) -> IntArray:
    """The number of each year's period."""
    distinct, index = np.unique(years, return_inverse=True)
    for year in distinct.tolist():
        if year not in ranks:
            raise ValueError(f"{year} is in no compliance period; the periods run from {min(ranks, default=None)} to {max(ranks, default=None)}")
    numbers = np.array([ranks[year] for year in distinct.tolist()], dtype=np.int64)
    return numbers[index].reshape(np.shape(years))


def _whole(what: str, values: Any) -> IntArray:
    array = np.asarray(values)
    if array.size and (array.dtype.kind not in "iu" or array.min() < 0):
        raise ValueError(f"{what}: whole numbers from zero are needed, not {array.ravel()[0]!r}")
    return array.astype(np.int64)
