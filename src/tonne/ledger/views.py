"""Views: pure functions from the books, or from their accepted transfers, to tables (Polars) and numbers.

Days are `datetime.date` or days since 1970-01-01; spans include both ends. Only what moved counts: a PENDING or VOID moves nothing, a POST does.
Gross or net: `flows`, `total` and `by_year` add up what was transferred under a kind, corrections under theirs; `net_flows` and `balance_on` of a
group of accounts see a mistake and its correction cancel out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tonne.ledger.transfer import Batch, TransferFlag

if TYPE_CHECKING:
    from tonne.ledger.auditor import Auditor
    from tonne.ledger.books import Books

__all__ = ["balance_on", "balances_on", "by_year", "flows", "frame", "holdings", "net_flows", "supply", "total"]

_EPOCH = date(1970, 1, 1).toordinal()


def _day(day: date | int) -> int:
    return day.toordinal() - _EPOCH if isinstance(day, date) else day


def holdings(books: Books | Auditor, accounts: Collection[int] | None = None, units: Collection[int] | None = None) -> pl.DataFrame:
    """What accounts hold now: account, unit, code, balance, pending_out, pending_in, available. Sorted; rows that are all zero are left out."""
    now = books.holdings()
    keep = _among(now.account, accounts) & _among(now.unit, units)
    codes = pl.Series("code", [unit.code for unit in books.unit_types], dtype=pl.String)
    table = pl.DataFrame({name: column[keep] for name, column in now._asdict().items()})
    return table.select(
        "account", "unit", codes.gather(table["unit"]).alias("code"), "balance", "pending_out", "pending_in",
        (pl.col("balance") - pl.col("pending_out")).alias("available"),
    )  # fmt: skip


def supply(books: Books | Auditor, unit: int, issuing_accounts: Collection[int]) -> int:
    """What was issued of a unit type and not returned: the issuing accounts' balances with the sign turned."""
    return -sum(int(balance) for balance in books.balances(sorted(issuing_accounts), unit))


def frame(transfers: Batch) -> pl.DataFrame:
    """The transfers as a table, `day` and `expires` as dates (never = null), `moves` telling whether units changed hands by it."""
    table = pl.DataFrame({name: np.ascontiguousarray(transfers[name]) for name in transfers.dtype.names or ()})
    return table.with_columns(
        pl.col("day").cast(pl.Date),
        pl.when(pl.col("expires") != 0).then(pl.col("expires")).cast(pl.Date),
        pl.Series("moves", _moves(transfers)),
    )


def balance_on(transfers: Batch, accounts: Collection[int], day: date | int, units: Collection[int] | None = None) -> int:
    """What a group of accounts held together at the end of a day, in these unit types together (give those of one measure)."""
    table = net_flows(transfers, accounts, last_day=day, units=units)
    return int(table["net"].sum())


def balances_on(transfers: Batch, day: date | int) -> pl.DataFrame:
    """Every balance at the end of a day: account, unit, balance; sorted, none zero."""
    past = _chosen(transfers, last_day=day)
    sides = [
        pl.DataFrame({"account": past["from_account"].astype(np.int64), "unit": past["unit"].astype(np.int64), "balance": -past["quantity"]}),
        pl.DataFrame({"account": past["to_account"].astype(np.int64), "unit": past["unit"].astype(np.int64), "balance": +past["quantity"]}),
    ]
    return pl.concat(sides).group_by("account", "unit").agg(pl.col("balance").sum()).filter(pl.col("balance") != 0).sort("account", "unit")


def flows(
    transfers: Batch,
    first_day: date | int | None = None,
    last_day: date | int | None = None,
    kinds: Collection[int] | None = None,
    units: Collection[int] | None = None,
) -> pl.DataFrame:
    """What was transferred in a span, by kind and unit type: kind, unit, transfers (how many), quantity. Sorted."""
    chosen = _chosen(transfers, first_day, last_day, kinds, units)
    table = pl.DataFrame({name: np.ascontiguousarray(chosen[name]) for name in ("kind", "unit", "quantity")})
    return table.group_by("kind", "unit").agg(pl.len().alias("transfers"), pl.col("quantity").sum()).sort("kind", "unit")


def net_flows(
    transfers: Batch,
    accounts: Collection[int],
    first_day: date | int | None = None,
    last_day: date | int | None = None,
    kinds: Collection[int] | None = None,
    units: Collection[int] | None = None,
) -> pl.DataFrame:
    """What a group of accounts took in and gave out in a span, by kind: kind, inflow, outflow, net. What moved inside the group is left out."""
    chosen = _chosen(transfers, first_day, last_day, kinds, units)
    gives, takes = _among(chosen["from_account"], accounts), _among(chosen["to_account"], accounts)
    table = pl.DataFrame(
        {
            "kind": np.ascontiguousarray(chosen["kind"]),
            "inflow": np.where(takes & ~gives, chosen["quantity"], 0),
            "outflow": np.where(gives & ~takes, chosen["quantity"], 0),
        }
    ).filter(pl.Series(gives != takes))
    table = table.group_by("kind").agg(pl.col("inflow", "outflow").sum()).sort("kind")
    return table.with_columns((pl.col("inflow") - pl.col("outflow")).alias("net"))


def total(
    transfers: Batch,
    kind: int,
    first_day: date | int | None = None,
    last_day: date | int | None = None,
    units: Collection[int] | None = None,
) -> int:
    """What was transferred under one kind in a span."""
    return int(_chosen(transfers, first_day, last_day, [kind], units)["quantity"].sum())


def by_year(transfers: Batch, kinds: Mapping[int, str], units: Collection[int] | None = None) -> pl.DataFrame:
    """A yearly table: `year` and one column for each kind, named by the mapping; the calendar years in which any moved, 0 where one did not."""
    chosen = _chosen(transfers, kinds=list(kinds), units=units)
    table = pl.DataFrame({name: np.ascontiguousarray(chosen[name]) for name in ("day", "kind", "quantity")})
    sums = [pl.col("quantity").filter(pl.col("kind") == kind).sum().alias(name) for kind, name in kinds.items()]
    return table.group_by(pl.col("day").cast(pl.Date).dt.year().alias("year")).agg(*sums).sort("year")


def _moves(transfers: Batch) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = transfers["flags"] & (TransferFlag.PENDING | TransferFlag.VOID) == 0
    return mask


def _among(column: NDArray[Any], chosen: Collection[int] | None) -> NDArray[np.bool_]:
    """Which of a column are among the chosen; all, if none are named."""
    return np.ones(len(column), dtype=bool) if chosen is None else np.isin(column, np.fromiter(chosen, dtype=np.int64))


def _chosen(
    transfers: Batch,
    first_day: date | int | None = None,
    last_day: date | int | None = None,
    kinds: Collection[int] | None = None,
    units: Collection[int] | None = None,
) -> Batch:
    """The transfers that moved units, in a span, of these kinds and unit types."""
    keep = _moves(transfers) & _among(transfers["kind"], kinds) & _among(transfers["unit"], units)
    if first_day is not None:
        keep &= transfers["day"] >= _day(first_day)
    if last_day is not None:
        keep &= transfers["day"] <= _day(last_day)
    return transfers[keep]
