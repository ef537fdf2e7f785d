"""What an amendment of the law would change before it is made: the figure itself, and which questions the law would answer otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from tonne.administration.agenda import TASKS, day_of
from tonne.administration.amend import amend
from tonne.administration.asks import answer, asks, path_of
from tonne.administration.evolve import amended
from tonne.administration.permissions import ADMINISTRATOR
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.interfaces.views.found import NotFound, asking, nearest
from tonne.interfaces.views.law_view import Change, difference, law_on
from tonne.law import Law, LawError, Rulebook
from tonne.rules.declare import Rule

#: What a rule is asked with where it asks for a quantity: a round number, so that the answer can be read as so much per unit.
SAMPLE = 1_000
QUANTITIES = frozenset({"allowance", "tCO2e", "tCO2", "tonne", "credit", "unit", "permit", "money", "count", "tonne_product", "MWh", "GJ"})


@dataclass(frozen=True)
class Answer:
    """A question whose answer would change. inputs: what it was asked with, samples where it asks for a quantity; before, after: None where the law
    has no answer then."""

    ask: str
    mechanism: str
    says: str
    unit: str
    year: int
    inputs: Mapping[str, Any]
    before: Any
    after: Any


@dataclass(frozen=True)
class Moved:
    """A task of the calendar that would fall on another day."""

    task: str
    year: int
    before: date | None
    after: date | None
    done: bool


@dataclass(frozen=True)
class Effects:
    """What an amendment would do. refused: the refusal's name, `` if it would be accepted; known_from: the day it becomes known (today).

    change     the figure on the day the amendment takes effect, before and after (None: it changes nothing then)
    reads      asks that read the figure; answers: those of them that would change; unasked: those that need more than a sample can give
    moved      tasks of the calendar that would fall on other days
    """

    parameter: str
    starts: date | None
    known_from: date
    refused: str
    reason: str
    change: Change | None
    reads: tuple[str, ...]
    answers: tuple[Answer, ...]
    unasked: tuple[str, ...]
    moved: tuple[Moved, ...]


def effects(state: State, body: Mapping[str, Any], today: date, *, by: str = ADMINISTRATOR, years: int = 5) -> Effects:
    """The body of the command `amend` (parameter, from, value or grows, source, note) tried on the law; nothing is changed.

    years: how many from the day it takes effect are asked for. Raises NotFound for a parameter that is not in the law.
    """
    path = str(body.get("parameter", ""))
    if path not in state.rulebook.parameters:
        raise NotFound("parameter", path, nearest(path, state.rulebook.parameters))
    reading = tuple(name for name, (rule, topic) in asks(state.rulebook).items() if path in {path_of(one, topic) for one in rule.parameters})
    day = max(today, state.today)
    try:
        event = amend(state, asking(day, by, "amend", **body)).events[0]
        new = amended(state.rulebook, event)
    except Refusal as refusal:
        return Effects(path, None, day, refusal.name, refusal.reason, None, reading, (), (), ())
    except ValueError as error:
        return Effects(path, None, day, "malformed", str(error), None, reading, (), (), ())
    starts = date.fromisoformat(event["from"])
    answers, unasked = _answers(state.rulebook, new, reading, range(starts.year, starts.year + years), starts)
    return Effects(
        parameter=path,
        starts=starts,
        known_from=day,
        refused="",
        reason="",
        change=difference(law_on(state.rulebook, starts), law_on(new, starts), path),
        reads=reading,
        answers=tuple(answers),
        unasked=tuple(unasked),
        moved=tuple(_moved(state, new, range(starts.year - 2, starts.year + years))) if path == "calendar.agenda" else (),
    )


def _answers(old: Rulebook, new: Rulebook, reading: tuple[str, ...], years: range, starts: date) -> tuple[list[Answer], list[str]]:
    """Questions that are answered otherwise, and those that a sample cannot ask."""
    found, unasked = [], []
    for name in reading:
        rule, _ = asks(old)[name]
        said = None
        for year in years:
            day = max(starts, date(year, 12, 31))
            inputs = _sample(rule, year)
            if inputs is None:
                unasked.append(name)
                break
            before, after = (_asked(law_on(book, day), name, inputs) for book in (old, new))
            said = said or before is not None or after is not None
            if _plain(before) != _plain(after):
                found.append(Answer(name, rule.mechanism, rule.summary, rule.unit, year, inputs, _plain(before), _plain(after)))
            if "year" not in rule.given:
                break  # without a year there is one answer
        if said is False:
            unasked.append(name)
    return found, unasked


def _sample(rule: Rule, year: int) -> dict[str, Any] | None:
    """What a rule can be asked with; None where it asks for something that has no round number (a product, a sector, bids)."""
    inputs: dict[str, Any] = {}
    for name, unit in rule.given.items():
        if unit == "year" or name == "year":
            inputs[name] = year
        elif name == "tier":
            inputs[name] = 1
        elif unit in QUANTITIES and name in rule.required:
            inputs[name] = SAMPLE
        elif name in rule.required:
            return None
    return inputs


def _asked(law: Law, name: str, inputs: Mapping[str, Any]) -> Any:
    rule, _ = asks(law.rulebook)[name]
    columns = {key: np.array([value]) if rule.given[key] in QUANTITIES and value == SAMPLE else value for key, value in inputs.items()}
    for given in (columns, inputs):
        try:
            return answer(law, name, (), given)
        except (LawError, ValueError, KeyError, TypeError, ArithmeticError):  # no figure for that, or it takes one number and no column
            continue
    return None


def _plain(value: Any) -> Any:
    """An answer as one value: a column of one row is that row."""
    if isinstance(value, np.ndarray):
        return value.tolist()[0] if value.shape == (1,) else value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _moved(state: State, new: Rulebook, years: range) -> list[Moved]:
    other = replace(state, rulebook=new, _laws={})
    found = []
    for year in years:
        for task in TASKS:
            before, after = day_of(state, task, year), day_of(other, task, year)
            if before != after:
                found.append(Moved(task, year, before, after, f"{task}:{year}" in state.done))
    return found
