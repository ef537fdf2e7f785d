"""Cover: whether units, money or collateral stand behind what instructions ask for, before any of them reaches the order book.

What a batch could come to is never less than what it does come to: what the book does with it cannot be refused by the ledger any more. So an order
that is amended behind others of the same batch counts in full, and a resting order that is taken counts at the worst price that the batch gives it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tonne.administration.exchange import ROWS, Exchange
from tonne.administration.margining import required
from tonne.administration.matching import by_currency, locked, order_margin
from tonne.administration.state import State
from tonne.ledger import LARGEST_QUANTITY, AccountFlag
from tonne.market.orders import OrderKind, Side, Verb

#: Why an order did not reach the book. The numbers follow the book's own reasons.
NOT_COVERED = {
    100: "not_admitted",
    101: "account_blocked",
    102: "no_cover",
    103: "limit_needed",
    104: "position_limit",
    105: "resale_lock",
    106: "instrument_expired",
    107: "below_minimum",
}
NOT_ADMITTED, ACCOUNT_BLOCKED, NO_COVER, LIMIT_NEEDED, POSITION_LIMIT, RESALE_LOCK, INSTRUMENT_EXPIRED, BELOW_MINIMUM = NOT_COVERED
WHY = {
    NOT_ADMITTED: "the account is not admitted to this exchange, or has no collateral account for what is margined; `admit` comes first",
    ACCOUNT_BLOCKED: "the account is blocked, closed or one-way: nothing may leave it",
    NO_COVER: "units, money or collateral on the account do not cover this beside what is set aside already",
    LIMIT_NEEDED: "what is paid for at the trade is bought with a limit: without one nobody can say what must be there",
    POSITION_LIMIT: "the position could grow beyond the contract's limit",
    RESALE_LOCK: "units bought today may be sold from the next trading day on",
    INSTRUMENT_EXPIRED: "its last trading day has passed",
    BELOW_MINIMUM: "smaller than the contract's smallest order",
}
#: From so many rows on a batch is worth a look whether it is a common one.
MANY = 64
#: Flags under which nothing may leave an account, so that it cannot promise anything.
STOPPED = int(AccountFlag.BLOCKED | AccountFlag.CLOSED | AccountFlag.ONE_WAY)


class Wishes(NamedTuple):
    """What each row asks for at most: instrument (-1: of no order that is known), side, price and lots; and of its order what was counted before:
    lots, at a price. A row that changes nothing wants 0 lots."""

    instrument: Any
    side: Any
    price: Any
    lots: Any
    lots_before: Any
    price_before: Any

    def rows(self, chosen: Any) -> Wishes:
        return Wishes(*(column[chosen] for column in self))


def uncovered(state: State, rows: Any, day: int) -> Any:
    """For each row 0, or why it may not reach the book (a key of NOT_COVERED)."""
    exchange = state.exchange
    refused = np.zeros(len(rows), dtype=np.int16)
    if len(rows) >= MANY and _limits_covered(state, rows, day, refused):
        return refused
    if len(rows) == 1 and (reason := _one_covered(state, rows[0], day)) is not None:
        refused[0] = reason
        return refused
    verb = rows["verb"]
    about_order = (verb == Verb.NEW) | (verb == Verb.AMEND) | (verb == Verb.TAKE)
    member = exchange.members_of(rows["account"])
    refused[about_order & (member < 0)] = NOT_ADMITTED
    wishes = wishes_of(exchange, rows)
    listed = (wishes.instrument >= 0) & (wishes.instrument < len(exchange.listed))
    asked = np.flatnonzero(about_order & (member >= 0) & listed)
    flags = state.books.flags()[rows["account"][asked]]
    refused[asked[(flags & STOPPED) != 0]] = ACCOUNT_BLOCKED
    late = (exchange.column("last_day")[wishes.instrument[asked]] < day) & (refused[asked] == 0)
    refused[asked[late]] = INSTRUMENT_EXPIRED
    asks = rows["quantity"][asked]
    small = (verb[asked] == Verb.NEW) & (asks > 0) & (asks < exchange.column("min_order")[wishes.instrument[asked]])
    refused[asked[small & (refused[asked] == 0)]] = BELOW_MINIMUM
    asked = asked[refused[asked] == 0]
    if not len(asked):
        return refused
    margined = exchange.column("margined")[wishes.instrument[asked]]
    spot, clearing = asked[~margined], asked[margined]
    if len(spot):
        refused[spot] = _spot_cover(state, rows[spot], wishes.rows(spot), day)
    if len(clearing):
        refused[clearing] = _margin_cover(state, rows[clearing], wishes.rows(clearing), member[clearing])
    return refused


def _limits_covered(state: State, rows: Any, day: int, refused: Any) -> bool:
    """The commonest batch, in one pass: limit orders in what is paid for beforehand. False: it is another one, and nothing is decided."""
    from tonne.administration.exchange_kernel import limits_covered

    exchange = state.exchange
    if int(exchange.cover.max(initial=0)) >= 2**60 // max(len(exchange.cover), 1) or (exchange.locks["free"] > day).any():
        return False
    listed, account = exchange.column("listed"), exchange.column("account")
    if (exchange.column("min_order") > 1).any():
        return False
    free = np.zeros((len(account), exchange.cover.shape[1]), dtype=np.int64)
    for unit in {*listed[:, 3].tolist(), *listed[:, 4].tolist()} - {-1}:
        free[:, unit] = np.minimum(state.books.availables(account, unit), 2**60 // len(account))
    stopped = (state.books.flags() & STOPPED) != 0
    return bool(limits_covered(rows, exchange.column("member_of"), stopped, listed, exchange.column("last_day"), day, free, refused, NO_COVER))


def _one_covered(state: State, row: Any, day: int) -> int | None:
    """A single new order in what is paid for beforehand, in plain numbers: 0, or why it may not reach the book. None: it is another kind of row."""
    exchange = state.exchange
    account, instrument, verb = int(row["account"]), int(row["instrument"]), int(row["verb"])
    if verb != Verb.NEW or not 0 <= instrument < len(exchange.listed) or exchange.column("margined")[instrument]:
        return None
    if exchange.member(account) < 0:
        return NOT_ADMITTED
    if (exchange.column("resale_lag") > 0).any() or int(exchange.cover.max(initial=0)) >= 2**60 // max(len(exchange.cover), 1):
        return None
    if state.books.flags()[account] & STOPPED:
        return ACCOUNT_BLOCKED
    if exchange.column("last_day")[instrument] < day:
        return INSTRUMENT_EXPIRED
    lots, price, buys = min(max(int(row["quantity"]), 0), 2**31), min(max(int(row["price"]), 0), 2**31), int(row["side"]) == Side.BUY
    if 0 < int(row["quantity"]) < int(exchange.column("min_order")[instrument]):
        return BELOW_MINIMUM
    if buys and int(row["kind"]) in (OrderKind.MARKET, OrderKind.STOP):
        return LIMIT_NEEDED
    need = lots * price * int(exchange.column("tick_value")[instrument]) if buys else lots * int(exchange.column("lot")[instrument])
    if need >= 2**60:
        return None
    unit = int(exchange.column("money" if buys else "unit")[instrument])
    return NO_COVER if need > max(state.books.available(account, unit), 0) else 0


def wishes_of(exchange: Exchange, rows: Any) -> Wishes:
    """What rows ask for. The book looks at an AMEND's order and not at its instrument, so do we."""
    verb = rows["verb"]
    instrument, side = rows["instrument"].astype(np.int64), np.where(rows["side"] == Side.BUY, 0, 1)
    price, lots = np.clip(rows["price"], 0, 2**31), np.clip(rows["quantity"], 0, 2**31)
    before, at = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
    wishes = Wishes(instrument, side, price, lots, before, at)
    takes, amends = np.flatnonzero(verb == Verb.TAKE), np.flatnonzero(verb == Verb.AMEND)
    if len(takes):
        resting = exchange.book.standing(rows["against"][takes])[1]
        price[takes] = np.where(price[takes] > 0, price[takes], resting)
    if len(amends):
        number = rows["order"][amends]
        left, limit = exchange.book.standing(number)
        owner = exchange.owner[np.where(left > 0, number, 0)]
        instrument[amends] = np.where(left > 0, owner["instrument"], -1)
        side[amends] = owner["side"]
        price[amends] = np.where(price[amends] > 0, price[amends], limit)
        lots[amends] = np.where(lots[amends] > 0, lots[amends], left)
        before[amends], at[amends] = left, limit
    if len(rows) > 1 and len(takes) + len(amends):
        _within(rows, wishes, takes, amends, len(exchange.listed))
    return wishes


