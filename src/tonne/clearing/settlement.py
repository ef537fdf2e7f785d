"""From trades to units and money that change hands: the day it is due, what is netted, what settles against what there is, what becomes of a failure.

A DUE is one agreed delivery: units from the seller, money from the buyer, both or neither. Units and currencies are unit types of the ledger, so one
table of holdings carries both. Everything here is arithmetic on int64; `settle` and `net` have plain twins, `settle_plain` and `net_plain`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonne.dates import day_number, from_day_number, zone
from tonne.ledger.transfer import Batch, TransferFlag, transfers

Dues: TypeAlias = NDArray[np.void]
"""A one-dimensional array of dtype DUE."""

DUE = np.dtype(
    [
        ("trade", "<i8"),  # number of the trade, unique in a table
        ("units", "<i8"),  # above 0
        ("money", "<i8"),  # minor units of the currency, 0 or more
        ("seller", "<i4"),
        ("buyer", "<i4"),
        ("unit", "<i4"),  # the ledger's number of the unit type
        ("currency", "<i4"),  # the same of the currency
        ("due", "<i4"),  # days since 1970-01-01
        ("spare", "<i4"),
    ]
)

HOLDING = np.dtype([("quantity", "<i8"), ("account", "<i4"), ("unit", "<i4")])
"""What an account has available of a unit type; the same pair may stand in several rows, they add up."""

NET = np.dtype([("quantity", "<i8"), ("due", "<i4"), ("account", "<i4"), ("unit", "<i4"), ("spare", "<i4")])
"""What an account gets (above 0) or gives (below 0) of a unit type or currency on a day."""

UNITS_MISSING, MONEY_MISSING = 1, 2
"""Bits of `Settled.missing`."""

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_CLOSURE = 366


class SettlementError(ValueError):
    """A table that is no table of deliveries: says the row and what is wrong with it."""


# when


def due_day(
    day: date, clock: time, *, lag: int, is_business: Callable[[date], bool], cutoff: str | time | None = None, late_lag: int | None = None
) -> date:
    """The day a trade settles: `lag` business days after the day it was made, `late_lag` (else lag + 1) from the cut-off on.

    A trade on a day that is no business day counts as made at the start of the next one. Lag 0 settles on the day itself. With lag 1 and a
    cut-off at 16:00, 15:59 on a Monday is due on Tuesday, 16:00 and 16:01 on Wednesday.
    """
    return _after(day, lag, lag + 1 if late_lag is None else late_lag, is_late(clock, cutoff), is_business)


def due_days(days: ArrayLike, late: ArrayLike, *, lag: int, is_business: Callable[[date], bool], late_lag: int | None = None) -> NDArray[np.int32]:
    """due_day for columns: day numbers and whether each trade was late; the calendar is asked once for each different day."""
    day, behind = np.broadcast_arrays(np.asarray(days, dtype=np.int64), np.asarray(late, dtype=bool))
    keys, where = np.unique(day * 2 + behind, return_inverse=True)
    after = lag + 1 if late_lag is None else late_lag
    found = [day_number(_after(from_day_number(int(key) >> 1), lag, after, bool(key & 1), is_business)) for key in keys]
    return np.array(found, dtype=np.int32)[where].reshape(day.shape)


def is_late(clock: time, cutoff: str | time | None) -> bool:
    """Whether a time of day has reached the cut-off: at it is late. `24:00` and None: never."""
    if cutoff is None or cutoff == "24:00":
        return False
    return clock >= (time.fromisoformat(cutoff) if isinstance(cutoff, str) else cutoff)


def local_moment(moment: int, time_zone: str) -> tuple[date, time]:
    """Day and time of day in a zone of a moment in microseconds since 1970 (UTC)."""
    local = (_FIRST + timedelta(microseconds=moment)).astimezone(zone(time_zone))
    return local.date(), local.time()


def add_days(day: date, count: int, is_business: Callable[[date], bool]) -> date:
    """The count-th business day after a day; the day itself, or the next business day, for 0."""
    day = _next(day, is_business)
    for _ in range(count):
        day = _next(day + timedelta(days=1), is_business)
    return day


def _after(day: date, lag: int, late_lag: int, late: bool, is_business: Callable[[date], bool]) -> date:
    if not 0 <= lag <= late_lag:
        raise SettlementError(f"a lag is none or more days and not longer than that of late trades; not {lag} and {late_lag}")
    return add_days(day, late_lag if late and is_business(day) else lag, is_business)


def _next(day: date, is_business: Callable[[date], bool]) -> date:
    for _ in range(_LONGEST_CLOSURE):
        if is_business(day):
            return day
        day += timedelta(days=1)
    raise SettlementError(f"no business day in the {_LONGEST_CLOSURE} days before {day}; the calendar has none")


# what


def dues_of(rows: Iterable[tuple[int, ...]]) -> Dues:
    """A table from rows for people: trade, units, money, seller, buyer, unit, currency, due. Raises SettlementError as `check` does."""
    table = np.array([(*row, 0) for row in rows], dtype=DUE)
    check(table)
    return table


def check(dues: Dues) -> None:
    """Raises SettlementError for the first row that is no delivery: no units, less than no money, one account, one unit type, a trade named twice."""
    faults = (
        (dues["units"] <= 0, "delivers no units"),
        (dues["money"] < 0, "costs less than nothing; turn buyer and seller round"),
        (dues["seller"] == dues["buyer"], "has one account on both sides; leave it out"),
        (dues["unit"] == dues["currency"], "pays with the units that it delivers"),
    )
    for wrong, text in faults:
        if np.any(wrong):
            row = int(np.argmax(wrong))
            raise SettlementError(f"row {row}: trade {int(dues['trade'][row])} {text}")
    numbers, counts = np.unique(dues["trade"], return_counts=True)
    if np.any(counts > 1):
        raise SettlementError(f"trade {int(numbers[np.argmax(counts > 1)])} stands in several rows; a trade is delivered once")


def net(dues: Dues) -> NDArray[np.void]:
    """Multilateral netting: what each account gets or gives in all on each day, of each unit type and currency (dtype NET).

    Sorted by day, account, unit; rows of nothing are left out. For each day and unit the quantities sum to zero.
    """
    day = np.tile(dues["due"], 4)
    account = np.concatenate([dues["buyer"], dues["seller"], dues["seller"], dues["buyer"]])
    unit = np.concatenate([dues["unit"], dues["unit"], dues["currency"], dues["currency"]])
    quantity = np.concatenate([dues["units"], -dues["units"], dues["money"], -dues["money"]])
    order = np.lexsort((unit, account, day))
    day, account, unit, quantity = day[order], account[order], unit[order], quantity[order]
    begins = np.ones(len(day), dtype=bool)
    begins[1:] = (day[1:] != day[:-1]) | (account[1:] != account[:-1]) | (unit[1:] != unit[:-1])
    first = np.flatnonzero(begins)
    sums = np.add.reduceat(quantity, first) if len(first) else quantity
    table = np.zeros(len(first), dtype=NET)
    table["quantity"], table["due"], table["account"], table["unit"] = sums, day[first], account[first], unit[first]
    kept: NDArray[np.void] = table[sums != 0]
    return kept


def net_plain(dues: Dues) -> dict[tuple[int, int, int], int]:
    """The same by dict: (due, account, unit) -> quantity, sorted."""
    sums: dict[tuple[int, int, int], int] = {}
    for row in dues:
        _, units, money, seller, buyer, unit, currency, due, _ = row.item()
        for account, what, quantity in ((buyer, unit, units), (seller, unit, -units), (seller, currency, money), (buyer, currency, -money)):
            sums[due, account, what] = sums.get((due, account, what), 0) + quantity
    return {key: quantity for key, quantity in sorted(sums.items()) if quantity}


def uncovered(nets: NDArray[np.void], holdings: NDArray[np.void]) -> NDArray[np.void]:
    """Who cannot give what he owes net: rows of dtype NET, quantity what is missing (above 0). Days are served in their order from the same holdings.

    What an account gets on a day counts from the day after it, because the giver may fail.
    """
    have = {(int(row["account"]), int(row["unit"])): 0 for row in holdings}
    for row in holdings:
        have[int(row["account"]), int(row["unit"])] += int(row["quantity"])
    missing = []
    for row in np.sort(nets, order=["due", "account", "unit"]):
        quantity, due, account, unit, _ = row.item()
        left = have.get((account, unit), 0) + quantity
        if quantity < 0 and left < 0:
            missing.append((-left, due, account, unit, 0))
        have[account, unit] = max(left, 0)
    return np.array(missing, dtype=NET)


# both legs or neither


class Settled(NamedTuple):
    """What settled, one entry a row of the table given.

    settled     bool; missing: int8, the bits UNITS_MISSING and MONEY_MISSING at the end, 0 where settled
    number      int64: the place in the order of settling (0, 1, ...), -1 where it failed; passes: how often the open ones were gone through
    """

    settled: NDArray[np.bool_]
    missing: NDArray[np.int8]
    number: NDArray[np.int64]
    passes: int


def settle(dues: Dues, holdings: NDArray[np.void], may_overdraw: Collection[int] = ()) -> Settled:
    """Which deliveries settle from these holdings (dtype HOLDING), and in which order.

    The open ones are gone through by due day, then trade number; one settles if its seller then has the units and its buyer the money, and at once
    both move. What came in serves later deliveries. Passes are repeated until one settles nothing, so a chain settles in whatever order it was
    agreed; a ring whose members have nothing to begin with does not (net it). A failure of one leg fails its pair and no other.
    The order of the rows of `dues` and `holdings` does not matter. Accounts of `may_overdraw` always have enough.
    """
    from tonne.clearing.settlement_kernel import run_passes

    check(dues)
    n = len(dues)
    keys = np.concatenate([_key(dues[who], dues[what]) for who, what in _LEGS] + [_key(holdings["account"], holdings["unit"])])
    names, slots = np.unique(keys, return_inverse=True)
    left = np.zeros(len(names), dtype=np.int64)
    np.add.at(left, slots[4 * n :], holdings["quantity"])
    free = np.isin(names >> 32, np.fromiter(may_overdraw, dtype=np.int64, count=len(may_overdraw)))
    order = np.lexsort((dues["trade"], dues["due"]))
    sides = slots[: 4 * n].reshape(4, n)
    units, money = np.ascontiguousarray(dues["units"]), np.ascontiguousarray(dues["money"])
    number = np.full(n, -1, dtype=np.int64)
    passes = int(run_passes(order, sides, units, money, left, free, number))
    settled = number >= 0
    no_units = ~settled & ~free[sides[0]] & (left[sides[0]] < units)
    no_money = ~settled & ~free[sides[2]] & (left[sides[2]] < money)
    return Settled(settled, (no_units * UNITS_MISSING + no_money * MONEY_MISSING).astype(np.int8), number, passes)


def settle_plain(dues: Dues, holdings: NDArray[np.void], may_overdraw: Collection[int] = ()) -> Settled:
    """The same by dicts and lists."""
    check(dues)
    have: dict[tuple[int, int], int] = {}
    for row in holdings:
        quantity, account, unit = row.item()
        have[account, unit] = have.get((account, unit), 0) + quantity
    rows = {int(row["trade"]): row.item() for row in dues}
    place = {int(trade): k for k, trade in enumerate(dues["trade"])}

    def lacks(account: int, what: int, quantity: int) -> bool:
        return account not in may_overdraw and have.get((account, what), 0) < quantity

    waiting = sorted(rows, key=lambda trade: (rows[trade][7], trade))
    number = np.full(len(dues), -1, dtype=np.int64)
    passes, done, moved = 0, 0, True
    while waiting and moved:
        passes, moved = passes + 1, False
        for trade in list(waiting):
            _, units, money, seller, buyer, unit, currency, _, _ = rows[trade]
            if lacks(seller, unit, units) or lacks(buyer, currency, money):
                continue
            for giver, taker, what, quantity in ((seller, buyer, unit, units), (buyer, seller, currency, money)):
                have[giver, what] = have.get((giver, what), 0) - quantity
                have[taker, what] = have.get((taker, what), 0) + quantity
            number[place[trade]], done, moved = done, done + 1, True
            waiting.remove(trade)
    missing = np.zeros(len(dues), dtype=np.int8)
    for trade in waiting:
        _, units, money, seller, buyer, unit, currency, _, _ = rows[trade]
        missing[place[trade]] = UNITS_MISSING * lacks(seller, unit, units) + MONEY_MISSING * lacks(buyer, currency, money)
    return Settled(number >= 0, missing, number, passes)


def transfer_pairs(dues: Dues, first_id: int, day: int, units_kind: int, money_kind: int) -> Batch:
    """The ledger's transfers that deliver these rows in their order: units and money of a row linked, so that both are done or neither.

    Ids count up from first_id. Money of 0 is no transfer: such a row is units alone.
    """
    check(dues)
    paid = dues["money"] > 0
    legs = 1 + paid.astype(np.int64)
    first = np.cumsum(legs) - legs
    batch = transfers(int(legs.sum()))
    for rows, places, names, kind in (
        (dues, first, ("units", "seller", "buyer", "unit"), units_kind),
        (dues[paid], first[paid] + 1, ("money", "buyer", "seller", "currency"), money_kind),
    ):
        for column, name in zip(("quantity", "from_account", "to_account", "unit"), names, strict=True):
            batch[column][places] = rows[name]
        batch["kind"][places] = kind
    batch["flags"][first[paid]] = int(TransferFlag.LINKED)
    batch["id"], batch["day"] = first_id + np.arange(len(batch)), day
    return batch


def through_ccp(nets: NDArray[np.void], ccp: int) -> list[tuple[int, int, int, int, int]]:
    """Net quantities as transfers with a central counterparty in the middle: due, from, to, unit, quantity.

    On each day what is owed to it comes first, then what it owes. Its own rows are left out: it keeps what is left.
    """
    rows = sorted((int(r["due"]), int(r["quantity"]) > 0, int(r["unit"]), int(r["account"]), int(r["quantity"])) for r in nets if r["account"] != ccp)
    return [(due, ccp, account, unit, quantity) if gets else (due, account, ccp, unit, -quantity) for due, gets, unit, account, quantity in rows]


_LEGS = (("seller", "unit"), ("buyer", "unit"), ("buyer", "currency"), ("seller", "currency"))


def _key(account: Any, unit: Any) -> NDArray[np.int64]:
    return np.asarray(account, dtype=np.int64) << 32 | np.asarray(unit, dtype=np.int64)
