"""The tables of a log, for both stores. Only needed to create or upgrade a database: the daily path speaks SQL directly.

Columns that are asked for without the blobs stand before the blobs: SQLite reads a row from its front, and walks overflow pages for the rest.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, ForeignKey, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.types import TypeEngine

metadata = MetaData()

# SQLite gives a table no hidden row number, and so one tree fewer, only where the key is declared INTEGER.
Sequence: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")

meta = Table(
    "log_meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

# One row, written in the transaction of every append: a log whose tail was cut off no longer ends where this row says.
head = Table(
    "log_head",
    metadata,
    Column("one", Integer, CheckConstraint("one = 1", name="log_head_one"), primary_key=True, autoincrement=False),
    Column("sequence", Sequence, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

entries = Table(
    "log_entries",
    metadata,
    Column("sequence", Sequence, primary_key=True, autoincrement=False),
    Column("command_id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("chunks", Integer, nullable=False),  # 0: the tables are in this row; n: they are n rows of log_chunks
    Column("command", LargeBinary, nullable=False),
    Column("events", LargeBinary, nullable=False),
    Column("tables", LargeBinary, nullable=False),
)

chunks = Table(
    "log_chunks",
    metadata,
    Column("sequence", Sequence, ForeignKey("log_entries.sequence"), primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)

snapshots = Table(
    "log_snapshots",
    metadata,
    Column("sequence", Sequence, primary_key=True, autoincrement=False),
    Column("state_hash", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of the stored bytes: a damaged snapshot is passed over, never loaded
    Column("chunks", Integer, nullable=False),
)

snapshot_chunks = Table(
    "log_snapshot_chunks",
    metadata,
    Column("sequence", Sequence, ForeignKey("log_snapshots.sequence"), primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)
