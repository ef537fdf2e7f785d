"""What came of a shown trading day: read from its log alone, by deciding every command again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from tonne.administration.clerk import Administration, command_of
from tonne.administration.commands import Reply
from tonne.administration.default import LAYERS
from tonne.administration.events import ACCEPTED, Entry
from tonne.administration.kinds import Kind
from tonne.administration.orders import reason_name
from tonne.dates import from_day_number, zone
from tonne.law import Rulebook
from tonne.market import data
from tonne.market.orders import EXECUTION, Happening, Phase, Reason
from tonne.market.surveillance import Alert, alerts
from tonne.simulation.trading_floor import Floor

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Told:
    """A day in tables and plain values. Money is in minor units, prices as Decimal, times local to the session.

    strike: of the option, as money a unit; empty where there is none.
    differences: what deciding the log again gives otherwise than is stored; empty where all agrees.
    """

    floor: Floor
    state: Any
    entries: int
    instructions: int
    executions: Any
    differences: tuple[str, ...]
    auction: dict[str, Any] | None
    trades: pl.DataFrame
    negotiated: tuple[dict[str, Any], ...]
    bars: pl.DataFrame
    refused_commands: dict[str, int]
    refused_instructions: dict[str, int]
    pauses: tuple[dict[str, Any], ...]
    calls: tuple[dict[str, Any], ...]
    default: dict[str, Any] | None
    settled: tuple[dict[str, Any], ...]
    ended: tuple[dict[str, Any], ...]
    alerts: tuple[dict[str, Any], ...]
    statement: tuple[dict[str, Any], ...]
    adds_up: dict[str, bool]
    strike: str

    @property
    def state_hash(self) -> str:
        return str(self.state.hash().hex())


def tell(book: Rulebook, floor: Floor, entries: Iterable[Entry]) -> Told:
    """Decide every entry of a day's log again from the first one, compare, and gather what happened."""
    administration = Administration(book, book.system.begins)
    replies: list[tuple[Entry, Reply]] = []
    differences = []
    for entry in entries:
        reply, again = administration.handle(command_of(entry))
        if again is None or again.hash != entry.hash:
            differences.append(f"entry {entry.sequence} ({entry.kind} {entry.command_id}): decided again it is not what is stored")
        replies.append((entry, reply))
    state = administration.state
    tables = [np.asarray(reply.tables["executions"]) for entry, reply in replies if entry.kind == "orders" and "executions" in reply.tables]
    executions = np.concatenate([np.zeros(0, dtype=EXECUTION), *tables])
    in_book = executions[executions["instruction"] >= 0]
    events = [(entry, event) for entry, reply in replies for event in reply.events if reply.accepted]
    trades = data.trades(in_book)
    statement, adds_up = _statement(state, floor)
    return Told(
        floor=floor,
        state=state,
        entries=len(replies),
        instructions=sum(int(event["count"]) for _, event in events if event["event"] == "matched"),
        executions=executions,
        differences=tuple(differences),
        auction=next((dict(event) for _, event in events if event["event"] == "auction_cleared"), None),
        trades=_named(data.priced(trades, _contracts(floor)), state, floor),
        negotiated=tuple(_deals(events, state, floor)),
        bars=_bars(trades, state, floor),
        refused_commands=dict(Counter(reply.outcome for _, reply in replies if reply.outcome != ACCEPTED).most_common()),
        refused_instructions=_refused(executions),
        pauses=tuple(_pauses(in_book, floor)),
        calls=tuple(_calls(events, state)),
        default=next((_default(event, state, floor) for _, event in events if event["event"] == "defaulted"), None),
        settled=tuple(_settled(entry, event) for entry, event in events if event["event"] == "settled"),
        ended=tuple(_ended(entry, event, state, floor) for entry, event in events if event["event"] == "contract_ended"),
        alerts=tuple(_alert(one, state, floor) for one in alerts(in_book, closes=_closes(in_book))),
        statement=tuple(statement),
        adds_up=adds_up,
        strike=_strike(state, floor),
    )


def _strike(state: Any, floor: Floor) -> str:
    if floor.option is None:
        return ""
    number = state.exchange.number(floor.option.code)
    return str(floor.option.contract.price(int(state.exchange.listed[number]["strike"]))) if number >= 0 else ""


def _contracts(floor: Floor) -> dict[int, Any]:
    return {number: one.contract for number, one in enumerate(floor.traded)}


def _who(state: Any, account: int) -> str:
    return str(state.accounts.ids[account])


def _member(state: Any, number: int) -> str:
    return _who(state, state.exchange.members[number]["account"])


def local(floor: Floor, microseconds: int) -> datetime:
    """A moment in the session's time zone."""
    return (_BEGINNING + timedelta(microseconds=int(microseconds))).astimezone(zone(floor.session.timezone))


