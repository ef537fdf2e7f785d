"""Published numbers as tests: reads cases, asks the law, compares with zero tolerance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from tonne.administration.asks import answer
from tonne.law import Fault, Rulebook, RulebookError, UnknownSystem, apply_scenario, load, systems
from tonne.law.faults import nearest
from tonne.law.schema import Day, Exact, Source, validate
from tonne.law.text import Document, read
from tonne.law.vocabulary import CONFIDENCES

KINDS = ("published", "edge", "story", "illustration")
#: What a case may expect instead of an answer. A slip of a programmer (TypeError, ...) is never a refusal.
REFUSALS = (
    "BeforeSystem",
    "NotYetInForce",
    "UnknownAsk",
    "UnknownParameter",
    "ScenarioError",
    "UnitsError",
    "ValueError",
    "KeyError",
    "OverflowError",
)


class _Case(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    name: str = Field(min_length=5)
    on: Day
    system: str | None = None
    ask: str | None = None
    value: str | None = None
    key: Any = None
    given: dict[str, Any] = Field(default_factory=dict)
    parameters: dict[str, Any] = Field(default_factory=dict)
    expect: Any = None
    refused: Annotated[str | None, BeforeValidator(lambda v: _known(v, REFUSALS))] = None
    kind: Annotated[str, BeforeValidator(lambda v: _known(v, KINDS))] = "published"
    source: Source
    confidence: Annotated[str, BeforeValidator(lambda v: _known(v, CONFIDENCES))] = "source"
    known_on: Day | None = None
    scenario: str | None = None
    tolerance: Annotated[Exact, Field(ge=0)] = Decimal(0)
    tolerance_reason: str = ""
    note: str = ""

    @model_validator(mode="after")
    def _sensible(self) -> _Case:
        if (self.ask is None) == (self.value is None):
            raise ValueError("a case either asks (`ask:`) or reads a parameter (`value:`)")
        if ("expect" in self.model_fields_set) == (self.refused is not None):
            raise ValueError("a case either expects (`expect:`) or is refused (`refused:`)")
        if self.tolerance and not self.tolerance_reason:
            raise ValueError("a tolerance needs its reason: `tolerance_reason:`")
        if self.ask is None and (self.given or self.parameters):
            raise ValueError("a case that reads a parameter (`value:`) takes no `given:` and no `parameters:`")
        if self.value is None and self.key is not None:
            raise ValueError("`key:` goes with `value:`; a case that asks takes `given:`")
        return self


def _known(word: Any, words: Iterable[str]) -> Any:
    if word not in words:
        raise ValueError(f"{word!r} is none of {', '.join(words)}; {nearest(str(word), words)}".removesuffix("; "))
    return word


class _Cases(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    cases: list[_Case]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one case went. `got` is the answer, or the refusal's name and words."""

    name: str
    system: str
    file: str
    kind: str
    ask: str
    passed: bool
    expected: Any
    got: Any
    source: str
    confidence: str
    note: str = ""


def read_cases(path: Path, shown_as: str | None = None) -> list[tuple[_Case, str]]:
    """The cases of one file with `file:line` of each. Raises RulebookError with every fault."""
    document = read(path, shown_as or path.name)
    if document.data is None:
        return []
    if not isinstance(document.data, list):
        raise RulebookError([Fault(document.file, 1, "", "a file of cases is a list, each item beginning with `- name:`")])
    wrapped = Document(document.file, {"cases": document.data}, {("cases", *path): line for path, line in document.lines.items()})
    faults: list[Fault] = []
    model = validate(_Cases, wrapped, faults)
    if faults or model is None:
        raise RulebookError(faults)
    return [(case, f"{document.file}:{document.line((i,))}") for i, case in enumerate(model.cases)]


def run_rulebook(rulebook: Rulebook) -> list[Outcome]:
    """The cases that lie beside a rulebook."""
    folder = Path(rulebook.place) / "cases"
    outcomes: list[Outcome] = []
    for path in sorted(folder.rglob("*.yaml")):
        shown = f"{folder.parent.name}/cases/{path.relative_to(folder)}"
        for case, place in read_cases(path, shown):
            if case.system not in (None, rulebook.system.id):
                raise RulebookError([_fault(place, f"{case.system!r}, but it lies beside {rulebook.system.id!r}", "leave `system:` out here")])
            outcomes.append(run_case(rulebook, case, place))
    return outcomes


