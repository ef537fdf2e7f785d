"""A price containment reserve sold in tiers at fixed prices, and a ceiling price above which nobody has to pay."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from tonne.rules.columns import plain, price_of, truth, whole
from tonne.rules.declare import rule
from tonne.units import Rate, fraction

Prices = Mapping[int, Decimal]


@rule("tiered_reserve", unit="money_per_unit", given={"year": "year", "tier": "number"})
def tier_price(
    year: Any, tier: int = 1, *, tier_1_price_by_year: Prices, tier_2_price_by_year: Prices | None = None, tier_3_price_by_year: Prices | None = None
) -> Any:
    """The fixed price at which a tier of the reserve is sold in a year, None for a year without the tier. Tier 1 of 2013: 40.00."""
    tiers = (tier_1_price_by_year, tier_2_price_by_year, tier_3_price_by_year)
    if tier not in (1, 2, 3):
        raise ValueError(f"the reserve has tiers 1 to 3, not {tier}")
    return price_of(year, (tiers[tier - 1] or {}).get)


@rule("tiered_reserve", unit="allowance", given={"wanted": "allowance", "available": "allowance"})
def tier_sales(wanted: int, available: Any) -> Any:
    """Units sold of each tier when so many are wanted at any tier's price: the cheapest tier until it is empty, then the next.

    5,000,000 wanted, tiers of 3,000,000 and 4,000,000: 3,000,000 and 2,000,000.
    """
    tiers = whole("units of a tier", available)
    return plain(np.clip(int(wanted) - (np.cumsum(tiers) - tiers), 0, tiers))


@rule("reserve_sale_trigger", unit="boolean", given={"settlement": "money_per_unit", "year": "year"})
def reserve_sale_is_held(settlement: Any, year: int, *, tier_1_price_by_year: Prices, sale_trigger_share: Rate | None = None) -> Any:
    """Whether a sale from the reserve follows an auction: it settled at a share of the lowest tier's price or above (17 CCR 95913).

    60 % of 41.40 is 24.84: an auction at 28.26 is followed by a sale, one at 23.30 is not. Without a trigger in the law every auction is followed by
    one. Raises ValueError for a year without a tier.
    """
    lowest = tier_1_price_by_year.get(int(year))
    if lowest is None:
        raise ValueError(f"no price of the lowest tier for {year}; there is one for {', '.join(map(str, tier_1_price_by_year))}")
    bound = fraction(lowest) * fraction(sale_trigger_share or 0)
    held = np.array([fraction(s) >= bound for s in np.asarray(settlement, dtype=object).ravel()], dtype=bool).reshape(np.shape(settlement))
    return truth(held)


@rule("price_ceiling", unit="money_per_unit", given={"year": "year"})
def ceiling_price(year: Any, *, ceiling_price_by_year: Prices) -> Any:
    """The price at which missing units can always be had, None for a year without a ceiling. 2021: 65.00."""
    return price_of(year, (ceiling_price_by_year).get)


@rule("price_ceiling", unit="allowance", given={"shortfall": "allowance", "reserve_left": "allowance", "ceiling_account": "allowance"})
def ceiling_sale(shortfall: Any, reserve_left: int, ceiling_account: int = 0) -> dict[str, Any]:
    """Units sold at the ceiling before the deadline: what entities lack, once the reserve's tiers are empty; row by row.

    First what lies in the ceiling account, then new price ceiling units without limit. 100 and 50 missing, nothing left in the tiers, 120 in the
    account: 100 and 20 from the account, 0 and 30 new units. While a tier still holds units nothing is sold at the ceiling.
    """
    lacking = whole("a shortfall", shortfall)
    if int(reserve_left) > 0:
        lacking = np.zeros_like(lacking)
    flat = lacking.reshape(-1)
    old = np.clip(int(ceiling_account) - (np.cumsum(flat) - flat), 0, flat).reshape(lacking.shape)
    return {"from_account": plain(old), "new_units": plain(lacking - old)}
