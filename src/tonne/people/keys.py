"""Keys for machines: `tonne_<prefix>_<256 bits>`. The table holds their SHA-256, so who steals it cannot use it. Shown once.

A key does what its scopes say and its membership still may. It approves only where another person allowed it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tonne.people import memberships, persons, tokens
from tonne.people.database import Database
from tonne.people.errors import PeopleRefused
from tonne.people.settings import PeopleSettings
from tonne.people.tables import keys
from tonne.people.tables import memberships as membership_table
from tonne.people.who import Key, Membership, rights_of, rights_text

FORM = re.compile(r"tonne_([0-9a-z]{8})_([A-Za-z0-9_-]{43})", re.ASCII)
LABEL_LENGTH_MAX = 80
ENTRIES_MAX = 100_000
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Copy:
    key: Key
    last_used: datetime | None
    written: datetime | None
    read_at: datetime


class KeyCache:
    """As SessionCache, for keys."""

    def __init__(self, db: Database, settings: PeopleSettings) -> None:
        self._db = db
        self._settings = settings
        self._lock = threading.Lock()
        self._copies: dict[bytes, _Copy] = {}
        self._changes = 0

    def get(self, text: str, now: datetime) -> Key:
        """The live key that a request carries. PeopleRefused wrong_key, expired or ended."""
        digest = tokens.digest(text)
        copy = self._copies.get(digest)
        if copy is None or not timedelta() <= now - copy.read_at < self._settings.cache_age:
            copy = self._load(text, digest, now)
        if now >= copy.key.expires_at:
            raise PeopleRefused("expired", "This API key has expired")
        if copy.last_used is None or now > copy.last_used:
            copy.last_used = now
        return copy.key

    def _load(self, text: str, digest: bytes, now: datetime) -> _Copy:
        if not FORM.fullmatch(text):
            raise PeopleRefused("wrong_key")
        changes = self._changes
        with self._db.read() as connection:
            row = connection.execute(sa.select(keys).where(keys.c.hash == digest)).one_or_none()
            if row is None:
                raise PeopleRefused("wrong_key")
            key = _key(connection, row)
        if key.revoked_at is not None or key.membership.state != "active" or key.person.state != "active":
            raise PeopleRefused("ended", "This API key was revoked")
        before = self._copies.get(digest)
        copy = _Copy(key, row.last_used if before is None else before.last_used, row.last_used, now)
        with self._lock:
            if self._changes == changes:
                if len(self._copies) >= ENTRIES_MAX:
                    self._copies.clear()
                self._copies[digest] = copy
        return copy

    def drop(self) -> None:
        """All copies are read again before their next use: keys change rarely. When they were last used is kept."""
        with self._lock:
            self._changes += 1
            for copy in self._copies.values():
                copy.read_at = NEVER

    def flush(self, connection: Connection) -> int:
        """Writes when keys were last used; how many rows."""
        with self._lock:
            late = [(copy, copy.last_used) for copy in self._copies.values() if copy.last_used is not None and copy.last_used != copy.written]
        for copy, used in late:
            connection.execute(sa.update(keys).where(keys.c.id == copy.key.id).values(last_used=used))
            copy.written = used
        return len(late)


def make(
    connection: Connection,
    membership: Membership,
    label: str,
    scopes: Iterable[str],
    lifetime: timedelta | None,
    settings: PeopleSettings,
    now: datetime,
) -> tuple[str, str]:
    """A new key of the membership's person: the key itself (shown once) and its id."""
    text = " ".join(label.split())
    if not text or len(text) > LABEL_LENGTH_MAX or not all(letter.isprintable() for letter in text):
        raise PeopleRefused("bad_value", f"A label has 1 to {LABEL_LENGTH_MAX} printable characters", field="label")
    try:
        wanted = rights_of(rights_text(scopes))
    except ValueError as error:
        raise PeopleRefused("bad_value", str(error), field="scopes") from None
    if not wanted:
        raise PeopleRefused("bad_value", "A key needs at least one scope", field="scopes")
    if "approve" in wanted:
        raise PeopleRefused("not_permitted", "A key is made without the right to approve; another person can add it", field="scopes")
    if "manage" in wanted or not wanted <= membership.rights:
        raise PeopleRefused("not_permitted", "A key may do at most what its person may, and never manage people", field="scopes")
    lasting = settings.key_lifetime if lifetime is None else lifetime
    if not timedelta() < lasting <= settings.key_lifetime:
        raise PeopleRefused("bad_value", f"A key lasts at most {settings.key_lifetime.days} days", field="expires")
    valid = (
        sa.select(sa.func.count()).select_from(keys).where(keys.c.membership == membership.id, keys.c.revoked_at.is_(None), keys.c.expires_at > now)
    )
    if connection.execute(valid).scalar_one() >= settings.keys_per_membership:
        raise PeopleRefused("too_many_keys")
    made, prefix = tokens.new_id("k"), tokens.letters(8)
    secret = f"tonne_{prefix}_{tokens.new_token()}"
    connection.execute(
        sa.insert(keys).values(
            id=made, hash=tokens.digest(secret), prefix=prefix, label=text, person=membership.person, membership=membership.id,
            scopes=rights_text(wanted), created_at=now, expires_at=now + lasting, revoked_by="",
        )
    )  # fmt: skip
    return secret, made


