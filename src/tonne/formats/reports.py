"""Reads yearly reports: allocation, verified emissions, surrender and status by installation and year.

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
    from tonne.registers.reports import Reports

COMPLIANCE_LIST = {
    # ours -> the layout of the compliance list of a union of registries, one row per operator account and year
    "account": "account_id",
    "registry": "registry",
    "year": "year",
    "allocated": "allocated_base",
    "allocated_transitional": "allocated_4star",
    "allocated_new_entrant": "allocated_5star",
    "verified": "verified_tco2e",
    "flag": "verified_flag",
    "surrendered": "surrendered_units",
    "published_status": "compliance_code",
}
_LIST_NEEDS = ("account_id", "year", "allocated_base", "verified_tco2e", "surrendered_units", "compliance_code")
_OWN_NEEDS = ("installation", "year", "verified")
_ALLOCATIONS = ("allocated", "allocated_transitional", "allocated_new_entrant")
TONNES_MOST = 100_000_000
"""No installation emits more than this in a year; the largest power stations emit about 40 million."""


def read_reports(
    path: str | os.PathLike[str],
    installations: Installations | None = None,
    columns: Mapping[str, str] | None = None,
    *,
    skip_bad: bool = False,
    rejects: str | os.PathLike[str] | None = None,
    years: tuple[int, int] | None = None,
    law_years: tuple[int, int] | None = None,
    tonnes_most: int = TONNES_MOST,
    most_total: Mapping[int, int] | None = None,
) -> tuple[Reports, list[Fault]]:
    """The reports of a CSV, gzipped CSV or Parquet file, and the faults of the rows that were skipped.

    `installations`: who is registered; turns the account numbers of a file into keys, and makes an unknown one a fault. Without it the
    account number is the key. `columns`: our column name -> the file's; `account` may stand for `installation`, `flag` for the remarks
    "Excluded" and "Not Reported". `years`: the first and last year to load, others are read, checked and left out. `law_years`: the years
    the law covers, others are a fault. `most_total`: year -> the most that all installations of the system together can have emitted; a file
    that says more is another system's, and is refused whole. Raises `BadFile` with every fault found, unless `skip_bad`; all go into the file
    `rejects`.
    """
    import polars as pl

    from tonne.registers.reports import REPORT_SCHEMA, Reports

    known = [*REPORT_SCHEMA, "account", "registry", "flag"]
    if columns is not None:
        unknown = [name for name in columns if name not in known]
        if unknown or not {"year", "verified"} <= set(columns) or not {"installation", "account"} & set(columns):
            raise ValueError(f"column mapping: needs year, verified and installation or account; of {known}, not {unknown}")
    table, dialect = read_table(path, (_LIST_NEEDS, _OWN_NEEDS), columns, "reports")
    if dialect == 0:
        table.renamed({ours: theirs for ours, theirs in COMPLIANCE_LIST.items() if theirs in table.frame.columns})
    elif dialect == 1:
        table.renamed({name: name for name in known if name in table.frame.columns})
    key = "installation" if "installation" in table.frame.columns else "account"
    found = {"installation": _installations(table, key, installations), "year": table.whole("year", required=True, least=1900, most=2200)}
    if law_years is not None:
        outside = ~found["year"].is_between(*law_years)
        table.fault(outside, "year", f"the law covers the years {law_years[0]} to {law_years[1]}")
    for name in _ALLOCATIONS:
        found[name] = table.whole(name, least=0, most=tonnes_most, unit=" allowances").fill_null(0)
    for name in ("reported", "verified"):
        found[name] = table.whole(name, least=0, most=tonnes_most, unit=" tonnes")
    found["surrendered"] = table.whole("surrendered", least=0, unit=" units")
    found["published_status"] = table.text("published_status")
    table.fault(~found["published_status"].str.contains(r"^[ABCDEX-]\*?$"), "published_status", "no compliance letter: A, B, C, D, E, X or -")
    found["state"] = _states(table, found)
    table.refuse_twice((found["installation"], found["year"]), key)
    faults = settle(table.faults, skip_bad=skip_bad, rejects=rejects, first=_of_others(table, found["installation"], installations))
    frame = table.good(pl.DataFrame([found[name].alias(name) for name in REPORT_SCHEMA]))
    _refuse_too_much(table.file, frame, most_total or {})
    return Reports(frame if years is None else frame.filter(pl.col("year").is_between(*years))), faults


def _of_others(table: Table, keys: pl.Series, installations: Installations | None) -> str:
    """A sentence for a file that speaks mostly of installations nobody registered; nothing for one that does not."""
    if installations is None:
        return ""
    named = keys.drop_nulls()
    unknown = int((~named.is_in(installations.frame["installation"].implode())).sum())
    if unknown * 2 <= len(named):
        return ""
    return f"{table.file}: these rows belong to other installations than those given ({unknown:,} of {len(named):,} rows)."


def _refuse_too_much(file: str, frame: pl.DataFrame, most_total: Mapping[int, int]) -> None:
    """Raises `BadFile` where the verified emissions of a year sum to more than the system can have had."""
    import polars as pl

    totals = frame.group_by("year").agg(pl.col("verified").sum()).sort("year")
    faults = [
        Fault(
            file,
            None,
            "verified",
            f"{total:,}",
            f"the sum of {year} is above {most_total[year]:,}, which is beyond this system; is it another's file?",
        )
        for year, total in totals.iter_rows()
        if year in most_total and total > most_total[year]
    ]
    if faults:
        raise BadFile(faults, skippable=False)


def _installations(table: Table, key: str, installations: Installations | None) -> pl.Series:
    """The key of each row's installation; faults for those nobody registered."""
    import polars as pl

    given = table.text(key, required=True)
    if installations is None:
        return given
    if key == "installation":
        known = installations.frame["installation"]
        table.fault(given.is_not_null() & ~given.is_in(known.implode()), key, "this installation is not registered")
        return given
    joined = given.to_frame("account").join(installations.by_account(), on="account", how="left", maintain_order="left")
    keys = joined["installation"]
    table.fault(given.is_not_null() & keys.is_null(), key, "no registered installation has this account")
    # An unknown account keeps its number, so that its rows are still compared with each other.
    return joined.select(pl.coalesce("installation", "account")).to_series()


