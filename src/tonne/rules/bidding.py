"""What the auctions of this room share: bids as the law reads them, how much is bid for at a price, where an auction clears.

A bid is a pair (price, quantity). How an under-subscribed auction ends is each mechanism's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from tonne.units import Rate, fraction

Bids = Sequence[Sequence[Any]]


def exact_price(price: Any) -> Decimal:
    """A price as a Decimal. Raises UnitsError for a binary float."""
    fraction(price)
    return Decimal(price)


def bid_quantity(quantity: Any) -> int:
    """A quantity bid for. Raises ValueError for a part of a unit and for less than nothing."""
    if not isinstance(quantity, (int, np.integer)) or quantity < 0:
        raise ValueError(f"{quantity!r} is no quantity: a whole number of units, zero or more, is bid for or offered")
    return int(quantity)


def demand_by_price(bids: Bids) -> list[tuple[Decimal, int]]:
    """Price and quantity bid for at that price or above, highest price first."""
    at: dict[Decimal, int] = {}
    for price, quantity in bids:
        at[exact_price(price)] = at.get(exact_price(price), 0) + bid_quantity(quantity)
    total, depth = 0, []
    for price in sorted(at, reverse=True):
        total += at[price]
        depth.append((price, total))
    return depth


def demand_at(depth: Sequence[tuple[Decimal, int]], price: Rate) -> int:
    """Units bid for at a price or above."""
    return max((total for at, total in depth if at >= price), default=0)


def clear_at_floor(depth: Sequence[tuple[Decimal, int]], volume: int, floor: Decimal | None) -> tuple[Decimal | None, int]:
    """Price and units sold: the lowest accepted bid, or the floor (without one the lowest bid) where not all is bid for."""
    valid = [(price, total) for price, total in depth if floor is None or price >= floor]
    for price, total in valid:
        if total >= volume:
            return price, volume
    if not valid:
        return floor, 0
    return (floor if floor is not None else valid[-1][0]), valid[-1][1]


def clear_at_lowest_bid(depth: Sequence[tuple[Decimal, int]], volume: int, floor: Any = None) -> tuple[Decimal | None, int]:
    """Price and units sold: the lowest bid that gets units, also where not all is bid for; None where nothing is sold."""
    price, sold = None, 0
    for bid, total in depth:
        if sold < volume and total > sold and (floor is None or fraction(bid) >= fraction(floor)):
            price, sold = bid, min(total, volume)
    return price, sold
