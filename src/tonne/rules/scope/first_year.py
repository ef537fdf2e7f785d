"""A system that starts later when oil and gas are dear."""

from __future__ import annotations

from typing import Any

from tonne.rules.declare import rule
from tonne.units import Rate, fraction


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
