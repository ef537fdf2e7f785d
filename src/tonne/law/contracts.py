"""Venues and the contracts they list, as dated data: what the terms of a contract are on a day, from where, and how sure.

A venue is a folder with `venue.yaml` (who it is) and `contracts.yaml` (what it lists). A term that a system's own law sets is a pointer to that law's
parameter, so that no figure is written twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from tonne.law import catalogue, vocabulary
from tonne.law.contract_terms import TERMS, misfit
from tonne.law.faults import BeforeSystem, Fault, LawError, NotYetInForce, RulebookError, UnknownParameter, UnknownSystem, nearest
from tonne.law.rulebook import Rulebook
from tonne.law.schema import Day, Names, Source, validate
from tonne.law.text import Document, Path_, read

SHIPPED = catalogue.SHIPPED / "venues"
HEAD, CONTRACTS = "venue.yaml", "contracts.yaml"
#: `listed`: traded now. `ended`: no more. `planned`: announced or under study.
STATUSES = ("listed", "ended", "planned")
KINDS = ("spot", "daily_future", "future", "option", "forward", "auction_spot")


class UnknownContract(LawError):
    """No contract, or no venue, of that id."""


@dataclass(frozen=True, slots=True)
class TermValue:
    """One value of a term. starts: None where the day is not known. law, parameter: where it was looked up, empty for what stands here."""

    value: Any
    source: str
    confidence: str = "source"
    note: str = ""
    starts: date | None = None
    published: date | None = None
    law: str = ""
    parameter: str = ""
    key: str | None = None
    line: int = 0

    def holds_on(self, day: date, known_on: date | None) -> bool:
        published = self.published or self.starts
        return (self.starts is None or self.starts <= day) and (known_on is None or published is None or published <= known_on)


@dataclass(frozen=True, slots=True)
class Venue:
    """Who lists contracts. `contracts` in the order written. holidays: a country (GB-ENG) or a market's four-letter code, empty: not known."""

    id: str
    name: Mapping[str, str]
    status: str
    source: str
    confidence: str = "source"
    time_zone: str = ""
    holidays: str = ""
    currency: str = ""
    clearing: str = ""
    notes: tuple[str, ...] = ()
    contracts: tuple[ListedContract, ...] = ()
    place: str = ""


@dataclass(frozen=True, slots=True)
class ListedContract:
    """A contract as written: every value of every term, oldest first. starts, ends: None where the day is not known."""

    id: str
    venue: str
    name: Mapping[str, str]
    kind: str
    status: str
    source: str
    confidence: str
    starts: date | None
    ends: date | None
    terms: Mapping[str, tuple[TermValue, ...]]
    notes: tuple[str, ...] = ()
    file: str = ""
    line: int = 0

    def at(self, day: date, known_on: date | None = None) -> Terms:
        """The terms that hold on a day, as far as was known on another. Pointers are resolved in the law of their system on that day.

        Raises NotYetInForce before the contract began or after it ended. A term without a value by then is left out.
        """
        if self.starts is not None and day < self.starts:
            raise NotYetInForce(f"{self.id} began on {self.starts}; on {day} it was not listed")
        if self.ends is not None and day > self.ends:
            raise NotYetInForce(f"{self.id} ended on {self.ends}; on {day} it was not listed")
        found: dict[str, TermValue] = {}
        for name, values in self.terms.items():
            standing = [value for value in values if value.holds_on(day, known_on)]
            resolved = _resolved(standing[-1], day, known_on) if standing else None
            if resolved is not None:
                found[name] = resolved
        return Terms(self, day, found, known_on)


@dataclass(frozen=True, slots=True)
class Terms:
    """A contract's terms on a day: `terms["lot"]` is a plain value, `terms.entries["lot"]` says where it comes from."""

    contract: ListedContract
    day: date
    entries: Mapping[str, TermValue]
    known_on: date | None = None
    values: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", {name: entry.value for name, entry in self.entries.items()})

    def __getitem__(self, name: str) -> Any:
        if name in self.values:
            return self.values[name]
        if name not in TERMS:
            raise KeyError(f"no term is called {name!r}; {nearest(name, TERMS)}")
        raise KeyError(f"{self.contract.id}: its {name} is not known on {self.day}")

    def __repr__(self) -> str:
        return f"<Terms of {self.contract.id} on {self.day}: {len(self.values)}>"


