"""Rows that share what decides over them: each different combination is worked out once and given to all its rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tonne.units import IntArray


def codes(column: Any) -> tuple[list[Any], IntArray]:
    """The different values of a flat column in the order they come, and for each row the place of its value among them.

    A single value that was broadcast over the rows is looked at once.
    """
    array = np.asarray(column)
    if array.size and array.strides == (0,):
        return [array.item(0)], np.zeros(array.size, dtype=np.int64)
    places: dict[Any, int] = {}
    numbered = np.fromiter((places.setdefault(value, len(places)) for value in array.tolist()), dtype=np.int64, count=array.size)
    return list(places), numbered


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


def broadcast(*columns: Any) -> tuple[tuple[int, ...], list[Any]]:
    """The shape that columns have together, and each of them flat and of that size, as objects."""
    arrays = np.broadcast_arrays(*(np.asarray(column, dtype=object) for column in columns))
    return arrays[0].shape, [array.ravel() for array in arrays]
