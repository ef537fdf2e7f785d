"""Reserves that a price opens: more units above a trigger, fewer below another.

The prices are data: the rulebook holds their paths as growths. An auction clears at the lowest accepted bid; where demand is short it clears at the
reserve price, where a reserve is partly used at that reserve's trigger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from tonne.rules.bidding import clear_at_floor, demand_at, demand_by_price
from tonne.rules.columns import counted, plain, price_of
from tonne.rules.declare import rule
from tonne.units import NEAREST, Rate, multiply

Prices = Mapping[int, Decimal]
Bids = Sequence[Sequence[Any]]


@rule("cost_containment_reserve", unit="money_per_unit", given={"year": "year", "tier": "number"})
def containment_trigger(year: Any, tier: int = 1, *, containment_trigger_by_year: Prices, containment_trigger_2_by_year: Prices | None = None) -> Any:
    """The price at which a tier of the cost containment reserve opens, None for a year without it. 13.00 x 1.07 = 13.91 for 2022."""
    return price_of(year, (_tier(tier, containment_trigger_by_year, containment_trigger_2_by_year) or {}).get)


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
    return plain(sizes)


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
    left = np.maximum(counted("a quantity", size) - counted("a quantity", released_before), 0)
    released = np.minimum(left, np.maximum(counted("a quantity", demand_at_trigger) - counted("a quantity", offered), 0))
    return plain(released)


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
    depth, floor = demand_by_price(bids), price_of(year, (auction__reserve_price_by_year or {}).get)
    interim, sold = clear_at_floor(depth, offered, floor)
    price, volume = interim, offered
    first = _size(year, containment_size_by_year, containment_share_by_year or {}, cap__base_by_year or {})
    second = _size(year, containment_size_2_by_year or {}, {}, {})
    before = [released_before, 0] if np.ndim(released_before) == 0 else list(released_before)
    for triggers, size, gone in zip((containment_trigger_by_year, containment_trigger_2_by_year), (first, second), before, strict=True):
        trigger = (triggers or {}).get(year)
        left = max(size - int(gone), 0)
        beyond = 0 if trigger is None else max(demand_at(depth, trigger) - volume, 0)
        volume += min(beyond, left)
        if 0 < beyond < left:
            price, sold = trigger, volume
            break
        if 0 < left <= beyond:
            price, sold = clear_at_floor(depth, volume, floor)
    released, withheld = volume - offered, 0
    low = (emissions_trigger_by_year or {}).get(year)
    if low is not None and interim is not None and interim < low:
        withheld = _withheld(year, offered, demand_at(depth, low), withheld_before, emissions_size_by_year or {})
        price, sold = clear_at_floor(depth, offered - withheld, floor)
    return {"interim_price": interim, "price": price, "containment_sold": released, "withheld": withheld, "sold": sold}


@rule("emissions_containment_reserve", unit="money_per_unit", given={"year": "year"})
def emissions_trigger(year: Any, *, emissions_trigger_by_year: Prices) -> Any:
    """The price below which units are withheld for good, None for a year without it. 6.42 x 1.07 = 6.8694 -> 6.87 for 2023."""
    return price_of(year, (emissions_trigger_by_year).get)


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
    years, offer, demand, before = np.broadcast_arrays(
        np.asarray(year), counted("a quantity", offered), counted("a quantity", demand_at_trigger), counted("a quantity", withheld_before)
    )
    units = np.zeros(years.shape, dtype=np.int64)
    for one in np.unique(years):
        if emissions_trigger_by_year.get(int(one)) is not None:
            rows = years == one
            units[rows] = _withheld(int(one), offer[rows], demand[rows], before[rows], emissions_size_by_year)
    return plain(units)


@rule("emissions_containment_reserve", unit="allowance", given={"participating_base": "allowance"})
def emissions_containment_size(participating_base: Any, *, emissions_share: Rate | None) -> Any:
    """Units the reserve takes out in a year: a share of the base budgets of the states that take part. 78,070,290 x 0.10 = 7,807,029."""
    budgets = counted("a quantity", participating_base)
    size = multiply(budgets, emissions_share or 0, rounding=NEAREST)
    return plain(size)


def _tier(tier: int, first: Any, second: Any) -> Any:
    if tier not in (1, 2):
        raise ValueError(f"the reserve has tiers 1 and 2, not {tier}")
    return first if tier == 1 else second


def _size(year: int, tabled: Mapping[int, int], shares: Mapping[int, Rate], base: Mapping[int, int]) -> int:
    if tabled.get(year) is not None:
        return tabled[year]
    share = shares.get(year)
    return multiply(base[year], share, rounding=NEAREST) if share is not None and year in base else 0


def _withheld(year: int, offered: Any, demand: Any, before: Any, sizes: Mapping[int, int]) -> Any:
    unwanted = np.maximum(np.asarray(offered) - np.asarray(demand), 0)
    if not np.any(unwanted):
        return 0
    if sizes.get(year) is None:
        raise ValueError(f"the size of the emissions containment reserve is not tabled for {year}; it is for {', '.join(map(str, sizes))}")
    withheld = np.minimum(unwanted, np.maximum(sizes[year] - np.asarray(before), 0))
    return plain(withheld)
