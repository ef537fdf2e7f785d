"""Figures and words as every report writes them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tonne.reports import words


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1_386_051_745, "allowance", "1,386,051,745"),
        (2021, "year", "2021"),
        (Decimal("0.240"), "ratio", "0.240"),
        (Decimal("7661230022.99"), "CNY", "7,661,230,022.99"),
        (Decimal("1E+3"), "allowance", "1,000"),
        (True, "boolean", "yes"),
        (None, "", "none"),
        (date(2024, 9, 30), "day", "2024-09-30"),
        ([2021, 2025], "year", "2021; 2025"),
        ([1_000, 2_000], "allowance", "1,000; 2,000"),
        ({2013: 5, 2014: None}, "allowance", "2013: 5; 2014: none"),
        ({"first": {"per_year": 8_207_664, "since": 2014}}, "allowance", "first: [per_year: 8,207,664; since: 2014]"),
        ({}, "allowance", "empty"),
    ],
)
def test_a_value_reads_as_people_write_it(value: object, unit: str, text: str) -> None:
    assert words.figure(value, unit) == text


def test_a_long_table_shows_its_first_rows_its_last_and_how_many_there_are() -> None:
    text = words.compact({year: 1_000_000 + year for year in range(2000, 2040)}, "allowance", room=100)
    assert text.startswith("2000: 1,002,000; 2001: ") and text.endswith("... 2039: 1,002,039 (40 rows)") and len(text) <= 110
    assert words.compact({1: "x" * 500}).endswith("...")
    assert words.compact({1: "x" * 500, 2: "y"}).endswith("(2 rows)")
    assert words.compact("x" * 500) == "x" * 500


@pytest.mark.parametrize(("part", "of", "text"), [(1, 3, "33.3 %"), (10_000, 10_001, "99.9 %"), (3, 3, "100.0 %"), (0, 0, "")])
def test_a_share_is_a_hundred_only_where_it_is_all(part: int, of: int, text: str) -> None:
    assert words.share(part, of) == text


def test_signs_plurals_scales() -> None:
    assert [words.signed(n) for n in (5, -1_000, 0, None)] == ["+5", "-1,000", "0", ""]
    assert [words.plural(name) for name in ("EU allowance", "entry", "units", "day")] == ["EU allowances", "entries", "units", "days"]
    assert [words.scale(n)[1] for n in (5_000_000_000, 2_000_000, 1_999_999, 1_000)] == ["million", "million", "thousand", ""]


def test_a_column_of_nothing_is_not_used() -> None:
    assert words.used([("year", [0]), ("cap", [None, None]), ("auctioned", [0, 0]), ("verified", [0, 7])]) == ["year", "verified"]
