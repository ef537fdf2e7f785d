"""When auctions are held, how a year's volume is split over them, and what unsold units do to the next ones. The rules are data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

from tonne.dates import DateError, to_day
from tonne.units import DOWN, fraction, multiply

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PLACES = ("first", "second", "third", "fourth", "fifth", "last")
GOES = ("spread", "next", "next_in_year", "reoffer", "reserve", "gone", None)
REMAINDERS = ("first", "last", "spread")
SHIFTS = ("next", "previous", "skip")


class CalendarError(ValueError):
    """A rule of days, of volumes or of unsold units that says nothing sound; the text begins with the refusal's name."""


# -- days


@dataclass(frozen=True, slots=True)
class DayRule:
    """On which days auctions are held: weekdays (each week; every so many weeks from a day; which one of a month; the one after a month's first other
    weekday) or listed days.

    weekdays, after_first: 0 is Monday. which: 1 to 5, -1 the last of the month. days: dates, or (month, day) for every year. first, last: bounds,
    both included. pauses: pairs of (month, day) in which nothing is held, and which may pass the end of a year. moved: (planned, held) pairs of days.
    """

    weekdays: tuple[int, ...] = ()
    every_weeks: int = 1
    counted_from: date | None = None
    which: tuple[int, ...] = ()
    after_first: int | None = None
    months: tuple[int, ...] = tuple(range(1, 13))
    days: tuple[date | tuple[int, int], ...] = ()
    first: date = date.min
    last: date = date.max
    pauses: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()
    moved: tuple[tuple[date, date], ...] = ()

    def __post_init__(self) -> None:
        if bool(self.days) == bool(self.weekdays):
            raise CalendarError("bad_day_rule: either weekdays or listed days")
        if sum((bool(self.which), self.after_first is not None, self.every_weeks != 1)) > 1:
            raise CalendarError("bad_day_rule: one of `which`, `after_first` and `every_weeks`")
        if self.every_weeks < 1 or (self.every_weeks > 1 and self.counted_from is None):
            raise CalendarError(f"bad_day_rule: every {self.every_weeks} weeks; a number from 1, and from 2 also the day of one auction")
        if not set(self.months) <= set(range(1, 13)) or not self.months:
            raise CalendarError(f"bad_day_rule: the months are 1 to 12, not {', '.join(map(str, self.months))}")

    @classmethod
    def of(cls, words: Mapping[str, Any]) -> DayRule:
        """The rule of a mapping, as a rulebook writes it: {weekdays: [wednesday], which: [second], from: 2019-01-10}."""
        known = {"weekdays", "every_weeks", "counted_from", "which", "after_first", "months", "days", "from", "until", "pauses", "moved"}
        if unknown := sorted(set(words) - known):
            raise CalendarError(f"bad_day_rule: {', '.join(unknown)}: no word of a rule of days; there are {', '.join(sorted(known))}")
        try:
            given: dict[str, Any] = {
                "weekdays": tuple(_place(WEEKDAYS, word) for word in words.get("weekdays", ())),
                "which": tuple(_place(PLACES, word) + 1 if word != "last" else -1 for word in words.get("which", ())),
                "months": tuple(int(month) for month in words.get("months", range(1, 13))),
                "days": tuple(_listed(day) for day in words.get("days", ())),
                "pauses": tuple((_month_day(first), _month_day(last)) for first, last in words.get("pauses", ())),
                "moved": tuple((to_day(old), to_day(new)) for old, new in words.get("moved", ())),
                "every_weeks": int(words.get("every_weeks", 1)),
            }
            if "after_first" in words:
                given["after_first"] = _place(WEEKDAYS, words["after_first"])
            for word, name in (("counted_from", "counted_from"), ("from", "first"), ("until", "last")):
                if word in words:
                    given[name] = to_day(words[word])
        except DateError as error:
            raise CalendarError(f"bad_day_rule: {error}") from None
        return cls(**given)


