"""What accounts hold, and how it came there: balances by unit type and vintage, statements with a running balance, balances over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from tonne.administration.decision import IMPORTED_IDS, ROWS_PER_COMMAND
from tonne.administration.kinds import Kind
from tonne.administration.matching import locked
from tonne.administration.state import State
from tonne.dates import day_number
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.found import account_number, holder_name, participant_name
from tonne.ledger import AccountFlag, PendingState, views

#: Kinds of accounts that are a participant's own, in the order in which they are shown.
OWN_KINDS = ("operator", "trading", "remainder", "cash", "collateral", "position", "default_fund")
STATEMENT: dict[str, Any] = {
    "id": pl.Int64,  # of the transfer
    "sequence": pl.Int64,  # the log entry that made it; null: it brought its id from another registry
    "day": pl.Date,
    "kind": pl.String,
    "direction": pl.String,  # in, out
    "unit": pl.String,
    "quantity": pl.Int64,  # above zero
    "counterpart": pl.String,  # account id
    "counterpart_kind": pl.String,
    "counterpart_holder": pl.String,
    "corrects": pl.Int64,  # id of the transfer that this one corrects; null: none
    "balance": pl.Int64,  # of the unit type afterwards
}
RESERVED: dict[str, Any] = {
    "id": pl.Int64,
    "sequence": pl.Int64,
    "day": pl.Date,
    "kind": pl.String,
    "direction": pl.String,  # out: set aside here; in: will come if it is carried out
    "unit": pl.String,
    "quantity": pl.Int64,
    "counterpart": pl.String,
    "expires": pl.Date,  # null: never
}
_KINDS = [Kind(number).word if number in list(Kind) else "" for number in range(max(Kind) + 1)]


@dataclass(frozen=True)
class Balance:
    """What an account holds of a unit type. kind: allowance, credit, payment, position, money (minor units); available: held less reserved.

    incoming: reserved elsewhere for this account; locked: of available, bought and not yet free to be sold again."""

    unit: str
    kind: str
    vintage: int | None
    measure: str
    held: int
    reserved: int
    available: int
    incoming: int
    locked: int


@dataclass(frozen=True)
class Account:
    """An account. flags: blocked, closed, one_way; admitted: to the exchange; first_day, last_day: of what moved on it."""

    account: str
    kind: str
    holder: str
    holder_name: str
    installation: str | None
    installation_name: str
    flags: tuple[str, ...]
    admitted: bool
    transfers: int
    first_day: date | None
    last_day: date | None
    balances: tuple[Balance, ...]


def accounts(state: State, participant: str, *, cache: Cache | None = None) -> tuple[Account, ...]:
    """All accounts of a participant, installations' first. Raises NotFound for a participant nobody knows."""
    participant_name(state, participant)
    numbers = [number for number in state.accounts.of_holder(participant) if state.accounts.kinds[number] in OWN_KINDS]
    numbers.sort(key=lambda number: (OWN_KINDS.index(state.accounts.kinds[number]), state.accounts.ids[number]))
    return tuple(_account(state, number, cache or Cache()) for number in numbers)


def account(state: State, name: str, *, participant: str | None = None, cache: Cache | None = None) -> Account:
    """One account. Raises NotFound, with the nearest of the participant's own accounts."""
    own = [state.accounts.ids[number] for number in state.accounts.of_holder(participant)] if participant else ()
    return _account(state, account_number(state, name, own), cache or Cache())


def _account(state: State, number: int, cache: Cache) -> Account:
    register, key = state.accounts, state.accounts.installations[number]
    flags = int(state.books.flags()[number])
    rows = cache.moves(state).of(number)
    days = state.books.transfers["day"][rows[[0, -1]]] if len(rows) else None
    name = state.installations.lookup(key)["name"] if key is not None and key in state.installations else ""
    holder = register.holders[number]
    words = (AccountFlag.BLOCKED, AccountFlag.CLOSED, AccountFlag.ONE_WAY)
    return Account(
        account=register.ids[number],
        kind=register.kinds[number],
        holder=holder,
        holder_name=holder_name(state, holder),
        installation=key,
        installation_name=name,
        flags=tuple(flag.name.lower() for flag in words if flags & flag and flag.name),
        admitted=state.exchange.member(number) >= 0,
        transfers=len(rows),
        first_day=None if days is None else _day(days[0]),
        last_day=None if days is None else _day(days[1]),
        balances=balances(state, number),
    )


