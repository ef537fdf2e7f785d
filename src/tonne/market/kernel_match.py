"""Compiled: the queues, the levels, and what an order does when it comes in continuous trading. `kernel.py` judges first and calls these.

Two arrays are the book:

- `orders` (int64, a row for each order number): links of its queue, price, what is left and shown, account, instrument, packed words, and what only
  some orders have. A row is never moved: the number is the place.
- `book` (int64, one row of words): a header (the H_ names), a record for each instrument (the I_ names), one bit for each account that is killed,
  and for each instrument a window of ticks: occupied bits of buy and sell, then a queue word for each tick of buy and sell. A queue word holds the
  first and the last order number; 0 is the empty queue. Market orders of a call, stops, and stops that are due have queue words of their own.

What happened goes to `out` (int64, nine words a row: dtype EXECUTION). Numba's cache of `kernel.py` watches that file only: whoever changes this one,
or a number in `orders.py`, must touch it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import njit

from tonne.market import orders as words
from tonne.market.orders import Happening, Lasting, Matching, OrderFlag, OrderKind, Phase, Reason, SelfTrade, Side, Verb

# Columns of `orders`; the first eight are all that a plain limit order needs.
NEXT, PREV, PRICE, LEFT, SHOWN, ACCOUNT, INSTRUMENT, PACKED, PEAK, STOP, EXPIRES, SPARE = range(12)
WORDS = 12
# PACKED: state 0-1, side 2, kind 3-4, lasting 5-7, self-trade 8-10, flags 16-30.
OPEN, CLOSED, STATE = 1, 2, 3
SIDE_AT, KIND_AT, LASTING_AT, SELF_AT, FLAGS_AT = 2, 3, 5, 8, 16

(H_COUNT, H_TIME, H_HIGHEST, H_OPEN, H_ICEBERGS, H_INSTRUMENTS, H_ROW, H_AT, H_NEED_A, H_NEED_B, H_DUE, H_LOW, H_HIGH, H_KILLED, H_KILLED_N, H_BUSY,
 H_LOOP, H_LOOP_PHASE) = range(18)  # fmt: skip
HEADER = 24
(I_PHASE, I_LAST, I_REFERENCE, I_LOWEST_ACCEPTED, I_HIGHEST_ACCEPTED, I_BREAKER, I_DRAWS, I_MATCHING, I_LOWEST, I_HIGHEST, I_LARGEST, I_TAKE_LEVELS,
 I_SEED, I_WINDOW, I_LOW, I_TICKS, I_BEST, I_BEST_SELL, I_MARKET, I_MARKET_SELL, I_STOPS, I_STOP_BUY, I_STOP_SELL) = range(23)  # fmt: skip
RECORD = 24
NEED_ROWS, NEED_NUMBERS, NEED_WINDOW, NEED_ACCOUNTS = (np.int64(n) for n in (-1, -2, -3, -4))
NO_STOP = 2**62
"""In I_STOP_BUY: no buy stop waits."""

# NumPy ints: each plain int that is passed on would make Numba compile the function called once more, for that number alone.
_POST_ONLY = np.int64(OrderFlag.POST_ONLY)
_KNOWN_FLAGS = np.int64(OrderFlag.POST_ONLY | OrderFlag.SENDERS)
_BUY = np.int64(Side.BUY)
_LIMIT, _MARKET, _STOP, _STOP_LIMIT = (np.int64(kind) for kind in OrderKind)
_DAY, _GTC, _GTD, _IOC, _FOK = (np.int64(lasting) for lasting in Lasting)
_PRICE_TIME, _PRO_RATA, _SEEDED_RANDOM, _TAKERS_CHOICE = (np.int64(matching) for matching in Matching)
_CANCEL_NEW, _CANCEL_OLD, _CANCEL_BOTH, _DECREMENT, _ALLOW = (np.int64(action) for action in SelfTrade)
_PRE_OPEN, _OPENING, _CONTINUOUS, _VOLATILITY, _CLOSING, _HALT, _POST_CLOSE, _CLOSED_PHASE, _EXPIRED_PHASE = (np.int64(phase) for phase in Phase)
_NEW, _CANCEL, _AMEND, _TAKE, _MASS_CANCEL, _KILL, _REVIVE, _PHASE, _REFERENCE, _EXPIRE = (np.int64(verb) for verb in Verb)
(_ACCEPTED, _TRADE, _CANCELLED, _REFUSED, _TRIGGERED, _REPLENISHED, _EXPIRED, _AMENDED, _DECREMENTED, _PHASE_CHANGED, _UNCROSSED, _MASS_CANCELLED,
 _KILLED, _REVIVED, _REFERENCE_SET, _DAY_ENDED) = (np.int64(happening) for happening in Happening)  # fmt: skip
_R = {reason.name: np.int64(reason) for reason in Reason}
_BAD_INSTRUCTION, _CLOCK, _UNKNOWN_INSTRUMENT, _DUPLICATE = (
    _R[n] for n in ("BAD_INSTRUCTION", "CLOCK_BACKWARDS", "UNKNOWN_INSTRUMENT", "DUPLICATE_ORDER")
)
_UNKNOWN_ORDER, _NOT_OPEN, _NOT_THE_ACCOUNT, _ACCOUNT_KILLED = (_R[n] for n in ("UNKNOWN_ORDER", "ORDER_NOT_OPEN", "NOT_THE_ACCOUNT", "KILLED"))
_BAD_QUANTITY, _ORDER_LIMIT, _BAD_PRICE, _INSTRUMENT_EXPIRED = (_R[n] for n in ("BAD_QUANTITY", "ORDER_LIMIT", "BAD_PRICE", "INSTRUMENT_EXPIRED"))
_OUTSIDE_SESSION, _PRICE_LIMIT, _WOULD_TAKE, _NOT_FILLABLE = (_R[n] for n in ("OUTSIDE_SESSION", "PRICE_LIMIT", "WOULD_TAKE", "NOT_FILLABLE"))
_NO_LIQUIDITY, _OWN_ORDER, _NOT_IN_FIVE, _REST = (_R[n] for n in ("NO_LIQUIDITY", "OWN_ORDER", "NOT_IN_FIVE", "IMMEDIATE_OR_CANCEL"))
_BREAKER, _DAY_END = _R["VOLATILITY"], _R["DAY_END"]
_SELL = np.int64(Side.SELL)
_NONE, _NOBODY = np.int64(0), np.int64(-1)
_LARGEST_PRICE, _LARGEST_QUANTITY, _LARGEST_ACCOUNT = words.LARGEST_PRICE, words.LARGEST_QUANTITY, words.LARGEST_ACCOUNT
_AHEAD, _PARTS = words.NUMBERS_AHEAD, words.FEWEST_PARTS
_LOW_HALF = 0xFFFFFFFF

F = TypeVar("F", bound=Callable[..., Any])


#: Nothing here makes or keeps an array, so the counting of references, which costs as much as the matching, is left out.
_PLAIN: dict[str, Any] = {"_nrt": False}


def compiled(function: F) -> F:
    """Numba's njit, kept on disk between runs; where nothing can be kept (a read-only install, no home) compiled anew each time."""
    try:
        made: F = njit(cache=True, **_PLAIN)(function)
    except RuntimeError:
        made = njit(**_PLAIN)(function)
    return made


