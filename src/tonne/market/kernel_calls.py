"""Compiled: many orders at once (mass cancel, kill, day end, new price limits), and the calls that uncross at one price.

The rules are those of `orders.py` and `plain_book.py`; `kernel_match.py` says what the arrays are. Numba's cache of `kernel.py` does not watch
this file: whoever changes it must touch `kernel.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

# isort: off
from tonne.market.kernel_match import (
    ACCOUNT, EXPIRES, H_INSTRUMENTS, H_KILLED, H_KILLED_N, I_BEST, I_BREAKER, I_HIGHEST, I_HIGHEST_ACCEPTED, I_LAST, I_LOW, I_LOWEST,
    I_LOWEST_ACCEPTED, I_MARKET, I_MATCHING, I_PHASE, I_REFERENCE, I_STOPS, I_TICKS, KIND_AT, LASTING_AT, LEFT, NEXT, PACKED, PRICE, SHOWN,
    _ACCOUNT_KILLED, _BAD_INSTRUCTION, _BUY, _CANCELLED, _CLOSED_PHASE, _CLOSING, _CONTINUOUS, _DAY_END, _DAY_ENDED, _EXPIRED, _EXPIRED_PHASE,
    _GTC, _GTD, _INSTRUMENT_EXPIRED, _KILL, _KILLED, _LARGEST_PRICE, _LIMIT, _MASS_CANCEL, _MASS_CANCELLED, _NOBODY, _NONE, _NO_LIQUIDITY,
    _OPENING, _PHASE_CHANGED, _POST_CLOSE, _PRICE_LIMIT, _REFERENCE_SET, _REVIVED, _SELL, _STOP_LIMIT, _TAKERS_CHOICE, _TRADE, _UNCROSSED,
    _VOLATILITY, _above, _below, _close, _level, _record, _remove, _replenish, _row, _take_out, _trigger, _worse, compiled, inlined,
)  # fmt: skip
# isort: on

# Which orders `_end_many` ends.
_OF_ACCOUNT, _OF_DAY, _BEYOND_LIMITS, _EVERY = np.arange(4)


@inlined
def _accepts(book: Any, rec: Any, price: Any) -> Any:
    highest = book[rec + I_HIGHEST_ACCEPTED]
    return price >= book[rec + I_LOWEST_ACCEPTED] and (highest == 0 or price <= highest)


@inlined
def _possible(book: Any, rec: Any, price: Any) -> Any:
    return book[rec + I_LOWEST] <= price <= book[rec + I_HIGHEST]


# many orders at once


@compiled
def _ends(orders: Any, book: Any, rec: Any, n: Any, which: Any, value: Any) -> Any:
    packed = orders[n, PACKED]
    if which == _OF_ACCOUNT:
        return orders[n, ACCOUNT] == value
    if which == _OF_DAY:
        lasting = (packed >> LASTING_AT) & 7
        return orders[n, EXPIRES] <= value if lasting == _GTD else lasting != _GTC
    if which == _BEYOND_LIMITS:
        kind = (packed >> KIND_AT) & 3
        return (kind in (_LIMIT, _STOP_LIMIT)) and not _accepts(book, rec, orders[n, PRICE])
    return True


@compiled
def _end_queue(orders: Any, book: Any, out: Any, rec: Any, word: Any, which: Any, value: Any, happening: Any, reason: Any) -> Any:
    ended, n = np.int64(0), book[word] >> 32
    while n:
        after = np.int64(orders[n, NEXT])
        if _ends(orders, book, rec, n, which, value):
            _take_out(orders, book, out, rec, n, happening, reason)
            ended += 1
        n = after
    return ended


@compiled
def _end_many(orders: Any, book: Any, out: Any, first: Any, last: Any, which: Any, value: Any, happening: Any, reason: Any) -> Any:
    """By instrument; in each the buy orders in turn, the sell orders, the stops. Returns how many ended."""
    ended = np.int64(0)
    for instrument in range(first, last):
        rec = _record(instrument)
        for side in (_BUY, _SELL):
            ended += _end_queue(orders, book, out, rec, rec + I_MARKET + side, which, value, happening, reason)
            price = book[rec + I_BEST + side]
            while price:
                ended += _end_queue(orders, book, out, rec, _level(book, rec, side, price), which, value, happening, reason)
                price = _worse(book, rec, side, price)
        ended += _end_queue(orders, book, out, rec, rec + I_STOPS, which, value, happening, reason)
    return ended


@compiled
def _for_account(orders: Any, book: Any, out: Any, verb: Any, account: Any, instrument: Any) -> None:
    """MASS_CANCEL, KILL, REVIVE."""
    every, all_of_them = np.int64(-1), book[H_INSTRUMENTS]
    if verb == _MASS_CANCEL:
        first, last = (np.int64(0), all_of_them) if instrument == -1 else (np.int64(instrument), np.int64(instrument) + 1)
        n = _end_many(orders, book, out, first, last, _OF_ACCOUNT, account, _CANCELLED, _NONE)
        _row(book, out, _MASS_CANCELLED, _NONE, _NONE, n, _NONE, account, instrument, _BUY, _NONE, _NONE, _NOBODY)
        return
    word, bit = book[H_KILLED] + (account >> 6), np.int64(1) << (account & 63)
    if verb == _KILL:
        book[word] |= bit
        n = _end_many(orders, book, out, _NONE, all_of_them, _OF_ACCOUNT, account, _CANCELLED, _ACCOUNT_KILLED)
        _row(book, out, _KILLED, _NONE, _NONE, n, _NONE, account, every, _BUY, _NONE, _NONE, _NOBODY)
    else:
        if account < book[H_KILLED_N]:
            book[word] &= ~bit
        _row(book, out, _REVIVED, _NONE, _NONE, _NONE, _NONE, account, every, _BUY, _NONE, _NONE, _NOBODY)


@compiled
def _expire(orders: Any, book: Any, out: Any, instrument: Any, day: Any) -> None:
    first, last = (np.int64(0), book[H_INSTRUMENTS]) if instrument == -1 else (np.int64(instrument), np.int64(instrument) + 1)
    n = _end_many(orders, book, out, first, last, _OF_DAY, day, _EXPIRED, _DAY_END)
    _row(book, out, _DAY_ENDED, _NONE, _NONE, n, day, _NOBODY, instrument, _BUY, _NONE, _NONE, _NOBODY)


@compiled
def _set_reference(orders: Any, book: Any, out: Any, instrument: Any, reference: Any, lowest: Any, highest: Any, breaker: Any) -> Any:
    """REFERENCE: a reason, or 0 when it was done."""
    rec = _record(instrument)
    if reference < 0 or lowest < 0 or highest < 0 or max(lowest, highest) > _LARGEST_PRICE or (highest and lowest > highest):
        return _BAD_INSTRUCTION
    if reference and (not _possible(book, rec, reference) or reference < lowest or (highest and reference > highest)):
        return _BAD_INSTRUCTION
    if breaker < 0 or breaker > _LARGEST_PRICE or (breaker and book[rec + I_MATCHING] == _TAKERS_CHOICE):
        return _BAD_INSTRUCTION
    if book[rec + I_PHASE] == _EXPIRED_PHASE:
        return _INSTRUMENT_EXPIRED
    book[rec + I_REFERENCE], book[rec + I_LOWEST_ACCEPTED], book[rec + I_HIGHEST_ACCEPTED], book[rec + I_BREAKER] = (
        reference,
        lowest,
        highest,
        breaker,
    )
    n = _end_many(orders, book, out, np.int64(instrument), np.int64(instrument) + 1, _BEYOND_LIMITS, _NONE, _CANCELLED, _PRICE_LIMIT)
    _row(book, out, _REFERENCE_SET, _NONE, reference, n, _NONE, _NOBODY, instrument, _BUY, _NONE, _NONE, _NOBODY)
    return 0


# calls


@compiled
def _queue_left(orders: Any, book: Any, word: Any) -> Any:
    total, n = np.int64(0), book[word] >> 32
    while n:
        total += orders[n, LEFT]
        n = np.int64(orders[n, NEXT])
    return total


@compiled
def _side_left(orders: Any, book: Any, rec: Any, side: Any) -> Any:
    total, price = _queue_left(orders, book, rec + I_MARKET + side), book[rec + I_BEST + side]
    while price:
        total += _queue_left(orders, book, _level(book, rec, side, price))
        price = _worse(book, rec, side, price)
    return total


@compiled
def _call_price(orders: Any, book: Any, rec: Any) -> Any:
    """(price, volume, surplus): the largest volume; then the smallest surplus; then nearest the reference; then the higher price."""
    reference = book[rec + I_REFERENCE] if book[rec + I_REFERENCE] else book[rec + I_LAST]
    end = book[rec + I_LOW] + book[rec + I_TICKS]
    low = _above(book, rec, _BUY, np.int64(-1))
    other = _above(book, rec, _SELL, np.int64(-1))
    low = other if low == 0 or (other and other < low) else low
    high = max(_below(book, rec, _BUY, end), _below(book, rec, _SELL, end))
    demand, supply = _side_left(orders, book, rec, _BUY), _queue_left(orders, book, rec + I_MARKET + 1)
    found, volume, surplus, distance = np.int64(0), np.int64(-1), np.int64(0), np.int64(0)
    price = reference if reference and (low == 0 or reference < low) else low
    while price:
        inside = low <= price <= high
        if inside:
            supply += _queue_left(orders, book, _level(book, rec, _SELL, price))
        much, over, far = min(demand, supply), abs(demand - supply), (abs(price - reference) if reference else np.int64(0))
        if much > volume or (much == volume and (over < abs(surplus) or (over == abs(surplus) and far <= distance))):
            found, volume, surplus, distance = price, much, demand - supply, far
        if inside:
            demand -= _queue_left(orders, book, _level(book, rec, _BUY, price))
        if price < low:
            price = low
        elif price < high:
            price += 1
        else:
            price = reference if price < reference and price == high else np.int64(0)
    return found, max(volume, np.int64(0)), surplus


@compiled
def _first(book: Any, rec: Any, side: Any) -> Any:
    """The order of a side that would trade first; 0 if none."""
    waiting = book[rec + I_MARKET + side] >> 32
    if waiting:
        return waiting
    best = book[rec + I_BEST + side]
    return book[_level(book, rec, side, best)] >> 32 if best else np.int64(0)


@compiled
def _give(orders: Any, book: Any, rec: Any, n: Any, quantity: Any) -> Any:
    """What is left of an order after a trade of the call; out of the book at 0."""
    left = np.int64(orders[n, LEFT]) - quantity
    orders[n, LEFT] = left
    if left == 0:
        _remove(orders, book, rec, n)
        _close(orders, book, n)
    return left


@compiled
def _settle_shown(orders: Any, book: Any, out: Any, rec: Any, n: Any, traded: Any) -> None:
    """After a call: the shown part of an order that traded in part."""
    if traded < orders[n, SHOWN]:
        orders[n, SHOWN] -= traded
    else:
        _replenish(orders, book, out, rec, n)


@compiled
def _uncross(orders: Any, book: Any, out: Any, instrument: Any) -> None:
    rec = _record(instrument)
    price, volume, surplus = _call_price(orders, book, rec)
    if volume == 0:
        return
    _row(book, out, _UNCROSSED, _NONE, price, volume, surplus, _NOBODY, instrument, _BUY, _NONE, _NONE, _NOBODY)
    buy, sell, bought, sold = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    while volume:
        if buy == 0:
            buy, bought = _first(book, rec, _BUY), np.int64(0)
        if sell == 0:
            sell, sold = _first(book, rec, _SELL), np.int64(0)
        quantity = min(volume, min(np.int64(orders[buy, LEFT]), np.int64(orders[sell, LEFT])))
        volume -= quantity
        bought += quantity
        sold += quantity
        left, account, other, against = orders[buy, LEFT] - quantity, orders[buy, ACCOUNT], orders[sell, ACCOUNT], sell
        _row(book, out, _TRADE, buy, price, quantity, left, account, instrument, _BUY, _NONE, against, other)
        if _give(orders, book, rec, buy, quantity) == 0:
            buy = np.int64(0)
        if _give(orders, book, rec, sell, quantity) == 0:
            sell = np.int64(0)
    book[rec + I_LAST] = price
    if buy:
        _settle_shown(orders, book, out, rec, buy, bought)
    if sell:
        _settle_shown(orders, book, out, rec, sell, sold)


@compiled
def _change_phase(orders: Any, book: Any, out: Any, instrument: Any, phase: Any) -> None:
    rec = _record(instrument)
    before = book[rec + I_PHASE]
    if before == _EXPIRED_PHASE:
        return
    trades_out = phase in (_CONTINUOUS, _POST_CLOSE, _CLOSED_PHASE)
    call = before in (_OPENING, _VOLATILITY, _CLOSING)
    if (phase == _CONTINUOUS or (call and trades_out)) and book[rec + I_MATCHING] != _TAKERS_CHOICE:
        _uncross(orders, book, out, instrument)
    if trades_out:
        for side in (_BUY, _SELL):
            _end_queue(orders, book, out, rec, rec + I_MARKET + side, _EVERY, _NONE, _CANCELLED, _NO_LIQUIDITY)
    book[rec + I_PHASE] = phase
    _row(book, out, _PHASE_CHANGED, _NONE, _NONE, phase, before, _NOBODY, instrument, _BUY, _NONE, _NONE, _NOBODY)
    if phase == _EXPIRED_PHASE:
        _end_many(orders, book, out, np.int64(instrument), np.int64(instrument) + 1, _EVERY, _NONE, _EXPIRED, _INSTRUMENT_EXPIRED)
    if phase == _CONTINUOUS and book[rec + I_LAST]:
        _trigger(orders, book, out, rec, book[rec + I_LAST], book[rec + I_LAST])