def balances(state: State, number: int) -> tuple[Balance, ...]:
    """What an account (ledger number) holds of each unit type, none that it never held or has no more; oldest vintage first, money last."""
    types = state.books.unit_types
    units = np.arange(len(types))
    numbers = np.full(len(units), number)
    held = state.books.balances(numbers, units)
    available = state.books.availables(numbers, units)
    stuck = locked(state.exchange, numbers, units, day_number(state.today)) if len(state.exchange.locks) else np.zeros_like(held)
    incoming = _incoming(state, number) if len(types) else {}
    order = sorted(range(len(types)), key=lambda unit: (types[unit].kind == "money", types[unit].kind, types[unit].vintage or 0, types[unit].code))
    return tuple(
        Balance(
            unit=types[unit].code,
            kind=types[unit].kind,
            vintage=types[unit].vintage,
            measure=types[unit].measure,
            held=int(held[unit]),
            reserved=int(held[unit] - available[unit]),
            available=int(available[unit]),
            incoming=incoming.get(unit, 0),
            locked=int(stuck[unit]),
        )
        for unit in order
        if held[unit] or held[unit] != available[unit] or incoming.get(unit)
    )


def _incoming(state: State, number: int) -> dict[int, int]:
    rows = open_pendings(state)
    found: dict[int, int] = {}
    for row in rows[rows["to_account"] == number]:
        found[int(row["unit"])] = found.get(int(row["unit"]), 0) + int(row["quantity"])
    return found


def open_pendings(state: State) -> Any:
    """Transfers that are reserved and neither carried out nor released."""
    return state.books.transfers[state.books.pending_states == PendingState.OPEN]


def _day(number: Any) -> date:
    return date.fromordinal(int(number) + date(1970, 1, 1).toordinal())


def statement(
    state: State,
    name: str,
    *,
    unit: str | None = None,
    kind: str | None = None,
    first: date | None = None,
    last: date | None = None,
    cache: Cache | None = None,
) -> pl.DataFrame:
    """All that moved on an account, in the order of the books, in STATEMENT. Balances count all that moved, whatever is chosen of it.

    Raises NotFound for an account that is not open. Whether the asker may see the counterpart is the caller's to decide.
    """
    number = account_number(state, name)
    depends = (len((cache := cache or Cache()).moves(state).of(number)), state.books, len(state.accounts), state.participants)
    frame = cache.get(("statement", number), depends, lambda: _statement(state, number, cache))
    chosen = [pl.col(column) == value for column, value in (("unit", unit), ("kind", kind)) if value is not None]
    chosen += [pl.col("day") >= first] if first else []
    chosen += [pl.col("day") <= last] if last else []
    return frame.filter(*chosen) if chosen else frame


def _statement(state: State, number: int, cache: Cache) -> pl.DataFrame:
    rows = state.books.transfers[cache.moves(state).of(number)]
    out = rows["from_account"] == number
    rows, out = rows[rows["from_account"] != rows["to_account"]], out[rows["from_account"] != rows["to_account"]]
    frame = _told(state, rows, out)
    change = pl.when(pl.col("direction") == "out").then(-pl.col("quantity")).otherwise(pl.col("quantity"))
    return frame.with_columns(balance=change.cum_sum().over("unit")).select([pl.col(c).cast(t) for c, t in STATEMENT.items()])


