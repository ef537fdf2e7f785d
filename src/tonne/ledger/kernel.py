"""One compiled pass over a batch of transfers: judge each, enter it, undo what must not stay.

What each transfer is answered, and in which order the reasons are asked, is `result.py`; `auditor.py` is the same law written plainly, and the
tests hold the two to each other. The arrays belong to `books.Books`:

- `rows`: the accepted transfers in order, never edited; `ids`: the same memory as int64, the id in column 0;
- `states`: what became of those that were PENDING;
- `slots`: one row for each (account, unit) ever touched: balance, pending out, pending in, key;
- `id_index`, `slot_index`: id -> row and key -> slot, open addressing, a power of two long, never more than half full, so that a search ends;
- `expiring`: the rows that may expire; `counts`: how much of each is in use, and the last day.

Undoing needs no journal: an accepted transfer says itself what to reverse, and taking the newest entry out of an open-addressing index by
emptying its place is exact, because nothing was entered after it.

These functions also run as plain Python on the same arrays (the tests plant bugs that way), hence the explicit int64 where Numba would widen by
itself. Numba's cache watches this file only: whoever changes a number in account.py, result.py or transfer.py must touch it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import njit

from tonne.ledger.account import AccountFlag
from tonne.ledger.result import Result
from tonne.ledger.transfer import LARGEST_QUANTITY, PendingState, TransferFlag

__all__ = [
    "BALANCE", "BLOCK", "DAY", "EXPIRING", "KEY", "PENDING_IN", "PENDING_OUT", "ROWS", "SLOTS",
    "apply_batch", "expire_due", "find", "find_slots", "index_all",
]  # fmt: skip

# Plain ints: Numba knows IntEnum but not IntFlag.
_OVERDRAW, _ONE_WAY, _BLOCKED, _CLOSED = (int(AccountFlag[name]) for name in ("MUST_NOT_OVERDRAW", "ONE_WAY", "BLOCKED", "CLOSED"))
_LINKED, _PENDING, _POST, _VOID, _AUTHORITY, _CORRECTS = (
    int(TransferFlag[name]) for name in ("LINKED", "PENDING", "POST", "VOID", "BY_AUTHORITY", "CORRECTS")
)
_KNOWN_FLAGS = _LINKED | _PENDING | _POST | _VOID | _AUTHORITY | _CORRECTS
_OPEN, _POSTED, _VOIDED, _EXPIRED = (int(PendingState[name]) for name in ("OPEN", "POSTED", "VOIDED", "EXPIRED"))
_LARGEST = LARGEST_QUANTITY

ROWS, SLOTS, DAY, EXPIRING, FETCHED = range(5)
"""Places in `counts`."""
BALANCE, PENDING_OUT, PENDING_IN, KEY = range(4)
"""Columns of `slots`."""
BLOCK = 256
"""Transfers looked up ahead: 256 x (2 slots + 1 index entry) cache lines fit in the second-level cache with room to spare."""


F = TypeVar("F", bound=Callable[..., Any])


def compiled(**options: Any) -> Callable[[F], F]:
    """Numba's njit, kept on disk between runs; where nothing can be kept (a read-only install, no home) compiled anew each time."""

    def compile_(function: F) -> F:
        try:
            made: F = njit(cache=True, **options)(function)
        except RuntimeError:
            made = njit(**options)(function)
        return made

    return compile_


@compiled(inline="always")
def _mix(key: Any) -> Any:
    """63 well-stirred bits of a key. The low ones say where a search starts, the high ones mark the entry."""
    x = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return np.int64((x ^ (x >> np.uint64(32))) >> np.uint64(1))


@compiled(inline="always")
def find(index: Any, table: Any, column: Any, key: Any) -> Any:
    """(place, number): where the key stands in the index and its row in `table`; or the empty place for it and -1.

    An entry is 31 bits of the mixed key and the number + 1; `table[number, column]` decides, the bits only spare most of the looking.
    """
    mixed = _mix(key)
    mark = mixed >> 32
    place = mixed & (len(index) - 1)
    while True:
        entry = index[place]
        if entry == 0:
            return place, np.int64(-1)
        if entry >> 32 == mark:
            number = (entry & np.int64(0xFFFFFFFF)) - 1
            if table[number, column] == key:
                return place, number
        place = (place + 1) & (len(index) - 1)


