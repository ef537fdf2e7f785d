"""The second factor: one-time codes by time (RFC 6238), recovery codes, and the slow way back for somebody who lost both.

A code works once, within one step of the server's time. The shared secret is stored encrypted; recovery and replacement codes as hashes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

import pyotp
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tonne.people import tokens
from tonne.people.box import Box
from tonne.people.errors import PeopleRefused, seconds_until
from tonne.people.settings import PeopleSettings
from tonne.people.tables import factors, recovery

DIGITS = 6
RECOVERY_LENGTH = 15
REPLACEMENT_LENGTH = 20
SIX = re.compile(r"[0-9]{6}", re.ASCII)
MISREAD = str.maketrans({"o": "0", "i": "1", "l": "1", "u": "v"})


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator needs: the secret in base 32 to type, or the address for a picture to scan. Shown once."""

    factor: str
    secret: str = field(repr=False)
    uri: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Replacement:
    """The code that an administrator hands to the person by a way of its own (not by mail), and when it begins and stops working."""

    code: str = field(repr=False)
    effective_at: datetime
    ends_at: datetime


def reseal(connection: Connection, box: Box) -> int:
    """Secrets that were sealed with an older key, sealed with the first one; how many. Afterwards the older key can be taken away."""
    rows = connection.execute(sa.select(factors.c.id, factors.c.secret).where(factors.c.kind == "totp")).all()
    found = [(row.id, made) for row in rows if (made := box.renewed(row.secret)) is not None]
    for factor, made in found:
        connection.execute(sa.update(factors).where(factors.c.id == factor).values(secret=made))
    return len(found)


def enrol(connection: Connection, box: Box, person: str, label: str, settings: PeopleSettings, by: str, now: datetime) -> Enrolment:
    """A new secret that waits for its first code. One that waited before is dropped."""
    connection.execute(sa.delete(factors).where(factors.c.person == person, factors.c.state == "pending"))
    made, secret = tokens.new_id("f"), tokens.shared_secret()
    connection.execute(
        sa.insert(factors).values(
            id=made, person=person, kind="totp", state="pending", secret=box.seal(made, secret, now), last_step=0, made_at=now, made_by=by
        )
    )
    uri = pyotp.TOTP(secret, digits=DIGITS, interval=settings.code_seconds).provisioning_uri(name=label, issuer_name=settings.service)
    return Enrolment(made, secret, uri)


def has_active(connection: Connection, person: str) -> bool:
    return connection.execute(sa.select(factors.c.id).where(factors.c.person == person, factors.c.state == "active").limit(1)).scalar() is not None


def last_step(connection: Connection, person: str) -> int:
    """Of the active authenticator."""
    found = connection.execute(
        sa.select(factors.c.last_step).where(factors.c.person == person, factors.c.state == "active", factors.c.kind == "totp")
    )
    return int(found.scalar() or 0)


def activate(connection: Connection, box: Box, person: str, factor: str, code: str, settings: PeopleSettings, now: datetime) -> list[str]:
    """The first code of a waiting secret makes it the factor; what was before goes. Answers new recovery codes, shown once."""
    row = connection.execute(sa.select(factors).where(factors.c.id == factor, factors.c.person == person, factors.c.state == "pending")).one_or_none()
    if row is None:
        raise PeopleRefused("unknown", "This second factor is not being set up; begin again")
    step = _step_of(box.open_box(row.id, row.secret), code, settings, now)
    if step is None:
        raise PeopleRefused("wrong_code", field="code")
    connection.execute(sa.delete(factors).where(factors.c.person == person, factors.c.id != factor))
    connection.execute(sa.update(factors).where(factors.c.id == factor).values(state="active", last_step=step, effective_at=now))
    return new_recovery_codes(connection, person, settings)


def new_recovery_codes(connection: Connection, person: str, settings: PeopleSettings) -> list[str]:
    connection.execute(sa.delete(recovery).where(recovery.c.person == person))
    codes = [tokens.recovery_code() for _ in range(settings.recovery_codes)]
    if codes:
        connection.execute(sa.insert(recovery), [{"person": person, "code": _code_digest(code), "used_at": None} for code in codes])
    return codes


def recovery_left(connection: Connection, person: str) -> int:
    query = sa.select(sa.func.count()).select_from(recovery).where(recovery.c.person == person, recovery.c.used_at.is_(None))
    return connection.execute(query).scalar_one()


