"""Compiled: one pass over instructions. Judge each, enter it, match it, write what happened; calls, and many orders at once.

The rules are those of `orders.py`; `plain_book.py` is the same written plainly, and the tests hold the two to each other. `kernel_match.py` says what
the arrays are. Nothing is claimed here: where a number, a price, an account or the rows of an answer have no room, the pass stops before the
instruction (or before the next order of a cascade), says what it needs (the NEED names), and goes on from there when called again. One order writes
at most two rows for each open order, and two hundred for each iceberg (FEWEST_PARTS).
"""

from __future__ import annotations

from typing import Any

import numpy as np

# isort: off
from tonne.market.kernel_calls import (
    _accepts, _change_phase, _expire, _for_account, _possible, _set_reference,
)  # fmt: skip

# isort: on
# isort: off
from tonne.market.kernel_match import (
    ACCOUNT, CLOSED, EXPIRES, FLAGS_AT, H_AT, H_BUSY, H_COUNT, H_DUE, H_HIGHEST, H_ICEBERGS, H_INSTRUMENTS, H_KILLED, H_KILLED_N, H_LOOP,
    H_LOOP_PHASE, H_NEED_A, H_NEED_B, H_OPEN, H_ROW, H_TIME, INSTRUMENT, I_BEST, I_LARGEST, I_LOW, I_MARKET, I_MATCHING, I_PHASE, I_STOPS,
    I_TAKE_LEVELS, I_TICKS, KIND_AT, LASTING_AT, LEFT, NEED_ACCOUNTS, NEED_NUMBERS, NEED_ROWS, NEED_WINDOW, NEXT, OPEN, PACKED, PEAK, PRICE,
    SELF_AT, SHOWN, SIDE_AT, STATE, STOP, _ACCEPTED, _ACCOUNT_KILLED, _AHEAD, _ALLOW, _AMEND, _AMENDED, _BAD_INSTRUCTION, _BAD_PRICE,
    _BAD_QUANTITY, _BUY, _CANCEL, _CANCELLED, _CLOCK, _CLOSING, _CONTINUOUS, _DUPLICATE, _EXPIRE, _EXPIRED_PHASE, _FOK, _GTD, _HALT,
    _INSTRUMENT_EXPIRED, _IOC, _KILL, _KNOWN_FLAGS, _LARGEST_ACCOUNT, _LARGEST_PRICE, _LARGEST_QUANTITY, _LIMIT, _LOW_HALF, _MARKET,
    _MASS_CANCEL, _NEW, _NOBODY, _NONE, _NOT_FILLABLE, _NOT_IN_FIVE, _NOT_OPEN, _NOT_THE_ACCOUNT, _NO_LIQUIDITY, _ORDER_LIMIT, _OUTSIDE_SESSION,
    _OWN_ORDER, _PARTS, _PHASE, _POST_ONLY, _PRICE_LIMIT, _REFERENCE, _REFUSED, _REST, _REVIVE, _SELL, _STOP, _STOP_LIMIT, _TAKE,
    _TAKERS_CHOICE, _UNKNOWN_INSTRUMENT, _UNKNOWN_ORDER, _VOLATILITY, _WOULD_TAKE, _about, _close, _come, _end, _enter_stop, _fillable, _level,
    _next_due, _place, _record, _remove, _row, _row_here, _take_out, _trade, _worse, compiled, inlined,
)  # fmt: skip

# isort: on
__all__ = ["levels_of", "one", "open_rows", "restore", "run"]


@inlined
def _collects(phase: Any) -> Any:
    return phase < _CONTINUOUS or phase in (_VOLATILITY, _CLOSING)


@inlined
def _in_window(book: Any, rec: Any, price: Any) -> Any:
    return 0 <= price - book[rec + I_LOW] < book[rec + I_TICKS]


@inlined
def _is_killed(book: Any, account: Any) -> Any:
    return account < book[H_KILLED_N] and (book[book[H_KILLED] + (account >> 6)] >> (account & 63)) & 1 == 1