def _within(rows: Any, wishes: Wishes, takes: Any, amends: Any, instruments: int) -> None:
    """Changes wishes for what earlier rows of the same batch may have done to the orders that they name: entered, amended, traded with.

    An amended order of which some may have traded since counts in full, because what has traded is spent."""
    verb = rows["verb"]
    touching = np.flatnonzero((verb == Verb.NEW) | (verb == Verb.AMEND))
    named = np.unique(np.concatenate([rows["order"][amends], rows["against"][takes]]))
    touching = touching[np.isin(rows["order"][touching], named)]
    busy = np.full(instruments + 1, len(rows), dtype=np.int64)  # the first row that may trade in each instrument
    trading = np.flatnonzero((verb == Verb.NEW) | (verb == Verb.TAKE) | (verb == Verb.AMEND))
    trading = trading[(wishes.instrument[trading] >= 0) & (wishes.instrument[trading] < instruments)]
    np.minimum.at(busy, wishes.instrument[trading], trading)
    calls = np.flatnonzero(verb == Verb.PHASE)
    first_call = int(calls[0]) if len(calls) else len(rows)
    by_order: dict[int, list[int]] = {}
    for row in touching.tolist():
        by_order.setdefault(int(rows["order"][row]), []).append(row)
    for row in takes.tolist():
        if rows["price"][row] <= 0:
            earlier = [one for one in by_order.get(int(rows["against"][row]), ()) if one < row]
            wishes.price[row] = max([int(wishes.price[row]), *(int(wishes.price[one]) for one in earlier)])
    for row in amends.tolist():
        earlier = [one for one in by_order[int(rows["order"][row])] if one < row]
        if wishes.instrument[row] < 0 and earlier:
            wishes.instrument[row], wishes.side[row] = wishes.instrument[earlier[0]], wishes.side[earlier[0]]
            if len({(int(wishes.instrument[one]), int(wishes.side[one])) for one in earlier}) > 1:
                wishes.lots[row] = wishes.price[row] = 2**31  # one number for two orders: nothing covers that
        if rows["price"][row] <= 0:
            wishes.price[row] = max([int(wishes.price[row]), *(int(wishes.price[one]) for one in earlier)])
        if rows["quantity"][row] <= 0:
            wishes.lots[row] = max([int(wishes.lots[row]), *(int(wishes.lots[one]) for one in earlier)])
        if 0 <= wishes.instrument[row] < instruments and min(int(busy[wishes.instrument[row]]), first_call) < row:
            wishes.lots_before[row] = 0


