"""Reads YAML as a lawyer wrote it: exact numbers, no surprises, and the line of every key.

YAML 1.1 turns `on` and `no` into booleans, `12:30` into 750 and 0.24 into a binary float. Here they stay what they look like.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from tonne.law.faults import Fault, RulebookError

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Path_: TypeAlias = tuple[str | int, ...]

_DECIMAL = re.compile(r"[-+]?(\d[\d_]*)?\.?\d[\d_]*([eE][-+]?\d+)?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


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
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise RulebookError([Fault(name, line, "", f"not valid YAML: {error.problem}", "look at indentation, colons and quotes here")]) from None
    except yaml.YAMLError as error:
        raise RulebookError([Fault(name, 0, "", f"not valid YAML: {error}")]) from None
    document = Document(name, None)
    if node is None:
        return document
    faults: list[Fault] = []
    document.data = _plain(node, (), document, faults)
    if faults:
        raise RulebookError(faults)
    return document


def _plain(node: Any, path: Path_, document: Document, faults: list[Fault]) -> Any:
    document.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, path, document, faults)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, (*path, index), document, faults) for index, child in enumerate(node.value)]
    mapping: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = _scalar(key_node, path, document, faults) if isinstance(key_node, yaml.ScalarNode) else None
        line = key_node.start_mark.line + 1
        if not isinstance(key, (str, int, bool, date)):
            faults.append(Fault(document.file, line, _dotted(path), f"{key_node.value!r} cannot be a key"))
            continue
        if isinstance(key, (bool, date)):
            key = str(key_node.value)
        here = (*path, key)
        if key in mapping:
            faults.append(Fault(document.file, line, _dotted(here), "written twice in the same place", f"first on line {document.lines[here]}"))
            continue
        document.lines[here] = line
        mapping[key] = _plain(value_node, here, document, faults)
    return mapping


def _scalar(node: Any, path: Path_, document: Document, faults: list[Fault]) -> Any:
    text: str = node.value
    kind = node.tag.rsplit(":", 1)[-1]
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true" if text.lower() in ("true", "false") else text
    if kind == "int" and ":" not in text:
        return int(text.replace("_", ""), 0) if not re.fullmatch(r"[-+]?[\d_]+", text) else int(text.replace("_", ""))
    if kind == "float":
        if _DECIMAL.fullmatch(text):
            return Decimal(text.replace("_", ""))
        if "nan" in text.lower() or "inf" in text.lower():
            faults.append(Fault(document.file, node.start_mark.line + 1, _dotted(path), f"{text} is not a number a law can hold"))
            return None
        return text
    if kind == "timestamp" and _DAY.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            faults.append(Fault(document.file, node.start_mark.line + 1, _dotted(path), f"{text} is no day of the calendar"))
            return None
    return text


def _dotted(path: Path_) -> str:
    return ".".join(str(part) for part in path)
