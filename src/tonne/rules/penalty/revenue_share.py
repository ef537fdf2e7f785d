"""A fine measured by what the offender earns, not by what is missing: up to a share of its gross revenue, a fixed range where it has none."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np

from tonne.rules.declare import rule
from tonne.rules.penalty.shortfalls import missing_units
from tonne.units import NEAREST, Rate, fraction, round_decimal


@rule("share_of_revenue_fine", unit="money", given={"shortfall": "allowance", "gross_revenue": "money"})
def penalty(shortfall: Any, gross_revenue: Any = None, *, revenue_share: Rate, fixed_low: Rate, fixed_high: Rate) -> dict[str, Any]:
    """The range of the fine, in money: from nothing up to a share of last year's gross revenue; a fixed range for who has no revenue.

    Revenue of 100,000,000: up to 3 % = 3,000,000. Without revenue 50,000 to 20,000,000 (Law 15.042/2024). Who misses nothing pays nothing.
    """
    missing = missing_units(shortfall)
    revenues, rows = np.broadcast_arrays(np.asarray(gross_revenue, dtype=object), missing)
    distinct, place = np.unique(revenues.astype(str).ravel(), return_inverse=True)
    ranges = [_range(str(one), revenue_share, fixed_low, fixed_high) for one in distinct]
    low, high = np.empty(rows.shape, dtype=object), np.empty(rows.shape, dtype=object)
    for bound, column in ((0, low), (1, high)):
        found = np.array([one[bound] for one in ranges], dtype=object)
        column[...] = found[place].reshape(rows.shape) if ranges else column
        column[rows == 0] = Decimal(0)
    return {"low": low.item(), "high": high.item()} if rows.ndim == 0 else {"low": low, "high": high}


def _range(revenue: str, share: Rate, fixed_low: Rate, fixed_high: Rate) -> tuple[Decimal, Decimal]:
    """Lowest and highest fine of one revenue, to the cent; of who has none (None or 0) the fixed ones."""
    if revenue in ("None", "0"):
        return round_decimal(fixed_low, "0.01", NEAREST), round_decimal(fixed_high, "0.01", NEAREST)
    return Decimal(0), round_decimal(fraction(revenue) * fraction(share), "0.01", NEAREST)
