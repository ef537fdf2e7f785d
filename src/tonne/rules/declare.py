"""How a rule says what it is: the mechanism it belongs to, the units of what it takes and gives.

Everything else is read from the function's signature: positional parameters are given by whoever asks, keyword-only parameters come from the law.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as declared.

    ask         the function's name: what `tonne asks` lists and a case names
    mechanism   what a rulebook names under `rules:`
    unit        unit of the answer
    given       unit of each positional input
    required    names of the inputs that have no default
    parameters  law parameter name -> whether the rulebook must have it
    """

    ask: str
    mechanism: str
    unit: str
    given: Mapping[str, str]
    required: tuple[str, ...]
    parameters: Mapping[str, bool]
    function: Callable[..., Any]

    @property
    def summary(self) -> str:
        """The first line of what it says of itself, without what it raises."""
        return (inspect.getdoc(self.function) or "").split("\n", 1)[0].split(" Raises ")[0]


#: mechanism -> ask -> rule. Filled when the modules of this room are imported, never afterwards.
MECHANISMS: dict[str, dict[str, Rule]] = {}


def rule(mechanism: str, *, unit: str, given: Mapping[str, str] | None = None) -> Callable[[F], F]:
    """Declare a function as a rule of a mechanism. Raises TypeError for an input without a unit or a second rule of the same name."""

    def declare(function: F) -> F:
        signature = inspect.signature(function)
        inputs = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.KEYWORD_ONLY]
        units = dict(given or {})
        if set(units) != {p.name for p in inputs}:
            raise TypeError(f"{function.__name__}: `given` names {sorted(units)}, the signature has {[p.name for p in inputs]}")
        parameters = {p.name: p.default is inspect.Parameter.empty for p in signature.parameters.values() if p.kind is inspect.Parameter.KEYWORD_ONLY}
        required = tuple(p.name for p in inputs if p.default is inspect.Parameter.empty)
        asks = MECHANISMS.setdefault(mechanism, {})
        if function.__name__ in asks:
            raise TypeError(f"{mechanism}.{function.__name__} is declared twice")
        asks[function.__name__] = Rule(function.__name__, mechanism, unit, units, required, parameters, function)
        return function

    return declare
