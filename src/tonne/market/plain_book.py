"""The plain book: the rules of `orders.py` in the most obvious way, to say what the fast book must answer.

Dicts, lists and plain ints; each queue is a list, each search a loop. Kept for ever: the two books may differ only where one of them is wrong. Slow
on purpose; never make it clever. `plain_market.py` holds what rests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tonne.market.book_calls import BookCalls
from tonne.market.book_state import OPEN_ORDER, Best, BookState, Depth, InstrumentState, OpenOrder, OpenOrders, read_state, write_state
from tonne.market.orders import (
    ALL_INSTRUMENTS,
    EXECUTION,
    FEWEST_PARTS,
    INSTRUCTION,
    LARGEST_ACCOUNT,
    LARGEST_QUANTITY,
    NUMBERS_AHEAD,
    Executions,
    Happening,
    Instruction,
    Instructions,
    InstrumentRules,
    Lasting,
    Matching,
    OrderFlag,
    OrderKind,
    Phase,
    Reason,
    SelfTrade,
    Side,
    Verb,
    instructions_of,
    wrong_reference,
)
from tonne.market.plain_market import Market, Order, call_price

__all__ = ["PlainBook"]

COLLECTING = (Phase.PRE_OPEN, Phase.OPENING_CALL, Phase.VOLATILITY_CALL, Phase.CLOSING_CALL)
CALLS = (Phase.OPENING_CALL, Phase.VOLATILITY_CALL, Phase.CLOSING_CALL)
TRADED_OUT = (Phase.CONTINUOUS, Phase.POST_CLOSE, Phase.CLOSED)
AT_ONCE = (Lasting.IOC, Lasting.FOK)
STOPS = (OrderKind.STOP, OrderKind.STOP_LIMIT)
LIMITED = (OrderKind.LIMIT, OrderKind.STOP_LIMIT)
KNOWN_FLAGS = int(OrderFlag.POST_ONLY | OrderFlag.SENDERS)


class Refused(Exception):
    """Raised while judging an instruction, before anything is changed."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason


