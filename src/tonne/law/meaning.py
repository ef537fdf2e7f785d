"""What a value must be to fit its parameter: a table where the parameter has `by:`, and in it what the unit counts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from tonne.dates import DateError, agenda_day, zone
from tonne.law import vocabulary
from tonne.law.faults import nearest
from tonne.units import Rounding

#: A reason and what to do about it.
Misfit = tuple[str, str]
YEARS = range(1900, 2301)
_MONTH_DAY = re.compile(r"\d{2}-\d{2}")
_EXPONENT = re.compile(r"[-+]?\d+(\.\d+)?[eE][-+]?\d+")


def misfits(unit: str, by: str | None, content: Any) -> Iterator[Misfit]:
    """Why a value does not fit a parameter of this unit and table key. Null fits everywhere: it repeals."""
    if content is None:
        return
    if by is None:
        if isinstance(content, Mapping):
            years = all(isinstance(key, int) and key in YEARS for key in content)
            yield "a table needs `by:` on the parameter", f"write `by: {'year' if years else 'product'}` (or what its keys are) below `unit:`"
        else:
            yield from _misfits_of(unit, content, "")
        return
    if not isinstance(content, Mapping):
        yield "the parameter has `by:`, so each value is a table", ""
        return
    if by != "year" and all(isinstance(key, int) and key in YEARS for key in content) and nearest(by, ("year",)).startswith("did"):
        yield f"the keys are years, and the parameter says `by: {by}`", "write `by: year`"
    for key, row in content.items():
        if by == "year" and (not isinstance(key, int) or key not in YEARS):
            split = isinstance(key, int) and key < YEARS[0]
            advice = "did a comma split a number? write 2_900_000" if split else "write years as plain numbers from 1900 to 2300"
            yield f"{key!r} is no year; the table is `by: year`", advice
        if by == "task" and unit == "calendar_rule" and key not in vocabulary.TASKS:
            yield f"{key!r} is no task of the calendar", nearest(str(key), vocabulary.TASKS)
        yield from _misfits_of(unit, row, f"{key}: ")


def foreign_money(unit: str, currency: str) -> Misfit | None:
    """Why a figure in this unit cannot enter the arithmetic of a system of that currency; None where it can."""
    foreign = sorted(vocabulary.currencies(unit) - {currency})
    if not foreign:
        return None
    return f"unit {unit!r}, but the system's currency is {currency}", f"write it in {currency}, or mark it `informative: true`"


def _misfits_of(unit: str, value: Any, where: str) -> Iterator[Misfit]:
    """A list is looked at item by item. A mapping has fields with meanings of their own; only what must be whole is looked at in it."""
    if isinstance(value, list) and unit == "calendar_rule":
        yield f"{where}a list, where one day is meant", _WANTED[unit]
    elif isinstance(value, list):
        for item in value:
            yield from _misfits_of(unit, item, where)
    elif isinstance(value, Mapping):
        for field, item in value.items():
            if unit in vocabulary.WHOLE and isinstance(item, Decimal):
                yield from _misfits_of(unit, item, f"{where}{field}: ")
    elif value is not None:
        reason, advice = _misfit(unit, value)
        if reason:
            yield f"{where}{reason}", advice


def _misfit(unit: str, value: Any) -> Misfit:
    wanted = _WANTED.get(unit)
    if wanted is not None:
        return ("", "") if _is(unit, value) else (f"{_shown(value)} does not fit the unit {unit!r}", wanted)
    if unit in vocabulary.WORDS:
        fits = isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool) and unit != "text")
        return ("", "") if fits else (f"{_shown(value)} does not fit the unit {unit!r}, which is written in words", "put it in quotes")
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        advice = _as_number(value) if isinstance(value, str) else ""
        return f"{_shown(value)} is not a number, and the unit is {unit!r}", advice
    if unit in vocabulary.WHOLE and isinstance(value, Decimal):
        return f"{value} does not fit the unit {unit!r}, which is counted in whole numbers", "write a whole number, or choose another unit"
    return "", ""


def _as_number(text: str) -> str:
    """How to write as a number what somebody wrote as text."""
    if _EXPONENT.fullmatch(text):
        return f"write {text} without the exponent"
    bare = text.strip().replace("_", "")
    if re.fullmatch(r"[-+]?\d+(\.\d+)?", bare):
        return "remove the quotes"
    if re.fullmatch(r"[-+]?\d+(\.\d+)?\s*%", bare):
        return f"write {Decimal(bare.rstrip('% ')) / 100:f} with the unit ratio"
    if re.fullmatch(r"[-+]?\d{1,3}([,. ]\d{3})+", bare):
        return f"write {re.sub(r'[,. ]', '_', bare)}: `_` may stand between digits, commas may not"
    return ""


_WANTED = {
    "boolean": "write true or false",
    "date": "write a day as 2024-06-01",
    "month_day": "write a day of the year in quotes, as '04-30'",
    "calendar_rule": "write `+N MM-DD`, N years after the emissions year",
    "time_zone": "write a time zone as Europe/Brussels",
    "rounding": f"write one of {', '.join(Rounding)}",
}


def _is(unit: str, value: Any) -> bool:
    if unit == "boolean":
        return isinstance(value, bool)
    if unit == "date":
        return isinstance(value, date)
    if not isinstance(value, str):
        return False
    try:
        match unit:
            case "month_day":
                return bool(_MONTH_DAY.fullmatch(value)) and bool(date.fromisoformat(f"2000-{value}"))
            case "calendar_rule":
                return bool(agenda_day(value, 2000))
            case "time_zone":
                return bool(zone(value))
            case _:
                return value in list(Rounding)
    except (DateError, ValueError):
        return False


def _shown(value: Any) -> str:
    return str(value) if isinstance(value, (Decimal, date)) else repr(value)
