"""The whole path, ledger and log together, against a plain SQL ledger: batches of 1,000 transfers, and 64 callers of one transfer each."""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
import threading
import time
from collections import deque
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import tonne
from tonne.administration.commands import Command
from tonne.administration.permissions import ADMINISTRATOR
from tonne.ledger import TRANSFER
from tonne.store.desk import Desk

ACCOUNTS = 1_000
DAY = date(2013, 1, 2)


def founded(where: str) -> Desk:
    """A market with 1,000 trading accounts of 10^12 units each."""
    import polars as pl

    desk = tonne.open_market(where, "eu-ets")
    desk.call(Command("found", "found", ADMINISTRATOR, DAY, {"system": "eu-ets", "scenario": "", "first_year": 2013}))
    names = [f"trading-{i}" for i in range(ACCOUNTS)]
    nothing = pl.Series([None] * ACCOUNTS, dtype=pl.String)
    accounts = pl.DataFrame({"account": names, "kind": "trading", "holder": ADMINISTRATOR, "installation": nothing})
    desk.call(Command("accounts", "open_accounts", ADMINISTRATOR, DAY, {}, {"accounts": accounts}))
    desk.call(Command("unit", "add_unit_type", ADMINISTRATOR, DAY, {"code": "EUA", "kind": "allowance", "measure": "tonne", "vintage": None}))
    opening = np.zeros(ACCOUNTS, dtype=TRANSFER)
    opening["from_account"], opening["unit"] = desk.administration.state.accounts.number("outside"), desk.administration.state.unit("EUA")
    opening["to_account"] = [desk.administration.state.accounts.number(name) for name in names]
    opening["quantity"] = 10**12
    assert desk.call(Command("openings", "transfer", ADMINISTRATOR, DAY, {}, {"transfers": opening})).accepted
    return desk


def batches(desk: Desk, total: int, in_flight: int = 1, size: int = 1_000, seed: int = 1) -> float:
    """Transfers acknowledged a second when one caller sends batches and waits when `in_flight` of them are not yet acknowledged.

    With one in flight each batch is stored before the next is sent. Every batch is a command of its own, stored before it is acknowledged.
    """
    random = np.random.default_rng(seed)
    first = desk.administration.state.accounts.number("trading-0")
    unit = desk.administration.state.unit("EUA")
    prepared = []
    for number in range(total // size):
        batch = np.zeros(size, dtype=TRANSFER)
        source = random.integers(0, ACCOUNTS, size)
        batch["from_account"], batch["unit"] = first + source, unit
        batch["to_account"] = first + (source + 1 + random.integers(0, ACCOUNTS - 1, size)) % ACCOUNTS
        batch["quantity"] = random.integers(1, 1_000, size)
        prepared.append(Command(f"batch:{seed}:{number}", "transfer", ADMINISTRATOR, DAY, {}, {"transfers": batch}))
    desk.call(Command(f"warm:{seed}", "transfer", ADMINISTRATOR, DAY, {}, {"transfers": prepared[0].tables["transfers"][:1]}))
    waiting: deque[Any] = deque()
    started = time.perf_counter()
    for command in prepared:
        if in_flight == 1:
            assert desk.call(command).accepted
            continue
        waiting.append(desk.submit(command))
        if len(waiting) >= in_flight:
            assert waiting.popleft().result().accepted
    assert all(future.result().accepted for future in waiting)
    return total / (time.perf_counter() - started)


def callers(desk: Desk, total: int, count: int = 64, round_: int = 0) -> float:
    """Commands acknowledged a second when `count` threads each send one transfer at a time and wait for it to be stored."""
    numbers = itertools.count()
    failed: list[Any] = []

    def work() -> None:
        while (number := next(numbers)) < total:
            body = {"from": f"trading-{number % ACCOUNTS}", "to": f"trading-{(number + 7) % ACCOUNTS}", "unit": "EUA", "quantity": 1}
            reply = desk.call(Command(f"one:{round_}:{number}", "transfer", ADMINISTRATOR, DAY, body))
            if not reply.accepted:
                failed.append(reply)

    threads = [threading.Thread(target=work) for _ in range(count)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    assert not failed, failed[0]
    return total / seconds


def run(postgres: str | None = None, scale: float = 1.0) -> list[dict[str, Any]]:
    """Rows of store, workload, count, seconds, per_second (the median of three rounds), unit. postgres: URL of a server; None leaves it out."""
    from benchmarks import plain_sql

    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for store in ("sqlite", "postgresql") if postgres is not None else ("sqlite",):
            count = int(500_000 * scale)
            for in_flight in (1, 8):
                with founded(place(store, folder, postgres)) as desk:
                    batches(desk, 50_000, in_flight, seed=0)
                    per_second = median(batches(desk, count, in_flight, seed=seed) for seed in (1, 2, 3))
                    desk.administration.state.books.check()
                rows.append(plain_sql.row(store, f"tonne, batches of 1,000, {in_flight} in flight", count, count / per_second))
            count = int(25_600 * scale)
            with founded(place(store, folder, postgres)) as desk:
                callers(desk, 1_280, round_=0)
                per_second = median(callers(desk, count, round_=number) for number in (1, 2, 3))
                desk.administration.state.books.check()
            rows.append(plain_sql.row(store, "tonne, 64 callers, one transfer each", count, count / per_second, "acknowledged/s"))
    return rows


def place(store: str, folder: str, postgres: str | None) -> str:
    """The address of a market that is not there yet."""
    name = f"durable_{time.time_ns()}"
    return str(Path(folder) / f"{name}.db") if store == "sqlite" else f"{postgres}{'&' if '?' in str(postgres) else '?'}schema={name}"


def main() -> None:
    """Rows as JSON: `python -m benchmarks.durable [SCALE [POSTGRES_URL]]`. A process of its own, as a market has."""
    print(json.dumps(run(sys.argv[2] if len(sys.argv) > 2 else None, float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)))


if __name__ == "__main__":
    main()
