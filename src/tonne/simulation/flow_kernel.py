"""One compiled pass that writes the instructions of a flow; `order_flow.py` says what they are like and gives it its numbers.

Every row uses its own row of `chance` (numbers in [0, 1)), so a flow of 1,000 rows is the beginning of one of 2,000 with the same days. `shares`
and `counts` are the plan; `rules` has a row for each instrument. What must last from one call to the next is in `place`, `heat`, `middle`, `sent`,
`recent`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from tonne.market.orders import LARGEST_ACCOUNT, NUMBERS_AHEAD, Lasting, Matching, OrderFlag, OrderKind, Phase, SelfTrade, Side, Verb

__all__ = ["CHANCES", "RECENT", "write_rows"]

CHANCES = 14
"""Numbers that one row may use."""
RECENT = 64
"""Orders remembered for each instrument and side, for TAKE to choose among; `recent` has one column more, how many there were."""

_NEW, _CANCEL, _AMEND, _TAKE, _MASS, _KILL, _REVIVE, _PHASE, _REFERENCE, _EXPIRE = (int(verb) for verb in Verb)
_LIMIT, _MARKET, _STOP, _STOP_LIMIT = (int(kind) for kind in OrderKind)
_DAY, _GTC, _GTD, _IOC, _FOK = (int(lasting) for lasting in Lasting)
_BUY = int(Side.BUY)
_POST_ONLY = int(OrderFlag.POST_ONLY)
_ALLOW = int(SelfTrade.ALLOW)
_TAKERS = int(Matching.TAKERS_CHOICE)
_PRE_OPEN, _OPENING, _CONTINUOUS, _VOLATILITY, _CLOSING, _HALT, _POST, _CLOSED, _ENDED = (int(phase) for phase in Phase)
_AHEAD, _ACCOUNTS = NUMBERS_AHEAD, LARGEST_ACCOUNT

CLOCK, NEXT, SENT, DAY, STEP, KILLED, HALTED = range(7)
"""Places in `place`: microseconds, next order number, rows in `sent`, day, row within the day, last account killed + 1, last instrument halted +
1."""
ACCOUNTS, PER_DAY, MICROSECONDS, SELF_TRADES = range(4)
"""Places in `counts`; MICROSECONDS is the mean time between two rows."""
INVALID, CANCELS, AMENDS, RARE = range(4)
"""Places in `shares`."""
LOWEST, HIGHEST, MATCHING, LARGEST, BREAKER, BAND = range(6)
"""Columns of `rules`."""
ORDER, ACCOUNT, INSTRUMENT, SIDE, PRICE, QUANTITY, RESTS = range(7)
"""Columns of `sent`; RESTS: 1 for an order that may well be open, as its sender sees it."""


@njit(cache=True)
def write_rows(rows: Any, chance: Any, counts: Any, shares: Any, rules: Any, place: Any, heat: Any, middle: Any, sent: Any, recent: Any) -> None:
    """Fill `rows`, one from each row of `chance`."""
    for k in range(len(rows)):
        row, u = rows[k], chance[k]
        _pass_time(u, counts, place, heat)
        _move(u, rules, middle)
        row.time = place[CLOCK]
        row.account = _drawn_account(u[2], counts)
        row.instrument = _drawn_instrument(u[3], len(rules))
        if not _of_the_day(row, counts, place, rules, middle):
            kind = u[4]
            if kind < shares[RARE]:
                _rare(row, u, place, rules, middle)
            elif kind < shares[RARE] + shares[CANCELS] and place[SENT] > 0:
                _cancel(row, u, place, sent)
            elif kind < shares[RARE] + shares[CANCELS] + shares[AMENDS] and place[SENT] > 0:
                _amend(row, u, place, sent)
            elif rules[row.instrument, MATCHING] == _TAKERS and u[5] < 0.4:
                _take(row, u, place, sent, recent)
            else:
                _order(row, u, counts, place, rules, middle)
            if u[13] < shares[INVALID]:
                _spoil(row, u[13] / shares[INVALID], u[12], place)
            elif row.verb == _NEW:
                _remember(row, middle[row.instrument], place, sent, recent)
        place[STEP] += 1
        if place[STEP] == counts[PER_DAY]:
            place[STEP], place[DAY] = 0, place[DAY] + 1
            place[CLOCK] = max(place[CLOCK], place[DAY] * 86_400_000_000 + 28_800_000_000)


@njit(cache=True)
def _pass_time(u: Any, counts: Any, place: Any, heat: Any) -> None:
    """Arrivals excite arrivals: each raises the rate by three times its base, and that dies away over four mean gaps."""
    rate = 0.4 + heat[0]
    gap = -math.log(1.0 - u[0]) / rate
    heat[0] = heat[0] * math.exp(-gap / 4.0) + (0.6 if u[1] < 0.25 else 0.0)
    place[CLOCK] += np.int64(gap * counts[MICROSECONDS])


@njit(cache=True)
def _move(u: Any, rules: Any, middle: Any) -> None:
    """The middle of one instrument takes a step, rarely a leap; it stays inside the middle half of its prices."""
    i = int(u[1] * 997) % len(middle)
    step = 0
    if u[6] < 0.06:
        step = 1 if u[6] < 0.03 else -1
    elif u[6] > 0.9995:
        step = 15 if u[6] > 0.99975 else -15
    span = rules[i, HIGHEST] - rules[i, LOWEST]
    middle[i] = min(max(middle[i] + step, rules[i, LOWEST] + span // 4), rules[i, HIGHEST] - span // 4)


@njit(cache=True)
def _drawn_account(u: Any, counts: Any) -> Any:
    """A few accounts send most."""
    return int(u * u * counts[ACCOUNTS])


@njit(cache=True)
def _drawn_instrument(u: Any, n: Any) -> Any:
    return int(u * math.sqrt(u) * n)


@njit(cache=True)
def _of_the_day(row: Any, counts: Any, place: Any, rules: Any, middle: Any) -> Any:
    """The venue's own instructions at their places in the day; whether this was one."""
    step, per_day, n = place[STEP], counts[PER_DAY], len(rules)
    if step < n:  # reference and limits for the day
        _reference(row, step, rules, middle)
        return True
    phase = -1
    if step == n:
        phase = _PRE_OPEN
    elif step == n + per_day // 30:
        phase = _OPENING
    elif step == n + per_day // 15:
        phase = _CONTINUOUS
    elif step == per_day - per_day // 12:
        phase = _CLOSING
    elif step == per_day - per_day // 25:
        phase = _POST
    elif step == per_day - 1:
        phase = _CLOSED
    if phase >= 0:
        row.verb, row.phase, row.instrument, row.account = _PHASE, phase, -1, 0
        return True
    if step == per_day - 2:
        row.verb, row.expires, row.instrument, row.account = _EXPIRE, place[DAY], -1, 0
        return True
    return False


