"""Days, periods, deadlines in a place's own time, business days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.dates import (
    DateError,
    Deadline,
    Period,
    add_business_days,
    agenda_day,
    calendar_year,
    day_number,
    from_day_number,
    is_business_day,
    next_business_day,
    split_by_calendar_year,
    to_day,
    year_from,
    years,
    zone,
)

DAYS = st.dates(date(1990, 1, 1), date(2100, 12, 31))


def test_a_day_is_written_in_one_way() -> None:
    assert to_day("2024-06-01") == to_day(date(2024, 6, 1)) == date(2024, 6, 1)
    for text in ("20240601", "2024-W22-6", "2024-6-1", "1 June 2024", "2024-02-30", "", 20240601, None):
        with pytest.raises(DateError, match="is not a day; write it as 2024-06-01"):
            to_day(text)  # type: ignore[arg-type]
    with pytest.raises(DateError, match="is a moment"):
        to_day(datetime(2024, 6, 1, tzinfo=UTC))


@given(DAYS)
def test_day_numbers_come_back(day: date) -> None:
    assert from_day_number(day_number(day)) == day
    assert day_number(date(1970, 1, 1)) == 0


def test_periods() -> None:
    period = years(2021, 2023)
    assert (period.first, period.last, period.days, period.months) == (date(2021, 1, 1), date(2023, 12, 31), 1095, 36)
    assert date(2021, 1, 1) in period
    assert date(2023, 12, 31) in period
    assert date(2024, 1, 1) not in period
    assert calendar_year(2024).days == 366
    with pytest.raises(DateError, match="ends 2020-01-01 cannot begin 2021-01-01"):
        Period(date(2021, 1, 1), date(2020, 1, 1))


def test_months_are_counted_only_where_they_are_whole() -> None:
    assert Period(date(2024, 2, 1), date(2024, 2, 29)).months == 1
    assert Period(date(2023, 9, 1), date(2024, 8, 31)).months == 12
    for first, last in ((date(2024, 2, 1), date(2024, 2, 28)), (date(2024, 1, 2), date(2024, 1, 31))):
        with pytest.raises(DateError, match="not made of whole months"):
            _ = Period(first, last).months


@given(DAYS, DAYS, DAYS, DAYS)
def test_an_overlap_is_what_both_contain(a: date, b: date, c: date, d: date) -> None:
    one, other = Period(min(a, b), max(a, b)), Period(min(c, d), max(c, d))
    both = one.overlap(other)
    assert both == other.overlap(one)
    for day in (a, b, c, d):
        assert (day in one and day in other) == (both is not None and day in both)


@given(DAYS)
def test_twelve_months_from_a_day_are_followed_by_the_next_twelve(first: date) -> None:
    year = year_from(first)
    assert year.days in (365, 366)
    assert year.last + timedelta(days=1) in (date(first.year + 1, 3, 1), first.replace(day=min(first.day, 28), year=first.year + 1)) or (
        year.last + timedelta(days=1)
    ) == first.replace(year=first.year + 1)


def test_fiscal_and_reserve_years() -> None:
    assert year_from(date(2023, 4, 1)) == Period(date(2023, 4, 1), date(2024, 3, 31))
    assert year_from(date(2024, 2, 29)).last == date(2025, 2, 28)
    assert split_by_calendar_year(year_from(date(2023, 9, 1))) == {2023: 4, 2024: 8}
    assert split_by_calendar_year(years(2019, 2020)) == {2019: 12, 2020: 12}
    with pytest.raises(DateError, match="whole months"):
        split_by_calendar_year(Period(date(2023, 9, 2), date(2024, 8, 31)))


def test_a_deadline_lasts_to_the_end_of_the_day_where_the_law_counts_it() -> None:
    brussels = Deadline(date(2024, 9, 30), "Europe/Brussels")
    assert brussels.is_met_by(datetime(2024, 9, 30, 21, 59, 59, tzinfo=UTC))
    assert not brussels.is_met_by(datetime(2024, 9, 30, 22, 0, tzinfo=UTC))
    shanghai = Deadline(date(2024, 12, 31), "Asia/Shanghai")
    assert shanghai.is_met_by(datetime(2024, 12, 31, 15, 59, tzinfo=UTC))
    assert not shanghai.is_met_by(datetime(2025, 1, 1, 0, 0, tzinfo=timezone(timedelta(hours=8))))
    new_york = Deadline(date(2024, 3, 10), "America/New_York")  # the day the clocks go forward
    assert new_york.is_met_by(datetime(2024, 3, 11, 3, 59, tzinfo=UTC))
    assert not new_york.is_met_by(datetime(2024, 3, 11, 4, 0, tzinfo=UTC))


def test_deadlines_refuse_moments_without_a_zone_and_zones_that_do_not_exist() -> None:
    with pytest.raises(DateError, match="without a time zone"):
        Deadline(date(2024, 9, 30)).is_met_by(datetime(2024, 9, 30))  # noqa: DTZ001
    for name in ("Europe/Brusels", "", "../etc/passwd"):
        with pytest.raises(DateError, match="is no time zone"):
            Deadline(date(2024, 9, 30), name)
    assert zone("Asia/Hong_Kong").key == "Asia/Hong_Kong"


@pytest.mark.parametrize(
    ("rule", "year", "day"),
    [
        ("+1 04-30", 2019, date(2020, 4, 30)),
        ("+0 12-31", 2019, date(2019, 12, 31)),
        ("+2 01-01", 2017, date(2019, 1, 1)),
        ("-1 12-01", 2020, date(2019, 12, 1)),
        ("+1 02-29", 2019, date(2020, 2, 29)),
        ("+0 02-29", 2019, date(2019, 2, 28)),
    ],
)
def test_a_calendar_rule_names_a_day(rule: str, year: int, day: date) -> None:
    assert agenda_day(rule, year) == day


@pytest.mark.parametrize("rule", ["1 04-30", "+1", "04-30", "+1 04/30", "+one 04-30", "+1 04-30 noon", "", 430, None])
def test_what_is_no_calendar_rule_is_refused_with_the_right_way_to_write_it(rule: str) -> None:
    with pytest.raises(DateError, match=r"is no calendar rule; write `\+N MM-DD`"):
        agenda_day(rule, 2020)


@pytest.mark.parametrize("rule", ["+1 04-31", "+1 13-01", "+1 02-30", "+1 00-01"])
def test_a_calendar_rule_that_names_no_day(rule: str) -> None:
    with pytest.raises(DateError, match="names no day of 2021"):
        agenda_day(rule, 2020)


def test_business_days_leave_out_week_ends_and_holidays_of_the_place() -> None:
    assert not is_business_day(date(2024, 6, 1))  # a Saturday
    assert is_business_day(date(2024, 12, 25))  # no country named
    assert not is_business_day(date(2024, 12, 25), "BE")
    assert is_business_day(date(2024, 7, 4), "BE")
    assert not is_business_day(date(2024, 7, 4), "US")
    assert not is_business_day(date(2024, 10, 1), "CN")
    assert next_business_day(date(2024, 12, 24), "BE") == date(2024, 12, 24)
    assert next_business_day(date(2024, 12, 25), "BE") == date(2024, 12, 26)
    assert next_business_day(date(2024, 6, 1)) == date(2024, 6, 3)


def test_settlement_days_are_counted_in_business_days() -> None:
    friday = date(2024, 5, 31)
    assert add_business_days(friday, 1) == date(2024, 6, 3)
    assert add_business_days(friday, 2) == date(2024, 6, 4)
    assert add_business_days(date(2024, 6, 3), -1) == friday
    assert add_business_days(date(2024, 12, 24), 1, "BE") == date(2024, 12, 26)
    assert add_business_days(friday, 0) == friday


def test_a_country_without_known_holidays_is_named() -> None:
    with pytest.raises(DateError, match="no public holidays are known for XX; write the country as BE"):
        is_business_day(date(2024, 6, 3), "XX")
    with pytest.raises(DateError, match="US, ZZ"):
        is_business_day(date(2024, 6, 3), "US", "ZZ")