def inlined(function: F) -> F:
    """For what most instructions pass through: a call costs some forty words on the stack, as much as the work itself. Kept inside its callers."""
    made: F = njit(forceinline=True, **_PLAIN)(function)
    return made


def _also_inlined(function: Any) -> Any:
    """A twin of a compiled function, for the places that are busy."""
    return inlined(function.py_func)


# rows


@compiled
def _row(book: Any, out: Any, happening: Any, order: Any, price: Any, quantity: Any, left: Any, account: Any, instrument: Any, side: Any,
         reason: Any, against: Any, other: Any) -> None:  # fmt: skip
    r = book[H_ROW]
    out[r, 0] = book[H_COUNT]
    out[r, 1] = order
    out[r, 2] = against
    out[r, 3] = price
    out[r, 4] = quantity
    out[r, 5] = left
    out[r, 6] = book[H_TIME]
    out[r, 7] = (np.int64(account) & _LOW_HALF) | (np.int64(other) << 32)
    out[r, 8] = (np.int64(instrument) & _LOW_HALF) | ((happening | (reason << 8) | ((np.int64(side) & 255) << 16)) << 32)
    book[H_ROW] = r + 1


_row_here = _also_inlined(_row)


@compiled
def _about(orders: Any, book: Any, out: Any, happening: Any, n: Any, quantity: Any, left: Any, reason: Any) -> None:
    """A row about one order."""
    side = (orders[n, PACKED] >> SIDE_AT) & 1
    _row_here(book, out, happening, n, orders[n, PRICE], quantity, left, orders[n, ACCOUNT], orders[n, INSTRUMENT], side, reason, _NONE, _NOBODY)


