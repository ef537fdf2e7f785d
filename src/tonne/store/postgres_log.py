"""The log in a PostgreSQL database, or in one schema of it.

Binary parameters, one round trip for a group, binary COPY for bulk, an advisory lock for the writer.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import threading
import time
import warnings
import zlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from datetime import date
from itertools import chain
from typing import Any

import psycopg
from psycopg import errors as pg
from psycopg import sql

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
from tonne.store.log import COLUMNS, OTHER, VERIFY, Head, Log, Mode

LOCK_CLASS = 0x746F6E6E  # "tonn": our corner of the database's advisory locks; the second key is made from the schema's name
CONNECT_TIMEOUT_S = 10
# One statement carries a group up to this size; above it, COPY does, which holds one row at a time.
STATEMENT_BYTES_MAX = 4 * 1024 * 1024

TYPES = ("int8", "text", "text", "text", "date", "text", "bytea", "bytea", "int4", "bytea", "bytea", "bytea")
MOVE_HEAD = "UPDATE log_head SET sequence = %s, hash = %s WHERE one = 1 AND sequence = %s AND hash = %s"
# The head moves and the entries go in by ONE statement, which is its own transaction: no separate BEGIN and COMMIT to wait for.
APPEND_ONE = f"""
    WITH moved AS ({MOVE_HEAD} RETURNING 1)
    INSERT INTO log_entries ({COLUMNS})
    SELECT %s::bigint, %s::text, %s::text, %s::text, %s::date, %s::text, %b::bytea, %b::bytea, 0, %b::bytea, %b::bytea, %b::bytea FROM moved"""
APPEND_MANY = f"""
    WITH moved AS ({MOVE_HEAD} RETURNING 1)
    INSERT INTO log_entries ({COLUMNS})
    SELECT rows.* FROM moved, unnest(%b::bigint[], %b::text[], %b::text[], %b::text[], %b::date[], %b::text[],
        %b::bytea[], %b::bytea[], %b::int[], %b::bytea[], %b::bytea[], %b::bytea[]) AS rows"""
COPY_IN = f"COPY log_entries ({COLUMNS}) FROM STDIN (FORMAT BINARY)"
INSERT_CHUNK = "INSERT INTO log_chunks (sequence, number, data) VALUES (%s, %s, %b)"
HOLDER = """
    SELECT a.pid, a.application_name, coalesce(host(a.client_addr), 'local'), a.backend_start::timestamp(0)
    FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %s AND l.objid = %s
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


