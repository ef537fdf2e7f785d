"""Rows that share what decides over them: each different combination is worked out once and given to all its rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tonne.units import IntArray


def codes(column: Any) -> tuple[list[Any], IntArray]:
    """The different values of a flat column in the order they come, and for each row the place of its value among them."""
    places: dict[Any, int] = {}
    numbered = [places.setdefault(value, len(places)) for value in np.asarray(column).tolist()]
    return list(places), np.array(numbered, dtype=np.int64)


def row_groups(*columns: Any) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """(rows, values) for each combination of values that flat columns of one length hold; rows are places in them."""
    tables, joined = [], np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        values, numbered = codes(column)
        tables.append(values)
        joined = joined * max(len(values), 1) + numbered
    found, index = np.unique(joined, return_inverse=True)
    order = np.argsort(index, kind="stable")
    ends = np.searchsorted(index[order], np.arange(len(found) + 1))
    for number, code in enumerate(found.tolist()):
        chosen = []
        for values in reversed(tables):
            code, place = divmod(code, max(len(values), 1))
            chosen.append(values[place])
        yield order[ends[number] : ends[number + 1]], tuple(reversed(chosen))
