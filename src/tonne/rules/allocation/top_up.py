"""What a trial phase adds to an allocation that its base year made too small."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.columns import plain, whole
from tonne.rules.declare import rule


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
