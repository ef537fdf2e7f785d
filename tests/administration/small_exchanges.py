"""A small exchange made by hand on the small markets' desk, and what must hold on it at any moment, worked out in plain Python."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from small_markets import Desk

import tonne
from tonne.administration.commands import Reply
from tonne.ledger import PendingState
from tonne.market.orders import INSTRUCTION, Side

DAY = "2026-03-02"  # a Monday
SPOT = {"lot": 1, "unit": "EUA", "tick": "0.01", "currency": "EUR", "settlement": "prefunded"}
FUTURE = {"lot": 1_000, "unit": "EUA", "tick": "0.01", "currency": "EUR", "settlement": "margined"}
OPTION = FUTURE | {"premium": "paid", "style": "european"}
FAMILY = {"name": "EUA", "currency": "EUR", "lot": 1_000, "price_scan": "6.00", "volatility_scan": "0.10", "spread_charge": "100"}


def exchange(people: tuple[str, ...] = ("anna", "ben", "cleo"), units: int = 1_000_000, money: str = "10000000", collateral: str = "1000000") -> Desk:
    """People with units and money on `t:<name>`, admitted and clearing; spot instrument `spot`, future `fut` to 16 March, family `EUA`."""
    return _exchange(people, units, money, collateral).copy()


@cache
def _exchange(people: tuple[str, ...], units: int, money: str, collateral: str) -> Desk:
    desk = Desk(tonne.rulebook("eu-ets"), DAY, 2026)
    for name, role in (("venue", "venue"), ("bank", "bank"), *((name, "trader") for name in people)):
        desk.accept("register_participant", participant=name, name=name.title(), role=role)
    desk.accept("add_unit_type", code="EUA", kind="allowance", measure="tonne", vintage=None)
    desk.accept("open_exchange", by="venue", venue="home")
    for name in people:
        desk.accept("open_account", by=name, account=f"t:{name}", kind="trading")
        if units:
            desk.accept("open_balance", account=f"t:{name}", unit="EUA", quantity=units, source="a test", year=2026)
        desk.accept("admit", by="venue", account=f"t:{name}", clearing=True)
        if money:
            pay(desk, f"t:{name}", money)
        if collateral:
            pay(desk, f"collateral:t:{name}", collateral)
    desk.accept("set_margin", by="venue", families=[FAMILY])
    spot(desk)
    future(desk)
    return desk


def spot(desk: Desk, code: str = "spot", reference: str = "80.00", **terms: Any) -> None:
    given = {name: terms.pop(name) for name in ("breaker_ticks", "seed") if name in terms}
    desk.accept("list_instrument", by="venue", contract=code, terms=SPOT | terms, kind="spot", unit="EUA", reference=reference, **given)


def future(desk: Desk, code: str = "fut", expiry: str = "2026-03-16", reference: str = "81.00", fee: str = "0", **terms: Any) -> None:
    body = {"contract": "futures", "code": code, "terms": FUTURE | terms, "kind": "future", "unit": "EUA", "reference": reference}
    desk.accept("list_instrument", by="venue", family="EUA", expiry=expiry, fee=fee, **body)


def option(
    desk: Desk, code: str, right: str, strike: str, expiry: str = "2026-03-09", reference: str = "2.00", under: str = "fut", **terms: Any
) -> None:
    body = {"contract": "options", "code": code, "terms": OPTION | terms, "kind": "option", "unit": "EUA", "reference": reference}
    body |= {"right": right, "strike": strike, "underlying": under, "volatility": "0.35"}
    desk.accept("list_instrument", by="venue", family="EUA", expiry=expiry, **body)


def pay(desk: Desk, account: str, amount: str, currency: str = "EUR") -> None:
    desk.accept("deposit", by="bank", account=account, amount=amount, currency=currency)


def say(who: str, verb: str = "new", **order: Any) -> dict[str, Any]:
    """One order as people write it, for the account `t:<who>`."""
    return {"verb": verb, "account": f"t:{who}", **order}


def send(desk: Desk, *orders: dict[str, Any], by: str = "venue", **rest: Any) -> Reply:
    reply = desk.accept("orders", by=by, orders=list(orders), **rest)
    check(desk)
    return reply


def buy(desk: Desk, who: str, price: str, quantity: int, instrument: str = "spot", day: str | None = None, **rest: Any) -> Reply:
    return send(desk, say(who, instrument=instrument, side="buy", price=price, quantity=quantity, **rest), by=_by(who, rest), day=day)


def sell(desk: Desk, who: str, price: str, quantity: int, instrument: str = "spot", day: str | None = None, **rest: Any) -> Reply:
    return send(desk, say(who, instrument=instrument, side="sell", price=price, quantity=quantity, **rest), by=_by(who, rest), day=day)


def _by(who: str, order: dict[str, Any]) -> str:
    """Whoever names a time is the venue, on somebody's behalf."""
    return "venue" if "time" in order else who


