"""`tonne market day`: one market through a trading day that shows everything once, and what came of it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer

from tonne.interfaces.cli_words import AsJson, bold, console, emit, out, progress, say, screen_width, system_of, wrapped

#: The same day for everybody who names no year, so that state hashes can be compared.
YEAR = 2026
FILES = ("trades.parquet", "bars.csv", "negotiated.csv", "alerts.json", "waterfall.csv", "statement.csv")
LABEL = "SYNTHETIC: everybody who takes part is generated; only the law and the contracts are real."
SHOWN = 12
LAYER_WORDS = {
    "defaulter_margin": "the defaulter's margin",
    "defaulter_fund": "its share of the default fund",
    "house_capital": "the house's own capital",
    "default_fund": "the others' default fund",
    "house_second": "more of the house's capital",
    "assessment": "assessments on the others",
    "haircut": "cuts of gains",
}
WHERE_WORDS = {
    "bank": "outside, at the settlement bank",
    "outside": "outside, from before the books began",
    "cash": "treasury",
    "trading": "participants",
    "collateral": "participants, as collateral",
    "default_fund": "participants, in the default fund",
    "ccp_capital": "the house's own capital",
    "ccp": "central counterparty",
    "auction": "on offer",
}


def day(
    system: Annotated[
        str | None, typer.Argument(metavar="SYSTEM", help="a system's id, or the folder of a rulebook; if left out the one with most contracts")
    ] = None,
    participants: Annotated[int, typer.Option("--participants", metavar="N", min=12, max=500, help="how many take part")] = 50,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="the same seed gives the same day")] = 1,
    year: Annotated[int, typer.Option("--year", metavar="YEAR", min=2000, max=2100, help="of the December future that ends")] = YEAR,
    price: Annotated[str | None, typer.Option("--price", metavar="MONEY", help="first price of a unit; else the newest mean that is known")] = None,
    log: Annotated[
        str | None, typer.Option("--log", metavar="WHERE", help="keep a durable log at this path or URL; the same day, interrupted, goes on there")
    ] = None,
    out_dir: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="write trades, bars, alerts, waterfall, statement there")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace what an earlier day wrote to --out")] = False,
    as_json: AsJson = False,
) -> None:
    """A market's last trading day of a future and its aftermath: auction, order books, default, settlement, delivery; and whether it all adds up."""
    from tonne.interfaces.api import rulebook
    from tonne.simulation.trading_day import DayInputs
    from tonne.simulation.trading_floor import busiest_system, floor_of

    if out_dir is not None:
        _must_be_free(out_dir, overwrite)
    begin = perf_counter()
    with progress(as_json) as show:
        name = system_of(system) if system is not None else busiest_system(year)
        book = rulebook(name)
        inputs = DayInputs(floor_of(book, year, _price(price)), participants, seed)
        told, verified = _carried(book, name, inputs, log, show)
    seconds = perf_counter() - begin
    faults = [*told.differences, *verified]
    faults += [f"does not hold: {what}" for what, holds in told.adds_up.items() if not holds]
    written = _write(out_dir, told, overwrite) if out_dir is not None else []
    if as_json:
        emit(as_plain(told, inputs) | {"log": log, "faults": faults, "seconds": round(seconds, 3), "files": [str(path) for path in written]})
    else:
        _print(told, inputs, book)
        what = f"log verified: {told.entries} entries decided again, {len(told.differences) + len(verified) or 'no'} differences"
        out(what if log is None else f"{what}; {log}")
        out(f"state hash {told.state_hash}")
        say(f"{seconds:.1f} seconds")
        for path in written:
            out(f"wrote {path}")
    if faults:
        raise RuntimeError(f"the day does not hold: {faults[0]}")


def _price(text: str | None) -> Any:
    from decimal import Decimal, InvalidOperation

    if text is None:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        raise typer.BadParameter(f"{text!r} is no price; write it as 73.45", param_hint="--price") from None