@compiled
def _need(book: Any, what: Any, a: Any, b: Any) -> Any:
    book[H_NEED_A] = a
    book[H_NEED_B] = b
    return np.int64(what)


@inlined
def _rows_needed(book: Any) -> Any:
    return 2 * book[H_OPEN] + 200 * book[H_ICEBERGS] + book[H_INSTRUMENTS] + 16


# judging: the reason of a refusal, 0 when there is none, or a NEED


@inlined
def _judge_form(book: Any, order: Any, stop: Any, display: Any, against: Any, account: Any, expires: Any, flags: Any, verb: Any, side: Any, kind: Any,
                lasting: Any, self_trade: Any) -> Any:  # fmt: skip
    """What NEW and TAKE show without looking at others."""
    if order < 1 or order > book[H_HIGHEST] + _AHEAD or order > _LARGEST_PRICE or account < 0 or account > _LARGEST_ACCOUNT:
        return _BAD_INSTRUCTION
    if side >> 1 or kind >> 2 or lasting < 0 or lasting > _FOK or self_trade < 0 or self_trade > _ALLOW or flags & ~_KNOWN_FLAGS:
        return _BAD_INSTRUCTION
    if (expires < 1) if lasting == _GTD else (expires != 0):
        return _BAD_INSTRUCTION
    if flags & _POST_ONLY and (kind != _LIMIT or lasting >= _IOC or verb == _TAKE):
        return _BAD_INSTRUCTION
    if display and (kind in (_MARKET, _STOP) or lasting >= _IOC or verb == _TAKE):
        return _BAD_INSTRUCTION
    if (against != 0) if verb == _NEW else (kind != _LIMIT or lasting != 0 or stop != 0):
        return _BAD_INSTRUCTION
    return 0


@inlined
def _judge_quantity(book: Any, rec: Any, quantity: Any, peak: Any) -> Any:
    if quantity < 1 or quantity > _LARGEST_QUANTITY:
        return _BAD_QUANTITY
    if peak and (peak < 0 or peak > _LARGEST_QUANTITY or peak * _PARTS < quantity):
        return _BAD_QUANTITY
    return _ORDER_LIMIT if quantity > book[rec + I_LARGEST] else 0


@inlined
def _judge_new(book: Any, orders: Any, rec: Any, order: Any, price: Any, stop: Any, quantity: Any, display: Any, account: Any, flags: Any, side: Any,
               kind: Any, lasting: Any, self_trade: Any) -> Any:  # fmt: skip
    """The rest of a NEW whose form, time and instrument are known."""
    choice, phase = book[rec + I_MATCHING] == _TAKERS_CHOICE, book[rec + I_PHASE]
    limited, waits = kind in (_LIMIT, _STOP_LIMIT), kind >= _STOP
    if choice and (kind != _LIMIT or lasting >= _IOC or display or flags & _POST_ONLY):
        return _BAD_INSTRUCTION
    if order < len(orders) and orders[order, PACKED] & STATE:
        return _DUPLICATE
    if _is_killed(book, account):
        return _ACCOUNT_KILLED
    wrong = _judge_quantity(book, rec, quantity, display)
    if wrong == _BAD_QUANTITY or display > quantity:
        return _BAD_QUANTITY
    if wrong:
        return wrong
    if not (_possible(book, rec, price) if limited else price == 0) or not (_possible(book, rec, stop) if waits else stop == 0):
        return _BAD_PRICE
    if phase != _CONTINUOUS:
        if phase == _EXPIRED_PHASE:
            return _INSTRUMENT_EXPIRED
        if not _collects(phase) or (lasting >= _IOC and not waits):
            return _OUTSIDE_SESSION
    if limited and not _accepts(book, rec, price):
        return _PRICE_LIMIT
    if phase == _CONTINUOUS and not waits and not choice:
        best = book[rec + I_BEST + 1 - side]
        if flags & _POST_ONLY and best and (best <= price if side == _BUY else best >= price):
            return _WOULD_TAKE
        if lasting == _FOK and _fillable(orders, book, rec, kind, side, price, account, self_trade) < quantity:
            return _NOT_FILLABLE
        if kind == _MARKET and best == 0:
            return _NO_LIQUIDITY
    if order >= len(orders):
        return _need(book, NEED_NUMBERS, order, _NONE)
    if limited and not _in_window(book, rec, price):
        return _need(book, NEED_WINDOW, rec, price)
    return 0


