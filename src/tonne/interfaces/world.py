"""The world's carbon markets in figures: gathered from all rulebooks, set beside published statistics, checked against them, drawn."""

from __future__ import annotations

import importlib.metadata
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from tonne.reports import worldcharts
from tonne.reports.charts import NothingToDraw, Row, png, svg
from tonne.reports.worldcharts import STATUSES, Section
from tonne.reports.worlddata import Figure, WorldData, statistics

FIRST_YEAR = 2005
AGREES, COPY, DIFFERS, NOTHING = "agrees", "same source", "differs", "no figure"
#: Millions of tonnes in a million units of a measure. What is not a mass of greenhouse gas is in no sum.
MEASURES = {"tonne": 1.0, "short_ton": 0.90718474, "kilogram": 0.001}
MILLIONS = {"tCO2e": 1e-6, "tCO2": 1e-6, "million_tCO2e": 1.0, "MtCO2e": 1.0, "ktCO2e": 1e-3, "short_ton_co2": 0.90718474e-6}
REPORTED = ("verified_emissions", "covered_emissions", "coverage_emissions")  # of statistics, by year
LIMITS = {"credits.limit_share": 100, "credits.limit_pct": 1}
BASE_AGE = 4  # years: an older cap or report is no base of a limit
#: A rulebook's own sources that are the documents the published figures come from: what agrees then is a copy, no proof.
SAME = re.compile(r"\bseed\b|status report 2025|world bank, carbon pricing dashboard", re.IGNORECASE)
#: Designs under which only what exceeds a baseline is owed: the base of a limit is not the emissions.
OVER_A_BASELINE = ("baseline_and_credit", "output_based")


@dataclass(frozen=True)
class Amount:
    """Million tonnes of a year: a `cap` or `reported`; `same` where the rulebook itself has them from the documents."""

    mt: float
    kind: str
    same: bool


@dataclass(frozen=True)
class Market:
    """What one rulebook says that the pictures need.

    emissions  year -> amount, as known now; `known` as known on the day whose state the limits on credits show
    copied     which of `limit`, `coverage` the rulebook has from the documents themselves
    """

    id: str
    name: str
    status: str
    level: str
    design: str
    coverage: Any
    sectors: tuple[str, ...]
    coming: tuple[str, ...]
    limit: Decimal | int | None
    emissions: Mapping[int, Amount]
    known: Mapping[int, Amount]
    revenue: Mapping[int, float]
    copied: frozenset[str] = frozenset()

    @property
    def in_force(self) -> bool:
        return self.status == "in_force"


@dataclass(frozen=True)
class Check:
    """A published figure beside ours. `verdict`: agrees, same source (ours is a copy of it), differs, no figure (of ours)."""

    chart: str
    what: str
    published: str
    ours: str
    verdict: str
    remark: str = ""

    @property
    def agrees(self) -> bool:
        return self.verdict == AGREES


@dataclass(frozen=True)
class Gathered:
    """Everything the pictures are made of, on a day. `remarks` name what was left out."""

    day: date
    markets: tuple[Market, ...]
    data: WorldData
    remarks: tuple[str, ...] = ()
    checks: tuple[Check, ...] = field(default=())

    @property
    def in_force(self) -> tuple[Market, ...]:
        return tuple(market for market in self.markets if market.in_force)


def gather(day: date) -> Gathered:
    """Read every rulebook; one that is not sound is left out and named."""
    from tonne.interfaces.api import rulebook
    from tonne.law import LawError, systems

    data, markets, remarks = statistics(), [], []
    for name in systems():
        try:
            markets.append(_market(rulebook(name), day, _state_day(data)))
        except (LawError, ValueError, KeyError, TypeError, ArithmeticError) as error:
            remarks.append(f"{name} is left out, its rulebook cannot be read now: {str(error).splitlines()[0]}")
    known = {market.id for market in markets}
    strangers = sorted({figure.system for figure in data.figures if figure.system} - known)
    if strangers:
        remarks.append(f"Published figures of systems that have no sound rulebook here: {', '.join(strangers)}.")
    found = Gathered(day, tuple(markets), data, tuple(remarks))
    return Gathered(day, found.markets, data, found.remarks, tuple(_checks(found)))


def _state_day(data: WorldData) -> date:
    """The day whose state the published limits on credits show: our law is asked as it stood and was known then."""
    return max(figure.as_of for figure in data["credit_limit"])


