"""Allocation by an entity's own history: the mean of its past intensities, past emissions for the days it ran, the highest of some base years."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tonne.rules.columns import plain, whole
from tonne.rules.declare import rule
from tonne.units import NEAREST, Rate, fraction, multiply


@rule("weighted_own_intensity", unit="boolean", given={"emissions": "tCO2e", "output": "number"})
def kept_years(emissions: Any, output: Any, *, outlier_share: Rate) -> Any:
    """Which past years count: a year whose intensity lies off the weighted mean of all by the share or more is left out, if it is the only one.

    emissions and output have one row a year: [100, 90, 80] for one entity, [[...], [...], [...]] for many. Intensities of 1.0, 1.0 and 1.6 on equal
    output: mean 1.2, deviations of 17, 17 and 33 per cent, so the third year is left out. A year without output is none.
    """
    tonnes, made = whole("past emissions", emissions), whole("past output", output)
    total, of, share = tonnes.sum(axis=0), made.sum(axis=0), fraction(outlier_share)
    # |e/o - E/O| >= share x E/O, both sides times o x O x the share's denominator: whole numbers.
    largest = 2 * _most(total) * _most(of) * max(share.denominator, share.numerator)
    exact = np.int64 if largest < 2**63 else object
    tonnes, parts, total, of = (np.asarray(column).astype(exact) for column in (tonnes, made, total, of))
    off = np.asarray(abs(tonnes * of - total * parts) * share.denominator >= total * parts * share.numerator, dtype=bool) & (made > 0) & (total > 0)
    return np.where(off.sum(axis=0) == 1, ~off, True) & (made > 0)


@rule("weighted_own_intensity", unit="allowance", given={"emissions": "tCO2e", "output": "number", "quantity": "number", "factor": "ratio"})
def history_allocation(emissions: Any, output: Any, quantity: Any, factor: Rate = 1, *, outlier_share: Rate) -> Any:
    """Units: the weighted mean intensity of the years that count x a reduction factor x this year's output. Raises ValueError without past output.

    200,000 t on 200,000 of output in two years that count, 90,000 made at a factor of 0.98: 88,200.
    """
    kept = kept_years(emissions, output, outlier_share=outlier_share)
    tonnes = np.where(kept, whole("past emissions", emissions), 0).sum(axis=0)
    made = np.where(kept, whole("past output", output), 0).sum(axis=0)
    now = whole("output", quantity)
    if np.any(made <= 0):
        raise ValueError("an entity without output in the past has no intensity of its own")
    rate = fraction(factor)
    # sums x output x factor / past output, halves up, in whole numbers of Python where 64 bits do not hold the product.
    largest = 2 * _most(tonnes) * _most(now) * rate.numerator + _most(made) * rate.denominator * 2
    exact = np.int64 if largest < 2**63 else object
    sums = np.asarray(tonnes).astype(exact) * now.astype(exact) * rate.numerator
    below = np.asarray(made).astype(exact) * rate.denominator
    units = (2 * sums + below) // (2 * below)
    return plain(np.asarray(units).astype(np.int64)[()])


@rule("prorated_history", unit="allowance", given={"historical": "tCO2e", "days": "day", "factor": "ratio"})
def prorated_allocation(historical: Any, days: Any, factor: Rate = 1, *, market_adjustment: Rate = 1) -> Any:
    """Units of an entity allocated by its past emissions: base x sector control factor x market adjustment / 365 x days of normal production.

    Allocation plan of 2024 for ceramics. A base of 36,500 at 0.90 for 300 days: 27,000.
    """
    base, run = np.broadcast_arrays(whole("past emissions", historical), whole("days of production", days))
    if run.size and (run.min() < 0 or run.max() > 366):
        raise ValueError("a year has 0 to 366 days of production")
    return plain(multiply(np.array(base * run), fraction(factor) * fraction(market_adjustment) / 365, rounding=NEAREST))


@rule("higher_base_year", unit="number", given={"by_base_year": "number"})
def base_value(by_base_year: Sequence[Any], *, base_years: Sequence[int]) -> Any:
    """The base an allocation starts from: the highest of the base years' emissions, or intensities; one value or column a base year, in their order.

    Notice on the allowances of 2021. 2019: 120,000 and 2020: 95,000 -> 120,000. Raises ValueError when another number of years is given.
    """
    if len(by_base_year) != len(base_years):
        raise ValueError(f"the base years are {', '.join(map(str, base_years))}; {len(by_base_year)} values are given")
    if all(np.ndim(value) == 0 for value in by_base_year):
        return max(by_base_year, key=fraction)
    return np.maximum.reduce([np.asarray(column) for column in by_base_year])


def _most(values: Any) -> int:
    return int(np.max(values)) if np.size(values) else 0
