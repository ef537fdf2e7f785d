"""What leaves the server: messages to everybody whom a transfer concerns, letters by mail, a copy of the audit trail at a second place.

All of it follows what is stored already, a second later, in the keeper's thread: nobody waits for it, and nothing hangs on it.
"""

from __future__ import annotations

import json
import smtplib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import structlog

from tonne.interfaces.web import letters as letter_words
from tonne.interfaces.web import words
from tonne.interfaces.web.words import N_
from tonne.people import PeopleRefused

if TYPE_CHECKING:
    from tonne.interfaces.web.place import Hall, Place

logger = structlog.get_logger("tonne.outgoing")
WAITING_MOST, LETTERS, ROWS = 10_000, 50, 500
#: verb of a command -> (subject, text) of the message to everybody concerned
MESSAGES: dict[str, tuple[str, str]] = {
    "propose": (N_("Proposed: %(what)s"), N_("%(who)s proposed: %(what)s. A second person of %(participant)s can approve it: %(link)s")),
    "approve": (N_("Approved: %(what)s"), N_("%(who)s approved: %(what)s. Its state and receipt: %(link)s")),
    "reject": (N_("Rejected: %(what)s"), N_("%(who)s rejected: %(what)s. See %(link)s")),
    "withdraw_proposal": (N_("Cancelled: %(what)s"), N_("%(who)s cancelled: %(what)s. See %(link)s")),
    "run_scheduled": (N_("Carried out: %(what)s"), N_("It was scheduled and ran now: %(what)s. Its receipt: %(link)s")),
    "lapse": (N_("Expired: %(what)s"), N_("Nobody approved it in time: %(what)s. See %(link)s")),
}


class Outgoing:
    """Of one place."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._waiting: deque[tuple[Hall, str, Mapping[str, Any], str]] = deque(maxlen=WAITING_MOST)
        self._copied = 0

    def happened(self, hall: Hall, kind: str, body: Mapping[str, Any], command_id: str) -> None:
        """A command was stored; whom it concerns hears of it soon. Called in any thread."""
        if kind in MESSAGES:
            self._waiting.append((hall, kind, body, command_id))

    def turn(self, now: datetime) -> None:
        """Write the messages, send letters, copy the trail."""
        while self._waiting:
            self._tell(*self._waiting.popleft(), now)
        if self.place.settings.mail_url:
            self._mail(now)
        if self.place.settings.sink:
            self._copy()

    def _tell(self, hall: Hall, kind: str, body: Mapping[str, Any], command_id: str, now: datetime) -> None:
        number = str(body.get("proposal") or command_id)
        with hall.read() as state:
            proposal = state.proposals.get(number)
            if proposal is None:
                return
            participants = {proposal["participant"]}
            for move in proposal["effect"].get("moves", ()):
                for account in (move["from"], move["to"]):
                    if account in state.accounts:
                        participants.add(state.accounts.holders[state.accounts.number(account)])
        people = self.place.people
        actor = str(body.get("person", ""))
        for participant in sorted(participants):
            for member in people.members_of(hall.system, participant):
                person = people.person(member.person)
                _ = words.translations(person.language).gettext
                link = f"{self.place.settings.public_url.rstrip('/')}/{hall.system}/tasks/{number}"
                facts = {
                    "what": _what(proposal, _),
                    "who": people.names([actor]).get(actor, actor) if participant == proposal["participant"] else participant,
                }
                told = facts | {"participant": participant, "link": link}
                subject, text = MESSAGES[kind]
                try:
                    people.message(member.person, f"task.{kind}", (_(subject) % told)[:200], _(text) % told, now=now)
                except PeopleRefused as refused:
                    logger.warning("a message was refused", person=member.person, name=refused.name)

    def _mail(self, now: datetime) -> None:
        letters = self.place.people.letters_to_send(LETTERS)
        if not letters:
            return
        where = urlsplit(self.place.settings.mail_url)
        kind = smtplib.SMTP_SSL if where.scheme == "smtps" else smtplib.SMTP
        try:
            with kind(where.hostname or "", where.port or 0, timeout=10) as server:
                if where.scheme == "smtp" and where.username:
                    server.starttls()
                if where.username:
                    server.login(unquote(where.username), unquote(where.password or ""))
                for letter in letters:
                    server.send_message(self._letter(letter))
                    self.place.people.letter_sent(letter.id, now=now)
        except (OSError, smtplib.SMTPException) as error:
            logger.warning("letters wait: the mail server did not take them", error=type(error).__name__)

    def _letter(self, letter: Any) -> EmailMessage:
        made = EmailMessage()
        letter = letter_words.told(letter, words.translations(letter.language).gettext)
        made["From"], made["To"], made["Subject"] = self.place.settings.mail_from or "tonne@localhost", letter.mail_to, letter.subject
        base = self.place.settings.public_url.rstrip("/")
        pages = {"invitation": "invitation", "reset": "reset", "email_change": "email"}
        link = f"\n\n{base}/{pages.get(letter.kind, letter.kind)}/{letter.link}" if letter.link else ""
        made.set_content(letter.text + link + "\n")
        return made

    def _copy(self) -> None:
        """Every line of the trail, in order, at a second place; after a start it goes on where the file ends."""
        file = Path(self.place.settings.sink)
        if not self._copied and file.exists():
            lines = file.read_bytes().splitlines()
            self._copied = json.loads(lines[-1])["number"] if lines else 0
        while rows := self.place.people.audit.after(self._copied, ROWS):
            with file.open("a", encoding="ascii") as out:
                for row in rows:
                    out.write(json.dumps(asdict(row), default=str) + "\n")
            self._copied = rows[-1].number


def _what(proposal: Mapping[str, Any], _: Callable[[str], str]) -> str:
    from tonne.interfaces.web.pages.proposals import VERBS

    moves = proposal["effect"].get("moves") or []
    first = f" {moves[0]['quantity']} {moves[0]['unit']}, {moves[0]['from']} \u2192 {moves[0]['to']}" if moves else ""
    verb = proposal["verb"]
    text = f"{_(VERBS[verb]) if verb in VERBS else verb.replace('_', ' ')}{first}"
    return "".join(letter if letter.isprintable() else "?" for letter in text)  # a subject is one line, whatever an account is called
