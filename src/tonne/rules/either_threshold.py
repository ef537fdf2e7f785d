"""Who must take part where the law has two thresholds side by side: yearly emissions, or yearly energy use in tonnes of coal equivalent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tonne.rules.cap import whole
from tonne.rules.declare import rule

_NEVER = np.iinfo(np.int64).max
Limits = Mapping[str, int | None]


@rule("either_threshold", unit="boolean", given={"sector": "sector", "emissions": "tCO2e", "energy": "tce"})
def is_covered(
    sector: Any, emissions: Any = 0, energy: Any = 0, *, covered_emissions_from: Limits | None = None, covered_energy_from: Limits | None = None
) -> Any:
    """Whether an entity takes part: its sector is in the system and its emissions or its energy use of a year reach the threshold.

    A sector that is not named has the thresholds of `all`; one whose threshold is repealed is outside. Allocation plan of 2023 of a provincial
    system: 10,000 t of CO2 or 5,000 tce. 9,999 t and 4,999 tce -> no; 9,999 t and 5,000 tce -> yes.
    """
    names, tonnes, coal = np.broadcast_arrays(
        np.asarray(sector, dtype=object), whole("yearly emissions", emissions), whole("yearly energy use", energy)
    )
    kinds, places = np.unique(names.astype(str), return_inverse=True)
    places = places.reshape(names.shape)
    covered = tonnes >= _limits(kinds, covered_emissions_from)[places]
    covered = covered | (coal >= _limits(kinds, covered_energy_from)[places])
    return bool(covered) if covered.ndim == 0 else covered


def _limits(kinds: Any, table: Limits | None) -> Any:
    """The threshold of each sector; one that nobody reaches where there is none."""
    found = [(table or {}).get(str(kind), (table or {}).get("all")) for kind in kinds]
    return np.array([_NEVER if limit is None else int(limit) for limit in found], dtype=np.int64)
