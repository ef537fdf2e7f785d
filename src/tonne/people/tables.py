"""The tables of this room, for SQLite and PostgreSQL. The migrations build them; a test compares the two.

Moments are UTC. Secrets are never stored: tokens as SHA-256, passwords as Argon2id, second factors encrypted.
What is personal and how long it stays is told in RETENTION, one line for each table.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, DateTime, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text, text
from sqlalchemy.types import TypeDecorator, TypeEngine

metadata = MetaData()
Number: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")

#: Table -> (what personal data it holds, how long). G10: one table of classes and retention.
RETENTION: dict[str, tuple[str, str]] = {
    "people_persons": ("name, e-mail", "emptied when the person is erased; the id stays"),
    "people_passwords": ("hash of the password", "removed when the person is erased"),
    "people_factors": ("encrypted secret of the second factor", "removed when replaced or erased"),
    "people_recovery": ("hashes of recovery codes", "removed when replaced or erased"),
    "people_memberships": ("none: ids and rights", "kept: who could act for whom"),
    "people_tickets": ("e-mail of a change under way", "30 days after their end"),
    "people_identities": ("subject at an identity provider", "removed when erased"),
    "people_sessions": ("network address, browser", "30 days after their end; removed when erased"),
    "people_devices": ("hash of a device's cookie", "removed when erased"),
    "people_stepups": ("none", "30 days"),
    "people_keys": ("none: hashes and labels", "kept; labels emptied when erased"),
    "people_attempts": ("keyed digests of addresses", "one day"),
    "people_audit": ("network address, in a column beside the chain", "kept; the address column emptied when erased"),
    "people_audit_head": ("none", "kept"),
    "people_outbox": ("e-mail, text of the message", "removed when erased"),
    "people_files": ("name of the file", "removed with the person or application"),
    "people_file_data": ("content of the file", "removed with the person or application"),
    "people_applications": ("name and answers of the applicant", "emptied when the applicant is erased"),
    "people_application_checks": ("none: person ids", "kept"),
    "people_application_files": ("none", "removed with the file"),
    "people_application_steps": ("notes", "notes emptied when the applicant is erased"),
    "people_drafts": ("what was typed into a form", "removed when sent or erased"),
}


class Moment(TypeDecorator[datetime]):
    """An aware moment, kept as UTC to the microsecond. A moment without a zone is a mistake of the caller: ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _id() -> Column[str]:
    return Column("id", Text, primary_key=True)


def _person(**more: Any) -> Column[str]:
    return Column("person", Text, ForeignKey("people_persons.id"), nullable=False, **more)