# queues and levels


@inlined
def _append(orders: Any, book: Any, word: Any, n: Any) -> Any:
    """Put an order last in a queue; True when it was empty."""
    queue = book[word]
    tail = queue & _LOW_HALF
    orders[n, NEXT] = 0
    orders[n, PREV] = tail
    if tail == 0:
        book[word] = (np.int64(n) << 32) | n
        return True
    orders[tail, NEXT] = n
    book[word] = (queue ^ tail) | n
    return False


@inlined
def _unlink(orders: Any, book: Any, word: Any, n: Any) -> Any:
    """Take an order out of its queue; True when the queue is empty now."""
    before, after = np.int64(orders[n, PREV]), np.int64(orders[n, NEXT])
    queue = book[word]
    if before:
        orders[before, NEXT] = after
    else:
        queue = (queue & _LOW_HALF) | (after << 32)
    if after:
        orders[after, PREV] = before
    else:
        queue = (queue >> 32 << 32) | before
    if before == 0 and after == 0:
        queue = 0
    book[word] = queue
    return queue == 0


@inlined
def _record(n: Any) -> Any:
    return HEADER + RECORD * np.int64(n)


@inlined
def _level(book: Any, rec: Any, side: Any, price: Any) -> Any:
    """Where the queue word of a price stands; price 0: market orders."""
    if price == 0:
        return rec + I_MARKET + side
    ticks = book[rec + I_TICKS]
    return book[rec + I_WINDOW] + (ticks >> 5) + side * ticks + price - book[rec + I_LOW]


@inlined
def _bits(book: Any, rec: Any, side: Any) -> Any:
    return book[rec + I_WINDOW] + side * (book[rec + I_TICKS] >> 6)


@compiled
def _lowest_bit(word: Any) -> Any:
    place = np.int64(0)
    for width in (32, 16, 8, 4, 2, 1):
        if word & ((np.int64(1) << width) - 1) == 0:
            word >>= width
            place += width
    return place


@compiled
def _highest_bit(word: Any) -> Any:
    if word < 0:
        return np.int64(63)
    place = np.int64(0)
    for width in (32, 16, 8, 4, 2, 1):
        if word >> width:
            word >>= width
            place += width
    return place


@compiled
def _above(book: Any, rec: Any, side: Any, price: Any) -> Any:
    """The lowest price with orders above `price`; 0 if none."""
    base, tick = _bits(book, rec, side), price - book[rec + I_LOW]
    last = (book[rec + I_TICKS] >> 6) - 1
    place = tick >> 6
    if place < 0 or tick < 0:
        place, word = np.int64(0), (book[base] if last >= 0 else np.int64(0))
    else:
        word = book[base + place] & ~((np.int64(2) << (tick & 63)) - 1)
    while word == 0:
        place += 1
        if place > last:
            return np.int64(0)
        word = book[base + place]
    return book[rec + I_LOW] + (place << 6) + _lowest_bit(word)


