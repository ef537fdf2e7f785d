"""Reads positions: who holds how many lots of what, and at which price the day's trades among them were made."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from tonne.formats.faults import BadFile, Fault, nearest, settle
from tonne.formats.reading import Table, read_table

if TYPE_CHECKING:
    import polars as pl

_NEEDS = ("account", "instrument", "lots")
_OPTIONAL = ("price",)
#: Lots that a row may have; every sum of money stays far within 64 bits for any market there is.
MOST_LOTS = 10**12


class Listed(NamedTuple):
    """What a file of positions is checked against: the tick of an instrument's price, and whether lots of it may be carried from the day before
    (then its previous settlement price is known, or none is needed)."""

    tick: Decimal
    carried: bool = True


def read_positions(
    path: str | os.PathLike[str],
    instruments: Mapping[str, Listed],
    columns: Mapping[str, str] | None = None,
    *,
    skip_bad: bool = False,
    rejects: str | os.PathLike[str] | None = None,
) -> tuple[pl.DataFrame, list[Fault], list[str]]:
    """The positions of a CSV, gzipped CSV or Parquet file, the faults of the rows that were skipped, and the columns that were not looked at.

    Needed are account, instrument and lots (long above 0, short below). A row with a `price` (money per unit) is a trade of today, as many as one
    likes; a row without is what was carried from the day before, once an account and instrument. Returns account and instrument as text, lots Int64,
    price Decimal (null: carried). Faults: an instrument that is not in `instruments`, lots that are not whole, a price between two ticks, carried
    lots of what has no previous price, a trade at 0 or below, more than 10^12 lots, a position that comes twice. A column whose name is nearly
    `price` is refused. Raises `BadFile` with every fault, unless `skip_bad`; all go into `rejects`.
    """
    import polars as pl

    table = read_with(path, _NEEDS, "positions") if columns is None else read_table(path, (_NEEDS,), columns, "positions")[0]
    ignored = _ignored(table)
    account, instrument = table.text("account", required=True), table.text("instrument", required=True)
    lots, price = table.whole("lots", required=True, unit=" lots"), table.decimal("price").alias("price")
    known = list(instruments)

    def unknown(_: int, code: str) -> str:
        near = nearest(code, known)
        return f"no such instrument in the file of contracts; did you mean {near!r}?" if near else "no such instrument in the file of contracts"

    table.fault(instrument.is_not_null() & ~instrument.is_in(known), "instrument", unknown)
    table.fault(lots == 0, "lots", "no lots: leave the row out")
    too_many = f"beyond {MOST_LOTS:,} lots, which no market has; are these units or money?"
    table.fault((lots > MOST_LOTS) | (lots < -MOST_LOTS), "lots", too_many)
    table.fault(price <= 0, "price", "a trade's price is above 0; leave it empty for lots carried from the day before")
    ticks = [
        value is not None and (listed := instruments.get(code or "")) is not None and value % listed.tick != 0
        for code, value in zip(instrument, price, strict=True)
    ]
    table.fault(pl.Series(ticks, dtype=pl.Boolean), "price", lambda row, _: f"between two ticks; the tick is {instruments[instrument[row]].tick}")
    uncarried = [code for code, listed in instruments.items() if not listed.carried]
    table.fault(price.is_null() & instrument.is_in(uncarried), "instrument", "carried lots need its `previous` price in the file of contracts")
    carried = [place.zip_with(price.is_null(), pl.Series([None] * len(place), dtype=pl.String)) for place in (account, instrument)]
    table.refuse_twice(carried, "account")
    faults = settle(table.faults, skip_bad=skip_bad, rejects=rejects)
    frame = pl.DataFrame([account.alias("account"), instrument.alias("instrument"), lots.alias("lots"), price])
    return table.good(frame), faults, ignored


def read_with(path: str | os.PathLike[str], needed: Sequence[str], what: str) -> Table:
    """The file as a `Table` that has the columns. Raises `BadFile` naming each that is missing and the one found that is most like it."""
    table, _ = read_table(path, ((),), None, what)
    found = table.frame.columns
    spare = [name for name in found if name not in needed]
    missing = {name: nearest(name, spare) for name in needed if name not in found}
    if not missing:
        return table
    told = f"found {', '.join(found)}"
    if len(missing) * 2 > len(needed) and not any(missing.values()):
        reason = f"this is no file of {what} that is known here. Expected the columns {', '.join(needed)}; {told}. Rename them in the header."
        raise BadFile([Fault(table.file, 1, None, None, reason)], skippable=False)
    hints = {name: f"; did you mean {near!r}? Rename it in the header" if near else "" for name, near in missing.items()}
    faults = [Fault(table.file, 1, name, None, f"this column is missing{hint}; {told}") for name, hint in hints.items()]
    raise BadFile(faults, skippable=False)


def _ignored(table: Table) -> list[str]:
    """The columns that say nothing here. One that is nearly an optional column would be left out without a word, and the result would be another."""
    strange = [name for name in table.frame.columns if name not in (*_NEEDS, *_OPTIONAL)]
    absent = [name for name in _OPTIONAL if name not in table.frame.columns]
    near = {name: nearest(name, absent) for name in strange}
    faults = [Fault(table.file, 1, name, None, f"did you mean {like!r}? Rename the column, or leave it out") for name, like in near.items() if like]
    if faults:
        raise BadFile(faults, skippable=False)
    return strange
