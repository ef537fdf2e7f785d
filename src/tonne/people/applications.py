"""Applications: an organisation asks to take part, and its file goes from draft to a decision by two persons.

    draft --send--> sent --check--> checked --approve--> approved
                     |  ^             |
             ask back|  |send         |ask back            sent, checked --reject--> rejected
                     v  |             v
                    asked_back <------+

The days that the administrator may use run while the file is with the administrator, and stand still while it is asked back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tonne.dates import is_business_day
from tonne.people import files, tokens
from tonne.people.errors import PeopleRefused
from tonne.people.files import File
from tonne.people.settings import PeopleSettings
from tonne.people.tables import application_checks, application_files, application_steps, applications
from tonne.people.tables import files as file_table
from tonne.people.who import Page

STATES = ("draft", "sent", "asked_back", "checked", "approved", "rejected")
WITH_APPLICANT = ("draft", "asked_back")
WITH_ADMINISTRATOR = ("sent", "checked")
ANSWERS_BYTES_MAX = 64 * 1024
NOTE_LENGTH_MAX = 2_000
LEGAL_ENTITY = re.compile(r"[0-9A-Z]{18}[0-9]{2}", re.ASCII)


def is_legal_entity_identifier(text: str) -> bool:
    """Whether a text is a well-formed LEI: 18 letters or digits and two check digits (ISO 17442; ISO 7064 mod 97-10). Not whether it was issued."""
    return bool(LEGAL_ENTITY.fullmatch(text)) and int("".join(str(int(letter, 36)) for letter in text)) % 97 == 1


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    done_at: datetime | None
    done_by: str
    note: str


@dataclass(frozen=True, slots=True)
class Step:
    """One change of state: into which, when, by whom, with what note."""

    state: str
    at: datetime
    person: str
    note: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Application:
    """answers: what the applicant wrote, field by field. checked_by: who found all checks done; another person approves."""

    id: str
    system: str
    person: str
    organisation: str = field(repr=False)
    answers: dict[str, str] = field(repr=False)
    state: str
    made_at: datetime
    sent_at: datetime | None
    checked_by: str
    decided_at: datetime | None
    decided_by: str
    checks: tuple[Check, ...] = ()
    files: tuple[tuple[str, File], ...] = ()  # label, file
    steps: tuple[Step, ...] = ()


def days_used(application: Application, today: date, country: str | None = None) -> int:
    """Business days (of a country, ISO 3166) that the file was with the administrator; the day of arrival does not count."""
    used, since = 0, None
    for step in application.steps:
        day = step.at.date()
        if step.state in WITH_ADMINISTRATOR:
            since = since or day
        elif since is not None:
            used, since = used + _business_days(since, day, country), None
    return used if since is None else used + _business_days(since, today, country)


def _business_days(after: date, last: date, country: str | None) -> int:
    return sum(is_business_day(after + timedelta(days=number), country) for number in range(1, (last - after).days + 1))


def begin(connection: Connection, system: str, person: str, organisation: str, checks: Iterable[str], now: datetime) -> str:
    """The id of a new draft. checks: what the administrator of this system has to tick before a decision."""
    made = tokens.new_id("a")
    connection.execute(
        sa.insert(applications).values(
            id=made, system=system, person=person, organisation=_line(organisation), answers="{}", state="draft", made_at=now, checked_by="",
            decided_by="",
        )
    )  # fmt: skip
    rows = [{"application": made, "name": name, "done_by": "", "note": ""} for name in dict.fromkeys(checks)]
    if rows:
        connection.execute(sa.insert(application_checks), rows)
    _step(connection, made, "draft", person, "", now)
    return made


def save(connection: Connection, application: str, organisation: str, answers: Mapping[str, str]) -> None:
    """The applicant's answers, in the place of those before. PeopleRefused bad_value for a wrong `lei`, too_large, wrong_state."""
    must_be_in(connection, application, *WITH_APPLICANT)
    if not all(isinstance(name, str) and isinstance(text, str) for name, text in answers.items()):
        raise PeopleRefused("bad_value", "An answer is a text", field="answers")
    lei = answers.get("lei", "")
    if lei and not is_legal_entity_identifier(lei):
        raise PeopleRefused("bad_value", "This is not a legal entity identifier: its check digits do not fit", field="lei")
    text = json.dumps(dict(answers), ensure_ascii=False)
    if len(text.encode("utf-8", "replace")) > ANSWERS_BYTES_MAX:
        raise PeopleRefused("too_large", field="answers")
    connection.execute(sa.update(applications).where(applications.c.id == application).values(answers=text, organisation=_line(organisation)))


