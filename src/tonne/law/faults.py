"""What can be wrong with a rulebook or with a question to it.

LawError
├── RulebookError      the files are not sound; carries every fault
├── UnknownSystem      no rulebook of that id
├── UnknownParameter   the rulebook has no such parameter
├── NotYetInForce      the parameter has no value on that day (as far as was known)
├── BeforeSystem       the day is before the system's first law
└── ScenarioError      a patch that fits nothing
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

#: How alike two words are that may be meant for each other (1: the same). What difflib takes for near by itself sees malaysia in atlantis.
NEAR: Any = Fraction(17, 25)


class LawError(Exception):
    """Root of what the law room raises."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault: file, line (1-based, 0 when the whole file is meant), key as a dotted path, what is wrong, what to do."""

    file: str
    line: int
    key: str
    reason: str
    suggestion: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        text = f"{place}: {self.key}: {self.reason}" if self.key else f"{place}: {self.reason}"
        return f"{text} ({self.suggestion})" if self.suggestion else text


class RulebookError(LawError):
    """The rulebook is not sound. `faults` holds all of them, in file order."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        count = len(self.faults)
        super().__init__(f"{count} fault{'s' * (count != 1)} in the rulebook:\n" + "\n".join(f"  {fault}" for fault in self.faults[:50]))


class UnknownSystem(LawError):
    pass


class UnknownParameter(LawError):
    pass


class NotYetInForce(LawError):
    pass


class BeforeSystem(LawError):
    pass


class ScenarioError(LawError):
    pass


def nearest(word: str, allowed: Iterable[str]) -> str:
    """`did you mean ...?`, or the whole list where nothing is near and the list is short."""
    names = sorted(allowed)
    close = difflib.get_close_matches(word, names, n=1, cutoff=NEAR)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"allowed: {', '.join(names)}" if 0 < len(names) <= 20 else ""