def _told(state: State, rows: Any, out: Any) -> pl.DataFrame:
    """Rows of the books in words, seen from one side: `out` says which of them left it."""
    other = np.where(out, rows["to_account"], rows["from_account"])
    distinct, place = np.unique(other, return_inverse=True)

    def column(values: list[str]) -> pl.Series:
        return pl.Series([values[one] for one in distinct.tolist()], dtype=pl.String).gather(place)

    holders = [holder_name(state, state.accounts.holders[one]) for one in distinct.tolist()]
    codes = pl.Series([one.code for one in state.books.unit_types], dtype=pl.String)
    ids = np.ascontiguousarray(rows["id"])
    corrects = np.where(rows["flags"] & 32, rows["reference"], 0)
    return pl.DataFrame(
        {
            "id": ids,
            "sequence": np.where(ids >= IMPORTED_IDS, 0, ids // ROWS_PER_COMMAND),
            "day": pl.Series(np.ascontiguousarray(rows["day"]), dtype=pl.Int32).cast(pl.Date),
            "kind": pl.Series(_KINDS, dtype=pl.String).gather(np.ascontiguousarray(rows["kind"]).astype(np.int64)),
            "direction": pl.Series(np.where(out, "out", "in").tolist(), dtype=pl.String),
            "unit": codes.gather(np.ascontiguousarray(rows["unit"]).astype(np.int64)),
            "quantity": np.ascontiguousarray(rows["quantity"]),
            "counterpart": column(state.accounts.ids),
            "counterpart_kind": column(state.accounts.kinds),
            "counterpart_holder": pl.Series(holders, dtype=pl.String).gather(place),
            "corrects": corrects,
            "expires": pl.Series(np.ascontiguousarray(rows["expires"]), dtype=pl.Int32).cast(pl.Date),
        }
    ).with_columns(
        *(pl.when(pl.col(name) != 0).then(pl.col(name)).alias(name) for name in ("sequence", "corrects")),
        pl.when(pl.col("expires") != date(1970, 1, 1)).then(pl.col("expires")).alias("expires"),
    )


def anonymous(frame: pl.DataFrame) -> pl.DataFrame:
    """A statement without the other party of trades between participants: the order book does not say with whom one traded."""
    hidden = pl.col("kind").is_in(["sell", "pay", "deliver"]) & pl.col("counterpart_kind").is_in(["operator", "trading", "remainder"])
    names = ("counterpart", "counterpart_holder")
    return frame.with_columns(pl.when(hidden).then(None).otherwise(pl.col(name)).alias(name) for name in names)


def reserved(state: State, name: str) -> pl.DataFrame:
    """What is set aside on an account, or elsewhere for it, in RESERVED. Raises NotFound."""
    number = account_number(state, name)
    rows = open_pendings(state)
    rows = rows[(rows["from_account"] == number) | (rows["to_account"] == number)]
    return _told(state, rows, rows["from_account"] == number).select([pl.col(c).cast(t) for c, t in RESERVED.items()])


def over_time(state: State, name: str, *, unit: str | None = None, cache: Cache | None = None) -> pl.DataFrame:
    """day, unit, balance: what an account held at the end of each day on which it changed. Raises NotFound."""
    frame = statement(state, name, unit=unit, cache=cache)
    return frame.group_by("unit", "day", maintain_order=True).agg(pl.col("balance").last()).select("day", "unit", "balance").sort("unit", "day")


def by_kind(state: State) -> list[dict[str, Any]]:
    """unit, what the integer 1 of it means, kind of account, accounts that hold any, balance: sums over the books, by unit and kind."""
    kinds = pl.DataFrame({"kind": state.accounts.kinds}, schema={"kind": pl.String}).with_row_index("account")
    rows = views.holdings(state.books).filter(pl.col("balance") != 0)
    rows = rows.join(kinds.with_columns(pl.col("account").cast(pl.Int64)), on="account", how="left")
    summed = rows.group_by("kind", "code").agg(accounts=pl.len(), balance=pl.col("balance").sum()).sort("code", "kind")
    measures = {unit.code: unit.measure for unit in state.books.unit_types}
    names = ("kind", "accounts", "balance")
    return [{"unit": row["code"], "measure": measures[row["code"]], **{name: row[name] for name in names}} for row in summed.to_dicts()]
