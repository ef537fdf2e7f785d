"""Emission reports: who has filed, who is verified, who is missing; last year's figure beside each, and what changed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from tonne.administration.agenda import day_of
from tonne.administration.state import State
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.found import holder_name, installation_of
from tonne.interfaces.views.participants import register
from tonne.registers.reports import MISSING, STATES, WITH_FIGURE

REPORTS: dict[str, Any] = {
    "installation": pl.String,
    "name": pl.String,
    "operator": pl.String,
    "operator_name": pl.String,
    "sector": pl.String,
    "country": pl.String,
    "year": pl.Int32,
    "state": pl.String,  # one of the register's states; no_entry: operating, and nothing came yet
    "reported": pl.Int64,
    "verified": pl.Int64,
    "figure": pl.Int64,  # verified, else reported
    "last_year": pl.Int64,  # the same of the year before
    "change": pl.Int64,
    "change_permille": pl.Int64,  # of last year's figure, nearest; null where that is nothing or zero
    "late": pl.Boolean,  # the deadline has passed without a figure that counts
}


@dataclass(frozen=True)
class Report:
    """One installation's report of a year. corrections: sequence, before, after, state_before, after_deadline, by, on, reason; activity in the
    register's columns; days_left to whichever deadline comes next for its state (report or verify), None where none does."""

    installation: str
    name: str
    operator: str
    operator_name: str
    year: int
    state: str
    reported: int | None
    verified: int | None
    last_year: int | None
    last_year_state: str
    change: int | None
    change_permille: int | None
    report_due: date | None
    verify_due: date | None
    due: date | None
    days_left: int | None
    letter: str
    corrections: pl.DataFrame
    activity: pl.DataFrame
    earlier: pl.DataFrame


def reports(
    state: State,
    year: int,
    today: date,
    *,
    operator: str | None = None,
    states: Collection[str] | None = None,
    cache: Cache | None = None,
) -> pl.DataFrame:
    """The reports of a year, in REPORTS, by installation: those on record, and every installation that operates and has none yet."""
    cache = cache or Cache()
    depends = (state.reports, state.installations, len(state.accounts), state.participants, len(state.amendments), today)
    frame = cache.get(("reports", year), depends, lambda: _reports(state, year, today, cache))
    if operator is not None:
        frame = frame.filter(pl.col("operator") == operator)
    return frame if states is None else frame.filter(pl.col("state").is_in(list(states)))


def _reports(state: State, year: int, today: date, cache: Cache) -> pl.DataFrame:
    runs = state.installations.operating(year).select("installation")
    now = state.reports.for_year(year).select("installation", "state", "reported", "verified")
    frame = register(state, cache).join(now, on="installation", how="left", maintain_order="left")
    frame = frame.filter(pl.col("state").is_not_null() | pl.col("installation").is_in(runs["installation"].implode()))
    before = state.reports.for_year(year - 1).select("installation", last_year=pl.coalesce("verified", "reported"))
    frame = frame.join(before, on="installation", how="left", maintain_order="left")
    figure = pl.coalesce("verified", "reported")
    change = figure - pl.col("last_year")
    due = {task: day_of(state, task, year) for task in ("report", "verify")}
    over = {task: day is not None and today > day for task, day in due.items()}
    kind = pl.col("state").fill_null("no_entry")
    late = (pl.lit(over["report"]) & kind.is_in(["no_entry", "not_reported"])) | (pl.lit(over["verify"]) & kind.is_in(list(MISSING)))
    frame = frame.with_columns(
        state=kind, year=pl.lit(year), figure=figure, change=change, change_permille=permille(change, pl.col("last_year")), late=late
    )
    return frame.select([pl.col(c).cast(t) for c, t in REPORTS.items()]).sort("installation")


def permille(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """Thousandths of a whole that is above zero, to the nearest (halves away from zero); null else."""
    sign = pl.when(part < 0).then(-1).otherwise(1)
    return pl.when(whole > 0).then(sign * ((2_000 * part.abs() + whole) // (2 * whole)))


def counts(state: State, year: int, today: date, *, cache: Cache | None = None) -> dict[str, int]:
    """How many reports of a year are in each state (all states are named), and `late`."""
    frame = reports(state, year, today, cache=cache)
    found = dict(frame.group_by("state").len().iter_rows())
    return {name: int(found.get(name, 0)) for name in STATES} | {"late": int(frame["late"].sum())}


def inbox(state: State, today: date, *, cache: Cache | None = None) -> pl.DataFrame:
    """What waits for a verifier: every report that nobody verified yet, in REPORTS with due (last day to verify) and days_left; soonest first."""
    years = state.reports.frame.filter(pl.col("state") == "reported")["year"].unique().sort().to_list()
    parts = []
    for year in years:
        due = day_of(state, "verify", year)
        frame = reports(state, year, today, states=("reported",), cache=cache)
        left = None if due is None else (due - today).days
        parts.append(frame.with_columns(due=pl.lit(due, dtype=pl.Date), days_left=pl.lit(left, dtype=pl.Int64)))
    empty = pl.DataFrame(schema=REPORTS | {"due": pl.Date, "days_left": pl.Int64})
    return pl.concat([empty, *parts]).sort("due", "installation", nulls_last=True)


def report(state: State, installation: str, year: int, today: date) -> Report:
    """One report, whether anything was filed or not. Raises NotFound for an installation nobody registered."""
    row = installation_of(state, installation)
    number = state.accounts.find(f"operator:{installation}")
    operator = state.accounts.holders[number] if number >= 0 else row["operator"] or ""
    own = state.reports.for_installation(installation)
    by_year = {one["year"]: one for one in own.to_dicts()}
    now, before = by_year.get(year, {}), by_year.get(year - 1, {})
    figure, last = _figure(now), _figure(before)
    change = figure - last if figure is not None and last is not None else None
    due = {task: day_of(state, task, year) for task in ("report", "verify")}
    kind = now.get("state", "no_entry")
    following = None if kind in WITH_FIGURE or kind == "excluded" else due["verify" if kind == "reported" else "report"]
    corrections = state.reports.corrections
    assert corrections is not None
    letters = state.statuses.filter(pl.col("installation") == installation, pl.col("year") == year, ~pl.col("interim"))["status"]
    return Report(
        installation=installation,
        name=row["name"],
        operator=operator,
        operator_name=holder_name(state, operator),
        year=year,
        state=kind,
        reported=now.get("reported"),
        verified=now.get("verified"),
        last_year=last,
        last_year_state=before.get("state", "no_entry"),
        change=change,
        change_permille=_permille(change, last),
        report_due=due["report"],
        verify_due=due["verify"],
        due=following,
        days_left=None if following is None else (following - today).days,
        letter=letters[0] if len(letters) else "",
        corrections=corrections.filter(pl.col("installation") == installation, pl.col("year") == year).drop("installation", "year"),
        activity=state.activity.for_year(year).filter(pl.col("installation") == installation),
        earlier=own.filter(pl.col("year") < year).select("year", "state", "reported", "verified"),
    )


def _figure(row: dict[str, Any]) -> int | None:
    value = row.get("verified") if row.get("verified") is not None else row.get("reported")
    return None if value is None else int(value)


def _permille(change: int | None, last: int | None) -> int | None:
    if change is None or not last:
        return None
    size = (2_000 * abs(change) + last) // (2 * last)
    return -size if change < 0 else size
