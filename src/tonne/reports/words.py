"""Words and figures as all reports write them: thousands, headings, units, status letters. The same on every machine, whatever its locale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

#: column of the yearly table -> heading, and whether it counts units or emissions
HEADINGS: dict[str, tuple[str, str]] = {
    "year": ("Year", ""),
    "cap": ("Cap", "units"),
    "allocated": ("Allocated free", "units"),
    "auctioned": ("Auctioned", "units"),
    "verified": ("Verified", "emissions"),
    "limit": ("Limit", "emissions"),
    "earned": ("Earned below it", "units"),
    "bought": ("Sold at fixed price", "units"),
    "paid": ("Settled in money", "units"),
    "surrendered": ("Surrendered", "units"),
    "circulation": ("Circulation", "units"),
    "circulation_published": ("Circulation published", "units"),
    "reserve_intake": ("Into reserve", "units"),
    "reserve_placed": ("Placed in reserve", "units"),
    "reserve_balance": ("In reserve", "units"),
    "allocated_loaded": ("Allocated free", "units"),
    "verified_loaded": ("Verified", "emissions"),
    "surrendered_loaded": ("Surrendered", "units"),
}
#: status letter -> what it says of an installation in a year
LETTERS: dict[str, str] = {
    "A": "surrendered enough",
    "B": "surrendered too little",
    "C": "no verified emissions",
    "D": "corrected late, too little",
    "E": "corrected late, enough",
    "X": "entry was impossible",
    "-": "nothing was due",
}
#: units in which a whole number is a name, not a quantity
UNGROUPED = frozenset({"year", "code", "rule", "text", "calendar_rule", "formula"})
_EMISSIONS = {"tonne": "t CO2e", "short_ton": "short tons CO2", "kilogram": "kg CO2e", "toe": "toe"}
_MEASURES = {"tonne": "tonne of CO2e", "short_ton": "short ton of CO2", "kilogram": "kilogram of CO2e", "toe": "tonne of oil equivalent"}


def whole(number: Any) -> str:
    """1,234,567 with commas; nothing for nothing."""
    return "" if number is None else f"{int(number):,}"


def signed(number: Any) -> str:
    return "" if number is None else f"{int(number):+,}" if number else "0"


def share(part: int, of: int) -> str:
    """A percentage with one decimal; 100.0 % only where it is all."""
    if not of:
        return ""
    percent = 100 * part / of
    shown = min(percent, 99.9) if part < of and round(percent, 1) >= 100 else percent
    return f"{shown:.1f} %"


def plural(name: str) -> str:
    """EU allowance -> EU allowances; entry -> entries."""
    if name.endswith("s"):
        return name
    return f"{name[:-1]}ies" if name.endswith("y") and name[-2:-1] not in "aeiou" else f"{name}s"


def emissions_unit(measure: str) -> str:
    return _EMISSIONS.get(measure, measure)


def measure_word(measure: str) -> str:
    """What one unit stands for: tonne of CO2e, short ton of CO2."""
    return _MEASURES.get(measure, measure)


def scale(largest: float) -> tuple[int, str]:
    """Divisor and word that keep an axis readable: (1_000_000, "million")."""
    if largest >= 2_000_000:
        return 1_000_000, "million"
    return (1_000, "thousand") if largest >= 2_000 else (1, "")


def figure(value: Any, unit: str = "") -> str:
    """A value of the law as people read it: thousands in whole numbers (years have none), decimals as written, lists in a row."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value) if unit in UNGROUPED else f"{value:,}"
    if isinstance(value, Decimal):
        return f"{value:,f}"
    if isinstance(value, date):
        return value.isoformat()
    return "; ".join(_rows(value, unit)) or "empty" if isinstance(value, (Mapping, list, tuple)) else str(value)


def _rows(value: Any, unit: str) -> list[str]:
    """One text for each row of a table or item of a list."""
    if isinstance(value, Mapping):
        return [f"{key}: {_inner(v, unit)}" for key, v in value.items()]
    return [_inner(v, unit) for v in value]


def _inner(value: Any, unit: str) -> str:
    """A row's own value. Inside a row of several, what may be a year is written as one."""
    if isinstance(value, Mapping):
        return f"[{'; '.join(f'{key}: {v}' if type(v) is int and 1900 <= v <= 2100 else f'{key}: {_inner(v, unit)}' for key, v in value.items())}]"
    return f"[{figure(value, unit)}]" if isinstance(value, (list, tuple)) else figure(value, unit)


def compact(value: Any, unit: str = "", room: int = 160) -> str:
    """A value in one line: a table that is too long shows its first rows, its last, and how many there are."""
    text = figure(value, unit)
    if len(text) <= room or not isinstance(value, (Mapping, list, tuple)):
        return text
    rows = _rows(value, unit)
    first, last = rows[0], rows[-1]
    if len(rows) < 3 or len(first) + len(last) > room - 20:
        shown = first if len(first) <= room - 20 else f"{first[: room - 20]}..."
        return f"{shown}; ... ({len(rows)} rows)" if len(rows) > 1 else shown
    kept = [first]
    while len(kept) < len(rows) - 1 and len("; ".join([*kept, rows[len(kept)], last])) < room - 18:
        kept.append(rows[len(kept)])
    return f"{'; '.join(kept)}; ... {last} ({len(rows)} rows)" if len(kept) < len(rows) - 1 else text


def used(columns: Iterable[tuple[str, Iterable[Any]]], always: Iterable[str] = ("year",)) -> list[str]:
    """Names of the columns that hold anything but nothing and zero; a column of zeros says less than its absence."""
    kept = set(always)
    return [name for name, values in columns if name in kept or any(values)]
