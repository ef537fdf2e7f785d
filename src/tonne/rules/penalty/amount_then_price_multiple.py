"""A fine whose nature changed: first an amount for each missing unit, later a multiple of what a unit costs."""

from __future__ import annotations

from typing import Any

from tonne.rules.declare import rule
from tonne.rules.penalty.shortfalls import missing_units, money
from tonne.units import NEAREST, Rate, fraction, multiply


@rule("amount_then_price_multiple_fine", unit="money", given={"shortfall": "allowance", "price": "money_per_unit", "mean_price": "money_per_unit"})
def penalty(
    shortfall: Any, price: Any = None, mean_price: Any = None, *, fine_amount: Rate | None = None, fine_price_multiple: Rate | None = None
) -> Any:
    """Money owed for missing units: a multiple of the current price once the law has one, until then an amount for each.

    1,000 missing at a price of 60.00 x 3 = 180,000.00; before 1,000 x 30 = 30,000.00. `price` goes before `mean_price`. Raises ValueError
    where a multiple is in force and no price is given.
    """
    missing = missing_units(shortfall)
    current = price if price is not None else mean_price
    if fine_price_multiple is not None and current is None:
        raise ValueError("the fine is a multiple of the current price; give price or mean_price")
    each = fraction(fine_amount or 0) if fine_price_multiple is None else fraction(current) * fraction(fine_price_multiple)
    return money(multiply(missing, each * 100, rounding=NEAREST))