@compiled(inline="always")
def _enter(index: Any, place: Any, key: Any, number: Any) -> None:
    index[place] = ((_mix(key) >> 32) << 32) | (number + 1)


@compiled()
def index_all(index: Any, table: Any, column: Any, n: Any) -> None:
    """Fill an empty index from the keys in the first `n` rows of `table`."""
    for number in range(n):
        key = table[number, column]
        place, _ = find(index, table, column, key)
        _enter(index, place, key, number)


@compiled(inline="always")
def _slot_key(account: Any, unit: Any) -> Any:
    return (np.int64(account) << 32) | np.int64(unit)


@compiled()
def _slot(slots: Any, slot_index: Any, counts: Any, account: Any, unit: Any) -> Any:
    """Number of the slot for (account, unit), opened if it is the first time."""
    key = _slot_key(account, unit)
    place, slot = find(slot_index, slots, KEY, key)
    if slot < 0:
        slot = counts[SLOTS]
        counts[SLOTS] = slot + 1
        slots[slot, KEY] = key
        _enter(slot_index, place, key, slot)
    return slot


@compiled()
def _compare(t: Any, old: Any, rows: Any, ids: Any, id_index: Any) -> Any:
    """Group 20: which EXISTS a repeated id is answered; `old` is what was accepted under it."""
    quantity = t["quantity"]
    if t["flags"] & (_POST | _VOID) and quantity == 0:
        quantity = rows[find(id_index, ids, 0, old["reference"])[1]]["quantity"]
    if t["flags"] != old["flags"]:
        return Result.EXISTS_WITH_DIFFERENT_FLAGS
    if t["reference"] != old["reference"]:
        return Result.EXISTS_WITH_DIFFERENT_REFERENCE
    if t["from_account"] != old["from_account"]:
        return Result.EXISTS_WITH_DIFFERENT_FROM_ACCOUNT
    if t["to_account"] != old["to_account"]:
        return Result.EXISTS_WITH_DIFFERENT_TO_ACCOUNT
    if t["unit"] != old["unit"]:
        return Result.EXISTS_WITH_DIFFERENT_UNIT
    if quantity != old["quantity"]:
        return Result.EXISTS_WITH_DIFFERENT_QUANTITY
    if t["day"] != old["day"]:
        return Result.EXISTS_WITH_DIFFERENT_DAY
    if t["expires"] != old["expires"]:
        return Result.EXISTS_WITH_DIFFERENT_EXPIRES
    if t["kind"] != old["kind"]:
        return Result.EXISTS_WITH_DIFFERENT_KIND
    return Result.EXISTS


@compiled()
def _judge_form(t: Any, n_accounts: Any, n_units: Any, last_day: Any) -> Any:
    """Groups 40, 50, 60: what the transfer shows without looking at others."""
    flags = t["flags"]
    if flags & ~_KNOWN_FLAGS:
        return Result.FLAG_UNKNOWN
    answer = flags & (_POST | _VOID)
    if answer == _POST | _VOID or (answer and flags & (_PENDING | _CORRECTS)):
        return Result.FLAGS_CONTRADICT
    if t["from_account"] < 0 or t["from_account"] >= n_accounts:
        return Result.FROM_ACCOUNT_UNKNOWN
    if t["to_account"] < 0 or t["to_account"] >= n_accounts:
        return Result.TO_ACCOUNT_UNKNOWN
    if t["unit"] < 0 or t["unit"] >= n_units:
        return Result.UNIT_UNKNOWN
    if t["from_account"] == t["to_account"]:
        return Result.SAME_ACCOUNT
    if t["quantity"] < 0 or (t["quantity"] == 0 and not answer):
        return Result.QUANTITY_MUST_BE_POSITIVE
    if t["expires"] != 0:
        if not flags & _PENDING:
            return Result.EXPIRES_NOT_EXPECTED
        if t["expires"] <= t["day"]:
            return Result.EXPIRES_NOT_AFTER_DAY
    if t["day"] < last_day:
        return Result.DAY_OUT_OF_ORDER
    return Result.POSTED


