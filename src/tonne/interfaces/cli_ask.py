"""`tonne asks`, `ask` and `compare`: putting questions to the law."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import typer

from tonne.interfaces.cli_law import KnownOn, On, System, entry_as_plain
from tonne.interfaces.cli_words import AsJson, Scenario, bold, console, day, emit, out, say, soft, system_of, today, wrapped

ROOM = 34  # characters of a value where systems stand side by side

Given = Annotated[list[str] | None, typer.Argument(metavar="NAME=VALUE", help="inputs by name, or bare in their order; lists as [1,2,3]")]


# -- asks, ask


def asks(system: System, as_json: AsJson = False) -> None:
    """What may be asked of a system: inputs with their units, the answer's unit, the mechanism and topic it comes from."""
    from tonne.administration.asks import asks as all_asks
    from tonne.interfaces.api import rulebook

    book = rulebook(system_of(system))
    found: list[dict[str, Any]] = [
        {
            "ask": ask,
            "given": dict(rule.given),
            "required": list(rule.required),
            "unit": rule.unit,
            "mechanism": rule.mechanism,
            "topic": topic,
            "summary": rule.summary,
        }
        for ask, (rule, topic) in all_asks(book).items()
    ]
    if as_json:
        emit({"system": book.system.id, "asks": found})
        return
    for item in found:
        inputs = ", ".join(name + f": {unit}" if name in item["required"] else f"[{name}: {unit}]" for name, unit in item["given"].items())
        wrapped("", f"{bold(item['ask'])}({inputs}) -> {item['unit']}", hanging=4)
        out(soft(f"    {item['topic']}, {item['mechanism']}"))
        wrapped("    ", item["summary"])
    out(f"\n{len(found)} questions. Inputs in [brackets] may be left out. Ask one: tonne ask {system} ASK [--on DAY] name=value ...")


def ask(
    system: System,
    question: Annotated[str, typer.Argument(metavar="ASK", help="one of tonne asks SYSTEM")],
    given: Annotated[list[str] | None, typer.Argument(metavar="NAME=VALUE", help="inputs by name, or bare values in order; lists as [1,2,3]")] = None,
    on: On = None,
    known_on: KnownOn = None,
    scenario: Scenario = None,
    as_json: AsJson = False,
) -> None:
    """Ask the law one question, and see which of its figures the answer stands on."""
    from tonne.administration.asks import UnknownAsk, answer, path_of
    from tonne.administration.asks import asks as all_asks
    from tonne.administration.cases import plain
    from tonne.administration.soundness import unsound
    from tonne.interfaces.api import rulebook
    from tonne.law.catalogue import SHIPPED
    from tonne.reports.lawpage import entry

    when, known = day(on, "--on"), day(known_on, "--known-on")
    book = rulebook(system_of(system), scenario)
    law = book.at(when or today(book.system.begins), known)
    faults = unsound(book) if Path(book.place).parent != SHIPPED else []
    if faults:
        say(f"beware, this rulebook is not sound: {faults[0]}{f', and {len(faults) - 1} more' if faults[1:] else ''} (tonne check)")
    positional = tuple(_value(text) for text in given or () if "=" not in text)
    named = {text.partition("=")[0]: _value(text.partition("=")[2]) for text in given or () if "=" in text}
    rule, topic = all_asks(book).get(question, (None, ""))
    if rule is not None:
        _must_be_whole(rule, dict(zip(rule.given, positional, strict=False)) | named)
    try:
        result = plain(answer(law, question, positional, named))
    except KeyError as error:
        raise UnknownAsk(f"{question}: {error.args[0] if error.args else error}") from None
    except TypeError as error:
        raise UnknownAsk(f"{question} cannot work with what was given: {error}") from None
    assert rule is not None, "an unknown question was refused above"
    paths = [path_of(name, topic) for name in rule.parameters]
    read = [found for path in paths if path in book.parameters and (found := entry(law, book.parameters[path])).in_force]
    if as_json:
        inputs = dict(zip(rule.given, positional, strict=False)) | named
        parameters = [entry_as_plain(found, history=False) for found in read]
        emit(
            {"system": book.system.id, "on": law.day, "ask": question, "given": inputs, "answer": result, "unit": rule.unit, "parameters": parameters}
        )
        return
    from tonne.reports.words import figure

    unit = rule.unit.replace("money", book.system.currency) if result is not None and rule.unit not in ("boolean", "text") else ""
    wrapped("", f"{bold(figure(result, rule.unit))} {unit.replace('_', ' ')}".rstrip())
    own = Path(book.place).parent != SHIPPED
    wrapped("  ", soft(f"the rule as it is described where it comes from: {rule.summary}" if own else rule.summary))
    out(soft(f"  {book.system.id} on {law.day}; {topic}, {rule.mechanism}"))
    for found in read:
        source = found.sources[0]
        text = found.text + (f" {found.unit}" if found.value is not None else "")
        wrapped("  ", f"{found.path} = {text}; since {source.starts}: {source.source} [{source.confidence}]", hanging=6)


#: Inputs that are counted or numbered, one by one.
COUNTED = ("allowance", "credit", "count", "month", "year")


