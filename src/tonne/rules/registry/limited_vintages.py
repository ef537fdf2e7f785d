"""Units that bear a year and pay no later one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tonne.rules.columns import truth
from tonne.rules.declare import rule


@rule("vintage_pays_no_later_year", unit="boolean", given={"vintage": "year", "year": "year"})
def vintage_pays(vintage: Any, year: Any, *, limited_vintages: Sequence[int]) -> Any:
    """Whether a unit may be surrendered for a year: one of a limited vintage for its own year and earlier ones, any other for every year (BEHG).

    With 2021 to 2025 limited: 2023 for 2024 -> no, 2023 for 2023 -> yes, 2025 for 2024 -> yes, 2025 for 2026 -> no.
    """
    vintages, years = np.broadcast_arrays(np.asarray(vintage), np.asarray(year))
    first, last = limited_vintages[0], limited_vintages[-1]
    pays = ~((vintages >= first) & (vintages <= last) & (years > vintages))
    return truth(pays)
