"""What rests in one instrument of the plain book, and the price of its call."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tonne.market.draw import drawn
from tonne.market.orders import InstrumentRules, OrderKind, Side

__all__ = ["Market", "Order", "call_price"]


@dataclass(slots=True, eq=False)
class Order:
    number: int
    account: int
    market: Market
    side: int
    kind: int
    lasting: int
    expires: int
    flags: int
    self_trade: int
    price: int
    stop: int
    left: int
    peak: int
    shown: int = 0

    def crosses(self, price: int) -> bool:
        """May it trade at this price?"""
        if self.kind == OrderKind.MARKET:
            return True
        return price <= self.price if self.side == Side.BUY else price >= self.price


@dataclass(slots=True, eq=False)
class Market:
    """One instrument: what rests, by side and price (price 0: market orders that wait for a call), each list in order of time."""

    number: int
    rules: InstrumentRules
    phase: int
    reference: int
    lowest_accepted: int
    highest_accepted: int
    breaker: int
    last: int = 0
    draws: int = 0
    resting: tuple[dict[int, list[Order]], dict[int, list[Order]]] = field(default_factory=lambda: ({}, {}))
    stops: list[Order] = field(default_factory=list)

    def prices(self, side: int) -> list[int]:
        """Limit prices with orders, best first."""
        return sorted((price for price in self.resting[side] if price), reverse=side == Side.BUY)

    def best(self, side: int) -> int:
        prices = (price for price in self.resting[side] if price)
        return max(prices, default=0) if side == Side.BUY else min(prices, default=0)

    def in_turn(self, side: int) -> list[Order]:
        """All resting orders of a side as they would trade."""
        return [order for price in [0, *self.prices(side)] for order in self.resting[side].get(price, [])]

    def all_orders(self) -> list[Order]:
        return self.in_turn(Side.BUY) + self.in_turn(Side.SELL) + self.stops

    def accepts(self, price: int) -> bool:
        return price >= self.lowest_accepted and not (self.highest_accepted and price > self.highest_accepted)

    def possible(self, price: int) -> bool:
        return self.rules.lowest_price <= price <= self.rules.highest_price

    def draw(self) -> int:
        self.draws += 1
        return int(drawn(self.rules.seed, np.array([self.draws - 1]))[0])

    def place(self, order: Order) -> None:
        """Last in the queue at its price, showing its peak."""
        order.shown = min(order.peak, order.left) if order.peak else order.left
        self.resting[order.side].setdefault(order.price, []).append(order)

    def remove(self, order: Order) -> None:
        if order in self.stops:
            self.stops.remove(order)
            return
        queue = self.resting[order.side][order.price]
        queue.remove(order)
        if not queue:
            del self.resting[order.side][order.price]


def call_price(market: Market) -> tuple[int, int, int]:
    """(price, volume, surplus) of a call: the largest volume; then the smallest surplus; then nearest the reference; then the higher price.

    Every tick from the lowest to the highest limit in the book is a candidate, and the reference itself (the last trade's price where there is none).
    """
    reference = market.reference or market.last
    buys, sells = market.in_turn(Side.BUY), market.in_turn(Side.SELL)
    limits = [order.price for order in buys + sells if order.price]
    candidates = set(range(min(limits), max(limits) + 1)) if limits else set()
    if reference:
        candidates.add(reference)
    found = (0, 0, 0)
    best: tuple[int, int, int, int] | None = None
    for price in sorted(candidates):
        demand = sum(order.left for order in buys if order.price == 0 or order.price >= price)
        supply = sum(order.left for order in sells if order.price == 0 or order.price <= price)
        distance = abs(price - reference) if reference else 0
        rank = (min(demand, supply), -abs(demand - supply), -distance, price)
        if best is None or rank > best:
            best, found = rank, (price, min(demand, supply), demand - supply)
    return found
