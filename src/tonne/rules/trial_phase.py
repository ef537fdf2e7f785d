"""What a trial phase without fines does instead: it tops up what its base year missed, voids the holdings of those who did not comply, and
takes units off a later phase.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.cap import plain, whole
from tonne.rules.declare import rule
from tonne.units import UP, Rate, multiply


@rule("top_up_to_verified", unit="allowance", given={"initial": "allowance", "verified": "tCO2e"})
def final_allocation(initial: Any, verified: Any) -> Any:
    """Units of an installation after the top-up from the general reserve: its first allocation, or its verified emissions where they are higher.

    150,000 allocated, 160,000 verified: 160,000. 150,000 allocated, 140,000 verified: 150,000, nothing is taken back.
    """
    return plain(np.maximum(whole("an allocation", initial), whole("verified emissions", verified)))


@rule("top_up_to_verified", unit="allowance", given={"initial": "allowance", "verified": "tCO2e"})
def top_up(initial: Any, verified: Any) -> Any:
    """Units that the general reserve adds: 160,000 verified - 150,000 allocated = 10,000; nothing where less was emitted than allocated."""
    return plain(np.maximum(whole("verified emissions", verified) - whole("an allocation", initial), 0))


@rule("banking_for_the_compliant", unit="allowance", given={"holding": "allowance", "on_time": "boolean"})
def carry_over(holding: Any, on_time: Any = True) -> dict[str, Any]:
    """Units that stay good for the next year of the phase: all of them for who surrendered what was owed on time, none for others.

    25,000 held and complied: 25,000; not complied: 0, and 25,000 are void.
    """
    held, good = np.broadcast_arrays(whole("a holding", holding), np.asarray(on_time, dtype=bool))
    carried = np.where(good, held, 0)
    return {"carried": plain(carried), "void": plain(held - carried)}


@rule("later_phase_cut", unit="allowance", given={"missing": "allowance"})
def later_phase_cut(missing: Any, *, units_per_missing_unit: Rate | None = None) -> Any:
    """Units taken off what a later phase would allocate, for those missing now; the trial itself costs no money. 1,000 x 2 = 2,000."""
    lacking = whole("missing units", missing)
    if lacking.size and lacking.min() < 0:
        raise ValueError(f"{int(lacking.min()):,} missing units are a surplus")
    return plain(multiply(np.array(lacking), units_per_missing_unit if units_per_missing_unit is not None else 0, rounding=UP))
