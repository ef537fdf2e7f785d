"""A system at a glance: cap, verified, allocated, auctioned, in circulation, year by year: of its market or, where none runs, of its statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from tonne.administration.asks import offers
from tonne.administration.state import State
from tonne.interfaces.overview import Overview, overview, proposed
from tonne.interfaces.systempage import caps_of, prices_of
from tonne.interfaces.views.cache import Cache
from tonne.law import Rulebook
from tonne.simulation.run import published
from tonne.simulation.yearly import Yearly, published_circulation

#: The five figures; and of the table of years what else there may be.
FIVE = ("cap", "verified", "allocated", "auctioned", "circulation")
MORE = ("limit", "earned", "bought", "paid", "surrendered", "circulation_published", "reserve_intake", "reserve_placed", "reserve_balance")
YEARLY: dict[str, Any] = {"year": pl.Int64} | dict.fromkeys((*FIVE, *MORE), pl.Int64)


@dataclass(frozen=True)
class Figure:
    """One of the five. value: of `year`, the last that has it; before, change: of the year before it; None where nothing is known. change_permille of
    the year before, nearest."""

    name: str
    year: int | None
    value: int | None
    before: int | None
    change: int | None
    change_permille: int | None


@dataclass(frozen=True)
class SystemView:
    """A system. source: market (its books) or statistics (of the rulebook); installations: registered here, or published (None: not known);
    participants: registered, and operators that hold accounts; years: in YEARLY, null where nothing is known."""

    system: str
    names: Mapping[str, str]
    status: str
    design: str
    unit: str
    unit_code: str
    measure: str
    currency: str
    jurisdiction: str
    begins: date | None
    source: str
    today: date
    figures: tuple[Figure, ...]
    installations: int | None
    participants: int | None
    years: pl.DataFrame


def of_market(state: State, today: date, *, cache: Cache | None = None) -> SystemView:
    """A system whose market runs here."""
    cache = cache or Cache()
    frame = yearly(state, cache=cache)
    roles = len(state.participants) + len({h for h, k in zip(state.accounts.holders, state.accounts.kinds, strict=True) if k == "operator"})
    return _view(state.rulebook, frame, "market", today, len(state.installations), roles)


def yearly(state: State, *, cache: Cache | None = None) -> pl.DataFrame:
    """The market's years, in YEARLY: from its first emissions year to the last of which anything was published. Null: not known yet."""
    cache = cache or Cache()
    first = next((int(notice["year"]) for notice in state.notices if notice["what"] == "first_year"), None)
    if first is None:
        return pl.DataFrame(schema=YEARLY)
    depends = (state.books, cache.moves(state).acts, len(state.notices), len(state.done), state.reports, state.entitlements, len(state.amendments))

    def made() -> pl.DataFrame:
        known = [int(year) for what in ("cap", "allocated", "awarded", "auction", "compliance") for year in _noticed(state, what)]
        known += [int(year) for year in state.reports.frame.filter(pl.col("verified").is_not_null())["year"].unique().to_list()]
        last = max([first, *(year for year in known if year >= first)])
        rows = Yearly(state, first, last).table().to_dicts()
        return pl.DataFrame([_known(state, row) for row in rows], schema=YEARLY)

    return cache.get("yearly", depends, made)


def _noticed(state: State, what: str) -> list[int]:
    return [notice["year"] for notice in state.noticed(what, None)]


def _known(state: State, row: dict[str, Any]) -> dict[str, Any]:
    """A row of the yearly table with null for what is not known yet, where the table of a finished run has zero."""
    year, found = row["year"], {name: row[name] for name in YEARLY}
    frame = state.reports.for_year(year)
    if not frame["verified"].is_not_null().any():
        found["verified"] = None
    if not state.entitlements.filter(pl.col("year") == year).height:
        found["allocated"] = None
    if state.notice("auction", year) is None:
        sold = state.noticed("auction_result", year)
        found["auctioned"] = sum(notice["sold"] for notice in sold) if sold else None
    if f"surrender:{year}" not in state.done:
        found["surrendered"] = None
    closed = state.today.year > year and found["verified"] is not None
    if offers(state.law(), "tnac") and not closed:
        found["circulation"] = None  # before the year is over and its emissions are known there is none of the year
    return found


def of_rulebook(book: Rulebook, today: date, *, cache: Cache | None = None) -> SystemView:
    """A system of which there is only the law: caps as the law names them, the rest as its statistics have it."""
    frame, seen = (cache or Cache()).get(("statistics", book.system.id, today), (book,), lambda: (statistics(book, today), overview(book, today)))
    return _view(book, frame, "statistics", today, seen.entities, None)


def statistics(book: Rulebook, today: date) -> pl.DataFrame:
    """What the rulebook knows year by year, in YEARLY, up to this year; caps beyond it too."""
    whole = proposed(book)
    columns = {
        "cap": caps_of(whole),
        "verified": published(whole, "verified_emissions", today.year),
        "allocated": published(whole, "allocated", today.year),
        "auctioned": published(whole, "auctioned", today.year),
        "circulation": published_circulation(whole, today.year),
    }
    years = sorted({year for column in columns.values() for year in column})
    rows = [{"year": year} | {name: column.get(year) for name, column in columns.items()} for year in years]
    return pl.DataFrame(rows, schema=YEARLY)


def _view(book: Rulebook, frame: pl.DataFrame, source: str, today: date, installations: int | None, participants: int | None) -> SystemView:
    s = book.system
    return SystemView(
        system=s.id,
        names=dict(s.name),
        status=s.status,
        design=s.design,
        unit=s.unit_name,
        unit_code=s.unit_code,
        measure=s.measure,
        currency=s.currency,
        jurisdiction=s.jurisdiction,
        begins=s.begins if s.has_law else None,
        source=source,
        today=today,
        figures=tuple(figure(frame, name, today) for name in FIVE),
        installations=installations,
        participants=participants,
        years=frame,
    )


def figure(frame: pl.DataFrame, name: str, today: date) -> Figure:
    """The last known value of a column up to this year, and what it was the year before."""
    rows = {row["year"]: row[name] for row in frame.select("year", name).iter_rows(named=True) if row[name] is not None and row["year"] <= today.year}
    if not rows:
        return Figure(name, None, None, None, None, None)
    year = max(rows)
    value, before = rows[year], rows.get(year - 1)
    change = None if before is None else value - before
    part = None if change is None or not before else (2_000 * abs(change) + before) // (2 * before) * (1 if change >= 0 else -1)
    return Figure(name, year, value, before, change, part)


def facts(book: Rulebook, today: date, *, cache: Cache | None = None) -> Overview:
    """The dozen figures of a system, as its line in a list of systems has them."""
    return (cache or Cache()).get(("overview", book.system.id, today), (book,), lambda: overview(book, today))


def prices(book: Rulebook) -> pl.DataFrame:
    """label, year, price (per unit, for charts) of the prices that the law or its statistics name."""
    rows = [(label, year, price) for label, line in prices_of(proposed(book)).items() for year, price in sorted(line.items())]
    return pl.DataFrame(rows, schema={"label": pl.String, "year": pl.Int64, "price": pl.Float64}, orient="row")
