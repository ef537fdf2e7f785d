"""For the tests of the security table: a market with hostile names in it, everybody who may come, and a walk over whatever routes there are."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyotp
from fastapi.testclient import TestClient

from tonne.administration.commands import Command
from tonne.administration.permissions import ADMINISTRATOR
from tonne.interfaces.web import demo
from tonne.interfaces.web.app import allowed, create_app
from tonne.interfaces.web.ask import cookie_name
from tonne.interfaces.web.guard import PUBLIC, Allow, form_token
from tonne.interfaces.web.place import Place
from tonne.people import COMMAND

HOST = "http://testserver"
IMAGE, FORMULA, TEMPLATE = "<img src=x onerror=alert(1)>\"'", '=HYPERLINK("x")', "{{7*7}}"
WHO = ("", "stranger", "operator", "approver", "verifier", "trader", "administrator", "auditor")
#: Path parameters that name something of one organisation.
PRIVATE = ("account", "proposal", "application", "document", "membership", "key", "session", "hook", "order")
#: Endless answers; they have tests of their own.
STREAMS = ("/stream",)
PHRASE = "seven quiet herons over the estuary"


def enter(place: Place, name: str, participant: str, rights: tuple[str, ...]) -> tuple[str, str]:
    """(person, session's token) of somebody new who is signed in and acts for a participant."""
    people, now, system = place.people, datetime.now(UTC), place.demo.hall.system
    person = people.add_person(f"{name}@else.example", f"Person {name.title()}", by=COMMAND, now=now)
    membership = people.grant(person.id, system, participant, rights, by=COMMAND, now=now)
    login = people.accept_invitation(people.invite(person.id, by=COMMAND, now=now), PHRASE, address="test", now=now)
    _, made = people.enrol_factor(login.token, address="test", now=now)
    code = pyotp.TOTP(made.secret).at(now - timedelta(seconds=30))
    login, _ = people.confirm_factor(login.token, made.factor, code, address="test", now=now)
    people.act_as(login.token, membership.id, now=now)
    return person.id, login.token


@dataclass
class Actor:
    """Somebody with a browser that follows no redirect. role and rights are what the guard must find."""

    place: Place
    name: str = ""
    role: str = "public"
    rights: frozenset[str] = frozenset()
    person: str = ""
    token: str = ""
    client: Any = None

    def __post_init__(self) -> None:
        self.client = TestClient(self.place.app, base_url=HOST, raise_server_exceptions=False, follow_redirects=False)  # type: ignore[attr-defined]
        self.client.headers["accept"] = "text/html"
        if self.token:
            self.client.cookies.set(cookie_name(self.place, "tonne"), self.token)

    @property
    def csrf(self) -> str:
        seed = "a" * 32
        if self.token:
            seed = self.place.people.session(self.token, datetime.now(UTC)).id
        else:
            self.client.cookies.set(cookie_name(self.place, "tonne-seed"), seed)
        return form_token(self.place.settings.secrets[0], seed)

    def may(self, allow: Allow) -> bool:
        if "public" in allow.roles or ("person" in allow.roles and self.person):
            return True
        return self.role in allow.roles and (not allow.right or allow.right in self.rights)

    def get(self, path: str, **options: Any) -> Any:
        return self.client.get(path, **options)

    def form(self, path: str, **fields: Any) -> Any:
        """A form as our own pages send it."""
        key = f"key-{datetime.now(UTC).timestamp():.6f}".replace(".", "-")
        answer = self.client.post(path, data={"_csrf": self.csrf, "_key": key, **fields})
        name = cookie_name(self.place, "tonne")
        if self.token and answer.cookies.get(name):  # a fresh second factor: the session goes on under a new token
            self.token = answer.cookies[name]
            self.client.cookies.clear()
            self.client.cookies.set(name, self.token)
        return answer


ROLES = {"approver": "operator", "colleague": "administrator"}


def signed_in(place: Place, name: str) -> Actor:
    """One of the demonstration's persons, or `` for nobody, or `stranger`: another operator with every right."""
    if not name:
        return Actor(place)
    if name == "stranger":
        rights = ("read", "initiate", "approve", "trade", "manage")
        person, token = enter(place, f"stranger{datetime.now(UTC).timestamp():.0f}", other_operator(place), rights)
        return Actor(place, name, "operator", frozenset(rights), person, token)
    people, now, login = place.people, datetime.now(UTC), place.demo.login_of(name)
    begun = people.login(login.email, login.password, address="test", device="test", now=now)
    found = people.prove(begun.token, place.demo.code_of(login.person), address="test", end_oldest=True, now=now)
    session = people.act_as(found.token, found.session.memberships[0].id, now=now)
    return Actor(place, name, ROLES.get(name, name), session.acting.rights, login.person, found.token)


def mine(place: Place) -> str:
    """The participant of the demonstration's operator."""
    return str(place.demo.plan.people["operator"].participant)


def other_operator(place: Place) -> str:
    state = place.demo.hall.desk.administration.state
    found = state.installations.frame["operator"].drop_nulls().unique().sort().to_list()
    return str(next(one for one in found if one != mine(place) and one in state.participants))


@contextmanager
def opened(folder: Path, **settings: Any) -> Iterator[Place]:
    """The demonstration's market of a folder, with room for many requests."""
    given = {"reads_per_minute": 10**6, "writes_per_minute": 10**6, "orders_per_second": 10**5} | settings
    place, _logins = demo.prepared(folder, port=0, **given)
    place.app = create_app(place)  # type: ignore[attr-defined]
    place.started = True
    try:
        yield place
    finally:
        place.close()


def plant(place: Place) -> None:
    """Names that are markup, a formula and a template, for participants and for installations of the demonstration's operator."""
    hall = place.demo.hall
    sector = hall.desk.administration.state.installations.frame["sector"].drop_nulls()[0]
    country = hall.desk.administration.state.installations.frame["country"].drop_nulls()[0]
    names = {"hostile-1": IMAGE, "hostile-2": FORMULA, "hostile-3": TEMPLATE}
    rows = [{"installation": name, "name": text, "operator": mine(place), "sector": sector, "country": country} for name, text in names.items()]
    wishes: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("register_participant", {"participant": f"p-{name}", "name": text, "role": "trader"}, {}) for name, text in names.items()
    ]
    wishes.append(("register_installations", {}, {"installations": pl.DataFrame(rows)}))
    for number, (kind, body, tables) in enumerate(wishes):
        reply = hall.desk.call(Command(f"plant-{number}", kind, ADMINISTRATOR, hall.today, body, tables))
        assert reply.accepted, f"{kind}: {reply.outcome}: {reply.reason}"