def _market(book: Any, day: date, limit_day: date) -> Market:
    from tonne.interfaces.overview import overview

    one = overview(book, day)
    now, coming = _sectors(book, day)
    return Market(
        id=book.system.id,
        name=one.facts["name"],
        status=book.system.status,
        level=book.system.level,
        design=book.system.design,
        coverage=one.coverage,
        sectors=now,
        coming=coming,
        limit=_limit(book, limit_day),
        emissions=_emissions(book),
        known=_emissions(book, limit_day),
        revenue=_revenue(book),
        copied=frozenset(what for what, paths in COPIED.items() if _is_copy(book, paths, limit_day if what == "limit" else date.max)),
    )


COPIED = {
    "limit": tuple(LIMITS),
    "coverage": ("statistics.coverage_share", "statistics.coverage", "statistics.share_of_emissions", "statistics.covered_share"),
}


def _is_copy(book: Any, paths: Sequence[str], day: date) -> bool:
    """Whether the newest value of the first parameter there is names one of the documents as its source."""
    for path in paths:
        visible = book.parameters[path].visible(day) if path in book.parameters else ()
        if visible:
            return _same(visible[-1])
    return False


def _same(value: Any) -> bool:
    return value.confidence == "seed" or SAME.search(value.source) is not None


def _sectors(book: Any, day: date) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The sectors in force on a day, and those that are adopted, proposed or planned beyond them."""
    now: tuple[str, ...] = ()
    later: list[str] = []
    for path in ("scope.sectors", "scope.planned_sectors"):
        parameter = book.parameters.get(path)
        for value in parameter.values if parameter else ():
            words = (value.content,) if isinstance(value.content, str) else tuple(value.content or ())
            if path == "scope.sectors" and value.starts <= day and value.status != "proposed" and book.system.status == "in_force":
                now = words
            elif path == "scope.planned_sectors" or value.starts > day or value.status == "proposed" or book.system.status != "in_force":
                later += words
    return now, tuple(dict.fromkeys(later))


def _limit(book: Any, day: date) -> Any:
    """Per cent of the duty that credits may meet on a day: 0 where the law admits none, None where it does not say."""
    for path, factor in LIMITS.items():
        parameter = book.parameters.get(path)
        visible = parameter.visible(day) if parameter else ()
        if not visible:
            continue
        content = parameter.at(day)
        if isinstance(content, Mapping):
            years = [key for key in content if isinstance(key, int) and key <= day.year]
            content = content[max(years)] if years else None
        if content is None or isinstance(content, (int, Decimal)):
            return (content or 0) * factor
    return None


def _emissions(book: Any, known_on: date | None = None) -> dict[int, Amount]:
    """By year: the cap where the law names one, else what was reported."""
    factor = MEASURES.get(book.system.measure)
    if factor is None:
        return {}
    found: dict[int, Amount] = {}
    for name in REPORTED:
        parameter = book.parameters.get(f"statistics.{name}")
        if parameter is None or parameter.by != "year" or parameter.unit not in MILLIONS:
            continue
        visible = parameter.visible(date.max, known_on)
        for year, value in (parameter.at(date.max, known_on) or {}).items() if visible else ():
            if isinstance(year, int) and isinstance(value, (int, Decimal)):
                found.setdefault(year, Amount(float(value) * MILLIONS[parameter.unit], "reported", _copied_year(visible, year)))
    ruling = [p for path, p in book.parameters.items() if path.startswith("cap.") and p.by == "year" and not p.informative]
    tables = [parameter.visible(date.max, known_on) for parameter in ruling]
    for year, units in _caps(book, known_on).items():
        found[year] = Amount(units * factor / 1e6, "cap", any(_copied_year(values, year) for values in tables))
    return found


def _copied_year(values: Iterable[Any], year: int) -> bool:
    """Whether the newest value for a year comes from the documents."""
    holding = [value for value in values if isinstance(value.content, Mapping) and year in value.content]
    return bool(holding) and _same(holding[-1])


def _caps(book: Any, known_on: date | None) -> dict[int, int]:
    """Year -> units, as known on a day; all that is known when left out."""
    from tonne.administration.asks import answer, asks
    from tonne.interfaces.systempage import caps_of
    from tonne.law import LawError

    if known_on is None:
        return caps_of(book)
    found = {}
    if "cap" in asks(book) and book.system.has_law:
        for year in range(FIRST_YEAR, known_on.year + 1):
            try:
                units = answer(book.at(max(date(year, 12, 31), book.system.begins), known_on), "cap", (year,))
            except (LawError, ValueError, KeyError):
                continue
            if units is not None:
                found[year] = int(units)
    return found


def _revenue(book: Any) -> dict[int, float]:
    """Million dollars by year, where the rulebook has them."""
    parameter = book.parameters.get("statistics.revenue")
    if parameter is None or parameter.unit != "million_USD" or parameter.by != "year":
        return {}
    return {year: float(value) for year, value in (parameter.at(date.max) or {}).items() if isinstance(value, (int, Decimal))}


# -- rows of the pictures


def share_rows(found: Gathered) -> list[Row]:
    return [{"system": f.name, "year": f.year, "value": f.number} for f in found.data["covered_share_by_system"]]


def volume_rows(found: Gathered) -> list[Row]:
    """Gt by system in force and year; after a year with a figure the last known one stands."""
    last = max((f.year or 0 for f in found.data["covered_emissions"]), default=found.day.year)
    rows = []
    for market in found.in_force:
        value = None
        for year in range(FIRST_YEAR, last + 1):
            amount = market.emissions.get(year)
            value = amount.mt if amount else value
            if value is not None:
                rows.append({"system": market.id, "year": year, "value": value / 1000, "kind": amount.kind if amount else "carried"})
    return rows


def sector_rows(found: Gathered) -> tuple[list[Row], list[str]]:
    """System, group, sector, when; and remarks on sectors that no word of ours covers."""
    rows: list[Row] = []
    unread: list[str] = []
    for market in found.markets:
        if market.status not in STATUSES:
            continue
        group = "In force" if market.in_force else "Coming"
        share = f"{float(market.coverage):.3g} %" if market.coverage is not None else ""
        told: dict[str, tuple[str, str]] = {}
        strange: list[str] = []
        for when, words in (("in force", market.sectors), ("coming", market.coming)):
            for text in words:
                columns = columns_of(text, found.data.sectors)
                if not columns:
                    unread.append(f"{market.id}: {text}")
                    strange.append(text)
                for column in columns:
                    told.setdefault(column, (when, text))
        said = share if told else f"{share} {', '.join(strange) or 'no sectors said'}".strip()
        lines = [(column, when, text) for column, (when, text) in told.items()] or [("", "", "")]
        rows += [{"system": market.id, "group": group, "sector": c, "when": w, "words": t, "share": said} for c, w, t in lines]
    return rows, unread


def columns_of(text: str, sectors: Mapping[str, Sequence[str]]) -> list[str]:
    """The sectors of the wheel that a rulebook's own words name. The longest phrase is read first, and what is read is not read again."""
    left = re.sub(r"\(.*?\)", " ", text.lower().replace("_", " ")) if not text.startswith("(") else text.lower()
    phrases = sorted(((phrase, column) for column, words in sectors.items() for phrase in words), key=lambda item: -len(item[0]))
    found = []
    for phrase, column in phrases:
        left, count = re.subn(rf"\b{re.escape(phrase)}s?\b", " ", left)
        if count and column not in found:
            found.append(column)
    return sorted(found, key=list(sectors).index)


