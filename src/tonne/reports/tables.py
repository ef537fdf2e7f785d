"""Tables for the terminal: Rich, right-aligned figures, never wider than 120 columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tonne.reports import sheets
from tonne.reports.sheets import Column, Sheet

if TYPE_CHECKING:
    from tonne.reports.data import RunData

WIDTH = 120
BETWEEN = 2  # columns of air between two columns of figures


def run_tables(data: RunData, width: int = WIDTH) -> Iterator[Any]:
    """What a run prints: the years, the letters, the statement; each as one or more Rich tables, or a line where there is nothing."""
    for sheet in (*sheets.yearly(data), sheets.compliance(data), sheets.statement(data)):
        if sheet:
            yield from rich_tables(sheet, width)
        else:
            yield f"{sheet.title}: {sheet.note}"


def rich_tables(sheet: Sheet, width: int = WIDTH) -> list[Any]:
    """The sheet as Rich tables: one, or several below each other, the first column repeated, where it would be too wide."""
    from rich import box
    from rich.table import Table

    tables = []
    for columns in _pages(sheet, width):
        title = sheet.title if not tables else f"{sheet.title} (continued)"
        table = Table(
            title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False
        )
        for number in columns:
            column = sheet.columns[number]
            table.add_column(heading(column), justify="left" if column.words else "right", no_wrap=not column.words, overflow="fold")
        for row in sheet.rows:
            table.add_row(*(row[number] for number in columns))
        tables.append(table)
    return tables


def heading(column: Column) -> str:
    return f"{column.heading}\n{column.unit}" if column.unit else column.heading


def _pages(sheet: Sheet, width: int) -> list[list[int]]:
    """Numbers of the columns that fit beside each other."""
    needed = [
        max([len(part) for part in heading(column).split("\n")] + [min(len(row[number]), 60) for row in sheet.rows]) + BETWEEN
        for number, column in enumerate(sheet.columns)
    ]
    pages, room = [[0]], width - needed[0]
    for number in range(1, len(needed)):
        if needed[number] > room and len(pages[-1]) > 1:
            pages.append([0])
            room = width - needed[0]
        pages[-1].append(number)
        room -= needed[number]
    return pages
