"""Completed transfers for everybody: one by one after the law's delay, summed up by month before it. Inside the delay nothing about a single one.

Sums are of whole months that are over, so that nobody reads a transfer off a sum that has just grown, and a sum behind which stand one or two
participants is hidden. Money and lots of contracts are no transactions of the registry.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from tonne.administration.decision import IMPORTED_IDS, ROWS_PER_COMMAND
from tonne.administration.state import State
from tonne.dates import day_number
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.explain import Piece, piece
from tonne.interfaces.views.found import holder_name
from tonne.interfaces.views.holdings import _KINDS
from tonne.ledger import TransferFlag

PARAMETER = "registry.transactions_public_after"
UNITS = ("allowance", "credit", "payment")
#: Fewer participants than this behind a sum, and it is hidden.
FEWEST = 3
#: Kinds of accounts that are the market's own: nobody is seen by what they do.
_MARKETS = frozenset(
    """
    issuance total_quantity auction stability_reserve surrendered cancelled invalidated ccp ccp_capital escrow outside
    """.split()
)
TRANSACTIONS: dict[str, Any] = {
    "id": pl.Int64,
    "sequence": pl.Int64,  # of the log entry; null: brought from another registry
    "day": pl.Date,
    "kind": pl.String,
    "from": pl.String,  # account id
    "from_kind": pl.String,
    "from_holder": pl.String,
    "to": pl.String,
    "to_kind": pl.String,
    "to_holder": pl.String,
    "unit": pl.String,
    "quantity": pl.Int64,
}
MONTHS: dict[str, Any] = {
    "month": pl.Date,  # its first day
    "kind": pl.String,
    "units": pl.String,  # kind of unit type: allowance, credit, payment
    "transfers": pl.Int64,  # null: hidden
    "quantity": pl.Int64,  # null: hidden
    "hidden": pl.Boolean,  # because one or two participants stand behind it
}


@dataclass(frozen=True)
class Delay:
    """Until when transactions are shown. years: the delay; by_law: whether the law sets it (rule: its figure) or the platform.

    complete_to: the last day whose transactions are public, None: none is yet; months_to: the last day of the months whose sums are."""

    years: int
    by_law: bool
    rule: Piece | None
    complete_to: date | None
    months_to: date


def delay(state: State, today: date, otherwise_years: int) -> Delay:
    """The delay by the law of today; `otherwise_years` where the law has none."""
    law = state.law(max(today, state.rulebook.system.begins))
    by_law = law.has(PARAMETER)
    years = int(law.value(PARAMETER)) if by_law else otherwise_years
    last = years_before(today, years)
    return Delay(
        years=years,
        by_law=by_law,
        rule=piece(law, PARAMETER) if by_law else None,
        complete_to=last if last >= state.rulebook.system.begins else None,
        months_to=today.replace(day=1) - timedelta(days=1),
    )


def years_before(today: date, years: int) -> date:
    """The last day whose anniversary has come: what happened on 29 February waits for 1 March."""
    try:
        return today.replace(year=today.year - years)
    except ValueError:  # today is 29 February, and that year had none
        return date(today.year - years, 2, 28)


def transactions(
    state: State,
    today: date,
    *,
    otherwise_years: int = 3,
    account: str | None = None,
    kind: str | None = None,
    unit: str | None = None,
    first: date | None = None,
    last: date | None = None,
    cache: Cache | None = None,
) -> pl.DataFrame:
    """Completed transfers of units up to the last public day, in TRANSACTIONS, in the order of the books; chosen ones of them."""
    until = delay(state, today, otherwise_years).complete_to
    if until is None:
        return pl.DataFrame(schema=TRANSACTIONS)
    cache = cache or Cache()
    depends = (state.books, _rows_until(state, until, cache), state.participants)
    frame = cache.get(("transactions", until), depends, lambda: _told(state, _units(state, day_number(until))))
    chosen = [pl.col(name) == value for name, value in (("kind", kind), ("unit", unit)) if value is not None]
    chosen += [(pl.col("from") == account) | (pl.col("to") == account)] if account is not None else []
    chosen += [pl.col("day") >= first] if first else []
    chosen += [pl.col("day") <= last] if last else []
    return frame.filter(*chosen) if chosen else frame


def _rows_until(state: State, until: date, cache: Cache) -> int:
    """How many rows of the books lie up to a day: what is made of them stays the same while this does. Where days do not rise, all rows count."""
    rows = state.books.transfers
    return bisect_right(rows["day"], day_number(until)) if cache.moves(state).ordered else -len(rows)


def _units(state: State, until: int) -> Any:
    """Transfers that moved units, up to a day."""
    rows = state.books.transfers
    counted = np.array([unit.kind in UNITS for unit in state.books.unit_types], dtype=bool)
    moved = rows["flags"] & (TransferFlag.PENDING | TransferFlag.VOID) == 0
    return rows[moved & counted[rows["unit"]] & (rows["day"] <= until)] if len(counted) else rows[:0]


def _told(state: State, rows: Any) -> pl.DataFrame:
    ids, kinds = pl.Series(state.accounts.ids, dtype=pl.String), pl.Series(state.accounts.kinds, dtype=pl.String)
    names = {holder: holder_name(state, holder) for holder in dict.fromkeys(state.accounts.holders)}
    holders = pl.Series([names[holder] for holder in state.accounts.holders], dtype=pl.String)
    codes = pl.Series([unit.code for unit in state.books.unit_types], dtype=pl.String)
    source, target = (np.ascontiguousarray(rows[name]).astype(np.int64) for name in ("from_account", "to_account"))
    numbers = np.ascontiguousarray(rows["id"])
    frame = pl.DataFrame(
        {
            "id": numbers,
            "sequence": np.where(numbers >= IMPORTED_IDS, 0, numbers // ROWS_PER_COMMAND),
            "day": pl.Series(np.ascontiguousarray(rows["day"]), dtype=pl.Int32).cast(pl.Date),
            "kind": pl.Series(_KINDS, dtype=pl.String).gather(np.ascontiguousarray(rows["kind"]).astype(np.int64)),
            "from": ids.gather(source),
            "from_kind": kinds.gather(source),
            "from_holder": holders.gather(source),
            "to": ids.gather(target),
            "to_kind": kinds.gather(target),
            "to_holder": holders.gather(target),
            "unit": codes.gather(np.ascontiguousarray(rows["unit"]).astype(np.int64)),
            "quantity": np.ascontiguousarray(rows["quantity"]),
        }
    )
    frame = frame.with_columns(pl.when(pl.col("sequence") != 0).then(pl.col("sequence")).alias("sequence"))
    return frame.select([pl.col(c).cast(t) for c, t in TRANSACTIONS.items()])


def months(state: State, today: date, *, cache: Cache | None = None) -> pl.DataFrame:
    """Transfers of units by month and kind, in MONTHS, of the months that are over. Where participants stand on either side of them there must be
    FEWEST of them; what only the market's own accounts did is never hidden."""
    end = today.replace(day=1) - timedelta(days=1)
    cache = cache or Cache()
    depends = (state.books, _rows_until(state, end, cache))
    return cache.get(("months", end), depends, lambda: _months(state, _units(state, day_number(end))))


