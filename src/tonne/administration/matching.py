"""What becomes of instructions: the book matches them, and of what it says follow transfers, positions and what stays set aside.

A trade for immediate settlement is two linked transfers, units against money. One for a later day is an agreement that keeps both set aside. One in a
margined contract goes through the central counterparty: the seller's lots to it, its lots to the buyer.

What is set aside for an account is one pending transfer a unit type, released and made again whenever it changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

import numpy as np

from tonne.administration.decision import ROWS_PER_COMMAND
from tonne.administration.exchange import DUE, LOCK, ROWS, Exchange
from tonne.administration.kinds import Kind
from tonne.administration.margining import required
from tonne.administration.state import State
from tonne.clearing.settlement import due_day
from tonne.dates import day_number, zone
from tonne.ledger import TRANSFER, Batch, TransferFlag, transfers
from tonne.market.expiry import Calendar
from tonne.market.orders import Happening, Side

_BEGINNING = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class Matched(NamedTuple):
    """executions: what the book answered; batch: the transfers that follow, numbered; digest: over the executions, in hexadecimal."""

    executions: Any
    batch: Batch
    digest: str


class Done(NamedTuple):
    """What an act came to: transfers, numbered; what its event is told beside; tables for the reply that the log can make again."""

    batch: Batch
    told: dict[str, Any]
    made: dict[str, Any]


class Place(NamedTuple):
    """Where and when: the sequence of the entry, the day's number; of each instrument the due day of trades up to the cut-off (microseconds) and
    after it; by currency what the members' collateral accounts held before, less what others than the exchange had set aside of it."""

    sequence: int
    day: int
    escrow: int
    ccp: int
    early: Any
    late: Any
    cutoff: Any
    collateral: Any


def take(exchange: Exchange, instructions: Any, place: Place) -> Matched:
    """Give instructions to the book and carry out what follows. Changes the exchange; the same instructions on the same state give the same bytes."""
    cover = exchange.cover.copy()
    executions = instructed(exchange, instructions, cover)
    digest = hashlib.sha256(executions.tobytes()).hexdigest()
    trades = executions[executions["happening"] == Happening.TRADE]
    legs = agreed(exchange, trades, place, cover) if len(trades) else transfers(0)
    exchange.add_trades(trades)
    batch = set_aside(exchange, cover, legs, place)
    exchange.taken = place.sequence
    return Matched(executions, batch, digest)


def instructed(exchange: Exchange, instructions: Any, cover: Any) -> Any:
    """What the book answers to instructions; what stands behind orders, and `cover`, follow. Trades are not carried out."""
    executions = exchange.submit(instructions)
    _orders_changed(exchange, executions, cover)
    return executions


def _orders_changed(exchange: Exchange, executions: Any, cover: Any) -> None:
    """What stands behind every order that was touched, from what is left of it now."""
    from tonne.administration.exchange_kernel import orders_changed

    exchange.order_room(exchange.book.highest)
    left, price = exchange.book.standing(np.concatenate([executions["order"], executions["against"]]))
    orders_changed(
        executions, left, price, exchange.held, exchange.owner, exchange.column("member_of"), exchange.column("listed"), cover, exchange.bought,
        exchange.sold,
    )  # fmt: skip


def agreed(exchange: Exchange, trades: Any, place: Place, cover: Any, kind: Kind = Kind.SELL) -> Batch:
    """Transfers of trades (rows of EXECUTION), in their order; positions, agreements and locks follow. `cover` is changed for what waits.

    Who trades with itself (a call asks nobody's account) moves nothing."""
    trades = trades[trades["account"] != trades["other"]]
    aggressor_buys = trades["side"] == Side.BUY
    buyer = np.where(aggressor_buys, trades["account"], trades["other"]).astype(np.int64)
    seller = np.where(aggressor_buys, trades["other"], trades["account"]).astype(np.int64)
    instrument, lots = trades["instrument"], trades["quantity"]
    cost = lots * trades["price"] * exchange.column("tick_value")[instrument]
    units = lots * exchange.column("lot")[instrument]
    margined = exchange.column("margined")[instrument]
    due = np.where(trades["time"] < place.cutoff[instrument], place.early[instrument], place.late[instrument])
    now = ~margined & (due <= place.day)
    later = ~margined & ~now
    if later.any():
        found = np.zeros(int(later.sum()), dtype=DUE)
        found["buyer"], found["seller"], found["instrument"] = buyer[later], seller[later], instrument[later]
        found["quantity"], found["cost"], found["day"], found["due"] = units[later], cost[later], place.day, due[later]
        wait(exchange, found, cover)
    legs = transfers(2 * len(trades))
    first, second = legs[0::2], legs[1::2]
    first["flags"], legs["day"] = int(TransferFlag.LINKED), place.day
    unit, money = exchange.column("unit")[instrument], exchange.column("money")[instrument]
    first["from_account"], first["to_account"], first["unit"], first["quantity"], first["kind"] = seller, buyer, unit, units, int(kind)
    second["from_account"], second["to_account"], second["unit"], second["quantity"], second["kind"] = buyer, seller, money, cost, int(Kind.PAY)
    keep = np.repeat(now, 2)
    if now.any():
        lock(exchange, buyer[now], unit[now], units[now], place.day, exchange.column("resale_lag")[instrument[now]])
    if not margined.any():
        return legs[keep]
    b, s = exchange.members_of(buyer[margined]), exchange.members_of(seller[margined])
    numbers, quantity, price = instrument[margined], lots[margined], trades["price"][margined]
    positions(exchange, b, s, numbers, quantity, price)
    legs[np.repeat(margined, 2)] = lot_legs(exchange, s, b, numbers, quantity, place)
    legs = legs[np.repeat(now | margined, 2)]
    premium = exchange.column("premium")[numbers]
    return legs if not premium.any() else np.concatenate([legs, _premiums(exchange, b, s, numbers, cost[margined], premium, place)])


