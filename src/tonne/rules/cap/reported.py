"""A cap set as a share of what the emitters themselves report for a base year."""

from __future__ import annotations

from typing import Any

from tonne.rules.columns import by_year
from tonne.rules.declare import rule
from tonne.units import DOWN, Rate, fraction, multiply


@rule("share_of_reported_cap", unit="allowance", given={"year": "year"})
def cap(year: Any, *, statistics__reported_emissions: int | None, cap_reduction: Rate, first_cap_year: int, last_cap_year: int) -> Any:
    """Units for each year of the first period: the emissions reported for the base year less a share of them.

    160,000,000 x (1 - 0.27) = 116,800,000. Raises ValueError for a year outside the period, or while nothing is reported.
    """

    def one(y: int) -> int:
        if statistics__reported_emissions is None:
            raise ValueError("the emissions of the base year are not reported yet, so there is no cap")
        if not first_cap_year <= y <= last_cap_year:
            raise ValueError(f"no cap for {y}: the period runs from {first_cap_year} to {last_cap_year}")
        return multiply(int(statistics__reported_emissions), 1 - fraction(cap_reduction), rounding=DOWN)

    return by_year(year, one)
