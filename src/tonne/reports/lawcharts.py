"""Charts of the law itself: how many units a year, and at what prices the law acts. Drawn once for page, file and notebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tonne.reports.charts import BLUE, GREEN, GREY, INK, NUMBER, ORANGE, PURPLE, SKY, VERMILION, NothingToDraw
from tonne.reports.words import scale

WIDTH, HEIGHT = 640, 260  # pixels
COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, GREY)


def caps(units: Mapping[int, int], name: str, of: str) -> Any:
    """Units a year, as steps: a cap holds for a year. Raises NothingToDraw for fewer than two years."""
    import altair as alt

    if len(units) < 2:
        raise NothingToDraw("the law tables no cap for two years")
    divisor, word = scale(max(units.values()))
    rows = [{"year": year, "value": quantity / divisor} for year, quantity in sorted(units.items())]
    x = alt.X("year:O", title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True))
    y = alt.Y("value:Q", title=f"{word} {of}".strip(), axis=alt.Axis(format=NUMBER))
    picture = alt.Chart(alt.Data(values=rows)).mark_bar(color=BLUE).encode(x, y)
    return _titled(picture, f"{name}: units by year")


def prices(series: Mapping[str, Mapping[int, float]], name: str, money: str) -> Any:
    """Prices that the law names, and the market's mean, by year. Raises NothingToDraw where there is no point."""
    import altair as alt

    rows = [{"year": year, "value": float(price), "what": what} for what, line in series.items() for year, price in sorted(line.items())]
    if len({row["year"] for row in rows}) < 2:
        raise NothingToDraw("the law and the statistics name no prices of two years")
    colour = alt.Color(
        "what:N", title=None, scale=alt.Scale(domain=list(series), range=list(COLOURS[: len(series)])), legend=alt.Legend(orient="top")
    )
    x = alt.X("year:O", title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True))
    y = alt.Y("value:Q", title=money, axis=alt.Axis(format=NUMBER))
    line = alt.Chart(alt.Data(values=rows)).mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=36, filled=True))
    return _titled(line.encode(x, y, color=colour), f"{name}: prices by year")


def _titled(picture: Any, title: str) -> Any:
    import altair as alt

    return picture.properties(width=WIDTH, height=HEIGHT, title=alt.TitleParams(title, anchor="start", color=INK))
