"""Charts of a run, drawn once for notebook, file and page: Altair, rendered to SVG and PNG without any network."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from tonne.reports.words import LETTERS, measure_word, scale, share

if TYPE_CHECKING:
    from tonne.reports.data import RunData

INK = "#30343b"  # text, and lines that must follow the page's colour: the page replaces it by its own
# Okabe and Ito's palette: told apart by every kind of colour vision, on white and on black.
BLUE, SKY, ORANGE, VERMILION, GREEN, PURPLE, GREY = "#0072b2", "#56b4e9", "#e69f00", "#d55e00", "#009e73", "#cc79a7", "#8a8f98"
LETTER_COLOURS = {"A": BLUE, "B": VERMILION, "C": ORANGE, "D": PURPLE, "E": GREEN, "X": SKY, "-": GREY}
WIDTH, HEIGHT = 720, 320  # pixels
SECTORS_SHOWN = 12
POINTED = 60  # so many auctions have a point each; of more a line is clearer
NUMBER = ",.6~f"  # d3: commas, as many decimals as there are, never an exponent
MOSTLY = 0.8  # above this share of A the chart of letters shows what is not A

Row = dict[str, Any]


class NothingToDraw(ValueError):
    """The run has nothing that this chart could show. The text says what is missing."""


def chart(name: str, data: RunData) -> Any:
    """One chart by name. Raises KeyError with the names there are, NothingToDraw where the run lacks its figures."""
    if name not in CHARTS:
        raise KeyError(f"no chart {name!r}; there are {', '.join(CHARTS)}")
    return CHARTS[name](data)


def charts(data: RunData) -> tuple[dict[str, Any], dict[str, str]]:
    """Every chart that can be drawn, and for the others the reason why not."""
    drawn: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for name, draw in CHARTS.items():
        try:
            drawn[name] = draw(data)
        except NothingToDraw as reason:
            missing[name] = str(reason)
    return drawn, missing


def png(picture: Any, scale_factor: float = 2.0) -> bytes:
    """The picture as PNG, white behind it."""
    buffer = io.BytesIO()
    _themed(picture, "white").save(buffer, format="png", scale_factor=scale_factor)
    return buffer.getvalue()


def svg(picture: Any, background: str = "transparent") -> str:
    """The picture as SVG text, nothing behind it unless a colour is named."""
    buffer = io.StringIO()
    _themed(picture, background).save(buffer, format="svg")
    return buffer.getvalue()


def spec(picture: Any) -> str:
    """The Vega-Lite specification, data included."""
    text: str = _themed(picture, "white").to_json(indent=None)
    return text


# -- the charts


#: How units, and payments in place of units, come to those who owe: column of the yearly table -> words.
SUPPLIED = {
    "auctioned": "Auctioned",
    "allocated": "Allocated free",
    "earned": "Earned below the limit",
    "bought": "Sold at a fixed price",
    "paid": "Settled in money",
}


def supply(data: RunData) -> Any:
    """What was given out, sold, earned and paid for, under the cap or the sum of limits, against what was emitted: the whole system."""
    import altair as alt

    rows = data.table.to_dicts()
    parts = _series(rows, SUPPLIED)
    verified, caps = _series(rows, {"verified": "Verified emissions"}, zeros=True), _series(rows, {"cap": "Cap", "limit": "Limit"})
    if not parts and not verified:
        raise NothingToDraw("nothing was allocated, auctioned or verified in these years")
    stacks = [sum(row["units"] for row in parts if row["year"] == year) for year in {row["year"] for row in parts}]
    divisor, word = scale(max([*stacks, *(row["units"] for row in verified + caps)]))
    colours = dict(zip(SUPPLIED.values(), (BLUE, SKY, GREEN, PURPLE, ORANGE), strict=True))
    colour = _colour(colours | {"Verified emissions": VERMILION, "Cap": INK, "Limit": INK}, parts + verified + caps)
    x, y = _year_axis(rows), alt.Y("value:Q", title=f"{word} {data.units}".strip(), axis=alt.Axis(format=NUMBER))
    layers = []
    if parts:
        bars = alt.Chart(_values(parts, divisor)).mark_bar(size=_bar(rows))
        layers.append(bars.encode(x, y.stack("zero"), color=colour, order=alt.Order("order:Q"), tooltip=_tip()))
    if caps:
        ticks = alt.Chart(_values(caps, divisor)).mark_tick(opacity=1, thickness=3, size=_bar(rows) + 12, orient="horizontal")
        layers.append(ticks.encode(x, y, color=colour, tooltip=_tip()))
    if verified:
        line = alt.Chart(_values(verified, divisor)).mark_line(strokeWidth=2.5, point=alt.OverlayMarkDef(size=60, filled=True))
        layers.append(line.encode(x, y, color=colour, tooltip=_tip()))
    return _titled(alt.layer(*layers), data, "Supply against verified emissions", f"the whole system, {data.years}")


def circulation(data: RunData) -> Any:
    """Units in circulation at the end of each year, computed and published, the thresholds of the law, and what the reserve holds."""
    import altair as alt

    rows = data.table.to_dicts()
    computed = _series(rows, {"circulation": "Circulation, computed"}, zeros=True)
    published = _series(rows, {"circulation_published": "Circulation, published"}, zeros=True)
    held = _series(rows, {"reserve_balance": "Held in the reserve"})
    if not computed and not published:
        raise NothingToDraw("no units were in circulation in these years")
    lines = _thresholds(data)
    divisor, word = scale(max(row["units"] for row in computed + published + held + lines))
    colours = {"Circulation, computed": BLUE, "Circulation, published": VERMILION, "Held in the reserve": SKY}
    colour = _colour(colours, computed + published + held)
    x, y = _year_axis(rows), alt.Y("value:Q", title=f"{word} {data.units}".strip(), axis=alt.Axis(format=NUMBER))
    layers = []
    if held:
        layers.append(alt.Chart(_values(held, divisor)).mark_bar(size=_bar(rows), opacity=0.7).encode(x, y, color=colour, tooltip=_tip()))
    layers += _threshold_layers(lines, divisor, rows)
    if computed:
        line = alt.Chart(_values(computed, divisor)).mark_line(strokeWidth=2.5, point=alt.OverlayMarkDef(size=60, filled=True))
        layers.append(line.encode(x, y, color=colour, tooltip=_tip()))
    if published:
        points = alt.Chart(_values(published, divisor)).mark_point(opacity=1, shape="diamond", size=110, strokeWidth=2.5, filled=False)
        layers.append(points.encode(x, y, color=colour, tooltip=_tip()))
    return _titled(alt.layer(*layers), data, "Units in circulation", f"at the end of each year, {data.years}")


def auctions(data: RunData) -> Any:
    """Clearing prices of the auctions against the law's lowest and highest price, day by day; a cross where an auction sold nothing."""
    import altair as alt

    held = [] if data.auctions is None else data.auctions.to_dicts()
    if not any(row["price"] is not None for row in held):
        raise NothingToDraw("no auction with bids found a price in these years")
    prices = [_at(row, "price", "Clearing price") for row in held if row["price"] is not None]
    bounds = [_at(row, name, what) for name, what in (("reserve", "Floor"), ("ceiling", "Ceiling")) for row in held if row[name] is not None]
    failed = [_at(row, "reserve", "Nothing sold") | {"value": _near(row, held)} for row in held if row["price"] is None]
    colours = {"Clearing price": BLUE, "Floor": INK, "Ceiling": VERMILION, "Nothing sold": PURPLE}
    colour = _colour(colours, [*prices, *bounds, *failed])
    years = len({row["day"].year for row in held})
    axis = alt.Axis(format="%b %Y") if years < 3 else alt.Axis(format="%Y", tickCount={"interval": "year", "step": -(-years // 12)})
    x = alt.X("day:T", title=None, scale=alt.Scale(type="utc"), axis=axis)
    title, scale = f"{data.system.currency} for one {data.system.unit_name}", alt.Scale(zero=False, padding=14)
    y = alt.Y("value:Q", title=title, scale=scale, axis=alt.Axis(format=NUMBER))
    tip = [alt.Tooltip("day:T", title="Day", format="%Y-%m-%d"), alt.Tooltip("what:N", title="What"), alt.Tooltip("price:N", title="Price")]
    layers = []
    if bounds:
        steps = alt.Chart(alt.InlineData(values=_turns(bounds))).mark_line(strokeWidth=1.5, strokeDash=[5, 3], interpolate="step-after")
        layers.append(steps.encode(x, y, color=colour, tooltip=tip))
    points = alt.OverlayMarkDef(size=45, filled=True) if len(prices) <= POINTED else False
    line = alt.Chart(alt.InlineData(values=prices)).mark_line(strokeWidth=2.5 if points else 1.2, point=points)
    layers.append(line.encode(x, y, color=colour, tooltip=tip, detail="year:N"))  # a year's price begins anew: no line leads to it
    if failed:
        crosses = alt.Chart(alt.InlineData(values=failed)).mark_point(opacity=1, shape="cross", size=90, strokeWidth=2, angle=45)
        layers.append(crosses.encode(x, y, color=colour, tooltip=tip))
    return _titled(alt.layer(*layers), data, "Clearing prices of the auctions", f"{len(held):,} auctions, {data.years}", counted=False)


def _at(row: Row, name: str, what: str) -> Row:
    price = row[name]
    said = {"value": None, "price": ""} if price is None else {"value": float(price), "price": f"{price:,f}"}
    return {"day": row["day"].isoformat(), "year": row["year"], "what": what, **said}


def _near(row: Row, held: list[Row]) -> float:
    """Where to mark an auction without a price: at its floor, else under all prices."""
    return float(row["reserve"] if row["reserve"] is not None else min(one["price"] for one in held if one["price"] is not None))


def _turns(bounds: list[Row]) -> list[Row]:
    """Of rows in order, those that begin or end a run of one price: a floor that holds for a year is two points, not a hundred."""
    kept = []
    for place, row in enumerate(bounds):
        around = [bounds[other] if 0 <= other < len(bounds) else None for other in (place - 1, place + 1)]
        if any(other is None or (other["what"], other["value"]) != (row["what"], row["value"]) for other in around):
            kept.append(row)
    return kept


def allocation(data: RunData) -> Any:
    """Free allocation against verified emissions, sector by sector, all years run together: who got more than was emitted."""
    import altair as alt
    import polars as pl

    sums = data.sectors.group_by("sector").agg(pl.col("allocated", "verified").sum()).sort("verified", "sector", descending=[True, False])
    rows = sums.filter((pl.col("allocated") > 0) | (pl.col("verified") > 0)).to_dicts()
    if not rows:
        raise NothingToDraw("no sector has an allocation or verified emissions")
    rows = _largest(rows)
    names = [row["sector"] for row in rows]
    divisor, word = scale(max(max(row["allocated"], row["verified"]) for row in rows))
    free = any(row["allocated"] for row in rows)
    what = {"allocated": data.granted, "verified": "Verified emissions"} if free else {"verified": "Verified emissions"}
    bars = [{"sector": row["sector"], "what": text, "units": row[column] or 0} for row in rows for column, text in what.items()]
    note = [{"sector": row["sector"], "value": max(row["allocated"], row["verified"]) / divisor, "text": _ratio(row)} for row in rows]
    colour = _colour({data.granted: SKY, "Verified emissions": VERMILION}, bars)
    y = alt.Y("sector:N", sort=names, title=None, axis=alt.Axis(labelLimit=300, labelPadding=6, ticks=False, domain=False, grid=False))
    title = (
        f"{word} {data.units}; at the bars: {'limit' if data.granted == 'Limit' else 'allocated'} as % of verified"
        if free
        else f"{word} {data.emissions}"
    )
    x = alt.X("value:Q", title=title.strip(), axis=alt.Axis(format=NUMBER, grid=True, tickCount=7))
    offset = alt.YOffset("what:N", sort=list(what.values()))
    drawn = alt.Chart(_values(bars, divisor)).mark_bar().encode(y, x, yOffset=offset, color=colour, tooltip=[alt.Tooltip("sector:N"), *_tip()[1:]])
    said = alt.Chart(alt.InlineData(values=note)).mark_text(align="left", dx=6, fontSize=11, color=INK, baseline="middle").encode(y, x, text="text:N")
    picture = alt.layer(drawn, *([said] if free else [])).properties(width=WIDTH - 240, height=alt.Step(14))
    granted = "Limits" if data.granted == "Limit" else "Free allocation"
    title = f"{granted} and verified emissions by sector" if free else "Verified emissions by sector"
    return _titled(picture, data, title, f"the installations run, {data.years} together", size=False)


def compliance(data: RunData) -> Any:
    """Status letters by year: shares drawn (of what is not A where nearly all are A), every count written out below."""
    import altair as alt

    rows = [row for row in data.compliance.to_dicts() if row["installations"]]
    if not rows:
        raise NothingToDraw("no installation had its compliance judged in these years")
    totals: dict[int, int] = {}
    for row in rows:
        totals[row["year"]] = totals.get(row["year"], 0) + row["installations"]
    for row in rows:
        row["share"] = row["installations"] / totals[row["year"]]
        row["shown"] = share(row["installations"], totals[row["year"]])
        row["letter"] = f"{row['status']}  {LETTERS.get(row['status'], '')}".strip()
    mostly_a = sum(row["installations"] for row in rows if row["status"] == "A") > MOSTLY * sum(totals.values())
    drawn = [row for row in rows if not (mostly_a and row["status"] == "A")]
    letters = sorted({(list(LETTERS).index(row["status"]) if row["status"] in LETTERS else 99, row["letter"], row["status"]) for row in rows})
    names = [name for _, name, _ in letters]
    colours = {name: LETTER_COLOURS.get(status, GREY) for _, name, status in letters}
    panels = []
    if drawn:
        panels.append(_letter_bars(drawn, names, colours, mostly_a, sorted(totals)))
    panels.append(_letter_counts(rows, names, colours, bool(drawn)))
    picture = alt.vconcat(*panels, spacing=8)
    return _titled(picture, data, "Compliance of the installations", f"status letters by year, {data.years}", size=False, counted=False)


#: name -> how it is drawn, in the order of a report
CHARTS: dict[str, Callable[[RunData], Any]] = {
    "supply": supply,
    "circulation": circulation,
    "auctions": auctions,
    "allocation": allocation,
    "compliance": compliance,
}


# -- parts of charts


def _thresholds(data: RunData) -> list[Row]:
    """The stability mechanism's thresholds in the years in which the law had them."""
    found = []
    book, last_known = data.law.rulebook, data.law.known_on
    for path, what in (("stability.upper_threshold", "upper threshold"), ("stability.lower_threshold", "lower threshold")):
        for year in data.table["year"].to_list():
            law = book.at(max(date(year, 12, 31), book.system.begins), last_known)
            if law.has(path) and isinstance(law.value(path), int):
                found.append({"year": year, "what": what, "units": law.value(path)})
    return found


def _threshold_layers(lines: list[Row], divisor: int, rows: list[Row]) -> list[Any]:
    """A mark a year, named once, to the right: a line would promise more years than the law had."""
    import altair as alt

    if not lines:
        return []
    x, y = _year_axis(rows), alt.Y("value:Q")
    marks = alt.Chart(_values(lines, divisor)).mark_tick(opacity=1, thickness=1.5, size=WIDTH / max(len(rows), 1), orient="horizontal", color=INK)
    last = {row["what"]: {**row, "text": f"{row['what']}: {row['units'] / divisor:,.6g}"} for row in lines}.values()
    names = alt.Chart(_values(last, divisor)).mark_text(align="left", dx=WIDTH / max(len(rows), 1) / 2 + 6, fontSize=11, color=INK)
    return [marks.encode(x, y, tooltip=_tip()), names.encode(x, y, text="text:N")]


def _letter_bars(rows: list[Row], names: Sequence[str], colours: dict[str, str], mostly_a: bool, years: list[int]) -> Any:
    import altair as alt

    title = "% of installations, all but A" if mostly_a else "% of installations"
    y = alt.Y("share:Q", title=title, axis=alt.Axis(format=".2~%", tickCount=6), stack="zero")
    colour = alt.Color("letter:N", scale=alt.Scale(domain=list(names), range=[colours[name] for name in names]), legend=None)
    x = alt.X("year:O", title=None, scale=alt.Scale(domain=years), axis=alt.Axis(labels=False, ticks=False))
    tip = [alt.Tooltip("year:O", title="Year"), alt.Tooltip("letter:N", title="Status"), alt.Tooltip("installations:Q", format=","), "shown:N"]
    order = [{**row, "order": names.index(row["letter"])} for row in rows]
    bars = alt.Chart(alt.InlineData(values=order)).mark_bar(size=_bar(years)).encode(x, y, color=colour, order=alt.Order("order:Q"), tooltip=tip)
    return bars.properties(width=WIDTH - 140, height=200)


def _letter_counts(rows: list[Row], names: Sequence[str], colours: dict[str, str], keyed: bool) -> Any:
    """The counts as a table whose row names carry the colours of the bars above."""
    import altair as alt

    x = alt.X("year:O", title=None, axis=alt.Axis(labelAngle=0, orient="bottom"))
    y = alt.Y("letter:N", sort=list(names), title=None, axis=alt.Axis(ticks=False, domain=False, labelPadding=22, labelLimit=260, grid=False))
    counts = alt.Chart(alt.InlineData(values=rows)).mark_text(fontSize=11, color=INK).encode(x, y, text=alt.Text("installations:Q", format=","))
    keys = [{"letter": name, "installations": 0} for name in names]
    colour = alt.Color("letter:N", scale=alt.Scale(domain=list(names), range=[colours[name] for name in names]), legend=None)
    squares = alt.Chart(alt.InlineData(values=keys)).mark_square(size=110, opacity=1, xOffset=-14).encode(y, x=alt.value(0), color=colour)
    return alt.layer(counts, squares).properties(width=WIDTH - 140, height=alt.Step(22))


def _largest(rows: list[Row]) -> list[Row]:
    """The largest sectors; the others together, last."""
    if len(rows) <= SECTORS_SHOWN:
        return rows
    rest = rows[SECTORS_SHOWN - 1 :]
    together = {name: sum(row[name] for row in rest) for name in ("allocated", "verified")}
    return [*rows[: SECTORS_SHOWN - 1], {"sector": f"{len(rest)} other sectors", **together}]


def _ratio(row: Row) -> str:
    return f"{100 * row['allocated'] / row['verified']:,.0f} %" if row["verified"] else ""


def _series(rows: Iterable[Row], columns: dict[str, str], zeros: bool = False) -> list[Row]:
    """year, what, units, order: one row for each figure that is there; with `zeros` (a line needs them) unless all are zero."""
    order = {column: number for number, column in enumerate(columns)}
    found = [
        {"year": row["year"], "what": what, "units": row[column], "order": order[column]}
        for row in rows
        for column, what in columns.items()
        if row.get(column) is not None and (zeros or row[column])
    ]
    return found if any(row["units"] for row in found) else []


def _values(rows: Iterable[Row], divisor: int) -> Any:
    import altair as alt

    return alt.InlineData(values=[{**row, "value": row["units"] / divisor} for row in rows])


def _colour(colours: dict[str, str], rows: Iterable[Row]) -> Any:
    import altair as alt

    present = {row["what"] for row in rows}
    kept = {what: colour for what, colour in colours.items() if what in present}
    return alt.Color("what:N", scale=alt.Scale(domain=list(kept), range=list(kept.values())), legend=alt.Legend(title=None))


def _year_axis(rows: Iterable[Row]) -> Any:
    """All years run, also those of which this chart has nothing to say."""
    import altair as alt

    return alt.X("year:O", title=None, axis=alt.Axis(labelAngle=0), scale=alt.Scale(domain=[row["year"] for row in rows]))


def _tip() -> list[Any]:
    import altair as alt

    return [alt.Tooltip("year:O", title="Year"), alt.Tooltip("what:N", title="What"), alt.Tooltip("units:Q", title="Quantity", format=",")]


def _bar(rows: Sequence[Any]) -> int:
    """Bars leave a third of the room between them, and are never clumsy."""
    return int(min(56, WIDTH / max(len(rows), 1) * 0.62))


def _titled(picture: Any, data: RunData, title: str, remark: str, *, size: bool = True, counted: bool = True) -> Any:
    import altair as alt

    worth = f"One {data.system.unit_name} stands for one {measure_word(data.system.measure)}."
    subtitle = [f"{data.name}; {remark}. {worth if counted else ''}".strip(), *textwrap.wrap(data.label, 120)]
    if size:
        picture = picture.properties(width=WIDTH, height=HEIGHT)
    return picture.properties(title=alt.TitleParams(title, subtitle=subtitle, anchor="start", subtitlePadding=4, offset=14))


def _themed(picture: Any, background: str) -> Any:
    """Quiet axes, text in one ink."""
    import altair as alt

    axis: dict[str, Any] = {f"{part}Color": INK for part in ("label", "title", "tick", "domain", "grid")}
    axis |= {"gridOpacity": 0.14, "domainOpacity": 0.5}
    axis |= {"titleFontWeight": "normal", "titlePadding": 10, "labelFontSize": 11, "titleFontSize": 12}
    return picture.configure(
        background=background,
        padding=12,
        font="Helvetica, Arial, sans-serif",
        axis=alt.AxisConfig(**axis),
        axisX=alt.AxisConfig(grid=False),
        view=alt.ViewConfig(stroke=None),
        legend=alt.LegendConfig(symbolOpacity=1, labelColor=INK, titleColor=INK, labelFontSize=12, symbolSize=110, orient="top", labelLimit=260),
        title=alt.TitleConfig(color=INK, subtitleColor=INK, fontSize=16, subtitleFontSize=12, fontWeight=600),
    )
