"""A cap on the emissions of several years together, and how much of it is left."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.columns import Table, by_year, plain, whole
from tonne.rules.declare import rule


@rule("cumulative_cap", unit="tCO2e", given={"year": "year"})
def cumulative_cap(year: Any, *, cumulative_cap_by_first_year: Table, last_year_by_first_year: Table) -> Any:
    """Tonnes that may be emitted in the whole period a year belongs to: 77,000,000 in 2020 to 2024. Raises ValueError outside all periods."""
    return by_year(year, lambda y: int(cumulative_cap_by_first_year[_first(y, cumulative_cap_by_first_year, last_year_by_first_year)]))


@rule("cumulative_cap", unit="tCO2e", given={"year": "year", "emitted": "tCO2e"})
def room_under_cap(year: Any, emitted: Any, *, cumulative_cap_by_first_year: Table, last_year_by_first_year: Table) -> Any:
    """Tonnes still free in a year's period after what was emitted in it so far: 77,000,000 - 60,000,000 = 17,000,000. Nothing once it is exceeded."""
    cap = cumulative_cap(year, cumulative_cap_by_first_year=cumulative_cap_by_first_year, last_year_by_first_year=last_year_by_first_year)
    return plain(np.maximum(cap - whole("emissions", emitted), 0))


def _first(year: int, caps: Table, last_years: Table) -> int:
    started = [first for first, cap in caps.items() if first <= year and cap is not None]
    if not started or year > int(last_years.get(max(started)) or 0):
        periods = ", ".join(f"{first} to {last_years.get(first)}" for first in sorted(caps)) or "none"
        raise ValueError(f"no cumulative cap holds for {year}; there are {periods}")
    return max(started)
