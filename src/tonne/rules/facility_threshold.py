"""Which installations are in by their emissions, which may come in by choice, and which may leave again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tonne.rules.cap import whole
from tonne.rules.declare import rule
from tonne.units import IntArray

Thresholds = Mapping[str, int | None]
NEVER = 2**62


@rule("facility_threshold", unit="boolean", given={"emissions": "tCO2e", "sector": "sector"})
def is_covered(emissions: Any, sector: Any = "all", *, covered_emissions_from: Thresholds) -> Any:
    """Whether an installation is covered whether it wants or not: yearly emissions at or above its sector's threshold (`all`: every other sector).

    50,000 t under a threshold of 50,000 -> yes, 49,999 -> no. A sector without a threshold in force is not covered.
    """
    return _like(whole("emissions", emissions) >= _threshold(sector, covered_emissions_from))


@rule("facility_threshold", unit="boolean", given={"emissions": "tCO2e", "sector": "sector"})
def may_opt_in(emissions: Any, sector: Any = "all", *, covered_emissions_from: Thresholds, opt_in_from: Thresholds | None = None) -> Any:
    """Whether an installation that is not covered may ask to be: emissions at or above the threshold of choice, below the other one.

    10,000 t with opt-in from 10,000 and coverage from 50,000 -> yes, 9,999 and 50,000 -> no. Without opt-in in the law nobody may.
    """
    tonnes = whole("emissions", emissions)
    chosen = tonnes >= _threshold(sector, opt_in_from or {})
    return _like(chosen & (tonnes < _threshold(sector, covered_emissions_from)))


@rule("leaving_after_years", unit="boolean", given={"emissions_by_year": "tCO2e", "sector": "sector"})
def leaves(emissions_by_year: Any, sector: str = "all", *, covered_emissions_from: Thresholds, years_below_to_leave: int) -> bool:
    """Whether an installation is out again: its last so many years all lie under the threshold. Three years under 10,000 t -> yes, two -> no.

    emissions_by_year has one number a year, the last year last.
    """
    years = whole("emissions", emissions_by_year)
    last = years[-years_below_to_leave:] if years.size else years
    return bool(last.size >= years_below_to_leave and np.all(last < _threshold(sector, covered_emissions_from)))


@rule("import_threshold", unit="boolean", given={"imported": "tonne"})
def importer_is_covered(imported: Any, *, covered_imports_above: int) -> Any:
    """Whether an importer is covered by what it brings in: more tonnes a year than the threshold. 10,000 t of hydrogen -> no, 10,001 t -> yes."""
    return _like(whole("imports", imported) > covered_imports_above)


def _threshold(sector: Any, table: Thresholds) -> IntArray:
    """The threshold of each row's sector; NEVER where there is none."""
    sectors = np.asarray(sector, dtype=object)
    flat = [table.get(name, table.get("all")) for name in sectors.ravel().tolist()]
    return np.array([NEVER if value is None else value for value in flat], dtype=np.int64).reshape(sectors.shape)


def _like(flags: Any) -> Any:
    return bool(flags) if np.ndim(flags) == 0 else np.asarray(flags, dtype=bool)
