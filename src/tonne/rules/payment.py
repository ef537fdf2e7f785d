"""Money in place of units: units sold by the authority without limit at a fixed price, a charge or fund payment for each unit of an obligation
that is not met with units, and how much of an obligation units may meet at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tonne.rules.declare import rule
from tonne.units import DOWN, Rate, multiply

Prices = Mapping[int, Any]


@rule("fixed_price_sale", unit="money_per_unit", given={"year": "year"})
def fixed_price(year: Any, *, fixed_price_by_year: Prices) -> Any:
    """Money for one unit of the year, which the authority sells to whoever asks (BEHG s. 10(2)): 45 for 2024. None for a year without such a sale."""
    return _of_year(year, fixed_price_by_year)


@rule("payment_in_place_of_units", unit="money_per_unit", given={"year": "year"})
def payment_price(year: Any, *, payment_price_by_year: Prices) -> Any:
    """Money that settles one unit of the year's obligation: an excess emissions charge, a payment into a fund, a ceiling price. 80 for 2024.

    None for a year in which nothing can be settled in money.
    """
    return _of_year(year, payment_price_by_year)


@rule("unit_use_limit", unit="allowance", given={"owed": "allowance", "year": "year"})
def units_admitted(owed: Any, year: Any, *, unit_use_share: Mapping[int, Rate]) -> Any:
    """Most of an obligation that surrendered units may meet; the rest is settled in money. Parts of a unit are dropped.

    The share is by year; the last one tabled holds on. 100,001 x 0.60 = 60,000.6 -> 60,000. Raises ValueError before the first share.
    """
    years, rows = np.broadcast_arrays(np.asarray(year), np.asarray(owed))
    admitted = np.zeros(rows.shape, dtype=np.int64)
    for one in np.unique(years):
        tabled = [y for y in unit_use_share if y <= int(one)]
        if not tabled:
            raise ValueError(f"no share for {int(one)}: the first one is of {min(unit_use_share, default=None)}")
        chosen = years == one
        admitted[chosen] = multiply(np.array(rows[chosen], dtype=np.int64), unit_use_share[max(tabled)], rounding=DOWN)
    return int(admitted) if admitted.ndim == 0 else admitted


def _of_year(year: Any, prices: Prices) -> Any:
    years = np.asarray(year)
    if years.ndim == 0:
        return prices.get(int(years))
    found = np.empty(years.shape, dtype=object)
    found[:] = [prices.get(int(y)) for y in years]
    return found
