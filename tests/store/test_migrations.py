"""The schema of a database is the schema in schema.py, whichever way it came about."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from stores import chain, execute
from tonne.store import StoreMissing, StoreOlderSchema, migrate, open_log
from tonne.store.address import parse_address
from tonne.store.log import COLUMNS
from tonne.store.schema import entries, metadata


def connect(where: str):  # type: ignore[no-untyped-def]
    address = parse_address(where)
    if address.kind == "sqlite":
        import sqlite3

        return sqlite3.connect(address.path, isolation_level=None)
    import psycopg

    connection = psycopg.connect(address.url)
    connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{address.schema}"')
    connection.execute(f'SET search_path TO "{address.schema}"')
    connection.commit()
    return connection


def engine(where: str) -> sa.Engine:
    kind = "sqlite://" if parse_address(where).kind == "sqlite" else "postgresql+psycopg://"
    return sa.create_engine(kind, creator=lambda: connect(where), poolclass=sa.NullPool)


def differences(where: str) -> list[object]:
    with engine(where).connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": migrate.VERSION_TABLE, "compare_type": True, "compare_server_default": True}
        )
        return compare_metadata(context, metadata)


def test_current_is_the_newest_file() -> None:
    scripts = ScriptDirectory(str(migrate.MIGRATIONS))
    assert scripts.get_heads() == [migrate.CURRENT]
    revisions = [script.revision for script in reversed(list(scripts.walk_revisions()))]
    assert revisions == [f"{number:04d}" for number in range(1, len(revisions) + 1)], "needs_upgrade compares them as numbers"


def test_the_columns_that_the_log_speaks_of_are_those_of_the_table() -> None:
    assert COLUMNS.split(", ") == [column.name for column in entries.columns]


def test_a_new_store_has_the_schema_of_the_metadata(where: str) -> None:
    open_log(where).close()
    assert differences(where) == []
    with engine(where).connect() as connection:
        inspector = sa.inspect(connection)
        assert {tuple(found["column_names"]) for found in inspector.get_unique_constraints("log_entries")} == {("command_id",)}
        assert set(inspector.get_table_names()) == set(metadata.tables) | {migrate.VERSION_TABLE}


def test_an_older_store_is_upgraded_when_it_is_opened_for_writing(where: str) -> None:
    migrate.upgrade(lambda: connect(where), parse_address(where).kind, "0001")
    assert execute(where, "SELECT version_num FROM log_version") == [("0001",)]
    assert len(differences(where)) > 0
    with pytest.raises(StoreOlderSchema, match=r"schema 0001, and this version of tonne reads schema \d{4}\. Open it once for writing"):
        open_log(where, mode="read")
    with open_log(where) as log:
        log.append(chain(2))
        log.save_snapshot(2, b"hash", b"state")
    assert differences(where) == []
    with open_log(where, mode="read") as log:
        assert log.latest_snapshot() == (2, b"hash", b"state")


def test_what_was_stored_survives_an_upgrade(where: str) -> None:
    kept = chain(5, tables=b"x" * 100)
    with open_log(where) as log:
        log.append(kept)
    execute(where, "DROP TABLE log_snapshot_chunks", "DROP TABLE log_snapshots", "UPDATE log_version SET version_num = '0001'")
    with open_log(where) as log:
        assert list(log.read()) == kept
        assert log.verify_chain() == []
    assert differences(where) == []


def test_a_failed_migration_leaves_nothing_behind(where: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "migrations"
    (broken / "versions").mkdir(parents=True)
    for path in migrate.MIGRATIONS.rglob("*.py"):
        text = path.read_text()
        if path.name.startswith(migrate.CURRENT):
            text += '    raise RuntimeError("half way")\n'
        (broken / path.relative_to(migrate.MIGRATIONS)).write_text(text)
    monkeypatch.setattr(migrate, "MIGRATIONS", broken)
    with pytest.raises(RuntimeError, match="half way"):
        open_log(where)
    with pytest.raises(StoreMissing):
        open_log(where, mode="read")
    monkeypatch.undo()
    with open_log(where) as log:
        log.append(chain(1))
    assert differences(where) == []


def test_opening_an_existing_log_does_not_load_alembic(tmp_path: Path) -> None:
    where = str(tmp_path / "log.db")
    open_log(where).close()
    code = f"import sys; from tonne.store import open_log; open_log({where!r}).close(); "
    code += "print([name for name in ('alembic', 'sqlalchemy', 'psycopg') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2] / "src", timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


def test_migrations_do_not_import_the_present_schema() -> None:
    for path in (migrate.MIGRATIONS / "versions").glob("*.py"):
        assert not re.search(r"^(from|import) tonne", path.read_text(), re.MULTILINE), f"{path.name} must do tomorrow what it does today"
