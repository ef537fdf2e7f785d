"""The log: what was accepted or refused, in order, chained by hashes. One interface; sqlite_log and postgres_log carry it."""

from __future__ import annotations

import contextlib
import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Iterator, Sequence
from datetime import date
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

from tonne.administration.events import Entry
from tonne.store.address import Address, parse_address
from tonne.store.errors import StoreDamaged, StoreError, StoreMoved, StoreReadOnly, StoreStopped, StoreTooLarge, StoreUnreachable

Mode = Literal["write", "read"]

# A PostgreSQL field ends at 1 GB and its messages with it, a SQLite field at 1e9 bytes. Chunks stay far below, and keep a copy or two cheap.
CHUNK_BYTES = 32 * 1024 * 1024
FIELD_BYTES_MAX = 256 * 1024 * 1024  # for command and events, which are never chunked: bulk travels in tables
SNAPSHOTS_KEPT = 3
PATIENCE_S = 5.0  # how long to wait for another's lock before naming it

COLUMNS = "sequence, command_id, kind, actor, day, outcome, previous, hash, chunks, command, events, tables"
OTHER = "Name the log of a market, or restore this one from a backup"
VERIFY = "Run `tonne log verify` on it to see what is wrong, and restore it from a backup"


class Head(NamedTuple):
    """Where the log ends: the last entry's sequence and hash; 0 and GENESIS for an empty log."""

    sequence: int
    hash: bytes


class Snapshot(NamedTuple):
    """The state after entry `sequence`, as its owner wrote it."""

    sequence: int
    state_hash: bytes
    state: bytes


class Headline(NamedTuple):
    """An entry without what it carries. bytes: of its command, events and (where they are in the row) tables."""

    sequence: int
    command_id: str
    kind: str
    actor: str
    day: date
    outcome: str
    previous: bytes
    hash: bytes
    bytes: int


class Fault(NamedTuple):
    """One thing that is wrong with a stored log. command_id is None where there is no row to read it from."""

    sequence: int
    command_id: str | None
    what: str


def open_log(
    where: str | os.PathLike[str],
    *,
    mode: Mode = "write",
    create: bool = True,
    chunk_bytes: int = CHUNK_BYTES,
    patience_s: float = PATIENCE_S,
) -> Log:
    """Opens the log at a path, `sqlite:///path` or `postgresql://...[?schema=name]`; for writing, creates or upgrades it where needed.

    StoreMissing (nothing there and create is False, or mode is "read"), StoreLocked (another writer), StoreDamaged, StoreNewerSchema,
    StoreOlderSchema, StoreReadOnly, StoreFull, StoreUnreachable.
    """
    if mode not in ("write", "read"):
        raise ValueError(f"mode is 'write' or 'read', not {mode!r}")
    address = parse_address(where)
    if address.kind == "sqlite":
        from tonne.store.sqlite_log import SqliteLog

        return SqliteLog(address, mode, create=create, chunk_bytes=chunk_bytes, patience_s=patience_s)
    try:
        from tonne.store.postgres_log import PostgresLog
    except ImportError as error:
        raise StoreUnreachable("PostgreSQL needs psycopg, which is not installed", where=address.shown, do='pip install "tonne[server]"') from error

    return PostgresLog(address, mode, create=create, chunk_bytes=chunk_bytes, patience_s=patience_s)


