"""Charts of the world's carbon markets: coverage, sectors, credits, prices against volume, revenue, status. From plain rows to a picture."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tonne.reports.charts import BLUE, GREEN, GREY, INK, NUMBER, ORANGE, PURPLE, SKY, VERMILION, WIDTH, NothingToDraw, Row

PARTS = {"blue": BLUE, "vermilion": VERMILION, "green": GREEN, "orange": ORANGE, "purple": PURPLE, "sky": SKY}  # of a stack; the others are grey
#: From dear to cheap.
BANDS = (BLUE, SKY, GREEN, ORANGE, GREY)
LEVELS = {"supranational": PURPLE, "national": BLUE, "subnational": GREEN, "city": ORANGE}
STATUSES = {"in_force": "In force", "under_development": "In preparation", "under_consideration": "Under consideration"}
ROW_HEIGHT = 15
STYLE = "page.html"  # the report's page, whose style this page shares


def coverage(
    shares: Sequence[Row], printed: Sequence[Row], volumes: Sequence[Row], printed_volumes: Sequence[Row], colours: Mapping[str, str]
) -> Any:
    """Share of the world's emissions by year and system above; below, the emissions that our rulebooks cover. Diamonds: what documents print.

    shares, volumes: system, year, value; printed: year, value, text; colours: system -> name of a colour.
    """
    import altair as alt

    if not shares and not volumes:
        raise NothingToDraw("no share and no volume of any system is known")
    years = {row["year"] for rows in (shares, printed, volumes, printed_volumes) for row in rows}
    kept = _largest(shares or volumes)
    panels = []
    if shares:
        title = "Share of world emissions: the World Bank's figures; diamonds: what the status reports print"
        panels.append(_stack(shares, printed, years, "% of world emissions", title, kept, colours))
    if volumes:
        title = "Emissions under the caps (or reports) of our rulebooks; diamonds: what the status reports print"
        panels.append(_stack(volumes, printed_volumes, years, "Gt CO2e a year", title, kept, colours))
    picture = alt.vconcat(*panels, spacing=24).resolve_scale(color="independent")
    return _titled(
        picture,
        "World emissions covered since 2005",
        "Between years with a figure: straight lines above; below, the last known cap or report stands.",
    )


def sectors(rows: Sequence[Row], columns: Sequence[str]) -> Any:
    """System by sector, systems in force above those that are coming: filled where a sector is in, hollow where it is planned.

    rows: system, group (`In force`, `Coming`), sector, when (`in force`, `coming`), share (text).
    """
    import altair as alt

    if not rows:
        raise NothingToDraw("no rulebook names its sectors")
    panels = []
    colour = alt.Color("when:N", scale=alt.Scale(domain=["in force", "coming"], range=[BLUE, VERMILION]), legend=alt.Legend(title=None))
    for index, group in enumerate(dict.fromkeys(row["group"] for row in rows)):
        mine = [row for row in rows if row["group"] == group]
        names = sorted({row["system"] for row in mine})
        y = alt.Y("system:N", sort=names, title=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=220, grid=True))
        axis = alt.Axis(orient="top", labelAngle=-35, labels=index == 0, ticks=False, domain=False, labelLimit=140, grid=False)
        x = alt.X("sector:N", sort=list(columns), title=None, axis=axis, scale=alt.Scale(domain=list(columns)))
        dots = [row for row in mine if row["sector"]]
        inside = alt.Chart(_data(row for row in dots if row["when"] == "in force")).mark_circle(size=95, opacity=1)
        coming = alt.Chart(_data(row for row in dots if row["when"] == "coming")).mark_point(size=75, opacity=1, strokeWidth=2, filled=False)
        tip = ["system:N", "sector:N", "when:N", "words:N"]
        layers = [inside.encode(x, y, color=colour, tooltip=tip), coming.encode(x, y, color=colour, tooltip=tip)]
        said = {row["system"]: {"system": row["system"], "text": row["share"]} for row in mine}
        texts = alt.Chart(_data(said.values())).mark_text(align="left", fontSize=11, color=INK)
        layers.append(texts.encode(y, x=alt.value(WIDTH - 196), text="text:N"))
        picture = alt.layer(*layers).properties(width=WIDTH - 210, height=alt.Step(ROW_HEIGHT))
        panels.append(picture.properties(title=alt.TitleParams(f"{group}: {len(names)}", anchor="start", frame="group", fontSize=13, color=INK)))
    remark = "At the right: share of the jurisdiction's emissions covered, as our rulebooks have it. Hollow: adopted, proposed or planned."
    return _titled(alt.vconcat(*panels, spacing=12), "Sectors by system", remark)


def credits(rows: Sequence[Row]) -> Any:
    """Potential demand for credits: limit times base from our rulebooks, and what the status report prints, on a logarithmic axis.

    rows: system, limit (text), ours (Mt or None), printed (Mt or None), same (whether the base comes from the report itself).
    """
    import altair as alt

    rows = [row for row in rows if row["ours"] or row["printed"]]
    if not rows:
        raise NothingToDraw("no system has a limit on credits and a base to take it of")
    rows = sorted(rows, key=lambda row: -(row["printed"] or row["ours"]))
    names = [row["system"] for row in rows]
    what = {"ours": "Limit x base, from our rulebooks", "printed": "Printed in the status report"}
    dots = [{**row, "what": text, "value": row[key]} for row in rows for key, text in what.items() if row[key]]
    y = alt.Y("system:N", sort=names, title=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=220, grid=True))
    axis = alt.Axis(format=NUMBER, values=[1, 2, 5, 10, 20, 50, 100, 200, 500], grid=True)
    x = alt.X("value:Q", title="Mt CO2e a year (logarithmic)", scale=alt.Scale(type="log", domain=[1, 500]), axis=axis)
    colour = alt.Color("what:N", scale=alt.Scale(domain=list(what.values()), range=[BLUE, VERMILION]), legend=alt.Legend(title=None))
    tip = ["system:N", "what:N", alt.Tooltip("value:Q", format=",.2f"), "limit:N"]
    shape = alt.Shape("what:N", scale=alt.Scale(domain=list(what.values()), range=["circle", "diamond"]))
    ours = alt.Chart(_data(d for d in dots if d["what"] == what["ours"])).mark_point(size=110, filled=True)
    pale = alt.condition("datum.same", alt.value(0.4), alt.value(1.0))
    printed = alt.Chart(_data(d for d in dots if d["what"] == what["printed"])).mark_point(size=130, strokeWidth=2, opacity=1)
    text = [{"system": r["system"], "text": r["limit"]} for r in rows]
    said = alt.Chart(_data(text)).mark_text(align="left", fontSize=11, color=INK).encode(y, x=alt.value(WIDTH - 190), text="text:N")
    first = ours.encode(x, y, color=colour, shape=shape, opacity=pale, tooltip=tip)
    layers = [first, printed.encode(x, y, color=colour, shape=shape, tooltip=tip), said]
    picture = alt.layer(*layers).properties(width=WIDTH - 200, height=alt.Step(17))
    remark = "At the right: most of the duty that credits may meet. Pale circle: the base is the report's own. No circle: the base was not known."
    return _titled(picture, "Potential demand for credits", remark)


def prices(rows: Sequence[Row], bands: Sequence[int]) -> Any:
    """Each system a bar, as high as its price and as wide as its covered emissions, dearest first.

    rows: system, price (USD), mt, estimated (whether the width is an estimate).
    """
    import altair as alt

    rows = sorted((row for row in rows if row["mt"] and row["price"] is not None), key=lambda row: (-row["price"], row["system"]))
    if not rows:
        raise NothingToDraw("no system has both a price in dollars and covered emissions")
    bars, at = [], 0.0
    names = band_names(bands)
    for row in rows:
        bars.append({**row, "x": at, "x2": at + row["mt"], "middle": at + row["mt"] / 2, "band": names[band_of(row["price"], bands)]})
        at += row["mt"]
    colours = dict(zip(reversed(names), BANDS, strict=False))
    shown = [name for name in reversed(names) if any(bar["band"] == name for bar in bars)]
    colour = alt.Color("band:N", scale=alt.Scale(domain=shown, range=[colours[name] for name in shown]), legend=alt.Legend(title="USD per tonne"))
    x = alt.X("x:Q", title="covered emissions, Mt CO2e, added up", axis=alt.Axis(format=NUMBER), scale=alt.Scale(domain=[0, at], nice=False))
    top = max(row["price"] for row in rows)
    y = alt.Y("price:Q", title="USD per tonne", scale=alt.Scale(domain=[0, top * 1.12], nice=False))
    tip = ["system:N", alt.Tooltip("price:Q", format=",.2f"), alt.Tooltip("mt:Q", format=",.1f", title="Mt"), "band:N"]
    drawn = alt.Chart(_data(bars)).mark_rect(stroke=INK, strokeWidth=0.35)
    sure = alt.condition("datum.estimated", alt.value(0.55), alt.value(1.0))
    layers = [drawn.encode(x, y, x2="x2:Q", y2=alt.datum(0), color=colour, opacity=sure, tooltip=tip)]
    layers += _named_bars(bars, at, top, x, y)
    marks = [{"price": bound} for bound in bands if 0 < bound <= top * 1.12]
    layers.append(alt.Chart(_data(marks)).mark_rule(color=INK, opacity=0.35, strokeDash=[3, 3]).encode(y=y))
    picture = alt.layer(*layers).properties(width=WIDTH, height=340)
    return _titled(
        picture, "Price against covered emissions", "Price on 1 April 2024; paler bars: width estimated from the share of world emissions."
    )


def revenue(rows: Sequence[Row], totals: Sequence[Row], colours: Mapping[str, str]) -> Any:
    """Revenue by year, stacked by system. Hollow bars: a year of which only the sum is known.

    rows: system, year, value (million USD); totals: year, value, text, known by its parts or not.
    """
    import altair as alt

    if not rows:
        raise NothingToDraw("no revenue in dollars is known")
    parts, names = _parts(rows, _largest(rows))
    years = sorted({row["year"] for row in rows} | {row["year"] for row in totals})
    x = alt.X("year:O", title=None, axis=alt.Axis(labelAngle=0), scale=alt.Scale(domain=years))
    y = alt.Y("value:Q", title="billion USD", axis=alt.Axis(format=NUMBER), stack="zero")
    data = [{**row, "value": row["value"] / 1000} for row in parts]
    tip = ["year:O", "system:N", alt.Tooltip("value:Q", format=",.3f", title="billion USD")]
    bars = alt.Chart(_data(data)).mark_bar(size=52).encode(x, y, color=_parts_colour(names, colours), order=alt.Order("order:Q"), tooltip=tip)
    said, hollow = [], []
    for year in years:
        known = sum(row["value"] for row in rows if row["year"] == year) / 1000
        told = next((row for row in totals if row["year"] == year), None)
        if not known and told:
            hollow.append({"year": year, "value": told["value"] / 1000, "text": told["text"]})
        else:
            said.append({"year": year, "value": known, "text": f"{known:,.1f}"})
    layers = [bars]
    if hollow:
        empty = alt.Chart(_data(hollow)).mark_bar(size=52, filled=False, stroke=GREY, strokeDash=[4, 3], strokeWidth=1.5)
        layers.append(empty.encode(x, alt.Y("value:Q")))
    texts = alt.Chart(_data([*said, *hollow])).mark_text(dy=-8, fontSize=11, color=INK)
    layers.append(texts.encode(x, alt.Y("value:Q"), text="text:N"))
    picture = alt.layer(*layers).properties(width=WIDTH, height=320)
    remark = (
        "Year of payment. 2017 to 2021: a selection of markets; 2022: only the sum can be worked out; 2023: the World Bank; 2024: the status report."
    )
    return _titled(picture, "Revenue from allowances", remark)


def status(rows: Sequence[Row], counts: Sequence[Row]) -> Any:
    """All systems in three columns by status, coloured by level of government, with our count and the published one above.

    rows: system, status, level, differs (text, `` where the report agrees); counts: status, ours, printed.
    """
    import altair as alt

    rows = [row for row in rows if row["status"] in STATUSES]
    if not rows:
        raise NothingToDraw("no system is known")
    ranks = list(LEVELS)
    cells: list[Row] = []
    for column, name in enumerate(STATUSES):
        mine = sorted((row for row in rows if row["status"] == name), key=lambda row: (_rank(row["level"], ranks), row["system"]))
        half = (len(mine) + 1) // 2 if name == "in_force" else len(mine)
        for place, row in enumerate(mine):
            lane = column + 1 if column else place // max(half, 1)
            mark = f"{row['system']} *" if row["differs"] else row["system"]
            cells.append({**row, "lane": lane, "row": place % max(half, 1), "text": mark})
    heads = [
        {"lane": (0, 2, 3)[index], "row": -1.6, "text": f"{words}: {said['ours']} (report {said['printed']})"}
        for index, (name, words) in enumerate(STATUSES.items())
        if (said := next((row for row in counts if row["status"] == name), None))
    ]
    depth = max(cell["row"] for cell in cells) + 1
    x = alt.X("lane:Q", axis=None, scale=alt.Scale(domain=[0, 4], nice=False))
    y = alt.Y("row:Q", axis=None, scale=alt.Scale(domain=[depth, -2.2], nice=False))
    present = [level for level in ranks if any(cell["level"] == level for cell in cells)]
    scale = alt.Scale(domain=present, range=[LEVELS[level] for level in present])
    colour = alt.Color("level:N", scale=scale, legend=alt.Legend(title=None))
    dots = alt.Chart(_data(cells)).mark_circle(size=90, opacity=1, xOffset=6).encode(x, y, color=colour, tooltip=["system:N", "level:N", "differs:N"])
    names = alt.Chart(_data(cells)).mark_text(align="left", dx=16, fontSize=11, color=INK, limit=170).encode(x, y, text="text:N")
    titles = alt.Chart(_data(heads)).mark_text(align="left", dx=0, fontSize=12, fontWeight=600, color=INK).encode(x, y, text="text:N")
    picture = alt.layer(dots, names, titles).properties(width=WIDTH + 40, height=(depth + 2) * 17)
    return _titled(
        picture,
        "Systems by status",
        "Of our rulebooks; in brackets the count of the status report. * The report has it otherwise, or not at all: see the table.",
    )


# -- parts


@dataclass(frozen=True)
class Section:
    """A chart with what belongs to it on the page: tables of (caption, heads, rows), remarks, and the reason where there is no picture."""

    name: str
    title: str
    svg: str = ""
    missing: str = ""
    tables: tuple[tuple[str, tuple[str, ...], tuple[tuple[str, ...], ...]], ...] = ()
    remarks: tuple[str, ...] = ()


def page(sections: Iterable[Section], day: str, remarks: Sequence[str], documents: Sequence[str], version: str) -> str:
    """One HTML page that needs nothing else, in the style of the report's page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    found = re.search(r"<style>.*?</style>", loader.get_source(environment, STYLE)[0], re.DOTALL)
    text: str = environment.from_string(PAGE).render(
        style=found.group() if found else "", sections=list(sections), day=day, remarks=remarks, documents=documents, version=version
    )
    return text


