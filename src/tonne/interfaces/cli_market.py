"""`tonne market`: order flow through the order book, and order flow to try it on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer

from tonne.interfaces import cli_market_day
from tonne.interfaces.cli_words import AsJson, bold, console, emit, out, progress, say, soft, wrapped

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="A trading day; order flow through the order book.")
app.command(name="day")(cli_market_day.day)

FILES = ("trades.parquet", "bars.csv", "best_prices.parquet", "auctions.csv", "refusals.csv", "alerts.json")
BATCH = 50_000
SHOWN = 20  # rows of a table, alerts


@app.command()
def replay(
    flow: Annotated[
        Path,
        typer.Argument(
            metavar="FLOW", help="the instructions: .csv, .csv.gz, .parquet or .npz; columns verb, order, account, of orders side, price, quantity"
        ),
    ],
    instruments: Annotated[
        Path | None,
        typer.Option("--instruments", metavar="FILE", help="the instruments; if left out flow.instruments.csv beside flow.csv, else those named"),
    ] = None,
    audit: Annotated[
        bool, typer.Option("--audit", help="the plain book does the same, and all it says is compared; exit code 1 if it differs")
    ] = False,
    out_dir: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="write trades, bars, best prices, calls, refusals, alerts there")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace what an earlier replay wrote to --out")] = False,
    timezone: Annotated[str, typer.Option("--timezone", metavar="ZONE", help="where a bar's day begins and ends")] = "UTC",
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="leave out rows with faults instead of refusing the file")] = False,
    rejects: Annotated[Path | None, typer.Option("--rejects", metavar="FILE", help="write all faults of the file there")] = None,
    as_json: AsJson = False,
) -> None:
    """Put a file of instructions through the order book: trades, volume, bars, refusals by name, alerts, state hash. Prices are in ticks."""
    from tonne.dates import DateError, zone
    from tonne.formats.flow import read_flow

    try:
        zone(timezone)
    except DateError as error:
        raise typer.BadParameter(str(error), param_hint="--timezone") from None
    if out_dir is not None:
        _must_be_free(out_dir, overwrite)
    rules = _rules(flow, instruments)
    given = bool(rules)
    rows, faults = read_flow(flow, skip_bad=skip_bad, rejects=rejects)
    if faults:
        say(f"{len(faults):,} faults; their rows were left out")
    if not rules:
        rules = _as_many_as_named(rows)
        were = "was" if len(rules) == 1 else "were"
        say(f"No instruments are given: {len(rules)} with price-time matching, open for trading, {were} made.")
    with progress(as_json) as show:
        book, executions, seconds = _through(rows, rules, show)
        differs = _differs(rows, rules, book, executions, show) if audit else None
    found = gather(rows, executions, rules, timezone)
    if not given:  # numbers between those named were made with the others, and nobody sent anything for them
        sent = set(rows["instrument"].tolist())
        found["instruments"] = [row for row in found["instruments"] if row["instrument"] in sent]
    answer = {
        "flow": str(flow),
        "instructions": len(rows),
        "events": len(executions),
        "seconds": round(seconds, 6),
        "per_second": round(len(rows) / seconds) if seconds else None,
        "state_hash": book.state_hash().hex(),
        "audit": None if not audit else "agrees" if differs is None else differs,
        **{name: found[name] for name in ("instruments", "bars", "refusals", "cancelled", "alerts")},
    }
    written = _write(out_dir, rows, executions, found, overwrite) if out_dir is not None else []
    if as_json:
        emit(answer | ({"files": [str(path) for path in written]} if out_dir is not None else {}))
    else:
        _print(answer)
        for path in written:
            out(f"wrote {path}")
    if differs is not None:
        raise typer.Exit(1)


@app.command()
def flow(
    to: Annotated[Path, typer.Option("--out", metavar="FILE", help="where to: .csv, .csv.gz, .parquet or .npz; the instruments go beside it")],
    count: Annotated[int, typer.Option("--count", metavar="N", min=1, max=20_000_000, help="how many instructions")] = 10_000,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", help="the same seed gives the same flow; 0 if left out, of the benchmark 42")
    ] = None,
    instruments: Annotated[int, typer.Option("--instruments", metavar="N", min=1, max=1_000, help="how many instruments")] = 4,
    accounts: Annotated[int, typer.Option("--accounts", metavar="N", min=1, max=100_000, help="how many accounts")] = 40,
    day: Annotated[int, typer.Option("--rows-a-day", metavar="N", min=100, help="instructions from one day's opening to its close")] = 20_000,
    invalid: Annotated[float, typer.Option("--invalid", metavar="SHARE", min=0, max=1, help="share of instructions with something wrong")] = 0.03,
    benchmark: Annotated[
        bool, typer.Option("--benchmark", help="the flow on which engines are timed: one instrument, limit orders, cancels")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace what is there")] = False,
    as_json: AsJson = False,
) -> None:
    """Write generated order flow: every kind of order and instruction, clustered in time, some of it wrong."""
    from tonne.formats.flow import write_flow
    from tonne.simulation.order_flow import FlowPlan, benchmark_flow, benchmark_rules, flow_rules, order_flow

    if day < 2 * instruments:
        raise typer.BadParameter(f"a day of {instruments} instruments has at least {2 * instruments} instructions", param_hint="--rows-a-day")
    seed = (42 if benchmark else 0) if seed is None else seed
    if benchmark:
        rules, rows = benchmark_rules(), benchmark_flow(count, seed)
    else:
        rules = flow_rules(instruments, seed)
        rows = order_flow(count, seed, rules, FlowPlan(accounts=accounts, rows_a_day=day, invalid=invalid))
    written = write_flow(rows, to, rules, overwrite=overwrite)
    if as_json:
        emit({"files": [str(path) for path in written], "instructions": len(rows), "instruments": len(rules), "seed": seed})
        return
    for path in written:
        out(f"wrote {path}")
    out(soft(f"Next: tonne market replay {to} --audit"))


def gather(rows: Any, executions: Any, rules: Sequence[Any], timezone: str) -> dict[str, Any]:
    """What is told of a replay: the totals of each instrument, its bars, refusals and cancellations by name, alerts."""
    import numpy as np
    import polars as pl

    from tonne.market import data
    from tonne.market.orders import Happening, Phase, Reason
    from tonne.market.surveillance import alerts

    table = data.trades(executions)
    bars = data.daily_bars(table, timezone)
    totals = table.group_by("instrument").agg(trades=pl.len(), volume=pl.col("quantity").sum(), last=pl.col("price").last()).sort("instrument")
    by_number = {row["instrument"]: row for row in totals.to_dicts()}

    def by_reason(happening: Happening) -> dict[str, int]:
        reasons = executions["reason"][executions["happening"] == int(happening)]
        counts = zip(*(part.tolist() for part in np.unique(reasons, return_counts=True)), strict=True)
        return {Reason(reason).name_for_people: count for reason, count in sorted(counts, key=lambda pair: (-pair[1], pair[0]))}

    changes = executions[executions["happening"] == int(Happening.PHASE_CHANGED)]
    closes = changes["time"][np.isin(changes["quantity"], [int(Phase.POST_CLOSE), int(Phase.CLOSED)])]
    cancelled = by_reason(Happening.CANCELLED)
    if "none" in cancelled:
        cancelled = {"asked_for": cancelled.pop("none"), **cancelled}
    return {
        "instruments": [
            {"instrument": number, "matching": rule.matching.name.lower(), "trades": 0, "volume": 0, "last": None} | by_number.get(number, {})
            for number, rule in enumerate(rules)
        ],
        "bars": [row | {"day": row["day"].isoformat(), "vwap": str(row["vwap"])} for row in bars.to_dicts()],
        "refusals": by_reason(Happening.REFUSED),
        "cancelled": cancelled,
        "alerts": [_alert_as_plain(alert) for alert in alerts(executions, closes=sorted(set(closes.tolist())))],
        "frames": {"trades": table, "bars": bars},
    }


def _alert_as_plain(alert: Any) -> dict[str, Any]:
    from datetime import UTC, datetime, timedelta

    begins, ends = (
        (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment)).isoformat(timespec="microseconds")
        for moment in (alert.begins, alert.ends)
    )
    return {
        "kind": alert.kind, "accounts": list(alert.accounts), "instrument": alert.instrument, "begins": begins, "ends": ends,
        "sentence": alert.sentence, "orders": list(alert.orders), "trades": list(alert.trades),
    }  # fmt: skip


def _rules(flow: Path, given: Path | None) -> tuple[Any, ...]:
    """The instruments named, those in the file itself or those beside it; none: an empty tuple."""
    from tonne.formats.flow import instruments_beside, read_instruments

    if given is not None:
        return read_instruments(given)
    beside = instruments_beside(flow)
    if beside is None:
        return read_instruments(flow)
    return read_instruments(beside) if beside.is_file() else ()


def _as_many_as_named(rows: Any) -> tuple[Any, ...]:
    """An instrument for each number that an order names, at most 1,000: a wild number is the sender's mistake."""
    from tonne.market.orders import InstrumentRules, Verb

    named = rows["instrument"][rows["verb"] == int(Verb.NEW)]
    named = named[(named >= 0) & (named < 1_000)]
    return (InstrumentRules(),) * (int(named.max()) + 1 if len(named) else 1)