def lot_legs(exchange: Exchange, seller: Any, buyer: Any, instrument: Any, lots: Any, place: Place) -> Batch:
    """Lots of members through the central counterparty: each seller's to it, its to the buyer, in turns. Lots below zero go the other way, and end
    positions."""
    position = exchange.column("position_account")
    ends = lots < 0
    giver, taker = np.where(ends, buyer, seller), np.where(ends, seller, buyer)
    legs = transfers(2 * len(seller))
    legs["from_account"], legs["to_account"] = _between(position[giver], place.ccp, len(giver)), _between(place.ccp, position[taker], len(taker))
    legs["unit"], legs["quantity"] = np.repeat(exchange.column("position_unit")[instrument], 2), np.repeat(np.abs(lots), 2)
    legs["kind"], legs["flags"] = int(Kind.NOVATE), np.tile([int(TransferFlag.LINKED), 0], len(seller))
    legs["day"] = place.day
    return legs


def _between(first: Any, second: Any, length: int) -> Any:
    """Two columns of a length, or a column and one number, in turns."""
    return np.stack([np.broadcast_to(first, length), np.broadcast_to(second, length)], axis=1).reshape(-1)


def _premiums(exchange: Exchange, buyer: Any, seller: Any, instrument: Any, cost: Any, premium: Any, place: Place) -> Batch:
    """From the buyers' collateral to the sellers', trade by trade. What a buyer's lacks (orders are covered, but losses came since) the central
    counterparty pays and is owed."""
    collateral = exchange.column("collateral")
    rows = np.flatnonzero(premium & (cost > 0) & (buyer != seller))
    money = exchange.column("money")[instrument[rows]]
    there = {int(code): place.collateral[int(code)].copy() for code in np.unique(money)}
    legs: list[tuple[int, int, int, int]] = []
    for row, code in zip(rows.tolist(), money.tolist(), strict=True):
        payer, taker, due = int(buyer[row]), int(seller[row]), int(cost[row])
        pays = min(due, max(int(there[code][payer]), 0))
        there[code][payer] -= pays
        legs.append((int(collateral[payer]), int(collateral[taker]), code, pays))
        if due > pays:
            exchange.owed[payer, code] += due - pays
            legs.append((place.ccp, int(collateral[taker]), code, due - pays))
    batch = transfers(len(legs))
    for name, column in zip(("from_account", "to_account", "unit", "quantity"), zip(*legs, strict=True), strict=False):
        batch[name] = column
    batch["kind"], batch["day"] = int(Kind.PAY), place.day
    return batch[batch["quantity"] > 0]


def positions(exchange: Exchange, buyer: Any, seller: Any, instrument: Any, lots: Any, ticks: Any) -> None:
    """Lots to the buyers (member numbers), from the sellers, and at what they stand. An option whose premium is paid has nothing left to mark."""
    at = np.where(exchange.column("premium")[instrument], 0, lots * ticks)
    for member, sign in ((buyer, 1), (seller, -1)):
        np.add.at(exchange.position, (member, instrument), sign * lots)
        np.add.at(exchange.basis, (member, instrument), sign * at)
        np.add.at(exchange.traded, (member, instrument), lots)


def wait(exchange: Exchange, found: Any, cover: Any) -> None:
    """Agreements for a later day (rows of DUE): numbered and kept; both sides are set aside until then."""
    found["number"] = exchange.agreements + 1 + np.arange(len(found))
    exchange.agreements += len(found)
    exchange.due = np.concatenate([exchange.due, found])
    b, s = exchange.members_of(found["buyer"]), exchange.members_of(found["seller"])
    np.add.at(cover, (ROWS * b, exchange.column("money")[found["instrument"]]), found["cost"])
    np.add.at(cover, (ROWS * s, exchange.column("unit")[found["instrument"]]), found["quantity"])