def _resolved(value: TermValue, day: date, known_on: date | None) -> TermValue | None:
    """The value itself, or what the law it points to says on a day; None where that law says nothing by then."""
    if not value.law:
        return value
    book = catalogue.load(value.law)
    try:
        content = book.at(day, known_on=known_on).value(value.parameter)
    except (NotYetInForce, BeforeSystem):
        return None
    parameter = book.parameter(value.parameter)
    last = parameter.visible(day, known_on, book.includes_proposed)[-1]
    if value.key is not None:
        if not isinstance(content, Mapping) or value.key not in content:
            return None
        content = content[value.key]
    note = "; ".join(text for text in (value.note, last.note) if text)
    return TermValue(content, last.source, last.confidence, note, last.starts, last.published, value.law, value.parameter, value.key, value.line)


# -- finding


def venues() -> list[str]:
    """Ids of the venues that ship with the package, sorted."""
    return sorted(path.parent.name for path in SHIPPED.glob(f"*/{HEAD}"))


def venue(name: str | Path) -> Venue:
    """One venue, by id or by its folder. Raises UnknownContract, or RulebookError with every fault of its files."""
    place = _place(name)
    return _venue_once(place) if place.parent == SHIPPED else _sound(place)


def contracts() -> list[str]:
    """Ids of the contracts that ship with the package, by venue, in the order written."""
    return [contract.id for name in venues() for contract in venue(name).contracts]


def contract(name: str) -> ListedContract:
    """One contract of those that ship. Raises UnknownContract with the nearest id."""
    for one in venues():
        for listed in venue(one).contracts:
            if listed.id == name:
                return listed
    raise UnknownContract(f"no contract {name!r}; {nearest(name, contracts()) or 'see `tonne contract show`'}")


def _place(name: str | Path) -> Path:
    if isinstance(name, str) and Path(name).name == name and (SHIPPED / name / HEAD).is_file():
        return SHIPPED / name
    if (Path(name) / HEAD).is_file():
        return Path(name)
    raise UnknownContract(f"no venue {str(name)!r}; {nearest(str(name), venues()) or f'a venue is a folder with a {HEAD}'}")


@lru_cache(maxsize=64)
def _venue_once(place: Path) -> Venue:
    return _sound(place)


def _sound(place: Path) -> Venue:
    found, faults = _examine(place, None, pointers=place.parent != SHIPPED)
    if faults or found is None:
        raise RulebookError(faults)
    return found


# -- reading


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def _one_of(*words: str) -> Any:
    def check(value: Any) -> Any:
        if value not in words:
            raise ValueError(f"{value!r} is not known; {nearest(str(value), words)}")
        return value

    return BeforeValidator(check)


Confidence = Annotated[str, _one_of(*vocabulary.CONFIDENCES)]
Status = Annotated[str, _one_of(*STATUSES)]


class VenueModel(_Strict):
    id: str
    name: Names
    status: Status
    source: Source
    confidence: Confidence = "source"
    time_zone: str = ""
    holidays: str = ""
    currency: str = ""
    clearing: str = ""
    notes: list[str] = Field(default_factory=list)


class ContractModel(_Strict):
    id: str
    name: Names
    kind: Annotated[str, _one_of(*KINDS)]
    status: Status
    source: Source
    confidence: Confidence = "source"
    starts: Day | None = Field(default=None, alias="from")
    until: Day | None = None
    terms: dict[str, Any] = Field(default_factory=dict)
    notes: list[str] = Field(default_factory=list)


class ContractsModel(_Strict):
    contracts: list[ContractModel] = Field(default_factory=list)


class _ValueModel(_Strict):
    """A value with its source, or a pointer to a system's law; either may be dated."""

    value: Any = None
    law: str | None = None
    parameter: str | None = None
    key: str | None = None
    starts: Day | None = Field(default=None, alias="from")
    published: Day | None = None
    source: Source | None = None
    confidence: Confidence | None = None
    note: str = ""


def examine(
    name: str | Path, expiry_rules: Mapping[str, tuple[frozenset[str], frozenset[str]]] | None = None
) -> tuple[Venue | None, tuple[Fault, ...]]:
    """A venue as far as it can be read, and all faults of its files.

    expiry_rules: rule of expiry -> (parameters it must have, parameters it may have), given from outside because this room knows no arithmetic.
    """
    return _examine(_place(name), expiry_rules, pointers=True)


