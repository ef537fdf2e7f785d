"""On which days auctions are held, from the words of the law: every so many weeks, a weekday of a month, listed days.

Public holidays and what is moved because of them are left to whoever holds the auctions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from tonne.dates import Period, calendar_year, to_day
from tonne.rules.declare import rule

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PLACES = ("first", "second", "third", "fourth", "last")
#: The words of a pattern.
WORDS = frozenset({"weekdays", "which", "after_first", "months", "every_weeks", "counted_from", "days", "from", "until", "pauses", "moved"})
Pattern = Mapping[str, Any]


@rule("auction_calendar", unit="date", given={"year": "year", "series": "text"})
def auction_dates(year: int, series: str = "", *, auction_days: Mapping[str, Pattern | None]) -> list[date]:
    """The days of a year on which auctions are held, in order, of all series or of one.

    A series is a pattern of words: `weekdays` alone is each week; with `every_weeks: 2` and `counted_from` (the day of one auction) every second;
    with `which: [second]` the second of a month; with `after_first: monday` the one after a month's first Monday; `months` keeps to some months;
    `days` are listed ones; `from` and `until` bound it; `pauses` are pairs of month-day in which nothing is held, `moved` pairs of a day and the
    day it was moved to. The second Wednesday of January 2022 is the 12th. Raises ValueError for an unknown word or series.
    """
    if series and series not in auction_days:
        raise ValueError(f"no series {series!r} of auctions; there is {', '.join(auction_days) or 'none'}")
    chosen = [auction_days[series]] if series else list(auction_days.values())
    return sorted({day for pattern in chosen if pattern is not None for day in _days(pattern, int(year))})


def _days(pattern: Pattern, year: int) -> Iterator[date]:
    """The days of one pattern in a year. A day moved into or out of the year is where it is moved to."""
    unknown = sorted(set(pattern) - WORDS)
    if unknown:
        raise ValueError(f"{', '.join(map(repr, unknown))}: no word of a pattern of days; there are {', '.join(sorted(WORDS))}")
    if ("days" in pattern) == ("weekdays" in pattern):
        raise ValueError("a pattern of days has either `weekdays` or listed `days`")
    first, last = (to_day(pattern[word]) if word in pattern else limit for word, limit in (("from", date.min), ("until", date.max)))
    moved = {to_day(old): to_day(new) for old, new in pattern.get("moved", ())}
    for old in _listed(pattern) if "days" in pattern else _patterned(pattern, [year, *(day.year for day in moved)]):
        day = moved.get(old, old)
        if day.year == year and first <= day <= last and (old in moved or not _pauses(pattern, day)):
            yield day


def _listed(pattern: Pattern) -> list[date]:
    return [to_day(day) for day in pattern["days"]]


def _patterned(pattern: Pattern, years: Sequence[int]) -> Iterator[date]:
    """The days of the weekdays of a pattern, in the months and weeks that it names."""
    if sum(word in pattern for word in ("which", "after_first", "every_weeks")) > 1:
        raise ValueError("a pattern of days has one of `which`, `after_first` and `every_weeks`")
    wanted = {_place("weekday", word, WEEKDAYS) for word in pattern["weekdays"]}
    months = {int(month) for month in pattern.get("months", range(1, 13))}
    if not wanted or not months <= set(range(1, 13)):
        raise ValueError(f"a pattern of days has at least one weekday, and its months are 1 to 12, not {sorted(months)}")
    for year in sorted(set(years)):
        for day in _each(calendar_year(year)):
            if day.weekday() in wanted and day.month in months and _fits(pattern, day):
                yield day


def _fits(pattern: Pattern, day: date) -> bool:
    """Whether a day of the right weekday is the one of its month, or in a week that counts."""
    if "which" in pattern:
        places = {_place("place in the month", word, PLACES) for word in pattern["which"]}
        is_last = (day + timedelta(days=7)).month != day.month
        return (day.day - 1) // 7 in places - {PLACES.index("last")} or (is_last and PLACES.index("last") in places)
    if "after_first" in pattern:
        weekday = _place("weekday", pattern["after_first"], WEEKDAYS)
        opening = date(day.year, day.month, 1)
        opening += timedelta(days=(weekday - opening.weekday()) % 7)
        return 0 < (day - opening).days <= 7
    every = int(pattern.get("every_weeks", 1))
    if every < 1 or (every > 1 and "counted_from" not in pattern):
        raise ValueError(f"every {every} weeks: write a number from 1, and from 2 also `counted_from`, the day of one auction")
    return every == 1 or _monday(day).toordinal() // 7 % every == _monday(to_day(pattern["counted_from"])).toordinal() // 7 % every


def _pauses(pattern: Pattern, day: date) -> bool:
    """Whether a day lies in a pause; one may pass the end of the year (12-20 to 01-06)."""
    here = f"{day:%m-%d}"
    return any(first <= here <= last if first <= last else here >= first or here <= last for first, last in pattern.get("pauses", ()))


def _place(kind: str, word: str, words: Sequence[str]) -> int:
    if word not in words:
        raise ValueError(f"{word!r} is no {kind}; write one of {', '.join(words)}")
    return words.index(word)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _each(period: Period) -> Iterator[date]:
    return (period.first + timedelta(days=number) for number in range(period.days))