# -- spot


def _spot_cover(state: State, rows: Any, wishes: Wishes, day: int) -> Any:
    """Units for what is sold and money for what is bought, row by row in the order given."""
    exchange = state.exchange
    instrument, buys = wishes.instrument, wishes.side == Side.BUY
    refused = np.zeros(len(rows), dtype=np.int16)
    refused[buys & _priceless(rows)] = LIMIT_NEEDED
    value, lot = exchange.column("tick_value")[instrument], exchange.column("lot")[instrument]
    whole = np.where(buys, _products(wishes.lots * wishes.price, value), _products(wishes.lots, lot))
    before = np.where(buys, _products(wishes.lots_before * wishes.price_before, value), _products(wishes.lots_before, lot))
    unit = np.where(buys, exchange.column("money")[instrument], exchange.column("unit")[instrument])
    need = np.where(refused == 0, np.maximum(whole - before, 0), 0)
    account = rows["account"]
    available = state.books.availables(account, unit)
    refused[_first_come(available, account, unit, need) & (refused == 0)] = NO_COVER
    _bounded(exchange, unit, need, refused)
    if (exchange.column("resale_lag") > 0).any():
        free = available - locked(exchange, account, unit, day)
        stuck = _first_come(free, account, unit, np.where(buys, 0, need)) & ~buys
        refused[stuck & (refused == 0)] = RESALE_LOCK
    return refused


