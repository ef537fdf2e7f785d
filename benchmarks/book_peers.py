"""Other people's order books behind one face: a list of events in, the number of trades and the volume out.

An event is (cancel, order, side, price, quantity) in plain ints, side 0 buys. The time covers making the engine's own order objects. A cancel of an
order that is gone is skipped where the engine raises an error. An engine that is not installed is left out by name.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from decimal import Decimal
from importlib.metadata import version
from typing import Any

Event = tuple[int, int, int, int, int]
Peer = Callable[[list[Event]], tuple[int, int]]


def sorted_dict(events: list[Event]) -> tuple[int, int]:
    """The book as a competent engineer writes it in plain Python: a sorted dict of price levels, each a dict in order of arrival."""
    from sortedcontainers import SortedDict

    sides: tuple[Any, Any] = (SortedDict(), SortedDict())
    live: dict[int, list[int]] = {}
    trades = volume = 0
    for cancel, order, side, price, quantity in events:
        if cancel:
            gone = live.pop(order, None)
            if gone is not None:
                level = sides[side][gone[1]]
                del level[order]
                if not level:
                    del sides[side][gone[1]]
            continue
        others = sides[1 - side]
        while quantity and others:
            best, level = others.peekitem(0 if side == 0 else -1)
            if (best > price) if side == 0 else (best < price):
                break
            number, resting = next(iter(level.items()))
            filled = min(quantity, resting[0])
            quantity -= filled
            resting[0] -= filled
            trades += 1
            volume += filled
            if not resting[0]:
                del level[number], live[number]
                if not level:
                    del others[best]
        if quantity:
            live[order] = [quantity, price]
            sides[side].setdefault(price, {})[order] = live[order]
    return trades, volume


def orderly_chaos(events: list[Event]) -> tuple[int, int]:
    from orderly_chaos import LimitOrderBook, Side, UnknownOrderIdError

    sums = [0, 0]

    def seen(trade: Any) -> None:
        sums[0] += 1
        sums[1] += trade.quantity

    book, sides = LimitOrderBook(on_trade=seen), (Side.BUY, Side.SELL)
    for cancel, order, side, price, quantity in events:
        if cancel:
            try:
                book.cancel(order)
            except UnknownOrderIdError:
                continue
        else:
            book.limit(sides[side], order, quantity, price)
    return sums[0], sums[1]


def lightmatchingengine(events: list[Event]) -> tuple[int, int]:
    from lightmatchingengine.lightmatchingengine import LightMatchingEngine

    engine, theirs, trades, volume = LightMatchingEngine(), {}, 0, 0
    for cancel, order, side, price, quantity in events:
        if cancel:
            engine.cancel_order(theirs[order], "x")
        else:
            made, found = engine.add_order("x", price, quantity, side + 1)
            theirs[order] = made.order_id
            # One row for the aggressor's total at a price, then one for each resting order.
            for trade in found:
                if trade.trade_side != side + 1:
                    trades += 1
                    volume += trade.trade_qty
    return trades, volume


def pyorderbook(events: list[Event]) -> tuple[int, int]:
    from pyorderbook import Book, Order, Side

    book, sides, theirs, trades, volume = Book(), (Side.BID, Side.ASK), {}, 0, 0
    for cancel, order, side, price, quantity in events:
        if cancel:
            if theirs[order].id in book.order_map:
                book.cancel(theirs[order])
        else:
            theirs[order] = Order(sides[side], "x", price, quantity)
            found = book.match(theirs[order]).trades
            trades += len(found)
            volume += sum(trade.fill_quantity for trade in found)
    return trades, volume


def cython_orderbook(events: list[Event]) -> tuple[int, int]:
    from cython_orderbook import Order, OrderBook, OrderSide

    book, sides, theirs = OrderBook(), (OrderSide.BID, OrderSide.ASK), {}
    for cancel, order, side, price, quantity in events:
        if cancel:
            if theirs[order].order_id in book.orders:
                book.cancel_order(theirs[order].order_id)
        else:
            made = Order(side=sides[side], price=Decimal(price), original_quantity=quantity)
            theirs[order] = made
            book.add_limit_order(made)
    return len(book.trade_log), sum(trade.quantity_filled for trade in book.trade_log)


#: distribution -> (what we call it, what drives it, the most events it is given)
PEERS: dict[str, tuple[str, Peer, int]] = {
    "sortedcontainers": ("plain Python, SortedDict of dicts", sorted_dict, 1_000_000),
    "orderly-chaos": ("orderly-chaos (C++, ctypes), trade callback", orderly_chaos, 200_000),
    "cython-orderbook": ("cython-orderbook", cython_orderbook, 200_000),
    "lightmatchingengine": ("lightmatchingengine", lightmatchingengine, 200_000),
    "pyorderbook": ("pyorderbook", pyorderbook, 50_000),
}


def installed() -> tuple[list[str], list[str]]:
    """Distributions that are here (with their version) and those that are not."""
    here = [name for name in PEERS if importlib.util.find_spec(name.replace("-", "_")) is not None]
    return here, [name for name in PEERS if name not in here]


def title(name: str) -> str:
    """`orderly-chaos (C++, ctypes) 0.2.0`."""
    return f"{PEERS[name][0]} {version(name)}"
