"""Units that are good in their own period and the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tonne.rules.columns import truth
from tonne.rules.declare import rule
from tonne.units import IntArray


@rule("next_period_banking", unit="boolean", given={"vintage": "year", "year": "year"})
def vintage_pays(vintage: Any, year: Any, *, calendar__period_end: Mapping[int, int]) -> Any:
    """Whether units of one period pay for a year: in their own period and in the next one, neither later nor earlier.

    A unit of a period that ends in 2014 pays 2014 and 2019, not 2024; a unit of 2019 does not pay 2014.
    """
    ends = sorted(set(calendar__period_end.values()))
    rank = {y: ends.index(end) for y, end in calendar__period_end.items()}
    vintages, years = np.broadcast_arrays(np.asarray(vintage), np.asarray(year))
    ahead = _ranks(years, rank) - _ranks(vintages, rank)
    pays = np.asarray((ahead == 0) | (ahead == 1))
    return truth(pays)


def _ranks(years: Any, ranks: Mapping[int, int]) -> IntArray:
    """The number of each year's period."""
    distinct, index = np.unique(years, return_inverse=True)
    for year in distinct.tolist():
        if year not in ranks:
            raise ValueError(f"{year} is in no compliance period; the periods run from {min(ranks, default=None)} to {max(ranks, default=None)}")
    numbers = np.array([ranks[year] for year in distinct.tolist()], dtype=np.int64)
    return numbers[index].reshape(np.shape(years))