def lock(exchange: Exchange, account: Any, unit: Any, units: Any, day: int, lag: Any) -> None:
    """What was bought under a rule that it may not be sold again before a later day."""
    rows = lag > 0
    if rows.any():
        found = np.zeros(int(rows.sum()), dtype=LOCK)
        found["account"], found["unit"], found["quantity"], found["free"] = account[rows], unit[rows], units[rows], day + lag[rows]
        exchange.locks = np.concatenate([exchange.locks[exchange.locks["free"] > day], found])


def locked(exchange: Exchange, accounts: Any, units: Any, day: int) -> Any:
    """Units of each account and unit type that may not be sold on a day."""
    rows = exchange.locks[exchange.locks["free"] > day]
    if not len(rows):
        return np.zeros(len(accounts), dtype=np.int64)
    keys = rows["account"].astype(np.int64) << 32 | rows["unit"]
    distinct, place = np.unique(keys, return_inverse=True)
    sums = np.zeros(len(distinct), dtype=np.int64)
    np.add.at(sums, place, rows["quantity"])
    asked = np.asarray(accounts, dtype=np.int64) << 32 | np.asarray(units, dtype=np.int64)
    at = np.searchsorted(distinct, asked)
    found = (at < len(distinct)) & (distinct[np.minimum(at, len(distinct) - 1)] == asked)
    return np.where(found, sums[np.minimum(at, len(distinct) - 1)], 0)


# -- margin


def order_margin(exchange: Exchange, members: Any, bought: Any, sold: Any) -> dict[int, Any]:
    """For open orders, on top of what positions need: what these could grow by, at the most that one more lot may ask for, and the premiums that
    would be paid at once. By currency."""
    position = exchange.position[members]
    grows = np.maximum(np.maximum(position + bought, sold - position) - np.abs(position), 0)
    paid = _open_premiums(exchange)[members] if exchange.column("premium").any() else np.zeros_like(grows)
    return {
        money: np.asarray(grows[:, numbers] @ exchange.worst[numbers] + paid[:, numbers].sum(axis=1), dtype=np.int64)
        for money, numbers in by_currency(exchange)
    }


def _open_premiums(exchange: Exchange) -> Any:
    """Minor units [member, instrument] that open orders to buy options would pay at their limits."""
    found = np.zeros((len(exchange.members), len(exchange.listed)), dtype=np.int64)
    rows = exchange.book.open_orders()
    rows = rows[exchange.column("premium")[rows["instrument"]] & (rows["side"] == Side.BUY)]
    cost = rows["left"].astype(np.int64) * rows["price"] * exchange.column("tick_value")[rows["instrument"]]
    np.add.at(found, (exchange.members_of(rows["account"]), rows["instrument"]), cost)
    return found


def by_currency(exchange: Exchange) -> list[tuple[int, Any]]:
    """Each currency of the margined contracts, and the numbers of those contracts: margin is worked out and held in each by itself."""
    found: list[tuple[int, Any]] | None = exchange.kept.get("by_currency")
    if found is None:
        margined, money = exchange.column("margined"), exchange.column("money")
        found = exchange.kept["by_currency"] = [(int(code), np.flatnonzero(margined & (money == code))) for code in np.unique(money[margined])]
    return found


def set_aside(exchange: Exchange, cover: Any, legs: Batch, place: Place) -> Batch:
    """The whole batch: what was set aside and changes is released, the legs follow, then what is to be set aside now. Numbers all of it."""
    _margins(exchange, cover, legs, place)
    rows, units = np.nonzero(cover != exchange.cover)
    old = exchange.cover_id[rows, units]
    released, wanted = old > 0, cover[rows, units] > 0
    account = exchange.column("row_account")[rows]
    batch = np.zeros(int(released.sum()) + len(legs) + int(wanted.sum()), dtype=TRANSFER)
    voids, pendings = batch[: int(released.sum())], batch[len(batch) - int(wanted.sum()) :]
    voids["reference"], voids["from_account"], voids["unit"] = old[released], account[released], units[released]
    voids["to_account"], voids["flags"] = place.escrow, int(TransferFlag.VOID)
    batch[len(voids) : len(voids) + len(legs)] = legs
    pendings["from_account"], pendings["unit"], pendings["quantity"] = account[wanted], units[wanted], cover[rows, units][wanted]
    pendings["to_account"], pendings["flags"] = place.escrow, int(TransferFlag.PENDING | TransferFlag.BY_AUTHORITY)
    voids["kind"] = pendings["kind"] = int(Kind.SET_ASIDE)
    batch["day"] = place.day
    batch["id"] = place.sequence * ROWS_PER_COMMAND + 1 + np.arange(len(batch))
    exchange.cover_id[rows, units] = 0
    exchange.cover_id[rows[wanted], units[wanted]] = pendings["id"]
    exchange.cover = cover
    return batch


