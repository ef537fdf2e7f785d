"""Everything public as files and by the API: what each set holds, how many rows, since when, under which licence; the log's head of each day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl
from fastapi.responses import Response

from tonne.administration.state import State
from tonne.interfaces.views import auctions_view, compliance, log_view, market_view, participants
from tonne.interfaces.views import system as system_view
from tonne.interfaces.views import transactions as moved
from tonne.interfaces.web import law_words as lw
from tonne.interfaces.web import shelf
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.guard import PUBLIC, pages
from tonne.interfaces.web.pages import systems as systems_page
from tonne.interfaces.web.pages import world_charts
from tonne.interfaces.web.pages.common import cache_of
from tonne.interfaces.web.place import Hall
from tonne.interfaces.web.tables import Column
from tonne.interfaces.web.words import N_, named

router = pages()
#: Licences by the words that a set carries.
OURS = N_("Apache 2.0, as the program; each value names its own source")
PUBLISHED = N_("Apache 2.0; published figures keep their own terms, those of the World Bank CC BY 4.0")
PUBLIC_REGISTER = N_("public by the law of the system; free to use, naming this server and the day")
FORMS = (("CSV", "csv"), ("JSON", "json"), ("Parquet", "parquet"))


@dataclass(frozen=True, slots=True)
class DataSet:
    """path: the page whose table it is, without suffix. rows: None where counting would mean making it. period: as text."""

    title: str
    about: str
    path: str
    rows: int | None
    period: str
    licence: str
    columns: tuple[str, ...]
    gaps: str = ""


@router.get("/data", allow=PUBLIC)
def data(ask: Asked) -> Response:
    """All sets, and the heads of the logs."""
    sets = [(ask._("The world"), _world(ask))]
    for _system, hall in sorted(ask.place.halls.items()):
        sets.append((named(hall.rulebook.system.name, ask.language), _of_market(ask, hall)))
    if ask.suffix:
        raise ask.file("data", _as_frame(sets), ask.suffix)
    heads = [(named(hall.rulebook.system.name, ask.language), system, _heads(ask, hall, system)) for system, hall in sorted(ask.place.halls.items())]
    return ask.page("data.html", sets=sets, heads=heads, forms=FORMS)


def _as_frame(sets: list[tuple[str, list[DataSet]]]) -> pl.DataFrame:
    rows = [
        (group, one.title, one.about, one.path, one.rows, one.period, one.licence, ", ".join(one.columns), one.gaps)
        for group, each in sets
        for one in each
    ]
    names = ("group", "set", "about", "path", "rows", "period", "licence", "columns", "gaps")
    return pl.DataFrame(rows, schema={name: pl.Int64 if name == "rows" else pl.String for name in names}, orient="row")


def _world(ask: Ask) -> list[DataSet]:
    _ = ask._
    day = ask.place.clock.now().date()
    lines = shelf.lines(day)
    found = [
        DataSet(
            _("Systems"),
            _("One row a system: status, design, cap, coverage, price, share given free, next deadline, how complete our rulebook is."),
            "/systems",
            len(lines),
            str(day),
            _(OURS),
            tuple(systems_page.SCHEMA),
            _("Where a rulebook holds no figure, the cell is empty."),
        ),
        DataSet(
            _("The law of a system"),
            _(
                "One file a system, such as /SYSTEM/law.csv: every figure with its value on a day (?on=), as known on another (?known=), "
                "unit, source and how sure it is."
            ),
            "",
            sum(one.overview.parameters for one in lines),
            f"{min(one.book.system.begins for one in lines)} - {day}",
            _(OURS),
            ("parameter", "label", "value", "unit", "by", "since", "status", "confidence", "source", "coming", "read_by_rules"),
            _("Open questions are named in each rulebook."),
        ),
    ]
    gathered = world_charts.gathered(day)
    for name, (title, about) in world_charts.ABOUT.items():
        frame = world_charts.rows_of(gathered, name)
        years = frame["year"].drop_nulls().to_list() if "year" in frame.columns else []
        period = f"{min(years)} - {max(years)}" if years else str(gathered.day)
        found.append(DataSet(_(title), _(about), f"/charts/{name}", frame.height, period, _(PUBLISHED), tuple(frame.columns)))
    return found


def _of_market(ask: Ask, hall: Hall) -> list[DataSet]:
    """The sets of one market; counted once for each state of it."""
    counted = hall.cached(("data", hall.today, ask.place.settings.publication_delay_years), lambda state: _counted(ask, hall, state))
    _ = ask._
    base = f"/{hall.system}"
    texts: dict[str, tuple[str, str, str]] = {
        "participants": (
            _("Participants and installations"),
            _("Who takes part, and the newest judged year of each."),
            _("No person's data. Emissions once their year is judged."),
        ),
        "compliance": (
            _("Compliance of a year"),
            _("What each installation owed and surrendered, late and short first."),
            _("From the day on which the year is judged."),
        ),
        "transactions": (
            _("Transactions"),
            _("Every completed transfer of units, after the delay."),
            _("Inside the delay only sums by month, on the page."),
        ),
        "auctions": (_("Auctions"), _("Offered, sold, price, cover, bidders, revenue."), _("Single bids are not published.")),
        "market": (_("Prices of today"), _("All that is listed: last, settlement, volume, open interest."), ""),
        "calendar": (_("Calendar"), _("What the law orders, and when."), ""),
    }
    found = [
        DataSet(*texts[name][:2], f"{base}{path}", rows, period, _(PUBLIC_REGISTER), columns, texts[name][2])
        for name, path, rows, period, columns in counted
        if name in texts
    ]
    for code, rows, period in ((name.partition(":")[2], rows, period) for name, _path, rows, period, _columns in counted if name.startswith("days:")):
        about = _("Open, high, low, close, settlement, volume and turnover of each closed day.")
        title = ask.say("Days of %(code)s", code=code)
        found.append(DataSet(title, about, f"{base}/market/{code}", rows, period, _(PUBLIC_REGISTER), tuple(market_view.BARS)))
    return found


def _counted(ask: Ask, hall: Hall, state: State) -> list[tuple[str, str, int | None, str, tuple[str, ...]]]:
    """(set, path, rows, period, columns)."""
    cache, today = cache_of(hall), hall.today

    def span(days: list[Any]) -> str:
        return f"{min(days)} - {max(days)}" if days else ""

    register = participants.register(state, cache)
    found: list[tuple[str, str, int | None, str, tuple[str, ...]]] = [
        ("participants", "/participants", register.height, str(today), tuple(participants.REGISTER))
    ]
    for year in compliance.judged_years(state)[:3]:
        rows = compliance.compliance(state, year, cache=cache).rows
        found.append(("compliance", f"/compliance/{year}", rows.height, str(year), tuple(compliance.COMPLIANCE)))
    frame = moved.transactions(state, today, otherwise_years=ask.place.settings.publication_delay_years, cache=cache)
    found.append(("transactions", "/transactions", frame.height, span(frame["day"].to_list()), tuple(moved.TRANSACTIONS)))
    held = auctions_view.auctions(state, cache=cache)
    found.append(("auctions", "/auctions", held.height, span(held["day"].to_list()), tuple(auctions_view.AUCTIONS)))
    listed = market_view.instruments(state)
    found.append(
        (
            "market",
            "/market",
            len(listed),
            str(today),
            ("code", "kind", "phase", "last", "change", "settlement", "currency", "volume", "open_interest", "expiry"),
        )
    )
    found.append(("calendar", "/calendar", None, "", ("day", "task", "year", "name", "state", "deadline", "days_left")))
    for one in listed[:12]:
        bars = market_view.bars(state, one.code)
        found.append((f"days:{one.code}", f"/market/{one.code}", bars.height, span(bars["day"].to_list()), tuple(market_view.BARS)))
    return found


def _heads(ask: Ask, hall: Hall, system: str) -> Any:
    """The last entry's hash of each day: whoever keeps them sees when the log is changed afterwards."""
    frame = kept(hall, "heads", lambda: log_view.heads(hall.desk.log, days=60))
    _ = ask._
    columns = [
        Column("day", _("Day"), "day"),
        Column("sequence", _("Last entry"), "quantity"),
        Column("hash", _("Hash of that entry"), sortable=False),
    ]
    return ask.table(f"heads-{system}", _("Head of the log"), frame, columns, prefix=f"{system}_", empty=_("Nothing is in the log yet."))


