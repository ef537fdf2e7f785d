"""The price that positions are marked at every day: from trades, else from quotes, else the day before's.

Source of the order: contract pages that name a trade-weighted average in a window of minutes and quoted prices when it is illiquid (facts,
`daily_settlement_price`). The window, the least number of lots and the widest spread that still counts are the venue's and come in as arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tonne.clearing.exact import whole
from tonne.units import NEAREST, Rounding, round_fraction


class NoPrice(ValueError):
    """No trade, no quote and no previous price: somebody has to set one."""


@dataclass(frozen=True, slots=True)
class SettlementPrice:
    """A price in ticks and where it comes from: `trades`, `quotes` or `previous`; with the lots behind it."""

    ticks: int
    source: str
    lots: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one expiry at the end of the day: trades (prices, lots, times), the best bid and offer, the day before's price."""

    prices: Any = ()
    lots: Any = ()
    times: Any = None
    bid: int | None = None
    offer: int | None = None
    previous: int | None = None


def settlement_price(
    evidence: Evidence,
    *,
    window: tuple[int, int] | None = None,
    least_lots: int = 1,
    widest_spread: int | None = None,
    move: int = 0,
    rounding: Rounding = NEAREST,
) -> SettlementPrice:
    """The settlement price of one instrument, in ticks.

    1. Trades inside the window (from, before; needs `times`) of at least `least_lots` lots together: their average weighted by lots, rounded to
       the tick. 2. Else a bid and an offer no further apart than `widest_spread` ticks: their middle, rounded, which lies within both. 3. Else the
       previous price plus `move` (what the caller's reference moved), lifted to a bid above it and lowered to an offer below it.
       20 lots at 8,360 and 10 at 8,351: 8,357. Raises NoPrice with none of the three, ValueError for an offer below the bid.
    """
    bid, offer = evidence.bid, evidence.offer
    if bid is not None and offer is not None and offer < bid:
        raise ValueError(f"the offer, {offer} ticks, is below the bid, {bid}: a crossed book has no settlement price")
    prices, lots = whole("prices", evidence.prices), whole("lots", evidence.lots)
    if window is not None and len(prices):
        if evidence.times is None:
            raise ValueError("a window needs the times of the trades")
        times = whole("times", evidence.times)
        inside = (times >= window[0]) & (times < window[1])
        prices, lots = prices[inside], lots[inside]
    traded = sum(int(amount) for amount in lots)
    if traded >= max(least_lots, 1):
        weighed = sum(int(price) * int(amount) for price, amount in zip(prices, lots, strict=True))
        return SettlementPrice(round_fraction(Fraction(weighed, traded), rounding), "trades", traded)
    if bid is not None and offer is not None and (widest_spread is None or offer - bid <= widest_spread):
        return SettlementPrice(round_fraction(Fraction(bid + offer, 2), rounding), "quotes")
    if evidence.previous is None:
        raise NoPrice("no trade in the window, no bid and offer close enough, no previous price; set one by hand")
    return SettlementPrice(_between(evidence.previous + move, bid, offer), "previous")


def settlement_curve(expiries: Sequence[Evidence], **rules: Any) -> list[SettlementPrice]:
    """Settlement prices of the expiries of one future, nearest first: an expiry with neither trades nor quotes moves by as many ticks as the
    nearest one that has (the earlier of two equally near). Takes the keywords of `settlement_price` but `move`."""
    first = [_try(one, rules) for one in expiries]
    known = {
        place: price.ticks - before
        for place, (one, price) in enumerate(zip(expiries, first, strict=True))
        if price is not None and price.source != "previous" and (before := one.previous) is not None
    }
    settled = []
    for place, (one, price) in enumerate(zip(expiries, first, strict=True)):
        if price is not None and price.source != "previous":
            settled.append(price)
            continue
        near = min(known, key=lambda other: (abs(other - place), other), default=None)
        settled.append(settlement_price(one, move=0 if near is None else known[near], **rules))
    return settled


def _try(evidence: Evidence, rules: dict[str, Any]) -> SettlementPrice | None:
    try:
        return settlement_price(evidence, **rules)
    except NoPrice:
        return None


def _between(price: int, bid: int | None, offer: int | None) -> int:
    price = price if bid is None else max(price, bid)
    return price if offer is None else min(price, offer)
