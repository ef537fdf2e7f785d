"""Free allocation of a whole cap, shared out by what the emitters themselves report for past years."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.cap.reported import cap
from tonne.rules.columns import plain, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, Rate, multiply


@rule("scaled_to_reported_cap", unit="allowance", given={"year": "year", "historical": "tCO2e"})
def allocation(
    year: int,
    historical: Any,
    *,
    statistics__reported_emissions: int | None,
    cap__cap_reduction: Rate,
    cap__first_cap_year: int,
    cap__last_cap_year: int,
) -> Any:
    """Free units of all emitters of a year together: the whole cap, shared out in proportion to what each emitted in the base years.

    Parts of a unit are dropped. Of a cap of 116,800,000 an emitter with 1,600,000 of 160,000,000 gets 1,168,000.
    """
    total = cap(
        int(year),
        statistics__reported_emissions=statistics__reported_emissions,
        cap_reduction=cap__cap_reduction,
        first_cap_year=cap__first_cap_year,
        last_cap_year=cap__last_cap_year,
    )
    past = whole("past emissions", historical)
    if past.size and past.min() < 0:
        raise ValueError("past emissions are zero or more")
    together = int(past.sum(dtype=np.int64))
    return plain(multiply(past, Fraction(total, together), rounding=DOWN) if together else np.zeros_like(past))
