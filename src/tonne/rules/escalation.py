"""Prices of the law that rise each year by a fixed part and by what money lost: floors of auctions, reserve tiers, ceilings."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.declare import rule
from tonne.units import Rate, Rounding, fraction, round_decimal

Index = Mapping[int, Rate]


@rule("indexed_escalation", unit="money_per_unit", given={"price": "money_per_unit", "year": "year", "inflation": "ratio"})
def escalated_price(
    price: Any,
    year: Any,
    inflation: Rate | None = None,
    *,
    escalation_rate: Rate,
    price_index_by_year: Index | None = None,
    price_index_before_by_year: Index | None = None,
    escalation_rounding: str = "nearest",
) -> Any:
    """The price of a year from last year's: raised by a fixed rate and by inflation together, not one after the other (17 CCR 95911).

    Inflation is that of the latest twelve months when the price of `year` is announced: the tabled index against the index a year earlier, or
    the rate that is given. 11.34 x (1 + 0.05 + 237.433 / 233.546 - 1) = 12.0957... -> 12.10 for 2015. Raises ValueError for a year without an index.
    """
    rounding = Rounding(escalation_rounding)
    prices, years = np.broadcast_arrays(np.asarray(price, dtype=object), np.asarray(year))
    factors = {
        int(y): 1 + fraction(escalation_rate) + _inflation(int(y), inflation, price_index_by_year, price_index_before_by_year)
        for y in np.unique(years)
    }
    if prices.ndim == 0:
        return round_decimal(fraction(prices.item()) * factors[int(years)], "0.01", rounding)
    raised = np.empty(prices.shape, dtype=object)
    raised[:] = [round_decimal(fraction(p) * factors[y], "0.01", rounding) for p, y in zip(prices.tolist(), years.tolist(), strict=True)]
    return raised


def _inflation(year: int, given: Rate | None, index: Index | None, before: Index | None) -> Fraction:
    if given is not None:
        return fraction(given)
    latest, earlier = (index or {}).get(year), (before or {}).get(year)
    if latest is None or earlier is None:
        known = ", ".join(map(str, sorted({*(index or {})} & {*(before or {})}))) or "none"
        raise ValueError(f"no price index for {year}: there is one for {known}; give `inflation`")
    return fraction(latest) / fraction(earlier) - 1
