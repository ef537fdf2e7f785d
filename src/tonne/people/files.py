"""Uploaded documents: kept under random ids in the room's own database, so that a name never becomes a path."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tonne.people import tokens
from tonne.people.content import MEDIA_TYPES, plain_name
from tonne.people.errors import PeopleRefused
from tonne.people.quoting import content_disposition
from tonne.people.settings import PeopleSettings
from tonne.people.tables import file_data, files
from tonne.people.who import Who


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded document without its content. participant is empty for a person's own. sha256 in hex, of what is kept."""

    id: str
    person: str
    system: str
    participant: str
    kind: str
    name: str
    size: int
    sha256: str
    about: str
    at: datetime

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES[self.kind]

    @property
    def disposition(self) -> str:
        """The Content-Disposition header: always as an attachment."""
        return content_disposition(self.name)


def must_fit(connection: Connection, who: Who, size: int, settings: PeopleSettings) -> None:
    """PeopleRefused too_large or over_quota for a file of that size: asked before the upload is read, and again when it is kept."""
    if size > settings.file_bytes_max:
        raise PeopleRefused("too_large", f"A file has at most {settings.file_bytes_max:,} bytes", field="file")
    mine = (files.c.person == who.person) & (files.c.participant == "")
    ours = (files.c.system == who.system) & (files.c.participant == who.participant)
    used = connection.execute(sa.select(sa.func.coalesce(sa.func.sum(files.c.size), 0)).where(ours if who.participant else mine)).scalar_one()
    if used + size > settings.file_quota_bytes:
        raise PeopleRefused("over_quota", field="file")


def keep(connection: Connection, who: Who, name: str, kind: str, data: bytes, about: str, settings: PeopleSettings, now: datetime) -> File:
    """Stores a checked file (content.checked) for the person and participant of `who`."""
    must_fit(connection, who, len(data), settings)
    made = tokens.new_id("d")
    connection.execute(
        sa.insert(files).values(
            id=made, person=who.person, system=who.system, participant=who.participant, kind=kind, name=plain_name(name), size=len(data),
            sha256=hashlib.sha256(data).digest(), about=about, at=now,
        )
    )  # fmt: skip
    connection.execute(sa.insert(file_data).values(file=made, data=data))
    return find(connection, made)


def find(connection: Connection, file: str) -> File:
    row = connection.execute(sa.select(files).where(files.c.id == file)).one_or_none()
    if row is None:
        raise PeopleRefused("unknown", "There is no such file")
    return shown(row)


def content(connection: Connection, file: str) -> bytes:
    """PeopleRefused unknown; unsafe_file where the stored bytes are not those that were kept."""
    row = connection.execute(
        sa.select(file_data.c.data, files.c.sha256).join(files, files.c.id == file_data.c.file).where(files.c.id == file)
    ).one_or_none()
    if row is None:
        raise PeopleRefused("unknown", "There is no such file")
    data = bytes(row.data)
    if hashlib.sha256(data).digest() != bytes(row.sha256):
        raise PeopleRefused("unsafe_file", "The stored file was changed")
    return data


def listed(connection: Connection, *, person: str = "", system: str = "", participant: str = "") -> tuple[File, ...]:
    """A person's own files, or those of a participant, newest first."""
    query = sa.select(files)
    if participant:
        query = query.where(files.c.system == system, files.c.participant == participant)
    else:
        query = query.where(files.c.person == person, files.c.participant == "")
    return tuple(shown(row) for row in connection.execute(query.order_by(files.c.at.desc(), files.c.id)))


def remove(connection: Connection, file: str) -> None:
    connection.execute(sa.delete(file_data).where(file_data.c.file == file))
    connection.execute(sa.delete(files).where(files.c.id == file))


def shown(row: Any) -> File:
    return File(row.id, row.person, row.system, row.participant, row.kind, row.name, row.size, bytes(row.sha256).hex(), row.about, row.at)
