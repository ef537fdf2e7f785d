"""Finds and loads rulebooks: those that ship with the package, and anybody's folder or file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from tonne.law import schema, vocabulary
from tonne.law.faults import Fault, RulebookError, UnknownSystem, nearest
from tonne.law.parameter import Parameter
from tonne.law.rulebook import Answer, Link, Rulebook, System
from tonne.law.text import Document, read

SHIPPED = Path(__file__).resolve().parent.parent / "rulebooks"
HEAD = "system.yaml"


def systems() -> list[str]:
    """Ids of the systems that ship with the package, sorted."""
    return sorted(path.parent.name for path in SHIPPED.glob(f"*/{HEAD}"))


def folder_of(system: str | Path) -> Path:
    """Where a system's rulebook lies: the folder of an id, or the folder or one file of a path. Raises UnknownSystem."""
    if isinstance(system, str) and Path(system).name == system and (SHIPPED / system / HEAD).is_file():
        return SHIPPED / system
    place = Path(system)
    if is_rulebook(place):
        return place
    if place.is_dir():
        raise UnknownSystem(f"{place} has no {HEAD}, so it is no rulebook; name a folder that has one, or a rulebook in one .yaml file")
    if place.is_file():
        raise UnknownSystem(f"{place} is no rulebook: a rulebook is a folder with a {HEAD}, or one .yaml file")
    raise UnknownSystem(f"no system {str(system)!r}; {nearest(str(system), systems()) or 'see `tonne systems`'}")


def is_rulebook(place: Path) -> bool:
    """Whether a rulebook lies there: a folder with its head, or a file."""
    return (place / HEAD).is_file() or (place.suffix == ".yaml" and place.is_file())


def load(system: str | Path, answer: Answer | None = None) -> Rulebook:
    """Load and validate one rulebook. Raises UnknownSystem, or RulebookError with every fault of its files.

    What ships with the package is read once; anybody's own files are read each time, because they change while they are written.
    """
    place = folder_of(system)
    return _load_once(place, answer) if place.parent == SHIPPED else _load(place, answer)


@lru_cache(maxsize=128)
def _load_once(place: Path, answer: Answer | None) -> Rulebook:
    return _load(place, answer)


def _load(place: Path, answer: Answer | None) -> Rulebook:
    found = _examine(place, answer)
    if found.faults:
        raise RulebookError(found.faults)
    return found.rulebook


@dataclass(frozen=True)
class Examined:
    """What could be read of a rulebook with faults in it: enough to look for the other faults, not to be asked anything.

    broken   dotted paths of parameters that are there and could not be read
    """

    rulebook: Rulebook
    faults: tuple[Fault, ...]
    broken: frozenset[str]


def examine(system: str | Path, answer: Answer | None = None) -> Examined:
    """Read a rulebook as far as it can be read. Raises UnknownSystem only."""
    return _examine(folder_of(system), answer)


def _examine(place: Path, answer: Answer | None) -> Examined:
    faults: list[Fault] = []
    head, topics, top = _one_file(place, place.name, faults) if place.is_file() else _folder(place, faults)
    parameters: dict[str, Parameter] = {}
    rules: dict[str, tuple[str, ...]] = {}
    notes: dict[str, tuple[str, ...]] = {}
    chosen: dict[str, tuple[str, int]] = {}
    broken: set[str] = set()
    for topic, document in topics.items():
        if topic not in vocabulary.TOPICS:
            faults.append(Fault(document.file, document.line(()), "", f"no such topic: {topic}", nearest(str(topic), vocabulary.TOPICS)))
            continue
        model, unread = schema.topic_of(document, faults)
        broken |= {f"{topic}.{name}" for name in unread}
        if model is not None:
            rules[topic] = tuple(model.rules)
            notes[topic] = tuple(model.notes)
            chosen |= {name: (document.file, document.line(("rules", index))) for index, name in enumerate(model.rules)}
            for parameter in schema.parameters_of(topic, model, document, faults, head.currency if head is not None else None):
                parameters[parameter.path] = parameter
    system = _system(head, top) if head is not None else _stand_in(place)
    rulebook = Rulebook(system, parameters, rules, notes, str(place), answer=answer, chosen=chosen)
    return Examined(rulebook, tuple(sorted(faults)), frozenset(broken))


