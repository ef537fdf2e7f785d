"""`tonne systems` and `tonne show`: reading the law. `show` needs neither Polars nor Numba nor Altair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from tonne.interfaces.cli_words import AsJson, Scenario, bold, day, emit, out, say, soft, system_of, today, wrapped

System = Annotated[str, typer.Argument(metavar="SYSTEM", help="a system's id (tonne systems lists them), or the folder of a rulebook")]
On = Annotated[str | None, typer.Option("--on", metavar="DAY", help="the day on which the law is asked; today if left out")]
KnownOn = Annotated[str | None, typer.Option("--known-on", metavar="DAY", help="as far as it had been published by this day")]
Language = Annotated[str, typer.Option("--lang", metavar="LANG", help="labels in en, zh-Hans or zh-Hant")]


# -- systems


def systems(as_json: AsJson = False) -> None:
    """Every system: status, design, unit, cap, price, coverage, and how complete and sure its rulebook is."""
    from tonne.law import RulebookError
    from tonne.law import systems as ids

    found: list[dict[str, Any]] = []
    for name in ids():
        try:
            found.append(_system(name))
        except RulebookError as error:
            say(f"{name}: {error}")
            found.append({"id": name, "faults": len(error.faults)})
    if as_json:
        emit({"systems": found})
        return
    for system in found:
        _print_system(system)
    out(soft("Next: tonne show SYSTEM, tonne asks SYSTEM, tonne check SYSTEM --cases, tonne run SYSTEM --from YEAR --to YEAR --synthetic 1000"))


def _system(name: str) -> dict[str, Any]:
    from tonne.interfaces.api import rulebook
    from tonne.reports.lawpage import confidences, entries

    book = rulebook(name)
    law = book.at(today(book.system.begins))
    cases = _cases(Path(book.place) / "cases")
    return {
        **facts(book),
        "cap": _cap(law),
        "price": _latest(law, ("mean_price", "price", "auction_price"), "_per_"),
        "coverage": _latest(law, ("coverage", "share_of_emissions", "covered_share"), "percent"),
        "parameters": len(book.parameters),
        "topics": sorted({path.partition(".")[0] for path in book.parameters}),
        "cases": sum(cases.values()),
        "published_cases": cases["published"],
        "values_by_confidence": confidences(entries(law)),
    }


def facts(book: Any) -> dict[str, Any]:
    s = book.system
    return {
        "id": s.id,
        "name": s.name.get("en", s.id),
        "names": dict(s.name),
        "status": s.status,
        "design": s.design,
        "begins": s.begins,
        "unit": s.unit_name,
        "unit_code": s.unit_code,
        "measure": s.measure,
        "currency": s.currency,
        "jurisdiction": s.jurisdiction,
    }


def _cases(folder: Path) -> Counter[str]:
    """How many cases of each kind lie in a folder."""
    from tonne.law.text import read

    documents = (read(path).data for path in folder.rglob("*.yaml"))
    return Counter(case.get("kind", "published") for data in documents if isinstance(data, list) for case in data if isinstance(case, dict))


def _cap(law: Any) -> dict[str, Any] | None:
    """The cap of the law's year; None where the system has none before the year is over, or the law cannot say."""
    from tonne.administration.asks import answer, offers
    from tonne.law import LawError

    if not offers(law, "cap"):
        return None
    try:
        return {"year": law.day.year, "units": answer(law, "cap", (law.day.year,))}
    except (LawError, ValueError, KeyError):
        return None


def _latest(law: Any, names: Iterable[str], unit_has: str) -> dict[str, Any] | None:
    """The newest row of the first of these published series that the rulebook has."""
    for name in names:
        path = f"statistics.{name}"
        parameter = law.rulebook.parameters.get(path)
        if parameter is None or unit_has not in parameter.unit or not parameter.by or not law.has(path):
            continue
        rows = {key: value for key, value in law.value(path).items() if isinstance(value, (int, Decimal))}
        if rows:
            key = max(rows, key=lambda k: (isinstance(k, int), str(k).zfill(8)))
            return {parameter.by: key, "value": rows[key], "unit": parameter.unit}
    return None


