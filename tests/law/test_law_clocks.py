"""What the text said on a day, as known on a day; three kinds of nothing; tables laid over each other; growth year by year."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from law_files import SYSTEM, made, rulebook_files, with_values

from tonne.law import BeforeSystem, Growth, NotYetInForce, RulebookError, UnknownParameter, load, systems
from tonne.units import DOWN, NEAREST, UP

BACKWARDS = """
{from: 2020-01-01, value: 100, source: Act 1, published: 2019-06-01}
{from: 2020-01-01, value: 90, source: Act 2 which changed the past, published: 2022-03-01}
{from: 2023-01-01, value: 80, source: Act 1 again, published: 2019-06-01}
{from: 2024-01-01, value: null, source: Act 3 repeals, published: 2023-06-01}
{from: 2025-01-01, value: 70, source: Bill 4, published: 2024-06-01, status: proposed}
{from: 2026-01-01, value: 60, source: Act 5, published: 2025-06-01, status: adopted}
"""


@pytest.mark.parametrize(
    ("day", "known_on", "value"),
    [
        ("2021-01-01", None, 90),
        ("2021-01-01", "2021-01-01", 100),
        ("2021-01-01", "2022-02-28", 100),
        ("2021-01-01", "2022-03-01", 90),
        ("2022-12-31", "2019-06-01", 100),
        ("2023-01-01", "2019-06-01", 80),
        ("2024-01-01", "2023-05-31", 80),
        ("2024-01-01", "2023-06-01", None),
        ("2025-06-01", None, None),
        ("2026-01-01", None, 60),
        ("2026-01-01", "2025-05-31", None),
    ],
)
def test_two_clocks(tmp_path: Path, day: str, known_on: str | None, value: int | None) -> None:
    law = made(tmp_path, cap=with_values(BACKWARDS)).at(day, known_on)
    assert law.value("cap.size") == value
    assert law.has("cap.size") == (value is not None)


def test_no_entry_yet_raises_and_says_when(tmp_path: Path) -> None:
    book = made(
        tmp_path,
        cap=with_values("{from: 2021-01-01, value: 1, source: Act 1, published: 2020-06-01}"),
        stability=with_values("{from: 2021-01-01, value: 1, source: Bill 1, status: proposed}"),
    )
    with pytest.raises(NotYetInForce, match=r"cap\.size has no value on 2020-12-31; its first value takes effect 2021-01-01"):
        book.at("2020-12-31").value("cap.size")
    with pytest.raises(NotYetInForce, match=r"on 2021-01-01 as known on 2020-05-31; what holds by then was first published 2020-06-01"):
        book.at("2021-01-01", "2020-05-31").value("cap.size")
    with pytest.raises(NotYetInForce, match=r"stability\.size is only proposed; a scenario may include it"):
        book.at("2022-01-01").value("stability.size")
    assert not book.at("2022-01-01").has("stability.size")
    assert not book.at("2022-01-01").has("stability.other")
    with pytest.raises(UnknownParameter, match=r"my-country has no parameter 'cap\.sise'; did you mean 'cap\.size'\?"):
        book.at("2022-01-01").value("cap.sise")


def test_a_later_value_does_not_hide_that_the_earlier_was_not_yet_known(tmp_path: Path) -> None:
    book = made(tmp_path, cap=with_values(BACKWARDS))
    with pytest.raises(NotYetInForce, match="on 2021-01-01 as known on 2019-01-01; what holds by then was first published 2019-06-01"):
        book.at("2021-01-01", "2019-01-01").value("cap.size")


def test_before_the_system_there_is_no_law(tmp_path: Path) -> None:
    book = made(tmp_path)
    with pytest.raises(BeforeSystem, match="my-country has no law on 2019-12-31; it begins 2020-01-01"):
        book.at("2019-12-31")
    assert repr(book.at("2020-01-01", known_on="2021-01-01")) == "<Law of my-country on 2020-01-01 as known on 2021-01-01>"
    assert book.at(date(2020, 1, 1)).system.currency == "EUR"


def test_a_law_without_rules_answers_nothing_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(AttributeError):
        made(tmp_path).at("2020-01-01").cap(2020)


OVERLAID = """
{from: 2020-01-01, value: {2020: 10, 2021: 20, 2022: 30}, source: Act 1}
{from: 2021-03-01, value: {2022: 25, 2023: 35}, source: a court ruling, not backwards}
{from: 2021-03-01, value: {2024: 40}, source: a notice of the same day for another year}
{from: 2022-01-01, value: {2021: null}, source: Act 2 repeals one year}
{from: 2024-01-01, value: null, source: Act 3 repeals the table}
{from: 2025-01-01, value: {2025: 50}, source: Act 4 begins anew}
"""


@pytest.mark.parametrize(
    ("day", "table"),
    [
        ("2020-01-01", {2020: 10, 2021: 20, 2022: 30}),
        ("2021-02-28", {2020: 10, 2021: 20, 2022: 30}),
        ("2021-03-01", {2020: 10, 2021: 20, 2022: 25, 2023: 35, 2024: 40}),
        ("2022-01-01", {2020: 10, 2021: None, 2022: 25, 2023: 35, 2024: 40}),
        ("2024-01-01", None),
        ("2025-01-01", {2025: 50}),
    ],
)
def test_tables_overlay_key_by_key(tmp_path: Path, day: str, table: dict[int, int | None] | None) -> None:
    assert made(tmp_path, cap=with_values(OVERLAID.replace("ruling, not", "ruling not"), by="year")).at(day).table("cap.size") == table


def test_a_row_of_a_table(tmp_path: Path) -> None:
    values = with_values("{from: 2020-01-01, value: {2020: 10}, source: Act 1}", by="year")
    book = made(tmp_path, cap=values, stability=with_values("{from: 2020-01-01, value: 3, source: Act 1}"))
    law = book.at("2020-01-01")
    assert law.table("cap.size", 2020) == 10
    with pytest.raises(KeyError, match=r"cap\.size has no 2021 on 2020-01-01; it has 2020"):
        law.table("cap.size", 2021)
    with pytest.raises(KeyError, match=r"stability\.size is one value, not a table; leave out 2021"):
        law.table("stability.size", 2021)


def test_a_growth_is_rounded_every_year_and_keeps_its_cents(tmp_path: Path) -> None:
    grows = "{from: 2021-01-01, source: Act 1, grows: {start: 2021, value: '13.00', factor: '1.07', rounding: nearest, to: '0.01', until: 2026}}"
    table = made(tmp_path, stability=with_values(grows, unit="EUR_per_allowance", by="year")).at("2021-01-01").value("stability.size")
    assert {year: str(value) for year, value in table.items()} == {
        2021: "13.00",
        2022: "13.91",
        2023: "14.88",
        2024: "15.92",
        2025: "17.03",
        2026: "18.22",
    }


def test_a_growth_by_whole_units_gives_whole_numbers() -> None:
    table = Growth(2021, Decimal(100), 2023, Decimal("0.975"), Decimal(0), NEAREST, Decimal(1)).table()
    assert table == {2021: 100, 2022: 98, 2023: 96}
    assert all(type(value) is int for value in table.values())
    assert Growth(2021, Decimal("1.5"), 2023, step=Decimal("0.25")).table() == {2021: Decimal("1.5"), 2022: Decimal("1.75"), 2023: Decimal("2.00")}


@given(
    start=st.integers(0, 10**12),
    factor=st.decimals("0.5", "1.5", places=4),
    step=st.integers(-1000, 1000),
    rounding=st.sampled_from([DOWN, UP, NEAREST]),
)
def test_each_year_follows_from_the_rounded_year_before(start: int, factor: Decimal, step: int, rounding: object) -> None:
    table = Growth(2021, Decimal(start), 2030, factor, Decimal(step), rounding, Decimal(1)).table()  # type: ignore[arg-type]
    for year in range(2022, 2031):
        exact = table[year - 1] * Fraction(factor) + step
        assert abs(exact - table[year]) < 1
        if rounding is DOWN:
            assert table[year] <= exact
        if rounding is UP:
            assert table[year] >= exact


def test_a_growth_may_be_overlaid_by_a_published_year(tmp_path: Path) -> None:
    values = """
    {from: 2021-01-01, source: Act 1, grows: {start: 2021, value: 100, step: -10, until: 2024}}
    {from: 2022-06-01, value: {2023: 79}, source: Notice 1}
    """
    book = made(tmp_path, cap=with_values(values, by="year"))
    assert book.at("2021-01-01").value("cap.size") == {2021: 100, 2022: 90, 2023: 80, 2024: 70}
    assert book.at("2022-06-01").value("cap.size") == {2021: 100, 2022: 90, 2023: 79, 2024: 70}


ONE_FILE = (
    SYSTEM
    + """
