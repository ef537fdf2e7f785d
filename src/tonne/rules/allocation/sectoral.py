"""Free units by the method that the law chose for a sector: a benchmark times output, the installation's own past intensity times output, its own
past emissions, or none where the sector buys at auction; each times the factors of the year.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.allocation.own_intensity import times_own
from tonne.rules.columns import latest, plain
from tonne.rules.declare import rule
from tonne.rules.groups import broadcast, row_groups
from tonne.units import Rate, Rounding, fraction, multiply

BENCHMARK, OWN_INTENSITY, OWN_EMISSIONS, AT_AUCTION = "benchmark", "historical_intensity", "historical_emissions", "auction"
Factors = Mapping[int, Any]


@rule(
    "sectoral_allocation",
    unit="allowance",
    given={"year": "year", "sector": "sector", "product": "product", "quantity": "number", "intensity": "number", "historical": "tCO2e"},
)
def allocation(
    year: Any,
    sector: Any = "all",
    product: Any = "",
    quantity: Any = 0,
    intensity: Any = None,
    historical: Any = 0,
    *,
    allocation_method: Mapping[str, str],
    benchmark: Mapping[str, Rate] | None = None,
    assistance: Mapping[str, Rate] | None = None,
    yearly_factor: Factors | None = None,
    allocation_rounding: str = "nearest",
) -> Any:
    """Free units for one row of output: (benchmark x output | own intensity x output | own past emissions) x assistance x the year's factor.

    allocation_method  by sector (`all`: every sector not named): benchmark, historical_intensity, historical_emissions, or auction: none for free
    benchmark          by product: units for one of `quantity`
    assistance         by product, or by sector, or `all`: the share of it that is given (a leakage class, an adjustment); 1 where nothing is named
    yearly_factor      by year: one rate, or rates by sector or product (`all` for the others); the last year tabled holds on, 1 before the first

    4,000,000 MWh x 0.911 = 3,644,000; 97,700,000 of past emissions x 0.981 = 95,843,700, and nothing for a fuel supplier. Rounded once, as
    `allocation_rounding` says. Raises ValueError for a product without a benchmark, or for a row that lacks the past figure its method needs.
    """
    shape, columns = broadcast(year, sector, product, quantity, intensity, historical)
    units, rounding = np.zeros(columns[0].shape, dtype=np.int64), Rounding(allocation_rounding)
    for rows, (y, s, p) in row_groups(*columns[:3]):
        method = allocation_method.get(s, allocation_method.get("all"))
        factor = _assistance(assistance, s, p) * _yearly(yearly_factor, int(y), s, p)
        if method == BENCHMARK:
            if benchmark is None or benchmark.get(p) is None:
                raise ValueError(f"no benchmark for product {p!r}; there are {', '.join(map(str, benchmark or ())) or 'none'}")
            units[rows] = multiply(columns[3][rows].astype(np.int64), fraction(benchmark[p]) * factor, rounding=rounding)
        elif method == OWN_INTENSITY:
            units[rows] = times_own(columns[3][rows], columns[4][rows], factor, allocation_rounding, p)
        elif method == OWN_EMISSIONS:
            units[rows] = multiply(columns[5][rows].astype(np.int64), factor, rounding=rounding)
        elif method != AT_AUCTION:
            raise ValueError(f"no method of allocation for sector {s!r}; the law has {', '.join(allocation_method)}")
    return plain(units.reshape(shape))


def _yearly(table: Factors | None, year: int, sector: str, product: str) -> Fraction:
    row = latest(table, year, 1)
    return _assistance(row, sector, product) if isinstance(row, Mapping) else fraction(row)


def _assistance(table: Mapping[str, Rate] | None, sector: str, product: str) -> Fraction:
    for key in (product, sector, "all"):
        if table and table.get(key) is not None:
            return fraction(table[key])
    return Fraction(1)
