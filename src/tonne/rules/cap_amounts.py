"""A year's cap as the plan makes it up: so much for the emitters that are there, so much to be sold, so much in reserve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tonne.rules.cap import by_year, exactly
from tonne.rules.declare import rule


@rule("cap_amounts", unit="allowance", given={"year": "year"})
def sum_of_amounts(year: Any, *, amounts_by_year: Mapping[int, Mapping[str, int]]) -> Any:
    """Units of a year as the sum of the amounts that its plan names. 438,000,000 + 27,000,000 = 465,000,000.

    Raises ValueError for a year whose amounts were not made public.
    """
    return by_year(year, lambda y: sum(int(amount) for amount in exactly(amounts_by_year, y, "amounts").values()))


@rule("cap_amounts", unit="allowance", given={"year": "year", "part": "text"})
def amount_of(year: Any, part: str, *, amounts_by_year: Mapping[int, Mapping[str, int]]) -> Any:
    """Units of one part of a year's plan: 27,000,000 in reserve. Raises ValueError for a part that the year's plan does not name."""

    def one(y: int) -> int:
        amounts = exactly(amounts_by_year, y, "amounts")
        if amounts.get(part) is None:
            raise ValueError(f"the plan of {y} names no {part!r}; it names {', '.join(amounts)}")
        return int(amounts[part])

    return by_year(year, one)
