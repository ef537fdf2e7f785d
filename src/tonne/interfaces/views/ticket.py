"""What an order would do before it is sent: whether it would be taken, what it is worth, what is set aside for it, with whom it would not trade."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from tonne.administration.cover import collateral_of
from tonne.administration.margining import required
from tonne.administration.matching import order_margin
from tonne.administration.orders import instruction_of, orders
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.found import account_number, asking
from tonne.interfaces.views.market_view import number_of, price_of, quantity_of
from tonne.interfaces.views.trader_view import open_orders
from tonne.market.orders import OrderKind, Phase, Side, instructions


@dataclass(frozen=True)
class Ticket:
    """An order as it would be met now. refused: the refusal's name, `` if it would reach the book; reason: its words in English.

    value_minor     of the whole order at its limit (without one: at the best price there is), None where nobody knows
    aside_minor, aside_units    what would be set aside for it: money of a purchase, units of a sale of what is spot
    available_minor, available_units    what is free on the account for that now
    margin_minor    of what is margined: how much more collateral open orders would need; free_minor: how much of it is free now
    position_after  lots, if all open orders of that side and this one trade; limit: lots that may be held; None for what is spot
    trades_now      how much of it meets orders that stand in the book (0 outside continuous trading), own orders left out
    trades_now_minor    what that part would cost
    own_orders      numbers of own open orders that it would meet: the book's rule against trading with oneself then holds
    """

    account: str
    instrument: str
    side: str
    counted: str
    quantity: int
    units: int
    price: Decimal | None
    currency: str
    refused: str
    reason: str
    value_minor: int | None
    aside_minor: int
    aside_units: int
    available_minor: int
    available_units: int
    margin_minor: int
    free_minor: int
    position_after: int | None
    limit: int | None
    trades_now: int
    trades_now_minor: int
    own_orders: tuple[int, ...]


def ticket(state: State, participant: str, order: Mapping[str, Any], today: date, *, cache: Cache | None = None) -> Ticket:
    """An order in the words of the command `orders` (account, instrument, side, price as text, quantity, kind, lasting, ...) before it is sent.

    Raises NotFound for an instrument or account that is not there; whatever else is wrong with it is told as the refusal it would be."""
    number = number_of(state, str(order.get("instrument", "")))
    own = [state.accounts.ids[one] for one in state.accounts.of_holder(participant)]
    account = account_number(state, str(order.get("account", "")), own)
    ask = asking(max(today, state.today), participant, "orders", orders=[dict(order)])
    refused = reason = ""
    try:
        orders(state, ask)
    except Refusal as refusal:
        refused, reason = refusal.name, refusal.reason
    row = instructions(1)
    try:
        instruction_of(state, ask, order, row[0], state.exchange.book.highest)
    except Refusal:
        row["quantity"] = row["price"] = 0
    row["account"], row["instrument"] = account, number
    return _told(state, row[0], account, number, refused, reason, cache)


def _told(state: State, row: Any, account: int, number: int, refused: str, reason: str, cache: Cache | None) -> Ticket:
    exchange, listing = state.exchange, state.exchange.listed[number]
    margined, buys = listing["settlement"] == "margined", int(row["side"]) == Side.BUY
    lots, price = int(row["quantity"]), int(row["price"])
    best = exchange.book.best(number)
    worth = price or (best.sell if buys else best.buy)
    own = _own(state, account, number, buys, price, int(row["kind"]), cache) if lots else []
    now, cost = _meets(state, number, buys, lots, price, int(row["kind"]), own)
    premium = bool(exchange.column("premium")[number])
    margin, free, after = _margin(state, account, number, buys, lots) if margined and lots else (0, 0, None)
    pays = buys and (not margined or premium)
    return Ticket(
        account=state.accounts.ids[account],
        instrument=listing["code"],
        side="buy" if buys else "sell",
        counted="lots" if margined else "units",
        quantity=quantity_of(listing, lots),
        units=lots * listing["lot"],
        price=price_of(listing, price),
        currency=listing["currency"],
        refused=refused,
        reason=reason,
        value_minor=lots * worth * listing["tick_value"] if worth and lots else None,
        aside_minor=lots * price * listing["tick_value"] if pays else 0,
        aside_units=lots * listing["lot"] if not buys and not margined else 0,
        available_minor=int(state.books.available(account, listing["money"])),
        available_units=int(state.books.available(account, listing["unit"])) if listing["unit"] >= 0 else 0,
        margin_minor=margin,
        free_minor=free,
        position_after=after,
        limit=int(listing["position_limit"]) if margined else None,
        trades_now=quantity_of(listing, now),
        trades_now_minor=cost * listing["tick_value"],
        own_orders=tuple(own),
    )


def _own(state: State, account: int, number: int, buys: bool, price: int, kind: int, cache: Cache | None) -> list[int]:
    """Own open orders on the other side that a limit (or any price) reaches."""
    if kind in (OrderKind.STOP, OrderKind.STOP_LIMIT):
        return []
    listing, found = state.exchange.listed[number], []
    for one in open_orders(state, [account], cache):
        if one.instrument != listing["code"] or (one.side == "buy") == buys or one.kind in ("stop", "stop_limit"):
            continue
        limit = None if one.price is None else int(one.price / Decimal(listing["tick"]))
        if kind == OrderKind.MARKET or limit is None or (limit <= price if buys else limit >= price):
            found.append(one.order)
    return found


def _meets(state: State, number: int, buys: bool, lots: int, price: int, kind: int, own: list[int]) -> tuple[int, int]:
    """(lots, lots x ticks) that would trade at once with what the book shows of others."""
    book = state.exchange.book
    if book.phase(number) != Phase.CONTINUOUS or kind in (OrderKind.STOP, OrderKind.STOP_LIMIT) or not lots:
        return 0, 0
    mine: dict[int, int] = {}
    for one in own:
        standing = book.order(one)
        mine[standing.price] = mine.get(standing.price, 0) + standing.shown
    found = cost = 0
    for level, shown, _ in np.asarray(book.depth(number, 1_000)[1 if buys else 0]).tolist():
        if kind != OrderKind.MARKET and (level > price if buys else level < price):
            break
        take = min(lots - found, shown - mine.get(level, 0))
        found, cost = found + take, cost + take * level
        if found == lots:
            break
    return found, cost


def _margin(state: State, account: int, number: int, buys: bool, lots: int) -> tuple[int, int, int | None]:
    """(how much more open orders would need, what is free now, position if that side trades) of one member; zeros where it does not clear."""
    exchange = state.exchange
    member, money = exchange.member(account), int(exchange.column("money")[number])
    if member < 0 or exchange.members[member]["collateral"] < 0 or not exchange.losses:
        return 0, 0, None
    one = np.array([member])
    bought, sold = exchange.bought[one].copy(), exchange.sold[one].copy()
    before = int(order_margin(exchange, one, bought, sold)[money][0])
    (bought if buys else sold)[0, number] += lots
    after = int(order_margin(exchange, one, bought, sold)[money][0])
    need = int(required(exchange, exchange.position[one])[money][0]) + before + int(exchange.owed[member, money])
    free = max(int(collateral_of(state, one, money)[0]) - need, 0)
    position = int(exchange.position[member, number])
    return after - before, free, position + int(bought[0, number]) if buys else position - int(sold[0, number])