def credit_rows(found: Gathered) -> list[Row]:
    """Limit times base of each system, and the printed demand."""
    rows = []
    printed, limits = found.data["credit_demand"], found.data["credit_limit"]
    last = max((f.year or 0 for f in limits), default=found.day.year)
    for market in found.in_force:
        figure, limit, told = printed.of(market.id), market.limit, limits.of(market.id)
        if not (limit or figure or (told and told.value)):
            continue
        years = [year for year in market.known if last - BASE_AGE <= year <= last]
        year = figure.year if figure and figure.year else max(years, default=None)
        base = market.known.get(year) if year else None
        ours = float(limit) / 100 * base.mt if limit and base and market.design not in OVER_A_BASELINE else None
        rows.append(
            {
                "system": market.id,
                "limit": f"{_plain(limit)} %" if limit is not None else "not said",
                "ours": ours,
                "printed": figure.number if figure else None,
                "digits": _digits(figure),
                "year": year,
                "base": base.mt if base else None,
                "same": bool(base and base.same),
            }
        )
    return rows


def price_rows(found: Gathered) -> list[Row]:
    """System, price in dollars, covered million tonnes, and whether these are an estimate from the share of the world's emissions."""
    rows = []
    world = max(found.data["world_emissions"], key=lambda f: f.year or 0).number * 1000
    for market in found.in_force:
        figure = found.data["price_usd"].of(market.id)
        if figure is None or figure.year is None:
            continue
        years = [year for year in market.emissions if year <= figure.year]
        share = found.data["covered_share_by_system"].of(market.id)
        if years:
            newest = market.emissions[max(years)]
            mt, estimated, basis = newest.mt, False, f"{newest.kind} {max(years)}"
        elif share is not None and share.number:
            mt, estimated, basis = share.number / 100 * world, True, f"{share.value} % of {world:,.0f} Mt"
        else:
            mt, estimated, basis = None, False, "not known"
        rows.append({"system": market.id, "price": figure.number, "mt": mt, "estimated": estimated, "basis": basis})
    return rows