def close(desk: Desk, day: str | None = None, **prices: str) -> Reply:
    reply = desk.accept("close_day", by="venue", day=day, prices=prices)
    check(desk)
    return reply


def told(reply: Reply) -> list[tuple[str, str]]:
    """What happened, row by row, and why, in words."""
    return [(row["happening"], row["reason"]) for row in reply.events[0]["rows"]]


def refusals(reply: Reply) -> dict[str, int]:
    return dict(reply.events[0]["refusals"])


def last_order(desk: Desk) -> int:
    return int(desk.state.exchange.book.highest)


def free(desk: Desk, account: str, unit: str = "EUA") -> int:
    return int(desk.state.books.available(desk.state.accounts.number(account), desk.state.unit(unit)))


def aside(desk: Desk, account: str, unit: str = "EUA") -> int:
    """What is set aside on an account."""
    return desk.held(account, unit) - free(desk, account, unit)


def owed(desk: Desk, who: str, currency: str = "EUR") -> int:
    state = desk.state
    return int(state.exchange.owed[state.exchange.member(state.accounts.number(f"t:{who}")), state.unit(currency)])


def position(desk: Desk, who: str, code: str = "fut") -> int:
    state = desk.state
    return int(state.exchange.position[state.exchange.member(state.accounts.number(f"t:{who}")), state.exchange.number(code)])


def instructions(*rows: dict[str, int]) -> Any:
    table = np.zeros(len(rows), dtype=INSTRUCTION)
    for place, row in enumerate(rows):
        for name, value in row.items():
            table[name][place] = value
    return table


def check(desk: Desk) -> None:
    """What is set aside is what open orders and agreements need; lots and money add up."""
    state = desk.state
    floor = state.exchange
    state.books.check()
    if floor.book is None:
        return
    members = {int(member["account"]): number for number, member in enumerate(floor.members)}
    wanted: dict[tuple[int, int], int] = {}
    lots: dict[tuple[str, int, int], int] = {}
    for row in floor.book.open_orders():
        listing, account = floor.listed[int(row["instrument"])], int(row["account"])
        left, price = int(row["left"]), int(row["price"])
        side = "bought" if row["side"] == Side.BUY else "sold"
        if listing["settlement"] == "margined":
            lot = (side, members[account], int(row["instrument"]))
            lots[lot] = lots.get(lot, 0) + left
        else:
            unit, need = (listing["money"], left * price * listing["tick_value"]) if side == "bought" else (listing["unit"], left * listing["lot"])
            wanted[account, unit] = wanted.get((account, unit), 0) + need
    for row in floor.due:
        listing = floor.listed[int(row["instrument"])]
        for party, what, need in (("buyer", "money", "cost"), ("seller", "unit", "quantity")):
            key = (int(row[party]), listing[what])
            wanted[key] = wanted.get(key, 0) + int(row[need])
    for account, number in members.items():
        for unit in range(len(state.books.unit_types)):
            code = state.books.unit_types[unit].code
            assert int(floor.cover[2 * number, unit]) == wanted.get((account, unit), 0), f"set aside on {state.accounts.ids[account]} of {code}"
            for row in (2 * number, 2 * number + 1):
                _check_pending(desk, int(floor.cover[row, unit]), int(floor.cover_id[row, unit]))
        for instrument in range(len(floor.listed)):
            assert int(floor.bought[number, instrument]) == lots.get(("bought", number, instrument), 0)
            assert int(floor.sold[number, instrument]) == lots.get(("sold", number, instrument), 0)
    _check_clearing(desk)


def _check_pending(desk: Desk, cover: int, number: int) -> None:
    assert (cover > 0) == (number > 0)
    if number:
        pending = desk.state.books.transfer(number)
        assert pending is not None
        assert (pending.quantity, desk.state.books.pending_state(number)) == (cover, PendingState.OPEN)


def _check_clearing(desk: Desk) -> None:
    """Lots sum to zero and stand in the ledger as in the exchange; the central counterparty's money is what it is owed and what basis stands for."""
    state = desk.state
    floor = state.exchange
    ccp = state.accounts.number("ccp")
    basis: dict[int, int] = {}
    for place, listing in enumerate(floor.listed):
        if listing["settlement"] != "margined":
            continue
        assert sum(floor.position[:, place].tolist()) == 0
        for number, member in enumerate(floor.members):
            if member["position"] >= 0:
                assert state.books.balance(member["position"], listing["position_unit"]) == int(floor.position[number, place])
        assert state.books.balance(ccp, listing["position_unit"]) == 0
        basis[listing["money"]] = basis.get(listing["money"], 0) + sum(floor.basis[:, place].tolist()) * listing["tick_value"]
    for money, stands in basis.items():
        assert state.books.balance(ccp, money) == -sum(floor.owed[:, money].tolist()) - stands
        assert (floor.owed >= 0).all()
