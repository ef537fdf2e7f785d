"""A price corridor that rises by a real rate and inflation, paying its ceiling in place of units, and a fine above the ceiling."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.declare import rule
from tonne.units import NEAREST, Rate, fraction, multiply, round_decimal

Prices = Mapping[int, Rate]


@rule("price_corridor", unit="money_per_unit", given={"year": "year"})
def price_ceiling(
    year: Any, *, ceiling_by_year: Prices, corridor_real_growth: Rate, corridor_inflation: Prices | None = None, corridor_step: Rate = 1
) -> Any:
    """The highest price of a year: as set by the authority, otherwise the last one set, raised each year by the real rate and by inflation.

    4,300 x 1.03^4 = 4,839.69 -> 4,840 without inflation. Rounded once, to a multiple of `corridor_step`; a year without a tabled inflation has none.
    Raises ValueError before the first price.
    """
    return _path(year, ceiling_by_year, corridor_real_growth, corridor_inflation, corridor_step)


@rule("price_corridor", unit="money_per_unit", given={"year": "year"})
def price_floor(
    year: Any, *, floor_by_year: Prices, corridor_real_growth: Rate, corridor_inflation: Prices | None = None, corridor_step: Rate = 1
) -> Any:
    """The price below which the authority buys or gives less, by the same path: 1,700 x 1.03^4 = 1,913.36 -> 1,913."""
    return _path(year, floor_by_year, corridor_real_growth, corridor_inflation, corridor_step)


@rule("price_corridor", unit="money_per_unit", given={"year": "year"})
def payment_price(
    year: Any, *, ceiling_by_year: Prices, corridor_real_growth: Rate, corridor_inflation: Prices | None = None, corridor_step: Rate = 1
) -> Any:
    """Money that settles one missing unit: paying the ceiling counts as compliance. 4,300 for the first year; None before it."""
    if np.ndim(year) == 0 and int(year) < min(ceiling_by_year):
        return None
    return _path(year, ceiling_by_year, corridor_real_growth, corridor_inflation, corridor_step)


@rule("fine_above_ceiling", unit="money", given={"shortfall": "allowance", "year": "year"})
def penalty(
    shortfall: Any,
    year: Any,
    *,
    fine_multiple: Rate,
    stability__ceiling_by_year: Prices,
    stability__corridor_real_growth: Rate,
    stability__corridor_inflation: Prices | None = None,
    stability__corridor_step: Rate = 1,
) -> Any:
    """Money owed for what is neither met with units nor paid at the ceiling: missing units x the year's ceiling x a multiple.

    1,000 x 4,300 x 1.1 = 4,730,000.00.
    """
    missing = np.asarray(shortfall)
    if missing.size and (missing.dtype.kind not in "iu" or missing.min() < 0):
        raise ValueError("a shortfall is counted in whole units, zero or more")
    years, rows = np.broadcast_arrays(np.asarray(year), missing)
    cents = np.zeros(rows.shape, dtype=np.int64)
    for one in np.unique(years):
        ceiling = _path(
            int(one), stability__ceiling_by_year, stability__corridor_real_growth, stability__corridor_inflation, stability__corridor_step
        )
        chosen = years == one
        cents[chosen] = multiply(np.array(rows[chosen], dtype=np.int64), fraction(ceiling) * 100 * fraction(fine_multiple), rounding=NEAREST)
    if cents.ndim == 0:
        return Decimal(f"{int(cents)}e-2")
    money = np.empty(cents.shape, dtype=object)
    money.reshape(-1)[:] = [Decimal(f"{c}e-2") for c in cents.ravel().tolist()]
    return money


def _path(year: Any, prices: Prices, real: Rate, inflation: Prices | None, step: Rate) -> Any:
    years = np.asarray(year)
    if years.ndim == 0:
        return _of_year(int(years), prices, real, inflation or {}, step)
    found = np.empty(years.shape, dtype=object)
    known = {y: _of_year(y, prices, real, inflation or {}, step) for y in set(years.ravel().tolist())}
    found.reshape(-1)[:] = [known[y] for y in years.ravel().tolist()]
    return found


def _of_year(year: int, prices: Prices, real: Rate, inflation: Prices, step: Rate) -> Decimal:
    begun = [y for y, price in prices.items() if y <= year and price is not None]
    if not begun:
        raise ValueError(f"no price for {year}: the first one is of {min(prices, default=None)}")
    price = fraction(prices[max(begun)])
    for later in range(max(begun) + 1, year + 1):
        price *= (1 + fraction(real)) * (1 + fraction(inflation.get(later) or Fraction(0)))
    return round_decimal(price, Decimal(str(step)), NEAREST)
