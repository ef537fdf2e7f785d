"""The end of a trading day: settlement prices, gains and losses paid, margin asked for anew, a line for the record. And what is collected later."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.administration.commands import Command
from tonne.administration.decision import Decision
from tonne.administration.exchange import BAR, Exchange
from tonne.administration.kinds import Kind
from tonne.administration.listing import limits_around, require_exchange, whole_or
from tonne.administration.margining import held_of, require_countable, work_out, worst_of
from tonne.administration.matching import Done, Place, by_currency, instructed, set_aside
from tonne.administration.orders import price_of
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.clearing.margin import MarginError
from tonne.clearing.option import OptionError
from tonne.clearing.settlement_price import Evidence, settlement_price
from tonne.dates import day_number, to_day
from tonne.ledger import transfers
from tonne.market.orders import ALL_INSTRUMENTS, Happening, Phase, Verb, instructions
from tonne.units import NEAREST, round_fraction


def close_day(state: State, command: Command) -> Decision:
    """Body: prices (code -> text: set by hand), window_minutes (of trades that count, from the last one back; left out: all of the day).

    Settlement prices of what is margined; closing prices of what is spot (the mean of the day's trades in the book by volume, else the last one).
    The order book's day ends too: day orders, the orders of what had its last trading day, proposals; the prices are the next day's references."""
    exchange = require_exchange(state)
    number = day_number(command.day)
    if not exchange.listed:
        raise Refusal("nothing_to_do", "nothing is listed yet")
    if exchange.day >= number:
        raise Refusal("already_done", f"{command.day} is closed already")
    given = command.body.get("prices", {})
    if not isinstance(given, Mapping) or any(exchange.number(str(code)) < 0 for code in given):
        raise Refusal("malformed", "prices is a mapping from codes of instruments to prices")
    window = whole_or(command, "window_minutes", 0) * 60_000_000
    marks, sources = exchange.marks.copy(), ["previous"] * len(exchange.listed)
    for place in sorted(range(len(exchange.listed)), key=lambda place: exchange.listed[place]["right"] is not None):  # futures before their options
        listing = exchange.listed[place]
        if exchange.column("last_day")[place] < number:
            if listing["code"] in given:
                raise Refusal("instrument_expired", f"the last trading day of {listing['code']} was {listing['expiry']}; its last price stands")
            sources[place] = "final"
        elif listing["code"] in given:
            marks[place], sources[place] = price_of(listing, given[listing["code"]]), "given"
        else:
            marks[place], sources[place] = _price(exchange, place, marks, window, command)
    event: dict[str, Any] = {"event": "day_closed", "marks": marks.tolist(), "sources": sources}
    if exchange.losses:
        try:
            stored = work_out(exchange, marks, command.day)
            worst = worst_of(exchange, stored, exchange.families)
            require_countable(stored, worst)
        except (MarginError, OptionError) as error:
            raise Refusal("malformed", f"margin cannot be worked out at these prices: {error}") from error
        event |= {"losses": stored, "worst": worst}
    return Decision([event])


def _price(exchange: Exchange, place: int, marks: Any, window: int, command: Command) -> tuple[int, str]:
    """The day's price of one instrument in ticks, and where it comes from."""
    listing = exchange.listed[place]
    rows = exchange.trades[(exchange.trades["instrument"] == place) & (exchange.trades["spare"] == 0)]
    if listing["settlement"] != "margined":
        if not len(rows):
            return int(marks[place]), "previous"
        value = sum(int(p) * int(q) for p, q in zip(rows["price"], rows["quantity"], strict=True))
        return round_fraction(Fraction(value, int(rows["quantity"].sum())), NEAREST), "trades"
    if listing["right"] is not None and not len(rows):
        return _model(exchange, place, marks, command), "model"
    bid, offer = exchange.book.best(place)
    if bid and offer and bid >= offer:  # a call collects orders that cross: no quotes yet
        bid = offer = 0
    last = int(rows["time"].max()) + 1 if len(rows) else 0
    evidence = Evidence(rows["price"], rows["quantity"], rows["time"], bid or None, offer or None, int(exchange.marks[place]) or None)
    found = settlement_price(evidence, window=(last - window, last) if window and len(rows) else None)
    return found.ticks, found.source


def _model(exchange: Exchange, place: int, marks: Any, command: Command) -> int:
    """An option without a trade is settled at what the model gives it at its volatility."""
    held = held_of(exchange, place, marks, command.day)
    assert held.option is not None and held.future is not None
    return held.option.ticks(held.future, Decimal(exchange.listed[place]["tick"]))


def day_closed(state: State, event: Mapping[str, Any], tables: Mapping[str, Any], place: Place) -> Done:
    """Everybody's gain or loss since the last price, less fees, is paid through the central counterparty; then margin at the new prices.

    Who wins is paid in full. What a loser's collateral lacks the central counterparty is owed: its own money is below zero by as much."""
    exchange = state.exchange
    marks = np.array(event["marks"], dtype=np.int64)
    exchange.bars = np.concatenate([exchange.bars, _bars(exchange, marks, place.day)])
    cover = exchange.cover.copy()
    executions = instructed(exchange, _evening(exchange, marks, place.day), cover)
    members = np.flatnonzero(exchange.column("collateral") >= 0) if exchange.members else np.zeros(0, dtype=np.int64)
    parts = [transfers(0)]
    told: dict[str, Any] = {"owed": {}}
    for money, contracts in by_currency(exchange) if len(members) else []:
        live = contracts[~exchange.column("premium")[contracts]]
        moved = exchange.position[:, live] * marks[live] - exchange.basis[:, live]
        gain = moved @ exchange.column("tick_value")[live]
        fees = exchange.traded[:, contracts] @ exchange.column("fee")[contracts]
        parts.append(paid(exchange, members, money, gain - fees, int(fees.sum()), place, state.accounts.number("ccp-capital")))
        exchange.basis[:, live] = exchange.position[:, live] * marks[live]
        for member in np.flatnonzero(exchange.owed[:, money]).tolist():
            told["owed"][f"{exchange.members[member]['account']}:{money}"] = int(exchange.owed[member, money])
    exchange.marks, exchange.day = marks, place.day
    exchange.traded[:] = 0
    exchange.n_trades = 0
    exchange.proposals = {name: deal for name, deal in exchange.proposals.items() if day_number(to_day(deal["day"])) > place.day}
    if "losses" in event:
        exchange.set_losses(event["losses"], event["worst"])
    batch = set_aside(exchange, cover, np.concatenate(parts), place)
    told["called"] = calls(exchange)
    told["orders_ended"] = int(np.isin(executions["happening"], [Happening.EXPIRED, Happening.CANCELLED]).sum())
    return Done(batch, told, {"executions": executions})


def _evening(exchange: Exchange, marks: Any, day: int) -> Any:
    """What the book is told at the end of a day: the day ends; what had its last trading day is over; references, and limits around them."""
    over = [place for place in range(len(exchange.listed)) if exchange.column("last_day")[place] <= day]
    over = [place for place in over if exchange.book.phase(place) != Phase.EXPIRED]
    live = [place for place in range(len(exchange.listed)) if exchange.column("last_day")[place] > day and marks[place] > 0]
    rows = instructions(1 + len(over) + len(live))
    rows["verb"][0], rows["instrument"][0], rows["expires"][0] = int(Verb.EXPIRE), ALL_INSTRUMENTS, day
    ends, references = rows[1 : 1 + len(over)], rows[1 + len(over) :]
    ends["verb"], ends["phase"], ends["instrument"] = int(Verb.PHASE), int(Phase.EXPIRED), over
    references["verb"], references["instrument"], references["price"] = int(Verb.REFERENCE), live, marks[live]
    for row, place in zip(references, live, strict=True):
        now, share = exchange.book.state(place), exchange.listed[place]["price_limit"]
        low, high = limits_around(int(marks[place]), Decimal(share)) if share is not None else (now.lowest_accepted, now.highest_accepted)
        row["stop"], row["display"], row["quantity"] = low, high, now.breaker
    return rows


def paid(exchange: Exchange, members: Any, money: int, due: Any, fees: int, place: Place, capital: int) -> Any:
    """Losers first, as far as their collateral reaches; then winners; then the fees to the house. What is still owed is kept."""
    net = due - exchange.owed[:, money]
    there = np.maximum(place.collateral[money], 0)
    pays = np.minimum(np.maximum(-net, 0), there)
    exchange.owed[:, money] = np.where(net < 0, -net - pays, 0)
    gets = np.maximum(net, 0)
    accounts = exchange.column("collateral")
    payers, takers = members[pays[members] > 0], members[gets[members] > 0]
    rows = transfers(len(payers) + len(takers) + (fees > 0))
    rows["unit"], rows["kind"] = money, int(Kind.VARIATION)
    rows["from_account"][: len(payers)], rows["to_account"][: len(payers)] = accounts[payers], place.ccp
    rows["quantity"][: len(payers)] = pays[payers]
    rest = rows[len(payers) : len(payers) + len(takers)]
    rest["from_account"], rest["to_account"], rest["quantity"] = place.ccp, accounts[takers], gets[takers]
    if fees > 0:
        last = rows[-1]
        last["from_account"], last["to_account"], last["quantity"], last["kind"] = place.ccp, capital, fees, int(Kind.FEE)
    return rows


def calls(exchange: Exchange) -> list[list[int]]:
    """Who must bring collateral: [trading account, currency, minor units], what positions and orders need beyond what is there."""
    return [
        [int(exchange.members[int(member)]["account"]), int(money), int(exchange.called[member, money])]
        for member, money in zip(*np.nonzero(exchange.called), strict=True)
    ]


def _bars(exchange: Exchange, marks: Any, day: int) -> Any:
    """One row an instrument: the day's trades of the book, what was agreed beside it, the settlement price, open interest."""
    rows = np.zeros(len(exchange.listed), dtype=BAR)
    rows["instrument"], rows["day"], rows["settlement"] = np.arange(len(rows)), day, marks
    if exchange.members:
        rows["open_interest"] = np.maximum(exchange.position, 0).sum(axis=0)
    for place in np.unique(exchange.trades["instrument"]).tolist():
        all_ = exchange.trades[exchange.trades["instrument"] == place]
        mine = all_[all_["spare"] == 0]
        rows["negotiated"][place] = int(all_["quantity"].sum()) - int(mine["quantity"].sum())
        if len(mine):
            bar = rows[place]
            bar["open"], bar["close"] = mine["price"][0], mine["price"][-1]
            bar["high"], bar["low"] = mine["price"].max(), mine["price"].min()
            bar["volume"], bar["value"], bar["trades"] = mine["quantity"].sum(), (mine["quantity"] * mine["price"]).sum(), len(mine)
    return rows


def collect(state: State, command: Command) -> Decision:
    """What is owed is taken from collateral as far as it is there now, and margin is set aside anew: after deposits, before anybody is in default."""
    exchange = require_exchange(state)
    if not exchange.losses or not exchange.listed:
        raise Refusal("nothing_to_do", "nothing is margined here")
    return Decision([{"event": "collected"}])


def collected(state: State, event: Mapping[str, Any], tables: Mapping[str, Any], place: Place) -> Done:
    exchange = state.exchange
    members = np.flatnonzero(exchange.column("collateral") >= 0)
    nothing = np.zeros(len(exchange.members), dtype=np.int64)
    parts = [paid(exchange, members, money, nothing, 0, place, 0) for money, _ in by_currency(exchange)]
    batch = set_aside(exchange, exchange.cover.copy(), np.concatenate([transfers(0), *parts]), place)
    return Done(batch, {"called": calls(exchange), "still_owed": int((exchange.owed > 0).sum())}, {})
