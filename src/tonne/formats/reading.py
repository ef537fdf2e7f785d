"""Reads a table of others as text, keeps the line of each row, and collects what is wrong with it.

CSV with comma, semicolon or tab, plain or gzipped, in UTF-8; or Parquet. Every value stays text until a column is asked for in a type, so that
nothing is guessed: identifiers keep their zeros, and a tonne that is no whole number is a fault and not a float.
"""

from __future__ import annotations

import csv
import gzip
import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tonne.formats.faults import BadFile, Fault, nearest

if TYPE_CHECKING:
    import polars as pl

NEWLINE, QUOTE, RETURN = 10, 34, 13
_OTHER_KINDS = {
    b"PK\x03\x04": "this is a zip archive or an Excel workbook; save the sheet as CSV (UTF-8)",
    b"\xd0\xcf\x11\xe0": "this is an old Excel workbook; save the sheet as CSV (UTF-8)",
    b"%PDF": "this is a PDF; a table is needed (CSV or Parquet)",
    b"ARROW1": "this is an Arrow file; write it as Parquet or CSV",
    b"\xff\xfe": "this text is UTF-16; save it as CSV in UTF-8",
    b"\xfe\xff": "this text is UTF-16; save it as CSV in UTF-8",
}


class Table:
    """A file's rows as text columns, with `lines` (the line of each row) and `faults` so far; a row with a fault is marked in `bad`."""

    def __init__(self, file: str, frame: pl.DataFrame, lines: np.ndarray, faults: list[Fault]) -> None:
        self.file = file
        self.frame = frame
        self.lines = lines
        self.faults = faults
        self.bad = np.zeros(frame.height, dtype=bool)
        self.names = {name: name for name in frame.columns}

    def renamed(self, columns: Mapping[str, str]) -> Table:
        """With the columns under our names; faults keep naming the columns as the file does. `columns`: our name -> the file's."""
        self.frame = self.frame.select([self.frame[theirs].alias(ours) for ours, theirs in columns.items()])
        self.names = dict(columns)
        return self

    def fault(self, mask: pl.Series, column: str, reason: str | Callable[[int, str], str]) -> None:
        """Marks the rows of a boolean mask (null: no). `reason` may be a function of the row's index and its text."""
        rows = np.flatnonzero(mask.fill_null(False).to_numpy())
        if not rows.size:
            return
        self.bad[rows] = True
        values = self.frame[column].gather(rows).to_list() if column in self.frame.columns else [None] * rows.size
        for row, value in zip(rows.tolist(), values, strict=True):
            text = reason if isinstance(reason, str) else reason(row, value)
            self.faults.append(Fault(self.file, int(self.lines[row]), self.names.get(column, column), value, text))

    def text(self, column: str, *, required: bool = False) -> pl.Series:
        """The column without blanks around it, empty cells null; nulls if the file has no such column."""
        import polars as pl

        if column not in self.frame.columns:
            return pl.Series(column, [None] * self.frame.height, dtype=pl.String)
        values = self.frame[column].str.strip_chars()
        values = values.to_frame().select(pl.when(pl.col(column) != "").then(column).alias(column)).to_series()
        if required:
            self.fault(values.is_null(), column, "empty, but needed")
        return values

    def whole(self, column: str, *, required: bool = False, least: int | None = None, most: int | None = None, unit: str = "") -> pl.Series:
        """The column as Int64. A decimal point followed by zeros only is taken as the whole number it is ("10448.0").

        Three zeros after one point ("400.000") may be four hundred thousand in another country's hand: that is a fault, not a guess.
        """
        import polars as pl

        values = self.text(column, required=required)
        self.fault(values.str.contains(r"^[+-]?[1-9]\d{0,2}\.000$"), column, lambda _, value: _two_readings(value))
        numbers = values.cast(pl.Int64, strict=False)
        odd = numbers.is_null() & values.is_not_null()
        if odd.any():
            numbers = numbers.zip_with(~odd, values.str.replace(r"^([+-]?\d+)\.0*$", "$1").cast(pl.Int64, strict=False))
            self.fault(numbers.is_null() & values.is_not_null(), column, lambda _, value: _not_whole(value, unit))
        if least is not None:
            self.fault(numbers < least, column, "negative" if least == 0 else f"below {least:,}{unit}")
        if most is not None:
            self.fault(numbers > most, column, f"above {most:,}{unit}; is the unit right?")
        return numbers.alias(column)

    def decimal(self, column: str, *, least: int | None = None) -> pl.Series:
        """The column as Decimal(38, 6); more than six decimals is a fault, not a rounding."""
        import polars as pl

        values = self.text(column)
        exact = values.str.contains(r"^[+-]?\d+(\.\d{1,6}0*)?$")
        numbers = values.to_frame("x").select(pl.when(exact).then("x").alias(column)).to_series().cast(pl.Decimal(38, 6), strict=False)
        self.fault(numbers.is_null() & values.is_not_null(), column, "not a number of at most six decimals")
        if least is not None:
            self.fault(numbers < least, column, "negative")
        return numbers

    def truth(self, column: str) -> pl.Series:
        """The column as Boolean: true, yes, 1 and false, no, 0 or empty."""
        import polars as pl

        values = self.text(column).str.to_lowercase().fill_null("false")
        known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        self.fault(~values.is_in(list(known)), column, "neither true nor false")
        return values.is_in([word for word, meaning in known.items() if meaning]).cast(pl.Boolean).alias(column)

    def refuse_twice(self, key: Sequence[pl.Series], column: str) -> None:
        """Marks every row whose key stood in an earlier row, naming that row's line; rows with an empty key are left to other checks."""
        import polars as pl

        keys = pl.DataFrame([part.alias(str(place)) for place, part in enumerate(key)])
        order = keys.with_row_index("row").drop_nulls([str(place) for place in range(len(key))])
        first = order.select("row", pl.col("row").first().over([str(place) for place in range(len(key))]).alias("first"))
        again = first.filter(pl.col("row") != pl.col("first"))
        if not again.height:
            return
        earlier = dict(again.rows())
        mask = pl.Series(np.isin(np.arange(keys.height), again["row"].to_numpy()))

        def reason(row: int, _: str) -> str:
            key_text = "/".join(str(part) for part in keys.row(row))
            return f"{key_text} was given in line {self.lines[earlier[row]]} already"

        self.fault(mask, column, reason)

    def good(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows of a frame of the same height that have no fault."""
        return frame.filter(~self.bad) if self.bad.any() else frame


def read_table(path: str | os.PathLike[str], dialects: Sequence[Sequence[str]], columns: Mapping[str, str] | None, what: str) -> tuple[Table, int]:
    """The file as a `Table` and which dialect it is in.

    `dialects`: for each layout that is known the columns it cannot do without. With `columns` (our name -> the file's name) the table comes
    renamed and the dialect is -1. Raises `BadFile` for a file that cannot be read or has not the columns; `what` names its content.
    """
    table = _read(path, what)
    found = table.frame.columns
    if columns is not None:
        missing = [theirs for theirs in columns.values() if theirs not in found]
        if missing:
            _refuse_columns(table.file, what, missing, [list(columns.values())], found)
        return table.renamed(columns), -1
    for place, needed in enumerate(dialects):
        if all(name in found for name in needed):
            return table, place
    closest = max(dialects, key=lambda needed: sum(name in found for name in needed))
    _refuse_columns(table.file, what, [name for name in closest if name not in found], dialects, found)
    raise AssertionError("unreachable")


def _refuse_columns(file: str, what: str, missing: Sequence[str], dialects: Sequence[Sequence[str]], found: Sequence[str]) -> None:
    faults = []
    layouts = " or ".join(", ".join(needed) for needed in dialects)
    closest = max(len(needed) for needed in dialects)
    if len(missing) * 2 > closest:
        reason = f"this is no file of {what} that is known here. Expected the columns {layouts}; found {', '.join(found)}."
        raise BadFile([Fault(file, 1, None, None, reason + " Say which is which by a column mapping.")], skippable=False)
    for name in missing:
        near = nearest(name, found)
        hint = f"; did you mean to call {near!r} so?" if near else ""
        faults.append(Fault(file, 1, name, None, f"this column is missing{hint} The columns found are {', '.join(found)}"))
    raise BadFile(faults, skippable=False)


def _read(path: str | os.PathLike[str], what: str) -> Table:
    file = Path(path)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadFile([Fault(str(file), None, None, None, f"cannot be read: {error.strerror or error}")], skippable=False) from None
    if data[:4] == b"PAR1":
        return _from_parquet(str(file), data)
    if data[:2] == b"\x1f\x8b":
        data = _unzipped(str(file), data)
    elif file.suffix == ".gz" and data:
        raise BadFile([Fault(str(file), None, None, None, "named .gz but not gzipped; rename it or zip it again")], skippable=False)
    return _from_text(str(file), data, what)


def _unzipped(file: str, data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except EOFError:
        reason = "the gzip file ends too early, it was cut off in transfer; fetch it again"
    except (OSError, zlib.error) as error:
        reason = f"the gzip file is damaged ({error}); fetch it again"
    raise BadFile([Fault(file, None, None, None, reason)], skippable=False)


def _from_parquet(file: str, data: bytes) -> Table:
    import io

    import polars as pl

    try:
        frame = pl.read_parquet(io.BytesIO(data))
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = f"the Parquet file is damaged or cut off ({str(error).splitlines()[0]})"
        raise BadFile([Fault(file, None, None, None, reason)], skippable=False) from None
    nested = [name for name, kind in frame.schema.items() if kind.is_nested() or kind == pl.Binary]
    frame = frame.drop(nested).select(pl.all().cast(pl.String))
    if not frame.height:
        raise BadFile([Fault(file, None, None, None, "the file has no rows")], skippable=False)
    return Table(file, frame, np.arange(1, frame.height + 1), [])


def _from_text(file: str, data: bytes, what: str) -> Table:
    import polars as pl

    data = data.removeprefix(b"\xef\xbb\xbf")
    _refuse_unreadable(file, data, what)
    if b"\r" in data and b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    header = data.split(b"\n", 1)[0]
    separator = max((b",", b";", b"\t"), key=header.count)
    names = [name.strip() for name in next(csv.reader([header.decode().strip()], delimiter=separator.decode()))]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise BadFile([Fault(file, 1, twice[0], None, "the header has this column twice")], skippable=False)
    kept, lines, faults = _straightened(file, data, separator)
    try:
        frame = pl.read_csv(kept, separator=separator.decode(), infer_schema=False)
    except pl.exceptions.PolarsError as error:
        reason = f"cannot be read as a table: {str(error).splitlines()[0]}"
        raise BadFile([*faults, Fault(file, None, None, None, reason)], skippable=False) from None
    frame = frame.rename({name: name.strip() for name in frame.columns})
    if frame.height != lines.size:
        # Quotes inside unquoted cells are the one thing on which the two readings of a line may differ.
        reason = f"a stray quotation mark makes {lines.size} lines read as {frame.height} rows; quote the cells that hold one"
        raise BadFile([Fault(file, None, None, None, reason)], skippable=False)
    if not frame.height and not faults:
        raise BadFile([Fault(file, None, None, None, "the file has a header and no rows")], skippable=False)
    return Table(file, frame, lines, faults)


def _refuse_unreadable(file: str, data: bytes, what: str) -> None:
    reason, row, value = None, None, None
    if not data.strip():
        reason = f"the file is empty; a file of {what} is expected"
    for start, kind in _OTHER_KINDS.items():
        reason = kind if data.startswith(start) else reason
    if reason is None and b"\x00" in data[:65536]:
        reason = "this is no text; a table is needed (CSV in UTF-8, or Parquet)"
    if reason is None:
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            row = data.count(b"\n", 0, error.start) + 1
            value = data[max(0, data.rfind(b"\n", 0, error.start) + 1) : error.start + 20].decode("latin-1").splitlines()[0][-40:]
            reason = f"byte {data[error.start]:#04x} is not UTF-8; the file looks like Windows-1252 or Latin-1: save it as CSV in UTF-8"
    if reason is not None:
        raise BadFile([Fault(file, row, None, value, reason)], skippable=False)


def _straightened(file: str, data: bytes, separator: bytes) -> tuple[bytes, np.ndarray, list[Fault]]:
    """The text without blank and without ragged lines, the line number of every row kept, and a fault for every ragged one.

    One pass over the bytes: a separator or line end counts only where the quotation marks before it are even in number. Polars alone would
    fill short rows with nulls in silence and name no line for long ones.
    """
    if not data.endswith(b"\n"):
        data += b"\n"
    text = np.frombuffer(data, dtype=np.uint8)
    breaks = np.flatnonzero(text == NEWLINE)
    cuts = np.flatnonzero(text == separator[0])
    ends = breaks
    if (quotes := np.flatnonzero(text == QUOTE)).size:
        ends = breaks[np.searchsorted(quotes, breaks) % 2 == 0]
        cuts = cuts[np.searchsorted(quotes, cuts) % 2 == 0]
        if quotes.size % 2:
            line = int(np.searchsorted(breaks, ends[-1] if ends.size else 0, side="right")) + 1
            reason = "a quotation mark is opened in or before this line and never closed"
            raise BadFile([Fault(file, line, None, None, reason)], skippable=False)
    starts = np.concatenate(([0], ends[:-1] + 1))
    lines = np.searchsorted(breaks, starts) + 1
    fields = np.diff(np.searchsorted(cuts, ends), prepend=0) + 1
    length = ends - starts
    blank = (length == 0) | ((length == 1) & (text[starts] == RETURN))
    width = int(fields[0])
    ragged = (fields != width) & ~blank
    faults = [
        Fault(file, int(lines[row]), None, data[starts[row] : ends[row]].decode().strip(), f"{fields[row]} cells where the header has {width}")
        for row in np.flatnonzero(ragged).tolist()
    ]
    keep = ~(blank | ragged)
    if not keep.all():
        data = b"".join(data[start : end + 1] for start, end in zip(starts[keep].tolist(), ends[keep].tolist(), strict=True))
    return data, lines[keep][1:], faults


def _two_readings(value: str) -> str:
    whole = value.split(".")[0]
    return f"{value}: {whole} or {whole}000? write whole numbers without a point"


def _not_whole(value: str, unit: str) -> str:
    text = value.replace(" ", "").replace("\u00a0", "").replace("'", "")
    if text.replace(",", "").replace(".", "").lstrip("+-").isdigit():
        return f"not a whole number{unit and ' of' + unit}; write it without separators and decimals"
    return "not a number"
