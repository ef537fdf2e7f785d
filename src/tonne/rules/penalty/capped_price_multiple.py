"""A fine of a multiple of the market's price, up to an amount for each unit."""

from __future__ import annotations

from typing import Any

from tonne.rules.declare import rule
from tonne.rules.penalty.shortfalls import missing_units, money
from tonne.units import NEAREST, Rate, fraction, multiply


@rule("capped_price_multiple_fine", unit="money", given={"shortfall": "allowance", "mean_price": "money_per_unit"})
def penalty(shortfall: Any, mean_price: Any = None, *, fine_multiple: Rate, fine_ceiling: Rate | None = None) -> Any:
    """Money owed for missing units: a multiple of the market's mean price, at most a ceiling for each unit where the law has one.

    1,000 missing at a mean of 20,000 x 3 = 60,000 each: 60,000,000; at 40,000 the ceiling of 100,000 holds: 100,000,000. Raises ValueError without
    a price, unless there is a ceiling to fall back on and no market yet.
    """
    missing = missing_units(shortfall)
    if mean_price is None:
        raise ValueError("the fine is a multiple of the market's mean price; give mean_price")
    each = fraction(mean_price) * fraction(fine_multiple)
    each = each if fine_ceiling is None else min(each, fraction(fine_ceiling))
    return money(multiply(missing, each * 100, rounding=NEAREST))
