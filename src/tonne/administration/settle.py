"""The day comes for agreements that were made for it: units against money, both or neither; and what becomes of those that fail."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from tonne.administration.commands import Command
from tonne.administration.cover import STOPPED
from tonne.administration.decision import Decision, optional_text, text, whole
from tonne.administration.exchange import ROWS, Exchange
from tonne.administration.kinds import Kind
from tonne.administration.listing import require_exchange
from tonne.administration.matching import Done, Place, lock, set_aside
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.clearing.failed_delivery import Failure, FailureRules, settle_in_cash, value_at
from tonne.dates import day_number
from tonne.ledger import LARGEST_QUANTITY, TransferFlag, transfers
from tonne.units import UnitsError


def settle(state: State, command: Command) -> Decision:
    """Agreements whose day has come are settled; one with a blocked account fails, and waits for that to end or for `buy_in`."""
    exchange = require_exchange(state)
    rows = np.flatnonzero(exchange.due["due"] <= day_number(command.day))
    if not len(rows):
        raise Refusal("nothing_to_do", f"no agreement is due by {command.day}")
    stopped = (state.books.flags() & STOPPED) != 0
    fails = stopped[exchange.due["seller"][rows]] | stopped[exchange.due["buyer"][rows]]
    numbers = exchange.due["number"]
    return Decision([{"event": "settled", "numbers": numbers[rows[~fails]].tolist(), "failed": numbers[rows[fails]].tolist()}])


def settled(state: State, event: Mapping[str, Any], tables: Mapping[str, Any], place: Place) -> Done:
    """Units to the buyer, money to the seller, pair by pair; what was set aside for them is free."""
    exchange = state.exchange
    done = np.isin(exchange.due["number"], event["numbers"])
    exchange.due["tried"] += np.isin(exchange.due["number"], event["failed"])
    rows = exchange.due[done]
    legs = transfers(2 * len(rows))
    first, second = legs[0::2], legs[1::2]
    unit, money = exchange.column("unit")[rows["instrument"]], exchange.column("money")[rows["instrument"]]
    first["from_account"], first["to_account"], first["unit"], first["quantity"] = rows["seller"], rows["buyer"], unit, rows["quantity"]
    second["from_account"], second["to_account"], second["unit"], second["quantity"] = rows["buyer"], rows["seller"], money, rows["cost"]
    first["kind"], second["kind"], first["flags"] = int(Kind.SELL), int(Kind.PAY), int(TransferFlag.LINKED)
    cover = exchange.cover.copy()
    _release(exchange, rows, cover)
    lock(exchange, rows["buyer"].astype(np.int64), unit, rows["quantity"], place.day, exchange.column("resale_lag")[rows["instrument"]])
    exchange.due = exchange.due[~done]
    return Done(set_aside(exchange, cover, legs, place), {"count": len(rows)}, {})


def _release(exchange: Exchange, rows: Any, cover: Any) -> None:
    buyer, seller = exchange.members_of(rows["buyer"]), exchange.members_of(rows["seller"])
    np.subtract.at(cover, (ROWS * buyer, exchange.column("money")[rows["instrument"]]), rows["cost"])
    np.subtract.at(cover, (ROWS * seller, exchange.column("unit")[rows["instrument"]]), rows["quantity"])


def buy_in(state: State, command: Command) -> Decision:
    """Body: number (of an agreement that failed), failing (buyer or seller), price (text: what the units are worth now), fee (text, or left out).

    No units move: whoever failed pays what the other lost, and the fee. Money that is not there is refused by the books: pay it in first."""
    exchange = require_exchange(state)
    number = whole(command, "number")
    at = np.flatnonzero(exchange.due["number"] == number)
    if not len(at) or not exchange.due["tried"][at[0]]:
        raise Refusal("nothing_to_do", f"agreement {number} is not one that failed")
    row = exchange.due[at[0]]
    failing = text(command, "failing")
    if failing not in ("buyer", "seller"):
        raise Refusal("malformed", f"failing is buyer or seller, not {failing!r}")
    currency = exchange.listed[int(row["instrument"])]["currency"]
    try:
        value = value_at(int(row["quantity"]), Decimal(text(command, "price")), currency)
        fee = value_at(1, Decimal(optional_text(command, "fee", "0")), currency)
    except (ArithmeticError, UnitsError, ValueError) as error:
        raise Refusal("malformed", f"price and fee are money, written as text: {error}") from None
    if not (0 < value <= LARGEST_QUANTITY and 0 <= fee <= LARGEST_QUANTITY):
        raise Refusal("malformed", "a price is above zero, a fee zero or more, and both can be counted in minor units")
    failure = Failure(number, int(row["quantity"]), int(row["cost"]), int(row["seller"]), int(row["buyer"]), int(row[failing]))
    moves = settle_in_cash(FailureRules(fee_minor=fee), failure, value, state.accounts.number("ccp-capital"))
    paid = sum(move.quantity for move in moves if move.giver == int(row[failing]))
    held = int(row["cost"]) if failing == "buyer" else 0
    money = int(exchange.column("money")[row["instrument"]])
    if paid > state.books.available(int(row[failing]), money) + held:
        raise Refusal("insufficient_balance", f"the {failing} owes {paid:,} minor units and has not so much free; pay it in first")
    return Decision([{"event": "bought_in", "number": number, "moves": [[m.giver, m.taker, m.quantity] for m in moves]}])


def bought_in(state: State, event: Mapping[str, Any], tables: Mapping[str, Any], place: Place) -> Done:
    """The agreement ends in money; what was set aside for it is free."""
    exchange = state.exchange
    done = exchange.due["number"] == event["number"]
    rows = exchange.due[done]
    legs = transfers(len(event["moves"]))
    for leg, (giver, taker, quantity) in zip(legs, event["moves"], strict=True):
        leg["from_account"], leg["to_account"], leg["quantity"] = giver, taker, quantity
    legs["unit"] = exchange.column("money")[rows["instrument"][0]]
    legs["kind"], legs["flags"] = int(Kind.PAY), int(TransferFlag.BY_AUTHORITY)
    cover = exchange.cover.copy()
    _release(exchange, rows, cover)
    exchange.due = exchange.due[~done]
    return Done(set_aside(exchange, cover, legs, place), {}, {})
