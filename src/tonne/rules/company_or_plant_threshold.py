"""Who must take part, where size alone decides: emissions of a company or of one of its sites, capacity of a plant."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.cap import whole
from tonne.rules.declare import rule
from tonne.units import Rate, fraction


@rule("two_level_threshold", unit="boolean", given={"company_emissions": "tCO2e", "site_emissions": "tCO2e"})
def is_covered(company_emissions: Any, site_emissions: Any = 0, *, covered_company_from: int, covered_site_from: int) -> Any:
    """Whether a company takes part: its yearly mean reaches the company threshold, or its largest site reaches the site threshold.

    Act on the Allocation and Trading of Greenhouse-Gas Emission Permits. 120,000 t in all with one site of 25,000 t -> yes; of 24,999 t -> no.
    """
    company, site = np.broadcast_arrays(whole("a company's emissions", company_emissions), whole("a site's emissions", site_emissions))
    return _truth((company >= covered_company_from) | (site >= covered_site_from))


covered_by_company_or_site = is_covered  # by a name of its own: the next one answers the same ask


@rule("capacity_threshold", unit="boolean", given={"capacity_mw": "MW"})  # type: ignore[no-redef]
def is_covered(capacity_mw: Any, *, covered_from_mw: Rate) -> Any:
    """Whether a plant takes part: its capacity reaches the threshold of the day. From 25 MW: 25 -> yes, 24.9 -> no."""
    capacities = exact_column(capacity_mw)
    bound = fraction(covered_from_mw)
    return _truth(np.asarray(capacities * bound.denominator >= bound.numerator, dtype=bool))


def exact_column(values: Any) -> Any:
    """Whole numbers as they are; Decimals and texts as exact fractions, in an array of the same shape."""
    array = np.asarray(values)
    if array.dtype.kind in "iu":
        return array
    exact = np.empty(array.size, dtype=object)
    exact[:] = [fraction(value) for value in array.ravel().tolist()]
    return exact.reshape(array.shape)


def _truth(rows: Any) -> Any:
    return bool(rows) if np.ndim(rows) == 0 else rows