def _through(rows: Any, rules: Sequence[Any], show: Any) -> tuple[Any, Any, float]:
    """The fast book with all instructions in it, what happened, and the seconds that took (compiling and loading not counted)."""
    import numpy as np

    from tonne.market.order_book import OrderBook

    OrderBook(rules).submit(rows[:1])
    book, parts, seconds = OrderBook(rules, len(rows)), [], 0.0
    for first in range(0, len(rows), BATCH):
        part = rows[first : first + BATCH]
        begin = perf_counter()
        happened = book.submit(part)
        seconds += perf_counter() - begin
        parts.append(happened.copy())
        if show:
            show("order book", first + len(part), len(rows))
    return book, np.concatenate(parts) if parts else book.submit(rows), seconds


def _differs(rows: Any, rules: Sequence[Any], book: Any, executions: Any, show: Any) -> str | None:
    """The first thing on which the plain book differs, or None."""
    from tonne.market.orders import Execution
    from tonne.market.plain_book import PlainBook

    plain, place = PlainBook(rules), 0
    for first in range(0, len(rows), BATCH):
        theirs = plain.submit(rows[first : first + BATCH])
        ours = executions[place : place + len(theirs)]
        if len(ours) != len(theirs) or (ours != theirs).any():
            at = next((k for k in range(len(ours)) if ours[k] != theirs[k]), len(ours))
            fast, slow = (tuple(Execution(*part[at].item())) if at < len(part) else "nothing" for part in (ours, theirs))
            return f"event {place + at}: the fast book says {fast}, the plain one {slow}"
        place += len(theirs)
        if show:
            show("plain book", first + len(theirs), len(rows))
    if place != len(executions):
        return f"the fast book says {len(executions) - place} things more"
    return None if plain.state_hash() == book.state_hash() else "all events agree, but the states do not"


