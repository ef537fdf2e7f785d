"""The law, its calendar and the system's figures as pages show them, against what the law itself answers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from small_markets import Desk

import tonne
from tonne.administration.agenda import day_of, due
from tonne.interfaces.views import agenda_view, amendment, law_view, system
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.found import NotFound
from tonne.simulation.run import published

TODAY = date(2020, 2, 1)
BOOK = tonne.rulebook("eu-ets")


def test_every_value_of_every_system_is_that_of_the_law() -> None:
    for name in tonne.systems():
        book = tonne.rulebook(name)
        view = law_view.law_view(book, date(2024, 6, 1))
        law = law_view.law_on(book, date(2024, 6, 1))
        told = {one.path: one for topic in view.topics for one in topic.parameters}
        assert set(told) == set(book.parameters)
        for path, one in told.items():
            assert one.value == (law.value(path) if law.has(path) else None), path
            assert (one.status in ("none", "repealed")) == (not law.has(path)), path
            assert one.topic == path.split(".")[0] and one.source == "" if one.status == "none" else True


def test_what_was_known_on_another_day() -> None:
    """The surrender day of 30 September holds from June 2023 and was published in May."""
    before = law_view.parameter(BOOK, "calendar.agenda", date(2023, 7, 1), known_on=date(2023, 5, 9))
    after = law_view.parameter(BOOK, "calendar.agenda", date(2023, 7, 1), known_on=date(2023, 5, 10))
    assert (before.value["surrender"], after.value["surrender"]) == ("+1 04-30", "+1 09-30")
    assert len(after.history) == len(before.history) + 1
    (change,) = [
        one
        for one in law_view.differences(BOOK, date(2023, 7, 1), date(2023, 7, 1), known_first=date(2023, 5, 9), known_second=date(2023, 5, 10))
        if one.path == "calendar.agenda"
    ]
    assert change.what == "changed" and change.before["surrender"] == "+1 04-30" and "surrender" in change.keys


def test_differences_between_two_days_are_all_there_are() -> None:
    first, second = date(2022, 6, 1), date(2024, 6, 1)
    old, new = BOOK.at(first), BOOK.at(second)

    def value(law: Any, path: str) -> Any:
        return law.value(path) if law.has(path) else None

    expected = {path for path in BOOK.parameters if value(old, path) != value(new, path)}
    found = {change.path: change for change in law_view.differences(BOOK, first, second)}
    assert set(found) == expected and len(expected) > 5
    assert law_view.differences(BOOK, first, first) == ()
    for path, change in found.items():
        if change.keys:
            assert change.after == {key: new.value(path).get(key) for key in change.keys}


def test_a_step_for_each_value_that_took_effect() -> None:
    frame = law_view.steps(BOOK, "penalty.amount")
    assert frame.select("from", "until", "number").rows() == [(date(2005, 1, 1), date(2007, 12, 31), 40.0), (date(2008, 1, 1), None, 100.0)]
    for row in frame.iter_rows(named=True):
        assert str(BOOK.at(row["from"]).value("penalty.amount")) == row["value"]
    days = law_view.steps(BOOK, "calendar.agenda", key="surrender")
    assert days["value"].to_list() == ["+1 04-30", "+1 09-30"]
    with pytest.raises(NotFound):
        law_view.steps(BOOK, "calendar.agenda", key="no such task")
    with pytest.raises(NotFound) as lost:
        law_view.steps(BOOK, "penalty.amont")
    assert "penalty.amount" in lost.value.near
    with pytest.raises(NotFound) as lost:
        law_view.law_view(BOOK, date(2024, 1, 1), topic="penalties")
    assert "penalty" in lost.value.near
    series = law_view.table_series(BOOK, "allocation.exposure_factor", date(2024, 1, 1))
    years = [int(key) for key in series["key"].to_list()]
    assert years == sorted(years) and len(years) > 3


def test_a_system_without_law_shows_what_is_proposed() -> None:
    books = [tonne.rulebook(name) for name in tonne.systems()]
    coming = next(book for book in books if not book.system.has_law and book.parameters)
    view = law_view.law_view(coming, date(2020, 1, 1))
    assert view.begins is None and view.proposals and view.values > 0


# -- amendments


def test_an_amendment_is_told_with_what_it_changes_and_changes_nothing(market: Desk) -> None:
    before = market.state.hash()
    body = {"parameter": "penalty.amount", "from": "2021-01-01", "value": 150, "source": "the council"}
    seen = amendment.effects(market.state, body, TODAY, years=3)
    assert (seen.refused, seen.starts, seen.reads) == ("", date(2021, 1, 1), ("penalty",))
    assert seen.change is not None and (seen.change.before, seen.change.after) == (100, 150)
    assert [(one.year, one.before, one.after) for one in seen.answers] == [
        (year, Decimal("100000.00"), Decimal("150000.00")) for year in (2021, 2022, 2023)
    ]
    assert market.state.hash() == before
    market.accept("amend", parameter="penalty.amount", from_="2021-01-01", value=150, source="the council")
    law = market.state.law(date(2021, 6, 1))
    assert law.penalty(shortfall=1_000, year=2021) == seen.answers[0].after


def test_a_moved_deadline_is_told_task_by_task(market: Desk) -> None:
    body = {"parameter": "calendar.agenda", "from": "2020-03-01", "value": {"surrender": "+1 07-31"}, "source": "the council"}
    seen = amendment.effects(market.state, body, TODAY)
    moved = {(one.task, one.year): (one.before, one.after) for one in seen.moved}
    assert moved["surrender", 2019] == (date(2020, 4, 30), date(2020, 7, 31))
    market.accept("amend", **{name.replace("from", "from_"): value for name, value in body.items()})
    for (task, year), (_, after) in moved.items():
        assert day_of(market.state, task, year) == after


@pytest.mark.parametrize(
    ("changed", "refused"),
    [({"value": "high"}, "malformed"), ({"from": "2021-13-01"}, "malformed"), ({"source": ""}, "malformed"), ({"grows": {"x": 1}}, "malformed")],
)
def test_an_amendment_that_would_be_refused(market: Desk, changed: dict[str, Any], refused: str) -> None:
    body = {"parameter": "penalty.amount", "from": "2021-01-01", "value": 150, "source": "the council"} | changed
    seen = amendment.effects(market.state, body, TODAY)
    assert (seen.refused, seen.answers, seen.change) == (refused, (), None) and seen.reason
    with pytest.raises(NotFound):
        amendment.effects(market.state, body | {"parameter": "penalty.amounts"}, TODAY)


# -- calendar


def test_the_calendar_is_the_agenda_of_the_law(market: Desk, cache: Cache) -> None:
    found = agenda_view.calendar(market.state, TODAY, cache=cache)
    days = [task.day for task in found]
    assert days == sorted(days)
    for task in found:
        if task.state == "coming":
            assert day_of(market.state, task.task, task.year) == task.day > TODAY
        if task.state == "done":
            assert market.state.done[f"{task.task}:{task.year}"] == task.day.isoformat()
    told = {(task.task, task.year): task for task in found}
    surrender = told["surrender", 2019]
    assert (surrender.day, surrender.days_left, surrender.deadline, surrender.state) == (date(2020, 4, 30), 89, True, "coming")
    assert told["issue", 2019].done_on == date(2019, 1, 1)
    assert [task.task for task in agenda_view.next_deadlines(market.state, TODAY, most=3)] == ["report", "verify", "surrender"]
    piece = agenda_view.rule(market.state, TODAY)
    assert piece is not None and piece.path == "calendar.agenda" and piece.source
    on_the_day = agenda_view.next_deadlines(market.state, date(2020, 4, 30), most=1)
    assert (on_the_day[0].task, on_the_day[0].days_left) == ("surrender", 0)


def test_what_waits_for_the_administrator(market: Desk) -> None:
    now = [(one.what, one.name, one.year) for one in agenda_view.waiting(market.state, TODAY)]
    assert now == [("task", task.name, task.year) for task in due(market.state, 2019, 2020, TODAY)] and ("task", "issue", 2020) in now
    later = date(2020, 4, 2)
    waits = {(one.what, one.name, one.year): one for one in agenda_view.waiting(market.state, later)}
    assert waits["reports", "", 2019].count == 1  # B1 is not verified
    assert ("task", "report", 2019) in waits and waits["task", "report", 2019].since == date(2020, 3, 31)
    market.accept("announce_auction", by="axel", auction="spring", unit="EUA", quantity=500, held_on="2020-03-02")
    assert ("auction", "spring", 2020) in {(one.what, one.name, one.year) for one in agenda_view.waiting(market.state, later)}
    assert "spring" in {task.name for task in agenda_view.calendar(market.state, TODAY)}


def test_a_calendar_file_that_others_can_read(market: Desk) -> None:
    listed = agenda_view.calendar(market.state, TODAY, first=TODAY, last=date(2020, 12, 31))
    long = "清缴截止日; 交付, 并记录\n" * 8
    text = agenda_view.icalendar(listed, "market", datetime(2020, 2, 1, 10, tzinfo=UTC), word=lambda task: f"{task.task} {long}", name="A, B")
    lines = text.split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR" and lines[-2:] == ["END:VCALENDAR", ""] and "\n" not in text.replace("\r\n", "")
    assert all(len(line.encode()) <= 75 for line in lines)
    unfolded = text.replace("\r\n ", "")
    events = unfolded.split("BEGIN:VEVENT")[1:]
    assert len(events) == len(listed) and len({event.split("UID:")[1].split("\r\n")[0] for event in events}) == len(listed)
    for event, task in zip(events, listed, strict=True):
        assert f"DTSTART;VALUE=DATE:{task.day:%Y%m%d}\r\n" in event and f"DTEND;VALUE=DATE:{task.day + timedelta(days=1):%Y%m%d}\r\n" in event
        assert "DTSTAMP:20200201T100000Z" in event
        summary = event.split("SUMMARY:")[1].split("\r\n")[0]
        plain = summary.replace("\\n", "\n").replace("\\,", ",").replace("\\;", ";").replace("\\\\", "\\")
        assert plain == f"{task.task} {long}"


# -- the system


def test_figures_of_a_market_are_those_of_its_table(ran: Any, cache: Cache) -> None:
    view = system.of_market(ran.outcome.state, date(2023, 9, 1), cache=cache)
    table = ran.table().to_dicts()
    for row, told in zip(table, view.years.to_dicts(), strict=True):
        assert {name: told[name] for name in ("year", *system.FIVE, "surrendered")} == {
            name: row[name] for name in ("year", *system.FIVE, "surrendered")
        }
    by_name = {one.name: one for one in view.figures}
    verified = by_name["verified"]
    assert (verified.year, verified.value, verified.change) == (2022, table[1]["verified"], table[1]["verified"] - table[0]["verified"])
    assert (view.source, view.installations) == ("market", 60)


def test_what_is_not_known_yet_is_nothing_and_not_zero(market: Desk, cache: Cache) -> None:
    (row,) = system.yearly(market.state, cache=cache).to_dicts()
    assert (row["year"], row["verified"], row["surrendered"], row["circulation"] is None) == (2019, 700, None, False)
    assert row["cap"] == market.state.notice("cap", 2019)["quantity"]
    market.law("issue", 2020)
    first, second = system.yearly(market.state, cache=cache).to_dicts()
    assert (second["year"], second["verified"], second["circulation"], second["auctioned"]) == (2020, None, None, None)
    before = first["circulation"]
    market.accept("transfer", by="alice", **{"from": "operator:A1", "to": "tom-1"}, unit="EUA", quantity=10)
    assert system.yearly(market.state, cache=cache)["circulation"][0] == before
    empty = Desk(BOOK, "2019-01-01", 2019).state
    view = system.of_market(empty, date(2019, 1, 1))
    assert {one.value for one in view.figures} == {None}


def test_figures_of_a_system_that_is_only_law(cache: Cache) -> None:
    today = date(2026, 7, 1)
    for name in tonne.systems():
        book = tonne.rulebook(name)
        view = system.of_rulebook(book, today, cache=cache)
        emitted = published(book, "verified_emissions", today.year)
        figure = next(one for one in view.figures if one.name == "verified")
        known = {year: tonnes for year, tonnes in emitted.items() if year <= today.year}
        assert (figure.year, figure.value) == ((max(known), known[max(known)]) if known else (None, None)), name
        assert view.source == "statistics" and view.system == name
    assert system.facts(BOOK, today, cache=cache).cap is not None
    assert "market mean" in set(system.prices(BOOK)["label"].to_list())
