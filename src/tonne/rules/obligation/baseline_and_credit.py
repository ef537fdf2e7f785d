"""Baseline and credit: who emits less than its limit earns units for the difference, who emits more owes the difference.

`limit` is what the system's `allocation` rule answers for the installation: a baseline, an output-based limit, a target intensity times output.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.columns import counted, plain
from tonne.rules.declare import rule


@rule("baseline_and_credit", unit="allowance", given={"verified": "tCO2e", "limit": "tCO2e"})
def obligation(verified: Any, limit: Any) -> Any:
    """Units owed: the emissions above the limit, nothing at or below it. 100,000 emitted under a limit of 90,000: 10,000."""
    return plain(np.maximum(counted("verified emissions", verified) - counted("a limit", limit), 0))


@rule("baseline_and_credit", unit="allowance", given={"verified": "tCO2e", "limit": "tCO2e"})
def units_earned(verified: Any, limit: Any) -> Any:
    """Units issued to an installation that stayed below its limit: the difference. 80,000 emitted under a limit of 90,000: 10,000."""
    return plain(np.maximum(counted("a limit", limit) - counted("verified emissions", verified), 0))
