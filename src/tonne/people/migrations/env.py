"""Run by Alembic. The connection comes from tonne.people.migrate, which also owns the transaction; there is no alembic.ini."""

from alembic import context

from tonne.people.migrate import VERSION_TABLE
from tonne.people.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, version_table=VERSION_TABLE)
context.run_migrations()