def band_of(price: float, bands: Sequence[int]) -> int:
    """Place of a price among the bands whose lower bounds are given."""
    return max((index for index, bound in enumerate(bands) if price >= bound), default=0)


def band_names(bands: Sequence[int]) -> list[str]:
    """`under 10`, `10 to 30`, `70 and more`."""
    names = [f"{low} to {high}" for low, high in itertools.pairwise(bands)]
    return [f"under {bands[1]}", *names[1:], f"{bands[-1]} and more"] if len(bands) > 1 else [f"{bands[0]} and more"]


def _stack(
    rows: Sequence[Row], printed: Sequence[Row], years: Iterable[int], unit: str, title: str, kept: Sequence[str], colours: Mapping[str, str]
) -> Any:
    import altair as alt

    parts, names = _parts(rows, kept)
    filled = _without_holes(parts, names)
    scale = alt.Scale(domain=[min(years), max(years)], nice=False)
    x = alt.X("year:Q", title=None, axis=alt.Axis(format="d", tickMinStep=1, tickCount=11), scale=scale)
    y = alt.Y("value:Q", title=unit, axis=alt.Axis(format=NUMBER, tickCount=6), stack="zero")
    tip = ["year:Q", "system:N", alt.Tooltip("value:Q", format=",.3f")]
    areas = alt.Chart(_data(filled)).mark_area(opacity=0.9, line=False)
    areas = areas.encode(x, y, color=_parts_colour(names, colours), order="order:Q", tooltip=tip)
    layers = [areas]
    if printed:
        point = alt.Y("value:Q")
        marks = alt.Chart(_data(printed)).mark_point(shape="diamond", size=110, strokeWidth=2.5, color=INK, opacity=1, filled=False)
        layers.append(marks.encode(x, point, tooltip=["year:Q", "text:N"]))
        layers.append(_side_texts(printed, x, point, min(years), max(years)))
    small = alt.TitleParams(title, anchor="start", fontSize=12, fontWeight="normal", color=INK)
    return alt.layer(*layers).properties(width=WIDTH, height=250, title=small)


