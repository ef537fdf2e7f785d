"""What settles an obligation in money after the deadline: a multiple of what it would have cost in time."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from tonne.rules.columns import Table, exactly, times_by_year
from tonne.rules.declare import rule
from tonne.rules.penalty.shortfalls import missing_units, money
from tonne.units import DOWN, Rate, fraction


@rule("late_payment_multiple", unit="money", given={"shortfall": "allowance", "year": "year"})
def penalty(shortfall: Any, year: Any, *, obligation__payment_price_by_year: Table, obligation__late_multiple: Rate) -> Any:
    """Money that settles what was missing on the deadline: each unit at a multiple of the price at which it could have been paid in time.

    The multiple takes the place of the plain payment and contains it. 52,000 x 80 x 4 = 16,640,000.00. Raises ValueError for a year without a price.
    """

    def cents(one: int) -> Fraction:
        price = exactly(obligation__payment_price_by_year, one, "price that a late payment could be a multiple of")
        return fraction(price) * 100 * fraction(obligation__late_multiple)

    return money(times_by_year(missing_units(shortfall), year, cents, DOWN))
