"""Links that work once: invitations, resets, a new e-mail address, the way back from an identity provider. Only the hash of a link is kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tonne.people import tokens
from tonne.people.errors import PeopleRefused
from tonne.people.tables import tickets

KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Link:
    kind: str
    person: str | None
    detail: dict[str, str]
    ends_at: datetime


def make(connection: Connection, kind: str, person: str | None, lifetime: timedelta, now: datetime, **detail: str) -> str:
    """A new link's token. Links of the same kind for the same person that were not used die: the newest letter is the valid one."""
    if person is not None:
        connection.execute(
            sa.update(tickets).where(tickets.c.person == person, tickets.c.kind == kind, tickets.c.used_at.is_(None)).values(used_at=now)
        )
    token = tokens.new_token()
    connection.execute(
        sa.insert(tickets).values(
            hash=tokens.digest(token), kind=kind, person=person, detail=json.dumps(detail, ensure_ascii=False), made_at=now, ends_at=now + lifetime
        )
    )
    return token


def look(connection: Connection, kind: str, token: str, now: datetime) -> Link:
    """What a link is for, without using it. PeopleRefused link_unknown, link_used or expired."""
    row = connection.execute(sa.select(tickets).where(tickets.c.hash == tokens.digest(token), tickets.c.kind == kind)).one_or_none()
    if row is None:
        raise PeopleRefused("link_unknown")
    if row.used_at is not None:
        raise PeopleRefused("link_used")
    if now >= row.ends_at:
        raise PeopleRefused("expired", "This link has expired; ask for a new one")
    return Link(row.kind, row.person, json.loads(row.detail), row.ends_at)


def use(connection: Connection, kind: str, token: str, now: datetime) -> Link:
    """As look, and the link is dead afterwards; of two at the same time, one gets it."""
    link = look(connection, kind, token, now)
    taken = connection.execute(
        sa.update(tickets).where(tickets.c.hash == tokens.digest(token), tickets.c.used_at.is_(None)).values(used_at=now)
    ).rowcount
    if taken != 1:
        raise PeopleRefused("link_used")
    return link


def kill(connection: Connection, person: str, now: datetime) -> None:
    """All open links of a person die: after suspension."""
    connection.execute(sa.update(tickets).where(tickets.c.person == person, tickets.c.used_at.is_(None)).values(used_at=now))


def forget(connection: Connection, now: datetime) -> None:
    connection.execute(sa.delete(tickets).where(tickets.c.ends_at < now - KEPT))
