"""Answers questions to the law: finds the rule, fetches its parameters from the rulebook, calls it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any

import numpy as np

from tonne.law import Law, NotYetInForce, Rulebook
from tonne.law.faults import LawError, nearest
from tonne.rules import mechanisms
from tonne.rules.declare import Rule


class UnknownAsk(LawError):
    """The system's mechanisms answer no such question, or the question lacks an input."""


def asks(rulebook: Rulebook) -> dict[str, tuple[Rule, str]]:
    """Every question this rulebook answers: ask -> (rule, topic that chose its mechanism), sorted by ask."""
    return _asks_of(tuple(rulebook.rules.items()))


@lru_cache(maxsize=256)
def _asks_of(chosen: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, tuple[Rule, str]]:
    """By topic and its mechanisms: a market asks thousands of times a year."""
    known = mechanisms()
    found = {ask: (rule, topic) for topic, names in chosen for name in names for ask, rule in known.get(name, {}).items()}
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
                continue
            if values[name] is None and required and not _may_be_repealed(rule.function, name):
                raise NotYetInForce(f"{path} is repealed on {law.day}, and {rule.ask} needs it")
    return values


@cache
def _may_be_repealed(function: Callable[..., Any], name: str) -> bool:
    """Whether a rule's signature says that it can work with a figure that the law has repealed (`...: Rate | None`)."""
    return "None" in str(inspect.signature(function).parameters[name].annotation)


def path_of(name: str, topic: str) -> str:
    """`upper_threshold` of topic stability -> `stability.upper_threshold`; `cap__reference` -> `cap.reference`."""
    return name.replace("__", ".", 1) if "__" in name else f"{topic}.{name}"
