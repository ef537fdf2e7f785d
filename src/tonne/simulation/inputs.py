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
from tonne.administration.asks import asks
from tonne.administration.state import State
from tonne.law import LawError, Rulebook
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
    if not allocates_by_rule(book, first, last, activity):
        reports, activity = Reports(reports.frame.with_columns(allocated=pl.col("verified").fill_null(0) * 19 // 20)), None
        label += " The law of these years left allocation to the authority's own tables; here everybody is given 95 % of what they emit."
    return Inputs(population.installations, reports, activity, None, synthetic=label, lapses=seed)


def allocates_by_rule(book: Rulebook, first: int, last: int, activity: pl.DataFrame) -> bool:
    """Whether the law's own rule can allocate in these years: tried on a row of each sector and product, on the day of the task.

    A law without such a rule allocates nothing, unless its calendar says that somebody does.
    """
    calendar = book.parameters.get("calendar.agenda")
    if "allocation" not in asks(book):
        return not any("allocate" in (value.content or {}) for value in (calendar.values if calendar is not None else ()))
    state = State(book, book.system.begins)
    for year in range(first, last + 1):
        rows = activity.filter(pl.col("year") == year).group_by("sector", "product", maintain_order=True).head(1)
        day = next((day for task in ("allocate", "final_allocate", "award") if (day := day_of(state, task, year)) is not None), None)
        pool: dict[str, Any] = {name: column_of(rows[name]) for name in rows.columns if name not in ("year", "installation")}
        zeros = column_of(rows["quantity"]) * 0
        try:
            law = book.at(day or max(date(year, 12, 31), book.system.begins))
            ask_rows(law, "allocation", pool | {"year": year, "verified": zeros, "previous_verified": zeros})
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
    return replace(inputs, opening=known, prices=mean_prices(book, first, last) if prices is None else prices)
