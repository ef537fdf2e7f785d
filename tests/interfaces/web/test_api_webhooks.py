"""Webhooks: only where the operator allowed it, signed, kept until they are delivered, ended with the rights of who made them."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_market import SYSTEM, Api, api

from tonne.interfaces.web import webhooks
from tonne.interfaces.web.settings import Settings
from tonne.people import COMMAND

M = f"/{SYSTEM}"
ALLOWED = {"webhook_private_hosts": ("127.0.0.1", "localhost")}


class Receiver:
    """A program that is called. answers: what it says, in turn; the last one for ever."""

    def __init__(self, *answers: int) -> None:
        self.calls: list[tuple[dict[str, str], bytes]] = []
        answers_ = list(answers or (200,))
        calls = self.calls

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                calls.append(({name.lower(): value for name, value in self.headers.items()}, body))
                status = answers_.pop(0) if len(answers_) > 1 else answers_[0]
                self.send_response(status)
                if status == 302:
                    self.send_header("location", "http://127.0.0.1:1/inside")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hear?from=tonne"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@contextmanager
def receiver(*answers: int) -> Iterator[Receiver]:
    found = Receiver(*answers)
    try:
        yield found
    finally:
        found.server.shutdown()
        found.server.server_close()


def turn(there: Api, later: timedelta = timedelta()) -> int:
    """One turn of the deliverer, at a later moment."""
    place = there.world.place
    real = place.real_now

    async def once() -> int:
        async with httpx.AsyncClient(follow_redirects=False, timeout=5, trust_env=False) as client:
            return await webhooks.of(place).turn(client)

    place.real_now = lambda: real() + later  # type: ignore[method-assign]
    try:
        return asyncio.run(once())
    finally:
        del place.real_now  # type: ignore[method-assign]


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deliverer's turns are the test's."""

    async def nothing(place: Any) -> None:
        return None

    monkeypatch.setattr(webhooks, "run", nothing)


def trade(there: Api, price: str) -> None:
    for who, side in (("ben", "sell"), ("anna", "buy")):
        body = {"orders": [{"account": who, "instrument": "SPOT", "side": side, "quantity": 1, "price": price}]}
        assert there.post(f"{M}/orders", body, who).status_code == 200


def test_nobody_is_called_by_default(tmp_path: Path) -> None:
    with api(tmp_path) as there:
        answer = there.post(f"{M}/webhooks", {"url": "https://hooks.example.org/x", "topics": ["market"]}, "anna")
        assert (answer.status_code, answer.json()["name"]) == (409, "not_offered")
        assert there.world.place.webhooks is None


def test_a_message_is_signed_and_delivered_once(tmp_path: Path, quiet: None) -> None:
    with receiver() as heard, api(tmp_path, **ALLOWED) as there:
        made = there.post(f"{M}/webhooks", {"url": heard.url, "topics": ["market", "orders"]}, "anna").json()
        assert turn(there) == 0  # from now on
        trade(there, "80.00")
        assert turn(there) == 1
        headers, body = heard.calls[0]
        assert webhooks.verified(made["secret"], headers["tonne-signature"], body, time.time())
        assert not webhooks.verified(made["secret"], headers["tonne-signature"], body + b" ", time.time())
        assert not webhooks.verified("another", headers["tonne-signature"], body, time.time())
        assert not webhooks.verified(made["secret"], headers["tonne-signature"], body, time.time() + 1_000)
        told = json.loads(body)
        assert told["topics"] == ["market", "orders"] and [one["price"] for one in told["trades"]] == ["80.00"]
        assert (told["system"], headers["host"]) == (SYSTEM, heard.url.split("/")[2])
        assert turn(there) == 0 and len(heard.calls) == 1
        assert there.get(f"{M}/webhooks/{made['id']}/deliveries", "anna").json()[0]["state"] == "delivered"
        assert there.get(f"{M}/webhooks/{made['id']}/deliveries", "ben").status_code == 404
        assert "secret" not in there.get(f"{M}/webhooks", "anna").text


