"""Reads YAML as a lawyer wrote it: exact numbers, no surprises, and the line of every key.

YAML 1.1 turns `on` and `no` into booleans, `12:30` into 750 and 0.24 into a binary float. Here they stay what they look like.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import yaml

from tonne.law.faults import Fault, RulebookError

_Fast: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Fast):  # type: ignore[misc]
    """The safe loader with its resolver remembered: a few thousand different words make up all the law there is."""

    _known: ClassVar[dict[tuple[str, bool], str]] = {}

    def descend_resolver(self, current_node: Any, current_index: Any) -> None:
        """Nothing here resolves by path."""

    def ascend_resolver(self) -> None:
        """Nothing here resolves by path."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        if kind is not yaml.ScalarNode:
            return super().resolve(kind, value, implicit)
        key = (value, implicit[0])
        tag = self._known.get(key)
        if tag is None:
            tag = super().resolve(kind, value, implicit)
            if len(value) <= 40:
                self._known[key] = tag
        return tag


Path_: TypeAlias = tuple[str | int, ...]

_DECIMAL = re.compile(r"[-+]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)([eE][-+]?\d{1,3})?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
DEPTH_MAX = 50


@dataclass
class Document:
    """A parsed file: plain values, and the line of each key or item by its path."""

    file: str
    data: Any
    lines: dict[Path_, int] = field(default_factory=dict)

    def line(self, path: Path_) -> int:
        """The line of a path, or of the nearest parent that has one."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def below(self, *path: str | int) -> Document:
        """The part of the file under a path as a document of its own, with the lines of the file."""
        data = self.data
        for part in path:
            data = data[part]
        return Document(self.file, data, {where[len(path) :]: line for where, line in self.lines.items() if where[: len(path)] == path})


def read(path: Path, shown_as: str | None = None) -> Document:
    """Parse one file. Raises RulebookError for bad syntax, duplicate keys, not-a-number, wrong encoding."""
    name = shown_as or str(path)
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise RulebookError([Fault(name, 0, "", f"not UTF-8 text (byte {error.start})", "save the file as UTF-8")]) from None
    except OSError as error:
        raise RulebookError([Fault(name, 0, "", f"cannot be read: {error.strerror}")]) from None
    try:
        if _may_be_endless(text):
            _plain_structure(name, text)
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise RulebookError([Fault(name, line, "", f"not valid YAML: {error.problem}", _advice(text, line, str(error.problem)))]) from None
    except yaml.YAMLError as error:
        raise RulebookError([Fault(name, 0, "", f"not valid YAML: {' '.join(str(error).split())}")]) from None
    document = Document(name, None)
    if node is None:
        return document
    reader = _Reader(document)
    document.data = reader.plain(node, ())
    if reader.faults:
        raise RulebookError(reader.faults)
    return document


def _advice(text: str, line: int, problem: str) -> str:
    """What usually lies behind a fault of YAML."""
    lines = text.splitlines()
    here = lines[line - 1] if 0 < line <= len(lines) else ""
    if "\t" in here:
        return "use spaces, no tabs"
    if "mapping values are not allowed" in problem:
        return "a text with a colon in it needs quotes"
    return "look at indentation, colons and quotes here"


_BRACKETS = re.compile(r"[\[\]{}]")
_DEEP = ("&", " " * 40)
_STACKED = re.compile(r"(?:[-?][ \t]+){6}|[?][ \t]*[\r\n]")


def _may_be_endless(text: str) -> bool:
    """A quick look for what the slow one below must judge: anchors, brackets or blocks nested deeply. Most files have none."""
    if any(sign in text for sign in _DEEP) or _STACKED.search(text):
        return True
    depth = 0
    for bracket in _BRACKETS.findall(text):
        depth = max(depth + (1 if bracket in "[{" else -1), 0)
        if depth > DEPTH_MAX // 2:
            return True
    return False


def _plain_structure(name: str, text: str) -> None:
    """Refuse what would make a short file endless (aliases) or break the parser (nesting without end), before a tree is built."""
    depth = 0
    event: Any
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            reason = f"the alias *{event.anchor} stands for something else"
            raise RulebookError([Fault(name, line, "", reason, "write the value out at each place")])
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH_MAX:
            raise RulebookError([Fault(name, line, "", f"nested more than {DEPTH_MAX} deep")])


@dataclass
class _Reader:
    """Turns YAML nodes into plain values and remembers lines and faults."""

    document: Document
    faults: list[Fault] = field(default_factory=list)

    def fault(self, node: Any, path: Path_, reason: str, suggestion: str = "") -> None:
        self.faults.append(Fault(self.document.file, node.start_mark.line + 1, ".".join(map(str, path)), reason, suggestion))

    def plain(self, node: Any, path: Path_) -> Any:
        if path not in self.document.lines:
            self.document.lines[path] = node.start_mark.line + 1
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if isinstance(node, yaml.ScalarNode):
            return node.value if kind == "str" else self.scalar(node, kind, path)
        if kind not in ("seq", "map"):
            self.fault(node, path, f"the tag {node.tag!r} means nothing here", "remove it")
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(child, (*path, index)) for index, child in enumerate(node.value)]
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self.key(key_node, path)
            if key is None:
                continue
            here = (*path, key)
            if key in mapping:
                self.fault(key_node, here, "written twice in the same place", f"first on line {self.document.lines[here]}")
                continue
            self.document.lines[here] = key_node.start_mark.line + 1
            mapping[key] = self.plain(value_node, here)
        return mapping

    def key(self, node: Any, path: Path_) -> str | int | None:
        """A word or a whole number; `on`, `no` and days stay words. None, with a fault, for what cannot be a key."""
        if not isinstance(node, yaml.ScalarNode):
            self.fault(node, path, "a list or a mapping cannot be a key")
            return None
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if kind == "str":
            return str(node.value)
        key = self.scalar(node, kind, path)
        if isinstance(key, (bool, date)):
            return str(node.value)
        if isinstance(key, (str, int)):
            return key
        self.fault(node, path, f"{node.value!r} cannot be a key", "put it in quotes")
        return None

    def scalar(self, node: Any, kind: str, path: Path_) -> Any:
        text: str = node.value
        match kind:
            case "null":
                return None
            case "bool":
                return text.lower() == "true" if text.lower() in ("true", "false") else text
            case "int" if ":" not in text:
                return self.integer(node, text.replace("_", ""), path)
            case "float" if _DECIMAL.fullmatch(text):
                return Decimal(text.replace("_", ""))
            case "float" if "nan" in text.lower() or "inf" in text.lower():
                self.fault(node, path, f"{text} is not a number a law can hold")
            case "timestamp" if _DAY.fullmatch(text):
                return self.day(node, text, path)
            case "str" | "int" | "float" | "timestamp" | "merge" | "value":
                return text
            case _:
                self.fault(node, path, f"the tag {node.tag!r} means nothing here", "remove it")
        return None

    def integer(self, node: Any, digits: str, path: Path_) -> int | None:
        try:
            return int(digits) if re.fullmatch(r"[-+]?\d+", digits) else int(digits, 0)
        except ValueError:
            shown = digits if len(digits) <= 40 else f"{digits[:40]}... ({len(digits)} digits)"
            self.fault(node, path, f"{shown} is not a whole number a law can hold")
            return None

    def day(self, node: Any, text: str, path: Path_) -> date | None:
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.fault(node, path, f"{text} is no day of the calendar")
            return None
