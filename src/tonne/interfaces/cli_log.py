"""`tonne log`: verify, replay, show and keep the log of a market."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from tonne.interfaces.cli_words import AsJson, bold, console, day, emit, out, progress, say

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Verify, replay, show and keep the log of a market.")

Where = Annotated[str, typer.Argument(metavar="WHERE", help="the log: a path, sqlite:///path or postgresql://...")]


def _load(system: str, scenario: str) -> Any:
    from tonne.interfaces.api import rulebook

    return rulebook(system, scenario or None)


@app.command()
def verify(where: Where, as_json: AsJson = False) -> None:
    """Check the chain of hashes, decide every entry again by the law and compare. Exit code 1 when something is wrong."""
    from tonne.store import open_log
    from tonne.store.desk import verify as verify_log

    with open_log(where, mode="read") as log, progress(as_json) as show:
        head = log.head()
        watch = (lambda entry: show(f"entry {entry.sequence}: {entry.kind}", entry.sequence, head.sequence)) if show else (lambda entry: None)
        faults, state = verify_log(log, _load, watch)
        shown = log.where
    found = [{"sequence": fault.sequence, "command_id": fault.command_id, "what": fault.what} for fault in faults]
    if as_json:
        emit(
            {
                "where": shown,
                "entries": head.sequence,
                "head_hash": head.hash.hex(),
                "state_hash": state.hex() if state else None,
                "sound": not found,
                "faults": found,
            }
        )
    else:
        for fault in found:
            command = f" ({fault['command_id']})" if fault["command_id"] else ""
            out(f"entry {fault['sequence']}{command}: {fault['what']}")
        if found:
            out(f"\n{bold('NOT SOUND')}: {len(found):,} fault{'s' * (len(found) != 1)} in {head.sequence:,} entries. Restore it from a backup.")
        else:
            out(f"{bold('Sound')}: {head.sequence:,} entries; the chain holds, and the law decides every entry as it is stored.")
        out(f"head       {head.hash.hex()}")
        out(f"state hash {state.hex() if state else 'not derived'}")
    if found:
        raise typer.Exit(1)


@app.command()
def replay(
    where: Where,
    to: Annotated[str | None, typer.Option("--to", metavar="DAY", help="the end of this day; the whole log if left out")] = None,
    as_json: AsJson = False,
) -> None:
    """The market as it stood at the end of a day: holdings by kind of account, published numbers, state hash."""
    from datetime import date

    from tonne.interfaces.views.holdings import by_kind
    from tonne.store import open_log
    from tonne.store.desk import replay_to
    from tonne.store.errors import StoreMissing

    until = day(to, "--to")
    with open_log(where, mode="read") as log:
        if "system" not in log.meta():
            raise StoreMissing("the log holds no market yet", where=log.where, do="Run a market with --log to fill it")
        administration = replay_to(log, _load, until or date.max)
        total = log.head().sequence
    state = administration.state
    if not administration.sequence:
        say(f"Nothing had happened by {until}: the log's first entry is of a later day.")
    held = by_kind(state)
    answer = {
        "system": state.rulebook.system.id,
        "scenario": state.rulebook.scenario,
        "day": until or state.today,
        "last_entry_day": state.today if administration.sequence else None,
        "entries": administration.sequence,
        "of": total,
        "holdings": held,
        "notices": state.notices,
        "state_hash": state.hash().hex(),
    }
    if as_json:
        emit(answer)
        return
    name = bold(state.rulebook.system.id)
    last = f", the last of {state.today}" if administration.sequence else ""
    out(f"{name} at the end of {answer['day']}: {administration.sequence:,} of {total:,} entries{last}")
    out()
    _print_holdings(held)
    out()
    _print_notices(state.notices)
    out()
    out(f"state hash {answer['state_hash']}")


def _print_holdings(held: list[dict[str, Any]]) -> None:
    from tonne.reports.sheets import Column, Sheet
    from tonne.reports.tables import rich_tables

    if not held:
        out("No account holds anything.")
        return
    words = ("Kind of account", "Unit", "Counted in")
    columns = (*(Column(name, words=True) for name in words), Column("Accounts"), Column("Balance"))
    rows = tuple(
        (*(row[name].replace("_", " ") for name in ("kind", "unit", "measure")), f"{row['accounts']:,}", f"{row['balance']:,}") for row in held
    )
    for table in rich_tables(Sheet("Holdings", columns, rows)):
        console().print(table)


def _print_notices(notices: list[dict[str, Any]]) -> None:
    from tonne.reports.sheets import Column, Sheet
    from tonne.reports.tables import rich_tables
    from tonne.reports.words import figure

    if not notices:
        return
    columns = (Column("Published", words=True), Column("Year"), Column("On"), Column("Figures", words=True))
    rows = []
    for notice in notices:
        rest = {key: value for key, value in notice.items() if key not in ("what", "year", "day") and value not in (None, 0, "", {})}
        rows.append((notice["what"].replace("_", " "), str(notice.get("year", "")), str(notice.get("day", "")), figure(rest) if rest else ""))
    for table in rich_tables(Sheet("Published numbers", columns, tuple(rows))):
        console().print(table)


@app.command()
def show(
    where: Where,
    last: Annotated[int, typer.Option("--last", metavar="N", min=1, help="how many entries")] = 20,
    kind: Annotated[str | None, typer.Option("--kind", metavar="VERB", help="only commands of this verb")] = None,
    refused: Annotated[bool, typer.Option("--refused", help="only what was refused")] = False,
    as_json: AsJson = False,
) -> None:
    """The audit trail: the last entries, accepted and refused."""
    from collections import deque

    from tonne.store import open_log

    if kind is not None:
        _must_be_verb(kind)
    with open_log(where, mode="read") as log:
        total = log.head().sequence
        picky = kind is not None or refused
        entries = log.read() if picky else log.read(after=max(total - last, 0))
        wanted = (e for e in entries if (kind is None or e.kind == kind) and not (refused and e.outcome == "accepted"))
        found = list(deque((_entry(e) for e in wanted), maxlen=last))
    if as_json:
        emit({"entries": found, "of": total})
        return
    if not found:
        out(f"No such entry among {total:,}." if picky else "The log is empty.")
        return
    _print_entries(found, total)


def _must_be_verb(kind: str) -> None:
    from tonne.administration.handlers import HANDLERS
    from tonne.law.faults import nearest

    if kind not in HANDLERS:
        raise typer.BadParameter(f"no verb {kind!r}; {nearest(kind, HANDLERS) or 'there are ' + ', '.join(sorted(HANDLERS))}", param_hint="--kind")


def _entry(entry: Any) -> dict[str, Any]:
    events = json.loads(entry.events)
    reason = "; ".join(event["reason"] for event in events if event.get("event") == "refused")
    return {
        "sequence": entry.sequence,
        "day": entry.day,
        "kind": entry.kind,
        "command_id": entry.command_id,
        "actor": entry.actor,
        "outcome": entry.outcome,
        "reason": reason,
        "events": [event["event"] for event in events],
        "table_bytes": len(entry.tables),
        "hash": entry.hash.hex(),
    }


def _print_entries(found: list[dict[str, Any]], total: int) -> None:
    from tonne.reports.sheets import Column, Sheet
    from tonne.reports.tables import rich_tables

    columns = (Column("Entry"), Column("Day"), Column("Command", words=True), Column("By", words=True), Column("Outcome", words=True))
    rows = []
    for entry in found:
        outcome = entry["outcome"] + (f": {entry['reason']}" if entry["reason"] else "")
        rows.append((f"{entry['sequence']:,}", entry["day"].isoformat(), entry["command_id"], entry["actor"], outcome))
    for table in rich_tables(Sheet(f"{len(found):,} of {total:,} entries", columns, tuple(rows))):
        console().print(table)


@app.command()
def info(where: Where, as_json: AsJson = False) -> None:
    """What a log is: its system, where it ends, its newest snapshot."""
    from tonne.store import open_log

    with open_log(where, mode="read") as log:
        meta, head, snapshot = log.meta(), log.head(), log.latest_snapshot()
        ends = next(iter(log.read(after=head.sequence - 1)), None) if head.sequence else None
        first = next(iter(log.read(last=1)), None) if head.sequence else None
        answer = {
            "where": log.where,
            "store": log.kind,
            **meta,
            "entries": head.sequence,
            "head_hash": head.hash.hex(),
            "first_day": first.day if first else None,
            "last_day": ends.day if ends else None,
            "last_command": ends.command_id if ends else None,
            "snapshot_after": snapshot.sequence if snapshot else None,
        }
    if as_json:
        emit(answer)
        return
    for name, value in answer.items():
        if value not in (None, ""):
            out(f"{name.replace('_', ' '):<15} {value:,}" if isinstance(value, int) else f"{name.replace('_', ' '):<15} {value}")


@app.command()
def backup(where: Where, to: Annotated[Path, typer.Argument(metavar="TO", help="a new file")], as_json: AsJson = False) -> None:
    """Copy a log, which may be in use, to a new file, and verify the copy."""
    from tonne.store import backup as back_up

    head = back_up(where, to)
    _kept(as_json, "Backed up", str(to.absolute()), head)


@app.command()
def restore(
    source: Annotated[str, typer.Argument(metavar="FROM", help="a backup, or any log")],
    to: Annotated[str, typer.Argument(metavar="TO", help="an empty or new store: a path or URL")],
    as_json: AsJson = False,
) -> None:
    """Copy a backup, or any log, into an empty store of either kind, checking every hash on the way."""
    from tonne.store import restore as restore_log
    from tonne.store.address import masked

    head = restore_log(source, to)
    _kept(as_json, "Restored", masked(to), head)


def _kept(as_json: bool, what: str, to: str, head: Any) -> None:
    if as_json:
        emit({"to": to, "entries": head.sequence, "head_hash": head.hash.hex()})
    else:
        out(f"{what}: {head.sequence:,} entries are in {to}\nhead {head.hash.hex()}")


@app.command("import")
def import_(
    where: Where,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="transaction blocks: CSV, CSV.gz or Parquet, see docs/formats.md")],
    system: Annotated[str | None, typer.Option("--system", metavar="SYSTEM", help="found this market where there is none yet")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="no openings for what the file does not show: such blocks are refused by name")] = False,
    as_json: AsJson = False,
) -> None:
    """Put another registry's transaction blocks through the ledger, in the order in which they happened. Twice is once."""
    from tonne.interfaces.api import open_market
    from tonne.interfaces.transactions import import_transactions

    with open_market(where, system) as desk, progress(as_json) as show:
        found = import_transactions(desk, file, bring_forward=not strict, progress=show or (lambda what, done, of: None))
        state = desk.administration.state.hash().hex()
    if as_json:
        emit(
            {
                "blocks": found.blocks,
                "results": found.results,
                "posted": found.posted,
                "batches": found.batches,
                "brought_forward": found.brought_forward,
                "state_hash": state,
            }
        )
        return
    out(f"{found.blocks:,} blocks in {found.batches} batches, conservation checked after each: {found.posted:,} are in the books.")
    for name, count in sorted(found.results.items()):
        out(f"  {name:<24}{count:>10,}")
    if found.brought_forward:
        total = sum(found.brought_forward.values())
        out(f"{total:,} units of {len(found.brought_forward)} unit types were brought forward: the file does not show them coming in.")
    out(f"state hash {state}")


@app.command()
def snapshot(where: Where, as_json: AsJson = False) -> None:
    """Store the state beside the log, so that the next opening replays only what comes after."""
    from tonne.store.desk import Desk

    with Desk.open(where, _load) as desk:
        desk.snapshot()
        answer = {"where": desk.log.where, "after": desk.administration.sequence, "state_hash": desk.administration.state.hash().hex()}
    if as_json:
        emit(answer)
    else:
        out(f"Snapshot stored after entry {answer['after']:,}\nstate hash {answer['state_hash']}")
