"""Snapshots of the state, so that a start does not replay the whole log."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "log_snapshots",
        sa.Column("sequence", number, primary_key=True, autoincrement=False),
        sa.Column("state_hash", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("chunks", sa.Integer, nullable=False),
    )
    op.create_table(
        "log_snapshot_chunks",
        sa.Column("sequence", number, sa.ForeignKey("log_snapshots.sequence"), primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE log_snapshot_chunks ALTER COLUMN data SET STORAGE EXTERNAL")