def revenue_rows(found: Gathered) -> list[Row]:
    """Published million dollars by system and year; a rulebook fills in where a year's publication has no row of others."""
    rows = [{"system": f.name, "year": f.year, "value": f.number, "source": f"{f.document}: {f.source}"} for f in found.data["revenue"]]
    known = {(row["system"], row["year"]) for row in rows}
    whole = {f.year for f in found.data["revenue"] if not f.system}
    years = {row["year"] for row in rows} - whole
    for market in found.markets:
        for year, value in market.revenue.items():
            if year in years and value and (market.id, year) not in known:
                rows.append({"system": market.id, "year": year, "value": value, "source": "rulebook, statistics.revenue"})
    return rows


def total_rows(found: Gathered) -> list[Row]:
    return [{"year": f.year, "value": f.number, "text": f"about {f.number / 1000:,.0f}"} for f in found.data["revenue_totals"]]


def status_rows(found: Gathered) -> list[Row]:
    """Every system with its status here, and how the report has it where that differs."""
    published = {f.system: f for f in found.data["system_status"]}
    rows = []
    for market in found.markets:
        told = published.get(market.id)
        theirs = "" if told is None else str(told.value).replace("_", " ")
        differs = "" if told and told.value == market.status else f"report: {theirs}" if told else "not in the report"
        if differs and told and not told.published:
            differs += " (inferred)"
        rows.append({"system": market.id, "name": market.name, "status": market.status, "level": market.level, "differs": differs})
    return rows


def count_rows(found: Gathered) -> list[Row]:
    printed = found.data["systems_by_status"]
    return [
        {"status": name, "ours": sum(1 for market in found.markets if market.status == name), "printed": figure.shown if figure else "-"}
        for name in STATUSES
        for figure in (printed.of(name),)
    ]


# -- checks


def _checks(found: Gathered) -> Iterable[Check]:
    yield from _status_checks(found)
    yield from _volume_checks(found)
    yield from _coverage_checks(found)
    yield from _credit_checks(found)
    yield from _revenue_checks(found)
    yield from _band_checks(found)


def _verdict(agrees: bool, copied: bool = False) -> str:
    return (COPY if copied else AGREES) if agrees else DIFFERS


def _status_checks(found: Gathered) -> Iterable[Check]:
    published = {f.system: f for f in found.data["system_status"]}
    ours = {market.id: market.status for market in found.markets}
    for count in count_rows(found):
        status = count["status"]
        more = [name for name, mine in ours.items() if mine == status and (name not in published or published[name].value != status)]
        less = [
            f"{name} (here {ours.get(name, 'not there')}{'' if told.published else '; there inferred'})"
            for name, told in published.items()
            if told.value == status and ours.get(name) != status
        ]
        remark = "; ".join(f"{where} only: {', '.join(names)}" for where, names in (("here", more), ("there", less)) if names)
        agrees = str(count["ours"]) == count["printed"] and not remark
        yield Check("status", f"systems {status.replace('_', ' ')}", count["printed"], str(count["ours"]), _verdict(agrees), remark)
    for figure in found.data["systems_by_level"]:
        mine = sum(1 for market in found.in_force if market.level == figure.of)
        what = f"systems in force, {figure.of} ({figure.confidence})"
        yield Check("status", what, figure.shown, str(mine), _verdict(mine == figure.value), figure.note)