Parts = tuple[schema.SystemModel | None, dict[str, Document], Document | None]


def _folder(folder: Path, faults: list[Fault]) -> Parts:
    """The head and the topics of a folder: system.yaml, which may hold topics itself, and one file a topic."""
    documents: dict[str, Document] = {}
    for path in sorted(folder.glob("*.y*ml")):
        shown = f"{folder.name}/{path.name}"
        if path.suffix != ".yaml":
            faults.append(Fault(shown, 0, "", "this file would not be read", f"name it {path.stem}.yaml"))
            continue
        if path.name == HEAD:
            continue
        try:
            documents[path.stem] = read(path, shown)
        except RulebookError as error:
            faults.extend(error.faults)
    head, inside, top = _one_file(folder / HEAD, f"{folder.name}/{HEAD}", faults)
    for topic in sorted(inside.keys() & documents.keys()):
        faults.append(Fault(documents[topic].file, 0, "", f"{HEAD} holds the topic {topic} too", "keep it in one place"))
    return head, inside | documents, top


def _one_file(path: Path, shown: str, faults: list[Fault]) -> Parts:
    """The simplest system is one short file: the keys of system.yaml, and under `topics:` what would be the topic files."""
    try:
        document = read(path, shown)
    except RulebookError as error:
        faults.extend(error.faults)
        return None, {}, None
    head = schema.validate(schema.OneFileModel, document, faults)
    topics = document.data.get("topics") if isinstance(document.data, dict) else None
    return head, {topic: document.below("topics", topic) for topic in (topics if isinstance(topics, dict) else ())}, document


def _stand_in(place: Path) -> System:
    """For a head that could not be read, which is a fault already."""
    return System(place.stem, {}, "under_consideration", "cap_and_trade", date.max, "unit", "unit", "tonne", "XXX", "")


def _system(head: schema.SystemModel, document: Document | None) -> System:
    names: Mapping[str, str] = head.name
    links = tuple(
        Link(
            link.system or "",
            link.jurisdiction or "",
            link.kind,
            link.starts,
            link.to,
            link.source,
            link.confidence,
            link.note,
            document.line(("links", index)) if document is not None else 0,
        )
        for index, link in enumerate(head.links)
    )
    return System(
        id=head.id,
        name=names,
        status=head.status,
        design=head.design,
        begins=head.begins or date.max,
        unit_name=head.unit.name,
        unit_code=head.unit.code or head.unit.name,
        measure=head.unit.measure,
        currency=head.currency,
        jurisdiction=head.jurisdiction,
        summary=head.summary,
        level=head.level,
        time_zone=head.time_zone,
        notes=tuple(head.notes),
        links=links,
    )


def loose_links(rulebook: Rulebook) -> list[Fault]:
    """Links to systems of which there is no rulebook, neither among those that ship nor in a folder or file beside this one."""
    place = Path(rulebook.place)
    shown = f"{place.name}/{HEAD}" if place.is_dir() else place.name
    faults = []
    for number, link in enumerate(rulebook.system.links):
        beside = (SHIPPED / link.system, place.parent / link.system, place.parent / f"{link.system}.yaml")
        if link.system == rulebook.system.id:
            faults.append(Fault(shown, link.line, f"links.{number}", "a system is not linked with itself", "name the other one"))
        elif link.system and not any(is_rulebook(other) for other in beside):
            advice = nearest(link.system, systems()) or "write `jurisdiction:` for one that has no rulebook"
            faults.append(Fault(shown, link.line, f"links.{number}", f"there is no system {link.system!r}", advice))
    return faults
