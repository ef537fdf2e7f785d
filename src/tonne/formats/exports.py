"""Writes tables for others: Parquet, CSV, gzipped CSV or JSON by the ending of the name; the whole file or none of it."""

from __future__ import annotations

import gzip
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from tonne.formats.writing import write_whole

if TYPE_CHECKING:
    import polars as pl

ENDINGS = (".parquet", ".csv", ".csv.gz", ".json")


def write_table(frame: pl.DataFrame, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Writes the frame and gives the path back. The same frame gives the same bytes.

    The file appears complete or not at all: it is written beside its place, flushed to disk, and renamed. Raises `FileExistsError` for a file
    that is there unless `overwrite`, `ValueError` for an ending that is not one of ENDINGS, `FileNotFoundError` for a folder that is not.
    """
    target = Path(path)
    ending = next((ending for ending in sorted(ENDINGS, key=len, reverse=True) if target.name.lower().endswith(ending)), None)
    if ending is None:
        raise ValueError(f"{target}: the name must end in one of {', '.join(ENDINGS)}")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target}: there is no folder {target.parent}")
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target}: is there already; choose another name or overwrite it")
    return write_whole(target, _bytes(frame, ending), overwrite=overwrite)


def _bytes(frame: pl.DataFrame, ending: str) -> bytes:
    buffer = io.BytesIO()
    if ending == ".parquet":
        frame.write_parquet(buffer, compression="zstd")
    elif ending == ".json":
        frame.write_json(buffer)
    else:
        frame.write_csv(buffer)
    # No clock in the gzip header: the same table is the same file tomorrow.
    return gzip.compress(buffer.getvalue(), mtime=0) if ending == ".csv.gz" else buffer.getvalue()