topics:
  cap:
    rules: [tabled_cap]
    parameters:
      size:
        unit: allowance
        by: year
        values:
          - {from: 2020-01-01, value: {2020: 1_000}, source: Act 1}
    notes: [The whole law of a small country.]
"""
)


def test_the_simplest_system_is_one_short_file(tmp_path: Path) -> None:
    path = tmp_path / "my-country.yaml"
    path.write_text(ONE_FILE, encoding="utf-8")
    book = load(path)
    assert (book.system.id, book.rules, book.notes) == ("my-country", {"cap": ("tabled_cap",)}, {"cap": ("The whole law of a small country.",)})
    assert book.chosen == {"tabled_cap": ("my-country.yaml", 12)}
    assert load(str(path)).at("2020-01-01").table("cap.size", 2020) == 1_000


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "unit: allowance\n        by",
            "unit: alowance\n        by",
            "my-country.yaml:15: size: unknown unit 'alowance' (did you mean 'allowance'?)",
        ),
        ("value: {2020", "vaule: {2020", "my-country.yaml:18: parameters.size.values.0.vaule: unknown key"),
        ("topics:", "topic:", "my-country.yaml:10: topic: unknown key (did you mean 'topics'?)"),
        ("  cap:\n", "  capp:\n", "my-country.yaml:11: no such topic: capp (did you mean 'cap'?)"),
        ("currency: EUR\n", "", "my-country.yaml:1: currency: missing"),
    ],
)
def test_faults_of_the_one_file_name_its_lines(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "my-country.yaml"
    assert old in ONE_FILE
    path.write_text(ONE_FILE.replace(old, new), encoding="utf-8")
    with pytest.raises(RulebookError) as caught:
        load(path)
    assert message in str(caught.value)


def test_a_folder_that_is_being_written_is_read_anew(tmp_path: Path) -> None:
    folder = rulebook_files(tmp_path / "mine", cap=with_values("{from: 2020-01-01, value: 1, source: Act 1}"))
    assert load(folder).at("2020-01-01").value("cap.size") == 1
    rulebook_files(folder, cap=with_values("{from: 2020-01-01, value: 2, source: Act 1}"))
    assert load(folder).at("2020-01-01").value("cap.size") == 2


def test_what_ships_is_read_once() -> None:
    assert all(load(system) is load(system) for system in systems())
