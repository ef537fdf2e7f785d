"""How the law works something out: the rule that answers, what it is asked with, and every figure of the law it reads, with source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from tonne.administration.asks import asks, path_of
from tonne.law import Law
from tonne.reports.lawpage import entry


@dataclass(frozen=True)
class Piece:
    """A figure of the law that a rule reads. row: of a table, the row that counts here (None: none of its keys is this one's); value: that row's or
    the whole figure; None where it is not in force or repealed."""

    path: str
    labels: Mapping[str, str]
    unit: str
    by: str | None
    row: str | int | None
    value: Any
    since: date | None
    source: str
    confidence: str


@dataclass(frozen=True)
class Formula:
    """ask, mechanism: the rule; says: its own words in English; inputs: what it was asked with; pieces: what it reads in the law of `day`."""

    ask: str
    mechanism: str
    says: str
    unit: str
    day: date
    inputs: Mapping[str, Any]
    pieces: tuple[Piece, ...]


def formula(law: Law, ask: str, inputs: Mapping[str, Any], rows: tuple[Any, ...] = ()) -> Formula:
    """The rule behind an ask. rows: keys (a year, a product, a sector) by which tables are cut to what counts here.

    Raises KeyError for an ask that the system does not answer."""
    rule, topic = asks(law.rulebook)[ask]
    paths = [path_of(name, topic) for name in rule.parameters]
    found = tuple(piece(law, path, rows) for path in paths if path in law.rulebook.parameters)
    given = {name: inputs[name] for name in rule.given if name in inputs}
    return Formula(ask, rule.mechanism, rule.summary, rule.unit, law.day, given, found)


def piece(law: Law, path: str, rows: tuple[Any, ...] = ()) -> Piece:
    parameter = law.rulebook.parameter(path)
    there = entry(law, parameter)
    value, row, held = there.value, None, there.sources[0] if there.sources else None
    if parameter.by is not None and isinstance(value, Mapping):
        row = next((key for key in rows if key in value), None)
        if row is not None:
            value = value[row]
            held = next((source for source in there.sources if row in source.keys), held)
    return Piece(
        path=path,
        labels=dict(parameter.label),
        unit=parameter.unit,
        by=parameter.by,
        row=row,
        value=value,
        since=held.starts if held else None,
        source=held.source if held else "",
        confidence=held.confidence if held else "",
    )
