"""All systems: the table, the map, and some of them side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from fastapi.responses import Response

from tonne.interfaces.web import law_words as lw
from tonne.interfaces.web import shelf, worldmap
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.guard import PUBLIC, pages
from tonne.interfaces.web.render import decimal_text, quantity
from tonne.interfaces.web.tables import Column, Filter
from tonne.interfaces.web.words import named

router = pages()
SCHEMA: dict[str, Any] = {
    "name": pl.String,
    "system": pl.String,
    "status": pl.String,
    "design": pl.String,
    "level": pl.String,
    "jurisdiction": pl.String,
    "since": pl.Date,
    "cap": pl.Int64,
    "cap_year": pl.Int32,
    "measure": pl.String,
    "coverage_percent": pl.Float64,
    "price": pl.Decimal(18, 6),
    "price_unit": pl.String,
    "price_of": pl.String,
    "usd_per_tonne": pl.Float64,
    "free_percent": pl.Float64,
    "deadline": pl.Date,
    "deadline_of": pl.String,
    "deadline_year": pl.Int32,
    "chapters": pl.Int64,
    "values": pl.Int64,
}


def frame_of(ask: Ask) -> pl.DataFrame:
    """A row a system, those in force first, then by name."""
    day = ask.place.clock.now().date()
    rows = [_row(one, ask.language) for one in shelf.lines(day)]
    order = {status: place for place, status in enumerate(lw.STATUSES)}
    rows.sort(key=lambda row: (order.get(row["status"], 9), row["name"]))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _row(one: shelf.Line, language: str) -> dict[str, Any]:
    system, seen = one.book.system, one.overview
    return {
        "name": named(system.name, language),
        "system": system.id,
        "status": system.status,
        "design": system.design,
        "level": system.level,
        "jurisdiction": system.jurisdiction,
        "since": system.begins if system.has_law else None,
        "cap": seen.cap[1] if seen.cap else None,
        "cap_year": seen.cap[0] if seen.cap else None,
        "measure": system.measure,
        "coverage_percent": float(seen.coverage) if seen.coverage is not None else None,
        "price": one.price,
        "price_unit": one.price_unit or None,
        "price_of": str(one.price_of) if one.price_of is not None else None,
        "usd_per_tonne": float(one.usd) if one.usd is not None else None,
        "free_percent": float(one.free) if one.free is not None else None,
        "deadline": one.next.day if one.next else None,
        "deadline_of": one.next.name if one.next else None,
        "deadline_year": one.next.year if one.next else None,
        "chapters": len(seen.chapters),
        "values": seen.values,
    }


def _columns(ask: Ask) -> list[Column]:
    _ = ask._
    hidden = ("system", "level", "jurisdiction", "since", "cap_year", "measure", "price_unit", "price_of", "deadline_of", "deadline_year", "values")
    shown = [
        Column("name", _("System"), href=lambda row: ask.url(f"/{row['system']}")),
        Column("status", _("Status"), show=lambda value, row: lw.status_badge(value, _)),
        Column("design", _("Design"), show=lambda value, row: lw.said(lw.DESIGNS, value, _)),
        Column("cap", _("Cap"), "quantity", _("units a year"), show=lambda value, row: _cap(value, row, _)),
        Column("coverage_percent", _("Coverage"), "number", _("% of emissions"), show=lambda value, row: plain(value)),
        Column("price", _("Price"), "number", _("per unit"), sortable=False, show=_price),
        Column("usd_per_tonne", _("Price"), "number", "USD/t", show=lambda value, row: None if value is None else f"{value:,.2f}"),
        Column("free_percent", _("Given free"), "number", _("% of the cap"), show=lambda value, row: plain(value)),
        Column("deadline", _("Next deadline"), "day", show=lambda value, row: _deadline(value, row, _)),
        Column("chapters", _("Rulebook"), "number", _("of %(count)s chapters") % {"count": len(lw.CHAPTERS)}),
    ]
    return shown + [Column(name, name, hidden=True, sortable=False) for name in hidden]


def plain(value: float | None) -> str | None:
    return None if value is None else f"{value:,.6g}"


def _small(main: str, note: str) -> Any:
    from markupsafe import Markup

    return Markup('{}<span class="cell-note">{}</span>').format(main, note)


def _cap(value: int | None, row: Mapping[str, Any], _: Any) -> Any:
    if value is None:
        return None
    return _small(str(quantity(value)), f"{row['cap_year']}, {lw.said(lw.MEASURES, row['measure'], _)}")


def _price(value: Any, row: Mapping[str, Any]) -> Any:
    if value is None:
        return None
    return _small(f"{decimal_text(value.normalize())} {row['price_unit'].partition('_per_')[0]}", row["price_of"])


def _deadline(value: Any, row: Mapping[str, Any], _: Any) -> Any:
    if value is None:
        return None
    return _small(value.isoformat(), f"{lw.said(lw.TASKS, row['deadline_of'], _)} {row['deadline_year']}")


def _filters(ask: Ask, frame: pl.DataFrame) -> list[Filter]:
    _ = ask._
    have = {name: set(frame[name].to_list()) for name in ("status", "design", "level")}
    return [
        Filter("name", _("Name")),
        Filter("status", _("Status"), "choice", [(code, _(words)) for code, (words, *_rest) in lw.STATUSES.items() if code in have["status"]]),
        Filter("design", _("Design"), "choice", [(code, _(words)) for code, words in lw.DESIGNS.items() if code in have["design"]]),
        Filter("level", _("Level of government"), "choice", [(code, _(words)) for code, words in lw.LEVELS.items() if code in have["level"]]),
    ]


@router.get("/systems", allow=PUBLIC)
def systems(ask: Asked) -> Response:
    """All systems as a table; the whole of it can be sorted, filtered and downloaded."""
    frame = frame_of(ask)
    table = ask.table(
        "systems",
        ask._("Systems"),
        frame,
        _columns(ask),
        filters=_filters(ask, frame),
        empty=ask._("No system is like that. Take a filter away."),
        rows_each=100,
    )
    return ask.page("systems.html", table=table, counts=counts(frame, ask), tab="table")


def counts(frame: pl.DataFrame, ask: Ask) -> list[tuple[str, int]]:
    """(words of a status, how many), in the order of statuses."""
    found = dict(frame.group_by("status").len().iter_rows())
    return [(ask._(words), found[code]) for code, (words, *_rest) in lw.STATUSES.items() if code in found]


@router.get("/systems/map", allow=PUBLIC)
def systems_map(ask: Asked) -> Response:
    """The same systems on a map, and as a list by status: the list is what can be followed."""
    frame = frame_of(ask)
    rows = frame.select("system", "name", "status").to_dicts()
    labels = {code: ask._(words) for code, (words, *_rest) in lw.STATUSES.items()}

    def made() -> Any:
        theme = "dark" if ask.query.get("theme") == "dark" else "light"
        return worldmap.drawn({row["system"]: row["status"] for row in rows}, {row["system"]: row["name"] for row in rows}, labels, theme)

    found = counts(frame, ask)
    chart = ask.chart(
        "map",
        ask._("Where emissions trading is, and where it is coming"),
        made,
        subtitle=ask._("Filled: whole countries. Marks: provinces, states and cities, and a second system of a country."),
        summary="; ".join(f"{words}: {count}" for words, count in found),
        source=ask._("Shapes: Natural Earth, as drawn there; borders say nothing of claims. Systems: our rulebooks."),
        table_href=ask.url("/systems"),
    )
    groups = [(labels[code], [row for row in rows if row["status"] == code]) for code in lw.STATUSES]
    return ask.page("systems_map.html", chart=chart, groups=[group for group in groups if group[1]], counts=found, tab="map")
