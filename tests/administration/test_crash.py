"""A run that is killed again and again goes on where its log ends, and comes to the same state as one that nobody disturbed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tonne
from stores import own_schema, running_postgres
from tonne.interfaces.api import rulebook
from tonne.store import open_log
from tonne.store.desk import verify

#: One life of a run. It dies by its own hand before or after its k-th append, or lives until somebody else kills it.
LIFE = """
import os, signal, sys
import tonne
from tonne.store import log as logs

where, deaths = sys.argv[1], sys.argv[2]
when, k = deaths.split(":")
appended = 0
append = logs.Log.append

def dying(self, entries):
    global appended
    appended += bool(entries)
    if when == "before" and appended == int(k):
        os.kill(os.getpid(), signal.SIGKILL)
    append(self, entries)
    if when == "after" and appended == int(k):
        os.kill(os.getpid(), signal.SIGKILL)

logs.Log.append = dying
print("alive", flush=True)
with tonne.run("eu-ets", (2013, 2015), synthetic=60, log=where) as run:
    print(run.state_hash, flush=True)
"""
KILLS = 25


def life(where: str, death: str, seconds: float | None = None, **environment: str) -> str | None:
    """The state's hash when the run comes to its end, None when it is killed. `seconds`: killed from outside so long after it began to run."""
    child = subprocess.Popen(
        [sys.executable, "-c", LIFE, where, death], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )
    assert child.stdout is not None and child.stderr is not None
    if seconds is not None:
        child.stdout.readline()
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
    out, err = child.communicate(timeout=120)
    if child.returncode == -signal.SIGKILL:
        return None
    assert child.returncode == 0, err
    return out.split()[-1]


@pytest.fixture(scope="module")
def undisturbed() -> str:
    with tonne.run("eu-ets", (2013, 2015), synthetic=60) as run:
        return run.state_hash


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_killed_at_25_moments_and_the_end_is_the_same(store: str, undisturbed: str, tmp_path: Path) -> None:
    moments = random.Random(f"kill {store}")
    killed = 0
    if store == "sqlite":
        while killed < KILLS:
            killed += killed_to_the_end(str(tmp_path / f"market-{killed}.db"), moments, undisturbed)
    else:
        with running_postgres() as url:
            while killed < KILLS:
                with own_schema(url) as where:
                    killed += killed_to_the_end(where, moments, undisturbed)


def killed_to_the_end(where: str, moments: random.Random, undisturbed: str) -> int:
    """Kill one run again and again until it comes to its end all the same. How many times it was killed."""
    killed, last = 0, None
    while last is None:
        if killed % 3 == 2:  # at a moment that the run does not choose: while it starts, computes or commits
            last = life(where, "never:0", moments.uniform(0.0, 0.5))
        else:
            last = life(where, f"{moments.choice(('before', 'after'))}:{moments.randint(1, 3)}")
        killed += last is None
        assert killed < 200, "a run that is killed makes no way"
    assert last == undisturbed
    with open_log(where, mode="read") as log:
        faults, state = verify(log, lambda system, scenario: rulebook(system, scenario or None))
        assert not faults and state is not None and state.hex() == undisturbed
        ids = [entry.command_id for entry in log.read()]
        assert len(ids) == len(set(ids))
    return killed


def test_the_hash_does_not_depend_on_the_seed_of_python(undisturbed: str, tmp_path: Path) -> None:
    for seed in ("0", "1", "random"):
        assert life(str(tmp_path / f"seed-{seed}.db"), "never:0", PYTHONHASHSEED=seed) == undisturbed
