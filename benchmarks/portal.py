"""The server under load, on a demonstration's market: steady mixed reads, orders over HTTP, a table over a million rows, idle event streams.

The server is a process of its own (`tonne demo` without its rate limits and with its bots quoting), the load another; both share the machine's cores.
Run alone: python -m benchmarks.portal
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np
import psutil

ADDRESS = re.compile(r"at (http://127\.0\.0\.1:\d+)/")
UNBOUND = {
    "TONNE_READS_PER_MINUTE": "10000000",
    "TONNE_WRITES_PER_MINUTE": "10000000",
    "TONNE_ORDERS_PER_SECOND": "1000000",
    "TONNE_STREAMS_EACH": "5000",
}
RATE, SECONDS, CONNECTIONS, CALLERS, STREAMS = 200, 20, 40, 32, 1_000
ROWS = 1_000_000


class Answer(NamedTuple):
    status: int
    body: bytes
    seconds: float


class Connection:
    """One kept-alive connection that speaks as little HTTP as it must, so that the load does not eat what it measures."""

    def __init__(self, url: str) -> None:
        self.host, self.port = urlsplit(url).hostname or "", urlsplit(url).port or 80
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, request: bytes) -> Answer:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self.host, self.port)
        assert self._reader is not None
        began = time.perf_counter()
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in lines[1:] if b": " in line)
        if fields.get(b"transfer-encoding") == b"chunked":
            body = b""
            while size := int((await self._reader.readline()).strip(), 16):
                body += (await self._reader.readexactly(size + 2))[:-2]
            await self._reader.readexactly(2)
        else:
            body = await self._reader.readexactly(int(fields.get(b"content-length", b"0")))
        return Answer(int(lines[0].split()[1]), body, time.perf_counter() - began)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def get(path: str, **headers: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "host: 127.0.0.1", "accept-encoding: gzip", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def post(path: str, body: bytes, **headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", "content-type: application/json", f"content-length: {len(body)}"]
    return ("\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items())]) + "\r\n\r\n").encode() + body


# -- the server


class Shown(NamedTuple):
    """What the load knows of the market."""

    system: str
    account: str
    spot: str
    price: str
    key: str
    cookie: str


@contextmanager
def server(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """`tonne demo` as a process: its address, and itself."""
    command = [sys.executable, "-m", "tonne", "demo", "--out", str(folder), "--port", "0", "--no-browser"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, **UNBOUND, "PYTHONUNBUFFERED": "1"}
    )
    assert process.stdout is not None
    url = ""
    for line in process.stdout:
        if found := ADDRESS.search(line):
            url = found.group(1)
            break
    threading.Thread(target=process.stdout.read, daemon=True).start()
    try:
        yield url, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(60)


def prepared(folder: Path) -> Shown:
    """The demonstration's market, an operator's session and a trader's key."""
    from tonne.interfaces.web import demo

    place, _logins = demo.prepared(folder, port=0)
    try:
        now = datetime.now(UTC)
        people, hall = place.people, place.demo.hall

        def signed_in(name: str) -> Any:
            login = place.demo.login_of(name)
            token = people.login(login.email, login.password, address="benchmark", now=now).token
            full = people.prove(token, place.demo.code_of(login.person), address="benchmark", now=now)
            people.act_as(full.token, full.session.memberships[0].id, now=now)
            return full.token

        trader = people.session(signed_in("trader"), now)
        key, _made = people.create_key(trader, "benchmark", ["read", "trade"], address="benchmark", now=now)
        exchange = hall.desk.administration.state.exchange
        spot = next(one for one in exchange.listed if one["settlement"] != "margined")
        number = exchange.number(spot["code"])
        from decimal import Decimal

        price = int(int(exchange.marks[number]) * 95 // 100) * Decimal(spot["tick"])
        account = place.demo.plan.people["trader"].accounts[0]
        return Shown(hall.system, account, spot["code"], str(price), key, signed_in("operator"))
    finally:
        place.close()


# -- loads


def mixed(shown: Shown) -> list[bytes]:
    """What people and programs read, in the shares in which they do: public pages, an operator's own, the book, lists."""
    s, own, program = shown.system, {"cookie": f"tonne={shown.cookie}"}, {"authorization": f"Bearer {shown.key}"}
    pages = [
        "/",
        "/systems",
        f"/{s}",
        f"/{s}/law",
        f"/{s}/participants",
        f"/{s}/transactions",
        f"/{s}/auctions",
        f"/{s}/market",
        f"/{s}/calendar",
        f"/{s}/compliance",
    ]
    mine = [f"/{s}/home", f"/{s}/obligation", f"/{s}/accounts", f"/{s}/reports", f"/{s}/tasks"]
    api = [
        f"/api/v1/{s}/instruments/{shown.spot}/book",
        f"/api/v1/{s}/instruments/{shown.spot}/trades",
        f"/api/v1/{s}/instruments",
        f"/api/v1/{s}/figures",
    ]
    return [*(get(path) for path in pages), *(get(path, **own) for path in mine), *(get(path, **program) for path in api)]


async def steady(url: str, requests: Sequence[bytes], rate: int, seconds: float) -> tuple[list[float], dict[int, int]]:
    """Latencies (s) from the moment at which each request was due, so that a queue counts; and answers by status."""
    connections: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        connections.put_nowait(Connection(url))
    latencies: list[float] = []
    statuses: dict[int, int] = {}
    random = np.random.default_rng(1)
    order = random.integers(0, len(requests), int(rate * seconds))
    begins = time.perf_counter() + 0.2

    async def one(number: int) -> None:
        due = begins + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        connection = await connections.get()
        answer = await connection.ask(requests[order[number]])
        latencies.append(time.perf_counter() - due)
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
        connections.put_nowait(connection)

    await asyncio.gather(*(one(number) for number in range(len(order))))
    while not connections.empty():
        connections.get_nowait().close()
    return latencies, statuses


async def callers(url: str, shown: Shown, count: int, seconds: float) -> tuple[list[float], float, dict[int, int]]:
    """Clients that send an order, wait for the answer and send the next: latencies, how long it took, statuses."""
    latencies: list[float] = []
    statuses: dict[int, int] = {}
    ends = time.perf_counter() + seconds

    async def one(name: int) -> None:
        connection, number = Connection(url), 0
        while time.perf_counter() < ends:
            body = {"orders": [{"account": shown.account, "instrument": shown.spot, "side": "buy", "quantity": 1, "price": shown.price}]}
            headers = {"authorization": f"Bearer {shown.key}", "idempotency-key": f"bench-{os.getpid()}-{name}-{number}"}
            answer = await connection.ask(post(f"/api/v1/{shown.system}/orders", json.dumps(body).encode(), **headers))
            latencies.append(answer.seconds)
            statuses[answer.status] = statuses.get(answer.status, 0) + 1
            number += 1
        connection.close()

    began = time.perf_counter()
    await asyncio.gather(*(one(name) for name in range(count)))
    return latencies, time.perf_counter() - began, statuses


async def listeners(url: str, shown: Shown, count: int, process: psutil.Process) -> tuple[float, float]:
    """Memory of the server (MB) before and with so many open event streams."""
    before = process.memory_info().rss / 1e6
    opened = []
    request = get(f"/{shown.system}/stream?topics=notices", accept="text/event-stream", cookie=f"tonne={shown.cookie}")
    for _ in range(count):
        reader, writer = await asyncio.open_connection(urlsplit(url).hostname, urlsplit(url).port)
        writer.write(request)
        opened.append((reader, writer))
    statuses = [int((await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1]) for reader, _writer in opened]
    if set(statuses) != {200}:
        raise RuntimeError(f"streams were answered {sorted(set(statuses))}")
    await asyncio.sleep(3)
    after = process.memory_info().rss / 1e6
    for _reader, writer in opened:
        writer.close()
    return before, after


# -- a table over a million rows


def million(folder: Path) -> dict[str, float]:
    """Seconds to the first page of lists over a million rows, as the pages make it: the first time, and the median of ten more."""
    import httpx
    import polars as pl

    from tonne.administration.commands import Command
    from tonne.administration.decision import move
    from tonne.administration.kinds import Kind
    from tonne.interfaces.api import open_market
    from tonne.interfaces.web.app import create_app
    from tonne.interfaces.web.serve import open_place
    from tonne.interfaces.web.settings import Settings
    from tonne.simulation.living_plan import living_system

    path, day = folder / "million.db", date(2020, 3, 2)
    with open_market(str(path), living_system()) as desk:

        def say(id: str, kind: str, body: dict[str, Any], **tables: Any) -> None:
            reply = desk.call(Command(id, kind, "administrator", day, body, tables))
            if not reply.accepted:
                raise RuntimeError(f"{id}: {reply.outcome}: {reply.reason}")

        say("found", "found", {"system": desk.administration.founding_rulebook.system.id, "scenario": "", "first_year": 2020})
        for name in ("one", "two"):
            say(f"register:{name}", "register_participant", {"participant": name, "name": name.title(), "role": "trader", "country": ""})
        names = [f"{holder}-{number}" for holder in ("one", "two") for number in range(50)]
        table = pl.DataFrame({"account": names, "kind": "trading", "holder": [name.partition("-")[0] for name in names]})
        say("accounts", "open_accounts", {}, accounts=table.with_columns(installation=pl.lit(None, pl.String)))
        state = desk.administration.state
        code = state.allowance_code(2020)
        say("opening", "open_balance", {"account": "one-0", "unit": code, "quantity": 10**9, "source": "benchmark", "year": 2020})
        unit, first = state.unit(code), state.accounts.number("one-0")
        random = np.random.default_rng(1)
        for batch in range(20):
            targets = np.array([state.accounts.number(names[place]) for place in random.integers(1, len(names), ROWS // 20)])
            command = Command(f"many:{batch}", "transfer", "administrator", day)
            say(f"many:{batch}", "transfer", {}, transfers=move(command, Kind.TRANSFER, first, targets, unit, random.integers(1, 100, ROWS // 20)))
        system = desk.administration.founding_rulebook.system.id
    place = open_place(Settings(databases=(str(path),), port=0))
    app = create_app(place)
    found: dict[str, float] = {}

    async def measured() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app, client=("127.0.0.1", 1)), base_url="http://127.0.0.1") as client:
            for address in (f"/{system}/transactions", f"/{system}/transactions?sort=-quantity", f"/{system}/transactions?kind=transfer&page=200"):
                took = []
                for _ in range(11):
                    began = time.perf_counter()
                    answer = await client.get(address)
                    took.append(time.perf_counter() - began)
                    if answer.status_code != 200:
                        raise RuntimeError(f"{address}: {answer.status_code}")
                found[f"{address} first"], found[f"{address} again"] = took[0], float(np.median(took[1:]))

    asyncio.run(measured())
    place.close()
    return found


# -- all together


def percentile(values: Sequence[float], share: float) -> float:
    return float(np.percentile(values, share)) * 1_000


def run(scale: float = 1.0) -> list[tuple[str, str, str]]:
    """(what, measured, target)."""
    rows: list[tuple[str, str, str]] = []
    seconds = max(3.0, SECONDS * scale)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "demo"
        began = time.perf_counter()
        shown = prepared(folder)
        rows.append(("living market built, logins made", f"{time.perf_counter() - began:.1f} s", ""))
        began = time.perf_counter()
        with server(folder) as (url, process):
            rows.append(("tonne demo, second start, to a listening server", f"{time.perf_counter() - began:.1f} s", ""))
            requests = mixed(shown)
            asyncio.run(steady(url, requests, 20, 3))  # what is made once is made
            latencies, statuses = asyncio.run(steady(url, requests, RATE, seconds))
            text = f"p50 {percentile(latencies, 50):.0f}, p95 {percentile(latencies, 95):.0f}, p99 {percentile(latencies, 99):.0f} ms"
            rows.append((f"mixed reads, {RATE} a second, {len(latencies):,} answers {_told(statuses)}", text, "p99 100 ms"))
            home = asyncio.run(Connection(url).ask(get("/")))
            rows.append(("home page, HTML compressed", f"{len(home.body) / 1000:.1f} kB", "300 kB with its files"))
            latencies, took, statuses = asyncio.run(callers(url, shown, CALLERS, seconds / 2))
            text = f"{len(latencies) / took:,.0f}/s, p50 {percentile(latencies, 50):.0f}, p99 {percentile(latencies, 99):.0f} ms"
            rows.append((f"orders over HTTP, {CALLERS} clients, durable, {_told(statuses)}", text, "1,500/s, p99 80 ms"))
            before, after = asyncio.run(listeners(url, shown, STREAMS, process))
            rows.append((f"{STREAMS:,} idle event streams", f"{before:.0f} MB, with them {after:.0f} MB", "500 MB"))
        if scale >= 1:
            for what, first in million(Path(scratch)).items():
                rows.append((f"{ROWS:,} rows: {what}", f"{first * 1000:.0f} ms", "150 ms"))
    return rows


def _told(statuses: dict[int, int]) -> str:
    return ", ".join(f"{count:,} x {status}" for status, count in sorted(statuses.items()))


def table(rows: list[tuple[str, str, str]]) -> str:
    wide = max(len(row[0]) for row in rows)
    return "\n".join(f"{what:<{wide}}  {measured:<44} {target}".rstrip() for what, measured, target in [("what", "measured", "target"), *rows])


if __name__ == "__main__":
    sys.stdout.write(table(run(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)) + "\n")
