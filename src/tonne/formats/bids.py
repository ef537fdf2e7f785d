"""Reads the sealed bids of an auction: who bids which price for how many units, when, what limits the bidder; and what a joint auction offers.

docs/formats.md describes the layout. A file is taken whole or refused whole: an auction without one of its bids is another auction.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tonne.formats.faults import BadFile, Fault
from tonne.formats.reading import Table, read_table
from tonne.market.auction import AuctionRules, Bids, Offers
from tonne.units import IntArray, fraction

if TYPE_CHECKING:
    import polars as pl

_NEEDS = ("bidder", "price", "quantity")
_MAY = ("time", "kind", "guarantee", "limit", "non_competitive")
_NEAR = 0.8  # how like a known column another is that cannot be left unread
_OFFERS = ("jurisdiction", "category", "vintage", "quantity")
_MICRO = 1_000_000
_DEAREST = 10**9
_MOST = 10**12


@dataclass(frozen=True, slots=True)
class BidFile:
    """The bids of a file in the order of their time (without a time column in the order of the file).

    bidders: names in the order in which they first appear; `bids.bidder` counts them from 0. lines: the line of each bid in the file. kinds (text),
    limits (units) and guarantees (minor units), by bidder, -1 or "" where the file says nothing; None where it has no such column. ignored: columns
    of the file that an auction does not read.
    """

    bidders: tuple[str, ...]
    bids: Bids
    lines: IntArray
    kinds: tuple[str, ...] | None
    limits: IntArray | None
    guarantees: IntArray | None
    ignored: tuple[str, ...] = ()


def read_bids(path: str | os.PathLike[str], rules: AuctionRules, columns: Mapping[str, str] | None = None) -> BidFile:
    """The bids of a CSV, gzipped CSV or Parquet file with the columns bidder, price (money) and quantity (units).

    It may have: time (`2026-03-04 11:02:15.5` or `11:02:15`, for auctions that serve equal prices by time), non_competitive (true for a bid without a
    price), and by bidder kind, guarantee (money) and limit (units), in one row of the bidder or alike in all. Raises `BadFile` with every row that
    is wrong: an empty bidder, a price that is no multiple of the step, a quantity that is not above zero, below the minimum or no whole number of
    steps; and for a column whose name is nearly one of these, which left unread would make another auction. `columns`: our name -> the file's.
    """
    import polars as pl

    table, ignored = _table(path, columns)
    names = table.text("bidder", required=True)
    priceless = table.truth("non_competitive")
    ticks = _ticks(table, rules, priceless)
    quantity = _quantity(table, rules)
    moments = _moments(table)
    first = names.unique(maintain_order=True).drop_nulls()
    number = names.replace_strict(first, pl.Series(range(len(first)), dtype=pl.Int32), default=0, return_dtype=pl.Int32)
    by_bidder = {name: _of_bidder(table, name, names, rules) for name in ("kind", "limit", "guarantee")}
    if table.faults:
        found_faults = [_plainer(fault, table) for fault in table.faults]
        raise BadFile(sorted(found_faults, key=lambda fault: (fault.row or 0, fault.column or "")), skippable=False)
    order = np.arange(len(quantity)) if moments is None else np.argsort(moments.to_numpy(), kind="stable")
    bids = Bids.of(number.to_numpy()[order], ticks[order], quantity.to_numpy()[order], priceless.to_numpy()[order])
    found = {
        name: None if values is None else [values.get(bidder) for bidder in first.to_list()] for name, values in by_bidder.items()
    }  # None: no such column
    return BidFile(
        tuple(first.to_list()),
        bids,
        np.asarray(table.lines, dtype=np.int64)[order],
        None if found["kind"] is None else tuple(kind or "" for kind in found["kind"]),
        _whole_or_none(found["limit"]),
        _whole_or_none(found["guarantee"]),
        ignored,
    )


def _table(path: str | os.PathLike[str], columns: Mapping[str, str] | None) -> tuple[Table, tuple[str, ...]]:
    """The file under our names, and its columns that are none of ours. Raises `BadFile` for a name that is nearly one of ours."""
    known = (*_NEEDS, *_MAY)
    if columns and (strange := sorted(set(columns) - set(known))):
        raise ValueError(f"bids have no column {strange[0]!r}; there are {', '.join(known)}")
    table, _ = read_table(path, ((),) if columns else (_NEEDS,), None, "bids")
    found = table.frame.columns
    taken = {name: name for name in known if name in found and name not in (columns or {}) and name not in (columns or {}).values()}
    if columns:
        taken = {name: name for name in _NEEDS} | taken | dict(columns)
        table, _ = read_table(path, (), taken, "bids")
    else:
        table.renamed(taken)
    ignored = tuple(name for name in found if name not in taken.values())
    near = {name: _near(name, taken) for name in ignored}
    faults = [
        Fault(table.file, 1, name, None, f"did you mean `{ours}`? Name it so, or call it something else if it is another thing")
        for name, ours in near.items()
        if ours
    ]
    if faults:
        raise BadFile(faults, skippable=False)
    return table, ignored


def _near(name: str, taken: Mapping[str, str]) -> str | None:
    """The column of ours that a column of the file was perhaps to be: alike but for capitals and signs, or nearly alike to one that is not there."""
    spelled = {"".join(filter(str.isalnum, ours)): ours for ours in (*_NEEDS, *_MAY)}
    word = "".join(filter(str.isalnum, name.lower()))
    if word in spelled:
        return spelled[word]
    close = difflib.get_close_matches(word, [one for one, ours in spelled.items() if ours not in taken], n=1, cutoff=_NEAR)
    return spelled[close[0]] if close else None


def _plainer(fault: Fault, table: Table) -> Fault:
    """A fault of money written with a comma, told as what it is."""
    money = (table.names.get("price"), table.names.get("guarantee"))
    if fault.column in money and fault.value and "," in fault.value and fault.reason.startswith("not a number"):
        return fault._replace(reason="use a point for decimals and no separators, as 1234.50")
    return fault


def read_offers(path: str | os.PathLike[str], columns: Mapping[str, str] | None = None) -> Offers:
    """What a joint auction offers, from a file with the columns jurisdiction, category, vintage (a year) and quantity (units): a row each.

    Raises `BadFile` with every row that is wrong, also one that offers the same a second time.
    """
    table, dialect = read_table(path, (_OFFERS,), columns, "units on offer")
    if dialect == 0:
        table.renamed({name: name for name in _OFFERS})
    places, kinds = (table.text(name, required=True) for name in ("jurisdiction", "category"))
    vintage = table.whole("vintage", required=True, least=1900, most=2200)
    quantity = table.whole("quantity", required=True, least=0, most=_MOST, unit=" units")
    table.refuse_twice((places, kinds, vintage), "vintage")
    if table.faults:
        raise BadFile(sorted(table.faults, key=lambda fault: (fault.row or 0, fault.column or "")), skippable=False)
    return Offers.of(places.to_list(), kinds.to_list(), vintage.to_numpy(), quantity.to_numpy())


def _whole_or_none(values: list[Any] | None) -> IntArray | None:
    return None if values is None else np.array([-1 if value is None else value for value in values], dtype=np.int64)


def _ticks(table: Table, rules: AuctionRules, priceless: pl.Series) -> IntArray:
    """Prices in ticks; 0 in rows that have none or a bad one."""
    prices = table.decimal("price")
    table.fault(prices.is_null() & table.text("price").is_null() & ~priceless, "price", "empty; only a non-competitive bid has no price")
    table.fault(prices.is_not_null() & priceless, "price", "a non-competitive bid has no price; leave it empty")
    table.fault(prices <= 0, "price", "a price is more than zero")
    table.fault(prices > _DEAREST, "price", f"above {_DEAREST:,}; is the unit right?")
    micros = _micros(prices, 0, _DEAREST)
    per_micro = 1 / (fraction(rules.price_step) * _MICRO)
    odd = np.zeros(len(micros), dtype=bool)
    if per_micro.numerator == 1:
        ticks, rest = np.divmod(micros, per_micro.denominator)
        odd = rest != 0
    else:  # a step finer than, or no whole number of, millionths
        exact = [micro * per_micro for micro in micros.tolist()]
        odd = np.array([value.denominator != 1 for value in exact], dtype=bool)
        ticks = np.array([int(value) for value in exact], dtype=np.int64)
    table.fault(_series(odd), "price", f"no multiple of the price step {rules.price_step}")
    return np.asarray(ticks, dtype=np.int64)


def _quantity(table: Table, rules: AuctionRules) -> pl.Series:
    quantity = table.whole("quantity", required=True, most=_MOST, unit=" units")
    table.fault(quantity <= 0, "quantity", "a bid is for more than zero units")
    table.fault((quantity > 0) & (quantity < rules.minimum), "quantity", f"below the smallest bid of {rules.minimum:,} units")
    table.fault((quantity > 0) & (quantity % rules.step != 0), "quantity", f"an odd lot: no multiple of {rules.step:,} units")
    return quantity.fill_null(0)


def _moments(table: Table) -> pl.Series | None:
    """The moments of a time column, each row having one; None without the column."""
    import polars as pl

    if "time" not in table.frame.columns:
        return None
    texts = table.text("time", required=True)
    plain = texts.str.replace("T", " ", literal=True).str.replace(r"(Z|\+00:?00)$", "")
    whole = plain.str.replace(r"^(\d{1,2}:\d{2}.*)$", "1970-01-01 $1").str.replace(r"^(\d{4}-\d{2}-\d{2} \d{1,2}:\d{2})$", "$1:00")
    moments = whole.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
    table.fault(moments.is_null() & texts.is_not_null(), "time", "no moment in the form YYYY-MM-DD hh:mm:ss or hh:mm:ss")
    return moments.cast(pl.Int64).fill_null(0)


def _of_bidder(table: Table, column: str, names: pl.Series, rules: AuctionRules) -> dict[str, Any] | None:
    """What the rows of a bidder say of it: the one value, the other rows empty or alike."""
    import polars as pl

    if column not in table.frame.columns:
        return None
    if column == "kind":
        values = table.text(column)
    elif column == "limit":
        values = table.whole(column, least=0, most=_MOST, unit=" units")
    else:
        values = _minor(table, column, rules)
    frame = pl.DataFrame({"name": names, "value": values}).with_columns(pl.col("value").drop_nulls().first().over("name").alias("first"))
    other = (frame["value"] != frame["first"]).fill_null(False)
    table.fault(other, column, lambda row, _: f"{names[row]} has another {column} in an earlier row; a bidder has one")
    known = frame.drop_nulls().unique("name", keep="first", maintain_order=True)
    return dict(zip(known["name"].to_list(), known["first"].to_list(), strict=True))


def _minor(table: Table, column: str, rules: AuctionRules) -> pl.Series:
    """Money in minor units."""
    import polars as pl

    money = table.decimal(column, least=0)
    table.fault(money > _MOST, column, f"above {_MOST:,}; is the unit right?")
    per_minor = fraction(_MICRO) / int(10**rules.decimals)
    minor, rest = np.divmod(_micros(money, 0, _MOST), max(int(per_minor), 1))
    table.fault(_series(rest != 0), column, f"more than {rules.decimals} decimals; the currency has no smaller coin")
    good = money.is_between(0, _MOST).fill_null(False) & _series(rest == 0)
    return pl.Series(column, minor).to_frame().select(pl.when(good).then(pl.col(column)).alias(column)).to_series()


def _micros(values: pl.Series, least: int, most: int) -> IntArray:
    """Decimals as whole millionths; 0 for a null and for one outside the bounds, which is a fault already."""
    import polars as pl

    good = values.is_between(least, most).fill_null(False)
    micros = values.to_frame("x").select(pl.when(good).then("x").otherwise(0).alias("x")).to_series() * _MICRO
    return np.asarray(micros.cast(pl.Int64).to_numpy(), dtype=np.int64)


def _series(mask: npt.NDArray[np.bool_]) -> pl.Series:
    import polars as pl

    return pl.Series(mask)
