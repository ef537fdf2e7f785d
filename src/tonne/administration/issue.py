"""Issue the year's cap into the total-quantity account, as the law on that day sets it."""

from __future__ import annotations

from typing import Any

from tonne.administration.asks import answer, offers
from tonne.administration.commands import Command
from tonne.administration.decision import Decision, move, text, whole, year_of
from tonne.administration.kinds import Kind
from tonne.administration.refusals import Refusal
from tonne.administration.reserved import require_ordinary
from tonne.administration.state import State
from tonne.ledger import TransferFlag


def new_allowance(state: State, year: int) -> tuple[str, list[dict[str, Any]], int]:
    """The year's allowance: code, the event that adds its unit type when it is new, and its number in the ledger."""
    code = state.allowance_code(year)
    number = state.unit(code)
    if number >= 0:
        return code, [], number
    vintage = int(code.rsplit("-", 1)[1]) if code != state.rulebook.system.unit_code else None
    measure = state.rulebook.system.measure
    event = {"event": "unit_type_added", "code": code, "kind": "allowance", "vintage": vintage, "measure": measure}
    return code, [event], len(state.books.unit_types)


def issue(state: State, command: Command) -> Decision:
    """Body: year. A system without a cap ahead of output issues nothing here: its units come into being at allocation."""
    year = year_of(command)
    law = state.law(command.day)
    done = {"event": "task_done", "task": "issue", "year": year, "day": command.day.isoformat()}
    if not offers(law, "cap"):
        return Decision([done])
    cap = answer(law, "cap", (year,))
    if cap is None:
        return Decision([done])
    code, opening, unit = new_allowance(state, year)
    batch = move(command, Kind.ISSUE, state.accounts.number("issuance"), state.accounts.number("total-quantity"), unit, int(cap))
    published = {"event": "published", "what": "cap", "year": year, "quantity": int(cap), "unit": code, "day": command.day.isoformat()}
    return Decision([*opening, published, done], transfers=batch)


def open_balance(state: State, command: Command) -> Decision:
    """Body: account, unit (code), quantity, source. Units that were in circulation before these books began: they come from outside, and say so."""
    account, code, quantity = text(command, "account"), text(command, "unit"), whole(command, "quantity")
    if account not in state.accounts:
        raise Refusal("unknown_account", f"no account {account!r}")
    opening: list[dict[str, Any]] = []
    unit = state.unit(code)
    year = year_of(command) if "year" in command.body else command.day.year - 1
    if unit < 0:
        named, opening, unit = new_allowance(state, year)
        if named != code:
            raise Refusal("unknown_unit_type", f"no unit type {code!r}; the allowance of {year} is {named!r}")
    batch = move(command, Kind.OPENING, state.accounts.number("outside"), state.accounts.number(account), unit, quantity, TransferFlag.NONE)
    require_ordinary(state, command, batch)
    note = {"event": "published", "what": "opening", "year": year, "quantity": quantity}
    note |= {"unit": code, "source": text(command, "source"), "day": command.day.isoformat(), "account": account}
    return Decision([*opening, note], transfers=batch)
