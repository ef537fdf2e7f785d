"""A fine of a multiple of a price that the law itself tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tonne.rules.columns import since, times_by_year
from tonne.rules.declare import rule
from tonne.rules.penalty.shortfalls import missing_units, money
from tonne.units import NEAREST, Rate, fraction


@rule("tabled_price_fine", unit="money", given={"shortfall": "allowance", "year": "year"})
def penalty(shortfall: Any, year: Any, *, fine_price_by_year: Mapping[int, Rate | None], fine_multiple: Rate = 1) -> Any:
    """Money owed for missing units: a multiple of a price that the law itself tables for the year (a fixed price, a ceiling, a charge).

    1,000 missing in a year of 45 with a multiple of 2: 90,000.00. The last price tabled holds on. Raises ValueError before the first.
    """
    missing = missing_units(shortfall)
    multiple = 100 * fraction(fine_multiple)
    return money(times_by_year(missing, year, lambda one: fraction(since(fine_price_by_year, one, "price to be multiplied")) * multiple, NEAREST))
