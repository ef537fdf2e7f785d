"""The central limit order book: all instruments of a venue in two arrays; `kernel.py` writes them, one call a batch."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonne.market import kernel_match as k
from tonne.market.book_calls import BookCalls
from tonne.market.book_state import OPEN_ORDER, Best, BookState, Depth, InstrumentState, OpenOrder, OpenOrders, read_state, write_state
from tonne.market.kernel import levels_of, one, open_rows, restore, run
from tonne.market.orders import (
    EXECUTION,
    INSTRUCTION,
    Executions,
    Instruction,
    Instructions,
    InstrumentRules,
    Lasting,
    OrderFlag,
    Phase,
    SelfTrade,
    Side,
    instructions_of,
)

__all__ = ["OrderBook"]

_BLOCK = 1 << 15
"""Rows of a block of executions: 2.4 MB, which the cache holds."""
_CANCEL = 1 << 48
"""The word that holds the verb CANCEL."""
_STATE_FIELDS = (k.I_PHASE, k.I_LAST, k.I_REFERENCE, k.I_LOWEST_ACCEPTED, k.I_HIGHEST_ACCEPTED, k.I_BREAKER, k.I_DRAWS)


class OrderBook(BookCalls):
    """Orders and trades of several instruments. Refusals are rows with a Reason, never exceptions; TypeError and IndexError mean a programming error.

    `capacity` is the highest order number expected: room for it is made at once instead of by doubling. More than expected still fit.

    Executions are views of blocks that the book goes on writing behind; what was handed out is never written again. A block is used anew when nobody
    holds a view of it any more: who keeps a few rows for long copies them, and lets the block go.
    """

    def __init__(self, instruments: Sequence[InstrumentRules] = (), capacity: int = 0) -> None:
        self._rules: list[InstrumentRules] = []
        self._orders = _touched(np.zeros((max(1024, capacity + 1), k.WORDS), dtype=np.int64))
        self._book = np.zeros(4096, dtype=np.int64)
        self._records = 16  # instruments that have room
        self._end = k.HEADER + k.RECORD * self._records  # words of `_book` in use
        self._book[k.H_KILLED] = self._end
        self._new_block(_BLOCK)
        for rules in instruments:
            self.add_instrument(rules)

    def add_instrument(self, rules: InstrumentRules) -> int:
        """Open an instrument; returns its number, the next in sequence."""
        n = len(self._rules)
        if n == self._records:
            self._more_records()
        rec = k.HEADER + k.RECORD * n
        self._rules.append(rules)
        fields = {
            k.I_PHASE: rules.phase, k.I_REFERENCE: rules.reference, k.I_LOWEST_ACCEPTED: rules.lowest_accepted, k.I_SEED: rules.seed,
            k.I_HIGHEST_ACCEPTED: rules.highest_accepted, k.I_BREAKER: rules.breaker, k.I_MATCHING: rules.matching, k.I_LOWEST: rules.lowest_price,
            k.I_HIGHEST: rules.highest_price, k.I_LARGEST: rules.largest_order, k.I_TAKE_LEVELS: rules.take_levels, k.I_STOP_BUY: k.NO_STOP,
            k.I_WINDOW: self._end,
        }  # fmt: skip
        for place, value in fields.items():
            self._book[rec + place] = int(value)
        self._book[k.H_INSTRUMENTS] = n + 1
        return n

    # writing

    def submit(self, instructions: Instructions) -> Executions:
        """Carry out instructions in their order; returns what happened, an array of dtype EXECUTION (see the class about its memory).

        Batches are only a matter of speed: the same instructions in other batches give the same rows and the same state. Raises TypeError when given
        anything but a one-dimensional array of dtype INSTRUCTION.
        """
        if (instructions.dtype is not INSTRUCTION and instructions.dtype != INSTRUCTION) or instructions.ndim != 1:
            raise TypeError("instructions are a one-dimensional array of dtype INSTRUCTION")
        if not instructions.flags.carray:
            instructions = np.require(instructions, requirements=["C", "A", "W"])
        batch = instructions.view(np.int64).reshape(len(instructions), INSTRUCTION.itemsize // 8)
        if self._nobody_looks():
            self._row = self._book[k.H_ROW] = 0
        expected = 2 * len(batch)
        if self._row + expected + self._rows_needed() > len(self._block):
            self._new_block(expected)
        self._book[k.H_AT] = 0
        while (end := run(self._orders, self._book, self._out, batch)) < 0:
            self._make_room(end)
        start, self._row = self._row, end
        return self._block[start:end]

    def send(self, instruction: Instruction) -> Executions:
        words = instructions_of([instruction]).view(np.int64).tolist()
        end = one(self._orders, self._book, self._out, *words)
        if end < 0:
            return self._again(end, *words)
        start, self._row = self._row, end
        return self._block[start:end]

    def limit(
        self,
        order: int,
        account: int,
        side: Side | int,
        quantity: int,
        price: int,
        instrument: int = 0,
        time: int = 0,
        lasting: Lasting | int = Lasting.DAY,
        display: int = 0,
        self_trade: SelfTrade | int = SelfTrade.CANCEL_NEW,
        flags: OrderFlag | int = 0,
        expires: int = 0,
    ) -> Executions:
        if (account | instrument | expires) >> 31 or (side | lasting | self_trade | flags) >> 7:
            return super().limit(order, account, side, quantity, price, instrument, time, lasting, display, self_trade, flags, expires)
        where, how, which = account | instrument << 32, expires | flags << 32 | side << 56, lasting << 8 | self_trade << 16
        end = one(self._orders, self._book, self._out, order, price, 0, quantity, display, 0, time, where, how, which)
        if end < 0:
            return self._again(end, order, price, 0, quantity, display, 0, time, where, how, which)
        start, self._row = self._row, end
        return self._block[start:end]

    def cancel(self, order: int, account: int, time: int = 0) -> Executions:
        if account >> 31:
            return super().cancel(order, account, time)
        end = one(self._orders, self._book, self._out, order, 0, 0, 0, 0, 0, time, account, _CANCEL, 0)
        if end < 0:
            return self._again(end, order, 0, 0, 0, 0, 0, time, account, _CANCEL, 0)
        start, self._row = self._row, end
        return self._block[start:end]

    def _again(self, need: int, *words: int) -> Executions:
        """One instruction for which room must be made first."""
        while need < 0:
            self._make_room(need)
            need = one(self._orders, self._book, self._out, *words)
        start, self._row = self._row, need
        return self._block[start:need]

    # room

    def _nobody_looks(self) -> bool:
        """Has every view of the block been let go?"""
        return sys.getrefcount(self._block) == self._unseen

    def _new_block(self, rows: int) -> None:
        """A block for so many rows, and what one instruction may need behind them: claimed twice, so that this is seldom done, touched when used."""
        self._block = np.empty(max(_BLOCK, rows + 2 * self._rows_needed()), dtype=EXECUTION)
        _touched(self._block[: max(_BLOCK, rows)])
        self._out = self._block.view(np.int64).reshape(-1, EXECUTION.itemsize // 8)
        self._unseen = sys.getrefcount(self._block)
        self._row = self._book[k.H_ROW] = 0

    def _rows_needed(self) -> int:
        book = self._book
        return int(2 * book[k.H_OPEN] + 200 * book[k.H_ICEBERGS] + book[k.H_INSTRUMENTS] + 16)

    def _make_room(self, need: int) -> None:
        """What the kernel asked for, at least doubled, so that it is seldom asked."""
        a, b = int(self._book[k.H_NEED_A]), int(self._book[k.H_NEED_B])
        if need == k.NEED_NUMBERS:
            more = np.zeros((max(a + 1, 2 * len(self._orders)), k.WORDS), dtype=np.int64)
            more[: len(self._orders)] = self._orders
            self._orders = more
        elif need == k.NEED_WINDOW:
            self._widen(a, b)
        elif need == k.NEED_ACCOUNTS:
            words = max(16, (a >> 6) + 1, int(self._book[k.H_KILLED_N]) >> 5)
            start, old = int(self._book[k.H_KILLED]), int(self._book[k.H_KILLED_N]) >> 6
            at = self._claim(words)
            self._book[at : at + old] = self._book[start : start + old]
            self._book[k.H_KILLED], self._book[k.H_KILLED_N] = at, words << 6
        else:
            self._more_rows()

    def _more_rows(self) -> None:
        """A block with room for what was written by this call so far and for what comes; the old one again when nobody looks at it."""
        start, end = self._row, int(self._book[k.H_ROW])
        rows = end - start
        if 2 * (rows + self._rows_needed()) <= len(self._block) and start >= rows and self._nobody_looks():
            self._out[:rows] = self._out[start:end]
        else:
            before = self._out
            self._new_block(2 * rows)
            self._out[:rows] = before[start:end]
        self._row = 0
        self._book[k.H_ROW] = rows

    def _claim(self, words: int) -> int:
        """The start of so many empty words at the end of `_book`."""
        start = self._end
        self._end += words
        if self._end > len(self._book):
            more = np.zeros(max(self._end, 2 * len(self._book)), dtype=np.int64)
            more[:start] = self._book[:start]
            self._book = more
        return start

    def _widen(self, rec: int, price: int) -> None:
        """A window for an instrument that holds `price` too, and as much again around it. The old words stay behind unused."""
        old_at, old_low, old_ticks, lowest, highest = (
            int(self._book[rec + place]) for place in (k.I_WINDOW, k.I_LOW, k.I_TICKS, k.I_LOWEST, k.I_HIGHEST)
        )
        margin = max(512, old_ticks // 2)
        low, high = max(lowest, price - margin), min(highest, price + margin)
        if old_ticks:
            low, high = min(low, old_low), max(high, old_low + old_ticks - 1)
        low = low >> 6 << 6
        ticks = ((high - low) >> 6) + 1 << 6
        at = self._claim(ticks // 32 + 2 * ticks)
        shift = (old_low - low) * bool(old_ticks)
        for side in (0, 1):
            for start, old_start, length, moved in (
                (at + side * (ticks >> 6), old_at + side * (old_ticks >> 6), old_ticks >> 6, shift >> 6),
                (at + ticks // 32 + side * ticks, old_at + old_ticks // 32 + side * old_ticks, old_ticks, shift),
            ):
                self._book[start + moved : start + moved + length] = self._book[old_start : old_start + length]
        self._book[rec + k.I_WINDOW], self._book[rec + k.I_LOW], self._book[rec + k.I_TICKS] = at, low, ticks

    def _more_records(self) -> None:
        """Room for as many instruments again: all words behind the records move up."""
        end, added = k.HEADER + k.RECORD * self._records, k.RECORD * self._records
        self._book = np.concatenate([self._book[:end], np.zeros(added, dtype=np.int64), self._book[end:]])
        self._book[k.H_KILLED] += added
        for n in range(self._records):
            self._book[k.HEADER + k.RECORD * n + k.I_WINDOW] += added
        self._records *= 2
        self._end += added

    # reading

    @property
    def n_instruments(self) -> int:
        return len(self._rules)

    @property
    def count(self) -> int:
        """Instructions since the book began."""
        return int(self._book[k.H_COUNT])

    @property
    def highest(self) -> int:
        """The highest order number used so far, 0 at first."""
        return int(self._book[k.H_HIGHEST])

    @property
    def last_time(self) -> int:
        """The time of the last instruction that was not refused for its clock."""
        return int(self._book[k.H_TIME])

    def rules(self, instrument: int = 0) -> InstrumentRules:
        """As the instrument was added; what has changed since is in `state`."""
        return self._rules[instrument]

    def state(self, instrument: int = 0) -> InstrumentState:
        """Phase, last price, reference, price limits, breaker, numbers drawn."""
        return InstrumentState(*(self._word(instrument, place) for place in _STATE_FIELDS))

    def best(self, instrument: int = 0) -> Best:
        """Best limit prices, 0 where there is none."""
        return Best(self._word(instrument, k.I_BEST), self._word(instrument, k.I_BEST_SELL))

    def depth(self, instrument: int = 0, levels: int = 5) -> Depth:
        """The best levels of both sides."""
        self._word(instrument, 0)
        sides = []
        for side in (0, 1):
            out = np.zeros((levels, 3), dtype=np.int64)
            sides.append(out[: levels_of(self._orders, self._book, instrument, side, out)])
        return Depth(*sides)

    def trade_price(self, instrument: int = 0) -> int:
        """Price of the last trade, 0 before any."""
        return self._word(instrument, k.I_LAST)

    def phase(self, instrument: int = 0) -> Phase:
        return Phase(self._word(instrument, k.I_PHASE))

    def is_killed(self, account: int) -> bool:
        if not 0 <= account < self._book[k.H_KILLED_N]:
            return False
        return bool(int(self._book[self._book[k.H_KILLED] + (account >> 6)]) >> (account & 63) & 1)

    def order(self, number: int) -> OpenOrder | None:
        """The open order of that number; None when there is none open."""
        if not 0 < number < len(self._orders) or self._orders[number, k.PACKED] & k.STATE != k.OPEN:
            return None
        return OpenOrder(*self._table(np.array([number]))[0].item())

    def standing(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Of each order number what is left and its limit price; both 0 for one that is not open."""
        known = (numbers > 0) & (numbers < len(self._orders))
        rows = self._orders[np.where(known, numbers, 0)]
        stands = known & (rows[:, k.PACKED] & k.STATE == k.OPEN)
        return np.where(stands, rows[:, k.LEFT], 0).astype(np.int64), np.where(stands, rows[:, k.PRICE], 0).astype(np.int64)

    def open_orders(self) -> OpenOrders:
        """All open orders: by instrument the buy orders in the order they would trade, the sell orders, the stops in order of entry."""
        numbers = np.zeros(int(self._book[k.H_OPEN]), dtype=np.int64)
        open_rows(self._orders, self._book, numbers)
        return self._table(numbers)

    def _table(self, numbers: NDArray[np.int64]) -> OpenOrders:
        rows = self._orders[numbers]
        table = np.zeros(len(numbers), dtype=OPEN_ORDER)
        table["order"] = numbers
        for name, column in _COLUMNS.items():
            table[name] = rows[:, column]
        packed = rows[:, k.PACKED]
        for name, (at, mask) in _PACKED_FIELDS.items():
            table[name] = packed >> at & mask
        return table

    def _word(self, instrument: int, place: int) -> int:
        if not 0 <= instrument < len(self._rules):
            raise IndexError(f"instruments are 0 to {len(self._rules) - 1}; asked for {instrument}")
        return int(self._book[k.HEADER + k.RECORD * instrument + place])

    # snapshot and hash

    def state_hash(self) -> bytes:
        """SHA-256 (32 bytes) of the state: the same for the same instruments and instructions, whatever the batches and whichever book."""
        return self.to_bytes()[-32:]

    def to_bytes(self) -> bytes:
        """A snapshot in the one canonical form of `book_state.write_state`."""
        highest = int(self._book[k.H_HIGHEST])
        used = (self._orders[: highest + 1, k.PACKED] & k.STATE != 0).astype(np.uint8)
        start, n = int(self._book[k.H_KILLED]), int(self._book[k.H_KILLED_N])
        bits = np.unpackbits(self._book[start : start + n // 64].view(np.uint8), bitorder="little")
        instruments = [self.state(i) for i in range(len(self._rules))]
        killed: list[int] = np.flatnonzero(bits).tolist()
        return write_state(BookState(self._rules, instruments, self.open_orders(), used, killed, self.count, int(self._book[k.H_TIME])))

    @classmethod
    def from_bytes(cls, snapshot: bytes) -> OrderBook:
        """The book as `to_bytes` of either book wrote it. Raises ValueError when the snapshot is damaged or of another form."""
        state = read_state(snapshot)
        book = cls(state.rules, capacity=len(state.used))
        for n, values in enumerate(state.instruments):
            for place, value in zip(_STATE_FIELDS, values, strict=True):
                book._book[k.HEADER + k.RECORD * n + place] = value
        table, numbers = state.orders, state.orders["order"].astype(np.int64)
        book._orders[: len(state.used), k.PACKED] = state.used * k.CLOSED
        packed = np.full(len(table), k.OPEN, dtype=np.int64)
        for name, column in _COLUMNS.items():
            book._orders[numbers, column] = table[name]
        for name, (at, _) in _PACKED_FIELDS.items():
            packed |= table[name].astype(np.int64) << at
        book._orders[numbers, k.PACKED] = packed
        for n in range(len(state.rules)):
            prices = table["price"][(table["instrument"] == n) & (table["price"] > 0)]
            for price in (prices.min(), prices.max()) if len(prices) else ():
                rec = k.HEADER + k.RECORD * n
                if not 0 <= price - book._book[rec + k.I_LOW] < book._book[rec + k.I_TICKS]:
                    book._widen(rec, int(price))
        if state.killed:
            book._book[k.H_NEED_A] = max(state.killed)
            book._make_room(int(k.NEED_ACCOUNTS))
            for account in state.killed:
                at = int(book._book[k.H_KILLED]) + (account >> 6)
                book._book[at] |= np.int64(np.uint64(1 << (account & 63)).astype(np.int64))
        restore(book._orders, book._book, book._out, numbers)
        book._book[k.H_COUNT], book._book[k.H_TIME], book._book[k.H_HIGHEST] = state.sent, state.time, len(state.used) - 1
        return book


_COLUMNS = {
    "account": k.ACCOUNT, "instrument": k.INSTRUMENT, "price": k.PRICE, "stop": k.STOP, "left": k.LEFT, "shown": k.SHOWN, "display": k.PEAK,
    "expires": k.EXPIRES,
}  # fmt: skip
_PACKED_FIELDS = {
    "side": (k.SIDE_AT, 1), "kind": (k.KIND_AT, 3), "lasting": (k.LASTING_AT, 7), "self_trade": (k.SELF_AT, 7), "flags": (k.FLAGS_AT, 0x7FFF),
}  # fmt: skip


def _touched(array: NDArray[Any]) -> NDArray[Any]:
    """Write to every page of a new array: the operating system hands memory out at the first touch, which can cost more than all our work on it."""
    array.reshape(-1).view(np.uint8)[::4096] = 0
    return array
