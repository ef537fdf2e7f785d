"""`tonne mechanisms` and `tonne words`: what a rulebook may choose, and the words it may be written with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from tonne.interfaces.cli_words import AsJson, bold, emit, out, soft, wrapped

WORDS = ("topics", "units", "tasks", "designs", "statuses", "links", "confidences")


def mechanisms(
    word: Annotated[str | None, typer.Argument(metavar="[WORD]", help="a mechanism, or a word of its name, questions, figures or topic")] = None,
    as_json: AsJson = False,
) -> None:
    """What a rulebook may choose under `rules:`: the questions each mechanism answers, the figures it reads, and who has it."""
    found = [one for one in _all() if word is None or _speaks_of(one, word.lower())]
    if as_json:
        emit({"mechanisms": found})
        return
    if not found:
        from tonne.law.faults import nearest

        names = {one["mechanism"] for one in _all()}
        raise ValueError(f"no mechanism speaks of {word!r}; {nearest(str(word), names) or 'tonne mechanisms lists all'}")
    whole = len(found) <= 6 or any(one["mechanism"] == word for one in found)
    for one in [one for one in found if one["mechanism"] == word] or found:
        _print(one, whole)
    if not whole:
        out(soft(f"\n{len(found)} mechanisms. One of them whole: tonne mechanisms NAME"))


def _all() -> list[dict[str, Any]]:
    """Every mechanism with its asks, the parameters that it reads, and the systems that chose it, by topic."""
    from tonne.law import load, systems
    from tonne.rules import mechanisms as known

    books = {name: load(name) for name in systems()}
    users: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, book in books.items():
        for mechanism, topic in book.mechanisms.items():
            users[mechanism].append((name, topic))
    found = []
    for name, asks in known().items():
        chosen = users.get(name, [])
        topics = [topic for _, topic in chosen]
        topic = max(sorted(set(topics)), key=topics.count) if topics else ""
        parameters: dict[str, dict[str, Any]] = {}
        for rule in asks.values():
            for parameter, required in rule.parameters.items():
                path = parameter.replace("__", ".", 1) if "__" in parameter else f"{topic}.{parameter}"
                shape = parameters.setdefault(path, {"required": False, **_shape(path, books, [system for system, _ in chosen])})
                shape["required"] = shape["required"] or required
        questions = [{"ask": rule.ask, "given": dict(rule.given), "unit": rule.unit, "says": rule.summary} for rule in asks.values()]
        found.append({"mechanism": name, "topic": topic, "asks": questions, "parameters": parameters, "systems": [system for system, _ in chosen]})
    return sorted(found, key=lambda one: (one["topic"], one["mechanism"]))


def _shape(path: str, books: dict[str, Any], systems: list[str]) -> dict[str, Any]:
    """Unit and key of a parameter, as the first system that has it writes it."""
    for system in systems:
        parameter = books[system].parameters.get(path)
        if parameter is not None:
            return {"unit": parameter.unit, "by": parameter.by, "as_in": system}
    return {"unit": "", "by": None, "as_in": ""}


def _speaks_of(one: dict[str, Any], word: str) -> bool:
    said = [one["mechanism"], one["topic"], *one["parameters"]]
    said += [text for question in one["asks"] for text in (question["ask"], question["says"])]
    return any(word in text.lower() for text in said)


def _print(one: dict[str, Any], whole: bool) -> None:
    if not whole:
        wrapped(f"{one['topic']:<12}{one['mechanism']:<34}", ", ".join(question["ask"] for question in one["asks"]))
        return
    out(f"{bold(one['mechanism'])}  {soft('topic ' + one['topic'])}")
    for question in one["asks"]:
        given = ", ".join(f"{name}: {unit}" for name, unit in question["given"].items())
        wrapped("  answers  ", f"{question['ask']}({given}) -> {question['unit']}")
        wrapped("           ", question["says"])
    for path, shape in one["parameters"].items():
        written = (
            f"unit {shape['unit']}{', by ' + shape['by'] if shape['by'] else ''}; see tonne show {shape['as_in']} {path}" if shape["unit"] else ""
        )
        wrapped("  reads    ", f"{path} ({'needed' if shape['required'] else 'may be left out'}{'; ' + written if written else ''})")
    wrapped("  chosen by  ", ", ".join(one["systems"]) or "nobody")
    out()


def words(
    kind: Annotated[str | None, typer.Argument(metavar="[KIND]", help=", ".join(WORDS))] = None,
    as_json: AsJson = False,
) -> None:
    """The closed lists of words that a rulebook is written with: units, tasks of the calendar, topics, statuses, kinds of links."""
    lists = dict(_lists())
    if kind is not None and kind not in lists:
        raise typer.BadParameter(f"{kind!r} is none of {', '.join(lists)}", param_hint="KIND")
    chosen = {name: words for name, words in lists.items() if kind in (None, name)}
    if as_json:
        emit(chosen)
        return
    for name, members in chosen.items():
        out(bold(name))
        wrapped("  ", ", ".join(members))
    if kind in (None, "units"):
        wrapped("  ", "and any currency's code (EUR), one per another (EUR_per_allowance), or scaled (million_allowance; not where a rule reads it)")


def _lists() -> Iterator[tuple[str, list[str]]]:
    from tonne.law import vocabulary

    yield "topics", list(vocabulary.TOPICS)
    yield "units", sorted(vocabulary.UNIT_WORDS, key=str.lower)
    yield "tasks", sorted(vocabulary.TASKS)
    yield "designs", list(vocabulary.DESIGNS)
    yield "statuses", [*vocabulary.SYSTEM_STATUSES, *(f"{status} (of a figure)" for status in vocabulary.STATUSES)]
    yield "links", list(vocabulary.LINKS)
    yield "confidences", list(vocabulary.CONFIDENCES)
