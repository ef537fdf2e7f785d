"""Up to four systems side by side: the same headings as the rulebook, every cell with the way to its paragraph and its source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
from fastapi.responses import Response

from tonne.interfaces.overview import plain_number
from tonne.interfaces.views import law_view
from tonne.interfaces.web import law_words as lw
from tonne.interfaces.web import shelf
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.charts import Chart
from tonne.interfaces.web.guard import PUBLIC, pages
from tonne.interfaces.web.pages.common import lines_spec, theme_of
from tonne.interfaces.web.problems import Problem, not_found
from tonne.interfaces.web.render import quantity
from tonne.interfaces.web.words import named
from tonne.law import BeforeSystem, Rulebook, UnknownParameter
from tonne.reports.words import compact

router = pages()
MOST = 4
ROOM = 90  # characters of a value in a cell


@dataclass(frozen=True, slots=True)
class Cell:
    """text: the value; href: its paragraph; since, source, confidence: of the value that holds. An empty text: the rulebook has no such figure."""

    text: str
    href: str = ""
    since: date | None = None
    source: str = ""
    confidence: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    label: str
    cells: tuple[Cell, ...]

    @property
    def differs(self) -> bool:
        return len({cell.text for cell in self.cells}) > 1


@dataclass(frozen=True, slots=True)
class Part:
    """A topic. alone: figures that only one of the systems has, by system."""

    topic: str
    title: str
    rows: tuple[Row, ...]
    alone: tuple[tuple[str, int], ...]


@router.get("/compare", allow=PUBLIC)
def compare(ask: Asked) -> Response:
    """The pick list, or the systems that the address names: s=a,b,c."""
    picked = ask.request.query_params.getlist("s")
    if len(picked) > 1:  # the pick list's boxes all bear one name
        return ask.see("/compare", s=",".join(dict.fromkeys(picked))[:400])
    names = [name for name in dict.fromkeys(ask.query.get("s", "").split(",")) if name]
    if len(names) > MOST:
        raise Problem(400, "malformed", ask.say("At most %(most)s systems fit beside each other.", most=MOST))
    books = shelf.books()
    for name in names:
        if name not in books:
            raise not_found(name, shelf.near(name, books))
    if len(names) < 2:
        return _pick_list(ask, names)
    chosen = [books[name] for name in names]
    only = ask.query.get("only", "") == "differences"
    every = ask.query.get("rows", "") == "all"
    parts = _parts(ask, chosen, every=every)
    if ask.suffix:
        raise ask.file("compare", _flat(parts, names), ask.suffix)
    if only:
        parts = [Part(part.topic, part.title, tuple(row for row in part.rows if row.differs), part.alone) for part in parts]
    charts = [chart for chart in (_prices(ask, chosen), _caps(ask, chosen)) if chart is not None]
    return ask.page(
        "compare.html",
        systems=[(book.system.id, named(book.system.name, ask.language)) for book in chosen],
        parts=[part for part in parts if part.rows],
        only=only,
        every=every,
        s=",".join(names),
        charts=charts,
    )


def _pick_list(ask: Ask, names: list[str]) -> Response:
    groups = []
    for code, (words, *_rest) in lw.STATUSES.items():
        own = [(book.system.id, named(book.system.name, ask.language)) for book in shelf.books().values() if book.system.status == code]
        groups.append((ask._(words), sorted(own, key=lambda one: one[1])))
    return ask.page("compare_pick.html", groups=[group for group in groups if group[1]], names=names, most=MOST)


# -- rows


def _parts(ask: Ask, books: list[Rulebook], *, every: bool) -> list[Part]:
    day = ask.place.clock.now().date()
    return [_glance(ask, books, day), *(part for topic in lw.TOPICS if (part := _topic(ask, books, topic, day, every=every)) is not None)]


def _glance(ask: Ask, books: list[Rulebook], day: date) -> Part:
    """What is said of a system as a whole."""
    _ = ask._
    lines = [shelf.line(book.system.id, day) for book in books]

    def row(label: str, texts: Iterable[str]) -> Row:
        return Row(label, tuple(Cell(text) for text in texts))

    rows = [
        row(_("Status"), (lw.said({code: words for code, (words, *_r) in lw.STATUSES.items()}, one.book.system.status, _) for one in lines)),
        row(_("Design"), (lw.said(lw.DESIGNS, one.book.system.design, _) for one in lines)),
        row(_("Jurisdiction"), (one.book.system.jurisdiction for one in lines)),
        row(_("Law since"), (str(one.book.system.begins) if one.book.system.has_law else "" for one in lines)),
        row(
            _("Unit"),
            (f"{one.book.system.unit_name} ({one.book.system.unit_code}), {lw.said(lw.MEASURES, one.book.system.measure, _)}" for one in lines),
        ),
        row(_("Money"), (one.book.system.currency for one in lines)),
        row(_("Cap"), (f"{quantity(one.overview.cap[1])} ({one.overview.cap[0]})" if one.overview.cap else "" for one in lines)),
        row(_("Owed"), (lw.said(lw.OBLIGED, one.overview.obliged, _) for one in lines)),
        row(_("Coverage, % of emissions"), (f"{one.overview.coverage}" if one.overview.coverage is not None else "" for one in lines)),
        row(_("Entities"), (str(quantity(one.overview.entities)) if one.overview.entities else "" for one in lines)),
        row(_("Given free, % of the cap"), (plain_number(one.free) if one.free is not None else "" for one in lines)),
        row(_("Credits, most of the duty"), (_(one.overview.credit_limit) if one.overview.credit_limit else "" for one in lines)),
        row(_("Price rules"), (", ".join(lw.said(lw.PRICE_RULES, rule, _) for rule in one.overview.price_rules) for one in lines)),
        row(
            _("Newest mean price"),
            (f"{one.price} {one.price_unit.partition('_per_')[0]} ({one.price_of})" if one.price is not None else "" for one in lines),
        ),
    ]
    return Part("", _("At a glance"), tuple(row for row in rows if any(cell.text for cell in row.cells)), ())


def _topic(ask: Ask, books: list[Rulebook], topic: str, day: date, *, every: bool) -> Part | None:
    """The topic's figures that at least two of the systems have; all of them when asked."""
    own = [[path for path in book.parameters if path.startswith(f"{topic}.")] for book in books]
    counts: dict[str, int] = {}
    for paths in own:
        for path in paths:
            counts[path] = counts.get(path, 0) + 1
    kept = [path for path, count in counts.items() if count > 1 or every]
    rows = [Row(_label(books, path, ask.language), tuple(_cell(ask, book, path, day) for book in books)) for path in kept]
    rules = Row(ask._("Rules"), tuple(Cell(", ".join(name.replace("_", " ") for name in book.rules.get(topic, ()))) for book in books))
    if any(cell.text for cell in rules.cells):
        rows.insert(0, rules)
    if not rows:
        return None
    alone = () if every else tuple((book.system.id, sum(counts[path] == 1 for path in paths)) for book, paths in zip(books, own, strict=True))
    return Part(topic, lw.said(lw.TOPICS, topic, ask._), tuple(rows), tuple(one for one in alone if one[1]))


