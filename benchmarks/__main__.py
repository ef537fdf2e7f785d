"""`make bench`: every benchmark, side by side in one run, printed and written to docs/benchmarks.md."""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
from pathlib import Path

from benchmarks import auction, exchange, ledger_memory, library, margin, order_book, plain_sql, portal, runs, store_append

LIMITS = """What limits these figures, on two shared cores whose speed varies by a fifth from run to run:

- Ledger in memory: memory itself. Where tables double as they go, half of the time is the first touch of fresh pages.
- Batches, one in flight: one commit for each batch (about 0.5 ms) follows one decision (about 0.35 ms). With eight in flight commits are shared, and
  each batch is still stored before it is acknowledged.
- 64 callers: one Python process. A command costs about 35 us to decide and as much again to hand from thread to thread; groups come to about half of
  the callers, because the other half is being answered while a group is decided.
- Orders, matching, settlement and log: of the 2 ms of a batch, a quarter is the commit; the rest is NumPy's overhead for a call on a few hundred
  rows, some hundred calls a batch.
- Order book: one by one, the call from Python into compiled code: batches of ten already carry three times as many of the same events. Other
  engines are called once for each event, which is how they are meant to be used.
- The law library: the start of a process. Of the second that `tonne systems` takes, a third parses 1.3 MB of YAML on both cores, a fifth builds the
  schemas; of a run of 1,000 installations, a third imports NumPy, Polars and Numba's cache, and a quarter decides the log again. The machine's speed
  changed by a third within one `make bench`."""
PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"


def ratios(ours: list[dict[str, object]], plain: list[dict[str, object]]) -> str:
    """tonne's figure over each of plain SQL's, store by store and like with like."""
    lines = []
    for theirs in plain:
        many = "callers" in str(theirs["workload"])
        for row in ours:
            if row["store"] == theirs["store"] and ("callers" in str(row["workload"])) == many:
                ratio = float(row["per_second"]) / float(theirs["per_second"])  # type: ignore[arg-type]
                lines.append(f"{row['store']!s:<12}{row['workload']!s:<44}{ratio:7.1f} x {theirs['workload']}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="a smaller number for a quick look; docs/benchmarks.md is then not written")
    parser.add_argument("--postgres", help="URL of a PostgreSQL database for scratch tables (default: one is started)")
    given = parser.parse_args()
    parts = [("Machine", plain_sql.machine())]
    print(plain_sql.machine(), flush=True)

    def part(title: str, text: str) -> None:
        parts.append((title, text))
        print(f"\n{title}\n{text}", flush=True)

    part("Ledger in memory", ledger_memory.table(ledger_memory.run(given.scale)))
    part("Order book", order_book.table(order_book.run(given.scale)))
    part("Initial margin of a clearing house", margin.table(margin.run(given.scale)))
    part("A primary auction", auction.table(auction.run(given.scale)))
    with plain_sql.postgres_server(given.postgres) as url:
        plain = plain_sql.run(url, batches=max(20, int(100 * given.scale)), calls=max(640, int(3_200 * given.scale)))
        command = [sys.executable, "-m", "benchmarks.durable", str(given.scale), *([url] if url else [])]
        whole = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])
        part("Durable: orders, matching, settlement and log together", exchange.table(exchange.run(given.scale)))
        part("Durable: ledger and log together, and a plain SQL ledger", plain_sql.table([*whole, *plain]))
        part("Durable: how many times the plain SQL ledger", ratios(whole, plain))
        log = store_append.run(url, batches=int(1_000 * given.scale), calls=int(25_600 * given.scale), small=int(100_000 * given.scale))
        part("The log alone", plain_sql.table(log))
    sizes = (10_000, 100_000, 1_000_000) if given.scale >= 1 else (1_000, 10_000)
    part("Whole runs, replay, start-up", runs.table(runs.run(sizes)))
    part("The portal", portal.table(portal.run(given.scale)))
    if given.scale >= 1:
        part("The law library", library.table(library.commands(), library.periods()))
        day = datetime.datetime.now(tz=datetime.UTC).date()
        text = "\n\n".join(f"## {title}\n\n```\n{body}\n```" for title, body in parts)
        intro = f"Last results of `make bench`, {day}. What is compared is measured in the same run; every workload is in `benchmarks/`."
        PAGE.write_text(f"# Benchmarks\n\n{intro}\n\n{LIMITS}\n\n{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