def auction_dates(rule: DayRule, year: int, is_business_day: Callable[[date], bool] | None = None, shift: str = "skip") -> list[date]:
    """The days of a year on which auctions are held, in order.

    With `is_business_day` a day that is none is skipped, or its auction goes to the next or previous business day (`shift`) on which no other is
    held. A day that is moved or shifted into another year is held in that one. The second Wednesday of January 2022 is the 12th.
    """
    if shift not in SHIFTS:
        raise CalendarError(f"bad_day_rule: shift is {shift!r}; it is one of {', '.join(SHIFTS)}")
    moved = dict(rule.moved)
    years = sorted({year, *(old.year for old in moved)} | ({year - 1, year + 1} if is_business_day is not None and shift != "skip" else set()))
    planned = sorted({moved.get(old, old) for one in years for old in _of_year(rule, one) if old in moved or not _paused(rule, old)})
    held = [day for day in planned if rule.first <= day <= rule.last]
    if is_business_day is not None:
        taken = {day for day in held if is_business_day(day)}
        odd = [day for day in held if day not in taken]
        step = timedelta(days=1 if shift == "next" else -1)
        for day in odd if shift != "previous" else reversed(odd):
            while shift != "skip" and (day in taken or not is_business_day(day)):
                day += step
            if shift != "skip":
                taken.add(day)
        held = sorted(taken)
    return [day for day in held if day.year == year]


def _of_year(rule: DayRule, year: int) -> Iterator[date]:
    if rule.days:
        for item in rule.days:
            day = item if isinstance(item, date) else _day_of(year, *item)
            if day.year == year:
                yield day
        return
    day = date(year, 1, 1)
    while day.year == year:
        if day.weekday() in rule.weekdays and day.month in rule.months and _counts(rule, day):
            yield day
        if day == date.max:
            return
        day += timedelta(days=1)


