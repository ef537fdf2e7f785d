"""Who must take part where emissions, energy use or floor area each suffice, and who stays on the list from lower bars on."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.columns import truth, whole
from tonne.rules.declare import rule
from tonne.rules.groups import codes
from tonne.rules.scope.emission_threshold import NEVER, Thresholds
from tonne.units import IntArray


@rule(
    "either_threshold",
    unit="boolean",
    given={"sector": "sector", "emissions": "tCO2e", "energy": "tce", "area_m2": "number", "listed_before": "boolean"},
)
def is_covered(
    sector: Any,
    emissions: Any = 0,
    energy: Any = 0,
    area_m2: Any = 0,
    listed_before: Any = False,
    *,
    covered_emissions_from: Thresholds | None = None,
    covered_energy_from: Thresholds | None = None,
    covered_area_from: Thresholds | None = None,
    kept_emissions_from: Thresholds | None = None,
    kept_energy_from: Thresholds | None = None,
) -> Any:
    """Whether an entity takes part: its yearly emissions, its energy use in tonnes of coal equivalent or its floor area reach its sector's threshold.

    The tables are by sector, `all` for the sectors not named; a sector whose threshold is repealed is outside. Allocation plan of 2023 of a
    provincial system: 10,000 t of CO2 or 5,000 tce. 9,999 t and 4,999 tce -> no; 9,999 t and 5,000 tce -> yes. Who was on the list in an earlier
    phase stays from the lower bars on (list of 2016 of a municipal system): 10,000 t where 20,000 are needed to come in.
    """
    sectors, tonnes, coal, area, before = np.broadcast_arrays(
        np.asarray(sector, dtype=object),
        whole("emissions", emissions),
        whole("energy use", energy),
        whole("a floor area", area_m2),
        np.asarray(listed_before, dtype=bool),
    )
    names, places = codes(sectors.ravel())

    def reaches(values: IntArray, table: Thresholds | None) -> Any:
        found = [(table or {}).get(name, (table or {}).get("all")) for name in names]
        limits = np.array([NEVER if limit is None else int(limit) for limit in found], dtype=np.int64)
        return values >= limits[places].reshape(sectors.shape)

    inside = reaches(tonnes, covered_emissions_from) | reaches(coal, covered_energy_from) | reaches(area, covered_area_from)
    return truth(inside | (before & (reaches(tonnes, kept_emissions_from) | reaches(coal, kept_energy_from))))
