"""Order flow in files: a row an instruction, words for what has words; and beside it the instruments it is meant for.

CSV (plain or gzipped) and Parquet have the columns of INSTRUCTION: verb, order, account, instrument, side, kind, price, quantity, ... A word may
also be its number, so that a wrong instruction can be written down as it was sent. An empty cell is the column's first word or 0. Times are whole
microseconds since 1970 or `2026-01-05T09:30:00.000001` (UTC), days whole days since 1970 or `2026-01-05`. `.npz` holds the array itself, and the
instruments with it.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import astuple, fields
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tonne.formats.faults import BadFile, Fault, nearest, settle
from tonne.formats.positions import read_with
from tonne.formats.reading import Table
from tonne.formats.writing import write_whole
from tonne.market.orders import (
    INSTRUCTION,
    Instructions,
    InstrumentRules,
    Lasting,
    Matching,
    OrderFlag,
    OrderKind,
    Phase,
    SelfTrade,
    Side,
    Verb,
    instructions,
)

if TYPE_CHECKING:
    import polars as pl

__all__ = ["COLUMNS", "instruments_beside", "read_flow", "read_instruments", "write_flow", "write_instruments"]

WORDS: Mapping[str, type[IntEnum]] = {
    "verb": Verb, "side": Side, "kind": OrderKind, "lasting": Lasting, "self_trade": SelfTrade, "phase": Phase, "matching": Matching,
}  # fmt: skip
COLUMNS = (
    "time", "verb", "order", "account", "instrument", "side", "kind", "price", "stop", "quantity", "display", "lasting", "expires", "flags",
    "self_trade", "against", "phase", "spare",
)  # fmt: skip
_NEEDS = ("verb", "order", "account")
_ENDINGS = (".csv", ".csv.gz", ".parquet", ".npz")
_POST_ONLY = "post_only"
_LAST_MOMENT = 253_402_300_799_999_999  # the end of the year 9999: what is later is written as a number
_LAST_DAY = 2_932_896


def read_flow(
    path: str | os.PathLike[str],
    *,
    skip_bad: bool = False,
    rejects: str | os.PathLike[str] | None = None,
) -> tuple[Instructions, list[Fault]]:
    """The instructions of a file in its order, and the faults of rows that were skipped. Raises `BadFile` with every fault unless `skip_bad`.

    A fault is a cell that no instruction can hold: no number, an unknown word, a number too large for its column, a new order without side or
    quantity. An instruction that a book would refuse is none: it is read, and refused by the book.
    """
    if str(path).lower().endswith(".npz"):
        return _from_npz(path)[0], []
    table = read_with(path, _NEEDS, "order flow")
    _refuse_unknown(table, COLUMNS)
    rows = instructions(table.frame.height)
    for name in COLUMNS:
        if name in table.frame.columns:
            rows[name] = _numbers(table, name, INSTRUCTION[name]).fill_null(0).to_numpy()
    _refuse_half_orders(table, rows)
    faults = settle(table.faults, skip_bad=skip_bad, rejects=rejects)
    return np.ascontiguousarray(rows[~table.bad]) if table.bad.any() else rows, faults


def write_flow(rows: Instructions, path: str | os.PathLike[str], rules: Sequence[InstrumentRules] = (), *, overwrite: bool = False) -> list[Path]:
    """Writes the instructions by the ending of the name, and the instruments into the same `.npz` or into a file beside; gives what was written.

    Raises FileExistsError for what is there unless `overwrite`, ValueError for another ending, FileNotFoundError for a folder that is not.
    """
    target = Path(path)
    _ending(target)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target}: there is no folder {target.parent}")
    beside = instruments_beside(target)
    there = [str(file) for file in (target, *([beside] if rules and beside else [])) if file.exists()]
    if there and not overwrite:
        raise FileExistsError(f"{', '.join(there)}: there already; choose another name or overwrite it")
    if beside is None:
        return [write_whole(target, _to_npz(rows, rules), overwrite=overwrite)]
    written = [_written_table(_as_table(rows), target, overwrite)]
    return written + [write_instruments(rules, beside, overwrite=overwrite)] if rules else written


def instruments_beside(path: str | os.PathLike[str]) -> Path | None:
    """Where the instruments of a flow are looked for: `flow.csv` -> `flow.instruments.csv`; None for `.npz`, which holds its own."""
    target = Path(path)
    ending = _ending(target)
    return None if ending == ".npz" else target.with_name(target.name[: -len(ending)] + ".instruments.csv")


def read_instruments(path: str | os.PathLike[str]) -> tuple[InstrumentRules, ...]:
    """The instruments of a file, the first row being instrument 0. The columns are the fields of InstrumentRules; an empty cell is its default.

    Of an `.npz` the instruments it holds (none: an empty tuple). Raises `BadFile`.
    """
    if str(path).lower().endswith(".npz"):
        return _from_npz(path)[1]
    table = read_with(path, ("matching",), "instruments")
    names = tuple(field.name for field in fields(InstrumentRules))
    _refuse_unknown(table, names)
    columns = {name: _numbers(table, name, np.dtype("<i8")).to_list() for name in names if name in table.frame.columns}
    found = []
    for row in range(table.frame.height):
        given = {name: values[row] for name, values in columns.items() if values[row] is not None}
        if not table.bad[row]:
            try:
                found.append(_rules_of(given))
            except ValueError as error:
                table.faults.append(Fault(table.file, int(table.lines[row]), None, None, str(error)))
    if table.faults:
        raise BadFile(sorted(table.faults, key=lambda fault: (fault.row or 0, fault.column or "")), skippable=False)
    return tuple(found)


def write_instruments(rules: Sequence[InstrumentRules], path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Writes instruments as a table, a row each."""
    import polars as pl

    names = [field.name for field in fields(InstrumentRules)]
    columns = dict(zip(names, zip(*(astuple(rule) for rule in rules), strict=True), strict=True))
    series = [_words(name, np.array(values, dtype=np.int64)) if name in WORDS else pl.Series(name, values) for name, values in columns.items()]
    return _written_table(pl.DataFrame(series), Path(path), overwrite)


