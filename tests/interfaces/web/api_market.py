"""A small market on a real log with persons who act in it, behind the whole application: for tests of what programs can do."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyotp
from fastapi.testclient import TestClient

from tonne.administration.commands import Command
from tonne.administration.permissions import ADMINISTRATOR
from tonne.interfaces.api import open_market
from tonne.interfaces.web.app import create_app
from tonne.interfaces.web.clock import Clock
from tonne.interfaces.web.place import Place
from tonne.interfaces.web.serve import open_place
from tonne.interfaces.web.settings import Settings
from tonne.people import COMMAND

SYSTEM = "eu-ets"
DAY = date(2026, 3, 2)  # a Monday
MOMENT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SECRET = "q8Zr2Lw0Xv5Tn7Yb3Kd6Mf9Hs1Jp4Gc-unit"
SPOT = {"lot": 1, "unit": "EUA", "tick": "0.01", "currency": "EUR", "settlement": "prefunded"}
FUTURE = {"lot": 1_000, "unit": "EUA", "tick": "0.01", "currency": "EUR", "settlement": "margined"}
FAMILY = {"name": "EUA", "currency": "EUR", "lot": 1_000, "price_scan": "6.00", "volatility_scan": "0.10", "spread_charge": "100"}
PARTICIPANTS = {
    "anna": "trader",
    "ben": "trader",
    "mill": "operator",
    "forge": "operator",
    "vera": "verifier",
    "venue": "venue",
    "bank": "bank",
    "hammer": "auctioneer",
}
#: persona -> (participant, rights)
PERSONAS: dict[str, tuple[str, tuple[str, ...]]] = {
    "anna": ("anna", ("read", "initiate", "trade", "manage")),
    "anna2": ("anna", ("read", "approve", "manage")),
    "ben": ("ben", ("read", "initiate", "trade")),
    "mill": ("mill", ("read", "initiate", "trade")),
    "forge": ("forge", ("read", "initiate", "trade")),
    "vera": ("vera", ("read", "initiate")),
    "venue": ("venue", ("read", "initiate", "trade")),
    "bank": ("bank", ("read", "initiate")),
    "hammer": ("hammer", ("read", "initiate")),
    "admin": (ADMINISTRATOR, ("read", "initiate", "approve", "manage", "audit")),
    "auditor": (ADMINISTRATOR, ("read", "audit")),
}
QUICK = {"argon2_time": 1, "argon2_memory_kib": 64, "context_words": ()}
_numbers = itertools.count(1)


def build(where: str, traders: int = 0) -> None:
    """The market on its log: an exchange with two instruments, two operators with reports to file, an auction that is announced."""
    with open_market(where, SYSTEM) as desk:
        if desk.administration.sequence:
            return
        steps = itertools.count(1)

        def send(verb: str, by: str = ADMINISTRATOR, tables: dict[str, Any] | None = None, **body: Any) -> None:
            frames = {name: pl.DataFrame(rows) for name, rows in (tables or {}).items()}
            reply = desk.call(Command(f"set-up-{next(steps)}", verb, by, DAY, {name.rstrip("_"): value for name, value in body.items()}, frames))
            assert reply.accepted, f"{verb}: {reply.outcome}: {reply.reason}"

        send("found", system=SYSTEM, scenario="", first_year=2025, two_persons=True)
        for name, role in PARTICIPANTS.items():
            send("register_participant", participant=name, name=name.title(), role=role)
        send("add_unit_type", code="EUA", kind="allowance", measure="tonne", vintage=None)
        rows = [
            {"installation": f"{who}-{n}", "name": f"{who.title()} {n}", "operator": who, "sector": "cement", "country": "DE"}
            for who in ("mill", "forge")
            for n in (1, 2)
        ]
        send("register_installations", tables={"installations": rows})
        send("open_exchange", by="venue", venue="home")
        extra = [f"t{n}" for n in range(traders)]
        for name in extra:
            send("register_participant", participant=name, name=name, role="trader")
        for name in ("anna", "ben", *extra):
            send("open_account", by=name, account=name, kind="trading")
            send("open_balance", account=name, unit="EUA", quantity=1_000_000, source="a test", year=2026)
            send("admit", by="venue", account=name, clearing=True)
            send("deposit", by="bank", account=name, amount="10000000", currency="EUR")
            send("deposit", by="bank", account=f"collateral:{name}", amount="1000000", currency="EUR")
        for name in ("mill-1", "forge-1"):
            send("open_balance", account=f"operator:{name}", unit="EUA", quantity=5_000, source="a test", year=2026)
            send("deposit", by="bank", account=f"operator:{name}", amount="100000", currency="EUR")
            send("admit", by="venue", account=f"operator:{name}", clearing=False)
        send("set_margin", by="venue", families=[FAMILY])
        send("list_instrument", by="venue", contract="SPOT", terms=SPOT, kind="spot", unit="EUA", reference="80.00")
        body = {"contract": "futures", "code": "FUT", "terms": FUTURE, "kind": "future", "unit": "EUA", "reference": "81.00"}
        send("list_instrument", by="venue", family="EUA", expiry="2026-12-14", fee="0", **body)
        send("open_balance", account="auction", unit="EUA", quantity=100_000, source="a test", year=2026)
        send("announce_auction", by="hammer", auction="first", unit="EUA", quantity=50_000, held_on=DAY.isoformat(), secured=False)


@dataclass
class World:
    """A server's inside and its persons: persona -> key (text), session token, person id."""

    place: Place
    keys: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    persons: dict[str, str] = field(default_factory=dict)
    memberships: dict[str, str] = field(default_factory=dict)

    @property
    def hall(self) -> Any:
        return self.place.halls[SYSTEM]

    def headers(self, persona: str = "") -> dict[str, str]:
        return {"authorization": f"Bearer {self.keys[persona]}"} if persona else {}


