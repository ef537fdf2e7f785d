"""The grammar of a rulebook: what keys a file may have and what they hold. Unknown keys are faults, never ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from tonne.law import vocabulary
from tonne.law.faults import Fault, nearest
from tonne.law.parameter import Growth, Parameter, Value
from tonne.law.text import Document
from tonne.units import Rounding

M = TypeVar("M", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=False)


def _exact_decimal(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        raise ValueError("a number is asked for")
    return Decimal(value)


def _one_of(*names: str) -> Any:
    def check(value: Any) -> Any:
        if value not in names:
            raise ValueError(f"{value!r} is not known; {nearest(str(value), names)}")
        return value

    return BeforeValidator(check)


Exact = Annotated[Decimal, BeforeValidator(_exact_decimal)]
Names = Annotated[dict[str, str], BeforeValidator(lambda v: {"en": v} if isinstance(v, str) else v)]


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
        return self


class ValueModel(_Strict):
    starts: date = Field(alias="from")
    value: Any = None
    grows: GrowthModel | None = None
    source: str = Field(min_length=3)
    published: date | None = None
    confidence: Annotated[str, _one_of(*vocabulary.CONFIDENCES)] = "source"
    status: Annotated[str, _one_of(*vocabulary.STATUSES)] = "in_force"
    note: str = ""

    @model_validator(mode="before")
    @classmethod
    def _one_content(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and ("value" in data) == ("grows" in data):
            raise ValueError("an entry has either `value` (null when repealed) or `grows`")
        return data


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
    measure: Literal["tonne", "short_ton", "kilogram"] = "tonne"
    plural: str = ""
    code: str = ""


class SystemModel(_Strict):
    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    name: Names
    status: Annotated[str, _one_of(*vocabulary.SYSTEM_STATUSES)]
    design: Annotated[str, _one_of(*vocabulary.DESIGNS)]
    begins: date
    unit: UnitModel
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    jurisdiction: str
    summary: str = ""
    level: str = ""
    time_zone: str = "UTC"
    notes: list[str] = Field(default_factory=list)


class PatchModel(_Strict):
    parameter: str
    starts: date = Field(alias="from")
    value: Any = None
    grows: GrowthModel | None = None
    source: str = "scenario"
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
        faults.append(Fault(document.file, 1, "", "the file must be a mapping of keys to values"))
        return None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        faults.extend(_to_fault(model, document, detail) for detail in error.errors())
        return None


def _to_fault(model: type[BaseModel], document: Document, detail: Any) -> Fault:
    path = tuple(part for part in detail["loc"] if part != "__root__")
    key = ".".join(str(part) for part in path)
    line = document.line(path)
    if detail["type"] == "extra_forbidden":
        return Fault(document.file, line, key, "unknown key", nearest(str(path[-1]), _keys_at(model, path[:-1])))
    if detail["type"] == "missing":
        return Fault(document.file, line, key, "missing", "every value names its source" if path and path[-1] == "source" else "")
    return Fault(document.file, line, key, str(detail["msg"]).removeprefix("Value error, "))


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


def parameters_of(topic: str, model: TopicModel, document: Document, faults: list[Fault]) -> Iterator[Parameter]:
    """The topic's parameters with meaning checked: unit known, dates rising, tables are tables."""
    for name, p in model.parameters.items():
        place = ("parameters", name)
        if not vocabulary.is_unit(p.unit):
            faults.append(
                Fault(document.file, document.line((*place, "unit")), name, f"unknown unit {p.unit!r}", nearest(p.unit, vocabulary.UNIT_WORDS))
            )
        values = tuple(_value(v, document.line((*place, "values", i))) for i, v in enumerate(p.values))
        for before, after in pairwise(values):
            if (after.starts, after.published) < (before.starts, before.published):
                reason = f"dates out of order: {_slot(after)} stands after {_slot(before)}"
                faults.append(Fault(document.file, after.line, name, reason, "order values by `from`, then by `published`"))
            if _same_slot(before, after, p.by is not None):
                reason = f"two values take effect on {after.starts} and were published the same day: which one holds?"
                faults.append(Fault(document.file, after.line, name, reason, "give the later one its own `published` day, or remove one"))
        for v in values:
            if (p.by is not None) != isinstance(v.content, Mapping) and v.content is not None:
                reason = "the parameter has `by:`, so each value is a table" if p.by else "a table needs `by:` on the parameter"
                faults.append(Fault(document.file, v.line, name, reason))
        yield Parameter(f"{topic}.{name}", p.unit, p.label, values, p.by, p.informative, p.note, document.file, document.line(place))


def _slot(value: Value) -> str:
    return f"{value.starts} (published {value.published})"


def _same_slot(before: Value, after: Value, table: bool) -> bool:
    """Two entries that contradict: same day, same publication, same status, and (for tables) a shared key with another value."""
    if (before.starts, before.published, before.status) != (after.starts, after.published, after.status):
        return False
    if not table or not isinstance(before.content, Mapping) or not isinstance(after.content, Mapping):
        return True
    return any(before.content[key] != after.content[key] for key in before.content.keys() & after.content.keys())


def _value(v: ValueModel, line: int) -> Value:
    return Value(v.starts, v.value, v.source, v.published or v.starts, v.confidence, v.status, v.note, growth(v.grows), line)


def growth(model: GrowthModel | None) -> Growth | None:
    return Growth(**{name: getattr(model, name) for name in GrowthModel.model_fields}) if model else None
