"""Energy prices inside carbon law: a system that starts later when oil and gas are dear, a price path whose step follows households' energy."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from tonne.rules.declare import rule
from tonne.units import NEAREST, Rate, fraction, round_decimal

_CENT = Decimal("0.01")


@rule("start_delayed_by_energy_prices", unit="boolean", given={"gas": "money", "gas_before": "money", "oil": "money", "oil_before": "money"})
def start_is_delayed(gas: Any, gas_before: Any, oil: Any, oil_before: Any, *, delay_oil_multiple: Rate) -> bool:
    """Whether a system starts a year later because energy is dear: gas above its earlier mean, or oil above a multiple of its own.

    Directive (EU) 2023/959. Gas 40 against 105 and oil 70 against 2 x 80 -> no.
    """
    return bool(fraction(gas) > fraction(gas_before) or fraction(oil) > fraction(delay_oil_multiple) * fraction(oil_before))


@rule("start_delayed_by_energy_prices", unit="year", given={"delayed": "boolean"})
def first_trading_year(delayed: bool, *, planned_start: int, delayed_start: int) -> int:
    """The first year for which units are surrendered: 2027, or 2028 where energy was dear."""
    return int(delayed_start) if delayed else int(planned_start)


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