def _examine(
    place: Path, expiry_rules: Mapping[str, tuple[frozenset[str], frozenset[str]]] | None, *, pointers: bool
) -> tuple[Venue | None, tuple[Fault, ...]]:
    """pointers: also load every law that a term points to. What ships is known to be sound, and a question about one contract loads its own law."""
    faults: list[Fault] = []
    for path in sorted(place.glob("*.y*ml")):
        if path.name not in (HEAD, CONTRACTS):
            faults.append(Fault(f"{place.name}/{path.name}", 0, "", "this file would not be read", f"a venue has {HEAD} and {CONTRACTS}"))
    head, document = _model(place, HEAD, VenueModel, faults)
    if head is not None and head.id != place.name:
        faults.append(Fault(document.file, document.line(("id",)), "id", f"{head.id!r} lies in the folder {place.name!r}", "use one spelling"))
    found: tuple[ListedContract, ...] = ()
    if (place / CONTRACTS).is_file():
        model, listing = _model(place, CONTRACTS, ContractsModel, faults)
        if model is not None:
            found = tuple(_contracts(model, listing, head, faults))
            faults += _of_pointers(found) if pointers else []
            faults += _of_expiry(found, expiry_rules) if expiry_rules is not None else []
    return (_venue(head, found, place) if head is not None else None), tuple(sorted(set(faults)))


def _model(place: Path, name: str, kind: Any, faults: list[Fault]) -> tuple[Any, Document]:
    shown = f"{place.name}/{name}"
    try:
        document = read(place / name, shown)
    except RulebookError as error:
        faults.extend(error.faults)
        return None, Document(shown, None)
    return validate(kind, document, faults), document


def _venue(head: VenueModel, found: tuple[ListedContract, ...], place: Path) -> Venue:
    given = {name: getattr(head, name) for name in ("id", "name", "status", "source", "confidence", "time_zone", "holidays", "currency", "clearing")}
    return Venue(**given, notes=tuple(head.notes), contracts=found, place=str(place))


def _contracts(model: ContractsModel, document: Document, head: VenueModel | None, faults: list[Fault]) -> Iterator[ListedContract]:
    seen: dict[str, int] = {}
    for number, one in enumerate(model.contracts):
        place = ("contracts", number)
        line = document.line((*place, "id"))
        if one.id in seen:
            faults.append(Fault(document.file, line, one.id, "a contract of this id stands here already", f"it is on line {seen[one.id]}"))
        seen[one.id] = line
        terms: dict[str, tuple[TermValue, ...]] = dict(_of_venue(head)) if head is not None else {}
        for name, content in one.terms.items():
            if name not in TERMS:
                where = document.line((*place, "terms", name))
                faults.append(Fault(document.file, where, f"{one.id}.{name}", "unknown term", nearest(name, TERMS) or "see docs/contracts.md"))
                continue
            terms[name] = tuple(_values(one, name, content, document, (*place, "terms", name), faults))
        venue_id = head.id if head is not None else ""
        yield ListedContract(
            one.id, venue_id, one.name, one.kind, one.status, one.source, one.confidence, one.starts, one.until, terms, tuple(one.notes),
            document.file, line,
        )  # fmt: skip


def _of_venue(head: VenueModel) -> Iterator[tuple[str, tuple[TermValue, ...]]]:
    """What a venue says for all its contracts."""
    for name in ("time_zone", "holidays", "currency", "clearing"):
        if getattr(head, name):
            yield name, (TermValue(getattr(head, name), head.source, head.confidence, "of the venue"),)


def _values(one: ContractModel, name: str, content: Any, document: Document, place: Path_, faults: list[Fault]) -> Iterator[TermValue]:
    """The dated values of a term, however it is written: a plain value, a value with its source, a pointer, or a list of such with their days."""
    rows: list[tuple[Any, Path_]] = [(content, place)]
    dated = _is_dated(content)
    if dated:
        rows = [(row, (*place, index)) for index, row in enumerate(content)]
    values = []
    for row, where in rows:
        value = _value(one, name, row, document, where, faults)
        if value is not None:
            values.append(value)
    for before, after in pairwise(values):
        if (after.starts or date.min, after.published or date.min) <= (before.starts or date.min, before.published or date.min):
            reason = f"dates out of order: {after.starts} stands after {before.starts}"
            faults.append(Fault(document.file, after.line, f"{one.id}.{name}", reason, "order values by `from`, then by `published`"))
    yield from values


