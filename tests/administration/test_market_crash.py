"""A run killed with kill -9 at fifty moments and started again, on both stores; the same state in every process; tampering that is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from small_markets import eu

import tonne
from stores import execute
from tonne.administration.clerk import Administration
from tonne.administration.commands import decode, encode, pack, unpack
from tonne.administration.events import GENESIS, Entry
from tonne.law import Rulebook
from tonne.store import open_log
from tonne.store.desk import verify

HERE = Path(__file__).parent
SRC = HERE.parents[1] / "src"


def python(code_or_file: list[str], **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *code_or_file], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(SRC)} | environment, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout


def load(system: str, scenario: str) -> Rulebook:
    return tonne.rulebook(system, scenario or None)


def test_killed_at_twenty_five_moments_and_always_started_again(where: str) -> None:
    found = json.loads(python([str(HERE / "killed_runs.py"), where, "11"]))
    assert found["kills"] >= 25, found
    assert found["hash"] == found["again"] == found["uninterrupted"]
    with open_log(where, mode="read") as log:
        faults, state = verify(log, load)
        assert faults == []
        assert state is not None and state.hex() == found["hash"]
        assert len({entry.command_id for entry in log.read()}) == log.head().sequence
        assert all(entry.outcome == "accepted" for entry in log.read())


RUNS = """
import tonne
for system, years in (("eu-ets", (2018, 2019)), ("rggi", (2019, 2020)), ("china-national-ets", (2022, 2023))):
    print(tonne.run(system, years, synthetic=50, seed=5).state_hash)
