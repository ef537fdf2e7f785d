"""The end of a contract: options are exercised, futures delivered through the registry, units against money at the last settlement price."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tonne.administration.commands import Command
from tonne.administration.cover import STOPPED
from tonne.administration.decision import Decision, text
from tonne.administration.exchange import Exchange
from tonne.administration.kinds import Kind
from tonne.administration.listing import require_exchange
from tonne.administration.mark import paid
from tonne.administration.matching import Done, Place, lot_legs, set_aside
from tonne.administration.orders import price_of
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.clearing.expiry import deliveries, exercise
from tonne.dates import day_number, to_day
from tonne.ledger import TransferFlag, transfers


def expire_instrument(state: State, command: Command) -> Decision:
    """Body: instrument, price (text: what units cost now; what cannot be delivered is then settled in money, and who failed pays the difference).

    Due once the last trading day is closed. Whoever is short delivers from its trading account, whoever is long pays from its own; a pair that
    lacks units or money stays open until it can be delivered, or a price is given."""
    exchange = require_exchange(state)
    code = text(command, "instrument")
    number = exchange.number(code)
    if number < 0:
        raise Refusal("unknown_instrument", f"{code!r} is not listed")
    listing = exchange.listed[number]
    if listing["expiry"] is None or exchange.day < day_number(to_day(listing["expiry"])):
        last = listing["expiry"]
        raise Refusal("not_due", f"{code} {f'ends on {last}; close that day first' if last else 'has no last trading day'}")
    if listing["delivery"] is not None and command.day < to_day(listing["delivery"]):
        raise Refusal("not_due", f"{code} is delivered on {listing['delivery']}")
    if not exchange.position[:, number].any():
        raise Refusal("nothing_to_do", f"nobody holds {code} any more")
    if len(exchange.trades):
        raise Refusal("not_due", "trades of today are not settled yet; close the day first")
    mark = int(exchange.marks[number])
    if listing["right"] is not None:
        under = _last_price(exchange, listing)
        result = exercise(exchange.position[:, number], listing["right"], int(listing["strike"]), under, int(listing["tick_value"]))
        in_cash = listing["delivery_kind"] == "cash" or exchange.day >= exchange.column("last_day")[listing["underlying"]]
        futures, cash = (result.futures * 0, result.cash) if in_cash else (result.futures, result.cash * 0)
        event = {"event": "contract_ended", "instrument": number, "pairs": [], "exercised": bool(result.exercised)}
        return Decision([event | {"futures": futures.tolist(), "cash": cash.tolist(), "failed": [], "price": 0}])
    price = price_of(listing, text(command, "price")) if command.body.get("price") is not None else 0
    pairs, failed = _pairs(state, exchange, number, listing, mark)
    if not pairs and not price:
        raise Refusal("not_covered", f"no delivery of {code} is covered by units on the one side and money on the other; or give `price`")
    return Decision([{"event": "contract_ended", "instrument": number, "pairs": pairs, "exercised": False, "failed": failed, "price": price}])


def _last_price(exchange: Exchange, listing: Mapping[str, Any]) -> int:
    """What an option's future was settled at on the option's last trading day, or when the market next closed: what came later does not count."""
    bars = exchange.bars[(exchange.bars["instrument"] == listing["underlying"]) & (exchange.bars["day"] >= day_number(to_day(listing["expiry"])))]
    return int(bars["settlement"][0])


def _pairs(state: State, exchange: Exchange, number: int, listing: Mapping[str, Any], mark: int) -> tuple[list[list[int]], list[list[int]]]:
    """Deliveries [seller, buyer, lots] that both sides can fulfil, and those they cannot with who fails (0 seller, 1 buyer)."""
    if listing["delivery_kind"] == "cash":
        return [[int(p["seller"]), int(p["buyer"]), int(p["lots"])] for p in deliveries(exchange.position[:, number])], []
    account = exchange.column("account")
    units = state.books.availables(account, int(listing["unit"]))
    money = state.books.availables(account, int(listing["money"]))
    stopped = (state.books.flags()[account] & STOPPED) != 0
    good, failed = [], []
    for pair in deliveries(exchange.position[:, number]):
        seller, buyer, lots = int(pair["seller"]), int(pair["buyer"]), int(pair["lots"])
        gives, pays = lots * int(listing["lot"]), lots * mark * int(listing["tick_value"])
        if stopped[seller] or units[seller] < gives:
            failed.append([seller, buyer, lots, 0])
        elif stopped[buyer] or money[buyer] < pays:
            failed.append([seller, buyer, lots, 1])
        else:
            units[seller] -= gives
            money[buyer] -= pays
            good.append([seller, buyer, lots])
    return good, failed


def contract_ended(state: State, event: Mapping[str, Any], tables: Mapping[str, Any], place: Place) -> Done:
    """Positions end in what they were about. Who fails to deliver, or to take, pays the other what it lost at the price given."""
    exchange, number = state.exchange, event["instrument"]
    listing = exchange.listed[number]
    if listing["right"] is not None:
        legs = _exercised(exchange, number, listing, event, place)
        return Done(set_aside(exchange, exchange.cover.copy(), legs, place), {}, {})
    mark, value = int(exchange.marks[number]), int(listing["tick_value"])
    account = exchange.column("account")
    parts = [transfers(0)]
    lost_by: dict[int, int] = {}
    for seller, buyer, lots in event["pairs"]:
        parts.append(lot_legs(exchange, np.array([seller]), np.array([buyer]), np.array([number]), np.array([-lots]), place))
        _close(exchange, seller, buyer, number, lots, mark)
        if listing["delivery_kind"] != "cash":
            legs = transfers(2)
            legs["from_account"], legs["to_account"] = [account[seller], account[buyer]], [account[buyer], account[seller]]
            legs["unit"], legs["quantity"] = [listing["unit"], listing["money"]], [lots * int(listing["lot"]), lots * mark * value]
            legs["kind"], legs["flags"] = [int(Kind.DELIVER), int(Kind.PAY)], [int(TransferFlag.LINKED), 0]
            parts.append(legs[legs["quantity"] > 0])
    if event["price"]:
        for seller, buyer, lots, who in event["failed"]:
            parts.append(lot_legs(exchange, np.array([seller]), np.array([buyer]), np.array([number]), np.array([-lots]), place))
            _close(exchange, seller, buyer, number, lots, mark)
            lost = (event["price"] - mark) * lots * value * (1 if who == 0 else -1)
            if lost > 0:
                parts.append(_compensated(exchange, (seller, buyer) if who == 0 else (buyer, seller), lost, listing, place, lost_by))
    batch = set_aside(exchange, exchange.cover.copy(), np.concatenate(parts), place)
    return Done(batch, {"left": int(np.abs(exchange.position[:, number]).sum()) // 2}, {})


def _close(exchange: Exchange, seller: int, buyer: int, number: int, lots: int, mark: int) -> None:
    exchange.position[seller, number] += lots
    exchange.position[buyer, number] -= lots
    exchange.basis[seller, number] += lots * mark
    exchange.basis[buyer, number] -= lots * mark


def _compensated(exchange: Exchange, parties: tuple[int, int], lost: int, listing: Mapping[str, Any], place: Place, lost_by: dict[int, int]) -> Any:
    """From the collateral of who failed to that of the other, as far as it reaches; the rest is owed, and the house pays it. `lost_by`: what each
    member's collateral has paid here so far."""
    failing, injured = parties
    money = int(listing["money"])
    there = max(int(place.collateral[money][failing]) - lost_by.get(failing, 0), 0)
    pays = min(lost, there)
    lost_by[failing] = lost_by.get(failing, 0) + pays
    exchange.owed[failing, money] += lost - pays
    legs = transfers(2)
    collateral = exchange.column("collateral")
    legs["from_account"], legs["to_account"] = [collateral[failing], place.ccp], [place.ccp, collateral[injured]]
    legs["unit"], legs["quantity"], legs["kind"] = money, [pays, lost], int(Kind.DEFAULT)
    return legs[legs["quantity"] > 0]