def _numbers(table: Table, name: str, dtype: np.dtype[Any]) -> pl.Series:
    """A column as Int64 that fits its place in an instruction; empty cells are null."""
    import polars as pl

    if name in WORDS:
        numbers = _from_words(table, name, {word.name.lower(): int(word) for word in WORDS[name]})
    elif name == "flags":
        numbers = _flags(table)
    elif name in ("time", "expires"):
        numbers = _moments(table, name)
    else:
        if name in ("price", "stop"):
            of_money = table.text(name).str.contains(r"^[+-]?\d+\.0*[1-9]\d*$")
            table.fault(of_money, name, "prices are in ticks, whole numbers: with a tick of 0.01 write 83.50 as 8350")
            already = len(table.faults)
        numbers = table.whole(name)
        if name in ("price", "stop"):
            told = {(fault.row, fault.column) for fault in table.faults[:already]}
            table.faults[already:] = [fault for fault in table.faults[already:] if (fault.row, fault.column) not in told]
    bounds = np.iinfo(dtype)
    wide = (numbers < int(bounds.min)) | (numbers > int(bounds.max))
    table.fault(wide, name, f"does not fit; {int(bounds.min):,} to {int(bounds.max):,} do")
    return pl.select(pl.when(~wide).then(numbers)).to_series()


def _from_words(table: Table, name: str, words: Mapping[str, int]) -> pl.Series:
    import polars as pl

    texts = table.text(name).str.to_lowercase()
    numbers = texts.replace_strict(list(words), list(words.values()), default=None, return_dtype=pl.Int64)
    plain = texts.str.contains(r"^[+-]?\d+$").fill_null(False)
    numbers = numbers.zip_with(~plain, texts.cast(pl.Int64, strict=False))

    def reason(_: int, value: str) -> str:
        near = nearest(value.strip(), words)
        return f"no word for a {name.replace('_', ' ')}{f'; did you mean {near!r}?' if near else ''} There are {', '.join(words)}"

    table.fault(numbers.is_null() & texts.is_not_null(), name, reason)
    return numbers


