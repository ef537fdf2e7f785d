"""What is owed for units that were not surrendered in time: more units than were missing, most of them allowances."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.cap import plain, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, Rate, fraction, multiply


@rule("untimely_surrender", unit="allowance", given={"shortfall": "allowance"})
def untimely_obligation(shortfall: Any, *, units_per_unit: Rate, credits_share_of_untimely: Rate | None = None) -> dict[str, Any]:
    """Units owed in all for missing ones: the missing units and so many on top for each, at most a share of them in credits (17 CCR 95857(b)).

    10,000 missing, three on top for each: 40,000 due, at most a quarter in offset credits: 10,000, at least 30,000 allowances. Without such a
    share nothing may be credits.
    """
    missing = whole("a shortfall", shortfall)
    on_top = np.asarray(multiply(missing, fraction(units_per_unit), rounding=DOWN), dtype=np.int64)
    credits = np.asarray(multiply(missing + on_top, credits_share_of_untimely or 0, rounding=DOWN), dtype=np.int64)
    due = missing + on_top
    return {
        "recovered": plain(missing),
        "on_top": plain(on_top),
        "due": plain(due),
        "credits_most": plain(credits),
        "allowances_least": plain(due - credits),
    }
