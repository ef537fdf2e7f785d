"""The facade's third part: persons and what they may do for whom; suspension and erasing; API keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from tonne.people import keys, links, memberships, persons, sessions
from tonne.people.errors import PeopleRefused
from tonne.people.proof import Proof
from tonne.people.room import Deed
from tonne.people.who import ADMINISTRATOR, Key, Membership, Page, Person, Session, Who


class House(Proof):
    # Persons

    def person(self, person: str) -> Person:
        """PeopleRefused unknown. An erased person is found, with empty name and e-mail."""
        with self._db.read() as connection:
            return persons.find(connection, person)

    def names(self, ids: Iterable[str]) -> dict[str, str]:
        """id -> name for many persons at once; "" for those erased or unknown."""
        wanted = sorted(set(ids))
        with self._db.read() as connection:
            return persons.names(connection, wanted)

    def person_of_email(self, email: str) -> Person | None:
        """For pages of managers and administrators only: it tells who exists."""
        with self._db.read() as connection:
            found = persons.id_of_email(connection, email)
            return persons.find(connection, found) if found else None

    def find_persons(self, text: str = "", *, offset: int = 0, limit: int = 100) -> Page:
        """Persons (Page of Person) whose name, e-mail or id contains the text, by name. For administrators only; the caller notes the view."""
        with self._db.read() as connection:
            return persons.listed(connection, text[:200], max(0, offset), self._rows(limit))

    def _rows(self, limit: int) -> int:
        return max(1, min(limit, self.settings.page_rows_max))

    def add_person(self, email: str, name: str, *, language: str = "en", by: Who, now: datetime) -> Person:
        """A new person, without password and rights. By a manager of any organisation. PeopleRefused taken, bad_value, not_permitted."""
        with self._deed(by, "person.add", "", now) as deed:
            deed.who = replace(by, right=by.right or "manage")
            if not memberships.manages_anything(deed.connection, by):
                raise PeopleRefused("not_permitted")
            made = persons.add(deed.connection, email, name, language, by.person or "command", now)
            deed.what = f"person {made}"
            return persons.find(deed.connection, made)

    def set_language(self, person: str, language: str, *, by: Who, now: datetime) -> None:
        self._change_own(person, by, now, language=persons.checked_choice(language, persons.LANGUAGES, "language"))

    def set_theme(self, person: str, theme: str, *, by: Who, now: datetime) -> None:
        self._change_own(person, by, now, theme=persons.checked_choice(theme, persons.THEMES, "theme"))

    def rename(self, person: str, name: str, *, by: Who, now: datetime) -> None:
        """The person, or who manages the person."""
        self._change_own(person, by, now, name=persons.checked_name(name))

    def _change_own(self, person: str, by: Who, now: datetime, **values: str) -> None:
        with self._deed(by, "person.change", f"person {person}: {', '.join(values)}", now) as deed:
            if by.person != person:
                self._must_manage_person(deed, person)
            persons.change(deed.connection, person, now, **values)
            deed.changed.add(person)

    def suspend_person(self, person: str, *, by: Who, now: datetime) -> None:
        """Sessions, links and keys are dead at once; log-in fails as if the password were wrong."""
        with self._deed(by, "person.suspend", f"person {person}", now) as deed:
            self._not_oneself(by, person)
            self._must_manage_person(deed, person)
            if persons.find(deed.connection, person).state != "active":
                raise PeopleRefused("wrong_state")
            persons.change(deed.connection, person, now, state="suspended")
            self._cut_off(deed, person, "suspended")
            links.kill(deed.connection, person, now)
            deed.tell(person, "suspended")

    def restore_person(self, person: str, *, by: Who, now: datetime) -> None:
        """Sessions and keys stay dead: the person logs in anew and makes new keys."""
        with self._deed(by, "person.restore", f"person {person}", now) as deed:
            self._not_oneself(by, person)
            self._must_manage_person(deed, person)
            if persons.find(deed.connection, person).state != "suspended":
                raise PeopleRefused("wrong_state")
            persons.change(deed.connection, person, now, state="active")
            deed.changed.add(person)
            deed.tell(person, "restored")

    def erase_person(self, person: str, *, by: Who, now: datetime) -> None:
        """Name, e-mail, secrets, letters, drafts, own files and network addresses go; the id and what was done under it stay. Not undone.

        By the person, by an administrator of all the person's systems, or by a command.
        """
        with self._deed(by, "person.erase", f"person {person}", now) as deed:
            if persons.find(deed.connection, person).state == "erased":
                raise PeopleRefused("wrong_state")
            if by.person != person:
                self._must_administer(deed, person)
            self._cut_off(deed, person, "erased")
            persons.erase(deed.connection, person, by.person or "command", now)
            deed.who = replace(deed.who, address="") if by.person == person else deed.who
        self._db.shred()

    def _must_administer(self, deed: Deed, person: str) -> None:
        deed.who = replace(deed.who, right=deed.who.right or "manage")
        theirs = memberships.of_person(deed.connection, person, all_states=True)
        systems = {membership.system for membership in theirs}
        ok = all(memberships.may(deed.connection, deed.who, "manage", system, ADMINISTRATOR) for system in systems)
        if not ok or (not systems and not memberships.manages_anything(deed.connection, deed.who)):
            raise PeopleRefused("not_permitted")

    def _cut_off(self, deed: Deed, person: str, why: str) -> None:
        deed.sessions_ended(person, sessions.end(deed.connection, why, deed.now, person=person))
        deed.keys_ended(keys.revoke(deed.connection, deed.who.person or "command", deed.now, person=person))

    def _not_oneself(self, by: Who, person: str) -> None:
        if by.person == person:
            raise PeopleRefused("same_person")

    # Memberships

    def grant(self, person: str, system: str, participant: str, rights: Iterable[str], *, by: Who, now: datetime) -> Membership:
        """Rights for a participant of a system, in the place of those before. Sessions (and keys) end where a right is lost.

        By the participant's manager or the system's administrator, never for oneself. PeopleRefused not_permitted, same_person, bad_value.
        """
        with self._deed(by, "membership.grant", f"person {person} in {system} {participant}", now) as deed:
            self._not_oneself(by, person)
            self._must_manage(deed, system, participant)
            if persons.find(deed.connection, person).state == "erased":
                raise PeopleRefused("unknown", "There is no such person")
            before = [m for m in memberships.of_person(deed.connection, person) if (m.system, m.participant) == (system, participant)]
            made, lost = memberships.grant(deed.connection, person, system, participant, rights, by.person or "command", now)
            found = memberships.find(deed.connection, made)
            text = ", ".join(sorted(found.rights))
            deed.what += f": {text}"
            deed.changed.add(person)
            if lost:
                deed.sessions_ended(person, sessions.end(deed.connection, "rights", now, person=person))
            if before and lost:
                deed.keys_ended(keys.revoke(deed.connection, by.person or "command", now, membership=before[0].id))
            elif before:
                keys.move(deed.connection, before[0].id, made)
                sessions.move(deed.connection, before[0].id, made)
            deed.tell(person, "rights_changed", participant=participant, system=system, rights=text)
        self._keys.drop()
        return found

    def revoke(self, membership: str, *, by: Who, now: datetime) -> None:
        """The membership ends; the person's sessions and its keys are dead at once."""
        self._stop(membership, "ended", "membership.revoke", by, now)

    def suspend_membership(self, membership: str, *, by: Who, now: datetime) -> None:
        """As revoke, but it can be restored; its keys stay dead even then."""
        self._stop(membership, "suspended", "membership.suspend", by, now)

    def _stop(self, membership: str, state: str, verb: str, by: Who, now: datetime) -> None:
        with self._deed(by, verb, f"membership {membership}", now) as deed:
            found = memberships.find(deed.connection, membership)
            self._must_manage(deed, found.system, found.participant)
            memberships.end(deed.connection, membership, state, by.person or "command", now)
            deed.keys_ended(keys.revoke(deed.connection, by.person or "command", now, membership=membership))
            deed.sessions_ended(found.person, sessions.end(deed.connection, "rights", now, person=found.person))
            deed.tell(found.person, "rights_changed", participant=found.participant, system=found.system, rights="none")

    def restore_membership(self, membership: str, *, by: Who, now: datetime) -> None:
        with self._deed(by, "membership.restore", f"membership {membership}", now) as deed:
            found = memberships.find(deed.connection, membership)
            self._not_oneself(by, found.person)
            self._must_manage(deed, found.system, found.participant)
            memberships.restore(deed.connection, membership)
            deed.changed.add(found.person)
            rights = ", ".join(sorted(found.rights))
            deed.tell(found.person, "rights_changed", participant=found.participant, system=found.system, rights=rights)

    def membership(self, membership: str) -> Membership:
        with self._db.read() as connection:
            return memberships.find(connection, membership)

    def memberships_of(self, person: str, *, all_states: bool = False) -> tuple[Membership, ...]:
        """Active ones, oldest first; all_states: also suspended and ended ones, which tell who could do what when."""
        with self._db.read() as connection:
            return memberships.of_person(connection, person, all_states=all_states)

    def members_of(self, system: str, participant: str, *, all_states: bool = False) -> tuple[Membership, ...]:
        """Active memberships of active persons, oldest first."""
        with self._db.read() as connection:
            return memberships.members_of(connection, system, participant, all_states=all_states)

    def may(self, person: str, right: str, system: str, participant: str) -> bool:
        """Whether a person holds a right at this moment: asked again when a command runs, not only when its page was drawn."""
        with self._db.read() as connection:
            return memberships.may(connection, Who(person), right, system, participant)

    # API keys

    def create_key(
        self, session: Session, label: str, scopes: Iterable[str], *, lifetime: timedelta | None = None, address: str, now: datetime
    ) -> tuple[str, Key]:
        """A key for the membership that the session acts in: the key itself (shown once, not stored) and its record. The caller asks for a step-up.

        PeopleRefused not_permitted for scopes that the person has not, approve and manage; too_many_keys; bad_value.
        """
        acting = session.acting
        who = Who(session.person.id, acting.system if acting else "", acting.participant if acting else "", "", address, session.id)
        with self._deed(who, "key.create", "", now) as deed:
            if not session.is_full or acting is None:
                raise PeopleRefused("not_permitted", "A key belongs to a membership; choose one first")
            present = memberships.find(deed.connection, acting.id)
            if present.state != "active":
                raise PeopleRefused("not_permitted")
            secret, made = keys.make(deed.connection, present, label, scopes, lifetime, self.settings, now)
            found = keys.find(deed.connection, made)
            deed.what = f"key {made} with {', '.join(sorted(found.scopes))}"
            deed.tell(session.person.id, "key_made", label=found.label, expires=found.expires_at.date().isoformat())
            return secret, found

    def key(self, text: str, now: datetime) -> Key:
        """The live key that a request carries, in microseconds. PeopleRefused wrong_key, expired, ended. Its scopes are those of this moment."""
        return self._keys.get(text, now)

    def keys_of(self, person: str = "", *, system: str = "", participant: str = "") -> tuple[Key, ...]:
        """Keys of a person or of an organisation, newest first, also ended ones, without their secrets."""
        self.flush_uses()
        with self._db.read() as connection:
            return keys.listed(connection, person=person, system=system, participant=participant)

    def allow_key_to_approve(self, key: str, *, by: Who, now: datetime) -> None:
        """Another person who manages the organisation lets a key approve, where the key's person may. PeopleRefused same_person, not_permitted."""
        with self._deed(by, "key.allow_approve", f"key {key}", now) as deed:
            found = keys.find(deed.connection, key)
            self._not_oneself(by, found.person.id)
            self._must_manage(deed, found.membership.system, found.membership.participant)
            if "approve" not in found.membership.rights:
                raise PeopleRefused("not_permitted", "The key's person may not approve either")
            if found.revoked_at is not None or now >= found.expires_at:
                raise PeopleRefused("ended", "This API key is not valid any more")
            keys.allow_approving(deed.connection, key)
            deed.tell(found.person.id, "key_approves", label=found.label)
        self._keys.drop()

    def revoke_key(self, key: str, *, by: Who, now: datetime) -> None:
        """Its person, the organisation's manager or an administrator. Dead at once."""
        with self._deed(by, "key.revoke", f"key {key}", now) as deed:
            found = keys.find(deed.connection, key)
            if by.person != found.person.id:
                self._must_manage(deed, found.membership.system, found.membership.participant)
            gone = keys.revoke(deed.connection, by.person or "command", now, key=key)
            if not gone:
                raise PeopleRefused("wrong_state", "This API key was revoked already")
            deed.keys_ended(gone)
