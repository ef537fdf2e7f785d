"""What a proposal would do: the command inside it, decided but not entered; its effect in plain values; and what the books would say against it.

An effect is what both persons read:

    moves         [{from, to, unit, quantity}], summed by the first three, MOVES_SHOWN at most; `count` is how many transfers there are
    changes       other events that follow, without their tables
    trusted       of a transfer of units by their holder: whether the target is trusted; None for all else
    first         of such a transfer: whether nothing went from this account to that one before; None for all else
    at_once       whether it happens with the approval
    runs, cancel_until     when it runs, and until when it can be taken back, if it were approved now; None where it happens at once
    trusted_from  of a new trusted account: from when it would count; None for all else
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from tonne.administration import amend, cash, found, moments, permissions, purchase, report, surrender, transfer, trust
from tonne.administration.commands import Command, well_formed
from tonne.administration.decision import Decision, Handler
from tonne.administration.permissions import TWO_PERSONS, is_authority
from tonne.administration.refusals import LEDGER, Refusal
from tonne.administration.state import State
from tonne.ledger import AccountFlag, Result, TransferFlag

#: verb -> handler of what may be proposed. None of them is an act, enters rows one by one, or stores a table of its command under that command's
#: name, so that its decision is whole inside another one.
INNER: dict[str, Handler] = {
    "transfer": transfer.transfer,
    "surrender": surrender.surrender,
    "cancel": transfer.cancel,
    "withdraw": cash.withdraw,
    "deposit": cash.deposit,
    "purchase": purchase.purchase,
    "trust_account": trust.trust_account,
    "distrust_account": trust.distrust_account,
    "set_account_flags": found.set_account_flags,
    "close_installation": found.close_installation,
    "report": report.report,
    "verify": report.verify,
    "correct_report": report.correct_report,
    "amend": amend.amend,
}
assert set(INNER) == set(TWO_PERSONS)
MOVES_SHOWN = 100
#: What a column of a proposal's table may hold beside nulls -> how it is kept.
_CELLS: dict[type, Any] = {int: pl.Int64, str: pl.String, bool: pl.Boolean}


def inner_command(id: str, proposal: Mapping[str, Any], command: Command, moment: datetime) -> Command:
    """The command inside a proposal, as it is sent today: by the participant, with the person who began it. Raises Refusal `malformed`."""
    body = dict(proposal["body"]) | {"person": proposal["person"], "moment": moment.isoformat()}
    tables = {name: _frame(name, rows) for name, rows in proposal["tables"].items()}
    try:
        return well_formed(Command(id, proposal["verb"], proposal["participant"], command.day, body, tables))[0]
    except (TypeError, ValueError) as error:
        raise Refusal("malformed", f"what is proposed: {error}") from None


def decide(state: State, inner: Command) -> Decision:
    """What the inner command comes to today: rights, law and registers are asked anew. Raises the Refusals of its verb."""
    permissions.require(state, inner)
    return INNER[inner.kind](state, inner)


def _frame(name: str, rows: Any) -> pl.DataFrame:
    """A table from rows as mappings; a column holds whole numbers, texts or booleans, and a cell that is left out is empty."""
    if not isinstance(rows, list) or not rows or not all(isinstance(row, Mapping) for row in rows):
        raise Refusal("malformed", f"table {name!r} of a proposal is a list of rows, each a mapping of column and value")
    columns: dict[str, pl.Series] = {}
    for column in dict.fromkeys(key for row in rows for key in row):
        cells = [row.get(column) for row in rows]
        kinds = {type(cell) for cell in cells if cell is not None}
        if len(kinds) > 1 or not kinds <= set(_CELLS) or any(type(cell) is int and not -(2**63) <= cell < 2**63 for cell in cells):
            raise Refusal("malformed", f"table {name!r}, column {column!r}: whole numbers, texts or booleans, one of them throughout")
        columns[column] = pl.Series(column, cells, dtype=_CELLS[kinds.pop()] if kinds else pl.Null)
    return pl.DataFrame(columns)


class Timing(NamedTuple):
    """When what is approved at a moment happens. `trusted` None: it is no holder's transfer of units, and the law delays nothing."""

    trusted: bool | None
    runs: datetime
    cancel_until: datetime


