"""Free units by past emissions, so much less each year until a sector's free years are over."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.columns import plain, whole
from tonne.rules.declare import rule
from tonne.units import NEAREST, Rate, fraction, multiply


@rule("declining_free_share", unit="allowance", given={"year": "year", "sector": "sector", "quantity": "tCO2e", "benchmarked": "allowance"})
def allocation(
    year: int,
    sector: Any,
    quantity: Any,
    benchmarked: Any = 0,
    *,
    free_share_start: int,
    free_share_cut: Mapping[str, Rate],
    free_share_end: Mapping[str, int] | None = None,
) -> Any:
    """Free units by past emissions: all of them in the first year, so much less each year after, nothing once the sector's free years are over.

    `quantity` is the tonnes of the base; a sector's allocation never falls below its benchmark, where one is given. 1,000,000 x (1 - 0.05 x 4) =
    800,000 in the fifth year; industry 1,000,000 x (1 - 0.15 x 4) = 400,000. Raises ValueError for a sector without a rate.
    """
    sectors, base, floor = np.broadcast_arrays(
        np.asarray(sector, dtype=object), whole("a base", quantity), whole("an allocation by benchmark", benchmarked)
    )
    out = np.zeros(base.shape, dtype=np.int64)
    passed = max(int(year) - int(free_share_start), 0)
    for name in sorted({str(s) for s in sectors.ravel().tolist()}):
        if name not in free_share_cut:
            raise ValueError(f"no yearly cut of free units for sector {name!r}; there is one for {', '.join(free_share_cut)}")
        rows = np.asarray(sectors == name, dtype=bool)
        end = (free_share_end or {}).get(name)
        share = max(1 - fraction(free_share_cut[name]) * passed, Fraction(0)) if end is None or int(year) < int(end) else Fraction(0)
        out[rows] = np.maximum(multiply(np.array(base[rows]), share, rounding=NEAREST), floor[rows])
    return plain(out)
