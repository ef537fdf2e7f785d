"""Prices of the law that move: each year by a fixed part and by what money lost, over years at once, or after the market's own means."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.declare import rule
from tonne.units import NEAREST, Rate, Rounding, fraction, round_decimal

Index = Mapping[int, Rate]
_CENT = Decimal("0.01")


@rule("indexed_escalation", unit="money_per_unit", given={"price": "money_per_unit", "year": "year", "inflation": "ratio"})
def escalated_price(
    price: Any,
    year: Any = 0,
    inflation: Rate | None = None,
    *,
    escalation_rate: Rate,
    price_index_by_year: Index | None = None,
    price_index_before_by_year: Index | None = None,
    escalation_rounding: str = "nearest",
) -> Any:
    """The price of a year from last year's: raised by a fixed rate and by inflation together, not one after the other (17 CCR 95911).

    Inflation is that of the latest twelve months when the price of `year` is announced: the tabled index against the index a year earlier, or
    the rate that is given. 11.34 x (1 + 0.05 + 237.433 / 233.546 - 1) = 12.0957... -> 12.10 for 2015; 75.00 x (1 + 0.02 + 0.036) = 79.20. Raises
    ValueError for a year without an index.
    """
    rounding = Rounding(escalation_rounding)
    prices, years = np.broadcast_arrays(np.asarray(price, dtype=object), np.asarray(year))
    factors = {
        int(y): 1 + fraction(escalation_rate) + _inflation(int(y), inflation, price_index_by_year, price_index_before_by_year)
        for y in np.unique(years)
    }
    if prices.ndim == 0:
        return round_decimal(fraction(prices.item()) * factors[int(years)], "0.01", rounding)
    raised = np.empty(prices.shape, dtype=object)
    raised[:] = [round_decimal(fraction(p) * factors[y], "0.01", rounding) for p, y in zip(prices.tolist(), years.tolist(), strict=True)]
    return raised


def _inflation(year: int, given: Rate | None, index: Index | None, before: Index | None) -> Fraction:
    if given is not None:
        return fraction(given)
    latest, earlier = (index or {}).get(year), (before or {}).get(year)
    if latest is None or earlier is None:
        known = ", ".join(map(str, sorted({*(index or {})} & {*(before or {})}))) or "none"
        raise ValueError(f"no price index for {year}: there is one for {known}; give `inflation`")
    return fraction(latest) / fraction(earlier) - 1


@rule("escalated_price_controls", unit="money_per_unit", given={"first": "money_per_unit", "years": "year"})
def escalated_floor(first: Rate, years: Any, *, floor_growth: Rate, assumed_inflation: Rate) -> Any:
    """A floor some years on: the first price x (1 + growth + assumed inflation) to the power of the years, rounded once to the cent.

    30.00 x 1.07^2 = 34.347 -> 34.35.
    """
    return _escalated(first, years, fraction(floor_growth) + fraction(assumed_inflation))


@rule("escalated_price_controls", unit="money_per_unit", given={"first": "money_per_unit", "years": "year"})
def escalated_trigger(first: Rate, years: Any, *, trigger_growth: Rate, assumed_inflation: Rate) -> Any:
    """A reserve's trigger some years on: the first price x (1 + growth + assumed inflation) to the power of the years, rounded once to the cent.

    70.00 x 1.12^3 = 98.34496 -> 98.34; rounding each year would give 98.35.
    """
    return _escalated(first, years, fraction(trigger_growth) + fraction(assumed_inflation))


@rule("formula_reserve_price", unit="money_per_unit", given={"three_months": "money_per_unit", "month": "money_per_unit", "days": "money_per_unit"})
def formula_reserve_price(three_months: Rate, month: Rate, days: Rate, *, reserve_price_step: int | Decimal) -> Decimal:
    """The minimum price of a monthly auction: the mean of three means, of the three months before, of the month before and of the last three days.

    (24,000 + 25,000 + 26,600) / 3 = 25,200, to the nearest step.
    """
    mean = (fraction(three_months) + fraction(month) + fraction(days)) / 3
    return round_decimal(mean, Decimal(reserve_price_step), NEAREST)


def _escalated(first: Rate, years: Any, growth: Any) -> Any:
    if hasattr(years, "__len__"):
        return [_escalated(first, int(one), growth) for one in years]
    return round_decimal(fraction(first) * (1 + growth) ** int(years), _CENT, NEAREST)
