"""The database of this room: a SQLite file (path or sqlite:///path) or PostgreSQL by URL, with ?schema=NAME for a schema of its own.

SQLite: write-ahead log, synchronous=FULL, foreign keys on. One writer at a time in this process; readers do not wait for it.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from tonne.people import migrate
from tonne.people.errors import PeopleUnavailable

WAIT_S = 10
SCHEMA_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}", re.ASCII)


class Database:
    """Connections in transactions: `with db.read() as c`, `with db.write() as c`. What goes wrong is PeopleUnavailable, without any password."""

    def __init__(self, where: str | os.PathLike[str], *, create: bool = True) -> None:
        self._url, self._schema = _parse(os.fspath(where))
        self.shown = self._url.render_as_string(hide_password=True)
        self.kind = "postgresql" if self._url.get_backend_name() == "postgresql" else "sqlite"
        self._writing = threading.Lock()
        self.engine = self._engine()
        try:
            with self._named():
                if self.kind == "postgresql" and self._schema is not None and create:
                    with self.engine.begin() as connection:
                        connection.execute(sa.schema.CreateSchema(self._schema, if_not_exists=True))
                migrate.upgrade(self.engine, create=create, where=self.shown)
        except BaseException:
            self.engine.dispose()
            raise

    def _engine(self) -> Engine:
        if self.kind == "sqlite":
            engine = sa.create_engine(self._url, connect_args={"check_same_thread": False, "timeout": WAIT_S}, pool_size=8, max_overflow=24)
            sa.event.listen(engine, "connect", _prepare_sqlite)
            sa.event.listen(engine, "begin", _begin_sqlite)
            return engine
        engine = sa.create_engine(self._url, pool_size=8, max_overflow=24, pool_pre_ping=True, connect_args={"connect_timeout": WAIT_S})
        sa.event.listen(engine, "connect", _prepare_postgres(self._schema))
        return engine

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        with self._named(), self.engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write. Not to be opened inside another one of the same thread."""
        with self._writing, self._named(), self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    def shred(self) -> None:
        """Takes what was overwritten out of SQLite's write-ahead log too: there, an erased name would stay readable for a while."""
        if self.kind == "sqlite":
            connection = self.engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                connection.close()

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            # The driver's text can quote parameters, and so personal data: only its kind is told.
            kind = type(getattr(error, "orig", None) or error).__name__
            raise PeopleUnavailable(f"{self.shown}: the database refuses ({kind})") from error

    def close(self) -> None:
        self.engine.dispose()


def _parse(where: str) -> tuple[URL, str | None]:
    if "://" not in where:
        if where in ("", ":memory:"):
            raise PeopleUnavailable("persons cannot live in memory: they must outlast the process")
        return URL.create("sqlite", database=os.fspath(os.path.abspath(where))), None
    try:
        url = make_url(where)
    except ArgumentError:
        raise PeopleUnavailable("the address of the database cannot be read") from None
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:":
            raise PeopleUnavailable("persons cannot live in memory: they must outlast the process")
        return URL.create("sqlite", database=os.path.abspath(url.database)), None
    if url.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise PeopleUnavailable("give a path, sqlite:///PATH or postgresql://USER@HOST/DATABASE")
    schema = url.query.get("schema")
    if schema is not None and not (isinstance(schema, str) and SCHEMA_NAME.fullmatch(schema)):
        raise PeopleUnavailable("the schema's name has other characters than letters, digits and _")
    return url.set(drivername="postgresql+psycopg").difference_update_query(["schema"]), schema


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions are begun by _begin_sqlite, not guessed by the driver
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "fullfsync = ON", "secure_delete = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer that begins as a reader can be refused in the middle; one that begins as a writer waits at the door.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


def _prepare_postgres(schema: str | None) -> Callable[[Any, Any], None]:
    def prepare(connection: Any, _: Any) -> None:
        autocommit, connection.autocommit = connection.autocommit, True
        connection.execute("SET synchronous_commit = on")
        connection.execute(f"SET lock_timeout = '{WAIT_S}s'")
        if schema is not None:
            connection.execute(f'SET search_path TO "{schema}"')
        connection.autocommit = autocommit

    return prepare
