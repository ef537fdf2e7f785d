"""The log: page by page from its end, one entry in full, the chain of hashes over a range, the market as it stood on a day, the head of each day.

These views read the store and not the state: they need no lock on the market.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from tonne.administration.commands import decode, unpack
from tonne.administration.events import ACCEPTED, GENESIS, Entry
from tonne.interfaces.views.found import NotFound
from tonne.interfaces.views.holdings import by_kind
from tonne.store import Log
from tonne.store.desk import Loader, replay_to
from tonne.store.errors import StoreError
from tonne.store.log import Headline

#: How far back one page looks for entries that pass its filters, and how many entries one check of the chain reads.
REACH = 200_000
CHECKED = 10_000
SHOWN_ROWS = 20


@dataclass(frozen=True)
class Line:
    """An entry in a list. hash, previous: hexadecimal; refused: whether its outcome is a refusal's name; bytes: of what it carries in its row."""

    sequence: int
    day: date
    kind: str
    actor: str
    outcome: str
    refused: bool
    command_id: str
    hash: str
    previous: str
    bytes: int


@dataclass(frozen=True)
class Page:
    """Entries, newest first. older: give it as `before` for the next page, None at the beginning; reached: the sequence down to which was looked."""

    lines: tuple[Line, ...]
    of: int
    head: str
    older: int | None
    reached: int


@dataclass(frozen=True)
class TableSummary:
    """A table that an entry stores: columns and the first rows."""

    name: str
    rows: int
    columns: tuple[str, ...]
    first: pl.DataFrame


@dataclass(frozen=True)
class EntryView:
    """One entry in full. body: of the command; person, moment: who did it and when, where the command says so; events: what followed; intact: whether
    its stored hash is that of what it holds; linked: whether it names the entry before."""

    line: Line
    person: str
    moment: str
    body: dict[str, Any]
    events: tuple[dict[str, Any], ...]
    tables: tuple[TableSummary, ...]
    table_bytes: int
    intact: bool
    linked: bool


@dataclass(frozen=True)
class Chain:
    """A check of the entries first to last. faults: (sequence, what); complete: whether all that was asked for was checked."""

    first: int
    last: int
    checked: int
    faults: tuple[tuple[int, str], ...]
    head: str
    complete: bool


@dataclass(frozen=True)
class DaySummary:
    """The market at the end of a day, replayed from its first entry. holdings: unit, measure, kind, accounts, balance; notices: what was published on
    that very day."""

    system: str
    day: date
    entries: int
    of: int
    last_entry_day: date | None
    state_hash: str
    holdings: tuple[dict[str, Any], ...]
    notices: tuple[dict[str, Any], ...]
    done: dict[str, str]


def page(log: Log, *, before: int | None = None, limit: int = 50, kind: str = "", actor: str = "", outcome: str = "") -> Page:
    """A page of the log, newest first. outcome: `accepted` or the name of a refusal.

    With filters it looks REACH entries back at most: `older` goes on where it stopped."""
    end = log.head()
    start = end.sequence + 1 if before is None else min(before, end.sequence + 1)
    picky = bool(kind or actor or outcome)
    low = max(start - REACH, 1) if picky else 1
    lines = [_line(one) for one in log.headlines(start, limit, kind=kind, actor=actor, outcome=outcome, at_least=low)]
    reached = lines[-1].sequence if len(lines) == limit else low
    return Page(tuple(lines), end.sequence, end.hash.hex(), reached if reached > 1 else None, reached)


def _line(one: Headline | Entry) -> Line:
    size = one.bytes if isinstance(one, Headline) else len(one.command) + len(one.events) + len(one.tables)
    return Line(
        sequence=one.sequence,
        day=one.day,
        kind=one.kind,
        actor=one.actor,
        outcome=one.outcome,
        refused=one.outcome != ACCEPTED,
        command_id=one.command_id,
        hash=bytes(one.hash).hex(),
        previous=bytes(one.previous).hex(),
        bytes=size,
    )


