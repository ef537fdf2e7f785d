"""What operators owe: by installation and by compliance period, what they hold for it, what is missing, and what comes of doing nothing.

A period is named by its last emissions year. Its obligation is cumulative, as the law judges it: all years up to that one, less all that was ever
surrendered. Figures that are not verified yet are marked as estimated, and enter `expected` only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from tonne.administration.agenda import day_of
from tonne.administration.asks import offers
from tonne.administration.refusals import Refusal
from tonne.administration.stabilise import first_year
from tonne.administration.state import State
from tonne.administration.surrender import admissible, admitted_by_installation, period_end
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.consequence import Penalty, Way, cost_of, penalty_of, ways_of
from tonne.interfaces.views.expected import Outlook, YearFigure, owed_to_date, own_rows
from tonne.interfaces.views.found import asking, participant_name
from tonne.interfaces.views.surrendering import Pick, picks_of, surrendered_of
from tonne.interfaces.views.working_days import working_days
from tonne.law import LawError


@dataclass(frozen=True)
class Period:
    """One installation's obligation at the end of a compliance period; quantities are units.

    owed, surrendered   cumulative, on verified figures; missing: what of it is not met
    expected            owed, with what is only reported or estimated too; expected_missing: what of that is not met
    unknown             years whose obligation nobody can say yet, because the limits above which units are owed are not awarded
    admissible          on the installation's own account, and may be surrendered for the period
    elsewhere           the same on the operator's trading accounts, and on its other installations' beyond what those need themselves
    picks               oldest first, as a surrender of expected_missing would spend
    gap                 expected_missing less admissible and elsewhere: what must be bought; cost_minor at the given price
    admitted            where the law limits how much units may meet: units that still may; None: no limit, or nobody can say yet
    days_left           below zero when the day has passed; closed: the period was judged, letter: how
    """

    installation: str
    name: str
    account: str
    year: int
    years: tuple[YearFigure, ...]
    unknown: tuple[int, ...]
    estimated: bool
    owed: int
    expected: int
    surrendered: int
    missing: int
    expected_missing: int
    admissible: int
    elsewhere: int
    picks: tuple[Pick, ...]
    gap: int
    cost_minor: int | None
    admitted: int | None
    deadline: date | None
    days_left: int | None
    working_days_left: int | None
    closed: bool
    letter: str
    penalty: Penalty
    ways: tuple[Way, ...]


@dataclass(frozen=True)
class Obligation:
    """All that a participant owes. periods: the last judged one where it was short, then the open ones; by year, then installation.

    The sums are over the installations in `period`, the next one open (None: nothing is open). elsewhere: on trading accounts. gap: what of all of it
    is missing and on none of its accounts; low_minor, high_minor: fines of all installations together, None where one is not known.
    """

    participant: str
    name: str
    unit: str
    measure: str
    currency: str
    today: date
    price: Decimal | None
    period: int | None
    deadline: date | None
    days_left: int | None
    working_days_left: int | None
    estimated: bool
    owed: int
    expected: int
    surrendered: int
    missing: int
    expected_missing: int
    admissible: int
    elsewhere: int
    gap: int
    cost_minor: int | None
    low_minor: int | None
    high_minor: int | None
    periods: tuple[Period, ...]


def open_periods(state: State, today: date, cache: Cache | None = None) -> list[int]:
    """Compliance periods whose surrender deadline is not done, from the first of these books to the one that the running year belongs to."""

    def made() -> list[int]:
        try:
            begins = first_year(state)
        except Refusal:
            return []
        ends = dict.fromkeys(period_end(state, year) for year in range(begins, max(today.year, begins) + 1))
        return [end for end in ends if f"surrender:{end}" not in state.done and day_of(state, "surrender", end) is not None]

    return (cache or Cache()).get(("open_periods", today), (len(state.done), len(state.amendments), len(state.notices), state.today), made)


def own_installations(state: State, participant: str) -> list[str]:
    """Keys of the installations whose accounts a participant holds, sorted."""
    kinds, keys = state.accounts.kinds, state.accounts.installations
    mine = [keys[number] for number in state.accounts.of_holder(participant) if kinds[number] == "operator"]
    return sorted(key for key in mine if key is not None and key in state.installations)


def obligation(
    state: State, participant: str, today: date, *, price: Decimal | None = None, holidays: str | None = None, cache: Cache | None = None
) -> Obligation:
    """What one participant owes. price: money per unit, for the cost and for fines that are a multiple of it; holidays: a country, for working days.

    Raises NotFound for a participant nobody knows.
    """
    cache = cache or Cache()
    name, system = participant_name(state, participant), state.rulebook.system
    keys = own_installations(state, participant)
    opened = open_periods(state, today, cache) if keys else []
    looking = _Looking(state, participant, keys, today, price, holidays, cache)
    found = [row for year in looking.short() for row in looking.at(year) if row.missing]
    each = [looking.at(year) for year in opened]
    now = each[0] if each else []
    found += [row for rows in each for row in rows]
    names = ("owed", "expected", "surrendered", "missing", "expected_missing", "admissible")
    elsewhere = looking.on_trading(opened[0]) if opened else 0
    sums = {name: sum(getattr(row, name) for row in now) for name in names}
    gap = max(sums["expected_missing"] - sums["admissible"] - elsewhere, 0)
    low, high = ([getattr(row.penalty, end) for row in now] for end in ("low_minor", "high_minor"))
    return Obligation(
        participant=participant,
        name=name,
        unit=system.unit_code,
        measure=system.measure,
        currency=system.currency,
        today=today,
        price=price,
        period=opened[0] if opened else None,
        deadline=now[0].deadline if now else None,
        days_left=now[0].days_left if now else None,
        working_days_left=now[0].working_days_left if now else None,
        estimated=any(row.estimated for row in now),
        **sums,
        elsewhere=elsewhere,
        gap=gap,
        cost_minor=cost_of(state, gap, price),
        low_minor=None if None in low or not now else sum(low),
        high_minor=None if None in high or not now else sum(high),
        periods=tuple(found),
    )


class _Looking:
    """What all periods of one participant are looked at with. What follows from reports and law is kept until its own rows change."""

    def __init__(
        self, state: State, participant: str, keys: list[str], today: date, price: Decimal | None, holidays: str | None, cache: Cache
    ) -> None:
        self.state, self.keys, self.today, self.price, self.holidays, self.cache = state, keys, today, price, holidays, cache
        self.ask = asking(max(today, state.today))
        self.own = np.array([state.accounts.number(f"operator:{key}") for key in keys], dtype=np.int64)
        held = state.accounts.of_holder(participant)
        self.trading = np.array([number for number in held if state.accounts.kinds[number] == "trading"], dtype=np.int64)
        self.met = surrendered_of(state, keys, cache)
        self.fined: dict[str, int] = {}  # what would have been fined at the deadline before, if nothing happens
        mine = pl.col("installation").is_in(keys)
        self.judged = state.statuses.filter(mine, ~pl.col("interim"))
        self.rows = own_rows(state, keys)
        frame = state.installations.frame
        self.names = cache.get(("names", *keys), (frame,), lambda: dict(frame.filter(mine).select("installation", "name").iter_rows()))

    def short(self) -> list[int]:
        """The last judged period, where one of the installations was found short in it: what was missing stays open until it is met."""
        rows = self.judged.select("year", "owed", "surrendered").rows()
        last = max((row[0] for row in rows), default=None)
        return [last] if last is not None and any(year == last and owed > met for year, owed, met in rows) else []

    def on_trading(self, year: int) -> int:
        """Units on the trading accounts that may be surrendered for a period."""
        return sum(int(self.state.books.availables(self.trading, unit).sum()) for unit in admissible(self.state, self.ask, year))

    def at(self, year: int) -> list[Period]:
        """One row an installation."""
        state = self.state
        found = owed_to_date(state, self.keys, year, self.today, self.cache, self.rows)
        looks, owed, expected = found.looks, found.counted, found.guessed
        units = admissible(state, self.ask, year)
        there = [state.books.availables(self.own, unit) for unit in units]
        own = np.sum(there, axis=0).tolist() if units else [0] * len(self.keys)
        needs = [max(expected.get(key, 0) - self.met.get(key, 0), 0) for key in self.keys]
        spare = [max(have - need, 0) for have, need in zip(own, needs, strict=True)]
        pool = self.on_trading(year) + sum(spare)
        judged = self.judged.select("installation", "year", "status").rows()
        facts = {
            "room": _room(looks.guessed, self.ask, year),
            "letters": {key: letter for key, of, letter in judged if of == year},
            "deadline": day_of(state, "surrender", year),
            "closed": f"surrender:{year}" in state.done,
        }
        made = [
            self._row(
                year, key, self.names[key], looks, owed.get(key, 0), expected.get(key, 0), own[at], pool - spare[at],
                picks_of(state, units, [int(column[at]) for column in there], needs[at]), facts,
            )
            for at, key in enumerate(self.keys)
        ]  # fmt: skip
        self.fined = {row.installation: row.expected_missing for row in made}
        return made

    def _row(
        self, year: int, key: str, name: str, looks: Outlook, owed: int, expected: int, own: int, elsewhere: int, picks: tuple[Pick, ...],
        facts: dict[str, Any],
    ) -> Period:  # fmt: skip
        state, today, deadline = self.state, self.today, facts["deadline"]
        met, admitted = self.met.get(key, 0), None if facts["room"] is None else facts["room"].get(key, 0)
        expects = max(expected - met, 0)
        gap = max(expects - own - elsewhere, 0)
        return Period(
            installation=key,
            name=name,
            account=f"operator:{key}",
            year=year,
            years=looks.figures[key],
            unknown=looks.unknown,
            estimated=any(one.estimated for one in looks.figures[key]),
            owed=owed,
            expected=expected,
            surrendered=met,
            missing=max(owed - met, 0),
            expected_missing=expects,
            admissible=own,
            elsewhere=elsewhere,
            picks=picks,
            gap=gap,
            cost_minor=cost_of(state, gap, self.price),
            admitted=admitted,
            deadline=deadline,
            days_left=None if deadline is None else (deadline - today).days,
            working_days_left=None if deadline is None else working_days(today, deadline, self.holidays),
            closed=facts["closed"],
            letter=facts["letters"].get(key, ""),
            penalty=penalty_of(state, key, year, expects, self.fined.get(key, 0), self.price, self.cache),
            ways=ways_of(state, year, expects, own, elsewhere, admitted, self.price, today),
        )


def _room(state: State, ask: Any, year: int) -> dict[str, int] | None:
    """installation -> units that may still be surrendered; None without such a limit, or before anybody can say."""
    if not offers(state.law(ask.day), "units_admitted"):
        return None
    try:
        room = admitted_by_installation(state, ask, year)
    except (LawError, ValueError, KeyError):
        return None
    return None if room is None else dict(room.iter_rows())