def _named(table: pl.DataFrame, state: Any, floor: Floor) -> pl.DataFrame:
    codes = {number: one.code for number, one in enumerate(floor.traded)}
    ids = dict(enumerate(state.accounts.ids))
    return table.with_columns(
        pl.col("instrument").cast(pl.Int64).replace_strict(codes, return_dtype=pl.String),
        *(pl.col(name).cast(pl.Int64).replace_strict(ids, return_dtype=pl.String) for name in ("buyer", "seller")),
        time=pl.col("time").dt.convert_time_zone(floor.session.timezone),
    )


def _bars(trades: pl.DataFrame, state: Any, floor: Floor) -> pl.DataFrame:
    """instrument, day, open, high, low, close, settlement, change, volume, trades, vwap, negotiated, open_interest: of days with trades."""
    kept = state.exchange.bars
    days = [from_day_number(int(day)) for day in kept["day"]]
    columns = {name: kept[name].astype(np.int64) for name in ("instrument", "settlement", "open_interest", "negotiated", "volume")}
    table = pl.DataFrame(columns).with_columns(day=pl.Series(days, dtype=pl.Date))
    bars = data.daily_bars(trades, floor.session.timezone)
    summary = data.day_summary(bars, table.select("instrument", "day", "settlement"), table.select("instrument", "day", "open_interest"))
    named = data.priced(summary, _contracts(floor)).join(table.select("instrument", "day", "negotiated"), on=["instrument", "day"])
    traded = named.filter((pl.col("volume") > 0) | (pl.col("negotiated") > 0))
    codes = {number: one.code for number, one in enumerate(floor.traded)}
    return traded.with_columns(pl.col("instrument").replace_strict(codes, return_dtype=pl.String)).sort("day", maintain_order=True)


def _refused(executions: Any) -> dict[str, int]:
    reasons = executions["reason"][executions["happening"] == Happening.REFUSED].tolist()
    return dict(Counter(reason_name(reason) for reason in reasons).most_common())


def _pauses(executions: Any, floor: Floor) -> list[dict[str, Any]]:
    """Volatility calls and halts: instrument, begin, end, and of a call the price at which it ended (None: nothing traded) and the lots."""
    open_: dict[int, dict[str, Any]] = {}
    found = []
    uncrossed = {}
    for row in executions[np.isin(executions["happening"], [Happening.PHASE_CHANGED, Happening.UNCROSSED])]:
        number = int(row["instrument"])
        if row["happening"] == Happening.UNCROSSED:
            uncrossed[number] = row
            continue
        if number in open_:
            pause = open_.pop(number)
            last = uncrossed.get(number)
            called = pause["what"] == "volatility_call" and last is not None and last["instruction"] == row["instruction"]
            lots = int(last["quantity"]) if called and last is not None else 0
            price = floor.traded[number].contract.price(int(last["price"])) if lots and last is not None else None
            found.append(pause | {"ends": local(floor, row["time"]), "price": price, "lots": lots})
        if row["quantity"] == Phase.HALT or (row["quantity"] == Phase.VOLATILITY_CALL and row["reason"] == Reason.VOLATILITY):
            begins = local(floor, row["time"])
            open_[number] = {"what": Phase(int(row["quantity"])).name.lower(), "instrument": floor.traded[number].code, "begins": begins}
    return found


def _closes(executions: Any) -> list[int]:
    rows = executions[(executions["happening"] == Happening.PHASE_CHANGED) & (executions["quantity"] == Phase.POST_CLOSE)]
    return sorted(set(rows["time"].tolist()))


def _deals(events: Sequence[tuple[Entry, Mapping[str, Any]]], state: Any, floor: Floor) -> list[dict[str, Any]]:
    found = []
    for entry, event in events:
        if event["event"] != "agreed":
            continue
        for buyer, seller, instrument, ticks, lots, time in event["trades"]:
            one = floor.traded[instrument]
            deal = {"method": event["method"], "instrument": one.code, "buyer": _who(state, buyer), "seller": _who(state, seller)}
            found.append({"day": entry.day, "time": local(floor, time)} | deal | {"price": one.contract.price(ticks), "lots": lots})
    return found


def _calls(events: Sequence[tuple[Entry, Mapping[str, Any]]], state: Any) -> list[dict[str, Any]]:
    """What members were asked to bring at the end of each day, largest first."""
    found = [
        {"day": entry.day, "participant": _who(state, account), "minor": minor}
        for entry, event in events
        if event["event"] == "day_closed"
        for account, _, minor in event["called"]
    ]
    return sorted(found, key=lambda call: (call["day"], -call["minor"], call["participant"]))


