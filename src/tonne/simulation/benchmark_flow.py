"""The flow on which matching engines are timed: one instrument, limit orders and cancels, the same million events for everybody.

Per event: with chance 0.02 the middle moves by -1, 0 or +1 tick; then of a number u in [0, 1): below 0.35 a cancel of a live order drawn evenly (a
new order when none lives), below 0.90 a new order 1 to 20 ticks from the middle of size 1 to 10, else one 20 ticks through the middle of size 1 to
19, whose rest stays. The draws come in this order: chance of a move, the move, u, side, distance, size; a cancel draws a place in the list of all
orders that were never found dead, takes it out (the last one fills the gap) and draws again while what it found is dead.

The numbers are those of the Mersenne Twister (Matsumoto and Nishimura, 1998) seeded by one integer, in the two forms in which most libraries use
it: 53 bits over 2**53, and trailing bits drawn again while they are too large. So the flow depends on no library, and the sums that were published
for other engines hold (trades / volume): 2,000 events 532 / 2,059; 20,000 5,170 / 19,796; 50,000 13,054 / 49,923; 200,000 53,624 / 203,623;
1,000,000 278,557 / 1,047,324.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["CONTROL_SUMS", "LAST_TICK", "drawn_events"]

CONTROL_SUMS = {2_000: (532, 2_059), 20_000: (5_170, 19_796), 50_000: (13_054, 49_923), 200_000: (53_624, 203_623), 1_000_000: (278_557, 1_047_324)}
"""Events -> trades and volume with seed 42."""

LAST_TICK = 20_000
"""Prices lie between 0 and this tick; the middle begins halfway."""

_WORDS, _SHIFT = 624, 397
BUY, SELL = 0, 1


@njit(cache=True)
def _seeded(seed: Any) -> Any:
    """The 624 words of the twister and, last, the place of the next one."""
    state = np.zeros(_WORDS + 1, dtype=np.int64)
    state[0] = seed & 0xFFFFFFFF
    for place in range(1, _WORDS):
        before = state[place - 1]
        state[place] = (1812433253 * (before ^ (before >> 30)) + place) & 0xFFFFFFFF
    state[_WORDS] = _WORDS
    return state


@njit(cache=True)
def _word(state: Any) -> Any:
    """The next 32 bits."""
    if state[_WORDS] == _WORDS:
        for place in range(_WORDS):
            bits = (state[place] & 0x80000000) | (state[(place + 1) % _WORDS] & 0x7FFFFFFF)
            state[place] = state[(place + _SHIFT) % _WORDS] ^ (bits >> 1) ^ (0x9908B0DF if bits & 1 else 0)
        state[_WORDS] = 0
    word = state[state[_WORDS]]
    state[_WORDS] += 1
    word ^= word >> 11
    word ^= (word << 7) & 0x9D2C5680
    word ^= (word << 15) & 0xEFC60000
    return word ^ (word >> 18)


@njit(cache=True)
def _share(state: Any) -> Any:
    """A number in [0, 1) of 53 bits."""
    high = _word(state) >> 5
    return (high * 67108864.0 + (_word(state) >> 6)) / 9007199254740992.0


@njit(cache=True)
def _below(state: Any, bound: Any) -> Any:
    """A whole number from 0 to `bound` - 1, every one as likely."""
    bits = 0
    while (bound - 1) >> bits:
        bits += 1
    while True:
        number = _word(state) & ((1 << bits) - 1) if bits else 0
        if number < bound:
            return number


@njit(cache=True)
def _match(book: Any, best: Any, links: Any, left: Any, side: Any, price: Any, quantity: Any) -> Any:
    """What is left of an order after it met the other side.

    `book`: first and last order by side and tick; `best`: by side the tick where looking begins; `links`: the order behind. Cancelled orders lie in
    their queue until they come to its front.
    """
    other, step = 1 - side, 1 if side == BUY else -1
    while quantity > 0 and (price - best[other]) * step >= 0:
        resting = book[other, 0, best[other]]
        if resting < 0:
            best[other] += step
        elif left[resting] == 0:
            book[other, 0, best[other]] = links[resting]
        else:
            filled = min(quantity, left[resting])
            quantity -= filled
            left[resting] -= filled
    return quantity


@njit(cache=True)
def drawn_events(n: Any, seed: Any) -> Any:
    """n rows of (cancel, order, side, price, quantity): order numbers from 0; a cancel names its order and the order's side."""
    state = _seeded(seed)
    events = np.zeros((n, 5), dtype=np.int64)
    book = np.full((2, 2, LAST_TICK + 1), -1, dtype=np.int64)
    best = np.array([0, LAST_TICK], dtype=np.int64)
    links, left, sides = np.full(n, -1, dtype=np.int64), np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    listed, n_listed, n_orders, middle = np.zeros(n, dtype=np.int64), 0, 0, LAST_TICK // 2
    for event in range(n):
        if _share(state) < 0.02:
            middle += _below(state, 3) - 1
        u = _share(state)
        if u < 0.35:
            found = -1
            while n_listed > 0 and found < 0:
                place = _below(state, n_listed)
                n_listed -= 1
                if left[listed[place]] > 0:
                    found = listed[place]
                listed[place] = listed[n_listed]
            if found >= 0:
                left[found] = 0
                events[event] = (1, found, sides[found], 0, 0)
                continue
        side = _below(state, 2)
        away = _below(state, 20) + 1 if u < 0.90 else -20
        quantity = _below(state, 10 if u < 0.90 else 19) + 1
        price = middle - away if side == BUY else middle + away
        events[event] = (0, n_orders, side, price, quantity)
        sides[n_orders], left[n_orders] = side, _match(book, best, links, left, side, price, quantity)
        if left[n_orders] > 0:
            if book[side, 0, price] < 0:
                book[side, 0, price] = n_orders
            else:
                links[book[side, 1, price]] = n_orders
            book[side, 1, price] = n_orders
            best[side] = max(best[side], price) if side == BUY else min(best[side], price)
        listed[n_listed] = n_orders
        n_listed += 1
        n_orders += 1
    return events
