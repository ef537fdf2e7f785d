"""The log: append, replay, snapshot, verify, back up. SQLite by default, PostgreSQL by URL."""

from tonne.store.backup import backup, restore
from tonne.store.errors import (
    StoreBusy,
    StoreDamaged,
    StoreDuplicate,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreMissing,
    StoreMoved,
    StoreNewerSchema,
    StoreNotEmpty,
    StoreOlderSchema,
    StoreReadOnly,
    StoreStopped,
    StoreTooLarge,
    StoreUnreachable,
)
from tonne.store.group_commit import Decision, GroupCommit
from tonne.store.log import Fault, Head, Log, Snapshot, open_log

__all__ = [
    "Decision",
    "Fault",
    "GroupCommit",
    "Head",
    "Log",
    "Snapshot",
    "StoreBusy",
    "StoreDamaged",
    "StoreDuplicate",
    "StoreError",
    "StoreFull",
    "StoreLocked",
    "StoreMissing",
    "StoreMoved",
    "StoreNewerSchema",
    "StoreNotEmpty",
    "StoreOlderSchema",
    "StoreReadOnly",
    "StoreStopped",
    "StoreTooLarge",
    "StoreUnreachable",
    "backup",
    "open_log",
    "restore",
]
