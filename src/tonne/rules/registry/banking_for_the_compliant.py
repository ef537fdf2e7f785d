"""Banking for who surrendered on time: the holdings of others are void."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.columns import plain, whole
from tonne.rules.declare import rule


@rule("banking_for_the_compliant", unit="allowance", given={"holding": "allowance", "on_time": "boolean"})
def carry_over(holding: Any, on_time: Any = True) -> dict[str, Any]:
    """Units that stay good for the next year of the phase: all of them for who surrendered what was owed on time, none for others.

    25,000 held and complied: 25,000; not complied: 0, and 25,000 are void.
    """
    held, good = np.broadcast_arrays(whole("a holding", holding), np.asarray(on_time, dtype=bool))
    carried = np.where(good, held, 0)
    return {"carried": plain(carried), "void": plain(held - carried)}
