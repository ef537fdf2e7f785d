"""Baselines of production that fall from year to year: a mixture of the industry's intensity and the facility's own, times what is left of it."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import lcm
from typing import Any

import numpy as np

from tonne.rules.columns import Table, latest, plain
from tonne.rules.declare import rule
from tonne.rules.groups import codes, row_groups
from tonne.units import NEAREST, IntArray, Rate, fraction, multiply


@rule("declining_baseline", unit="ratio", given={"year": "year", "decline": "ratio"})
def reduction_contribution(year: int, decline: Any = None, *, decline_rate_by_year: Table) -> Fraction:
    """What is left of the intensity in a year: 1 less the sum of the yearly rates of decline since the first; never below zero.

    A facility with a rate of its own gives it as `decline`. 1 - 7 x 0.049 = 0.657. The last rate tabled holds on; 1 before the first.
    """
    first = min((y for y in decline_rate_by_year), default=int(year) + 1)
    fallen = Fraction(0)
    for one in range(first, int(year) + 1):
        rate = decline_rate_by_year[max(y for y in decline_rate_by_year if y <= one)] if decline is None else decline
        fallen += fraction(rate)
    return max(1 - fallen, Fraction(0))


@rule("declining_baseline", unit="ratio", given={"assessed": "ratio", "kind": "text", "year": "year"})
def adjusted_decline(assessed: Rate, kind: str, year: int, *, decline_rate_by_year: Table, decline_floor: Mapping[str, Rate]) -> Any:
    """The rate of decline of a trade-exposed facility: what its test of cost gives, not below the floor of its kind, not above the year's rate.

    Assessed at 0.5 %: manufacturing 1 %, others 2 %.
    """
    if decline_floor.get(kind) is None:
        raise ValueError(f"no least rate of decline for {kind!r}; there are {', '.join(decline_floor)}")
    usual = decline_rate_by_year[max(y for y in decline_rate_by_year if y <= int(year))]
    return min(max(assessed, decline_floor[kind], key=fraction), usual, key=fraction)


@rule(
    "declining_baseline",
    unit="allowance",
    given={"year": "year", "product": "product", "quantity": "number", "intensity": "number"},
)
def allocation(
    year: Any,
    product: Any,
    quantity: Any,
    intensity: Any,
    *,
    decline_rate_by_year: Table,
    industry_weight_by_year: Table,
    industry_intensity: Mapping[str, Rate] | None = None,
) -> Any:
    """The baseline of a row of output: contribution x (h x the industry's intensity + (1 - h) x the facility's own) x output, to the nearest tonne.

    2023-24, h = 0.1: 0.951 x (0.1 x 1.0 + 0.9 x 1.2) x 100,000 = 112,218. Where no intensity of the industry is tabled for a product the facility's
    own stands for both. National Greenhouse and Energy Reporting (Safeguard Mechanism) Rule 2015, as amended in 2023.
    """
    given = [np.asarray(value, dtype=object) for value in (year, product, quantity, intensity)]
    columns = np.broadcast_arrays(*given)
    units: IntArray = np.zeros(columns[0].shape, dtype=np.int64)
    years, products, outputs, own = [column.ravel() for column in columns]
    out, tonnes = units.reshape(-1), outputs.astype(np.int64)
    different, places = codes(own)
    if None in different:
        raise ValueError("a row of output lacks the facility's own intensity")
    intensities = [fraction(one) for one in different]
    scale = lcm(*(one.denominator for one in intensities))
    scaled = np.array([one.numerator * (scale // one.denominator) for one in intensities], dtype=object)
    for rows, (one, made) in row_groups(years, products):
        left = reduction_contribution(int(one), decline_rate_by_year=decline_rate_by_year)
        industry = (industry_intensity or {}).get(made)
        weight = Fraction(0) if industry is None else fraction(latest(industry_weight_by_year, int(one), 0))
        fixed, share = left * weight * fraction(industry or 0), left * (1 - weight) / scale
        common = lcm(fixed.denominator, share.denominator)
        parts = scaled * int(share * common) + int(fixed * common)
        out[rows] = _times(tonnes[rows], parts, places[rows], common)
    return plain(units)


def _times(tonnes: IntArray, parts: Any, places: IntArray, common: int) -> Any:
    """tonnes x parts[places] / common to the nearest unit; in 64 bits where that is exact, otherwise in whole numbers of any size."""
    most = max((abs(int(part)) for part in parts.tolist()), default=0)
    if most * int(np.abs(tonnes).max(initial=0)) < 1 << 62:
        return multiply(tonnes * parts.astype(np.int64)[places], Fraction(1, common), rounding=NEAREST)
    return multiply(tonnes.astype(object) * parts[places], Fraction(1, common), rounding=NEAREST)
