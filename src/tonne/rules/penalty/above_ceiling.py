"""A fine above the price at which an obligation could have been paid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tonne.rules.columns import times_by_year
from tonne.rules.declare import rule
from tonne.rules.penalty.shortfalls import missing_units, money
from tonne.rules.stability.price_path import price_on_path
from tonne.units import NEAREST, Rate, fraction


@rule("fine_above_ceiling", unit="money", given={"shortfall": "allowance", "year": "year"})
def penalty(
    shortfall: Any,
    year: Any,
    *,
    fine_multiple: Rate,
    stability__ceiling_by_year: Mapping[int, Rate],
    stability__corridor_real_growth: Rate,
    stability__corridor_inflation: Mapping[int, Rate] | None = None,
    stability__corridor_step: Rate = 1,
) -> Any:
    """Money owed for what is neither met with units nor paid at the ceiling: missing units x the year's ceiling x a multiple.

    1,000 x 4,300 x 1.1 = 4,730,000.00.
    """
    path = (stability__ceiling_by_year, stability__corridor_real_growth, stability__corridor_inflation, stability__corridor_step)
    multiple = 100 * fraction(fine_multiple)
    return money(times_by_year(missing_units(shortfall), year, lambda one: fraction(price_on_path(one, *path)) * multiple, NEAREST))