def _states(table: Table, found: Mapping[str, pl.Series]) -> pl.Series:
    """The state of each row: as given in our own layout, else from the figure, the remark beside it and the letter."""
    import polars as pl

    from tonne.registers.reports import STATES, WITH_FIGURE

    column = "state" if "state" in table.frame.columns else "flag"
    words = table.text(column).str.to_lowercase().str.replace_all(r"[\s-]+", "_")
    figure = found["verified"].is_not_null()
    table.fault(~words.is_in(list(STATES)), column, f"unknown remark; known are {', '.join(STATES)}")
    unreadable = table.text("verified").is_not_null() & ~figure
    against = words.is_in(list(STATES)) & (words.is_in(list(WITH_FIGURE)) != figure) & ~unreadable
    table.fault(against, column, lambda row, _: "this goes with a verified figure" if figure[row] else "a figure is missing")
    frame = pl.DataFrame([words.alias("words"), figure.alias("figure"), found["published_status"].alias("letter"), found["reported"]])
    # The letters D and E say that the authority corrected the figure after the deadline.
    silent = (
        pl.when("figure", pl.col("letter").str.contains("^[DE]"))
        .then(pl.lit("corrected"))
        .when("figure")
        .then(pl.lit("verified"))
        .when(pl.col("reported").is_not_null())
        .then(pl.lit("reported"))
        .otherwise(pl.lit("no_entry"))
    )
    return frame.select(pl.coalesce("words", silent)).to_series()