def _months(state: State, rows: Any) -> pl.DataFrame:
    holders = {holder: number for number, holder in enumerate(dict.fromkeys(state.accounts.holders))}
    own = [kind not in _MARKETS for kind in state.accounts.kinds]
    party = np.array([holders[holder] if mine else -1 for holder, mine in zip(state.accounts.holders, own, strict=True)], dtype=np.int64)
    kinds = pl.Series([unit.kind for unit in state.books.unit_types], dtype=pl.String)
    frame = pl.DataFrame(
        {
            "month": pl.Series(np.ascontiguousarray(rows["day"]), dtype=pl.Int32).cast(pl.Date).dt.month_start(),
            "kind": pl.Series(_KINDS, dtype=pl.String).gather(np.ascontiguousarray(rows["kind"]).astype(np.int64)),
            "units": kinds.gather(np.ascontiguousarray(rows["unit"]).astype(np.int64)),
            "quantity": np.ascontiguousarray(rows["quantity"]),
            "giver": party[rows["from_account"]],
            "taker": party[rows["to_account"]],
        }
    )
    by = ["month", "kind", "units"]
    sums = frame.group_by(by).agg(transfers=pl.len().cast(pl.Int64), quantity=pl.col("quantity").sum())
    sides = pl.concat([frame.select(*by, party=side) for side in ("giver", "taker")]).filter(pl.col("party") >= 0)
    joined = sums.join(sides.group_by(by).agg(parties=pl.col("party").n_unique()), on=by, how="left")
    hidden = pl.col("parties").fill_null(0).is_between(1, FEWEST - 1)
    shown = [pl.when(~hidden).then(pl.col(name)).alias(name) for name in ("transfers", "quantity")]
    return joined.with_columns(*shown, hidden=hidden).select([pl.col(c).cast(t) for c, t in MONTHS.items()]).sort(by)
