"""Reads installations: the account list that a registry publishes, our own columns, or any table through a column mapping.

docs/formats.md describes the layouts.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tonne.formats.faults import BadFile, Fault, settle
from tonne.formats.reading import Table, read_table

if TYPE_CHECKING:
    import polars as pl

    from tonne.registers.installations import Installations

ACCOUNT_LIST = {
    # ours -> the layout of the account list of a union of registries, one row per operator account
    "account": "account_id",
    "registry": "registry",
    "number": "installation_id",
    "name": "installation_name",
    "operator": "account_holder_name",
    "permit": "permit_id",
    "activity": "activity_code",
    "sector": "activity",
    "country": "address_country",
    "latitude": "lat",
    "longitude": "lon",
    "opened": "initial_emissions_year",
    "closed": "final_emissions_year",
    "status": "account_status",
}
_LIST_NEEDS = ("account_id", "registry", "installation_id", "installation_name", "account_status", "activity_code")
_OWN_NEEDS = ("installation", "name")
_TEXTS = ("account", "registry", "operator", "permit", "activity", "sector", "nace", "country")


def read_installations(
    path: str | os.PathLike[str],
    columns: Mapping[str, str] | None = None,
    *,
    skip_bad: bool = False,
    rejects: str | os.PathLike[str] | None = None,
    activities: Mapping[str, str] | None = None,
) -> tuple[Installations, list[Fault]]:
    """The installations of a CSV, gzipped CSV or Parquet file, and the faults of the rows that were skipped.

    `columns`: our column name -> the file's, for files in neither known layout. `number` may stand for `installation`: the key then is
    registry_number. `activities`: allowed activity codes and what they mean; also fills the sector where the file has none.
    Raises `BadFile` with every fault found, unless `skip_bad`; all faults go into the file `rejects` if one is named.
    """
    import polars as pl

    from tonne.registers.installations import INSTALLATION_SCHEMA, Installations

    if columns is not None:
        _check_mapping(columns, [*INSTALLATION_SCHEMA, "number"], (("installation", "name"), ("number", "registry", "name")))
    table, dialect = read_table(path, (_LIST_NEEDS, _OWN_NEEDS), columns, "installations")
    if dialect == 0:
        table.renamed({ours: theirs for ours, theirs in ACCOUNT_LIST.items() if theirs in table.frame.columns})
    elif dialect == 1:
        table.renamed({name: name for name in INSTALLATION_SCHEMA if name in table.frame.columns})
    by_number = "number" in table.frame.columns
    found = {name: table.text(name) for name in _TEXTS}
    if by_number:
        number, registry = table.text("number", required=True), table.text("registry", required=True)
        found["installation"] = (registry + "_" + number).alias("installation")
    else:
        found["installation"] = table.text("installation", required=True)
    found["name"] = table.text("name").fill_null(found["installation"])
    found["latitude"], found["longitude"] = _place(table)
    for name in ("opened", "closed"):
        found[name] = table.whole(name, least=1900, most=2200).cast(pl.Int32, strict=False)
    found["status"] = table.text("status").str.to_lowercase().fill_null("open")
    table.fault(~found["status"].is_in(["open", "closed"]), "status", "the status is open or closed")
    if activities is not None:
        found["sector"] = _known_activities(table, found, activities)
    table.refuse_twice((found["installation"],), "number" if by_number else "installation")
    table.refuse_twice((found["account"],), "account")
    faults = settle(table.faults, skip_bad=skip_bad, rejects=rejects)
    frame = pl.DataFrame([found[name].alias(name) for name in INSTALLATION_SCHEMA])
    return Installations(table.good(frame)), faults


def read_nace(path: str | os.PathLike[str]) -> pl.DataFrame:
    """Columns installation, nace: the statistical code of each installation, for `Installations.with_nace`.

    The same row twice is taken once; two different codes for one installation are a fault. Raises `BadFile`.
    """
    import polars as pl

    table, _ = read_table(path, (("installation", "nace"),), None, "NACE codes")
    frame = pl.DataFrame([table.text("installation", required=True), table.text("nace")])
    unlike = frame.select((pl.col("nace").n_unique().over("installation") > 1).alias("unlike")).to_series()
    table.fault(unlike, "nace", "this installation has several different codes in the file")
    settle(table.faults, skip_bad=False, rejects=None)
    return frame.unique(maintain_order=True).drop_nulls()


def _check_mapping(columns: Mapping[str, str], ours: list[str], needed: tuple[tuple[str, ...], ...]) -> None:
    unknown = [name for name in columns if name not in ours]
    if unknown:
        raise ValueError(f"column mapping: {unknown} are no columns of ours; they are {ours}")
    if not any(all(name in columns for name in names) for names in needed):
        raise ValueError("column mapping: needs " + " or ".join(" and ".join(names) for names in needed))


def _place(table: Table) -> tuple[pl.Series, pl.Series]:
    """Latitude and longitude in degrees, null where the file prints 0, 0, which means unknown and not a place in the Gulf of Guinea."""
    import polars as pl

    texts = table.text("latitude"), table.text("longitude")
    numbers = [text.cast(pl.Float64, strict=False) for text in texts]
    for text, number, name, limit in zip(texts, numbers, ("latitude", "longitude"), (90.0, 180.0), strict=True):
        table.fault(number.is_null() & text.is_not_null(), name, "not a number of degrees")
        table.fault(~number.is_between(-limit, limit), name, f"degrees lie between -{limit:.0f} and {limit:.0f}")
    nowhere = ((numbers[0] == 0) & (numbers[1] == 0)).fill_null(False)
    nothing = pl.Series([None], dtype=pl.Float64)
    return nothing.zip_with(nowhere, numbers[0]), nothing.zip_with(nowhere, numbers[1])


def _known_activities(table: Table, found: Mapping[str, pl.Series], activities: Mapping[str, str]) -> pl.Series:
    """Faults for codes outside the allowed ones; the sector, from the codes where the file has none."""
    import polars as pl

    allowed = ", ".join(list(activities)[:60])
    unknown = found["activity"].is_not_null() & ~found["activity"].is_in(list(activities))
    table.fault(unknown, "activity", f"unknown activity code; the codes are {allowed}")
    named = found["activity"].replace_strict(dict(activities), default=None, return_dtype=pl.String)
    return found["sector"].fill_null(named)


__all__ = ["ACCOUNT_LIST", "BadFile", "read_installations", "read_nace"]
