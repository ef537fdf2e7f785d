"""Finds and loads rulebooks: those that ship with the package, and anybody's folder or file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from tonne.law import schema, vocabulary
from tonne.law.faults import Fault, RulebookError, UnknownSystem, nearest
from tonne.law.parameter import Parameter
from tonne.law.rulebook import Answer, Rulebook, System
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
    if (place / HEAD).is_file() or (place.suffix == ".yaml" and place.is_file()):
        return place
    if place.is_dir():
        raise UnknownSystem(f"{place} has no {HEAD}, so it is no rulebook; name a folder that has one, or a rulebook in one .yaml file")
    if place.is_file():
        raise UnknownSystem(f"{place} is no rulebook: a rulebook is a folder with a {HEAD}, or one .yaml file")
    raise UnknownSystem(f"no system {str(system)!r}; {nearest(str(system), systems()) or 'see `tonne systems`'}")


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
    faults: list[Fault] = []
    head, topics = _one_file(place, faults) if place.is_file() else _folder(place, faults)
    parameters: dict[str, Parameter] = {}
    rules: dict[str, tuple[str, ...]] = {}
    notes: dict[str, tuple[str, ...]] = {}
    chosen: dict[str, tuple[str, int]] = {}
    for topic, document in topics.items():
        if topic not in vocabulary.TOPICS:
            faults.append(Fault(document.file, document.line(()), "", f"no such topic: {topic}", nearest(topic, vocabulary.TOPICS)))
            continue
        model = schema.validate(schema.TopicModel, document, faults)
        if model is not None:
            rules[topic] = tuple(model.rules)
            notes[topic] = tuple(model.notes)
            chosen |= {name: (document.file, document.line(("rules", index))) for index, name in enumerate(model.rules)}
            for parameter in schema.parameters_of(topic, model, document, faults, head.currency if head is not None else None):
                parameters[parameter.path] = parameter
    if faults or head is None:
        raise RulebookError(faults)
    return Rulebook(_system(head), parameters, rules, notes, str(place), answer=answer, chosen=chosen)


def _folder(folder: Path, faults: list[Fault]) -> tuple[schema.SystemModel | None, dict[str, Document]]:
    """The head and the topics of a folder: system.yaml and one file a topic."""
    documents: dict[str, Document] = {}
    for path in sorted(folder.glob("*.y*ml")):
        shown = f"{folder.name}/{path.name}"
        if path.suffix != ".yaml":
            faults.append(Fault(shown, 0, "", "this file would not be read", f"name it {path.stem}.yaml"))
            continue
        try:
            documents[path.stem] = read(path, shown)
        except RulebookError as error:
            faults.extend(error.faults)
    head = documents.pop(Path(HEAD).stem, None)
    return (schema.validate(schema.SystemModel, head, faults) if head is not None else None), documents


def _one_file(path: Path, faults: list[Fault]) -> tuple[schema.SystemModel | None, dict[str, Document]]:
    """The simplest system is one short file: the keys of system.yaml, and under `topics:` what would be the topic files."""
    document = read(path, path.name)
    head = schema.validate(schema.OneFileModel, document, faults)
    return head, {topic: document.below("topics", topic) for topic in (head.topics if head is not None else ())}


def _system(head: schema.SystemModel) -> System:
    names: Mapping[str, str] = head.name
    return System(
        id=head.id,
        name=names,
        status=head.status,
        design=head.design,
        begins=head.begins,
        unit_name=head.unit.name,
        unit_code=head.unit.code or head.unit.name,
        measure=head.unit.measure,
        currency=head.currency,
        jurisdiction=head.jurisdiction,
        summary=head.summary,
        level=head.level,
        time_zone=head.time_zone,
        notes=tuple(head.notes),
    )
