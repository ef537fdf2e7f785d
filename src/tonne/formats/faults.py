"""What is wrong with a file of others, row by row, and the one way to say so."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from tonne.formats.writing import write_whole

SHOWN = 50
"""Faults that a message prints; all of them go into the rejects file."""


class Fault(NamedTuple):
    """One thing wrong. `row` is the line of the file, the header being line 1 (None: the file as a whole); in Parquet the first row is 1."""

    file: str
    row: int | None
    column: str | None
    value: str | None
    reason: str

    def __str__(self) -> str:
        where = "".join((f" line {self.row}" if self.row is not None else "", f", column {self.column}" if self.column else ""))
        value = "" if self.value is None else f": {shortened(self.value)!r}"
        return f"{self.file}{where}{value}: {self.reason}"


class BadFile(Exception):
    """A file is refused whole, with all its faults in `faults`. The text shows `first` (what they have in common), the first 50 of them, their total
    and where the rejects file is."""

    def __init__(self, faults: Iterable[Fault], rejects: str | os.PathLike[str] | None = None, *, skippable: bool = True, first: str = "") -> None:
        self.faults = tuple(faults)
        self.rejects = None if rejects is None else str(rejects)
        self.skippable = skippable
        self.first = first
        super().__init__(self._text())

    def _text(self) -> str:
        total = len(self.faults)
        lines = [self.first] if self.first else []
        lines += [str(fault) for fault in self.faults[:SHOWN]]
        if total > SHOWN:
            lines.append(f"... and {total - SHOWN:,} more")
        if total > 1:
            lines.append(f"{total:,} faults in all; nothing was loaded.")
        if self.rejects is not None:
            lines.append(f"All of them are in {self.rejects}.")
        elif total > SHOWN:
            lines.append("Name a rejects file to have all of them written there.")
        if self.skippable and total:
            lines.append("Skip the bad rows (--skip-bad) to load the rest.")
        return "\n".join(lines)


def shortened(text: str, limit: int = 80) -> str:
    """The text, cut at `limit` characters."""
    return text if len(text) <= limit else text[: limit - 3] + "..."


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name most like this one, or None where none is."""
    import difflib

    spelled = {other.lower(): other for other in names}
    found = difflib.get_close_matches(name.lower(), list(spelled), n=1, cutoff=0.6)
    return spelled[found[0]] if found else None


def write_rejects(faults: Sequence[Fault], path: str | os.PathLike[str]) -> None:
    """All faults as CSV (file, row, column, value, reason). An older rejects file is replaced: it spoke of an older reading."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(Fault._fields)
    writer.writerows(faults)
    write_whole(Path(path), stream.getvalue().encode())


def settle(faults: Sequence[Fault], *, skip_bad: bool, rejects: str | os.PathLike[str] | None, first: str = "") -> list[Fault]:
    """Writes the rejects file if there is one to write; raises `BadFile` unless the bad rows are to be skipped. `first`: a sentence before them."""
    if not faults:
        return []
    ordered = sorted(faults, key=lambda fault: (fault.row or 0, fault.column or ""))
    if rejects is not None:
        write_rejects(ordered, rejects)
    if not skip_bad:
        raise BadFile(ordered, rejects, first=first)
    return ordered
