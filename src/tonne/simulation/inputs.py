"""What a run is given when nobody gave it: a generated population, the totals, the opening and the prices of the rulebook's own statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from tonne.administration.agenda import day_of
from tonne.administration.allocate import ask_rows, column_of
from tonne.administration.asks import answer, asks, parameters
from tonne.administration.state import State
from tonne.law import LawError, NotYetInForce, Rulebook, scenarios
from tonne.registers.reports import Reports
from tonne.simulation.outcome import opening as opening_of
from tonne.simulation.outcome import totals_of
from tonne.simulation.population import generate
from tonne.simulation.profile import profile_of, totals_for
from tonne.simulation.run import Inputs, mean_prices


def synthetic_inputs(book: Rulebook, first: int, last: int, size: int, seed: int) -> Inputs:
    """A generated population scaled to the system's published totals (or to its cap, where no emissions are published)."""
    years = list(range(first, last + 1))
    totals, remark = totals_for(book, years, size)
    population = generate(size=size, seed=seed, years=years, totals=totals, sectors=profile_of(book, first))
    reports, activity, label = population.reports, population.activity.frame, population.label + remark
    if not allocates_by_rule(book, first) or not _allocates(book, first, last, activity):
        reports, activity = Reports(reports.frame.with_columns(allocated=pl.col("verified").fill_null(0) * 19 // 20)), None
        label += " The law of these years left allocation to the authority's own tables; here everybody is given 95 % of what they emit."
    return Inputs(population.installations, reports, activity, None, synthetic=label, lapses=seed)


def whole_period(book: Rulebook, today: date) -> tuple[int, int]:
    """First and last emissions year of the last compliance period that is over by a day; of the first one that is to come, where none is over yet.

    A period is over on its surrender deadline. Periods for which the law cannot name the cap are passed over. Raises ValueError where the law knows
    no deadline at all.
    """
    state = State(book, book.system.begins)
    first_year = book.system.begins.year
    ended: tuple[int, int] | None = None
    for year in range(first_year, max(today.year, first_year) + 12):
        end = _period_end(book, year)
        if year != end:
            continue
        due = day_of(state, "surrender", end)
        period = (min(y for y in range(max(first_year, end - 12), end + 1) if _period_end(book, y) == end), end)
        if due is None or not _has_caps(book, period):
            continue
        if due > today:
            return ended or period
        ended = period
    if ended is None:
        others = "" if book.scenario or not scenarios(book) else f"; --scenario {', '.join(scenarios(book))} may have what is lacking"
        raise ValueError(f"the law of {book.system.id} has no surrender deadline to run to; it lacks calendar.agenda, or what its rules need{others}")
    return ended


def _period_end(book: Rulebook, year: int) -> int:
    """By the law of the year itself."""
    law = book.at(max(date(year, 12, 31), book.system.begins))
    ends = law.value("calendar.period_end") if law.has("calendar.period_end") else {}
    return int(ends.get(year) or year)


def _has_caps(book: Rulebook, period: tuple[int, int]) -> bool:
    for year in range(period[0], period[1] + 1):
        law = book.at(max(date(year, 12, 31), book.system.begins))
        try:
            if "cap" in asks(book):
                answer(law, "cap", (year,))  # None: the year's total is not known ahead, and units come into being at allocation
        except (LawError, ValueError, KeyError):  # the law tables none for that year
            return False
    return True


def allocates_by_rule(book: Rulebook, year: int) -> bool:
    """Whether the law of a year has what its allocation rule needs (or allocates nothing at all)."""
    offered = asks(book)
    if "allocation" not in offered:
        calendar = book.parameters.get("calendar.agenda")
        return not any("allocate" in (value.content or {}) for value in (calendar.values if calendar is not None else ()))
    try:
        parameters(book.at(date(year, 12, 31)), *offered["allocation"])
    except NotYetInForce:
        return False
    return True


def _allocates(book: Rulebook, first: int, last: int, activity: pl.DataFrame) -> bool:
    """Whether the law's allocation rule can answer for what is made: tried on the first rows of each year, on the day of the task."""
    offered = asks(book)
    if "allocation" not in offered:
        return True
    state = State(book, book.system.begins)
    for year in range(first, last + 1):
        rows = activity.filter(pl.col("year") == year)
        rows = rows.group_by("sector", "product", maintain_order=True).head(1)
        day = next((day for task in ("allocate", "final_allocate", "award") if (day := day_of(state, task, year)) is not None), None)
        if day is None or not rows.height:
            continue
        pool: dict[str, Any] = {name: column_of(rows[name]) for name in rows.columns if name not in ("year", "installation")}
        zeros = column_of(rows["quantity"]) * 0
        try:
            ask_rows(book.at(day), "allocation", pool | {"year": year, "verified": zeros, "previous_verified": zeros})
        except (LawError, ValueError, KeyError):
            return False
    return True


def with_surroundings(book: Rulebook, inputs: Inputs, first: int, last: int, opening: int | None, prices: Mapping[int, Decimal] | None) -> Inputs:
    """What a run takes from the rulebook's statistics when nobody gave it: totals, opening circulation, prices."""
    if inputs.totals is None and not inputs.synthetic:
        published = totals_of(book, inputs, first, last)
        if published is not None:
            inputs = replace(inputs, totals=published[0], estimated=published[1])
    known = (opening, "given by whoever ran this") if opening is not None else opening_of(book, inputs, first)
    inputs = replace(inputs, opening=known, prices=mean_prices(book, first, last) if prices is None else prices)
    return inputs