def _volume_checks(found: Gathered) -> Iterable[Check]:
    rows = volume_rows(found)
    for figure in found.data["covered_emissions"]:
        ours = sum(row["value"] for row in rows if row["year"] == figure.year)
        agrees = ours >= figure.number if figure.reads == "at_least" else abs(ours - figure.number) <= 0.05
        there = {row["system"] for row in rows if row["year"] == figure.year}
        silent = [market.id for market in found.in_force if market.id not in there]
        carried = sum(row["value"] for row in rows if row["year"] == figure.year and row["kind"] == "carried")
        remark = f"{carried:.2f} of it carried from an earlier year; {len(silent)} systems of today without a figure" if carried else ""
        yield Check("coverage", f"Gt covered in {figure.year}", figure.shown, f"{ours:.2f}", _verdict(agrees), remark)
    shares = share_rows(found)
    for figure in found.data["covered_share"]:
        parts = [row["value"] for row in shares if row["year"] == figure.year]
        if parts:
            agrees = abs(sum(parts) - figure.number) < 0.55
            told = "sum of the World Bank's shares by system"
            yield Check("coverage", f"% of world emissions in {figure.year}", figure.shown, f"{sum(parts):.1f}", _verdict(agrees), told)


def _coverage_checks(found: Gathered) -> Iterable[Check]:
    for figure in found.data["coverage_wheel"]:
        market = next((m for m in found.markets if m.id == figure.system), None)
        if market is None or not figure.published:
            continue
        ours = "none" if market.coverage is None else _plain(market.coverage)
        agrees = market.coverage is not None and abs(float(market.coverage) - figure.number) < 0.5
        verdict = NOTHING if market.coverage is None else _verdict(agrees, "coverage" in market.copied)
        yield Check("sectors", f"{market.id}: % of its emissions", figure.shown, ours, verdict, figure.note)


def _credit_checks(found: Gathered) -> Iterable[Check]:
    limits = found.data["credit_limit"]
    for market in found.markets:
        told = limits.of(market.id)
        if told is None:
            continue
        ours = "not said" if market.limit is None else f"{_plain(market.limit)}"
        agrees = market.limit is not None and float(market.limit) == told.number
        verdict = NOTHING if market.limit is None else _verdict(agrees, "limit" in market.copied)
        yield Check("credits", f"{market.id}: limit, % of the duty", told.shown, ours, verdict, told.note)
    for row in credit_rows(found):
        if row["printed"] is None:
            continue
        what = f"{row['system']}: demand, Mt"
        if row["ours"] is None:
            remark = "owed above a baseline: the base is no sum of emissions" if row["base"] else "no base is known"
            yield Check("credits", what, f"{row['printed']:,}", "not known", NOTHING, remark)
            continue
        agrees = abs(row["ours"] - row["printed"]) <= 0.5 * 10 ** -row["digits"] + 1e-9
        remark = f"{row['limit']} of {row['base']:,.2f} Mt ({row['year']})"
        yield Check("credits", what, f"{row['printed']:,}", f"{row['ours']:,.2f}", _verdict(agrees, row["same"]), remark)


def _revenue_checks(found: Gathered) -> Iterable[Check]:
    for market in found.markets:
        for year, value in market.revenue.items():
            told = found.data["revenue"].of(market.id, year)
            if told is not None:
                what = f"{market.id} {year}, million USD"
                yield Check("revenue", what, told.shown, f"{value:,.1f}", _verdict(abs(value - told.number) < 0.06, copied=True))
    for figure in found.data["revenue_totals"]:
        parts = [f.number for f in found.data["revenue"] if f.year == figure.year]
        if parts:
            agrees = abs(sum(parts) / figure.number - 1) < 0.02
            remark = "sum of the figures by system; within 2 %"
            yield Check("revenue", f"sum of {figure.year}, million USD", figure.shown, f"{sum(parts):,.0f}", _verdict(agrees), remark)