def entry(log: Log, sequence: int) -> EntryView:
    """One entry with its command and events. Raises NotFound, with the nearest sequences; StoreError where it cannot be read."""
    end = log.head().sequence
    if not 1 <= sequence <= end:
        raise NotFound("entry", str(sequence), [str(max(1, min(sequence, end)))] if end else [])
    found = next(iter(log.read(after=sequence - 1, last=sequence)))
    before = log.headlines(sequence, 1)
    body = dict(decode(found.command).get("body") or {})
    return EntryView(
        line=_line(found),
        person=str(body.get("person", "")),
        moment=str(body.get("moment", "")),
        body=body,
        events=tuple(json.loads(found.events)),
        tables=tuple(_summary(name, table) for name, table in unpack(found.tables).items()),
        table_bytes=len(found.tables),
        intact=found.is_intact(),
        linked=found.previous == (before[0].hash if before else GENESIS),
    )


def entry_of(log: Log, command_id: str) -> EntryView:
    """The entry of a command. Raises NotFound."""
    found = log.find(command_id)
    if found is None:
        raise NotFound("command", command_id)
    return entry(log, found.sequence)


def _summary(name: str, table: Any) -> TableSummary:
    if isinstance(table, pl.DataFrame):
        return TableSummary(name, table.height, tuple(table.columns), table.head(SHOWN_ROWS))
    names = table.dtype.names or ()
    first = pl.DataFrame({column: np.ascontiguousarray(table[column][:SHOWN_ROWS]) for column in names if column != "spare"})
    return TableSummary(name, len(table), tuple(first.columns), first)


def verify_range(log: Log, first: int = 1, last: int | None = None) -> Chain:
    """Compute the hashes of a range anew and follow the links; CHECKED entries at most, the rest is left to the next call. Reading stops at the first
    entry that is missing or does not link."""
    end = log.head()
    last = end.sequence if last is None else min(last, end.sequence)
    first = max(first, 1)
    until = min(last, first + CHECKED - 1)
    faults: list[tuple[int, str]] = []
    checked, before = 0, GENESIS if first == 1 else next((one.hash for one in log.headlines(first, 1)), None)
    try:
        for found in log.read(after=first - 1, last=until):
            if not found.is_intact():
                faults.append((found.sequence, "changed: its hash is not the hash of its fields"))
            if checked == 0 and found.previous != before:
                faults.append((found.sequence, "it does not name the entry before"))
            checked += 1
            before = found.hash
    except StoreError as error:
        faults.append((first + checked, error.what))
    if until == end.sequence and checked and not faults and before != end.hash:
        faults.append((until, "the head's hash is not the last entry's"))
    return Chain(first, first + checked - 1, checked, tuple(faults), end.hash.hex(), not faults and first + checked - 1 >= last)


def day_summary(log: Log, load: Loader, day: date) -> DaySummary:
    """The market as it stood at the end of a day. It replays the log from its first entry: as long as a replay takes, and never under a lock."""
    administration = replay_to(log, load, day)
    state = administration.state
    return DaySummary(
        system=state.rulebook.system.id,
        day=day,
        entries=administration.sequence,
        of=log.head().sequence,
        last_entry_day=state.today if administration.sequence else None,
        state_hash=state.hash().hex(),
        holdings=tuple(by_kind(state)),
        notices=tuple(notice for notice in state.notices if notice.get("day") == day.isoformat()),
        done={task: done for task, done in state.done.items() if done == day.isoformat()},
    )


def heads(log: Log, *, days: int = 400) -> pl.DataFrame:
    """day, sequence, hash: the last accepted entry of each of the last days, newest first. Whoever keeps them sees when one is changed."""
    rows = [(one.day, one.sequence, one.hash.hex()) for one in log.daily_heads(days)]
    return pl.DataFrame(rows, schema={"day": pl.Date, "sequence": pl.Int64, "hash": pl.String}, orient="row")
