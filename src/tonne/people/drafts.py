"""What a person typed into a form and has not sent: one draft for each form, saved by the page every few seconds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tonne.people.errors import PeopleRefused
from tonne.people.settings import PeopleSettings
from tonne.people.tables import drafts

FORM_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class Draft:
    form: str
    body: dict[str, Any]
    at: datetime


def save(connection: Connection, person: str, form: str, body: Mapping[str, Any], settings: PeopleSettings, now: datetime) -> None:
    """In the place of the draft before. PeopleRefused too_large, bad_value."""
    if not 0 < len(form) <= FORM_LENGTH_MAX:
        raise PeopleRefused("bad_value", "A form has a name", field="form")
    try:
        text = json.dumps(dict(body), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):
        raise PeopleRefused("bad_value", "A draft is made of texts, numbers, lists and objects", field="body") from None
    if len(text.encode("utf-8", "replace")) > settings.draft_bytes_max:
        raise PeopleRefused("too_large", f"A draft has at most {settings.draft_bytes_max:,} bytes", field="body")
    mine = (drafts.c.person == person, drafts.c.form == form)
    if connection.execute(sa.update(drafts).where(*mine).values(body=text, at=now)).rowcount:
        return
    count = connection.execute(sa.select(sa.func.count()).select_from(drafts).where(drafts.c.person == person)).scalar_one()
    if count >= settings.drafts_per_person:
        raise PeopleRefused("too_large", f"A person keeps at most {settings.drafts_per_person} drafts; drop one")
    connection.execute(sa.insert(drafts).values(person=person, form=form, body=text, at=now))


def find(connection: Connection, person: str, form: str) -> Draft | None:
    row = connection.execute(sa.select(drafts).where(drafts.c.person == person, drafts.c.form == form)).one_or_none()
    return None if row is None else Draft(row.form, json.loads(row.body), row.at)


def listed(connection: Connection, person: str) -> tuple[Draft, ...]:
    """Newest first."""
    rows = connection.execute(sa.select(drafts).where(drafts.c.person == person).order_by(drafts.c.at.desc(), drafts.c.form))
    return tuple(Draft(row.form, json.loads(row.body), row.at) for row in rows)


def drop(connection: Connection, person: str, form: str) -> None:
    connection.execute(sa.delete(drafts).where(drafts.c.person == person, drafts.c.form == form))
