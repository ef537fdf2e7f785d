"""Orders, matching, settlement and log together: batches of 1,000 instructions, each a command that is stored before it is acknowledged.

Spot trading, everything paid for beforehand: each batch checks cover, goes through the order book, moves units against money for every trade, sets
aside anew what open orders need, and is written to the log. The flow is that of the order book's benchmark; accounts are drawn evenly.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import deque
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl

import tonne
from tonne.administration.commands import Command
from tonne.administration.permissions import ADMINISTRATOR
from tonne.dates import day_number
from tonne.ledger import TRANSFER
from tonne.market.orders import Verb
from tonne.simulation.order_flow import benchmark_flow
from tonne.store.desk import Desk

DAY = date(2026, 3, 2)
SIZE = 1_000
WARM = 30  # batches before the clock starts: the compiled book comes after 20,000 instructions
TERMS = {"lot": 1, "unit": "EUA", "tick": "0.01", "currency": "EUR", "settlement": "prefunded"}


def opened(where: str, accounts: int) -> Desk:
    """A market with an exchange, and so many members with units and money."""
    desk = tonne.open_market(where, "eu-ets")

    def say(verb: str, body: dict[str, Any] | None = None, tables: dict[str, Any] | None = None) -> None:
        reply = desk.call(Command(f"{verb}:{desk.administration.sequence}", verb, ADMINISTRATOR, DAY, body or {}, tables or {}))
        assert reply.accepted, reply

    names = [f"member-{number}" for number in range(accounts)]
    nothing = pl.Series([None] * accounts, dtype=pl.String)
    say("found", {"system": "eu-ets", "scenario": "", "first_year": DAY.year})
    say("add_unit_type", {"code": "EUA", "kind": "allowance", "measure": "tonne", "vintage": None})
    frame = pl.DataFrame({"account": names, "kind": "trading", "holder": ADMINISTRATOR, "installation": nothing})
    say("open_accounts", {}, {"accounts": frame})
    state = desk.administration.state
    opening = np.zeros(accounts, dtype=TRANSFER)
    opening["from_account"], opening["unit"], opening["quantity"] = state.accounts.number("outside"), state.unit("EUA"), 10**9
    opening["to_account"] = [state.accounts.number(name) for name in names]
    say("transfer", {}, {"transfers": opening})
    say("open_exchange", {"venue": "exchange"})
    say("admit", {}, {"accounts": pl.DataFrame({"account": names})})
    say("deposit", {"currency": "EUR"}, {"deposits": pl.DataFrame({"account": names, "minor": [10**14] * accounts})})
    say("list_instrument", {"contract": "spot", "kind": "spot", "terms": TERMS, "unit": "EUA", "reference": "100.00"})
    return desk


def commands(desk: Desk, instructions: int, accounts: int, seed: int = 1) -> list[Command]:
    """The flow in batches, its orders given to the members evenly."""
    flow = benchmark_flow(instructions).copy()
    first = desk.administration.state.accounts.number("member-0")
    owner = np.zeros(int(flow["order"].max()) + 1, dtype=np.int64)
    owner[flow["order"][flow["verb"] == Verb.NEW]] = first + np.random.default_rng(seed).integers(0, accounts, int((flow["verb"] == Verb.NEW).sum()))
    flow["account"] = owner[flow["order"]]
    flow["time"] = day_number(DAY) * 86_400_000_000 + np.arange(instructions)
    parts = (flow[at : at + SIZE] for at in range(0, instructions, SIZE))
    return [Command(f"orders:{number}", "orders", ADMINISTRATOR, DAY, {}, {"instructions": part}) for number, part in enumerate(parts)]


def measured(instructions: int, accounts: int, in_flight: int) -> dict[str, Any]:
    """Instructions, executions and transfers a second, from a market of its own."""
    with tempfile.TemporaryDirectory() as folder, opened(str(Path(folder) / "market.db"), accounts) as desk:
        batches = commands(desk, instructions + WARM * SIZE, accounts)
        for command in batches[:WARM]:
            assert desk.call(command).accepted
        moved = len(desk.administration.state.books.transfers)
        executions, waiting = 0, deque[Any]()
        started = time.perf_counter()
        for command in batches[WARM:]:
            waiting.append(desk.submit(command))
            if len(waiting) >= in_flight:
                executions += len(waiting.popleft().result().tables["executions"])
        executions += sum(len(future.result().tables["executions"]) for future in waiting)
        seconds = time.perf_counter() - started
        moved = len(desk.administration.state.books.transfers) - moved
        desk.administration.state.books.check()
    return {"seconds": seconds, "instructions": instructions, "executions": executions, "transfers": moved}


def run(scale: float = 1.0) -> list[dict[str, Any]]:
    """Three rounds of each workload, taken in turn; the round of the middle time."""
    work = [(accounts, in_flight) for accounts in (50, 1_000) for in_flight in (1, 8)]
    count = max(20_000, int(200_000 * scale)) // SIZE * SIZE
    rounds: dict[tuple[int, int], list[dict[str, Any]]] = {key: [] for key in work}
    for _ in range(3):
        for key in work:
            rounds[key].append(measured(count, *key))
    found = []
    for key, results in rounds.items():
        middle = median(result["seconds"] for result in results)
        chosen = next(result for result in results if result["seconds"] == middle)
        found.append({"workload": f"{key[0]:,} accounts, {key[1]} in flight", "best": min(r["seconds"] for r in results), **chosen})
    return found


def table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "batches of 1,000 instructions in SQLite, each stored before it is acknowledged; median of three rounds (best)",
        f"{'':<30}{'instructions':>14}{'seconds':>9}{'instructions a second':>24}{'(best)':>12}{'executions a second':>22}{'transfers a second':>21}",
    ]
    for row in rows:
        each = row["instructions"] / row["seconds"]
        lines.append(
            f"{row['workload']:<30}{row['instructions']:>14,}{row['seconds']:>9.3f}{each:>24,.0f}{row['instructions'] / row['best']:>12,.0f}"
            f"{row['executions'] / row['seconds']:>22,.0f}{row['transfers'] / row['seconds']:>21,.0f}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(run(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)))