def _must_be_free(folder: Path, overwrite: bool) -> None:
    """Before a long replay, not after it. Makes the folder."""
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file, and --out names a folder that the results go into; choose another name")
    folder.mkdir(parents=True, exist_ok=True)
    there = [name for name in FILES if (folder / name).exists()]
    if there and not overwrite:
        raise FileExistsError(f"{folder}: {', '.join(there)} there already; choose another --out, or --overwrite")


def _write(folder: Path, rows: Any, executions: Any, found: Mapping[str, Any], overwrite: bool) -> list[Path]:
    import polars as pl

    from tonne.formats.exports import write_table
    from tonne.formats.writing import write_whole
    from tonne.interfaces.cli_words import to_json
    from tonne.market import data

    reasons = pl.DataFrame(list(found["refusals"].items()), schema={"reason": pl.String, "refused": pl.Int64}, orient="row")
    frames = {
        "trades.parquet": found["frames"]["trades"],
        "bars.csv": found["frames"]["bars"],
        "best_prices.parquet": data.best_prices(rows, executions),
        "auctions.csv": data.auctions(executions),
        "refusals.csv": reasons,
    }
    written = [write_table(frame, folder / name, overwrite=overwrite) for name, frame in frames.items()]
    return [*written, write_whole(folder / "alerts.json", (to_json(found["alerts"]) + "\n").encode(), overwrite=overwrite)]


def _print(answer: Mapping[str, Any]) -> None:
    out(f"{bold(answer['flow'])}: {answer['instructions']:,} instructions, {answer['events']:,} events (accepted, traded, refused, ...)")
    columns = {"instrument": "Instrument", "matching": "Matching", "trades": "Trades", "volume": "Lots", "last": "Last price"}
    _table("By instrument (prices in ticks)", columns, answer["instruments"])
    columns = {
        "instrument": "Instrument", "day": "Day", "open": "Open", "high": "High", "low": "Low", "close": "Close", "volume": "Lots",
        "trades": "Trades", "vwap": "Mean price",
    }  # fmt: skip
    _table("Daily bars", columns, answer["bars"])
    for title, counts in (("Refused", answer["refusals"]), ("Cancelled", answer["cancelled"])):
        named = ", ".join(f"{name} {count:,}" for name, count in counts.items())
        wrapped("", f"{title}: {sum(counts.values()):,}{f' ({named})' if named else ''}", 2)
    out(f"Alerts: {len(answer['alerts']):,}")
    for alert in answer["alerts"][:SHOWN]:
        who = ", ".join(str(account) for account in alert["accounts"][:6]) + ("..." if len(alert["accounts"]) > 6 else "")
        place = f"{alert['kind'].replace('_', ' ')}, instrument {alert['instrument']}, account {who}, {alert['begins'][:19]}"
        wrapped("  ", f"{place}: {alert['sentence']}", 4)
    if len(answer["alerts"]) > SHOWN:
        out(f"  ... and {len(answer['alerts']) - SHOWN:,} more; --json or --out has them all, with order and trade numbers")
    if answer["audit"] is not None:
        agrees = answer["audit"] == "agrees"
        out(f"Audit: {'the plain book agrees on every event and on the state' if agrees else bold('DIFFERENT') + ': ' + answer['audit']}")
    speed = f"{answer['per_second']:,} instructions a second" if answer["per_second"] else "too quick to time"
    out(f"{speed} ({answer['seconds']:.3f} s in the book)")
    out(f"state hash {answer['state_hash']}")


def _table(title: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
    from tonne.reports.sheets import Column, Sheet
    from tonne.reports.tables import rich_tables

    if not rows:
        out(f"{title}: none")
        return

    def text(value: Any) -> str:
        return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)

    shown = tuple(tuple(text(row[name]) for name in columns) for row in rows[:SHOWN])
    left = f"and {len(rows) - SHOWN:,} rows more; --json or --out has them all" if len(rows) > SHOWN else ""
    heads = tuple(Column(head, words=name in ("matching", "day")) for name, head in columns.items())
    for table in rich_tables(Sheet(title, heads, shown, left)):
        console().print(table)
