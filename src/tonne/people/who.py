"""The small records that this room hands out. Personal fields stay out of every repr, so that no trace of an error carries them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

RIGHTS = ("read", "initiate", "approve", "trade", "manage", "audit")
ADMINISTRATOR = "administrator"  # the participant of a system whose members are its administrators and auditors


@dataclass(frozen=True, slots=True)
class Who:
    """Who asks: person (None: nobody yet, or a command), for whom (system, participant), by which right, from where, through which session or key."""

    person: str | None = None
    system: str = ""
    participant: str = ""
    right: str = ""
    address: str = ""
    session: str = ""

    @property
    def is_command(self) -> bool:
        return self.person is None and self.right == "command"


#: Somebody at the machine's own command line. Pages and API never pass this.
COMMAND = Who(person=None, right="command", address="local")


@dataclass(frozen=True, slots=True)
class Person:
    """state: active, suspended or erased. email and name are empty after erasing."""

    id: str
    email: str = field(repr=False)
    name: str = field(repr=False)
    language: str
    theme: str
    state: str
    created_at: datetime
    has_password: bool = False
    factor: str = ""  # "", "totp"


@dataclass(frozen=True, slots=True)
class Membership:
    """state: active, suspended or ended. ended_by and ended_at also tell who suspended it."""

    id: str
    person: str
    system: str
    participant: str
    rights: frozenset[str]
    state: str
    granted_at: datetime
    granted_by: str
    ended_at: datetime | None = None
    ended_by: str = ""

    @property
    def is_administrator(self) -> bool:
        return self.participant == ADMINISTRATOR and not self.rights <= {"read", "audit"}

    @property
    def is_auditor(self) -> bool:
        return self.participant == ADMINISTRATOR and self.rights <= {"read", "audit"}


@dataclass(frozen=True, slots=True)
class Session:
    """stage: factor (password proven, code missing), enrol (a factor must be set up first) or full. Only full may act.

    memberships: the active ones. acting: the one chosen, if any. ends_at: the absolute end; the idle end moves with every use.
    """

    id: str
    person: Person
    stage: str
    memberships: tuple[Membership, ...]
    acting: Membership | None
    created_at: datetime
    ends_at: datetime
    address: str
    agent: str

    @property
    def is_full(self) -> bool:
        return self.stage == "full"


@dataclass(frozen=True, slots=True)
class Login:
    """The token for the cookie (shown once, stored hashed) and its session. session.stage says what comes next."""

    token: str = field(repr=False)
    session: Session


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One of a person's open sessions, as the person sees it in a list."""

    id: str
    created_at: datetime
    last_seen: datetime
    ends_at: datetime
    address: str
    agent: str
    stage: str


@dataclass(frozen=True, slots=True)
class Key:
    """An API key without its secret. scopes: what it may do now, cut down to what its membership still may."""

    id: str
    prefix: str
    label: str
    person: Person
    membership: Membership
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime
    last_used: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list: rows (newest first unless said otherwise), how many there are in all, where this page begins."""

    rows: tuple[object, ...]
    total: int
    offset: int


def rights_text(rights: Iterable[str]) -> str:
    """`read,approve` in the order of RIGHTS. ValueError for a right that does not exist."""
    given = set(rights)
    if unknown := given - set(RIGHTS):
        raise ValueError(f"no such right: {', '.join(sorted(unknown))}")
    return ",".join(right for right in RIGHTS if right in given)


def rights_of(text: str) -> frozenset[str]:
    return frozenset(text.split(",")) if text else frozenset()