@compiled
def _below(book: Any, rec: Any, side: Any, price: Any) -> Any:
    """The highest price with orders below `price`; 0 if none."""
    base, tick = _bits(book, rec, side), min(price - book[rec + I_LOW], book[rec + I_TICKS])
    if tick <= 0:
        return np.int64(0)
    place = tick >> 6
    word = book[base + place] & ((np.int64(1) << (tick & 63)) - 1) if tick & 63 else np.int64(0)
    while word == 0:
        place -= 1
        if place < 0:
            return np.int64(0)
        word = book[base + place]
    return book[rec + I_LOW] + (place << 6) + _highest_bit(word)


@compiled
def _worse(book: Any, rec: Any, side: Any, price: Any) -> Any:
    """The next price with orders after `price` as a side would trade; 0 if none."""
    return _below(book, rec, side, price) if side == _BUY else _above(book, rec, side, price)


@compiled
def _place(orders: Any, book: Any, rec: Any, n: Any) -> None:
    """Last in the queue at its price, showing its peak."""
    left, peak, price = orders[n, LEFT], orders[n, PEAK], np.int64(orders[n, PRICE])
    side = np.int64((orders[n, PACKED] >> SIDE_AT) & 1)
    orders[n, SHOWN] = peak if 0 < peak < left else left
    if _append(orders, book, _level(book, rec, side, price), n) and price:
        tick = price - book[rec + I_LOW]
        book[_bits(book, rec, side) + (tick >> 6)] |= np.int64(1) << (tick & 63)
        best = book[rec + I_BEST + side]
        if best == 0 or (price > best if side == _BUY else price < best):
            book[rec + I_BEST + side] = price


_place_here = _also_inlined(_place)


@compiled
def _remove(orders: Any, book: Any, rec: Any, n: Any) -> None:
    """Out of its queue, wherever it stands."""
    packed, price = orders[n, PACKED], np.int64(orders[n, PRICE])
    side = np.int64((packed >> SIDE_AT) & 1)
    if (packed >> KIND_AT) & 3 >= _STOP:
        _unlink(orders, book, rec + I_STOPS, n)
    elif _unlink(orders, book, _level(book, rec, side, price), n) and price:
        tick = price - book[rec + I_LOW]
        book[_bits(book, rec, side) + (tick >> 6)] &= ~(np.int64(1) << (tick & 63))
        if book[rec + I_BEST + side] == price:
            book[rec + I_BEST + side] = _worse(book, rec, side, price)


_remove_here = _also_inlined(_remove)


@inlined
def _close(orders: Any, book: Any, n: Any) -> None:
    orders[n, PACKED] ^= OPEN ^ CLOSED
    book[H_OPEN] -= 1
    if orders[n, PEAK]:
        book[H_ICEBERGS] -= 1


@compiled
def _end(orders: Any, book: Any, out: Any, n: Any, happening: Any, reason: Any) -> None:
    _close(orders, book, n)
    _about(orders, book, out, happening, n, orders[n, LEFT], _NONE, reason)


_end_here = _also_inlined(_end)


@compiled
def _take_out(orders: Any, book: Any, out: Any, rec: Any, n: Any, happening: Any, reason: Any) -> None:
    _remove_here(orders, book, rec, n)
    _end_here(orders, book, out, n, happening, reason)


# continuous trading


@inlined
def _crosses(kind: Any, side: Any, limit: Any, price: Any) -> Any:
    return kind == _MARKET or (price <= limit if side == _BUY else price >= limit)


@inlined
def _outside_breaker(book: Any, rec: Any, centre: Any, price: Any) -> Any:
    breaker = book[rec + I_BREAKER]
    return breaker != 0 and centre != 0 and abs(price - centre) > breaker


@inlined
def _centre(book: Any, rec: Any) -> Any:
    last = book[rec + I_LAST]
    return last if last else book[rec + I_REFERENCE]


@compiled
def _draw(book: Any, rec: Any, n: Any) -> Any:
    """The next number of the seed (draw.py), modulo n."""
    book[rec + I_DRAWS] += 1
    z = np.uint64(book[rec + I_SEED]) + np.uint64(book[rec + I_DRAWS]) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.int64((z ^ (z >> np.uint64(31))) % np.uint64(n))


