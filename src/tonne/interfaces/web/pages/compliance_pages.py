"""Who complied for a year, late and short first; before its day only the day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from fastapi.responses import Response

from tonne.interfaces.views import compliance as compliance_view
from tonne.interfaces.web import law_words as lw
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.charts import COLOURS, INK, Chart
from tonne.interfaces.web.guard import PUBLIC, pages
from tonne.interfaces.web.pages.common import bars_spec, cache_of, theme_of
from tonne.interfaces.web.pages.registry import LETTERS, letter_badge
from tonne.interfaces.web.problems import Problem, not_found
from tonne.interfaces.web.tables import Column, Filter

router = pages()


@router.get("/{system}/compliance", allow=PUBLIC)
def compliance_newest(ask: Asked, system: str) -> Response:
    """To the newest year that is public, or else to the one that comes next."""
    hall = ask.market
    with hall.read() as state:
        judged = compliance_view.judged_years(state)
    return ask.see(f"/{system}/compliance/{judged[0] if judged else hall.today.year - 1}")


@router.get("/{system}/compliance/{year}", allow=PUBLIC)
def compliance(ask: Asked, system: str, year: str) -> Response:
    """Who complied for a year: late and short first."""
    if not year.isascii() or not year.isdigit() or len(year) != 4:
        raise not_found(year)
    hall, number = ask.market, int(year)
    cache = cache_of(hall)
    with hall.read() as state:
        found = compliance_view.compliance(state, number, cache=cache)
        judged = compliance_view.judged_years(state)
        gaps = compliance_view.gaps(state, number, cache=cache) if found.published else None
        sectors = compliance_view.by_sector(state, cache=cache) if found.published else None
    if found.published is None and found.expected is None and number not in judged:
        raise not_found(year, [f"{system}/compliance/{one}" for one in judged[:3]])
    others = [(one, ask.here(f"/compliance/{one}")) for one in judged if one != number]
    if found.published is None:
        if ask.suffix:
            raise Problem(404, "not_found", ask.say("Compliance of %(year)s is not published yet.", year=number))
        return ask.page("compliance_before.html", year=number, expected=found.expected, today_here=hall.today, others=others)
    return ask.page(
        "compliance.html",
        found=found,
        table=_compliance_table(ask, found),
        charts=[one for one in (_gap_chart(ask, gaps, number), _sector_chart(ask, sectors)) if one is not None],
        letters=[(letter_badge(letter, ask), count) for letter, count in found.letters.items()],
        others=others,
        currency=hall.rulebook.system.currency,
        unit=hall.rulebook.system.unit_code,
        measure=lw.said(lw.MEASURES, hall.rulebook.system.measure, ask._),
    )


def _compliance_table(ask: Ask, found: compliance_view.Compliance) -> Any:
    _ = ask._
    system = ask.market.rulebook.system
    unit, tonnes = system.unit_code, lw.said(lw.MEASURES, system.measure, _)
    columns = [
        Column("name", _("Installation"), href=lambda row: ask.here(f"/installations/{row['installation']}")),
        Column("operator_name", _("Operator"), href=lambda row: ask.here(f"/participants/{row['operator']}") if row["operator"] else ""),
        Column("sector", _("Sector"), show=lambda value, row: lw.sector(value, _)),
        Column("letter", _("State"), show=lambda value, row: letter_badge(value, ask)),
        Column("missing", _("Missing"), "quantity", unit),
        Column("owed", _("Owed to date"), "quantity", unit),
        Column("surrendered", _("Surrendered to date"), "quantity", unit),
        Column("verified", _("Verified"), "quantity", tonnes),
        Column("allocated", _("Allocated"), "quantity", unit),
        Column("fine_low_minor", _("Penalty"), "money", system.currency),
        Column("fine_high_minor", _("Penalty, at most"), "money", system.currency, hidden=True),
        *(Column(name, name, hidden=True) for name in ("installation", "operator", "country")),
    ]
    choices = [(code, _(words)) for code, (words, *_rest) in LETTERS.items() if code in found.letters]
    filters = [
        Filter("name", _("Name")),
        Filter("letter", _("State"), "choice", choices),
        Filter("sector", _("Sector"), "choice", lw.sectors(found.rows["sector"], _)),
    ]
    sums = ["missing", "owed", "surrendered", "verified", "allocated"]
    return ask.table(f"compliance-{found.year}", _("Late and short first"), found.rows, columns, filters=filters, totals=sums)


def _gap_chart(ask: Ask, gaps: pl.DataFrame | None, year: int) -> Chart | None:
    if gaps is None or not gaps["installations"].sum():
        return None
    _ = ask._

    def band(row: Mapping[str, Any]) -> str:
        low, high = row["from_permille"], row["to_permille"]
        if low is None:
            return f"< {high / 10:+g} %"
        return f"> {low / 10:+g} %" if high is None else f"{low / 10:+g} %"

    short, long = _("got less than it emitted"), _("got as much or more")
    rows = [
        {"band": band(row), "value": row["installations"], "what": short if row["to_permille"] is not None and row["to_permille"] <= 0 else long}
        for row in gaps.iter_rows(named=True)
    ]
    while rows and not rows[0]["value"]:
        rows.pop(0)
    while rows and not rows[-1]["value"]:
        rows.pop()
    title = _("Who got more than it emitted?")
    said = sum(row["value"] for row in rows if row["what"] == long)
    text = ask.say("%(count)s of %(all)s installations got as much or more than they emitted.", count=said, all=sum(row["value"] for row in rows))

    def made() -> Any:
        theme = theme_of(ask)
        return bars_spec(
            rows,
            theme,
            unit=_("installations"),
            x="band",
            stacked=True,
            order=[short, long],
            colours={short: COLOURS[theme][1], long: COLOURS[theme][0]},
        ), gaps

    return ask.chart(
        "gaps",
        title,
        made,
        subtitle=_("Installations by free allocation less emissions, % of emissions"),
        summary=f"{title} {text}",
        source=f"{text} {year}",
    )


def _sector_chart(ask: Ask, sectors: pl.DataFrame | None) -> Chart | None:
    """Small charts beside each other: allocation against emissions by sector."""
    if sectors is None or not sectors.height:
        return None
    _ = ask._
    largest = sectors.group_by("sector").agg(pl.col("verified").sum()).sort("verified", descending=True).head(6)["sector"].to_list()
    words = {"allocated": _("Allocated"), "verified": _("Verified")}
    rows = [
        {"year": row["year"], "sector": lw.sector(row["sector"], _) or "-", "value": row[name], "what": words[name]}
        for row in sectors.filter(pl.col("sector").is_in(largest)).sort("year").iter_rows(named=True)
        for name in ("allocated", "verified")
        if row[name] is not None
    ]
    unit = lw.said(lw.MEASURES, ask.market.rulebook.system.measure, _)
    title = _("Which sectors are short?")

    def made() -> Any:
        theme = theme_of(ask)
        scale = {"domain": list(words.values()), "range": [COLOURS[theme][2], COLOURS[theme][1]]}
        encoding = {
            "x": {"field": "year", "type": "ordinal", "axis": {"title": None, "labelAngle": 0, "labelOverlap": True}},
            "y": {"field": "value", "type": "quantitative", "axis": {"title": None, "format": "~s", "tickCount": 3}},
            "xOffset": {"field": "what", "type": "nominal", "sort": list(words.values())},
            "color": {"field": "what", "type": "nominal", "scale": scale, "legend": {"orient": "top", "title": None}},
        }
        spec = {
            "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
            "data": {"values": rows},
            "facet": {
                "field": "sector",
                "type": "nominal",
                "sort": [lw.sector(one, _) or "-" for one in largest],
                "header": {"title": None, "labelAnchor": "start", "labelLimit": 160, "labelColor": INK[theme][0]},
            },
            "columns": 3,
            "spec": {"width": 150, "height": 90, "mark": {"type": "bar"}, "encoding": encoding},
            "resolve": {"scale": {"y": "independent"}},
        }
        return spec, sectors

    return ask.chart(
        "sectors",
        title,
        made,
        subtitle=unit,
        summary=f"{title} {_(', ').join(lw.sector(one, _) or '-' for one in largest)}",
        source=_("The six sectors that emit most, each on a scale of its own."),
    )
