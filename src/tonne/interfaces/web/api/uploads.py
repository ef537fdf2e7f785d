"""Many rows at once, as JSON or as a file: reports, verifications, bids, transfers. All of them are taken or none, and every fault is told."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from fastapi import Request

from tonne.formats.faults import BadFile
from tonne.formats.reading import Table, read_table
from tonne.interfaces.web.api.shared import QUANTITY_MOST, WHOLE
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.problems import Problem

ROWS_MOST, FAULTS_MOST = 200_000, 1_000
KINDS = {"text/csv": ".csv", "application/vnd.apache.parquet": ".parquet"}
PRICE = r"^[0-9]{1,12}(\.[0-9]{1,8})?$"
CELL_MOST = 200


class Layout(NamedTuple):
    """What a file holds. columns: name -> whole, price or text; optional: columns that may be left out, or whose cells may be empty."""

    what: str
    columns: Mapping[str, str]
    optional: frozenset[str] = frozenset()


REPORTS = Layout("emissions reports", {"installation": "text", "year": "year", "emissions": "amount"})
VERIFIED = Layout("verifications", {"installation": "text", "year": "year", "verified": "amount", "state": "text"}, frozenset({"verified", "state"}))
BIDS = Layout("bids", {"account": "text", "price": "price", "quantity": "quantity", "kind": "text"}, frozenset({"price", "kind"}))
TRANSFERS = Layout("transfers", {"from": "text", "to": "text", "unit": "text", "quantity": "quantity"})
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string"}, "example": "installation,year,emissions\nplant-1,2025,48210\n"},
            "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


def described(layout: Layout, example: str) -> dict[str, Any]:
    """The body of an upload, for the API's description."""
    text = f"columns: {', '.join(name + (' (may be left out)' if name in layout.optional else '') for name in layout.columns)}"
    content = {
        "text/csv": {"schema": {"type": "string"}, "example": example},
        "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
    }
    return {"requestBody": {"required": True, "description": text, "content": content}}


async def upload(ask: Ask, layout: Layout, checks: Callable[[pl.DataFrame, Callable[[int, str, str], None]], None] | None = None) -> pl.DataFrame:
    """The rows of the file in the request's body, each checked. `checks(frame, fault(row, column, reason))` may find more.

    Raises Problem 415 for another kind of content, 422 with every fault by its line.
    """
    import asyncio

    request: Request = ask.request
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in KINDS:
        raise Problem(415, "malformed", f"send {' or '.join(KINDS)}")
    data = await request.body()
    return await asyncio.to_thread(read, data, kind, layout, checks)


def read(data: bytes, kind: str, layout: Layout, checks: Any = None) -> pl.DataFrame:
    """As `upload`, of bytes."""
    _require_kind(data, kind)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"upload{KINDS[kind]}"
        file.write_bytes(data)
        if kind != "text/csv":
            _require_small(file)
        try:
            table, _ = read_table(file, [[name for name in layout.columns if name not in layout.optional]], None, layout.what)
        except BadFile as bad:
            raise refused(
                [
                    {"row": one.row, "column": one.column, "value": _cut(one.value), "reason": one.reason.replace(str(file), "the file")}
                    for one in bad.faults
                ]
            ) from None
    return _checked(table, layout, checks)


def _require_kind(data: bytes, kind: str) -> None:
    """By content, not by name. Raises Problem 415 for packed files and whatever is neither text nor Parquet, 413 for too many rows."""
    parquet = data[:4] == b"PAR1"
    if parquet != (kind != "text/csv") or data[:2] == b"\x1f\x8b" or (not parquet and b"\0" in data):
        raise Problem(415, "malformed", "the content is not what its type says: plain CSV in UTF-8, or Parquet")
    if not parquet and data.count(b"\n") > ROWS_MOST + 1:
        raise Problem(413, "too_large", f"at most {ROWS_MOST:,} rows")


def _require_small(file: Path) -> None:
    try:
        rows = pl.scan_parquet(file).select(pl.len()).collect().item()
        columns = len(pl.read_parquet_schema(file))
    except (pl.exceptions.PolarsError, OSError):
        raise Problem(415, "malformed", "this Parquet file cannot be read") from None
    if rows > ROWS_MOST or columns > 50:
        raise Problem(413, "too_large", f"at most {ROWS_MOST:,} rows and 50 columns")


def _checked(table: Table, layout: Layout, checks: Any) -> pl.DataFrame:
    unknown = sorted(set(table.frame.columns) - set(layout.columns))
    found: list[dict[str, Any]] = [
        {"row": 1, "column": name[:CELL_MOST], "value": None, "reason": f"this column is not known; there are {', '.join(layout.columns)}"}
        for name in unknown
    ]
    if not table.frame.height:
        found.append({"row": None, "column": None, "value": None, "reason": "the file has no rows"})
    columns = []
    for name, kind in layout.columns.items():
        texts = table.frame[name].str.strip_chars() if name in table.frame.columns else pl.Series(name, [None] * table.frame.height, dtype=pl.String)
        empty = texts.is_null() | (texts == "")
        if name not in layout.optional:
            table.fault(empty, name, "empty, but needed")
        table.fault(~empty & ~_fits(texts, kind), name, _why(kind))
        texts = texts.to_frame(name).select(pl.when(~empty).then(pl.col(name))).to_series() if table.frame.height else texts
        columns.append(texts.alias(name).cast(pl.Int64, strict=False) if kind in ("amount", "quantity", "year") else texts.alias(name))
    frame = pl.DataFrame(columns)
    if checks is not None and not table.faults and not found:

        def fault(row: int, column: str, reason: str) -> None:
            found.append({"row": int(table.lines[row]), "column": column, "value": _cut(str(frame[column][row])), "reason": reason})

        checks(frame, fault)
    found += [{"row": one.row, "column": one.column, "value": _cut(one.value), "reason": one.reason} for one in table.faults]
    if found:
        raise refused(found)
    given = [name for name in layout.columns if name not in layout.optional or frame[name].null_count() < frame.height]
    return frame.select(given)


def _fits(texts: pl.Series, kind: str) -> pl.Series:
    if kind == "text":
        return texts.str.len_chars() <= CELL_MOST
    if kind == "price":
        return texts.str.contains(PRICE)
    digits = texts.str.contains(f"^{WHOLE.pattern}$")
    numbers = pl.Series([int(text) if fits and text else None for text, fits in zip(texts.to_list(), digits.to_list(), strict=True)], dtype=pl.Int64)
    low, high = {"year": (1990, 2200), "amount": (0, QUANTITY_MOST), "quantity": (1, QUANTITY_MOST)}[kind]
    return digits & numbers.is_between(low, high).fill_null(False)


def _why(kind: str) -> str:
    return {
        "text": f"longer than {CELL_MOST} letters",
        "price": "not a price: digits, and after a point up to eight more",
        "year": "not a year from 1990 to 2200",
        "amount": f"not a whole number from 0 to {QUANTITY_MOST:,}, written in digits only",
        "quantity": f"not a whole number from 1 to {QUANTITY_MOST:,}, written in digits only",
    }[kind]


def _cut(value: str | None) -> str | None:
    return None if value is None else value[:CELL_MOST]


def refused(faults: list[dict[str, Any]]) -> Problem:
    """All faults of a file; the list ends at a thousand, the count does not."""
    rows = sorted(faults, key=lambda one: (one["row"] or 0, one["column"] or ""))
    return Problem(422, "malformed", f"{len(rows):,} faults; nothing was taken", faults=rows[:FAULTS_MOST])
