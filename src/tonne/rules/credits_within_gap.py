"""Credits that only fill a gap: a share of a base, and never more than what an entity lacks."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.cap import plain, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, Rate, multiply


@rule("credits_within_gap", unit="credit", given={"offered": "credit", "base": "allowance", "verified": "tCO2e"})
def gap_credits(offered: Any, base: Any, verified: Any, *, gap_credit_share: Rate) -> Any:
    """Credits that count for an entity whose first allocation (the base) is less than its emissions: up to a share of the base and up to the gap.

    Allocation plan of 2022, reductions proved by green power: 10 % of 1,000,000 are 100,000; with 1,060,000 emitted only 60,000 are lacking, so
    60,000 of 80,000 offered count. Who lacks nothing uses none.
    """
    at_hand, given, emitted = np.broadcast_arrays(whole("credits", offered), whole("a first allocation", base), whole("verified emissions", verified))
    room = np.minimum(multiply(np.array(given), gap_credit_share, rounding=DOWN), np.maximum(emitted - given, 0))
    return plain(np.minimum(at_hand, room))
