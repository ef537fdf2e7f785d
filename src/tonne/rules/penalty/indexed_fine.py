"""A fine of an amount for each missing unit, raised with a price index."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from tonne.rules.columns import times_by_year
from tonne.rules.declare import rule
from tonne.rules.penalty.shortfalls import missing_units, money
from tonne.units import NEAREST, Rate, fraction


@rule("indexed_fine_per_unit", unit="money", given={"shortfall": "allowance", "year": "year"})
def penalty(shortfall: Any, year: Any, *, amount: Rate, price_index: Mapping[int, Rate] | None = None, price_index_base: int | None = None) -> Any:
    """Money owed for missing units: an amount each, raised with a price index where the law gives one (Directive 2003/87/EC art. 16(3) and (4)).

    The amount is multiplied by index(year) / index(base year); years before the base, and all years while no index is tabled, pay the plain amount.
    Rounded once, the whole sum to the cent. 500 x 100 = 50,000.00; with an index of 108.02 on a base of 100: 500 x 108.02 = 54,010.00.
    """
    missing = missing_units(shortfall)
    each = fraction(amount) * 100
    return money(times_by_year(missing, year, lambda one: each * _raised(one, price_index, price_index_base), NEAREST))


def _raised(year: int, index: Mapping[int, Rate] | None, base: int | None) -> Fraction:
    """The factor by which the index of a year raises the amount of the base year; a year after the last tabled one keeps the last."""
    if not index:
        return Fraction(1)
    start = min(index) if base is None else base
    tabled = [y for y in index if start <= y <= year]
    return fraction(index[max(tabled)]) / fraction(index[start]) if tabled else Fraction(1)
