"""Backup and restore. A backup is a SQLite log file, whatever store it came from, so a market can move from one kind to the other and back."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from tonne.administration.events import GENESIS, Entry
from tonne.store.errors import StoreDamaged, StoreNotEmpty
from tonne.store.log import PATIENCE_S, VERIFY, Head, Log, open_log
from tonne.store.sqlite_log import SqliteLog, named_errors, open_reader

BATCH_ENTRIES = 1_000
BATCH_BYTES = 16 * 1024 * 1024


def backup(source: Log | str | os.PathLike[str], to: str | os.PathLike[str]) -> Head:
    """Copies a log, which may be in use, to a new file; gives the copy's head once the copy is on disk, complete and verified.

    The file appears under its name only then. StoreNotEmpty if there is a file of that name, StoreDamaged if the log is not sound.
    """
    target = Path(to).absolute()
    if target.exists():
        raise StoreNotEmpty("there is a file of this name", where=str(target), do="Give a new name: a backup never replaces another")
    if not isinstance(source, Log):
        with open_log(source, mode="read") as opened:
            return backup(opened, target)
    made = target.with_name(target.name + ".partial")
    _remove(made)
    try:
        if isinstance(source, SqliteLog):
            with named_errors(str(target)):
                _vacuum(source.path, made)
        else:
            # One consistent prefix of the log, since entries are only ever added to it.
            restore(source, made)
            with named_errors(str(target)), contextlib.closing(sqlite3.connect(made, isolation_level=None)) as connection:
                # Else whoever reads the backup leaves a write-ahead log beside it. VACUUM INTO makes such a file anyway.
                connection.execute("PRAGMA journal_mode = DELETE")
        head = _verified(made)
        with named_errors(str(target)):
            _sync(made)
            made.rename(target)
            _sync(target.parent)
        return head
    finally:
        _remove(made)


def restore(source: Log | str | os.PathLike[str], to: str | os.PathLike[str]) -> Head:
    """Copies a backup, or any log, into an empty or new store of either kind: all entries in one transaction, each hash checked on the way.

    StoreNotEmpty if entries are stored there, StoreDamaged if the source is not sound: then nothing is stored.
    """
    if not isinstance(source, Log):
        with open_log(source, mode="read") as opened:
            return restore(opened, to)
    with open_log(to) as target:
        if target.head().sequence:
            raise StoreNotEmpty(f"{target.head().sequence} entries are stored here", where=target.where, do="Give an empty database or a new file")
        head = source.head()
        # What describes the log goes first: if the entries then fail, the store is still empty and the restore can be repeated.
        for key, value in source.meta().items():
            target.set_meta(key, value)
        target.append_batches(_batches(source, head))
        snapshot = source.latest_snapshot(at_most=head.sequence)
        if snapshot is not None:
            target.save_snapshot(*snapshot)
        if target.head() != head:
            raise StoreDamaged(f"it ends at {target.head().sequence} and its source at {head.sequence}", where=target.where, do=VERIFY)
        return head


def _batches(source: Log, head: Head) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    size, previous = 0, GENESIS
    for entry in source.read(last=head.sequence):
        if not entry.is_intact() or entry.previous != previous:
            raise StoreDamaged(f"entry {entry.sequence} ({entry.command_id}) was changed", where=source.where, do=VERIFY)
        previous = entry.hash
        batch.append(entry)
        size += len(entry.command) + len(entry.events) + len(entry.tables)
        if len(batch) >= BATCH_ENTRIES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _vacuum(path: Path, made: Path) -> None:
    """SQLite's own copy: consistent, compact, and writers go on meanwhile."""
    with contextlib.closing(open_reader(path, str(path), PATIENCE_S)) as connection:
        connection.execute("VACUUM INTO ?", (str(made),))


def _verified(made: Path) -> Head:
    with open_log(made, mode="read") as copy:
        faults = copy.verify_chain()
        if faults:
            first = faults[0]
            raise StoreDamaged(
                f"{len(faults)} faults, the first at entry {first.sequence} ({first.command_id}): {first.what}", where=str(made), do=VERIFY
            )
        return copy.head()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(made: Path) -> None:
    for ending in ("", "-wal", "-shm", ".lock", ".new"):
        with contextlib.suppress(FileNotFoundError):
            made.with_name(made.name + ending).unlink()
