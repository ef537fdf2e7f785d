"""The law as we read it: topics and values on a day, as known on another day; what lies between two days; a figure through time.

Labels come in the languages of the rulebook; which one is shown is the page's choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from tonne.administration.asks import asks
from tonne.interfaces.overview import proposed
from tonne.interfaces.views.found import NotFound, nearest
from tonne.law import Law, Parameter, Rulebook
from tonne.reports.lawpage import Entry, entry

STEPS: dict[str, Any] = {
    "from": pl.Date,
    "until": pl.Date,  # the day before the next step; null: it goes on
    "value": pl.String,  # as written, null: repealed
    "number": pl.Float64,  # the same for a chart; null where it is no number
    "published": pl.Date,
    "status": pl.String,
    "confidence": pl.String,
    "source": pl.String,
}


@dataclass(frozen=True)
class ValueView:
    """One dated value, or of a table the rows (`keys`) that it still gives."""

    since: date
    published: date
    value: Any
    source: str
    status: str
    confidence: str
    note: str
    keys: tuple[Any, ...] = ()


@dataclass(frozen=True)
class ParameterView:
    """One figure on a day. status: in_force, adopted, proposed (of what holds), none (no value yet), repealed; value: None where there is none.

    holding: what gives the value, newest first; history: every value there is as far as was known, oldest first; read: by rules (else for people);
    coming: the day of the next value that is known of, None: none is
    """

    path: str
    topic: str
    name: str
    labels: Mapping[str, str]
    unit: str
    by: str | None
    read: bool
    note: str
    status: str
    value: Any
    since: date | None
    source: str
    confidence: str
    coming: date | None
    holding: tuple[ValueView, ...]
    history: tuple[ValueView, ...]


@dataclass(frozen=True)
class Rule:
    """A mechanism that a topic chose, and the questions it answers."""

    mechanism: str
    asks: tuple[str, ...]


@dataclass(frozen=True)
class Topic:
    topic: str
    rules: tuple[Rule, ...]
    notes: tuple[str, ...]
    parameters: tuple[ParameterView, ...]


@dataclass(frozen=True)
class LawView:
    """The law of a system on a day. begins: its first day, None: nothing is adopted, and what is proposed is shown; known_on: as known then."""

    system: str
    names: Mapping[str, str]
    day: date
    known_on: date | None
    begins: date | None
    proposals: bool
    topics: tuple[Topic, ...]
    values: int
    confidences: dict[str, int]


@dataclass(frozen=True)
class Change:
    """A figure that differs between two days. what: begun, changed, repealed; keys: of a table, the rows that differ."""

    path: str
    labels: Mapping[str, str]
    unit: str
    what: str
    before: Any
    after: Any
    keys: tuple[Any, ...]
    since: date | None
    source: str


def law_on(book: Rulebook, day: date, known_on: date | None = None) -> Law:
    """The law of a day; before the first, that of the first; of a system without any, what is proposed. Raises BeforeSystem where nothing is."""
    book = proposed(book)
    return book.at(max(day, book.system.begins), known_on)


def law_view(book: Rulebook, day: date, *, known_on: date | None = None, topic: str = "") -> LawView:
    """The topics of a rulebook (or one of them), in the order in which they are written. Raises NotFound for a topic it does not have."""
    law = law_on(book, day, known_on)
    names = list(dict.fromkeys([*book.rules, *(path.partition(".")[0] for path in book.parameters)]))
    if topic and topic not in names:
        raise NotFound("topic", topic, nearest(topic, names))
    answers = asks(book)
    chosen = [_topic(law, name, answers) for name in names if not topic or name == topic]
    found = [one for each in chosen for one in each.parameters]
    counts: dict[str, int] = {}
    for one in found:
        for value in one.holding:
            counts[value.confidence] = counts.get(value.confidence, 0) + 1
    return LawView(
        system=book.system.id,
        names=dict(book.system.name),
        day=law.day,
        known_on=known_on,
        begins=book.system.begins if book.system.has_law else None,
        proposals=law.rulebook.includes_proposed,
        topics=tuple(chosen),
        values=sum(len(one.history) for one in found),
        confidences=counts,
    )


def _topic(law: Law, topic: str, answers: Mapping[str, Any]) -> Topic:
    book = law.rulebook
    rules = tuple(Rule(name, tuple(ask for ask, (rule, _) in answers.items() if rule.mechanism == name)) for name in book.rules.get(topic, ()))
    own = tuple(_parameter(law, one) for path, one in book.parameters.items() if path.startswith(f"{topic}."))
    return Topic(topic, rules, tuple(book.notes.get(topic, ())), own)


def parameter(book: Rulebook, path: str, day: date, *, known_on: date | None = None) -> ParameterView:
    """One figure on a day. Raises NotFound with the nearest paths."""
    law = law_on(book, day, known_on)
    return _parameter(law, _found(law.rulebook, path))


def _found(book: Rulebook, path: str) -> Parameter:
    if path not in book.parameters:
        raise NotFound("parameter", path, nearest(path, book.parameters))
    return book.parameters[path]


def _parameter(law: Law, one: Parameter) -> ParameterView:
    there: Entry = entry(law, one)
    first = there.sources[0] if there.sources else None
    known = [value for value in one.values if law.known_on is None or value.published <= law.known_on]
    coming = [value.starts for value in known if value.starts > law.day and (value.status != "proposed" or law.rulebook.includes_proposed)]
    status = "none" if not there.in_force or first is None else "repealed" if there.value is None else first.status
    return ParameterView(
        path=one.path,
        topic=there.topic,
        name=there.name,
        labels=dict(one.label),
        unit=one.unit,
        by=one.by,
        read=not one.informative,
        note=one.note,
        status=status,
        value=there.value,
        since=first.starts if first else None,
        source=first.source if first else "",
        confidence=first.confidence if first else "",
        coming=min(coming, default=None),
        holding=tuple(ValueView(s.starts, s.published, None, s.source, s.status, s.confidence, s.note, s.keys) for s in there.sources),
        history=tuple(ValueView(v.starts, v.published, v.content, v.source, v.status, v.confidence, v.note) for v in there.history),
    )


def differences(
    book: Rulebook, first: date, second: date, *, known_first: date | None = None, known_second: date | None = None
) -> tuple[Change, ...]:
    """What the law of the second day has that that of the first had not, figure by figure; or what became known between two days (the same day of law
    asked twice, as known then and then)."""
    before, after = law_on(book, first, known_first), law_on(book, second, known_second)
    return tuple(change for path in after.rulebook.parameters if (change := difference(before, after, path)) is not None)


def difference(before: Law, after: Law, path: str) -> Change | None:
    """How one figure differs between two laws; None where it does not."""
    one = after.rulebook.parameter(path)
    old, new = entry(before, before.rulebook.parameter(path)), entry(after, one)
    if old.value == new.value and old.in_force == new.in_force:
        return None
    tables = isinstance(old.value, Mapping) and isinstance(new.value, Mapping)
    keys = [key for key in {**old.value, **new.value} if old.value.get(key) != new.value.get(key)] if tables else []
    what = "begun" if not old.in_force or old.value is None else "repealed" if new.value is None else "changed"
    source = next((source for source in new.sources if not keys or set(source.keys) & set(keys)), new.sources[0] if new.sources else None)
    return Change(
        path=path,
        labels=dict(one.label),
        unit=one.unit,
        what=what,
        before={key: old.value.get(key) for key in keys} if tables else old.value,
        after={key: new.value.get(key) for key in keys} if tables else new.value,
        keys=tuple(keys),
        since=source.starts if source else None,
        source=source.source if source else "",
    )


def steps(book: Rulebook, path: str, *, key: Any = None, known_on: date | None = None) -> pl.DataFrame:
    """A figure (of a table, one row of it) through time, in STEPS: a line of stairs. Raises NotFound for a path or row that is not there."""
    book = proposed(book)
    one = _found(book, path)
    if one.by is not None:
        keys = list(dict.fromkeys(name for value in one.values for name in (value.content or {})))
        if key not in keys:
            raise NotFound("row", str(key), [str(name) for name in keys[:5]])
    rows: list[dict[str, Any]] = []
    for value in one.values:
        shown = (known_on is None or value.published <= known_on) and (value.status != "proposed" or book.includes_proposed)
        gives = one.by is None or value.content is None or key in value.content
        if not shown or not gives:
            continue
        content = value.content if one.by is None or value.content is None else value.content[key]
        row = {"from": value.starts, "value": content, "published": value.published, "status": value.status, "confidence": value.confidence}
        if rows and rows[-1]["from"] == value.starts:
            rows.pop()  # of one day the value that became known last
        rows.append(row | {"source": value.source})
    ends = [row["from"] for row in rows[1:]]
    told = [
        row
        | {"until": date.fromordinal(ends[at].toordinal() - 1) if at < len(ends) else None}
        | {"value": _text(row["value"]), "number": _number(row["value"])}
        for at, row in enumerate(rows)
    ]
    return pl.DataFrame({name: [row[name] for row in told] for name in STEPS}, schema=STEPS)


def table_series(book: Rulebook, path: str, day: date, *, known_on: date | None = None) -> pl.DataFrame:
    """key, value, number: the rows of a table on a day, in the order of their keys (years rise). Raises NotFound; empty for what is no table."""
    one = parameter(book, path, day, known_on=known_on)
    rows = one.value if isinstance(one.value, Mapping) else {}
    pairs = sorted(rows.items(), key=lambda pair: (not isinstance(pair[0], int), pair[0] if isinstance(pair[0], int) else 0, str(pair[0])))
    schema: dict[str, Any] = {"key": pl.String, "value": pl.String, "number": pl.Float64}
    return pl.DataFrame([(str(key), _text(value), _number(value)) for key, value in pairs], schema=schema, orient="row")


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else None
