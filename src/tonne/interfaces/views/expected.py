"""What an installation will have emitted by the end of a period: what is verified, and what stands in for it until it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl

from tonne.administration.asks import offers
from tonne.administration.refusals import Refusal
from tonne.administration.stabilise import first_year
from tonne.administration.state import LIMIT, State
from tonne.administration.surrender import obligations_by_year, owed_by_installation, period_end
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.found import asking
from tonne.registers.reports import WITH_FIGURE, Reports


@dataclass(frozen=True)
class YearFigure:
    """One emissions year of one installation, tonnes (of the system's measure) and units.

    basis      verified, estimated (by the authority), corrected: what the law counts; reported, last_year: what stands in for it; none: nothing does
    estimated  whether `emissions` and `owed` are not what the law counts
    owed       of this year alone; None where nobody can say yet
    """

    year: int
    state: str
    reported: int | None
    verified: int | None
    basis: str
    emissions: int | None
    estimated: bool
    owed: int | None


@dataclass(frozen=True)
class Outlook:
    """counted: the state with the reports that count; guessed: with what stands in for the missing ones; figures: installation -> its years of the
    period; unknown: years whose obligation nobody can say before the limits are awarded."""

    counted: State
    guessed: State
    figures: dict[str, tuple[YearFigure, ...]]
    unknown: tuple[int, ...]


@dataclass(frozen=True)
class Owed:
    """What installations owe to date, cumulative: `counted` by the figures that count, `guessed` with what stands in for the missing ones."""

    looks: Outlook
    counted: dict[str, int]
    guessed: dict[str, int]


def own_rows(state: State, keys: list[str]) -> tuple[Any, ...]:
    """All that what installations owe follows from: it changes when one of these does."""
    mine = pl.col("installation").is_in(keys)
    frames = (state.reports.frame, state.statuses, state.entitlements.filter(pl.col("basis") == LIMIT), state.fines)
    return (*(tuple(frame.filter(mine).rows()) for frame in frames), len(state.done), len(state.amendments), state.installations)


def owed_to_date(state: State, keys: list[str], end: int, today: date, cache: Cache, rows: tuple[Any, ...] | None = None) -> Owed:
    """What installations owe at the end of a period (its last year), kept until their own rows change."""

    def made() -> Owed:
        looks = outlook(state, keys, end, today)
        ask = asking(max(today, state.today))
        counted = dict(owed_by_installation(looks.counted, ask, end, interim=False).iter_rows())
        if looks.guessed is looks.counted:
            return Owed(looks, counted, counted)
        return Owed(looks, counted, dict(owed_by_installation(looks.guessed, ask, end, interim=False).iter_rows()))

    return cache.get(("owed", end, today, *keys), rows if rows is not None else own_rows(state, keys), made)


def _restricted(state: State, frame: pl.DataFrame) -> State:
    """The state with some rows of the reports: what is worked out of it is worked out for them alone. For looking only.

    The rows are not checked as the register checks its own: they come from it, and checking them would cost more than all the rest."""
    reports = object.__new__(Reports)
    object.__setattr__(reports, "frame", frame)
    object.__setattr__(reports, "corrections", state.reports.corrections)
    return replace(state, reports=reports, _by_kind={}, _indexed=0)


def outlook(state: State, keys: list[str], end: int, today: date) -> Outlook:
    """Emissions and obligations of installations up to the end of a period (its last year), as far as its years have begun."""
    years = [year for year in range(_begins(state, end), min(end, today.year) + 1) if period_end(state, year) == end]
    own = state.reports.frame.filter(pl.col("installation").is_in(keys))
    limited = offers(state.law(max(today, state.today)), "units_earned")
    unknown = tuple(year for year in years if limited and f"award:{year}" not in state.done)
    rows = {(row["installation"], row["year"]): row for row in own.iter_rows(named=True)}
    register = {key: state.installations.lookup(key) for key in keys}
    found = {key: [_figure(rows, key, year, register[key]) for year in years] for key in keys}
    counts = own.filter(~pl.col("year").is_in(list(unknown))) if unknown else own
    counted = _restricted(state, counts)
    more = _with_guesses(counts, found, unknown)
    guessed = counted if more is counts else _restricted(state, more)
    ask = asking(max(today, state.today))
    each = {(name, year): owed for name, year, _, owed in obligations_by_year(guessed, ask, end).iter_rows()}
    figures = {key: tuple(replace(one, owed=each.get((key, one.year))) for one in ones) for key, ones in found.items()}
    return Outlook(counted, guessed, figures, unknown)


def _begins(state: State, end: int) -> int:
    try:
        return first_year(state)
    except Refusal:
        return end


def _figure(rows: dict[tuple[str, int], dict[str, Any]], key: str, year: int, register: dict[str, Any]) -> YearFigure:
    row = rows.get((key, year), {})
    state, reported, verified = row.get("state", "no_entry"), row.get("reported"), row.get("verified")
    if verified is not None:
        return YearFigure(year, state, reported, verified, state, verified, False, None)
    runs = (register["opened"] is None or register["opened"] <= year) and (register["closed"] is None or register["closed"] >= year)
    basis, emissions = "none", None
    if reported is not None:
        basis, emissions = "reported", reported
    elif runs and state != "excluded":
        before = [rows[key, past] for past in range(year - 1, year - 6, -1) if (key, past) in rows]
        known = next((one for one in before if one["verified"] is not None or one["reported"] is not None), None)
        if known is not None:
            basis, emissions = "last_year", known["verified"] if known["verified"] is not None else known["reported"]
    return YearFigure(year, state, reported, None, basis, emissions, emissions is not None, None)


def _with_guesses(frame: pl.DataFrame, found: dict[str, list[YearFigure]], unknown: tuple[int, ...]) -> pl.DataFrame:
    """The reports with a figure in every year that has one of any kind."""
    guesses = [(key, one.year, one.emissions) for key, ones in found.items() for one in ones if one.estimated and one.year not in unknown]
    if not guesses:
        return frame
    schema: dict[str, Any] = {"installation": pl.String, "year": pl.Int32, "verified": pl.Int64}
    added = pl.DataFrame(guesses, schema=schema, orient="row").with_columns(state=pl.lit(WITH_FIGURE[1]))
    kept = frame.join(added, on=["installation", "year"], how="anti")
    zeros = [pl.lit(0, dtype=frame.schema[name]).alias(name) for name in frame.columns if name.startswith("allocated")]
    return pl.concat([kept, added.with_columns(zeros)], how="diagonal").select(frame.columns)