def _exercised(exchange: Exchange, number: int, listing: Mapping[str, Any], event: Mapping[str, Any], place: Place) -> Any:
    """Options end; in the money they become futures at the strike, which the next closing of a day marks; or, where they settle in cash or the future
    has ended too, money.

    Where the premium is marked daily the option's last mark is zero: what it was worth is in the future now, and would otherwise be paid twice."""
    holders, futures = exchange.position[:, number].copy(), np.array(event["futures"], dtype=np.int64)
    parts = []
    for lots, instrument, at in ((-holders, number, 0), (futures, int(listing["underlying"]), int(listing["strike"]))):
        for pair in deliveries(lots):
            seller, buyer = np.array([pair["seller"]], dtype=np.int64), np.array([pair["buyer"]], dtype=np.int64)
            parts.append(lot_legs(exchange, seller, buyer, np.array([instrument]), np.array([int(pair["lots"])]), place))
        exchange.position[:, instrument] += lots
        exchange.basis[:, instrument] += lots * at
    members = np.flatnonzero(exchange.column("collateral") >= 0)
    last = np.array(event["cash"], dtype=np.int64) - exchange.basis[:, number] * int(listing["tick_value"])
    parts.append(paid(exchange, members, int(listing["money"]), last, 0, place, 0))
    exchange.basis[:, number] = 0
    return np.concatenate([transfers(0), *parts])