@compiled()
def _judge_corrected(t: Any, named: Any, corrected: Any) -> Any:
    """Group 70 for CORRECTS; `named` is the row of the reference, -1 if none (then `corrected` means nothing)."""
    if named < 0:
        return Result.CORRECTED_NOT_FOUND
    if corrected["flags"] & (_PENDING | _VOID):
        return Result.CORRECTED_NOT_POSTED
    if corrected["unit"] != t["unit"]:
        return Result.CORRECTED_DIFFERENT_UNIT
    return Result.POSTED


@compiled()
def _judge_pending(t: Any, named: Any, pending: Any, state: Any) -> Any:
    """Group 70 for POST and VOID; `named` is the row of the reference, -1 if none (then `pending` and `state` mean nothing)."""
    if named < 0:
        return Result.PENDING_NOT_FOUND
    if not pending["flags"] & _PENDING:
        return Result.REFERENCE_NOT_PENDING
    if pending["from_account"] != t["from_account"]:
        return Result.PENDING_DIFFERENT_FROM_ACCOUNT
    if pending["to_account"] != t["to_account"]:
        return Result.PENDING_DIFFERENT_TO_ACCOUNT
    if pending["unit"] != t["unit"]:
        return Result.PENDING_DIFFERENT_UNIT
    if t["quantity"] > pending["quantity"]:
        return Result.EXCEEDS_PENDING
    if t["flags"] & _VOID and t["quantity"] != 0 and t["quantity"] != pending["quantity"]:
        return Result.PENDING_DIFFERENT_QUANTITY
    if state == _POSTED:
        return Result.PENDING_ALREADY_POSTED
    if state == _VOIDED:
        return Result.PENDING_ALREADY_VOIDED
    if state == _EXPIRED or (pending["expires"] != 0 and pending["expires"] <= t["day"]):
        return Result.PENDING_EXPIRED
    return Result.POSTED


@compiled()
def _judge_accounts(flags: Any, from_flags: Any, to_flags: Any) -> Any:
    """Group 90: what the two accounts may."""
    if from_flags & _CLOSED:
        return Result.FROM_ACCOUNT_CLOSED
    if to_flags & _CLOSED:
        return Result.TO_ACCOUNT_CLOSED
    if flags & _AUTHORITY:
        return Result.POSTED
    if from_flags & _BLOCKED:
        return Result.ACCOUNT_BLOCKED
    if from_flags & _ONE_WAY:
        return Result.ACCOUNT_ONE_WAY
    return Result.POSTED


@compiled()
def _judge_balances(flags: Any, quantity: Any, from_flags: Any, balance: Any, out: Any, to_balance: Any, to_in: Any) -> Any:
    """Group 100. No sum here can pass int64, because every part is within LARGEST_QUANTITY."""
    if not flags & _POST and from_flags & _OVERDRAW and balance - out < quantity:
        return Result.INSUFFICIENT_BALANCE
    if quantity > _LARGEST:
        return Result.QUANTITY_OVERFLOW
    if flags & _PENDING:
        if out + quantity > _LARGEST or to_in + quantity > _LARGEST:
            return Result.QUANTITY_OVERFLOW
    elif balance - quantity < -_LARGEST or to_balance + quantity > _LARGEST:
        return Result.QUANTITY_OVERFLOW
    return Result.POSTED


@compiled()
def _judge_reference(t: Any, named: Any, old: Any, state: Any) -> Any:
    """Group 70. `old` and `state` are the row and the pending state that the reference names."""
    if t["flags"] & _CORRECTS:
        return _judge_corrected(t, named, old)
    if t["flags"] & (_POST | _VOID):
        return _judge_pending(t, named, old, state)
    return Result.POSTED if t["reference"] == 0 else Result.REFERENCE_NOT_EXPECTED


