"""What the register frames share: a fixed schema, a key, one order of rows, one spelling in bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from tonne.registers.errors import RegisterError

RATIO = pl.Decimal(38, 6)
"""Loads and intensities: exact to the sixth decimal, never a binary float."""


def conform(frame: pl.DataFrame, schema: Mapping[str, Any], defaults: Mapping[str, Any], register: str) -> pl.DataFrame:
    """The frame in the schema's columns and types.

    A missing column that has an entry in `defaults` is filled with it; any other missing or unknown column raises `RegisterError`. A cell that
    does not fit its type raises too: nothing is turned into a null in silence.
    """
    missing = [name for name in schema if name not in frame.columns and name not in defaults]
    unknown = [name for name in frame.columns if name not in schema]
    if missing or unknown:
        raise RegisterError(f"{register}: missing columns {missing}, unknown columns {unknown}; the columns are {list(schema)}")
    columns = [pl.col(name) if name in frame.columns else pl.lit(defaults[name]).alias(name) for name in schema]
    try:
        return frame.select(columns).cast(dict(schema))
    except pl.exceptions.PolarsError as error:
        raise RegisterError(f"{register}: a cell does not fit its column: {str(error).splitlines()[0]}") from None


def refuse_nulls(frame: pl.DataFrame, names: Sequence[str], register: str) -> None:
    """`RegisterError` if one of the named columns has an empty cell."""
    empty = [name for name in names if frame[name].null_count()]
    if empty:
        raise RegisterError(f"{register}: empty cells in {empty}, which must be filled")


def refuse_others(frame: pl.DataFrame, name: str, allowed: Sequence[str], register: str) -> None:
    """`RegisterError` if the column holds a word that is not allowed."""
    strange = frame[name].drop_nulls().unique().to_frame().filter(~pl.col(name).is_in(list(allowed)))[name].sort().to_list()
    if strange:
        raise RegisterError(f"{register}: {name} may be one of {list(allowed)}, not {strange[:5]}")


def refuse_negative(frame: pl.DataFrame, names: Sequence[str], register: str) -> None:
    """`RegisterError` if one of the named columns holds a number below zero."""
    negative = [name for name in names if frame.select((pl.col(name) < 0).any()).item()]
    if negative:
        raise RegisterError(f"{register}: numbers below zero in {negative}")


def ordered(frame: pl.DataFrame, key: Sequence[str], register: str) -> pl.DataFrame:
    """The frame in the order of its key, so that equal content is equal in bytes; `RegisterError` if a key comes twice."""
    if frame.height < 2:
        return frame
    if not _rises(frame, key, strictly=False):
        frame = frame.sort(list(key))
    if not _rises(frame, key, strictly=True):
        twice = frame.filter(frame.select(list(key)).is_duplicated()).select(list(key)).unique(maintain_order=True)
        shown = ", ".join("/".join(str(part) for part in row) for row in twice.head(5).rows())
        raise RegisterError(f"{register}: {twice.height} keys ({'/'.join(key)}) come more than once, such as {shown}")
    return frame


def to_bytes(frame: pl.DataFrame) -> bytes:
    """The frame as Arrow IPC, the same bytes for the same content, however the frame was built. Its first column must have no empty cell.

    Arrow leaves open what lies under an empty cell, whether a column without any carries a map of them, and how that map's last byte ends;
    string views remember how they were made. So empty rows fill the frame up to the next multiple of 64 (one at least), which settles the
    maps, and the cells under a null are set to zero. `from_bytes` drops the empty rows.
    """
    frame = pl.concat([frame, frame.clear(64 - frame.height % 64)])
    smooth = []
    for name, kind in frame.schema.items():
        under = pl.lit("" if kind == pl.String else False if kind == pl.Boolean else 0).cast(kind)
        smooth.append(pl.when(pl.col(name).is_null()).then(None).otherwise(pl.col(name).fill_null(under)).alias(name))
    buffer = io.BytesIO()
    frame.select(smooth).rechunk().write_ipc(buffer, compression="uncompressed", compat_level=pl.CompatLevel.oldest())
    return buffer.getvalue()


def from_bytes(data: bytes, register: str) -> pl.DataFrame:
    """The frame that `to_bytes` wrote; `RegisterError` if the bytes are something else."""
    try:
        frame = pl.read_ipc(io.BytesIO(data))
        return frame.filter(pl.nth(0).is_not_null())
    except (pl.exceptions.PolarsError, OSError) as error:
        raise RegisterError(f"{register}: these bytes are no stored register: {str(error).splitlines()[0]}") from None


def _rises(frame: pl.DataFrame, key: Sequence[str], *, strictly: bool) -> bool:
    """Whether the rows rise by the key's columns, compared from the first column to the last."""
    before = [pl.col(name).shift(1) for name in key]
    level = pl.lit(not strictly)
    for name, earlier in zip(reversed(key), reversed(before), strict=True):
        level = (pl.col(name) > earlier) | ((pl.col(name) == earlier) & level)
    return bool(frame.lazy().select(level.slice(1).all()).collect().item())