def _flags(table: Table) -> pl.Series:
    """`post_only`, a number, or both joined by a plus sign (`post_only+256`: a sender's own mark)."""
    import polars as pl

    texts = table.text("flags").str.to_lowercase()
    parsed: dict[str, int | None] = {}
    for text in texts.drop_nulls().unique().to_list():
        parts = [part.strip() for part in text.split("+")]
        known = [int(OrderFlag.POST_ONLY) if part == _POST_ONLY else int(part) if part.lstrip("-").isdecimal() else None for part in parts]
        parsed[text] = None if None in known else sum(known)  # type: ignore[arg-type]
    numbers = texts.replace_strict(list(parsed), list(parsed.values()), default=None, return_dtype=pl.Int64) if parsed else texts.cast(pl.Int64)
    table.fault(numbers.is_null() & texts.is_not_null(), "flags", f"neither {_POST_ONLY} nor a number, nor such joined by +")
    return numbers


def _moments(table: Table, name: str) -> pl.Series:
    """Whole numbers as they are; else a moment (or a day) in ISO form."""
    import polars as pl

    texts = table.text(name)
    plain = texts.str.contains(r"^[+-]?\d+$").fill_null(False)
    if name == "expires":
        written = texts.str.to_date("%Y-%m-%d", strict=False).to_physical().cast(pl.Int64)
    else:
        spaced = texts.str.replace("T", " ", literal=True).str.replace(r"(Z|\+00:?00)$", "")
        spaced = spaced.str.replace(r"^(\d{4}-\d{2}-\d{2} \d{2}:\d{2})$", "$1:00")
        written = spaced.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False).to_physical()
    numbers = written.zip_with(~plain, texts.cast(pl.Int64, strict=False))
    form = "a day (2026-01-05)" if name == "expires" else "a moment (2026-01-05T09:30:00.000001)"
    table.fault(numbers.is_null() & texts.is_not_null(), name, f"neither a whole number nor {form}")
    return numbers


def _refuse_unknown(table: Table, known: Sequence[str]) -> None:
    """A column that is not known would be left out without a word, and the order would be another one."""
    strange = [name for name in table.frame.columns if name not in known]
    faults = []
    for name in strange:
        near = nearest(name, known)
        hint = f"; did you mean {near!r}?" if near else ""
        faults.append(Fault(table.file, 1, name, None, f"this column is not known{hint} Rename it. The columns are {', '.join(known)}"))
    if faults:
        raise BadFile(faults, skippable=False)


def _refuse_half_orders(table: Table, rows: Instructions) -> None:
    """A new order says its side and quantity, and its price where its kind has one: 0 may be written, an empty cell is a slip."""
    import polars as pl

    orders = pl.Series((rows["verb"] == int(Verb.NEW)) | (rows["verb"] == int(Verb.TAKE))) & pl.Series(~table.bad)
    limited = np.isin(rows["kind"], [int(OrderKind.LIMIT), int(OrderKind.STOP_LIMIT)]) & (rows["verb"] == int(Verb.NEW))
    stops = np.isin(rows["kind"], [int(OrderKind.STOP), int(OrderKind.STOP_LIMIT)]) & (rows["verb"] == int(Verb.NEW))
    for name, concerned in (("side", None), ("quantity", None), ("price", limited), ("stop", stops)):
        mask = table.text(name).is_null() & orders
        table.fault(mask if concerned is None else mask & pl.Series(concerned), name, "empty, but this order needs it")


