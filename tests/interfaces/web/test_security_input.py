"""I1, I3, I7 to I10, P6: what is too large, too slow, too deep or too odd is refused by name; nobody is asked to fetch anything."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from security_world import Actor, filled, opened, routes, signed_in

from tonne.interfaces.web.place import Place
from tonne.interfaces.web.render import HERE

SOURCE = HERE.parents[1]


# -- too large, too slow


class Told:
    """A body that counts how much of it was asked for."""

    def __init__(self, size: int) -> None:
        self.left, self.read = size, 0

    def __iter__(self) -> Any:
        while self.left > 0:
            piece = min(self.left, 65_536)
            self.left, self.read = self.left - piece, self.read + piece
            yield b"x" * piece


@pytest.mark.parametrize("size", [21_000_000, 100_000_000])
def test_a_body_that_is_too_large_is_refused_by_its_announced_size(place: Place, size: int) -> None:
    """I3: 413, and nothing of it was kept."""
    operator, body = signed_in(place, "operator"), Told(size)
    head = {"content-length": str(size), "x-csrf-token": operator.csrf, "content-type": "application/x-www-form-urlencoded"}
    answer = operator.client.post(f"/{place.demo.hall.system}/reports/upload", content=b"x" * 100, headers=head)
    assert answer.status_code == 413 and body.read == 0


def test_an_unannounced_body_is_read_no_further_than_its_bound(served: Any) -> None:
    """I3: sent in pieces without a length, over a real connection: the answer comes after about as much as is allowed, not after 100 MB."""
    body = Told(100_000_000)
    try:
        answer = httpx.post(f"{served.url}/login", content=iter(body), headers={"content-type": "application/x-www-form-urlencoded"}, timeout=60)
        assert answer.status_code == 413
    except httpx.HTTPError:  # hung up on while it was still sending
        pass
    assert body.read < 40_000_000
    assert httpx.get(f"{served.url}/healthz").status_code == 200


def test_strangers_bodies_are_not_read(place: Place) -> None:
    """Who may not send anything is answered before the body is looked at."""
    nobody, system = Actor(place), place.demo.hall.system
    head = {"content-type": "application/json", "idempotency-key": "a-key-of-mine"}
    for _method, route, allow in routes("POST"):
        if route.startswith("/api/") and not nobody.may(allow):
            assert nobody.client.post(filled(route, {"system": system}), content=b"{" * 1_000, headers=head).status_code == 401, route


def test_who_sends_slowly_is_hung_up_on_and_keeps_nobody_waiting(served: Any) -> None:
    """I3: a body in drops, and one that never comes: 408 or the end of the connection; others are served meanwhile."""
    served.place.settings = replace(served.place.settings, read_timeout_s=0.5)
    host, port = served.url.removeprefix("http://").split(":")
    head = b"POST /login HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 1000\r\n\r\n"
    slow = [socket.create_connection((host, int(port)), timeout=30) for _ in range(20)]
    for one in slow:
        one.sendall(head + b"e")
    assert httpx.get(f"{served.url}/healthz", timeout=30).status_code == 200
    for one in slow:
        answer = one.recv(4_096)
        assert answer == b"" or b" 408 " in answer.split(b"\r\n")[0], answer[:200]
        one.close()


# -- odd


def test_deep_and_odd_json_is_refused(place: Place) -> None:
    operator, system = signed_in(place, "operator"), place.demo.hall.system
    length = place.demo.hall.sequence
    odd = (
        "[" * 100_000,
        '{"a":' * 50_000,
        "",
        "null",
        "3",
        '{"verb": [], "body": {}, "tables": {}}',
        '{"verb": "transfer", "body": 3, "tables": {}}',
        "1" * 5_000,
    )
    odd += (
        '{"verb": "transfer", "body": {"quantity": NaN}, "tables": {}}',
        '{"verb": "transfer", "body": {"quantity": 1.5, "from": [], "to": {}}, "tables": {}}',
    )
    odd += ('{"verb": "transfer", "body": {"quantity": 1e999}, "tables": {"x": "y"}}', '{"verb": "__class__", "body": {}, "tables": {}}')
    for text in odd:
        assert operator.form(f"/{system}/propose", content=text, code="").status_code == 422, text[:60]
    assert place.demo.hall.sequence == length


def test_odd_forms_are_refused(place: Place) -> None:
    """Another encoding, too many fields, a field inside a field, no boundary, half a form: 4xx, never 500."""
    nobody = Actor(place)
    csrf = nobody.csrf
    field = '--x\r\ncontent-disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    part = field % ("email", "\\ud800") + field % ("_csrf", csrf) + "--x--\r\n"
    odd = [
        (f"multipart/form-data; boundary=x; charset={name}", part.encode()) for name in ("unicode_escape", "utf-7", "idna", "rot13", "utf-16", "nope")
    ]
    odd += [
        ("multipart/form-data", part.encode()),
        ("multipart/form-data; boundary=x", part.encode()[:-30]),
        ("multipart/form-data; boundary=x", b"\0" * 100),
    ]
    odd += [("application/x-www-form-urlencoded", ("a=1&" * 3_000).encode()), ("application/x-www-form-urlencoded", b"%ff%fe=%ed%a0%80&_csrf=%zz")]
    odd += [("text/plain", b"_csrf=" + csrf.encode()), ("", b"x=1"), ("application/json", b'{"_csrf": 1}')]
    for kind, body in odd:
        answer = nobody.client.post("/login", content=body, headers={"content-type": kind})
        assert answer.status_code in (400, 403, 413, 415, 422), (kind, answer.status_code)


def test_a_picture_of_any_length_is_not_drawn(place: Place) -> None:
    nobody = Actor(place)
    for uri in ("otpauth://" + "x" * 5_000, "otpauth://" + "\u7b2c" * 500, "javascript:alert(1)", "<svg onload=alert(1)>"):
        answer = nobody.form("/login/enrol", code="", factor="f", secret="s" * 4_000, uri=uri)
        assert answer.status_code == 422 and "<svg onload" not in answer.text


# -- addresses


def test_parameters_of_tables_are_chosen_from_a_list(place: Place) -> None:
    """I8, P5, P6: sorting by something else, pages beyond reason, the same name twice."""
    trader, system = signed_in(place, "trader"), place.demo.hall.system
    for query in (
        "sort=1;drop",
        "sort=__class__",
        "sort={{7*7}}",
        "sort=-",
        "per_page=1000000000",
        "per_page=0",
        "per_page=-1",
        "per_page=1e3",
        "page=%EF%BC%91",
        "page=9999999999999",
        "sort=a&sort=b",
        "page=1&page=2",
    ):
        for path in (f"/{system}/tasks", f"/{system}/participants", f"/api/v1/{system}/participants"):
            status = trader.get(f"{path}?{query}").status_code
            if query == "sort=-" and status == 200:
                continue
            assert status in (400, 422), f"{path}?{query}: {status}"


def test_odd_parameters_fail_nowhere(place: Place) -> None:
    """I1: every page and endpoint with strange values in its query and its path: never 500."""
    place.settings = replace(place.settings, reads_per_minute=10**6)
    trader, system = signed_in(place, "trader"), place.demo.hall.system
    odd = ("\u0000", "'; DROP TABLE x; --", "{{7*7}}", "../../etc/passwd", "\ufffd\u202e", "9" * 40, "-1", "%s%n", "a" * 3_000)
    names = "q s from to first last year sort page on key theme state unit kind chart instrument account quantity price levels limit".split()
    wrong = []
    for _method, route, allow in routes("GET"):
        if trader.may(allow):
            for number, value in enumerate(odd[:3] if "{" in route.replace("{system}", "") else odd[3:6]):
                path = filled(route, {"system": system}).replace("unknown", "x" if number else "%00")
                status = trader.get(path, params={name: value for name in names[number::3]}).status_code
                wrong += [f"{path} {value[:20]!r}: {status}"] if status >= 500 else []
    assert not wrong, "\n".join(wrong)


def test_a_long_search_is_cut_or_refused(place: Place) -> None:
    """I10: 60,000 characters are looked for nowhere."""
    nobody, system = Actor(place), place.demo.hall.system
    text = "a" * 60_000
    assert nobody.get(f"/api/v1/{system}/search", params={"q": text}).status_code == 422
    shown = nobody.get(f"/{system}/participants", params={"name": text})
    assert shown.status_code == 200 and not re.search(r"(value=\"|>)a{2001}", shown.text)


def test_patterns_that_read_what_people_type_do_not_backtrack() -> None:
    """I10: no repeated group that itself repeats, in any pattern of the pages, the API and the logins."""
    nested = re.compile(r"\((?:\?:)?[^()]*[+*}][^()]*\)[+*]")
    for folder in ("interfaces/web", "people"):
        for file in (SOURCE / folder).rglob("*.py"):
            for pattern in re.findall(r"re\.compile\(\s*r?\"((?:[^\"\\]|\\.)*)\"", file.read_text(encoding="utf-8")):
                assert not nested.search(pattern), f"{file.name}: {pattern}"


# -- what is never read, and never fetched


def test_nothing_of_users_is_unpickled_or_read_as_yaml_or_xml() -> None:
    """I7: no pickle, no unsafe YAML anywhere; no YAML or XML parser in what serves people."""
    for file in SOURCE.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        if not file.name.startswith("cli"):  # the command line speaks so with processes that it began itself
            assert not re.search(r"pickle\.loads?\(|Unpickler|marshal\.loads?\(|^\s*(import|from) (shelve|dill|jsonpickle)\b", text, re.M), file.name
        assert not re.search(r"yaml\.(load|unsafe_load|full_load|load_all)\((?![^)]*(Loader=\w*Safe|Safe))", text), file.name
        if "interfaces/web" in file.as_posix() or "/people/" in file.as_posix():
            assert not re.search(r"^\s*(import|from) (xml|lxml|defusedxml)\b|yaml\.load|\beval\(|\bexec\(|from_string\(", text, re.M), file.name


def test_nobody_is_called(market_folder: Path, monkeypatch: Any) -> None:
    """I9: pages, endpoints, a proposal, the keeper's turn, with every way out shut."""
    real = socket.socket.connect

    def only_here(self: Any, address: Any) -> Any:
        assert not isinstance(address, tuple) or address[0] in ("127.0.0.1", "::1"), f"called {address}"
        return real(self, address)

    with opened(market_folder) as place:
        monkeypatch.setattr(socket.socket, "connect", only_here)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: pytest.fail(f"looked up {a}"))
        operator, system = signed_in(place, "operator"), place.demo.hall.system
        for _method, route, allow in routes("GET"):
            if operator.may(allow):
                operator.get(
                    filled(route, {"system": system, "instrument": "x", "url": "http://evil.example"}), params={"url": "http://evil.example/x.svg"}
                )
        state = place.demo.hall.desk.administration.state
        body = {"from": place.demo.plan.shown.accounts[0], "to": "trader-1", "unit": state.allowance_code(place.demo.plan.year), "quantity": 3}
        content = json.dumps({"verb": "transfer", "body": body, "tables": {}, "reason": "http://evil.example", "back": "/"})
        assert operator.form(f"/{system}/propose", content=content, code=place.demo.code_of(operator.person)).status_code == 303
        place.clock.push(place.clock.now() + timedelta(days=1))
        place.keep()
