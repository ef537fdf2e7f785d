"""Answers questions to the law: finds the rule, fetches its parameters from the rulebook, calls it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tonne.law import Fault, Law, NotYetInForce, Parameter, Rulebook
from tonne.law.catalogue import SHIPPED, is_rulebook, systems
from tonne.law.faults import LawError, nearest
from tonne.law.vocabulary import MASS, is_amount, unscaled
from tonne.rules import mechanisms
from tonne.rules.declare import Rule


class UnknownAsk(LawError):
    """The system's mechanisms answer no such question, or the question lacks an input."""


def asks(rulebook: Rulebook) -> dict[str, tuple[Rule, str]]:
    """Every question this rulebook answers: ask -> (rule, topic that chose its mechanism), sorted by ask."""
    known = mechanisms()
    found = {ask: (rule, topic) for name, topic in rulebook.mechanisms.items() for ask, rule in known.get(name, {}).items()}
    return dict(sorted(found.items()))


def offers(law: Law, ask: str) -> bool:
    """Whether the system answers an ask at all."""
    return ask in asks(law.rulebook)


def answer(law: Law, ask: str, args: tuple[Any, ...] = (), given: Mapping[str, Any] | None = None, **overrides: Any) -> Any:
    """Put a question to the law. `overrides` replace law parameters by name (a case may fix one).

    Raises UnknownAsk, and what the law raises: NotYetInForce when a required parameter has no value on the day.
    """
    available = asks(law.rulebook)
    if ask not in available:
        raise UnknownAsk(f"{law.system.id} answers no {ask!r}; {nearest(ask, available)}")
    rule, topic = available[ask]
    inputs = _inputs(rule, args, given or {})
    for name in overrides:
        if name not in rule.parameters:
            raise UnknownAsk(f"{ask} reads no parameter {name!r} of the law; {nearest(name, rule.parameters)}")
    return rule.function(**inputs, **parameters(law, rule, topic, overrides))


