"""The order to cover what a period's target misses, with a surcharge in tonnes, and the fine of who ignores it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.columns import counted, plain
from tonne.rules.declare import rule
from tonne.units import NEAREST, UP, Rate, multiply


@rule("reduction_order", unit="allowance", given={"shortfall": "allowance"})
def ordered_units(shortfall: Any, *, order_multiple: Rate) -> Any:
    """Tonnes that a facility is ordered to cover when its period's target is missed: 1.3 times what is missing. 1,000 x 1.3 = 1,300."""
    missing = counted("a shortfall", shortfall)
    ordered = multiply(missing, order_multiple, rounding=UP)
    return plain(ordered)


@rule("reduction_order", unit="allowance", given={"shortfall": "allowance"})
def penalty_units(shortfall: Any, *, order_multiple: Rate) -> Any:
    """What the order puts on top of the missing tonnes themselves: 1,300 - 1,000 = 300."""
    missing = counted("a shortfall", shortfall)
    extra = multiply(missing, order_multiple, rounding=UP) - missing
    return plain(extra)


@rule("reduction_order", unit="money", given={"uncovered": "allowance"})
def fine_for_ignored_order(uncovered: Any, *, fine_most: Rate) -> Any:
    """The highest fine of one who does not follow the order, whatever is left uncovered; nothing for one who does. 1 tonne left: 500,000."""
    left = counted("what is left uncovered", uncovered)
    fines = np.where(left > 0, multiply(1, fine_most, rounding=NEAREST), 0)
    return plain(fines)