def things(place: Place, operator: Actor) -> dict[str, str]:
    """Path parameter -> an example; what is private is the demonstration's operator's."""
    hall, people, now = place.demo.hall, place.people, datetime.now(UTC)
    state = hall.desk.administration.state
    who = people.session(operator.token, now)
    by = operator_who(operator, place)
    application = people.begin_application(hall.system, IMAGE, ("extract",), by=by, now=now)
    document = people.attach(application.id, "extract", "deed.pdf", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n", by=by, now=now)
    people.send_application(application.id, by=by, now=now)
    _secret, key = people.create_key(who, "a feed", ["read"], address="test", now=now)
    own = state.accounts.of_holder(mine(place))
    installation = next(state.accounts.installations[one] for one in own if state.accounts.installations[one])
    account = place.demo.plan.shown.accounts[0]
    unit = state.allowance_code(place.demo.plan.year)
    moment = hall.now().isoformat()
    wish = {"verb": "transfer", "body": {"from": account, "to": "trader-1", "unit": unit, "quantity": 3}, "person": operator.person, "moment": moment}
    proposal = hall.send(hall.command(mine(place), f"planted-{now.timestamp():.0f}", "propose", wish))
    assert proposal.accepted, proposal
    return {
        "system": hall.system, "account": account, "installation": str(installation), "year": str(hall.today.year - 1), "participant": mine(place),
        "proposal": proposal.command_id, "application": application.id, "document": document.id, "membership": who.acting.id if who.acting else "",
        "key": key.id, "session": who.id, "sequence": "3", "code": state.exchange.listed[0]["code"], "instrument": state.exchange.listed[0]["code"],
        "name": hall.system, "auction": "unknown", "order": "1", "hook": "h_0000", "token": "a" * 43, "topic": "obligation", "parameter": "none",
        "path": "none", "step": "check",
    }  # fmt: skip


def operator_who(actor: Actor, place: Place) -> Any:
    from tonne.people import Who

    return Who(actor.person, place.demo.hall.system, mine(place), "operator", "test")


def filled(path: str, known: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: known.get(found.group(1), "unknown"), path)


def routes(*methods: str) -> list[tuple[str, str, Allow]]:
    """(method, path, who may) of all routes, streams left out."""
    return [(method, path, allow) for (method, path), allow in sorted(allowed().items()) if method in methods and not path.endswith(STREAMS)]


@dataclass
class Seen:
    """One answer of a walk."""

    actor: str
    route: str
    path: str
    status: int
    headers: Any
    text: str
    may: bool

    @property
    def kind(self) -> str:
        return str(self.headers.get("content-type", "")).partition(";")[0]


@dataclass
class Walk:
    """Every GET route as everybody, on one market; `before` and `after` are the log's lengths."""

    seen: list[Seen] = field(default_factory=list)
    before: int = 0
    after: int = 0
    known: dict[str, str] = field(default_factory=dict)
    personal: list[str] = field(default_factory=list)


_walks: dict[Path, Walk] = {}


def walk(built: Path) -> Walk:
    """The walk over a copy of the built market; made once for a run of tests. Pages with names also in the other languages, tables also as files."""
    if built not in _walks:
        folder = built.parent / "walk"
        shutil.copytree(built, folder)
        with opened(folder) as place:
            _walks[built] = _walked(place)
    return _walks[built]


def _walked(place: Place) -> Walk:
    made = Walk()
    plant(place)
    actors = {name: signed_in(place, name) for name in WHO}
    made.known = things(place, actors["operator"])
    made.personal = [*demo.NAMES.values(), "Person Stranger", "@else.example"]
    made.before = place.demo.hall.sequence
    extra = [f"/{{system}}/{where}" for n in (1, 2, 3) for where in (f"installations/hostile-{n}", f"participants/p-hostile-{n}")]
    for actor in actors.values():
        for route, allow in [*((route, allow) for _method, route, allow in routes("GET")), *((route, PUBLIC) for route in extra)]:
            path, may = filled(route, made.known), actor.may(allow)
            answer = _note(made, actor, route, path, may)
            if answer.kind == "text/html" and ".csv" in answer.text:
                _note(made, actor, route, f"{path}.csv", may)
            if answer.kind == "text/html" and shows_names(answer.text):
                for language in ("zh-Hans", "zh-Hant"):
                    _note(made, actor, route, f"/{language}{path}", may)
    made.after = place.demo.hall.sequence
    return made


def shows_names(text: str) -> bool:
    return TEMPLATE in text or "onerror" in text


def _note(made: Walk, actor: Actor, route: str, path: str, may: bool) -> Seen:
    answer = actor.get(path)
    made.seen.append(Seen(actor.name, route, path, answer.status_code, answer.headers, answer.text, may))
    return made.seen[-1]
