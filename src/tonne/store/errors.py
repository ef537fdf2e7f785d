"""What can go wrong with the store. Every message says what is wrong, where, and what to do; none shows a password.

StoreError
 |-- StoreMissing         nothing is stored there (and it was not to be created)
 |-- StoreNotEmpty        something is stored there already, where an empty place was asked for
 |-- StoreUnreachable     the server or the disk does not answer, or the address cannot be read
 |-- StoreDamaged         it is not a log, or it is one that was cut, changed or corrupted
 |-- StoreNewerSchema     written by a later version of tonne
 |-- StoreOlderSchema     written by an earlier version, and opened for reading only
 |-- StoreReadOnly        writing is not allowed: opened for reading, or the place forbids it
 |-- StoreLocked          another writer has it
 |-- StoreFull            no room on the disk
 |-- StoreMoved           the log does not end where the writer thinks it ends
 |-- StoreDuplicate       a command id is already in the log
 |-- StoreTooLarge        a field that no store can hold
 |-- StoreBusy            too many requests wait for the writer; try again
 `-- StoreStopped         an earlier failure stopped this writer; nothing more is accepted until it is reopened
"""

from __future__ import annotations


class StoreError(Exception):
    """what: what is wrong; where: path or masked URL; do: what the reader of the message can do about it."""

    def __init__(self, what: str, *, where: str, do: str) -> None:
        super().__init__(f"{where}: {what}. {do}")
        self.what = what
        self.where = where
        self.do = do


class StoreMissing(StoreError):
    pass


class StoreNotEmpty(StoreError):
    pass


class StoreUnreachable(StoreError):
    pass


class StoreDamaged(StoreError):
    pass


class StoreNewerSchema(StoreError):
    pass


class StoreOlderSchema(StoreError):
    pass


class StoreReadOnly(StoreError):
    pass


class StoreLocked(StoreError):
    pass


class StoreFull(StoreError):
    pass


class StoreMoved(StoreError):
    pass


class StoreDuplicate(StoreError):
    pass


class StoreTooLarge(StoreError):
    pass


class StoreBusy(StoreError):
    pass


class StoreStopped(StoreError):
    pass
