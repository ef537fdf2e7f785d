"""The units of a year as the law tables them, a figure for each year."""

from __future__ import annotations

from typing import Any

from tonne.rules.columns import Table, by_year
from tonne.rules.declare import rule


@rule("tabled_cap", unit="allowance", given={"year": "year"})
def cap(year: Any, *, cap_by_year: Table) -> Any:
    """Units for a year as the authority tables them, year by year. Raises ValueError, with the years there are, for a year that is not tabled.

    A table that holds 589,300,000 for 2021 gives 589,300,000.
    """

    def one(y: int) -> int:
        if cap_by_year.get(y) is None:
            raise ValueError(f"no cap is tabled for {y}; there are {', '.join(map(str, sorted(cap_by_year))) or 'none'}")
        return int(cap_by_year[y])

    return by_year(year, one)
