"""The log in a SQLite file: write-ahead log, synchronous=FULL, one writer held by a lock file beside it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import sqlite3
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tonne.administration.events import Entry
from tonne.store import migrate
from tonne.store.address import Address
from tonne.store.errors import (
    StoreDamaged,
    StoreDuplicate,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreMissing,
    StoreReadOnly,
    StoreTooLarge,
    StoreUnreachable,
)
from tonne.store.log import COLUMNS, OTHER, VERIFY, Fault, Head, Log, Mode

PAGE_BYTES = 4096
# Pages written between checkpoints. A checkpoint costs two more syncs; 4,000 pages of 4 KB keep the write-ahead log near 16 MB.
CHECKPOINT_PAGES = 4_000
APPLICATION_ID = 0x544F4E4E  # "TONN" in the file's header, for `file` and for people

INSERT = f"INSERT INTO log_entries ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_CHUNK = "INSERT INTO log_chunks (sequence, number, data) VALUES (?, ?, ?)"
MOVE_HEAD = "UPDATE log_head SET sequence = ?, hash = ? WHERE one = 1 AND sequence = ? AND hash = ?"

_parsed_day = lru_cache(maxsize=1024)(date.fromisoformat)


class SqliteLog(Log):
    kind = "sqlite"

    def __init__(self, address: Address, mode: Mode, *, create: bool, chunk_bytes: int, patience_s: float) -> None:
        super().__init__(address, mode, chunk_bytes)
        self.path = address.path
        self._patience_s = patience_s
        self._asking = threading.Lock()
        self._writing = threading.Lock()
        self._reader: sqlite3.Connection | None = None
        self._writer: sqlite3.Connection | None = None
        self._lock_file: int | None = None
        try:
            self._open(create)
        except BaseException:
            self.close()
            raise

    def _open(self, create: bool) -> None:
        exists = self._look(create)
        if self.mode == "read":
            self._check_schema(writing=False)
            return
        self._lock_file = _lock(self.path, self.where)
        if not exists and not self.path.exists():  # another writer may have created it while we waited for the lock
            _create(self.path, self.where)
        if self._check_schema(writing=True):
            self._drop_reader()
            with named_errors(self.where):
                migrate.upgrade(lambda: _plain(self.path), "sqlite")
        with named_errors(self.where):
            self._writer = _writer(self.path, self._patience_s)
        last = self._ask("SELECT sequence, hash FROM log_entries ORDER BY sequence DESC LIMIT 1")
        self._must_end_well(last[0] if last else None)

    def _look(self, create: bool) -> bool:
        """Whether the file is there. StoreMissing, StoreDamaged for what can be seen without opening it."""
        path = self.path
        if path.is_dir():
            raise StoreDamaged("this is a folder, not a log", where=self.where, do="Give the path of a file")
        if not path.parent.is_dir():
            raise StoreMissing(f"there is no folder {path.parent}", where=self.where, do="Create it, or correct the path")
        if path.exists():
            # A new log is built beside its path and then renamed, so an empty file is never one that is just being created.
            if path.stat().st_size == 0:
                raise StoreDamaged("the file is empty", where=self.where, do="Restore the log from a backup; if there never was one, remove the file")
            # SQLite itself sees a missing page, but takes half a page at the end for a whole one. A write-ahead log may hold that page whole.
            if not _unfinished(path) and path.stat().st_size % _page_bytes(path, self.where):
                raise StoreDamaged("the file ends in the middle of a page: its tail was cut off", where=self.where, do="Restore it from a backup")
            return True
        if _unfinished(path):
            raise StoreDamaged(
                f"the file is gone, and {path.name}-wal, which belongs to it, is still there",
                where=self.where,
                do="Put both back, or restore from a backup",
            )
        if self.mode == "read" or not create:
            raise StoreMissing("there is no log here", where=self.where, do="Correct the path, or name the system to found a market there")
        return False

    def _check_schema(self, *, writing: bool) -> bool:
        """Whether an upgrade is due. StoreDamaged if this is someone else's database."""
        tables = {row[0] for row in self._ask("SELECT name FROM sqlite_master WHERE type = 'table'")}
        stored = self._ask(f"SELECT version_num FROM {migrate.VERSION_TABLE}") if migrate.VERSION_TABLE in tables else []
        if not stored:
            raise StoreDamaged("this is a SQLite database, but not a log of tonne", where=self.where, do="Give the path of a log, or of a new file")
        return migrate.needs_upgrade(str(stored[0][0]), writing=writing, where=self.where)

    # Reading

    def _ask(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._asking, named_errors(self.where):
            if self._closed:
                raise StoreError("the log is closed", where=self.where, do="Open it again")
            if self._reader is None:
                self._reader = open_reader(self.path, self.where, self._patience_s)
            return self._reader.execute(sql, parameters).fetchall()

    def _rows(self, after: int, last: int | None) -> Generator[tuple[Any, ...], None, None]:
        where = "sequence > ?" if last is None else "sequence > ? AND sequence <= ?"
        with named_errors(self.where), contextlib.closing(open_reader(self.path, self.where, self._patience_s)) as connection:
            # Row by row: SQLite steps lazily, so memory holds one entry, however large the entries are.
            yield from connection.execute(
                f"SELECT {COLUMNS} FROM log_entries WHERE {where} ORDER BY sequence", (after,) if last is None else (after, last)
            )

    def _day(self, stored: str) -> date:
        return _parsed_day(stored)

    def _own_faults(self) -> list[Fault]:
        try:
            said = self._ask("PRAGMA integrity_check(20)")
        except StoreError as error:
            return [Fault(0, None, f"SQLite cannot check the file: {error.what}")]
        return [Fault(0, None, f"SQLite finds: {row[0]}") for row in said if row[0] != "ok"]

    # Writing

    def _store(self, batches: Iterable[Sequence[Entry]]) -> Head:
        end = self._end
        with self._transaction() as connection:
            for entries in batches:
                end = self._checked(entries, end)
                connection.executemany(INSERT, map(self._row, entries))
                for entry in entries:
                    if len(entry.tables) > self.chunk_bytes:
                        connection.executemany(
                            INSERT_CHUNK, ((entry.sequence, number, piece) for number, piece in enumerate(self._pieces(entry.tables)))
                        )
            if connection.execute(MOVE_HEAD, (*end, *self._end)).rowcount != 1:
                raise self._moved()
        return end

    def _row(self, entry: Entry) -> tuple[Any, ...]:
        chunks, tables = 0, entry.tables
        if len(tables) > self.chunk_bytes:
            chunks, tables = -(-len(tables) // self.chunk_bytes), b""
        return (
            entry.sequence, entry.command_id, entry.kind, entry.actor, entry.day.isoformat(), entry.outcome, entry.previous, entry.hash,
            chunks, entry.command, entry.events, tables,
        )  # fmt: skip

    def _do(self, statements: Iterable[tuple[str, Sequence[Any]]]) -> None:
        with self._transaction() as connection:
            for sql, parameters in statements:
                connection.execute(sql, parameters)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._writing, named_errors(self.where):
            connection = self._writer
            assert connection is not None, "only a log opened for writing writes"
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # SQLite has rolled back by itself after some errors (a full disk), and then refuses to do it again.
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    def _drop_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _disconnect(self) -> None:
        with self._writing, self._asking:
            self._drop_reader()
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            if self._lock_file is not None:
                os.close(self._lock_file)
                self._lock_file = None


def _plain(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _writer(path: Path, patience_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, isolation_level=None, check_same_thread=False, timeout=patience_s)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")  # macOS only: there, an ordinary fsync stops at the disk's own cache
        connection.execute("PRAGMA checkpoint_fullfsync = ON")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {4 * CHECKPOINT_PAGES * PAGE_BYTES}")
        # A file that may only be read opens without complaint, and complains at the first write: make that write now, and take it back.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE log_head SET one = one")
        connection.execute("ROLLBACK")
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: Path, where: str, patience_s: float) -> sqlite3.Connection:
    """A connection that cannot write. In a folder that may not be written, a log that nobody has open is read as an unchanging file."""
    uri = f"file:{quote(str(path))}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=patience_s)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master")
        return connection
    except sqlite3.Error as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY) or not os.access(path, os.R_OK):
            raise
        if _unfinished(path):
            raise StoreReadOnly(
                "the folder may not be written, and the log was not closed: its -wal file has to be read in first",
                where=where,
                do="Copy the log and its -wal elsewhere",
            ) from error
    return sqlite3.connect(uri + "&immutable=1", uri=True, isolation_level=None, check_same_thread=False)


