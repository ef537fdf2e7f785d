"""Move units between accounts: one transfer, many, or another registry's records."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from tonne.administration.commands import Command
from tonne.administration.decision import IMPORTED_IDS, Decision, move_one, table, text, whole
from tonne.administration.kinds import Kind
from tonne.administration.permissions import is_authority, require_held, require_holder
from tonne.administration.refusals import Refusal
from tonne.administration.reserved import require_ordinary
from tonne.administration.state import State
from tonne.dates import day_number
from tonne.ledger import TRANSFER, TransferFlag


def transfer(state: State, command: Command) -> Decision:
    """Body: from, to, unit, quantity. Or a table `transfers` of the ledger's dtype (accounts and unit types by number), all or none."""
    batch = command.tables.get("transfers")
    if isinstance(batch, np.ndarray):
        return Decision([{"event": "moved", "count": len(batch)}], transfers=_bulk(state, command, batch))
    source, target = account(state, text(command, "from")), account(state, text(command, "to"))
    require_holder(state, command, [source])
    require_held(state, command, [target])
    row = move_one(command, Kind.TRANSFER, source, target, unit_type(state, text(command, "unit")), whole(command, "quantity"))
    require_ordinary(state, command, row)
    return Decision([{"event": "moved", "count": 1}], transfers=row)


def _bulk(state: State, command: Command, batch: Any) -> Any:
    if not len(batch):
        raise Refusal("malformed", "table 'transfers' has at least one row")
    batch = batch.copy()
    if not is_authority(state, command):
        mine = state.accounts.of_holder(command.by)
        foreign = ~np.isin(batch["from_account"], mine)
        if foreign.any():
            raise Refusal("not_permitted", f"row {int(np.flatnonzero(foreign)[0]) + 1} takes from an account that is not {command.by!r}'s")
        if (batch["flags"] & int(TransferFlag.BY_AUTHORITY)).any():
            raise Refusal("not_permitted", f"only the authority marks transfers BY_AUTHORITY, not {command.by!r}")
        targets = np.unique(batch["to_account"])
        require_held(state, command, targets[(targets >= 0) & (targets < len(state.accounts))].tolist())
    require_ordinary(state, command, batch)
    batch["id"], batch["kind"] = 0, int(Kind.TRANSFER)
    batch["day"] = day_number(command.day)
    return batch


def cancel(state: State, command: Command) -> Decision:
    """Body: from, unit, quantity, reason. Units removed for good with no obligation met."""
    source = account(state, text(command, "from"))
    require_holder(state, command, [source])
    unit, quantity = unit_type(state, text(command, "unit")), whole(command, "quantity")
    if state.books.unit_types[unit].kind == "money":
        raise Refusal("not_eligible", f"{command.body['unit']} is money: it is paid, not cancelled")
    batch = move_one(command, Kind.CANCEL, source, state.accounts.number("cancelled"), unit, quantity)
    require_ordinary(state, command, batch)
    return Decision([{"event": "moved", "count": 1, "reason": text(command, "reason")}], transfers=batch)


def import_transfers(state: State, command: Command) -> Decision:
    """Table `rows`: number (the other registry's, unique), from, to (account ids), unit (code), quantity, kind. Each posts or is refused by name.

    The other registry's number is the transfer's id, so that a second import answers `exists` throughout and changes nothing.
    """
    columns = {"number": pl.Int64, "from": pl.String, "to": pl.String, "unit": pl.String, "quantity": pl.Int64, "kind": pl.String}
    given = command.tables.get("rows")
    frame = table(command, "rows", columns | ({"day": pl.Int32} if isinstance(given, pl.DataFrame) and "day" in given.columns else {}))
    kinds = {kind.word: int(kind) for kind in Kind}
    unknown = sorted(set(frame["kind"].unique().to_list()) - set(kinds))
    if unknown:
        raise Refusal("malformed", f"unknown kinds {', '.join(unknown)}; there are {', '.join(kinds)}")
    if frame.filter(~pl.col("number").is_between(0, IMPORTED_IDS - 1)).height:
        raise Refusal("malformed", f"numbers of the other registry lie between 0 and {IMPORTED_IDS - 1}")
    if "day" in frame.columns and frame.filter(pl.col("day") > day_number(command.day)).height:
        raise Refusal("malformed", f"no row is of a day after {command.day}, the day on which they are imported")
    batch = np.zeros(frame.height, dtype=TRANSFER)
    batch["id"] = IMPORTED_IDS + frame["number"].to_numpy()
    for column in ("from", "to"):
        batch[f"{column}_account"] = [state.accounts.find(name) for name in frame[column].to_list()]
    batch["unit"] = [state.unit(code) for code in frame["unit"].to_list()]
    batch["quantity"] = frame["quantity"].to_numpy()
    batch["kind"] = [kinds[word] for word in frame["kind"].to_list()]
    batch["day"] = frame["day"].to_numpy() if "day" in frame.columns else day_number(command.day)
    require_ordinary(state, command, batch)
    return Decision([{"event": "moved", "count": frame.height}], transfers=batch, independent=True)


def account(state: State, name: str) -> int:
    """The ledger number of an account id. Raises Refusal `unknown_account`."""
    number = state.accounts.find(name)
    if number < 0:
        raise Refusal("unknown_account", f"no account {name!r}")
    return number


def unit_type(state: State, code: str) -> int:
    """The ledger number of a unit type's code. Raises Refusal `unknown_unit_type`."""
    number = state.unit(code)
    if number < 0:
        raise Refusal("unknown_unit_type", f"no unit type {code!r}; there are {', '.join(sorted(state.unit_codes))}")
    return number
