"""What is sold: so much as the plan of the year says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tonne.rules.columns import by_year
from tonne.rules.declare import rule


@rule("planned_auction", unit="allowance", given={"year": "year"})
def auction_volume(year: Any, *, planned_by_year: Mapping[int, int | None]) -> Any:
    """Units that the plan of a year puts up for auction, nothing in a year whose plan names none. Plan for 2022: 1,600,000 of the reserve."""
    return by_year(year, lambda y: int(planned_by_year.get(y) or 0))