@inlined
def _judge_own(orders: Any, order: Any, account: Any) -> Any:
    """Is it open, and this account's?"""
    if order < 1 or order >= len(orders) or orders[order, PACKED] & STATE == 0:
        return _UNKNOWN_ORDER
    if orders[order, PACKED] & STATE == CLOSED:
        return _NOT_OPEN
    return _NOT_THE_ACCOUNT if orders[order, ACCOUNT] != account else 0


@compiled
def _judge_amend(orders: Any, book: Any, order: Any, price: Any, stop: Any, quantity: Any) -> Any:
    """An AMEND of an own, open order."""
    rec, packed = _record(orders[order, INSTRUMENT]), orders[order, PACKED]
    kind, phase, side = (packed >> KIND_AT) & 3, book[rec + I_PHASE], (packed >> SIDE_AT) & 1
    limited = kind in (_LIMIT, _STOP_LIMIT)
    wrong = _judge_quantity(book, rec, quantity if quantity else np.int64(orders[order, LEFT]), np.int64(orders[order, PEAK]))
    if wrong:
        return wrong
    if (price and not (limited and _possible(book, rec, price))) or (stop and not (kind >= _STOP and _possible(book, rec, stop))):
        return _BAD_PRICE
    if phase != _CONTINUOUS and not _collects(phase):
        return _OUTSIDE_SESSION
    if limited and not _accepts(book, rec, price if price else np.int64(orders[order, PRICE])):
        return _PRICE_LIMIT
    if price and (packed >> FLAGS_AT) & _POST_ONLY and price != orders[order, PRICE] and phase == _CONTINUOUS:
        best = book[rec + I_BEST + 1 - side]
        if best and (best <= price if side == _BUY else best >= price):
            return _WOULD_TAKE
    if price and not _in_window(book, rec, price):
        return _need(book, NEED_WINDOW, rec, price)
    return 0


@compiled
def _judge_take(orders: Any, book: Any, rec: Any, instrument: Any, order: Any, price: Any, quantity: Any, against: Any, account: Any, side: Any,
                self_trade: Any) -> Any:  # fmt: skip
    if book[rec + I_MATCHING] != _TAKERS_CHOICE:
        return _BAD_INSTRUCTION
    if order < len(orders) and orders[order, PACKED] & STATE:
        return _DUPLICATE
    if against < 1 or against >= len(orders) or orders[against, PACKED] & STATE == 0:
        return _UNKNOWN_ORDER
    if orders[against, PACKED] & STATE == CLOSED:
        return _NOT_OPEN
    if orders[against, INSTRUMENT] != instrument or (orders[against, PACKED] >> SIDE_AT) & 1 == side:
        return _UNKNOWN_ORDER
    if _is_killed(book, account):
        return _ACCOUNT_KILLED
    wrong = _judge_quantity(book, rec, quantity, _NONE)
    if wrong:
        return wrong
    asked = np.int64(orders[against, PRICE])
    if price and (not _possible(book, rec, price) or (asked > price if side == _BUY else asked < price)):
        return _BAD_PRICE
    if book[rec + I_PHASE] != _CONTINUOUS:
        return _OUTSIDE_SESSION
    if orders[against, ACCOUNT] == account and self_trade != _ALLOW:
        return _OWN_ORDER
    level = book[rec + I_BEST + 1 - side]
    for _ in range(book[rec + I_TAKE_LEVELS] - 1):
        if level == asked or level == 0:
            break
        level = _worse(book, rec, 1 - side, level)
    if level != asked:
        return _NOT_IN_FIVE
    return _need(book, NEED_NUMBERS, order, _NONE) if order >= len(orders) else 0


# orders