def _create(path: Path, where: str) -> None:
    """Builds an empty log beside its path, makes it durable, then gives it its name: a crash leaves no half-made log."""
    made = _side(path, ".new")
    with named_errors(where):
        for leftover in (made, _side(made, "-wal"), _side(made, "-shm"), _side(made, "-journal")):
            leftover.unlink(missing_ok=True)
        with contextlib.closing(_plain(made)) as connection:
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrate.upgrade(lambda: _plain(made), "sqlite")
        with contextlib.closing(_plain(made)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        made.rename(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _lock(path: Path, where: str) -> int:
    """Takes the lock file beside the log. The file stays: removing it would let two writers lock two files of one name."""
    with named_errors(where):
        handle = os.open(_side(path, ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        # flock, not lockf: it also stops a second writer in this process, and closing some other handle does not give it away.
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        who = os.read(handle, 200).decode(errors="replace").strip() or "unknown"
        os.close(handle)
        raise StoreLocked(f"another writer has it open ({who})", where=where, do="Stop that process, or open the log with mode='read'") from error
    try:
        with named_errors(where):
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _unfinished(path: Path) -> bool:
    """Whether a write-ahead log with something in it stands beside the file: it is open somewhere, or was not closed."""
    beside = _side(path, "-wal")
    return beside.exists() and beside.stat().st_size > 0


def _page_bytes(path: Path, where: str) -> int:
    with named_errors(where), path.open("rb") as file:
        header = file.read(18)
    # As SQLite's file format has it: two bytes, where 1 means 65,536. Anything else than a SQLite file is found out when it is opened.
    return (int.from_bytes(header[16:18], "big") if header.startswith(b"SQLite format 3\0") else 1) or 1


def _side(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


@contextlib.contextmanager
def named_errors(where: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _named(error, where) from error
    except OSError as error:
        if error.errno in (28, 122):  # no space left on device, disk quota exceeded
            raise StoreFull("the disk is full", where=where, do="Make room, then open the log again") from error
        raise StoreReadOnly(
            f"the file system refuses ({error.strerror})", where=where, do="Give this user the right to write to the file and its folder"
        ) from error
    except Exception as error:
        # While migrating, SQLAlchemy wraps the driver's error.
        original = getattr(error, "orig", None)
        if isinstance(original, sqlite3.Error):
            raise _named(original, where) from error
        raise


def _named(error: sqlite3.Error, where: str) -> StoreError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return StoreFull("the disk is full", where=where, do="Make room, then open the log again")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
        return StoreReadOnly(f"the file may not be written ({error})", where=where, do="Give this user the right to write to the file and its folder")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreLocked(
            "another SQLite connection holds the database",
            where=where,
            do="End the other program's transaction (a sqlite3 shell?), then open the log again",
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR):
        return StoreDamaged(f"not a log of tonne, or a damaged one ({error})", where=where, do=OTHER)
    if code == sqlite3.SQLITE_CONSTRAINT:
        return StoreDuplicate(f"a command or an entry is stored already ({error})", where=where, do="Ask find(command_id) before sending it again")
    if code == sqlite3.SQLITE_TOOBIG:
        return StoreTooLarge("a field is larger than SQLite holds", where=where, do="Carry bulk in the entry's tables")
    if code == sqlite3.SQLITE_IOERR:
        return StoreUnreachable(f"the disk gave an error ({error})", where=where, do="Check the disk, then open the log again")
    return StoreError(f"SQLite refuses ({error})", where=where, do=VERIFY)