@compiled
def _replenish(orders: Any, book: Any, out: Any, rec: Any, n: Any) -> None:
    _remove(orders, book, rec, n)
    _place(orders, book, rec, n)
    _about(orders, book, out, _REPLENISHED, n, orders[n, SHOWN], orders[n, LEFT], _NONE)


@compiled
def _reduce(orders: Any, book: Any, out: Any, rec: Any, n: Any, quantity: Any) -> Any:
    """Take so much from a resting order; what is left of it (at 0 it is out of its queue, but not closed)."""
    left = np.int64(orders[n, LEFT]) - quantity
    orders[n, LEFT] = left
    if left == 0:
        _remove_here(orders, book, rec, n)
        return left
    shown = np.int64(orders[n, SHOWN]) - quantity
    orders[n, SHOWN] = shown
    if shown == 0:
        _replenish(orders, book, out, rec, n)
    return left


_reduce_here = _also_inlined(_reduce)


@compiled
def _trade(orders: Any, book: Any, out: Any, rec: Any, n: Any, resting: Any, quantity: Any, left: Any) -> None:
    """The order that comes, with `left` after it, trades with one that rests, at the resting one's price."""
    price = np.int64(orders[resting, PRICE])
    side = (orders[n, PACKED] >> SIDE_AT) & 1
    _row_here(
        book, out, _TRADE, n, price, quantity, left, orders[n, ACCOUNT], orders[n, INSTRUMENT], side, _NONE, resting, orders[resting, ACCOUNT]
    )  # fmt: skip
    book[rec + I_LAST] = price
    if book[H_LOW] == 0 or price < book[H_LOW]:
        book[H_LOW] = price
    if price > book[H_HIGH]:
        book[H_HIGH] = price
    if _reduce_here(orders, book, out, rec, resting, quantity) == 0:
        _close(orders, book, resting)


_trade_here = _also_inlined(_trade)


@compiled
def _prevent(orders: Any, book: Any, out: Any, rec: Any, n: Any, own: Any, action: Any) -> Any:
    """Self-trade prevention; what is left of the order that comes, -1 when it was cancelled."""
    left = np.int64(orders[n, LEFT])
    if action == _DECREMENT:
        quantity = min(left, np.int64(orders[own, SHOWN]))
        left -= quantity
        orders[n, LEFT] = left
        side = (orders[n, PACKED] >> SIDE_AT) & 1
        _row(
            book, out, _DECREMENTED, n, orders[own, PRICE], quantity, left, orders[n, ACCOUNT], orders[n, INSTRUMENT], side, _NONE, own,
            orders[own, ACCOUNT],
        )  # fmt: skip
        if _reduce(orders, book, out, rec, own, quantity) == 0:
            _end(orders, book, out, own, _CANCELLED, _OWN_ORDER)
        if left == 0:
            _end(orders, book, out, n, _CANCELLED, _OWN_ORDER)
            return np.int64(-1)
        return left
    if action in (_CANCEL_OLD, _CANCEL_BOTH):
        _take_out(orders, book, out, rec, own, _CANCELLED, _OWN_ORDER)
    if action in (_CANCEL_NEW, _CANCEL_BOTH):
        _end(orders, book, out, n, _CANCELLED, _OWN_ORDER)
        return np.int64(-1)
    return left


@compiled
def _share(orders: Any, book: Any, out: Any, rec: Any, n: Any, word: Any, left: Any) -> Any:
    """Pro rata to what is shown, rounded down; the units left over one each, by drawing lots in order of time. Returns what is left."""
    total, count, resting = np.int64(0), np.int64(0), book[word] >> 32
    while resting:
        total += orders[resting, SHOWN]
        count += 1
        resting = np.int64(orders[resting, NEXT])
    coming, over, resting = left, np.int64(0), book[word] >> 32
    if coming < total:
        over = coming
        while resting:
            over -= coming * np.int64(orders[resting, SHOWN]) // total
            resting = np.int64(orders[resting, NEXT])
        resting = book[word] >> 32
    while count:
        after, part = np.int64(orders[resting, NEXT]), np.int64(orders[resting, SHOWN])
        if coming < total:
            part = coming * part // total
            if over and _draw(book, rec, count) < over:
                part += 1
                over -= 1
        if part:
            left -= part
            _trade(orders, book, out, rec, n, resting, part, left)
        resting = after
        count -= 1
    return left