def _margins(exchange: Exchange, cover: Any, legs: Batch, place: Place) -> None:
    """The collateral rows of the members that have any: what positions and orders need and what is owed, as far as the money is there."""
    collateral = exchange.column("collateral")
    members = np.flatnonzero(collateral >= 0)
    if not len(members) or not exchange.losses:
        return
    needed, growing = _needed(exchange, members)
    exchange.called[:] = 0
    for money, positions_need in needed.items():
        there = place.collateral[money].copy()
        moved = legs[legs["unit"] == money]
        for name, sign in (("from_account", -1), ("to_account", 1)) if len(moved) else ():
            at = row_of(collateral, moved[name])
            np.add.at(there, at[at >= 0], sign * moved["quantity"][at >= 0])
        need, free = positions_need + growing[money] + exchange.owed[members, money], np.maximum(there[members], 0)
        cover[ROWS * members + 1, money] = np.minimum(need, free)
        exchange.called[members, money] = np.maximum(need - free, 0)


def _needed(exchange: Exchange, members: Any) -> tuple[dict[int, Any], dict[int, Any]]:
    """What positions need and what open orders need beside, by currency. Most orders change neither: then it is what it was."""

    def made() -> tuple[dict[int, Any], dict[int, Any]]:
        return required(exchange, exchange.position[members]), order_margin(exchange, members, exchange.bought[members], exchange.sold[members])

    if exchange.column("premium").any():  # premiums of open orders depend on the book itself
        return made()
    stands = (exchange.position.tobytes(), exchange.bought.tobytes(), exchange.sold.tobytes(), exchange.worst.tobytes())
    known = exchange.kept.get("needed")
    if known is None or known[0] != stands:
        known = exchange.kept["needed"] = (stands, made())
    found: tuple[dict[int, Any], dict[int, Any]] = known[1]
    return found


def row_of(collateral: Any, accounts: Any) -> Any:
    """The member whose collateral account each of these is, -1 for none."""
    order = np.argsort(collateral)
    at = np.minimum(np.searchsorted(collateral[order], accounts), len(collateral) - 1)
    return np.where(collateral[order][at] == accounts, order[at], -1)


# -- where and when


def place_of(state: State, sequence: int, day: date) -> Place:
    """Where and when a batch is taken; the balances are those before it."""
    exchange = state.exchange
    number = day_number(day)
    dues = exchange.kept.get("dues")
    if dues is None or dues[0] != day:
        columns = zip(*(settlement_of(one, day) for one in exchange.listed), strict=True)
        dues = exchange.kept["dues"] = (day, [np.array(column, dtype=np.int64) for column in columns])
    early, late, cutoff = dues[1]
    collateral = exchange.column("collateral")
    exchange.see_units(len(state.books.unit_types))
    known = np.flatnonzero(collateral >= 0)
    there: dict[int, Any] = {}
    for money, _ in by_currency(exchange):
        there[money] = np.zeros(len(collateral), dtype=np.int64)
        there[money][known] = state.books.availables(collateral[known], money) + exchange.cover[ROWS * known + 1, money]
    return Place(sequence, number, state.accounts.number("set-aside"), state.accounts.number("ccp"), early, late, cutoff, there)


def settlement_of(listing: Mapping[str, Any], day: date) -> tuple[int, int, int]:
    """Due day of a day's trades before the cut-off, due day of those from it on, and the cut-off in microseconds (far off where there is none)."""
    lag, late, cutoff = int(listing["lag"]), listing["late_lag"], listing["cutoff"]
    if listing["settlement"] == "margined" or not lag:
        return day_number(day), day_number(day), 2**62
    is_open = Calendar(listing["holidays"]).is_open
    early = day_number(due_day(day, time.min, lag=lag, is_business=is_open))
    if cutoff is None or late is None:
        return early, early, 2**62
    after = day_number(due_day(day, time.max, lag=lag, is_business=is_open, cutoff=cutoff, late_lag=int(late)))
    return early, after, moment(day, cutoff, listing["timezone"])


def moment(day: date, clock: str, timezone: str) -> int:
    """Microseconds since 1970 of a local time on a day. Raises ValueError for what is no time of day."""
    local = datetime.combine(day, time.fromisoformat(clock), tzinfo=zone(timezone))
    return (local - _BEGINNING) // timedelta(microseconds=1)
