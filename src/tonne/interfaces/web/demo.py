"""A demonstration: a living market built by commands, a login for each kind of person, bots that keep it going. Never part of another server."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
import structlog

from tonne.administration.commands import Command, Reply
from tonne.interfaces.web.clock import Clock
from tonne.interfaces.web.place import Hall, Place
from tonne.interfaces.web.settings import Settings, kept_secret
from tonne.interfaces.web.words import N_
from tonne.people import COMMAND, People

logger = structlog.get_logger("tonne.demo")
#: Steps of thirty seconds by which a demo's codes may be ahead: nobody who looks at a demo waits for the next code.
AHEAD = 20
PASSWORD = "a-{0}-looks-around-the-market"
TICK_S = 1.0
#: id -> (title, what they come for, persona of the plan, rights)
PERSONAS: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "operator": (
        N_("Operator"),
        N_("What do I owe, what do I hold, until when? Report, buy, surrender."),
        "operator",
        ("read", "initiate", "trade", "manage"),
    ),
    "approver": (N_("Second person"), N_("Approves what the operator proposed. Nobody approves their own."), "operator", ("read", "approve")),
    "verifier": (N_("Verifier"), N_("Reports that wait, by deadline: check, sign, or return with findings."), "verifier", ("read", "initiate")),
    "trader": (
        N_("Trader"),
        N_("The book with depth and live trades, a ticket, orders, positions, margin."),
        "trader",
        ("read", "initiate", "approve", "trade", "manage"),
    ),
    "administrator": (
        N_("Administrator"),
        N_("Runs the year: what the law does next, what waits for approval."),
        "administrator",
        ("read", "initiate", "approve", "manage", "audit"),
    ),
    "colleague": (
        N_("Second administrator"),
        N_("Approves what the first one proposed."),
        "administrator",
        ("read", "initiate", "approve", "manage", "audit"),
    ),
    "auditor": (N_("Auditor"), N_("The log, its hash chain, the market as it stood on a day."), "auditor", ("read", "audit")),
}
NAMES = {
    "operator": "Ana Costa",
    "approver": "Li Wei",
    "verifier": "Vera Lindqvist",
    "trader": "Tom Okafor",
    "administrator": "Ada Moreau",
    "colleague": "Chen Yu",
    "auditor": "Noor Haddad",
}


@dataclass(frozen=True, slots=True)
class DemoLogin:
    """One who can be signed in as. Known to everybody: it opens nothing but a generated market."""

    id: str
    title: str
    text: str
    email: str
    password: str
    person: str
    secret: str = field(repr=False)


class Demo:
    """What a demonstration adds to a place: the logins, codes of their second factors, bots."""

    def __init__(self, place: Place, hall: Hall, plan: Any, logins: list[DemoLogin], file: Path) -> None:
        self.place, self.hall, self.plan, self.logins, self._file = place, hall, plan, logins, file
        self._by_person = {one.person: one for one in logins}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    # -- codes

    def login_of(self, persona: str) -> DemoLogin | None:
        return next((one for one in self.logins if one.id == persona), None)

    def code_of(self, person: str) -> str:
        """A code that this person's factor takes now, `` for somebody the demo did not make."""
        login = self._by_person.get(person)
        if login is None:
            return ""
        now_step = int(datetime.now(UTC).timestamp()) // 30
        step = max(self.place.people.last_code_step(person) + 1, now_step - AHEAD + 1)
        return pyotp.TOTP(login.secret).at(step * 30)

    def code_for(self, visitor: Any) -> str:
        return self.code_of(visitor.person)

    def code_of_token(self, token: str) -> str:
        """For somebody between password and code."""
        from tonne.people import PeopleRefused

        try:
            return self.code_of(self.place.people.session(token, self.place.real_now(), touch=False).person.id) if token else ""
        except PeopleRefused:
            return ""

    # -- bots

    def start(self) -> None:
        """Let the market live. Ends with the server."""
        self._thread = threading.Thread(target=self._live, name="tonne-demo-bots", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(10)
        self._remember()

    def _live(self) -> None:
        from tonne.simulation.living_bots import Bots

        bots = Bots(self.hall.read, self._send, self.plan)
        while not self._stop.wait(TICK_S):
            if self.place.stopping:
                return
            try:
                self._evening()
                bots.tick(self.place.clock.now())
                self._remember()
            except Exception:
                logger.exception("the bots stumbled")
                if self.hall.desk.failure is not None:
                    return

    def _evening(self) -> None:
        """What the venue and the auctioneer do when a day is over."""
        from tonne.simulation.living_night import due

        with self.hall.read() as state:
            waiting = due(state, self.plan, self.place.clock.now())
        for command in waiting:
            if self.hall.desk.administration.outcome_of(command.id) is None:
                reply = self._send(command)
                if not reply.accepted:
                    logger.warning("the evening's command was refused", command=command.id, outcome=reply.outcome, reason=reply.reason)

    def _send(self, command: Command) -> Reply:
        reply: Reply = self.hall.desk.call(command)
        if reply.accepted and not reply.repeated:
            self.place.hub.happened(self.hall, command, reply)
        return reply

    def _remember(self) -> None:
        """The moment at which the market stands, for the next start."""
        _write(self._file, {"moment": self.place.clock.now().isoformat()})


def prepared(
    folder: Path,
    *,
    port: int | None = None,
    database: str | None = None,
    fresh: bool = False,
    say: Callable[[str], None] = lambda text: None,
    hashing: Mapping[str, Any] | None = None,
    **options: Any,
) -> tuple[Place, list[DemoLogin]]:
    """A place with a living market in a folder, built where it is not there yet. hashing: the logins' parameters of Argon2, and options: settings,
    where they are not a demo's own.

    Raises what stores, the law and logins raise.
    """
    from tonne.interfaces.api import open_market, rulebook
    from tonne.interfaces.web.serve import open_place
    from tonne.interfaces.web.settings import read
    from tonne.simulation.living_market import build, plan_of
    from tonne.simulation.living_plan import living_system

    if fresh and folder.exists():
        for name in ("market.db", "logins.db", "demo.json", "people.json"):
            for file in folder.glob(f"{name}*"):
                file.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    where = database or str(folder / "market.db")
    system = living_system()
    plan = plan_of(rulebook(system), two_persons=True)
    with open_market(where, system) as desk:
        if not desk.administration.sequence:
            say(f"Building a living market of {plan.book.system.name['en']} on {plan.day}: 200 generated operators, a year behind them.")
        build(lambda: desk.administration, desk.call, plan)
        desk.snapshot()
    file = folder / "demo.json"
    moment = plan.opens
    with suppress(OSError, ValueError, KeyError):
        moment = max(moment, datetime.fromisoformat(json.loads(file.read_text(encoding="utf-8"))["moment"]))
    known = {"people": str(folder / "logins.db") if database is None else "", "secrets": (kept_secret(folder / "secret"),), "log_format": "text"}
    settings: Settings = read(None, **{"port": port, "databases": (where,), "demo": True, **known, **options})
    place = open_place(settings, Clock(moment), code_drift_steps=AHEAD, sessions_per_person=50, **(hashing or {}))
    try:
        hall = place.halls[system]
        logins = _logins(place.people, system, plan, folder / "people.json")
    except BaseException:
        place.close()
        raise
    place.demo = Demo(place, hall, plan, logins, file)
    return place, logins


def _logins(people: People, system: str, plan: Any, file: Path) -> list[DemoLogin]:
    """The demo's persons, made once; the secrets of their second factors are kept beside the market, because the demo shows their codes."""
    known: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        known = json.loads(file.read_text(encoding="utf-8"))
    for name, (_title, _text, persona, rights) in PERSONAS.items():
        if name not in known:
            known[name] = _made(people, system, plan.people[persona].participant, name, rights, name == "administrator")
            _write(file, known)
    return [
        DemoLogin(name, title, text, f"{name}@demo.example", PASSWORD.format(name), known[name]["person"], known[name]["secret"])
        for name, (title, text, _persona, _rights) in PERSONAS.items()
    ]


def _made(people: People, system: str, participant: str, name: str, rights: tuple[str, ...], first: bool) -> dict[str, str]:
    """A person with password and second factor, by the ways that everybody goes."""
    now = datetime.now(UTC)
    email = f"{name}@demo.example"
    if first:
        token = people.first_administrator(email, NAMES[name], (system,), now=now)
    else:
        person = people.add_person(email, NAMES[name], by=COMMAND, now=now)
        people.grant(person.id, system, participant, rights, by=COMMAND, now=now)
        token = people.invite(person.id, by=COMMAND, now=now)
    login = people.accept_invitation(token, PASSWORD.format(name), address="demo", now=now)
    login, enrolment = people.enrol_factor(login.token, address="demo", now=now)
    earlier = now - timedelta(seconds=30 * (AHEAD - 1))
    login, _codes = people.confirm_factor(login.token, enrolment.factor, pyotp.TOTP(enrolment.secret).at(earlier), address="demo", now=now)
    people.logout(login.token, now=now)
    return {"person": login.session.person.id, "secret": enrolment.secret}


def _write(file: Path, value: Any) -> None:
    """Whole or not at all, for its owner's eyes."""
    new = file.with_name(file.name + ".new")
    new.touch(mode=0o600)
    new.write_text(json.dumps(value), encoding="utf-8")
    shutil.move(new, file)
