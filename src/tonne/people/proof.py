"""The facade's second part: how a person comes to a password, a second factor, an e-mail address, and how they are changed."""

from __future__ import annotations

from datetime import datetime, timedelta

from tonne.people import attempts, factors, links, memberships, passwords, persons, sessions
from tonne.people.entry import Entry, _device
from tonne.people.errors import PeopleRefused
from tonne.people.factors import Enrolment, Replacement
from tonne.people.room import Deed, who_of
from tonne.people.who import ADMINISTRATOR, COMMAND, Login, Person, Who

LETTERS_IN_A_WINDOW = 3  # resets and registrations for one address; more are dropped silently


class Proof(Entry):
    # Becoming a user

    def first_administrator(self, email: str, name: str, systems: tuple[str, ...], *, language: str = "en", now: datetime) -> str:
        """The token of an invitation for the first administrator of systems; "" for a person who has a password already.

        For the command line: no page and no API calls this.

        PeopleRefused not_first where one of the systems has an administrator already.
        """
        with self._deed(COMMAND, "administrator.first", ", ".join(systems), now) as deed:
            if not systems:
                raise PeopleRefused("bad_value", "Name at least one system", field="systems")
            for system in systems:
                if memberships.has_administrator(deed.connection, system):
                    raise PeopleRefused("not_first")
            known = persons.id_of_email(deed.connection, email)
            person = known or persons.add(deed.connection, email, name, language, "command", now)
            rights = ("read", "initiate", "approve", "manage", "audit")
            for system in systems:
                memberships.grant(deed.connection, person, system, ADMINISTRATOR, rights, "command", now)
            deed.changed.add(person)
            return "" if persons.find(deed.connection, person).has_password else self._invite(deed, person)

    def invite(self, person: str, *, by: Who, now: datetime) -> str:
        """A new invitation for a person without a password: the token of its link, which the letter in the outbox carries too.

        PeopleRefused wrong_state for a person who has a password: nobody sets another's password.
        """
        with self._deed(by, "person.invite", f"person {person}", now) as deed:
            self._must_manage_person(deed, person)
            return self._invite(deed, person)

    def _invite(self, deed: Deed, person: str) -> str:
        found = persons.find(deed.connection, person)
        if found.has_password or found.state != "active":
            raise PeopleRefused("wrong_state", "This person has a password already, or is not active")
        lifetime = self.settings.link_lifetime
        token = links.make(deed.connection, "invitation", person, lifetime, deed.now)
        deed.tell(person, "invitation", link=token, hours=_hours(lifetime))
        return token

    def register(self, email: str, name: str, *, language: str = "en", address: str, now: datetime) -> None:
        """Somebody wants an account, to apply. Same answer whether the address is known: the letter to it says what is the case."""
        email, name = persons.checked_email(email), persons.checked_name(name)
        if not self._letter_allowed("register", email, address, now):
            return
        with self._deed(Who(address=address), "person.register", "", now) as deed:
            known = persons.id_of_email(deed.connection, email)
            if known is None:
                known = persons.add(deed.connection, email, name, language, "registration", now)
            found = persons.find(deed.connection, known)
            deed.what = f"person {known}"
            if found.state == "active" and not found.has_password:
                self._invite(deed, known)
            elif found.state == "active":
                deed.tell(known, "registered_already")

    def invitation(self, token: str, *, now: datetime) -> Person:
        """Whom an invitation is for, without using it. PeopleRefused link_unknown, link_used, expired."""
        with self._db.read() as connection:
            link = links.look(connection, "invitation", token, now)
            return persons.find(connection, link.person or "")

    def accept_invitation(self, token: str, password: str, *, address: str, agent: str = "", device: str = "", now: datetime) -> Login:
        """The invited person chooses a password. The session's stage is `enrol`: a second factor comes next.

        PeopleRefused weak_password (the link still works then), link_unknown, link_used, expired.
        """
        with self._noted(Who(address=address), "invitation.accept", "", now):
            person = self.invitation(token, now=now)
            text = self._passwords.must_be_good(password, (person.name, person.email))
            made = self._passwords.hashed(text)
        with self._deed(Who(person.id, address=address), "invitation.accept", f"person {person.id}", now) as deed:
            links.use(deed.connection, "invitation", token, now)
            if person.state != "active" or passwords.stored_hash(deed.connection, person.id) is not None:
                raise PeopleRefused("wrong_state")
            passwords.store(deed.connection, person.id, made, now)
            return self._pending(deed, person.id, address, agent, _device(device))

    # Passwords

    def change_password(self, token: str, old: str, new: str, *, address: str, now: datetime) -> int:
        """Sets a new password; answers how many other sessions are open, so that ending them can be offered.

        PeopleRefused wrong_password, weak_password, locked.
        """
        session = self._full(token, now)
        person, who = session.person, who_of(session, address)
        with self._noted(who, "password.change", "", now):
            receipts = self._begin_attempt(self._slots("password", person.id), now)
            with self._db.read() as connection:
                stored = passwords.stored_hash(connection, person.id)
            if not self._passwords.fits(stored, old):
                self._failed_attempt(receipts, person.id, now)
                raise PeopleRefused("wrong_password", field="old")
            with self._db.write() as connection:
                attempts.succeeded(connection, receipts)
            made = self._passwords.hashed(self._passwords.must_be_good(new, (person.name, person.email)))
        with self._deed(who, "password.change", "", now) as deed:
            passwords.store(deed.connection, person.id, made, now)
            deed.tell(person.id, "password_changed")
            return len(sessions.listed(deed.connection, person.id, now, self.settings)) - 1

    def request_reset(self, email: str, *, address: str, now: datetime) -> None:
        """A letter with a link, where the address is known. Answers the same, after about the same time, where it is not."""
        if not self._letter_allowed("reset", email, address, now):
            return
        with self._deed(Who(address=address), "password.reset_asked", "", now) as deed:
            found = persons.id_of_email(deed.connection, email)
            person = persons.find(deed.connection, found) if found else None
            usable = person is not None and person.state == "active" and person.has_password
            lifetime = self.settings.link_lifetime
            # Where nobody is known, a link for nobody is made: the same work, and it opens nothing.
            token = links.make(deed.connection, "reset" if usable else "nothing", found if usable else None, lifetime, now)
            if person is not None and usable:
                deed.what = f"account {found}"
                deed.tell(person.id, "reset", link=token, hours=_hours(lifetime))

    def reset_password(self, token: str, new: str, *, address: str, now: datetime) -> None:
        """Sets a new password by a link and ends all sessions. The second factor is asked at log-in as before.

        PeopleRefused weak_password (the link still works then), link_unknown, link_used, expired.
        """
        with self._noted(Who(address=address), "password.reset", "", now):
            with self._db.read() as connection:
                person = persons.find(connection, links.look(connection, "reset", token, now).person or "")
            made = self._passwords.hashed(self._passwords.must_be_good(new, (person.name, person.email)))
        with self._deed(Who(person.id, address=address), "password.reset", f"account {person.id}", now) as deed:
            links.use(deed.connection, "reset", token, now)
            if person.state != "active":
                raise PeopleRefused("wrong_state")
            passwords.store(deed.connection, person.id, made, now)
            deed.sessions_ended(person.id, sessions.end(deed.connection, "password", now, person=person.id))
            deed.tell(person.id, "password_changed")

    def check_password(self, password: str, *, name: str = "", email: str = "") -> None:
        """PeopleRefused weak_password with a reason: for the form, before it is sent."""
        self._passwords.must_be_good(password, (name, email))

    def _letter_allowed(self, what: str, email: str, address: str, now: datetime) -> bool:
        """Counts letters to one address and from one place. Over the number nothing is sent, and nothing is told."""
        slots = self._slots(what, persons.folded(email), address)
        slots[0] = attempts.Slot(slots[0].what, LETTERS_IN_A_WINDOW, True)
        try:
            with self._noted(Who(address=address), f"letter.{what}", "", now):
                self._begin_attempt(slots, now)
        except PeopleRefused:
            return False
        return True

    # Second factors

    def enrol_factor(self, token: str, *, code: str = "", address: str, now: datetime) -> tuple[Login, Enrolment]:
        """A new secret for an authenticator. In a full session the present factor's code is asked, and the session's token is renewed.

        Go on with confirm_factor. PeopleRefused wrong_state for a session that waits for the present factor, wrong_code, code_used, locked.
        """
        session = self._sessions.get(token, now, touch=True)
        if session.stage == "factor":
            raise PeopleRefused("factor_needed", "Show your present second factor first")
        person = session.person
        if session.is_full:
            with self._code_proven(session, "factor.enrol", "", code, address, now) as deed:
                made = factors.enrol(deed.connection, self._box, person.id, person.email, self.settings, person.id, now)
                return self._renewed(deed, session), made
        with self._deed(who_of(session, address), "factor.enrol", "", now) as deed:
            return Login(token, session), factors.enrol(deed.connection, self._box, person.id, person.email, self.settings, person.id, now)

    def confirm_factor(self, token: str, factor: str, code: str, *, address: str, now: datetime) -> tuple[Login, list[str]]:
        """The first code of a new authenticator makes it the factor; the old one goes. Answers the session (full, new token) and recovery codes."""
        session = self._sessions.get(token, now, touch=True)
        if session.stage == "factor":
            raise PeopleRefused("factor_needed", "Show your present second factor first")
        person, who = session.person.id, who_of(session, address)
        with self._noted(who, "factor.confirm", f"factor {factor}", now):
            receipts = self._begin_attempt(self._slots("factor", person), now)
        try:
            with self._deed(who, "factor.confirm", f"factor {factor}", now) as deed:
                codes = factors.activate(deed.connection, self._box, person, factor, code, self.settings, now)
                attempts.succeeded(deed.connection, receipts)
                deed.tell(person, "factor_changed")
                deed.changed.add(person)
                if session.is_full:
                    return self._renewed(deed, session), codes
                return self._open_full(deed, session, address, end_oldest=True), codes
        except PeopleRefused:
            self._failed_attempt(receipts, person, now)
            raise

    def new_recovery_codes(self, token: str, code: str, *, address: str, now: datetime) -> tuple[Login, list[str]]:
        """Ten new recovery codes in the place of the old ones; the session goes on under a new token."""
        session = self._full(token, now)
        with self._code_proven(session, "factor.recovery_codes", "", code, address, now) as deed:
            codes = factors.new_recovery_codes(deed.connection, session.person.id, self.settings)
            deed.tell(session.person.id, "factor_changed")
            return self._renewed(deed, session), codes

    def last_code_step(self, person: str) -> int:
        """The time step of the last one-time code that a person used; 0 before the first. For a demonstration, which shows codes."""
        with self._db.read() as connection:
            return factors.last_step(connection, person)

    def recovery_codes_left(self, person: str) -> int:
        with self._db.read() as connection:
            return factors.recovery_left(connection, person)

    def replace_factor(self, person: str, *, by: Who, now: datetime) -> Replacement:
        """A manager or administrator begins the replacement of a lost factor. The code is handed over by another way than mail, and works after
        the waiting time, in the place of a one-time code. The person is told at once and can cancel. PeopleRefused same_person for oneself."""
        with self._deed(by, "factor.replace", f"account {person}", now) as deed:
            if by.person == person:
                raise PeopleRefused("same_person")
            self._must_manage_person(deed, person)
            if not factors.has_active(deed.connection, person):
                raise PeopleRefused("wrong_state", "This person has no second factor; it is set up at the next log-in")
            made = factors.replace(deed.connection, person, self.settings, by.person or "command", now)
            deed.tell(person, "factor_replacement", effective=made.effective_at.strftime("%Y-%m-%d %H:%M"))
            return made

    def cancel_replacement(self, person: str, *, by: Who, now: datetime) -> None:
        """The person (in a full session), or who manages the person, stops a replacement. PeopleRefused unknown where none waits."""
        with self._deed(by, "factor.replace_cancel", f"account {person}", now) as deed:
            if by.person != person:
                self._must_manage_person(deed, person)
            if not factors.cancel_replacement(deed.connection, person):
                raise PeopleRefused("unknown", "No replacement is waiting")
            deed.tell(person, "replacement_cancelled")

    def replacement_effective_at(self, person: str) -> datetime | None:
        """When a waiting replacement takes effect; None where none waits."""
        with self._db.read() as connection:
            return factors.replacement_effective_at(connection, person)

    # E-mail address

    def change_email(self, token: str, email: str, code: str, *, address: str, now: datetime) -> Login:
        """Begins a change: a link to the new address, a notice to the old one. The session goes on under a new token."""
        session = self._full(token, now)
        email = persons.checked_email(email)
        with self._code_proven(session, "email.change", "", code, address, now) as deed:
            lifetime, person = self.settings.email_link_lifetime, session.person.id
            deed.tell(person, "email_changing")
            # Where the address belongs to somebody else, no link is sent there; the answer does not tell.
            if persons.id_of_email(deed.connection, email) is None:
                link = links.make(deed.connection, "email", person, lifetime, now, email=email)
                deed.tell(person, "email_change", mail_to=email, link=link, hours=_hours(lifetime))
            return self._renewed(deed, session)

    def confirm_email(self, link: str, *, address: str, now: datetime) -> None:
        """The link at the new address: from now on it is the address. Old and new address are told."""
        with self._deed(Who(address=address), "email.confirm", "", now) as deed:
            found = links.use(deed.connection, "email", link, now)
            person = persons.find(deed.connection, found.person or "")
            deed.what = f"account {person.id}"
            persons.change(deed.connection, person.id, now, email=found.detail["email"])
            deed.tell(person.id, "email_changed", mail_to=person.email)
            deed.tell(person.id, "email_changed")
            deed.changed.add(person.id)


def _hours(span: timedelta) -> str:
    return str(span // timedelta(hours=1))
