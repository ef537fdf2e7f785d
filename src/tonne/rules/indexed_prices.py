"""Prices that a law lets rise: by a rate and an assumed inflation drawn out over years and rounded once, or each year with measured inflation."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tonne.rules.declare import rule
from tonne.units import NEAREST, Rate, fraction, round_decimal

_CENT = Decimal("0.01")


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


@rule("price_indexed_to_inflation", unit="money_per_unit", given={"previous": "money_per_unit", "inflation": "ratio"})
def indexed_price(previous: Rate, inflation: Rate, *, price_real_growth: Rate) -> Decimal:
    """Next year's price: last year's x (1 + measured inflation + a real rise), to the cent. 75.00 x (1 + 0.036 + 0.02) = 79.20."""
    return round_decimal(fraction(previous) * (1 + fraction(inflation) + fraction(price_real_growth)), _CENT, NEAREST)


def _escalated(first: Rate, years: Any, growth: Any) -> Any:
    if hasattr(years, "__len__"):
        return [_escalated(first, int(one), growth) for one in years]
    return round_decimal(fraction(first) * (1 + growth) ** int(years), _CENT, NEAREST)
