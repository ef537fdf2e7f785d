"""Duties that come with size: above one quantity of yearly emissions an operator reports, above a larger one it also surrenders units."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.cap import whole
from tonne.rules.declare import rule


@rule("duties_by_size", unit="boolean", given={"emissions": "tCO2e"})
def must_report(emissions: Any, *, reports_above: int) -> Any:
    """Whether an operator needs a monitoring plan and reports: above 10,000 tCO2e a year (Law 15.042/2024). 10,000 -> no, 10,001 -> yes."""
    return _above(emissions, reports_above)


@rule("duties_by_size", unit="boolean", given={"emissions": "tCO2e"})
def must_surrender(emissions: Any, *, surrenders_above: int) -> Any:
    """Whether an operator also surrenders units for its emissions: above 25,000 tCO2e a year. 25,000 -> no, 25,001 -> yes."""
    return _above(emissions, surrenders_above)


def _above(emissions: Any, bound: int) -> Any:
    tonnes = whole("emissions", emissions)
    if tonnes.size and tonnes.min() < 0:
        raise ValueError(f"emissions of {int(tonnes.min()):,} are less than nothing")
    found = np.asarray(tonnes > bound, dtype=bool)
    return bool(found) if found.ndim == 0 else found