@compiled()
def _move(sign: Any, flags: Any, quantity: Any, whole: Any, slots: Any, from_slot: Any, to_slot: Any) -> None:
    """Write a transfer into the balances (sign 1) or take it out again (sign -1). `whole` is the pending's quantity, for POST and VOID."""
    if flags & _PENDING:
        slots[from_slot, PENDING_OUT] += sign * quantity
        slots[to_slot, PENDING_IN] += sign * quantity
        return
    if flags & (_POST | _VOID):
        slots[from_slot, PENDING_OUT] -= sign * whole
        slots[to_slot, PENDING_IN] -= sign * whole
    if not flags & _VOID:
        slots[from_slot, BALANCE] -= sign * quantity
        slots[to_slot, BALANCE] += sign * quantity


@compiled()
def _accept(t: Any, place: Any, named: Any, quantity: Any, rows: Any, states: Any, id_index: Any, expiring: Any, counts: Any) -> Any:
    """Enter a judged transfer: its row, its id, its state. Returns the quantity of the pending it answers, or its own.

    The row keeps the quantity meant, not the 0 of a POST or VOID.
    """
    flags, row = t["flags"], counts[ROWS]
    rows[row] = t
    rows[row]["quantity"] = quantity
    states[row] = 0
    _enter(id_index, place, t["id"], row)
    counts[ROWS] = row + 1
    counts[DAY] = t["day"]
    whole = quantity
    if flags & _PENDING:
        states[row] = _OPEN
        if t["expires"] != 0:
            expiring[counts[EXPIRING]] = row
            counts[EXPIRING] += 1
    elif flags & (_POST | _VOID):
        states[named] = _POSTED if flags & _POST else _VOIDED
        whole = rows[named]["quantity"]
    return whole


@compiled()
def _undo(until: Any, rows: Any, ids: Any, states: Any, id_index: Any, slots: Any, slot_index: Any, counts: Any) -> None:
    """Take back the newest transfers until `until` remain. Slots opened by them stay, all zero, and count for nothing."""
    while counts[ROWS] > until:
        row = counts[ROWS] - 1
        t = rows[row]
        flags, whole = t["flags"], t["quantity"]
        if flags & (_POST | _VOID):
            _, named = find(id_index, ids, 0, t["reference"])
            states[named] = _OPEN
            whole = rows[named]["quantity"]
        elif flags & _PENDING and t["expires"] != 0:
            counts[EXPIRING] -= 1
        from_slot = _slot(slots, slot_index, counts, t["from_account"], t["unit"])
        to_slot = _slot(slots, slot_index, counts, t["to_account"], t["unit"])
        _move(-1, flags, t["quantity"], whole, slots, from_slot, to_slot)
        place, _ = find(id_index, ids, 0, t["id"])
        id_index[place] = 0
        counts[ROWS] = row


@compiled()
def _fetch(batch: Any, first: Any, ahead: Any, id_index: Any, slots: Any, slot_index: Any, counts: Any) -> None:
    """Bring near what the next block needs, and look up its slots.

    These loads do not wait for each other, so the processor overlaps their cache misses: first the index entries, then the slots they lead to.
    A slot found stays right (slots are never removed); one not found is looked up again when needed. The sum is kept only so that the loads are
    not optimised away.
    """
    touched, n = np.int64(0), min(BLOCK, len(batch) - first)
    for k in range(n):
        t = batch[first + k]
        from_key, to_key = _slot_key(t["from_account"], t["unit"]), _slot_key(t["to_account"], t["unit"])
        touched ^= id_index[_mix(t["id"]) & (len(id_index) - 1)]
        touched ^= slot_index[_mix(from_key) & (len(slot_index) - 1)] ^ slot_index[_mix(to_key) & (len(slot_index) - 1)]
        ahead[k, 0], ahead[k, 1] = from_key, to_key
    for k in range(n):
        _, ahead[k, 0] = find(slot_index, slots, KEY, ahead[k, 0])
        _, ahead[k, 1] = find(slot_index, slots, KEY, ahead[k, 1])
    counts[FETCHED] = touched


