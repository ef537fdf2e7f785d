"""`tonne show`: reading the law. It needs neither Polars nor Numba nor Altair."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tonne.interfaces.cli_words import AsJson, Scenario, bold, day, emit, out, soft, system_of, today, wrapped
from tonne.interfaces.overview import facts

System = Annotated[str, typer.Argument(metavar="SYSTEM", help="a system's id (tonne systems lists them), or the folder of a rulebook")]
On = Annotated[str | None, typer.Option("--on", metavar="DAY", help="the day on which the law is asked; today if left out")]
KnownOn = Annotated[str | None, typer.Option("--known-on", metavar="DAY", help="as far as it had been published by this day")]
Language = Annotated[str, typer.Option("--lang", metavar="LANG", help="labels in en, zh-Hans or zh-Hant")]


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
    if topic is None and book.system.links:
        out(f"\n{bold('links')}")
        for link in book.system.links:
            until = f" until {link.ends}" if link.ends else ""
            wrapped(
                "  - ",
                f"{link.kind.replace('_', ' ')} {link.system or link.jurisdiction} from {link.starts}{until}: {link.source} [{link.confidence}]",
            )
            if link.note:
                wrapped("    ", link.note)
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
