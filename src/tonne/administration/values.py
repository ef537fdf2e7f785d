"""Values of the law as plain JSON and back: days and decimals are text in the log and themselves again in the rulebook."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from tonne.dates import to_day
from tonne.law import vocabulary

_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")
_YEAR = re.compile(r"\d{4}")
#: Units of what is written in words, beside those that the vocabulary lists as words.
_SPELLED = frozenset({"boolean", "month_day", "calendar_rule", "time_zone", "rounding"})


def revive(value: Any, unit: str) -> Any:
    """JSON values as the rulebook's loader would have read them: a ratio `"0.24"` is Decimal("0.24"), keys that are years are ints.

    Raises DateError for a day that is none.
    """
    if isinstance(value, list):
        return [revive(item, unit) for item in value]
    if isinstance(value, dict):
        return {int(key) if _YEAR.fullmatch(key) else key: revive(item, unit) for key, item in value.items()}
    if not isinstance(value, str) or unit in vocabulary.WORDS or unit in _SPELLED:
        return value
    if unit == "date":
        return to_day(value)
    return Decimal(value) if _NUMBER.fullmatch(value) else value