def attach(connection: Connection, application: str, file: str, label: str, settings: PeopleSettings) -> None:
    must_be_in(connection, application, *WITH_APPLICANT)
    count = connection.execute(
        sa.select(sa.func.count()).select_from(application_files).where(application_files.c.application == application)
    ).scalar_one()
    if count >= settings.application_files_max:
        raise PeopleRefused("over_quota", f"An application has at most {settings.application_files_max} documents", field="file")
    connection.execute(sa.insert(application_files).values(application=application, file=file, label=_line(label)))


def detach(connection: Connection, application: str, file: str) -> None:
    """The document goes from the application, and is removed."""
    must_be_in(connection, application, *WITH_APPLICANT)
    gone = connection.execute(
        sa.delete(application_files).where(application_files.c.application == application, application_files.c.file == file)
    ).rowcount
    if not gone:
        raise PeopleRefused("unknown", "There is no such document in this application")
    files.remove(connection, file)


def applications_with(connection: Connection, file: str) -> tuple[str, ...]:
    """The states of the applications that a file is attached to."""
    query = sa.select(applications.c.state).join(application_files, application_files.c.application == applications.c.id)
    return tuple(connection.execute(query.where(application_files.c.file == file)).scalars())


def send(connection: Connection, application: str, person: str, now: datetime) -> None:
    """To the administrator. What was ticked before is open again: the answers may have changed."""
    must_be_in(connection, application, *WITH_APPLICANT)
    connection.execute(sa.update(application_checks).where(application_checks.c.application == application).values(done_at=None, done_by="", note=""))
    first = sa.func.coalesce(applications.c.sent_at, sa.bindparam("now", now, applications.c.sent_at.type))
    _move(connection, application, "sent", person, "", now, sent_at=first, checked_by="")


def tick(connection: Connection, application: str, name: str, done: bool, note: str, person: str, now: datetime) -> None:
    must_be_in(connection, application, "sent")
    changed = connection.execute(
        sa.update(application_checks)
        .where(application_checks.c.application == application, application_checks.c.name == name)
        .values(done_at=now if done else None, done_by=person if done else "", note=_note(note))
    ).rowcount
    if not changed:
        raise PeopleRefused("unknown", "There is no such check")


def ask_back(connection: Connection, application: str, note: str, person: str, now: datetime) -> None:
    must_be_in(connection, application, *WITH_ADMINISTRATOR)
    if not note.strip():
        raise PeopleRefused("bad_value", "Say what is missing", field="note")
    _move(connection, application, "asked_back", person, note, now, checked_by="")


def check(connection: Connection, application: str, person: str, now: datetime) -> None:
    """The first person has done all checks. PeopleRefused wrong_state while one is open."""
    must_be_in(connection, application, "sent")
    still = connection.execute(
        sa.select(application_checks.c.name).where(application_checks.c.application == application, application_checks.c.done_at.is_(None))
    ).scalars()
    if left := ", ".join(sorted(still)):
        raise PeopleRefused("wrong_state", f"Still to be checked: {left}")
    _move(connection, application, "checked", person, "", now, checked_by=person)


def approve(connection: Connection, application: str, person: str, now: datetime) -> None:
    """A second person. PeopleRefused same_person for the one who checked, or who ticked any of the checks."""
    row = must_be_in(connection, application, "checked")
    ticked = connection.execute(sa.select(application_checks.c.done_by).where(application_checks.c.application == application)).scalars()
    if person == row.checked_by or person in set(ticked):
        raise PeopleRefused("same_person")
    _move(connection, application, "approved", person, "", now, decided_at=now, decided_by=person)


