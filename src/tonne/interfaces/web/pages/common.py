"""What several public pages need: the market's kept views, ids that are not there, a chart's looks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, TypeVar

from tonne.administration.state import State
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.found import NotFound
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.charts import COLOURS, INK
from tonne.interfaces.web.place import Hall
from tonne.interfaces.web.problems import Problem, not_found
from tonne.reports import charts as report_charts

T = TypeVar("T")
WIDE, HIGH = 560, 280  # pixels of a chart: two stand beside each other on a wide screen, one fills a narrow one
AXIS = {"title": None, "labelFontSize": 12}


def cache_of(hall: Hall) -> Cache:
    """What views keep of one market."""
    found: Cache = hall.cache.setdefault("views", Cache())
    return found


def looked_up(ask: Ask, look: Callable[[State], T], address: str) -> T:
    """A view under the gate. Raises Problem 404 with addresses that may be meant: `address` without its first /, the id in place of {}."""
    try:
        with ask.market.read() as state:
            return look(state)
    except NotFound as error:
        raise not_found(error.name, [address.format(one) for one in error.near]) from None


def day_asked(ask: Ask, name: str, otherwise: date | None) -> date | None:
    """A day of the address. Raises Problem 400."""
    given = ask.query.get(name, "")
    if not given:
        return otherwise
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise Problem(400, "malformed", ask.say("%(day)s is no day of the calendar; write it as 2026-09-30.", day=repr(given[:40]))) from None


def theme_of(ask: Ask) -> str:
    """The theme that a picture is asked for in."""
    return "dark" if ask.query.get("theme") == "dark" else "light"


def recoloured(chart: Any, theme: str) -> dict[str, Any]:
    """A chart made for reports in the colours of the pages. `chart`: an Altair chart, or a specification already."""
    spec = chart if isinstance(chart, dict) else chart.to_dict()
    text = json.dumps(spec, default=str)
    old = (report_charts.BLUE, report_charts.VERMILION, report_charts.SKY, report_charts.ORANGE, report_charts.PURPLE, report_charts.GREEN)
    ink, quiet, _ = INK[theme]
    for before, after in (*zip(old, COLOURS[theme], strict=True), (report_charts.GREY, quiet), (report_charts.INK, ink)):
        text = text.replace(before, after)
    found: dict[str, Any] = json.loads(text, object_hook=_legend_above)
    return found


def _legend_above(part: dict[str, Any]) -> dict[str, Any]:
    """Beside a chart a legend would take the room of its lines."""
    if isinstance(part.get("legend"), dict):
        part["legend"].setdefault("orient", "top")
    return part


def lines_spec(
    rows: list[dict[str, Any]],
    theme: str,
    *,
    unit: str,
    x: str = "year",
    step: bool = False,
    colours: dict[str, str] | None = None,
    zero: bool = False,
    areas: Iterable[str] = (),
) -> dict[str, Any]:
    """Lines over years or days with their names at their ends. rows: x (a year, or an ISO day), value, what.

    colours: what -> colour, where a name has a colour of its own; the others take the theme's in order. areas: names drawn as areas, below the lines.
    """
    names = list(dict.fromkeys(row["what"] for row in rows))
    free = iter(colour for colour in COLOURS[theme] if colour not in (colours or {}).values())
    chosen = [(colours or {}).get(name) or next(free, INK[theme][1]) for name in names]
    axis = (
        {**AXIS, "format": "d", "values": _ticks([row[x] for row in rows])}
        if x == "year"
        else day_axis(min(row[x] for row in rows), max(row[x] for row in rows))
    )
    kind = "quantitative" if x == "year" else "temporal"
    shared = {
        "x": {
            "field": x,
            "type": kind,
            "axis": {**axis, "grid": False},
            "scale": {"nice": False, **({"type": "utc"} if x != "year" else {"zero": False})},
        },
        "color": {"field": "what", "type": "nominal", "scale": {"domain": names, "range": chosen}, "legend": None},
    }
    y = {"field": "value", "type": "quantitative", "axis": {"title": unit, "format": ",.6~f", "tickCount": 5}, "scale": {"zero": zero}, "stack": None}
    mark: dict[str, Any] = {"type": "line", "strokeWidth": 2.2, **({"interpolate": "step-after"} if step else {})}
    if len({row[x] for row in rows}) <= 25:
        mark["point"] = {"size": 28, "filled": True}
    tip = [{"field": x, "type": "nominal"}, {"field": "what", "type": "nominal"}, {"field": "value", "type": "quantitative", "format": ",.6~f"}]
    below = [row for row in rows if row["what"] in set(areas)]
    lines = [row for row in rows if row["what"] not in set(areas)]
    encoding = {**shared, "y": y, "tooltip": tip}
    layers: list[dict[str, Any]] = [{"data": {"values": below}, "mark": {"type": "area", "opacity": 0.25}, "encoding": encoding}] if below else []
    layers.append({"data": {"values": lines}, "mark": mark, "encoding": encoding})
    if len(names) > 1:
        for end, shift in _apart([_end(rows, name, x) for name in names], rows, zero=zero):
            label = {"type": "text", "align": "left", "dx": 8, "dy": shift, "fontSize": 12, "fontWeight": 600, "limit": 150}
            layers.append({"data": {"values": [end]}, "mark": label, "encoding": {**shared, "y": y, "text": {"field": "what", "type": "nominal"}}})
    return {"$schema": "https://vega.github.io/schema/vega-lite/v6.json", "width": WIDE, "height": HIGH, "layer": layers}


def _end(rows: list[dict[str, Any]], name: str, x: str) -> dict[str, Any]:
    """The last point of a line."""
    found: dict[str, Any] = max((row for row in rows if row["what"] == name), key=lambda row: row[x])
    return found


def _apart(ends: list[dict[str, Any]], rows: list[dict[str, Any]], *, zero: bool, room: float = 15) -> list[tuple[dict[str, Any], float]]:
    """Each end with the pixels by which its name is moved, so that names do not lie on each other; from the top down."""
    values = [row["value"] for row in rows]
    low, high = min(values) if not zero else min(0, *values), max(values)
    pixels = HIGH / (high - low) if high > low else 0
    placed: list[tuple[dict[str, Any], float]] = []
    last = float("-inf")
    for end in sorted(ends, key=lambda one: -one["value"]):
        at = (high - end["value"]) * pixels
        put = max(at, last + room)
        placed.append((end, put - at))
        last = put
    return placed


def day_axis(first: str, last: str) -> dict[str, Any]:
    """An axis of days that names as much of them as the span needs."""
    months = (int(last[:4]) - int(first[:4])) * 12 + int(last[5:7]) - int(first[5:7])
    form = "%m-%d" if months < 4 else "%Y-%m" if months < 60 else "%Y"
    return {**AXIS, "grid": False, "format": form, "tickCount": 7, "labelOverlap": True}


def _ticks(years: list[int]) -> list[int]:
    """Whole years at even steps, at most nine of them."""
    first, last = min(years), max(years)
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100) if (last - first) // step < 9)
    return [year for year in range(first, last + 1) if year % step == 0] or [first]


def bars_spec(
    rows: list[dict[str, Any]],
    theme: str,
    *,
    unit: str,
    x: str = "year",
    stacked: bool = False,
    order: list[str] | None = None,
    colours: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Bars by year or another word, side by side or stacked by `what`. rows: x, value, what."""
    names = order or list(dict.fromkeys(row["what"] for row in rows))
    free = iter(COLOURS[theme][1:] + COLOURS[theme][:1])
    chosen = [(colours or {}).get(name) or next(free, INK[theme][1]) for name in names]
    words = list(dict.fromkeys(str(row[x]) for row in rows))
    encoding: dict[str, Any] = {
        "x": {
            "field": x,
            "type": "ordinal",
            "sort": words,
            "axis": {**AXIS, "labelAngle": 0 if len(words) <= 12 else -45, "labelOverlap": True, "grid": False},
        },
        "y": {
            "field": "value",
            "type": "quantitative",
            "axis": {"title": unit, "format": ",.6~f", "tickCount": 5},
            "stack": "zero" if stacked else None,
        },
        "color": {
            "field": "what",
            "type": "nominal",
            "scale": {"domain": names, "range": chosen},
            "legend": {"orient": "top", "title": None} if len(names) > 1 else None,
        },
        "tooltip": [
            {"field": x, "type": "nominal"},
            {"field": "what", "type": "nominal"},
            {"field": "value", "type": "quantitative", "format": ",.6~f"},
        ],
    }
    if not stacked and len(names) > 1:
        encoding["xOffset"] = {"field": "what", "type": "nominal", "sort": names}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": WIDE,
        "height": HIGH,
        "data": {"values": rows},
        "mark": {"type": "bar"},
        "encoding": encoding,
    }