@njit(cache=True)
def _reference(row: Any, instrument: Any, rules: Any, middle: Any) -> None:
    row.verb, row.instrument, row.account, row.price = _REFERENCE, instrument, 0, middle[instrument]
    row.quantity = rules[instrument, BREAKER]
    if rules[instrument, BAND] > 0:
        row.stop = max(rules[instrument, LOWEST], middle[instrument] - rules[instrument, BAND])
        row.display = min(rules[instrument, HIGHEST], middle[instrument] + rules[instrument, BAND])


@njit(cache=True)
def _rare(row: Any, u: Any, place: Any, rules: Any, middle: Any) -> None:
    """Mass cancels, kills, halts, new limits, calls: what happens a few times a day. A halt or a kill is mostly lifted by the next of these rows."""
    if place[KILLED] > 0 and u[7] < 0.7:
        row.verb, row.account, place[KILLED] = _REVIVE, place[KILLED] - 1, 0
    elif place[HALTED] > 0:
        row.verb, row.instrument, row.account = _PHASE, place[HALTED] - 1, 0
        row.phase = _VOLATILITY if u[7] < 0.3 else _CONTINUOUS
        if row.phase == _CONTINUOUS:
            place[HALTED] = 0
    elif u[8] < 0.20:
        row.verb = _MASS
        if u[9] < 0.3:
            row.instrument = -1
    elif u[8] < 0.28:
        row.verb, place[KILLED] = _KILL, row.account + 1
    elif u[8] < 0.36:
        row.verb, row.phase, place[HALTED] = _PHASE, _HALT if u[9] < 0.5 else _VOLATILITY, row.instrument + 1
        row.account = 0
    elif u[8] < 0.44:
        _reference(row, row.instrument, rules, middle)
    elif u[8] > 0.95 and row.instrument == len(rules) - 1 and len(rules) > 4:  # the last day of the last of many
        row.verb, row.phase, row.account = _PHASE, _ENDED, 0
    else:  # ends a call that the circuit breaker began
        row.verb, row.phase, row.account = _PHASE, _CONTINUOUS, 0


