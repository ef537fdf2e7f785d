"""A page for each system, printed from its rulebook: who it is, every value with its history and source, cases, scenarios, open questions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from tonne.interfaces.overview import Overview, overview, plain_number, proposed
from tonne.reports.charts import NothingToDraw

ROOM = 400  # characters of a value in a table of values
CHART_YEARS = range(1990, 2051)
CHARTS = "charts"


def write_pages(folder: Path, books: Mapping[str, Any], day: date) -> list[Path]:
    """Write <id>.md for each rulebook, its charts under charts/, and README.md, the list of them. Returns the files written."""
    written: list[Path] = []
    for name, text in pages(books, day).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def pages(books: Mapping[str, Any], day: date) -> dict[str, str]:
    """File name -> text of every page and chart. The same rulebooks and day give the same text."""
    files: dict[str, str] = {}
    seen: list[Overview] = []
    for system, book in books.items():
        pictures = charts(book)
        one = overview(book, day)
        seen.append(one)
        files[f"{system}.md"] = page(book, one, list(pictures))
        files |= {f"{CHARTS}/{system}-{name}.svg": text for name, text in pictures.items()}
    files["README.md"] = index(seen, day)
    return files


def index(seen: list[Overview], day: date) -> str:
    lines = [
        "# Systems",
        "",
        f"Printed from the rulebooks with `tonne pages docs/systems --on {day}`; do not edit.",
        "",
        "| system | status | design | since | cap, units | coverage, % | entities | price rules | figures | published | gaps |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for one in sorted(seen, key=lambda o: (o.facts["status"] != "in_force", o.facts["id"])):
        f = one.facts
        cap = f"{one.cap[1]:,} ({one.cap[0]})" if one.cap else ""
        cells = (
            f"[{f['name']}]({f['id']}.md)",
            f["status"].replace("_", " "),
            f["design"].replace("_", " "),
            f["begins"] or "no law yet",
            cap,
            one.coverage if one.coverage is not None else "",
            f"{one.entities:,}" if one.entities else "",
            ", ".join(one.price_rules),
            f"{one.values:,}",
            one.cases["published"],
            one.gaps,
        )
        lines.append(_row(cells))
    return "\n".join(lines) + "\n"


def page(book: Any, one: Overview, pictures: list[str]) -> str:
    """One system's page in Markdown."""
    parts = [*_head(book, one, pictures)]
    for topic in dict.fromkeys([*book.rules, *(path.partition(".")[0] for path in book.parameters)]):
        parts += _topic(book, topic)
    parts += [*_cases(book, one), *_scenarios(book), *_gaps(book)]
    return "\n".join(parts).rstrip() + "\n"


def _head(book: Any, one: Overview, pictures: list[str]) -> Iterator[str]:
    s, f = book.system, one.facts
    yield f"# {f['name']}\n"
    yield f"`{s.id}`: {', '.join(text for language, text in s.name.items() if language != 'en')}\n"
    if s.summary:
        yield f"{s.summary}\n"
    since = f"law since {f['begins']}" if f["begins"] else "no law yet: what is proposed holds in a scenario only"
    rows = {
        "status": f"{s.status.replace('_', ' ')}, {since}",
        "design": s.design.replace("_", " "),
        "jurisdiction": s.jurisdiction,
        "unit": f"{s.unit_name}, one for each {s.measure.replace('_', ' ')}; money in {s.currency}",
        "cap": f"{one.cap[1]:,} units in {one.cap[0]}" if one.cap else "",
        "owed": one.obliged,
        "coverage": f"{one.coverage} % of the jurisdiction's emissions" if one.coverage is not None else "",
        "entities": f"{one.entities:,}" if one.entities else "",
        "sold": f"{plain_number(one.auction_share)} % of the cap" if one.auction_share is not None else "",
        "credits": f"limit {one.credit_limit}" if one.credit_limit else "",
        "price rules": ", ".join(one.price_rules),
        "rulebook": f"{one.parameters} parameters, {one.values} dated values ({', '.join(f'{n} {c}' for c, n in one.confidences.items())})",
        "says nothing of": ", ".join(one.missing),
    }
    yield "| | |\n|---|---|\n" + "\n".join(_row((name, text)) for name, text in rows.items() if text) + "\n"
    for name in pictures:
        yield f"![{name.capitalize()} by year]({CHARTS}/{s.id}-{name}.svg)\n"
    if s.links:
        yield "## Links\n\n| with | kind | from | to | source | sure |\n|---|---|---|---|---|---|"
        for link in s.links:
            other = f"[{link.system}]({link.system}.md)" if link.system else link.jurisdiction
            source = f"{link.source}{'. ' + link.note if link.note else ''}"
            yield _row((other, link.kind.replace("_", " "), link.starts, link.ends or "", source, link.confidence))
        yield ""
    if s.notes:
        yield "## Notes\n\n" + "\n".join(f"- {note}" for note in s.notes) + "\n"


def _topic(book: Any, topic: str) -> Iterator[str]:
    from tonne.rules import mechanisms

    known = mechanisms()
    yield f"## {topic.capitalize()}\n"
    for name in book.rules.get(topic, ()):
        asks = ", ".join(f"`{ask}`" for ask in known.get(name, {}))
        yield f"- `{name}` answers {asks}"
    if book.rules.get(topic):
        yield ""
    for path, parameter in book.parameters.items():
        if path.startswith(f"{topic}."):
            yield from _parameter(parameter)
    notes = book.notes.get(topic, ())
    if notes:
        yield "\n".join(f"- {note}" for note in notes) + "\n"