def reject(connection: Connection, application: str, note: str, person: str, now: datetime) -> None:
    must_be_in(connection, application, *WITH_ADMINISTRATOR)
    if not note.strip():
        raise PeopleRefused("bad_value", "Give the reason", field="note")
    _move(connection, application, "rejected", person, note, now, decided_at=now, decided_by=person)


def must_be_in(connection: Connection, application: str, *states: str) -> Any:
    """The application's row. PeopleRefused unknown or wrong_state."""
    row = connection.execute(sa.select(applications).where(applications.c.id == application).with_for_update()).one_or_none()
    if row is None:
        raise PeopleRefused("unknown", "There is no such application")
    if row.state not in states:
        raise PeopleRefused("wrong_state", f"The application is {row.state.replace('_', ' ')}")
    return row


def find(connection: Connection, application: str) -> Application:
    """With its checks, documents and steps."""
    row = connection.execute(sa.select(applications).where(applications.c.id == application)).one_or_none()
    if row is None:
        raise PeopleRefused("unknown", "There is no such application")
    checks = connection.execute(
        sa.select(application_checks).where(application_checks.c.application == application).order_by(application_checks.c.name)
    )
    attached = connection.execute(
        sa.select(file_table, application_files.c.label)
        .join(application_files, application_files.c.file == file_table.c.id)
        .where(application_files.c.application == application)
        .order_by(file_table.c.at, file_table.c.id)
    )
    steps = connection.execute(
        sa.select(application_steps).where(application_steps.c.application == application).order_by(application_steps.c.number)
    )
    return _application(
        row,
        checks=tuple(Check(each.name, each.done_at, each.done_by, each.note) for each in checks),
        files=tuple((each.label, files.shown(each)) for each in attached),
        steps=tuple(Step(each.state, each.at, each.person, each.note) for each in steps),
    )


def listed(connection: Connection, *, system: str, person: str, states: tuple[str, ...], offset: int, limit: int) -> Page:
    """Page of Application, those that wait longest first, with their steps, without checks and documents."""
    where = [column == value for column, value in ((applications.c.system, system), (applications.c.person, person)) if value]
    if states:
        where.append(applications.c.state.in_(states))
    total = connection.execute(sa.select(sa.func.count()).select_from(applications).where(*where)).scalar_one()
    rows = connection.execute(
        sa.select(applications)
        .where(*where)
        .order_by(sa.func.coalesce(applications.c.sent_at, applications.c.made_at), applications.c.id)
        .offset(offset)
        .limit(limit)
    ).all()
    steps: dict[str, list[Step]] = {row.id: [] for row in rows}
    query = sa.select(application_steps).where(application_steps.c.application.in_(list(steps))).order_by(application_steps.c.number)
    for each in connection.execute(query):
        steps[each.application].append(Step(each.state, each.at, each.person, each.note))
    return Page(tuple(_application(row, steps=tuple(steps[row.id])) for row in rows), total, offset)


def _application(row: Any, **more: Any) -> Application:
    return Application(
        row.id, row.system, row.person, row.organisation, json.loads(row.answers), row.state, row.made_at, row.sent_at, row.checked_by,
        row.decided_at, row.decided_by, **more,
    )  # fmt: skip


def _move(connection: Connection, application: str, state: str, person: str, note: str, now: datetime, **values: Any) -> None:
    connection.execute(sa.update(applications).where(applications.c.id == application).values(state=state, **values))
    _step(connection, application, state, person, note, now)


def _step(connection: Connection, application: str, state: str, person: str, note: str, now: datetime) -> None:
    last = connection.execute(
        sa.select(sa.func.coalesce(sa.func.max(application_steps.c.number), 0)).where(application_steps.c.application == application)
    ).scalar_one()
    connection.execute(
        sa.insert(application_steps).values(application=application, number=last + 1, state=state, at=now, person=person, note=_note(note))
    )


def _line(text: str) -> str:
    text = " ".join(text.split())
    if not 0 < len(text) <= 200 or not text.isprintable():
        raise PeopleRefused("bad_value", "One line of 1 to 200 printable characters", field="organisation")
    return text


def _note(text: str) -> str:
    if len(text) > NOTE_LENGTH_MAX:
        raise PeopleRefused("too_large", f"A note has at most {NOTE_LENGTH_MAX:,} characters", field="note")
    return text.strip()
