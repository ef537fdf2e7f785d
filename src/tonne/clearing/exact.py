"""Whole numbers that stay whole: products of lots and money that fit 64 bits or say so, and shares that add up to the last cent."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.units import INT64_MAX, IntArray, UnitsError


def whole(what: str, values: Any) -> IntArray:
    """Lots, ticks or money as an int64 array. Raises UnitsError for anything but whole numbers, OverflowError beyond 64 bits."""
    array = np.asarray(values)
    if array.size == 0:
        return np.zeros(array.shape, dtype=np.int64)
    if array.dtype == object and all(isinstance(value, (int, np.integer)) for value in array.ravel()):
        return array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise UnitsError(f"{what}: whole numbers, not {array.dtype}")
    if array.dtype.kind == "u" and int(array.max()) > INT64_MAX:
        raise OverflowError(f"{what}: {int(array.max())} does not fit 64 bits")
    return array.astype(np.int64)


def largest(array: IntArray, axis: int | None = None) -> Any:
    """The largest absolute value, in Python's integers: the smallest int64 has no positive twin."""
    if array.size == 0:
        return 0
    if axis is None:
        return max(int(array.max()), -int(array.min()))
    return [max(int(high), -int(low)) for high, low in zip(array.max(axis=axis).ravel(), array.min(axis=axis).ravel(), strict=True)]


def weighed(what: str, lots: IntArray, values: IntArray) -> IntArray:
    """lots (rows x instruments) times values per lot (instruments, or instruments x anything), summed over the instruments, exact.

    Raises OverflowError where a sum could pass 64 bits: it is found before the product is made, never after.
    """
    most = largest(lots, axis=0) if lots.size else []
    rows = largest(values.reshape(len(values), -1), axis=1) if values.size else []
    bound = sum(a * b for a, b in zip(most, rows, strict=False))
    if bound > INT64_MAX:
        raise OverflowError(f"{what}: sums up to {bound} do not fit 64 bits; split the book by currency or by family")
    return np.asarray(lots @ values, dtype=np.int64)


def times(what: str, first: IntArray, second: IntArray) -> IntArray:
    """Element by element, exact. Raises OverflowError where a product could pass 64 bits."""
    if largest(first) * largest(second) > INT64_MAX:
        for a, b in np.broadcast(first, second):
            if abs(int(a) * int(b)) > INT64_MAX:
                raise OverflowError(f"{what}: {int(a)} x {int(b)} does not fit 64 bits")
    return np.asarray(first * second, dtype=np.int64)


def added(what: str, *parts: IntArray) -> IntArray:
    """The sum of arrays, element by element. Raises OverflowError where a sum could pass 64 bits."""
    if sum(largest(part) for part in parts) > INT64_MAX:
        exact: Any = sum(part.astype(object) for part in parts)
        if largest(exact) > INT64_MAX:
            raise OverflowError(f"{what}: a sum of {largest(exact)} does not fit 64 bits")
    return np.asarray(sum(parts[1:], start=parts[0]), dtype=np.int64)


def booked(what: str, amounts: IntArray, to: Any, by: Any, rows: int) -> IntArray:
    """What each of so many rows gets: the sum of the amounts that come `to` it less those that come `by` it (row numbers, one each an amount).

    Raises OverflowError where a sum could pass 64 bits.
    """
    if largest(amounts) * len(amounts) > INT64_MAX and sum(abs(int(amount)) for amount in amounts) > INT64_MAX:
        raise OverflowError(f"{what}: the amounts together do not fit 64 bits")
    found = np.zeros(rows, dtype=np.int64)
    np.add.at(found, to, amounts)
    np.subtract.at(found, by, amounts)
    return found


def shares(total: int, weights: Any) -> IntArray:
    """`total` divided in proportion to `weights`, in whole numbers that add up to it: each part rounded down, then one more to the largest
    remainders, the earlier row first where remainders are equal.

    shares(100, [1, 1, 1]) == [34, 33, 33]. No part passes its weight while `total` is not above the sum of weights. Raises ValueError for a
    negative total or weight, and for a total that nobody has a weight for.
    """
    given = whole("weights", weights).reshape(-1)
    sizes = [int(weight) for weight in given]
    whole_weight = sum(sizes)
    if total < 0 or any(size < 0 for size in sizes):
        raise ValueError(f"neither what is divided ({total}) nor a weight may be negative")
    if total == 0:
        return np.zeros(len(sizes), dtype=np.int64)
    if whole_weight == 0:
        raise ValueError(f"{total} is to be divided, but all weights are zero")
    parts, rests = zip(*(divmod(total * size, whole_weight) for size in sizes), strict=True)
    found = list(parts)
    for row in sorted(range(len(sizes)), key=lambda row: (-rests[row], row))[: total - sum(parts)]:
        found[row] += 1
    return np.array(found, dtype=np.int64)
