"""The trail: who, for whom, by which right, from where, what, with what result, when. Only appended, each row chained to the one before by its hash.

Commands, logins and refusals are written in the transaction they belong to. Views may be buffered and are written in one go by flush().
The network address is personal: the chain holds its digest with a random salt. Address and salt can be emptied without breaking the chain.
"""

from __future__ import annotations

import hashlib
import json
import threading
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tonne.people import tokens
from tonne.people.database import Database
from tonne.people.tables import audit, audit_head
from tonne.people.who import Page, Who

TEXT_LENGTH_MAX = 500
BUFFER_ROWS_MAX = 10_000  # above it, the view that fills the buffer writes it
SPELLED_OUT = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # control, formatting (also those that turn the direction), surrogates, line and paragraph ends


@dataclass(frozen=True, slots=True)
class Row:
    """number counts from 1 without a gap. address is empty after erasing. view: something was looked at, nothing changed."""

    number: int
    at: datetime
    person: str
    system: str
    participant: str
    right: str
    address: str
    session: str
    verb: str
    view: bool
    what: str
    result: str
    reference: str


def encoded(text: str) -> str:
    """One line of harmless text: control characters as \\u000a, a backslash doubled, cut after 500 characters."""
    if len(text) > TEXT_LENGTH_MAX:
        text = text[: TEXT_LENGTH_MAX - 1] + "…"
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    return "".join(
        "\\\\" if letter == "\\" else f"\\u{ord(letter):04x}" if unicodedata.category(letter) in SPELLED_OUT else letter for letter in text
    )


