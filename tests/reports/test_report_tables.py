"""Tables for the terminal, and the sheets they are set from."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tonne.reports import sheets, tables
from tonne.reports.data import RunData
from tonne.reports.sheets import Column, Sheet


def _printed(data: RunData, width: int = 120) -> str:
    buffer = io.StringIO()
    screen = Console(file=buffer, width=width, highlight=False)
    for table in tables.run_tables(data, width):
        screen.print(table)
    return buffer.getvalue()


@pytest.mark.parametrize("width", [120, 100, 80])
def test_nothing_is_wider_than_the_terminal_and_no_figure_is_cut(whole: RunData, width: int) -> None:
    text = _printed(whole, width)
    assert max(map(len, text.splitlines())) <= width
    for figure in ("1,892,980,626", "1,683,113,624", "1,297,124,722", "1,131,659,001", "-5,635,157", "7,511 of 7,635"):
        assert figure in text, figure
    assert "…" not in text


def test_the_yearly_table_fits_on_one_screen(whole: RunData) -> None:
    text = _printed(whole)
    line = next(line for line in text.splitlines() if line.startswith("2019"))
    assert line.split() == [
        "2019", "1,854,716,380", "720,000,000", "589,000,000", "1,530,203,149", "1,527,000,000", "1,005,169,374", "397,124,722", "1,297,124,722",
    ]  # fmt: skip
    assert "Placed in the reserve outright, beside the intake: 900,000,000 in 2019." in text


def test_empty_columns_are_hidden_and_named(plain: RunData) -> None:
    (sheet,) = sheets.yearly(plain)
    assert [column.heading for column in sheet.columns] == ["Year", "Cap", "Auctioned", "Verified", "Surrendered", "Circulation"]
    assert [column.unit for column in sheet.columns][:4] == ["", "CO2 allowance", "CO2 allowance", "short tons CO2"]
    assert sheet.note == "No figures, or zero in every year: allocated free, into reserve, in reserve."
    assert [row[-1] for row in sheet.rows] == ["", "", "1,653"]


def test_the_installations_given_are_a_table_of_their_own_only_where_they_are_not_the_whole(whole: RunData, plain: RunData) -> None:
    assert [sheet.title for sheet in sheets.yearly(whole)] == ["The whole system by year", "Of it, the installations given"]
    assert len(sheets.yearly(plain)) == 1


def test_compliance_counts_every_letter(whole: RunData) -> None:
    sheet = sheets.compliance(whole)
    assert [column.heading for column in sheet.columns] == ["Year", "A", "B", "C", "-", "All", "Same letter"]
    assert sheet.rows == (("2018", "8,203", "171", "126", "1", "8,501", "7,511 of 7,635 (98.4 %)"), ("2019", "8,276", "125", "0", "0", "8,401", ""))


def test_an_empty_sheet_is_a_line(empty: RunData) -> None:
    text = _printed(empty)
    assert "No installation was judged in these years." in text and "no published circulation" in " ".join(text.split())


def test_a_table_too_wide_goes_on_below_with_its_first_column() -> None:
    sheet = Sheet("Wide", tuple(Column(f"c{n}") for n in range(9)), (tuple(f"{n}" * 12 for n in range(9)),), "said once")
    buffer = io.StringIO()
    for table in tables.rich_tables(sheet, 60):
        Console(file=buffer, width=60).print(table)
    text = buffer.getvalue()
    assert text.count("0" * 12) == 3 and text.count("Wide (continued)") == 2 and text.count("said once") == 1
    assert all(str(n) * 12 in text for n in range(9))


def test_auctions_by_year(whole: RunData, plain: RunData) -> None:
    sheet = sheets.auctions(whole)
    assert [column.heading for column in sheet.columns] == [
        "Year", "Auctions", "Offered", "Sold", "Unsold", "Lowest price", "Mean price", "Highest price", "Floor", "Ceiling", "Proceeds",
    ]  # fmt: skip
    assert sheet.rows == (
        ("2018", "2", "4,000", "4,000", "", "10.00", "10.75", "13.00", "9.00", "", "43,000.00"),
        ("2019", "2", "3,000", "500", "2,500", "25.10", "25.10", "25.10", "9.50 to 9.75", "30.00", "12,550.00"),
    )
    assert sheet.note == "1 of them sold nothing."
    assert not sheets.auctions(plain) and "Auctions by year" in _printed(whole) and "Auctions by year" not in _printed(plain)
