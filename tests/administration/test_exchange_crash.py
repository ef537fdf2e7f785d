"""A trading day on a durable log, killed with kill -9 again and again: what was answered is stored, nothing is done twice, the state is the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import tonne
from tonne.simulation.trading_day_told import tell
from tonne.simulation.trading_floor import floor_of
from tonne.store import open_log
from tonne.store.desk import verify

HERE = Path(__file__).parent
SRC = HERE.parents[1] / "src"


def test_a_trading_day_killed_at_many_moments_ends_as_if_nothing_had_been(tmp_path: Path) -> None:
    where = str(tmp_path / "day.log")
    done = subprocess.run(
        [sys.executable, str(HERE / "killed_days.py"), where, "7"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": f"{SRC}{os.pathsep}{HERE}"},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    found = json.loads(done.stdout)
    assert found["kills"] >= 16, found
    assert found["lost"] == []
    assert found["hash"] == found["again"] == found["uninterrupted"]
    book = tonne.rulebook("eu-ets")
    with open_log(where, mode="read") as log, open_log(f"{where}.whole", mode="read") as whole:
        entries = list(log.read())
        ids = [entry.command_id for entry in entries]
        assert len(set(ids)) == len(ids) == log.head().sequence >= found["acknowledged"]
        assert [entry.hash for entry in entries] == [entry.hash for entry in whole.read()]  # byte for byte the log of the day without a kill
        faults, state = verify(log, lambda system, scenario: tonne.rulebook(system, scenario or None))
    assert faults == [] and state is not None and state.hex() == found["hash"]
    told = tell(book, floor_of(book, 2026), entries)
    assert all(told.adds_up.values()) and told.differences == ()
