"""Auctions that clear partly instead of being cancelled: short of bids, the lowest one that counts is the price."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tonne.rules.bidding import Bids, clear_at_lowest_bid, demand_by_price
from tonne.rules.columns import latest
from tonne.rules.declare import rule
from tonne.units import fraction


@rule(
    "partial_clearing_auction", unit="allowance", given={"year": "year", "offered": "allowance", "bids": "bid", "secondary_price": "money_per_unit"}
)
def auction_outcome(
    year: int, offered: int, bids: Bids, secondary_price: Any = None, *, reserve_price_by_year: Mapping[int, Decimal]
) -> dict[str, Any]:
    """Price, units sold and unsold of an auction that clears partly instead of being cancelled; bids are pairs (price, quantity).

    Bids below the reserve price do not count. Short of bids, the lowest one that counts is the price: 10,000 offered, 9,000 bid for down to 30 ->
    9,000 sold at 30. Where the price lies far below the secondary market's (then give that), only bids that match or exceed it are filled.
    """
    floors = [fraction(price) for price in (latest(reserve_price_by_year, int(year)), secondary_price) if price is not None]
    price, sold = clear_at_lowest_bid(demand_by_price(bids), int(offered), max(floors, default=None))
    return {"price": price, "sold": sold, "unsold": int(offered) - sold}
