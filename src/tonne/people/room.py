"""What all parts of the facade share: the database, the caches, and the frame around every deed, which writes the trail in the same transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.engine import Connection

from tonne.people import attempts, factors, memberships, outbox, persons, tokens
from tonne.people.audit import Trail
from tonne.people.box import Box
from tonne.people.database import Database
from tonne.people.errors import PeopleRefused
from tonne.people.keys import KeyCache
from tonne.people.passwords import Passwords
from tonne.people.sessions import Ended, SessionCache
from tonne.people.settings import PeopleSettings
from tonne.people.who import Session, Who


@dataclass(slots=True)
class Deed:
    """One change under way: its transaction, who does it, what it is about (both may become clear on the way), and what follows when it is stored."""

    connection: Connection
    box: Box
    who: Who
    what: str
    now: datetime
    result: str = "done"
    changed: set[str] = field(default_factory=set)  # persons whose sessions must be read again
    ended: list[tuple[str, str]] = field(default_factory=list)  # ("session" or "key", id)

    def tell(self, person: str, kind: str, *, mail_to: str | None = None, link: str = "", **facts: str) -> None:
        outbox.tell(self.connection, self.box, person, kind, self.now, mail_to=mail_to, link=link, **facts)

    def sessions_ended(self, person: str, ids: tuple[str, ...]) -> None:
        self.changed.add(person)
        self.ended += [("session", made) for made in ids]

    def keys_ended(self, ids: tuple[str, ...]) -> None:
        self.ended += [("key", made) for made in ids]


class Room:
    def __init__(self, db: Database, settings: PeopleSettings, breached: Callable[[str], bool] | None = None) -> None:
        self.settings = settings
        self._db = db
        self._box = Box(settings.box_keys)
        self._passwords = Passwords(settings, breached)
        self._sessions = SessionCache(db, settings)
        self._keys = KeyCache(db, settings)
        self._watchers: list[Ended] = []
        self.audit = Trail(db)

    def watch(self, ended: Ended) -> None:
        """ended(kind, id) is called right after a "session" or "key" was ended by somebody: close its event streams. It must not raise."""
        self._watchers.append(ended)

    @contextlib.contextmanager
    def _noted(self, who: Who, verb: str, what: str, now: datetime) -> Iterator[None]:
        """A refusal inside is written to the trail, once, and passed on."""
        try:
            yield
        except PeopleRefused as refusal:
            self._note(refusal, who, verb, what, now)
            raise

    def _note(self, refusal: PeopleRefused, who: Who, verb: str, what: str, now: datetime) -> None:
        if not refusal.noted:
            with self._db.write() as connection:
                self.audit.write(connection, who, verb, what, refusal.name, now)
            refusal.noted = True

    @contextlib.contextmanager
    def _deed(self, who: Who, verb: str, what: str, now: datetime, reference: str = "") -> Iterator[Deed]:
        """A transaction with its row in the trail: both are stored or neither. A refusal takes the change back and leaves its own row."""
        deed: Deed | None = None
        try:
            with self._db.write() as connection:
                deed = Deed(connection, self._box, who, what, now)
                yield deed
                self.audit.write(connection, deed.who, verb, deed.what, deed.result, now, reference)
        except PeopleRefused as refusal:
            self._note(refusal, who if deed is None else deed.who, verb, what if deed is None else deed.what, now)
            raise
        if deed.changed:
            self._sessions.drop(*deed.changed)
        if any(kind == "key" for kind, _ in deed.ended):
            self._keys.drop()
        for kind, made in deed.ended:
            for watcher in self._watchers:
                watcher(kind, made)

    # Failed attempts

    def _slots(self, what: str, whose: str, address: str = "") -> list[attempts.Slot]:
        """What an attempt is counted under: the person (or who it is meant for), and the address it comes from, where one is given."""
        secret = self.settings.secrets[0]  # a new secret only makes failures before it forgotten
        slots = [attempts.Slot(tokens.keyed(secret, what, whose), self.settings.failures_per_person, True)]
        if address:
            slots.append(attempts.Slot(tokens.keyed(secret, what, "address", address), self.settings.failures_per_address, False))
        return slots

    def _begin_attempt(self, slots: list[attempts.Slot], now: datetime) -> list[attempts.Receipt]:
        """Counts an attempt before it is made. PeopleRefused locked with retry_after."""
        with self._db.write() as connection:
            wait = attempts.waiting(connection, slots, now)
            if wait:
                raise PeopleRefused("locked", retry_after=wait)
            return attempts.begin(connection, slots, self.settings, now)

    def _failed_attempt(self, receipts: list[attempts.Receipt], person: str | None, now: datetime) -> None:
        """Tells the person when the failures have just made log-in wait."""
        if person is None or not receipts[0].locked:
            return
        with self._db.write() as connection:
            wait = attempts.waiting(connection, [receipts[0].slot], now)
            outbox.tell(connection, self._box, person, "login_blocked", now, minutes=str(-(-wait // 60)))

    @contextlib.contextmanager
    def _code_proven(self, session: Session, verb: str, what: str, code: str, address: str, now: datetime) -> Iterator[Deed]:
        """A deed that needs a fresh second factor of a full session: a one-time or recovery code, counted as an attempt."""
        who, person = who_of(session, address), session.person.id
        with self._noted(who, verb, what, now):
            receipts = self._begin_attempt(self._slots("factor", person), now)
        try:
            with self._deed(who, verb, what, now) as deed:
                kind = factors.prove(deed.connection, self._box, person, code, self.settings, now)
                if kind == "replacement":
                    raise PeopleRefused("wrong_code", field="code")
                if kind == "recovery":
                    deed.tell(person, "recovery_used", left=str(factors.recovery_left(deed.connection, person)))
                attempts.succeeded(deed.connection, receipts)
                yield deed
        except PeopleRefused:
            self._failed_attempt(receipts, person, now)
            raise

    # Who may

    def _must_manage(self, deed: Deed, system: str, participant: str) -> None:
        """not_permitted unless `deed.who` manages that organisation now, or is an administrator of the system. Notes by which right."""
        if not deed.who.right:
            deed.who = replace(deed.who, right="manage")
        if not memberships.may_manage(deed.connection, deed.who, system, participant):
            raise PeopleRefused("not_permitted")

    def _must_manage_person(self, deed: Deed, person: str) -> None:
        """not_permitted unless `deed.who` manages every organisation that the person belongs to.

        The manager of one organisation has no power over somebody who also acts for another; an administrator of all their systems has.
        """
        if not deed.who.right:
            deed.who = replace(deed.who, right="manage")
        persons.find(deed.connection, person)
        theirs = memberships.of_person(deed.connection, person, all_states=True)
        living = [membership for membership in theirs if membership.state != "ended"] or list(theirs)
        if not living:
            if not memberships.manages_anything(deed.connection, deed.who):
                raise PeopleRefused("not_permitted")
            return
        if not all(memberships.may_manage(deed.connection, deed.who, membership.system, membership.participant) for membership in living):
            raise PeopleRefused("not_permitted")

    def _full(self, token: str, now: datetime) -> Session:
        """The full session of a token. PeopleRefused factor_needed for one that is still pending."""
        session = self._sessions.get(token, now, touch=True)
        if not session.is_full:
            raise PeopleRefused("factor_needed")
        return session


def who_of(session: Session, address: str = "", right: str = "") -> Who:
    """The person of a session, acting as the session acts."""
    acting = session.acting
    return Who(
        session.person.id,
        acting.system if acting else "",
        acting.participant if acting else "",
        right,
        address or session.address,
        session.id,
    )
