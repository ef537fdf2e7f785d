"""Power plants that take part by their capacity, in the states that take part; the class that a coal plant belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tonne.rules.columns import exact_column, measured, truth
from tonne.rules.declare import rule
from tonne.units import Rate, fraction

LARGE, MEDIUM, MINE_MOUTH, SMALL = "non_mine_mouth_over_400mw", "non_mine_mouth_100_to_400mw", "mine_mouth_100mw_and_over", "any_25_to_under_100mw"


@rule("capacity_threshold", unit="boolean", given={"capacity_mw": "MW", "state": "state", "fossil": "boolean"})
def is_covered(
    capacity_mw: Any, state: Any = "", fossil: Any = True, *, covered_from_mw: Rate, member_states: Mapping[str, bool] | None = None
) -> Any:
    """Whether a plant takes part: it burns fossil fuel, has the capacity, and stands in a state that takes part on the law's day.

    Model Rule: 25 MW of nameplate capacity and more. 24.9 MW -> no, 25 MW -> yes in a member state. A state that is not listed takes no part; a law
    that lists no states holds everywhere.
    """
    bound = fraction(covered_from_mw)
    covered = np.asarray(measured(capacity_mw) * bound.denominator >= bound.numerator, dtype=bool) & np.asarray(fossil, dtype=bool)
    if member_states is not None:
        covered = covered & np.isin(np.asarray(state, dtype=object).astype(str), [name for name, member in member_states.items() if member])
    return truth(covered)


@rule("coal_plant_classes", unit="text", given={"capacity_mw": "MW", "mine_mouth": "boolean"})
def plant_class(capacity_mw: Any, mine_mouth: Any = False, *, large_above_mw: int, medium_from_mw: int) -> Any:
    """The class of a coal unit by its capacity and by whether it stands at the mouth of its mine.

    Above 400 MW, from 100 to 400 MW, mine-mouth from 100 MW, any below 100 MW. 400 MW -> the class of 100 to 400 MW, 401 MW -> above 400 MW;
    a mine-mouth unit of 600 MW -> mine-mouth; 99 MW -> the smallest class, mine-mouth or not.
    """
    capacity, mouth = np.broadcast_arrays(exact_column(capacity_mw), np.asarray(mine_mouth, dtype=bool))
    above = np.asarray(capacity > large_above_mw, dtype=bool)
    reached = np.asarray(capacity >= medium_from_mw, dtype=bool)
    named = np.where(~reached, SMALL, np.where(mouth, MINE_MOUTH, np.where(above, LARGE, MEDIUM))).astype(object)
    return str(named) if named.ndim == 0 else named