class PostgresLog(Log):
    kind = "postgresql"

    def __init__(self, address: Address, mode: Mode, *, create: bool, chunk_bytes: int, patience_s: float) -> None:
        super().__init__(address, mode, chunk_bytes)
        self._patience_s = patience_s
        self._asking = threading.Lock()
        self._writing = threading.Lock()
        self._reader: psycopg.Connection[tuple[Any, ...]] | None = None
        self._writer: psycopg.Connection[tuple[Any, ...]] | None = None
        try:
            if mode == "write":
                self._open_for_writing(create)
            else:
                self._check_schema(self._ask, create=False)
        except BaseException:
            self.close()
            raise

    def _open_for_writing(self, create: bool) -> None:
        self._writer = self._connect("writer")
        with self._named_errors():
            self._prepare_writer(self._writer, create)
            if self._check_schema(lambda text, values=(): self._writer.execute(text, values).fetchall(), create=create):
                migrate.upgrade(lambda: self._connect("upgrade", autocommit=False), "postgresql")
            # Ask for the right to write now, rather than at the first command.
            with self._writer.transaction(force_rollback=True):
                self._writer.execute("UPDATE log_head SET one = one")
            last = self._writer.execute("SELECT sequence, hash FROM log_entries ORDER BY sequence DESC LIMIT 1").fetchone()
        self._must_end_well(last)

    def _prepare_writer(self, writer: psycopg.Connection[tuple[Any, ...]], create: bool) -> None:
        # Whatever the database or the role prefers: an acknowledged append is on disk, and a forgotten lock is an error, not a standstill.
        writer.execute("SET synchronous_commit = on")
        writer.execute(sql.SQL("SET lock_timeout = {}").format(max(1, int(self._patience_s * 1000))))
        if self._scalar(writer, "SHOW transaction_read_only") == "on":
            raise StoreReadOnly(
                "the database accepts no writes (a standby, or default_transaction_read_only)", where=self.where, do="Write to the primary server"
            )
        if self._scalar(writer, "SHOW fsync") != "on":
            warnings.warn(f"{self.where}: the server runs with fsync off; a crash of its machine can lose what was acknowledged", stacklevel=5)
        self._take_lock(writer)
        if create and self.address.schema is not None and self._scalar(writer, "SELECT current_schema()") is None:
            writer.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(self.address.schema)))

    def _take_lock(self, writer: psycopg.Connection[tuple[Any, ...]]) -> None:
        # By the address first: a schema that is still to be created has to be locked as well.
        schema = self.address.schema or self._scalar(writer, "SELECT current_schema()")
        if schema is None:
            raise StoreMissing("there is no such schema", where=self.where, do="Correct the search_path, or name the schema by ?schema=")
        keys = (LOCK_CLASS, zlib.crc32(schema.encode()) & 0x7FFFFFFF)
        deadline = time.monotonic() + self._patience_s
        # The server may need a moment to notice that a killed writer's connection is gone.
        while not writer.execute("SELECT pg_try_advisory_lock(%s::int, %s::int)", keys).fetchone()[0]:  # type: ignore[index]
            if time.monotonic() >= deadline:
                holder = writer.execute(HOLDER, keys).fetchone()
                who = f"{holder[1] or 'unnamed'}, from {holder[2]}, server process {holder[0]}, since {holder[3]}" if holder else "it has just gone"
                raise StoreLocked(f"another writer has it open ({who})", where=self.where, do="Stop that process, or open the log with mode='read'")
            time.sleep(0.05)

    def _check_schema(self, ask: Any, *, create: bool) -> bool:
        """Whether an upgrade is due (creating is upgrading from nothing)."""
        if ask("SELECT current_schema()")[0][0] is None:
            raise StoreMissing("there is no such schema", where=self.where, do="Correct ?schema=, or name the system to found a market there")
        if ask("SELECT to_regclass(%s) IS NULL".replace("%s", f"'{migrate.VERSION_TABLE}'"))[0][0]:
            if not create:
                raise StoreMissing("there is no log here", where=self.where, do="Correct the address, or name the system to found a market there")
            return True
        stored = ask(f"SELECT version_num FROM {migrate.VERSION_TABLE}")
        if not stored:
            raise StoreDamaged("its schema's number is gone", where=self.where, do=VERIFY)
        return migrate.needs_upgrade(stored[0][0], writing=self.mode == "write", where=self.where)

    def _connect(self, role: str, *, autocommit: bool = True) -> psycopg.Connection[tuple[Any, ...]]:
        name = f"tonne {role} {os.getpid()} on {socket.gethostname()}"[:63]
        said = None
        try:
            psycopg.conninfo.conninfo_to_dict(self.address.url)
        except psycopg.Error:
            # What libpq says about an address it cannot parse quotes parts of it, a password among them: neither shown nor chained.
            said = "the address cannot be read"
        if said is not None:
            raise StoreUnreachable(
                said, where=self.where, do="Write it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE, special characters percent-encoded"
            )
        with self._named_errors():
            connection = psycopg.connect(
                self.address.url, autocommit=True, application_name=name, connect_timeout=CONNECT_TIMEOUT_S, prepare_threshold=0
            )
        try:
            with self._named_errors():
                if self.address.schema is not None:
                    connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(self.address.schema)))
                if role == "reader":
                    connection.execute("SET default_transaction_read_only = on")
            connection.autocommit = autocommit
        except BaseException:
            connection.close()
            raise
        return connection

    @staticmethod
    def _scalar(connection: psycopg.Connection[tuple[Any, ...]], query: str) -> Any:
        row = connection.execute(query).fetchone()
        return row[0] if row else None

    # Reading

    def _ask(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._asking, self._named_errors():
            if self._closed:
                raise StoreError("the log is closed", where=self.where, do="Open it again")
            if self._reader is None:
                self._reader = self._connect("reader")
            try:
                return self._reader.execute(sql.replace("?", "%s"), parameters, binary=True).fetchall()
            except psycopg.OperationalError:
                # The server may have been restarted; the next question gets a new connection.
                self._reader.close()
                self._reader = None
                raise

    def _rows(self, after: int, last: int | None) -> Generator[tuple[Any, ...], None, None]:
        end = "" if last is None else f" AND sequence <= {int(last)}"
        query = f"COPY (SELECT {COLUMNS} FROM log_entries WHERE sequence > {int(after)}{end} ORDER BY sequence) TO STDOUT (FORMAT BINARY)"
        with self._named_errors(), contextlib.closing(self._connect("reader")) as connection:
            # The key's own order, so that the first row comes at once and the server sorts nothing.
            for setting in ("enable_seqscan", "enable_bitmapscan", "enable_sort"):
                connection.execute(f"SET {setting} = off")
            cursor = connection.cursor()
            # COPY hands over one row at a time as it comes off the wire: memory holds one entry, however large the entries are.
            with cursor.copy(query) as copy:
                copy.set_types(TYPES)
                yield from copy.rows()

    def _day(self, stored: date) -> date:
        return stored

    # Writing

    def _store(self, batches: Iterable[Sequence[Entry]]) -> Head:
        batches = iter(batches)
        first = next(batches, ())
        second = next(batches, None)
        if second is None and sum(map(_size, first)) <= min(STATEMENT_BYTES_MAX, self.chunk_bytes):
            return self._store_at_once(first)
        rest = () if second is None else (second,)
        end = self._end
        with self._transaction() as connection:
            for entries in chain((first,), rest, batches):
                end = self._checked(entries, end)
                self._copy(connection, entries)
            if connection.execute(MOVE_HEAD, (*end, *self._end)).rowcount != 1:
                raise self._moved()
        return end

    def _store_at_once(self, entries: Sequence[Entry]) -> Head:
        if not entries:
            return self._end
        end = self._checked(entries, self._end)
        if len(entries) == 1:
            row = self._row(entries[0])
            statement, values = APPEND_ONE, (*end, *self._end, *row[:8], *row[9:])
        else:
            statement, values = APPEND_MANY, (*end, *self._end, *map(list, zip(*map(self._row, entries), strict=True)))
        with self._writing, self._named_errors():
            assert self._writer is not None, "only a log opened for writing writes"
            if self._writer.execute(statement, values).rowcount != len(entries):
                raise self._moved()
        return end

    def _copy(self, connection: psycopg.Connection[tuple[Any, ...]], entries: Sequence[Entry]) -> None:
        cursor = connection.cursor()
        with cursor.copy(COPY_IN) as copy:
            copy.set_types(TYPES)
            for entry in entries:
                copy.write_row(self._row(entry))
        for entry in entries:
            if len(entry.tables) > self.chunk_bytes:
                for number, piece in enumerate(self._pieces(entry.tables)):
                    cursor.execute(INSERT_CHUNK, (entry.sequence, number, piece))

    def _row(self, entry: Entry) -> tuple[Any, ...]:
        chunks, tables = 0, entry.tables
        if len(tables) > self.chunk_bytes:
            chunks, tables = -(-len(tables) // self.chunk_bytes), b""
        return (
            entry.sequence, entry.command_id, entry.kind, entry.actor, entry.day, entry.outcome, entry.previous, entry.hash,
            chunks, entry.command, entry.events, tables,
        )  # fmt: skip

    def _do(self, statements: Iterable[tuple[str, Sequence[Any]]]) -> None:
        with self._transaction() as connection:
            for text, parameters in statements:
                connection.execute(text.replace("?", "%s"), parameters)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        with self._writing, self._named_errors():
            assert self._writer is not None, "only a log opened for writing writes"
            with self._writer.transaction():
                yield self._writer

    def _disconnect(self) -> None:
        with self._writing, self._asking:
            for connection in (self._reader, self._writer):
                if connection is not None:
                    connection.close()
            self._reader = self._writer = None

    @contextlib.contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise self._named(error) from error
        except Exception as error:
            # While migrating, SQLAlchemy wraps the driver's error.
            original = getattr(error, "orig", None)
            if isinstance(original, psycopg.Error):
                raise self._named(original) from error
            raise

    def _named(self, error: psycopg.Error) -> StoreError:
        said = self.address.scrubbed(" ".join(str(error).split()))
        if isinstance(error, pg.DiskFull):
            return StoreFull("the server's disk is full", where=self.where, do="Make room there, then open the log again")
        if isinstance(error, (pg.ReadOnlySqlTransaction, pg.InsufficientPrivilege)):
            return StoreReadOnly(
                f"the server refuses to write ({said})", where=self.where, do="Write to the primary server, as a user with the right to write"
            )
        if isinstance(error, pg.UniqueViolation):
            return StoreDuplicate(
                f"a command or an entry is stored already ({said})", where=self.where, do="Ask find(command_id) before sending it again"
            )
        if isinstance(error, (pg.LockNotAvailable, pg.DeadlockDetected)):
            return StoreLocked(f"another connection holds the tables ({said})", where=self.where, do="End that transaction, then open the log again")
        if isinstance(error, pg.ProgramLimitExceeded):
            return StoreTooLarge(f"a field is larger than PostgreSQL holds ({said})", where=self.where, do="Carry bulk in the entry's tables")
        if isinstance(error, (pg.DataCorrupted, pg.IndexCorrupted, pg.UndefinedTable, pg.UndefinedColumn, pg.DuplicateTable)):
            return StoreDamaged(f"not a log of tonne, or a damaged one ({said})", where=self.where, do=OTHER)
        if isinstance(error, psycopg.OperationalError) and error.sqlstate is None and re.search(r'database ".*" does not exist', said):
            return StoreMissing(f"there is no such database ({said})", where=self.where, do="Create it (createdb), or correct the address")
        if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
            return StoreUnreachable(
                f"the server does not answer as it should ({said})", where=self.where, do="Check that it runs, the address, the user and the password"
            )
        return StoreError(f"PostgreSQL refuses ({said})", where=self.where, do=VERIFY)


def _size(entry: Entry) -> int:
    return len(entry.command) + len(entry.events) + len(entry.tables)