def _carried(book: Any, name: str | Path, inputs: Any, log: str | None, show: Any) -> tuple[Any, list[str]]:
    """The day run, in memory or on a log; what is told of it, and the faults that the log's own verification finds."""
    from tonne.administration.clerk import Administration
    from tonne.simulation.trading_day import run_day
    from tonne.simulation.trading_day_told import tell

    quiet = show or (lambda what, done, of: None)
    if log is None:
        clerk = Administration(book, book.system.begins)
        entries: list[Any] = []

        def send(command: Any) -> Any:
            reply, entry = clerk.handle(command)
            if entry is not None:
                entries.append(entry)
            return reply

        run_day(lambda: clerk, send, inputs, quiet)
        told = tell(book, inputs.floor, entries)
        same = told.state_hash == clerk.state.hash().hex()
        return told, [] if same else ["the state decided again is not the state of the day"]

    from tonne.interfaces.api import open_market, rulebook
    from tonne.store import open_log
    from tonne.store.desk import verify

    of = book.system.id if Path(book.place).name == book.system.id else str(name)
    with open_market(log, of) as desk:
        run_day(lambda: desk.administration, desk.call, inputs, quiet)
    with open_log(log, mode="read") as kept:
        faults, state = verify(kept, lambda system, scenario: rulebook(system, scenario or None))
        told = tell(book, inputs.floor, kept.read())
    wrong = [f"entry {fault.sequence}: {fault.what}" for fault in faults]
    if not wrong and (state is None or state.hex() != told.state_hash):
        wrong.append("the log's state is not the state of the day")
    return told, wrong


# -- out


def as_plain(told: Any, inputs: Any) -> dict[str, Any]:
    """The day for machines; money in minor units."""
    floor = told.floor
    return {
        "system": floor.system,
        "synthetic": LABEL,
        "participants": inputs.participants,
        "seed": inputs.seed,
        "contracts": [one.code for one in floor.traded],
        "lots": {one.code: one.contract.lot for one in floor.traded},
        "strike": told.strike or None,
        "currency": floor.currency,
        "first_price": floor.price,
        "first_price_from": floor.price_from,
        "notes": list(floor.notes),
        "days": {name: getattr(floor.days, name).isoformat() for name in ("first", "between", "last", "settled", "late", "delivery")},
        "entries": told.entries,
        "instructions": told.instructions,
        "auction": told.auction,
        "bars": told.bars.to_dicts(),
        "negotiated": [dict(deal) for deal in told.negotiated],
        "refused_commands": told.refused_commands,
        "refused_instructions": told.refused_instructions,
        "pauses": list(told.pauses),
        "calls": list(told.calls),
        "default": told.default,
        "settled": list(told.settled),
        "ended": list(told.ended),
        "alerts": list(told.alerts),
        "statement": list(told.statement),
        "adds_up": told.adds_up,
        "state_hash": told.state_hash,
    }


