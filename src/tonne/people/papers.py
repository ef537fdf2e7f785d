"""The facade's fifth part: messages, files, applications, drafts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tonne.people import applications, content, drafts, files, memberships, outbox
from tonne.people.applications import Application
from tonne.people.drafts import Draft
from tonne.people.errors import PeopleRefused
from tonne.people.federation import Federation
from tonne.people.files import File
from tonne.people.outbox import Message
from tonne.people.room import Deed
from tonne.people.who import ADMINISTRATOR, Page, Who


class Papers(Federation):
    # Messages

    def message(
        self, person: str, kind: str, subject: str, text: str, *, mail: bool = True, facts: dict[str, str] | None = None, now: datetime
    ) -> str:
        """A message to a person, shown in the portal and (mail) sent as a letter. Its id; empty for an erased person."""
        with self._db.write() as connection:
            return outbox.put(connection, self._box, person, kind, subject, text, now, mail=mail, facts=facts)

    def messages(self, person: str, *, unread: bool = False, offset: int = 0, limit: int = 100) -> Page:
        """A person's messages (Page of Message), newest first."""
        with self._db.read() as connection:
            return outbox.page(connection, person, unread=unread, offset=max(0, offset), limit=self._rows(limit))

    def mark_read(self, person: str, message: str | None = None, *, now: datetime) -> int:
        """One message of a person, or all; how many were unread."""
        with self._db.write() as connection:
            return outbox.read(connection, person, message, now)

    def letters_to_send(self, limit: int = 100) -> tuple[Message, ...]:
        """What waits for the mail, oldest first; message.link is the token of a link for this letter only."""
        with self._db.read() as connection:
            return outbox.unsent(connection, self._box, self._rows(limit))

    def letter_sent(self, message: str, *, now: datetime) -> None:
        """It was handed to the mail; its link is forgotten."""
        with self._db.write() as connection:
            outbox.mailed(connection, message, now)

    # Files

    def may_upload(self, by: Who, size: int) -> None:
        """PeopleRefused too_large or over_quota: asked with the announced size, before the upload is read."""
        with self._db.read() as connection:
            files.must_fit(connection, by, size, self.settings)

    def upload(self, name: str, data: bytes, *, kinds: tuple[str, ...] = content.KINDS, about: str = "", by: Who, now: datetime) -> File:
        """Keeps a file for `by` (its system and participant, or the person alone), checked by content, pictures without metadata.

        PeopleRefused too_large, over_quota, wrong_kind, unsafe_file, not_permitted for an organisation that `by` does not belong to.
        """
        with self._noted(by, "file.upload", about, now):
            if by.person is None:
                raise PeopleRefused("not_permitted")
            kind, kept = content.checked(name, data, kinds, self.settings)
        with self._deed(by, "file.upload", about, now) as deed:
            mine = {(m.system, m.participant) for m in memberships.of_person(deed.connection, by.person)}
            if by.participant and (by.system, by.participant) not in mine:
                raise PeopleRefused("not_permitted")
            made = files.keep(deed.connection, by, name, kind, kept, about, self.settings, now)
            deed.what = f"file {made.id} ({made.kind}, {made.size} bytes) {about}"
            return made

    def file(self, file: str, *, by: Who) -> File:
        """PeopleRefused unknown also for a file that `by` may not see: its person, its participant's readers, the system's administrators."""
        with self._db.read() as connection:
            return self._visible_file(connection, file, by)

    def file_content(self, file: str, *, by: Who, now: datetime) -> tuple[File, bytes]:
        """As file(), with its bytes. Notes the view. Send it with file.media_type and file.disposition, nosniff and a sandbox policy."""
        with self._noted(by, "file.view", f"file {file}", now), self._db.read() as connection:
            found = self._visible_file(connection, file, by)
            data = files.content(connection, file)
        self.audit.view(by, "file.view", f"file {file}", now)
        return found, data

    def _visible_file(self, connection: sa.Connection, file: str, by: Who) -> File:
        found = files.find(connection, file)
        if not (
            by.is_command
            or by.person == found.person
            or (found.participant and memberships.may(connection, by, "read", found.system, found.participant))
            or (found.system and memberships.may(connection, by, "read", found.system, ADMINISTRATOR))
        ):
            raise PeopleRefused("unknown", "There is no such file")
        return found

    def files_of(self, person: str = "", *, system: str = "", participant: str = "") -> tuple[File, ...]:
        """A person's own files, or those of a participant, newest first. The caller has checked who asks."""
        with self._db.read() as connection:
            return files.listed(connection, person=person, system=system, participant=participant)

    def remove_file(self, file: str, *, by: Who, now: datetime) -> None:
        """Its person, or the participant's manager; not while an application that was sent holds it (wrong_state)."""
        with self._deed(by, "file.remove", f"file {file}", now) as deed:
            found = self._visible_file(deed.connection, file, by)
            if by.person != found.person:
                self._must_manage(deed, found.system, found.participant)
            if any(state not in applications.WITH_APPLICANT for state in applications.applications_with(deed.connection, file)):
                raise PeopleRefused("wrong_state", "It belongs to an application that was sent")
            files.remove(deed.connection, file)

    # Applications

    def begin_application(self, system: str, organisation: str, checks: Iterable[str], *, by: Who, now: datetime) -> Application:
        """A draft of a signed-in person. checks: names of what the system's administrator has to tick before a decision."""
        with self._deed(by, "application.begin", system, now) as deed:
            if by.person is None:
                raise PeopleRefused("not_permitted")
            made = applications.begin(deed.connection, system, by.person, organisation, checks, now)
            deed.what = f"application {made} in {system}"
            return applications.find(deed.connection, made)

    def save_application(self, application: str, organisation: str, answers: Mapping[str, str], *, by: Who, now: datetime) -> Application:
        """The applicant's answers; `lei`, if given, must be a legal entity identifier."""
        with self._applicants(application, "application.save", by, now) as deed:
            applications.save(deed.connection, application, organisation, answers)
            return applications.find(deed.connection, application)

    def attach(self, application: str, label: str, name: str, data: bytes, *, by: Who, now: datetime) -> File:
        """A document (PDF, PNG, JPEG) of an application: the applicant, the administrators of its system and nobody else see it."""
        with self._noted(by, "application.attach", f"application {application}", now):
            kind, kept = content.checked(name, data, ("pdf", "png", "jpeg"), self.settings)
        with self._applicants(application, "application.attach", by, now) as deed:
            system = applications.find(deed.connection, application).system
            owner = replace(by, system=system, participant="")
            made = files.keep(deed.connection, owner, name, kind, kept, f"application {application}", self.settings, now)
            applications.attach(deed.connection, application, made.id, label, self.settings)
            deed.what += f", file {made.id}"
            return made

    def detach(self, application: str, file: str, *, by: Who, now: datetime) -> None:
        with self._applicants(application, "application.detach", by, now) as deed:
            applications.detach(deed.connection, application, file)

    def send_application(self, application: str, *, by: Who, now: datetime) -> Application:
        with self._applicants(application, "application.send", by, now) as deed:
            applications.send(deed.connection, application, by.person or "", now)
            return applications.find(deed.connection, application)

    def tick_check(self, application: str, check: str, done: bool, note: str = "", *, by: Who, now: datetime) -> Application:
        """An administrator (right initiate) ticks one check, or takes the tick back."""
        with self._administrators(application, "initiate", "application.tick", by, now) as deed:
            deed.what += f": {check} {'done' if done else 'open'}"
            applications.tick(deed.connection, application, check, done, note, by.person or "", now)
            return applications.find(deed.connection, application)

    def ask_back(self, application: str, note: str, *, by: Who, now: datetime) -> Application:
        """Back to the applicant, with what is missing. The days stand still meanwhile."""
        with self._administrators(application, "initiate", "application.ask_back", by, now) as deed:
            applications.ask_back(deed.connection, application, note, by.person or "", now)
            return self._told(deed, application, "Your application needs something", note)

    def check_application(self, application: str, *, by: Who, now: datetime) -> Application:
        """All checks are done: it goes to another administrator for the decision."""
        with self._administrators(application, "initiate", "application.check", by, now) as deed:
            applications.check(deed.connection, application, by.person or "", now)
            return applications.find(deed.connection, application)

    def approve_application(self, application: str, *, by: Who, now: datetime) -> Application:
        """A second administrator (right approve) decides. PeopleRefused same_person. What follows in the market is the caller's command."""
        with self._administrators(application, "approve", "application.approve", by, now) as deed:
            applications.approve(deed.connection, application, by.person or "", now)
            return self._told(deed, application, "Your application is approved", "You can take part now.")

    def reject_application(self, application: str, note: str, *, by: Who, now: datetime) -> Application:
        with self._administrators(application, "approve", "application.reject", by, now) as deed:
            applications.reject(deed.connection, application, note, by.person or "", now)
            return self._told(deed, application, "Your application is rejected", note)

    def application(self, application: str, *, by: Who) -> Application:
        """PeopleRefused unknown also for one that `by` may not see: the applicant, the administrators and auditors of its system."""
        with self._db.read() as connection:
            found = applications.find(connection, application)
            if not (by.is_command or by.person == found.person or memberships.may(connection, by, "read", found.system, ADMINISTRATOR)):
                raise PeopleRefused("unknown", "There is no such application")
            return found

    def applications(self, *, system: str = "", person: str = "", states: tuple[str, ...] = (), offset: int = 0, limit: int = 100) -> Page:
        """Page of Application (with steps; checks and documents by application()), longest waiting first. The caller has checked who asks."""
        with self._db.read() as connection:
            return applications.listed(connection, system=system, person=person, states=states, offset=max(0, offset), limit=self._rows(limit))

    @contextlib.contextmanager
    def _applicants(self, application: str, verb: str, by: Who, now: datetime) -> Iterator[Deed]:
        """A deed of the applicant. PeopleRefused unknown for anybody else."""
        with self._deed(by, verb, f"application {application}", now) as deed:
            if by.person is None or applications.find(deed.connection, application).person != by.person:
                raise PeopleRefused("unknown", "There is no such application")
            yield deed

    @contextlib.contextmanager
    def _administrators(self, application: str, right: str, verb: str, by: Who, now: datetime) -> Iterator[Deed]:
        """A deed of an administrator of its system, who is not the applicant."""
        with self._deed(replace(by, right=right), verb, f"application {application}", now) as deed:
            found = applications.find(deed.connection, application)
            if by.person is None or not memberships.may(deed.connection, by, right, found.system, ADMINISTRATOR):
                raise PeopleRefused("not_permitted")
            if by.person == found.person:
                raise PeopleRefused("same_person")
            yield deed

    def _told(self, deed: Deed, application: str, subject: str, text: str) -> Application:
        found = applications.find(deed.connection, application)
        facts = {"application": application, "state": found.state, "organisation": found.organisation, "note": text}
        outbox.put(deed.connection, self._box, found.person, "application", subject, text, deed.now, facts=facts)
        return found

    # Drafts: saved so often that they leave no row in the trail

    def save_draft(self, person: str, form: str, body: Mapping[str, Any], *, now: datetime) -> None:
        """PeopleRefused too_large, bad_value. form: the name of a page's form, with whatever tells its drafts apart."""
        with self._db.write() as connection:
            drafts.save(connection, person, form, body, self.settings, now)

    def draft(self, person: str, form: str) -> Draft | None:
        with self._db.read() as connection:
            return drafts.find(connection, person, form)

    def drafts_of(self, person: str) -> tuple[Draft, ...]:
        with self._db.read() as connection:
            return drafts.listed(connection, person)

    def drop_draft(self, person: str, form: str) -> None:
        with self._db.write() as connection:
            drafts.drop(connection, person, form)