def prove(connection: Connection, box: Box, person: str, code: str, settings: PeopleSettings, now: datetime) -> str:
    """Uses up a code: `totp`, `recovery` or `replacement` says which it was. PeopleRefused wrong_code, code_used, too_early or expired."""
    text = _plain(code)
    if SIX.fullmatch(text):
        _prove_by_time(connection, box, person, text, settings, now)
        return "totp"
    if len(text) == REPLACEMENT_LENGTH:
        _prove_replacement(connection, person, code, settings, now)
        return "replacement"
    if len(text) != RECOVERY_LENGTH:
        raise PeopleRefused("wrong_code", field="code")
    mine = (recovery.c.person == person, recovery.c.code == _code_digest(code))
    if connection.execute(sa.update(recovery).where(*mine, recovery.c.used_at.is_(None)).values(used_at=now)).rowcount == 1:
        return "recovery"
    known = connection.execute(sa.select(recovery.c.code).where(*mine)).one_or_none()
    raise PeopleRefused("wrong_code" if known is None else "code_used", "" if known is None else "This recovery code was used already", field="code")


def replace(connection: Connection, person: str, settings: PeopleSettings, by: str, now: datetime) -> Replacement:
    """Begins the slow way back; a replacement that waited before is dropped."""
    cancel_replacement(connection, person)
    letters = tokens.letters(REPLACEMENT_LENGTH)
    code = "-".join(letters[at : at + 5] for at in range(0, REPLACEMENT_LENGTH, 5))
    effective = now + settings.replacement_wait
    connection.execute(
        sa.insert(factors).values(
            id=tokens.new_id("f"), person=person, kind="replacement", state="waiting", secret=_code_digest(code), last_step=0,
            made_at=now, made_by=by, effective_at=effective,
        )
    )  # fmt: skip
    return Replacement(code, effective, effective + settings.replacement_lifetime)


def cancel_replacement(connection: Connection, person: str) -> bool:
    """Whether one was waiting."""
    return connection.execute(sa.delete(factors).where(factors.c.person == person, factors.c.state == "waiting")).rowcount > 0


def replacement_effective_at(connection: Connection, person: str) -> datetime | None:
    """When a waiting replacement takes effect; None where there is none."""
    return connection.execute(sa.select(factors.c.effective_at).where(factors.c.person == person, factors.c.state == "waiting")).scalar()


def _prove_by_time(connection: Connection, box: Box, person: str, code: str, settings: PeopleSettings, now: datetime) -> None:
    row = connection.execute(sa.select(factors).where(factors.c.person == person, factors.c.state == "active")).one_or_none()
    step = None if row is None else _step_of(box.open_box(row.id, row.secret), code, settings, now)
    if row is None or step is None:
        raise PeopleRefused("wrong_code", field="code")
    moved = connection.execute(sa.update(factors).where(factors.c.id == row.id, factors.c.last_step < step).values(last_step=step)).rowcount
    if moved != 1:
        raise PeopleRefused("code_used", field="code")


def _prove_replacement(connection: Connection, person: str, code: str, settings: PeopleSettings, now: datetime) -> None:
    row = connection.execute(sa.select(factors).where(factors.c.person == person, factors.c.state == "waiting")).one_or_none()
    if row is None or not tokens.same(bytes(row.secret), _code_digest(code)):
        raise PeopleRefused("wrong_code", field="code")
    if now < row.effective_at:
        raise PeopleRefused("too_early", retry_after=seconds_until(row.effective_at - now), field="code")
    if now >= row.effective_at + settings.replacement_lifetime:
        raise PeopleRefused("expired", "The replacement was not used in time; ask the administrator again", field="code")
    # It stays until the new factor is set up: activate() removes it. Else who is interrupted there would have to wait for days again.


def _step_of(secret: str, code: str, settings: PeopleSettings, now: datetime) -> int | None:
    """The step whose code it is, if it is the present one or at most `code_drift_steps` away. All are compared, whichever fits."""
    text = _plain(code)
    if not SIX.fullmatch(text):
        return None
    otp = pyotp.TOTP(secret, digits=DIGITS, interval=settings.code_seconds)
    present = int(now.timestamp()) // settings.code_seconds
    drift = settings.code_drift_steps
    fits = [step for step in range(present - drift, present + drift + 1) if tokens.same(otp.generate_otp(step).encode(), text.encode())]
    return fits[-1] if fits else None


def _plain(code: str) -> str:
    return "".join(letter for letter in code[:100] if letter not in " -\t\u2009\u00a0").lower()


def _code_digest(code: str) -> bytes:
    """Hash of a code of 75 random bits or more, whatever the case and the dashes, with misread letters read right."""
    return tokens.digest(_plain(code).translate(MISREAD))