"""


def test_the_same_state_in_every_process() -> None:
    said = {python(["-c", RUNS], PYTHONHASHSEED=seed) for seed in ("0", "1", "random")}
    assert len(said) == 1 and len(said.pop().split()) == 3


# -- tampering


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> list[Entry]:
    """The log of a run, with a refusal in it."""
    place = tmp_path_factory.mktemp("honest") / "log.db"
    with tonne.run("eu-ets", (2018, 2019), synthetic=30, seed=2, log=place) as run:
        desk = run._desk
        assert desk is not None
        state = desk.administration.state
        command = eu().command("transfer", day=state.today, id="too much", from_="remainder", to="surrendered", unit="EUA", quantity=10**15)
        assert desk.call(command).outcome == "insufficient_balance"
    with open_log(place, mode="read") as log:
        return list(log.read())


def with_hash(entry: Entry, previous: bytes) -> Entry:
    names = ("sequence", "command_id", "kind", "actor", "day", "outcome", "command", "events", "tables")
    return Entry.chained(**{name: getattr(entry, name) for name in names}, previous=previous)


def chained(entries: list[Entry]) -> list[Entry]:
    """The entries with all hashes made anew: what an attacker who owns the store would do."""
    made: list[Entry] = []
    for entry in entries:
        made.append(with_hash(entry, made[-1].hash if made else GENESIS))
    return made


def changes(entry: Entry) -> Iterator[tuple[str, Entry]]:
    """The entry with one thing changed, for each thing there is."""
    command, events, tables = decode(entry.command), decode(entry.events), unpack(entry.tables)
    for name, value in command["body"].items():
        other = value + 1 if isinstance(value, int) and not isinstance(value, bool) else f"{value}x"
        yield f"body {name}", replace(entry, command=encode(command | {"body": command["body"] | {name: other}}))
    yield "body more", replace(entry, command=encode(command | {"body": command["body"] | {"more": 1}}))
    yield "print", replace(entry, command=encode(command | {"print": "00" * 16}))
    yield "actor", replace(entry, actor="mallory")
    for number, event in enumerate(events):
        for name, value in event.items():
            other = value + 1 if isinstance(value, int) and not isinstance(value, bool) else f"{value}x"
            if event["event"] != "judged":
                yield f"event {number} {name}", replace(entry, events=encode([*events[:number], event | {name: other}, *events[number + 1 :]]))
        yield f"event {number} left out", replace(entry, events=encode(events[:number] + events[number + 1 :]))
    for name, table in tables.items():
        columns = table.columns if hasattr(table, "columns") else table.dtype.names
        for column in columns[-1:] if name.startswith("command/") else columns:  # of what was sent one change is like another
            if hasattr(table, "columns"):
                kind = table.schema[column]
                if not kind.is_integer() and kind != pl.String:
                    continue
                changed = table.with_columns(pl.col(column) + (1 if kind.is_integer() else "x"))
                if changed.equals(table):
                    continue
            else:
                changed = table.copy()
                changed[column][0] += 1
            yield f"table {name} {column}", replace(entry, tables=pack(tables | {name: changed}))
        yield f"table {name} cut", replace(entry, tables=pack(tables | {name: table[:-1]}))
        yield f"table {name} left out", replace(entry, tables=pack({other: kept for other, kept in tables.items() if other != name}))


def test_whatever_is_changed_and_chained_again_is_found(entries: list[Entry]) -> None:
    """One entry of each kind: every field of every part. Found, or no longer replayable: never taken for true."""
    rulebook = tonne.rulebook("eu-ets")
    honest = Administration(rulebook, rulebook.system.begins)
    tried = 0
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        new = (entry.kind, entry.outcome) not in seen
        seen.add((entry.kind, entry.outcome))
        before = honest.snapshot() if new else b""
        for what, changed in changes(entry) if new else ():
            other = Administration(rulebook, rulebook.system.begins)
            other.restore(before)
            tried += 1
            try:
                found = other.audit(with_hash(changed, entry.previous))
            except Exception as error:  # as verify reports it
                found = [f"cannot be replayed: {error}"]
            assert found, f"entry {entry.sequence} ({entry.kind}): {what} was not noticed"
        assert honest.audit(entry) == []
    assert tried > 250


def stored(where: str, entries: list[Entry]) -> None:
    with open_log(where) as log:
        log.set_meta("scenario", "")
        log.set_meta("system", "eu-ets")
        log.append(entries)


@pytest.mark.parametrize("kind", ["allocate", "report", "surrender", "penalise"])
def test_verify_names_the_entry_that_was_changed(where: str, entries: list[Entry], kind: str) -> None:
    place = next(i for i, entry in enumerate(entries) if entry.kind == kind and entry.outcome == "accepted")
    tables = unpack(entries[place].tables)
    name = next(iter(sorted(tables)), "")
    if name:
        changed = replace(entries[place], tables=pack(tables | {name: tables[name][:-1]}))
    else:
        changed = replace(entries[place], events=entries[place].events.replace(b"penalise", b"stabilise"))
    stored(where, chained([*entries[:place], changed, *entries[place + 1 :]]))
    with open_log(where, mode="read") as log:
        assert log.verify_chain() == []
        faults, _ = verify(log, load)
    assert faults and (faults[0].sequence, faults[0].command_id) == (place + 1, entries[place].command_id)


def test_without_new_hashes_the_chain_names_it(where: str, entries: list[Entry]) -> None:
    stored(where, entries)
    with open_log(where, mode="read") as log:
        assert verify(log, load)[0] == []
    execute(where, ("UPDATE log_entries SET events = ? WHERE sequence = 9", (b"[]",)))
    with open_log(where, mode="read") as log:
        assert [(fault.sequence, fault.what) for fault in log.verify_chain()] == [(9, "changed: its hash is not the hash of its fields")]
        faults, state = verify(log, load)
        assert [fault.sequence for fault in faults] == [9] and state is None


def test_a_snapshot_that_is_not_the_state_is_named(where: str, entries: list[Entry]) -> None:
    rulebook = tonne.rulebook("eu-ets")
    admin = Administration(rulebook, rulebook.system.begins)
    for entry in entries:
        admin.replay(entry)
    stored(where, entries)
    with open_log(where) as log:
        log.save_snapshot(admin.sequence, admin.state.hash(), admin.snapshot())
        assert verify(log, load)[0] == []
        forged = eu().admin.snapshot()
        log.save_snapshot(admin.sequence, admin.state.hash(), forged)  # the hash is that of the true state, the bytes are not
        faults, _ = verify(log, load)
        assert [(fault.sequence, fault.what) for fault in faults] == [
            (admin.sequence, "the snapshot stored after this entry is not the state that the entries make")
        ]
        log.save_snapshot(admin.sequence, admin.state.hash(), b"no state at all")
        assert verify(log, load)[0] == faults
