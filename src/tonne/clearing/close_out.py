"""Closing a defaulter's positions: sold to the members who bid most (bought from those who ask least), the rest at a price that is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tonne.clearing.exact import whole
from tonne.units import INT64_MAX, IntArray


class Bid(NamedTuple):
    """A member takes so many lots of the defaulter's position at a price in ticks: buys of a long position, sells to a short one."""

    member: int
    price: int
    lots: int


class Award(NamedTuple):
    """Lots (above 0) that a member took over, at the price it pays or receives."""

    instrument: int
    member: int
    price: int
    lots: int


@dataclass(frozen=True, slots=True)
class CloseOut:
    """What became of a defaulter's positions. loss: minor units, against the last settlement prices (below 0: a gain); awards; given: lots closed at
    the given prices, by instrument; remaining: lots that nobody took and no price was given for, still open; change: members x instruments, what to
    add to the members' positions."""

    loss: int
    awards: tuple[Award, ...]
    given: IntArray
    remaining: IntArray
    change: IntArray


def awards_of(position: int, bids: Sequence[Bid], instrument: int = 0, reserve: int | None = None, order: Sequence[int] | None = None) -> list[Award]:
    """Lots to bids at the prices bid: a long position to the highest first, a short one to the lowest.

    Equal prices stand in rising `order` (a number a bid, drawn by a seed), else as they came. Bids worse than the reserve get nothing; the last one
    takes what is left. Raises ValueError for a bid of no lots."""
    if any(bid.lots <= 0 for bid in bids):
        raise ValueError("a bid is for at least one lot")
    worse = -1 if position > 0 else 1
    ranks = range(len(bids)) if order is None else order
    queue = sorted(zip(bids, ranks, range(len(bids)), strict=True), key=lambda one: (worse * one[0].price, one[1], one[2]))
    left, found = abs(position), []
    for bid, _, _ in queue:
        if left == 0 or (reserve is not None and worse * (bid.price - reserve) > 0):
            break
        taken = min(left, bid.lots)
        left -= taken
        found.append(Award(instrument, bid.member, bid.price, taken))
    return found


def close_out(
    positions: Any,
    last: Any,
    tick_value: Any,
    members: int,
    *,
    bids: Mapping[int, Sequence[Bid]] | None = None,
    prices: Mapping[int, int] | None = None,
    reserves: Mapping[int, int] | None = None,
    orders: Mapping[int, Sequence[int]] | None = None,
    defaulters: Sequence[int] = (),
) -> CloseOut:
    """Closes the defaulter's positions (lots by instrument) and says what that cost.

    last: prices (ticks) up to which variation was paid; 0 for an option whose premium was paid, whose whole price then comes in. bids, reserves,
    orders: an auction by instrument. prices: where the auction leaves lots, or there was none, the price at which they were closed in the market.
    Raises ValueError for a bid by a defaulter, by no member, or on an instrument in which nothing is to be closed.
    """
    lots, settled, values = whole("positions", positions), whole("last prices", last), whole("tick value", tick_value)
    remaining, given = lots.copy(), np.zeros_like(lots)
    change = np.zeros((members, len(lots)), dtype=np.int64)
    awards: list[Award] = []
    loss = 0
    for instrument, offered in (bids or {}).items():
        side = int(np.sign(lots[instrument]))
        if side == 0:
            raise ValueError(f"bids on instrument {instrument}, but there is nothing to be closed in it")
        for bid in offered:
            if bid.member in defaulters or not 0 <= bid.member < members:
                raise ValueError(f"member {bid.member} cannot bid: it is in default or there is no such member")
        reserve, order = (reserves or {}).get(instrument), (orders or {}).get(instrument)
        for award in awards_of(int(lots[instrument]), offered, instrument, reserve, order):
            loss += side * award.lots * (int(settled[instrument]) - award.price) * int(values[instrument])
            remaining[instrument] -= side * award.lots
            change[award.member, instrument] += side * award.lots
            awards.append(award)
    for instrument, price in (prices or {}).items():
        given[instrument] = remaining[instrument]
        loss += int(remaining[instrument]) * (int(settled[instrument]) - price) * int(values[instrument])
        remaining[instrument] = 0
    if abs(loss) > INT64_MAX:
        raise OverflowError(f"a loss of {loss} does not fit 64 bits")
    return CloseOut(loss, tuple(awards), given, remaining, change)
