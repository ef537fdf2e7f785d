"""Sessions: an opaque token in the cookie, its hash in the table, and a copy in memory so that a request costs microseconds.

The copy in memory is dropped in the moment something about the session or its person changes; a change by another process is seen after
settings.cache_age. When a session was last used is kept in memory and written by flush(): after a crash a session ends earlier, never later.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tonne.people import memberships, persons, tokens
from tonne.people.database import Database
from tonne.people.errors import PeopleRefused
from tonne.people.settings import PeopleSettings
from tonne.people.tables import sessions, stepups
from tonne.people.who import Session, SessionLine

KEPT = timedelta(days=30)
ENTRIES_MAX = 100_000
NEVER = datetime.min.replace(tzinfo=UTC)
WHY_ENDED = {
    "logout": "You logged out",
    "ended": "The session was ended from another one",
    "password": "The password was changed",
    "suspended": "The access was suspended",
    "rights": "The rights were changed",
    "replaced": "The session was replaced by a newer one",
    "erased": "The person was erased",
}


@dataclass(slots=True)
class _Copy:
    session: Session
    last_seen: datetime
    written: datetime  # last_seen as the table has it
    read_at: datetime


class SessionCache:
    """token hash -> session. Filled from the table; `changes` counts what was dropped, so that a read that overlaps a change is not kept."""

    def __init__(self, db: Database, settings: PeopleSettings) -> None:
        self._db = db
        self._settings = settings
        self._lock = threading.Lock()
        self._copies: dict[bytes, _Copy] = {}
        self._of_person: dict[str, set[bytes]] = {}
        self._changes = 0

    def get(self, token: str, now: datetime, *, touch: bool) -> Session:
        """The live session of a token. PeopleRefused no_session, expired or ended. touch: whether this counts as use."""
        key = tokens.digest(token)
        copy = self._copies.get(key)
        if copy is None or not timedelta() <= now - copy.read_at < self._settings.cache_age:
            copy = self._load(key, now)
        if now >= copy.session.ends_at:
            raise PeopleRefused("expired", "The session has reached its longest time; log in again")
        if now - copy.last_seen >= self._settings.idle:
            raise PeopleRefused("expired", "The session was not used for too long; log in again")
        if touch and now > copy.last_seen:
            copy.last_seen = now
        return copy.session

    def last_seen(self, token: str) -> datetime | None:
        copy = self._copies.get(tokens.digest(token))
        return None if copy is None else copy.last_seen

    def _load(self, key: bytes, now: datetime) -> _Copy:
        changes = self._changes
        with self._db.read() as connection:
            row = connection.execute(sa.select(sessions).where(sessions.c.hash == key)).one_or_none()
            if row is None:
                raise PeopleRefused("no_session")
            if row.ended_at is not None:
                raise PeopleRefused("ended", WHY_ENDED.get(row.ended_why, ""))
            session = _session(connection, row)
        if session.person.state != "active":
            raise PeopleRefused("ended", WHY_ENDED["suspended"])
        before = self._copies.get(key)
        seen = row.last_seen if before is None else max(row.last_seen, before.last_seen)
        copy = _Copy(session, seen, row.last_seen, now)
        with self._lock:
            if self._changes == changes:
                if len(self._copies) >= ENTRIES_MAX:
                    self._copies.clear()
                    self._of_person.clear()
                self._copies[key] = copy
                self._of_person.setdefault(session.person.id, set()).add(key)
        return copy

    def drop(self, *persons_changed: str) -> None:
        """All copies of these persons' sessions are read again before their next use. When they were last used is kept."""
        with self._lock:
            self._changes += 1
            for person in persons_changed:
                for key in self._of_person.get(person, ()):
                    self._copies[key].read_at = NEVER

    def flush(self, connection: Connection) -> int:
        """Writes when sessions were last used; how many rows."""
        with self._lock:
            late = [(copy, copy.last_seen) for copy in self._copies.values() if copy.last_seen > copy.written]
        for copy, seen in late:
            connection.execute(sa.update(sessions).where(sessions.c.id == copy.session.id, sessions.c.last_seen < seen).values(last_seen=seen))
            copy.written = seen
        return len(late)

    def forget(self, now: datetime) -> None:
        """Drops copies of sessions that are over."""
        with self._lock:
            over = [key for key, copy in self._copies.items() if now >= copy.session.ends_at or now - copy.last_seen >= self._settings.idle]
            for key in over:
                copy = self._copies.pop(key)
                self._of_person.get(copy.session.person.id, set()).discard(key)


def open_session(
    connection: Connection, person: str, stage: str, lifetime: timedelta, *, address: str, agent: str, device: str, now: datetime
) -> tuple[str, str]:
    """A new session: its token and its id. A person with exactly one membership acts in it from the beginning."""
    mine = memberships.of_person(connection, person)
    token, made = tokens.new_token(), tokens.new_id("s")
    connection.execute(
        sa.insert(sessions).values(
            id=made, hash=tokens.digest(token), person=person, stage=stage, acting=mine[0].id if len(mine) == 1 else None, created_at=now,
            last_seen=now, ends_at=now + lifetime, address=address[:64], agent=agent[:200], device=device, ended_why="",
        )
    )  # fmt: skip
    return token, made