def _default(event: Mapping[str, Any], state: Any, floor: Floor) -> dict[str, Any]:
    """Who, what was taken over, and the waterfall: of each layer what it had and what it bore, over all members."""
    rows: list[dict[str, Any]] = []
    _, loss, borne, uncovered = event["falls"][0]
    for layer, name in enumerate(LAYERS):
        of = [row for row in borne if row[0] == layer]
        if of:
            rows.append({"layer": name, "members": len(of), "available": sum(row[2] for row in of), "used": sum(row[3] for row in of)})
    takers = [
        {"participant": _member(state, taker), "lots": lots, "price": floor.traded[number].contract.price(ticks)}
        for number, taker, lots, ticks in event["takers"]
    ]
    name = _member(state, event["member"])
    return {"participant": name, "loss": loss, "takers": takers, "waterfall": rows, "uncovered": uncovered, "called_after": len(event["called"])}


def _settled(entry: Entry, event: Mapping[str, Any]) -> dict[str, Any]:
    return {"day": entry.day, "agreements": len(event["numbers"]), "failed": len(event["failed"])}


def _ended(entry: Entry, event: Mapping[str, Any], state: Any, floor: Floor) -> dict[str, Any]:
    """An option exercised, or a future delivered: lots, units, money; what failed, and whether it was settled in money."""
    one = floor.traded[event["instrument"]]
    mark = int(state.exchange.marks[event["instrument"]])
    told = {"day": entry.day, "instrument": one.code}
    if one.contract.kind == "option":
        return told | {"what": "exercised" if event["exercised"] else "expired worthless", "lots": sum(max(lots, 0) for lots in event["futures"])}
    lots, failed = sum(pair[2] for pair in event["pairs"]), sum(pair[2] for pair in event["failed"])
    told |= {
        "what": "delivered",
        "lots": lots,
        "units": one.contract.units(lots),
        "minor": one.contract.value(mark, lots),
        "pairs": len(event["pairs"]),
    }
    told |= {"price": one.contract.price(mark), "failed_lots": failed, "left_lots": event["left"]}
    short = sum(pair[2] for pair in event["failed"] if pair[3] == 0)
    paid = one.contract.value(max(event["price"] - mark, 0), short) if event["price"] else 0
    who = sorted({_member(state, pair[pair[3]]) for pair in event["failed"]})
    return told | {"failed_by": who, "bought_in_at": one.contract.price(event["price"]) if event["price"] else None, "compensation": paid}


def _alert(alert: Alert, state: Any, floor: Floor) -> dict[str, Any]:
    who = [_who(state, account) for account in alert.accounts]
    place = {"kind": alert.kind, "participants": who, "instrument": floor.traded[alert.instrument].code}
    times = {"begins": local(floor, alert.begins), "ends": local(floor, alert.ends)}
    return place | times | {"sentence": alert.sentence, "orders": list(alert.orders), "trades": list(alert.trades)}


# -- the closing statement


def _statement(state: Any, floor: Floor) -> tuple[list[dict[str, Any]], dict[str, bool]]:
    """Where every unit and all money is, by kind of account; and whether it adds up, against the transfers that brought it in and took it out."""
    books, accounts = state.books, state.accounts
    state.books.check()
    everybody = np.arange(len(accounts))
    kinds = np.array(["bank" if name == "bank" else kind for name, kind in zip(accounts.ids, accounts.kinds, strict=True)])
    rows = []
    for number, unit in enumerate(books.unit_types):
        held = books.balances(everybody, number)
        for kind in dict.fromkeys(kinds.tolist()):
            quantity = int(held[kinds == kind].sum())
            if quantity:
                rows.append({"unit": unit.code, "money": unit.kind == "money", "where": kind, "quantity": quantity})
    money = state.unit(floor.currency)
    moved = books.transfers[books.transfers["unit"] == money]
    came, went = (int(moved["quantity"][moved["kind"] == kind].sum()) for kind in (Kind.DEPOSIT, Kind.WITHDRAW))
    inside = int(books.balances(everybody[kinds != "bank"], money).sum())
    totals = {"paid in": came, "withdrawn": -went}
    rows = [*({"unit": floor.currency, "money": True, "where": name, "quantity": minor} for name, minor in totals.items()), *rows]
    ccp = accounts.number("ccp")
    exchange = state.exchange
    return rows, {
        "every unit type sums to zero": not books.unit_totals().any(),
        "money here is what was paid in less what was withdrawn": inside == came - went,
        "the central counterparty holds nothing and owes nothing": not any(books.balance(ccp, unit) for unit in range(len(books.unit_types))),
        "nobody has a position left": not exchange.position.any(),
        "nothing is owed": not exchange.owed.any(),
        "nothing is set aside or waits to be settled": not exchange.cover.any() and not len(exchange.due),
    }