def _band_checks(found: Gathered) -> Iterable[Check]:
    rows = [row for row in price_rows(found) if row["mt"]]
    whole = sum(row["mt"] for row in rows)
    for figure in found.data["price_band_shares"]:
        low, _, high = figure.of.partition("-")
        inside = sum(row["mt"] for row in rows if float(low) <= row["price"] and (not high or row["price"] < float(high)))
        ours = 100 * inside / whole if whole else 0.0
        agrees = ours >= figure.number if figure.reads == "at_least" else abs(ours - figure.number) <= 3
        what = f"% of covered emissions at {low} to {high} USD" if high else f"% of covered emissions at {low} USD and more"
        remark = "" if agrees else "ours: prices of 1 April 2024; the report: means of the year"
        remark = "within 3 points" if agrees and figure.reads == "about" else remark
        yield Check("prices", what, figure.shown, f"{ours:.1f}", _verdict(agrees), remark)


# -- pictures and page


def drawings(found: Gathered) -> dict[str, Callable[[], Any]]:
    """Name -> how it is drawn, in the order of the page."""
    data = found.data
    points = [{"year": f.year, "value": f.number, "text": f"{f.shown} %"} for f in data["covered_share"]]
    tonnes = [{"year": f.year, "value": f.number, "text": f"{f.shown} Gt"} for f in data["covered_emissions"]]
    return {
        "status": lambda: worldcharts.status(status_rows(found), count_rows(found)),
        "coverage": lambda: worldcharts.coverage(share_rows(found), points, volume_rows(found), tonnes, data.colours),
        "sectors": lambda: worldcharts.sectors(sector_rows(found)[0], list(data.sectors)),
        "prices": lambda: worldcharts.prices(price_rows(found), data.bands),
        "credits": lambda: worldcharts.credits(credit_rows(found)),
        "revenue": lambda: worldcharts.revenue(revenue_rows(found), total_rows(found), data.colours),
    }


TITLES = {
    "status": "Systems by status",
    "coverage": "World emissions covered",
    "sectors": "Sectors by system",
    "prices": "Prices and volume",
    "credits": "Demand for credits",
    "revenue": "Revenue",
}


def pictures(found: Gathered, names: Sequence[str] = ()) -> tuple[dict[str, Any], dict[str, str]]:
    """The charts that can be drawn, and for the others the reason why not. Raises KeyError for a name there is not."""
    ways = drawings(found)
    drawn: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for name in names or ways:
        try:
            drawn[name] = ways[name]()
        except NothingToDraw as reason:
            missing[name] = str(reason)
    return drawn, missing


def write(found: Gathered, folder: Path, names: Sequence[str] = ()) -> tuple[list[Path], dict[str, str]]:
    """PNG and SVG of each chart, and world.html with all of them. Gives the files, and why charts are missing."""
    drawn, missing = pictures(found, names)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, picture in drawn.items():
        for path, content in ((folder / f"{name}.png", png(picture)), (folder / f"{name}.svg", svg(picture, "white").encode())):
            path.write_bytes(content)
            written.append(path)
    path = folder / "world.html"
    path.write_text(page(found, drawn, missing), encoding="utf-8")
    return [*written, path], missing


def page(found: Gathered, drawn: Mapping[str, Any], missing: Mapping[str, str]) -> str:
    from tonne.reports.page import inline

    sections = [
        Section(name, TITLES[name], inline(svg(drawn[name]), name) if name in drawn else "", missing.get(name, ""), *_tables(found, name))
        for name in TITLES
        if name in drawn or name in missing
    ]
    documents = list(dict.fromkeys(f"{title}, known on {_known(found, title)}" for title in found.data.documents.values()))
    return worldcharts.page(sections, str(found.day), found.remarks, documents, _version())


GROUPS = {
    "status": ("systems_by_status", "jurisdictions_by_level", "systems_by_level"),
    "coverage": ("covered_share", "covered_emissions", "covered_share_totals", "covered_growth"),
    "sectors": ("coverage_wheel", "coverage_2021"),
    "prices": ("price_usd", "price_band_shares", "price_usd_documents"),
    "credits": ("credit_limit", "credit_demand", "credit_counts"),
    "revenue": ("revenue_totals", "revenue_cumulative", "revenue"),
}


