"""Compiled: what stands behind the orders that a batch touched, and which orders of a batch are covered. Whole numbers only.

`matching.py` and `cover.py` say what these do; the tests hold both to a plain recount over the open orders.
"""

from __future__ import annotations

from typing import Any

from tonne.ledger.kernel import compiled
from tonne.market.orders import Happening, OrderKind, Side, Verb

_ACCEPTED, _BUY = int(Happening.ACCEPTED), int(Side.BUY)
_NEW, _AMEND, _TAKE = int(Verb.NEW), int(Verb.AMEND), int(Verb.TAKE)
_MARKET, _STOP = int(OrderKind.MARKET), int(OrderKind.STOP)
_HALF, _SMALL = 2**31, 2**31


@compiled()
def orders_changed(
    executions: Any, left: Any, price: Any, held: Any, owner: Any, member_of: Any, listed: Any, cover: Any, bought: Any, sold: Any
) -> None:
    """Bring `held`, `cover`, `bought` and `sold` to what is left of every order that the executions name.

    left, price: of each execution's order, then of each one's `against`, as the book has them now. listed: a row an instrument: margined, tick value,
    lot, money, unit, resale lag."""
    n = len(executions)
    for i in range(n):
        row = executions[i]
        if row["happening"] == _ACCEPTED:
            mine = owner[row["order"]]
            mine["account"], mine["instrument"], mine["side"] = row["account"], row["instrument"], row["side"]
    for i in range(2 * n):
        number = executions[i]["order"] if i < n else executions[i - n]["against"]
        if number <= 0 or number >= len(held):
            continue  # what was refused repeats the number it was given, however wild
        if left[i] == 0 and held[number] == 0:
            continue
        instrument, side = owner[number]["instrument"], owner[number]["side"]
        member = member_of[owner[number]["account"]]
        need = left[i]
        if listed[instrument, 0] == 0:
            need = left[i] * price[i] * listed[instrument, 1] if side == _BUY else left[i] * listed[instrument, 2]
        change = need - held[number]
        held[number] = need
        if listed[instrument, 0] == 0:
            unit = listed[instrument, 3] if side == _BUY else listed[instrument, 4]
            cover[2 * member, unit] += change
        elif side == _BUY:
            bought[member, instrument] += change
        else:
            sold[member, instrument] += change


@compiled()
def limits_covered(rows: Any, member_of: Any, stopped: Any, listed: Any, last_day: Any, day: Any, free: Any, refused: Any, no_cover: Any) -> bool:
    """Whether a batch is nothing but limit orders in what is paid for beforehand, by members whose accounts are free to act, beside what asks for no
    cover; and then, row by row, whether each finds enough in `free` [member, unit type], which is used up. False leaves `refused` to others."""
    for i in range(len(rows)):
        row = rows[i]
        verb = row["verb"]
        if verb in (_AMEND, _TAKE):
            return False
        if verb != _NEW:
            continue
        account, instrument = row["account"], row["instrument"]
        if account < 0 or account >= len(member_of) or instrument < 0 or instrument >= len(listed):
            return False
        if member_of[account] < 0 or stopped[account] or listed[instrument, 0] != 0 or listed[instrument, 5] != 0 or last_day[instrument] < day:
            return False
        if row["kind"] == _MARKET or row["kind"] == _STOP or row["price"] < 0 or row["price"] >= _HALF or row["quantity"] < 0:
            return False
        if row["quantity"] >= _HALF or listed[instrument, 1] >= _SMALL or listed[instrument, 2] >= _SMALL:
            return False
    for i in range(len(rows)):
        row = rows[i]
        if row["verb"] == _NEW:
            instrument, buys = row["instrument"], row["side"] == _BUY
            each = row["price"] * listed[instrument, 1] if buys else listed[instrument, 2]
            unit = listed[instrument, 3] if buys else listed[instrument, 4]
            member = member_of[row["account"]]
            if row["quantity"] > 0 and each > free[member, unit] // row["quantity"]:
                refused[i] = no_cover
            else:
                free[member, unit] -= each * row["quantity"]
    return True