@inlined
def _open(orders: Any, book: Any, out: Any, order: Any, price: Any, stop: Any, quantity: Any, display: Any, account: Any, instrument: Any,
          expires: Any, flags: Any, side: Any, kind: Any, lasting: Any, self_trade: Any) -> None:  # fmt: skip
    orders[order, PRICE] = price
    orders[order, LEFT] = quantity
    orders[order, SHOWN] = quantity
    orders[order, ACCOUNT] = account
    orders[order, INSTRUMENT] = instrument
    orders[order, PEAK] = display
    orders[order, STOP] = stop
    orders[order, EXPIRES] = expires
    orders[order, PACKED] = (
        OPEN | (side << SIDE_AT) | (kind << KIND_AT) | (lasting << LASTING_AT) | (self_trade << SELF_AT) | (np.int64(flags) << FLAGS_AT)
    )
    book[H_OPEN] += 1
    if display:
        book[H_ICEBERGS] += 1
    if order > book[H_HIGHEST]:
        book[H_HIGHEST] = order
    _row_here(book, out, _ACCEPTED, order, price, quantity, quantity, account, instrument, side, _NONE, _NONE, _NOBODY)


@compiled
def _amend(orders: Any, book: Any, out: Any, n: Any, price: Any, stop: Any, quantity: Any) -> None:
    rec, left = _record(orders[n, INSTRUMENT]), np.int64(orders[n, LEFT])
    quantity = quantity if quantity else left
    if (price == 0 or price == orders[n, PRICE]) and (stop == 0 or stop == orders[n, STOP]) and quantity <= left:
        orders[n, LEFT] = quantity
        orders[n, SHOWN] = min(np.int64(orders[n, SHOWN]), quantity)
        _about(orders, book, out, _AMENDED, n, quantity, quantity, _NONE)
        return
    _remove(orders, book, rec, n)
    orders[n, LEFT] = quantity
    if price:
        orders[n, PRICE] = price
    if stop:
        orders[n, STOP] = stop
    _about(orders, book, out, _AMENDED, n, quantity, quantity, _NONE)
    if (orders[n, PACKED] >> KIND_AT) & 3 >= _STOP:
        _enter_stop(orders, book, out, rec, n)
    else:
        _come(orders, book, out, rec, n)


@compiled
def _take(orders: Any, book: Any, out: Any, rec: Any, n: Any, against: Any) -> None:
    left = np.int64(orders[n, LEFT])
    quantity = min(left, np.int64(orders[against, LEFT]))
    left -= quantity
    orders[n, LEFT] = left
    _trade(orders, book, out, rec, n, against, quantity, left)
    if left:
        _end(orders, book, out, n, _CANCELLED, _REST)
    else:
        _close(orders, book, n)


# instructions


@compiled
def _others(orders: Any, book: Any, out: Any, order: Any, price: Any, stop: Any, quantity: Any, display: Any, time: Any, account: Any,
            instrument: Any, expires: Any, verb: Any, phase: Any) -> Any:  # fmt: skip
    """All verbs that make no order: a reason, 0 when done, or a NEED."""
    about_account = verb in (_MASS_CANCEL, _KILL, _REVIVE)
    wrong_phase = verb == _PHASE and (phase < 0 or phase > _EXPIRED_PHASE)
    if verb < 0 or verb > _EXPIRE or (verb == _AMEND and display) or wrong_phase or (verb == _EXPIRE and expires < 0):
        return _BAD_INSTRUCTION
    if about_account and (account < 0 or account > _LARGEST_ACCOUNT):
        return _BAD_INSTRUCTION
    if time < book[H_TIME]:
        return _CLOCK
    if verb == _AMEND:
        wrong = _judge_own(orders, order, account)
        if wrong == 0:
            wrong = _judge_amend(orders, book, order, price, stop, quantity)
        if wrong == 0:
            book[H_TIME] = time
            _amend(orders, book, out, order, price, stop, quantity)
        return wrong
    if verb != _KILL and verb != _REVIVE:
        all_of_them = instrument == -1 and verb != _REFERENCE
        if not all_of_them and (instrument < 0 or instrument >= book[H_INSTRUMENTS]):
            return _UNKNOWN_INSTRUMENT
    if verb == _KILL and account >= book[H_KILLED_N]:
        return _need(book, NEED_ACCOUNTS, account, _NONE)
    before = book[H_TIME]
    book[H_TIME] = time
    wrong = 0
    if about_account:
        _for_account(orders, book, out, verb, account, instrument)
    elif verb == _EXPIRE:
        _expire(orders, book, out, instrument, expires)
    elif verb == _REFERENCE:
        wrong = _set_reference(orders, book, out, instrument, price, stop, display, quantity)
    elif instrument >= 0:
        wrong = _INSTRUMENT_EXPIRED if book[_record(instrument) + I_PHASE] == _EXPIRED_PHASE else 0
        if wrong == 0:
            _change_phase(orders, book, out, instrument, phase)
    else:
        book[H_LOOP], book[H_LOOP_PHASE] = book[H_INSTRUMENTS], phase
    if wrong:
        book[H_TIME] = before
    return wrong