def enter(world: World, name: str, participant: str, rights: tuple[str, ...]) -> None:
    """A person with password, second factor, an open session and an API key."""
    people, now = world.place.people, datetime.now(UTC)
    email = f"{name}{next(_numbers)}@example.org"
    person = people.add_person(email, f"Person {name}", by=COMMAND, now=now)
    membership = people.grant(person.id, SYSTEM, participant, rights, by=COMMAND, now=now)
    login = people.accept_invitation(people.invite(person.id, by=COMMAND, now=now), "heron under violet bridge 7", address="test", now=now)
    _, enrolment = people.enrol_factor(login.token, address="test", now=now)
    login, _ = people.confirm_factor(
        login.token, enrolment.factor, pyotp.TOTP(enrolment.secret).at(now - timedelta(seconds=30)), address="test", now=now
    )
    session = people.act_as(login.token, membership.id, now=now)
    key, made = people.create_key(session, "test", set(rights) - {"manage", "approve"}, address="test", now=now)
    world.keys[name], world.tokens[name], world.persons[name], world.memberships[name] = key, login.token, person.id, membership.id
    if "approve" in rights:
        people.allow_key_to_approve(made.id, by=COMMAND, now=now)


@contextmanager
def world(folder: Path, **settings: Any) -> Any:
    """The place of a market in a folder; the same folder again is the same market after a restart (with new persons)."""
    where = str(folder / "market.db")
    build(where)
    given = {"secrets": (SECRET,), "reads_per_minute": 600_000, "writes_per_minute": 600_000, "orders_per_second": 100_000} | settings
    place = open_place(Settings(databases=(where,), **given), Clock(MOMENT), **QUICK)
    made = World(place)
    try:
        for name, (participant, rights) in PERSONAS.items():
            enter(made, name, participant, rights)
        yield made
    finally:
        place.stopping = True
        place.close()


class Api:
    """Requests to the application in this process, as a persona."""

    def __init__(self, world: World, client: TestClient) -> None:
        self.world, self.client = world, client

    def get(self, path: str, persona: str = "", **options: Any) -> Any:
        return self.client.get(f"/api/v1{path}", headers=self.world.headers(persona) | options.pop("headers", {}), **options)

    def post(self, path: str, body: Any = None, persona: str = "", key: str = "", **options: Any) -> Any:
        headers = self.world.headers(persona) | {"idempotency-key": key or f"test-key-{next(_numbers):08d}"} | options.pop("headers", {})
        return (
            self.client.post(f"/api/v1{path}", json=body, headers=headers, **options)
            if body is not None
            else self.client.post(f"/api/v1{path}", headers=headers, **options)
        )


@contextmanager
def api(folder: Path, **settings: Any) -> Any:
    with world(folder, **settings) as made, TestClient(create_app(made.place), base_url="http://127.0.0.1:8600") as client:
        yield Api(made, client)


@contextmanager
def server(folder: Path, **settings: Any) -> Any:
    """(world, address): the same behind a real socket, in a thread of this process."""
    import threading
    import time

    import uvicorn

    with world(folder, **settings) as made:
        running = uvicorn.Server(
            uvicorn.Config(
                create_app(made.place), host="127.0.0.1", port=0, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=3
            )
        )
        thread = threading.Thread(target=running.run, daemon=True)
        thread.start()
        while not running.started:
            time.sleep(0.01)
        port = running.servers[0].sockets[0].getsockname()[1]
        try:
            yield made, f"http://127.0.0.1:{port}"
        finally:
            made.place.stopping = True
            made.place.hub.end()
            running.should_exit = True
            thread.join(15)