def _is_dated(content: Any) -> bool:
    """A list whose items are mappings with a day and a value (or a pointer)."""
    return isinstance(content, list) and bool(content) and all(isinstance(row, dict) and "from" in row and _is_told(row) for row in content)


def _is_told(content: Any) -> bool:
    """A mapping that holds a value with its source, or a pointer, and is not itself the value."""
    return isinstance(content, dict) and ("value" in content or "law" in content)


def _value(one: ContractModel, name: str, content: Any, document: Document, place: Path_, faults: list[Fault]) -> TermValue | None:
    key, line = f"{one.id}.{name}", document.line(place)
    if not _is_told(content):
        faults.extend(Fault(document.file, line, key, *wrong) for wrong in misfit(name, content))
        return TermValue(content, one.source, one.confidence, line=line)
    own: list[Fault] = []
    told = validate(_ValueModel, document.below(*place), own)
    faults.extend(replace(fault, key=f"{key}.{fault.key}") for fault in own)
    if told is None:
        return None
    source, confidence = told.source or one.source, told.confidence or one.confidence
    if told.law is None:
        faults.extend(Fault(document.file, line, key, *wrong) for wrong in misfit(name, told.value))
        return TermValue(told.value, source, confidence, told.note, told.starts, told.published, line=line)
    wrong = _ill_formed(told, content)
    if wrong:
        faults.append(Fault(document.file, line, key, *wrong))
        return None
    return TermValue(None, source, confidence, told.note, told.starts, told.published, told.law, told.parameter or "", told.key, line)


def _ill_formed(told: _ValueModel, content: Mapping[str, Any]) -> tuple[str, str] | None:
    """What is wrong with a pointer as it is written."""
    if "value" in content:
        return "both a value and a pointer", "keep `law` and `parameter`, and the figure stands once"
    if "source" in content or "confidence" in content:
        return "a pointer takes its source from the law", "remove `source` and `confidence` here"
    if not told.parameter:
        return "a pointer names a `parameter`", "write it as trading.price_limit"
    return None


def _of_pointers(found: tuple[ListedContract, ...]) -> Iterator[Fault]:
    """Every pointer finds its system, its parameter and, where it names one, its row."""
    for one in found:
        for name, values in one.terms.items():
            for value in values:
                wrong = _loose(value) if value.law else None
                if wrong:
                    yield Fault(one.file, value.line, f"{one.id}.{name}", *wrong)


def _loose(value: TermValue) -> tuple[str, str] | None:
    try:
        book: Rulebook = catalogue.load(value.law)
        parameter = book.parameter(value.parameter)
    except (UnknownSystem, UnknownParameter) as error:
        return str(error), ""
    rows = {str(key) for dated in parameter.values if isinstance(dated.content, Mapping) for key in dated.content}
    if value.key is not None and value.key not in rows:
        return f"{value.parameter} has no row {value.key!r}", nearest(value.key, rows)
    return None


def _of_expiry(found: tuple[ListedContract, ...], rules: Mapping[str, tuple[frozenset[str], frozenset[str]]]) -> Iterator[Fault]:
    """Every rule of expiry exists and has its parameters."""
    for one in found:
        for value in one.terms.get("expiry", ()):
            rule = value.value
            if not isinstance(rule, Mapping):
                continue
            name = str(rule.get("rule"))
            if name not in rules:
                yield Fault(one.file, value.line, f"{one.id}.expiry.rule", f"no rule of expiry is called {name!r}", nearest(name, rules))
                continue
            needed, allowed = rules[name]
            for missing in sorted(needed - rule.keys()):
                yield Fault(one.file, value.line, f"{one.id}.expiry.{missing}", f"missing: {name} needs it")
            for unknown in sorted(rule.keys() - needed - allowed - {"rule"}):
                yield Fault(one.file, value.line, f"{one.id}.expiry.{unknown}", "unknown key", nearest(str(unknown), needed | allowed))


def shown(value: Any) -> str:
    """A term's value in one line."""
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {shown(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(shown(item) if not isinstance(item, list) else f"[{shown(item)}]" for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else f"{value:f}" if isinstance(value, Decimal) else str(value)