def renew(connection: Connection, session: str, now: datetime) -> str:
    """A new token for the same session; the old one is dead."""
    token = tokens.new_token()
    connection.execute(sa.update(sessions).where(sessions.c.id == session).values(hash=tokens.digest(token), last_seen=now))
    return token


def find(connection: Connection, session: str) -> Session:
    row = connection.execute(sa.select(sessions).where(sessions.c.id == session)).one_or_none()
    if row is None:
        raise PeopleRefused("no_session")
    return _session(connection, row)


def device_of(connection: Connection, session: str) -> str:
    return str(connection.execute(sa.select(sessions.c.device).where(sessions.c.id == session)).scalar_one())


def act_as(connection: Connection, session: str, membership: str | None) -> None:
    connection.execute(sa.update(sessions).where(sessions.c.id == session).values(acting=membership))


def move(connection: Connection, before: str, after: str) -> None:
    """Sessions that act by a membership go on by the one that took its place."""
    connection.execute(sa.update(sessions).where(sessions.c.acting == before, sessions.c.ended_at.is_(None)).values(acting=after))


def listed(connection: Connection, person: str, now: datetime, settings: PeopleSettings) -> tuple[SessionLine, ...]:
    """The open full sessions of a person, the one used last first."""
    rows = connection.execute(
        sa.select(sessions)
        .where(
            sessions.c.person == person,
            sessions.c.stage == "full",
            sessions.c.ended_at.is_(None),
            sessions.c.ends_at > now,
            sessions.c.last_seen > now - settings.idle,
        )
        .order_by(sessions.c.last_seen.desc(), sessions.c.id)
    )
    return tuple(SessionLine(row.id, row.created_at, row.last_seen, row.ends_at, row.address, row.agent, row.stage) for row in rows)


def end(connection: Connection, why: str, now: datetime, *, person: str, session: str | None = None, but: str | None = None) -> tuple[str, ...]:
    """Ends one session of a person, or all (but one); answers the ids of those that were open."""
    where = [sessions.c.person == person, sessions.c.ended_at.is_(None)]
    if session is not None:
        where.append(sessions.c.id == session)
    if but is not None:
        where.append(sessions.c.id != but)
    ended = tuple(connection.execute(sa.select(sessions.c.id).where(*where)).scalars())
    if ended:
        connection.execute(sa.update(sessions).where(sessions.c.id.in_(ended)).values(ended_at=now, ended_why=why))
    return ended


def confirm(connection: Connection, session: str, content: str, lifetime: timedelta, now: datetime) -> str:
    """Notes that a fresh factor was shown for exactly this content; the note's id."""
    made = tokens.new_id("c")
    connection.execute(sa.insert(stepups).values(id=made, session=session, content=content, made_at=now, ends_at=now + lifetime))
    return made


def consume(connection: Connection, session: str, content: str, now: datetime) -> str:
    """Uses up one confirmation. PeopleRefused not_confirmed where there is none for this session and content, or it is used or too old."""
    found = connection.execute(
        sa.select(stepups.c.id)
        .where(stepups.c.session == session, stepups.c.content == content, stepups.c.used_at.is_(None), stepups.c.ends_at > now)
        .order_by(stepups.c.made_at)
        .limit(1)
    ).scalar()
    if (
        found is None
        or connection.execute(sa.update(stepups).where(stepups.c.id == found, stepups.c.used_at.is_(None)).values(used_at=now)).rowcount != 1
    ):
        raise PeopleRefused("not_confirmed")
    return str(found)


def forget(connection: Connection, now: datetime) -> None:
    old = sa.select(sessions.c.id).where(sessions.c.ends_at < now - KEPT)
    connection.execute(sa.delete(stepups).where(stepups.c.session.in_(old)))
    connection.execute(sa.delete(sessions).where(sessions.c.ends_at < now - KEPT))


def csrf_token(secrets: tuple[str, ...], session: str) -> str:
    """The token that forms carry: it belongs to the session and survives a new session token."""
    return tokens.keyed(secrets[0], "csrf", session).hex()


def csrf_fits(secrets: Iterable[str], session: str, given: str) -> bool:
    """Whether a form's token was made for this session by any of the keys."""
    shown = given.encode("utf-8", "replace")
    return any([tokens.same(tokens.keyed(secret, "csrf", session).hex().encode(), shown) for secret in secrets])


Ended = Callable[[str, str], None]  # kind ("session" or "key") and id of what has just ended


def _session(connection: Connection, row: Any) -> Session:
    mine = memberships.of_person(connection, row.person)
    acting = next((membership for membership in mine if membership.id == row.acting), None)
    return Session(row.id, persons.find(connection, row.person), row.stage, mine, acting, row.created_at, row.ends_at, row.address, row.agent)
