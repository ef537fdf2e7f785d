"""Where webhooks and what waits to be sent are kept: beside the logins, in tables of their own."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from cryptography.fernet import Fernet, MultiFernet
from sqlalchemy.engine import Engine, make_url

if TYPE_CHECKING:
    from tonne.interfaces.web.settings import Settings

META = sa.MetaData()
hooks = sa.Table(
    "webhooks",
    META,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("system", sa.String(200), nullable=False),
    sa.Column("participant", sa.String(200), nullable=False),
    sa.Column("membership", sa.String(40), nullable=False),
    sa.Column("person", sa.String(40), nullable=False),
    sa.Column("url", sa.String(1_000), nullable=False),
    sa.Column("topics", sa.String(200), nullable=False),
    sa.Column("secret", sa.LargeBinary, nullable=False),
    sa.Column("created", sa.String(40), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),  # active, ended
    sa.Column("why", sa.String(200), nullable=False, default=""),
)
outbox = sa.Table(
    "webhook_outbox",
    META,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("hook", sa.String(40), nullable=False, index=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("made", sa.String(40), nullable=False),
    sa.Column("due", sa.String(40), nullable=False, index=True),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("state", sa.String(20), nullable=False, default="waiting"),  # waiting, delivered, failed
    sa.Column("told", sa.String(200), nullable=False, default=""),
)
places = sa.Table("webhook_places", META, sa.Column("system", sa.String(200), primary_key=True), sa.Column("sequence", sa.BigInteger, nullable=False))


def engine_of(settings: Settings) -> Engine:
    """Beside the logins: a file of its own, or the same PostgreSQL."""
    from tonne.interfaces.web.serve import beside

    where = settings.people or beside(settings.databases[0])
    if not where.startswith(("postgres://", "postgresql://")):
        return sa.create_engine(f"sqlite:///{Path(where.removeprefix('sqlite:///'))}.hooks", connect_args={"check_same_thread": False, "timeout": 10})
    url = make_url(where.replace("postgres://", "postgresql://", 1)).set(drivername="postgresql+psycopg")
    schema = str(url.query.get("schema", "")) or "public"
    if not schema.replace("_", "").isalnum():
        raise ValueError("a schema's name has letters, digits and _")
    url = url.difference_update_query(["schema"])
    return sa.create_engine(url, pool_pre_ping=True, connect_args={"options": f"-csearch_path={schema}"})


def box_of(settings: Settings) -> MultiFernet:
    """What hooks' secrets are kept in; the server's first secret closes it, the others still open it."""
    return MultiFernet([Fernet(_fernet_key(secret)) for secret in settings.secrets])


def _fernet_key(secret: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(b"webhooks\0" + secret.encode()).digest())
