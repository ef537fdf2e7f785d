"""A sale by bids at one price, the lowest bid that still gets units, with a floor that is fixed by the law or follows the market."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tonne.rules.cap import by_year
from tonne.rules.declare import rule
from tonne.units import NEAREST, Rate, fraction, round_decimal

Bids = Sequence[Sequence[Any]]
Table = Mapping[int, Any]


@rule("lowest_bid_auction", unit="money_per_unit", given={"year": "year", "recent_mean": "money_per_unit"})
def auction_reserve_price(
    year: Any,
    recent_mean: Any = None,
    *,
    reserve_price_by_year: Table | None = None,
    reserve_mean_share: Table | None = None,
    tick: Rate = Decimal("0.01"),
) -> Any:
    """The lowest price that counts in an auction of a year: a tabled one, else a share of the market's recent mean price; None without either.

    The share is by year, the last one tabled holds on. Plan of 2015: 80 % of the mean of three months, so a mean of 16.05 makes 12.84.
    """
    if reserve_price_by_year and reserve_price_by_year.get(int(year)) is not None:
        return Decimal(str(reserve_price_by_year[int(year)]))
    shares = [y for y, share in (reserve_mean_share or {}).items() if y <= int(year) and share is not None]
    if not shares or not reserve_mean_share or recent_mean is None:
        return None
    return round_decimal(fraction(recent_mean) * fraction(reserve_mean_share[max(shares)]), Decimal(str(tick)), NEAREST)


@rule("lowest_bid_auction", unit="allowance", given={"offered": "allowance", "bids": "bid", "floor": "money_per_unit"})
def auction_outcome(offered: int, bids: Bids, floor: Any = None) -> dict[str, Any]:
    """Price, units sold and unsold, and what they bring. Bids are pairs (price, quantity); equal prices are served in the order of the bids.

    Notice of September 2014: bids for no more than the offer are all filled at the lowest of them; otherwise the highest are filled and pay the
    lowest price that got units. Bids below the floor do not count. 1,000,000 offered, 422,461 bid for at 35.00 to 37.05: all at 35.00, which makes
    14,786,135.00, and 577,539 are left.
    """
    counted = [(Decimal(str(price)), int(quantity)) for price, quantity in bids if floor is None or fraction(price) >= fraction(floor)]
    price, left = None, int(offered)
    for bid, quantity in sorted(counted, key=lambda pair: -pair[0]):
        if left <= 0:
            break
        price, left = bid, left - min(quantity, left)
    sold = int(offered) - left
    return {"price": price, "sold": sold, "unsold": left, "proceeds": sold * price if price is not None else Decimal(0)}


@rule("planned_auction", unit="allowance", given={"year": "year"})
def auction_volume(year: Any, *, planned_by_year: Mapping[int, int | None]) -> Any:
    """Units that the plan of a year puts up for auction, nothing in a year whose plan names none. Plan for 2022: 1,600,000 of the reserve."""
    return by_year(year, lambda y: int(planned_by_year.get(y) or 0))
