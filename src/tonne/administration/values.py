"""Values of the law as plain JSON and back: decimals are text in the log and decimals again in the rulebook."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

_NUMBER = re.compile(r"[-+]?\d+\.\d+")


def revive(value: Any) -> Any:
    """JSON values as the rulebook loader would have read them: `"0.24"` is Decimal("0.24"), keys that are years are ints."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return Decimal(value)
    if isinstance(value, list):
        return [revive(item) for item in value]
    if isinstance(value, dict):
        return {int(key) if key.lstrip("-").isdigit() else key: revive(item) for key, item in value.items()}
    return value
