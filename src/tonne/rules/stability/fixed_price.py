"""Units that the authority sells to whoever asks at a fixed price, and a step of that price that follows households' energy."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tonne.rules.columns import price_of
from tonne.rules.declare import rule
from tonne.units import NEAREST, Rate, fraction, round_decimal

Prices = Mapping[int, Any]
_CENT = Decimal("0.01")


@rule("fixed_price_sale", unit="money_per_unit", given={"year": "year"})
def fixed_price(year: Any, *, fixed_price_by_year: Prices) -> Any:
    """Money for one unit of the year, which the authority sells to whoever asks (BEHG s. 10(2)): 45 for 2024. None for a year without such a sale."""
    return price_of(year, fixed_price_by_year.get)


@rule(
    "price_step_by_energy_index", unit="money_per_unit", given={"previous": "money_per_unit", "planned": "money_per_unit", "index_change": "percent"}
)
def stabilised_price(previous: Any, planned: Any, index_change: Any, *, step_index_threshold: Rate, step_cut: Rate, step_raise: Rate) -> Any:
    """A year's fixed price: last year's and the planned step, halved when household energy grew dear, raised when it grew cheap (NEHG 2022).

    The change of the index is in percent; only more than the threshold moves the step. 30 + (35 - 30) x (1 - 0.5) = 32.50 at +45.2.
    """
    change, threshold = fraction(index_change), fraction(step_index_threshold)
    share = Fraction(1)
    if change > threshold:
        share -= fraction(step_cut)
    elif change < -threshold:
        share += fraction(step_raise)
    return round_decimal(fraction(previous) + (fraction(planned) - fraction(previous)) * share, _CENT, NEAREST)
