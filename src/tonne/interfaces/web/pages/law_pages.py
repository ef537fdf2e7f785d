"""The law of a system as we read it: on a day, as known on another; what changed between two days; one figure through time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl
from fastapi.responses import Response

from tonne.interfaces.overview import proposed
from tonne.interfaces.views import law_view
from tonne.interfaces.views.found import NotFound
from tonne.interfaces.web import law_words as lw
from tonne.interfaces.web import shelf
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.charts import COLOURS, Chart
from tonne.interfaces.web.guard import PUBLIC, pages
from tonne.interfaces.web.pages.common import bars_spec, day_asked, lines_spec, theme_of
from tonne.interfaces.web.problems import not_found
from tonne.interfaces.web.tables import Column
from tonne.interfaces.web.words import named
from tonne.law import LawError, Rulebook
from tonne.reports.words import compact, figure

router = pages()
ROOM = 110  # characters of a value in a list
LAW: dict[str, Any] = {
    "parameter": pl.String,
    "label": pl.String,
    "value": pl.String,
    "unit": pl.String,
    "by": pl.String,
    "since": pl.Date,
    "status": pl.String,
    "confidence": pl.String,
    "source": pl.String,
    "coming": pl.Date,
    "read_by_rules": pl.Boolean,
}


class Day:
    """The day that a page is asked for: of the law, and as far as was known. Without a day: today, or the first day of a law to come."""

    def __init__(self, ask: Ask, book: Rulebook) -> None:
        today = ask.hall.today if ask.hall is not None else ask.place.clock.now().date()
        first = proposed(book).system.begins
        self.first = first if first != date.max else today
        self.today = today
        asked = day_asked(ask, "on", max(today, self.first))
        self.on = max(asked or today, self.first)
        self.known = day_asked(ask, "known", None)
        self.asked = bool(ask.query.get("on"))

    def query(self) -> dict[str, str]:
        """What a link carries so that the next page is of the same day."""
        found = {"on": self.on.isoformat()} if self.asked else {}
        return found | ({"known": self.known.isoformat()} if self.known else {})


def change_days(book: Rulebook) -> dict[date, int]:
    """Day -> how many figures get a value on it, in order. Of a law that is only proposed, what is proposed."""
    whole = proposed(book)
    found: dict[date, int] = {}
    for parameter in whole.parameters.values():
        for starts in {value.starts for value in parameter.values if value.status != "proposed" or whole.includes_proposed}:
            found[starts] = found.get(starts, 0) + 1
    return dict(sorted(found.items()))


def _view(book: Rulebook, day: Day, topic: str = "") -> law_view.LawView:
    """Raises Problem 404 for a topic that is not there, or a law of which nothing was known."""
    try:
        return law_view.law_view(book, day.on, known_on=day.known, topic=topic)
    except NotFound as error:
        raise not_found(error.name, [f"{book.system.id}/law/{one}" for one in error.near]) from None
    except LawError as error:
        raise not_found(str(error)) from None


def _text(ask: Ask, value: Any, unit: str, status: str, room: int = ROOM) -> str:
    if status == "none":
        return ask._("no value yet")
    if value is None:
        return ask._("repealed")
    if isinstance(value, (Mapping, list, tuple)) and not value:
        return ask._("none")
    words = lw.unit_words(unit)
    text = compact(value, unit, room)
    return f"{text if unit == 'text' else lw.grouped(text)} {words if not isinstance(value, Mapping) else ''}".strip()


def _frame(ask: Ask, view: law_view.LawView) -> pl.DataFrame:
    rows = [
        (
            one.path,
            named(one.labels, ask.language),
            figure(one.value, one.unit) if one.value is not None else None,
            one.unit,
            one.by,
            one.since,
            one.status,
            one.confidence or None,
            one.source or None,
            one.coming,
            one.read,
        )
        for topic in view.topics
        for one in topic.parameters
    ]
    return pl.DataFrame(rows, schema=LAW, orient="row")


@router.get("/{system}/law", allow=PUBLIC)
def law(ask: Asked, system: str) -> Response:
    """All topics on a day."""
    return _law(ask, system, "")


@router.get("/{system}/law/changes", allow=PUBLIC)
def changes(ask: Asked, system: str) -> Response:
    """What lies between two days of the law."""
    book = shelf.book_of(ask, system)
    day = Day(ask, book)
    days = list(change_days(book))
    second = day_asked(ask, "to", None) or max((one for one in days if one <= day.today), default=day.on)
    first = day_asked(ask, "from", None) or max((one for one in days if one < second), default=day.first)
    first, second = max(first, day.first), max(second, day.first)
    try:
        found = law_view.differences(book, first, second)
    except LawError as error:
        raise not_found(str(error)) from None
    rows = [
        {
            "parameter": one.path,
            "label": named(one.labels, ask.language) or one.path,
            "what": one.what,
            "before": _text(ask, one.before, one.unit, "none" if one.what == "begun" else ""),
            "after": _text(ask, one.after, one.unit, ""),
            "since": one.since,
            "source": one.source or None,
        }
        for one in found
    ]
    _ = ask._
    schema = {name: pl.Date if name == "since" else pl.String for name in ("parameter", "label", "what", "before", "after", "since", "source")}
    kinds = {"begun": _("begun"), "changed": _("changed"), "repealed": _("repealed")}
    columns = [
        Column("label", _("Figure"), href=lambda row: ask.url(_path_of(system, row["parameter"]), on=second)),
        Column("what", _("What"), show=lambda value, row: kinds.get(value, value)),
        Column("before", str(first), sortable=False),
        Column("after", str(second), sortable=False),
        Column("since", _("In force since"), "day"),
        Column("source", _("Source"), sortable=False),
        Column("parameter", _("Name in the rulebook"), hidden=True),
    ]
    caption = ask.say("Between %(first)s and %(second)s", first=first, second=second)
    empty = _("Nothing that we hold differs between these days.")
    table = ask.table("law-changes", caption, pl.DataFrame(rows, schema=schema), columns, empty=empty, as_of=str(day.today), rows_each=200)
    return ask.page("law_changes.html", table=table, first=first, second=second, days=_by_year(change_days(book)), earliest=day.first, book=book)


@router.get("/{system}/law/{topic}", allow=PUBLIC)
def law_topic(ask: Asked, system: str, topic: str) -> Response:
    """One topic on a day."""
    return _law(ask, system, topic)


def _law(ask: Ask, system: str, topic: str) -> Response:
    book = shelf.book_of(ask, system)
    day = Day(ask, book)
    view = _view(book, day, topic)
    if ask.suffix:
        raise ask.file(f"{system}-law-{view.day}", _frame(ask, view), ask.suffix)
    days = change_days(book)
    before, after = max((one for one in days if one < view.day), default=None), min((one for one in days if one > view.day), default=None)
    counts = {each.topic: len(each.parameters) for each in view.topics}
    return ask.page(
        "law.html",
        book=book,
        view=view,
        day_asked=day,
        before=before,
        after=after,
        today_law=day.today,
        days=_by_year(days),
        change_counts=days,
        topic=topic,
        topics=[(name, lw.said(lw.TOPICS, name, ask._), counts.get(name, 0)) for name in (counts if not topic else _topic_names(book))],
        topic_words={name: lw.said(lw.TOPICS, name, ask._) for name in _topic_names(book)},
        text=lambda one: _text(ask, one.value, one.unit, one.status),
        badges=_badges(ask),
        query=day.query(),
        downloads=[(word, ask.url(f"{ask.path}.{form}", **day.query())) for word, form in (("CSV", "csv"), ("JSON", "json"), ("Parquet", "parquet"))],
        confidence_words={name: ask._(words) for name, (words, _tone) in lw.CONFIDENCES.items()},
    )


def _topic_names(book: Rulebook) -> list[str]:
    return list(dict.fromkeys([*book.rules, *(path.partition(".")[0] for path in book.parameters)]))


def _badges(ask: Ask) -> dict[str, Any]:
    """Words with a ground for statuses and confidences."""
    shown = {name: lw.badge(ask._(words), tone) for name, (words, tone) in (lw.CONFIDENCES | lw.VALUE_STATUSES).items()}
    return shown | {"none": lw.badge(ask._("no value yet")), "repealed": lw.badge(ask._("repealed"))}


def _by_year(days: Mapping[date, int]) -> list[tuple[int, list[tuple[date, int]]]]:
    years: dict[int, list[tuple[date, int]]] = {}
    for one, count in days.items():
        years.setdefault(one.year, []).append((one, count))
    return sorted(years.items(), reverse=True)


def _path_of(system: str, path: str) -> str:
    topic, _, name = path.partition(".")
    return f"/{system}/law/{topic}/{name}"


# -- one figure


@router.get("/{system}/law/{topic}/{parameter}", allow=PUBLIC)
def law_parameter(ask: Asked, system: str, topic: str, parameter: str) -> Response:
    """One figure: its value on a day, where that is written, and its steps through time."""
    book = shelf.book_of(ask, system)
    day = Day(ask, book)
    path = f"{topic}.{parameter}"
    try:
        one = law_view.parameter(book, path, day.on, known_on=day.known)
    except NotFound as error:
        raise not_found(error.name, [_path_of(system, near).strip("/") for near in error.near]) from None
    except LawError as error:
        raise not_found(str(error)) from None
    chart = _chart(ask, book, one, day)
    _ = ask._
    rows = [
        (
            value.since,
            figure(value.value, one.unit) if value.value is not None else None,
            value.published,
            value.status,
            value.confidence,
            value.source,
            value.note or None,
        )
        for value in one.history
    ]
    schema = {
        "from": pl.Date,
        "value": pl.String,
        "published": pl.Date,
        "status": pl.String,
        "confidence": pl.String,
        "source": pl.String,
        "note": pl.String,
    }
    badges = _badges(ask)
    columns = [
        Column("from", _("In force from"), "day", href=lambda row: ask.url(_path_of(system, path), on=row["from"])),
        Column(
            "value",
            _("Value"),
            unit=lw.unit_words(one.unit),
            sortable=False,
            show=lambda value, row: _("repealed") if value is None else _short(value if one.unit == "text" else lw.grouped(value)),
        ),
        Column("published", _("Published"), "day"),
        Column("status", _("Status"), show=lambda value, row: badges.get(value, value)),
        Column("confidence", _("How sure"), show=lambda value, row: badges.get(value, value)),
        Column("source", _("Source"), sortable=False),
        Column("note", _("Note"), sortable=False),
    ]
    table = ask.table(
        f"{system}-{path}", _("Every value there was and will be"), pl.DataFrame(rows, schema=schema, orient="row"), columns, as_of=str(day.today)
    )
    series = law_view.table_series(book, path, day.on, known_on=day.known) if isinstance(one.value, Mapping) else None
    return ask.page(
        "law_parameter.html",
        book=book,
        one=one,
        label=named(one.labels, ask.language) or parameter.replace("_", " "),
        value=_text(ask, one.value, one.unit, one.status, 2_000) if series is None else "",
        series=series.to_dicts() if series is not None else [],
        unit=lw.unit_words(one.unit),
        chart=chart,
        table=table,
        badges=badges,
        day_asked=day,
        topic_name=lw.said(lw.TOPICS, topic, _),
        back=ask.url(f"/{system}/law/{topic}", **day.query()),
        keys=_keys(book, path),
        key=ask.query.get("key", ""),
    )


def _short(text: str, room: int = 240) -> str:
    return text if len(text) <= room else f"{text[:room]}..."


def _keys(book: Rulebook, path: str) -> list[str]:
    """The rows of a table that is not by year: whose steps through time can be looked at one by one."""
    one = book.parameters[path]
    if one.by in (None, "year"):
        return []
    return list(dict.fromkeys(str(key) for value in one.values for key in (value.content or {})))


def _chart(ask: Ask, book: Rulebook, one: law_view.ParameterView, day: Day) -> Chart | None:
    """By year: the years of the law on this day. Else the steps of the figure (of a table, of one of its rows) through time; None where none can be
    drawn."""
    label = named(one.labels, ask.language) or one.name
    unit = lw.unit_words(one.unit)
    if one.by == "year":
        rows = [{"year": int(row["key"]), "value": row["number"], "what": label} for row in _series(book, one, day) if row["number"] is not None]
        if len(rows) < 2:
            return None
        title, source = ask.say("%(label)s, year by year", label=label), ask.say("The law of %(day)s", day=day.on)
        return ask.chart(
            "years",
            title,
            lambda: (bars_spec(rows, theme_of(ask), unit=unit, colours={label: COLOURS[theme_of(ask)][0]}), pl.DataFrame(rows)),
            subtitle=unit,
            summary=f"{title}: {rows[0]['value']:,g} ({rows[0]['year']}), {rows[-1]['value']:,g} ({rows[-1]['year']})",
            source=source,
        )
    key: Any = None
    if one.by is not None:
        key = _key_asked(ask, book, one)
        if key is None:
            return None
    frame = law_view.steps(book, one.path, key=key, known_on=day.known)
    drawn = frame.filter(pl.col("number").is_not_null())
    if drawn.height < 2:
        return None
    rows = [{"day": row["from"].isoformat(), "value": row["number"], "what": label} for row in drawn.iter_rows(named=True)]
    if rows[-1]["day"] < day.today.isoformat():
        rows.append({**rows[-1], "day": day.today.isoformat()})  # the last value holds until today
    title = ask.say("%(label)s through time", label=f"{label} ({key})" if key is not None else label)
    return ask.chart(
        "steps",
        title,
        lambda: (lines_spec(rows, theme_of(ask), unit=unit, x="day", step=True), frame),
        subtitle=unit,
        summary=f"{title}: {rows[0]['value']:,g} ({rows[0]['day']}), {rows[-1]['value']:,g}",
        source=ask._("Each step is a value with a source of its own: see the table."),
    )


def _series(book: Rulebook, one: law_view.ParameterView, day: Day) -> list[dict[str, Any]]:
    return law_view.table_series(book, one.path, day.on, known_on=day.known).to_dicts() if isinstance(one.value, Mapping) else []


def _key_asked(ask: Ask, book: Rulebook, one: law_view.ParameterView) -> Any:
    """The row that the address names, or the first; None of a table that is empty. Raises Problem 404."""
    keys = list(dict.fromkeys(key for value in book.parameters[one.path].values for key in (value.content or {})))
    asked = ask.query.get("key", "")
    found = next((key for key in keys if str(key) == asked), None) if asked else next(iter(keys), None)
    if found is None and asked:
        raise not_found(asked)
    return found
