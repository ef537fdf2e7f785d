"""The grammar of a rulebook: what keys a file may have and what they hold. Unknown keys are faults, never ignored."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import combinations, pairwise
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from tonne.dates import DateError, to_day, zone
from tonne.law import vocabulary
from tonne.law.faults import Fault, nearest
from tonne.law.meaning import YEARS, foreign_money, misfits
from tonne.law.parameter import Growth, Parameter, Value
from tonne.law.text import Document
from tonne.units import Rounding, UnitsError

M = TypeVar("M", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=False)


def _exact_decimal(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        raise ValueError("a number is asked for")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a number") from None
    if not number.is_finite() or abs(number.adjusted()) > 18 or int(number.as_tuple().exponent) < -18:
        raise ValueError(f"{str(value)[:40]!r} is not a number a law can hold")
    return number


def _day(value: Any) -> Any:
    """Pydantic would read 0 as 1970-01-01; a day is written as a day."""
    if not isinstance(value, (str, date)):
        raise ValueError(f"{value!r} is not a day; write it as 2024-06-01")
    return to_day(value)


def _id(value: Any) -> Any:
    if not isinstance(value, str) or len(value) > 80 or not _ID.fullmatch(value):
        raise ValueError(f"{str(value)[:80]!r} is no id; an id is made of small letters, digits and single hyphens, like my-country")
    return value


def _currency(value: Any) -> Any:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Z]{3}", value):
        raise ValueError(f"{value!r} is no currency; write its code of three capitals, like EUR")
    return value


def _time_zone(value: Any) -> Any:
    try:
        return zone(str(value)).key
    except DateError as error:
        raise ValueError(f"{error}") from None


def _by_language(value: Any) -> Any:
    """One text stands for English; otherwise language -> text."""
    names = {"en": value} if isinstance(value, str) else value
    for language in names if isinstance(names, Mapping) else ():
        if not _LANGUAGE.fullmatch(str(language)):
            raise ValueError(f"{language!r} is no language; {nearest(str(language), ('en', 'zh-Hans', 'zh-Hant'))}")
    return names


def _one_of(*names: str) -> Any:
    def check(value: Any) -> Any:
        if value not in names:
            raise ValueError(f"{value!r} is not known; {nearest(str(value), names)}")
        return value

    return BeforeValidator(check)


Exact = Annotated[Decimal, BeforeValidator(_exact_decimal)]
Day = Annotated[date, BeforeValidator(_day)]
Names = Annotated[dict[str, str], BeforeValidator(_by_language)]
Source = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3)]
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class GrowthModel(_Strict):
    start: int
    value: Exact
    until: int
    factor: Exact = Decimal(1)
    step: Exact = Decimal(0)
    rounding: Rounding = Rounding.EXACT
    to: Exact | None = None

    @model_validator(mode="after")
    def _sensible(self) -> GrowthModel:
        if self.until < self.start:
            raise ValueError(f"grows until {self.until}, before it starts in {self.start}")
        if self.factor != 1 and (self.to is None or self.rounding is Rounding.EXACT):
            raise ValueError("a growth by a factor says how each year is rounded: `rounding` and `to`")
        if self.start not in YEARS or self.until not in YEARS:
            raise ValueError(f"grows from {self.start} until {self.until}: years lie between {YEARS[0]} and {YEARS[-1]}")
        if self.to is not None and (self.to <= 0 or self.value % self.to):
            raise ValueError(f"the first value, {self.value}, is not a multiple of {self.to}")
        try:
            Growth(**{name: getattr(self, name) for name in GrowthModel.model_fields}).table()
        except UnitsError as error:
            raise ValueError(str(error)) from None
        return self


class _DatedModel(_Strict):
    """A value or a growth that takes effect on a day."""

    starts: Day = Field(alias="from")
    value: Any = None
    grows: GrowthModel | None = None

    @model_validator(mode="after")
    def _one_content(self) -> Self:
        if ("value" in self.model_fields_set) == ("grows" in self.model_fields_set):
            raise ValueError("an entry has either `value` (null when repealed) or `grows`")
        return self


class ValueModel(_DatedModel):
    source: Source
    published: Day | None = None
    confidence: Annotated[str, _one_of(*vocabulary.CONFIDENCES)] = "source"
    status: Annotated[str, _one_of(*vocabulary.STATUSES)] = "in_force"
    note: str = ""


class ParameterModel(_Strict):
    label: Names = Field(default_factory=dict)
    unit: str
    by: str | None = None
    informative: bool = False
    values: list[ValueModel] = Field(min_length=1)
    note: str = ""


class TopicModel(_Strict):
    rules: list[str] = Field(default_factory=list)
    parameters: dict[str, ParameterModel] = Field(default_factory=dict)
    notes: list[str] = Field(default_factory=list)


class UnitModel(_Strict):
    name: str
    measure: Literal["tonne", "short_ton", "kilogram", "toe"] = "tonne"
    plural: str = ""
    code: str = ""


class LinkModel(_Strict):
    """A tie to another system, or to a jurisdiction that is none."""

    system: Annotated[str | None, BeforeValidator(lambda value: value if value is None else _id(value))] = None
    jurisdiction: str | None = None
    kind: Annotated[str, _one_of(*vocabulary.LINKS)]
    starts: Day = Field(alias="from")
    to: Day | None = None
    source: Source
    confidence: Annotated[str, _one_of(*vocabulary.CONFIDENCES)] = "source"
    note: str = ""

    @model_validator(mode="after")
    def _one_other_side(self) -> Self:
        if (self.system is None) == (self.jurisdiction is None):
            raise ValueError("a link names either a `system` or a `jurisdiction`")
        if self.to is not None and self.to < self.starts:
            raise ValueError(f"ends {self.to}, before it starts {self.starts}")
        return self


class SystemModel(_Strict):
    id: Annotated[str, BeforeValidator(_id)]
    name: Names
    status: Annotated[str, _one_of(*vocabulary.SYSTEM_STATUSES)]
    design: Annotated[str, _one_of(*vocabulary.DESIGNS)]
    begins: Day | None
    unit: UnitModel
    currency: Annotated[str, BeforeValidator(_currency)]
    jurisdiction: str
    summary: str = ""
    level: str = ""
    time_zone: Annotated[str, BeforeValidator(_time_zone)] = "UTC"
    links: list[LinkModel] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _begun(self) -> Self:
        if self.begins is None and self.status in ("in_force", "ended"):
            raise ValueError(f"a system whose status is {self.status!r} has a first day of law: `begins`")
        return self


class OneFileModel(SystemModel):
    """A whole rulebook in one file: who it is, and its topics below it."""

    topics: dict[str, Any] = Field(default_factory=dict)


class PatchModel(_DatedModel):
    parameter: str
    source: Source = "scenario"
    note: str = ""


class ScenarioModel(_Strict):
    id: str
    system: str
    name: Names
    includes_proposed: bool = False
    patches: list[PatchModel] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)


def validate(model: type[M], document: Document, faults: list[Fault]) -> M | None:
    """The file as a model, or None with its faults appended: one for each wrong key, with its line."""
    data = document.data if document.data is not None else {}
    if not isinstance(data, dict):
        faults.append(Fault(document.file, document.line(()), "", "here stands a mapping of keys to values"))
        return None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        faults.extend(_to_fault(model, document, detail) for detail in error.errors())
        return None


def topic_of(document: Document, faults: list[Fault]) -> tuple[TopicModel | None, frozenset[str]]:
    """A topic's file as a model, and the names of its parameters that could not be read. Faults are appended; what is sound is kept, so that a
    reader learns all that is wrong at once."""
    model = validate(TopicModel, document, faults)
    data = document.data
    if model is not None or not isinstance(data, dict):
        return model, frozenset()
    given = data.get("parameters")
    parameters: dict[str, ParameterModel] = {}
    broken: set[str] = set()
    for name, content in (given if isinstance(given, dict) else {}).items():
        try:
            parameters[str(name)] = ParameterModel.model_validate(content)
        except ValidationError:
            broken.add(str(name))
            unit = content.get("unit") if isinstance(content, dict) else None
            if isinstance(unit, str) and not vocabulary.is_unit(unit):
                line = document.line(("parameters", name, "unit"))
                faults.append(Fault(document.file, line, str(name), f"unknown unit {unit!r}", vocabulary.nearest_unit(unit)))
    rules = data.get("rules")
    named = [rule for rule in rules if isinstance(rule, str)] if isinstance(rules, list) else []
    return TopicModel.model_construct(rules=named, parameters=parameters, notes=[]), frozenset(broken)


def _to_fault(model: type[BaseModel], document: Document, detail: Any) -> Fault:
    path = tuple(part for part in detail["loc"] if part != "__root__")
    key = ".".join(str(part) for part in path)
    line = document.line(path)
    if detail["type"] == "extra_forbidden" and detail["input"] is None and " " in str(path[-1]):
        return Fault(document.file, line, key, "unknown key", "a text with a comma needs quotes inside { }: the comma ended it")
    if detail["type"] == "extra_forbidden":
        return Fault(document.file, line, key, "unknown key", nearest(str(path[-1]), _keys_at(model, path[:-1])))
    if detail["type"] == "missing":
        return Fault(document.file, line, key, "missing", "every value names its source" if path and path[-1] == "source" else "")
    return Fault(document.file, line, key, _plain_words(detail))


def _plain_words(detail: Any) -> str:
    """What is wrong, in words for whoever writes a rulebook; the limits come from the model."""
    said = _WORDS.get(detail["type"])
    return said.format(**detail.get("ctx", {})) if said else str(detail["msg"]).removeprefix("Value error, ")


_WORDS = {
    "string_type": "a text is asked for; put it in quotes",
    "string_too_short": "too short: {min_length} characters or more are asked for",
    "int_type": "a whole number is asked for",
    "int_parsing": "a whole number is asked for",
    "int_from_float": "a whole number is asked for",
    "bool_type": "true or false is asked for",
    "bool_parsing": "true or false is asked for",
    "list_type": "a list is asked for",
    "too_short": "empty: at least {min_length} is asked for",
    "dict_type": "here stands a mapping, `key: value` in lines of its own",
    "invalid_key": "a key here is a word; did a comma split a number or a text?",
    "model_type": "here stands a mapping, `key: value` in lines of its own",
}


def _keys_at(model: type[BaseModel], path: tuple[Any, ...]) -> list[str]:
    """Keys that the model allows at a path: walks fields, lists and mappings."""
    current = model
    for part in path:
        named = {f.alias or n: f.annotation for n, f in current.model_fields.items()}
        if part in named:
            current = _inner_model(named[part]) or current
    return [f.alias or n for n, f in current.model_fields.items()]


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _inner_model(argument)
        if found:
            return found
    return None


def parameters_of(topic: str, model: TopicModel, document: Document, faults: list[Fault], currency: str | None = None) -> Iterator[Parameter]:
    """The topic's parameters with meaning checked: units, own currency, dates rising, nothing contradicted, values of the unit's kind."""
    for name, p in model.parameters.items():
        place = ("parameters", name)
        if not _NAME.fullmatch(name):
            faults.append(
                Fault(document.file, document.line(place), name, "a parameter's name is made of small letters, digits and single underscores")
            )
        if not vocabulary.is_unit(p.unit):
            line = document.line((*place, "unit"))
            faults.append(Fault(document.file, line, name, f"unknown unit {p.unit!r}", vocabulary.nearest_unit(p.unit)))
        elif currency is not None and not p.informative and (foreign := foreign_money(p.unit, currency)):
            faults.append(Fault(document.file, document.line((*place, "unit")), name, *foreign))
        values = tuple(_value(v, document.line((*place, "values", i))) for i, v in enumerate(p.values))
        for before, after in pairwise(values):
            if (after.starts, after.published) < (before.starts, before.published):
                reason = f"dates out of order: {_slot(after)} stands after {_slot(before)}"
                faults.append(Fault(document.file, after.line, name, reason, "order values by `from`, then by `published`"))
        for before, after in combinations(values, 2):
            if _contradict(before, after):
                reason = f"two values take effect on {after.starts} and were published the same day: which one holds?"
                advice = f"the other stands on line {before.line}; give the later one its own `published` day, or remove one"
                faults.append(Fault(document.file, after.line, name, reason, advice))
        for v in values:
            if v.grows and p.by != "year":
                faults.append(Fault(document.file, v.line, name, "what grows is a table by year", "write `by: year` on the parameter"))
            elif vocabulary.is_unit(p.unit):
                faults.extend(Fault(document.file, v.line, name, reason, advice) for reason, advice in misfits(p.unit, p.by, v.content))
        yield Parameter(f"{topic}.{name}", p.unit, p.label, values, p.by, p.informative, p.note, document.file, document.line(place))


def _slot(value: Value) -> str:
    return f"{value.starts} (published {value.published})"


def _contradict(before: Value, after: Value) -> bool:
    """Same day, same publication, both law (or both proposed), and, for tables, a shared key with another value."""
    if (before.starts, before.published, before.status == "proposed") != (after.starts, after.published, after.status == "proposed"):
        return False
    if not isinstance(before.content, Mapping) or not isinstance(after.content, Mapping):
        return True
    return any(before.content[key] != after.content[key] for key in before.content.keys() & after.content.keys())


def _value(v: ValueModel, line: int) -> Value:
    return Value(v.starts, v.value, v.source, v.published or v.starts, v.confidence, v.status, v.note, growth(v.grows), line)


def growth(model: GrowthModel | None) -> Growth | None:
    return Growth(**{name: getattr(model, name) for name in GrowthModel.model_fields}) if model else None
