"""The law as a page of text: every parameter with its value on the day, since when, from which source and how sure it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from tonne.reports.words import compact

if TYPE_CHECKING:
    from tonne.law import Law, Parameter, Value

CONFIDENCES = ("source", "derived", "seed", "recall", "scenario")
LANGUAGES = ("en", "zh-Hans", "zh-Hant")


@dataclass(frozen=True)
class Source:
    """A dated value that still holds, wholly or for some keys of a table."""

    starts: date
    published: date
    source: str
    confidence: str
    status: str
    note: str
    keys: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One parameter on one day. `in_force` is False when it has no value yet; `value` is None when it has none or was repealed.

    sources  what holds, newest first: one for a plain value, one or more for a table whose rows came one after the other
    history  every value there is, oldest first, also those not in force
    """

    path: str
    label: str
    unit: str
    by: str | None
    informative: bool
    note: str
    in_force: bool
    value: Any
    sources: tuple[Source, ...] = ()
    history: tuple[Value, ...] = field(default=(), repr=False)

    @property
    def topic(self) -> str:
        return self.path.partition(".")[0]

    @property
    def name(self) -> str:
        return self.path.partition(".")[2]

    @property
    def text(self) -> str:
        """The value in one line."""
        if not self.in_force:
            return "no value yet"
        return "repealed" if self.value is None else compact(self.value, self.unit)


def entry(law: Law, parameter: Parameter, language: str = "en") -> Entry:
    """What a law page says of one parameter."""
    proposed = law.rulebook.includes_proposed
    visible = parameter.visible(law.day, law.known_on, proposed)
    label = parameter.label.get(language) or parameter.label.get("en") or next(iter(parameter.label.values()), "")
    return Entry(
        path=parameter.path,
        label=label,
        unit=parameter.unit,
        by=parameter.by,
        informative=parameter.informative,
        note=parameter.note,
        in_force=bool(visible),
        value=parameter.at(law.day, law.known_on, proposed) if visible else None,
        sources=_holding(visible, parameter.by is not None),
        history=tuple(v for v in parameter.values if law.known_on is None or v.published <= law.known_on),
    )


def entries(law: Law, topic: str = "", language: str = "en") -> list[Entry]:
    """The parameters of the system, of a topic, or one parameter by its dotted path, in the order in which they are written."""
    chosen = [p for path, p in law.rulebook.parameters.items() if not topic or path == topic or path.startswith(f"{topic}.")]
    return [entry(law, parameter, language) for parameter in chosen]


def read_by_rules(law: Law) -> list[Entry]:
    """The parameters that rules (or the administration) read, those in force on the day: what a run stood on."""
    return [found for found in entries(law) if not found.informative and found.in_force]


def confidences(found: list[Entry]) -> dict[str, int]:
    """How many values that hold come with which confidence, the surest first."""
    counts = Counter(source.confidence for item in found for source in item.sources)
    return {name: counts[name] for name in (*CONFIDENCES, *sorted(set(counts) - set(CONFIDENCES))) if counts[name]}


def _holding(visible: tuple[Value, ...], table: bool) -> tuple[Source, ...]:
    """The values that still count: the last; for a table each that gave a row no later one replaced, back to a repeal."""
    if not visible:
        return ()
    if not table or visible[-1].content is None:
        return (_source(visible[-1]),)
    held: list[Source] = []
    taken: set[Any] = set()
    for value in reversed(visible):
        content = value.content
        if not isinstance(content, Mapping):
            break
        own = tuple(key for key in content if key not in taken)
        if own:
            held.append(_source(value, own))
        taken |= set(own)
    return tuple(held) or (_source(visible[-1]),)


def _source(value: Value, keys: tuple[Any, ...] = ()) -> Source:
    return Source(value.starts, value.published, value.source, value.confidence, value.status, value.note, keys)
