"""Units issued ahead of verification: a share of what an entity owed for the year before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tonne.rules.cap import plain, since, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, Rate, multiply


@rule("share_ahead", unit="allowance", given={"previous_verified": "tCO2e", "year": "year"})
def pre_allocation(previous_verified: Any, year: Any, *, pre_allocation_share: Mapping[int, Rate]) -> Any:
    """Units issued ahead of verification: a share of what was owed for the year before, parts dropped; the last share tabled holds on.

    1,000,000 owed for 2022, 70 %: 700,000 ahead for 2023. Raises ValueError before the first share.
    """
    base, years = np.broadcast_arrays(whole("an amount owed", previous_verified), whole("a year", year))
    ahead = np.zeros(base.shape, dtype=np.int64)
    for one in np.unique(years):
        rows = years == one
        ahead[rows] = multiply(np.array(base[rows]), since(pre_allocation_share, int(one), "share issued ahead"), rounding=DOWN)
    return plain(ahead)
