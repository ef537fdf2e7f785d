"""Auctions with a floor, and reserves that a price opens: more units above a trigger, fewer below another.

The prices are data: the rulebook holds their paths as growths (so much a year, rounded to the cent each year). A uniform-price auction clears at the
lowest accepted bid; where demand is short it clears at the reserve price, where a reserve is partly used at that reserve's trigger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from tonne.rules.declare import rule
from tonne.units import DOWN, NEAREST, IntArray, Rate, fraction, multiply

Bids = Sequence[Sequence[Any]]
Prices = Mapping[int, Decimal]


@rule("reserve_price_auction", unit="money_per_unit", given={"year": "year"})
def auction_reserve_price(year: Any, *, reserve_price_by_year: Prices) -> Any:
    """The price under which no unit is sold, None for a year without one. 2.62 x 1.025 = 2.6855 -> 2.69 for 2026."""
    return _price_of(year, reserve_price_by_year)


@rule("reserve_price_auction", unit="allowance", given={"offered": "allowance"})
def bid_limit(offered: Any, *, bid_limit_share: Rate) -> Any:
    """The most that one bidder and its affiliates may bid for in an auction: 22,987,719 x 0.25 = 5,746,929.75 -> 5,746,929."""
    volume = _units(offered)
    most = multiply(volume, bid_limit_share, rounding=DOWN)
    return int(most) if volume.ndim == 0 else most


@rule("reserve_price_auction", unit="money", given={"sold": "allowance", "price": "money_per_unit"})
def proceeds(sold: Any, price: Any) -> Any:
    """What an auction brings in: units sold x the clearing price, exact. 23,491,350 x 4.00 = 93,965,400.00."""
    if np.ndim(sold) == 0 and np.ndim(price) == 0:
        return int(sold) * _decimal(price)
    return np.asarray(sold, dtype=object) * (_decimal(price) if np.ndim(price) == 0 else np.array([_decimal(p) for p in price], dtype=object))


@rule("reserve_price_auction", unit="allowance", given={"year": "year", "offered": "allowance", "bids": "bid"})
def auction_outcome(year: int, offered: int, bids: Bids, *, reserve_price_by_year: Prices | None = None) -> dict[str, Any]:
    """Price, units sold and unsold of a sealed-bid uniform-price auction; bids are pairs (price, quantity).

    Under-subscribed, every bid at or above the reserve price is filled at the reserve price and the rest stays unsold:
    42,189,685 offered, 7,487,000 bid for at 1.89 or more: 7,487,000 sold at 1.89, 34,702,685 unsold.
    """
    price, sold = _clear(_depth(bids), offered, _price_of(year, reserve_price_by_year or {}))
    return {"price": price, "sold": sold, "unsold": offered - sold}


@rule("cost_containment_reserve", unit="money_per_unit", given={"year": "year", "tier": "number"})
def containment_trigger(year: Any, tier: int = 1, *, containment_trigger_by_year: Prices, containment_trigger_2_by_year: Prices | None = None) -> Any:
    """The price at which a tier of the cost containment reserve opens, None for a year without it. 13.00 x 1.07 = 13.91 for 2022."""
    return _price_of(year, _tier(tier, containment_trigger_by_year, containment_trigger_2_by_year) or {})


@rule("cost_containment_reserve", unit="allowance", given={"year": "year", "tier": "number"})
def containment_size(
    year: Any,
    tier: int = 1,
    *,
    containment_size_by_year: Mapping[int, int],
    containment_size_2_by_year: Mapping[int, int] | None = None,
    containment_share_by_year: Mapping[int, Rate] | None = None,
    cap__base_by_year: Mapping[int, int] | None = None,
) -> Any:
    """Units a tier of the cost containment reserve holds for a year, on top of the cap: a tabled number, else a share of the base cap.

    119,767,784 x 0.10 = 11,976,778.4 -> 11,976,778 for 2021. Nothing in a year without a reserve.
    """
    tabled = _tier(tier, containment_size_by_year, containment_size_2_by_year) or {}
    shares, base = (containment_share_by_year or {}) if tier == 1 else {}, cap__base_by_year or {}
    years = np.asarray(year)
    distinct, places = np.unique(years, return_inverse=True)
    sizes = np.array([_size(int(y), tabled, shares, base) for y in distinct], dtype=np.int64)[places].reshape(years.shape)
    return int(sizes) if years.ndim == 0 else sizes


@rule(
    "cost_containment_reserve",
    unit="allowance",
    given={"year": "year", "offered": "allowance", "demand_at_trigger": "allowance", "released_before": "allowance", "tier": "number"},
)
def containment_release(
    year: Any,
    offered: Any,
    demand_at_trigger: Any,
    released_before: Any = 0,
    tier: int = 1,
    *,
    containment_size_by_year: Mapping[int, int],
    containment_size_2_by_year: Mapping[int, int] | None = None,
    containment_share_by_year: Mapping[int, Rate] | None = None,
    cap__base_by_year: Mapping[int, int] | None = None,
) -> Any:
    """Units of a tier sold in one auction: what is bid for at its trigger price or above beyond the offer, up to what the year still holds.

    For a second tier `offered` counts the first one in. Unsold units do not go to the next year. 27,041,000 - 23,121,518 = 3,919,482 of 11,976,778.
    """
    size = containment_size(
        year,
        tier,
        containment_size_by_year=containment_size_by_year,
        containment_size_2_by_year=containment_size_2_by_year,
        containment_share_by_year=containment_share_by_year,
        cap__base_by_year=cap__base_by_year,
    )
    left = np.maximum(_units(size) - _units(released_before), 0)
    released = np.minimum(left, np.maximum(_units(demand_at_trigger) - _units(offered), 0))
    return int(released) if released.ndim == 0 else released


@rule(
    "cost_containment_reserve",
    unit="allowance",
    given={"year": "year", "offered": "allowance", "bids": "bid", "released_before": "allowance", "withheld_before": "allowance"},
)
def reserves_outcome(
    year: int,
    offered: int,
    bids: Bids,
    released_before: Any = 0,
    withheld_before: int = 0,
    *,
    containment_trigger_by_year: Prices,
    containment_size_by_year: Mapping[int, int],
    containment_trigger_2_by_year: Prices | None = None,
    containment_size_2_by_year: Mapping[int, int] | None = None,
    containment_share_by_year: Mapping[int, Rate] | None = None,
    cap__base_by_year: Mapping[int, int] | None = None,
    emissions_trigger_by_year: Prices | None = None,
    emissions_size_by_year: Mapping[int, int] | None = None,
    auction__reserve_price_by_year: Prices | None = None,
) -> dict[str, Any]:
    """Price and quantities of one auction with its reserves: clear the offer, compare with the triggers, clear again; bids are (price, quantity).

    A tier sells what is bid for beyond the offer at its trigger or above; partly used the auction clears at the trigger, used up it clears above.
    23,121,518 offered, 27,041,000 bid for at 13.00: price 13.00, 3,919,482 from the reserve. released_before: earlier in the year, or one a tier.
    """
    depth, floor = _depth(bids), _price_of(year, auction__reserve_price_by_year or {})
    interim, sold = _clear(depth, offered, floor)
    price, volume = interim, offered
    first = _size(year, containment_size_by_year, containment_share_by_year or {}, cap__base_by_year or {})
    second = _size(year, containment_size_2_by_year or {}, {}, {})
    before = [released_before, 0] if np.ndim(released_before) == 0 else list(released_before)
    for triggers, size, gone in zip((containment_trigger_by_year, containment_trigger_2_by_year), (first, second), before, strict=True):
        trigger = (triggers or {}).get(year)
        left = max(size - int(gone), 0)
        beyond = 0 if trigger is None else max(_demand(depth, trigger) - volume, 0)
        volume += min(beyond, left)
        if 0 < beyond < left:
            price, sold = trigger, volume
            break
        if 0 < left <= beyond:
            price, sold = _clear(depth, volume, floor)
    released, withheld = volume - offered, 0
    low = (emissions_trigger_by_year or {}).get(year)
    if low is not None and interim is not None and interim < low:
        withheld = _withheld(year, offered, _demand(depth, low), withheld_before, emissions_size_by_year or {})
        price, sold = _clear(depth, offered - withheld, floor)
    return {"interim_price": interim, "price": price, "containment_sold": released, "withheld": withheld, "sold": sold}


@rule("emissions_containment_reserve", unit="money_per_unit", given={"year": "year"})
def emissions_trigger(year: Any, *, emissions_trigger_by_year: Prices) -> Any:
    """The price below which units are withheld for good, None for a year without it. 6.42 x 1.07 = 6.8694 -> 6.87 for 2023."""
    return _price_of(year, emissions_trigger_by_year)


@rule(
    "emissions_containment_reserve",
    unit="allowance",
    given={"year": "year", "offered": "allowance", "demand_at_trigger": "allowance", "withheld_before": "allowance"},
)
def containment_withheld(
    year: Any,
    offered: Any,
    demand_at_trigger: Any,
    withheld_before: Any = 0,
    *,
    emissions_trigger_by_year: Prices,
    emissions_size_by_year: Mapping[int, int],
) -> Any:
    """Units withheld in one auction, never offered again: what nobody bids for at the trigger price, up to what the year's reserve still takes.

    15,000,000 offered, 12,000,000 bid for at 6.00 or more: 3,000,000 withheld of 11,310,000. Raises ValueError for a year whose size is not tabled.
    """
    years, offer, demand, before = np.broadcast_arrays(np.asarray(year), _units(offered), _units(demand_at_trigger), _units(withheld_before))
    units = np.zeros(years.shape, dtype=np.int64)
    for one in np.unique(years):
        if emissions_trigger_by_year.get(int(one)) is not None:
            rows = years == one
            units[rows] = _withheld(int(one), offer[rows], demand[rows], before[rows], emissions_size_by_year)
    return int(units) if units.ndim == 0 else units


@rule("emissions_containment_reserve", unit="allowance", given={"participating_base": "allowance"})
def emissions_containment_size(participating_base: Any, *, emissions_share: Rate | None) -> Any:
    """Units the reserve takes out in a year: a share of the base budgets of the states that take part. 78,070,290 x 0.10 = 7,807,029."""
    budgets = _units(participating_base)
    size = multiply(budgets, emissions_share or 0, rounding=NEAREST)
    return int(size) if budgets.ndim == 0 else size


def _withheld(year: int, offered: Any, demand: Any, before: Any, sizes: Mapping[int, int]) -> Any:
    unwanted = np.maximum(np.asarray(offered) - np.asarray(demand), 0)
    if not np.any(unwanted):
        return 0
    if sizes.get(year) is None:
        raise ValueError(f"the size of the emissions containment reserve is not tabled for {year}; it is for {', '.join(map(str, sizes))}")
    withheld = np.minimum(unwanted, np.maximum(sizes[year] - np.asarray(before), 0))
    return int(withheld) if withheld.ndim == 0 else withheld


def _size(year: int, tabled: Mapping[int, int], shares: Mapping[int, Rate], base: Mapping[int, int]) -> int:
    if tabled.get(year) is not None:
        return tabled[year]
    share = shares.get(year)
    return multiply(base[year], share, rounding=NEAREST) if share is not None and year in base else 0


def _tier(tier: int, first: Any, second: Any) -> Any:
    if tier not in (1, 2):
        raise ValueError(f"the reserve has tiers 1 and 2, not {tier}")
    return first if tier == 1 else second


def _price_of(year: Any, prices: Prices) -> Any:
    """The price of a year, None without one; an object array for many years."""
    if np.ndim(year) == 0:
        return prices.get(int(year))
    years = np.asarray(year)
    answer = np.empty(years.shape, dtype=object)
    for one in np.unique(years):
        answer[years == one] = prices.get(int(one))
    return answer


def _depth(bids: Bids) -> list[tuple[Decimal, int]]:
    """Price and quantity bid for at that price or above, highest price first."""
    at: dict[Decimal, int] = {}
    for price, quantity in bids:
        if isinstance(quantity, float) or int(quantity) < 0:
            raise ValueError(f"a bid is for a whole number of units, not for {quantity!r}")
        at[_decimal(price)] = at.get(_decimal(price), 0) + int(quantity)
    total, depth = 0, []
    for price in sorted(at, reverse=True):
        total += at[price]
        depth.append((price, total))
    return depth


def _demand(depth: Sequence[tuple[Decimal, int]], price: Decimal) -> int:
    """Units bid for at a price or above."""
    return max((total for at, total in depth if at >= price), default=0)


def _clear(depth: Sequence[tuple[Decimal, int]], volume: int, floor: Decimal | None) -> tuple[Decimal | None, int]:
    """Uniform price and units sold: the lowest accepted bid, or the floor (without one the lowest bid) where not all is bid for."""
    valid = [(price, total) for price, total in depth if floor is None or price >= floor]
    for price, total in valid:
        if total >= volume:
            return price, volume
    if not valid:
        return floor, 0
    return (floor if floor is not None else valid[-1][0]), valid[-1][1]


def _decimal(price: Any) -> Decimal:
    fraction(price)
    return Decimal(price)


def _units(values: Any) -> IntArray:
    array = np.asarray(values)
    if array.size and array.dtype.kind not in "iu":
        raise ValueError(f"whole units are needed, not {array.dtype} values such as {array.ravel()[0]!r}")
    if array.size and array.min() < 0:
        raise ValueError(f"{int(array.min()):,} units is less than nothing")
    return array.astype(np.int64)
