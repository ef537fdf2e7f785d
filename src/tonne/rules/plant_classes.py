"""Which class of plant a unit belongs to, where capacity and the place of its coal decide which technical cap holds for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.company_or_plant_threshold import exact_column
from tonne.rules.declare import rule

LARGE, MEDIUM, MINE_MOUTH, SMALL = "non_mine_mouth_over_400mw", "non_mine_mouth_100_to_400mw", "mine_mouth_100mw_and_over", "any_25_to_under_100mw"


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