def _print_system(system: dict[str, Any]) -> None:
    from tonne.reports.words import measure_word

    out(f"{bold(system['id'])}  {system.get('name', '')}")
    if "faults" in system:
        out(f"  its rulebook has {system['faults']} faults: tonne check {system['id']}\n")
        return
    cap, price, coverage = system["cap"], system["price"], system["coverage"]
    code = f" ({system['unit_code']})" if system["unit_code"] != system["unit"] else ""
    sure = ", ".join(f"{name} {count}" for name, count in system["values_by_confidence"].items())
    cases = f"{system['cases']} cases, {system['published_cases']} of them published numbers"
    lines = {
        "status": f"{' '.join((system['status'] + '; ' + system['design']).split('_'))}; law since {system['begins']}; {system['jurisdiction']}",
        "unit": f"{system['unit']}{code}, one for each {measure_word(system['measure'])}; money in {system['currency']}",
        "cap": f"{cap['units']:,} units in {cap['year']}" if cap else "known only after the year, or not tabled",
        "price": _said(price),
        "coverage": _said(coverage).replace(" percent", " % of emissions"),
        "rulebook": f"{system['parameters']} parameters in {len(system['topics'])} topics; {cases}",
        "values": sure,
    }
    for name, text in lines.items():
        if text:
            wrapped(f"  {name:<10}", text)
    out()


def _said(latest: dict[str, Any] | None) -> str:
    if latest is None:
        return ""
    from tonne.reports.words import figure

    by, key = next(iter(latest.items()))
    return f"{figure(latest['value'])} {latest['unit'].replace('_', ' ')} ({key if by == 'year' else f'{by} {key}'})"


# -- show


def show(
    system: System,
    topic: Annotated[str | None, typer.Argument(metavar="TOPIC", help="a topic (auction, stability, ...) or one parameter (topic.name)")] = None,
    on: On = None,
    known_on: KnownOn = None,
    scenario: Scenario = None,
    lang: Language = "en",
    history: Annotated[bool, typer.Option("--history", help="every value there was and will be, not only the one in force")] = False,
    as_json: AsJson = False,
) -> None:
    """The law with its sources: each parameter's value on the day, since when, from where, and how sure."""
    from tonne.reports.lawpage import LANGUAGES, entries

    if lang not in LANGUAGES:
        raise typer.BadParameter(f"{lang!r} is none of {', '.join(LANGUAGES)}", param_hint="--lang")
    law = _law(system, on, known_on, scenario)
    book = law.rulebook
    if topic is not None:
        _must_have(book, topic)
    found = entries(law, topic or "", lang)
    if as_json:
        emit(_law_as_plain(law, topic, found, history))
        return
    names = book.system.name
    out(bold(names.get(lang, names.get("en", book.system.id))))
    known = f", as known on {law.known_on}" if law.known_on else ""
    laid_over = f", scenario {book.scenario}" if book.scenario else ""
    out(f"{book.system.id} on {law.day}{known}{laid_over}")
    if topic is None:
        wrapped("", book.system.summary)
    for name in dict.fromkeys(entry.topic for entry in found):
        _print_topic(book, name, [entry for entry in found if entry.topic == name], history, whole=topic is None or "." not in topic)
    if topic is None and book.system.notes:
        out(f"\n{bold('notes')}")
        for note in book.system.notes:
            wrapped("  - ", note)


def _law(system: str, on: str | None, known_on: str | None, scenario: str | None) -> Any:
    """The law on a day, without the rules: quick to load."""
    from tonne.law import apply_scenario, load

    when, known = day(on, "--on"), day(known_on, "--known-on")
    book = load(system_of(system))
    if scenario:
        book = apply_scenario(book, scenario)
    return book.at(when or today(book.system.begins), known)


def _must_have(book: Any, topic: str) -> None:
    """Raises UnknownParameter with the nearest topic or parameter."""
    from tonne.law import UnknownParameter
    from tonne.law.faults import nearest

    topics = {path.partition(".")[0] for path in book.parameters} | set(book.rules)
    if topic in topics or topic in book.parameters:
        return
    what = "parameter" if "." in topic else "topic"
    hint = nearest(topic, book.parameters if "." in topic else topics)
    raise UnknownParameter(f"{book.system.id} has no {what} {topic!r}; {hint or 'see tonne show ' + book.system.id}")


