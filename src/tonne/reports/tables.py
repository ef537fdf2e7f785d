"""Tables for the terminal: Rich, right-aligned figures, never wider than 120 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tonne.reports import sheets
from tonne.reports.sheets import Sheet

if TYPE_CHECKING:
    from tonne.reports.data import RunData

WIDTH = 120
BETWEEN = 2  # characters of air between two columns
WORDS = 30  # characters that a column of words is sure to get; longer ones are broken


def run_tables(data: RunData, width: int = WIDTH) -> Iterator[Any]:
    """What a run prints: the years, the letters, the statement; each as one or more Rich tables, or a line where there is nothing."""
    for sheet in (*sheets.yearly(data), sheets.auctions(data), sheets.money(data), sheets.compliance(data), sheets.statement(data)):
        if sheet:
            yield from rich_tables(sheet, width)
        elif sheet.note:
            yield f"{sheet.title}: {sheet.note}"
    for remark in data.remarks:
        yield f"Remark: {remark}."


def rich_tables(sheet: Sheet, width: int = WIDTH) -> list[Any]:
    """The sheet as titled Rich tables: one, or several below each other, the first column repeated, where it would be too wide."""
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    headings = [_heading(sheet, number) for number in range(len(sheet.columns))]
    found = []
    pages = _pages(sheet, headings, width)
    for page in pages:
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
        for number in page:
            words = sheet.columns[number].words
            table.add_column(headings[number], justify="left" if words else "right", no_wrap=not words, overflow="fold")
        _level(table)
        for row in sheet.rows:
            table.add_row(*(row[number] for number in page))
        title = sheet.title if page is pages[0] else f"{sheet.title} (continued)"
        note = [Text(sheet.note, style="dim")] if sheet.note and page is pages[-1] else []
        found.append(Group(Text(title, style="bold"), table, *note))
    return found


def _heading(sheet: Sheet, number: int) -> str:
    """Heading and unit, broken into lines no wider than what stands below, as far as words allow."""
    column = sheet.columns[number]
    room = max([WORDS if column.words else 1, *(len(row[number]) for row in sheet.rows)])
    lines = []
    for text in (column.heading, column.unit):
        longest = max((len(word) for word in text.split()), default=0)
        lines += textwrap.wrap(text, max(room, longest, 1))
    return "\n".join(lines)


def _level(table: Any) -> None:
    """Headings of fewer lines stand at the bottom, on the line of the figures."""
    most = max(str(column.header).count("\n") for column in table.columns)
    for column in table.columns:
        column.header = "\n" * (most - str(column.header).count("\n")) + str(column.header)


def _pages(sheet: Sheet, headings: list[str], width: int) -> list[list[int]]:
    """Numbers of the columns that fit beside each other."""
    needed = [
        max([len(line) for line in heading.split("\n")] + [min(len(row[number]), WORDS) for row in sheet.rows]) + BETWEEN
        for number, heading in enumerate(headings)
    ]
    pages, room = [[0]], width + BETWEEN - needed[0]
    for number in range(1, len(needed)):
        if needed[number] > room and len(pages[-1]) > 1:
            pages.append([0])
            room = width + BETWEEN - needed[0]
        pages[-1].append(number)
        room -= needed[number]
    return pages
