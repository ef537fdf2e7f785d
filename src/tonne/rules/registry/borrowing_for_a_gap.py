"""Borrowing from the next year by who lacks much of what it owes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tonne.rules.columns import plain, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, Rate, fraction, multiply


@rule("borrowing", unit="allowance", given={"gap": "allowance", "verified": "allowance", "next_pre_allocation": "allowance", "year": "year"})
def borrow_limit(
    gap: Any, verified: Any, next_pre_allocation: Any, year: int, *, borrow_share_of_gap: Mapping[int, Rate], borrow_gap_from: Rate
) -> Any:
    """Units that may be taken beforehand from the next pre-allocation: a share of a large enough gap (plan for 2021-22 of March 2023).

    A gap of 100,000 on 1,000,000 (10 %): 100,000 x 0.50 = 50,000. Of 99,999: nothing. A year without a share allows nothing.
    """
    gap, verified, ahead = whole("units", gap), whole("units", verified), whole("units", next_pre_allocation)
    share = borrow_share_of_gap.get(int(year)) or 0
    large = gap * fraction(borrow_gap_from).denominator >= verified * fraction(borrow_gap_from).numerator
    allowed = np.minimum(multiply(gap, share, rounding=DOWN), ahead)
    return plain(np.where(large & (gap > 0), allowed, 0))
