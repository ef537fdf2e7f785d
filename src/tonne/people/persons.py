"""Persons: a random id, and beside it the few personal fields that can be emptied without touching anything else."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from tonne.people import tokens
from tonne.people.errors import PeopleRefused
from tonne.people.tables import (
    application_files,
    application_steps,
    applications,
    audit,
    devices,
    drafts,
    factors,
    files,
    identities,
    keys,
    memberships,
    outbox,
    passwords,
    persons,
    recovery,
    sessions,
    stepups,
    tickets,
)
from tonne.people.who import Page, Person

LANGUAGES = ("en", "zh-Hans", "zh-Hant")
THEMES = ("auto", "light", "dark")
EMAIL_LENGTH_MAX = 254
NAME_LENGTH_MAX = 200

_has_password = sa.select(passwords.c.person).where(passwords.c.person == persons.c.id).exists()
_factor = sa.select(factors.c.kind).where(factors.c.person == persons.c.id, factors.c.state == "active").limit(1).scalar_subquery()
_columns = (
    persons.c.id, persons.c.email, persons.c.name, persons.c.language, persons.c.theme, persons.c.state, persons.c.created_at,
    _has_password.label("has_password"), _factor.label("factor"),
)  # fmt: skip


def folded(email: str) -> str:
    """How an e-mail address is found: case and spelling of letters do not count."""
    return unicodedata.normalize("NFKC", email.strip()).casefold()


def checked_email(email: str) -> str:
    """PeopleRefused bad_value for what cannot be an address. Whether it is one, only a letter to it can tell."""
    text = email.strip()
    name, at, domain = text.rpartition("@")
    bad = not at or not name or "@" in name or "." not in domain.strip(".") or domain != domain.strip(".") or len(text) > EMAIL_LENGTH_MAX
    if bad or any(letter.isspace() or not letter.isprintable() or letter in ',;<>()"\\' for letter in text):
        raise PeopleRefused("bad_value", "This is not an e-mail address", field="email")
    return text


def checked_name(name: str) -> str:
    text = " ".join(name.split())
    if not text or len(text) > NAME_LENGTH_MAX or not all(letter.isprintable() for letter in text):
        raise PeopleRefused("bad_value", f"A name has 1 to {NAME_LENGTH_MAX} printable characters", field="name")
    return text


def checked_choice(value: str, choices: tuple[str, ...], field: str) -> str:
    if value not in choices:
        raise PeopleRefused("bad_value", f"{field} is one of {', '.join(choices)}", field=field)
    return value


def add(connection: Connection, email: str, name: str, language: str, by: str, now: datetime) -> str:
    """The id of a new person. PeopleRefused taken where the address belongs to somebody."""
    email, name = checked_email(email), checked_name(name)
    checked_choice(language, LANGUAGES, "language")
    if id_of_email(connection, email) is not None:
        raise PeopleRefused("taken", "A person with this e-mail address exists", field="email")
    made = tokens.new_id("p")
    connection.execute(
        sa.insert(persons).values(
            id=made, email=email, email_key=folded(email), name=name, language=language, theme="auto", state="active",
            created_at=now, created_by=by, changed_at=now,
        )
    )  # fmt: skip
    return made


def find(connection: Connection, person: str) -> Person:
    row = connection.execute(sa.select(*_columns).where(persons.c.id == person)).one_or_none()
    if row is None:
        raise PeopleRefused("unknown", "There is no such person")
    return _person(row)


def id_of_email(connection: Connection, email: str) -> str | None:
    return connection.execute(sa.select(persons.c.id).where(persons.c.email_key == folded(email))).scalar()


def names(connection: Connection, wanted: list[str]) -> dict[str, str]:
    """id -> name; "" for the erased and the unknown."""
    found = dict.fromkeys(wanted, "")
    for at in range(0, len(wanted), 500):
        rows = connection.execute(sa.select(persons.c.id, persons.c.name).where(persons.c.id.in_(wanted[at : at + 500])))
        found.update({row.id: row.name for row in rows})
    return found


def listed(connection: Connection, text: str, offset: int, limit: int) -> Page:
    """Persons whose name, e-mail or id contains a text, by name. Only for pages of administrators."""
    where: list[Any] = [persons.c.state != "erased"]
    if text:
        where.append(
            persons.c.name.icontains(text, autoescape=True)
            | persons.c.email_key.contains(folded(text), autoescape=True)
            | persons.c.id.contains(text, autoescape=True)
        )
    total = connection.execute(sa.select(sa.func.count()).select_from(persons).where(*where)).scalar_one()
    query = sa.select(*_columns).where(*where).order_by(persons.c.name, persons.c.id).offset(offset).limit(limit)
    return Page(tuple(_person(row) for row in connection.execute(query)), total, offset)


def change(connection: Connection, person: str, now: datetime, **values: str) -> None:
    """New values for some of email, name, language, theme, state."""
    if "email" in values:
        values["email_key"] = folded(values["email"])
    try:
        changed = connection.execute(
            sa.update(persons).where(persons.c.id == person, persons.c.state != "erased").values(changed_at=now, **values)
        ).rowcount
    except IntegrityError:
        raise PeopleRefused("taken", "A person with this e-mail address exists", field="email") from None
    if changed == 0:
        raise PeopleRefused("unknown", "There is no such person")


def abandoned(connection: Connection, before: datetime) -> tuple[str, ...]:
    """Who registered before a moment and never chose a password, nor belongs to anybody."""
    query = sa.select(persons.c.id).where(
        persons.c.created_by == "registration",
        persons.c.state == "active",
        persons.c.created_at < before,
        ~_has_password,
        ~sa.select(memberships.c.id).where(memberships.c.person == persons.c.id).exists(),
    )
    return tuple(connection.execute(query).scalars())


def erase(connection: Connection, person: str, by: str, now: datetime) -> None:
    """Everything personal goes; the id and what it did stay. Sessions and keys are dead afterwards."""
    mine = sa.select(sessions.c.id).where(sessions.c.person == person)
    asked = sa.select(applications.c.id).where(applications.c.person == person)
    attached = sa.select(application_files.c.file).where(application_files.c.application.in_(asked))
    connection.execute(sa.delete(stepups).where(stepups.c.session.in_(mine)))
    connection.execute(sa.delete(files).where((files.c.id.in_(attached)) | ((files.c.person == person) & (files.c.participant == ""))))
    for table in (sessions, passwords, factors, recovery, tickets, identities, devices, outbox, drafts):
        connection.execute(sa.delete(table).where(table.c.person == person))
    connection.execute(sa.update(applications).where(applications.c.person == person).values(answers="{}", organisation="erased"))
    connection.execute(sa.update(application_steps).where(application_steps.c.application.in_(asked)).values(note=""))
    connection.execute(sa.update(audit).where(audit.c.person == person).values(address=None, address_salt=None))
    connection.execute(
        sa.update(memberships).where(memberships.c.person == person, memberships.c.state != "ended").values(state="ended", ended_at=now, ended_by=by)
    )
    connection.execute(sa.update(keys).where(keys.c.person == person, keys.c.revoked_at.is_(None)).values(revoked_at=now, revoked_by=by))
    connection.execute(sa.update(keys).where(keys.c.person == person).values(label=""))
    connection.execute(
        sa.update(persons)
        .where(persons.c.id == person)
        .values(email="", email_key=None, name="", language="en", theme="auto", state="erased", changed_at=now)
    )


def _person(row: Any) -> Person:
    return Person(row.id, row.email, row.name, row.language, row.theme, row.state, row.created_at, bool(row.has_password), row.factor or "")