def _inputs(rule: Rule, args: tuple[Any, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """What is asked with, by name; lists of whole numbers become columns. Raises UnknownAsk for an input too many, twice or lacking."""
    if len(args) > len(rule.given):
        raise UnknownAsk(f"{rule.ask} takes {len(rule.given)} inputs ({', '.join(rule.given)}), {len(args)} were given")
    inputs = dict(zip(rule.given, args, strict=False))
    for name, value in given.items():
        if name not in rule.given:
            raise UnknownAsk(f"{rule.ask} takes no {name!r}; {nearest(name, rule.given)}")
        if name in inputs:
            raise UnknownAsk(f"{rule.ask} was given {name!r} twice, in its place and by name")
        inputs[name] = value
    missing = [name for name in rule.required if name not in inputs]
    if missing:
        raise UnknownAsk(f"{rule.ask} also needs {', '.join(f'{name} ({rule.given[name]})' for name in missing)}")
    return {name: np.asarray(value) if isinstance(value, list) and _numeric(value) else value for name, value in inputs.items()}


def _numeric(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in values)


def parameters(law: Law, rule: Rule, topic: str, overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The law parameters a rule takes, by name. A parameter with a default is left out when the law has no value for it."""
    values: dict[str, Any] = {}
    for name, required in rule.parameters.items():
        path = path_of(name, topic)
        if overrides and name in overrides:
            values[name] = overrides[name]
        elif required or path in law.rulebook.parameters:
            try:
                values[name] = law.value(path)
            except NotYetInForce:
                if required:
                    raise
    return values


def path_of(name: str, topic: str) -> str:
    """`upper_threshold` of topic stability -> `stability.upper_threshold`; `cap__reference` -> `cap.reference`."""
    return name.replace("__", ".", 1) if "__" in name else f"{topic}.{name}"


def unsound(rulebook: Rulebook) -> list[Fault]:
    """Faults between the law and the rules: mechanism unknown, parameter lacking, parameter that nobody reads, two answers to one ask."""
    known = mechanisms()
    faults: list[Fault] = []
    read: dict[str, set[str]] = {}  # parameter -> units of the answers that stand on it
    owner: dict[str, str] = {}
    for topic, names in rulebook.rules.items():
        for name in names:
            file, line = rulebook.chosen.get(name, (f"{rulebook.system.id}/{topic}.yaml", 0))
            if name not in known:
                faults.append(Fault(file, line, "rules", f"no mechanism {name!r}", nearest(name, known)))
                continue
            for ask, rule in known[name].items():
                if ask in owner:
                    faults.append(Fault(file, line, "rules", f"{name} and {owner[ask]} both answer {ask!r}", "choose one of them"))
                owner[ask] = name
                for parameter, required in rule.parameters.items():
                    path = path_of(parameter, topic)
                    read.setdefault(path, set()).add(rule.unit)
                    if required and path not in rulebook.parameters:
                        near = nearest(path, rulebook.parameters)
                        faults.append(Fault(file, line, path, f"{name} ({ask}) needs this parameter and the rulebook lacks it", near))
    faults += [
        Fault(p.file, p.line, path, "no chosen rule reads this parameter", "mark it `informative: true` or choose the rule that reads it")
        for path, p in rulebook.parameters.items()
        if path not in read and not p.informative and path not in CLERKS_OWN
    ]
    faults += [
        Fault(p.file, p.line, path, "a rule reads this parameter, so it is not informative", "remove `informative: true`")
        for path, p in rulebook.parameters.items()
        if path in read and p.informative
    ]
    for path, answers in read.items():
        if path in rulebook.parameters:
            faults += _unlike(rulebook.parameters[path], answers)
    return faults + list(_loose_links(rulebook))


def _loose_links(rulebook: Rulebook) -> Iterator[Fault]:
    """Links to systems of which there is no rulebook, neither among those that ship nor in a folder beside this one."""
    beside = Path(rulebook.place).parent
    file = "system.yaml" if Path(rulebook.place).is_dir() else Path(rulebook.place).name
    shown = f"{Path(rulebook.place).name}/{file}" if Path(rulebook.place).is_dir() else file
    for number, link in enumerate(rulebook.system.links):
        if link.system == rulebook.system.id:
            yield Fault(shown, link.line, f"links.{number}", "a system is not linked with itself", "name the other one")
        elif link.system and not any(is_rulebook(place) for place in (SHIPPED / link.system, beside / link.system, beside / f"{link.system}.yaml")):
            advice = nearest(link.system, systems()) or "write `jurisdiction:` for one that has no rulebook"
            yield Fault(shown, link.line, f"links.{number}", f"there is no system {link.system!r}", advice)


def _unlike(parameter: Parameter, answers: set[str]) -> Iterator[Fault]:
    """A rule works in whole units of the system: a figure in thousands is none, nor is money where all answers are allowances, nor is mass where
    the topic is how many units there are."""
    unit, topic = parameter.unit, parameter.path.partition(".")[0]
    if unscaled(unit) != unit:
        yield Fault(parameter.file, parameter.line, parameter.path, f"unit {unit!r}, and rules read single ones", f"write it in {unscaled(unit)!r}")
    elif answers == {"allowance"} and is_amount(unit) and (topic in _OF_UNITS or unit not in MASS):
        reason = f"unit {unit!r}, where units of the system are meant: the rules that read it answer in allowances"
        yield Fault(parameter.file, parameter.line, parameter.path, reason, "write `unit: allowance`, if that is what it counts")


#: Topics that say how many units there are; elsewhere a rule may weigh emissions to answer in allowances.
_OF_UNITS = frozenset({"cap", "auction", "stability"})


#: Parameters that the administration itself reads: the calendar of tasks, the periods, and the published totals a run is held against.
CLERKS_OWN = frozenset(
    {
        "calendar.agenda",
        "calendar.period_end",
        "registry.vintage_of",
        "registry.carry_over_window_from",
        "registry.carry_over_window_to",
        "stability.months_of_feed",
        "stability.placed_in_reserve",
    }
)