def _side_texts(printed: Sequence[Row], x: Any, y: Any, first: int, last: int) -> Any:
    """The printed figure beside its mark: right of the first and of the last year, left of and above the others, where the stack is lower."""
    import altair as alt

    styles: dict[str, Row] = {
        "last": {"align": "left", "dx": 9},
        "first": {"align": "left", "dx": 9, "dy": -10},
        "other": {"align": "right", "dx": -9, "dy": -5},
    }
    places = {last: "last", first: "first"}
    layers = []
    for place, style in styles.items():
        rows = [row for row in printed if places.get(row["year"], "other") == place]
        if rows:
            layers.append(alt.Chart(_data(rows)).mark_text(fontSize=12, fontWeight=600, color=INK, **style).encode(x, y, text="text:N"))
    return alt.layer(*layers)


def _largest(rows: Sequence[Row]) -> list[str]:
    """As many systems as there are colours, largest first by their sum over the years."""
    sums: dict[str, float] = {}
    for row in rows:
        sums[row["system"]] = sums.get(row["system"], 0) + row["value"]
    return sorted(sums, key=lambda name: (-sums[name], name))[: len(PARTS)]


def _parts(rows: Sequence[Row], kept: Sequence[str]) -> tuple[list[Row], list[str]]:
    """Rows with a place in the stack, all systems but the kept ones together; and the names of the parts."""
    there = {row["system"] for row in rows}
    others = len(there - set(kept))
    rest = f"{others} others"
    together: dict[tuple[str, int], float] = {}
    for row in rows:
        name = row["system"] if row["system"] in kept else rest
        together[(name, row["year"])] = together.get((name, row["year"]), 0) + row["value"]
    names = [*(name for name in kept if name in there), *([rest] if others else [])]
    made = [{"system": name, "year": year, "value": value, "order": names.index(name)} for (name, year), value in together.items()]
    return sorted(made, key=lambda row: (row["year"], row["order"])), names


