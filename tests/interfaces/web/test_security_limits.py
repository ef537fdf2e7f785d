"""P1, P4, P5, P7: how much each may ask for, whose address counts, and what a fault tells."""

from __future__ import annotations

import io
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from security_world import Actor, opened, signed_in

from tonne.interfaces.web import limits
from tonne.interfaces.web.outer import log_to
from tonne.interfaces.web.place import Place

READS, BURST = 60, 60  # of one asker in a minute; the smallest burst there is


@pytest.fixture
def frozen(monkeypatch: Any) -> None:
    """Time stands still, so that counts are exact."""
    now = datetime.now(UTC)
    monkeypatch.setattr(Place, "real_now", staticmethod(lambda: now))


def test_limits_are_exact_and_one_askers_do_not_touch_anothers(market_folder: Path, frozen: None) -> None:
    """P1, R10: sixty answers for one address, then 429 with when to come back; a person and a key have their own, and go on."""
    with opened(market_folder, reads_per_minute=READS, writes_per_minute=30) as place:
        system = place.demo.hall.system
        trader = signed_in(place, "trader")
        now = place.real_now()
        secret, _key = place.people.create_key(place.people.session(trader.token, now), "limits", ["read"], address="test", now=now)
        program, nobody = Actor(place), Actor(place)
        program.client.headers["authorization"] = f"Bearer {secret}"
        program.client.headers["accept"] = nobody.client.headers["accept"] = "application/json"
        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda _: nobody.get("/api/v1/systems").status_code, range(BURST + 40)))
        assert statuses.count(200) == BURST and statuses.count(429) == 40
        refused = nobody.get("/api/v1/systems")
        assert int(refused.headers["retry-after"]) >= 1 and refused.json()["name"] == "too_many_requests"
        assert trader.get(f"/{system}/orders").status_code == 200 and program.get(f"/api/v1/{system}/trader").status_code == 200


def test_a_claimed_address_changes_nothing(market_folder: Path, frozen: None) -> None:
    """P4: X-Forwarded-For of whoever is no configured proxy is not believed, for limits and for the trail."""
    with opened(market_folder, reads_per_minute=READS) as place:
        nobody = Actor(place)
        nobody.client.headers["accept"] = "application/json"
        statuses = [
            nobody.get("/api/v1/systems", headers={"x-forwarded-for": f"203.0.113.{n}", "forwarded": f"for=203.0.113.{n}"}).status_code
            for n in range(BURST + 5)
        ]
        assert statuses.count(429) == 5
        login = place.demo.login_of("operator")
        nobody.form("/login", email=login.email, password="not the password at all", next="/")
        assert all(not row.address.startswith("203.0.113.") for row in place.people.audit.page().rows)


def test_a_proxy_is_believed_what_it_added_itself(market_folder: Path, frozen: None) -> None:
    """P4: the last address of the last line; what the client wrote before it is the client's."""
    from tonne.interfaces.web.outer import Outer

    with opened(market_folder, proxies=("10.0.0.1",)) as place:
        outer = Outer(None, place, None)  # type: ignore[arg-type]

        def address(client: str, *lines: bytes) -> str:
            return outer._address({"client": (client, 1), "headers": [(b"x-forwarded-for", line) for line in lines]})

        assert address("10.0.0.1", b"203.0.113.9, 198.51.100.7") == "198.51.100.7"
        assert address("10.0.0.1", b"203.0.113.9", b"198.51.100.7") == "198.51.100.7"
        assert address("10.0.0.1") == "10.0.0.1" and address("192.0.2.1", b"203.0.113.9") == "192.0.2.1"


def test_guessing_counts_as_asking(market_folder: Path, frozen: None) -> None:
    """P1: keys that are none and addresses that are not there are limited like everything else."""
    with opened(market_folder, reads_per_minute=READS) as place:
        for path, headers, first in (("/api/v1/me", {"authorization": "Bearer tk_wrong"}, 401), ("/nothing/is/here", {}, 404)):
            nobody = Actor(place)
            nobody.client.headers["accept"] = "application/json"
            place.limits = type(place.limits)()
            statuses = [nobody.get(path, headers=headers).status_code for _ in range(BURST + 5)]
            assert statuses == [first] * BURST + [429] * 5, (path, statuses)


