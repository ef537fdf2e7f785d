"""Runs one trading day again and again on one log, each time in a forked child that is killed; until one run comes to its end.

    python killed_days.py LOG SEED      prints {"kills", "timed", "runs", "hash", "again", "uninterrupted", "lost", "acknowledged"}

A child writes each id that is answered into a file before it asks for more; after every kill the log must hold all of them.
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

from killed_runs import dying_append, ended, forked

import tonne
from tonne.administration import acts, clerk, default, exchange_kernel
from tonne.interfaces import api
from tonne.ledger import Books
from tonne.simulation import trading_day, trading_floor
from tonne.store import desk, open_log, sqlite_log
from tonne.store.log import Log

WARM = (acts, api, clerk, default, desk, exchange_kernel, sqlite_log, Books)
SYSTEM, YEAR, PARTICIPANTS, SEED = "eu-ets", 2026, 12, 4


def once(floor: trading_floor.Floor, where: str, acknowledged: int) -> str:
    """A day on a log, opened or continued; each id goes to the file `acknowledged` (a descriptor) when its answer has come."""
    with api.open_market(where, SYSTEM) as market:

        def send(command: Any) -> Any:
            reply = market.call(command)
            os.write(acknowledged, f"{command.id}\n".encode())
            return reply

        trading_day.run_day(lambda: market.administration, send, trading_day.DayInputs(floor, PARTICIPANTS, SEED))
        return str(market.administration.state.hash().hex())


def child(floor: trading_floor.Floor, where: str, acknowledged: str, arm: Callable[[], None] = lambda: None) -> tuple[int, int]:
    def work() -> str:
        return once(floor, where, os.open(acknowledged, os.O_WRONLY | os.O_APPEND | os.O_CREAT))

    return forked(work, arm)


def lost(where: str, acknowledged: str) -> list[str]:
    """Ids that were answered and are not in the log."""
    if not os.path.exists(acknowledged):
        return []
    with open(acknowledged, encoding="utf-8") as lines:
        said = {line.rstrip("\n") for line in lines if line.endswith("\n")}
    if not said:  # killed before there was a log
        return []
    with open_log(where, mode="read") as log:
        return sorted(said - {entry.command_id for entry in log.read()})


def main(where: str, seed: int) -> dict[str, Any]:
    moments = random.Random(seed)
    floor = trading_floor.floor_of(tonne.rulebook(SYSTEM), YEAR)
    uninterrupted = ended(*child(floor, f"{where}.whole", f"{where}.whole.said"))
    started = time.perf_counter()
    ended(*child(floor, f"{where}.timed", f"{where}.timed.said"))
    length = time.perf_counter() - started
    said, missing = "", []
    kills = timed = runs = 0
    while not said:
        runs += 1
        if 16 < runs <= 22:  # at any moment of a run, also while the log is made and while it is replayed
            process, reading = child(floor, where, f"{where}.said")
            time.sleep(moments.uniform(0.0, length * 0.6))
            os.kill(process, signal.SIGKILL)
            timed += 1
        else:
            at, before = moments.randint(2, 6 if runs <= 16 else 12), moments.random() < 0.5

            def arm(at: int = at, before: bool = before) -> None:
                Log.append = dying_append(at, before)  # type: ignore[method-assign]

            process, reading = child(floor, where, f"{where}.said", arm)
        said = ended(process, reading)
        kills += not said
        missing += lost(where, f"{where}.said")
    again = ended(*child(floor, where, f"{where}.said"))
    with open(f"{where}.said", encoding="utf-8") as lines:
        acknowledged = len(set(lines))
    told = {"kills": kills, "timed": timed, "runs": runs, "hash": said, "again": again, "uninterrupted": uninterrupted}
    return told | {"lost": missing, "acknowledged": acknowledged}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], int(sys.argv[2]))))
