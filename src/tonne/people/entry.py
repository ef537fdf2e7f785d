"""The facade's first part: logging in and out, sessions, fresh confirmations."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from tonne.people import attempts, factors, memberships, passwords, persons, sessions, tokens
from tonne.people.errors import PeopleRefused
from tonne.people.room import Deed, Room, who_of
from tonne.people.tables import devices
from tonne.people.who import Login, Session, SessionLine, Who


class Entry(Room):
    """Log-in has two steps: login() opens a pending session, prove() (or confirm_factor() for a new person) the full one."""

    def new_device(self) -> str:
        """A random text for a long-lived cookie by which a device is known again. Not a right to anything."""
        return tokens.new_token()

    def login(self, email: str, password: str, *, address: str, agent: str = "", device: str = "", now: datetime) -> Login:
        """First step. The session's stage is `factor` (go on with prove) or `enrol` (go on with enrol_factor).

        PeopleRefused wrong_login (also for unknown and suspended persons, after the same time) or locked with retry_after.
        """
        with self._db.read() as connection:
            found = persons.id_of_email(connection, email)
            stored = passwords.stored_hash(connection, found) if found else None
            known = bool(found and device and _knows(connection, found, device))
            active = found is not None and persons.find(connection, found).state == "active"
        folded = persons.folded(email)
        target = f"account {found}" if found else f"unknown account {tokens.keyed(self.settings.secrets[0], 'account', folded).hex()[:12]}"
        who = Who(address=address)
        with self._noted(who, "login", target, now):
            # A device used before has a count of its own: strangers, and neighbours at the same address, do not lock it out.
            slots = self._slots("login", f"{folded}\n{device}") if known else self._slots("login", folded, address)
            receipts = self._begin_attempt(slots, now)
            if not self._passwords.fits(stored, password) or found is None or stored is None or not active:
                self._failed_attempt(receipts, found, now)
                raise PeopleRefused("wrong_login")
        fresh = self._passwords.hashed(password) if self._passwords.is_old(stored) else None
        with self._deed(Who(found, address=address), "login", target, now) as deed:
            attempts.succeeded(deed.connection, receipts)
            if fresh is not None:
                passwords.upgrade(deed.connection, found, stored, fresh)
            return self._pending(deed, found, address, agent, _device(device))

    def _pending(self, deed: Deed, person: str, address: str, agent: str, device: str, stage: str = "") -> Login:
        """A session that can only go on to the second factor. device: the hex digest of the device's cookie."""
        if not stage:
            stage = "factor" if factors.has_active(deed.connection, person) else "enrol"
        token, made = sessions.open_session(
            deed.connection, person, stage, self.settings.pending_lifetime, address=address, agent=agent, device=device, now=deed.now
        )
        return Login(token, sessions.find(deed.connection, made))

    def prove(self, token: str, code: str, *, address: str, end_oldest: bool = False, now: datetime) -> Login:
        """Second step: a one-time, recovery or (effective) replacement code. A new token; the pending one is dead.

        After a replacement code the stage is `enrol`. PeopleRefused wrong_code, code_used, too_early, locked, or too_many_sessions, which is
        asked before the code is used up: try again with end_oldest.
        """
        session = self._sessions.get(token, now, touch=False)
        if session.stage != "factor":
            raise PeopleRefused("wrong_state", "This session waits for no code")
        who, person = who_of(session, address), session.person.id
        with self._noted(who, "login.code", f"account {person}", now):
            if not end_oldest:
                with self._db.read() as connection:
                    self._must_have_room(connection, person, now)
            receipts = self._begin_attempt(self._slots("factor", person), now)
        try:
            with self._deed(who, "login.code", f"account {person}", now) as deed:
                kind = factors.prove(deed.connection, self._box, person, code, self.settings, now)
                attempts.succeeded(deed.connection, receipts)
                if kind == "recovery":
                    deed.tell(person, "recovery_used", left=str(factors.recovery_left(deed.connection, person)))
                if kind == "replacement":
                    deed.sessions_ended(person, sessions.end(deed.connection, "replaced", now, person=person, session=session.id))
                    device = sessions.device_of(deed.connection, session.id)
                    return self._pending(deed, person, address, session.agent, device, "enrol")
                return self._open_full(deed, session, address, end_oldest=end_oldest)
        except PeopleRefused:
            self._failed_attempt(receipts, person, now)
            raise

    def _must_have_room(self, connection: sa.Connection, person: str, now: datetime) -> None:
        if len(sessions.listed(connection, person, now, self.settings)) >= self.settings.sessions_per_person:
            raise PeopleRefused("too_many_sessions")

    def _open_full(self, deed: Deed, before: Session, address: str, *, end_oldest: bool) -> Login:
        """The full session that takes the place of a pending one. Tells the person about a device not seen before."""
        person, connection, now = before.person.id, deed.connection, deed.now
        device = sessions.device_of(connection, before.id)
        deed.sessions_ended(person, sessions.end(connection, "replaced", now, person=person, session=before.id))
        if end_oldest:
            keep = self.settings.sessions_per_person - 1
            for line in sessions.listed(connection, person, now, self.settings)[keep:]:
                deed.sessions_ended(person, sessions.end(connection, "replaced", now, person=person, session=line.id))
        self._must_have_room(connection, person, now)
        token, made = sessions.open_session(
            connection, person, "full", self.settings.absolute, address=address, agent=before.agent, device=device, now=now
        )
        if not _seen(connection, person, device, now):
            deed.tell(person, "new_device", agent=before.agent or "unknown")
        return Login(token, sessions.find(connection, made))

    # Sessions

    def session(self, token: str, now: datetime, *, touch: bool = True) -> Session:
        """The live session of a cookie, in microseconds. PeopleRefused no_session, expired or ended. touch=False: streams do not keep it awake.

        Its stage may be pending: only session.is_full may act. person and memberships are those of this moment.
        """
        return self._sessions.get(token, now, touch=touch)

    def idle_ends_at(self, token: str, now: datetime) -> datetime:
        """When the session ends if nothing is done: for the warning on the page. Does not count as use."""
        session = self._sessions.get(token, now, touch=False)
        seen = self._sessions.last_seen(token)
        return min(session.ends_at, (seen or now) + self.settings.idle)

    def act_as(self, token: str, membership: str | None, *, now: datetime) -> Session:
        """Chooses for whom the session acts: one of its active memberships, or nobody."""
        session = self._full(token, now)
        with self._deed(who_of(session), "session.act_as", membership or "nobody", now) as deed:
            if membership is not None and membership not in {mine.id for mine in memberships.of_person(deed.connection, session.person.id)}:
                raise PeopleRefused("not_permitted", "This is none of your active memberships")
            sessions.act_as(deed.connection, session.id, membership)
            deed.changed.add(session.person.id)
            return sessions.find(deed.connection, session.id)

    def logout(self, token: str, *, now: datetime) -> None:
        """Ends the session, pending or full. Quiet where it is over already."""
        try:
            session = self._sessions.get(token, now, touch=False)
        except PeopleRefused:
            return
        with self._deed(who_of(session), "logout", f"session {session.id}", now) as deed:
            deed.sessions_ended(session.person.id, sessions.end(deed.connection, "logout", now, person=session.person.id, session=session.id))

    def sessions_of(self, person: str, now: datetime) -> tuple[SessionLine, ...]:
        """A person's open full sessions, the one used last first."""
        self.flush_uses()
        with self._db.read() as connection:
            return sessions.listed(connection, person, now, self.settings)

    def end_session(self, token: str, session: str, *, now: datetime) -> None:
        """Ends one of the own sessions. PeopleRefused unknown for another person's."""
        mine = self._full(token, now)
        with self._deed(who_of(mine), "session.end", f"session {session}", now) as deed:
            ended = sessions.end(deed.connection, "ended", now, person=mine.person.id, session=session)
            if not ended:
                raise PeopleRefused("unknown", "None of your open sessions")
            deed.sessions_ended(mine.person.id, ended)

    def end_other_sessions(self, token: str, *, now: datetime) -> int:
        """Ends all own sessions but this one; how many. Offered after a change of password."""
        mine = self._full(token, now)
        with self._deed(who_of(mine), "session.end_others", "", now) as deed:
            ended = sessions.end(deed.connection, "ended", now, person=mine.person.id, but=mine.id)
            deed.sessions_ended(mine.person.id, ended)
            deed.what = f"{len(ended)} sessions"
            return len(ended)

    def csrf(self, session: Session) -> str:
        """The token for the forms of a session. It stays the same while the session's cookie changes."""
        return sessions.csrf_token(self.settings.secrets, session.id)

    def csrf_fits(self, session: Session, given: str) -> bool:
        """Whether a form's token is of this session, made by any of the secrets."""
        return sessions.csrf_fits(self.settings.secrets, session.id, given)

    # A fresh second factor, for exactly one content

    def step_up(self, token: str, content: str, code: str, *, address: str, now: datetime) -> Login:
        """Grants one confirmation for a content (its hash) for five minutes. The session goes on under a new token; the old one is dead.

        PeopleRefused wrong_code, code_used or locked.
        """
        session = self._full(token, now)
        if not content:
            raise PeopleRefused("bad_value", "What is to be confirmed?", field="content")
        with self._code_proven(session, "step_up", f"content {content}", code, address, now) as deed:
            sessions.confirm(deed.connection, session.id, content, self.settings.step_up_lifetime, now)
            return self._renewed(deed, session)

    def confirmed(self, session: Session, content: str, *, now: datetime) -> str:
        """Uses up the confirmation of this content in this session; its id. PeopleRefused not_confirmed: none, for other content, used or too old."""
        with self._deed(who_of(session), "confirm", f"content {content}", now) as deed:
            return sessions.consume(deed.connection, session.id, content, now)

    def _renewed(self, deed: Deed, session: Session) -> Login:
        token = sessions.renew(deed.connection, session.id, deed.now)
        deed.changed.add(session.person.id)
        return Login(token, sessions.find(deed.connection, session.id))

    def flush_uses(self) -> int:
        """Writes when sessions and keys were last used; how many."""
        with self._db.write() as connection:
            return self._sessions.flush(connection) + self._keys.flush(connection)


def _device(device: str) -> str:
    return tokens.digest(device).hex() if device else ""


def _knows(connection: sa.Connection, person: str, device: str) -> bool:
    query = sa.select(devices.c.person).where(devices.c.person == person, devices.c.device == tokens.digest(device))
    return connection.execute(query).scalar() is not None


def _seen(connection: sa.Connection, person: str, device: str, now: datetime) -> bool:
    """Notes a device (hex digest); whether it was known, or is the first one ever."""
    first = connection.execute(sa.select(devices.c.person).where(devices.c.person == person).limit(1)).scalar() is None
    if not device:
        return False
    mine = (devices.c.person == person, devices.c.device == bytes.fromhex(device))
    if connection.execute(sa.update(devices).where(*mine).values(last_seen=now)).rowcount:
        return True
    connection.execute(sa.insert(devices).values(person=person, device=bytes.fromhex(device), first_seen=now, last_seen=now))
    return first
