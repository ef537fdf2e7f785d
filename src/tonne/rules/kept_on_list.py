"""Who is on the list where emissions, energy use or floor area each suffice, and who was on it in an earlier phase stays from lower bars on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tonne.rules.cap import whole
from tonne.rules.declare import rule

Limits = Mapping[str, int] | None
_NEVER = np.iinfo(np.int64).max


@rule(
    "either_threshold_or_kept",
    unit="boolean",
    given={"sector": "sector", "emissions": "tCO2e", "energy": "tce", "area_m2": "number", "listed_before": "boolean"},
)
def is_covered(
    sector: Any,
    emissions: Any,
    energy: Any = 0,
    area_m2: Any = 0,
    listed_before: Any = False,
    *,
    covered_emissions_from: Mapping[str, int],
    covered_energy_from: Limits = None,
    covered_area_from: Limits = None,
    kept_emissions_from: Limits = None,
    kept_energy_from: Limits = None,
) -> Any:
    """Whether an entity is covered: its yearly emissions, its energy use in tonnes of coal equivalent or its floor area reach the bar of its sector.

    List of 2016 of a municipal system. The tables are by sector, `all` for the sectors not named. 19,999 t and 10,000 tce in a sector of 20,000 t
    or 10,000 tce -> yes. Who was on the list in an earlier phase stays from the lower bars on: 10,000 t.
    """
    sectors, tonnes, coal, area, before = np.broadcast_arrays(
        np.asarray(sector, dtype=object),
        whole("emissions", emissions),
        whole("energy", energy),
        whole("area", area_m2),
        np.asarray(listed_before, dtype=bool),
    )
    if not sectors.size:
        return np.zeros(sectors.shape, dtype=bool)
    names, where = np.unique(sectors.astype(str), return_inverse=True)
    where = where.reshape(sectors.shape)

    def reaches(values: Any, table: Limits) -> Any:
        limits = [(table or {}).get(name, (table or {}).get("all")) for name in names.tolist()]
        return values >= np.array([_NEVER if limit is None else limit for limit in limits], dtype=np.int64)[where]

    inside = reaches(tonnes, covered_emissions_from) | reaches(coal, covered_energy_from) | reaches(area, covered_area_from)
    inside = inside | (before & (reaches(tonnes, kept_emissions_from) | reaches(coal, kept_energy_from)))
    return bool(inside) if inside.ndim == 0 else inside