@compiled
def _finish(orders: Any, book: Any, out: Any) -> Any:
    """What an instruction set off: stops that are due, the other instruments of a PHASE for all. Returns as `one`."""
    while book[H_DUE] or book[H_LOOP]:
        if book[H_ROW] + _rows_needed(book) > len(out):
            return np.int64(NEED_ROWS)
        if book[H_DUE]:
            _next_due(orders, book, out)
        else:
            _change_phase(orders, book, out, book[H_INSTRUMENTS] - book[H_LOOP], book[H_LOOP_PHASE])
            book[H_LOOP] -= 1
    book[H_BUSY] = 0
    book[H_COUNT] += 1
    return book[H_ROW]


@compiled
def one(orders: Any, book: Any, out: Any, order: Any, price: Any, stop: Any, quantity: Any, display: Any, against: Any, time: Any, w7: Any, w8: Any,
        w9: Any) -> Any:  # fmt: skip
    """One instruction, in ten words (dtype INSTRUCTION). Returns the next row of `out`, or a NEED: then make room and call again with the same."""
    if book[H_BUSY]:
        return _finish(orders, book, out)
    if book[H_ROW] + _rows_needed(book) > len(out):
        return np.int64(NEED_ROWS)
    account, instrument = np.int64(np.int32(w7 & _LOW_HALF)), w7 >> 32
    verb = np.int64(np.int8((w8 >> 48) & 255))
    if time == 0:
        time = book[H_TIME]
    wrong = np.int64(0)
    if verb == _CANCEL:
        wrong = np.int64(_CLOCK) if time < book[H_TIME] else np.int64(_judge_own(orders, order, account))
        if wrong == 0:
            book[H_TIME] = time
            _take_out(orders, book, out, _record(orders[order, INSTRUMENT]), order, _CANCELLED, _NONE)
    elif verb in (_NEW, _TAKE):
        expires, flags, side = np.int64(np.int32(w8 & _LOW_HALF)), np.int64(np.int16((w8 >> 32) & 0xFFFF)), w8 >> 56
        kind, lasting, self_trade = np.int64(np.int8(w9 & 255)), np.int64(np.int8((w9 >> 8) & 255)), np.int64(np.int8((w9 >> 16) & 255))
        wrong = np.int64(_judge_form(book, order, stop, display, against, account, expires, flags, verb, side, kind, lasting, self_trade))
        if wrong == 0:
            if time < book[H_TIME]:
                wrong = np.int64(_CLOCK)
            elif instrument < 0 or instrument >= book[H_INSTRUMENTS]:
                wrong = np.int64(_UNKNOWN_INSTRUMENT)
        rec = _record(instrument)
        if wrong == 0 and verb == _NEW:
            wrong = np.int64(_judge_new(book, orders, rec, order, price, stop, quantity, display, account, flags, side, kind, lasting, self_trade))
        elif wrong == 0:
            wrong = np.int64(_judge_take(orders, book, rec, instrument, order, price, quantity, against, account, side, self_trade))
        if wrong == 0:
            book[H_TIME] = time
            _open(orders, book, out, order, price, stop, quantity, display, account, instrument, expires, flags, side, kind, lasting, self_trade)
            if verb == _TAKE:
                _take(orders, book, out, rec, order, against)
            elif kind >= _STOP:
                _enter_stop(orders, book, out, rec, order)
            else:
                _come(orders, book, out, rec, order)
    else:
        expires, phase = np.int64(np.int32(w8 & _LOW_HALF)), np.int64(np.int8((w9 >> 24) & 255))
        wrong = np.int64(_others(orders, book, out, order, price, stop, quantity, display, time, account, instrument, expires, verb, phase))
    if wrong > 0:
        _row(book, out, _REFUSED, order, price, quantity, _NONE, account, instrument, w8 >> 56, wrong, _NONE, _NOBODY)
        out[book[H_ROW] - 1, 6] = time
    elif wrong < 0:
        return wrong
    if book[H_DUE] | book[H_LOOP]:
        book[H_BUSY] = 1
        return _finish(orders, book, out)
    book[H_COUNT] += 1
    return book[H_ROW]