def _without_holes(parts: Sequence[Row], names: Sequence[str]) -> list[Row]:
    """A zero where a system has no figure in a year that others have: an area without a figure would be joined across it."""
    years = sorted({row["year"] for row in parts})
    known = {(row["system"], row["year"]): row["value"] for row in parts}
    return [{"system": name, "year": year, "value": known.get((name, year), 0), "order": order} for year in years for order, name in enumerate(names)]


def _parts_colour(names: Sequence[str], colours: Mapping[str, str]) -> Any:
    """Each system's own colour, where no other has taken it; grey for the others, who stand last."""
    import altair as alt

    taken: dict[str, str] = {}
    for name in names:
        own = PARTS.get(colours.get(name, ""), "")
        if own and own not in taken.values():
            taken[name] = own
    free = iter(colour for colour in PARTS.values() if colour not in taken.values())
    chosen = [taken.get(name) or (GREY if name.endswith(" others") else next(free, GREY)) for name in names]
    return alt.Color("system:N", scale=alt.Scale(domain=list(names), range=chosen), legend=alt.Legend(title=None, columns=4))


def _named_bars(bars: Sequence[Row], width: float, top: float, x: Any, y: Any) -> list[Any]:
    """Names on bars that are wide enough for them, or upright on narrower ones that are high enough."""
    import altair as alt

    wide = [bar for bar in bars if bar["mt"] / width > 0.0095 * len(bar["system"])]
    upright = [bar for bar in bars if bar not in wide and bar["mt"] / width > 0.016]
    layers = []
    if wide:
        text = alt.Chart(_data(wide)).mark_text(dy=-8, fontSize=11, color=INK)
        layers.append(text.encode(alt.X("middle:Q"), y, text="system:N"))
    if upright:
        high = [{**bar, "price": bar["price"] + top * 0.02} for bar in upright]
        text = alt.Chart(_data(high)).mark_text(angle=270, align="left", fontSize=11, color=INK)
        layers.append(text.encode(alt.X("middle:Q"), y, text="system:N"))
    return layers


