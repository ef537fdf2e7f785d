"""Who lives in a generated market: operators with invented names and a few installations, what they emit and are given, and the rest of the system.

The operators together are a small part of the system; what the published totals hold beyond them is one installation more, the rest of the system.
One operator lacks a few hundred units for the year that is to be reported: whoever shows the market acts for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from tonne.administration.agenda import day_of
from tonne.administration.allocate import computed_allocation
from tonne.administration.commands import Command
from tonne.administration.permissions import LAW
from tonne.administration.state import State
from tonne.law import Rulebook
from tonne.registers.installations import INSTALLATION_SCHEMA, Installations
from tonne.registers.reports import Reports
from tonne.simulation.inputs import with_surroundings
from tonne.simulation.population import Population, generate
from tonne.simulation.profile import NEUTRAL, profile_of, totals_for
from tonne.simulation.randomness import generator
from tonne.simulation.run import REMAINDER, Inputs

OPERATORS, INSTALLATIONS = 200, 250
#: What the shown operator emits in a year, tonnes, and what it lacks for the year that it is to report.
SHOWN_FROM, SHOWN_TO, GAP = 4_000, 60_000, 340
REST = "rest-of-the-system"
_FIRST = (
    *("Alder", "Birch", "Corn", "Dun", "Elm", "Fern", "Glen", "Hazel", "Ivy", "Juniper", "Kes", "Linden"),
    *("Maple", "Nor", "Oak", "Pen", "Quill", "Raven", "Sedge", "Thorn", "Ulver", "Vale", "Willow", "Yar"),
)
_SECOND = ("brook", "dale", "ford", "gate", "haven", "holm", "mere", "mouth", "stead", "wick")


@dataclass(frozen=True)
class Operator:
    """A participant with installations; `sector` of the first of them."""

    participant: str
    name: str
    sector: str
    installations: tuple[str, ...]


@dataclass(frozen=True)
class Society:
    """What the people of a living market are and do.

    shown        the operator that somebody acts for, and its only installation
    late, short  installations that surrender for the first year after the deadline, and too little
    emissions    installation -> tonnes of the year that is to be reported
    """

    inputs: Inputs
    operators: tuple[Operator, ...]
    shown: Operator
    late: tuple[str, ...]
    short: tuple[str, ...]
    emissions: Mapping[str, int]


def society(book: Rulebook, years: tuple[int, int], seed: int) -> Society:
    """The people of two emissions years: the one before, and the one that is to be reported. Raises what the law's rule raises."""
    first, last = years
    totals, remark = totals_for(book, list(years), INSTALLATIONS)
    part = {year: min(total // 2, INSTALLATIONS * NEUTRAL) for year, total in totals.items()}
    drawn = generate(size=INSTALLATIONS, seed=seed, years=list(years), totals=part, sectors=profile_of(book, first))
    operators, installations = _operators(drawn.installations.frame, seed)
    given = _given(book, drawn, years)
    reports, shown = _with_shown(drawn.reports.frame, given, operators, years)
    rest = _rest(reports, totals)
    label = f"SYNTHETIC: {OPERATORS} operators with {INSTALLATIONS} installations drawn from seed {seed}. Nobody in it is real.{remark}"
    plain = Inputs(installations, Reports(reports), drawn.activity.frame, rest, synthetic=label)
    inputs = with_surroundings(book, plain, first, last + 1, None, None)
    late, short = _lapses(reports, shown, first)
    emissions = dict(reports.filter(pl.col("year") == last).select("installation", "verified").iter_rows())
    return Society(inputs, operators, shown, late, short, emissions)


def _operators(frame: pl.DataFrame, seed: int) -> tuple[tuple[Operator, ...], Installations]:
    """The first 200 installations have an operator each; one in four of these has one more."""
    places = [first + second for second in _SECOND for first in _FIRST]
    order = generator(seed, "living", "places").permutation(len(places))[:OPERATORS]
    extra = generator(seed, "living", "extra").permutation(OPERATORS)[: frame.height - OPERATORS]
    owner = np.concatenate([np.arange(OPERATORS), np.sort(extra)])[: frame.height]
    keys, sectors = frame["installation"].to_list(), frame["sector"].to_list()
    operators, names, holders = [], [""] * len(keys), [""] * len(keys)
    for number in range(OPERATORS):
        mine = np.flatnonzero(owner == number).tolist()
        title = f"{places[order[number]]} {sectors[mine[0]].replace('_', ' ').capitalize()}"
        participant = title.lower().replace(" ", "-")
        operators.append(Operator(participant, f"{title} (SYNTHETIC)", sectors[mine[0]], tuple(keys[row] for row in mine)))
        for count, row in enumerate(mine, 1):
            names[row], holders[row] = f"{title}, plant {count} (SYNTHETIC)", participant
    return tuple(operators), Installations(frame.with_columns(name=pl.Series(names), operator=pl.Series(holders)))


def _given(book: Rulebook, drawn: Population, years: tuple[int, int]) -> pl.DataFrame:
    """installation, year, quantity: free units by the law's own rule, as the authority's table will say; none where the law gives none."""
    desk = State(book, book.system.begins, installations=drawn.installations, activity=drawn.activity, reports=drawn.reports)
    found = [pl.DataFrame(schema={"installation": pl.String, "year": pl.Int32, "quantity": pl.Int64})]
    for year in years:
        day = day_of(desk, "allocate", year)
        rows = None if day is None else computed_allocation(desk, Command("probe", "allocate", LAW, day), year)
        found += [] if rows is None else [rows.select("installation", pl.col("year").cast(pl.Int32), "quantity")]
    return pl.concat(found)


def _with_shown(reports: pl.DataFrame, given: pl.DataFrame, operators: Sequence[Operator], years: tuple[int, int]) -> tuple[pl.DataFrame, Operator]:
    """Reports with what is given, in which one operator emits, over both years, a little more than it is given: the one that came nearest to it."""
    frame = reports.join(given, on=["installation", "year"], how="left", maintain_order="left")
    frame = frame.with_columns(allocated=pl.col("quantity").fill_null(0)).drop("quantity")
    alone = {operator.installations[0]: operator for operator in operators if len(operator.installations) == 1}
    sums = frame.group_by("installation", maintain_order=True).agg(pl.col("verified", "allocated").sum(), least=pl.col("allocated").min())
    near = sums.filter(pl.col("installation").is_in(list(alone)), pl.col("allocated").is_between(2 * SHOWN_FROM, 2 * SHOWN_TO), pl.col("least") > 0)
    if not near.height:  # nobody is given enough: then all that is emitted has to be bought
        near = sums.filter(pl.col("installation").is_in(list(alone))).sort("verified", "installation").head(1).with_columns(allocated="verified")
        return frame, alone[near["installation"][0]]
    away = (pl.col("verified") - pl.col("allocated") - GAP).abs() / pl.col("allocated")
    name, both = near.sort(away, "installation").select("installation", "allocated").row(0)
    first = (both + GAP) // 2
    emitted = pl.when(pl.col("year") == years[0]).then(first).otherwise(both + GAP - first)
    mine = pl.col("installation") == name
    changed = [pl.when(mine).then(emitted).otherwise(pl.col(column)).cast(pl.Int64).alias(column) for column in ("verified", "reported")]
    return frame.with_columns(changed), alone[name]


def _rest(reports: pl.DataFrame, totals: Mapping[int, int]) -> pl.DataFrame:
    """The published totals of emissions; of free units so many that the rest of the system is given as much a tonne as the operators are."""
    rows = reports.group_by("year").agg(pl.col("verified", "allocated").sum()).sort("year")
    found: list[tuple[int, int, int, None]] = []
    for year, verified, allocated in rows.iter_rows():
        found.append((year, allocated * totals[year] // max(verified, 1), totals[year], None))
    columns: dict[str, Any] = {"year": pl.Int32, "allocated": pl.Int64, "verified": pl.Int64, "surrendered": pl.Int64}
    return pl.DataFrame(found, schema=columns, orient="row")


def _lapses(reports: pl.DataFrame, shown: Operator, first: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Late are three who have enough and forget; short are three of those who have least."""
    rows = reports.filter(pl.col("year") == first, pl.col("installation") != shown.installations[0]).sort("installation")
    spare = rows.filter(pl.col("allocated") > pl.col("verified"))
    late = spare["installation"].head(3).to_list()
    short = rows.filter(pl.col("allocated") < pl.col("verified"), pl.col("verified") > 1_000).sort("verified", "installation")["installation"]
    return tuple(late), tuple(short.head(3).to_list())


def registered(people: Society) -> pl.DataFrame:
    """The installations in the register's columns, with the rest of the system."""
    own = {"installation": REMAINDER, "name": "Rest of the system: published totals less the generated operators", "operator": REST, "status": "open"}
    rest = pl.DataFrame([{name: own.get(name) for name in INSTALLATION_SCHEMA}], schema=INSTALLATION_SCHEMA)
    return pl.concat([people.inputs.installations.frame, rest])


def day_by_day(day: date, seed: int, *names: str) -> Any:
    """A stream of chance of one day."""
    return generator(seed, "living", day.isoformat(), *names)