def _priceless(rows: Any) -> Any:
    """Rows that would buy at any price."""
    return (rows["verb"] == Verb.NEW) & ((rows["kind"] == OrderKind.MARKET) | (rows["kind"] == OrderKind.STOP))


def _products(first: Any, second: Any) -> Any:
    """Products that stay inside what the books count: what is larger is as good as the largest."""
    largest = np.int64(2**62)
    return np.where(first > largest // np.maximum(second, 1), largest, first * second)


def _bounded(exchange: Exchange, unit: Any, need: Any, refused: Any) -> None:
    """All that is set aside of a unit type lies on one account: what would pass the largest quantity of the books there is refused."""
    if int(need.max(initial=0)) < 2**60 // len(need) and int(exchange.cover.max(initial=0)) < 2**60 // max(len(exchange.cover), 1):
        return
    for one in np.unique(unit).tolist():
        rows = unit == one
        if sum(exchange.cover[:, one].tolist()) + sum(need[rows & (refused == 0)].tolist()) > LARGEST_QUANTITY:
            refused[rows & (need > 0) & (refused == 0)] = NO_COVER


def _first_come(free: Any, account: Any, unit: Any, need: Any) -> Any:
    """Which rows find too little left after those before them of the same account and unit type; a row that finds too little takes nothing."""
    keys = account.astype(np.int64) << 32 | unit.astype(np.int64)
    order = np.argsort(keys, kind="stable")
    heads = np.flatnonzero(np.concatenate([[True], keys[order][1:] != keys[order][:-1]]))
    capped = np.minimum(need, np.int64(2**62) // max(len(need), 1))
    totals = np.cumsum(capped[order])
    group = np.repeat(np.arange(len(heads)), np.diff(np.append(heads, len(order))))
    within = totals - np.concatenate([[0], totals])[heads][group]
    short = np.zeros(len(need), dtype=bool)
    over = np.unique(group[((within > free[order]) & (need[order] > 0)) | (capped[order] < need[order])])
    for number in over.tolist():  # only accounts that ask for more than they have are looked at row by row
        left = None
        for row in order[heads[number] : heads[number] + int((group == number).sum())].tolist():
            left = int(free[row]) if left is None else left
            short[row] = int(need[row]) > max(left, 0)
            left -= 0 if short[row] else int(need[row])
    return short


# -- what is margined


def _margin_cover(state: State, rows: Any, wishes: Wishes, member: Any) -> Any:
    """Collateral for what positions could grow to, in each currency; position limits. Rows that only reduce are always covered."""
    exchange = state.exchange
    refused = np.zeros(len(rows), dtype=np.int16)
    refused[exchange.column("collateral")[member] < 0] = NOT_ADMITTED
    prepaid = exchange.column("premium")[wishes.instrument] & (wishes.side == Side.BUY)
    refused[prepaid & _priceless(rows) & (refused == 0)] = LIMIT_NEEDED
    lots = np.maximum(wishes.lots - wishes.lots_before, 0)
    value = exchange.column("tick_value")[wishes.instrument]
    whole, before = (_products(lots_ * price, value) for lots_, price in ((wishes.lots, wishes.price), (wishes.lots_before, wishes.price_before)))
    cost = np.where(prepaid, np.maximum(whole - before, 0), 0)
    open_rows = np.flatnonzero(refused == 0)
    members = np.unique(member[open_rows])
    if not len(members):
        return refused
    place = np.searchsorted(members, member)
    new = np.zeros((2, len(members), len(exchange.listed)), dtype=np.int64)
    np.add.at(new, (wishes.side[open_rows], place[open_rows], wishes.instrument[open_rows]), lots[open_rows])
    bought, sold = exchange.bought[members] + new[0], exchange.sold[members] + new[1]
    paid = np.zeros((len(members), len(exchange.listed)), dtype=np.int64)
    np.add.at(paid, (place[open_rows], wishes.instrument[open_rows]), np.minimum(cost[open_rows], np.int64(2**62) // len(rows)))
    over = _over_position(exchange, members, bought, sold)
    over |= _over_margin(state, members, bought, sold, paid) | np.isin(members, member[cost > np.int64(2**62) // len(rows)])
    for number in np.flatnonzero(over).tolist():
        mine = open_rows[place[open_rows] == number]
        refused[mine] = _row_by_row(state, members[number : number + 1], wishes.rows(mine), lots[mine], cost[mine])
    return refused


def _over_position(exchange: Exchange, members: Any, bought: Any, sold: Any) -> Any:
    position, limit = exchange.position[members], exchange.column("position_limit")
    return ((position + bought > limit) | (sold - position > limit)).any(axis=1)


def _over_margin(state: State, members: Any, bought: Any, sold: Any, paid: Any) -> Any:
    """Members whose collateral does not carry their positions, open orders, what they owe and these; premiums (`paid`: minor units by member and
    instrument) count in full."""
    exchange = state.exchange
    over = np.zeros(len(members), dtype=bool)
    needed, growing = required(exchange, exchange.position[members]), order_margin(exchange, members, bought, sold)
    for money, contracts in by_currency(exchange):
        need = needed[money] + growing[money] + exchange.owed[members, money] + paid[:, contracts].sum(axis=1)
        over |= need > collateral_of(state, members, money)
    return over


def collateral_of(state: State, members: Any, money: int) -> Any:
    """What the collateral accounts of members hold and nobody but the exchange has set aside, minor units."""
    free = state.books.availables(state.exchange.column("collateral")[members], money)
    return free + state.exchange.cover[ROWS * members + 1, money]


def _row_by_row(state: State, member: Any, wishes: Wishes, lots: Any, cost: Any) -> Any:
    """A member that asks for more than it may: each row against what the rows before it left."""
    exchange = state.exchange
    refused = np.zeros(len(lots), dtype=np.int16)
    tables = exchange.bought[member].copy(), exchange.sold[member].copy()
    paid = np.zeros((1, len(exchange.listed)), dtype=np.int64)
    position = exchange.position[member]
    for row in range(len(lots)):
        number, table = wishes.instrument[row], tables[int(wishes.side[row])]
        grown = max(int((position + tables[0])[0, number]), int((tables[1] - position)[0, number]))
        table[0, number] += lots[row]
        paid[0, number] += min(int(cost[row]), 2**60)
        wanted = max(int((position + tables[0])[0, number]), int((tables[1] - position)[0, number]))
        if wanted <= max(grown, abs(int(position[0, number]))) and not cost[row]:
            continue  # it only reduces, or fits in what is open on the other side
        if _over_position(exchange, member, *tables)[0]:
            refused[row] = POSITION_LIMIT
        elif _over_margin(state, member, *tables, paid)[0]:
            refused[row] = NO_COVER
        else:
            continue
        table[0, number] -= lots[row]
        paid[0, number] -= min(int(cost[row]), 2**60)
    return refused
