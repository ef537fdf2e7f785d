"""Issue the year's cap into the total-quantity account, as the law on that day sets it."""

from __future__ import annotations

from typing import Any

from tonne.administration.asks import answer, offers
from tonne.administration.commands import Command
from tonne.administration.decision import Decision, move, text, whole
from tonne.administration.kinds import Kind
from tonne.administration.refusals import Refusal
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
    year = whole(command, "year", 1900)
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
    if unit < 0:
        if not code.startswith(state.rulebook.system.unit_code):
            raise Refusal("unknown_unit_type", f"no unit type {code!r}")
        year = whole(command, "year", 1900)
        code, opening, unit = new_allowance(state, year)
    batch = move(command, Kind.OPENING, state.accounts.number("outside"), state.accounts.number(account), unit, quantity, TransferFlag.NONE)
    note = {"event": "published", "what": "opening", "year": command.body.get("year", command.day.year - 1), "quantity": quantity}
    note |= {"unit": code, "source": text(command, "source"), "day": command.day.isoformat(), "account": account}
    return Decision([*opening, note], transfers=batch)