def _day_of(year: int, month: int, day: int) -> date:
    """29 February falls on the 28th in a year that has none."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return date(year, month, 28 if (month, day) == (2, 29) and not leap else day)


def _counts(rule: DayRule, day: date) -> bool:
    """Whether a day of the right weekday and month is the one of its month, or in a week that counts."""
    if rule.which:
        is_last = (day + timedelta(days=7)).month != day.month
        return (day.day + 6) // 7 in rule.which or (is_last and -1 in rule.which)
    if rule.after_first is not None:
        opening = day.replace(day=1)
        opening += timedelta(days=(rule.after_first - opening.weekday()) % 7)
        return 0 < (day - opening).days <= 7
    if rule.every_weeks == 1 or rule.counted_from is None:
        return True
    weeks = (day - timedelta(days=day.weekday()) - (rule.counted_from - timedelta(days=rule.counted_from.weekday()))).days // 7
    return weeks % rule.every_weeks == 0


def _paused(rule: DayRule, day: date) -> bool:
    here = (day.month, day.day)
    return any(first <= here <= last if first <= last else here >= first or here <= last for first, last in rule.pauses)


def _place(words: Sequence[str], word: str) -> int:
    if word not in words:
        raise CalendarError(f"bad_day_rule: {word!r}; write one of {', '.join(words)}")
    return words.index(word)


def _month_day(text: Any) -> tuple[int, int]:
    day = to_day(f"2024-{text}")
    return day.month, day.day


def _listed(text: Any) -> date | tuple[int, int]:
    return _month_day(text) if isinstance(text, str) and len(text) == 5 else to_day(text)


# -- volumes


def split_volume(volume: int, auctions: int, lot: int = 1, remainder: str = "spread", weights: Sequence[int] | None = None) -> list[int]:
    """A volume over so many auctions in whole lots, each its part by weight (alike without); the rest where the rule puts it.

    remainder: all lots that are left over, and the units that fill no lot, to the first or the last auction; or spread: a lot each from the first on,
    the odd units to the first. 11,250 over four in lots of 500: 3,250, 3,000, 2,500, 2,500; with `last` 2,500, 2,500, 2,500, 3,750.
    """
    shares = [1] * auctions if weights is None else [int(weight) for weight in weights]
    if remainder not in REMAINDERS or lot < 1 or volume < 0 or len(shares) != auctions or min(shares, default=0) < 0 or not sum(shares):
        raise CalendarError("bad_split: a volume of zero or more, a lot of one or more, a weight each and a remainder of first, last or spread")
    lots, odd = divmod(volume, lot)
    parts = [lots * share // sum(shares) for share in shares]
    left = lots - sum(parts)
    sharing = [place for place, share in enumerate(shares) if share]
    if remainder == "spread":
        for place in sharing[:left]:
            parts[place] += 1
    else:
        parts[sharing[0 if remainder == "first" else -1]] += left
    parts = [part * lot for part in parts]
    parts[sharing[-1 if remainder == "last" else 0]] += odd
    return parts


# -- unsold units


@dataclass(frozen=True, slots=True)
class UnsoldRule:
    """What becomes of units that an auction leaves unsold.

    goes: spread (in equal parts to the next `auctions`, none above `ceiling` times its planned volume, what none takes into the reserve), next (whole
    to the next auction), next_in_year (only to one of the same year, else gone), reoffer (waits until `after_auctions` in a row settled above their
    floor; then at most `limit_share` of what an auction newly offers comes back, oldest first; after `months` of waiting into the reserve), reserve,
    gone, or None: the law is silent and they wait. lot: parts of a spread are whole lots, the odd units go to the first one.
    """

    goes: str | None = "next"
    auctions: int = 4
    ceiling: Fraction | None = None
    after_auctions: int = 2
    limit_share: Fraction = Fraction(1)
    months: int | None = None
    lot: int = 1

    def __post_init__(self) -> None:
        if self.goes not in GOES:
            raise CalendarError(f"bad_unsold_rule: units do not go {self.goes!r}; it is one of {', '.join(str(word) for word in GOES)}")
        if self.auctions < 1 or self.after_auctions < 1 or self.lot < 1:
            raise CalendarError("bad_unsold_rule: auctions, after_auctions and lot are one or more")
        if self.ceiling is not None and self.ceiling < 1:
            raise CalendarError(f"bad_unsold_rule: a ceiling of {self.ceiling} lies below the planned volume itself")

    @classmethod
    def of(cls, words: Mapping[str, Any]) -> UnsoldRule:
        """The rule of a mapping, as a rulebook answers it; absent and None mean the default, but for `goes`."""
        known = {item.name for item in fields(cls)}
        if unknown := sorted(set(words) - known):
            raise CalendarError(f"bad_unsold_rule: {', '.join(unknown)}: no word of it; there are {', '.join(sorted(known))}")
        given = {name: value for name, value in words.items() if value is not None or name == "goes"}
        for name in {"ceiling", "limit_share"} & given.keys():
            given[name] = fraction(given[name])
        return cls(**given)


@dataclass(frozen=True, slots=True)
class Planned:
    """An auction as its calendar has it: day and units."""

    day: date
    quantity: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an auction sold (0 where it was cancelled), and whether its price lay above its floor."""

    sold: int
    above_floor: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """An auction with what earlier ones added to it; sold and unsold are None for one still to come."""

    day: date
    planned: int
    added: int
    offered: int
    sold: int | None
    unsold: int | None


@dataclass(frozen=True, slots=True)
class Series:
    """The auctions in order, and where the units are that no auction of them offers any more: waiting, in the reserve, gone, for one not planned
    yet."""

    auctions: tuple[Held, ...]
    waiting: int = 0
    to_reserve: int = 0
    gone: int = 0
    left_over: int = 0


def series(rule: UnsoldRule, planned: Sequence[Planned], outcomes: Sequence[Outcome]) -> Series:
    """What each auction offers when the first ones ended so; outcomes are those of the first auctions planned, oldest first.

    Four auctions of 2,658,000 after a cancelled one of 2,658,000, spread over four: 3,322,500 each. Raises CalendarError where more is sold than
    offered.
    """
    if len(outcomes) > len(planned) or any(a.day > b.day for a, b in pairwise(planned)):
        raise CalendarError("bad_series: auctions are given in the order of their days, and no more outcomes than auctions")
    added, book = [0] * len(planned), _Unsold(rule)
    held: list[Held] = []
    for place, auction in enumerate(planned):
        if place <= len(outcomes):
            added[place] += book.come_back(auction, outcomes[:place])
        offered = auction.quantity + added[place]
        sold = outcomes[place].sold if place < len(outcomes) else None
        if sold is not None and not 0 <= sold <= offered:
            raise CalendarError(f"bad_series: {sold:,} sold on {auction.day} of {offered:,} offered")
        unsold = None if sold is None else offered - sold
        held.append(Held(auction.day, auction.quantity, added[place], offered, sold, unsold))
        if unsold:
            book.take(unsold, place, planned, added)
        book.returned = []
    return Series(tuple(held), sum(units for _, units in book.waiting), book.to_reserve, book.gone, book.left_over)