def test_what_fails_is_tried_again_later_and_keeps_its_order(tmp_path: Path, quiet: None) -> None:
    with receiver(503, 302, 200) as heard, api(tmp_path, **ALLOWED) as there:
        there.post(f"{M}/webhooks", {"url": heard.url, "topics": ["market"]}, "anna")
        turn(there)
        trade(there, "80.00")
        assert turn(there) == 1
        trade(there, "80.01")
        assert turn(there) == 0  # not yet
        assert turn(there, timedelta(seconds=3)) == 1  # a redirect is no delivery, and is not followed
        assert turn(there, timedelta(seconds=30)) == 1
        assert turn(there, timedelta(seconds=30)) == 1
        prices = [[one["price"] for one in json.loads(body)["trades"]] for _, body in heard.calls]
        assert prices == [["80.00"], ["80.00"], ["80.00"], ["80.01"]]
        assert len({headers["tonne-delivery"] for headers, _ in heard.calls}) == 2


def test_a_restart_loses_nothing(tmp_path: Path, quiet: None) -> None:
    with receiver(500, 200) as heard:
        with api(tmp_path, **ALLOWED) as there:
            there.post(f"{M}/webhooks", {"url": heard.url, "topics": ["market"]}, "anna")
            turn(there)
            trade(there, "80.00")
            turn(there)
            trade(there, "80.01")  # stored, and not even looked at before the end
        with api(tmp_path, **ALLOWED) as there:
            for _ in range(4):
                turn(there, timedelta(hours=2))
        prices = [one["price"] for _, body in heard.calls[1:] for one in json.loads(body)["trades"]]
        assert prices == ["80.00", "80.01"]


def test_it_ends_with_the_rights_of_its_maker(tmp_path: Path, quiet: None) -> None:
    with receiver() as heard, api(tmp_path, **ALLOWED) as there:
        there.post(f"{M}/webhooks", {"url": heard.url, "topics": ["market"]}, "anna")
        turn(there)
        there.world.place.people.revoke(there.world.memberships["anna"], by=COMMAND, now=datetime.now(UTC))
        body = {"orders": [{"account": "ben", "instrument": "SPOT", "side": "sell", "quantity": 1, "price": "80.00"}]}
        assert there.post(f"{M}/orders", body, "ben").status_code == 200
        turn(there)
        assert heard.calls == []


def test_gone_is_gone(tmp_path: Path, quiet: None) -> None:
    with receiver(410) as heard, api(tmp_path, **ALLOWED) as there:
        made = there.post(f"{M}/webhooks", {"url": heard.url, "topics": ["market"]}, "anna").json()
        turn(there)
        trade(there, "80.00")
        turn(there)
        assert there.get(f"{M}/webhooks", "anna").json()[0]["state"] == "ended"
        assert there.client.delete(f"/api/v1{M}/webhooks/{made['id']}", headers=there.world.headers("ben")).status_code == 404


SETTINGS = Settings(webhook_hosts=("hooks.example.org",), webhook_private_hosts=("localhost", "inside.example.org"))


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/", "https://other.example.org/", "https://hooks.example.org.evil.org/", "https://user@hooks.example.org/",
        "https://hooks.example.org#x", "ftp://hooks.example.org/", "https://127.0.0.1/", "https://169.254.169.254/latest", "http://inside.example.org/",
        "file:///etc/passwd", "https://", "nonsense", "https://hooks.example.org/ x", "https://hooks.example.org:99999/", "https://[::1]/",
        "//hooks.example.org",
        "https://hooks.example.org\\@127.0.0.1/", "https://ho\u043eks.example.org/",
    ],
)  # fmt: skip
def test_addresses_that_are_not_called(url: str) -> None:
    with pytest.raises(webhooks.HookRefused):
        webhooks.require_allowed(url, SETTINGS)


def test_addresses_that_are() -> None:
    assert webhooks.require_allowed("https://hooks.example.org/a?b=c", SETTINGS) == ("hooks.example.org", 443, False)
    assert webhooks.require_allowed("http://localhost:8000/x", SETTINGS) == ("localhost", 8000, True)


def test_a_public_name_that_leads_inside_is_not_called() -> None:
    with pytest.raises(webhooks.HookRefused, match="inside"):
        webhooks.resolved("localhost", 443, private=False)
    assert webhooks.resolved("localhost", 443, private=True) in ("127.0.0.1", "::1")