def run_folder(folder: Path) -> list[Outcome]:
    """Anybody's cases: every YAML file below a folder (or one file). A case names its `system:`, or lies in a file or folder named like one."""
    outcomes: list[Outcome] = []
    paths = [folder] if folder.is_file() else sorted(folder.rglob("*.yaml"))
    if not paths:
        raise RulebookError([Fault(str(folder), 0, "", "no file of cases here", "cases are YAML files; see docs/architecture.md")])
    for path in paths:
        for case, place in read_cases(path, path.name if path == folder else str(path.relative_to(folder))):
            system = case.system or _named_by(path)
            if system is None:
                raise RulebookError([_fault(place, "missing", "outside a rulebook a case names its system")])
            try:
                rulebook = load(system, answer)
            except UnknownSystem as error:
                raise RulebookError([_fault(place, str(error))]) from None
            outcomes.append(run_case(rulebook, case, place))
    return outcomes


def _named_by(path: Path) -> str | None:
    """The system whose id the file, or the nearest folder above it, carries."""
    known = set(systems())
    names = (path.stem, *(part.name for part in path.resolve().parents))
    return next((name for name in names if name in known), None)


def _fault(place: str, reason: str, suggestion: str = "") -> Fault:
    file, line = place.rsplit(":", 1)
    return Fault(file, int(line), "system", reason, suggestion)


def run_case(rulebook: Rulebook, case: _Case, place: str = "") -> Outcome:
    """Ask, compare. A refusal that was not expected is a failed case, never an exception."""
    got: Any
    try:
        book = apply_scenario(rulebook, case.scenario) if case.scenario else rulebook
        law = book.at(case.on, case.known_on)
        if case.ask is not None:
            got = plain(answer(law, case.ask, (), case.given, **case.parameters))
        else:
            assert case.value is not None
            got = plain(law.table(case.value, case.key) if case.key is not None else law.value(case.value))
    except Exception as error:  # whatever anybody's case makes of anybody's law is this case's failure, not that of the others
        refusal = type(error).__name__
        shown = f"{refusal}: {error}"
        return _outcome(rulebook, case, place, refusal == case.refused, case.refused or case.expect, shown)
    if case.refused is not None:
        return _outcome(rulebook, case, place, False, f"refused: {case.refused}", got)
    return _outcome(rulebook, case, place, agrees(case.expect, got, case.tolerance), case.expect, got)


def _outcome(rulebook: Rulebook, case: _Case, place: str, passed: bool, expected: Any, got: Any) -> Outcome:
    asked = case.ask or case.value or ""
    note = case.note
    if not passed and case.refused is None and isinstance(expected, str) and isinstance(got, (int, Decimal)):
        note = f"`expect: {expected}` is text, and the answer is a number: write it without commas and quotes, as {got:_} is. {note}".strip()
    return Outcome(case.name, rulebook.system.id, place, case.kind, asked, passed, expected, got, case.source, case.confidence, note)


def plain(value: Any) -> Any:
    """NumPy answers as Python values."""
    if isinstance(value, np.ndarray):
        return [plain(v) for v in value.tolist()]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def agrees(expected: Any, got: Any, tolerance: Decimal = Decimal(0)) -> bool:
    """Equal to the unit (or within the source's own rounding). For a mapping only the keys that the case names are compared."""
    if isinstance(expected, Mapping):
        if not isinstance(got, Mapping):
            return False
        if not expected:
            return not got
        by_text = {str(key): value for key, value in got.items()}
        return all(str(key) in by_text and agrees(value, by_text[str(key)], tolerance) for key, value in expected.items())
    if isinstance(expected, list):
        return isinstance(got, list) and len(expected) == len(got) and all(agrees(e, g, tolerance) for e, g in zip(expected, got, strict=True))
    if isinstance(expected, bool) or isinstance(got, bool) or expected is None or got is None:
        return expected is got
    if isinstance(got, (int, Decimal, Fraction)):
        try:
            wanted = Fraction(expected) if not isinstance(expected, str) else Fraction(Decimal(expected))
        except (ValueError, ArithmeticError, TypeError):
            return False
        return abs(wanted - Fraction(got)) <= Fraction(tolerance)
    return bool(expected == got)
