"""Uniform-price auctions with a public floor: short of bids, an auction clears at the floor and the rest stays unsold.

The prices are data: the rulebook holds their paths as growths (so much a year, rounded to the cent each year).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from tonne.rules.bidding import Bids, clear_at_floor, demand_by_price, exact_price
from tonne.rules.columns import counted, plain, price_of, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, Rate, multiply

Prices = Mapping[int, Decimal]


@rule("confidential_reserve_auction", unit="money_per_unit", given={"year": "year"})
@rule("reserve_price_auction", unit="money_per_unit", given={"year": "year"})
def auction_reserve_price(year: Any, *, reserve_price_by_year: Prices) -> Any:
    """The public price under which no unit is sold, None for a year without one. 2.62 x 1.025 = 2.6855 -> 2.69 for 2026."""
    return price_of(year, reserve_price_by_year.get)


@rule("formula_reserve_price", unit="allowance", given={"offered": "allowance"})
@rule("reserve_price_auction", unit="allowance", given={"offered": "allowance"})
def bid_limit(offered: Any, *, bid_limit_share: Rate | None = None) -> Any:
    """The most that one bidder and its affiliates may bid for in an auction: 22,987,719 x 0.25 = 5,746,929.75 -> 5,746,929.

    None where the law limits nobody.
    """
    return None if bid_limit_share is None else plain(multiply(counted("an offer", offered), bid_limit_share, rounding=DOWN))


@rule("partial_clearing_auction", unit="money", given={"sold": "allowance", "price": "money_per_unit"})
@rule("sealed_bid_auction", unit="money", given={"sold": "allowance", "price": "money_per_unit"})
@rule("reserve_price_auction", unit="money", given={"sold": "allowance", "price": "money_per_unit"})
def proceeds(sold: Any, price: Any) -> Any:
    """What an auction brings in: units sold x the clearing price, exact. 23,491,350 x 4.00 = 93,965,400.00."""
    units = whole("units sold", sold)
    each = exact_price(price) if np.ndim(price) == 0 else np.array([exact_price(p) for p in price], dtype=object)
    return int(units) * each if units.ndim == 0 else units.astype(object) * each


@rule("reserve_price_auction", unit="allowance", given={"year": "year", "offered": "allowance", "bids": "bid"})
def auction_outcome(year: int, offered: int, bids: Bids, *, reserve_price_by_year: Prices | None = None) -> dict[str, Any]:
    """Price, units sold and unsold of a sealed-bid uniform-price auction; bids are pairs (price, quantity).

    Under-subscribed, every bid at or above the reserve price is filled at the reserve price and the rest stays unsold:
    42,189,685 offered, 7,487,000 bid for at 1.89 or more: 7,487,000 sold at 1.89, 34,702,685 unsold.
    """
    price, sold = clear_at_floor(demand_by_price(bids), offered, (reserve_price_by_year or {}).get(int(year)))
    return {"price": price, "sold": sold, "unsold": offered - sold}
