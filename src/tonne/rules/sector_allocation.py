"""Free units by the method that the law chose for a sector: a benchmark times output, the installation's own past intensity times output, or its own
past emissions; each times the factors of the year.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.declare import rule
from tonne.units import Rate, Rounding, fraction, multiply

BENCHMARK, OWN_INTENSITY, OWN_EMISSIONS = "benchmark", "historical_intensity", "historical_emissions"
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

    allocation_method  by sector (`all`: every sector not named): benchmark, historical_intensity or historical_emissions
    benchmark          by product: units for one of `quantity`
    assistance         by product, or by sector, or `all`: the share of it that is given (a leakage class, an adjustment); 1 where nothing is named
    yearly_factor      by year: a rate for all, or rates by sector or product (`all` for the others); the last year tabled holds on, 1 before the first

    4,000,000 MWh x 0.911 = 3,644,000. Rounded once, as `allocation_rounding` says. Raises ValueError for a product without a benchmark, or for a
    row that lacks the past figure its method needs.
    """
    given = [np.asarray(value, dtype=object) for value in (year, sector, product, quantity, intensity, historical)]
    columns = np.broadcast_arrays(*given)
    units = np.zeros(columns[0].shape, dtype=np.int64)
    flat = [column.ravel() for column in columns]
    out = units.reshape(-1)
    for chosen, (y, s, p) in _groups(*flat[:3]):
        method = allocation_method.get(s, allocation_method.get("all"))
        factor = _assistance(assistance, s, p) * _yearly(yearly_factor, int(y), s, p)
        if method == BENCHMARK:
            if benchmark is None or benchmark.get(p) is None:
                raise ValueError(f"no benchmark for product {p!r}; there are {', '.join(map(str, benchmark or ())) or 'none'}")
            out[chosen] = multiply(flat[3][chosen].astype(np.int64), fraction(benchmark[p]) * factor, rounding=Rounding(allocation_rounding))
        elif method == OWN_INTENSITY:
            out[chosen] = _times_own(flat[3][chosen], flat[4][chosen], factor, allocation_rounding)
        elif method == OWN_EMISSIONS:
            out[chosen] = multiply(flat[5][chosen].astype(np.int64), factor, rounding=Rounding(allocation_rounding))
        else:
            raise ValueError(f"no method of allocation for sector {s!r}; the law has {', '.join(allocation_method)}")
    return int(units) if units.ndim == 0 else units


def _groups(years: Any, sectors: Any, products: Any) -> Any:
    """(rows, (year, sector, product)) of each different triple."""
    triples = zip(years.tolist(), sectors.tolist(), products.tolist(), strict=True)
    keys = np.array([f"{y}\n{s or ''}\n{p or ''}" for y, s, p in triples], dtype=str)
    names, index = np.unique(keys, return_inverse=True)
    order = np.argsort(index, kind="stable")
    ends = np.searchsorted(index[order], np.arange(len(names) + 1))
    for number, name in enumerate(names.tolist()):
        yield order[ends[number] : ends[number + 1]], name.split("\n")


def _assistance(table: Mapping[str, Rate] | None, sector: str, product: str) -> Fraction:
    for key in (product, sector, "all"):
        if table and table.get(key) is not None:
            return fraction(table[key])
    return Fraction(1)


def _yearly(table: Factors | None, year: int, sector: str, product: str) -> Fraction:
    tabled = [y for y in table or () if y <= year]
    if table is None or not tabled:
        return Fraction(1)
    row = table[max(tabled)]
    return _assistance(row, sector, product) if isinstance(row, Mapping) else fraction(row)


def _times_own(quantity: Any, intensity: Any, factor: Fraction, rounding: str) -> Any:
    """Output x the row's own intensity x a factor. Intensities are few or many; each different one is multiplied once."""
    if any(value is None for value in intensity.tolist()):
        raise ValueError("a row allocated by its own past intensity lacks it")
    result = np.zeros(len(quantity), dtype=np.int64)
    names, index = np.unique(np.array([str(value) for value in intensity.tolist()], dtype=str), return_inverse=True)
    if len(names) * 4 < len(index):
        for number, name in enumerate(names.tolist()):
            rows = index == number
            result[rows] = multiply(quantity[rows].astype(np.int64), fraction(name) * factor, rounding=Rounding(rounding))
        return result
    rates = [fraction(name) * factor for name in names.tolist()]
    result[:] = [multiply(int(q), rates[i], rounding=Rounding(rounding)) for q, i in zip(quantity.tolist(), index.tolist(), strict=True)]
    return result
