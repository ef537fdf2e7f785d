"""Allocation balanced within a sector: plants of low intensity get more than they emit, others less, and the sector as a whole what it emits."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from typing import Any

import numpy as np

from tonne.rules.allocation.rows import as_columns, as_decimal, as_given, products_down, scaled, whole_numbers
from tonne.rules.declare import rule
from tonne.rules.groups import codes
from tonne.units import IntArray, Rate, fraction


@rule("unit_benchmark_allocation", unit="tCO2e_per_tonne_product", given={"verified": "allowance", "intensity": "tCO2e_per_tonne_product"})
def balance_value(verified: Any, intensity: Any, *, intensity_slope: Rate, intensity_band: Rate, intensity_limit: Rate) -> Decimal | None:
    """The intensity at which what a sector's plants receive equals what they emitted (draft plan 2025-26, part 3(2)2). None where nobody emits.

    1,000,000 at 1.5, 2,000,000 at 1.6, 1,000,000 at 1.8: 6,500,000 / 4,000,000 = 1.625.
    """
    _, (verified, intensity) = as_columns(verified, intensity)
    balance = solve_balance(verified, intensity, *band_law(intensity_slope, intensity_band, intensity_limit))
    return None if balance is None else as_decimal(balance)


@rule("unit_benchmark_allocation", unit="ratio", given={"intensity": "tCO2e_per_tonne_product", "balance": "tCO2e_per_tonne_product"})
def intensity_coefficient(intensity: Any, balance: Rate, *, intensity_slope: Rate, intensity_band: Rate, intensity_limit: Rate) -> Any:
    """What a plant gets above or below its emissions, as a ratio (draft plan 2025-26, table 3).

    Intensity 1.2 against 1.6: (1.6 - 1.2) / 1.6 = 25 %, at or above 20 %, so 0.03; inside the band 0.15 x the deviation.
    """
    single, (intensity,) = as_columns(intensity)
    law = band_law(intensity_slope, intensity_band, intensity_limit)
    distinct, places = codes(intensity)
    values = np.empty(len(distinct), dtype=object)
    values[:] = [as_decimal(_coefficient(fraction(i), fraction(balance), *law)) for i in distinct]
    return as_given(values[places], single)


@rule(
    "unit_benchmark_allocation",
    unit="allowance",
    given={"verified": "allowance", "intensity": "tCO2e_per_tonne_product", "balance": "tCO2e_per_tonne_product"},
)
def intensity_allocation(
    verified: Any, intensity: Any, balance: Rate | None = None, *, intensity_slope: Rate, intensity_band: Rate, intensity_limit: Rate
) -> Any:
    """Units of plants of one sector, E x (1 + alpha), rounded down; without a balance value it is solved over the rows (draft 2025-26).

    1,000,000 x (1 + 0.15 x (1.625 - 1.5) / 1.625) = 1,011,538.46 -> 1,011,538.
    """
    single, (verified, intensity) = as_columns(verified, intensity)
    law = band_law(intensity_slope, intensity_band, intensity_limit)
    at = solve_balance(verified, intensity, *law) if balance is None else fraction(balance)
    return as_given(units_by_intensity(verified, intensity, at, *law), single)


def band_law(slope: Rate | None, band: Rate | None, limit: Rate | None) -> tuple[Fraction, Fraction, Fraction]:
    if slope is None or band is None or limit is None:
        raise ValueError("the law of this day has no slope, band and limit for an allocation balanced by intensity")
    return fraction(slope), fraction(band), fraction(limit)


def solve_balance(verified: Any, intensity: Any, slope: Fraction, band: Fraction, limit: Fraction) -> Fraction | None:
    """Solve sum(A) = sum(E) exactly: find the two neighbouring edges between which the sum changes sign, then the straight piece between them.

    An edge is a balance value at which some plant enters or leaves the band: I / (1 - band) or I / (1 + band). Between two edges the same plants
    are inside, and slope x sum(E - E x I / BP) + limit x (sum best - sum worst) = 0 is linear in 1 / BP. Of a flat piece the lower end is taken.
    """
    emitted = whole_numbers(verified)
    distinct, places = codes(intensity)
    whole, scale = scaled(distinct)
    mass = np.zeros(len(whole), dtype=np.int64)
    np.add.at(mass, places, emitted)
    levels = sorted(zip(whole, mass.tolist(), strict=True))
    level = [i for i, _ in levels]
    total = list(accumulate((m for _, m in levels), initial=0))
    moment = list(accumulate((i * m for i, m in levels), initial=0))
    if not total[-1]:
        return None
    enters, leaves = 1 - band, 1 + band

    def terms(balance: Fraction) -> tuple[Fraction, Fraction]:
        """The surplus at a balance value as a + b / balance. Levels up to it x (1 - band) are best, from it x (1 + band) on worst."""
        best, worst = bisect_right(level, _floor(balance * enters)), bisect_left(level, -_floor(-balance * leaves))
        inside, within = total[worst] - total[best], moment[worst] - moment[best]
        return slope * inside + limit * (total[best] - total[-1] + total[worst]), -slope * within

    def surplus(balance: Fraction) -> Fraction:
        constant, inverse = terms(balance)
        return constant + inverse / balance

    # Edges on one whole-number scale: level / enters and level / leaves, both times the product of the two numerators.
    steps = (enters.denominator * leaves.numerator, leaves.denominator * enters.numerator)
    unit = enters.numerator * leaves.numerator
    edges = sorted({i * step for i in level for step in steps if i})
    if not edges:
        return None
    low, high = 0, len(edges) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if surplus(Fraction(edges[middle], unit)) >= 0 else (middle + 1, high)
    if low == 0 or surplus(Fraction(edges[low], unit)) == 0:
        return Fraction(edges[low], unit * scale)
    constant, inverse = terms(Fraction(edges[low - 1] + edges[low], 2 * unit))
    return -inverse / constant / scale


def units_by_intensity(verified: Any, intensity: Any, balance: Fraction | None, slope: Fraction, band: Fraction, limit: Fraction) -> IntArray:
    """E x (1 + alpha) of each row, whole units."""
    if balance is None:
        return whole_numbers(verified)
    distinct, places = codes(intensity)
    return products_down(verified, [([1 + _coefficient(fraction(i), balance, slope, band, limit) for i in distinct], places)])


def _coefficient(intensity: Fraction, balance: Fraction, slope: Fraction, band: Fraction, limit: Fraction) -> Fraction:
    deviation = (balance - intensity) / balance
    return slope * deviation if -band < deviation < band else (limit if deviation >= band else -limit)


def _floor(value: Fraction) -> int:
    return value.numerator // value.denominator