@compiled
def _counterpart(orders: Any, book: Any, rec: Any, word: Any, account: Any, action: Any) -> Any:
    """Which order of the best queue is met: the first; by SEEDED_RANDOM one drawn; by PRO_RATA the first own one, else 0: all of them."""
    resting = book[word] >> 32
    if book[rec + I_MATCHING] == _SEEDED_RANDOM:
        count, at = np.int64(0), resting
        while at:
            count += 1
            at = np.int64(orders[at, NEXT])
        if count > 1:
            for _ in range(_draw(book, rec, count)):
                resting = np.int64(orders[resting, NEXT])
    elif book[rec + I_MATCHING] == _PRO_RATA:
        while resting and (orders[resting, ACCOUNT] != account or action == _ALLOW):
            resting = np.int64(orders[resting, NEXT])
    return resting


@inlined
def _match(orders: Any, book: Any, out: Any, rec: Any, n: Any) -> Any:
    """Trade an order that comes as far as it goes; what is left of it, -1 when it was cancelled."""
    packed, left, limit, account = orders[n, PACKED], np.int64(orders[n, LEFT]), np.int64(orders[n, PRICE]), orders[n, ACCOUNT]
    side, kind, action = np.int64((packed >> SIDE_AT) & 1), (packed >> KIND_AT) & 3, (packed >> SELF_AT) & 7
    centre, matching = _centre(book, rec), book[rec + I_MATCHING]
    while left > 0:
        price = book[rec + I_BEST + 1 - side]
        if price == 0 or not _crosses(kind, side, limit, price):
            break
        if _outside_breaker(book, rec, centre, price):
            _row(book, out, _PHASE_CHANGED, _NONE, price, _VOLATILITY, _CONTINUOUS, _NOBODY, orders[n, INSTRUMENT], _BUY, _BREAKER, _NONE, _NOBODY)
            book[rec + I_PHASE] = _VOLATILITY
            break
        word = _level(book, rec, 1 - side, price)
        resting = book[word] >> 32
        if matching != _PRICE_TIME:
            resting = _counterpart(orders, book, rec, word, account, action)
        if resting == 0:
            left = _share(orders, book, out, rec, n, word, left)
            orders[n, LEFT] = left
        elif orders[resting, ACCOUNT] == account and action != _ALLOW:
            left = _prevent(orders, book, out, rec, n, resting, action)
        else:
            quantity = min(left, np.int64(orders[resting, SHOWN]))
            left -= quantity
            orders[n, LEFT] = left
            _trade_here(orders, book, out, rec, n, resting, quantity, left)
    return left


@inlined
def _trade_or_rest(orders: Any, book: Any, out: Any, rec: Any, n: Any) -> None:
    """An order comes: it trades if it can, then rests or ends."""
    book[H_LOW] = 0
    book[H_HIGH] = 0
    left = np.int64(orders[n, LEFT])
    if book[rec + I_PHASE] == _CONTINUOUS and book[rec + I_MATCHING] != _TAKERS_CHOICE:
        left = _match(orders, book, out, rec, n)
        if left == 0:
            _close(orders, book, n)
    if left <= 0:
        return
    packed, continuous = orders[n, PACKED], book[rec + I_PHASE] == _CONTINUOUS
    if continuous and (packed >> KIND_AT) & 3 == _MARKET:
        _end(orders, book, out, n, _CANCELLED, _NO_LIQUIDITY)
    elif (packed >> LASTING_AT) & 7 >= _IOC:
        _end(orders, book, out, n, _CANCELLED, _REST if continuous else _BREAKER)
    else:
        _place_here(orders, book, rec, n)


