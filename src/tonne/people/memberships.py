"""Memberships: what a person may do for a participant of a system. A row is never rewritten with other rights: it ends and a new one begins."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tonne.people import tokens
from tonne.people.errors import PeopleRefused
from tonne.people.tables import memberships, persons
from tonne.people.who import ADMINISTRATOR, Membership, Who, rights_of, rights_text


def grant(
    connection: Connection, person: str, system: str, participant: str, rights: Iterable[str], by: str, now: datetime
) -> tuple[str, frozenset[str]]:
    """Gives a person these rights, in the place of those before. Answers the new membership's id and the rights that were lost by it."""
    try:
        text = rights_text(rights)
    except ValueError as error:
        raise PeopleRefused("bad_value", str(error), field="rights") from None
    if not text or not system or not participant:
        raise PeopleRefused("bad_value", "A membership names a system, a participant and at least one right", field="rights")
    before = connection.execute(
        sa.select(memberships).where(
            memberships.c.person == person,
            memberships.c.system == system,
            memberships.c.participant == participant,
            memberships.c.state != "ended",
        )
    ).one_or_none()
    if before is not None:
        end(connection, before.id, "ended", by, now)
    made = tokens.new_id("m")
    connection.execute(
        sa.insert(memberships).values(
            id=made, person=person, system=system, participant=participant, rights=text, state="active", granted_at=now, granted_by=by, ended_by=""
        )
    )
    return made, (rights_of(before.rights) if before is not None else frozenset()) - rights_of(text)


def end(connection: Connection, membership: str, state: str, by: str, now: datetime) -> None:
    """state: suspended or ended. PeopleRefused wrong_state where it is ended already."""
    changed = connection.execute(
        sa.update(memberships)
        .where(memberships.c.id == membership, memberships.c.state.not_in(("ended", state)))
        .values(state=state, ended_at=now, ended_by=by)
    ).rowcount
    if changed == 0:
        raise PeopleRefused("wrong_state", f"This membership is {state} already")


def restore(connection: Connection, membership: str) -> None:
    """A suspended membership is active again. Its sessions and keys stay dead."""
    changed = connection.execute(
        sa.update(memberships)
        .where(memberships.c.id == membership, memberships.c.state == "suspended")
        .values(state="active", ended_at=None, ended_by="")
    ).rowcount
    if changed == 0:
        raise PeopleRefused("wrong_state", "Only a suspended membership is restored")


def find(connection: Connection, membership: str) -> Membership:
    row = connection.execute(sa.select(memberships).where(memberships.c.id == membership)).one_or_none()
    if row is None:
        raise PeopleRefused("unknown", "There is no such membership")
    return _membership(row)


def of_person(connection: Connection, person: str, *, all_states: bool = False) -> tuple[Membership, ...]:
    """Oldest first; only the active ones unless all are asked for."""
    query = sa.select(memberships).where(memberships.c.person == person)
    if not all_states:
        query = query.where(memberships.c.state == "active")
    return tuple(map(_membership, connection.execute(query.order_by(memberships.c.granted_at, memberships.c.id))))


def members_of(connection: Connection, system: str, participant: str, *, all_states: bool = False) -> tuple[Membership, ...]:
    """Oldest first; only the active ones of active persons unless all are asked for."""
    query = sa.select(memberships).where(memberships.c.system == system, memberships.c.participant == participant)
    if not all_states:
        query = query.join(persons, persons.c.id == memberships.c.person).where(memberships.c.state == "active", persons.c.state == "active")
    return tuple(map(_membership, connection.execute(query.order_by(memberships.c.granted_at, memberships.c.id))))


def may(connection: Connection, by: Who, right: str, system: str, participant: str) -> bool:
    """Whether `by` holds a right there now: read from the table, not from a session that was opened earlier."""
    if by.is_command:
        return True
    if by.person is None:
        return False
    query = (
        sa.select(memberships.c.rights)
        .join(persons, persons.c.id == memberships.c.person)
        .where(
            memberships.c.person == by.person,
            memberships.c.system == system,
            memberships.c.participant == participant,
            memberships.c.state == "active",
            persons.c.state == "active",
        )
    )
    return any(right in rights_of(text) for text in connection.execute(query).scalars())


def may_manage(connection: Connection, by: Who, system: str, participant: str) -> bool:
    """The manager of an organisation, or an administrator of the system. The administrators' own people are managed by administrators only."""
    return may(connection, by, "manage", system, participant) or may(connection, by, "manage", system, ADMINISTRATOR)


def manages_anything(connection: Connection, by: Who) -> bool:
    if by.is_command:
        return True
    return by.person is not None and any("manage" in membership.rights for membership in of_person(connection, by.person))


def has_administrator(connection: Connection, system: str) -> bool:
    return any(membership.is_administrator for membership in members_of(connection, system, ADMINISTRATOR))


def _membership(row: Any) -> Membership:
    return Membership(
        row.id, row.person, row.system, row.participant, rights_of(row.rights), row.state, row.granted_at, row.granted_by, row.ended_at, row.ended_by
    )