def timing_of(state: State, inner: Command, decision: Decision, moment: datetime) -> Timing:
    """A holder's transfer of units runs when the law says; everything else, and what the authority transfers, at once."""
    if inner.kind != "transfer" or decision.transfers is None or is_authority(state, inner):
        return Timing(None, moment, moment)
    row = decision.transfers[0]
    if state.books.unit_types[row["unit"]].kind == "money":
        return Timing(None, moment, moment)
    source, target = int(row["from_account"]), int(row["to_account"])
    trusted = trust.is_trusted(state, source, target, moment)
    runs = moments.runs_at(state, moment, trusted, moments.country_of(state, source))
    return Timing(trusted, runs, moments.cancellable_until(state, runs, moment.date()))


def effect_of(state: State, decision: Decision, timing: Timing, moment: datetime) -> dict[str, Any]:
    """The effect in plain values, as the top of this file says."""
    codes = [unit.code for unit in state.books.unit_types] + [event["code"] for event in decision.events if event["event"] == "unit_type_added"]
    moves: dict[tuple[str, str, str], int] = {}
    batch = decision.transfers if decision.transfers is not None else ()
    for row in batch:
        key = (state.accounts.ids[row["from_account"]], state.accounts.ids[row["to_account"]], codes[row["unit"]])
        moves[key] = moves.get(key, 0) + int(row["quantity"])
    shown = [{"from": source, "to": target, "unit": unit, "quantity": quantity} for (source, target, unit), quantity in moves.items()]
    changes = [{key: value for key, value in event.items() if key != "table"} for event in decision.events if event["event"] != "moved"]
    at_once = timing.runs <= moment
    return {
        "moves": shown[:MOVES_SHOWN],
        "count": len(batch),
        "changes": changes,
        "trusted": timing.trusted,
        "first": _is_first(state, batch[0]) if timing.trusted is not None else None,
        "at_once": at_once,
        "runs": None if at_once else timing.runs.isoformat(),
        "cancel_until": None if at_once else timing.cancel_until.isoformat(),
        "trusted_from": next((event["from"] for event in changes if event["event"] == "account_trusted"), None),
    }


def _is_first(state: State, row: Any) -> bool:
    rows = state.books.transfers
    moved = (rows["flags"] & int(TransferFlag.PENDING | TransferFlag.VOID)) == 0
    return not (moved & (rows["from_account"] == row["from_account"]) & (rows["to_account"] == row["to_account"])).any()


# -- what the books would say


def require_possible(state: State, batch: Any) -> None:
    """The books would take these transfers as they stand now. Raises Refusal by the name that they would give."""
    flags, free = state.books.flags(), {}
    for row in batch if batch is not None else ():
        source, target, unit, quantity = (int(row[name]) for name in ("from_account", "to_account", "unit", "quantity"))
        _require_open(state, flags, source, target, bool(row["flags"] & int(TransferFlag.BY_AUTHORITY)))
        for account in (source, target):
            if (account, unit) not in free:
                free[account, unit] = state.books.available(account, unit) if unit < len(state.books.unit_types) else 0
        if flags[source] & AccountFlag.MUST_NOT_OVERDRAW and free[source, unit] < quantity:
            held = state.books.balance(source, unit)
            have = f"{held:,}, of which {held - free[source, unit]:,} are set aside" if held > free[source, unit] else f"{held:,}"
            name, code = state.accounts.ids[source], state.books.unit_types[unit].code
            raise Refusal("insufficient_balance", f"account {name!r} holds {have}; {quantity:,} {code} are to leave it")
        free[source, unit] -= quantity
        free[target, unit] += quantity


def _require_open(state: State, flags: Any, source: int, target: int, by_authority: bool) -> None:
    """What the books ask of both accounts, in their order. Raises Refusal."""
    asked = [
        (source == target, Result.SAME_ACCOUNT),
        (flags[source] & AccountFlag.CLOSED, Result.FROM_ACCOUNT_CLOSED),
        (flags[target] & AccountFlag.CLOSED, Result.TO_ACCOUNT_CLOSED),
        (flags[source] & AccountFlag.BLOCKED and not by_authority, Result.ACCOUNT_BLOCKED),
        (flags[source] & AccountFlag.ONE_WAY and not by_authority, Result.ACCOUNT_ONE_WAY),
    ]
    for holds, result in asked:
        if holds:
            names = f"from {state.accounts.ids[source]!r} to {state.accounts.ids[target]!r}"
            raise Refusal(result.name_for_people, f"{names}: {LEDGER[result]}")


def require_open(state: State, source: int, target: int) -> None:
    """A reserved transfer may still be carried out between these accounts. Raises Refusal: `from_account_closed`, `to_account_closed`,
    `account_blocked`, `account_one_way`."""
    _require_open(state, np.asarray(state.books.flags()), source, target, False)
