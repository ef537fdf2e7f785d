"""The way from an older set of tables to the present one, in one transaction: the database has the old tables or the new ones, never half of them."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from tonne.people.errors import PeopleUnavailable

CURRENT = "0001"  # the newest file in migrations/versions; a test compares
VERSION_TABLE = "people_version"
MIGRATIONS = Path(__file__).parent / "migrations"


def stored_revision(engine: Engine) -> str | None:
    """The revision of the tables that are there; None where there are none."""
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table(VERSION_TABLE):
            return None
        return connection.execute(sa.text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()


def upgrade(engine: Engine, *, create: bool, where: str, revision: str = "head") -> None:
    """Brings the database to the present tables. PeopleUnavailable where a later version wrote it, or nothing is there and nothing may be created."""
    stored = stored_revision(engine)
    if stored == CURRENT:
        return
    if stored is None and not create:
        raise PeopleUnavailable(f"{where}: no persons are kept here")
    if stored is not None and not (stored.isascii() and stored.isdigit() and int(stored) < int(CURRENT)):
        raise PeopleUnavailable(f"{where}: its tables are of version {stored}, and this version of tonne knows them up to {CURRENT}")
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
