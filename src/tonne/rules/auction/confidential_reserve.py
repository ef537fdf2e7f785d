"""Auctions whose reserve price nobody knows: short of bids, an auction clears in part or is declined whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tonne.rules.bidding import Bids, clear_at_lowest_bid, demand_at, demand_by_price
from tonne.rules.declare import rule
from tonne.units import fraction


@rule(
    "confidential_reserve_auction",
    unit="money_per_unit",
    given={"year": "year", "offered": "allowance", "bids": "bid", "confidential_reserve": "money_per_unit"},
)
def auction_outcome(
    year: int, offered: int, bids: Bids, confidential_reserve: Any = None, *, reserve_price_by_year: Mapping[int, Any]
) -> dict[str, Any]:
    """Price, units sold and unsold, and whether the auction was declined; bids are pairs (price, quantity).

    The reserve is the public floor of the year or the confidential price above it. Enough bids at or above it: it clears. Fewer bids than units: it
    clears in part when every bid is at or above the reserve, and is declined whole when one is below. 10,000 units, a reserve of 70, bids of 4,000
    at 75 and 3,000 at 71: 7,000 sold at 71; one more bid of 1,000 at 69: nothing.
    """
    floor = max((fraction(p) for p in (reserve_price_by_year.get(year), confidential_reserve) if p is not None), default=fraction(0))
    depth = demand_by_price(bids)
    demand = demand_at(depth, floor)
    below = any(price < floor for price, _ in depth)
    declined = not any(price >= floor for price, _ in depth) or (demand < offered and below)
    price, sold = (None, 0) if declined else clear_at_lowest_bid(depth, int(offered), floor)
    return {"price": price, "sold": sold, "unsold": offered - sold, "declined": declined}
