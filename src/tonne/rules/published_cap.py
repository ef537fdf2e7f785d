"""Totals that an authority makes public for some years only, and the parts that it keeps back from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tonne.rules.cap import Table, since, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, multiply


@rule("cap_where_published", unit="allowance", given={"year": "year"})
def cap(year: Any, *, cap_by_year: Table) -> Any:
    """Units for a year as made public; None for a year whose total was not, which is then the sum of what is handed out.

    Allocation plan for 2023: 105,000,000. Many years at once need a total for each of them: ValueError for one that has none.
    """
    years = whole("a year", year)
    if years.ndim == 0:
        quantity = cap_by_year.get(int(years))
        return None if quantity is None else int(quantity)
    missing = sorted({int(y) for y in years.ravel()} - {y for y, quantity in cap_by_year.items() if quantity is not None})
    if missing:
        raise ValueError(f"no total was made public for {', '.join(map(str, missing))}; there is one for {', '.join(map(str, sorted(cap_by_year)))}")
    return np.array([int(cap_by_year[int(y)]) for y in years.ravel()], dtype=np.int64).reshape(years.shape)


@rule("cap_parts", unit="allowance", given={"cap": "allowance", "year": "year", "part": "text"})
def cap_part(cap: int, year: int, part: str, *, part_share: Mapping[int, Mapping[str, Any]]) -> Any:
    """Units of a year's total that belong to a part of it: what existing emitters are given, what is kept for newcomers, for the price, for bidding.

    Allocation plan for 2022: 26,000,000 x 0.02 = 520,000. The shares of the last year tabled hold on. Raises ValueError for a part that the text
    does not know.
    """
    shares = since(part_share, int(year), "division of the total")
    if shares.get(part) is None:
        raise ValueError(f"no part {part!r} in {year}; there are {', '.join(shares)}")
    return multiply(int(whole("a total", cap)), shares[part], rounding=DOWN)
