"""Auctions of short tons against a second record of them in metric tons, row by row: what agrees to the cent, and which rows are known to be wrong.

The second record divides every price of a short ton by 0.90718474 and rounds to the cent. Without ../shared/data these tests skip.
"""

from __future__ import annotations

import csv
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from tonne.administration.asks import answer
from tonne.law import Law, NotYetInForce, load
from tonne.units import NEAREST, fraction, round_decimal

SYSTEM = "rggi"
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
TONNES_PER_SHORT_TON = "0.90718474"

#: Rows of the second record whose day is no auction's. Day and month are exchanged in all; the extract at hand may leave years out.
EXCHANGED_DAYS = {date(2011, 7, 9): date(2011, 9, 7), date(2012, 5, 9): date(2012, 9, 5)}
#: A named row that no exchange of day and month puts on an auction's day (the auction was on 2018-12-05 or 2018-03-14).
NO_AUCTION = {date(2018, 3, 12)}
MOST_MISDATED = 4
#: Auctions whose price in the second record is another figure: the year's reserve price stands where the clearing price should.
RESERVE_FOR_PRICE = {6: Decimal("2.05")}


@cache
def rows(path: str) -> list[dict[str, str]]:
    file = DATA / path
    if not file.is_file():
        pytest.skip(f"no records at ../shared/data/{path}")
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def own() -> dict[date, tuple[int, Decimal]]:
    """Day -> (number, price of a short ton) as the region's own site gives them."""
    found = rows("auctions/rggi_auction_clearing_prices.csv")
    return {date.fromisoformat(row["auction_date"]): (int(row["auction_number"]), Decimal(row["clearing_price_usd_per_short_ton"])) for row in found}


def printed_rows() -> list[dict[str, str]]:
    return [row for row in rows("auctions/icap_auction_prices_and_triggers.csv") if row["system"] == "RGGI"]


def second() -> list[dict[str, str]]:
    """Every row of the second record but those that are named as no auction's."""
    return [row for row in printed_rows() if date.fromisoformat(row["date"]) not in NO_AUCTION]


def per_tonne(price: Decimal) -> Decimal:
    return round_decimal(fraction(price) / fraction(TONNES_PER_SHORT_TON), "0.01", NEAREST)


def day_of(row: dict[str, str]) -> date:
    """The auction's day: as printed, or with day and month exchanged where only that is one of the region's own days."""
    day = date.fromisoformat(row["date"])
    if day in own() or day.day > 12:
        return day
    exchanged = date(day.year, day.day, day.month)
    return exchanged if exchanged in own() else day


def law_of(day: date) -> Law:
    return load(SYSTEM, answer).at(date(day.year, 12, 31))


def test_the_law_converts_as_the_second_record_does() -> None:
    assert law_of(date(2021, 1, 1)).value("scope.tonnes_per_unit") == Decimal(TONNES_PER_SHORT_TON)
    assert per_tonne(Decimal("3.07")) == Decimal("3.38")


def test_every_row_is_an_auction_once_exchanged_days_are_put_right() -> None:
    days = own()
    wrong = {date.fromisoformat(row["date"]): day_of(row) for row in second() if date.fromisoformat(row["date"]) not in days}
    assert date(2011, 7, 9) in wrong and len(wrong) + len(printed_rows()) - len(second()) <= MOST_MISDATED
    for printed, right in wrong.items():
        assert (printed.day, printed.month) == (right.month, right.day) and right in days, printed
        assert EXCHANGED_DAYS.get(printed, right) == right
    met = [day_of(row) for row in second()]
    assert len(met) == len(set(met))
    missing = {day.year for day in set(days) - set(met)} - {day.year for day in NO_AUCTION}
    assert missing <= {2025}, "only the last year is missing from the second record"
    print(f"{len(met)} rows, {len(days)} auctions of the region's own record, day and month exchanged in {sorted(map(str, wrong))}")  # noqa: T201