@njit(cache=True)
def _size(u: Any) -> Any:
    """Lots: half of all orders have one or two, one in a hundred has 25 or more (a tail of exponent 1.4)."""
    return int((1.0 - u) ** (-1.0 / 1.4))


@njit(cache=True)
def _price(u: Any, side: Any, middle: Any, aggressive: Any) -> Any:
    """A limit near the middle: mostly some ticks behind it, or beyond it when the sender wants to trade."""
    away = int(min(-math.log(1.0 - u) * (3.0 if aggressive else 6.0), 150.0))
    behind = -away if aggressive else away + 1
    return middle - behind if side == _BUY else middle + behind


@njit(cache=True)
def _order(row: Any, u: Any, counts: Any, place: Any, rules: Any, middle: Any) -> None:
    i = row.instrument
    row.verb, row.order = _NEW, place[NEXT]
    place[NEXT] += 1 if u[12] > 0.002 else 1 + int(u[5] * 9)
    row.side = int(u[7] * 2)
    row.quantity = min(_size(u[8]), rules[i, LARGEST])
    row.self_trade = min(int(u[11] * 4), _ALLOW) if counts[SELF_TRADES] == 0 or u[12] < 0.8 else _ALLOW
    row.price = _price(u[9], row.side, middle[i], u[10] < 0.35)
    ask = u[5]
    if ask < 0.08:
        row.kind, row.price, row.lasting = _MARKET, 0, _IOC if u[11] < 0.5 else _DAY
    elif ask < 0.14:
        row.lasting = _IOC
    elif ask < 0.18:
        row.lasting = _FOK
    elif ask < 0.24:
        row.flags = _POST_ONLY
    elif ask < 0.30:
        row.quantity = min(row.quantity * 8 + 4, rules[i, LARGEST])
        row.display = max(1, row.quantity // (2 + int(u[11] * 7)))
    elif ask < 0.38:
        away = 1 + int(u[9] * 12)
        row.kind, row.stop = _STOP if ask < 0.34 else _STOP_LIMIT, middle[i] + away if row.side == _BUY else middle[i] - away
        row.price = 0 if ask < 0.34 else (row.stop + 3 if row.side == _BUY else row.stop - 3)
        row.lasting = _GTC if u[11] < 0.3 else _DAY
    elif ask < 0.50:
        row.lasting = _GTC
    elif ask < 0.58:
        row.lasting, row.expires = _GTD, place[DAY] + int(u[11] * 4)


@njit(cache=True)
def _remember(row: Any, middle: Any, place: Any, sent: Any, recent: Any) -> None:
    n = place[SENT]
    sent[n, ORDER], sent[n, ACCOUNT], sent[n, INSTRUMENT] = row.order, row.account, row.instrument
    sent[n, SIDE], sent[n, PRICE], sent[n, QUANTITY] = row.side, row.price, row.quantity
    behind = row.price <= middle if row.side == _BUY else row.price >= middle
    sent[n, RESTS] = row.price > 0 and behind and row.lasting != _IOC and row.lasting != _FOK
    last = recent[row.instrument, row.side]
    last[1 + last[0] % RECENT] = n
    last[0] += 1
    place[SENT] = n + 1


@njit(cache=True)
def _one_of_the_sent(u: Any, blind: Any, place: Any, sent: Any) -> Any:
    """Mostly a young order that its sender believes open; one in eight is of any age, and most likely gone."""
    n = place[SENT]
    k = int(u * 8 * n) if u < 0.125 else max(0, n - 1 - int(-math.log(1.0 - (u - 0.125) / 0.875) * 60.0))
    if blind > 0.15:
        for back in range(min(k, 40)):
            if sent[k - back, RESTS] == 1:
                return k - back
    return k


@njit(cache=True)
def _cancel(row: Any, u: Any, place: Any, sent: Any) -> None:
    k = _one_of_the_sent(u[7], u[11], place, sent)
    row.verb, row.order, row.instrument = _CANCEL, sent[k, ORDER], sent[k, INSTRUMENT]
    if u[8] > 0.02:
        row.account = sent[k, ACCOUNT]
        sent[k, RESTS] = 0
    if u[9] < 0.01:
        row.order = place[NEXT] + int(u[10] * 50)


@njit(cache=True)
def _amend(row: Any, u: Any, place: Any, sent: Any) -> None:
    k = _one_of_the_sent(u[7], u[5], place, sent)
    row.verb, row.order, row.instrument = _AMEND, sent[k, ORDER], sent[k, INSTRUMENT]
    if u[8] > 0.02:
        row.account = sent[k, ACCOUNT]
    if u[9] < 0.6 and sent[k, PRICE] > 0:
        row.price = max(1, sent[k, PRICE] + int(u[10] * 13) - 6)
    if u[9] > 0.35:
        row.quantity = max(1, int(sent[k, QUANTITY] * u[11] * 1.5))


@njit(cache=True)
def _take(row: Any, u: Any, place: Any, sent: Any, recent: Any) -> None:
    """Picks one of the recent orders of the other side; of those gone the book says so."""
    row.side = int(u[7] * 2)
    others = recent[row.instrument, 1 - row.side]
    back = 1 + int(u[8] * u[8] * min(others[0], RECENT))
    row.verb, row.order, row.quantity = _TAKE, place[NEXT], _size(u[9])
    row.against = sent[others[1 + (others[0] - back) % RECENT], ORDER] if others[0] > 0 else 0
    place[NEXT] += 1


@njit(cache=True)
def _spoil(row: Any, which: Any, u: Any, place: Any) -> None:
    """One thing wrong, as senders get it wrong (sometimes what results is possible after all)."""
    fault = int(which * 22)
    if fault == 0:
        row.price = 0 if u < 0.5 else -row.price
    elif fault == 1:
        row.price = row.price * 1000
    elif fault == 2:
        row.price = row.price + (900 if u < 0.5 else -900)
    elif fault == 3:
        row.quantity = 0 if u < 0.5 else -row.quantity
    elif fault == 4:
        row.quantity = row.quantity * 100_000_000
    elif fault == 5:
        row.order = max(1, int(row.order * u))
    elif fault == 6:
        row.order = 0 if u < 0.5 else -row.order
    elif fault == 7:
        row.order = row.order + 3 * _AHEAD
    elif fault == 8:
        row.time = row.time - 1 - int(u * 3_600_000_000)
    elif fault == 9:
        row.instrument = 99 if u < 0.5 else -2
    elif fault == 10:
        row.instrument = -1
    elif fault == 11:
        row.account = -1 if u < 0.5 else _ACCOUNTS + 1
    elif fault == 12:
        row.verb = 10 + int(u * 20) if u < 0.5 else -1
    elif fault == 13:
        row.side = 2 if u < 0.5 else -1
    elif fault == 14:
        row.kind = int(u * 6)
    elif fault == 15:
        row.lasting = int(u * 7)
    elif fault == 16:
        row.flags = 1 << int(u * 8)
    elif fault == 17:
        row.self_trade = int(u * 7)
    elif fault == 18:
        row.display = row.quantity + 1 if u < 0.5 else 1
    elif fault == 19:
        row.expires = place[DAY] - 1
        row.lasting = _GTD
    elif fault == 20:
        row.stop = 5
    else:
        row.phase = int(u * 10)
