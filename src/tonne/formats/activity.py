"""Reads what was made: output, heat and load of units by year, in our own columns or through a column mapping."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tonne.formats.faults import Fault, settle
from tonne.formats.reading import read_table

if TYPE_CHECKING:
    from tonne.registers.activity import Activity
    from tonne.registers.installations import Installations

_NEEDS = ("installation", "year", "product", "quantity")


def read_activity(
    path: str | os.PathLike[str],
    installations: Installations | None = None,
    columns: Mapping[str, str] | None = None,
    *,
    skip_bad: bool = False,
    rejects: str | os.PathLike[str] | None = None,
    law_years: tuple[int, int] | None = None,
) -> tuple[Activity, list[Fault]]:
    """The activity of a CSV, gzipped CSV or Parquet file, and the faults of the rows that were skipped.

    Needed are installation, year, product, quantity; `unit` is the installation itself where the file has none. `installations` makes an
    unregistered one a fault. Raises `BadFile` with every fault found, unless `skip_bad`; all go into the file `rejects`.
    """
    import polars as pl

    from tonne.registers.activity import ACTIVITY_SCHEMA, Activity

    if columns is not None and ((lost := set(_NEEDS) - set(columns)) or set(columns) - set(ACTIVITY_SCHEMA)):
        raise ValueError(f"column mapping: of {list(ACTIVITY_SCHEMA)}, needs {list(_NEEDS)}; missing {sorted(lost)}")
    table, dialect = read_table(path, (_NEEDS,), columns, "activity")
    if dialect == 0:
        table.renamed({name: name for name in ACTIVITY_SCHEMA if name in table.frame.columns})
    found = {name: table.text(name, required=True) for name in ("installation", "product")}
    found["unit"] = table.text("unit").fill_null(found["installation"])
    found["sector"] = table.text("sector")
    found["year"] = table.whole("year", required=True, least=1900, most=2200).cast(pl.Int32, strict=False)
    found["quantity"] = table.whole("quantity", required=True, least=0)
    found["heat_gj"] = table.whole("heat_gj", least=0, unit=" GJ").fill_null(0)
    found["rated_mw"] = table.whole("rated_mw", least=0, unit=" MW")
    found["historical"] = table.whole("historical", least=0)
    for name in ("load", "intensity"):
        found[name] = table.decimal(name, least=0)
    for name in ("leakage_listed", "border_adjusted"):
        found[name] = table.truth(name)
    if law_years is not None:
        table.fault(~found["year"].is_between(*law_years), "year", f"the law covers the years {law_years[0]} to {law_years[1]}")
    if installations is not None:
        known = found["installation"].is_in(installations.frame["installation"].implode())
        table.fault(found["installation"].is_not_null() & ~known, "installation", "this installation is not registered")
    table.refuse_twice((found["installation"], found["unit"], found["year"]), "unit" if "unit" in table.names else "installation")
    faults = settle(table.faults, skip_bad=skip_bad, rejects=rejects)
    return Activity(table.good(pl.DataFrame([found[name].alias(name) for name in ACTIVITY_SCHEMA]))), faults
