"""Which vintages pay for which years: none before their own, some vintages no later year than a set one."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.columns import truth
from tonne.rules.declare import rule


@rule("vintage_order", unit="boolean", given={"vintage": "year", "year": "year", "arrears": "boolean"})
def vintage_pays(
    vintage: Any,
    year: Any,
    arrears: Any = False,
    *,
    later_vintage_pays: bool = True,
    last_limited_vintage: int | None = None,
    arrears_vintages_until: int | None = None,
    arrears_years_until: int | None = None,
) -> Any:
    """Whether units of a vintage may be surrendered for a year's emissions (plan for 2023-24, part 7; draft plan for 2025-26, part 5).

    A 2024 vintage does not pay 2023; a vintage up to the last limited one (2024) does not pay a year after it; arrears may have an exception.
    """
    vintage, year, arrears = np.asarray(vintage), np.asarray(year), np.asarray(arrears, dtype=bool)
    pays: Any = np.logical_or(later_vintage_pays, vintage <= year)
    if last_limited_vintage is not None:
        pays = pays & ~((vintage <= last_limited_vintage) & (year > last_limited_vintage))
    if arrears_vintages_until is not None and arrears_years_until is not None:
        pays = pays | (arrears & (vintage <= arrears_vintages_until) & (year <= arrears_years_until))
    pays = np.asarray(pays & np.ones(arrears.shape, dtype=bool), dtype=bool)
    return truth(pays)
