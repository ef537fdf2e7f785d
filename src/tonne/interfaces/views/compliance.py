"""Who complied: a year's judgement of everybody, late and short first; how far allocation and emissions lie apart; sectors beside each other.

Before a year is judged nothing of it is given out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import polars as pl

from tonne.administration.agenda import day_of
from tonne.administration.state import State
from tonne.administration.surrender import period_end
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.participants import published_on, register, years
from tonne.simulation.run import REMAINDER
from tonne.simulation.yearly import sectors

COMPLIANCE: dict[str, Any] = {
    "installation": pl.String,
    "name": pl.String,
    "operator": pl.String,
    "operator_name": pl.String,
    "sector": pl.String,
    "country": pl.String,
    "allocated": pl.Int64,  # of the year
    "verified": pl.Int64,  # of the year; null: none
    "owed": pl.Int64,  # to date
    "surrendered": pl.Int64,  # to date
    "missing": pl.Int64,
    "letter": pl.String,
    "fine_low_minor": pl.Int64,  # null: not set yet
    "fine_high_minor": pl.Int64,
}
#: The worst first: no figure, short after a correction, short, late but covered, impossible, covered, nothing due.
WORST = ("C", "D", "B", "E", "X", "A", "-")
#: Ends of the bands of (allocated - verified) in thousandths of verified: a band holds what lies from its lower end up to below the upper one.
BANDS = (-1_000, -750, -500, -250, -100, -50, 0, 50, 100, 250, 500, 1_000)


@dataclass(frozen=True)
class Compliance:
    """A year's result. published: the day it was judged (None: not yet; then `expected` is the day and the frame is empty).

    letters: how many of each, WORST first; the sums are of the rows. Fines are None before they are set.
    """

    year: int
    period: int
    published: date | None
    expected: date | None
    installations: int
    letters: dict[str, int]
    owed: int
    surrendered: int
    missing: int
    verified: int
    allocated: int
    fine_low_minor: int | None
    fine_high_minor: int | None
    rows: pl.DataFrame


def compliance(state: State, year: int, *, cache: Cache | None = None) -> Compliance:
    """Who complied for a year (the last of its period); rows in COMPLIANCE, worst first, then by what is missing, then by installation."""
    cache = cache or Cache()
    published = published_on(state, year)
    rows = pl.DataFrame(schema=COMPLIANCE)
    if published is not None:
        depends = (state.statuses, state.reports, state.fines, state.entitlements, state.installations, state.participants, len(state.done))
        rows = cache.get(("compliance", year), depends, lambda: _rows(state, year, cache))
    found = dict(rows.group_by("letter").len().iter_rows())
    fined = f"penalise:{year}" in state.done and published is not None
    return Compliance(
        year=year,
        period=period_end(state, year),
        published=published,
        expected=day_of(state, "surrender", year),
        installations=rows.height,
        letters={letter: int(found[letter]) for letter in WORST if letter in found},
        **{name: int(rows[name].sum()) for name in ("owed", "surrendered", "missing", "verified", "allocated")},
        fine_low_minor=int(rows["fine_low_minor"].sum()) if fined else None,
        fine_high_minor=int(rows["fine_high_minor"].sum()) if fined else None,
        rows=rows,
    )


def _rows(state: State, year: int, cache: Cache) -> pl.DataFrame:
    judged = state.statuses.filter(pl.col("year") == year, ~pl.col("interim"), pl.col("installation") != REMAINDER)
    judged = judged.select("installation", "owed", "surrendered", letter="status", missing=(pl.col("owed") - pl.col("surrendered")).clip(0))
    figures = years(state, cache).filter(pl.col("year") == year)
    figures = figures.select("installation", "allocated", "verified", "fine_low_minor", "fine_high_minor")
    frame = judged.join(register(state, cache), on="installation", how="left").join(figures, on="installation", how="left")
    place = pl.col("letter").replace_strict({letter: at for at, letter in enumerate(WORST)}, default=len(WORST), return_dtype=pl.Int64)
    frame = frame.with_columns(pl.col("allocated").fill_null(0), _place=place)
    frame = frame.sort("_place", "missing", "installation", descending=[False, True, False])
    return frame.select([pl.col(c).cast(t) for c, t in COMPLIANCE.items()])


def judged_years(state: State) -> list[int]:
    """Years (ends of periods) whose compliance is public, newest first."""
    years_done = (int(task.partition(":")[2]) for task in state.done if task.startswith("surrender:"))
    return sorted((year for year in years_done if published_on(state, year) is not None), reverse=True)


def gaps(state: State, year: int, *, cache: Cache | None = None) -> pl.DataFrame:
    """How far free allocation lay from emissions: from_permille, to_permille (null: open end), installations, allocated, verified; one row a band
    of BANDS, empty bands too. Installations with verified emissions above zero, in a year that was judged; none before."""
    edges = [None, *BANDS, None]
    bands = [{"band": at, "from_permille": low, "to_permille": high} for at, (low, high) in enumerate(pairwise(edges))]
    frame = pl.DataFrame(bands, schema={"band": pl.Int64, "from_permille": pl.Int64, "to_permille": pl.Int64})
    rows = compliance(state, year, cache=cache).rows.filter(pl.col("verified") > 0)
    share = 1_000 * (pl.col("allocated") - pl.col("verified"))
    band = pl.sum_horizontal([(share >= edge * pl.col("verified")).cast(pl.Int64) for edge in BANDS])
    found = rows.group_by(band.alias("band")).agg(installations=pl.len(), allocated=pl.col("allocated").sum(), verified=pl.col("verified").sum())
    joined = frame.join(found, on="band", how="left", maintain_order="left").drop("band")
    return joined.with_columns(pl.col("installations", "allocated", "verified").cast(pl.Int64).fill_null(0))


def by_sector(state: State, *, cache: Cache | None = None) -> pl.DataFrame:
    """sector, year, allocated, verified of the years that were judged: small charts beside each other."""
    judged = judged_years(state)
    if not judged:
        return pl.DataFrame(schema={"sector": pl.String, "year": pl.Int32, "allocated": pl.Int64, "verified": pl.Int64})
    depends = (state.reports, state.entitlements, state.installations, len(state.done))
    frame = (cache or Cache()).get("by_sector", depends, lambda: sectors(state, 0, max(judged)))
    return frame.filter(pl.col("year").is_in([year for year in frame["year"].unique().to_list() if period_end(state, year) in judged]))
