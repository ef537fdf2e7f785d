"""A market between two prices: auctions with a floor and a ceiling, and units of a year that may still be bought when it is over.

The authority sells in sealed-bid auctions at one price. No bid below the floor counts, nobody may bid above the ceiling. Where the auctions clear at
the ceiling the law may let the authority put more on offer at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tonne.rules.bidding import bid_quantity, exact_price
from tonne.rules.columns import latest, plain, price_of, times_by_year, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, Rate, multiply

Prices = Mapping[int, Decimal]
Bids = Sequence[Sequence[Any]]


@rule("auction_price_corridor", unit="money_per_unit", given={"year": "year"})
def auction_reserve_price(year: Any, *, corridor_floor: Prices) -> Any:
    """The lowest price of the corridor, under which no unit is auctioned (BEHG): 55 for 2026. None for a year without a corridor."""
    return price_of(year, corridor_floor.get)


@rule("auction_price_corridor", unit="money_per_unit", given={"year": "year"})
def auction_ceiling_price(year: Any, *, corridor_ceiling: Prices) -> Any:
    """The highest price of the corridor, above which nobody bids (BEHG): 65 for 2026. None for a year without a corridor."""
    return price_of(year, corridor_ceiling.get)


@rule("auction_price_corridor", unit="money_per_unit", given={"year": "year", "price": "money_per_unit"})
def price_in_corridor(year: int, price: Any, *, corridor_floor: Prices, corridor_ceiling: Prices) -> Any:
    """A price held inside the year's corridor: 50 -> 55, 60 -> 60, 80 -> 65 for 2026. A year without a corridor leaves the price as it is."""
    floor, ceiling = corridor_floor.get(int(year)), corridor_ceiling.get(int(year))
    held = Decimal(str(price))
    held = held if floor is None else max(held, floor)
    return held if ceiling is None else min(held, ceiling)


@rule("auction_price_corridor", unit="allowance", given={"year": "year", "offered": "allowance", "bids": "bid"})
def corridor_outcome(
    year: int, offered: int, bids: Bids, *, corridor_floor: Prices, corridor_ceiling: Prices, ceiling_volume_multiple: Rate | None = None
) -> dict[str, Any]:
    """Price, units sold and unsold of one auction inside the corridor, and what was put on top of the offer; bids are pairs (price, quantity).

    Bids below the floor do not count, bids above the ceiling count at the ceiling. Under-subscribed the auction clears at the floor. Where it
    clears at the ceiling and more is bid for there, the offer grows up to a multiple of itself (BEHV of 2025, the 65-euro rule): 12,500,000
    offered and 20,000,000 bid for at 65 -> 20,000,000 sold, 7,500,000 of them on top. Raises ValueError for a year without a corridor.
    """
    floor, ceiling = corridor_floor.get(int(year)), corridor_ceiling.get(int(year))
    if floor is None or ceiling is None:
        raise ValueError(f"no price corridor for {year}; there is one for {', '.join(map(str, sorted(corridor_floor))) or 'no year'}")
    depth: dict[Decimal, int] = {}
    for price, quantity in bids:
        if exact_price(price) >= floor:
            held = min(exact_price(price), ceiling)
            depth[held] = depth.get(held, 0) + bid_quantity(quantity)
    at_ceiling = depth.get(ceiling, 0)
    added = 0
    if at_ceiling >= offered and ceiling_volume_multiple is not None:
        added = max(min(at_ceiling, multiply(int(offered), ceiling_volume_multiple, rounding=DOWN)) - int(offered), 0)
    volume, total = int(offered) + added, 0
    for price in sorted(depth, reverse=True):
        total += depth[price]
        if total >= volume:
            return {"price": price, "sold": volume, "unsold": 0, "added": added}
    return {"price": floor, "sold": total, "unsold": volume - total, "added": added}


@rule("purchase_after_year_end", unit="money_per_unit", given={"year": "year"})
def later_purchase_price(year: Any, *, later_purchase_price_by_year: Prices) -> Any:
    """The price at which units of a year are still sold after its end: 45 for 2024, 70 for 2026. None where none are."""
    return price_of(year, later_purchase_price_by_year.get)


@rule("purchase_after_year_end", unit="allowance", given={"balance": "allowance", "year": "year"})
def later_purchase_limit(balance: Any, year: Any, *, later_purchase_share: Mapping[int, Rate]) -> Any:
    """The most units of a year that may be bought after its end: a share of what was held for compliance on 31 December (BEHV).

    500,000 x 0.10 = 50,000; a part of a unit is dropped. The share is by year, the last tabled one holds on; before the first nothing may be bought.
    """
    return plain(times_by_year(whole("a balance", balance), year, lambda one: latest(later_purchase_share, one, 0), DOWN))


@rule("purchase_after_year_end", unit="money", given={"short": "allowance", "balance": "allowance", "year": "year"})
def later_purchase(
    short: int, balance: int, year: int, *, later_purchase_share: Mapping[int, Rate], later_purchase_price_by_year: Prices
) -> dict[str, Any]:
    """What somebody short of units buys after the year's end, what it costs, and what stays missing.

    80,000 short with 500,000 held on 31 December 2026: 50,000 at 70 for 3,500,000, 30,000 stay missing.
    """
    missing = int(whole("a shortfall", short))
    price = later_purchase_price_by_year.get(int(year))
    most = later_purchase_limit(balance, year, later_purchase_share=later_purchase_share) if price is not None else 0
    bought = min(max(missing, 0), most)
    return {"bought": bought, "price": price, "cost": bought * price if price is not None else Decimal(0), "still_short": missing - bought}


@rule("purchase_after_year_end", unit="money", given={"quantity": "allowance", "year": "year"})
def sale_cost(quantity: Any, year: int, *, fixed_price_by_year: Prices) -> Any:
    """What units of a year cost at the year's fixed price: 1,000 x 45 = 45,000 for 2024. Raises ValueError for a year without one."""
    price = fixed_price_by_year.get(int(year))
    if price is None:
        raise ValueError(f"no fixed price for {year}; there is one for {', '.join(map(str, sorted(fixed_price_by_year)))}")
    return _times(quantity, price)


@rule("purchase_after_year_end", unit="money", given={"quantity": "allowance", "year": "year"})
def sale_fee(quantity: Any, year: int, *, fee_by_year: Prices) -> Any:
    """What the venue charges for units bought: 1,000 x 0.0059 = 5.9 by the tariff of 2026. Raises ValueError for a year without a tariff."""
    fee = fee_by_year.get(int(year))
    if fee is None:
        raise ValueError(f"no fee is tabled for {year}; there is one for {', '.join(map(str, sorted(fee_by_year)))}")
    return _times(quantity, fee)


def _times(quantity: Any, each: Decimal) -> Any:
    units = whole("a quantity", quantity)
    return int(units) * each if units.ndim == 0 else units.astype(object) * each
