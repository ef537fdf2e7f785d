"""Days, periods, deadlines and business days. No clock: today is always an argument."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

EPOCH = date(1970, 1, 1)


class DateError(ValueError):
    """A text that is no day, a period that ends before it begins."""


def to_day(text: str | date) -> date:
    """`2024-06-01` or a date as a date. A datetime is refused: law counts days."""
    if isinstance(text, datetime):
        raise DateError(f"{text!r} is a moment; a day is asked for")
    if isinstance(text, date):
        return text
    try:
        day = date.fromisoformat(text)
    except (TypeError, ValueError):
        day = None
    if day is None or day.isoformat() != text:  # Python also reads 20240601 and 2024-W22-6
        raise DateError(f"{text!r} is not a day; write it as 2024-06-01")
    return day


def day_number(day: date) -> int:
    """Days since 1970-01-01: how the ledger keeps a day."""
    return (day - EPOCH).days


def from_day_number(number: int) -> date:
    return EPOCH + timedelta(days=number)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A span of days, both ends included: a calendar year, a control period, a fiscal year, a reserve year."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise DateError(f"a period that ends {self.last} cannot begin {self.first}")

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def months(self) -> int:
        """Whole calendar months covered; raises DateError where the period does not begin and end with a month."""
        if self.first.day != 1 or (self.last + timedelta(days=1)).day != 1:
            raise DateError(f"{self.first} to {self.last} is not made of whole months")
        return (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1

    def overlap(self, other: Period) -> Period | None:
        first, last = max(self.first, other.first), min(self.last, other.last)
        return Period(first, last) if first <= last else None


def calendar_year(year: int) -> Period:
    return Period(date(year, 1, 1), date(year, 12, 31))


def years(first: int, last: int) -> Period:
    """A control period of whole calendar years, as years(2021, 2023)."""
    return Period(date(first, 1, 1), date(last, 12, 31))


def year_from(first: date) -> Period:
    """Twelve months from a day: a fiscal year from 1 April, a reserve year from 1 September."""
    try:
        after = first.replace(year=first.year + 1)
    except ValueError:  # 29 February
        after = date(first.year + 1, 3, 1)
    return Period(first, after - timedelta(days=1))


def split_by_calendar_year(period: Period) -> dict[int, int]:
    """Months of a period in each calendar year: a reserve year from September 2023 is {2023: 4, 2024: 8}."""
    parts: dict[int, int] = {}
    for year in range(period.first.year, period.last.year + 1):
        part = period.overlap(calendar_year(year))
        assert part is not None
        parts[year] = part.months
    return parts


@dataclass(frozen=True, slots=True)
class Deadline:
    """A last day, to the end of that day in the place where the law counts it."""

    day: date
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        zone(self.time_zone)

    def is_met_by(self, moment: datetime) -> bool:
        """Whether a moment (with a zone) is not later than the end of the day. A moment without a zone is refused."""
        if moment.tzinfo is None:
            raise DateError("a moment without a time zone cannot meet a deadline")
        return moment.astimezone(zone(self.time_zone)).date() <= self.day


def zone(name: str) -> ZoneInfo:
    """The time zone of a name, as Europe/Brussels. Raises DateError for a name that the time zone database lacks."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise DateError(f"{name!r} is no time zone; write it as Europe/Brussels") from None


_AGENDA = re.compile(r"([+-]\d{1,2})\s+(\d{1,2})-(\d{1,2})", re.ASCII)


def agenda_day(rule: str, year: int) -> date:
    """The day a calendar rule gives for an emissions year: agenda_day("+1 04-30", 2019) == 2020-04-30.

    29 February falls on the 28th in a year that has none.
    """
    try:
        found = _AGENDA.fullmatch(rule)
        if found is None:
            raise ValueError
        later, month, day = (int(part) for part in found.groups())
    except (TypeError, ValueError):
        raise DateError(f"{rule!r} is no calendar rule; write `+N MM-DD`, N years after the emissions year") from None
    try:
        return date(year + later, month, day)
    except ValueError:
        if (month, day) == (2, 29):
            return date(year + later, 2, 28)
        raise DateError(f"{rule!r} names no day of {year + later}") from None


@cache
def _holidays(country: str, subdivision: str | None) -> Callable[[date], bool]:
    import holidays  # takes a while to load; most questions need no holidays

    try:
        table = holidays.country_holidays(country, subdiv=subdivision)
    except NotImplementedError:
        place = f"{country}, {subdivision}" if subdivision else country
        raise DateError(f"no public holidays are known for {place}; write the country as BE (ISO 3166)") from None
    return lambda day: day in table


def is_business_day(day: date, country: str | None = None, subdivision: str | None = None) -> bool:
    """Monday to Friday and, where a country is named (ISO 3166), no public holiday there."""
    return day.weekday() < 5 and not (country and _holidays(country, subdivision)(day))


def next_business_day(day: date, country: str | None = None, subdivision: str | None = None) -> date:
    """The day itself or the first business day after it."""
    while not is_business_day(day, country, subdivision):
        day += timedelta(days=1)
    return day


def add_business_days(day: date, count: int, country: str | None = None, subdivision: str | None = None) -> date:
    """The count-th business day after (before, when negative) a day: settlement T+1 is count 1."""
    step = timedelta(days=1 if count >= 0 else -1)
    for _ in range(abs(count)):
        day += step
        while not is_business_day(day, country, subdivision):
            day += step
    return day
