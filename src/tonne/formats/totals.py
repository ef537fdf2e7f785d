"""Reads the totals that an authority publishes per year, to check sums of single rows against."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tonne.formats.faults import settle
from tonne.formats.reading import read_table

if TYPE_CHECKING:
    import polars as pl

_NEEDS = ("year", "verified_tco2e")
_NUMBERS = {
    "allocated": "allocated_base",
    "allocated_transitional": "allocated_4star",
    "allocated_new_entrant": "allocated_5star",
    "verified": "verified_tco2e",
    "surrendered": "surrendered_units",
    "installations_with_verified": "installations_with_verified",
    "allocated_total": "allocated_total",
}


def read_totals(path: str | os.PathLike[str]) -> pl.DataFrame:
    """One row per year, rising: year Int32, then Int64 in the columns of `Reports.totals` (tonnes, units, installations); null: not published.

    Counts printed with a decimal point ("10448.0") are taken as the whole numbers they are. Raises `BadFile`: a year that comes twice, a number
    that is none, and an `allocated_total` that is not the sum of its parts.
    """
    import polars as pl

    table, dialect = read_table(path, (_NEEDS, ("year", "verified")), None, "yearly totals")
    names = {ours: theirs if dialect == 0 else ours for ours, theirs in _NUMBERS.items()}
    table.renamed({"year": "year"} | {ours: theirs for ours, theirs in names.items() if theirs in table.frame.columns})
    year = table.whole("year", required=True, least=1900, most=2200).cast(pl.Int32)
    numbers = {name: table.whole(name, least=0) for name in _NUMBERS}
    parts = numbers["allocated"] + numbers["allocated_transitional"] + numbers["allocated_new_entrant"]
    table.fault(parts != numbers["allocated_total"], "allocated_total", lambda row, _: f"the three parts add up to {parts[row]}")
    table.refuse_twice((year,), "year")
    settle(table.faults, skip_bad=False, rejects=None)
    return pl.DataFrame([year, *numbers.values()]).sort("year")
