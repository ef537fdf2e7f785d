"""How much one may hold and how large an order may be: what breaches, by how much, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tonne.clearing.exact import whole
from tonne.clearing.position import netted
from tonne.units import IntArray


class Breach(NamedTuple):
    """One limit passed: which (`position_limit`, `family_limit`, `delivery_month_limit`, `accountability_level`, `order_limit`, `order_minimum`),
    whose, where, what is held or asked (lots, long above 0), the limit, and by how many lots it is passed."""

    name: str
    account: int
    where: str
    held: int
    limit: int
    excess: int

    def __str__(self) -> str:
        return f"{self.name}: account {self.account}, {self.where}: {self.held:,} lots, limit {self.limit:,}, {self.excess:,} beyond it"


def position_breaches(
    positions: IntArray,
    instruments: Sequence[str],
    limits: Mapping[str, int],
    *,
    buying: Any = 0,
    selling: Any = 0,
    group: Any = None,
    name: str = "position_limit",
) -> list[Breach]:
    """Accounts whose position in one instrument passes its limit, long or short; an instrument that is not in `limits` has none.

    buying, selling: lots of open orders (accounts x instruments), counted as if all were filled. group: accounts held together (a number each); the
    account of a breach is then its number. name: what the limit is called, `accountability_level` where passing it only has to be explained.
    """
    lots = whole("positions", positions)
    longest = np.broadcast_to(lots + whole("open orders", buying), lots.shape)
    shortest = np.broadcast_to(lots - whole("open orders", selling), lots.shape)
    if group is not None:
        groups = int(np.max(group, initial=-1)) + 1
        longest, shortest = netted(longest, group, groups), netted(shortest, group, groups)
    found = []
    for column, code in enumerate(instruments):
        if code in limits:
            found += _beyond(name, code, longest[:, column], shortest[:, column], limits[code])
    return found


def family_breaches(positions: IntArray, families: Sequence[str], limits: Mapping[str, int], *, name: str = "family_limit") -> list[Breach]:
    """The same for all instruments of a family together, longs against shorts. families: of each instrument (column), its family."""
    lots = whole("positions", positions)
    found = []
    for family, limit in limits.items():
        columns = [column for column, own in enumerate(families) if own == family]
        total = lots[:, columns].sum(axis=1)
        found += _beyond(name, family, total, total, limit)
    return found


def delivery_month_breaches(positions: IntArray, instruments: Sequence[str], delivering: Sequence[bool], limits: Mapping[str, int]) -> list[Breach]:
    """The limits that hold only while an instrument is about to be delivered."""
    now = {code: limits[code] for code, near in zip(instruments, delivering, strict=True) if near and code in limits}
    return position_breaches(positions, instruments, now, name="delivery_month_limit")


def order_breaches(accounts: Any, lots: Any, instruments: Sequence[str], least: int = 1, most: int | None = None) -> list[Breach]:
    """Orders (one row each: account, lots, instrument) that are too small or too large."""
    found = []
    for account, size, code in zip(whole("accounts", accounts).tolist(), whole("lots", lots).tolist(), instruments, strict=True):
        if size < least:
            found.append(Breach("order_minimum", account, code, size, least, least - size))
        elif most is not None and size > most:
            found.append(Breach("order_limit", account, code, size, most, size - most))
    return found


def _beyond(name: str, where: str, longest: IntArray, shortest: IntArray, limit: int) -> list[Breach]:
    found = []
    for account in np.flatnonzero((longest > limit) | (shortest < -limit)).tolist():
        held = max(int(longest[account]), int(shortest[account]), key=abs)
        found.append(Breach(name, account, where, held, limit, abs(held) - limit))
    return found
