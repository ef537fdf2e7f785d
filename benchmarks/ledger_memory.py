"""How many transfers a second the ledger takes in memory, on one core: the fast books and the auditor on the same transfers.

Workload: 100,000 accounts (all but the issuing one must not overdraw), 3 unit types, every account funded in each beforehand (300,000 balances);
then transfers of 1 to 1,000 units between two accounts drawn evenly, ids in sequence, in batches of 10,000. Batches are made before the
clock starts; the clock covers `apply` alone. Books are measured five times and the best is given: the first pass over fresh memory measures the
operating system. `capacity` is the number of transfers expected; 0 lets the tables double as they go.

    python benchmarks/ledger_memory.py [scale]
"""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from tonne.ledger import AccountFlag, Auditor, Batch, Books, TransferFlag, UnitType, transfers

N_ACCOUNTS, N_UNITS, BATCH = 100_000, 3, 10_000
N_FUNDING = N_ACCOUNTS * N_UNITS


def funding() -> Batch:
    batch = transfers(N_FUNDING)
    batch["id"] = np.arange(1, N_FUNDING + 1)
    batch["to_account"] = 1 + np.arange(N_FUNDING) % N_ACCOUNTS
    batch["unit"] = np.arange(N_FUNDING) // N_ACCOUNTS
    batch["quantity"], batch["day"] = 1_000_000, 18_000
    return batch


def payments(n: int, pairs: bool = False) -> Batch:
    """Random transfers; with `pairs`, each two linked to each other, as delivery versus payment is."""
    random, batch = np.random.default_rng(7), transfers(n)
    batch["id"] = N_FUNDING + 1 + np.arange(n)
    batch["from_account"] = random.integers(0, N_ACCOUNTS, n)
    batch["to_account"] = 1 + (batch["from_account"] + random.integers(1, N_ACCOUNTS, n)) % N_ACCOUNTS
    batch["from_account"] += 1
    batch["unit"] = random.integers(0, N_UNITS, n)
    batch["quantity"] = random.integers(1, 1001, n)
    batch["day"] = np.sort(random.integers(18_000, 18_365, n))
    if pairs:
        batch["flags"][::2] = int(TransferFlag.LINKED)
    return batch


def seconds(ledger: Any, batch: Batch) -> float:
    ledger.open_accounts(np.where(np.arange(N_ACCOUNTS + 1) == 0, 0, int(AccountFlag.MUST_NOT_OVERDRAW)))
    for unit in range(N_UNITS):
        ledger.add_unit_type(UnitType(f"A{unit}", "benchmark", "allowance", 2020 + unit, "tonne"))
    if ledger.apply(funding()).any():
        raise AssertionError("the funding was refused")
    begin = perf_counter()
    results = [ledger.apply(batch[first : first + BATCH]) for first in range(0, len(batch), BATCH)]
    spent = perf_counter() - begin
    if np.concatenate(results).any():
        raise AssertionError("a transfer was refused")
    return spent


def run(scale: float = 1.0) -> list[dict[str, Any]]:
    """One row a case: what, transfers, seconds, per_second, and times_auditor (how often faster than the auditor)."""
    n, n_slow = max(BATCH, int(1_000_000 * scale)), max(BATCH, int(50_000 * scale))
    batch, linked = payments(n), payments(n, pairs=True)
    rows = []
    for what, capacity, work in (
        ("books, room made beforehand", N_FUNDING + n, batch),
        ("books, tables double as they go", 0, batch),
        ("books, every two linked", N_FUNDING + n, linked),
    ):
        rows.append((what, n, min(seconds(Books(capacity), work) for _ in range(5))))
    rows.append(("auditor", n_slow, seconds(Auditor(), batch[:n_slow])))
    books = Books(N_FUNDING + n)
    seconds(books, batch)
    begin = perf_counter()
    snapshot = books.to_bytes()
    rows.append(("books, snapshot with hash", len(books.transfers), perf_counter() - begin))
    begin = perf_counter()
    Books.from_bytes(snapshot)
    rows.append(("books, from snapshot", len(books.transfers), perf_counter() - begin))
    slow = next(count / spent for what, count, spent in rows if what == "auditor")
    names = ("what", "transfers", "seconds", "per_second", "times_auditor")
    return [dict(zip(names, (what, n, round(s, 3), round(n / s), round(n / s / slow, 1)), strict=True)) for what, n, s in rows]


def machine() -> str:
    """The processor, as the operating system names it."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    return f"{model}, one core used; Python {platform.python_version()}, NumPy {np.__version__}, {platform.system()}"


def table(rows: list[dict[str, Any]]) -> str:
    lines = [
        f"{N_ACCOUNTS:,} accounts, {N_UNITS} unit types, batches of {BATCH:,}, accounts drawn evenly",
        f"{'':34}{'transfers':>12}{'seconds':>10}{'a second':>14}{'x auditor':>11}",
    ]
    for row in rows:
        lines.append(f"{row['what']:34}{row['transfers']:>12,}{row['seconds']:>10.3f}{row['per_second']:>14,}{row['times_auditor']:>11}")
    return "\n".join(lines)


def main() -> None:
    print(machine())
    print(table(run(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)))


if __name__ == "__main__":
    main()