class Log(ABC):
    """An open log. One writer at a time appends; any number of readers, in this process and others, read without waiting for it.

    append is for one thread. Everything else may be called from any thread. SQL here uses ? for parameters in both stores.
    """

    kind: str

    def __init__(self, address: Address, mode: Mode, chunk_bytes: int) -> None:
        self.address = address
        self.where = address.shown
        self.mode = mode
        self.chunk_bytes = chunk_bytes
        self._end = Head(0, b"")  # the writer's own idea of the head; the store's is compared with it in every append
        self._failure: BaseException | None = None
        self._closed = False

    # What a store has to offer. Each raises StoreErrors only.

    @abstractmethod
    def _ask(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a small query, on a connection for reading."""

    @abstractmethod
    def _do(self, statements: Iterable[tuple[str, Sequence[Any]]]) -> None:
        """Statements on the writing connection, in one durable transaction."""

    @abstractmethod
    def _store(self, batches: Iterable[Sequence[Entry]]) -> Head:
        """Stores batches after self._end and moves the stored head, in one durable transaction. StoreMoved if the stored head is not self._end."""

    @abstractmethod
    def _rows(self, after: int, last: int | None) -> Generator[tuple[Any, ...], None, None]:
        """Rows of COLUMNS in order, streamed on a connection of their own."""

    @abstractmethod
    def _day(self, stored: Any) -> date: ...

    @abstractmethod
    def _disconnect(self) -> None: ...

    def _own_faults(self) -> list[Fault]:
        """What the store itself can say about its files."""
        return []

    # Writing

    def append(self, entries: Sequence[Entry]) -> None:
        """Stores entries in one durable transaction: when it returns they are on disk, when it raises none is known to be.

        StoreMoved, StoreDuplicate, StoreFull, StoreReadOnly, StoreLocked, StoreUnreachable, StoreTooLarge. After any failure the log is stopped
        (StoreStopped) until it is opened again: the caller's state may have run ahead of the store, and a lost connection may hide a commit
        that did happen.
        """
        if entries:
            self.append_batches([entries])

    def append_batches(self, batches: Iterable[Sequence[Entry]]) -> None:
        """As append, for more entries than fit in memory: all batches in ONE transaction."""
        self._must_write()
        try:
            self._end = self._store(batches)
        except BaseException as failure:
            self._failure = failure
            raise

    def set_meta(self, key: str, value: str) -> None:
        """Remembers a fact about the log as a whole."""
        self._must_write()
        self._do([("INSERT INTO log_meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value))])

    def save_snapshot(self, sequence: int, state_hash: bytes, state: bytes) -> None:
        """Stores the state after entry `sequence`, keeps the newest three. StoreMoved if the log does not reach that far.

        A failure here does not stop the log: a snapshot is a convenience, and none or the whole of it is stored.
        """
        self._must_write()
        if sequence > self._end.sequence:
            raise StoreMoved(
                f"a snapshot of entry {sequence} was offered, and the log ends at {self._end.sequence}",
                where=self.where,
                do="Store the entries first",
            )
        pieces = list(self._pieces(state))
        digest = hashlib.sha256(state).digest()

        def statements() -> Iterator[tuple[str, Sequence[Any]]]:
            yield "DELETE FROM log_snapshot_chunks WHERE sequence = ?", (sequence,)
            yield "DELETE FROM log_snapshots WHERE sequence = ?", (sequence,)
            yield "INSERT INTO log_snapshots (sequence, state_hash, digest, chunks) VALUES (?, ?, ?, ?)", (sequence, state_hash, digest, len(pieces))
            for number, piece in enumerate(pieces):
                yield "INSERT INTO log_snapshot_chunks (sequence, number, data) VALUES (?, ?, ?)", (sequence, number, piece)
            kept = f"(SELECT sequence FROM log_snapshots ORDER BY sequence DESC LIMIT {SNAPSHOTS_KEPT})"
            yield f"DELETE FROM log_snapshot_chunks WHERE sequence NOT IN {kept}", ()
            yield f"DELETE FROM log_snapshots WHERE sequence NOT IN {kept}", ()

        self._do(statements())

    # Reading

    def head(self) -> Head:
        """Where the stored log ends."""
        rows = self._ask("SELECT sequence, hash FROM log_head WHERE one = 1")
        if not rows:
            raise StoreDamaged("its head is gone", where=self.where, do=VERIFY)
        return Head(rows[0][0], bytes(rows[0][1]))

    def read(self, after: int = 0, until: date | None = None, last: int | None = None) -> Iterator[Entry]:
        """The entries after sequence `after`, in order, streamed: up to sequence `last`, and up to the first entry of a day later than `until`.

        What was appended after reading began may or may not be included. StoreDamaged where an entry is missing or does not link to the one before:
        a replay never passes over a hole. The hashes themselves are not computed anew; verify_chain does that.
        """
        end = self.head().sequence if last is None else min(last, self.head().sequence)
        expected, previous = after + 1, None
        # Closed at once when the caller stops half-way: a forgotten reading transaction keeps a database from tidying up.
        with contextlib.closing(self._rows(after, last)) as rows:
            for row in rows:
                entry = self._entry(row)
                if entry.sequence != expected:
                    raise StoreDamaged(f"entry {expected} is missing (the next one stored is {entry.sequence})", where=self.where, do=VERIFY)
                if previous is not None and entry.previous != previous:
                    raise StoreDamaged(f"entry {expected} ({entry.command_id}) does not link to entry {expected - 1}", where=self.where, do=VERIFY)
                if until is not None and entry.day > until:
                    return
                yield entry
                expected += 1
                previous = entry.hash
        if expected <= end:
            raise StoreDamaged(f"entries {expected} to {end} are missing: the tail of the log was cut off", where=self.where, do=VERIFY)

    def find(self, command_id: str) -> Entry | None:
        """The entry of a command, None if the log has no such command."""
        rows = self._ask(f"SELECT {COLUMNS} FROM log_entries WHERE command_id = ?", (command_id,)) if "\0" not in command_id else []
        return self._entry(rows[0]) if rows else None

    def headlines(
        self, before: int | None = None, limit: int = 50, *, kind: str = "", actor: str = "", outcome: str = "", at_least: int = 1
    ) -> list[Headline]:
        """The last entries before a sequence (left out: to the end), newest first, of one kind, actor and outcome where these are named, and none
        below sequence `at_least`. What entries carry is not read: a page of the log costs little, however large they are."""
        chosen = [(f"{name} = ?", value) for name, value in (("kind", kind), ("actor", actor), ("outcome", outcome)) if value]
        chosen += [("sequence >= ?", at_least), ("sequence < ?", 2**62 if before is None else before)]
        if any("\0" in str(value) for _, value in chosen):
            return []
        where = " AND ".join(test for test, _ in chosen)
        return self._headlines(f"WHERE {where} ORDER BY sequence DESC LIMIT ?", (*(value for _, value in chosen), limit))

    def _headlines(self, where: str, parameters: Sequence[Any]) -> list[Headline]:
        size = "LENGTH(command) + LENGTH(events) + LENGTH(tables)"
        columns = "sequence, command_id, kind, actor, day, outcome, previous, hash"
        rows = self._ask(f"SELECT {columns}, {size} FROM log_entries {where}", parameters)
        return [Headline(*row[:4], self._day(row[4]), row[5], bytes(row[6]), bytes(row[7]), row[8]) for row in rows]

    def daily_heads(self, limit: int = 400, at_least: int = 1) -> list[Headline]:
        """The last accepted entry of each day, newest first: its hash stands for everything up to it. None below sequence `at_least`."""
        last = "SELECT MAX(sequence) FROM log_entries WHERE outcome = 'accepted' AND sequence >= ? GROUP BY day ORDER BY MAX(sequence) DESC LIMIT ?"
        return self._headlines(f"WHERE sequence IN ({last}) ORDER BY sequence DESC", (at_least, limit))

    def meta(self) -> dict[str, str]:
        """What is known about the log as a whole: the system's id, the format, ..."""
        return dict(self._ask("SELECT key, value FROM log_meta ORDER BY key"))

    def latest_snapshot(self, at_most: int | None = None) -> Snapshot | None:
        """The newest intact snapshot, not later than entry `at_most` nor than the log itself.

        A damaged one is passed over: a replay from further back gives the same state.
        """
        limit = self.head().sequence if at_most is None else min(at_most, self.head().sequence)
        found = self._ask("SELECT sequence, state_hash, digest, chunks FROM log_snapshots WHERE sequence <= ? ORDER BY sequence DESC", (limit,))
        for sequence, state_hash, digest, chunks in found:
            pieces = self._ask("SELECT data FROM log_snapshot_chunks WHERE sequence = ? ORDER BY number", (sequence,))
            state = b"".join(row[0] for row in pieces)
            if len(pieces) == chunks and hashlib.sha256(state).digest() == bytes(digest):
                return Snapshot(sequence, bytes(state_hash), state)
        return None

    def verify_chain(self) -> list[Fault]:
        """Walks the whole log and names everything that is wrong with it; an empty list means that nothing is.

        Whoever can rewrite every later entry and the head can still forge a log: publish head() from time to time, then nobody can.
        """
        from tonne.store.verify import verify

        return verify(self)

    # Ending

    def close(self) -> None:
        """Gives the log back. Closing twice is fine."""
        if not self._closed:
            self._closed = True
            self._disconnect()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._closed else "stopped" if self._failure else self.mode
        return f"<{type(self).__name__} {self.where} {state}>"

    # Shared by the stores

    def _must_write(self) -> None:
        if self._closed:
            raise StoreStopped("the log is closed", where=self.where, do="Open it again")
        if self.mode != "write":
            raise StoreReadOnly("the log was opened for reading", where=self.where, do="Open it with mode='write'")
        if self._failure is not None:
            raise StoreStopped(
                f"an earlier append failed ({self._failure}), so nothing more is accepted",
                where=self.where,
                do="Put that right, then open the log again",
            ) from self._failure

    def _entry(self, row: tuple[Any, ...]) -> Entry:
        sequence, command_id, kind, actor, day, outcome, previous, digest, chunks, command, events, tables = row
        if chunks:
            pieces = self._ask("SELECT data FROM log_chunks WHERE sequence = ? ORDER BY number", (sequence,))
            if len(pieces) != chunks:
                raise StoreDamaged(f"entry {sequence} ({command_id}) has {len(pieces)} of {chunks} chunks", where=self.where, do=VERIFY)
            tables = b"".join(piece[0] for piece in pieces)
        return Entry(sequence, command_id, kind, actor, self._day(day), outcome, command, events, tables, previous, digest)

    def _pieces(self, data: bytes) -> Iterator[memoryview]:
        view = memoryview(data)
        for start in range(0, len(view), self.chunk_bytes):
            yield view[start : start + self.chunk_bytes]

    def _checked(self, entries: Sequence[Entry], end: Head) -> Head:
        """The head after these entries. StoreMoved if they do not continue `end`, StoreTooLarge and StoreError for what no store can hold."""
        for entry in entries:
            if entry.sequence != end.sequence + 1 or entry.previous != end.hash:
                raise StoreMoved(
                    f"entry {entry.sequence} ({entry.command_id}) does not continue the log, which ends at {end.sequence}",
                    where=self.where,
                    do="Someone else wrote, or the state is stale: open the log again and rebuild the state from it",
                )
            if len(entry.command) > FIELD_BYTES_MAX or len(entry.events) > FIELD_BYTES_MAX:
                raise StoreTooLarge(
                    f"entry {entry.sequence} ({entry.command_id}) has a command or events of more than {FIELD_BYTES_MAX} bytes",
                    where=self.where,
                    do="Carry bulk in the entry's tables, which may be of any size",
                )
            if "\0" in entry.command_id or "\0" in entry.kind or "\0" in entry.actor or "\0" in entry.outcome:
                raise StoreError(
                    f"entry {entry.sequence} has a NUL character in a text", where=self.where, do="Refuse such a command: PostgreSQL cannot hold it"
                )
            end = Head(entry.sequence, entry.hash)
        return end

    def _moved(self) -> StoreMoved:
        return StoreMoved(
            f"the stored log does not end at entry {self._end.sequence}: someone else wrote to it",
            where=self.where,
            do="Open the log again and rebuild the state from it",
        )

    def _must_end_well(self, last: tuple[Any, ...] | None) -> None:
        """Compares the head with the last entry's sequence and hash, before anything is written. StoreDamaged if a tail was cut off."""
        self._end = self.head()
        found = Head(last[0], bytes(last[1])) if last else Head(0, bytes(32))
        if found != self._end:
            raise StoreDamaged(
                f"the head says that the log ends at entry {self._end.sequence}, and it ends at {found.sequence}"
                + (" with another hash" if found.sequence == self._end.sequence else ""),
                where=self.where,
                do=VERIFY,
            )