@compiled()
def apply_batch(
    batch: Any, results: Any, all_or_nothing: Any, flags: Any, n_units: Any, rows: Any, ids: Any, states: Any, id_index: Any,
    slots: Any, slot_index: Any, expiring: Any, counts: Any, ahead: Any,
) -> None:  # fmt: skip
    """The one pass. Control flow is here: blocks, chains, undoing; what is true of one transfer is in the functions above."""
    rows_before, day_before, failed = counts[ROWS], counts[DAY], False
    chain, broken, chain_rows, chain_day = -1, False, counts[ROWS], counts[DAY]
    for i in range(len(batch)):
        if i % BLOCK == 0:
            _fetch(batch, i, ahead, id_index, slots, slot_index, counts)
        t = batch[i]
        linked = t["flags"] & _LINKED != 0
        if linked and chain < 0:
            chain, broken, chain_rows, chain_day = i, False, counts[ROWS], counts[DAY]
        if linked and i == len(batch) - 1:
            result = Result.LINKED_CHAIN_OPEN
        elif broken:
            result = Result.LINKED_TRANSFER_FAILED
        elif t["id"] <= 0:
            result = Result.ID_MUST_BE_POSITIVE
        else:
            place, row = find(id_index, ids, 0, t["id"])
            result = _compare(t, rows[row], rows, ids, id_index) if row >= 0 else _judge_form(t, len(flags), n_units, counts[DAY])
            if result == Result.POSTED:
                named, quantity = np.int64(-1), t["quantity"]
                if t["reference"] != 0:
                    _, named = find(id_index, ids, 0, t["reference"])
                    if quantity == 0 and named >= 0:
                        quantity = rows[named]["quantity"]
                result = _judge_reference(t, named, rows[named], states[named])
            if result == Result.POSTED:
                from_slot, to_slot = ahead[i % BLOCK, 0], ahead[i % BLOCK, 1]
                if from_slot < 0:
                    from_slot = _slot(slots, slot_index, counts, t["from_account"], t["unit"])
                if to_slot < 0:
                    to_slot = _slot(slots, slot_index, counts, t["to_account"], t["unit"])
                if not t["flags"] & _VOID:
                    from_flags = flags[t["from_account"]]
                    result = _judge_accounts(t["flags"], from_flags, flags[t["to_account"]])
                    if result == Result.POSTED:
                        result = _judge_balances(
                            t["flags"], quantity, from_flags, slots[from_slot, BALANCE], slots[from_slot, PENDING_OUT],
                            slots[to_slot, BALANCE], slots[to_slot, PENDING_IN],
                        )  # fmt: skip
                if result == Result.POSTED:
                    whole = _accept(t, place, named, quantity, rows, states, id_index, expiring, counts)
                    _move(1, t["flags"], quantity, whole, slots, from_slot, to_slot)
        results[i] = result
        if result != Result.POSTED:
            failed = True
            if chain >= 0 and not broken:
                broken = True
                _undo(chain_rows, rows, ids, states, id_index, slots, slot_index, counts)
                counts[DAY] = chain_day
                results[chain:i] = Result.LINKED_TRANSFER_FAILED
        if not linked:
            chain, broken = -1, False
    if all_or_nothing and failed:
        _undo(rows_before, rows, ids, states, id_index, slots, slot_index, counts)
        counts[DAY] = day_before
        for i in range(len(batch)):
            if results[i] == 0:
                results[i] = Result.LINKED_TRANSFER_FAILED


@compiled()
def expire_due(day: Any, expired: Any, rows: Any, states: Any, slots: Any, slot_index: Any, expiring: Any, counts: Any) -> Any:
    """Release what is due; keep in `expiring` only what is still open. Returns how many ids were written to `expired`."""
    n_expired = kept = 0
    for k in range(counts[EXPIRING]):
        row = expiring[k]
        t = rows[row]
        if states[row] != _OPEN:
            continue
        if t["expires"] > day:
            expiring[kept] = row
            kept += 1
            continue
        states[row] = _EXPIRED
        from_slot = _slot(slots, slot_index, counts, t["from_account"], t["unit"])
        to_slot = _slot(slots, slot_index, counts, t["to_account"], t["unit"])
        _move(-1, t["flags"], t["quantity"], t["quantity"], slots, from_slot, to_slot)
        expired[n_expired] = t["id"]
        n_expired += 1
    counts[EXPIRING] = kept
    return n_expired


@compiled()
def find_slots(slot_index: Any, slots: Any, keys: Any, found: Any) -> None:
    for i in range(len(keys)):
        _, found[i] = find(slot_index, slots, KEY, keys[i])
