"""How many units there are for a year: a starting quantity that falls by the same number of units each year, moved by one-off decisions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.columns import Table, by_year, exactly, plain, since, whole
from tonne.rules.declare import rule
from tonne.units import NEAREST, Rate, fraction, multiply, round_fraction


@rule("linear_reduction_cap", unit="allowance", given={"year": "year"})
def cap(
    year: Any,
    *,
    starting_quantity: Table,
    reduction_factor: Table,
    reference_quantity: Table,
    yearly_step: Table | None = None,
    tabled_quantity: Table | None = None,
    rebasing: Table | None = None,
    scope_additions: Table | None = None,
) -> Any:
    """Units for a year: last year's less one yearly step, moved by that year's rebasing and additions of scope (Directive 2003/87/EC art. 9).

    A tabled year is what its table says; a year with a starting quantity begins a new line. 1,485,575,977 - 90,000,000 - 87,924,232 + 78,400,000 =
    1,386,051,745. Raises ValueError for a year before the first figure, or after the last year that the law sets a quantity for.
    """

    def one(y: int) -> int:
        if tabled_quantity and tabled_quantity.get(y) is not None:
            return int(tabled_quantity[y])
        starts = [s for s, quantity in starting_quantity.items() if s <= y and quantity is not None]
        if not starts:
            known = sorted({*starting_quantity, *(tabled_quantity or {})})
            raise ValueError(f"no quantity for {y}: the first known year is {known[0]}" if known else f"no quantity for {y}: the table is empty")
        quantity = int(starting_quantity[max(starts)])
        for later in range(max(starts) + 1, y + 1):
            step = _step(later, reduction_factor, reference_quantity, yearly_step)
            quantity += int((rebasing or {}).get(later) or 0) - step + int((scope_additions or {}).get(later) or 0)
        return max(quantity, 0)

    return by_year(year, one)


@rule("linear_reduction_cap", unit="allowance", given={"year": "year"})
def reduction_step(year: Any, *, reduction_factor: Table, reference_quantity: Table, yearly_step: Table | None = None) -> Any:
    """Units by which the quantity falls from the year before: the published step, or factor x reference to the nearest unit (art. 9).

    1,954,705,227 x 0.022 = 43,003,514.994 -> 43,003,515; 2,044,749,581 x 0.043 = 87,924,231.983 -> 87,924,232.
    """
    return by_year(year, lambda y: _step(y, reduction_factor, reference_quantity, yearly_step))


@rule("linear_reduction_cap", unit="allowance", given={"reference": "allowance", "factor": "ratio", "steps": "count"})
def linear_quantity(reference: Any, factor: Rate, steps: Any) -> Any:
    """A quantity some steps below its reference when the line is drawn in one go and rounded once, not year by year.

    2,199,094,594 x (1 - 0.0174 x 10) = 1,816,452,134.644 -> 1,816,452,135, where seven whole steps of 38,264,246 from 2,084,301,856 give ...134.
    """
    quantities, counts = np.broadcast_arrays(whole("a reference quantity", reference), whole("a number of steps", steps))
    out = np.zeros(counts.shape, dtype=np.int64)
    for n in np.unique(counts):
        rows = counts == n
        out[rows] = multiply(np.array(quantities[rows]), 1 - fraction(factor) * int(n), rounding=NEAREST)
    return plain(out)


@rule("tabled_aviation_cap", unit="allowance", given={"year": "year"})
def aviation_cap(year: Any, *, aviation_quantity: Table) -> Any:
    """Units for aircraft operators in a year, as tabled (Directive 2003/87/EC art. 3c). 2024: 28,900,000. Raises ValueError for another year."""
    return by_year(year, lambda y: int(exactly(aviation_quantity, y, "aviation quantity")))


def _step(year: int, factors: Table, references: Table, published: Table | None) -> int:
    """The step of a year. A published step holds as long as the factor that it was published for."""
    factor_since = max((y for y, v in factors.items() if y <= year and v is not None), default=None)
    if factor_since is None:
        raise ValueError(f"no reduction factor for {year}: the first is of {min(factors, default='no year')}")
    if published and published.get(factor_since) is not None:
        return int(published[factor_since])
    return round_fraction(Fraction(since(references, year, "reference quantity")) * fraction(factors[factor_since]), NEAREST)
