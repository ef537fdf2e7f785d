"""Views as plain JSON values: whole numbers stay whole, decimals and fractions are text, days are ISO, tables are lists of rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl


def plain(value: Any) -> Any:
    """A view as JSON can hold it. Fields come in the order in which they are declared, columns in that of the table, sets sorted.

    A binary float that is no number becomes null. Raises TypeError for what has no plain form.
    """
    if value is None or isinstance(value, (bool, str)):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return _of_many(value)


def _of_many(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value) if field.repr}
    if isinstance(value, pl.DataFrame):
        return [{name: plain(cell) for name, cell in row.items()} for row in value.to_dicts()]
    if isinstance(value, pl.Series):
        return [plain(cell) for cell in value.to_list()]
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: plain(item) for name, item in value._asdict().items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(plain(item) for item in value)
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.tolist()]
    raise TypeError(f"{type(value).__name__} has no plain form")
