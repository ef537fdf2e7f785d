"""A price corridor that rises by a real rate and inflation, paying its ceiling in place of units."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.declare import rule
from tonne.units import NEAREST, Rate, fraction, round_decimal

Prices = Mapping[int, Rate]


@rule("price_corridor", unit="money_per_unit", given={"year": "year"})
def price_ceiling(
    year: Any, *, ceiling_by_year: Prices, corridor_real_growth: Rate, corridor_inflation: Prices | None = None, corridor_step: Rate = 1
) -> Any:
    """The highest price of a year: as set by the authority, otherwise the last one set, raised each year by the real rate and by inflation.

    4,300 x 1.03^4 = 4,839.69 -> 4,840 without inflation. Rounded once, to a multiple of `corridor_step`; a year without a tabled inflation has none.
    Raises ValueError before the first price.
    """
    return price_on_path(year, ceiling_by_year, corridor_real_growth, corridor_inflation, corridor_step)


@rule("price_corridor", unit="money_per_unit", given={"year": "year"})
def price_floor(
    year: Any, *, floor_by_year: Prices, corridor_real_growth: Rate, corridor_inflation: Prices | None = None, corridor_step: Rate = 1
) -> Any:
    """The price below which the authority buys or gives less, by the same path: 1,700 x 1.03^4 = 1,913.36 -> 1,913."""
    return price_on_path(year, floor_by_year, corridor_real_growth, corridor_inflation, corridor_step)


@rule("price_corridor", unit="money_per_unit", given={"year": "year"})
def payment_price(
    year: Any, *, ceiling_by_year: Prices, corridor_real_growth: Rate, corridor_inflation: Prices | None = None, corridor_step: Rate = 1
) -> Any:
    """Money that settles one missing unit: paying the ceiling counts as compliance. 4,300 for the first year; None before it."""
    if np.ndim(year) == 0 and int(year) < min(ceiling_by_year):
        return None
    return price_on_path(year, ceiling_by_year, corridor_real_growth, corridor_inflation, corridor_step)


def price_on_path(year: Any, prices: Prices, real: Rate, inflation: Prices | None, step: Rate) -> Any:
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
