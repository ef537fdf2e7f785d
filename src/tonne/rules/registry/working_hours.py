"""The registry's clock: moments as text, opening hours, working days. No rule of its own; the rules of this folder count with it.

A moment is ISO text. With an offset (`2026-11-25T10:59:00Z`) it is a moment anywhere; without one it is read on the registry's own clock, and what is
answered is always on that clock, with its offset. The clock keeps summer time where its zone does: 10:00 in Brussels is 09:00 UTC in winter and 08:00
UTC in summer, and a delay of four working days to noon is noon on both sides of the change. A zone without summer time is written `Etc/GMT-1`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from tonne.dates import zone
from tonne.units import Rate, fraction

#: Country -> days on which nothing is done for accounts of that country.
Holidays = Mapping[str, Sequence[date] | None]


@dataclass(frozen=True, slots=True)
class Clock:
    """Opening hours (both ends included; None: never shut) on working days: Monday to Friday less the closed days."""

    zone: ZoneInfo
    hours: tuple[time, time] | None
    closed: Collection[date]

    @classmethod
    def of(cls, time_zone: str, window: Sequence[str] | None, holidays: Holidays | None, country: str) -> Clock:
        """From the words of the law. Raises ValueError for a window that is no pair of times in order."""
        hours = None
        if window is not None:
            if isinstance(window, str) or len(window) != 2:
                raise ValueError(f"opening hours are two times of day, not {window!r}")
            hours = (time_of(window[0]), time_of(window[1]))
            if hours[1] <= hours[0]:
                raise ValueError(f"opening hours from {window[0]} to {window[1]} close before they open")
        return cls(zone(time_zone), hours, frozenset((holidays or {}).get(country) or ()))

    def read(self, moment: str) -> datetime:
        """A moment on this clock. Raises ValueError for what is none."""
        return moment_of(moment, self.zone).astimezone(self.zone)

    def is_working(self, day: date) -> bool:
        return day.weekday() < 5 and day not in self.closed

    def working_day_after(self, day: date, count: int) -> date:
        """The count-th working day after a day, which need not be one itself; the day itself for 0."""
        for _ in range(count):
            day += timedelta(days=1)
            while not self.is_working(day):
                day += timedelta(days=1)
        return day

    def at(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, tzinfo=self.zone)

    def opening(self, moment: datetime) -> datetime:
        """The moment itself inside opening hours, else the next time that they begin."""
        if self.hours is None:
            return moment
        opens, closes = self.hours
        if self.is_working(moment.date()) and moment.timetz().replace(tzinfo=None) <= closes:
            return max(moment, self.at(moment.date(), opens))
        return self.at(self.working_day_after(moment.date(), 1), opens)


def moment_of(text: str, without_offset: tzinfo) -> datetime:
    """A moment from its text, on the given clock where it names no offset. Raises ValueError for what is none."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        found = None
    if found is None or len(text) <= len("2026-11-25"):
        raise ValueError(f"{text!r} is no moment; write it as 2026-11-25T11:59:00+01:00")
    return found if found.tzinfo is not None else found.replace(tzinfo=without_offset)


def time_of(text: str) -> time:
    """`10:00` as a time of day. Raises ValueError."""
    try:
        found = time.fromisoformat(text)
    except (TypeError, ValueError):
        found = None
    if found is None or found.tzinfo is not None:
        raise ValueError(f"{text!r} is no time of day; write it as 10:00")
    return found


def hours_later(moment: datetime, hours: Rate) -> datetime:
    """So many hours of sixty minutes later (earlier, below zero), to the second, on the same clock."""
    return (moment.astimezone(UTC) + timedelta(seconds=int(fraction(hours) * 3600))).astimezone(moment.tzinfo)
