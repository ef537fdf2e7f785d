"""A rulebook as written, and the law as it stands on a day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any

from tonne.dates import to_day
from tonne.law.faults import BeforeSystem, UnknownParameter, nearest
from tonne.law.parameter import Parameter, Value

#: answer(law, ask, args, kwargs): how a question is answered. Given from outside, because this room knows no arithmetic.
Answer = Callable[["Law", str, tuple[Any, ...], Mapping[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Link:
    """A tie to another system (by id), or to a jurisdiction that is none: its kind (vocabulary.LINKS), days (`ends` None: goes on), source."""

    system: str
    jurisdiction: str
    kind: str
    starts: date
    ends: date | None
    source: str
    confidence: str = "source"
    note: str = ""
    line: int = 0

    def holds_on(self, day: date) -> bool:
        return self.starts <= day and (self.ends is None or day <= self.ends)


@dataclass(frozen=True, slots=True)
class System:
    """Who it is: id, names by language, status, design, first day of law (`date.max`: none yet), what its unit is and measures, currency, links."""

    id: str
    name: Mapping[str, str]
    status: str
    design: str
    begins: date
    unit_name: str
    unit_code: str
    measure: str
    currency: str
    jurisdiction: str
    summary: str = ""
    level: str = ""
    time_zone: str = "UTC"
    notes: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()

    @property
    def has_law(self) -> bool:
        """Whether any law is adopted. A system under consideration may have none; a scenario can give it a first day."""
        return self.begins != date.max


@dataclass(frozen=True)
class Rulebook:
    """All the law of one system, through time. Immutable; a scenario makes another one.

    parameters  dotted path -> parameter
    rules       topic -> names of the mechanisms it chose, in order
    notes       topic -> free text
    chosen      mechanism -> file and line where a topic chose it
    place       the folder (or the one file) it was read from
    """

    system: System
    parameters: Mapping[str, Parameter]
    rules: Mapping[str, tuple[str, ...]]
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    place: str = ""
    scenario: str = ""
    includes_proposed: bool = False
    answer: Answer | None = field(default=None, repr=False, compare=False)
    chosen: Mapping[str, tuple[str, int]] = field(default_factory=dict, repr=False, compare=False)

    def at(self, day: date | str, known_on: date | str | None = None) -> Law:
        """The law on a day, as known on that or another day (all that is known, when left out). Raises BeforeSystem."""
        day = to_day(day)
        if not self.system.has_law:
            raise BeforeSystem(
                f"{self.system.id} has no law yet: it is {self.system.status.replace('_', ' ')}, and what is proposed holds in a scenario only"
            )
        if day < self.system.begins:
            raise BeforeSystem(f"{self.system.id} has no law on {day}; it begins {self.system.begins}")
        return Law(self, day, to_day(known_on) if known_on is not None else None)

    def links_on(self, day: date | str) -> tuple[Link, ...]:
        """The ties to other systems and jurisdictions that hold on a day."""
        return tuple(link for link in self.system.links if link.holds_on(to_day(day)))

    def parameter(self, path: str) -> Parameter:
        """The parameter of a dotted path. Raises UnknownParameter with the nearest name."""
        try:
            return self.parameters[path]
        except KeyError:
            raise UnknownParameter(f"{self.system.id} has no parameter {path!r}; {nearest(path, self.parameters)}") from None

    @property
    def mechanisms(self) -> dict[str, str]:
        """Mechanism -> the topic that chose it."""
        return {name: topic for topic, names in self.rules.items() for name in names}

    def with_values(self, additions: Mapping[str, Value], scenario: str, includes_proposed: bool) -> Rulebook:
        """A rulebook in which some parameters have one more value, in its place in time."""
        parameters = dict(self.parameters)
        for path, value in additions.items():
            old = self.parameter(path)
            values = tuple(sorted((*old.values, value), key=lambda v: (v.starts, v.published)))
            parameters[path] = replace(old, values=values)
        return replace(self, parameters=parameters, scenario=scenario, includes_proposed=includes_proposed or self.includes_proposed)

    def __repr__(self) -> str:
        scenario = f", scenario={self.scenario!r}" if self.scenario else ""
        return f"<Rulebook {self.system.id}: {len(self.parameters)} parameters{scenario}>"


@dataclass(frozen=True)
class Law:
    """The law of one system on one day. Ask it by name: law.cap(2024), law.msr_intake(tnac=1_134_794_738)."""

    rulebook: Rulebook
    day: date
    known_on: date | None = None
    _cache: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def system(self) -> System:
        return self.rulebook.system

    def value(self, path: str) -> Any:
        """The scalar or table in force. Raises UnknownParameter, NotYetInForce; None when repealed."""
        if path not in self._cache:
            self._cache[path] = self.rulebook.parameter(path).at(self.day, self.known_on, self.rulebook.includes_proposed)
        return self._cache[path]

    def table(self, path: str, key: Any = None) -> Any:
        """A table in force, or one row of it. Raises KeyError with the keys there are."""
        table = self.value(path)
        if key is None:
            return table
        if table is not None and not isinstance(table, Mapping):
            raise KeyError(f"{path} is one value, not a table; leave out {key!r}")
        if table is None or key not in table:
            raise KeyError(f"{path} has no {key!r} on {self.day}; it has {', '.join(map(str, list(table or ())[:20])) or 'nothing'}")
        return table[key]

    def has(self, path: str) -> bool:
        """Whether the parameter exists and has a value (not repealed) on this day."""
        parameter = self.rulebook.parameters.get(path)
        if parameter is None or not parameter.visible(self.day, self.known_on, self.rulebook.includes_proposed):
            return False
        return self.value(path) is not None

    def __getattr__(self, ask: str) -> Callable[..., Any]:
        answer = self.rulebook.answer
        if ask.startswith("_") or answer is None:
            raise AttributeError(ask)
        return partial(_put, answer, self, ask)

    def __repr__(self) -> str:
        known = f" as known on {self.known_on}" if self.known_on else ""
        scenario = f" in scenario {self.rulebook.scenario!r}" if self.rulebook.scenario else ""
        return f"<Law of {self.system.id} on {self.day}{known}{scenario}>"


def _put(answer: Answer, law: Law, ask: str, *args: Any, **kwargs: Any) -> Any:
    return answer(law, ask, args, kwargs)
