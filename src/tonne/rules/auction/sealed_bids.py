"""Units sold by sealed bids, dearer bids first and of equal ones the earlier; what a bidder may ask for and pays is announced with the sale.

Each sale is announced with terms of its own, so the tables of terms are by sale: the day of the sale names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from tonne.rules.bidding import Bids, bid_quantity, exact_price
from tonne.rules.columns import Table, latest, plain, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, NEAREST, Rate, fraction, multiply, round_decimal

Terms = Mapping[Any, Any]
_CENT = Decimal("0.01")


@rule("sealed_bid_auction", unit="allowance", given={"offered": "allowance", "bids": "bid", "floor": "money_per_unit", "sale": "text"})
def auction_outcome(offered: int, bids: Bids, floor: Any = None, sale: Any = "", *, pay_as_bid: Terms | None = None) -> dict[str, Any]:
    """Price, units sold and unsold, what they bring, and what each bid gets; bids are pairs (price, quantity) in the order in which they came.

    Bids below the floor do not count. The others are served by price, then by time, the last one in part; short of bids all are filled. All pay the
    lowest price served, unless the terms of the sale let each pay its own bid; then `price` is the mean. The exchange's guide of 2015: 10,000 on
    offer, bids of 5,000 at 11,000, 3,000 at 10,500 and 1,000, 1,000, 2,000 at 10,300: price 10,300, the last bid of 2,000 gets nothing.
    """
    rows = [(exact_price(price), bid_quantity(quantity)) for price, quantity in bids]
    good = [i for i, (price, _) in enumerate(rows) if floor is None or price >= fraction(floor)]
    filled, left, price = [0] * len(rows), int(offered), None
    for i in sorted(good, key=lambda i: -rows[i][0]):
        filled[i] = min(rows[i][1], left)
        left -= filled[i]
        price = rows[i][0] if filled[i] else price
    sold = int(offered) - left
    total = sold * (price or Decimal(0))
    if sold and (pay_as_bid or {}).get(str(sale)):
        total = sum((bid * units for (bid, _), units in zip(rows, filled, strict=True)), start=Decimal(0))
        price = round_decimal(fraction(total) / sold, "0.01", NEAREST)
    return {"price": price, "sold": sold, "unsold": left, "proceeds": total, "filled": filled}


@rule("reserve_price_by_mean", unit="money_per_unit", given={"year": "year", "mean_price": "money_per_unit"})
def auction_reserve_price(
    year: Any,
    mean_price: Any = None,
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
    share = latest(reserve_mean_share, int(year))
    if share is None or mean_price is None:
        return None
    return round_decimal(fraction(mean_price) * fraction(share), Decimal(str(tick)), NEAREST)


@rule("mean_price_floor", unit="money_per_unit", given={"mean_price": "money_per_unit", "sale": "text"})
def bidding_floor(mean_price: Rate, sale: Any, *, floor_multiple: Terms, floor_ceiling: Terms | None = None) -> Decimal:
    """The lowest price that may be bid: a multiple of the mean price of the months before the sale, to the cent, at most a ceiling if there is one.

    Notices on the sales of 2023 and 2021: 61.91 x 1.2 = 74.292 -> 74.29; 40.18 x 1.2 = 48.216 -> 48.22. Raises ValueError for a sale without a
    multiple.
    """
    name = str(sale)
    if floor_multiple.get(name) is None:
        raise ValueError(f"no multiple for the sale of {name}; there are {', '.join(floor_multiple)}")
    price = fraction(mean_price) * fraction(floor_multiple[name])
    ceiling = (floor_ceiling or {}).get(name)
    return round_decimal(price if ceiling is None else min(price, fraction(ceiling)), _CENT, NEAREST)


@rule("bid_limits", unit="allowance", given={"offered": "allowance", "kind": "text", "sale": "text", "verified": "tCO2e"})
def most_bid(
    offered: Any,
    kind: str,
    sale: Any,
    verified: Any = 0,
    *,
    bid_share: Terms | None = None,
    bid_quantity: Terms | None = None,
    bid_emissions_share: Terms | None = None,
) -> Any:
    """Most units that a bidder of a kind may ask for in a sale: a share of the offer, a set number, a share of its last emissions; the least of them.

    Notice on the sale of 2 September 2024: 1,500,000 x 0.15 = 225,000. A part of a unit is dropped. Raises ValueError for a sale or kind without
    a limit.
    """
    offer, emissions = np.broadcast_arrays(whole("an offer", offered), whole("emissions", verified))
    share, number, of_emissions = (((table or {}).get(str(sale)) or {}).get(kind) for table in (bid_share, bid_quantity, bid_emissions_share))
    limits = []
    if share is not None:
        limits.append(multiply(np.array(offer), share, rounding=DOWN))
    if number is not None:
        limits.append(np.minimum(offer, int(number)))
    if of_emissions is not None:
        limits.append(np.minimum(offer, multiply(np.array(emissions), of_emissions, rounding=DOWN)))
    if not limits:
        raise ValueError(f"no limit for a bidder of the kind {kind!r} in the sale of {sale}")
    return plain(np.minimum.reduce([np.asarray(limit, dtype=np.int64) for limit in limits]))
