"""Columns of generating units as the rules of the unit benchmarks take them: one length, exact products, a plain value where one was given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from math import lcm
from typing import Any

import numpy as np
import numpy.typing as npt

from tonne.rules.groups import codes
from tonne.units import INT64_MAX, IntArray, Rate, UnitsError, fraction

DIGITS = 50


def as_columns(*columns: Any) -> tuple[bool, list[npt.NDArray[Any]]]:
    """The columns as arrays of one length; True where every one of them was a single value."""
    arrays = [c if isinstance(c, np.ndarray) else np.asarray(c, dtype=None if _is_plain(c) else object) for c in columns]
    single = all(a.ndim == 0 for a in arrays)
    return single, [np.asarray(a) for a in np.broadcast_arrays(*(np.atleast_1d(a) for a in arrays))]


def as_given(values: npt.NDArray[Any], single: bool) -> Any:
    """A plain value where only single values were given, else the array."""
    if not single:
        return values
    return values[0].item() if isinstance(values[0], np.generic) else values[0]


def whole_numbers(column: npt.NDArray[Any]) -> IntArray:
    """A column of whole numbers as int64; anything else is refused."""
    if column.dtype.kind in "iu":
        return column.astype(np.int64)
    values = column.tolist()
    if any(isinstance(v, float) or v != int(v) for v in values):
        raise UnitsError("units are whole numbers")
    return np.array([int(v) for v in values], dtype=np.int64)


def products_down(quantity: npt.NDArray[Any], rates: Sequence[tuple[Sequence[Rate], IntArray]]) -> IntArray:
    """quantity x rate x rate ... row by row, exact, rounded down once. In int64 where the products fit, in Python's integers where they do not."""
    denominator = 1
    if quantity.dtype.kind in "iu":
        product: npt.NDArray[Any] = quantity.astype(np.int64)
    else:
        values, places = codes(quantity)
        numerators, denominator = scaled(values)
        product = np.array(numerators, dtype=object)[places] if values else np.zeros(0, dtype=object)
    largest = max(abs(int(product.max(initial=0))), abs(int(product.min(initial=0))))
    factors = []
    for distinct, places in rates:
        numerators, scale = scaled(distinct)
        largest *= max((abs(n) for n in numerators), default=0)
        denominator *= scale
        factors.append((numerators, places))
    kind: Any = np.int64 if max(largest, denominator, *(abs(n) for ns, _ in factors for n in ns), 0) <= INT64_MAX else object
    product = product.astype(kind)
    for numerators, places in factors:
        product = product * np.array(numerators, dtype=kind)[places]
    return np.asarray(product // denominator).astype(np.int64)


def scaled(rates: Sequence[Rate | str]) -> tuple[list[int], int]:
    """Rates as whole numbers over one denominator."""
    exact = [fraction(r) for r in rates]
    scale = lcm(*(f.denominator for f in exact)) if exact else 1
    return [f.numerator * (scale // f.denominator) for f in exact], scale


def row_of_year(table: Mapping[int, Any], year: int, what: str) -> Any:
    try:
        return table[int(year)]
    except KeyError:
        raise ValueError(f"no {what} for {year}; the law of this day has {', '.join(str(y) for y in table)}") from None


def known_entry(table: Mapping[str, Any], name: Any, what: str) -> Any:
    try:
        return table[name]
    except KeyError:
        raise ValueError(f"unknown {what} {name!r}; there are {', '.join(table)}") from None


def as_decimal(value: Fraction) -> Decimal:
    """A fraction as a decimal of fifty digits: exact where it ends."""
    with localcontext() as context:
        context.prec = DIGITS
        return Decimal(value.numerator) / Decimal(value.denominator)


def _is_plain(column: Any) -> bool:
    """Whether NumPy's own choice of type is safe: whole numbers and booleans. Text and decimals stay Python objects."""
    first = next((v for v in column), 0) if isinstance(column, Sequence) and not isinstance(column, str) else column
    return isinstance(first, (bool, int, np.integer, np.bool_))
