"""The server is killed in the middle of its work: what it acknowledged is there, nothing is there twice, a client that asks again is answered."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tonne.interfaces.web import demo
from tonne.store.log import open_log

CLIENTS, KILLS = 12, 3
ADDRESS = re.compile(r"at (http://127\.0\.0\.1:\d+)/")


class Server:
    """`tonne demo` as a process of its own, with its bots."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "tonne", "demo", "--out", str(folder), "--port", "0", "--no-browser"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
        )
        self.url = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if found := ADDRESS.search(line):
                self.url = found.group(1)
                break
        assert self.url, "the server said no address"
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def key_of(folder: Path) -> tuple[str, str, str]:
    """(system, account, API key) of the trader."""
    place, _logins = demo.prepared(folder, port=0, hashing={"argon2_time": 1, "argon2_memory_kib": 1_024})
    now = datetime.now(UTC)
    login = place.demo.login_of("trader")
    begun = place.people.login(login.email, login.password, address="test", now=now)
    session = place.people.prove(begun.token, place.demo.code_of(login.person), address="test", now=now).session
    membership = session.memberships[0]
    token = place.people.login(login.email, login.password, address="test", now=now).token
    full = place.people.prove(token, place.demo.code_of(login.person), address="test", now=now)
    acting = place.people.act_as(full.token, membership.id, now=now)
    secret, _key = place.people.create_key(acting, "crash", ["read", "trade"], address="test", now=now)
    system, account = place.demo.hall.system, place.demo.plan.people["trader"].accounts[0]
    place.close()
    return system, account, secret


def order(account: str, instrument: str, number: int) -> dict[str, Any]:
    """A small bid far below the market, so that it rests."""
    return {"orders": [{"account": account, "instrument": instrument, "side": "buy", "quantity": 1 + number % 5, "price": "70.00"}]}


@pytest.fixture
def start(market_folder: Path) -> Iterator[Callable[[], Server]]:
    """start() -> a server on the folder; none outlives the test."""
    begun: list[Server] = []

    def started() -> Server:
        begun.append(Server(market_folder))
        return begun[-1]

    yield started
    for server in begun:
        if server.process.poll() is None:
            server.kill()


def test_killed_under_load_nothing_acknowledged_is_lost(market_folder: Path, start: Callable[[], Server]) -> None:
    system, account, secret = key_of(market_folder)
    headers = {"authorization": f"Bearer {secret}"}
    acknowledged: dict[str, dict[str, Any]] = {}
    asked: dict[str, dict[str, Any]] = {}
    lock = threading.Lock()
    instrument = ""
    for round_ in range(KILLS):
        server = start()
        if not instrument:
            answer = httpx.get(f"{server.url}/api/v1/{system}/instruments", headers=headers).json()
            instrument = next(row["code"] for row in answer if row["settlement_kind"] != "margined")
        stop = threading.Event()

        def client(name: int, url: str, rounds: int, stop: threading.Event, instrument: str) -> None:
            with httpx.Client(timeout=30, headers=headers) as http:
                for number in range(10_000):
                    if stop.is_set():
                        return
                    key = f"crash-{rounds}-{name}-{number}"
                    body = order(account, instrument, number)
                    with lock:
                        asked[key] = body
                    try:
                        reply = http.post(f"{url}/api/v1/{system}/orders", json=body, headers={"idempotency-key": key})
                    except httpx.HTTPError:
                        return
                    if reply.status_code == 200:
                        with lock:
                            acknowledged[key] = reply.json()
                    elif reply.status_code == 429:
                        time.sleep(0.05)

        with ThreadPoolExecutor(CLIENTS) as pool:
            running = [pool.submit(client, name, server.url, round_, stop, instrument) for name in range(CLIENTS)]
            time.sleep(2.0 + 0.7 * round_)
            server.kill()
            stop.set()
            for one in running:
                one.result(60)
    assert len(acknowledged) > 50, f"hardly any load: {len(acknowledged)}"

    server = start()
    with httpx.Client(timeout=30, headers=headers) as http:
        again = list(acknowledged)[:: max(1, len(acknowledged) // 40)]
        for key in again:
            reply = http.post(f"{server.url}/api/v1/{system}/orders", json=asked[key], headers={"idempotency-key": key})
            assert reply.status_code == 200, reply.text
            first = acknowledged[key]
            told = reply.json()
            assert told["repeated"] and (told["sequence"], told["events"]) == (first["sequence"], first["events"])
        other = http.post(f"{server.url}/api/v1/{system}/orders", json=order(account, instrument, 3) | {}, headers={"idempotency-key": again[0]})
        if asked[again[0]] != order(account, instrument, 3):
            assert other.status_code == 409 and other.json()["name"] == "exists_with_different_content"
    assert server.stop() == 0, "a server that is told to stop ends well"

    with open_log(market_folder / "market.db", mode="read") as log:
        entries = {entry.command_id: entry for entry in log.read()}
        faults = list(log.verify_chain())
    assert faults == []
    for key, told in acknowledged.items():
        entry = entries.get(told["command"])
        assert entry is not None, f"{key} was acknowledged and is gone"
        assert entry.sequence == told["sequence"] and entry.outcome == "accepted"