def _must_be_whole(rule: Any, inputs: dict[str, Any]) -> None:
    """Says which input is no whole number, before a rule says it in the words of arrays."""
    for name, value in inputs.items():
        for item in value if isinstance(value, list) else [value]:
            if rule.given.get(name) in COUNTED and item is not None and (isinstance(item, bool) or not isinstance(item, int)):
                raise ValueError(f"{rule.ask} takes {name}, a whole number; got {str(item)!r}")


def _value(text: str) -> Any:
    """A value as typed: whole number (1_000 and 1000), decimal, yes/no words of YAML, null, [list], or text."""
    stripped = text.strip()
    if stripped.startswith("[") and stripped.endswith("]"):
        inner = stripped[1:-1].strip()
        return [_value(part) for part in inner.split(",")] if inner else []
    if stripped.lower() in ("true", "false"):
        return stripped.lower() == "true"
    if stripped.lower() in ("null", "none", ""):
        return None
    try:
        return int(stripped)
    except ValueError:
        pass
    try:
        number = Decimal(stripped)
    except InvalidOperation:
        return stripped
    return number if number.is_finite() else stripped


# -- compare


def compare(
    systems: Annotated[list[str], typer.Argument(metavar="SYSTEM SYSTEM...", help="two systems or more")],
    topic: Annotated[str | None, typer.Option("--topic", metavar="TOPIC", help="only the parameters of this topic, all of them")] = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Systems side by side: who they are, the parameters they share, the questions they answer."""
    from tonne.administration.asks import asks as all_asks
    from tonne.interfaces.api import rulebook
    from tonne.interfaces.overview import facts, proposed
    from tonne.law.vocabulary import TOPICS

    if len(systems) < 2:
        raise typer.BadParameter("give two systems or more", param_hint="SYSTEM")
    if topic is not None and topic not in TOPICS:
        raise typer.BadParameter(f"{topic!r} is none of {', '.join(TOPICS)}", param_hint="--topic")
    when = day(on, "--on")
    books = [proposed(rulebook(system_of(name))) for name in systems]
    laws = [book.at(when or today(book.system.begins)) for book in books]
    ids = [book.system.id for book in books]
    described = [facts(book) | {"parameters": len(book.parameters), "rules": sum(len(names) for names in book.rules.values())} for book in books]
    answered = [all_asks(book) for book in books]
    names = sorted({ask for found in answered for ask, (_, where) in found.items() if topic in (None, where)})
    shared = _shared(laws, topic)
    if as_json:
        parameters = {path: {system: entry_as_plain(e, False) if e else None for system, e in zip(ids, row, strict=True)} for path, row in shared}
        emit(
            {
                "systems": described,
                "on": {system: law.day for system, law in zip(ids, laws, strict=True)},
                "parameters": parameters,
                "asks": {name: [system for system, found in zip(ids, answered, strict=True) if name in found] for name in names},
            }
        )
        return
    _print_comparison(ids, described, shared, {name: [name in found for found in answered] for name in names}, topic)


def _shared(laws: list[Any], topic: str | None) -> list[tuple[str, list[Any]]]:
    """(path, entry of each system or None): parameters that two or more have; with a topic, all of it."""
    from tonne.reports.lawpage import entry

    paths = dict.fromkeys(path for law in laws for path in law.rulebook.parameters if topic is None or path.startswith(f"{topic}."))
    having = {path: [law.rulebook.parameters.get(path) for law in laws] for path in paths}
    kept = [(path, row) for path, row in having.items() if topic is not None or sum(p is not None for p in row) >= 2]
    return [(path, [entry(law, p) if p is not None else None for law, p in zip(laws, row, strict=True)]) for path, row in sorted(kept)]


def _print_comparison(ids: list[str], described: list[dict[str, Any]], shared: list[Any], asked: dict[str, list[bool]], topic: str | None) -> None:
    screen = console()
    names = ("name", "status", "design", "begins", "unit", "measure", "currency", "jurisdiction", "parameters", "rules")
    screen.print(_side_by_side("Who they are", ids, [(name, [str(fact[name]).replace("_", " ") for fact in described]) for name in names]))
    out()
    room = max(ROOM, (screen.width - 30) // len(ids) - 3)
    rows = [(path.removeprefix(f"{topic}."), [_cell(entry, room * 2) for entry in row]) for path, row in shared]
    title = f"Parameters of {topic}" if topic else "Parameters that two or more have"
    if rows:
        screen.print(_side_by_side(title, ids, rows))
    else:
        out(f"{title}: none")
    out()
    screen.print(_side_by_side("Questions they answer", ids, [(name, ["yes" if has else "-" for has in row]) for name, row in asked.items()]))


def _cell(entry: Any, room: int) -> str:
    """A value and its unit where there is room for little."""
    from tonne.reports.words import compact

    if entry is None:
        return "-"
    if not entry.in_force or entry.value is None:
        return str(entry.text)
    unit = "" if entry.unit in ("text", "boolean", "rule", "calendar_rule", "formula") else entry.unit
    return f"{compact(entry.value, entry.unit, room)} {unit}".strip()


def _side_by_side(title: str, ids: list[str], rows: list[tuple[str, list[str]]]) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("", overflow="fold", ratio=4, min_width=min(max((len(name) for name, _ in rows), default=0), 34))
    for name in ids:
        table.add_column(name, overflow="fold", ratio=5)
    for name, cells in rows:
        table.add_row(name, *cells)
    return table
