"""A member cannot pay: its positions are taken over by others, and the loss falls on the layers of the waterfall, each to the cent."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import polars as pl

from tonne.administration.commands import Command
from tonne.administration.cover import collateral_of
from tonne.administration.decision import Decision, optional_text, table, text
from tonne.administration.exchange import Exchange
from tonne.administration.kinds import Kind
from tonne.administration.listing import require_exchange
from tonne.administration.mark import paid
from tonne.administration.matching import Done, Place, by_currency, lot_legs, positions, set_aside
from tonne.administration.orders import price_of
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.administration.transfer import account
from tonne.clearing.waterfall import HOUSE, LAYERS, Waterfall, waterfall
from tonne.ledger import transfers


def declare_default(state: State, command: Command) -> Decision:
    """Body: account (the member's trading account), assessment_multiple (text; what survivors may have to bring on top, as a multiple of their share
    of the default fund). Table `takers`: instrument, account, lots, price (text): who takes over the positions, all of them, at what price.

    Its orders must be out of the book (instruct `kill`). The loss is what it owes and what the taking over costs; what no layer bears stays owed."""
    exchange = require_exchange(state)
    if exchange.book is None:
        raise Refusal("nothing_to_do", "nothing is listed yet")
    name = text(command, "account")
    member = exchange.member(account(state, name))
    if member < 0 or exchange.members[member]["collateral"] < 0:
        raise Refusal("not_admitted", f"account {name!r} does not clear here")
    if not exchange.book.is_killed(exchange.members[member]["account"]):
        raise Refusal("orders_open", f"orders of {name!r} are in the book, or may still come; instruct `kill` first")
    if len(exchange.trades):
        raise Refusal("not_due", "trades of today are not settled yet; close the day first")
    takers = _takers(state, command, exchange, member)
    multiple = optional_text(command, "assessment_multiple", "0")
    try:
        if not 0 <= Decimal(multiple) <= 100:
            raise InvalidOperation
    except InvalidOperation:
        raise Refusal("malformed", f"assessment_multiple is a number from 0 to 100 as text, not {multiple!r}") from None
    if not takers and not exchange.owed[member].any():
        raise Refusal("nothing_to_do", f"{name!r} holds nothing and owes nothing")
    falls = []
    for money, contracts in by_currency(exchange):
        loss = _loss(exchange, member, money, contracts, takers)
        if loss or exchange.owed[member, money] or any(taker[0] in contracts for taker in takers):
            falls.append([money, *_fall(state, exchange, member, money, loss, multiple)])
    return Decision([{"event": "defaulted", "member": member, "takers": takers, "falls": falls}])


def _takers(state: State, command: Command, exchange: Exchange, member: int) -> list[list[int]]:
    """[instrument, member, lots (as the defaulter holds them: above 0 long), ticks]: all positions, and nothing but them."""
    held = exchange.position[member]
    if not held.any():
        return []
    frame = table(command, "takers", {"instrument": pl.String, "account": pl.String, "lots": pl.Int64, "price": pl.String})
    found, left = [], held.copy()
    for row in frame.iter_rows(named=True):
        number = exchange.number(row["instrument"])
        if number < 0:
            raise Refusal("unknown_instrument", f"{row['instrument']!r} is not listed")
        taker = exchange.member(account(state, row["account"]))
        if taker < 0 or taker == member or exchange.members[taker]["collateral"] < 0:
            raise Refusal("not_admitted", f"account {row['account']!r} is no other clearing member")
        sign = int(np.sign(held[number]))
        if row["lots"] <= 0 or sign == 0:
            raise Refusal("malformed", f"{row['lots']} lots of {row['instrument']}: lots are above zero, of what the member holds")
        left[number] -= sign * row["lots"]
        found.append([number, taker, sign * row["lots"], price_of(exchange.listed[number], row["price"])])
    wrong = np.flatnonzero(left)
    if len(wrong):
        code = exchange.listed[int(wrong[0])]["code"]
        raise Refusal("malformed", f"of {code} the member holds {int(held[wrong[0]]):+,} lots; {int(left[wrong[0]]):+,} of them have no taker")
    return found


def _loss(exchange: Exchange, member: int, money: int, contracts: Any, takers: list[list[int]]) -> int:
    """Minor units: what is owed, and what positions lose from where they stand to the prices at which they are taken over."""
    stands = sum(int(exchange.basis[member, number]) * int(exchange.column("tick_value")[number]) for number in contracts.tolist())
    fetched = 0
    for number, _, lots, ticks in takers:
        if number in contracts:
            fetched += lots * ticks * int(exchange.column("tick_value")[number])
    return int(exchange.owed[member, money]) + stands - fetched


def _fall(state: State, exchange: Exchange, member: int, money: int, loss: int, multiple: str) -> list[Any]:
    """Loss, rows of the waterfall [layer, member, available, used], what stays uncovered."""
    clearing = np.flatnonzero(exchange.column("collateral") >= 0)
    funds = np.zeros(len(exchange.members), dtype=np.int64)
    margins = np.zeros(len(exchange.members), dtype=np.int64)
    funds[clearing] = state.books.availables([exchange.members[one]["fund"] for one in clearing.tolist()], money)
    margins[clearing] = collateral_of(state, clearing, money)
    capital = max(state.books.available(state.accounts.number("ccp-capital"), money), 0)
    currency = state.books.unit_types[money].code
    most = Decimal(multiple)
    fell: Waterfall = waterfall({member: loss}, margin=margins, fund=funds, house_capital=capital, assessment_multiple=most, currency=currency)
    return [loss, [[LAYERS.index(row.layer), row.member, row.available, row.used] for row in fell.rows], fell.uncovered]


def defaulted(state: State, event: Mapping[str, Any], tables: Mapping[str, Any], place: Place) -> Done:
    """Positions to the takers at their prices, what each layer bears to the central counterparty; a gain goes back to the member."""
    exchange, member = state.exchange, event["member"]
    parts = [transfers(0)]
    prices: dict[int, Any] = {}
    for number, taker, lots, ticks in event["takers"]:
        buyer, seller = (taker, member) if lots > 0 else (member, taker)
        pair = [np.array([one], dtype=np.int64) for one in (buyer, seller, number, abs(lots), ticks)]
        positions(exchange, *pair)
        parts.append(lot_legs(exchange, pair[1], pair[0], pair[2], pair[3], place))
        exchange.traded[[member, taker], number] -= abs(lots)
        if exchange.column("premium")[number]:  # an option paid for at the trade is paid for now, or its writer is
            money = int(exchange.column("money")[number])
            due = prices.setdefault(money, np.zeros(len(exchange.members), dtype=np.int64))
            due[taker] -= lots * ticks * int(exchange.column("tick_value")[number])
    clearing = np.flatnonzero(exchange.column("collateral") >= 0)
    for money, loss, rows, uncovered in event["falls"]:
        live = np.flatnonzero(exchange.column("margined") & (exchange.column("money") == money))
        exchange.basis[member, live] = 0
        exchange.owed[member, money] = 0
        if money in prices:
            parts.append(paid(exchange, clearing, money, prices[money], 0, place, 0))
        exchange.owed[member, money] = uncovered
        parts += [_borne(state, exchange, money, row, place) for row in rows if row[3]]
        if loss < 0:  # a gain on what was taken over is the member's
            parts.append(_leg(place.ccp, int(exchange.column("collateral")[member]), money, -loss))
    batch = set_aside(exchange, exchange.cover.copy(), np.concatenate(parts), place)
    return Done(batch, {"called": [[int(m), int(u), int(exchange.called[m, u])] for m, u in zip(*np.nonzero(exchange.called), strict=True)]}, {})


def _borne(state: State, exchange: Exchange, money: int, row: list[int], place: Place) -> Any:
    """One layer's part from where it lies to the central counterparty. An assessment is a debt of the member: it is owed until collected."""
    layer, member, _, used = row
    if LAYERS[layer] == "assessment":
        exchange.owed[member, money] += used
        return transfers(0)
    if member == HOUSE:
        source = state.accounts.number("ccp-capital")
    elif LAYERS[layer] == "defaulter_margin":
        source = int(exchange.column("collateral")[member])
    else:
        source = int(exchange.members[member]["fund"])
    return _leg(source, place.ccp, money, used)


def _leg(source: int, target: int, money: int, quantity: int) -> Any:
    row = transfers(1)
    row["from_account"], row["to_account"], row["unit"], row["quantity"], row["kind"] = source, target, money, quantity, int(Kind.DEFAULT)
    return row
