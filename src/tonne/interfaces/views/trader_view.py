"""What a trader sees of itself: its open orders, its trades of the day, positions with margin, what is set aside and how much room is left; and what
an order would do before it is sent. Only accounts of the one who asks are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np

from tonne.administration.cover import STOPPED, collateral_of
from tonne.administration.margining import required
from tonne.administration.matching import by_currency, order_margin
from tonne.administration.state import State
from tonne.dates import from_day_number
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.found import participant_name
from tonne.interfaces.views.market_view import aggressors, moment_of, price_of, quantity_of
from tonne.market.orders import Lasting, OrderKind, Side

SIDES = {int(Side.BUY): "buy", int(Side.SELL): "sell"}


@dataclass(frozen=True)
class OpenOrder:
    """kind: limit, market, stop, stop_limit; lasting: day, gtc, gtd; quantity: what is left; shown: of it, what others see; aside_minor: money set
    aside for it, aside_units: units (of what is margined nothing is set aside order by order)."""

    order: int
    account: str
    instrument: str
    side: str
    kind: str
    lasting: str
    price: Decimal | None
    stop: Decimal | None
    quantity: int
    shown: int
    counted: str
    expires: date | None
    aside_minor: int
    aside_units: int


@dataclass(frozen=True)
class OwnTrade:
    """A trade of the day. cost_minor: quantity at the price; came: whether the own order came to the book (False: it rested; None: neither)."""

    number: int
    time: datetime
    account: str
    instrument: str
    side: str
    price: Decimal
    quantity: int
    units: int
    counted: str
    cost_minor: int
    order: int
    came: bool | None
    negotiated: bool


@dataclass(frozen=True)
class Position:
    """Lots held (below zero: sold). entry: the mean price at which they stand in the books since the last settlement, None where that is no price;
    gain_minor: gained since, at the settlement price; limit: lots that may be held at most; bought, sold: lots of open orders."""

    account: str
    instrument: str
    lots: int
    units: int
    settlement: Decimal | None
    entry: Decimal | None
    gain_minor: int
    bought: int
    sold: int
    limit: int
    currency: str


@dataclass(frozen=True)
class Margin:
    """A member's collateral in one currency, minor units. held: on the collateral account; required: for positions; for_orders: for open orders;
    owed: what could not be collected; called: what must be brought; free: held less all that, not below zero."""

    account: str
    collateral_account: str
    currency: str
    held: int
    required: int
    for_orders: int
    owed: int
    called: int
    free: int


@dataclass(frozen=True)
class Agreement:
    """Agreed for a later day: side, units and what they cost; due; tried: how often it failed."""

    number: int
    account: str
    instrument: str
    side: str
    units: int
    cost_minor: int
    agreed: date
    due: date
    tried: int


@dataclass(frozen=True)
class Trader:
    """Everything of one participant on the exchange. stopped: accounts from which nothing can be ordered, blocked or by the kill switch."""

    participant: str
    accounts: tuple[str, ...]
    orders: tuple[OpenOrder, ...]
    trades: tuple[OwnTrade, ...]
    positions: tuple[Position, ...]
    margins: tuple[Margin, ...]
    agreements: tuple[Agreement, ...]
    stopped: tuple[str, ...]


def trader(state: State, participant: str, *, cache: Cache | None = None, last_trades: int | None = None) -> Trader:
    """What a participant has on the exchange, all its member accounts together; of its trades the last ones, or all. Raises NotFound."""
    participant_name(state, participant)
    numbers = [number for number in state.accounts.of_holder(participant) if state.exchange.member(number) >= 0]
    flags, book = state.books.flags(), state.exchange.book
    stopped = [number for number in numbers if flags[number] & STOPPED or (book is not None and book.is_killed(number))]
    return Trader(
        participant=participant,
        accounts=tuple(state.accounts.ids[number] for number in numbers),
        orders=open_orders(state, numbers, cache),
        trades=own_trades(state, numbers, last_trades),
        positions=positions(state, numbers),
        margins=margins(state, numbers),
        agreements=agreements(state, numbers),
        stopped=tuple(state.accounts.ids[number] for number in stopped),
    )


def open_orders(state: State, numbers: list[int], cache: Cache | None = None) -> tuple[OpenOrder, ...]:
    """Open orders of accounts, by instrument, buyers first, best first."""
    exchange = state.exchange
    if exchange.book is None or not numbers:
        return ()
    table = (cache or Cache()).get("open_orders", (exchange.book, exchange.book.count), exchange.book.open_orders)
    return tuple(_order(state, row) for row in table[np.isin(table["account"], numbers)])


def _order(state: State, row: Any) -> OpenOrder:
    listing = state.exchange.listed[int(row["instrument"])]
    margined, buys = listing["settlement"] == "margined", int(row["side"]) == Side.BUY
    left = int(row["left"])
    return OpenOrder(
        order=int(row["order"]),
        account=state.accounts.ids[int(row["account"])],
        instrument=listing["code"],
        side=SIDES[int(row["side"])],
        kind=OrderKind(int(row["kind"])).name.lower(),
        lasting=Lasting(int(row["lasting"])).name.lower(),
        price=price_of(listing, int(row["price"])),
        stop=price_of(listing, int(row["stop"])),
        quantity=quantity_of(listing, left),
        shown=quantity_of(listing, int(row["shown"])),
        counted="lots" if margined else "units",
        expires=from_day_number(int(row["expires"])) if row["expires"] else None,
        aside_minor=left * int(row["price"]) * listing["tick_value"] if buys and not margined else 0,
        aside_units=left * listing["lot"] if not buys and not margined else 0,
    )


def trade_count(state: State, numbers: list[int]) -> int:
    """How many trades of the day accounts have."""
    rows = state.exchange.trades
    return int(np.count_nonzero(np.isin(rows["account"], numbers) | np.isin(rows["other"], numbers)))


def own_trades(state: State, numbers: list[int], last: int | None = None) -> tuple[OwnTrade, ...]:
    """Trades of the day of accounts, newest first, the last ones or all; one with oneself stands on both sides."""
    rows = state.exchange.trades
    places = np.flatnonzero(np.isin(rows["account"], numbers) | np.isin(rows["other"], numbers))
    places = places if last is None else places[max(len(places) - last, 0) :]
    came = {place: side for place, side in zip(places.tolist(), _came(rows, places), strict=True)}
    found = []
    for place in places.tolist():
        row = rows[place]
        listing, buys = state.exchange.listed[int(row["instrument"])], int(row["side"]) == Side.BUY
        for mine, other_side, order in ((int(row["account"]), False, int(row["order"])), (int(row["other"]), True, int(row["against"]))):
            if mine in numbers:
                found.append(
                    OwnTrade(
                        number=place + 1,
                        time=moment_of(row["time"]),
                        account=state.accounts.ids[mine],
                        instrument=listing["code"],
                        side="buy" if buys != other_side else "sell",
                        price=Decimal(listing["tick"]) * int(row["price"]),
                        quantity=quantity_of(listing, int(row["quantity"])),
                        units=int(row["quantity"]) * listing["lot"],
                        counted="lots" if listing["settlement"] == "margined" else "units",
                        cost_minor=int(row["quantity"]) * int(row["price"]) * listing["tick_value"],
                        order=order,
                        came=None if came[place] is None else not other_side,
                        negotiated=bool(row["spare"]),
                    )
                )
    return tuple(reversed(found))


def _came(rows: Any, places: Any) -> list[str | None]:
    """Sides that came to the book, looked at with all trades of the same instructions."""
    together = np.flatnonzero(np.isin(rows["instruction"], rows["instruction"][places]))
    sides = dict(zip(together.tolist(), aggressors(rows[together]), strict=True))
    return [sides[place] for place in places.tolist()]


def positions(state: State, numbers: list[int]) -> tuple[Position, ...]:
    """Margined contracts in which an account holds, or has ordered, anything."""
    exchange, found = state.exchange, []
    for number in numbers:
        member = exchange.member(number)
        for place, listing in enumerate(exchange.listed):
            lots, bought, sold = (int(table[member, place]) for table in (exchange.position, exchange.bought, exchange.sold))
            if listing["settlement"] != "margined" or not (lots or bought or sold):
                continue
            mark, basis = int(exchange.marks[place]), int(exchange.basis[member, place])
            premium = bool(exchange.column("premium")[place])
            found.append(
                Position(
                    account=state.accounts.ids[number],
                    instrument=listing["code"],
                    lots=lots,
                    units=lots * listing["lot"],
                    settlement=price_of(listing, mark),
                    entry=Decimal(listing["tick"]) * basis / lots if lots and basis * lots > 0 and not premium else None,
                    gain_minor=0 if premium else (lots * mark - basis) * listing["tick_value"],
                    bought=bought,
                    sold=sold,
                    limit=int(listing["position_limit"]),
                    currency=listing["currency"],
                )
            )
    return tuple(found)


def margins(state: State, numbers: list[int]) -> tuple[Margin, ...]:
    """Collateral of the accounts that clear, by currency of the contracts listed."""
    exchange = state.exchange
    clearing = [exchange.member(number) for number in numbers]
    members = np.array([member for member in clearing if member >= 0 and exchange.members[member]["collateral"] >= 0], dtype=np.int64)
    if not len(members) or not exchange.losses:
        return ()
    needed = required(exchange, exchange.position[members])
    growing = order_margin(exchange, members, exchange.bought[members], exchange.sold[members])
    found = []
    for money, _ in by_currency(exchange):
        held = collateral_of(state, members, money)
        for at, member in enumerate(members.tolist()):
            need, more, owed = int(needed[money][at]), int(growing[money][at]), int(exchange.owed[member, money])
            found.append(
                Margin(
                    account=state.accounts.ids[exchange.members[member]["account"]],
                    collateral_account=state.accounts.ids[exchange.members[member]["collateral"]],
                    currency=state.books.unit_types[money].code,
                    held=int(held[at]),
                    required=need,
                    for_orders=more,
                    owed=owed,
                    called=int(exchange.called[member, money]),
                    free=max(int(held[at]) - need - more - owed, 0),
                )
            )
    return tuple(found)


def agreements(state: State, numbers: list[int]) -> tuple[Agreement, ...]:
    """Trades agreed for a later day, soonest first."""
    rows, found = state.exchange.due, []
    for row in rows[np.isin(rows["buyer"], numbers) | np.isin(rows["seller"], numbers)]:
        for party, side in (("buyer", "buy"), ("seller", "sell")):
            if int(row[party]) in numbers:
                found.append(
                    Agreement(
                        number=int(row["number"]),
                        account=state.accounts.ids[int(row[party])],
                        instrument=state.exchange.listed[int(row["instrument"])]["code"],
                        side=side,
                        units=int(row["quantity"]),
                        cost_minor=int(row["cost"]),
                        agreed=from_day_number(int(row["day"])),
                        due=from_day_number(int(row["due"])),
                        tried=int(row["tried"]),
                    )
                )
    return tuple(sorted(found, key=lambda one: (one.due, one.number)))
