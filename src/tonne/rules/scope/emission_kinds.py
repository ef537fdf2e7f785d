"""Which emissions count, by kind of emitter: a plant's own, those of fuel it puts on the market, those of power it imports; biogenic ones apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tonne.rules.columns import plain, truth, whole
from tonne.rules.declare import rule


@rule("emissions_by_kind", unit="boolean", given={"emissions": "tCO2e", "kind": "text"})
def is_covered(emissions: Any, kind: Any, *, covered_emissions_from: Mapping[str, int | None]) -> Any:
    """Whether emissions of a kind bring an obligation on the law's day: they reach the kind's threshold.

    24,999 t of a plant -> no, 25,000 t -> yes; 1 t of imported power -> yes. A kind without a threshold in force brings none.
    """
    tonnes, kinds = np.broadcast_arrays(whole("emissions", emissions), np.asarray(kind, dtype=object))
    covered = np.zeros(tonnes.shape, dtype=bool)
    for name in sorted({str(k) for k in kinds.ravel().tolist()} & {k for k, bound in covered_emissions_from.items() if bound is not None}):
        rows = np.asarray(kinds == name, dtype=bool)
        covered[rows] = tonnes[rows] >= int(covered_emissions_from[name] or 0)
    return truth(covered)


@rule("emissions_by_kind", unit="tCO2e", given={"fossil": "tCO2e", "biogenic": "tCO2e", "biogenic_not_exempt": "tCO2e"})
def counted_emissions(fossil: Any, biogenic: Any = 0, biogenic_not_exempt: Any = 0, *, biogenic_exempt: bool) -> Any:
    """Emissions that count towards an obligation: those of fossil and process origin, and biogenic ones that do not meet the exemption's terms.

    3,245,087 t fossil, 12,855 t biogenic and exempt, 49,608 t biogenic and not exempt: 3,294,695 t.
    """
    exempt = whole("biogenic emissions", biogenic)
    return plain(whole("emissions", fossil) + whole("biogenic emissions", biogenic_not_exempt) + (0 if biogenic_exempt else exempt))
