"""Who must take part by the figures of several years: every year reaches a threshold, or their mean does."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.columns import plain
from tonne.rules.declare import rule
from tonne.units import INT64_MAX, NEAREST, IntArray, Rate, fraction, multiply


@rule("threshold_over_years", unit="boolean", given={"by_year": "number"})
def is_covered(by_year: Any, *, covered_from: Rate, covered_years: int = 1, covered_by_mean: bool = False) -> Any:
    """Whether a facility takes part: its last years each reach the threshold, or their mean does where the law looks at a mean.

    `by_year` has one row a year, oldest first: [1500, 1600, 1500] for one facility, [[...], [...], [...]] for many; only the last `covered_years`
    count, and who has fewer years takes no part. The threshold of 1,500 kilolitres of crude-oil equivalent in three fiscal years in a row
    (metropolitan ordinance of 2008): 1,500, 1,600 and 1,500 -> yes, 1,500, 1,499 and 1,600 -> no. A mean of 100,000 tonnes over three years:
    90,000, 100,000 and 110,000 -> yes.
    """
    rows = _rows(by_year)
    single = rows.ndim == 1
    if rows.shape[0] < covered_years:
        return False if single else np.zeros(rows.shape[1:], dtype=bool)
    last = rows[-covered_years:]
    bound = fraction(covered_from)
    reached = _reaches(last.sum(axis=0, dtype=np.int64), bound * covered_years) if covered_by_mean else np.asarray(_reaches(last, bound)).all(axis=0)
    return bool(reached) if single else np.asarray(reached, dtype=bool)


@rule("threshold_over_years", unit="number", given={"by_year": "number"})
def mean_of_years(by_year: Any, *, covered_years: int = 1) -> Any:
    """The mean of the last years that the law looks at, to the nearest whole: 90,000, 100,000 and 110,001 tonnes over three years -> 100,000.

    Raises ValueError for fewer years than the law asks for.
    """
    rows = _rows(by_year)
    if rows.shape[0] < covered_years:
        raise ValueError(f"the mean is of {covered_years} years, and {rows.shape[0]} are given")
    total = rows[-covered_years:].sum(axis=0, dtype=np.int64)
    mean = multiply(np.asarray(total), Fraction(1, covered_years), rounding=NEAREST)
    return plain(mean)


def _reaches(values: IntArray, bound: Fraction) -> Any:
    """values >= bound, exact: whole numbers reach a bound when they reach it rounded up."""
    least = -(-bound.numerator // bound.denominator)
    return values >= min(least, INT64_MAX)


def _rows(by_year: Any) -> IntArray:
    """One row a year, whole numbers; a single number is one year of one facility."""
    rows = np.atleast_1d(np.asarray(by_year))
    if rows.size and (rows.dtype.kind not in "iu" or rows.min() < 0):
        raise ValueError("yearly figures are whole numbers, zero or more")
    return rows.astype(np.int64)
