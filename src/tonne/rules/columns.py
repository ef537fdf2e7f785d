"""One way to take a scalar or a column, and one way to read a table by year or by name.

A rule works on one row (a plain number), many rows (an array) and zero rows. It takes its inputs through `whole` or `counted`, and gives its
answer through `plain` or `truth`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from tonne.units import IntArray, Rate, Rounding, UnitsError, fraction, multiply

Table = Mapping[int, Any]


def whole(what: str, values: Any) -> IntArray:
    """Whole units as an int64 array of any shape. Raises UnitsError for fractions."""
    array = np.asarray(values)
    if array.size and array.dtype.kind not in "iu":
        raise UnitsError(f"{what} is a whole number of units, not {array.dtype} such as {array.ravel()[0]!r}")
    return array.astype(np.int64)


def counted(what: str, values: Any) -> IntArray:
    """Whole units, zero or more. Raises UnitsError for fractions, ValueError for what is less than nothing."""
    array = whole(what, values)
    if array.size and array.min() < 0:
        raise ValueError(f"{what}: {int(array.min()):,} is negative; there is no such thing as less than nothing")
    return array


def plain(array: Any) -> Any:
    """An int for one row, the int64 array for a column."""
    return int(array) if np.ndim(array) == 0 else np.asarray(array, dtype=np.int64)


def truth(array: Any) -> Any:
    """A bool for one row, the array of booleans for a column."""
    return bool(array) if np.ndim(array) == 0 else np.asarray(array, dtype=bool)


def by_year(year: Any, one: Callable[[int], int]) -> Any:
    """Answer once for each distinct year and spread the answers over the rows."""
    years = whole("a year", year)
    if years.ndim == 0:
        return one(int(years))
    distinct, inverse = np.unique(years, return_inverse=True)
    answers = np.array([one(int(y)) for y in distinct], dtype=np.int64)
    return answers[inverse].reshape(years.shape) if years.size else np.zeros(years.shape, dtype=np.int64)


def times_by_year(quantity: IntArray, year: Any, rate: Callable[[int], Rate], rounding: Rounding) -> IntArray:
    """Each row times the rate of its year, rounded once."""
    rows, years = np.broadcast_arrays(quantity, whole("a year", year))
    out = np.zeros(rows.shape, dtype=np.int64)
    for one in np.unique(years):
        chosen = years == one
        out[chosen] = multiply(np.array(rows[chosen]), rate(int(one)), rounding=rounding)
    return out


def latest(table: Table | None, year: int, otherwise: Any = None) -> Any:
    """The entry of the latest tabled year up to this one; `otherwise` before the first."""
    years = [y for y, value in (table or {}).items() if y <= year and value is not None]
    return (table or {})[max(years)] if years else otherwise


def since(table: Table, year: int, what: str) -> Any:
    """The entry of the latest tabled year up to this one. Raises ValueError before the first."""
    found = latest(table, year)
    if found is None:
        raise ValueError(f"no {what} for {year}: the first is of {min(table, default='no year')}")
    return found


def exactly(table: Table, year: int, what: str) -> Any:
    """The entry of that very year. Raises ValueError with the years there are."""
    if table.get(year) is None:
        known = sorted(y for y, value in table.items() if value is not None)
        raise ValueError(f"no {what} for {year}: the law in force has {', '.join(map(str, known)) or 'none'}")
    return table[year]


def price_of(year: Any, one: Callable[[int], Decimal | None]) -> Any:
    """The price of a year, None for a year without one; an object array for many years, each distinct one looked up once."""
    years = np.asarray(year)
    if years.ndim == 0:
        return one(int(years))
    found = np.empty(years.shape, dtype=object)
    for distinct in np.unique(years):
        found[years == distinct] = one(int(distinct))
    return found


def exact_column(values: Any) -> Any:
    """Whole numbers as they are; Decimals and texts as exact fractions, in an array of the same shape."""
    array = np.asarray(values)
    if array.dtype.kind in "iu":
        return array
    exact = np.empty(array.size, dtype=object)
    exact[:] = [fraction(value) for value in array.ravel().tolist()]
    return exact.reshape(array.shape)


def measured(values: Any) -> Any:
    """As `exact_column`; the measured numbers of a data file may be binary floats, and stay so."""
    array = np.asarray(values)
    return array if array.dtype.kind == "f" else exact_column(array)


def among(column: Any, names: Collection[str]) -> Any:
    """Whether each value of a column of texts is one of the names."""
    found = np.fromiter((value in names for value in column.ravel().tolist()), dtype=bool, count=column.size)
    return found.reshape(column.shape)