def _as_table(rows: Instructions) -> pl.DataFrame:
    """The instructions with words, times and days as people write them; what has no word stays a number."""
    import polars as pl

    columns = []
    for name in COLUMNS:
        numbers = np.ascontiguousarray(rows[name]).astype(np.int64)
        if name in WORDS:
            columns.append(_words(name, numbers))
        elif name == "flags":
            known = {int(flag): text for flag, text in ((OrderFlag.NONE, ""), (OrderFlag.POST_ONLY, _POST_ONLY))}
            columns.append(pl.Series(name, numbers).cast(pl.String).replace({str(number): text for number, text in known.items()}))
        elif name == "time":
            columns.append(_written(name, numbers, _LAST_MOMENT, pl.Datetime("us"), "%Y-%m-%dT%H:%M:%S.%6f"))
        elif name == "expires":
            columns.append(_written(name, numbers, _LAST_DAY, pl.Int32, "%Y-%m-%d"))
        else:
            columns.append(pl.Series(name, numbers))
    return pl.DataFrame(columns)


def _words(name: str, numbers: Any) -> pl.Series:
    import polars as pl

    words = {str(int(word)): word.name.lower() for word in WORDS[name]}
    return pl.Series(name, numbers).cast(pl.String).replace(words)


def _written(name: str, numbers: Any, last: int, dtype: Any, form: str) -> pl.Series:
    import polars as pl

    plain = pl.Series(name, numbers)
    possible = (plain > 0) & (plain <= last)
    safe = plain.zip_with(possible, pl.Series(name, [0], dtype=pl.Int64))
    dated = safe.cast(dtype).cast(pl.Date) if name == "expires" else safe.cast(dtype)
    return dated.dt.strftime(form).zip_with(possible, plain.cast(pl.String))


def _written_table(frame: pl.DataFrame, target: Path, overwrite: bool) -> Path:
    from tonne.formats.exports import write_table

    return write_table(frame, target, overwrite=overwrite)


def _rules_of(given: Mapping[str, int]) -> InstrumentRules:
    values: dict[str, Any] = dict(given)
    for name, words in (("matching", Matching), ("phase", Phase)):
        if name in values:
            values[name] = words(values[name])
    return InstrumentRules(**values)


def _to_npz(rows: Instructions, rules: Sequence[InstrumentRules]) -> bytes:
    stream = io.BytesIO()
    table = np.array([astuple(rule) for rule in rules], dtype=np.int64).reshape(len(rules), len(fields(InstrumentRules)))
    np.savez(stream, instructions=rows, instruments=table)
    return stream.getvalue()


def _from_npz(path: str | os.PathLike[str]) -> tuple[Instructions, tuple[InstrumentRules, ...]]:
    file = str(path)

    def refuse(reason: str) -> BadFile:
        return BadFile([Fault(file, None, None, None, reason)], skippable=False)

    try:
        with np.load(file, allow_pickle=False) as held:
            arrays = {name: held[name] for name in ("instructions", "instruments") if name in held.files}
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror or error}") from None
    except (ValueError, EOFError, zipfile.BadZipFile, KeyError) as error:
        raise refuse(f"is no .npz file of arrays, or a damaged one ({str(error).splitlines()[0]})") from None
    rows = arrays.get("instructions")
    if rows is None:
        raise refuse("holds no array `instructions`")
    if rows.dtype != INSTRUCTION or rows.ndim != 1:
        raise refuse(f"`instructions` is a {rows.ndim}-dimensional array of {rows.dtype}; one dimension of dtype INSTRUCTION is expected")
    try:
        table = arrays.get("instruments", np.zeros((0, 0), dtype=np.int64))
        names = [field.name for field in fields(InstrumentRules)]
        return rows, tuple(_rules_of(dict(zip(names, row, strict=True))) for row in table.tolist())
    except (ValueError, TypeError) as error:
        raise refuse(f"`instruments` cannot be used: {error}") from None


def _ending(target: Path) -> str:
    name = target.name.lower()
    found = next((ending for ending in sorted(_ENDINGS, key=len, reverse=True) if name.endswith(ending)), None)
    if found is None:
        raise ValueError(f"{target}: the name must end in one of {', '.join(_ENDINGS)}")
    return found