def kept(hall: Hall, name: str, make: Callable[[], Any]) -> Any:
    """What is read from the store and not from the state, once for each entry of the log."""
    sequence = hall.sequence
    found = hall.cache.get((name, "kept"))
    if found is None or found[0] != sequence:
        found = (sequence, make())
        hall.cache[(name, "kept")] = found
    return found[1]


@router.get("/{system}/data", allow=PUBLIC)
def data_of(ask: Asked, system: str) -> Response:
    """A system's years as one table: what its page draws."""
    book = shelf.book_of(ask, system)
    day = ask.hall.today if ask.hall is not None else ask.place.clock.now().date()
    if ask.hall is not None:
        cache = cache_of(ask.hall)
        view = ask.hall.cached(("system", day), lambda state: system_view.of_market(state, day, cache=cache))
    else:
        view = system_view.of_rulebook(book, day)
    _ = ask._
    labels = {
        "cap": _("Cap"), "verified": _("Verified"), "allocated": _("Allocated free"), "auctioned": _("Auctioned"), "circulation": _("In circulation"),
        "limit": _("Limit"), "earned": _("Earned below it"), "bought": _("Sold at a fixed price"), "paid": _("Settled in money"),
        "surrendered": _("Surrendered"), "circulation_published": _("Circulation published"), "reserve_intake": _("Into reserve"),
        "reserve_placed": _("Placed in reserve"), "reserve_balance": _("In reserve"),
    }  # fmt: skip
    used = [
        name for name in labels if name in view.years.columns and view.years[name].is_not_null().any() and (view.years[name].fill_null(0) != 0).any()
    ]
    measure = lw.said(lw.MEASURES, book.system.measure, _)
    columns = [Column("year", _("Year"), "text")]
    columns += [Column(name, labels[name], "quantity", measure if name in ("verified", "limit") else book.system.unit_code) for name in used]
    table = ask.table(
        f"{system}-years",
        _("Year by year"),
        view.years.sort("year", descending=True),
        columns,
        empty=_("No figure is known of any year."),
        rows_each=100,
    )
    return ask.page("data_of.html", table=table, book=book, source=view.source)
