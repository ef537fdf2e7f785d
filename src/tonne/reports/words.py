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
_EMISSIONS = {"tonne": "t CO2e", "short_ton": "short tons CO2", "kilogram": "kg CO2e"}
_MEASURES = {"tonne": "tonne of CO2e", "short_ton": "short ton of CO2", "kilogram": "kilogram of CO2e"}


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


def figure(value: Any) -> str:
    """A value of the law as people read it: thousands in whole numbers, decimals as written, lists in a row."""
    if value is None:
        return "repealed"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Decimal):
        return f"{value:,f}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {figure(v)}" for key, v in value.items()) or "empty"
    if isinstance(value, (list, tuple)):
        return ", ".join(figure(v) for v in value) or "empty"
    return str(value)


def compact(value: Any, room: int = 160) -> str:
    """A value in one line: a table that is too long shows its first and last rows and how many there are."""
    text = figure(value)
    if len(text) <= room or not isinstance(value, (Mapping, list, tuple)):
        return text
    rows = [f"{key}: {figure(v)}" for key, v in value.items()] if isinstance(value, Mapping) else [figure(v) for v in value]
    first, last = rows[0], rows[-1]
    if len(first) + len(last) > room:
        return f"{len(rows)} rows, the first: {first[:room]}..." if len(first) > room else f"{len(rows)} rows, the first: {first}"
    kept = [first]
    while len(kept) < len(rows) - 1 and sum(map(len, kept)) + len(rows[len(kept)]) + len(last) < room - 30:
        kept.append(rows[len(kept)])
    return f"{', '.join(kept)}, ... {last} ({len(rows)} rows)"


def used(columns: Iterable[tuple[str, Iterable[Any]]], always: Iterable[str] = ("year",)) -> list[str]:
    """Names of the columns that hold anything but nothing and zero; a column of zeros says less than its absence."""
    kept = set(always)
    return [name for name, values in columns if name in kept or any(values)]