class _Unsold:
    """Where unsold units go, auction by auction."""

    def __init__(self, rule: UnsoldRule) -> None:
        self.rule = rule
        self.waiting: list[tuple[date, int]] = []  # since when, units; oldest first
        self.returned: list[tuple[date, int]] = []  # on offer again in the auction at hand
        self.to_reserve = self.gone = self.left_over = 0

    def come_back(self, auction: Planned, before: Sequence[Outcome]) -> int:
        """Units that waited long enough for the auction to offer them again; those that waited too long leave for the reserve."""
        if self.rule.goes != "reoffer":
            return 0
        if self.rule.months is not None:
            late = [item for item in self.waiting if auction.day > months_later(item[0], self.rule.months)]
            self.waiting = [item for item in self.waiting if item not in late]
            self.to_reserve += sum(units for _, units in late)
        latest = before[-self.rule.after_auctions :]
        if len(latest) < self.rule.after_auctions or not all(outcome.above_floor for outcome in latest):
            return 0
        room = multiply(auction.quantity, self.rule.limit_share, rounding=DOWN)
        while self.waiting and room:
            since, units = self.waiting.pop(0)
            self.returned.append((since, min(units, room)))
            if units > room:
                self.waiting.insert(0, (since, units - room))
            room -= self.returned[-1][1]
        return sum(units for _, units in self.returned)

    def take(self, unsold: int, place: int, planned: Sequence[Planned], added: list[int]) -> None:
        """Units unsold in the auction at a place; `added` grows where later auctions take them."""
        goes, following = self.rule.goes, planned[place + 1 : place + 2]
        if goes == "spread":
            self.to_reserve += _spread(self.rule, unsold, place, planned, added)
        elif goes in ("reoffer", None):
            self._wait(unsold, planned[place].day)
        elif goes == "reserve":
            self.to_reserve += unsold
        elif goes == "gone" or (goes == "next_in_year" and (not following or following[0].day.year != planned[place].day.year)):
            self.gone += unsold
        elif following:
            added[place + 1] += unsold
        else:
            self.left_over += unsold

    def _wait(self, unsold: int, day: date) -> None:
        """What came back is sold last, so that it is unsold first, and has waited since its first day."""
        again: list[tuple[date, int]] = []
        for since, units in reversed(self.returned):
            again.insert(0, (since, min(units, unsold)))
            unsold -= again[0][1]
        fresh = [(day, unsold)] if unsold else []
        self.waiting = [*(item for item in again if item[1]), *self.waiting, *fresh]


def _spread(rule: UnsoldRule, unsold: int, place: int, planned: Sequence[Planned], added: list[int]) -> int:
    """Adds unsold units to the next auctions up to their ceilings, in rounds, as long as one has room; returns what none takes."""
    places = list(range(place + 1, min(place + 1 + rule.auctions, len(planned))))
    left = unsold

    def room(i: int) -> int:
        if rule.ceiling is None:
            return unsold
        return max(multiply(planned[i].quantity, rule.ceiling, rounding=DOWN) - planned[i].quantity - added[i], 0)

    while left >= rule.lot and (open_ := [i for i in places if room(i) >= rule.lot]):
        part, extra = divmod(left // rule.lot, len(open_))
        for rank, i in enumerate(open_):
            units = min(part + (rank < extra), room(i) // rule.lot) * rule.lot
            added[i] += units
            left -= units
    for i in places:  # what fills no lot
        units = min(left, room(i))
        added[i] += units
        left -= units
    return left


def months_later(day: date, months: int) -> date:
    """The same day some months on; a day that the month lacks is its last one: 24 months after 2016-02-29 is 2018-02-28."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = (date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last))
