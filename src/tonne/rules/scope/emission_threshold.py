"""Who must take part by its yearly emissions, who may by choice, who may leave again, who must report and who surrender."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tonne.rules.columns import counted, truth, whole
from tonne.rules.declare import rule
from tonne.units import IntArray

Thresholds = Mapping[str, int | None]
NEVER = 2**62


@rule("emission_threshold", unit="boolean", given={"emissions": "tCO2e", "sector": "sector"})
def is_covered(emissions: Any, sector: Any = "all", *, covered_emissions_from: Thresholds) -> Any:
    """Whether an entity takes part whether it wants or not: yearly emissions at or above its sector's threshold (`all`: every other sector).

    Order 19 art. 8: 26,000 t -> yes, 25,999 -> no. A sector without a threshold in force is not covered.
    """
    return truth(whole("emissions", emissions) >= _threshold(sector, covered_emissions_from))


@rule("opt_in_threshold", unit="boolean", given={"emissions": "tCO2e", "sector": "sector"})
def may_opt_in(emissions: Any, sector: Any = "all", *, covered_emissions_from: Thresholds, opt_in_from: Thresholds | None = None) -> Any:
    """Whether an entity that need not take part may ask to: emissions at or above the threshold of choice, below the other one.

    10,000 t with opt-in from 10,000 and coverage from 50,000 -> yes, 9,999 and 50,000 -> no. Without opt-in in the law nobody may.
    """
    tonnes = whole("emissions", emissions)
    chosen = tonnes >= _threshold(sector, opt_in_from or {})
    return truth(chosen & (tonnes < _threshold(sector, covered_emissions_from)))


@rule("leaving_after_years", unit="boolean", given={"emissions_by_year": "tCO2e", "sector": "sector"})
def leaves(emissions_by_year: Any, sector: Any = "all", *, covered_emissions_from: Thresholds, years_below_to_leave: int) -> Any:
    """Whether an entity is out again: its last so many years all lie under the threshold. Three years under 10,000 t -> yes, two -> no.

    `emissions_by_year` has one row a year, oldest first: [9000, 9500] for one entity, [[...], [...]] for many.
    """
    years = np.atleast_1d(whole("emissions", emissions_by_year))
    below = np.asarray(years < _threshold(sector, covered_emissions_from))[-years_below_to_leave:].all(axis=0)
    return truth(below & (len(years) >= years_below_to_leave))


@rule("import_threshold", unit="boolean", given={"imported": "tonne"})
def importer_is_covered(imported: Any, *, covered_imports_above: int) -> Any:
    """Whether an importer is covered by what it brings in: more tonnes a year than the threshold. 10,000 t of hydrogen -> no, 10,001 t -> yes."""
    return truth(whole("imports", imported) > covered_imports_above)


@rule("duties_by_size", unit="boolean", given={"emissions": "tCO2e"})
def must_report(emissions: Any, *, reports_above: int) -> Any:
    """Whether an operator needs a monitoring plan and reports: above 10,000 tCO2e a year (Law 15.042/2024). 10,000 -> no, 10,001 -> yes."""
    return truth(counted("emissions", emissions) > reports_above)


@rule("duties_by_size", unit="boolean", given={"emissions": "tCO2e"})
def must_surrender(emissions: Any, *, surrenders_above: int) -> Any:
    """Whether an operator also surrenders units for its emissions: above 25,000 tCO2e a year. 25,000 -> no, 25,001 -> yes."""
    return truth(counted("emissions", emissions) > surrenders_above)


def _threshold(sector: Any, table: Thresholds) -> IntArray:
    """The threshold of each row's sector; NEVER where there is none."""
    sectors = np.asarray(sector, dtype=object)
    flat = [table.get(name, table.get("all")) for name in sectors.ravel().tolist()]
    return np.array([NEVER if value is None else value for value in flat], dtype=np.int64).reshape(sectors.shape)
