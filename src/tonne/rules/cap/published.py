"""The units of a year as an authority makes them public, for some years only."""

from __future__ import annotations

from typing import Any

from tonne.rules.columns import Table, by_year, whole
from tonne.rules.declare import rule


@rule("cap_where_published", unit="allowance", given={"year": "year"})
def cap(year: Any, *, cap_by_year: Table | None = None) -> Any:
    """Units for a year as made public or planned; None for a year whose total is not known, which is then the sum of what is handed out.

    Allocation plan for 2023: 105,000,000. Many years at once need a total for each of them: ValueError for one that has none.
    """
    tabled, years = cap_by_year or {}, whole("a year", year)
    if years.ndim == 0:
        quantity = tabled.get(int(years))
        return None if quantity is None else int(quantity)
    missing = sorted({int(y) for y in years.ravel()} - {y for y, quantity in tabled.items() if quantity is not None})
    if missing:
        raise ValueError(f"no total was made public for {', '.join(map(str, missing))}; there is one for {', '.join(map(str, sorted(tabled)))}")
    return by_year(years, lambda y: int(tabled[y]))
