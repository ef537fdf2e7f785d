"""The free allocation of one installation for one year, explained line by line: what was produced, by which figures of the law, to what result.

Some entitlements are the authority's own table: of those the result is known and not how it came about, and the view says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from tonne.administration.agenda import day_of
from tonne.administration.allocate import FINAL, GIVEN, PRE, RULE, computed_rows
from tonne.administration.asks import asks, offers
from tonne.administration.kinds import Kind
from tonne.administration.state import LIMIT, State
from tonne.dates import day_number
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.explain import Formula, formula
from tonne.interfaces.views.found import asking, installation_of
from tonne.law import LawError

#: basis of an entitlement -> the calendar's task that acts on it
TASK_OF = {GIVEN: "allocate", RULE: "allocate", PRE: "pre_allocate", FINAL: "final_allocate", LIMIT: "award"}


@dataclass(frozen=True)
class Line:
    """One row of the year's activity and what the law's rule makes of it. result: units; None where the rule has no answer today.

    inputs: what the rule was asked with, by its own names; formula: the figures of the law it reads, tables cut to this row's year, product, sector.
    """

    unit: str
    product: str
    sector: str
    quantity: int
    inputs: Mapping[str, Any]
    result: int | None
    formula: Formula | None


@dataclass(frozen=True)
class Entitlement:
    """What stands on record. basis: authority (its own table), rule, pre_allocation, final_allocation, limit (what may be emitted before units are
    owed); explained: whether the lines below say how it came about; done: the day on which the calendar acted on it, None: not yet."""

    basis: str
    quantity: int
    explained: bool
    due: date | None
    done: date | None


@dataclass(frozen=True)
class Allocation:
    """One installation and year. source: authority, rule, none: where the entitlement comes from, or would.

    computed       sum of the lines; adjusted: what later adjustments of the whole installation made of it (final allocation less the lines), None
                   where there is none
    granted, returned   units that came to the account for the year, and that were taken back; None where nobody can tell them from another year's
    why            `` or why there are no lines: no_rule, no_activity, no_answer
    """

    installation: str
    name: str
    year: int
    unit: str
    day: date
    source: str
    entitlements: tuple[Entitlement, ...]
    lines: tuple[Line, ...]
    computed: int | None
    adjusted: int | None
    granted: int | None
    returned: int | None
    why: str


def allocation(state: State, installation: str, year: int, today: date, *, cache: Cache | None = None) -> Allocation:
    """How an installation's free allocation for a year comes about. Raises NotFound for an installation nobody registered."""
    cache = cache or Cache()
    row = installation_of(state, installation)
    own = state.entitlements.filter(pl.col("installation") == installation, pl.col("year") == year)
    day = _day(state, own["basis"].to_list(), year, today)
    lines, why = _lines(state, installation, year, day, cache)
    results = [line.result for line in lines]
    computed = None if not lines or None in results else sum(result for result in results if result is not None)
    bases = dict(own.select("basis", "quantity").iter_rows())
    ruled = computed is not None and GIVEN not in bases
    granted, returned = _moved(state, installation, year, cache)
    return Allocation(
        installation=installation,
        name=row["name"],
        year=year,
        unit=state.allowance_code(year),
        day=day,
        source="authority" if GIVEN in bases else "rule" if bases or computed is not None else "none",
        entitlements=tuple(_entitlement(state, basis, quantity, year, computed) for basis, quantity in sorted(bases.items())),
        lines=lines,
        computed=computed,
        adjusted=bases[FINAL] - computed if ruled and FINAL in bases and computed is not None and bases[FINAL] != computed else None,
        granted=granted,
        returned=returned,
        why=why,
    )


def _day(state: State, bases: list[str], year: int, today: date) -> date:
    """The day of whose law the calculation is shown: when the calendar acted, else when it will, else today."""
    begins = state.rulebook.system.begins
    tasks = [TASK_OF[basis] for basis in (FINAL, RULE, LIMIT, GIVEN, PRE) if basis in bases] or ["final_allocate", "allocate", "award"]
    for task in tasks:
        done = state.done.get(f"{task}:{year}")
        if done is not None:
            return date.fromisoformat(done)
    due = next((day for task in tasks if (day := day_of(state, task, year)) is not None), None)
    return max(due or today, begins)


def _entitlement(state: State, basis: str, quantity: int, year: int, computed: int | None) -> Entitlement:
    task = TASK_OF.get(basis, "")
    done = state.done.get(f"{task}:{year}")
    explained = (basis in (RULE, FINAL) and computed is not None) or (basis == LIMIT and computed == quantity)
    return Entitlement(basis, quantity, explained, day_of(state, task, year) if task else None, None if done is None else date.fromisoformat(done))


def _lines(state: State, installation: str, year: int, day: date, cache: Cache) -> tuple[tuple[Line, ...], str]:
    law = state.law(day)
    rows = state.activity.for_year(year).filter(pl.col("installation") == installation)
    if not offers(law, "allocation"):
        return (), "no_rule"
    if not rows.height:
        return (), "no_activity"
    depends = (state.activity, state.reports, len(state.amendments), day)

    def made() -> pl.DataFrame | None:
        try:
            return computed_rows(state, asking(day), year)
        except (LawError, ValueError, KeyError):  # the rule says that the law has no figure for what it is asked
            return None

    found = cache.get(("computed_rows", year), depends, made)
    frame = rows if found is None else found.filter(pl.col("installation") == installation)
    return tuple(_line(law, row, year) for row in frame.iter_rows(named=True)), "no_answer" if found is None else ""


def _line(law: Any, row: dict[str, Any], year: int) -> Line:
    given = asks(law.rulebook)["allocation"][0].given
    pool = row | {"year": year, "entity": row["installation"]}
    inputs = {name: pool[name] for name in given if name in pool}
    keys = (year, row["product"], row["sector"], row["installation"])
    told = formula(law, "allocation", inputs, tuple(key for key in keys if key is not None))
    return Line(row["unit"], row["product"], row["sector"] or "", row["quantity"], inputs, row.get("granted"), told)


_TASKS = ("pre_allocate", "allocate", "final_allocate", "award")


def _moved(state: State, installation: str, year: int, cache: Cache) -> tuple[int | None, int | None]:
    """Units allocated to, and taken back from, the installation's account for a year: of the year's own unit type where years have theirs, else on
    the days of the calendar's tasks for the year. None where a task for another year fell on such a day, so that nobody can tell them apart."""
    number, unit = state.accounts.find(f"operator:{installation}"), state.unit(state.allowance_code(year))
    if number < 0 or unit < 0:
        return 0, 0
    rows = state.books.transfers[cache.moves(state).of(number)]
    rows = rows[rows["unit"] == unit]
    if state.allowance_code(year) == state.rulebook.system.unit_code:
        own = {state.done.get(f"{task}:{year}") for task in _TASKS} - {None}
        others = {day for task, day in state.done.items() if task.partition(":")[0] in _TASKS and not task.endswith(f":{year}")}
        if own & others:
            return None, None
        rows = rows[np.isin(rows["day"], [day_number(date.fromisoformat(day)) for day in own if day is not None])]
    got = rows[(rows["kind"] == Kind.ALLOCATE) & (rows["to_account"] == number)]
    back = rows[(rows["kind"] == Kind.RETURN_ALLOCATION) & (rows["from_account"] == number)]
    return int(got["quantity"].sum()), int(back["quantity"].sum())
