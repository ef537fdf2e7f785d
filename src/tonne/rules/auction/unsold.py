"""What becomes of units that nobody bid for: offered again in full, in parts or after a while, or gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tonne.rules.bidding import bid_quantity
from tonne.rules.columns import plain, truth, whole
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
    return truth(late)


@rule("unsold_spread_over_auctions", unit="allowance", given={"unsold": "allowance", "planned": "allowance", "already": "allowance"})
def unsold_spread(
    unsold: int, planned: Sequence[int], already: Sequence[int] | None = None, *, spread_auctions: int, spread_ceiling: Rate
) -> dict[str, Any]:
    """What later auctions offer when units stay unsold: an equal part to each of the next ones, none above a multiple of its first planned volume.

    SI 2021/484. What one auction cannot take goes to the others, what none can take to the stability account. 1,000 unsold, four auctions of
    10,000: 10,250 each. 12,000 unsold, four of 10,000: 12,500 each and 2,000 for the account.
    """
    first = [int(q) for q in planned][: int(spread_auctions)]
    volumes = [q + int(a) for q, a in zip(first, [0] * len(first) if already is None else already, strict=True)]
    ceilings = [multiply(q, spread_ceiling, rounding=DOWN) for q in first]
    left = int(unsold)
    while left > 0 and (open_ := [i for i, v in enumerate(volumes) if v < ceilings[i]]):
        part, extra = divmod(left, len(open_))
        for place, i in enumerate(open_):
            added = min(part + (place < extra), ceilings[i] - volumes[i])
            volumes[i] += added
            left -= added
    return {"volumes": volumes, "to_account": left}


@rule("unsold_units_return", unit="allowance", given={"planned": "allowance", "demand": "allowance"})
def auction_series(planned: Sequence[int], demand: Sequence[int], *, unsold_passes_year_end: bool) -> dict[str, Any]:
    """What the auctions of a year offer and sell when unsold units are added to the next one, and what passes into the next year.

    Four auctions of 4,475,000 without a sale offer 4,475,000, 8,950,000, 13,425,000 and 17,900,000; nothing passes the end of the year where
    the law says so: all 17,900,000 are gone.
    """
    offered, sold, left = [], [], 0
    for volume, wanted in zip(planned, demand, strict=True):
        offered.append(bid_quantity(volume) + left)
        sold.append(min(offered[-1], bid_quantity(wanted)))
        left = offered[-1] - sold[-1]
    return {"offered": offered, "sold": sold, "to_next_year": left if unsold_passes_year_end else 0, "gone": 0 if unsold_passes_year_end else left}
