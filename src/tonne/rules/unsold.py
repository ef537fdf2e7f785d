"""What becomes of units that nobody bid for: when they are offered again, how many at a time, and when they leave the auctions for good."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.cap import plain, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, Rate, fraction, multiply


@rule("reoffer_of_unsold", unit="auction", given={"settlements": "money_per_unit", "floors": "money_per_unit"})
def auctions_above_floor(settlements: Any, floors: Any) -> int:
    """How many of the latest auctions in a row settled above their floor; auctions are given oldest first.

    13.57 at a floor of 13.57, then 13.80 and 14.75: two (17 CCR 95911).
    """
    if len(settlements) != len(floors):
        raise ValueError(f"{len(settlements)} settlement prices and {len(floors)} floors; each auction has one of each")
    row = 0
    for settled, floor in zip(reversed(list(settlements)), reversed(list(floors)), strict=True):
        if fraction(settled) <= fraction(floor):
            break
        row += 1
    return row


@rule("reoffer_of_unsold", unit="allowance", given={"unsold": "allowance", "newly_offered": "allowance", "auctions_above": "auction"})
def reoffered(unsold: Any, newly_offered: Any, auctions_above: Any, *, reoffer_after_auctions: int, reoffer_limit_share: Rate) -> Any:
    """Unsold units that come back in the next auction: none before enough auctions settled above the floor, then a share of what is newly offered.

    (35,335,617 + 19,626,880) x 0.25 = 13,740,624.25 -> 13,740,624, as far as so many are unsold (17 CCR 95911; Q-2, r. 46.1, s. 54).
    """
    most = multiply(whole("what is newly offered", newly_offered), reoffer_limit_share, rounding=DOWN)
    ready = whole("a number of auctions", auctions_above) >= reoffer_after_auctions
    return plain(np.where(ready, np.minimum(whole("what is unsold", unsold), most), 0))


@rule("reoffer_of_unsold", unit="boolean", given={"unsold_since": "date", "on": "date"})
def leaves_auctions(unsold_since: Any, on: Any, *, unsold_months: int) -> Any:
    """Whether units are unsold for longer than the law lets them wait, so that they go to the price containment reserve.

    Unsold since 2016-02-17, 24 months: not on 2018-02-17, but from the day after. A day that the month lacks is its last one.
    """
    since, day = np.asarray(unsold_since, dtype="datetime64[D]"), np.asarray(on, dtype="datetime64[D]")
    month = since.astype("datetime64[M]")
    target = month + np.timedelta64(int(unsold_months), "M")
    last = (target + np.timedelta64(1, "M")).astype("datetime64[D]") - np.timedelta64(1, "D")
    term = np.minimum(target.astype("datetime64[D]") + (since - month.astype("datetime64[D]")), last)
    late = np.asarray(day > term, dtype=bool)
    return bool(late) if late.ndim == 0 else late
