"""The log itself: entries, their overflow, the head, and what is known about the log as a whole.

A migration names its columns itself and does not import the present metadata: it must do tomorrow what it did today.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "log_meta",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "log_head",
        sa.Column("one", sa.Integer, sa.CheckConstraint("one = 1", name="log_head_one"), primary_key=True, autoincrement=False),
        sa.Column("sequence", number, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "log_entries",
        sa.Column("sequence", number, primary_key=True, autoincrement=False),
        sa.Column("command_id", sa.Text, nullable=False, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("previous", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("chunks", sa.Integer, nullable=False),
        sa.Column("command", sa.LargeBinary, nullable=False),
        sa.Column("events", sa.LargeBinary, nullable=False),
        sa.Column("tables", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "log_chunks",
        sa.Column("sequence", number, sa.ForeignKey("log_entries.sequence"), primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.execute(
        sa.text("INSERT INTO log_head (one, sequence, hash) VALUES (1, 0, :genesis)").bindparams(sa.bindparam("genesis", bytes(32), sa.LargeBinary))
    )
    if op.get_bind().dialect.name == "postgresql":
        # Columns of integers hardly compress, and trying costs more than writing them.
        op.execute("ALTER TABLE log_entries ALTER COLUMN tables SET STORAGE EXTERNAL")
        op.execute("ALTER TABLE log_chunks ALTER COLUMN data SET STORAGE EXTERNAL")