def _label(books: list[Rulebook], path: str, language: str) -> str:
    found = next(book.parameters[path] for book in books if path in book.parameters)
    return named(found.label, language) or path.partition(".")[2].replace("_", " ")


def _cell(ask: Ask, book: Rulebook, path: str, day: date) -> Cell:
    try:
        one = law_view.parameter(book, path, day)
    except (KeyError, UnknownParameter, BeforeSystem):
        return Cell("")
    topic, _, name = path.partition(".")
    href = ask.url(f"/{book.system.id}/law/{topic}/{name}")
    if one.status == "none":
        return Cell(ask._("no value yet"), href)
    unit = lw.unit_words(one.unit)
    text = ask._("repealed")
    if one.value is not None:
        text = f"{lw.grouped(compact(one.value, one.unit, ROOM))} {unit if not isinstance(one.value, Mapping) else ''}".strip()
    return Cell(text, href, one.since, one.source, one.confidence)


def _flat(parts: list[Part], names: list[str]) -> pl.DataFrame:
    rows = [
        {"topic": part.topic or "glance", "figure": row.label}
        | {
            key: value
            for name, cell in zip(names, row.cells, strict=True)
            for key, value in ((name, cell.text or None), (f"{name} source", cell.source or None))
        }
        for part in parts
        for row in part.rows
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


# -- charts


def _index(series: Mapping[str, Mapping[int, float]]) -> list[dict[str, Any]]:
    """Each line as per cent of its value in the first year that all of them have."""
    common = sorted(set.intersection(*(set(line) for line in series.values()))) if len(series) > 1 else []
    if not common:
        return []
    base = common[0]
    return [
        {"year": year, "what": name, "value": round(100 * value / line[base], 2), "absolute": value, "base": base}
        for name, line in series.items()
        for year, value in sorted(line.items())
        if line[base]
    ]


def _chart(ask: Ask, name: str, title: str, rows: list[dict[str, Any]], source: str) -> Chart | None:
    if not rows:
        return None
    unit = ask.say("%(year)s = 100", year=rows[0]["base"])
    last = ", ".join(f"{one['what']}: {one['value']:g} ({one['year']})" for one in {row["what"]: row for row in rows}.values())
    return ask.chart(
        name,
        title,
        lambda: (lines_spec(rows, theme_of(ask), unit=unit), pl.DataFrame(rows)),
        subtitle=unit,
        summary=f"{title} {last}",
        source=source,
    )


def _prices(ask: Ask, books: list[Rulebook]) -> Chart | None:
    series = {book.system.id: line for book in books if (line := shelf.prices(book).get("market mean"))}
    source = ask._("Mean prices of the rulebooks' statistics, each in its own money: what the exchange rate did is not in it.")
    return _chart(ask, "prices", ask._("Whose price rose most?"), _index(series), source)


def _caps(ask: Ask, books: list[Rulebook]) -> Chart | None:
    series = {book.system.id: {year: float(units) for year, units in line.items()} for book in books if (line := shelf.caps(book))}
    source = ask._("Caps as the law of today names them, year by year; a change of scope shows as a step.")
    return _chart(ask, "caps", ask._("Whose cap falls fastest?"), _index(series), source)