class PlainBook(BookCalls):
    """The same public methods as OrderBook, with the same answers."""

    def __init__(self, instruments: Sequence[InstrumentRules] = (), capacity: int = 0) -> None:
        self._markets: list[Market] = []
        self._open: dict[int, Order] = {}
        self._used: set[int] = set()
        self._killed: set[int] = set()
        self._count = 0
        self._time = 0
        self._highest = 0
        self._now = Instruction()
        self._rows: list[tuple[int, ...]] = []
        self._low_trade = self._high_trade = 0  # of the order that trades now; 0 none yet
        for rules in instruments:
            self.add_instrument(rules)

    def add_instrument(self, rules: InstrumentRules) -> int:
        n = len(self._markets)
        market = Market(n, rules, rules.phase, rules.reference, rules.lowest_accepted, rules.highest_accepted, rules.breaker)
        self._markets.append(market)
        return n

    # writing

    def submit(self, instructions: Instructions) -> Executions:
        if instructions.dtype != INSTRUCTION or instructions.ndim != 1:
            raise TypeError("instructions are a one-dimensional array of dtype INSTRUCTION")
        self._rows = []
        for row in instructions.tolist():
            self._do(Instruction(*row))
        return np.array(self._rows, dtype=EXECUTION)

    def send(self, instruction: Instruction) -> Executions:
        return self.submit(instructions_of([instruction]))

    def _do(self, i: Instruction) -> None:
        if i.time == 0:
            i = i._replace(time=self._time)
        self._now = i
        handlers: dict[int, Callable[[Instruction], None]] = {
            Verb.NEW: self._new, Verb.CANCEL: self._cancel, Verb.AMEND: self._amend, Verb.TAKE: self._take, Verb.MASS_CANCEL: self._mass_cancel,
            Verb.KILL: self._kill, Verb.REVIVE: self._revive, Verb.PHASE: self._phase, Verb.REFERENCE: self._reference, Verb.EXPIRE: self._expire,
        }  # fmt: skip
        try:
            if i.verb not in handlers:
                raise Refused(Reason.BAD_INSTRUCTION)
            handlers[i.verb](i)
            self._time = i.time
        except Refused as refusal:
            self._row(Happening.REFUSED, i.order, i.price, i.quantity, 0, i.account, i.instrument, i.side, refusal.reason)
        self._count += 1

    def _row(
        self, happening: int, order: int, price: int, quantity: int, left: int, account: int, instrument: int, side: int,
        reason: int = Reason.NONE, against: int = 0, other: int = -1,
    ) -> None:  # fmt: skip
        time = self._now.time
        self._rows.append((self._count, order, against, price, quantity, left, time, account, other, instrument, happening, reason, side, 0))

    def _about(self, happening: int, order: Order, quantity: int, left: int, reason: int = Reason.NONE) -> None:
        self._row(happening, order.number, order.price, quantity, left, order.account, order.market.number, order.side, reason)

    # judging

    def _check_time(self) -> None:
        if self._now.time < self._time:
            raise Refused(Reason.CLOCK_BACKWARDS)

    def _check_number(self, number: int) -> None:
        if not 1 <= number <= min(self._highest + NUMBERS_AHEAD, 2**31 - 1):
            raise Refused(Reason.BAD_INSTRUCTION)

    def _market(self, number: int) -> Market:
        if not 0 <= number < len(self._markets):
            raise Refused(Reason.UNKNOWN_INSTRUMENT)
        return self._markets[number]

    def _named(self, number: int) -> list[Market]:
        return self._markets if number == ALL_INSTRUMENTS else [self._market(number)]

    def _find(self, number: int) -> Order:
        if number not in self._used:
            raise Refused(Reason.UNKNOWN_ORDER)
        if number not in self._open:
            raise Refused(Reason.ORDER_NOT_OPEN)
        return self._open[number]

    def _own(self, i: Instruction) -> Order:
        order = self._find(i.order)
        if order.account != i.account:
            raise Refused(Reason.NOT_THE_ACCOUNT)
        return order

    def _check_form(self, i: Instruction) -> None:
        """What NEW and TAKE show without looking at others."""
        self._check_number(i.order)
        enums = i.side in (0, 1) and i.kind in tuple(OrderKind) and i.lasting in tuple(Lasting) and i.self_trade in tuple(SelfTrade)
        if not enums or i.flags & ~KNOWN_FLAGS or not 0 <= i.account <= LARGEST_ACCOUNT:
            raise Refused(Reason.BAD_INSTRUCTION)
        if (i.expires < 1) if i.lasting == Lasting.GTD else (i.expires != 0):
            raise Refused(Reason.BAD_INSTRUCTION)
        if i.flags & OrderFlag.POST_ONLY and (i.kind != OrderKind.LIMIT or i.lasting in AT_ONCE):
            raise Refused(Reason.BAD_INSTRUCTION)
        if i.display and (i.kind not in LIMITED or i.lasting in AT_ONCE):
            raise Refused(Reason.BAD_INSTRUCTION)
        plain = i.kind == OrderKind.LIMIT and i.lasting == Lasting.DAY and not i.flags & OrderFlag.POST_ONLY and not i.display and not i.stop
        if (i.verb == Verb.NEW and i.against) or (i.verb == Verb.TAKE and not plain):
            raise Refused(Reason.BAD_INSTRUCTION)

    def _check_quantity(self, quantity: int, peak: int, market: Market) -> None:
        if not 1 <= quantity <= LARGEST_QUANTITY or (peak and not (0 < peak <= LARGEST_QUANTITY and peak * FEWEST_PARTS >= quantity)):
            raise Refused(Reason.BAD_QUANTITY)
        if quantity > market.rules.largest_order:
            raise Refused(Reason.ORDER_LIMIT)

    # orders

    def _new(self, i: Instruction) -> None:
        self._check_form(i)
        self._check_time()
        market = self._market(i.instrument)
        rests = i.kind == OrderKind.LIMIT and i.lasting not in AT_ONCE and not i.display and not i.flags & OrderFlag.POST_ONLY
        if market.rules.matching == Matching.TAKERS_CHOICE and not rests:
            raise Refused(Reason.BAD_INSTRUCTION)
        if i.order in self._used:
            raise Refused(Reason.DUPLICATE_ORDER)
        if i.account in self._killed:
            raise Refused(Reason.KILLED)
        if i.display > i.quantity > 0:
            raise Refused(Reason.BAD_QUANTITY)
        self._check_quantity(i.quantity, i.display, market)
        if not (market.possible(i.price) if i.kind in LIMITED else i.price == 0) or not (market.possible(i.stop) if i.kind in STOPS else i.stop == 0):
            raise Refused(Reason.BAD_PRICE)
        if market.phase == Phase.EXPIRED:
            raise Refused(Reason.INSTRUMENT_EXPIRED)
        if market.phase != Phase.CONTINUOUS and (market.phase not in COLLECTING or (i.lasting in AT_ONCE and i.kind not in STOPS)):
            raise Refused(Reason.OUTSIDE_SESSION)
        if i.kind in LIMITED and not market.accepts(i.price):
            raise Refused(Reason.PRICE_LIMIT)
        order = Order(i.order, i.account, market, i.side, i.kind, i.lasting, i.expires, i.flags, i.self_trade, i.price, i.stop, i.quantity, i.display)
        if market.phase == Phase.CONTINUOUS and i.kind not in STOPS and market.rules.matching != Matching.TAKERS_CHOICE:
            self._check_at_once(order)
        self._used.add(i.order)
        self._highest = max(self._highest, i.order)
        self._open[i.order] = order
        self._about(Happening.ACCEPTED, order, order.left, order.left)
        if i.kind in STOPS:
            self._enter_stop(order)
        else:
            self._enter(order)

    def _check_at_once(self, order: Order) -> None:
        best = order.market.best(1 - order.side)
        if order.flags & OrderFlag.POST_ONLY and best and order.crosses(best):
            raise Refused(Reason.WOULD_TAKE)
        if order.lasting == Lasting.FOK and self._fillable(order) < order.left:
            raise Refused(Reason.NOT_FILLABLE)
        if order.kind == OrderKind.MARKET and not best:
            raise Refused(Reason.NO_LIQUIDITY)

    def _enter_stop(self, order: Order) -> None:
        market = order.market
        market.stops.append(order)
        order.shown = 0
        if market.phase == Phase.CONTINUOUS and market.last:
            self._trigger(market, market.last, market.last)

    def _cancel(self, i: Instruction) -> None:
        self._check_time()
        self._take_out(self._own(i), Happening.CANCELLED, Reason.NONE)

    def _take_out(self, order: Order, happening: int, reason: int) -> None:
        order.market.remove(order)
        self._end(order, happening, reason)

    def _end(self, order: Order, happening: int, reason: int) -> None:
        del self._open[order.number]
        self._about(happening, order, order.left, 0, reason)

    def _amend(self, i: Instruction) -> None:
        if i.display:
            raise Refused(Reason.BAD_INSTRUCTION)
        self._check_time()
        order = self._own(i)
        market = order.market
        quantity, price, stop = i.quantity or order.left, i.price or order.price, i.stop or order.stop
        self._check_quantity(quantity, order.peak, market)
        if (i.price and not (order.kind in LIMITED and market.possible(i.price))) or (
            i.stop and not (order.kind in STOPS and market.possible(i.stop))
        ):
            raise Refused(Reason.BAD_PRICE)
        if market.phase != Phase.CONTINUOUS and market.phase not in COLLECTING:
            raise Refused(Reason.OUTSIDE_SESSION)
        if order.kind in LIMITED and not market.accepts(price):
            raise Refused(Reason.PRICE_LIMIT)
        if order.flags & OrderFlag.POST_ONLY and price != order.price and market.phase == Phase.CONTINUOUS:
            best = market.best(1 - order.side)
            if best and (best <= price if order.side == Side.BUY else best >= price):
                raise Refused(Reason.WOULD_TAKE)
        if price == order.price and stop == order.stop and quantity <= order.left:
            order.left = quantity
            order.shown = min(order.shown, quantity)
            self._about(Happening.AMENDED, order, quantity, quantity)
            return
        market.remove(order)
        order.left, order.price, order.stop = quantity, price, stop
        self._about(Happening.AMENDED, order, quantity, quantity)
        if order.kind in STOPS:
            self._enter_stop(order)
        else:
            self._enter(order)

    def _take(self, i: Instruction) -> None:
        self._check_form(i)
        self._check_time()
        market = self._market(i.instrument)
        if market.rules.matching != Matching.TAKERS_CHOICE:
            raise Refused(Reason.BAD_INSTRUCTION)
        if i.order in self._used:
            raise Refused(Reason.DUPLICATE_ORDER)
        resting = self._find(i.against)
        if resting.market is not market or resting.side == i.side:
            raise Refused(Reason.UNKNOWN_ORDER)
        if i.account in self._killed:
            raise Refused(Reason.KILLED)
        self._check_quantity(i.quantity, 0, market)
        worse = resting.price > i.price if i.side == Side.BUY else resting.price < i.price
        if i.price and (not market.possible(i.price) or worse):
            raise Refused(Reason.BAD_PRICE)
        if market.phase != Phase.CONTINUOUS:
            raise Refused(Reason.OUTSIDE_SESSION)
        if resting.account == i.account and i.self_trade != SelfTrade.ALLOW:
            raise Refused(Reason.OWN_ORDER)
        if resting.price not in market.prices(resting.side)[: market.rules.take_levels]:
            raise Refused(Reason.NOT_IN_FIVE)
        taker = Order(i.order, i.account, market, i.side, i.kind, i.lasting, 0, i.flags, i.self_trade, i.price, 0, i.quantity, 0)
        self._used.add(i.order)
        self._highest = max(self._highest, i.order)
        self._open[i.order] = taker
        self._about(Happening.ACCEPTED, taker, taker.left, taker.left)
        self._trade(taker, resting, min(taker.left, resting.left))
        if taker.left:
            self._end(taker, Happening.CANCELLED, Reason.IMMEDIATE_OR_CANCEL)
        else:
            del self._open[taker.number]

    # continuous trading

    def _enter(self, order: Order) -> None:
        """An order comes: it trades if it can, then rests or ends; then come the stops it set off."""
        market = order.market
        self._low_trade = self._high_trade = 0
        self._trade_or_rest(order)
        if self._low_trade:
            self._trigger(market, self._low_trade, self._high_trade)

    def _trade_or_rest(self, order: Order) -> None:
        market = order.market
        if market.phase == Phase.CONTINUOUS and market.rules.matching != Matching.TAKERS_CHOICE:
            self._match(order)
        if order.number not in self._open:
            return
        if market.phase == Phase.CONTINUOUS and order.kind == OrderKind.MARKET:
            self._end(order, Happening.CANCELLED, Reason.NO_LIQUIDITY)
        elif order.lasting in AT_ONCE:
            self._end(order, Happening.CANCELLED, Reason.IMMEDIATE_OR_CANCEL if market.phase == Phase.CONTINUOUS else Reason.VOLATILITY)
        else:
            market.place(order)

    def _match(self, order: Order) -> None:
        market = order.market
        centre = market.last or market.reference
        while order.number in self._open:
            price = market.best(1 - order.side)
            if not price or not order.crosses(price):
                return
            if self._outside_breaker(market, centre, price):
                self._row(Happening.PHASE_CHANGED, 0, price, Phase.VOLATILITY_CALL, Phase.CONTINUOUS, -1, market.number, Side.BUY, Reason.VOLATILITY)
                market.phase = Phase.VOLATILITY_CALL
                return
            self._match_level(order, market.resting[1 - order.side][price])

    @staticmethod
    def _outside_breaker(market: Market, centre: int, price: int) -> bool:
        return bool(market.breaker and centre and abs(price - centre) > market.breaker)

    def _match_level(self, order: Order, queue: list[Order]) -> None:
        """One step at the best level: one counterpart, or a share of each."""
        market = order.market
        if market.rules.matching == Matching.PRO_RATA:
            own = next((resting for resting in queue if self._is_own(order, resting)), None)
            if own:
                self._prevent(order, own)
            else:
                self._share(order, list(queue))
            return
        place = 0
        if market.rules.matching == Matching.SEEDED_RANDOM and len(queue) > 1:
            place = market.draw() % len(queue)
        resting = queue[place]
        if self._is_own(order, resting):
            self._prevent(order, resting)
        else:
            self._meet(order, resting, min(order.left, resting.shown))

    @staticmethod
    def _is_own(order: Order, resting: Order) -> bool:
        return order.account == resting.account and order.self_trade != SelfTrade.ALLOW

    def _share(self, order: Order, queue: list[Order]) -> None:
        """Pro rata to what is shown, rounded down; the units left over one each, by drawing lots in order of time."""
        shown = [resting.shown for resting in queue]
        if order.left >= sum(shown):
            parts = shown
        else:
            parts = [order.left * each // sum(shown) for each in shown]
            left_over = order.left - sum(parts)
            for n in range(len(parts)):
                if left_over and order.market.draw() % (len(parts) - n) < left_over:
                    parts[n] += 1
                    left_over -= 1
        for resting, part in zip(queue, parts, strict=True):
            if part:
                self._meet(order, resting, part)

    def _meet(self, order: Order, resting: Order, quantity: int) -> None:
        self._trade(order, resting, quantity)
        if order.left == 0:
            del self._open[order.number]

    def _trade(self, order: Order, resting: Order, quantity: int) -> None:
        """The order that comes trades with one that rests, at the resting one's price."""
        market, price = order.market, resting.price
        order.left -= quantity
        self._row(
            Happening.TRADE, order.number, price, quantity, order.left, order.account, market.number, order.side,
            against=resting.number, other=resting.account,
        )  # fmt: skip
        market.last = price
        self._low_trade = min(self._low_trade or price, price)
        self._high_trade = max(self._high_trade, price)
        if not self._reduce(resting, quantity):
            del self._open[resting.number]

    def _reduce(self, resting: Order, quantity: int) -> bool:
        """Take so much from a resting order; False when nothing is left of it."""
        market = resting.market
        resting.left -= quantity
        resting.shown -= quantity
        if resting.left == 0:
            market.remove(resting)
            return False
        if resting.shown == 0:
            self._replenish(resting)
        return True

    def _replenish(self, order: Order) -> None:
        order.market.remove(order)
        order.market.place(order)
        self._about(Happening.REPLENISHED, order, order.shown, order.left)

    def _prevent(self, order: Order, own: Order) -> None:
        """Self-trade prevention."""
        if order.self_trade == SelfTrade.DECREMENT:
            quantity = min(order.left, own.shown)
            order.left -= quantity
            self._row(
                Happening.DECREMENTED, order.number, own.price, quantity, order.left, order.account, order.market.number, order.side,
                against=own.number, other=own.account,
            )  # fmt: skip
            if not self._reduce(own, quantity):
                self._end(own, Happening.CANCELLED, Reason.OWN_ORDER)
            if order.left == 0:
                self._end(order, Happening.CANCELLED, Reason.OWN_ORDER)
            return
        if order.self_trade in (SelfTrade.CANCEL_OLD, SelfTrade.CANCEL_BOTH):
            self._take_out(own, Happening.CANCELLED, Reason.OWN_ORDER)
        if order.self_trade in (SelfTrade.CANCEL_NEW, SelfTrade.CANCEL_BOTH):
            self._end(order, Happening.CANCELLED, Reason.OWN_ORDER)

    def _fillable(self, order: Order) -> int:
        """How much of a FOK order would trade now."""
        market, total = order.market, 0
        centre = market.last or market.reference
        for price in market.prices(1 - order.side):
            if not order.crosses(price) or self._outside_breaker(market, centre, price):
                break
            ahead = whole = 0
            for resting in market.resting[1 - order.side][price]:
                if not self._is_own(order, resting):
                    ahead += resting.shown
                    whole += resting.left
                elif order.self_trade != SelfTrade.CANCEL_OLD:
                    return total + (ahead if market.rules.matching == Matching.PRICE_TIME else 0)
            total += whole
        return total

    def _trigger(self, market: Market, low: int, high: int) -> None:
        """Stops that trades from `low` to `high` set off, in order of entry; and what those set off, behind them."""
        due = self._due(market, low, high)
        while due:
            order = due.pop(0)
            self._low_trade = self._high_trade = 0
            if order.lasting == Lasting.FOK and market.phase == Phase.CONTINUOUS and self._fillable(order) < order.left:
                self._end(order, Happening.CANCELLED, Reason.NOT_FILLABLE)
            else:
                self._trade_or_rest(order)
            if self._low_trade:
                due += self._due(market, self._low_trade, self._high_trade)

    def _due(self, market: Market, low: int, high: int) -> list[Order]:
        due = [order for order in market.stops if (high >= order.stop if order.side == Side.BUY else low <= order.stop)]
        for order in due:
            market.stops.remove(order)
            order.stop = 0
            order.kind = OrderKind.LIMIT if order.kind == OrderKind.STOP_LIMIT else OrderKind.MARKET
            self._about(Happening.TRIGGERED, order, order.left, order.left)
        return due

    # calls

    def _phase(self, i: Instruction) -> None:
        if i.phase not in tuple(Phase):
            raise Refused(Reason.BAD_INSTRUCTION)
        self._check_time()
        markets = self._named(i.instrument)
        if i.instrument != ALL_INSTRUMENTS and markets[0].phase == Phase.EXPIRED:
            raise Refused(Reason.INSTRUMENT_EXPIRED)
        for market in markets:
            if market.phase != Phase.EXPIRED:
                self._change_phase(market, i.phase)

    def _change_phase(self, market: Market, phase: int) -> None:
        before = market.phase
        if (phase == Phase.CONTINUOUS or (before in CALLS and phase in TRADED_OUT)) and market.rules.matching != Matching.TAKERS_CHOICE:
            self._uncross(market)
        if phase in TRADED_OUT:
            for side in Side:
                for order in list(market.resting[side].get(0, [])):
                    self._take_out(order, Happening.CANCELLED, Reason.NO_LIQUIDITY)
        market.phase = phase
        self._row(Happening.PHASE_CHANGED, 0, 0, phase, before, -1, market.number, Side.BUY)
        if phase == Phase.EXPIRED:
            for order in market.all_orders():
                self._take_out(order, Happening.EXPIRED, Reason.INSTRUMENT_EXPIRED)
        if phase == Phase.CONTINUOUS and market.last:
            self._trigger(market, market.last, market.last)

    def _uncross(self, market: Market) -> None:
        price, volume, surplus = call_price(market)
        if volume == 0:
            return
        self._row(Happening.UNCROSSED, 0, price, volume, surplus, -1, market.number, Side.BUY)
        buys, sells = market.in_turn(Side.BUY), market.in_turn(Side.SELL)
        began = {order.number: order.left for order in buys + sells}
        while volume:
            buy, sell = buys[0], sells[0]
            quantity = min(buy.left, sell.left, volume)
            volume -= quantity
            buy.left -= quantity
            sell.left -= quantity
            self._row(
                Happening.TRADE, buy.number, price, quantity, buy.left, buy.account, market.number, Side.BUY,
                against=sell.number, other=sell.account,
            )  # fmt: skip
            for order, queue in ((buy, buys), (sell, sells)):
                if order.left == 0:
                    queue.pop(0)
                    market.remove(order)
                    del self._open[order.number]
        market.last = price
        for order in (*buys[:1], *sells[:1]):
            traded = began[order.number] - order.left
            if traded < order.shown:
                order.shown -= traded
            else:
                self._replenish(order)

    # many orders at once

    def _mass_cancel(self, i: Instruction) -> None:
        if not 0 <= i.account <= LARGEST_ACCOUNT:
            raise Refused(Reason.BAD_INSTRUCTION)
        self._check_time()
        n = self._end_many(self._named(i.instrument), lambda order: order.account == i.account, Happening.CANCELLED, Reason.NONE)
        self._row(Happening.MASS_CANCELLED, 0, 0, n, 0, i.account, i.instrument, Side.BUY)

    def _end_many(self, markets: list[Market], ends: Callable[[Order], bool], happening: int, reason: int) -> int:
        """By instrument; in each the buy orders in turn, the sell orders, the stops."""
        ending = [order for market in markets for order in market.all_orders() if ends(order)]
        for order in ending:
            self._take_out(order, happening, reason)
        return len(ending)

    def _kill(self, i: Instruction) -> None:
        if not 0 <= i.account <= LARGEST_ACCOUNT:
            raise Refused(Reason.BAD_INSTRUCTION)
        self._check_time()
        self._killed.add(i.account)
        n = self._end_many(self._markets, lambda order: order.account == i.account, Happening.CANCELLED, Reason.KILLED)
        self._row(Happening.KILLED, 0, 0, n, 0, i.account, ALL_INSTRUMENTS, Side.BUY)

    def _revive(self, i: Instruction) -> None:
        if not 0 <= i.account <= LARGEST_ACCOUNT:
            raise Refused(Reason.BAD_INSTRUCTION)
        self._check_time()
        self._killed.discard(i.account)
        self._row(Happening.REVIVED, 0, 0, 0, 0, i.account, ALL_INSTRUMENTS, Side.BUY)

    def _reference(self, i: Instruction) -> None:
        self._check_time()
        market = self._market(i.instrument)
        wrong = wrong_reference(market.rules, i.price, i.stop, i.display, i.quantity)
        if wrong or (i.quantity and market.rules.matching == Matching.TAKERS_CHOICE):
            raise Refused(Reason.BAD_INSTRUCTION)
        if market.phase == Phase.EXPIRED:
            raise Refused(Reason.INSTRUMENT_EXPIRED)
        market.reference, market.lowest_accepted, market.highest_accepted, market.breaker = i.price, i.stop, i.display, i.quantity
        n = self._end_many([market], lambda o: o.kind in LIMITED and not market.accepts(o.price), Happening.CANCELLED, Reason.PRICE_LIMIT)
        self._row(Happening.REFERENCE_SET, 0, i.price, n, 0, -1, market.number, Side.BUY)

    def _expire(self, i: Instruction) -> None:
        if i.expires < 0:
            raise Refused(Reason.BAD_INSTRUCTION)
        self._check_time()

        def ends(order: Order) -> bool:
            return order.expires <= i.expires if order.lasting == Lasting.GTD else order.lasting != Lasting.GTC

        n = self._end_many(self._named(i.instrument), ends, Happening.EXPIRED, Reason.DAY_END)
        self._row(Happening.DAY_ENDED, 0, 0, n, i.expires, -1, i.instrument, Side.BUY)

    # reading

    @property
    def n_instruments(self) -> int:
        return len(self._markets)

    @property
    def count(self) -> int:
        return self._count

    @property
    def highest(self) -> int:
        return self._highest

    @property
    def last_time(self) -> int:
        return self._time

    def standing(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        found = [self._open.get(number) for number in numbers.tolist()]
        rows = np.array([(o.left, o.price) if o is not None else (0, 0) for o in found], dtype=np.int64).reshape(-1, 2)
        return rows[:, 0], rows[:, 1]

    def rules(self, instrument: int = 0) -> InstrumentRules:
        return self._markets[instrument].rules

    def state(self, instrument: int = 0) -> InstrumentState:
        m = self._markets[instrument]
        return InstrumentState(m.phase, m.last, m.reference, m.lowest_accepted, m.highest_accepted, m.breaker, m.draws)

    def best(self, instrument: int = 0) -> Best:
        market = self._markets[instrument]
        return Best(market.best(Side.BUY), market.best(Side.SELL))

    def depth(self, instrument: int = 0, levels: int = 5) -> Depth:
        market = self._markets[instrument]
        sides = []
        for side in Side:
            queues = [(price, market.resting[side][price]) for price in market.prices(side)[:levels]]
            rows = [(price, sum(order.shown for order in queue), len(queue)) for price, queue in queues]
            sides.append(np.array(rows, dtype=np.int64).reshape(-1, 3))
        return Depth(*sides)

    def trade_price(self, instrument: int = 0) -> int:
        return self._markets[instrument].last

    def phase(self, instrument: int = 0) -> Phase:
        return Phase(self._markets[instrument].phase)

    def is_killed(self, account: int) -> bool:
        return account in self._killed

    def order(self, number: int) -> OpenOrder | None:
        found = [OpenOrder(*row) for row in self.open_orders().tolist() if row[0] == number]
        return found[0] if found else None

    def open_orders(self) -> OpenOrders:
        rows = [
            (o.number, o.account, o.market.number, o.price, o.stop, o.left, o.shown, o.peak, o.expires, o.flags, o.side, o.kind, o.lasting,
             o.self_trade, 0)
            for market in self._markets for o in market.all_orders()
        ]  # fmt: skip
        return np.array(rows, dtype=OPEN_ORDER)

    def state_hash(self) -> bytes:
        return self.to_bytes()[-32:]

    def to_bytes(self) -> bytes:
        used = np.zeros(self._highest + 1, dtype=np.uint8)
        used[list(self._used)] = 1
        instruments = [self.state(n) for n in range(len(self._markets))]
        rules = [market.rules for market in self._markets]
        return write_state(BookState(rules, instruments, self.open_orders(), used, sorted(self._killed), self._count, self._time))

    @classmethod
    def from_bytes(cls, snapshot: bytes) -> PlainBook:
        state = read_state(snapshot)
        book = cls(state.rules)
        for market, s in zip(book._markets, state.instruments, strict=True):
            market.phase, market.last, market.reference, market.lowest_accepted = s.phase, s.last, s.reference, s.lowest_accepted
            market.highest_accepted, market.breaker, market.draws = s.highest_accepted, s.breaker, s.draws
        for n, account, instrument, price, stop, left, shown, peak, expires, flags, side, kind, lasting, self_trade, _ in state.orders.tolist():
            market = book._markets[instrument]
            order = Order(n, account, market, side, kind, lasting, expires, flags, self_trade, price, stop, left, peak)
            if kind in STOPS:
                market.stops.append(order)
            else:
                market.place(order)
            order.shown = shown
            book._open[n] = order
        book._used = set(np.flatnonzero(state.used).tolist())
        book._killed, book._count, book._time, book._highest = set(state.killed), state.sent, state.time, len(state.used) - 1
        return book
