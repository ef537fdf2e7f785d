"""Reads positions: who holds how many lots of what, and at which price the day's trades among them were made."""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from tonne.formats.faults import Fault, nearest, settle
from tonne.formats.reading import read_table

if TYPE_CHECKING:
    import polars as pl

_NEEDS = ("account", "instrument", "lots")


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
) -> tuple[pl.DataFrame, list[Fault]]:
    """The positions of a CSV, gzipped CSV or Parquet file, and the faults of the rows that were skipped.

    Needed are account, instrument and lots (long above 0, short below). A row with a `price` (money per unit) is a trade of today, as many as one
    likes; a row without is what was carried from the day before, once an account and instrument. Returns account and instrument as text, lots Int64,
    price Decimal (null: carried). Faults: an instrument that is not in `instruments`, lots that are not whole, a price between two ticks, carried
    lots of what has no previous price, a position that comes twice. Raises `BadFile` with every fault, unless `skip_bad`; all go into `rejects`.
    """
    import polars as pl

    table, _ = read_table(path, (_NEEDS,), columns, "positions")
    account, instrument = table.text("account", required=True), table.text("instrument", required=True)
    lots, price = table.whole("lots", required=True, unit=" lots"), table.decimal("price").alias("price")
    known = list(instruments)

    def unknown(_: int, code: str) -> str:
        near = nearest(code, known)
        return f"no such instrument in the file of contracts; did you mean {near!r}?" if near else "no such instrument in the file of contracts"

    table.fault(instrument.is_not_null() & ~instrument.is_in(known), "instrument", unknown)
    table.fault(lots == 0, "lots", "no lots: leave the row out")
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
    return table.good(frame), faults
