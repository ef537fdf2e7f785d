"""What a unit stands for: metric tonnes behind units of another measure, units for what a forest takes up."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.columns import plain, whole
from tonne.rules.declare import rule
from tonne.units import NEAREST, Rate, multiply


@rule("metric_equivalent", unit="tonne", given={"quantity": "allowance"})
def tonnes(quantity: Any, *, tonnes_per_unit: Rate) -> Any:
    """Metric tonnes that a quantity of units stands for, nearest: 69,401,609 short tons x 0.90718474 = 62,960,080.6 -> 62,960,081."""
    units = whole("a quantity", quantity)
    mass = multiply(units, tonnes_per_unit, rounding=NEAREST)
    return plain(mass)


@rule("removal_units", unit="allowance", given={"stock_change": "tCO2e"})
def removal_units(stock_change: Any, *, units_per_tonne_removed: int) -> dict[str, Any]:
    """Units for a change of the carbon stock: earned where a forest grew, owed where it was felled. +1,200 t: 1,200 earned; -300 t: 300 owed."""
    change = whole("a change of the carbon stock", stock_change) * int(units_per_tonne_removed)
    return {"earned": plain(np.maximum(change, 0)), "owed": plain(np.maximum(-change, 0))}
