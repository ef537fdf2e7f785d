"""A cap that falls by points of one fixed baseline: so many percent of the same past emissions less each year."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from tonne.rules.columns import by_year
from tonne.rules.declare import rule
from tonne.units import NEAREST, Rate, fraction, round_fraction


@rule("baseline_points_cap", unit="allowance", given={"year": "year"})
def cap(
    year: Any, *, cap_baseline: int, yearly_points: Mapping[int, Rate], cap_start: int, cap_by_year: Mapping[int, int | None] | None = None
) -> Any:
    """Units for a year: as tabled, otherwise the baseline less the points of all years so far, to the nearest unit.

    `yearly_points` is by year: the share of the baseline taken off each year from that year on; `cap_start` is the first year with a cap.
    68,052,221 x (1 - 2 x 0.07) = 58,524,910.06 -> 58,524,910 for the second year. Raises ValueError for a year before the first.
    """

    def one(y: int) -> int:
        if y < cap_start:
            raise ValueError(f"no cap for {y}: the first year with one is {cap_start}")
        if cap_by_year and cap_by_year.get(y) is not None:
            return int(cap_by_year[y] or 0)
        taken = Fraction(0)
        for passed in range(cap_start, y + 1):
            known = [start for start in yearly_points if start <= passed]
            if not known:
                raise ValueError(f"no points taken off the baseline for {passed}; the first are of {min(yearly_points, default=None)}")
            taken += fraction(yearly_points[max(known)])
        return max(round_fraction(Fraction(cap_baseline) * (1 - taken), NEAREST), 0)

    return by_year(year, one)