persons = Table(
    "people_persons",
    metadata,
    _id(),
    Column("email", Text, nullable=False),
    Column("email_key", Text, unique=True),  # folded for finding; NULL when erased
    Column("name", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("theme", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

passwords = Table(
    "people_passwords",
    metadata,
    _person(primary_key=True),
    Column("hash", Text, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

factors = Table(
    "people_factors",
    metadata,
    _id(),
    _person(),
    Column("kind", Text, nullable=False),  # totp, replacement
    Column("state", Text, nullable=False),  # pending, active, waiting
    Column("secret", LargeBinary, nullable=False),  # totp: encrypted; replacement: SHA-256 of the code handed out
    Column("last_step", Number, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("effective_at", Moment),
    Index("people_factors_person", "person"),
)

recovery = Table(
    "people_recovery",
    metadata,
    _person(primary_key=True),
    Column("code", LargeBinary, primary_key=True),
    Column("used_at", Moment),
)

memberships = Table(
    "people_memberships",
    metadata,
    _id(),
    _person(),
    Column("system", Text, nullable=False),
    Column("participant", Text, nullable=False),
    Column("rights", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("granted_at", Moment, nullable=False),
    Column("granted_by", Text, nullable=False),
    Column("ended_at", Moment),
    Column("ended_by", Text, nullable=False),
    Index("people_memberships_of", "system", "participant"),
    Index(
        "people_memberships_one",
        "person",
        "system",
        "participant",
        unique=True,
        sqlite_where=text("state <> 'ended'"),
        postgresql_where=text("state <> 'ended'"),
    ),
)

tickets = Table(
    "people_tickets",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("kind", Text, nullable=False),  # invitation, reset, email, identity
    Column("person", Text, ForeignKey("people_persons.id")),
    Column("detail", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("used_at", Moment),
    Index("people_tickets_person", "person"),
)

identities = Table(
    "people_identities",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    _person(),
    Column("bound_at", Moment, nullable=False),
)

sessions = Table(
    "people_sessions",
    metadata,
    _id(),
    Column("hash", LargeBinary, nullable=False, unique=True),
    _person(),
    Column("stage", Text, nullable=False),
    Column("acting", Text, ForeignKey("people_memberships.id")),
    Column("created_at", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("address", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("ended_at", Moment),
    Column("ended_why", Text, nullable=False),
    Index("people_sessions_person", "person"),
)

devices = Table(
    "people_devices",
    metadata,
    _person(primary_key=True),
    Column("device", LargeBinary, primary_key=True),
    Column("first_seen", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
)

stepups = Table(
    "people_stepups",
    metadata,
    _id(),
    Column("session", Text, ForeignKey("people_sessions.id"), nullable=False),
    Column("content", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("used_at", Moment),
    Index("people_stepups_session", "session", "content"),
)

keys = Table(
    "people_keys",
    metadata,
    _id(),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("prefix", Text, nullable=False),
    Column("label", Text, nullable=False),
    _person(),
    Column("membership", Text, ForeignKey("people_memberships.id"), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("last_used", Moment),
    Column("revoked_at", Moment),
    Column("revoked_by", Text, nullable=False),
    Index("people_keys_membership", "membership"),
    Index("people_keys_person", "person"),
)

attempts = Table(
    "people_attempts",
    metadata,
    Column("what", LargeBinary, primary_key=True),  # a keyed digest of the e-mail, device or address
    Column("tries", Integer, nullable=False),
    Column("since", Moment, nullable=False),
    Column("locks", Integer, nullable=False),
    Column("locked_until", Moment),
)

audit = Table(
    "people_audit",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("person", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("participant", Text, nullable=False),
    Column("right", Text, nullable=False),
    Column("address", Text),  # erasable together with its salt: the chain holds the digest of both, which tells nothing without the salt
    Column("address_salt", LargeBinary),
    Column("address_digest", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("verb", Text, nullable=False),
    Column("view", Boolean, nullable=False),
    Column("what", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index("people_audit_person", "person", "number"),
    Index("people_audit_participant", "system", "participant", "number"),
    Index("people_audit_at", "at"),
)

audit_head = Table(
    "people_audit_head",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("number", Number, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

outbox = Table(
    "people_outbox",
    metadata,
    _id(),
    _person(),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("mail_to", Text, nullable=False),  # "": only shown in the portal
    Column("link", LargeBinary),  # encrypted, until mailed
    Column("mailed_at", Moment),
    Column("read_at", Moment),
    Index("people_outbox_person", "person", "at"),
)

files = Table(
    "people_files",
    metadata,
    _id(),
    _person(),
    Column("system", Text, nullable=False),
    Column("participant", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("size", Number, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("about", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Index("people_files_of", "system", "participant"),
    Index("people_files_person", "person"),
)

file_data = Table(
    "people_file_data",
    metadata,
    Column("file", Text, ForeignKey("people_files.id", ondelete="CASCADE"), primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

applications = Table(
    "people_applications",
    metadata,
    _id(),
    Column("system", Text, nullable=False),
    _person(),
    Column("organisation", Text, nullable=False),
    Column("answers", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("sent_at", Moment),
    Column("checked_by", Text, nullable=False),
    Column("decided_at", Moment),
    Column("decided_by", Text, nullable=False),
    Index("people_applications_state", "system", "state"),
)

application_checks = Table(
    "people_application_checks",
    metadata,
    Column("application", Text, ForeignKey("people_applications.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("done_at", Moment),
    Column("done_by", Text, nullable=False),
    Column("note", Text, nullable=False),
)

application_files = Table(
    "people_application_files",
    metadata,
    Column("application", Text, ForeignKey("people_applications.id"), primary_key=True),
    Column("file", Text, ForeignKey("people_files.id", ondelete="CASCADE"), primary_key=True),
    Column("label", Text, nullable=False),
)

application_steps = Table(
    "people_application_steps",
    metadata,
    Column("application", Text, ForeignKey("people_applications.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("person", Text, nullable=False),
    Column("note", Text, nullable=False),
)

drafts = Table(
    "people_drafts",
    metadata,
    _person(primary_key=True),
    Column("form", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("at", Moment, nullable=False),
)
