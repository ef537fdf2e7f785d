"""Sealed-bid, single-round, uniform-price auctions: a reserve price that nobody knows, a reserve price by formula, ranking by time, and what
becomes of what was not sold. The price is the lowest bid among the winners.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from tonne.rules.cap import plain, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, NEAREST, Rate, fraction, multiply, round_decimal

Bids = Sequence[Sequence[Any]]


@rule("confidential_reserve_auction", unit="money_per_unit", given={"year": "year"})
def auction_reserve_price(year: Any, *, reserve_price_by_year: Mapping[int, Any]) -> Any:
    """The public price under which no unit is sold in a year's auctions, None for a year without one. 64 for 2024."""
    years = np.asarray(year)
    if years.ndim == 0:
        return reserve_price_by_year.get(int(years))
    found = np.empty(years.shape, dtype=object)
    found[:] = [reserve_price_by_year.get(int(y)) for y in years]
    return found


@rule(
    "confidential_reserve_auction",
    unit="money_per_unit",
    given={"year": "year", "offered": "allowance", "bids": "bid", "confidential_reserve": "money_per_unit"},
)
def auction_outcome(
    year: int, offered: int, bids: Bids, confidential_reserve: Any = None, *, reserve_price_by_year: Mapping[int, Any]
) -> dict[str, Any]:
    """Price, units sold and unsold, and whether the auction was declined; bids are pairs (price, quantity).

    The reserve is the public floor of the year or the confidential price above it. Enough bids at or above it: it clears. Fewer bids than units: it
    clears in part when every bid is at or above the reserve, and is declined whole when one is below. 10,000 units, a reserve of 70, bids of 4,000
    at 75 and 3,000 at 71: 7,000 sold at 71; one more bid of 1,000 at 69: nothing.
    """
    floor = max((fraction(p) for p in (reserve_price_by_year.get(year), confidential_reserve) if p is not None), default=fraction(0))
    depth = sorted(((_decimal(price), _quantity(quantity)) for price, quantity in bids), key=lambda bid: -bid[0])
    good = [bid for bid in depth if fraction(bid[0]) >= floor]
    demand = sum(quantity for _, quantity in good)
    declined = not good or (demand < offered and len(good) < len(depth))
    price, sold = (None, 0) if declined else _filled(good, offered)
    return {"price": price, "sold": sold, "unsold": offered - sold, "declined": declined}


outcome_with_confidential_reserve = auction_outcome  # by a name of its own: the next one answers the same ask


@rule("time_priority_auction", unit="money_per_unit", given={"offered": "allowance", "minimum_price": "money_per_unit", "bids": "bid"})  # type: ignore[no-redef]
def auction_outcome(offered: int, minimum_price: Any, bids: Bids) -> dict[str, Any]:
    """Price, units sold and what each bid gets; bids are pairs (price, quantity) in the order of entry, dearer first, of equal ones the earlier.

    The exchange's guide of 2015: 10,000 on offer, bids of 5,000 at 11,000, 3,000 at 10,500 and 1,000, 1,000, 2,000 at 10,300: price 10,300, the
    last bid of 2,000 gets nothing. The last winner may be filled in part.
    """
    rows = [(_decimal(price), _quantity(quantity)) for price, quantity in bids]
    floor, filled, left, price = _decimal(minimum_price), [0] * len(rows), offered, None
    for place in sorted(range(len(rows)), key=lambda i: (-rows[i][0], i)):
        if rows[place][0] >= floor and left > 0 and rows[place][1] > 0:
            filled[place] = min(left, rows[place][1])
            left -= filled[place]
            price = rows[place][0]
    return {"price": price, "sold": offered - left, "unsold": left, "filled": filled}


@rule("formula_reserve_price", unit="money_per_unit", given={"three_months": "money_per_unit", "month": "money_per_unit", "days": "money_per_unit"})
def formula_reserve_price(three_months: Rate, month: Rate, days: Rate, *, reserve_price_step: int | Decimal) -> Decimal:
    """The minimum price of a monthly auction: the mean of three means, of the three months before, of the month before and of the last three days.

    (24,000 + 25,000 + 26,600) / 3 = 25,200, to the nearest step.
    """
    mean = (fraction(three_months) + fraction(month) + fraction(days)) / 3
    return round_decimal(mean, Decimal(reserve_price_step), NEAREST)


@rule("formula_reserve_price", unit="allowance", given={"offered": "allowance"})
def bid_limit(offered: Any, *, bid_limit_share: Rate) -> Any:
    """The most that one bidder may win of an auction: 550,000 x 0.15 = 82,500."""
    return plain(multiply(whole("an offer", offered), bid_limit_share, rounding=DOWN))


@rule("unsold_units_return", unit="allowance", given={"planned": "allowance", "demand": "allowance"})
def auction_series(planned: Sequence[int], demand: Sequence[int], *, unsold_passes_year_end: bool) -> dict[str, Any]:
    """What the auctions of a year offer and sell when unsold units are added to the next one, and what passes into the next year.

    Four auctions of 4,475,000 without a sale offer 4,475,000, 8,950,000, 13,425,000 and 17,900,000; nothing passes the end of the year where
    the law says so: all 17,900,000 are gone.
    """
    offered, sold, left = [], [], 0
    for volume, wanted in zip(planned, demand, strict=True):
        offered.append(_quantity(volume) + left)
        sold.append(min(offered[-1], _quantity(wanted)))
        left = offered[-1] - sold[-1]
    return {"offered": offered, "sold": sold, "to_next_year": left if unsold_passes_year_end else 0, "gone": 0 if unsold_passes_year_end else left}


def _filled(depth: list[tuple[Decimal, int]], offered: int) -> tuple[Decimal | None, int]:
    """Price of the last winner and units sold, dearest bids first."""
    sold, price = 0, None
    for bid, quantity in depth:
        if sold < offered and quantity > 0:
            sold, price = min(offered, sold + quantity), bid
    return price, sold


def _decimal(price: Any) -> Decimal:
    if isinstance(price, float):
        raise ValueError(f"{price!r} is a binary float; a price is a Decimal or a whole number")
    return Decimal(price)


def _quantity(quantity: Any) -> int:
    if not isinstance(quantity, (int, np.integer)) or quantity < 0:
        raise ValueError(f"{quantity!r} is no quantity: a whole number of units, zero or more, is bid for or offered")
    return int(quantity)
