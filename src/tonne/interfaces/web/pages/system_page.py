"""One system at a glance, and its calendar: of the market that runs here, or of the law alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import polars as pl
from fastapi.responses import Response

from tonne.administration.state import State
from tonne.interfaces.views import agenda_view, auctions_view, compliance, market_view
from tonne.interfaces.views import system as system_view
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.working_days import working_days
from tonne.interfaces.web import law_words as lw
from tonne.interfaces.web import shelf
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.charts import COLOURS, INK, Chart
from tonne.interfaces.web.guard import PUBLIC, pages
from tonne.interfaces.web.pages.common import cache_of, lines_spec, theme_of
from tonne.interfaces.web.pages.start import latest_notices
from tonne.interfaces.web.words import N_, named
from tonne.law import Rulebook
from tonne.reports.words import scale

router = pages()
#: What views keep of rulebooks that have no market here.
_LAW_ONLY = Cache()
FIVE = {
    "cap": N_("Cap"),
    "verified": N_("Verified emissions"),
    "allocated": N_("Allocated free"),
    "auctioned": N_("Auctioned"),
    "circulation": N_("In circulation"),
}
#: Why a figure may be missing.
WHY = {
    "cap": N_("The law of today names no cap for a year up to this one."),
    "verified": N_("No verified emissions are known."),
    "allocated": N_("No free allocation is known."),
    "auctioned": N_("No auction is known."),
    "circulation": N_("Nothing was published about units in circulation."),
}
AHEAD, BEHIND = 540, 365  # days of the calendar


def today_of(ask: Ask) -> date:
    found: date = ask.hall.today if ask.hall is not None else ask.place.clock.now().date()
    return found


@router.get("/{system}", allow=PUBLIC)
def system_page(ask: Asked, system: str) -> Response:
    """Five figures, the dates that come, who takes part, prices, who complied, the rulebook."""
    book = shelf.book_of(ask, system)
    day = today_of(ask)
    view = _view(ask, book, day)
    more = _of_market(ask, day) if ask.hall is not None else {}
    seen = system_view.facts(book, day, cache=cache_of(ask.hall) if ask.hall is not None else _LAW_ONLY)
    charts = [chart for chart in (_cap_chart(ask, book, view, day), _price_chart(ask, book)) if chart is not None]
    topics = Counter(path.partition(".")[0] for path in book.parameters)
    coming = _agenda(ask, book, day, day, day + timedelta(days=AHEAD))[:6]
    return ask.page(
        "system.html",
        book=book,
        view=view,
        seen=seen,
        status=lw.status_badge(book.system.status, ask._),
        design=lw.said(lw.DESIGNS, book.system.design, ask._),
        obliged=lw.said(lw.OBLIGED, seen.obliged, ask._),
        price_rules=[lw.said(lw.PRICE_RULES, one, ask._) for one in seen.price_rules],
        missing_chapters=[lw.said(lw.CHAPTERS, one, ask._) for one in seen.missing],
        credit_limit=ask._("none") if seen.credit_limit == "none" else seen.credit_limit,
        measure=lw.said(lw.MEASURES, book.system.measure, ask._),
        figures=[(ask._(FIVE[one.name]), one, ask._(WHY[one.name])) for one in view.figures],
        charts=charts,
        coming=[(one, task_words(one, ask)) for one in coming],
        topics=[(name, lw.said(lw.TOPICS, name, ask._), count) for name, count in topics.items()],
        links=[(one, lw.said(lw.LINKS, one.kind, ask._), _linked(one, ask)) for one in book.system.links if one.ends is None or one.ends >= day],
        confidences=[(ask._(lw.CONFIDENCES[name][0]) if name in lw.CONFIDENCES else name, count) for name, count in seen.confidences.items()],
        here=ask.hall is not None,
        line=shelf.line(system, day) if system in shelf.books() else None,
        **({"trading": None, "judged": None, "notices": (), "auctions": None} | more),
    )


def _linked(link: Any, ask: Ask) -> tuple[str, str]:
    """(address, name) of whom a system is tied to; no address for a jurisdiction that has no rulebook."""
    if link.system and link.system in shelf.books():
        return ask.url(f"/{link.system}"), named(shelf.books()[link.system].system.name, ask.language)
    return "", link.jurisdiction or link.system


def _view(ask: Ask, book: Rulebook, day: date) -> system_view.SystemView:
    if ask.hall is None:
        return system_view.of_rulebook(book, day, cache=_LAW_ONLY)
    cache = cache_of(ask.hall)
    found: system_view.SystemView = ask.hall.cached(("system", day), lambda state: system_view.of_market(state, day, cache=cache))
    return found


def _of_market(ask: Ask, day: date) -> dict[str, Any]:
    """What only an open market has: prices, the last year that was judged, notices, auctions."""
    hall = ask.market
    cache = cache_of(hall)

    def made(state: State) -> dict[str, Any]:
        judged = compliance.judged_years(state)
        held = auctions_view.auctions(state, cache=cache).head(3).to_dicts()
        return {
            "trading": market_view.instruments(state)[:6],
            "judged": compliance.compliance(state, judged[0], cache=cache) if judged else None,
            "notices": [(one, lw.NOTICES.get(one["what"], one["what"])) for one in latest_notices(state, 6)],
            "auctions": (held, auctions_view.open_auctions(state, day)[:3]),
        }

    found: dict[str, Any] = hall.cached(("system more", day), made)
    return {**found, "notices": [(one, ask._(words)) for one, words in found["notices"]]}


# -- charts


def _chart_years(book: Rulebook, view: system_view.SystemView, day: date) -> pl.DataFrame:
    """year, cap, verified, circulation: of the market's books, before them of the rulebook's statistics; caps as far as the law names them."""
    named_caps = pl.DataFrame(list(shelf.caps(book).items()), schema={"year": pl.Int64, "named": pl.Int64}, orient="row")
    frame = view.years.select("year", "cap", "verified", "circulation")
    if view.source == "market" and frame.height:
        told = system_view.statistics(book, day).filter(pl.col("year") < int(frame["year"].min()))  # type: ignore[arg-type]
        frame = pl.concat([told.select(frame.columns), frame])
    frame = frame.join(named_caps, on="year", how="full", coalesce=True).sort("year")
    frame = frame.with_columns(pl.coalesce("cap", "named").alias("cap")).drop("named")
    return frame.filter(pl.any_horizontal(pl.col("cap", "verified", "circulation").is_not_null()))


def _cap_chart(ask: Ask, book: Rulebook, view: system_view.SystemView, day: date) -> Chart | None:
    """Cap against verified emissions, with what is in circulation as an area."""
    frame = _chart_years(book, view, day)
    if frame.height < 2:
        return None
    largest = max(value for name in ("cap", "verified", "circulation") for value in frame[name].to_list() if value is not None)
    divisor, word = scale(largest)
    known = frame["verified"].drop_nulls().len()
    title = ask._("Is the cap above what is emitted?") if known else ask._("How many units will there be?")
    last = frame.filter(pl.col("verified").is_not_null()).tail(1).to_dicts()
    summary = f"{title} " + (f"{last[0]['year']}: {last[0]['verified']:,}" if last else f"{frame['year'][0]}-{frame['year'][-1]}")
    words = {"cap": ask._("Cap"), "verified": ask._("Verified"), "circulation": ask._("In circulation")}
    unit = f"{ask._(word) if word else ''} {lw.said(lw.MEASURES, book.system.measure, ask._)}".strip()
    source = ask._("The rulebook: its caps and its statistics.")
    if view.source == "market" and view.years.height:
        source = ask.say(
            "From %(year)s the books of this market, before it the rulebook's statistics; caps as the law names them.", year=view.years["year"].min()
        )
    return ask.chart(
        "cap", title, lambda: (_cap_spec(frame, divisor, unit, words, theme_of(ask), day.year), frame), subtitle=unit, summary=summary, source=source
    )


def _cap_spec(frame: pl.DataFrame, divisor: int, unit: str, words: Mapping[str, str], theme: str, year: int) -> dict[str, Any]:
    rows = [
        {"year": row["year"], "value": row[name] / divisor, "what": words[name]}
        for name in ("cap", "verified", "circulation")
        for row in frame.iter_rows(named=True)
        if row[name] is not None
    ]
    colours = {words["cap"]: COLOURS[theme][0], words["verified"]: COLOURS[theme][1], words["circulation"]: COLOURS[theme][2]}
    spec = lines_spec(rows, theme, unit=unit, zero=True, colours=colours, areas=[words["circulation"]])
    if any(row["year"] > year for row in rows):
        rule = {"type": "rule", "strokeDash": [3, 3], "color": INK[theme][1], "opacity": 0.7}
        x = {"field": "year", "type": "quantitative", "scale": {"nice": False, "zero": False}}
        spec["layer"].insert(0, {"data": {"values": [{"year": year}]}, "mark": rule, "encoding": {"x": x}})
    return spec


def _price_chart(ask: Ask, book: Rulebook) -> Chart | None:
    series = shelf.prices(book)
    labels = {
        "auction floor": ask._("auction floor"),
        "containment trigger": ask._("containment trigger"),
        "containment trigger 2": ask._("second trigger"),
        "fixed price": ask._("fixed price"),
        "payment in place of units": ask._("payment in place of units"),
        "market mean": ask._("market mean"),
    }
    rows = [{"year": year, "value": value, "what": labels.get(name, name)} for name, line in series.items() for year, value in sorted(line.items())]
    if len({row["year"] for row in rows}) < 2:
        return None
    unit = ask.say("%(money)s per %(unit)s", money=book.system.currency, unit=book.system.unit_code)
    title = ask._("At which prices does the law act, and what was paid?") if len(series) > 1 else ask._("What did a unit cost?")
    return ask.chart(
        "prices",
        title,
        lambda: (lines_spec(rows, theme_of(ask), unit=unit, zero=True), pl.DataFrame(rows)),
        subtitle=unit,
        summary=f"{title} {rows[-1]['what']} {rows[-1]['year']}: {rows[-1]['value']:,g}",
        source=ask._("The rulebook's own tables, each row with its source in the law pages."),
        table_href=ask.url(f"/{book.system.id}/law/statistics"),
    )


# -- calendar


def task_words(task: agenda_view.Task, ask: Ask) -> str:
    """What happens, for which year."""
    if task.task == "auction_held":
        return ask.say("Auction %(name)s", name=task.name.removeprefix("auction:"))
    return f"{lw.said(lw.TASKS, task.task, ask._)} {task.year}"


def _agenda(ask: Ask, book: Rulebook, day: date, first: date, last: date) -> list[agenda_view.Task]:
    """The calendar from a day to a day: of the market with what was done, or of the law alone."""
    if ask.hall is not None:
        with ask.hall.read() as state:
            return list(agenda_view.calendar(state, day, first=first, last=last, cache=cache_of(ask.hall)))
    found = shelf.tasks_of(book, first.year - shelf.AROUND, last.year + 1)
    return [
        agenda_view.Task(
            one.name,
            one.year,
            one.day,
            "",
            "coming" if one.day > day else "due",
            None,
            (one.day - day).days,
            working_days(day, one.day, None),
            one.name in lw.DEADLINES,
        )
        for one in found
        if first <= one.day <= last
    ]


@router.get("/{system}/calendar", allow=PUBLIC)
def calendar(ask: Asked, system: str) -> Response:
    """What the law orders and when, by month: past months greyed, days left to those ahead."""
    book = shelf.book_of(ask, system)
    day = today_of(ask)
    first, last = (day - timedelta(days=BEHIND)).replace(day=1), day + timedelta(days=AHEAD)
    found = _agenda(ask, book, day, first, last)
    changes = _law_days(book, day, last)
    if ask.suffix:
        schema = {
            "day": pl.Date,
            "task": pl.String,
            "year": pl.Int64,
            "name": pl.String,
            "state": pl.String,
            "deadline": pl.Boolean,
            "days_left": pl.Int64,
        }
        rows = [(one.day, one.task, one.year, one.name, one.state, one.deadline, one.days_left) for one in found]
        raise ask.file(f"{system}-calendar", pl.DataFrame(rows, schema=schema, orient="row"), ask.suffix)
    months: dict[str, list[Any]] = {}
    for one in found:
        months.setdefault(f"{one.day:%Y-%m}", []).append((one.day, task_words(one, ask), one, ""))
    for starts, count in changes.items():
        text = ask.ngettext("%(num)s value of the law changes", "%(num)s values of the law change", count) % {"num": count}
        months.setdefault(f"{starts:%Y-%m}", []).append((starts, text, None, ask.url(f"/{system}/law", on=starts)))
    listed = [(month, sorted(rows, key=lambda row: (row[0], row[1]))) for month, rows in sorted(months.items())]
    here = f"{day:%Y-%m}"
    nearest = next((one for one in found if one.deadline and one.day >= day and one.state != "done"), None)
    return ask.page(
        "calendar.html",
        book=book,
        day_now=day,
        months=[(month, rows, month < here) for month, rows in listed],
        nearest=(nearest, task_words(nearest, ask)) if nearest is not None else None,
        rule=ask.url(f"/{system}/law/calendar/agenda") if "calendar.agenda" in book.parameters else "",
        first_ahead=next((month for month, _rows in listed if month >= here), ""),
    )


def _law_days(book: Rulebook, first: date, last: date) -> dict[date, int]:
    """Days ahead on which values of the law change."""
    from tonne.interfaces.web.pages.law_pages import change_days

    return {day: count for day, count in change_days(book).items() if first < day <= last} if book.system.has_law else {}


@router.get("/{system}/calendar.ics", allow=PUBLIC)
def calendar_file(ask: Asked, system: str) -> Response:
    """The same as a file that calendars subscribe to."""
    book = shelf.book_of(ask, system)
    day = today_of(ask)
    found = _agenda(ask, book, day, day - timedelta(days=BEHIND), day + timedelta(days=AHEAD))
    now = ask.hall.now() if ask.hall is not None else ask.place.clock.now()
    name = named(book.system.name, ask.language)
    text = agenda_view.icalendar(found, system, now, word=lambda one: f"{name}: {task_words(one, ask)}", name=name)
    headers = {"content-disposition": f'attachment; filename="{system}.ics"', "cache-control": "public, max-age=3600"}
    return Response(text, media_type="text/calendar; charset=utf-8", headers=headers)
