"""A parameter: one figure of the law through time, each value with its day, its source and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from tonne.law.faults import NotYetInForce
from tonne.units import Rounding, fraction, round_decimal


@dataclass(frozen=True, slots=True)
class Growth:
    """A published rule of growth: from `start` on, the year before times `factor` plus `step`, rounded each year to a multiple of `to`."""

    start: int
    value: Decimal
    until: int
    factor: Decimal = Decimal(1)
    step: Decimal = Decimal(0)
    rounding: Rounding = Rounding.EXACT
    to: Decimal | None = None

    def table(self) -> dict[int, Any]:
        """Year -> value, `start` to `until`. What is rounded to, or begins and steps by, whole numbers is whole numbers."""
        values: dict[int, Any] = {}
        grains = (self.value, self.step) if self.to is None else (self.to,)
        whole = all(grain == grain.to_integral_value() for grain in grains)
        current = self.value
        for year in range(self.start, self.until + 1):
            values[year] = int(current) if whole else current
            grown = fraction(current) * fraction(self.factor) + fraction(self.step)
            current = round_decimal(grown, self.to, self.rounding) if self.to is not None else Decimal(grown.numerator) / grown.denominator
        return values


@dataclass(frozen=True, slots=True)
class Value:
    """One dated value. `value` is None when repealed; with `grows` the value is the growth's table."""

    starts: date
    value: Any
    source: str
    published: date
    confidence: str = "source"
    status: str = "in_force"
    note: str = ""
    grows: Growth | None = None
    line: int = 0

    @property
    def content(self) -> Any:
        return self.grows.table() if self.grows else self.value


@dataclass(frozen=True, slots=True)
class Parameter:
    """All values of one figure, in the order in which they take effect (and, on one day, became known)."""

    path: str
    unit: str
    label: Mapping[str, str]
    values: tuple[Value, ...]
    by: str | None = None
    informative: bool = False
    note: str = ""
    file: str = ""
    line: int = 0

    def visible(self, day: date, known_on: date | None = None, proposed: bool = False) -> tuple[Value, ...]:
        """Values in effect on a day as far as was known on another, oldest first."""
        return tuple(
            v for v in self.values if v.starts <= day and (known_on is None or v.published <= known_on) and (proposed or v.status != "proposed")
        )

    def at(self, day: date, known_on: date | None = None, proposed: bool = False) -> Any:
        """The scalar or the table in force. Raises NotYetInForce when no value has taken effect; None when repealed."""
        visible = self.visible(day, known_on, proposed)
        if not visible:
            raise NotYetInForce(self._why_nothing(day, known_on, proposed))
        if self.by is None:
            return visible[-1].content
        return None if visible[-1].content is None else self._overlaid(visible)

    @staticmethod
    def _overlaid(visible: tuple[Value, ...]) -> dict[Any, Any]:
        table: dict[Any, Any] = {}
        for value in visible:
            table = {} if value.content is None else {**table, **value.content}
        return table

    def _why_nothing(self, day: date, known_on: date | None, proposed: bool) -> str:
        as_known = f" as known on {known_on}" if known_on else ""
        coming = [v for v in self.values if not (not proposed and v.status == "proposed")]
        if not coming:
            return f"{self.path} is only proposed; a scenario may include it"
        effective = [v for v in coming if v.starts <= day]
        hint = f"; what holds by then was first published {min(v.published for v in effective)}" if effective else ""
        hint = hint or f"; its first value takes effect {coming[0].starts}"
        return f"{self.path} has no value on {day}{as_known}{hint}"