@compiled
def _fillable(orders: Any, book: Any, rec: Any, kind: Any, side: Any, limit: Any, account: Any, action: Any) -> Any:
    """How much of a FOK order would trade now."""
    total, centre = np.int64(0), _centre(book, rec)
    price = book[rec + I_BEST + 1 - side]
    while price and _crosses(kind, side, limit, price) and not _outside_breaker(book, rec, centre, price):
        ahead, whole = np.int64(0), np.int64(0)
        resting = book[_level(book, rec, 1 - side, price)] >> 32
        while resting:
            if orders[resting, ACCOUNT] != account or action == _ALLOW:
                ahead += orders[resting, SHOWN]
                whole += orders[resting, LEFT]
            elif action != _CANCEL_OLD:
                return total + (ahead if book[rec + I_MATCHING] == _PRICE_TIME else 0)
            resting = np.int64(orders[resting, NEXT])
        total += whole
        price = _worse(book, rec, 1 - side, price)
    return total


@compiled
def _enter_stop(orders: Any, book: Any, out: Any, rec: Any, n: Any) -> None:
    _append(orders, book, rec + I_STOPS, n)
    orders[n, SHOWN] = 0
    stop = np.int64(orders[n, STOP])
    if (orders[n, PACKED] >> SIDE_AT) & 1 == _BUY:
        book[rec + I_STOP_BUY] = min(book[rec + I_STOP_BUY], stop)
    else:
        book[rec + I_STOP_SELL] = max(book[rec + I_STOP_SELL], stop)
    last = book[rec + I_LAST]
    if book[rec + I_PHASE] == _CONTINUOUS and last:
        _trigger(orders, book, out, rec, last, last)


@compiled
def _trigger(orders: Any, book: Any, out: Any, rec: Any, low: Any, high: Any) -> None:
    """Stops that trades from `low` to `high` set off join those that are due, in order of entry."""
    if high < book[rec + I_STOP_BUY] and low > book[rec + I_STOP_SELL]:
        return
    lowest, highest = np.int64(NO_STOP), np.int64(0)
    n = book[rec + I_STOPS] >> 32
    while n:
        after, stop, packed = np.int64(orders[n, NEXT]), np.int64(orders[n, STOP]), orders[n, PACKED]
        side = (packed >> SIDE_AT) & 1
        if high >= stop if side == _BUY else low <= stop:
            _unlink(orders, book, rec + I_STOPS, n)
            orders[n, STOP] = 0
            kind = _LIMIT if (packed >> KIND_AT) & 3 == _STOP_LIMIT else _MARKET
            orders[n, PACKED] = (packed & ~(3 << KIND_AT)) | (kind << KIND_AT)
            _about(orders, book, out, _TRIGGERED, n, orders[n, LEFT], orders[n, LEFT], _NONE)
            _append(orders, book, H_DUE, n)
        elif side == _BUY:
            lowest = min(lowest, stop)
        else:
            highest = max(highest, stop)
        n = after
    book[rec + I_STOP_BUY] = lowest
    book[rec + I_STOP_SELL] = highest


@compiled
def _next_due(orders: Any, book: Any, out: Any) -> None:
    """The first stop that is due comes as an order."""
    n = book[H_DUE] >> 32
    _unlink(orders, book, H_DUE, n)
    rec, packed = _record(orders[n, INSTRUMENT]), orders[n, PACKED]
    book[H_LOW] = 0
    if (packed >> LASTING_AT) & 7 == _FOK and book[rec + I_PHASE] == _CONTINUOUS:
        side, kind, action = np.int64((packed >> SIDE_AT) & 1), (packed >> KIND_AT) & 3, (packed >> SELF_AT) & 7
        if _fillable(orders, book, rec, kind, side, np.int64(orders[n, PRICE]), orders[n, ACCOUNT], action) < orders[n, LEFT]:
            _end(orders, book, out, n, _CANCELLED, _NOT_FILLABLE)
            return
    _come(orders, book, out, rec, n)


@compiled
def _come(orders: Any, book: Any, out: Any, rec: Any, n: Any) -> None:
    _trade_or_rest(orders, book, out, rec, n)
    if book[H_LOW]:
        _trigger(orders, book, out, rec, book[H_LOW], book[H_HIGH])
