"""Who plays in the tests: settings with quick hashes, a clock that is moved by hand, persons who can log in."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from tonne.people import COMMAND, People, PeopleRefused, PeopleSettings, Session, Who

PASSWORD = "heron under violet bridge 7"
SECRET = "q8Zr2Lw0Xv5Tn7Yb3Kd6Mf9Hs1Jp4Gc-unit"
BOX_KEY = "Vn3yKq0c7GfXb1WmT5uZr9sLhJ2oPdE8aQwYt6iRk4M="
START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
_numbers = itertools.count(1)


def quick(**more: object) -> PeopleSettings:
    """Settings with hashes that take a millisecond."""
    return PeopleSettings(secrets=(SECRET,), box_keys=(BOX_KEY,), **({"argon2_time": 1, "argon2_memory_kib": 64} | more))  # type: ignore[arg-type]


@dataclass
class Clock:
    now: datetime = START

    def pass_(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now


@dataclass
class User:
    """A person of a test, with what only that person has: password, authenticator, device."""

    people: People
    clock: Clock
    id: str
    email: str
    password: str = PASSWORD
    secret: str = ""
    token: str = ""
    device: str = "device-one"
    recovery: list[str] = field(default_factory=list)
    address: str = "192.0.2.7"

    def code(self) -> str:
        """The code of a step that was not used yet: time passes until then."""
        self.clock.pass_(seconds=30)
        return pyotp.TOTP(self.secret).at(self.clock.now)

    def log_in(self, *, device: str | None = None, end_oldest: bool = False) -> str:
        device = self.device if device is None else device
        pending = self.people.login(self.email, self.password, address=self.address, agent="Browser", device=device, now=self.clock.now)
        code = self.code()
        self.token = self.people.prove(pending.token, code, address=self.address, end_oldest=end_oldest, now=self.clock.now).token
        return self.token

    @property
    def session(self) -> Session:
        return self.people.session(self.token, self.clock.now)

    @property
    def who(self) -> Who:
        return Who(self.id, address=self.address)

    def grant(self, system: str, participant: str, *rights: str) -> str:
        return self.people.grant(self.id, system, participant, rights, by=COMMAND, now=self.clock.now).id


@dataclass
class House:
    people: People
    clock: Clock

    def invited(self, email: str = "", name: str = "Ada Quill") -> tuple[str, str, str]:
        email = email or f"person{next(_numbers)}@example.org"
        person = self.people.add_person(email, name, by=COMMAND, now=self.clock.now)
        return person.id, email, self.people.invite(person.id, by=COMMAND, now=self.clock.now)

    def user(self, email: str = "", name: str = "Ada Quill", *, rights: tuple[str, ...] = (), participant: str = "acme", system: str = "sys") -> User:
        """A person who has a password, a factor and an open session."""
        person, email, invitation = self.invited(email, name)
        if rights:
            self.people.grant(person, system, participant, rights, by=COMMAND, now=self.clock.now)
        made = User(self.people, self.clock, person, email)
        pending = self.people.accept_invitation(
            invitation, made.password, address=made.address, agent="Browser", device=made.device, now=self.clock.now
        )
        _, enrolment = self.people.enrol_factor(pending.token, address=made.address, now=self.clock.now)
        made.secret = enrolment.secret
        login, made.recovery = self.people.confirm_factor(
            pending.token, enrolment.factor, pyotp.TOTP(made.secret).at(self.clock.now), address=made.address, now=self.clock.now
        )
        made.token = login.token
        return made


def kinds(people: People, person: str) -> list[str]:
    """Kinds of a person's messages, newest first."""
    return [message.kind for message in people.messages(person).rows]  # type: ignore[attr-defined]


def refused(name: str) -> pytest.RaisesExc[PeopleRefused]:
    """The block raises the refusal of that name."""
    return pytest.raises(PeopleRefused, match=rf"^{name}:")
