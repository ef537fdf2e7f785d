"""What a handler answers: the events that follow from a command, their tables, the transfers they need. Nothing has happened yet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

import numpy as np
import polars as pl

from tonne.administration.commands import Command, Table
from tonne.administration.kinds import Kind
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.dates import day_number
from tonne.ledger import LARGEST_QUANTITY, TransferFlag, transfers

#: Transfers of one command are numbered within its sequence: sixteen million rows a command are room enough.
ROWS_PER_COMMAND = 1 << 24
#: Ids chosen by importers (a foreign registry's block numbers) live above those that the administration makes.
IMPORTED_IDS = 1 << 61

Batch: TypeAlias = "np.ndarray[Any, Any]"


@dataclass
class Decision:
    """events: in order, each {"event": name, ...plain values}; a value `table` names one of `tables` (or `command/<name>` of the command's own).

    adds unit types through events, which take effect before the transfers are applied; what opens accounts moves nothing.
    independent: each transfer stands for itself (an import); otherwise all post or the command is refused.
    What can only be worked out by doing it (the order book's matching) is no part of a decision: its first event is one of `acts.ACTS`, and entering
    it makes the transfers.
    """

    events: list[dict[str, Any]] = field(default_factory=list)
    tables: dict[str, Table] = field(default_factory=dict)
    transfers: Batch | None = None
    independent: bool = False


Handler: TypeAlias = Callable[[State, Command], Decision]


def move(
    command: Command,
    kind: Kind,
    source: Any,
    target: Any,
    unit: Any,
    quantity: Any,
    flags: TransferFlag = TransferFlag.NONE,
) -> Batch:
    """A batch of transfers on the command's day. Arguments broadcast; rows of quantity 0 are left out; ids are given by the clerk."""
    source, target, unit, quantity = np.broadcast_arrays(np.atleast_1d(source), target, unit, quantity)
    rows = quantity != 0
    batch = transfers(int(rows.sum()))
    batch["from_account"], batch["to_account"], batch["unit"] = source[rows], target[rows], unit[rows]
    batch["quantity"], batch["kind"], batch["flags"] = quantity[rows], int(kind), int(flags)
    batch["day"] = day_number(command.day)
    return batch


def move_one(command: Command, kind: Kind, source: int, target: int, unit: int, quantity: int) -> Batch:
    """One transfer on the command's day: what `move` makes of plain numbers, without the cost of broadcasting them."""
    batch = transfers(1)
    batch[0] = (0, 0, quantity, source, target, unit, day_number(command.day), 0, int(kind), 0)
    return batch


def join(*batches: Batch) -> Batch:
    return np.concatenate(batches) if batches else transfers(0)


def table(command: Command, name: str, columns: Mapping[str, Any], may_be_empty: Collection[str] = ()) -> pl.DataFrame:
    """A frame that a command must carry, with its columns cast and its cells filled. Raises Refusal `malformed` with what is missing."""
    frame = command.tables.get(name)
    if not isinstance(frame, pl.DataFrame):
        raise Refusal("malformed", f"{command.kind} carries a table {name!r} with the columns {', '.join(columns)}")
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise Refusal("malformed", f"table {name!r} lacks {', '.join(missing)}; it has {', '.join(frame.columns)}")
    broken = [name for name, kind in columns.items() if kind.is_integer() and frame[name].dtype.is_numeric() and not frame[name].dtype.is_integer()]
    if broken:
        raise Refusal("malformed", f"table {name!r} holds numbers with decimals in {', '.join(broken)}, where whole numbers are needed")
    try:
        cast = frame.select([pl.col(column).cast(kind) for column, kind in columns.items()])
    except pl.exceptions.PolarsError as error:
        raise Refusal("malformed", f"table {name!r}: {str(error).splitlines()[0]}") from None
    empty = [column for column in columns if column not in may_be_empty and cast[column].null_count()]
    if empty:
        raise Refusal("malformed", f"table {name!r} has empty cells in {', '.join(empty)}, which must be filled")
    return cast


def text(command: Command, name: str) -> str:
    """A text of the body. Raises Refusal `malformed`."""
    value = command.body.get(name)
    if not isinstance(value, str) or not value:
        raise Refusal("malformed", f"{command.kind} needs {name!r} (text)")
    return value


def optional_text(command: Command, name: str, otherwise: str = "") -> str:
    """A text of the body, `otherwise` where it is left out. Raises Refusal `malformed`."""
    return text(command, name) if command.body.get(name) not in (None, "") else otherwise


def whole(command: Command, name: str, least: int = 1, most: int = LARGEST_QUANTITY) -> int:
    """A whole number of the body, from `least` to `most`. Raises Refusal `malformed`."""
    value = command.body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Refusal("malformed", f"{command.kind} needs {name!r}, a whole number from {least} to {most}, not {value!r}")
    return value


def year_of(command: Command, name: str = "year") -> int:
    """A year of the body. Raises Refusal `malformed`."""
    return whole(command, name, 1900, 2300)


def price_of(command: Command, name: str) -> Decimal | None:
    """Money per unit of the body, above zero; None where it is left out. Raises Refusal `malformed`."""
    value = command.body.get(name)
    if value is None:
        return None
    try:
        price = Decimal(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else None
    except InvalidOperation:
        price = None
    if price is None or not price.is_finite():
        raise Refusal("malformed", f'{name} {value!r} is no price; write it as text, like "13.91"')
    if price <= 0:
        raise Refusal("malformed", f"a price is above zero, not {price}")
    return price