class Trail:
    def __init__(self, db: Database) -> None:
        self._db = db
        self._lock = threading.Lock()
        self._buffer: list[dict[str, Any]] = []

    def write(self, connection: Connection, who: Who, verb: str, what: str, result: str, now: datetime, reference: str = "") -> int:
        """Appends a row in the caller's transaction; answers its number."""
        return self._append(connection, [self._row(who, verb, what, result, now, reference, view=False)])

    def view(self, who: Who, verb: str, what: str, now: datetime, reference: str = "") -> None:
        """Notes that something was looked at. Written by the next flush."""
        row = self._row(who, verb, what, "shown", now, reference, view=True)
        with self._lock:
            self._buffer.append(row)
            full = len(self._buffer) >= BUFFER_ROWS_MAX
        if full:
            self.flush()

    def flush(self) -> int:
        """Writes the buffered views; how many. What cannot be written stays in the buffer."""
        with self._lock:
            rows, self._buffer = self._buffer, []
        if not rows:
            return 0
        try:
            with self._db.write() as connection:
                self._append(connection, rows)
        except BaseException:
            with self._lock:
                self._buffer = rows + self._buffer
            raise
        return len(rows)

    def _row(self, who: Who, verb: str, what: str, result: str, now: datetime, reference: str, *, view: bool) -> dict[str, Any]:
        if now.tzinfo is None:
            raise ValueError("a moment without a time zone")
        address, salt = encoded(who.address), tokens.salt()
        return {
            "at": now.astimezone(UTC), "person": who.person or "", "system": encoded(who.system), "participant": encoded(who.participant),
            "right": encoded(who.right), "address": address or None,
            "address_salt": salt if address else None, "address_digest": _address_digest(salt, address) if address else "",
            "session": encoded(who.session), "verb": encoded(verb), "view": view, "what": encoded(what), "result": encoded(result),
            "reference": encoded(reference),
        }  # fmt: skip

    def _append(self, connection: Connection, rows: list[dict[str, Any]]) -> int:
        # The row of the head is locked: another process waits here, and no two rows follow the same one.
        head = connection.execute(sa.select(audit_head).where(audit_head.c.one == 1).with_for_update()).one()
        number, previous = head.number, bytes(head.hash)
        for row in rows:
            number += 1
            row |= {"number": number, "previous": previous}
            previous = row["hash"] = _hash(row)
        connection.execute(sa.insert(audit), rows)
        connection.execute(sa.update(audit_head).where(audit_head.c.one == 1).values(number=number, hash=previous))
        return int(number)

    def head(self) -> tuple[int, str]:
        """Number and hash (hex) of the last row: what is published and copied elsewhere. Flushes first."""
        self.flush()
        with self._db.read() as connection:
            row = connection.execute(sa.select(audit_head.c.number, audit_head.c.hash)).one()
        return row.number, bytes(row.hash).hex()

    def first_fault(self) -> str | None:
        """None, or what is wrong with the first bad row: a changed, missing or added one, or a cut tail."""
        with self._db.read() as connection:
            head = connection.execute(sa.select(audit_head)).one()
            expected, previous = 1, bytes(32)
            for row in connection.execution_options(yield_per=1000).execute(sa.select(audit).order_by(audit.c.number)):
                values = dict(row._mapping)
                if values["number"] != expected:
                    return f"row {expected} is missing"
                if bytes(values["previous"]) != previous:
                    return f"row {expected} does not follow the row before it"
                if _hash(values) != bytes(values["hash"]):
                    return f"row {expected} was changed"
                if values["address"] and _address_digest(bytes(values["address_salt"] or b""), values["address"]) != values["address_digest"]:
                    return f"row {expected} has another address than it had"
                expected, previous = expected + 1, bytes(values["hash"])
        if (head.number, bytes(head.hash)) != (expected - 1, previous):
            return f"the trail ends at row {expected - 1}, and its head says {head.number}"
        return None

    def page(
        self,
        *,
        person: str = "",
        system: str = "",
        participant: str = "",
        verb: str = "",
        result: str = "",
        views: bool | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        offset: int = 0,
        limit: int = 100,
    ) -> Page:
        """Rows that fit all that is given, newest first. verb may end in `*`. Flushes first, so that a view is in the list that follows it."""
        self.flush()
        given: Iterable[tuple[Any, Any]] = (
            (audit.c.person, person), (audit.c.system, system), (audit.c.participant, participant), (audit.c.result, result),
        )  # fmt: skip
        where = [column == value for column, value in given if value]
        if verb:
            where.append(audit.c.verb.startswith(verb[:-1], autoescape=True) if verb.endswith("*") else audit.c.verb == verb)
        if views is not None:
            where.append(audit.c.view.is_(views))
        if since is not None:
            where.append(audit.c.at >= since)
        if until is not None:
            where.append(audit.c.at < until)
        with self._db.read() as connection:
            total = connection.execute(sa.select(sa.func.count()).select_from(audit).where(*where)).scalar_one()
            rows = connection.execute(sa.select(audit).where(*where).order_by(audit.c.number.desc()).offset(offset).limit(limit))
            return Page(tuple(map(_shown, rows)), total, offset)

    def after(self, number: int, limit: int) -> tuple[Row, ...]:
        """Rows after a number, oldest first: for a copy kept elsewhere. Flushes first."""
        self.flush()
        with self._db.read() as connection:
            return tuple(map(_shown, connection.execute(sa.select(audit).where(audit.c.number > number).order_by(audit.c.number).limit(limit))))


CHAINED = ("number", "person", "system", "participant", "right", "address_digest", "session", "verb", "view", "what", "result", "reference")


def _address_digest(salt: bytes, address: str) -> str:
    return hashlib.sha256(salt + address.encode()).hexdigest()


def _hash(row: dict[str, Any]) -> bytes:
    fields = [row["at"].astimezone(UTC).isoformat(timespec="microseconds"), *(row[name] for name in CHAINED)]
    return hashlib.sha256(bytes(row["previous"]) + json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()).digest()


def _shown(row: Any) -> Row:
    return Row(
        row.number, row.at, row.person, row.system, row.participant, row.right, row.address or "", row.session,
        row.verb, row.view, row.what, row.result, row.reference,
    )  # fmt: skip
