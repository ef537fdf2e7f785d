"""A fine between two multiples of the market's price, or between two sums."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.declare import rule
from tonne.rules.penalty.shortfalls import missing_units, money
from tonne.units import NEAREST, IntArray, Rate, fraction, multiply


@rule("price_multiple_fine", unit="money", given={"shortfall": "allowance", "mean_price": "money_per_unit"})
def penalty(
    shortfall: Any,
    mean_price: Any = None,
    *,
    multiple_low: Rate | None = None,
    multiple_high: Rate | None = None,
    fixed_low: Rate | None = None,
    fixed_high: Rate | None = None,
    fine_total_ceiling: Rate | None = None,
) -> dict[str, Any]:
    """The range of the fine, in money: the missing units x the mean price x the lowest and the highest multiple, up to a sum that no fine exceeds.

    While the multiples are not in force, or repealed, the fine lies in a fixed range whatever the quantity; who misses nothing pays nothing.
    10,000 x 70.00 x 5 = 3,500,000.00 and x 10 = 7,000,000.00. Interim measures of 2014, at most 150,000 in all: 10,000 x 25.00 x 1 and x 3 are
    both 150,000.00. Raises ValueError where a multiple is in force and no price is given.
    """
    missing = missing_units(shortfall)
    if multiple_low is None and multiple_high is None:
        flags = (missing > 0).astype(np.int64)
        return {"low": _fixed(flags, fixed_low), "high": _fixed(flags, fixed_high)}
    if mean_price is None:
        raise ValueError("the fine is a multiple of the market's mean price; give mean_price")
    low, high = (multiple_low if multiple_low is not None else 0), (multiple_high if multiple_high is not None else multiple_low)
    ends = {"low": _priced(missing, mean_price, low), "high": _priced(missing, mean_price, high or 0)}
    if fine_total_ceiling is not None:
        most = multiply(1, fraction(fine_total_ceiling) * 100, rounding=NEAREST)
        ends = {end: np.minimum(cents, most) for end, cents in ends.items()}
    return {end: money(cents) for end, cents in ends.items()}


def _fixed(flags: IntArray, amount: Rate | None) -> Any:
    return None if amount is None else money(multiply(flags, fraction(amount) * 100, rounding=NEAREST))


def _priced(missing: IntArray, price: Any, multiple: Rate) -> Any:
    """Missing units x price x multiple in cents; one price for all or one a row."""
    if np.ndim(price) == 0:
        return multiply(missing, fraction(price) * 100, multiple, rounding=NEAREST)
    prices, rows = np.broadcast_arrays(np.asarray(price, dtype=object), missing)
    cents, texts = np.zeros(rows.shape, dtype=np.int64), prices.astype(str)
    for one in np.unique(texts):
        chosen = texts == one
        cents[chosen] = multiply(np.array(rows[chosen]), fraction(str(one)) * 100, multiple, rounding=NEAREST)
    return cents
