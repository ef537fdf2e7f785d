"""Buy from the authority at a price that the law itself sets: units of the year, or payment in place of units."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from tonne.administration.allocate import account_numbers
from tonne.administration.asks import answer, offers
from tonne.administration.commands import Command
from tonne.administration.decision import Decision, move, table, year_of
from tonne.administration.issue import new_allowance
from tonne.administration.kinds import Kind
from tonne.administration.permissions import is_authority, require_holder
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.administration.surrender import payable_by_installation, require_awarded
from tonne.ledger import TransferFlag
from tonne.units import NEAREST, decimals_of, fraction, multiply


def purchase(state: State, command: Command) -> Decision:
    """Table `purchases`: installation, quantity; body: year (emissions year), paid_in (bool).

    Where the law sells units at a fixed price the year's units come into the buyers' accounts. Where it lets money settle an obligation, each unit
    paid for counts as surrendered at once and can never be traded. Units and money move together or not at all.
    """
    year = year_of(command)
    law = state.law(command.day)
    frame = table(command, "purchases", {"installation": pl.String, "quantity": pl.Int64})
    if not frame.height or frame.filter(pl.col("quantity") <= 0).height or frame["installation"].is_duplicated().any():
        raise Refusal("malformed", "every row buys more than zero, one row an installation, at least one row")
    if not isinstance(command.body.get("paid_in", False), bool):
        raise Refusal("malformed", f"paid_in is true or false, not {command.body['paid_in']!r}")
    if command.body.get("paid_in") and not is_authority(state, command):
        raise Refusal("not_permitted", "that the money was paid in is for the authority to say; others pay from their accounts")
    buyers = account_numbers(state, frame["installation"])
    require_holder(state, command, buyers.tolist())
    ask, price = price_by_law(law, year)
    if price is None:
        raise Refusal("not_offered", f"the law of {state.rulebook.system.id} on {command.day} sells nothing at a price of its own for {year}")
    sold = ask == "fixed_price"
    if not sold:
        require_awarded(state, command, year)
        _require_owed(state, command, frame, year)
    opening, unit = new_allowance(state, year)[1:] if sold else _payment_unit(state, year)
    batch = _units_for_money(state, command, buyers, unit, frame["quantity"].to_numpy(), price, sold)
    note: dict[str, Any] = {"event": "published", "what": "sold_at_fixed_price" if sold else "paid", "year": year, "price": str(price)}
    note |= {"quantity": int(frame["quantity"].sum()), "rows": frame.height, "day": command.day.isoformat()}
    return Decision([*opening, note], transfers=batch)


def _require_owed(state: State, command: Command, frame: pl.DataFrame, year: int) -> None:
    """Money settles what is owed for that very year and not met yet, and nothing beyond it: later years have prices of their own. Raises Refusal
    `limit_exceeded`."""
    room = payable_by_installation(state, command, year)
    over = frame.join(room, on="installation", how="left").filter(pl.col("quantity") > pl.col("payable").fill_null(0))
    if over.height:
        name, wanted, most = over.select("installation", "quantity", "payable").row(0)
        raise Refusal("limit_exceeded", f"{name} pays for {wanted:,} of {year}, and {most or 0:,} of it can still be settled in money")


def price_by_law(law: Any, year: int) -> tuple[str, Decimal | None]:
    """(ask, money per unit) of what the authority sells for a year; None where it sells nothing."""
    for ask in ("fixed_price", "payment_price"):
        if offers(law, ask) and (price := answer(law, ask, (year,))) is not None:
            return ask, Decimal(str(price))
    return "", None


def _payment_unit(state: State, year: int) -> tuple[list[dict[str, Any]], int]:
    """What a payment for one unit of a year is in the books: a unit type of kind `payment`."""
    code = f"PAID-{year}"
    number = state.unit(code)
    if number >= 0:
        return [], number
    event = {"event": "unit_type_added", "code": code, "kind": "payment", "vintage": year, "measure": state.rulebook.system.measure}
    return [event], len(state.books.unit_types)


def _units_for_money(state: State, command: Command, buyers: Any, unit: int, quantity: Any, price: Decimal, sold: bool) -> Any:
    """Chains of (pay in,) pay, deliver(, surrender), in that order for each buyer. Cost to the minor unit, nearest."""
    currency = state.rulebook.system.currency
    money = state.unit(currency)
    cost = multiply(quantity, fraction(price) * 10 ** decimals_of(currency), rounding=NEAREST)
    number = state.accounts.number
    legs = []
    if command.body.get("paid_in"):
        legs.append(move(command, Kind.PAY, number("bank"), buyers, money, cost, TransferFlag.LINKED))
    from_buyer = TransferFlag.LINKED | (TransferFlag.BY_AUTHORITY if is_authority(state, command) else TransferFlag.NONE)
    legs.append(move(command, Kind.PAY, buyers, number("treasury"), money, cost, from_buyer))
    legs.append(move(command, Kind.SELL, number("issuance"), buyers, unit, quantity, TransferFlag.NONE if sold else TransferFlag.LINKED))
    if not sold:
        legs.append(move(command, Kind.SURRENDER, buyers, number("surrendered"), unit, quantity, TransferFlag.BY_AUTHORITY))
    if any(len(leg) != len(buyers) for leg in legs):
        raise Refusal("malformed", f"at {price} some of these purchases cost less than one minor unit of {currency}")
    return np.stack(legs, axis=1).reshape(-1)
