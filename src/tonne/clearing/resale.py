"""Units that were bought and may not yet be sold again: a position is a sellable part and a locked part.

Where a venue bars resale for n trading days, units bought on day T may be sold from T+n on. What arrives another way (an allocation, a return)
may be sold at once. A sale takes sellable units only, the oldest first; any other departure (a surrender, a transfer) takes the oldest units,
locked or not. `positions` follows every unit; `split` answers from two sums and agrees with it as long as nothing but sales departs, or everything
that arrived was bought under one lag.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import date
from enum import IntEnum
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonne.clearing.settlement import add_days
from tonne.dates import day_number, from_day_number

Movements: TypeAlias = NDArray[np.void]
"""A one-dimensional array of dtype MOVEMENT."""


class Way(IntEnum):
    """How units come to a position or leave it."""

    ARRIVAL = 0
    SALE = 1
    DEPARTURE = 2


MOVEMENT = np.dtype(
    [
        ("quantity", "<i8"),  # above 0
        ("account", "<i4"),
        ("unit", "<i4"),
        ("day", "<i4"),  # days since 1970-01-01; for each position they never fall
        ("free", "<i4"),  # ARRIVAL: first day on which the units may be sold
        ("way", "<i8"),
    ]
)


class ResaleError(ValueError):
    """Movements that cannot have been: a quantity below 1, a day before the one before it."""


class Positions(NamedTuple):
    """What each (account, unit) holds at a day, sorted by account, unit: four columns of one length; then `refused`, one entry a movement.

    A sale beyond the sellable part and a departure beyond the whole are refused, and take nothing.
    """

    account: NDArray[np.int64]
    unit: NDArray[np.int64]
    sellable: NDArray[np.int64]
    locked: NDArray[np.int64]
    refused: NDArray[np.bool_]


def free_days(days: ArrayLike, lag: int, is_trading: Callable[[date], bool]) -> NDArray[np.int32]:
    """First day on which units bought on these days (day numbers) may be sold: `lag` trading days later. Lag 1, bought on a Friday: Monday."""
    day = np.asarray(days, dtype=np.int64)
    different, where = np.unique(day, return_inverse=True)
    found = [day_number(add_days(from_day_number(int(number)), lag, is_trading)) if lag else int(number) for number in different]
    return np.array(found, dtype=np.int32)[where].reshape(day.shape)


def split(balance: ArrayLike, bought: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sellable and locked part of positions: what they hold, and what they bought in the days that are still locked. Any shape.

    Held 150 after buying 100 today: 50 and 100. Never more is sellable than `positions` says.
    """
    held = np.asarray(balance, dtype=np.int64)
    if np.any(held < 0) or np.any(np.asarray(bought) < 0):
        raise ResaleError("a position and what was bought for it are nothing or more")
    locked = np.minimum(held, np.asarray(bought, dtype=np.int64))
    return held - locked, locked


def positions(movements: Movements, today: int) -> Positions:
    """Every position at a day, its movements given in the order of time (rows of different positions may be mixed).

    Raises ResaleError for quantities below 1, ways that are none, days that fall within a position or lie after `today`.
    """
    from tonne.clearing.resale_kernel import follow

    keys = movements["account"].astype(np.int64) << 32 | movements["unit"].astype(np.int64)
    order = np.argsort(keys, kind="stable")
    rows, key = movements[order], keys[order]
    _check(rows, key, today)
    names, first = np.unique(key, return_index=True)
    bounds = np.append(first, len(rows)).astype(np.int64)
    left = np.where(rows["way"] == Way.ARRIVAL, rows["quantity"], 0).astype(np.int64)
    quantity, day, free, way = (np.ascontiguousarray(rows[name]).astype(np.int64) for name in ("quantity", "day", "free", "way"))
    refused_rows = np.zeros(len(rows), dtype=bool)
    sellable, locked = np.zeros(len(names), dtype=np.int64), np.zeros(len(names), dtype=np.int64)
    follow(bounds, quantity, day, free, way, today, left, refused_rows, sellable, locked)
    refused = np.zeros(len(rows), dtype=bool)
    refused[order] = refused_rows
    return Positions(names >> 32, names & 0xFFFFFFFF, sellable, locked, refused)


def positions_plain(movements: Movements, today: int) -> tuple[dict[tuple[int, int], tuple[int, int]], list[bool]]:
    """The same by queues: (account, unit) -> (sellable, locked), and whether each movement was refused."""
    queues: dict[tuple[int, int], deque[list[int]]] = {}
    refused = []
    for row in movements:
        quantity, account, unit, day, free, way = row.item()
        lots = queues.setdefault((account, unit), deque())
        if way == Way.ARRIVAL:
            lots.append([free, quantity])
            refused.append(False)
            continue
        takes = [lot for lot in lots if way == Way.DEPARTURE or lot[0] <= day]
        enough = sum(lot[1] for lot in takes) >= quantity
        refused.append(not enough)
        for lot in takes if enough else ():
            taken = min(lot[1], quantity)
            lot[1], quantity = lot[1] - taken, quantity - taken
    parts = {}
    for key in sorted(queues):
        sellable = sum(left for free, left in queues[key] if free <= today)
        parts[key] = (sellable, sum(left for _, left in queues[key]) - sellable)
    return parts, refused


def _check(rows: Movements, key: NDArray[np.int64], today: int) -> None:
    falls = np.zeros(len(rows), dtype=bool)
    falls[1:] = (key[1:] == key[:-1]) & (rows["day"][1:] < rows["day"][:-1])
    for wrong, text in (
        (rows["quantity"] < 1, "moves nothing"),
        (~np.isin(rows["way"], [way.value for way in Way]), "neither arrives, is sold nor departs"),
        (falls, "is on a day before the movement before it; give them in the order of time"),
        (rows["day"] > today, "is after the day asked for; leave it out"),
    ):
        if np.any(wrong):
            row = rows[int(np.argmax(wrong))]
            raise ResaleError(f"account {row['account']}, unit {row['unit']}, day {row['day']}: a movement of {row['quantity']} {text}")
