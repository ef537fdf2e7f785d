"""The auditor: the law of the books in the most obvious way, to predict what the fast books must answer.

Dicts, lists and plain ints. Written from the order of precedence in `result.py` and from nothing else, and kept for ever: the two may differ only
where one of them is wrong. Slow on purpose; never make it clever.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonne.ledger.account import AccountFlag, Holdings, UnitType
from tonne.ledger.result import Result
from tonne.ledger.transfer import LARGEST_QUANTITY, TRANSFER, Batch, PendingState, Transfer, TransferFlag

__all__ = ["Auditor"]

# Plain ints, so that the measured distance to the fast books is the algorithm's and not the enum's.
LINKED, PENDING, POST, VOID, BY_AUTHORITY, CORRECTS = (int(flag) for flag in TransferFlag if flag)
MUST_NOT_OVERDRAW, ONE_WAY, BLOCKED, CLOSED = (int(flag) for flag in AccountFlag if flag)


class Auditor:
    """The same public methods as Books, with the same answers."""

    def __init__(self, capacity: int = 0) -> None:
        self._account_flags: list[int] = []
        self._unit_types: list[UnitType] = []
        self._log: list[Transfer] = []
        self._by_id: dict[int, Transfer] = {}
        self._state: dict[int, PendingState] = {}  # by id, only of pendings
        self._balance: dict[tuple[int, int], int] = {}
        self._pending_out: dict[tuple[int, int], int] = {}
        self._pending_in: dict[tuple[int, int], int] = {}
        self._last_day = 0
        self._journal: list[tuple[dict[Any, Any], Any, Any]] = []  # (dict, key, what stood there before) since the batch began

    # accounts and unit types

    def open_accounts(self, flags: ArrayLike) -> NDArray[np.int32]:
        new = [int(flag) for flag in np.atleast_1d(np.asarray(flags))]
        if any(flag & ~15 for flag in new):
            raise ValueError("account flags are sums of AccountFlag (1, 2, 4, 8)")
        first = len(self._account_flags)
        self._account_flags += new
        return np.arange(first, len(self._account_flags), dtype=np.int32)

    def set_flags(self, accounts: ArrayLike, flags: ArrayLike) -> None:
        numbers = self._known(accounts)
        for number, flag in zip(numbers, np.broadcast_to(np.asarray(flags), (len(numbers),)), strict=True):
            if int(flag) & ~15:
                raise ValueError("account flags are sums of AccountFlag (1, 2, 4, 8)")
            self._account_flags[number] = int(flag)

    def flags(self) -> NDArray[np.uint8]:
        return np.array(self._account_flags, dtype=np.uint8)

    def add_unit_type(self, unit_type: UnitType) -> int:
        if unit_type not in self._unit_types:
            self._unit_types.append(unit_type)
        return self._unit_types.index(unit_type)

    @property
    def unit_types(self) -> tuple[UnitType, ...]:
        return tuple(self._unit_types)

    @property
    def n_accounts(self) -> int:
        return len(self._account_flags)

    # writing

    def apply(self, batch: Batch, all_or_nothing: bool = False) -> NDArray[np.uint8]:
        if batch.dtype != TRANSFER or batch.ndim != 1:
            raise TypeError("a batch is a one-dimensional array of dtype TRANSFER")
        self._journal = []
        before = self._mark()
        results: list[Result] = []
        for chain in _chains([Transfer(*row) for row in batch.tolist()]):
            results += self._apply_chain(chain)
        if all_or_nothing and any(result != Result.POSTED for result in results):
            self._go_back(before)
            results = [Result.LINKED_TRANSFER_FAILED if result == Result.POSTED else result for result in results]
        return np.array(results, dtype=np.uint8)

    def expire(self, day: int) -> NDArray[np.int64]:
        if day < self._last_day:
            raise ValueError(f"day {day} is before the last day in the books, {self._last_day}")
        self._last_day = day
        due = [t for t in self._log if self._state.get(t.id) == PendingState.OPEN and t.expires != 0 and t.expires <= day]
        for t in due:
            self._state[t.id] = PendingState.EXPIRED
            self._release(t)
        return np.array([t.id for t in due], dtype=np.int64)

    def _apply_chain(self, chain: list[Transfer]) -> list[Result]:
        """All transfers of one chain (a single unlinked transfer is a chain of one): all are entered, or none."""
        before = self._mark()
        reason = Result.POSTED
        for place, t in enumerate(chain):
            is_open = t.flags & LINKED and place == len(chain) - 1  # only the last chain of a batch can be
            reason = Result.LINKED_CHAIN_OPEN if is_open else self._judge(t)
            if reason != Result.POSTED:
                break
            self._enter(t)
        if reason == Result.POSTED:
            return [Result.POSTED] * len(chain)
        self._go_back(before)
        results = [Result.LINKED_TRANSFER_FAILED] * len(chain)
        results[place] = reason
        if chain[-1].flags & LINKED:
            results[-1] = Result.LINKED_CHAIN_OPEN
        return results

    # judging: one method a group of result.py, in its order

    def _judge(self, t: Transfer) -> Result:
        for ask in (self._id, self._flags, self._exist, self._quantity_and_days, self._reference, self._accounts, self._balances):
            result = ask(t)
            if result != Result.POSTED:
                return result
        return Result.POSTED

    def _id(self, t: Transfer) -> Result:
        if t.id <= 0:
            return Result.ID_MUST_BE_POSITIVE
        if t.id not in self._by_id:
            return Result.POSTED
        old = self._by_id[t.id]
        if t.flags & (POST | VOID) and t.quantity == 0 and t.flags == old.flags and t.reference == old.reference:
            t = t._replace(quantity=self._by_id[t.reference].quantity)
        for field in ("flags", "reference", "from_account", "to_account", "unit", "quantity", "day", "expires", "kind"):
            if getattr(t, field) != getattr(old, field):
                return Result["EXISTS_WITH_DIFFERENT_" + field.upper()]
        return Result.EXISTS

    def _flags(self, t: Transfer) -> Result:
        if t.flags not in range(64):
            return Result.FLAG_UNKNOWN
        phases = [flag for flag in (PENDING, POST, VOID) if t.flags & flag]
        if len(phases) > 1 or (t.flags & CORRECTS and t.flags & (POST | VOID)):
            return Result.FLAGS_CONTRADICT
        return Result.POSTED

    def _exist(self, t: Transfer) -> Result:
        if t.from_account not in range(self.n_accounts):
            return Result.FROM_ACCOUNT_UNKNOWN
        if t.to_account not in range(self.n_accounts):
            return Result.TO_ACCOUNT_UNKNOWN
        if t.unit not in range(len(self._unit_types)):
            return Result.UNIT_UNKNOWN
        if t.from_account == t.to_account:
            return Result.SAME_ACCOUNT
        return Result.POSTED

    def _quantity_and_days(self, t: Transfer) -> Result:
        least = 0 if t.flags & (POST | VOID) else 1
        if t.quantity < least:
            return Result.QUANTITY_MUST_BE_POSITIVE
        if t.expires != 0 and not t.flags & PENDING:
            return Result.EXPIRES_NOT_EXPECTED
        if t.expires != 0 and t.expires <= t.day:
            return Result.EXPIRES_NOT_AFTER_DAY
        if t.day < self._last_day:
            return Result.DAY_OUT_OF_ORDER
        return Result.POSTED

    def _reference(self, t: Transfer) -> Result:
        named = self._by_id.get(t.reference)
        if t.flags & CORRECTS:
            if named is None:
                return Result.CORRECTED_NOT_FOUND
            if named.flags & (PENDING | VOID):
                return Result.CORRECTED_NOT_POSTED
            return Result.CORRECTED_DIFFERENT_UNIT if named.unit != t.unit else Result.POSTED
        if t.flags & (POST | VOID):
            return Result.PENDING_NOT_FOUND if named is None else self._pending(t, named)
        return Result.REFERENCE_NOT_EXPECTED if t.reference != 0 else Result.POSTED

    def _pending(self, t: Transfer, pending: Transfer) -> Result:
        if not pending.flags & PENDING:
            return Result.REFERENCE_NOT_PENDING
        for field in ("from_account", "to_account", "unit"):
            if getattr(t, field) != getattr(pending, field):
                return Result["PENDING_DIFFERENT_" + field.upper()]
        if t.quantity > pending.quantity:
            return Result.EXCEEDS_PENDING
        if t.flags & VOID and t.quantity not in (0, pending.quantity):
            return Result.PENDING_DIFFERENT_QUANTITY
        state = self._state[pending.id]
        if state == PendingState.POSTED:
            return Result.PENDING_ALREADY_POSTED
        if state == PendingState.VOIDED:
            return Result.PENDING_ALREADY_VOIDED
        if state == PendingState.EXPIRED or (pending.expires != 0 and t.day >= pending.expires):
            return Result.PENDING_EXPIRED
        return Result.POSTED

    def _accounts(self, t: Transfer) -> Result:
        giver, taker = self._account_flags[t.from_account], self._account_flags[t.to_account]
        if t.flags & VOID:
            return Result.POSTED
        if giver & CLOSED:
            return Result.FROM_ACCOUNT_CLOSED
        if taker & CLOSED:
            return Result.TO_ACCOUNT_CLOSED
        if giver & BLOCKED and not t.flags & BY_AUTHORITY:
            return Result.ACCOUNT_BLOCKED
        if giver & ONE_WAY and not t.flags & BY_AUTHORITY:
            return Result.ACCOUNT_ONE_WAY
        return Result.POSTED

    def _balances(self, t: Transfer) -> Result:
        if t.flags & VOID:
            return Result.POSTED
        giver, taker, quantity = (t.from_account, t.unit), (t.to_account, t.unit), self._meant(t)
        must_cover = self._account_flags[t.from_account] & MUST_NOT_OVERDRAW and not t.flags & POST
        if must_cover and quantity > self._balance.get(giver, 0) - self._pending_out.get(giver, 0):
            return Result.INSUFFICIENT_BALANCE
        if t.flags & PENDING:
            after = [self._pending_out.get(giver, 0) + quantity, self._pending_in.get(taker, 0) + quantity]
        else:
            after = [self._balance.get(giver, 0) - quantity, self._balance.get(taker, 0) + quantity]
        if any(abs(number) > LARGEST_QUANTITY for number in [quantity, *after]):
            return Result.QUANTITY_OVERFLOW
        return Result.POSTED

    # entering and going back

    def _meant(self, t: Transfer) -> int:
        """A POST or VOID of 0 means all of the pending."""
        if t.quantity == 0 and t.flags & (POST | VOID):
            return self._by_id[t.reference].quantity
        return t.quantity

    def _enter(self, t: Transfer) -> None:
        t = t._replace(quantity=self._meant(t))
        giver, taker = (t.from_account, t.unit), (t.to_account, t.unit)
        self._log.append(t)
        self._set(self._by_id, t.id, t)
        self._last_day = t.day
        if t.flags & PENDING:
            self._set(self._state, t.id, PendingState.OPEN)
            self._set(self._pending_out, giver, self._pending_out.get(giver, 0) + t.quantity)
            self._set(self._pending_in, taker, self._pending_in.get(taker, 0) + t.quantity)
            return
        if t.flags & (POST | VOID):
            self._set(self._state, t.reference, PendingState.POSTED if t.flags & POST else PendingState.VOIDED)
            self._release(self._by_id[t.reference])
        if not t.flags & VOID:
            self._set(self._balance, giver, self._balance.get(giver, 0) - t.quantity)
            self._set(self._balance, taker, self._balance.get(taker, 0) + t.quantity)

    def _release(self, pending: Transfer) -> None:
        giver, taker = (pending.from_account, pending.unit), (pending.to_account, pending.unit)
        self._set(self._pending_out, giver, self._pending_out[giver] - pending.quantity)
        self._set(self._pending_in, taker, self._pending_in[taker] - pending.quantity)

    def _set(self, where: dict[Any, Any], key: Any, value: Any) -> None:
        self._journal.append((where, key, where.get(key)))
        where[key] = value

    def _mark(self) -> tuple[int, int, int]:
        return len(self._journal), len(self._log), self._last_day

    def _go_back(self, mark: tuple[int, int, int]) -> None:
        n_journal, n_log, self._last_day = mark
        while len(self._journal) > n_journal:
            where, key, before = self._journal.pop()
            if before is None:
                del where[key]
            else:
                where[key] = before
        del self._log[n_log:]

    # reading

    def balance(self, account: int, unit: int) -> int:
        return int(self.balances(account, unit)[0])

    def available(self, account: int, unit: int) -> int:
        return int(self.availables(account, unit)[0])

    def balances(self, accounts: ArrayLike, unit: ArrayLike) -> NDArray[np.int64]:
        return np.array([self._balance.get(pair, 0) for pair in self._pairs(accounts, unit)], dtype=np.int64)

    def availables(self, accounts: ArrayLike, unit: ArrayLike) -> NDArray[np.int64]:
        return np.array([self._balance.get(p, 0) - self._pending_out.get(p, 0) for p in self._pairs(accounts, unit)], dtype=np.int64)

    def holdings(self) -> Holdings:
        rows = self._holding_rows()
        return Holdings(*(np.array([row[column] for row in rows], dtype=np.int64) for column in range(5)))

    def _holding_rows(self) -> list[tuple[int, int, int, int, int]]:
        pairs = sorted({*self._balance, *self._pending_out, *self._pending_in})
        rows = [(*p, self._balance.get(p, 0), self._pending_out.get(p, 0), self._pending_in.get(p, 0)) for p in pairs]
        return [row for row in rows if any(row[2:])]

    @property
    def transfers(self) -> Batch:
        return np.array([tuple(t) for t in self._log], dtype=TRANSFER)

    @property
    def pending_states(self) -> NDArray[np.uint8]:
        return np.array([self._state.get(t.id, PendingState.NONE) for t in self._log], dtype=np.uint8)

    @property
    def last_day(self) -> int:
        return self._last_day

    def transfer(self, id: int) -> Transfer | None:
        return self._by_id.get(id)

    def pending_state(self, id: int) -> PendingState | None:
        return self._state.get(id, PendingState.NONE) if id in self._by_id else None

    def unit_totals(self) -> NDArray[np.int64]:
        return np.array([sum(b for (_, u), b in self._balance.items() if u == unit) for unit in range(len(self._unit_types))], dtype=np.int64)

    def check(self) -> None:
        """Raises AssertionError unless balances sum to zero, and all sums are what the log, added up from nothing, says."""
        if self.unit_totals().any():
            raise AssertionError(f"balances do not sum to zero: {self.unit_totals()}")
        balance: dict[tuple[int, int], int] = {}
        out: dict[tuple[int, int], int] = {}
        into: dict[tuple[int, int], int] = {}
        for t in self._log:
            giver, taker = (t.from_account, t.unit), (t.to_account, t.unit)
            if self._state.get(t.id) == PendingState.OPEN:
                out[giver] = out.get(giver, 0) + t.quantity
                into[taker] = into.get(taker, 0) + t.quantity
            elif not t.flags & (PENDING | VOID):
                balance[giver] = balance.get(giver, 0) - t.quantity
                balance[taker] = balance.get(taker, 0) + t.quantity
        for name, kept, summed in (("balance", self._balance, balance), ("out", self._pending_out, out), ("in", self._pending_in, into)):
            if {k: v for k, v in kept.items() if v} != {k: v for k, v in summed.items() if v}:
                raise AssertionError(f"{name}: what is kept is not what the log adds up to")

    # snapshot and hash: the form described at Books.to_bytes

    def state_hash(self) -> bytes:
        return self.to_bytes()[-32:]

    def to_bytes(self) -> bytes:
        words = [
            {"code": u.code, "system": u.system, "kind": u.kind, "vintage": u.vintage, "measure": u.measure, "restrictions": list(u.restrictions)}
            for u in self._unit_types
        ]
        units = json.dumps(words, sort_keys=True, separators=(",", ":")).encode()
        rows = self._holding_rows()
        content = b"tonne-ledger-01\n"
        content += struct.pack("<6q", self.n_accounts, len(self._unit_types), len(units), len(rows), len(self._log), self._last_day)
        content += bytes(self._account_flags) + units
        content += b"".join(struct.pack("<5q", *row) for row in rows)
        content += b"".join(struct.pack("<3q5i2h", *t) for t in self._log)
        content += bytes(self._state.get(t.id, PendingState.NONE) for t in self._log)
        return content + hashlib.sha256(content).digest()

    @classmethod
    def from_bytes(cls, snapshot: bytes) -> Auditor:
        content, digest = snapshot[:-32], snapshot[-32:]
        if not content.startswith(b"tonne-ledger-01\n") or hashlib.sha256(content).digest() != digest:
            raise ValueError("not a ledger snapshot, or damaged: its beginning or its SHA-256 is not as expected")
        n_accounts, _, n_json, n_rows, n_log, day = struct.unpack_from("<6q", content, 16)
        auditor, at = cls(), 16 + 48
        auditor._account_flags = list(content[at : at + n_accounts])
        at += n_accounts
        for u in json.loads(content[at : at + n_json]):
            auditor._unit_types.append(UnitType(u["code"], u["system"], u["kind"], u["vintage"], u["measure"], tuple(u["restrictions"])))
        at += n_json
        for account, unit, balance, out, into in struct.iter_unpack("<5q", content[at : at + 40 * n_rows]):
            pair = (account, unit)
            auditor._balance[pair], auditor._pending_out[pair], auditor._pending_in[pair] = balance, out, into
        at += 40 * n_rows
        auditor._log = [Transfer(*row) for row in struct.iter_unpack("<3q5i2h", content[at : at + 48 * n_log])]
        auditor._by_id = {t.id: t for t in auditor._log}
        states = zip(auditor._log, content[at + 48 * n_log :], strict=True)
        auditor._state = {t.id: PendingState(state) for t, state in states if state}
        auditor._last_day = day
        return auditor

    # helpers

    def _known(self, accounts: ArrayLike) -> list[int]:
        numbers = [int(number) for number in np.atleast_1d(np.asarray(accounts))]
        for number in numbers:
            if number not in range(self.n_accounts):
                raise ValueError(f"account {number} does not exist")
        return numbers

    def _pairs(self, accounts: ArrayLike, unit: ArrayLike) -> list[tuple[int, int]]:
        numbers, units = np.broadcast_arrays(self._known(accounts), np.asarray(unit))
        for number in units:
            if int(number) not in range(len(self._unit_types)):
                raise ValueError(f"unit type {number} does not exist")
        return [(int(a), int(u)) for a, u in zip(numbers, units, strict=True)]


def _chains(batch: list[Transfer]) -> Iterator[list[Transfer]]:
    """Cut a batch after each transfer that is not LINKED."""
    chain: list[Transfer] = []
    for t in batch:
        chain.append(t)
        if not t.flags & LINKED:
            yield chain
            chain = []
    if chain:
        yield chain
