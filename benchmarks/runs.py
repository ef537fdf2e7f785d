"""Whole runs: the real installations where they lie beside the project, generated ones by number, replay, start-up. One process a measurement."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data" / "eu_ets"


def measured(what: str, code: str) -> dict[str, Any]:
    """Run a piece of Python in its own process; its last line is JSON. Adds wall seconds and peak memory of that process."""
    wrapped = f"import json, time\nstarted = time.perf_counter()\n{code}\nseconds = time.perf_counter() - started\n"
    # VmHWM begins anew with the process; the peak that getrusage gives is inherited from this one.
    wrapped += "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1]\n"
    wrapped += "print(json.dumps({'seconds': seconds, 'mb': int(peak) / 1024, **extra}))"
    answer = subprocess.run([sys.executable, "-c", wrapped], capture_output=True, text=True, cwd=ROOT, check=False)
    if answer.returncode:
        raise RuntimeError(f"{what}: {answer.stderr.strip().splitlines()[-1]}")
    return {"what": what, **json.loads(answer.stdout.strip().splitlines()[-1])}


def real(folder: str) -> list[dict[str, Any]]:
    """The real file 2013-2020 with a durable log, then its verification. Nothing where the data does not lie beside the project."""
    if not DATA.is_dir():
        return []
    files = f"{str(DATA / 'installations.csv.gz')!r}, {str(DATA / 'compliance_by_installation_year.csv.gz')!r}"
    totals = str(DATA / "control_totals_all_registries.csv")
    code = f"""
import tonne
run = tonne.run("eu-ets", (2013, 2020), {files}, totals={totals!r}, log={folder + "/real.db"!r})
extra = {{"installations": len(run.outcome.inputs.installations), "transfers": len(run.outcome.state.books.transfers)}}
run.close()
"""
    verify = f"""
import tonne
from tonne.store import open_log
from tonne.store.desk import verify
with open_log({folder + "/real.db"!r}, mode="read") as log:
    faults, state = verify(log, lambda system, scenario: tonne.rulebook(system, scenario or None))
assert not faults and state
extra = {{}}
"""
    return [measured("8 years, 11,061 real installations, durable log", code), measured("the same log verified: chain, decisions, state", verify)]


def generated(folder: str, sizes: tuple[int, ...]) -> list[dict[str, Any]]:
    """One year on generated installations with a durable log, by number of installations."""
    rows = []
    for size in sizes:
        code = f"""
import tonne
run = tonne.run("eu-ets", (2013, 2013), synthetic={size}, log={f"{folder}/generated-{size}.db"!r})
extra = {{"installations": {size}, "transfers": len(run.outcome.state.books.transfers)}}
run.close()
"""
        rows.append(measured(f"1 year, {size:,} generated installations, durable log", code))
    return rows


def replay(folder: str, transfers: int = 1_000_000) -> list[dict[str, Any]]:
    """A log of so many transfers in batches of 1,000, rebuilt from its first entry."""
    from benchmarks.durable import batches, founded

    where = f"{folder}/replay.db"
    with founded(where) as desk:
        batches(desk, transfers, 8)
    code = f"""
import tonne
with tonne.open_market({where!r}) as desk:
    extra = {{"transfers": len(desk.administration.state.books.transfers)}}
"""
    return [measured(f"replay of {transfers:,} transfers", code)]


def startup() -> list[dict[str, Any]]:
    """Wall seconds of commands as a person meets them, best of five; and all rulebooks loaded and checked."""
    tonne = str(Path(sys.executable).parent / "tonne")
    rows = []
    for words in (["--help"], ["show", "eu-ets"], ["show", "rggi", "auction", "--on", "2025-03-01"], ["systems"]):
        best = float("inf")
        for _ in range(5):
            started = time.perf_counter()
            subprocess.run([tonne, *words], capture_output=True, check=True, cwd=ROOT)
            best = min(best, time.perf_counter() - started)
        rows.append({"what": "tonne " + " ".join(words), "seconds": best})
    code = """
from tonne.administration.asks import answer
from tonne.administration.soundness import unsound
from tonne.law import load, systems
faults = [fault for system in systems() for fault in unsound(load(system, answer))]
assert not faults
extra = {"rulebooks": len(systems())}
"""
    rows.append(measured("all rulebooks loaded and checked", code))
    cases = """
from tonne.administration.asks import answer
from tonne.administration.cases import run_rulebook
from tonne.law import load, systems
outcomes = [outcome for system in systems() for outcome in run_rulebook(load(system, answer))]
assert all(outcome.passed for outcome in outcomes)
extra = {"cases": len(outcomes)}
"""
    return [*rows, measured("all cases run", cases)]


def run(sizes: tuple[int, ...] = (10_000, 100_000, 1_000_000)) -> list[dict[str, Any]]:
    """Rows of what, seconds, and where measured mb (peak memory), installations, transfers."""
    with tempfile.TemporaryDirectory() as folder:
        return [*real(folder), *generated(folder, sizes), *replay(folder), *startup()]


def table(rows: list[dict[str, Any]]) -> str:
    lines = [f"{'what':<62}{'seconds':>9}{'peak MB':>9}{'transfers':>12}"]
    for row in rows:
        memory = f"{row['mb']:9,.0f}" if "mb" in row else " " * 9
        count = f"{row['transfers']:12,}" if "transfers" in row else ""
        lines.append(f"{row['what']:<62}{row['seconds']:9.2f}{memory}{count}")
    return "\n".join(lines)


def main() -> None:
    print(table(run()))


if __name__ == "__main__":
    main()