def _tables(found: Gathered, name: str) -> tuple[tuple[Any, ...], tuple[str, ...]]:
    """The checks, our rows, and the published figures of a chart; and remarks."""
    tables: list[Any] = []
    checks = [check for check in found.checks if check.chart == name]
    if checks:
        rows = tuple((c.what, c.published, c.ours, c.verdict, c.remark) for c in checks)
        tables.append((f"Published against ours: {tally(checks)}", ("figure", "published", "ours", "", "remark"), rows))
    own = _own_rows(found, name)
    if own:
        tables.append(own)
    for group_name in GROUPS[name]:
        group = found.data[group_name]
        cells = tuple(_cells(figure) for figure in group)
        tables.append((f"{group.what} ({group.unit.replace('_', ' ')})", ("of", "year", "figure", "confidence", "source", "note"), cells))
    notes = [found.data[group].note for group in GROUPS[name] if found.data[group].note]
    unread = sector_rows(found)[1] if name == "sectors" else []
    if unread:
        notes.append(f"Named without a sector of the wheel: {'; '.join(unread)}.")
    if name == "prices":
        out = [row["system"] for row in price_rows(found) if not row["mt"]]
        priced = {row["system"] for row in price_rows(found)}
        notes.append(f"Without a price in dollars: {', '.join(m.id for m in found.in_force if m.id not in priced) or 'none'}.")
        notes += [f"Without covered emissions: {', '.join(out)}."] if out else []
    return tuple(tables), tuple(notes)


def tally(checks: Iterable[Check]) -> str:
    """`3 agree, 1 same source, 2 differ`."""
    counts = Counter(check.verdict for check in checks)
    words = {AGREES: "agree", COPY: "only copied from the same source", DIFFERS: "differ", NOTHING: "without a figure of ours"}
    return ", ".join(f"{counts[verdict]} {word}" for verdict, word in words.items() if counts[verdict])


def _own_rows(found: Gathered, name: str) -> Any:
    if name == "status":
        rows = status_rows(found)
        cells = tuple((r["system"], r["name"], r["status"].replace("_", " "), r["level"], r["differs"]) for r in rows)
        return "Systems here", ("system", "name", "status", "level", "where the report differs"), cells
    if name == "prices":
        rows = sorted(price_rows(found), key=lambda row: -row["price"])
        cells = tuple((r["system"], f"{r['price']:,.2f}", f"{r['mt']:,.1f}" if r["mt"] else "", r["basis"]) for r in rows)
        return "Bars of the chart", ("system", "USD per tonne", "Mt", "width is"), cells
    if name == "coverage":
        last = max(row["year"] for row in volume_rows(found)) if volume_rows(found) else 0
        rows = sorted((row for row in volume_rows(found) if row["year"] == last), key=lambda row: -row["value"])
        cells = tuple((r["system"], f"{r['value'] * 1000:,.1f}", r["kind"]) for r in rows)
        return f"Emissions covered in {last}, our rulebooks", ("system", "Mt", "kind (carried: the last figure before)"), cells
    return None


def _cells(figure: Figure) -> tuple[str, ...]:
    source = f"{figure.document}: {figure.source} (known {figure.known_on})"
    return (figure.name or "world", str(figure.year or ""), figure.shown.replace("_", " "), figure.confidence, source, figure.note)


def as_plain(found: Gathered, names: Sequence[str] = ()) -> dict[str, Any]:
    """For `--json`."""
    rows: dict[str, Callable[[], Any]] = {
        "status": lambda: {"counts": count_rows(found), "systems": status_rows(found)},
        "coverage": lambda: {"share_percent": share_rows(found), "gt": volume_rows(found)},
        "sectors": lambda: sector_rows(found)[0],
        "prices": lambda: price_rows(found),
        "credits": lambda: credit_rows(found),
        "revenue": lambda: revenue_rows(found),
    }
    kept = names or tuple(TITLES)
    checks = [vars(check) for check in found.checks if check.chart in kept]
    return {"day": found.day, "charts": {name: rows[name]() for name in kept}, "checks": checks, "remarks": list(found.remarks)}


def _known(found: Gathered, title: str) -> date:
    return max(figure.known_on for figure in found.data.figures if figure.document == title)


def _digits(figure: Figure | None) -> int:
    """Decimals of a printed figure."""
    return max(0, -int(figure.value.as_tuple().exponent)) if figure is not None and isinstance(figure.value, Decimal) else 0


def _plain(value: Any) -> str:
    from tonne.interfaces.overview import plain_number

    return plain_number(value)


def _version() -> str:
    try:
        return importlib.metadata.version("tonne")
    except importlib.metadata.PackageNotFoundError:
        return ""
