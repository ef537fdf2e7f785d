"""Runs a small market again and again on one log, each time in a forked child that is killed; until one run comes to its end.

    python killed_runs.py LOG SEED      prints {"kills": ..., "timed": ..., "runs": ..., "hash": ..., "uninterrupted": ...}

The parent imports everything once and starts no thread (Polars and the writer start theirs in the child), so a child costs what its run costs.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import tonne
from tonne.administration import clerk
from tonne.interfaces import api
from tonne.simulation import outcome, population, profile, run
from tonne.store import desk, open_log, postgres_log, sqlite_log
from tonne.store.log import Log

WARM = (clerk, api, outcome, population, profile, run, desk, open_log, postgres_log, sqlite_log)
SYSTEM, YEARS, SIZE = "rggi", (2018, 2022), 60


def once(where: str | None) -> str:
    with tonne.run(SYSTEM, YEARS, synthetic=SIZE, seed=3, log=where) as done:
        return done.state_hash


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying_append(at: int, before: bool) -> Callable[[Log, Any], None]:
    """`Log.append`, but the process dies at the `at`-th call: before it stores, or when it has stored and nobody has heard of it."""
    store, calls = Log.append, iter(range(1, 10**9))

    def append(log: Log, entries: Any) -> None:
        here = bool(entries) and next(calls) == at
        if here and before:
            die()
        store(log, entries)
        if here:
            die()

    return append


def forked(work: Callable[[], str], arm: Callable[[], None] = lambda: None) -> tuple[int, int]:
    """(the process that arms itself and does the work, the end of a pipe from which its result can be read)"""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.close(reading)
            arm()
            os.write(writing, work().encode())
        except BaseException as error:
            os.write(writing, f"failed: {type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    return process, reading


def child(where: str | None, arm: Callable[[], None] = lambda: None) -> tuple[int, int]:
    return forked(lambda: once(where), arm)


def ended(process: int, reading: int) -> str:
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(process, 0)
    if said.startswith("failed"):
        raise SystemExit(said)
    return said


def main(where: str, seed: int) -> dict[str, Any]:
    moments = random.Random(seed)
    tonne.rulebook(SYSTEM)
    uninterrupted = ended(*child(None))
    started = time.perf_counter()
    ended(*child(None))
    length = time.perf_counter() - started
    kills = timed = runs = 0
    said = ""
    while not said:
        runs += 1
        if runs <= 8:  # at any moment of a run, also while the log is made and while it is replayed
            process, reading = child(where)
            time.sleep(moments.uniform(0.0, length * 0.6))
            os.kill(process, signal.SIGKILL)
            timed += 1
        else:
            at, before = moments.randint(1, 5), moments.random() < 0.5

            def arm(at: int = at, before: bool = before) -> None:
                Log.append = dying_append(at, before)  # type: ignore[method-assign]

            process, reading = child(where, arm)
        said = ended(process, reading)
        kills += not said
    again = ended(*child(where))
    return {"kills": kills, "timed": timed, "runs": runs, "hash": said, "again": again, "uninterrupted": uninterrupted}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], int(sys.argv[2]))))
