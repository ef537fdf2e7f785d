"""What is sold: the part of a year's quantity that is not given away, less what is held back, plus what comes back."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.columns import Table, exactly, plain, truth, whole
from tonne.rules.declare import rule
from tonne.units import NEAREST, IntArray, Rate, multiply


@rule(
    "residual_auction",
    unit="allowance",
    given={"year": "year", "cap": "allowance", "allocated": "allowance", "msr_intake": "allowance", "msr_release": "allowance"},
)
def auction_volume(
    year: Any,
    cap: Any,
    allocated: Any = 0,
    msr_intake: Any = 0,
    msr_release: Any = 0,
    *,
    auction_share: Rate | None = None,
    withheld: Table | None = None,
    returned: Table | None = None,
) -> Any:
    """Units to be auctioned in a year, never below zero (Directive 2003/87/EC art. 10(1); Decision (EU) 2015/1814 art. 1(5)).

    The law: the share of the cap that is auctioned, less what a stability reserve takes in, plus what it releases, less what is postponed, plus what
    comes back; with more given away than the share leaves, auctions shrink to the remainder. Without a share in force the whole remainder is sold.
    The rest of the free part stays unsold: it serves new entrants. 2022: 1,528,579,492 x 0.57 = 871,290,310 before the reserve.
    """
    caps, free = whole("a cap", cap), whole("an allocation", allocated)
    left = caps - free
    if auction_share is not None:
        left = np.minimum(left, multiply(caps, auction_share, rounding=NEAREST))
    moved = _of_year(returned, year) - _of_year(withheld, year) + whole("a release", msr_release) - whole("an intake", msr_intake)
    return plain(np.maximum(left + moved, 0))


@rule("residual_auction", unit="boolean", given={"offered": "allowance", "bid_volume": "allowance"})
def auction_is_cancelled(offered: Any, bid_volume: Any, *, undersubscription: str) -> Any:
    """Whether an auction is cancelled because fewer units are bid for than are on offer (Regulation (EU) No 1031/2010 art. 7(5)).

    Offer 10 lots, bids for 9 -> cancelled, where the text orders `cancel`; a text that orders `partial` sells what is bid for.
    """
    short = whole("bids", bid_volume) < whole("an offer", offered)
    answer = short if undersubscription == "cancel" else np.zeros_like(short)
    return truth(answer)


@rule("aviation_auction", unit="allowance", given={"year": "year", "aviation_quantity": "allowance"})
def aviation_auction_volume(year: int, aviation_quantity: Any, *, aviation_auction_share: Table) -> Any:
    """Aviation units to be auctioned in a year: a share of the year's aviation quantity (Directive 2003/87/EC art. 3d).

    38,000,000 x 0.15 = 5,700,000. Raises ValueError for a year without a share.
    """
    share = exactly(aviation_auction_share, int(year), "auction share for aviation")
    return multiply(plain(whole("an aviation quantity", aviation_quantity)), share, rounding=NEAREST)


def _of_year(table: Table | None, year: Any) -> IntArray:
    """What a table of quantities says of each row's year; nothing for a year it does not name."""
    years = whole("a year", year)
    if not table:
        return np.zeros(years.shape, dtype=np.int64)
    return np.asarray(np.vectorize(lambda y: int(table.get(int(y)) or 0), otypes=[np.int64])(years) if years.size else years, dtype=np.int64)
