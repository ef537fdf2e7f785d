"""The law library as a whole: reading and checking every rulebook, every case, the list of systems, and one whole period of each system."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import Any

from benchmarks.runs import ROOT

TIMES = 5
INSTALLATIONS = 1_000
RUN = """
import sys, time
import tonne
from datetime import date
from tonne.simulation.periods import whole_period
started = time.perf_counter()
book = tonne.rulebook(sys.argv[1])
run = tonne.run(sys.argv[1], whole_period(book, date(2026, 11, 20)), synthetic=int(sys.argv[2]))
entries, differences = run.verify()
assert not differences
print(time.perf_counter() - started, run.outcome.first_year, run.outcome.last_year, len(run.outcome.state.books.transfers))
"""


def command(*arguments: str) -> float:
    """Seconds from the start of a process to its end."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "tonne", *arguments], capture_output=True, cwd=ROOT, check=True)
    return time.perf_counter() - started


def commands(times: int = TIMES) -> list[dict[str, Any]]:
    """Whole processes, start-up included: median and slowest of several."""
    rows = []
    for target, arguments in ((3.0, ("check",)), (10.0, ("check", "--cases")), (1.0, ("systems",)), (None, ("fidelity",))):
        taken = [command(*arguments) for _ in range(times)]
        rows.append({"what": "tonne " + " ".join(arguments), "median": statistics.median(taken), "slowest": max(taken), "target": target})
    return rows


def periods() -> list[dict[str, Any]]:
    """The last whole period of every system in force on generated installations, log decided twice; the whole process each."""
    import tonne

    rows = []
    for system in tonne.systems():
        if tonne.rulebook(system).system.status != "in_force":
            continue
        started = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", RUN, system, str(INSTALLATIONS)], capture_output=True, text=True, cwd=ROOT, check=True)
        whole = time.perf_counter() - started
        seconds, first, last, transfers = done.stdout.split()
        rows.append({"system": system, "years": f"{first}-{last}", "transfers": int(transfers), "seconds": float(seconds), "process": whole})
    return sorted(rows, key=lambda row: -row["process"])


def table(found: list[dict[str, Any]], runs: list[dict[str, Any]]) -> str:
    lines = [f"{'whole processes, ' + str(TIMES) + ' times each':<40}{'median s':>10}{'slowest s':>11}{'target s':>10}"]
    for row in found:
        target = f"{row['target']:.0f}" if row["target"] else ""
        lines.append(f"{row['what']:<40}{row['median']:>10.2f}{row['slowest']:>11.2f}{target:>10}")
    lines += [
        "",
        f"{len(runs)} systems in force, {INSTALLATIONS:,} installations, last whole period, log decided twice; five slowest and median (target 3 s)",
    ]
    lines.append(f"{'system':<28}{'years':>12}{'transfers':>12}{'run s':>8}{'process s':>11}")
    median = sorted(runs, key=lambda row: row["process"])[len(runs) // 2]
    for row in [*runs[:5], median]:
        lines.append(f"{row['system']:<28}{row['years']:>12}{row['transfers']:>12,}{row['seconds']:>8.2f}{row['process']:>11.2f}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(commands(), periods()))
