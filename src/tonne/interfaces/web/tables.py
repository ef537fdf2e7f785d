"""The one table of all lists: filters, sort and page stand in the address; every row can be downloaded, never only the first ones."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from tonne.interfaces.web.problems import Problem

PER_PAGE, PER_PAGE_MOST = 50, 500
NUMBERS = ("quantity", "number", "money")
#: What a spreadsheet takes for a formula.
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json", "parquet": "application/vnd.apache.parquet"}


@dataclass
class Column:
    """kind: text, quantity (whole units), number, money (minor units of `unit`), day, moment, state, link.

    href(row) is the address of a cell; show(value, row) what a person reads instead of the value; hidden columns are in downloads only.
    """

    name: str
    label: str
    kind: str = "text"
    unit: str = ""
    sortable: bool = True
    href: Callable[[Mapping[str, Any]], str] | None = None
    show: Callable[[Any, Mapping[str, Any]], Any] | None = None
    hidden: bool = False
    sort_href: str = ""
    sorted: str = ""


@dataclass
class Filter:
    """kind: text (part of the value), choice (the value itself), from, to. `column` is what it looks at: its own name when left out."""

    name: str
    label: str
    kind: str = "text"
    choices: Sequence[tuple[str, str]] = ()
    column: str = ""
    value: str = ""


@dataclass
class Table:
    """What the template `parts/table.html` draws."""

    name: str
    caption: str
    columns: list[Column]
    rows: list[dict[str, Any]]
    total: int
    page: int
    pages: int
    per_page: int
    as_of: str
    filters: list[Filter]
    downloads: list[tuple[str, str]]
    previous: str | None
    next: str | None
    empty: str
    totals: Mapping[str, Any] | None = None
    first: int = 0
    last: int = 0
    path: str = ""
    kept: list[tuple[str, str]] = field(default_factory=list)


def whole(query: Mapping[str, str], name: str, least: int, most: int, otherwise: int) -> int:
    """A whole number of the address. Raises Problem 400."""
    given = query.get(name, "")
    if not given:
        return otherwise
    if not given.isascii() or not given.isdigit() or len(given) > 12 or not least <= int(given) <= most:
        raise Problem(400, "malformed", f"{name} is a whole number from {least:,} to {most:,}, not {given[:40]!r}")
    return int(given)


def chosen(frame: pl.DataFrame, columns: Sequence[Column], filters: Iterable[Filter], query: Mapping[str, str], prefix: str = "") -> pl.DataFrame:
    """The rows that the address asks for, in its order. Raises Problem 400 for a column that cannot be sorted by."""
    for one in filters:
        one.value = query.get(prefix + one.name, "")[:200]
        name = one.column or one.name
        if not one.value:
            continue
        if one.kind == "choice":
            frame = frame.filter(pl.col(name).cast(pl.String) == one.value)
        elif one.kind in ("from", "to"):
            try:
                edge: Any = date.fromisoformat(one.value) if frame.schema[name] == pl.Date else int(one.value)
            except ValueError:
                raise Problem(
                    400,
                    "malformed",
                    f"{one.label}: {one.value!r} is no {'day; write it as 2026-09-30' if frame.schema[name] == pl.Date else 'number'}",
                ) from None
            frame = frame.filter(pl.col(name) >= edge if one.kind == "from" else pl.col(name) <= edge)
        else:
            frame = frame.filter(pl.col(name).cast(pl.String).str.to_lowercase().str.contains(one.value.lower(), literal=True))
    by = query.get(prefix + "sort", "")
    if by:
        down = by.startswith("-")
        name = by.removeprefix("-")
        if name not in {column.name for column in columns if column.sortable}:
            raise Problem(
                400, "malformed", f"rows are not sorted by {name[:40]!r}; choose {', '.join(column.name for column in columns if column.sortable)}"
            )
        frame = frame.sort(name, descending=down, nulls_last=True, maintain_order=True)
    return frame


def made(
    ask: Any,
    name: str,
    caption: str,
    frame: pl.DataFrame,
    columns: list[Column],
    *,
    filters: Sequence[Filter] = (),
    empty: str = "",
    totals: Sequence[str] = (),
    as_of: str = "",
    prefix: str = "",
    download: bool = True,
    rows_each: int = PER_PAGE,
) -> Table:
    """The page of a table that the address asks for. Answers at once with the file where the address ends in .csv, .json or .parquet.

    prefix: before the names in the address, where a page has more than one table. Only the first (without one) can be downloaded by suffix.
    """
    query = ask.query
    rows = chosen(frame, columns, filters, query, prefix)
    if download and ask.suffix and not prefix:
        raise ask.file(name, rows.select([column.name for column in columns]), ask.suffix)
    per_page = whole(query, prefix + "per_page", 1, PER_PAGE_MOST, rows_each)
    pages = max(1, -(-rows.height // per_page))
    page = min(whole(query, prefix + "page", 1, 10**9, 1), pages)
    first = (page - 1) * per_page
    shown = rows.slice(first, per_page)
    here = ask.path
    asked = {key: value for key, value in query.items() if value}

    def at(**change: Any) -> str:
        return str(ask.url(here, **{**asked, **{prefix + key: value for key, value in change.items()}}))

    by = query.get(prefix + "sort", "")
    for column in columns:
        column.sorted = "ascending" if by == column.name else "descending" if by == f"-{column.name}" else ""
        first_way, other_way = ("-", "") if column.kind in NUMBERS else ("", "-")
        following = other_way if by == f"{first_way}{column.name}" else first_way
        column.sort_href = at(sort=f"{following}{column.name}", page="")
    kept_names = {prefix + one.name for one in filters} | {prefix + "page"}
    added = {each: shown_total(rows, each) for each in totals} if totals and rows.height else None
    carried = {key: value for key, value in asked.items() if not key.endswith("page")}
    return Table(
        name,
        caption,
        [column for column in columns if not column.hidden],
        [_row(row, columns) for row in shown.iter_rows(named=True)],
        rows.height,
        page,
        pages,
        per_page,
        as_of or ask.as_of,
        list(filters),
        [(word, ask.url(f"{here}.{suffix}", **carried)) for word, suffix in (("CSV", "csv"), ("JSON", "json"), ("Parquet", "parquet"))]
        if download and not prefix
        else [],
        at(page=page - 1) if page > 1 else None,
        at(page=page + 1) if page < pages else None,
        empty,
        added,
        first + 1 if rows.height else 0,
        min(first + per_page, rows.height),
        ask.url(here),
        [(key, value) for key, value in asked.items() if key not in kept_names],
    )


def shown_total(rows: pl.DataFrame, name: str) -> Any:
    return rows[name].sum() if rows[name].dtype.is_numeric() else None


def _row(row: dict[str, Any], columns: Sequence[Column]) -> dict[str, Any]:
    shown = dict(row)
    links = {}
    for column in columns:
        if column.show is not None:
            shown[column.name] = column.show(row[column.name], row)
        if column.href is not None:
            links[column.name] = column.href(row)
    shown["_href"] = links
    shown["href"] = next(iter(links.values()), None)
    return shown


# -- files


def defused(frame: pl.DataFrame) -> pl.DataFrame:
    """Text cells that a spreadsheet would run get an apostrophe before them; numbers stay as they are."""
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    return frame.with_columns(
        pl.when(pl.col(name).str.slice(0, 1).is_in(FORMULAS)).then(pl.concat_str(pl.lit("'"), pl.col(name))).otherwise(pl.col(name)).alias(name)
        for name in texts
    )


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Columns that a CSV file can hold: lists and mappings as JSON."""
    nested = [name for name, kind in frame.schema.items() if kind.is_nested() or kind == pl.Object]
    return frame.with_columns(pl.Series(name, [json.dumps(value, default=str) for value in frame[name].to_list()], pl.String) for name in nested)


def file_bytes(frame: pl.DataFrame, form: str) -> bytes:
    """All rows of a frame as csv, json or parquet."""
    out = io.BytesIO()
    if form == "csv":
        defused(_flat(frame)).write_csv(out, line_terminator="\r\n")
        return out.getvalue()
    if form == "parquet":
        frame.write_parquet(out)
        return out.getvalue()
    return json.dumps({"rows": list(map(_plain, frame.iter_rows(named=True))), "count": frame.height}, ensure_ascii=False).encode()


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in row.items()}


def plain(value: Any) -> Any:
    """As JSON holds it: whole numbers as numbers, decimals and days as text."""
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, pl.Series):
        return [plain(one) for one in value]
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value
