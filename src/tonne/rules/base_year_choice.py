"""Which of some base years an allocation starts from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tonne.rules.declare import rule
from tonne.units import fraction


@rule("higher_base_year", unit="number", given={"by_base_year": "number"})
def base_value(by_base_year: Sequence[Any], *, base_years: Sequence[int]) -> Any:
    """The base an allocation starts from: the highest of the base years' emissions, or intensities; one value or column a base year, in their order.

    Notice on the allowances of 2021. 2019: 120,000 and 2020: 95,000 -> 120,000. Raises ValueError when another number of years is given.
    """
    if len(by_base_year) != len(base_years):
        raise ValueError(f"the base years are {', '.join(map(str, base_years))}; {len(by_base_year)} values are given")
    if all(np.ndim(value) == 0 for value in by_base_year):
        return max(by_base_year, key=fraction)
    return np.maximum.reduce([np.asarray(column) for column in by_base_year])
