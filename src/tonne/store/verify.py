"""The audit of a stored log: every row is read, every hash computed anew, every fault named."""

from __future__ import annotations

from typing import Any

from tonne.administration.events import GENESIS
from tonne.store.errors import StoreError
from tonne.store.log import Fault, Head, Log

FAULTS_MAX = 1_000  # a log that is worse than this needs a backup, not a longer list


def verify(log: Log) -> list[Fault]:
    """Faults in the order of the log: what the store says about its own files first, then entry by entry, then the head.

    A hole, a changed row, a broken link, an unreadable row, a cut tail. Reading goes on behind each fault.
    """
    faults = log._own_faults()
    try:
        head: Head | None = log.head()
    except (StoreError, TypeError, ValueError) as error:
        head = None
        faults.append(Fault(0, None, f"the head cannot be read: {error}"))
    walk = _Walk(log, faults)
    # A page that cannot be read ends a stream; the next one starts behind it.
    while walk.rows() and len(faults) < FAULTS_MAX and head is not None and walk.sequence < head.sequence:
        continue
    if head is not None:
        _check_head(walk, head, faults)
    return faults


class _Walk:
    """Where the walk stands: the last sequence seen and the hash that the next entry must name."""

    def __init__(self, log: Log, faults: list[Fault]) -> None:
        self.log = log
        self.faults = faults
        self.sequence = 0
        self.hash: bytes | None = GENESIS  # None: the entry before is missing or unreadable, so there is nothing to compare with

    def rows(self) -> bool:
        """Walks until the end (False) or until a row cannot be read (True)."""
        try:
            for row in self.log._rows(self.sequence, None):
                self.row(row)
                if len(self.faults) >= FAULTS_MAX:
                    return False
        except StoreError as error:
            self.sequence += 1
            self.hash = None
            self.faults.append(Fault(self.sequence, None, f"cannot be read: {error.what}"))
            return True
        return False

    def row(self, row: tuple[Any, ...]) -> None:
        sequence, command_id = row[0], str(row[1])
        if sequence != self.sequence + 1:
            self.missing(self.sequence + 1, sequence - 1)
            self.hash = None
        self.sequence = sequence
        try:
            entry = self.log._entry(row)
            intact = entry.is_intact()
        except (StoreError, TypeError, ValueError, AttributeError) as error:
            self.hash = None
            what = error.what if isinstance(error, StoreError) else f"a field has the wrong type ({error})"
            self.faults.append(Fault(sequence, command_id, f"cannot be read: {what}"))
            return
        if not intact:
            self.faults.append(Fault(sequence, command_id, "changed: its hash is not the hash of its fields"))
        if self.hash is not None and entry.previous != self.hash:
            self.faults.append(Fault(sequence, command_id, f"does not follow entry {sequence - 1}: the hash it names is not that entry's"))
        self.hash = entry.hash

    def missing(self, first: int, last: int) -> None:
        what = f"missing: entries {first} to {last} are gone" if last > first else "missing: the entry is gone"
        self.faults.append(Fault(first, None, what))


def _check_head(walk: _Walk, head: Head, faults: list[Fault]) -> None:
    if walk.sequence < head.sequence and len(faults) < FAULTS_MAX:
        faults.append(Fault(head.sequence, None, f"cut off: the head says {head.sequence} entries, the log ends at {walk.sequence}"))
    elif walk.sequence > head.sequence:
        faults.append(Fault(head.sequence, None, f"the head says {head.sequence} entries, the log ends at {walk.sequence}: the head was changed"))
    elif walk.hash is not None and walk.hash != head.hash:
        faults.append(Fault(head.sequence, None, "the head's hash is not the last entry's: one of them was changed"))
