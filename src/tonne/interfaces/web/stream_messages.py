"""What a stream says: which topics a command changes, the market's message with its trades, and the same read back from the log."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tonne.administration.commands import Command, Reply, decode
from tonne.administration.permissions import VERBS
from tonne.market.orders import Happening

if TYPE_CHECKING:
    from tonne.interfaces.web.place import Hall

#: Entries of the log that are read for a listener that was away longer than the tape is; trades in one message.
READ_MOST, TRADES_MOST = 5_000, 500
TRADING = frozenset({"orders", "report_trade", "answer_trade", "put_out", "bid_one_way", "close_one_way"})
MARKET = TRADING | {"list_instrument", "close_day", "expire_instrument"}
AUCTIONS = frozenset({"announce_auction", "clear_auction", "auction", "sell", "offer", "auction_calendar"})
NOTICED = frozenset({"amend", "announce_auction", "clear_auction", "declare_default"})
PUBLIC = frozenset({"market", "auctions", "notices"})
OWN = frozenset({"tasks", "holdings", "orders"})


class Mark(NamedTuple):
    """One accepted command on the tape. topics: what it changed, `holdings:<participant>` where it is somebody's own; trades: rows of executions."""

    sequence: int
    kind: str
    topics: frozenset[str]
    trades: Any


def topics_of(command: Command) -> set[str]:
    """What an accepted command changes, by topic; whose accounts its trades touched is added by `marked`."""
    found = {f"tasks:{command.by}", f"holdings:{command.by}"}
    if command.kind in MARKET:
        found |= {"market", f"orders:{command.by}"}
    if command.kind in AUCTIONS:
        found.add("auctions")
    if VERBS.get(command.kind) == frozenset({"law"}) or command.kind in NOTICED:
        found.add("notices")
    return found


def marked(hall: Hall, command: Command, reply: Reply) -> Mark:
    """The mark of a command. Called in the writer's thread: the state is what the command made it."""
    topics, trades = topics_of(command), None
    executions = reply.tables.get("executions")
    accounts = hall.desk.administration.state.accounts
    if isinstance(executions, np.ndarray) and len(executions):
        rows = executions[executions["happening"] == Happening.TRADE]
        if len(rows):
            trades = rows
            for number in {*rows["account"].tolist(), *rows["other"].tolist()}:
                if 0 <= number < len(accounts):
                    topics |= {f"holdings:{accounts.holders[number]}", f"orders:{accounts.holders[number]}"}
    for name in ("to", "from", "account", "target", "counterparty", "buyer", "seller"):
        account = command.body.get(name)
        if isinstance(account, str) and account in accounts:
            topics |= {f"{what}:{accounts.holders[accounts.number(account)]}" for what in OWN}
    if command.kind in ("approve", "run_scheduled"):
        for event in reply.events:
            if event.get("event") == "moved":  # whom it reached is the proposal's affair; everybody's holdings are asked for anew
                topics.add("holdings:")
    return Mark(reply.sequence, command.kind, frozenset(topics), trades)


def encode(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), default=str).encode()


def told(number: int, changed: Collection[str], market: bytes, topics: frozenset[str], participant: str) -> bytes:
    """What of a change a listener asked for, the market's last: it is what must be heard exactly once."""
    parts = []
    for topic in sorted(topics):
        if topic == "market":
            continue
        if topic in changed if topic in PUBLIC else f"{topic}:{participant}" in changed or f"{topic}:" in changed:
            parts.append(b"event: %s\ndata: %s\n\n" % (topic.encode(), encode({"topic": topic, "sequence": number})))
    if "market" in topics and market:
        parts.append(market)
    # Only the last event of a turn has the id: a listener cut off in the middle of it hears the whole turn again.
    return b"".join([*parts[:-1], b"id: %d\n" % number, parts[-1]]) if parts else b""


def message(number: int, top: list[Any], trades: list[dict[str, Any]], *, gap: bool) -> bytes:
    """The market's event. gap: trades before these are not in it; ask for them at /instruments/{code}/trades."""
    cut = len(trades) > TRADES_MOST
    body = {"topic": "market", "sequence": number, "instruments": top, "trades": trades[-TRADES_MOST:], "gap": gap or cut}
    return b"event: market\ndata: %s\n\n" % encode(body)


def top_of(state: Any) -> list[dict[str, Any]]:
    """Every instrument's last price and best levels, as text and in the quantities in which they are ordered."""
    from tonne.interfaces.views.market_view import price_of, quantity_of

    exchange = state.exchange
    found = []
    for number, listing in enumerate(exchange.listed):
        depth, now = exchange.book.depth(number, 1), exchange.book.state(number)
        sides = {}
        for name, levels in (("bid", depth.buy), ("offer", depth.sell)):
            price, lots = (int(levels[0][0]), int(levels[0][1])) if len(levels) else (0, 0)
            sides |= {name: _text(price_of(listing, price)), f"{name}_quantity": quantity_of(listing, lots)}
        found.append({"instrument": listing["code"], "last": _text(price_of(listing, now.last)), **sides, "phase": int(now.phase)})
    return found


def _text(price: Any) -> str | None:
    return None if price is None else f"{price:f}"


def trades_of(hall: Hall, marks: list[Mark]) -> list[dict[str, Any]]:
    """Trades of marks in their order; `trade` is the entry of the log and the place in it: the same trade has it for everybody."""
    from tonne.interfaces.views.market_view import moment_of, price_of, quantity_of

    listed = hall.desk.administration.state.exchange.listed
    found = []
    for mark in marks:
        for place, row in enumerate(mark.trades if mark.trades is not None else ()):
            listing = listed[int(row["instrument"])]
            told_ = {"trade": f"{mark.sequence}-{place + 1}", "instrument": listing["code"], "price": _text(price_of(listing, int(row["price"])))}
            time = int(row["time"]) if "time" in (row.dtype.names or ()) else 0
            found.append({**told_, "quantity": quantity_of(listing, int(row["quantity"])), "time": moment_of(time).isoformat() if time else None})
    return found


SHORT = np.dtype([("instrument", "<i4"), ("price", "<i8"), ("quantity", "<i8")])


def read_log(hall: Hall, after: int, until: int) -> tuple[list[Mark], bool]:
    """(marks, whether something is missing): what the tape does not reach back to, from the log itself. Long absences are not made up for."""
    if until - after > READ_MOST:
        return [], True
    marks, gap = [], False
    for entry in hall.desk.log.read(after=after, last=until):
        if entry.outcome != "accepted":
            continue
        events: list[Mapping[str, Any]] = decode(entry.events)
        body = decode(entry.command)["body"] if entry.kind not in MARKET else {}
        topics = topics_of(Command(entry.command_id, entry.kind, entry.actor, entry.day, body))
        trades = None
        count = sum(int(event.get("executions", {}).get("trade", 0)) for event in events)
        if count:
            topics |= {"holdings:", "orders:"}
            rows = [row for event in events for row in event.get("rows", ()) if row["happening"] == "trade"]
            gap |= len(rows) != count  # of large batches the log tells the number, not the rows
            trades = np.array([(row["instrument"], row["price"], row["quantity"]) for row in rows], dtype=SHORT)
        marks.append(Mark(entry.sequence, entry.kind, frozenset(topics), trades))
    return marks, gap
