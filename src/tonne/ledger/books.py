"""The books: accounts, unit types and every accepted transfer, in arrays; `kernel.py` writes them, one call a batch."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonne.ledger.account import Holdings, UnitType
from tonne.ledger.kernel import (
    BALANCE,
    BLOCK,
    DAY,
    EXPIRING,
    KEY,
    PENDING_IN,
    PENDING_OUT,
    ROWS,
    SLOTS,
    apply_batch,
    expire_due,
    find,
    find_slots,
    index_all,
)  # fmt: skip
from tonne.ledger.transfer import TRANSFER, Batch, PendingState, Transfer

__all__ = ["Books"]

_MAGIC = b"tonne-ledger-01\n"


def _power_of_two(least: int) -> int:
    return 1 << max(10, (least - 1).bit_length())


def _longer(array: NDArray[Any], length: int) -> NDArray[Any]:
    """A copy of `array`, at least doubled, to hold `length`; a view handed out earlier keeps the old one."""
    new = np.zeros((_power_of_two(length), *array.shape[1:]), dtype=array.dtype)
    new[: len(array)] = array
    return new


def _touched(array: NDArray[Any]) -> NDArray[Any]:
    """Write to every page of a new array: the operating system hands memory out at the first touch, which can cost more than all our work on it."""
    array.view(np.uint8)[::4096] = 0
    return array


class Books:
    """Balances and transfers of one ledger. Refusals are Results, never exceptions; ValueError and TypeError mean a programming error.

    `capacity` is how many transfers are expected: room for them is made at once instead of by doubling. More than expected still fit.
    """

    def __init__(self, capacity: int = 0) -> None:
        self._flags = np.zeros(0, dtype=np.uint8)
        self._units: dict[UnitType, int] = {}
        self._rows = _touched(np.zeros(max(1024, capacity), dtype=TRANSFER))
        self._states = np.zeros(len(self._rows), dtype=np.uint8)
        self._expiring = np.zeros(len(self._rows), dtype=np.int64)
        self._id_index = _touched(np.zeros(2 * _power_of_two(len(self._rows)), dtype=np.int64))
        self._slots = np.zeros((1024, 4), dtype=np.int64)
        self._slot_index = np.zeros(2048, dtype=np.int64)
        self._counts = np.zeros(5, dtype=np.int64)
        self._ahead = np.zeros((BLOCK, 2), dtype=np.int64)

    # accounts and unit types

    def open_accounts(self, flags: ArrayLike) -> NDArray[np.int32]:
        """Open one account for each entry of `flags` (AccountFlag); returns their numbers, the next in sequence."""
        new = _account_flags(flags)
        first = len(self._flags)
        self._flags = np.concatenate([self._flags, new])
        return np.arange(first, len(self._flags), dtype=np.int32)

    def set_flags(self, accounts: ArrayLike, flags: ArrayLike) -> None:
        """Replace the flags of accounts. What was transferred before stays; an account below zero may get MUST_NOT_OVERDRAW."""
        numbers = self._known(accounts)
        self._flags[numbers] = _account_flags(np.broadcast_to(np.asarray(flags), numbers.shape))

    def flags(self) -> NDArray[np.uint8]:
        """The flags of every account (a copy), indexed by account number."""
        return self._flags.copy()

    def add_unit_type(self, unit_type: UnitType) -> int:
        """The number of a unit type, dense from 0; the same unit type again has the same number."""
        return self._units.setdefault(unit_type, len(self._units))

    @property
    def unit_types(self) -> tuple[UnitType, ...]:
        """All unit types; the place is the number."""
        return tuple(self._units)

    @property
    def n_accounts(self) -> int:
        return len(self._flags)

    # writing

    def apply(self, batch: Batch, all_or_nothing: bool = False) -> NDArray[np.uint8]:
        """Judge and enter a batch in order; one Result (uint8) for each transfer.

        With `all_or_nothing`, any answer but POSTED undoes the whole batch: each transfer keeps its own reason, and those that were good say
        LINKED_TRANSFER_FAILED. A batch repeated whole is answered EXISTS throughout.
        """
        if batch.dtype != TRANSFER or batch.ndim != 1:
            raise TypeError(f"a batch is a one-dimensional array of dtype TRANSFER, not {batch.ndim}-dimensional {batch.dtype}")
        if not (batch.flags.writeable and batch.flags.c_contiguous):
            batch = batch.copy()  # one memory layout, one compiled kernel
        results = np.zeros(len(batch), dtype=np.uint8)
        self._make_room(len(batch))
        apply_batch(
            batch, results, all_or_nothing, self._flags, len(self._units), self._rows, _as_ints(self._rows), self._states, self._id_index,
            self._slots, self._slot_index, self._expiring, self._counts, self._ahead,
        )  # fmt: skip
        return results

    def expire(self, day: int) -> NDArray[np.int64]:
        """Release the open pendings whose day of expiry is `day` or earlier; returns their ids in the order they were accepted.

        `day` becomes the last day in the books. Raises ValueError when it lies before it.
        """
        if day < self.last_day:
            raise ValueError(f"day {day} is before the last day in the books, {self.last_day}")
        expired = np.zeros(int(self._counts[EXPIRING]), dtype=np.int64)
        n = expire_due(day, expired, self._rows, self._states, self._slots, self._slot_index, self._expiring, self._counts)
        self._counts[DAY] = day
        return expired[:n]

    def _make_room(self, n: int) -> None:
        """All growth is here, before the kernel: it may then write without asking."""
        n_rows = int(self._counts[ROWS]) + n
        if n_rows > len(self._rows):
            self._rows, self._states, self._expiring = (_longer(a, n_rows) for a in (self._rows, self._states, self._expiring))
            self._id_index = np.zeros(2 * len(self._rows), dtype=np.int64)
            index_all(self._id_index, _as_ints(self._rows), 0, self._counts[ROWS])
        n_slots = min(int(self._counts[SLOTS]) + 2 * n, len(self._flags) * len(self._units))
        if n_slots > len(self._slots):
            self._slots = _longer(self._slots, n_slots)
            self._slot_index = np.zeros(2 * len(self._slots), dtype=np.int64)
            index_all(self._slot_index, self._slots, KEY, self._counts[SLOTS])

    # reading

    def balance(self, account: int, unit: int) -> int:
        """What the account holds, in the unit type's measure; below zero for an issuance account. Raises ValueError if either is unknown."""
        return int(self.balances(account, unit)[0])

    def available(self, account: int, unit: int) -> int:
        """The balance less what is pending out."""
        return int(self.availables(account, unit)[0])

    def balances(self, accounts: ArrayLike, unit: ArrayLike) -> NDArray[np.int64]:
        """Balances of accounts in a unit type (or one unit type for each account). One-dimensional."""
        return self._column(accounts, unit, BALANCE)

    def availables(self, accounts: ArrayLike, unit: ArrayLike) -> NDArray[np.int64]:
        """Balances less what is pending out."""
        found = self._places(accounts, unit)
        return np.where(found >= 0, self._slots[found, BALANCE] - self._slots[found, PENDING_OUT], 0)

    def holdings(self) -> Holdings:
        """Every (account, unit) with anything not zero, sorted."""
        slots = self._slots[: self._counts[SLOTS]]
        slots = slots[slots[:, :KEY].any(axis=1)]
        slots = slots[np.argsort(slots[:, KEY])]
        key = slots[:, KEY]
        return Holdings(key >> 32, key & 0xFFFFFFFF, *(slots[:, column].copy() for column in (BALANCE, PENDING_OUT, PENDING_IN)))

    @property
    def transfers(self) -> Batch:
        """All accepted transfers in order, read-only. A POST or VOID sent with quantity 0 stands here with the pending's quantity."""
        return _read_only(self._rows[: self._counts[ROWS]])

    @property
    def pending_states(self) -> NDArray[np.uint8]:
        """For each of `transfers`, its PendingState. Read-only; changes as pendings are posted, voided or expire."""
        return _read_only(self._states[: self._counts[ROWS]])

    @property
    def last_day(self) -> int:
        """The last day in the books, days since 1970-01-01; 0 at first."""
        return int(self._counts[DAY])

    def transfer(self, id: int) -> Transfer | None:
        """The accepted transfer of that id, or None."""
        row = self._row(id)
        return None if row < 0 else Transfer.of(self._rows[row])

    def pending_state(self, id: int) -> PendingState | None:
        """What became of the transfer of that id; None if there is none."""
        row = self._row(id)
        return None if row < 0 else PendingState(int(self._states[row]))

    def unit_totals(self) -> NDArray[np.int64]:
        """For each unit type, the sum of all balances: zero, always."""
        holdings = self.holdings()
        totals = np.zeros(len(self._units), dtype=np.int64)
        np.add.at(totals, holdings.unit, holdings.balance)
        return totals

    def check(self) -> None:
        """Raises AssertionError unless each unit type's balances sum to zero and its pending out equals its pending in, none below zero."""
        holdings = self.holdings()
        pending = np.zeros(len(self._units), dtype=np.int64)
        np.add.at(pending, holdings.unit, holdings.pending_out - holdings.pending_in)
        for number, (unit, total) in enumerate(zip(self._units, self.unit_totals(), strict=True)):
            if total != 0:
                raise AssertionError(f"balances of {unit.code} sum to {total}, not to zero")
            if pending[number] != 0:
                raise AssertionError(f"pending out and pending in of {unit.code} differ by {pending[number]}")
        if (holdings.pending_out < 0).any() or (holdings.pending_in < 0).any():
            raise AssertionError("a pending sum is below zero")

    # snapshot and hash

    def state_hash(self) -> bytes:
        """SHA-256 (32 bytes) of the state: the same for the same accounts, unit types and accepted commands, whatever batches or refusals."""
        return self.to_bytes()[-32:]

    def to_bytes(self) -> bytes:
        """A snapshot in one canonical form: magic, six counts, then five parts, then the SHA-256 of all before it.

        Counts (int64): accounts, unit types, bytes of the unit types' JSON, holdings, transfers, last day. Parts: account flags (uint8), unit types
        (JSON list), holdings (five int64 a row), transfers (48 bytes each, dtype TRANSFER), pending states (uint8).
        """
        units = json.dumps([asdict(unit) for unit in self._units], sort_keys=True, separators=(",", ":")).encode()
        holdings = np.column_stack(self.holdings()).astype("<i8")
        counts = (self.n_accounts, len(self._units), len(units), len(holdings), int(self._counts[ROWS]), self.last_day)
        parts = (np.array(counts, dtype="<i8"), self._flags, np.frombuffer(units, np.uint8), holdings, self.transfers, self.pending_states)
        content = _MAGIC + b"".join(part.tobytes() for part in parts)
        return content + hashlib.sha256(content).digest()

    @classmethod
    def from_bytes(cls, snapshot: bytes) -> Books:
        """The books as `to_bytes` wrote them. Raises ValueError when the snapshot is damaged or of another form."""
        content, digest = snapshot[:-32], snapshot[-32:]
        if not content.startswith(_MAGIC) or hashlib.sha256(content).digest() != digest:
            raise ValueError("not a ledger snapshot, or damaged: its beginning or its SHA-256 is not as expected")
        at = len(_MAGIC)
        n_accounts, _, n_json, n_holdings, n_rows, day = (int(n) for n in np.frombuffer(content, "<i8", 6, at))
        at += 48
        flags = np.frombuffer(content, np.uint8, n_accounts, at)
        units = json.loads(content[at + n_accounts : at + n_accounts + n_json])
        at += n_accounts + n_json
        holdings = np.frombuffer(content, "<i8", 5 * n_holdings, at).reshape(-1, 5)
        at += 40 * n_holdings
        rows = np.frombuffer(content, TRANSFER, n_rows, at)
        states = np.frombuffer(content, np.uint8, n_rows, at + TRANSFER.itemsize * n_rows)
        books = cls(capacity=n_rows)
        books.open_accounts(flags)
        for unit in units:
            books.add_unit_type(UnitType(**{**unit, "restrictions": tuple(unit["restrictions"])}))
        books._restore(holdings, rows, states, day)
        return books

    def _restore(self, holdings: NDArray[np.int64], rows: Batch, states: NDArray[np.uint8], day: int) -> None:
        self._rows[: len(rows)] = rows
        self._states[: len(rows)] = states
        index_all(self._id_index, _as_ints(self._rows), 0, len(rows))
        expiring = np.flatnonzero((states == PendingState.OPEN) & (rows["expires"] != 0))
        self._expiring[: len(expiring)] = expiring
        self._slots = np.zeros((_power_of_two(len(holdings)), 4), dtype=np.int64)
        self._slots[: len(holdings), :KEY] = holdings[:, 2:]
        self._slots[: len(holdings), KEY] = holdings[:, 0] << 32 | holdings[:, 1]
        self._slot_index = np.zeros(2 * len(self._slots), dtype=np.int64)
        index_all(self._slot_index, self._slots, KEY, len(holdings))
        self._counts[:] = (len(rows), len(holdings), day, len(expiring), 0)

    # helpers

    def _known(self, accounts: ArrayLike) -> NDArray[np.int64]:
        numbers = np.atleast_1d(np.asarray(accounts, dtype=np.int64))
        if len(numbers) and (numbers.min() < 0 or numbers.max() >= len(self._flags)):
            raise ValueError(f"accounts are 0 to {len(self._flags) - 1}; asked for {numbers.min()} to {numbers.max()}")
        return numbers

    def _column(self, accounts: ArrayLike, unit: ArrayLike, column: int) -> NDArray[np.int64]:
        found = self._places(accounts, unit)
        return np.where(found >= 0, self._slots[found, column], 0)

    def _places(self, accounts: ArrayLike, unit: ArrayLike) -> NDArray[np.int64]:
        """Where in `_slots` accounts keep unit types, -1 where they never held any."""
        if isinstance(unit, int):  # one unit type for all, asked for with every single order: the same without making an array of it
            if not 0 <= unit < len(self._units):
                raise ValueError(f"unit types are 0 to {len(self._units) - 1}; asked for {unit}")
            numbers = self._known(accounts)
            found = np.zeros(len(numbers), dtype=np.int64)
            find_slots(self._slot_index, self._slots, numbers << 32 | unit, found)
            return found
        numbers, units = np.broadcast_arrays(self._known(accounts), np.asarray(unit, dtype=np.int64))
        if len(units) and (units.min() < 0 or units.max() >= len(self._units)):
            raise ValueError(f"unit types are 0 to {len(self._units) - 1}; asked for {units.min()} to {units.max()}")
        found = np.zeros(len(numbers), dtype=np.int64)
        find_slots(self._slot_index, self._slots, numbers << 32 | units, found)
        return found

    def _row(self, id: int) -> int:
        return int(find(self._id_index, _as_ints(self._rows), 0, np.int64(id))[1]) if 0 < id < 2**63 else -1


def _account_flags(flags: ArrayLike) -> NDArray[np.uint8]:
    """Flags as stored. Raises ValueError for a bit that is no AccountFlag."""
    given = np.atleast_1d(np.asarray(flags, dtype=np.int64))
    if ((given & ~15) != 0).any():
        raise ValueError("account flags are sums of AccountFlag (1, 2, 4, 8)")
    return given.astype(np.uint8)


def _as_ints(rows: Batch) -> NDArray[np.int64]:
    """The same memory, six int64 a row; column 0 is the id."""
    return rows.view(np.int64).reshape(-1, 6)


def _read_only(view: NDArray[Any]) -> NDArray[Any]:
    view.flags.writeable = False
    return view
