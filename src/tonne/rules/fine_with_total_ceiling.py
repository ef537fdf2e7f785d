"""A fine that grows with the missing units and the price, up to a sum that nobody's whole fine exceeds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np

from tonne.rules.cap import whole
from tonne.rules.declare import rule
from tonne.units import NEAREST, Rate, fraction, multiply

_CENT = Decimal("0.01")


@rule("fine_with_total_ceiling", unit="money", given={"shortfall": "allowance", "mean_price": "money_per_unit"})
def penalty(shortfall: Any, mean_price: Any = None, *, multiple_low: Rate, multiple_high: Rate, fine_total_ceiling: Rate) -> dict[str, Any]:
    """The range of the fine: missing units x the mean price x the lowest and the highest multiple, each at most the ceiling of the whole fine.

    Interim measures of 2014: one to three times the price, at most 150,000. 1,000 missing at 25.00: 25,000.00 to 75,000.00; 10,000 missing:
    150,000.00 both ways. Raises ValueError without a price, or for a surplus.
    """
    missing = whole("a shortfall", shortfall)
    if missing.size and missing.min() < 0:
        raise ValueError(f"a shortfall of {int(missing.min()):,} is a surplus; only missing units are fined")
    if mean_price is None:
        raise ValueError("the fine is a multiple of the market's mean price; give mean_price")
    each, most = fraction(mean_price) * 100, multiply(1, fraction(fine_total_ceiling) * 100, rounding=NEAREST)
    ends = {"low": multiple_low, "high": multiple_high}
    return {end: _money(np.minimum(multiply(missing, each, multiple, rounding=NEAREST), most)) for end, multiple in ends.items()}


def _money(cents: Any) -> Any:
    """Cents as Decimal money: one Decimal for one row, an object array for many."""
    array = np.asarray(cents)
    if array.ndim == 0:
        return int(array) * _CENT
    money = np.empty(array.size, dtype=object)
    money[:] = [int(c) * _CENT for c in array.ravel().tolist()]
    return money.reshape(array.shape)
