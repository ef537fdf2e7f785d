"""Messages to persons: shown in the portal, and sent by mail by the server, which has the words in the person's language by kind and facts.

A link in a letter is a secret: it is kept encrypted until the letter is mailed, and then removed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tonne.people import tokens
from tonne.people.box import Box
from tonne.people.errors import PeopleRefused
from tonne.people.tables import outbox, persons
from tonne.people.who import Page

TEXT_LENGTH_MAX = 4_000

#: Kinds that this room itself sends -> subject and text in English. {facts} are filled in; the server translates by kind.
LETTERS: dict[str, tuple[str, str]] = {
    "invitation": ("You are invited", "Choose a password and set up your second factor within {hours} hours, by the link below. It works once."),
    "registered_already": (
        "You have an account already",
        "Somebody, perhaps you, tried to register with this address. Log in, or reset your password.",
    ),
    "reset": ("Reset your password", "Choose a new password within {hours} hours, by the link below. Your second factor stays as it is."),
    "password_changed": ("Your password was changed", "If it was not you, tell an administrator at once."),
    "new_device": ("New device", "Your account was used from a device that was not seen before: {agent}. If it was not you, end the session now."),
    "factor_changed": ("Your second factor was changed", "If it was not you, tell an administrator at once."),
    "recovery_used": ("A recovery code was used", "{left} recovery codes are left. If it was not you, tell an administrator at once."),
    "factor_replacement": (
        "Your second factor will be replaced",
        "An administrator began it; it takes effect on {effective} (UTC). If you did not ask for it, cancel it and tell an administrator at once.",
    ),
    "replacement_cancelled": ("Your second factor stays", "The replacement of your second factor was cancelled."),
    "email_change": ("Confirm your new e-mail address", "Confirm it by the link below within {hours} hours. It works once."),
    "email_changing": ("Your e-mail address is being changed", "If it was not you, tell an administrator at once."),
    "email_changed": (
        "Your e-mail address was changed",
        "Letters go to the new address from now on. If it was not you, tell an administrator at once.",
    ),
    "login_blocked": (
        "Log-in is paused",
        "There were too many failed attempts to log in as you. Wait {minutes} minutes. A device that you used before is not affected.",
    ),
    "identity_bound": (
        "Log-in through an identity provider",
        "Your account can now be entered through {issuer}. If it was not you, tell an administrator.",
    ),
    "suspended": ("Your access is suspended", "Ask an administrator."),
    "restored": ("Your access is restored", "You can log in again."),
    "rights_changed": ("Your rights were changed", "{participant} in {system}: {rights}."),
    "key_made": ("An API key was made", "{label}, valid until {expires}. If it was not you, revoke it."),
    "key_approves": ("An API key may approve", "{label}: another person allowed it to approve."),
}


@dataclass(frozen=True, slots=True)
class Message:
    """mail_to is empty where the message is only shown in the portal. link is filled only by unsent(): it is for the letter, never for a page."""

    id: str
    person: str
    kind: str
    subject: str
    text: str
    facts: dict[str, str]
    at: datetime
    mail_to: str = field(repr=False)
    mailed_at: datetime | None
    read_at: datetime | None
    language: str = "en"
    link: str = field(default="", repr=False)


def tell(connection: Connection, box: Box, person: str, kind: str, now: datetime, *, mail_to: str | None = None, link: str = "", **facts: str) -> str:
    """Puts a letter of this room in the outbox; mail_to: another address than the person's present one."""
    subject, text = LETTERS[kind]
    return put(connection, box, person, kind, subject, text.format(**facts), now, mail_to=mail_to, link=link, facts=facts)


def reseal(connection: Connection, box: Box) -> int:
    """As factors.reseal, for links of letters that wait."""
    rows = connection.execute(sa.select(outbox.c.id, outbox.c.link).where(outbox.c.link.is_not(None))).all()
    found = [(row.id, made) for row in rows if (made := box.renewed(row.link)) is not None]
    for message, made in found:
        connection.execute(sa.update(outbox).where(outbox.c.id == message).values(link=made))
    return len(found)


def put(
    connection: Connection,
    box: Box,
    person: str,
    kind: str,
    subject: str,
    text: str,
    now: datetime,
    *,
    mail: bool = True,
    mail_to: str | None = None,
    link: str = "",
    facts: dict[str, str] | None = None,
) -> str:
    """The id of a new message. Nothing (empty id) for an erased person."""
    found = connection.execute(sa.select(persons.c.email, persons.c.state).where(persons.c.id == person)).one_or_none()
    if found is None:
        raise PeopleRefused("unknown", "There is no such person")
    if found.state == "erased":
        return ""
    if len(subject) > 200 or len(text) > TEXT_LENGTH_MAX or any(not letter.isprintable() for letter in subject):
        raise PeopleRefused("bad_value", f"A message has a subject of one line and at most {TEXT_LENGTH_MAX} characters", field="text")
    made = tokens.new_id("n")
    connection.execute(
        sa.insert(outbox).values(
            id=made, person=person, kind=kind, subject=subject, text=text, facts=json.dumps(facts or {}, ensure_ascii=False), at=now,
            mail_to=(found.email if mail_to is None else mail_to) if mail else "", link=box.seal(made, link, now) if link else None,
        )
    )  # fmt: skip
    return made


def unsent(connection: Connection, box: Box, limit: int) -> tuple[Message, ...]:
    """Letters that wait for the mail, oldest first, with their links."""
    query = (
        sa.select(outbox, persons.c.language)
        .join(persons, persons.c.id == outbox.c.person)
        .where(outbox.c.mail_to != "", outbox.c.mailed_at.is_(None))
        .order_by(outbox.c.at, outbox.c.id)
        .limit(limit)
    )
    return tuple(_message(row, box.open_box(row.id, row.link) if row.link else "") for row in connection.execute(query))


def mailed(connection: Connection, message: str, now: datetime) -> None:
    connection.execute(sa.update(outbox).where(outbox.c.id == message, outbox.c.mailed_at.is_(None)).values(mailed_at=now, link=None))


def page(connection: Connection, person: str, *, unread: bool, offset: int, limit: int) -> Page:
    """A person's messages, newest first, without their links."""
    where = [outbox.c.person == person]
    if unread:
        where.append(outbox.c.read_at.is_(None))
    total = connection.execute(sa.select(sa.func.count()).select_from(outbox).where(*where)).scalar_one()
    query = sa.select(outbox, persons.c.language).join(persons, persons.c.id == outbox.c.person).where(*where)
    rows = connection.execute(query.order_by(outbox.c.at.desc(), outbox.c.id).offset(offset).limit(limit))
    return Page(tuple(_message(row) for row in rows), total, offset)


def read(connection: Connection, person: str, message: str | None, now: datetime) -> int:
    """Marks one message, or all, of a person as read; how many."""
    where = [outbox.c.person == person, outbox.c.read_at.is_(None)]
    if message is not None:
        where.append(outbox.c.id == message)
    return connection.execute(sa.update(outbox).where(*where).values(read_at=now)).rowcount


def _message(row: Any, link: str = "") -> Message:
    return Message(
        row.id,
        row.person,
        row.kind,
        row.subject,
        row.text,
        json.loads(row.facts),
        row.at,
        row.mail_to,
        row.mailed_at,
        row.read_at,
        row.language,
        link,
    )
