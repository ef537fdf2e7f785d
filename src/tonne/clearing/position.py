"""Who is long and who is short: accounts x instruments, in lots. Every instrument adds up to zero over all accounts, the house's included."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonne.clearing.exact import largest, whole
from tonne.units import INT64_MAX, IntArray

TRADE = np.dtype(
    [
        ("price", "<i8"),  # ticks of the instrument's contract
        ("lots", "<i8"),  # above 0
        ("buyer", "<i4"),  # rows of the positions
        ("seller", "<i4"),
        ("instrument", "<i4"),  # column of the positions
        ("spare", "<i4"),
    ]
)
LEG = np.dtype(
    [
        ("trade", "<i8"),  # row of the trade that it comes from
        ("price", "<i8"),
        ("lots", "<i8"),
        ("from_account", "<i4"),  # becomes shorter
        ("to_account", "<i4"),  # becomes longer
        ("instrument", "<i4"),
        ("spare", "<i4"),
    ]
)


class PositionError(ValueError):
    """Positions or trades that cannot be: an instrument that does not add up to zero, a trade of no lots, an unknown row."""


def trades_of(rows: Any) -> NDArray[np.void]:
    """Trades from (buyer, seller, instrument, price in ticks, lots). Raises PositionError for a trade of no lots."""
    trades = np.zeros(len(rows), dtype=TRADE)
    for place, (buyer, seller, instrument, price, lots) in enumerate(rows):
        trades[place] = (price, lots, buyer, seller, instrument, 0)
    if np.any(trades["lots"] <= 0):
        row = int(np.flatnonzero(trades["lots"] <= 0)[0])
        raise PositionError(f"trade {row} is of {int(trades['lots'][row])} lots; a trade has at least one")
    return trades


def novate(trades: NDArray[np.void], house: int) -> NDArray[np.void]:
    """Each trade as the two contracts that replace it: seller to house, house to buyer, at the price and for the lots agreed. Two legs a trade,
    one after the other; after them the house's position is what it was."""
    legs = np.zeros(2 * len(trades), dtype=LEG)
    for name in ("price", "lots", "instrument"):
        legs[name] = np.repeat(trades[name], 2)
    legs["trade"] = np.repeat(np.arange(len(trades)), 2)
    legs["from_account"][0::2], legs["to_account"][0::2] = trades["seller"], house
    legs["from_account"][1::2], legs["to_account"][1::2] = house, trades["buyer"]
    return legs


def after_trades(opening: IntArray, trades: NDArray[np.void]) -> IntArray:
    """Positions after trades, as a new array. Raises PositionError for a row or column that there is not."""
    return _moved(opening, trades["seller"], trades["buyer"], trades["instrument"], trades["lots"])


def after_legs(opening: IntArray, legs: NDArray[np.void]) -> IntArray:
    """Positions after the legs of novation, as a new array: the same as after the trades themselves."""
    return _moved(opening, legs["from_account"], legs["to_account"], legs["instrument"], legs["lots"])


def _moved(opening: IntArray, givers: Any, takers: Any, instruments: Any, lots: Any) -> IntArray:
    positions = whole("positions", opening).copy()
    accounts, columns = positions.shape
    for what, rows, count in (("account", givers, accounts), ("account", takers, accounts), ("instrument", instruments, columns)):
        if len(rows) and (int(rows.min()) < 0 or int(rows.max()) >= count):
            raise PositionError(f"no {what} {int(rows.max()) if int(rows.max()) >= count else int(rows.min())}; there are {count}, from 0")
    if largest(positions) + sum(int(amount) for amount in lots) > INT64_MAX:
        raise OverflowError("positions of so many lots do not fit 64 bits")
    np.subtract.at(positions, (givers, instruments), lots)
    np.add.at(positions, (takers, instruments), lots)
    return positions


def check_balanced(positions: IntArray) -> None:
    """Raises PositionError naming the first instrument (column) whose longs are not its shorts."""
    sums = positions.sum(axis=0, dtype=object)
    for column, total in enumerate(sums):
        if total:
            raise PositionError(f"instrument {column}: longs and shorts differ by {int(total):,} lots; every lot bought was sold by somebody")


def open_interest(positions: IntArray) -> IntArray:
    """Lots open in each instrument: the sum of the longs. Raises PositionError where the shorts are another sum."""
    check_balanced(positions)
    return np.asarray(np.maximum(positions, 0).sum(axis=0), dtype=np.int64)


def netted(positions: IntArray, group: Any, groups: int) -> IntArray:
    """Positions of groups x instruments, longs against shorts inside a group: a member's house account, or its clients together.

    `group` is the group (0 to groups - 1) of each account.
    """
    of = whole("group", group)
    if len(of) != len(positions) or (len(of) and (int(of.min()) < 0 or int(of.max()) >= groups)):
        raise PositionError(f"every account has one group from 0 to {groups - 1}")
    found = np.zeros((groups, positions.shape[1]), dtype=np.int64)
    np.add.at(found, of, positions)
    return found


def gross(positions: IntArray, group: Any, groups: int) -> tuple[IntArray, IntArray]:
    """Longs and shorts (both positive) of groups x instruments, not set against each other: what a gross client account shows."""
    return netted(np.maximum(positions, 0), group, groups), netted(np.maximum(-positions, 0), group, groups)
