"""Free units by a benchmark or by a facility's own past emissions that are cut by the same rate each year."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.columns import plain
from tonne.rules.declare import rule
from tonne.rules.groups import broadcast, row_groups
from tonne.units import NEAREST, Rate, fraction, multiply

BENCHMARK, PAST_EMISSIONS = "benchmark", "past_emissions"


@rule(
    "benchmark_or_past_emissions",
    unit="allowance",
    given={"year": "year", "sector": "sector", "product": "product", "quantity": "number", "historical": "tCO2"},
)
def allocation(
    year: Any,
    sector: Any = "all",
    product: Any = "",
    quantity: Any = 0,
    historical: Any = 0,
    *,
    allocation_method: Mapping[str, str],
    yearly_cut: Rate,
    uncut_year: int,
    cut_compounds: bool = False,
    benchmark: Mapping[str, Rate] | None = None,
) -> Any:
    """Free units for a year: mean output x benchmark, or mean past emissions less a cut for each year since the last uncut one.

    allocation_method  by sector (`all`: every sector not named): benchmark or past_emissions
    quantity           mean output of the base years; historical: mean emissions of the base years
    cut_compounds      whether each year's cut is of the year before (else of the base)

    1,000,000 x (1 - 0.017) = 983,000 in the first year, 966,000 in the second. Rounded once, to the nearest unit. Raises ValueError for a sector
    without a method or a product without a benchmark.
    """
    shape, columns = broadcast(year, sector, product, quantity, historical)
    made, past = (column.astype(np.int64) for column in columns[3:])
    units = np.zeros(made.shape, dtype=np.int64)
    for rows, (y, s, p) in row_groups(*columns[:3]):
        method = allocation_method.get(s, allocation_method.get("all"))
        if method == BENCHMARK:
            if benchmark is None or benchmark.get(p) is None:
                raise ValueError(f"no benchmark for product {p!r}; there are {', '.join(map(str, benchmark or ())) or 'none'}")
            units[rows] = multiply(made[rows], benchmark[p], rounding=NEAREST)
        elif method == PAST_EMISSIONS:
            units[rows] = multiply(past[rows], _kept(int(y) - uncut_year, yearly_cut, cut_compounds), rounding=NEAREST)
        else:
            raise ValueError(f"no method of allocation for sector {s!r}; the law has {', '.join(allocation_method)}")
    return plain(units.reshape(shape))


def _kept(years: int, cut: Rate, compounds: bool) -> Fraction:
    """What is left of past emissions after so many yearly cuts, never below nothing."""
    steps = max(years, 0)
    return (1 - fraction(cut)) ** steps if compounds else max(1 - fraction(cut) * steps, Fraction(0))
