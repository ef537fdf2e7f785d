"""Reports as files: what a row may hold, every fault with its row, and templates that load again as they are."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.tables import FORMULAS

COLUMNS = ("installation", "year", "emissions")
SHOWN = 50
ROWS_MOST = 200_000
#: Thousandths by which a figure may differ from last year's before somebody has to say that it was checked.
IMPLAUSIBLE = 500
DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True)
class Fault:
    """row: as a spreadsheet numbers it, the header is row 1; 0: the file as a whole."""

    row: int
    column: str
    value: str
    text: str


@dataclass(frozen=True)
class Loaded:
    """What a file holds. rows: (installation, year, emissions); count: rows that were looked at, empty ones left out."""

    rows: tuple[tuple[str, int, int], ...]
    count: int
    faults: tuple[Fault, ...]

    @property
    def frame(self) -> pl.DataFrame:
        return pl.DataFrame(list(self.rows), schema={"installation": pl.String, "year": pl.Int32, "emissions": pl.Int64}, orient="row")


def is_implausible(figure: int, last: int | None) -> bool:
    """Whether a figure is so far from last year's that a slip is likelier than a change."""
    return last is not None and abs(figure - last) * 1_000 > IMPLAUSIBLE * last


def read(ask: Ask, data: bytes, open_years: Mapping[str, Mapping[int, int | None]], checked: bool) -> Loaded:
    """A file of reports. open_years: installation -> the years that may be reported now -> last year's figure; checked: large changes are meant."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return _whole(ask.say("The file is not UTF-8 text: row %(row)s holds a byte that is none. Save it as CSV (UTF-8).", row=line))
    if "\0" in text:
        return _whole(ask._("This is not a text file. Save the sheet as CSV (UTF-8)."))
    head = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=head.count)
    lines = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        found = list(lines)
    except csv.Error as error:
        return _whole(ask.say("Row %(row)s cannot be read: %(why)s.", row=lines.line_num, why=str(error)))
    names = [name.strip().lower() for name in found[0]] if found else []
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        return _whole(
            ask.say(
                "The first row names the columns; %(missing)s is missing. There are: %(there)s.",
                missing=", ".join(missing),
                there=", ".join(filter(None, names)) or "-",
            )
        )
    twice = next((name for name in COLUMNS if names.count(name) > 1), "")
    if twice:
        return _whole(ask.say("The column %(name)s is there twice.", name=twice))
    if len(found) > ROWS_MOST + 1:
        return _whole(ask.say("At most %(most)s rows at once.", most=f"{ROWS_MOST:,}"))
    return _rows(ask, found, {name: names.index(name) for name in COLUMNS}, open_years, checked)


def _whole(text: str) -> Loaded:
    return Loaded((), 0, (Fault(0, "", "", text),))


def _rows(ask: Ask, found: list[list[str]], at: Mapping[str, int], open_years: Mapping[str, Mapping[int, int | None]], checked: bool) -> Loaded:
    rows: list[tuple[str, int, int]] = []
    faults: list[Fault] = []
    seen: dict[tuple[str, int], int] = {}
    count = 0
    for number, cells in enumerate(found[1:], 2):
        if not any(cell.strip() for cell in cells):
            continue
        count += 1
        given = {name: _plain(cells[place]) if place < len(cells) else "" for name, place in at.items()}
        own, row = _row(ask, number, given, open_years, checked)
        if row is not None and row[:2] in seen:
            own.append(Fault(number, "installation", row[0], ask.say("reported already in row %(row)s", row=seen[row[:2]])))
        elif row is not None:
            seen[row[:2]] = number
            rows.append(row)
        faults += own
    if not count:
        return _whole(ask._("The file holds no row below its header."))
    return Loaded(tuple(rows), count, tuple(faults))


def _plain(cell: str) -> str:
    """A cell as it was before our own files guarded it from being run as a formula."""
    text = cell.strip()
    return text[1:] if len(text) > 1 and text[0] == "'" and text[1] in FORMULAS else text


def _row(
    ask: Ask, number: int, given: Mapping[str, str], open_years: Mapping[str, Mapping[int, int | None]], checked: bool
) -> tuple[list[Fault], tuple[str, int, int] | None]:
    faults: list[Fault] = []

    def fault(column: str, text: str) -> None:
        faults.append(Fault(number, column, given[column][:80], text))

    name, year, figure = given["installation"], whole(given["year"]), whole(given["emissions"])
    years = open_years.get(name)
    if years is None:
        fault("installation", ask._("no installation of yours") if name else ask._("empty"))
    if year is None:
        fault("year", ask._("a year, such as 2025") if given["year"] else ask._("empty"))
    elif years is not None and year not in years:
        fault("year", ask.say("not open for reports; open are %(years)s", years=", ".join(map(str, years)) or "-"))
    if figure is None:
        fault("emissions", ask._("whole tonnes only") if given["emissions"] else ask._("empty"))
    elif years is not None and year is not None and year in years and not checked and is_implausible(figure, years[year]):
        fault("emissions", ask.say("last year it was %(last)s; tick that you have checked it", last=years[year]))
    if faults or year is None or figure is None:
        return faults, None
    return faults, (name, year, figure)


def whole(text: str) -> int | None:
    """Digits, spaces between them read over; None for everything else."""
    joined = text.replace(" ", "").replace("\u202f", "").replace("\u00a0", "")
    return int(joined) if joined.isascii() and joined.isdigit() and len(joined) <= 15 else None


def sentence(ask: Ask, found: Loaded) -> str:
    """What was wrong with a file, in one sentence."""
    whole_file = next((one for one in found.faults if not one.row), None)
    if whole_file is not None:
        return ask.say("Nothing was loaded. %(why)s", why=whole_file.text)
    bad = len({one.row for one in found.faults})
    text = ask.ngettext(
        "Nothing was loaded. %(bad)s of %(count)s rows has faults.", "Nothing was loaded. %(bad)s of %(count)s rows have faults.", bad
    )
    return text % {"bad": f"{bad:,}", "count": f"{found.count:,}"}


def fault_frame(found: Loaded) -> pl.DataFrame:
    rows: list[dict[str, Any]] = [{"row": one.row, "column": one.column, "value": one.value, "fault": one.text} for one in found.faults]
    return pl.DataFrame(rows, schema={"row": pl.Int64, "column": pl.String, "value": pl.String, "fault": pl.String})
