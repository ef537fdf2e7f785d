"""The facade of the room. One People object serves a process; every method is safe from any thread.

Its methods come in parts, each in its file:
    entry.py       log-in, sessions         login prove session idle_ends_at act_as logout sessions_of end_session end_other_sessions
                                            csrf csrf_fits step_up confirmed new_device flush_uses
    proof.py       passwords, factors,      first_administrator invite register invitation accept_invitation change_password request_reset
                   e-mail                   reset_password check_password enrol_factor confirm_factor new_recovery_codes recovery_codes_left
                                            last_code_step replace_factor cancel_replacement replacement_effective_at change_email confirm_email
    house.py       persons, memberships,    person names person_of_email find_persons add_person set_language set_theme rename suspend_person
                   keys                     restore_person erase_person grant revoke suspend_membership restore_membership membership
                                            memberships_of members_of may create_key key keys_of allow_key_to_approve revoke_key
    federation.py  identity providers       identity_begin identity_finish identities_of unbind_identity
    papers.py      messages, files,         message messages mark_read letters_to_send letter_sent may_upload upload file file_content files_of
                   applications, drafts     remove_file begin_application save_application attach detach send_application tick_check ask_back
                                            check_application approve_application reject_application application applications
                                            save_draft draft drafts_of drop_draft
    room.py        what is shared           watch
    audit.py       people.audit             view flush head first_fault page after
    here                                    record flush tidy close
Every change writes its row in the trail in the same transaction; every refusal writes one of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime

from tonne.people import attempts, factors, links, outbox, persons, sessions
from tonne.people.database import Database
from tonne.people.papers import Papers
from tonne.people.settings import PeopleSettings
from tonne.people.who import COMMAND, Who


class People(Papers):
    def record(self, who: Who, verb: str, what: str, result: str, *, now: datetime, reference: str = "") -> int:
        """Writes a row in the trail at once: commands, exports, refusals of the server. Answers its number. Views go to people.audit.view."""
        with self._db.write() as connection:
            return self.audit.write(connection, who, verb, what, result, now, reference)

    def flush(self, now: datetime) -> None:
        """Writes what waits in memory: views, last uses. To be called every few seconds, and before the process ends (close does)."""
        self.audit.flush()
        self.flush_uses()
        self._sessions.forget(now)

    def tidy(self, now: datetime) -> None:
        """Removes what is past its retention: old sessions, links, counts of failures, registrations never finished; seals with the first key what
        an older one sealed. To be called after a start, and once a day."""
        with self._db.write() as connection:
            factors.reseal(connection, self._box)
            outbox.reseal(connection, self._box)
            sessions.forget(connection, now)
            links.forget(connection, now)
            attempts.forget(connection, now)
            for person in persons.abandoned(connection, now - links.KEPT):
                persons.erase(connection, person, "retention", now)
                self.audit.write(connection, COMMAND, "person.erase", f"person {person}", "done", now)

    def close(self) -> None:
        """Writes what waits in memory and closes the database."""
        self.audit.flush()
        self.flush_uses()
        self._db.close()


def open_people(
    where: str | os.PathLike[str], settings: PeopleSettings, *, create: bool = True, breached: Callable[[str], bool] | None = None
) -> People:
    """Opens the room's database (a path, sqlite:///PATH or postgresql://...?schema=people), made or brought up to date where needed.

    breached: asks a list of leaked passwords, if there is one. PeopleUnavailable where the database cannot be used.
    """
    db = Database(where, create=create)
    try:
        return People(db, settings, breached)
    except BaseException:
        db.close()
        raise
