"""Finds and loads rulebooks: those that ship with the package, and anybody's folder."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from tonne.law import schema, vocabulary
from tonne.law.faults import Fault, RulebookError, UnknownSystem, nearest
from tonne.law.parameter import Parameter
from tonne.law.rulebook import Answer, Rulebook, System
from tonne.law.text import read

SHIPPED = Path(__file__).resolve().parent.parent / "rulebooks"


def systems() -> list[str]:
    """Ids of the systems that ship with the package, sorted."""
    return sorted(path.parent.name for path in SHIPPED.glob("*/system.yaml"))


def folder_of(system: str | Path) -> Path:
    """The folder of a system's id, or the folder itself when a path is given. Raises UnknownSystem."""
    if isinstance(system, str) and (SHIPPED / system / "system.yaml").is_file():
        return SHIPPED / system
    folder = Path(system)
    if (folder / "system.yaml").is_file():
        return folder
    if folder.is_dir():
        raise UnknownSystem(f"{folder} has no system.yaml, so it is no rulebook")
    raise UnknownSystem(f"no system {str(system)!r}; {nearest(str(system), systems()) or 'see `tonne systems`'}")


def load(system: str | Path, answer: Answer | None = None) -> Rulebook:
    """Load and validate one rulebook. Raises UnknownSystem, or RulebookError with every fault of its files."""
    return _load(folder_of(system), answer)


@lru_cache(maxsize=128)
def _load(folder: Path, answer: Answer | None) -> Rulebook:
    faults: list[Fault] = []
    shown = folder.name
    head = schema.validate(schema.SystemModel, read(folder / "system.yaml", f"{shown}/system.yaml"), faults)
    parameters: dict[str, Parameter] = {}
    rules: dict[str, tuple[str, ...]] = {}
    notes: dict[str, tuple[str, ...]] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.name == "system.yaml":
            continue
        topic = path.stem
        if topic not in vocabulary.TOPICS:
            faults.append(Fault(f"{shown}/{path.name}", 0, "", "no such topic", nearest(topic, vocabulary.TOPICS)))
            continue
        try:
            document = read(path, f"{shown}/{path.name}")
        except RulebookError as error:
            faults.extend(error.faults)
            continue
        model = schema.validate(schema.TopicModel, document, faults)
        if model is not None:
            rules[topic] = tuple(model.rules)
            notes[topic] = tuple(model.notes)
            for parameter in schema.parameters_of(topic, model, document, faults):
                parameters[parameter.path] = parameter
    if faults or head is None:
        raise RulebookError(faults)
    return Rulebook(_system(head), parameters, rules, notes, str(folder), answer=answer)


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
