"""Published statistics about the world's carbon markets, read from package data: each figure with its source, confidence and day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from tonne.law.faults import Fault, nearest
from tonne.law.text import Document, read
from tonne.law.vocabulary import CONFIDENCES

FILE = Path(__file__).with_name("world.yaml")
INFERRED = "inferred"  # a reading of a damaged figure: never counted as published
PUBLISHED = ("source", "seed")
READS = ("", "about", "at_least")
ROW = frozenset({"system", "of", "year", "value", "by_year", "document", "source", "entry", "confidence", "known_on", "reads", "note"})
GROUP = frozenset({"what", "unit", "figures", "document", "source", "entry", "confidence", "known_on", "note"})


Documents = Mapping[str, tuple[str, date, date]]  # title, known on, state of


class WorldDataError(ValueError):
    """The file of statistics is not sound. `faults` holds all of them."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__(f"faults in the statistics: {len(self.faults)}\n" + "\n".join(f"  {fault}" for fault in self.faults[:50]))


@dataclass(frozen=True)
class Figure:
    """One published figure.

    as_of     the day whose state the document shows
    system    id of a rulebook, `` where the figure is of the world or of something else, which `of` names
    reads     how it is printed: `` exactly, `about`, `at_least`
    document  where it is printed; `source` is the place in it, `entry` the entry of the collected facts
    """

    value: Decimal | int | str
    unit: str
    source: str
    confidence: str
    known_on: date
    as_of: date
    document: str
    system: str = ""
    of: str = ""
    year: int | None = None
    entry: str = ""
    reads: str = ""
    note: str = ""

    @property
    def published(self) -> bool:
        """Whether somebody printed it: neither worked out nor guessed from a damaged figure."""
        return self.confidence in PUBLISHED

    @property
    def number(self) -> float:
        return float(self.value)

    @property
    def shown(self) -> str:
        """`> 10`, `about 70,000`, `23`."""
        text = f"{self.value:,}" if isinstance(self.value, (int, Decimal)) else self.value
        return {"at_least": f"> {text}", "about": f"about {text}"}.get(self.reads, text)

    @property
    def name(self) -> str:
        return self.system or self.of


@dataclass(frozen=True)
class Group:
    """Figures of one kind."""

    id: str
    what: str
    unit: str
    figures: tuple[Figure, ...]
    note: str = ""

    def __iter__(self) -> Iterator[Figure]:
        return iter(self.figures)

    def of(self, name: str, year: int | None = None) -> Figure | None:
        """The figure of a system (or of what `of` names), of a year; the newest where no year is asked for."""
        found = [f for f in self.figures if name in (f.system, f.of) and (year is None or f.year == year)]
        return max(found, key=lambda f: f.year or 0) if found else None


@dataclass(frozen=True)
class WorldData:
    """All groups, the words by which sectors are told, the bounds of price bands, and the colours of systems."""

    groups: Mapping[str, Group]
    sectors: Mapping[str, tuple[str, ...]]
    bands: tuple[int, ...]
    documents: Mapping[str, str]
    colours: Mapping[str, str]

    def __getitem__(self, name: str) -> Group:
        try:
            return self.groups[name]
        except KeyError:
            raise KeyError(f"no group of figures {name!r}; {nearest(name, self.groups) or 'there are ' + ', '.join(self.groups)}") from None

    @property
    def figures(self) -> tuple[Figure, ...]:
        return tuple(figure for group in self.groups.values() for figure in group)


@lru_cache(maxsize=1)
def statistics() -> WorldData:
    """What ships with the package. Raises WorldDataError with every fault of the file."""
    return load(FILE)


def load(path: Path) -> WorldData:
    """Read and check a file of statistics."""
    document = read(path, path.name)
    reader = _Reader(document)
    data = document.data if isinstance(document.data, dict) else {}
    if not data.get("groups"):
        reader.fault((), "has no groups of figures")
    documents = {}
    for key, about in (data.get("documents") or {}).items():
        if not isinstance(about, dict) or not about.get("title") or not isinstance(about.get("known_on"), date):
            reader.fault(("documents", key), "a document has a title and the day since when it is known (known_on)")
            continue
        documents[key] = (about["title"], about["known_on"], about.get("as_of", about["known_on"]))
    groups = {key: reader.group(key, body, documents) for key, body in (data.get("groups") or {}).items()}
    if reader.faults:
        raise WorldDataError(reader.faults)
    sectors = {key: tuple(words) for key, words in (data.get("sectors") or {}).items()}
    titles = {key: title for key, (title, _, _) in documents.items()}
    return WorldData(groups, sectors, tuple(data.get("price_bands") or ()), titles, dict(data.get("colours") or {}))


class _Reader:
    """Makes figures of rows and remembers what is wrong with them."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.faults: list[Fault] = []

    def fault(self, path: tuple[str | int, ...], reason: str) -> None:
        self.faults.append(Fault(self.document.file, self.document.line(path), ".".join(map(str, path)), reason))

    def group(self, key: str, body: Any, documents: Documents) -> Group:
        path = ("groups", key)
        if not isinstance(body, dict) or not body.get("what") or not body.get("unit") or not body.get("figures"):
            self.fault(path, "a group says what its figures are (what), their unit, and has figures")
            return Group(key, "", "", ())
        for word in set(body) - GROUP:
            self.fault((*path, word), f"unknown key; {nearest(word, GROUP)}")
        common = {word: body[word] for word in ("document", "source", "entry", "confidence", "known_on") if word in body}
        figures: list[Figure] = []
        for number, row in enumerate(body["figures"]):
            where = (*path, "figures", number)
            for word in set(row) - ROW:
                self.fault((*where, word), f"unknown key; {nearest(word, ROW)}")
            whole = {**common, **row}
            table = whole.pop("by_year", None) or {whole.get("year"): whole.get("value")}
            figures += [made for year, value in table.items() if (made := self.figure(where, whole, year, value, body["unit"], documents))]
        seen: set[tuple[str, str, int | None]] = set()
        for figure in figures:
            place = (figure.system, figure.of, figure.year)
            if place in seen:
                self.fault(path, f"{figure.name or 'the world'}, {figure.year}: told twice")
            seen.add(place)
        return Group(key, body["what"], body["unit"], tuple(figures), body.get("note", ""))

    def figure(self, path: tuple[str | int, ...], row: Mapping[str, Any], year: Any, value: Any, unit: str, documents: Documents) -> Figure | None:
        before = len(self.faults)
        title, known, as_of = documents.get(row.get("document", ""), ("", None, None))
        known = row.get("known_on", known)
        confidence = row.get("confidence", "")
        wrong = {
            f"no such document {row.get('document')!r}": not title,
            "no source": not row.get("source"),
            f"confidence {confidence!r} is none of {', '.join((*CONFIDENCES, INFERRED))}": confidence not in (*CONFIDENCES, INFERRED),
            "no day since when it is known (known_on)": not isinstance(known, date),
            f"year {year!r} is no year": year is not None and type(year) is not int,
            f"{value!r} is no figure": type(value) not in ((str,) if unit == "text" else (int, Decimal)),
            f"reads {row.get('reads')!r} is none of about, at_least": row.get("reads", "") not in READS,
        }
        for reason, is_wrong in wrong.items():
            if is_wrong:
                self.fault(path, reason)
        if len(self.faults) > before:
            return None
        texts = {word: row.get(word, "") for word in ("system", "of", "entry", "reads", "note")}
        return Figure(value, unit, row["source"], confidence, known, as_of, title, year=year, **texts)  # type: ignore[arg-type]