@compiled
def run(orders: Any, book: Any, out: Any, ins: Any) -> Any:
    """The instructions from book[H_AT] on. Returns the next row of `out`, or a NEED: then make room and call again with the same."""
    at = book[H_AT]
    while at < len(ins):
        end = one(
            orders, book, out, ins[at, 0], ins[at, 1], ins[at, 2], ins[at, 3], ins[at, 4], ins[at, 5], ins[at, 6], ins[at, 7], ins[at, 8], ins[at, 9]
        )
        if end < 0:
            book[H_AT] = at
            return end
        at += 1
    book[H_AT] = at
    return book[H_ROW]


# reading, and putting back


@compiled
def _list_queue(orders: Any, book: Any, word: Any, out: Any, at: Any) -> Any:
    n = book[word] >> 32
    while n:
        out[at] = n
        at += 1
        n = np.int64(orders[n, NEXT])
    return at


@compiled
def open_rows(orders: Any, book: Any, out: Any) -> Any:
    """Fill `out` with the numbers of the open orders: by instrument the buy orders in turn, the sell orders, the stops. Returns how many."""
    at = np.int64(0)
    for instrument in range(book[H_INSTRUMENTS]):
        rec = _record(instrument)
        for side in (_BUY, _SELL):
            at = _list_queue(orders, book, rec + I_MARKET + side, out, at)
            price = book[rec + I_BEST + side]
            while price:
                at = _list_queue(orders, book, _level(book, rec, side, price), out, at)
                price = _worse(book, rec, side, price)
        at = _list_queue(orders, book, rec + I_STOPS, out, at)
    return at


@compiled
def levels_of(orders: Any, book: Any, instrument: Any, side: Any, out: Any) -> Any:
    """Fill `out` (price, quantity shown, orders) with the best levels of a side; returns how many."""
    rec, at = _record(instrument), np.int64(0)
    price = book[rec + I_BEST + side]
    while price and at < len(out):
        shown, count, n = np.int64(0), np.int64(0), book[_level(book, rec, side, price)] >> 32
        while n:
            shown += orders[n, SHOWN]
            count += 1
            n = np.int64(orders[n, NEXT])
        out[at, 0] = price
        out[at, 1] = shown
        out[at, 2] = count
        at += 1
        price = _worse(book, rec, side, price)
    return at


@compiled
def restore(orders: Any, book: Any, out: Any, numbers: Any) -> None:
    """Put open orders, whose rows are filled, back into their queues, in the order given (that of `open_rows`)."""
    for k in range(len(numbers)):
        n = numbers[k]
        rec, shown = _record(orders[n, INSTRUMENT]), orders[n, SHOWN]
        if (orders[n, PACKED] >> KIND_AT) & 3 >= _STOP:
            phase = book[rec + I_PHASE]
            book[rec + I_PHASE] = _HALT
            _enter_stop(orders, book, out, rec, n)
            book[rec + I_PHASE] = phase
        else:
            _place(orders, book, rec, n)
            orders[n, SHOWN] = shown
        book[H_OPEN] += 1
        if orders[n, PEAK]:
            book[H_ICEBERGS] += 1
