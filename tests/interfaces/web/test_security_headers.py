"""S2, S7, W1 to W3, W5, W9, P3: what every answer tells the browser, whatever it is about; cookies; other sites' pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from security_world import Actor, Walk, filled, opened, routes, signed_in, walk

from tonne.interfaces.web.outer import POLICY
from tonne.interfaces.web.place import Place

ALWAYS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.fixture(scope="module")
def walked(built_market: Path) -> Walk:
    return walk(built_market)


def wrong(headers: Any, **instead: str) -> list[str]:
    expected = ALWAYS | {name.replace("_", "-"): value for name, value in instead.items()}
    return [f"{name}: {headers.get(name)!r}" for name, value in expected.items() if headers.get(name) != value]


def test_the_policy_has_no_way_in() -> None:
    said = dict((part.split()[0], part.split()[1:]) for part in POLICY.split("; "))
    assert said["default-src"] == ["'none'"] and said["script-src"] == said["style-src"] == said["connect-src"] == said["form-action"] == ["'self'"]
    assert said["base-uri"] == said["frame-ancestors"] == ["'none'"] and said["img-src"] == ["'self'", "data:"]
    assert "unsafe" not in POLICY and "*" not in POLICY and said["report-to"] == ["csp"]


def test_headers_on_every_page_of_the_walk(walked: Walk) -> None:
    """W1, W3: 200, 303, 401, 403, 404, 410, 422, as HTML, CSV, JSON and pictures. Files to be saved have a policy that lets nothing run."""
    seen: set[int] = set()
    for one in walked.seen:
        seen.add(one.status)
        sandboxed = "attachment" in one.headers.get("content-disposition", "") and one.headers["content-security-policy"] != POLICY
        sandbox = {"content_security_policy": "sandbox"} if sandboxed else {}
        assert not wrong(one.headers, **sandbox), (one.path, one.status, wrong(one.headers, **sandbox))
        assert "server" not in one.headers and "access-control-allow-origin" not in one.headers
    assert {200, 303, 401, 403, 404, 422} <= seen


def test_what_is_seen_signed_in_is_not_kept(walked: Walk) -> None:
    """S7."""
    for one in walked.seen:
        if one.actor and one.kind == "text/html":
            assert one.headers["cache-control"] == "no-store", one.path


def test_headers_on_what_goes_wrong_and_on_files(place: Place, monkeypatch: Any) -> None:
    nobody = Actor(place)
    asset = next(one.name for one in (Path(__file__).parents[3] / "src/tonne/interfaces/web/assets").iterdir() if one.suffix == ".css")
    answers = {
        200: nobody.get(f"/assets/{asset}"),
        404: nobody.get("/assets/none.css"),
        405: nobody.client.put("/login"),
        303: nobody.get("/settings"),
    }
    answers[413] = nobody.client.post("/login", content=b"x" * 1_100_000, headers={"content-type": "application/x-www-form-urlencoded"})
    monkeypatch.setattr(place.people, "session", lambda *a, **k: 1 / 0)
    nobody.client.cookies.set("tonne", "anything")
    answers[500] = nobody.get("/login")
    monkeypatch.undo()
    place.settings = replace(place.settings, reads_per_minute=600)
    answers[429] = next(answer for _ in range(200) if (answer := Actor(place).get("/nowhere/at/all")).status_code == 429)
    for status, answer in answers.items():
        assert answer.status_code == status and not wrong(answer.headers), (status, answer.status_code, wrong(answer.headers))
    assert int(answers[429].headers["retry-after"]) >= 1 and answers[405].headers["allow"]
    assert "immutable" in answers[200].headers["cache-control"]


def test_no_way_out_of_the_folder_of_files(place: Place, tmp_path: Path) -> None:
    """An absolute path, a way up, a long name: none of them is a file of ours."""
    outside = tmp_path / "outside.css"
    outside.write_text("secret", encoding="utf-8")
    paths = (
        str(outside),
        f"/{outside}",
        "../settings.py",
        "..%2fsettings.py",
        "%2e%2e/settings.py",
        "a" * 3_000,
        "vendor/../../app.py",
        "tonne%00.css",
        "",
        ".",
        "C:/x",
    )
    for path in paths:
        answer = Actor(place).get(f"/assets/{path}")
        assert answer.status_code == 404 and "secret" not in answer.text and "import" not in answer.text, path


@pytest.fixture
def behind_tls(market_folder: Path) -> Iterator[Place]:
    with opened(market_folder, behind_tls=True) as place:
        yield place


def test_cookies_behind_tls(behind_tls: Place) -> None:
    """S2, read as a browser reads them: __Host-, Secure, HttpOnly, SameSite, the whole path, no domain."""
    nobody, login = Actor(behind_tls), behind_tls.demo.login_of("operator")
    nobody.client.base_url = "https://testserver"
    page = nobody.get("/login")
    step = nobody.form("/login", email=login.email, password=login.password, next="/")
    code = behind_tls.demo.code_of(login.person)
    done = nobody.form("/login/factor", code=code, next="/")
    seen = set()
    for answer in (page, step, done):
        assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
        for line in answer.headers.get_list("set-cookie"):
            ((name, morsel),) = SimpleCookie(line).items()
            seen.add(name)
            assert name.startswith("__Host-") and morsel["secure"] and morsel["httponly"] and morsel["samesite"] == "Lax", line
            assert morsel["path"] == "/" and not morsel["domain"], line
    assert {"__Host-tonne", "__Host-tonne-step", "__Host-tonne-device", "__Host-tonne-seed"} <= seen


def test_no_promise_of_tls_without_it(place: Place) -> None:
    assert "strict-transport-security" not in Actor(place).get("/login").headers


def test_a_cookie_is_never_sent_back_into_a_header(place: Place) -> None:
    """A planted cookie with line ends, quoted as cookies may be, ends nowhere."""
    nobody, login = Actor(place), place.demo.login_of("trader")
    nobody.client.headers["cookie"] = 'tonne-device="a\\015\\012Set-Cookie: evil=1"; theme="<b>"; tonne-seed=' + "a" * 32
    nobody.client.cookies.clear()
    answer = nobody.client.post("/login", data={"_csrf": Actor(place).csrf, "email": login.email, "password": login.password, "next": "/"})
    assert answer.status_code == 303 and all("\n" not in value and "evil" not in value for value in answer.headers.values())


def test_signing_out_clears_the_browser(place: Place) -> None:
    """S7: afterwards the same address asks for a login."""
    operator = signed_in(place, "operator")
    answer = operator.form("/logout")
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    assert operator.get(f"/{place.demo.hall.system}/tasks").headers["location"].startswith("/login")


def test_the_token_is_new_after_each_step(place: Place) -> None:
    """S1: a stolen cookie of before the login, of before a fresh second factor, of a session that ended: all dead."""
    nobody, login, system = Actor(place), place.demo.login_of("operator"), place.demo.hall.system
    nobody.form("/login", email=login.email, password=login.password, next="/")
    pending = nobody.client.cookies["tonne-step"]
    nobody.form("/login/factor", code=place.demo.code_of(login.person), next="/")
    first = nobody.client.cookies["tonne"]
    actor = Actor(place, "operator", person=login.person, token=first)
    done = actor.form("/settings/codes", code=place.demo.code_of(login.person))
    second = actor.token
    assert done.status_code == 200 and len({pending, first, second}) == 3
    for stolen in (pending, first):
        assert Actor(place, token="").client.get(f"/{system}/tasks", cookies={"tonne": stolen}).status_code == 303
    assert place.people.session(second, datetime.now(UTC)).is_full


CROSS = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"}


def test_other_sites_may_link_and_nothing_else(place: Place) -> None:
    """W9."""
    operator, system = signed_in(place, "operator"), place.demo.hall.system
    assert operator.get(f"/{system}/tasks", headers=CROSS).status_code == 403
    assert operator.get(f"/api/v1/{system}/tasks", headers=CROSS | {"sec-fetch-mode": "cors"}).status_code == 403
    assert operator.get(f"/{system}/tasks", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}).status_code == 200
    assert operator.get(f"/{system}/tasks", headers={"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}).status_code == 200
    assert Actor(place).get("/systems", headers=CROSS).status_code == 200, "what is public is public"


def test_nobody_elsewhere_reads_with_our_cookies(place: Place) -> None:
    """W5: no preflight is answered with a leave."""
    operator, system = signed_in(place, "operator"), place.demo.hall.system
    asked = {"origin": "https://evil.example", "access-control-request-method": "POST", "access-control-request-headers": "x-csrf-token"}
    for path in (f"/{system}/tasks", f"/api/v1/{system}/orders", "/logout", "/systems"):
        answer = operator.client.options(path, headers=asked)
        assert answer.status_code == 405 and not any(name.startswith("access-control") for name in answer.headers)
    assert "access-control-allow-origin" not in operator.get("/api/v1/systems", headers={"origin": "https://evil.example"}).headers


def test_other_methods_are_told_so(place: Place, monkeypatch: Any) -> None:
    """P3: OPTIONS, TRACE, PATCH and DELETE on every page."""
    place.settings = replace(place.settings, reads_per_minute=10**6, writes_per_minute=10**6)
    nobody, known = Actor(place), {"system": place.demo.hall.system}
    there = {(method, path) for method, path, _ in routes("GET", "POST", "DELETE", "PUT")}
    for _method, path, _allow in routes("GET"):
        for method in ("OPTIONS", "TRACE", "PATCH", "DELETE"):
            if (method, path) not in there:
                answer = nobody.client.request(method, filled(path, known))
                assert answer.status_code == 405 and answer.headers["allow"], (method, path, answer.status_code)


def test_a_report_of_the_policy_arrives_once_and_carries_no_token(place: Place, caplog: Any) -> None:
    """W2: rate-limited, size-limited; the page's address is cut where it would open something."""
    import structlog

    body = (
        b'{"csp-report": {"document-uri": "http://x/reset/aaaabbbb?q=1", "blocked-uri": "https://evil.example/x?y", "violated-directive": "img-src"}}'
    )
    with structlog.testing.capture_logs() as lines:
        answers = [Actor(place).client.post("/csp", content=body) for _ in range(12)]
    told = [line for line in lines if line["event"] == "policy"]
    assert [answer.status_code for answer in answers[:10]] == [204] * 10 and answers[-1].status_code == 429 and len(told) == 10
    assert told[0]["page"] == "/reset/..." and told[0]["blocked"] == "https://evil.example/x" and "aaaabbbb" not in str(lines)


def test_a_report_of_the_policy_is_small(place: Place) -> None:
    assert Actor(place).client.post("/csp", content=b"[" + b"1," * 20_000 + b"1]").status_code == 413
    assert [Actor(place).client.post("/csp", content=body).status_code for body in (b"{", b"[" * 9_000)] == [400, 400]
    assert Actor(place).client.post("/csp", content=b'["x", {"body": 3}]').status_code == 204


def test_nothing_says_which_program_answers(place: Place, visit: Callable[..., Any]) -> None:
    """P7."""
    for path in ("/", "/api/v1/systems", "/nowhere"):
        headers = Actor(place).get(path).headers
        assert "server" not in headers and "x-powered-by" not in headers


def test_a_page_that_was_asked_for_under_another_name_is_nobody_elses(place: Place) -> None:
    """A page that is kept for everybody is kept for the address that it names: a made-up Host does not reach others."""
    for path in ("/api", "/", "/systems"):
        assert Actor(place).get(path, headers={"host": "evil.example"}).status_code in (200, 400)
        assert "evil.example" not in Actor(place).get(path).text, path