def _print_topic(book: Any, topic: str, found: list[Any], history: bool, whole: bool) -> None:
    rules = ", ".join(book.rules.get(topic, ())) or "none"
    out(f"\n{bold(topic)}" + (f"   {soft('rules: ' + rules)}" if whole else ""))
    waiting = [entry for entry in found if not entry.in_force and not history]
    for entry in found:
        if entry.in_force or history:
            _print_entry(entry, history)
    if waiting:
        wrapped("  ", f"no value yet: {', '.join(entry.name for entry in waiting)} (--history shows what is coming)")
    if whole:
        for note in book.notes.get(topic, ()):
            wrapped("  note: ", note)


def _print_entry(entry: Any, history: bool) -> None:
    unit = f" {entry.unit}" + (f" by {entry.by}" if entry.by else "")
    out(f"  {bold(entry.name)}" + (f"  {soft(entry.label)}" if entry.label else ""))
    wrapped("      ", entry.text + (soft(unit) if entry.value is not None and entry.unit != "text" else ""))
    if history:
        _print_history(entry)
        return
    for number, source in enumerate(entry.sources):
        if number == 2 and len(entry.sources) > 3:
            wrapped("      ", f"and {len(entry.sources) - 2} earlier sources of other rows (--history shows them)")
            break
        status = "" if source.status == "in_force" else f", {source.status}"
        keys = f" ({_keys(source.keys)})" if len(entry.sources) > 1 and source.keys else ""
        wrapped("      ", f"since {source.starts}{keys}: {source.source} [{source.confidence}{status}]")


def _keys(keys: tuple[Any, ...]) -> str:
    return ", ".join(map(str, keys)) if len(keys) <= 4 else f"{keys[0]}, {keys[1]}, ... {keys[-1]}"


def _print_history(entry: Any) -> None:
    from tonne.reports.words import compact

    for value in entry.history:
        text = "repealed" if value.content is None else compact(value.content, entry.unit)
        published = f", published {value.published}" if value.published != value.starts else ""
        status = "" if value.status == "in_force" else f", {value.status}"
        wrapped("      ", f"{value.starts}{published}: {text} | {value.source} [{value.confidence}{status}]")
        if value.note:
            wrapped("        note: ", value.note)


def _law_as_plain(law: Any, topic: str | None, found: list[Any], history: bool) -> dict[str, Any]:
    book = law.rulebook
    topics = {entry.topic for entry in found}
    return {
        "system": facts(book),
        "on": law.day,
        "known_on": law.known_on,
        "scenario": book.scenario or None,
        "rules": {name: list(rules) for name, rules in book.rules.items() if topic is None or name in topics},
        "parameters": [entry_as_plain(entry, history) for entry in found],
        "notes": list(book.system.notes) if topic is None else [note for name in sorted(topics) for note in book.notes.get(name, ())],
    }


def entry_as_plain(entry: Any, history: bool) -> dict[str, Any]:
    first = entry.sources[0] if entry.sources else None
    names = ("published", "source", "confidence", "status", "note")
    plain = {
        "parameter": entry.path,
        "label": entry.label,
        "in_force": entry.in_force,
        "value": entry.value,
        "unit": entry.unit,
        "by": entry.by,
        "since": first.starts if first else None,
        "published": first.published if first else None,
        "source": first.source if first else None,
        "confidence": first.confidence if first else None,
        "status": first.status if first else None,
        "informative": entry.informative,
        "note": entry.note,
        "sources": [
            {
                "from": s.starts,
                "published": s.published,
                "source": s.source,
                "confidence": s.confidence,
                "status": s.status,
                "keys": s.keys,
                "note": s.note,
            }
            for s in entry.sources
        ],
    }
    if history:
        names = ("published", "source", "confidence", "status", "note")
        plain["history"] = [{"from": v.starts, "value": v.content, **{name: getattr(v, name) for name in names}} for v in entry.history]
    return plain