def _must_be_free(folder: Path, overwrite: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file, and --out names a folder that the results go into; choose another name")
    folder.mkdir(parents=True, exist_ok=True)
    there = [name for name in FILES if (folder / name).exists()]
    if there and not overwrite:
        raise FileExistsError(f"{folder}: {', '.join(there)} there already; choose another --out, or --overwrite")


def _write(folder: Path, told: Any, overwrite: bool) -> list[Path]:
    import polars as pl

    from tonne.formats.exports import write_table
    from tonne.formats.writing import write_whole
    from tonne.interfaces.cli_words import to_json

    deals = [deal | {"day": deal["day"].isoformat(), "time": deal["time"].isoformat(), "price": str(deal["price"])} for deal in told.negotiated]
    frames = {
        "trades.parquet": told.trades,
        "bars.csv": told.bars,
        "negotiated.csv": pl.DataFrame(deals),
        "waterfall.csv": pl.DataFrame(told.default["waterfall"]),
        "statement.csv": pl.DataFrame(list(told.statement)),
    }
    written = [write_table(frame, folder / name, overwrite=overwrite) for name, frame in frames.items()]
    return [*written, write_whole(folder / "alerts.json", (to_json(list(told.alerts)) + "\n").encode(), overwrite=overwrite)]


def _print(told: Any, inputs: Any, book: Any) -> None:
    floor = told.floor
    names = ", ".join(_code(told, one.code) for one in floor.traded)
    wrapped("", f"{bold(book.system.name['en'])}: {names}", 2)
    for line in textwrap.wrap(LABEL, screen_width()):
        out(typer.style(line, fg=typer.colors.YELLOW, bold=True))
    wrapped("", f"{inputs.participants} participants, seed {inputs.seed}; {floor.days.first} to {floor.days.delivery}; {'; '.join(floor.notes)}.")
    wrapped("", f"First price {floor.price:,f} {floor.currency} a unit: {floor.price_from}. {_lots(floor)}")
    out(f"{told.entries:,} commands, {told.instructions:,} instructions, {told.trades.height:,} trades in the order book")
    out()
    _auction(told)
    _bars(told)
    _beside(told)
    _pauses(told)
    _refused(told)
    _calls(told)
    _default(told)
    _settled(told)
    _alerts(told)
    _statement(told)


def _code(told: Any, code: str) -> str:
    """An instrument as it is shown: an option with its strike."""
    option = told.floor.option
    return f"{code}:{told.strike}" if option is not None and code == option.code and told.strike else code


def _lots(floor: Any) -> str:
    """How large a lot is: once, where all are alike."""
    sizes = {one.contract.lot for one in floor.traded}
    if len(sizes) == 1:
        return f"A lot is {_units(sizes.pop(), floor.unit)}."
    return "A lot is " + ", ".join(f"of {one.contract.id} {_units(one.contract.lot, floor.unit)}" for one in floor.traded) + "."


def _units(count: int, unit: str) -> str:
    return f"{count:,} {unit}"


def _some(count: int, sign: str = "") -> str:
    """`1 lot`, `2 lots`."""
    return f"{count:{sign},} lot{'s' * (abs(count) != 1)}"


def _money(minor: int, currency: str) -> str:
    from tonne.units import Money

    amount = Money(minor, currency).amount
    return f"{amount:,}"


def _clock(moment: Any) -> str:
    return str(moment.strftime("%H:%M:%S"))


def _auction(told: Any) -> None:
    sale, floor = told.auction, told.floor
    if sale is None:
        wrapped("", "Auction: none, because the law does not say how bids are cleared.", 2)
        return
    if sale["price"] is None:
        wrapped(
            "", f"Auction {floor.days.last}: {sale['outcome']} ({sale['reason']}); {sale['bid_units']:,} bid for, {sale['offered']:,} offered.", 2
        )
        return
    sold = f"{sale['outcome']} at {Decimal(sale['price']):,f} {floor.currency}; {sale['sold']:,} of {sale['offered']:,} sold"
    bids = f"{sale['bids']} bids by {sale['bidders']}, {sale['winners']} won, cover {sale['cover_ratio']}"
    low, high = (f"{Decimal(sale[name]):,f}" for name in ("min_bid", "max_bid"))
    spread = f"bids from {low} to {high}, proceeds {_money(sale['paid_minor'], floor.currency)} {floor.currency}"
    wrapped("", f"Auction {floor.days.last}: {sold}; {bids}; {spread}.", 2)


def _bars(told: Any) -> None:
    columns = {
        "instrument": "Instrument", "open": "Open", "high": "High", "low": "Low", "close": "Close", "settlement": "Settled at",
        "volume": "Lots", "trades": "Trades", "negotiated": "Beside", "open_interest": "Open interest",
    }  # fmt: skip
    rows = told.bars.to_dicts()
    for row in rows:
        row["open_interest"] = row["open_interest"] or None
        row["instrument"] = _code(told, row["instrument"])
    for day in dict.fromkeys(row["day"] for row in rows):
        out()
        _table(f"Trading on {day} ({told.floor.currency} a unit, lots)", columns, [row for row in rows if row["day"] == day])
    wrapped("", "Beside: lots of deals that two parties agreed outside the order book; they are not among the lots traded in it.")
    out()


def _beside(told: Any) -> None:
    columns = {
        "day": "Day",
        "method": "Beside the book",
        "instrument": "Instrument",
        "seller": "Seller",
        "buyer": "Buyer",
        "lots": "Lots",
        "price": "At",
    }
    rows = [deal | {"method": deal["method"].replace("_", " "), "instrument": _code(told, deal["instrument"])} for deal in told.negotiated]
    _table("Deals that two parties agreed", columns, rows)


def _pauses(told: Any) -> None:
    for pause in told.pauses:
        what = pause["what"].replace("_", " ").capitalize()
        times = f"{_clock(pause['begins'])} to {_clock(pause['ends'])}"
        price = f", ended at {pause['price']:,f} with {_some(pause['lots'])}" if pause["price"] is not None else ""
        wrapped("", f"{what} {pause['begins'].date()} {times}: {_code(told, pause['instrument'])}{price}", 2)


def _refused(told: Any) -> None:
    for title, counts in (("Refused instructions", told.refused_instructions), ("Refused commands", told.refused_commands)):
        named = ", ".join(f"{name} {count:,}" for name, count in counts.items())
        wrapped("", f"{title}: {sum(counts.values()):,}{f' ({named})' if named else ''}", 2)


def _calls(told: Any) -> None:
    biggest = sorted(told.calls, key=lambda call: -call["minor"])[:SHOWN]
    named = "; ".join(
        f"{call['participant']} {_money(call['minor'], told.floor.currency)} {told.floor.currency} on {call['day']}" for call in biggest
    )
    wrapped("", f"Margin calls: {len(told.calls):,}{f', the biggest: {named}' if named else ''}", 2)


def _default(told: Any) -> None:
    fall, currency = told.default, told.floor.currency
    takers = ", ".join(f"{taker['participant']} {_some(taker['lots'], '+')}" for taker in fall["takers"])
    out()
    loss = f"a loss of {_money(fall['loss'], currency)} {currency}"
    wrapped(
        "",
        f"{fall['participant']} cannot pay ({told.floor.days.settled}). Taken over at {fall['takers'][0]['price']:,f} {currency}: {takers}; {loss}.",
        2,
    )
    rows = [
        {"layer": LAYER_WORDS[row["layer"]], "members": row["members"]} | {name: _money(row[name], currency) for name in ("available", "used")}
        for row in fall["waterfall"]
    ]
    rows.append({"layer": "nobody: uncovered", "members": None, "available": "", "used": _money(fall["uncovered"], currency)})
    _table(f"Who bears it ({currency})", {"layer": "Borne by", "members": "Members", "available": "Had", "used": "Bore"}, rows)


def _settled(told: Any) -> None:
    floor = told.floor
    parts = [(row["day"], f"{row['agreements']:,}", f", {row['failed']:,} failed" if row["failed"] else "") for row in told.settled]
    done = "; ".join(f"{day} {count}{failed}" for day, count, failed in parts)
    wrapped("", f"Spot trades settled: {done}.", 2)
    for row in told.ended:
        if row["what"] != "delivered":
            became = "lot becomes a future" if row["lots"] == 1 else "lots become futures"
            wrapped("", f"{row['day']} {_code(told, row['instrument'])}: {row['what']}, {row['lots']:,} {became}", 2)
        elif row["lots"]:
            paid = f"{row['units']:,} units against {_money(row['minor'], floor.currency)} {floor.currency} at {row['price']:,f}"
            wrapped("", f"{row['day']} {row['instrument']}: {_some(row['lots'])} delivered, {paid}", 2)
        if row.get("bought_in_at") is not None:
            who = ", ".join(row["failed_by"])
            failed = f"{who} failed {_some(row['failed_lots'])}, settled in money at {row['bought_in_at']:,f} {floor.currency}"
            paid = f"{_money(row['compensation'], floor.currency)} {floor.currency} paid to whoever waited"
            wrapped("", f"{row['day']} {row['instrument']}: {failed}: {paid}", 2)


def _alerts(told: Any) -> None:
    out(f"Alerts: {len(told.alerts):,}")
    for alert in told.alerts[:SHOWN]:
        began = f"{alert['begins']:%Y-%m-%d %H:%M:%S}"
        place = f"{alert['kind'].replace('_', ' ')}, {_code(told, alert['instrument'])}, {', '.join(alert['participants'])}, {began}"
        wrapped("  ", f"{place}: {alert['sentence']}", 4)


def _statement(told: Any) -> None:
    currency = told.floor.currency
    out()
    rows = [
        {
            "unit": row["unit"],
            "where": WHERE_WORDS.get(row["where"], row["where"].replace("_", " ")),
            "quantity": _money(row["quantity"], currency) if row["money"] else f"{row['quantity']:,}",
        }
        for row in told.statement
    ]
    _table("Closing statement", {"unit": "Unit", "where": "Where", "quantity": "Quantity"}, rows)
    holds = [what for what, good in told.adds_up.items() if good]
    fails = [what for what, good in told.adds_up.items() if not good]
    wrapped("", f"Units and money add up: {'; '.join(holds)}." if not fails else f"{bold('Does not hold')}: {'; '.join(fails)}.", 2)


def _table(title: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
    """A table whose words and figures stay whole; where it would be too wide it goes on below, with its first column again."""
    from rich import box
    from rich.table import Table

    words = {"day", "instrument", "method", "seller", "buyer", "layer", "unit", "where"}
    cells = {name: [_cell(row[name]) for row in rows] for name in columns}
    needed = {name: max(map(len, [*columns[name].split(), *cells[name]])) + 2 for name in columns}
    first, *rest = columns
    pages = [[first]]
    for name in rest:
        if sum(needed[one] for one in (*pages[-1], name)) > console().width + 2 and len(pages[-1]) > 1:
            pages.append([first])
        pages[-1].append(name)
    for place, page in enumerate(pages):
        out(bold(title if place == 0 else f"{title} (continued)"))
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
        for name in page:
            heading = "\n".join(columns[name].split()) if needed[name] - 2 < len(columns[name]) else columns[name]
            table.add_column(heading, justify="left" if name in words else "right", no_wrap=True, vertical="top")
        for row in zip(*(cells[name] for name in page), strict=True):
            table.add_row(*row)
        console().print(table)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}" if isinstance(value, int) else str(value)