def find(connection: Connection, key: str) -> Key:
    row = connection.execute(sa.select(keys).where(keys.c.id == key)).one_or_none()
    if row is None:
        raise PeopleRefused("unknown", "There is no such API key")
    return _key(connection, row)


def listed(connection: Connection, *, person: str = "", system: str = "", participant: str = "") -> tuple[Key, ...]:
    """Keys of a person, or of an organisation, newest first; also those that ended."""
    query = sa.select(keys)
    if person:
        query = query.where(keys.c.person == person)
    if system:
        query = query.join(membership_table, membership_table.c.id == keys.c.membership)
        query = query.where(membership_table.c.system == system, membership_table.c.participant == participant)
    return tuple(_key(connection, row) for row in connection.execute(query.order_by(keys.c.created_at.desc(), keys.c.id)).all())


def allow_approving(connection: Connection, key: str) -> None:
    row = connection.execute(sa.select(keys.c.scopes).where(keys.c.id == key)).one()
    connection.execute(sa.update(keys).where(keys.c.id == key).values(scopes=rights_text(rights_of(row.scopes) | {"approve"})))


def move(connection: Connection, before: str, after: str) -> None:
    """The valid keys of a membership go on under the one that took its place."""
    connection.execute(sa.update(keys).where(keys.c.membership == before, keys.c.revoked_at.is_(None)).values(membership=after))


def revoke(connection: Connection, by: str, now: datetime, *, key: str = "", person: str = "", membership: str = "") -> tuple[str, ...]:
    """Revokes one key, or all of a person or a membership; the ids of those that were valid."""
    where: list[sa.ColumnElement[bool]] = [
        column == value for column, value in ((keys.c.id, key), (keys.c.person, person), (keys.c.membership, membership)) if value
    ]
    if not where:
        raise ValueError("whose keys?")
    where.append(keys.c.revoked_at.is_(None))
    gone = tuple(connection.execute(sa.select(keys.c.id).where(*where)).scalars())
    if gone:
        connection.execute(sa.update(keys).where(keys.c.id.in_(gone)).values(revoked_at=now, revoked_by=by))
    return gone


def _key(connection: Connection, row: Any) -> Key:
    membership = memberships.find(connection, row.membership)
    return Key(
        row.id, row.prefix, row.label, persons.find(connection, row.person), membership, rights_of(row.scopes) & membership.rights,
        row.created_at, row.expires_at, row.last_used, row.revoked_at, row.revoked_by,
    )  # fmt: skip
