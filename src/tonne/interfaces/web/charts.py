"""Charts on pages: drawn here as SVG, so that they are there without scripts; the live one, the numbers and the file come from the same address."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl
from fastapi.responses import JSONResponse, Response

from tonne.interfaces.web.tables import TYPES, file_bytes

#: Found by search for the largest smallest distance under four kinds of sight, with 3:1 against the ground.
COLOURS = {
    "light": ["#332288", "#EE6677", "#6699CC", "#997700", "#882255", "#000000"],
    "dark": ["#88CCEE", "#E69F00", "#9D8DF1", "#EE6677", "#DDCC77", "#FFFFFF"],
}
INK = {"light": ("#1B2430", "#5A6572", "#D5DBE1"), "dark": ("#E8EDF2", "#A5B0BB", "#3A444E")}
FONT = "Inter Variable, Inter, Noto Sans CJK SC, Noto Sans CJK TC, Noto Sans, sans-serif"
DRAWN_MOST = 512


@dataclass(frozen=True, slots=True)
class Chart:
    """What the template `parts/chart.html` draws. svg, svg_dark, spec, data_csv: addresses."""

    name: str
    title: str
    subtitle: str
    summary: str
    source: str
    svg: str
    svg_dark: str
    spec: str
    data_csv: str
    table_href: str
    rows: list[dict[str, Any]]
    columns: list[str]


class _Drawn:
    """Pictures that were drawn, by what they are drawn from: the oldest goes first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def svg(self, spec: dict[str, Any]) -> bytes:
        import json

        text = json.dumps(spec, sort_keys=True, default=str)
        key = hashlib.sha256(text.encode()).hexdigest()
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        import vl_convert

        made = vl_convert.vegalite_to_svg(text).encode()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > DRAWN_MOST:
                self._kept.popitem(last=False)
        return made


_drawn = _Drawn()


def themed(chart: Any, theme: str) -> dict[str, Any]:
    """A chart's Vega-Lite specification in the page's looks. `chart`: an Altair chart, or a specification already."""
    spec = dict(chart if isinstance(chart, dict) else chart.to_dict())
    ink, quiet, line = INK[theme]
    axis = {"labelColor": quiet, "titleColor": quiet, "gridColor": line, "domainColor": line, "tickColor": line, "labelFont": FONT, "titleFont": FONT}
    config = {
        "background": None,
        "font": FONT,
        "axis": axis | {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "gridOpacity": 0.6},
        "legend": {"labelColor": ink, "titleColor": quiet, "labelFont": FONT, "titleFont": FONT, "labelFontSize": 12, "symbolStrokeWidth": 3},
        "range": {"category": COLOURS[theme]},
        "view": {"stroke": None},
        "text": {"color": ink, "font": FONT},
        "title": {"color": ink, "font": FONT},
        "header": {"labelColor": ink, "titleColor": quiet},
        "line": {"strokeWidth": 2.2},
        "bar": {"color": COLOURS[theme][2]},
    }
    given = spec.get("config") or {}
    spec["config"] = {**{key: value for key, value in given.items() if key not in config and key != "background"}, **config}
    spec.pop("title", None)  # the page says it
    return spec


def shown(
    ask: Any,
    name: str,
    title: str,
    make: Callable[[], tuple[Any, pl.DataFrame]],
    *,
    subtitle: str = "",
    summary: str = "",
    source: str = "",
    table_href: str = "",
) -> Chart:
    """A chart on a page. `make()` gives the Altair chart and the frame it is drawn from, and is asked for only where one of them is wanted.

    The picture: the page's address with chart=NAME (and theme=dark); &as=spec the specification, &as=csv the frame.
    """
    if ask.query.get("chart") == name:
        from tonne.interfaces.web.ask import Answer

        chart, frame = make()
        ask.request.state.keep = not ask.visitor.signed_in
        kind = ask.query.get("as", "svg")
        theme = "dark" if ask.query.get("theme") == "dark" else "light"
        if kind in TYPES:
            raise Answer(ask.attachment(file_bytes(frame, kind), f"{name}.{kind}", TYPES[kind]))
        if kind == "spec":
            raise Answer(JSONResponse(themed(chart, theme), headers={"cache-control": "private, max-age=60"}))
        svg = _drawn.svg(themed(chart, theme))
        raise Answer(Response(svg, media_type="image/svg+xml", headers={"cache-control": "private, max-age=60"}))
    rest = {key: value for key, value in ask.query.items() if key not in ("chart", "as", "theme")}

    def at(**more: Any) -> str:
        return str(ask.url(ask.path, **{**rest, "chart": name, **more}))

    rows: list[dict[str, Any]] = []
    columns: list[str] = []
    return Chart(
        name, title, subtitle, summary or title, source, at(), at(theme="dark"), at(**{"as": "spec"}), at(**{"as": "csv"}), table_href, rows, columns
    )