def _rank(level: str, ranks: Sequence[str]) -> int:
    return ranks.index(level) if level in ranks else len(ranks)


def _data(rows: Iterable[Mapping[str, Any]]) -> Any:
    import altair as alt

    return alt.InlineData(values=[dict(row) for row in rows])


def _titled(picture: Any, title: str, remark: str) -> Any:
    import textwrap

    import altair as alt

    return picture.properties(title=alt.TitleParams(title, subtitle=textwrap.wrap(remark, 110), anchor="start", subtitlePadding=4, offset=14))


PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>The world's carbon markets, {{ day }}</title>
{{ style|safe }}
<style>
td.words, th.words { max-width: 460px; overflow-wrap: break-word; }
@media (max-width: 600px) {
  main { padding: 16px 12px 40px; }
  h1 { font-size: 23px; }
  td.words:first-child, td.words:last-child { min-width: 130px; }
}
</style>
</head>
<body>
<main>
<header>
<h1>The world's carbon markets</h1>
<p class="names">Drawn from the rulebooks as they stand on {{ day }}, beside what was published. A published figure is a view of its own day.</p>
<nav>{% for section in sections %}<a href="#{{ section.name }}">{{ section.title }}</a> {% endfor %}</nav>
</header>
{% for section in sections %}
<section id="{{ section.name }}">
<h2>{{ section.title }}</h2>
{% if section.svg %}
<figure role="img" aria-label="Chart: {{ section.title }}. The figures stand in the tables below it.">{{ section.svg|safe }}</figure>
{% else %}
<p class="note">No chart: {{ section.missing }}.</p>
{% endif %}
{% for remark in section.remarks %}
<p class="note">{{ remark }}</p>
{% endfor %}
{% for caption, heads, rows in section.tables %}
<details{% if loop.first and rows|length < 12 %} open{% endif %}><summary>{{ caption }}: {{ rows|length }} row{{ "s" if rows|length != 1 }}</summary>
<div class="wide"><table>
<thead><tr>{% for head in heads %}<th scope="col" class="words">{{ head }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in rows %}
<tr>{% for cell in row %}<td class="words">{{ cell }}</td>{% endfor %}</tr>
{% endfor %}
</tbody></table></div></details>
{% endfor %}
</section>
{% endfor %}
<footer>
{% for remark in remarks %}
<p>{{ remark }}</p>
{% endfor %}
<p>Published figures: {% for title in documents %}{{ title }}{{ "; " if not loop.last }}{% endfor %}.
source: seen in the source named. seed: printed in a founding document. derived: worked out.
inferred: read from a damaged figure, never counted as published.</p>
<p>Made by tonne {{ version }}.</p>
</footer>
</main>
</body>
</html>
"""
