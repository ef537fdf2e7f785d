"""Run by Alembic. The connection comes from tonne.store.migrate, which also owns the transaction; there is no alembic.ini."""

from alembic import context

from tonne.store.migrate import VERSION_TABLE
from tonne.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, version_table=VERSION_TABLE)
context.run_migrations()