def test_auctions_are_held_on_wednesdays_three_months_apart() -> None:
    days = sorted(own())
    assert {day.weekday() for day in days if day.year > 2008} == {2}, "only the very first auction was on another day of the week"
    for before, after in pairwise(days):
        if after.year == before.year:
            assert timedelta(days=77) <= after - before <= timedelta(days=98), (before, after)


def test_every_clearing_price_agrees_to_the_cent_but_the_known_one() -> None:
    faulty: dict[int, Decimal] = {}
    for row in second():
        number, price = own()[day_of(row)]
        printed = Decimal(row["settlement_price"])
        difference = abs(printed - per_tonne(price))
        if difference > Decimal("0.01"):
            faulty[number] = printed
    assert faulty == RESERVE_FOR_PRICE


def test_the_faulty_price_is_the_reserve_price_of_its_year() -> None:
    for number, printed in RESERVE_FOR_PRICE.items():
        day, price = next((day, price) for day, (n, price) in own().items() if n == number)
        reserve = answer(law_of(day), "auction_reserve_price", (), {"year": day.year})
        assert per_tonne(reserve) == printed
        assert price != reserve, "the region's own record cleared above its reserve price"


def test_the_rulebook_holds_the_prices_of_both_records() -> None:
    held = law_of(max(own())).value("statistics.auction_price")
    months = law_of(max(own())).value("statistics.auction_month")
    for day, (number, price) in own().items():
        assert held[number] == price, number
        assert months[number] == f"{day:%Y-%m}", number
    for row in second():
        number, _ = own()[day_of(row)]
        if number not in RESERVE_FOR_PRICE:
            assert abs(per_tonne(held[number]) - Decimal(row["settlement_price"])) <= Decimal("0.01"), number


def test_every_reserve_price_of_the_record_is_the_law_s() -> None:
    for row in second():
        day = day_of(row)
        reserve = answer(law_of(day), "auction_reserve_price", (), {"year": day.year})
        assert per_tonne(reserve) == Decimal(row["stability_1"]), day


def test_every_trigger_of_the_record_is_the_law_s() -> None:
    """Column 2 is the emissions containment reserve's trigger, column 3 the cost containment reserve's; empty where there was none."""
    seen = {"stability_2": 0, "stability_3": 0}
    for row in second():
        day = day_of(row)
        today = law_of(day)
        for column, ask in (("stability_2", "emissions_trigger"), ("stability_3", "containment_trigger")):
            trigger = _or_none(today, ask, day.year)
            printed = Decimal(row[column]) if row[column] else None
            assert (per_tonne(trigger) if trigger is not None else None) == printed, (day, ask)
            seen[column] += printed is not None
    assert seen["stability_2"] >= 8 and seen["stability_3"] >= 16


def test_nothing_cleared_below_its_floor() -> None:
    for row in second():
        number, price = own()[day_of(row)]
        floor = answer(law_of(day_of(row)), "auction_reserve_price", (), {"year": day_of(row).year})
        assert price >= floor, number


def test_the_members_file_tells_the_same_years_as_the_law() -> None:
    names = {
        "CT": "Connecticut", "DE": "Delaware", "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts", "NH": "New Hampshire",
        "NJ": "New Jersey", "NY": "New York", "RI": "Rhode Island", "VT": "Vermont", "VA": "Virginia",
    }  # fmt: skip
    for row in rows("rggi/rggi_member_states.csv"):
        spans = [span.split("-") for span in row["participating_years"].split(";")]
        years = {year for first, last in spans for year in range(int(first), int(last) + 1)}
        for year in range(2009, 2026):
            day = date(year, 7, 1)
            linked = {link.jurisdiction for link in load(SYSTEM).links_on(day) if link.kind == "member"}
            assert (
                (year in years) == (names[row["state_abb"]] in linked) == bool(law_of(day).value("scope.member_states").get(names[row["state_abb"]]))
            )


def _or_none(today: Law, ask: str, year: int) -> Decimal | None:
    """A trigger of the law, None while there is no such reserve."""
    try:
        found = answer(today, ask, (), {"year": year})
    except NotYetInForce:
        return None
    return None if found is None else Decimal(found)
