"""One-way bidding on the exchange: one party puts units (or money) out, the other side alone bids in a window, the best bids win.

What is put out, and every bid, is set aside until the window closes: who wins can pay, and who sells can deliver.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import numpy as np

from tonne.administration.commands import Command
from tonne.administration.cover import NOT_COVERED, WHY, uncovered
from tonne.administration.decision import Decision, optional_text, text, whole
from tonne.administration.exchange import ROWS, Exchange
from tonne.administration.listing import require_exchange, whole_or
from tonne.administration.matching import Done, Place, agreed, moment, set_aside
from tonne.administration.orders import lots_of, ticks_of
from tonne.administration.permissions import require_holder
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.administration.transfer import account
from tonne.dates import day_number, from_day_number
from tonne.ledger import transfers
from tonne.market import one_way as rules
from tonne.market.negotiated import DealLimits, Refused
from tonne.market.negotiated import Side as DealSide
from tonne.market.orders import EXECUTION, Happening, Side, Verb, instructions


def put_out(state: State, command: Command) -> Decision:
    """Body: reference (a name), instrument, account, side (sell or buy: the applicant's), quantity, limit (text: the public floor of a sale), opens
    and closes (HH:MM, local), increment (ticks), whole (true: one bid wins all), smallest (units), reserve (text, secret), pricing (own_bid or
    last_winning_bid), notice_minutes (the least time before the window), time (now)."""
    exchange = require_exchange(state)
    name = text(command, "reference")
    if name in exchange.one_way:
        raise Refusal("already_exists", f"{name!r} was put out to bids before")
    number, listing = _spot(exchange, text(command, "instrument"))
    applicant = account(state, text(command, "account"))
    require_holder(state, command, [applicant])
    side = text(command, "side")
    pricing = optional_text(command, "pricing", "own_bid")
    if side not in ("sell", "buy") or pricing not in ("own_bid", "last_winning_bid"):
        raise Refusal("malformed", "side is sell or buy, and pricing own_bid or last_winning_bid")
    reserve = optional_text(command, "reserve")
    lots = lots_of(listing, whole(command, "quantity"))
    asked = rules.Application(
        reference=name,
        applicant=applicant,
        side=DealSide(side),
        instrument=number,
        lots=lots,
        limit_ticks=ticks_of(listing, text(command, "limit")),
        opens=_moment(command, listing, "opens"),
        closes=_moment(command, listing, "closes"),
        increment=whole_or(command, "increment", 1),
        divisible=not command.body.get("whole", False),
        smallest_bid=lots_of(listing, whole(command, "smallest")) if command.body.get("smallest") is not None else 1,
        reserve_ticks=ticks_of(listing, reserve) if reserve else None,
        pricing=rules.Pricing(pricing),
    )
    share = listing["block_limit"]
    limits = DealLimits(price_limit_share=None if share is None else Decimal(share))
    venue = rules.OneWayRules(limits, 60_000_000 * whole_or(command, "notice_minutes", 0))
    notice = rules.announce(venue, asked, _moment(command, listing, "time"), int(exchange.marks[number]) or None)
    if isinstance(notice, Refused):
        raise Refusal(str(notice.reason), notice.text)
    _require_cover(state, command, applicant, number, side, asked.limit_ticks, lots)
    stored = asdict(asked) | {"side": side, "pricing": pricing, "admitted": None}
    return Decision([{"event": "one_way_set", "reference": name, "application": stored, "announced": notice.announced, "bids": []}])


def bid_one_way(state: State, command: Command) -> Decision:
    """Body: reference, account, price (text), quantity, time. A bid may be raised and never withdrawn; what it costs is set aside."""
    exchange = require_exchange(state)
    name, notice, bids = _open(exchange, command)
    listing = exchange.listed[int(notice.application.instrument)]
    bidder = account(state, text(command, "account"))
    require_holder(state, command, [bidder])
    ticks, lots = ticks_of(listing, text(command, "price")), lots_of(listing, whole(command, "quantity"))
    new = rules.bid(notice, bids, rules.Bid(bidder, ticks, lots, _moment(command, listing, "time")))
    if isinstance(new, Refused):
        raise Refusal(str(new.reason), new.text)
    side = "buy" if notice.application.side is DealSide.SELL else "sell"
    before = next((old for old in bids if old.bidder == bidder), None)
    _require_cover(state, command, bidder, int(notice.application.instrument), side, ticks, lots, before)
    return Decision([{"event": "one_way_set", "reference": name, "application": None, "announced": 0, "bids": [_plain(one) for one in new]}])


def close_one_way(state: State, command: Command) -> Decision:
    """Body: reference, time. Once the window has closed: the best bids win, and are settled as trades of the contract are."""
    exchange = require_exchange(state)
    name, notice, bids = _open(exchange, command)
    listing = exchange.listed[int(notice.application.instrument)]
    time = _moment(command, listing, "time")
    result = rules.close(notice, bids, from_day_number(day_number(command.day)), time)
    if isinstance(result, Refused):
        raise Refusal(str(result.reason), result.text)
    trades = [[t.buyer, t.seller, int(t.instrument), t.ticks, t.lots, t.time] for t in result.trades]
    event = {"event": "one_way_closed", "reference": name, "outcome": result.outcome, "why": result.why, "traded": result.traded, "left": result.left}
    return Decision([event | {"trades": trades}])


# -- acts


def one_way_set(state: State, event: Mapping[str, Any], tables: Mapping[str, Any], place: Place) -> Done:
    """What stands behind the application and its bids is set aside, in place of what stood before."""
    exchange, name = state.exchange, event["reference"]
    before = exchange.one_way.get(name)
    after = dict(before) if before is not None else {"application": event["application"], "announced": event["announced"]}
    after["bids"] = [list(one) for one in event["bids"]]
    cover = exchange.cover.copy()
    for what, sign in ((before, -1), (after, 1)):
        if what is not None:
            _stand_behind(exchange, what, sign, cover)
    exchange.one_way[name] = after
    return Done(set_aside(exchange, cover, transfers(0), place), {}, {})


def one_way_closed(state: State, event: Mapping[str, Any], tables: Mapping[str, Any], place: Place) -> Done:
    """Everything set aside for it is free; the winners trade."""
    exchange = state.exchange
    cover = exchange.cover.copy()
    _stand_behind(exchange, exchange.one_way.pop(event["reference"]), -1, cover)
    trades = np.zeros(len(event["trades"]), dtype=EXECUTION)
    for row, (buyer, seller, instrument, ticks, lots, time) in zip(trades, event["trades"], strict=True):
        row["account"], row["other"], row["instrument"], row["price"], row["quantity"], row["time"] = buyer, seller, instrument, ticks, lots, time
    trades["happening"], trades["side"], trades["instruction"], trades["spare"] = int(Happening.TRADE), int(Side.BUY), -1, 1
    legs = agreed(exchange, trades, place, cover) if len(trades) else transfers(0)
    exchange.add_trades(trades)
    return Done(set_aside(exchange, cover, legs, place), {}, {"executions": trades})


def _stand_behind(exchange: Exchange, stored: Mapping[str, Any], sign: int, cover: Any) -> None:
    """Adds to (or, with -1, takes from) `cover` what an application and its bids need: units of whoever sells, money of whoever buys at its price."""
    asked = stored["application"]
    rows = [(asked["applicant"], asked["side"], asked["limit_ticks"], asked["lots"])]
    other = "buy" if asked["side"] == "sell" else "sell"
    rows += [(bidder, other, ticks, lots) for bidder, ticks, lots, _ in stored["bids"]]
    listing = exchange.listed[asked["instrument"]]
    for party, side, ticks, lots in rows:
        row = ROWS * exchange.member(party)
        if side == "sell":
            cover[row, listing["unit"]] += sign * lots * int(listing["lot"])
        else:
            cover[row, listing["money"]] += sign * lots * ticks * int(listing["tick_value"])


# -- reading


def _spot(exchange: Exchange, code: str) -> tuple[int, Mapping[str, Any]]:
    number = exchange.number(code)
    if number < 0:
        raise Refusal("unknown_instrument", f"{code!r} is not listed; there are {', '.join(one['code'] for one in exchange.listed)}")
    if exchange.listed[number]["settlement"] == "margined":
        raise Refusal("not_eligible", f"{code!r} is margined; one-way bidding is for units that are paid for beforehand")
    return number, exchange.listed[number]


def _open(exchange: Exchange, command: Command) -> tuple[str, rules.Notice, tuple[rules.Bid, ...]]:
    name = text(command, "reference")
    stored = exchange.one_way.get(name)
    if stored is None:
        raise Refusal("unknown_auction", f"nothing called {name!r} is put out to bids, or it is over")
    asked = stored["application"]
    plain = asked | {"side": DealSide(asked["side"]), "pricing": rules.Pricing(asked["pricing"])}
    return name, rules.Notice(rules.Application(**plain), stored["announced"]), tuple(rules.Bid(*one) for one in stored["bids"])


def _plain(one: rules.Bid) -> list[int]:
    return [one.bidder, one.ticks, one.lots, one.time]


def _moment(command: Command, listing: Mapping[str, Any], name: str) -> int:
    clock = text(command, name)
    try:
        return moment(command.day, clock, listing["timezone"])
    except ValueError:
        raise Refusal("malformed", f"{name} {clock!r} is no time of day; write it as 09:30") from None


def _require_cover(
    state: State, command: Command, party: int, number: int, side: str, ticks: int, lots: int, before: rules.Bid | None = None
) -> None:
    """Raises Refusal where units or money are not there beside what is set aside; what stood behind an earlier bid counts as there."""
    row = instructions(1)
    row["verb"], row["account"], row["instrument"], row["price"] = int(Verb.NEW), party, number, ticks
    row["side"] = int(Side.SELL if side == "sell" else Side.BUY)
    listing = state.exchange.listed[number]
    held = 0 if before is None else before.lots * (int(listing["lot"]) if side == "sell" else before.ticks * int(listing["tick_value"]))
    row["quantity"] = lots
    refused = int(uncovered(state, row, day_number(command.day))[0])
    if refused and NOT_COVERED[refused] == "no_cover" and held:
        unit = int(listing["unit"] if side == "sell" else listing["money"])
        need = lots * (int(listing["lot"]) if side == "sell" else ticks * int(listing["tick_value"]))
        refused = 0 if need - held <= state.books.available(party, unit) else refused
    if refused:
        raise Refusal(NOT_COVERED[refused], WHY[refused])
