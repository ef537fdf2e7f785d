"""A fine counted in a country's own index units: so many of them for each missing unit, worth what the budget law of the year says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np

from tonne.rules.cap import plain, whole
from tonne.rules.declare import rule
from tonne.units import NEAREST, Rate, fraction, multiply


@rule("index_unit_fine", unit="count", given={"shortfall": "allowance"})
def fine_in_index_units(shortfall: Any, *, index_units_per_unit: Rate) -> Any:
    """The fine for missing units, in index units: 1,000 missing x 5 = 5,000."""
    return plain(np.asarray(multiply(whole("a shortfall", shortfall), index_units_per_unit, rounding=NEAREST)))


@rule("index_unit_fine", unit="money", given={"shortfall": "allowance", "index_value": "money"})
def fine_at_index(shortfall: Any, index_value: Any, *, index_units_per_unit: Rate) -> Any:
    """The fine for missing units in money, at the value of one index unit: 1,000 missing x 5 x 3,000 = 15,000,000.00."""
    missing = whole("a shortfall", shortfall)
    cents = np.asarray(multiply(missing, fraction(index_units_per_unit) * fraction(index_value) * 100, rounding=NEAREST))
    if missing.ndim == 0:
        return int(cents) * Decimal("0.01")
    money = np.empty(cents.size, dtype=object)
    money[:] = [c * Decimal("0.01") for c in cents.ravel().tolist()]
    return money.reshape(cents.shape)
