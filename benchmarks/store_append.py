"""What the log itself costs: durable appends, replay, verification, and group commit for many callers, beside the plain SQL ledger.

Batches: one entry of 1,000 transfers x 56 bytes in one transaction. Callers: 64 threads, each sending one command of about 300 bytes and waiting
until it is on disk. Our ledger is not part of this: it measures the store alone, where plain SQL keeps balances as well.

    python benchmarks/store_append.py [--postgres URL] [--no-plain]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import tempfile
import threading
import time
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks import plain_sql
from tonne.administration.events import ACCEPTED, GENESIS, Entry
from tonne.store import Decision, GroupCommit, Log, open_log

TRANSFERS = 1_000
TRANSFER_BYTES = 56
CALLERS = 64
DAY = date(2024, 5, 1)


def entry_after(last: Entry | None, command: bytes, tables: bytes = b"") -> Entry:
    sequence = last.sequence + 1 if last else 1
    return Entry.chained(
        sequence=sequence, command_id=f"{sequence * 2654435761 % 2**32:08x}-{sequence}", kind="transfer", actor="operator-7", day=DAY,
        outcome=ACCEPTED, command=command, events=b"[]", tables=tables, previous=last.hash if last else GENESIS,
    )  # fmt: skip


def appended(log: Log, batches: int) -> list[dict[str, Any]]:
    """Batches of 1,000 transfers; then the same read back and verified. Random bytes: nothing here profits from compression."""
    entries: list[Entry] = []
    noise = random.Random(1)
    for _ in range(batches):
        tables = noise.randbytes(TRANSFERS * TRANSFER_BYTES)
        entries.append(entry_after(entries[-1] if entries else None, b'{"verb":"transfer"}', tables))
    began = time.perf_counter()
    for entry in entries:
        log.append([entry])
    writing = time.perf_counter() - began
    began = time.perf_counter()
    read = sum(len(entry.tables) for entry in log.read())
    reading = time.perf_counter() - began
    assert read == batches * TRANSFERS * TRANSFER_BYTES
    began = time.perf_counter()
    assert log.verify_chain() == []
    verifying = time.perf_counter() - began
    count = batches * TRANSFERS
    return [
        plain_sql.row(log.kind, f"log, batches of {TRANSFERS:,} x {TRANSFER_BYTES} bytes", count, writing),
        plain_sql.row(log.kind, f"log, replay of {read / 1e6:.0f} MB in {batches:,} entries", count, reading),
        plain_sql.row(log.kind, "log, verification of the same", count, verifying),
    ]


def called(log: Log, calls: int) -> list[dict[str, Any]]:
    """64 threads, each one command at a time; the decision is as cheap as a decision can be: it makes the entry."""
    last: Entry | None = None
    groups: list[int] = []
    payload = b'{"verb":"transfer","note":"' + b"n" * 170 + b'"}'

    def decide(requests: list[bytes]) -> list[Decision]:
        nonlocal last
        groups.append(len(requests))
        decisions = []
        for request in requests:
            last = entry_after(last, request)
            decisions.append(Decision(last.sequence, last))
        return decisions

    *_, last = log.read(after=log.head().sequence - 1)
    share = calls // CALLERS
    ready = threading.Barrier(CALLERS + 1)

    def caller() -> None:
        ready.wait()
        for _ in range(share):
            commit.call(payload)

    with GroupCommit(log, decide) as commit:
        threads = [threading.Thread(target=caller) for _ in range(CALLERS)]
        for thread in threads:
            thread.start()
        ready.wait()
        began = time.perf_counter()
        for thread in threads:
            thread.join()
        many = time.perf_counter() - began
        size = share * CALLERS / len(groups)
        began = time.perf_counter()
        for _ in range(300):
            commit.call(payload)
        alone = time.perf_counter() - began
    return [
        plain_sql.row(log.kind, f"log, {CALLERS} callers, one transfer each (groups of {size:.0f})", share * CALLERS, many, "acknowledged/s"),
        plain_sql.row(log.kind, "log, 1 caller, one transfer each", 300, alone, "acknowledged/s"),
    ]


def small_entries(log: Log, count: int) -> list[dict[str, Any]]:
    """A log of small entries, replayed: the cost of a row, not of its bytes."""
    before = log.head().sequence
    *_, last = log.read(after=before - 1)
    entries = []
    for _ in range(count):
        last = entry_after(last, b'{"verb":"transfer","note":"' + b"n" * 170 + b'"}')
        entries.append(last)
    began = time.perf_counter()
    log.append_batches(entries[start : start + 1_000] for start in range(0, count, 1_000))
    loading = time.perf_counter() - began
    began = time.perf_counter()
    assert sum(1 for _ in log.read(after=before)) == count
    reading = time.perf_counter() - began
    return [
        plain_sql.row(log.kind, "log, small entries stored in one transaction", count, loading, "entries/s"),
        plain_sql.row(log.kind, "log, replay of small entries", count, reading, "entries/s"),
    ]


def run(postgres: str | None = None, batches: int = 1_000, calls: int = 25_600, small: int = 100_000) -> list[dict[str, Any]]:
    """Rows of store, workload, count, seconds, per_second, unit. postgres: URL of a server; None leaves PostgreSQL out."""
    rows: list[dict[str, Any]] = []
    folder = Path(tempfile.mkdtemp(prefix="tonne-bench-"))
    try:
        with open_log(folder / "log.db") as log:
            rows += appended(log, batches) + called(log, calls) + small_entries(log, small)
    finally:
        shutil.rmtree(folder)
    if postgres is not None:
        import psycopg

        schema = f"tonne_bench_{os.getpid()}"
        try:
            with open_log(f"{postgres}{'&' if '?' in postgres else '?'}schema={schema}") as log:
                rows += appended(log, batches) + called(log, calls) + small_entries(log, small)
        finally:
            with psycopg.connect(postgres, autocommit=True) as connection, contextlib.suppress(psycopg.Error):
                connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
    return rows


def ratios(rows: list[dict[str, Any]], plain: list[dict[str, Any]]) -> str:
    """How many times plain SQL's figures the log's are, like with like."""
    lines = []
    for theirs in plain:
        what = "64 callers" if "callers" in theirs["workload"] else "batches"
        ours = next(row["per_second"] for row in rows if row["store"] == theirs["store"] and what in row["workload"])
        lines.append(f"{theirs['store']:<12}{ours / theirs['per_second']:8.1f} x {theirs['workload']}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgres", help="URL of a PostgreSQL database for scratch tables (default: one is started)")
    parser.add_argument("--no-plain", action="store_true", help="leave the plain SQL ledger out")
    given = parser.parse_args()
    print(plain_sql.machine())
    with plain_sql.postgres_server(given.postgres) as url:
        rows = run(url)
        print(plain_sql.table(rows))
        if not given.no_plain:
            plain = plain_sql.run(url)
            print(plain_sql.table(plain))
            print(ratios(rows, plain))


if __name__ == "__main__":
    main()