def test_reads_writes_and_orders_are_counted_apart(place: Place) -> None:
    """R10: a flood of orders does not keep anybody from looking."""
    named = {name: (rate.count, rate.holds) for name, rate in limits.rates(place.settings).items()}
    assert set(named) == {"read", "write", "orders", "policy"} and all(count > 0 for count, _ in named.values())


def test_metrics_are_not_for_the_world(place: Place) -> None:
    """Also not where a proxy is in front that nobody configured."""
    assert Actor(place).get("/metrics").status_code == 200
    assert Actor(place).get("/metrics", headers={"x-forwarded-for": "203.0.113.9"}).status_code == 404


def test_a_page_has_at_most_five_hundred_rows(place: Place) -> None:
    """P5."""
    nobody, system = Actor(place), place.demo.hall.system
    for path in (f"/{system}/participants", f"/api/v1/{system}/installations", f"/api/v1/{system}/transactions"):
        assert nobody.get(f"{path}?per_page=500").status_code == 200
        for size in (501, 10**9):
            assert nobody.get(f"{path}?per_page={size}").status_code in (400, 422)


def test_a_fault_tells_its_number_and_nothing_else(place: Place, monkeypatch: Any) -> None:
    """P7, G6: the page has the number, the log has the number and the trace, and neither what was typed nor what variables held."""
    lines = io.StringIO()
    log_to(lines, "json")
    nobody = Actor(place)
    token = nobody.csrf

    def breaks(*_: Any, **__: Any) -> None:
        raise RuntimeError("the inside of the server")

    monkeypatch.setattr(place.people, "login", breaks)
    answer = nobody.client.post("/login", data={"_csrf": token, "email": "ana@else.example", "password": "a-very-secret-phrase", "next": "/"})
    log_to(io.StringIO(), "json")
    assert answer.status_code == 500
    reference = answer.headers["x-reference"]
    assert reference in answer.text and not re.search(r"RuntimeError|the inside|Traceback|\.py", answer.text)
    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    fault = next(line for line in told if line["event"] == "fault")
    assert fault["reference"] == reference and "RuntimeError" in str(fault["exception"]) and "login.py" in str(fault["exception"])
    assert "a-very-secret-phrase" not in lines.getvalue() and "ana@else.example" not in lines.getvalue() and token not in lines.getvalue()


def test_a_fault_of_the_page_about_faults_has_a_number_too(place: Place, monkeypatch: Any) -> None:
    """P7: the last net, when not even the error page can be drawn."""
    nobody = Actor(place)
    nobody.client.cookies.set("tonne", "anything")
    monkeypatch.setattr(place.people, "session", lambda *a, **k: 1 / 0)
    answer = nobody.get("/login")
    assert answer.status_code == 500 and answer.headers["x-reference"] in answer.text and "ZeroDivision" not in answer.text


def test_without_the_logins_nobody_is_let_in(place: Place, monkeypatch: Any) -> None:
    """The logins' database is away: 503 for whoever is signed in, as a page and as JSON; nothing is shown unasked."""
    from tonne.people import PeopleUnavailable

    operator, system = signed_in(place, "operator"), place.demo.hall.system

    def away(*_: Any, **__: Any) -> None:
        raise PeopleUnavailable("away")

    monkeypatch.setattr(place.people, "session", away)
    for path in (f"/{system}/tasks", f"/api/v1/{system}/tasks", "/settings"):
        answer = operator.get(path)
        assert answer.status_code == 503 and answer.headers["retry-after"] and "content-security-policy" in answer.headers


def test_nothing_is_described_that_is_not_public(place: Place) -> None:
    """P7: no framework's own pages; the description tells shapes and roles, and no names, ids or figures of anybody."""
    nobody = Actor(place)
    for path in ("/docs", "/redoc", "/openapi.json", "/debug", "/.git/config", "/admin", "/server-status"):
        assert nobody.get(path).status_code == 404, path
    text = nobody.get("/api/v1/openapi.json").text
    assert "@demo.example" not in text and place.demo.plan.people["operator"].participant not in text