def _parameter(parameter: Any) -> Iterator[str]:
    from tonne.reports.words import compact

    label = parameter.label.get("en") or next(iter(parameter.label.values()), "")
    unit = parameter.unit.replace("_", " ") + (f" by {parameter.by}" if parameter.by else "")
    yield f"**{parameter.path.partition('.')[2]}**: {label} ({unit}{'' if parameter.informative else ', read by rules'})\n"
    yield "| from | value | source | sure |\n|---|---|---|---|"
    for value in parameter.values:
        text = "repealed" if value.content is None else compact(value.content, parameter.unit, ROOM)
        published = f" (published {value.published})" if value.published != value.starts else ""
        status = "" if value.status == "in_force" else f", {value.status}"
        note = f". {value.note}" if value.note else ""
        yield _row((f"{value.starts}{published}", text, f"{value.source}{note}", f"{value.confidence}{status}"))
    yield ""


def _cases(book: Any, one: Overview) -> Iterator[str]:
    from tonne.administration.cases import read_cases

    if not one.cases:
        return
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(one.cases.items()))
    yield f"## Cases\n\n{sum(one.cases.values())} cases: {counts}. The published ones:\n"
    yield "| on | sentence of law | asked | source |\n|---|---|---|---|"
    for path in sorted(Path(book.place).glob("cases/**/*.yaml")):
        for case, _ in read_cases(path):
            if case.kind == "published":
                yield _row((case.on, case.name, f"`{case.ask or case.value}`", case.source))
    yield ""


def _scenarios(book: Any) -> Iterator[str]:
    from tonne.law import scenarios

    names = scenarios(book)
    if names:
        yield "## Scenarios\n\n" + "\n".join(f"- `{name}`: `tonne run {book.system.id} --scenario {name} --synthetic`" for name in names) + "\n"


def _gaps(book: Any) -> Iterator[str]:
    file = Path(book.place) / "gaps.md"
    if file.is_file():
        body = file.read_text(encoding="utf-8").partition("\n")[2].strip()
        yield f"## Open questions\n\n{body.replace(chr(10) + '## ', chr(10) + '### ').removeprefix('## ')}\n"


def _row(cells: Any) -> str:
    return "| " + " | ".join(" ".join(str(cell).split()).replace("|", "\\|") for cell in cells) + " |"


# -- charts


def charts(book: Any) -> dict[str, str]:
    """SVG of what the law lets be drawn: `cap`, `prices`."""
    from tonne.reports import lawcharts
    from tonne.reports.charts import svg
    from tonne.reports.words import plural

    book = proposed(book)
    name, found = book.system.name.get("en", book.system.id), {}
    money = f"{book.system.currency} per {book.system.unit_name}"
    drawings = {
        "cap": lambda: lawcharts.caps(caps_of(book), name, plural(book.system.unit_name)),
        "prices": lambda: lawcharts.prices(prices_of(book), name, money),
    }
    for which, draw in drawings.items():
        try:
            found[which] = svg(draw(), "white")  # read on pages of any colour
        except NothingToDraw:
            continue
    return found


def caps_of(book: Any) -> dict[int, int]:
    """Year -> units, for every year that the law as it stands now can name a cap for."""
    from tonne.administration.asks import answer, asks
    from tonne.law import LawError

    if "cap" not in asks(book) or not book.system.has_law:
        return {}
    found = {}
    for year in CHART_YEARS:
        try:
            units = answer(book.at(max(date(year, 12, 31), book.system.begins)), "cap", (year,))
        except (LawError, ValueError, KeyError):
            continue
        if units is not None:
            found[year] = int(units)
    return found


#: label -> parameters by year that hold it, the first that the rulebook has
PRICES: dict[str, tuple[str, ...]] = {
    "auction floor": ("auction.reserve_price_by_year", "auction.floor_price_by_year"),
    "containment trigger": ("stability.containment_trigger_by_year",),
    "containment trigger 2": ("stability.containment_trigger_2_by_year",),
    "fixed price": (
        "allocation.fixed_price_by_year",
        "auction.fixed_price_by_year",
        "obligation.fixed_price_by_year",
        "stability.fixed_price_by_year",
    ),
    "payment in place of units": ("obligation.payment_price_by_year",),
    "market mean": ("statistics.mean_price", "statistics.price"),
}


def prices_of(book: Any) -> dict[str, dict[int, float]]:
    """Label -> year -> money per unit."""
    found: dict[str, dict[int, float]] = {}
    for label, paths in PRICES.items():
        parameter = next((book.parameters[path] for path in paths if path in book.parameters), None)
        if parameter is None or parameter.by != "year" or not any(v.status != "proposed" or book.includes_proposed for v in parameter.values):
            continue
        table = parameter.at(date.max, None, book.includes_proposed) or {}
        line = {year: float(price) for year, price in table.items() if isinstance(year, int) and isinstance(price, (int, Decimal))}
        if line:
            found[label] = line
    return found
