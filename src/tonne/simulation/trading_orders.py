"""What people send on a shown trading day: order flow around a price that wanders, news in the middle of the day, and two who misbehave.

Rows are drawn from a seed and from the book as it stands when they are made (whose orders are open, what the highest number is), so that a day that
was interrupted makes the same ones again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.market.orders import (
    ALL_INSTRUMENTS,
    INSTRUCTION,
    Instruction,
    Lasting,
    OrderFlag,
    OrderKind,
    Phase,
    SelfTrade,
    Side,
    Verb,
    instructions_of,
)
from tonne.simulation.randomness import generator
from tonne.simulation.trading_floor import MINUTE, Floor

#: Shares of the first price: a usual distance from the middle; what a price may move at a trade before a call begins; a day's limits; what news takes
#: off the price; where those stand who buy only far below; the least at which the seller who heard the news first sells.
STEP, BREAKER, LIMIT = Fraction(1, 2000), Fraction(16, 1000), Fraction(10, 100)
NEWS, FAR_BELOW, SELLS_AT = Fraction(42, 1000), Fraction(32, 1000), Fraction(36, 1000)
SECOND = 1_000_000
LARGEST = 60
#: A sender's own mark: orders far below the market, which their owners leave where they are.
PATIENT = 0x0100
NEWS_LOTS = 3_000
#: A future is worth so much more than the unit today.
CARRY = Fraction(1, 100)


class Flow:
    """Orders of the crowd: `crowd` their ledger accounts, `floor` what is traded, `lots` how many lots of an instrument a usual lot is."""

    def __init__(self, floor: Floor, seed: int, slices: int) -> None:
        self.floor, self.seed, self.slices = floor, seed, slices
        self.step = floor.ticks(STEP)
        self.sizes = [max(1, 1000 // one.contract.lot) for one in floor.traded]

    def middle(self, day: date, place: int, instrument: int, news_at: int | None) -> int:
        """The price around which people stand in a slice of a day, in the instrument's ticks."""
        floor, contract = self.floor, self.floor.traded[instrument].contract
        walk = generator(self.seed, "path", day.isoformat()).normal(0.0, 5.0 / self.slices**0.5, self.slices + 1)
        moved = int(np.clip(np.rint(walk[: place + 1].sum() * self.step), -10 * self.step, 10 * self.step))
        start = contract.ticks(floor.price) + (floor.ticks(CARRY) if instrument == 1 else 0)
        fallen = floor.ticks(NEWS) if news_at is not None and place >= news_at else 0
        return start + moved - fallen

    def rows(self, state: Any, crowd: Sequence[int], day: date, place: int, times: Sequence[int], news_at: int | None = None) -> list[Instruction]:
        """One instruction at each of these moments, most of them orders; an instruction in forty has something wrong."""
        random = generator(self.seed, "flow", day.isoformat(), str(place))
        book = state.exchange.book
        resting = book.open_orders()
        resting = resting[np.isin(resting["account"], crowd) & ((resting["flags"] & PATIENT) == 0)]
        weights = 1.0 / (3.0 + np.arange(len(crowd)))
        weights /= weights.sum()
        middles = [self.middle(day, place, instrument, news_at) for instrument in (0, 1)]
        number = book.highest
        found = []
        for time in times:
            chance = random.random()
            account = crowd[int(random.choice(len(crowd), p=weights))]
            if chance < 0.22 and len(resting):
                one = resting[int(random.integers(len(resting)))]
                found.append(self._change(random, one, int(time), chance < 0.06))
                continue
            number += 1
            order = self._order(random, number, account, middles, int(time))
            found.append(self._spoilt(random, order, middles) if chance > 0.975 else order)
            if found[-1].order != number:
                number -= 1
        return found

    def _order(self, random: Any, number: int, account: int, middles: Sequence[int], time: int) -> Instruction:
        instrument = int(random.random() < 0.6)
        side = Side(int(random.integers(2)))
        away = int(np.clip(np.rint(random.normal(-1.0, 2.2) * self.step), -8 * self.step, 8 * self.step))
        price = middles[instrument] + (away if side == Side.BUY else -away)
        lots = min(1 + int(random.pareto(1.4) * 3), LARGEST) * self.sizes[instrument]
        kind = random.random()
        order = Instruction(order=number, price=price, quantity=lots, time=time, account=account, instrument=instrument, side=side)
        if kind < 0.07:
            return order._replace(lasting=Lasting.IOC)
        if kind < 0.10 and instrument == 1:
            return order._replace(kind=OrderKind.MARKET, price=0, lasting=Lasting.IOC, quantity=self.sizes[1])
        if kind < 0.14:
            return order._replace(display=max(1, lots // 4))
        if kind < 0.17:
            return order._replace(flags=int(OrderFlag.POST_ONLY))
        if kind < 0.19:
            return order._replace(lasting=Lasting.FOK)
        return order

    def _change(self, random: Any, one: Any, time: int, amends: bool) -> Instruction:
        """Cancel, or amend, an order that was open when the slice began; by now it may have traded."""
        row = Instruction(verb=Verb.CANCEL, order=int(one["order"]), account=int(one["account"]), instrument=int(one["instrument"]), time=time)
        if not amends or not one["price"] or one["display"]:
            return row
        better = int(one["price"]) + int(random.integers(-self.step, self.step + 1))
        return row._replace(verb=Verb.AMEND, price=better, quantity=max(1, int(one["left"]) // 2))

    def _spoilt(self, random: Any, order: Instruction, middles: Sequence[int]) -> Instruction:
        """The order as senders get it wrong: a price typed wrongly, a quantity with three zeros more, a number used before, ..."""
        middle = middles[order.instrument]
        wrong = (
            order._replace(price=middle * 115 // 100, kind=OrderKind.LIMIT, side=Side.BUY, display=0, flags=0, lasting=Lasting.DAY),
            order._replace(price=middle * 87 // 100, kind=OrderKind.LIMIT, side=Side.BUY, display=0, flags=0, lasting=Lasting.DAY),
            order._replace(quantity=1_000 * order.quantity, display=0),
            order._replace(order=1),
            order._replace(quantity=0, display=0),
            order._replace(verb=Verb.CANCEL, order=max(order.order - 1, 1), account=order.account),
            order._replace(kind=OrderKind.MARKET, price=0, lasting=Lasting.DAY, display=0, flags=0, instrument=0, side=Side.BUY),
        )
        return wrong[int(random.integers(len(wrong)))]

    def news(self, state: Any, seller: int, day: date, place: int, time: int) -> Any:
        """Whoever heard it first sells: spot and future, more than the book can take within the breaker."""
        number, rows = state.exchange.book.highest, []
        for instrument in (0, 1):
            number += 1
            price = self.middle(day, place - 1, instrument, None) - self.floor.ticks(SELLS_AT)
            lots = NEWS_LOTS * self.sizes[instrument]
            rows.append(Instruction(order=number, price=price, quantity=lots, time=time, account=seller, instrument=instrument, side=Side.SELL))
        return instructions_of(rows)

    def far_below(self, state: Any, buyers: Sequence[int], day: date, place: int, time: int) -> list[Instruction]:
        """Those who buy only well below the market of a slice."""
        number, rows = state.exchange.book.highest, []
        for instrument in (0, 1):
            for rank, account in enumerate(buyers):
                number += 1
                price = self.middle(day, place, instrument, None) - self.floor.ticks(FAR_BELOW) - rank * self.step
                lots = 20 * self.sizes[instrument]
                rows.append(Instruction(order=number, price=price, quantity=lots, time=time, account=account, instrument=instrument, flags=PATIENT))
        return rows

    # -- two who misbehave

    def with_itself(self, state: Any, account: int, middle: int) -> Any:
        """A wash trade in the future: an account sells to itself, inside the best prices where there is room, else through the best offer."""
        book = state.exchange.book
        bid, offer = book.best(1)
        price = offer or (bid + 1 if bid else middle)
        ahead = 0
        if bid and offer and offer - bid > 1:
            price = bid + 1
        elif offer:
            rows = book.open_orders()
            mine = (rows["instrument"] == 1) & (rows["side"] == int(Side.SELL)) & (rows["price"] == price)
            ahead = int(rows["left"][mine].sum())
        first = Instruction(order=book.highest + 1, price=price, quantity=5, account=account, instrument=1, side=Side.SELL)
        second = first._replace(order=first.order + 1, side=Side.BUY, quantity=ahead + 5, self_trade=SelfTrade.ALLOW)
        return instructions_of([first, second])

    def layers(self, state: Any, account: int, other: int, middle: int, time: int) -> Any:
        """Layering in the future: large sell orders shown and taken away within a minute, while their owner buys a little below them."""
        number = state.exchange.book.highest
        above = middle + 12 * self.step
        first = Instruction(price=above, quantity=60, account=account, instrument=1, side=Side.SELL)
        offers = [first._replace(order=number + 1 + place, price=above + place, time=time + place * SECOND) for place in range(4)]
        sold = Instruction(order=number + 5, price=middle + 1, quantity=150, time=time + 10 * SECOND, account=other, instrument=1, side=Side.SELL)
        bought = Instruction(order=number + 6, price=middle + 10 * self.step, quantity=5, time=time + 12 * SECOND, account=account, instrument=1)
        gone = [row._replace(verb=Verb.CANCEL, price=0, quantity=0, time=time + (30 + place) * SECOND) for place, row in enumerate(offers)]
        return instructions_of([*offers, sold, bought, *gone])


# -- what the venue instructs


def phase(wanted: Phase, time: int, instrument: int = ALL_INSTRUMENTS) -> Instruction:
    return Instruction(verb=Verb.PHASE, phase=wanted, instrument=instrument, time=time)


def limits(state: Any, floor: Floor, time: int) -> Iterator[Instruction]:
    """The day's price limits around the last settlement price, where the contract has none of its own; and the breaker."""
    width, breaker = floor.ticks(LIMIT), floor.ticks(BREAKER)
    for number in (0, 1):
        mark = int(state.exchange.marks[number])
        if state.exchange.listed[number]["price_limit"] is None:
            yield Instruction(
                verb=Verb.REFERENCE, instrument=number, price=mark, stop=max(1, mark - width), display=mark + width, quantity=breaker, time=time
            )


def calls_end(state: Any, floor: Floor, first: int, last: int) -> list[Instruction]:
    """The venue ends volatility calls after the minutes of the plan."""
    book = state.exchange.book
    began = int(book.last_time)
    end = min(max(began + floor.session.plan.volatility_minutes * MINUTE, first), last - 1)
    return [phase(Phase.CONTINUOUS, end, number) for number in (0, 1) if book.phase(number) == Phase.VOLATILITY_CALL]


def in_order(rows: Sequence[Instruction]) -> Any:
    """A batch, by time; what is given first comes first at one moment."""
    table = instructions_of(rows) if rows else np.zeros(0, dtype=INSTRUCTION)
    return table[np.argsort(table["time"], kind="stable")]
