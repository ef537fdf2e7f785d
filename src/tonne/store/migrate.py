"""Which schema a log has, and the way to the present one. Alembic and SQLAlchemy are loaded only when there is something to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tonne.store.errors import StoreDamaged, StoreNewerSchema, StoreOlderSchema

CURRENT = "0002"  # the newest file in migrations/versions; a test compares
VERSION_TABLE = "log_version"
MIGRATIONS = Path(__file__).parent / "migrations"


def needs_upgrade(stored: str, *, writing: bool, where: str) -> bool:
    """Whether a log of that revision must be upgraded before use.

    StoreNewerSchema for a later revision, StoreOlderSchema for an earlier one that may not be written, StoreDamaged for no revision at all.
    """
    if not (stored.isascii() and stored.isdigit()):
        raise StoreDamaged(f"its schema is called {stored!r}, which no version of tonne writes", where=where, do="Restore it from a backup")
    if int(stored) > int(CURRENT):
        raise StoreNewerSchema(
            f"it has schema {stored}, and this version of tonne knows schemas up to {CURRENT}",
            where=where,
            do="Upgrade tonne (pip install --upgrade tonne)",
        )
    if stored == CURRENT:
        return False
    if not writing:
        raise StoreOlderSchema(
            f"it has schema {stored}, and this version of tonne reads schema {CURRENT}",
            where=where,
            do="Open it once for writing: that upgrades it in place",
        )
    return True


def upgrade(connect: Callable[[], Any], dialect: str, revision: str = "head") -> None:
    """Brings the database that `connect` opens to a revision, in one transaction: it has the old schema or the new one, never half of it."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    engine = create_engine("sqlite://" if dialect == "sqlite" else "postgresql+psycopg://", creator=connect, poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    try:
        with engine.connect() as connection:
            if dialect == "sqlite":
                # Python's sqlite3 opens no transaction for CREATE TABLE by itself.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            connection.commit()
    finally:
        engine.dispose()
