"""Units handed out for money by sealed bids: the floor that follows the market's own mean, how much one bidder may ask for, who gets what.

Each sale is announced with terms of its own, so the tables of terms are by sale: the day of the sale names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from tonne.rules.cap import plain, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, NEAREST, Rate, fraction, multiply, round_decimal

_CENT = Decimal("0.01")
Terms = Mapping[Any, Any]


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


@rule("sealed_bidding", unit="allowance", given={"offered": "allowance", "floor": "money_per_unit", "bids": "bid", "sale": "text"})
def bidding_outcome(offered: int, floor: Rate, bids: Sequence[Sequence[Any]], sale: Any = "", *, pay_as_bid: Terms | None = None) -> dict[str, Any]:
    """Who gets what of an offer, at what price: bids (price, quantity) in order of time, those at or above the floor served by price, then by time.

    All pay the lowest price served (measures on paid allocation of 2024), unless the terms of the sale let each pay its own bid; then `price` is
    the mean. 100 on offer, bids 12 for 60,
    11 for 60, 10 for 60: 60 and 40 units, all at 11. Under-subscribed, the lowest bid served still sets the price.
    """
    ranked = sorted((i for i, (price, _) in enumerate(bids) if fraction(price) >= fraction(floor)), key=lambda i: -fraction(bids[i][0]))
    filled, left, served = [0] * len(bids), int(offered), []
    for i in ranked:
        filled[i] = min(int(bids[i][1]), left)
        left -= filled[i]
        served += [i] if filled[i] else []
    sold, own = int(offered) - left, bool((pay_as_bid or {}).get(str(sale)))
    lowest = min((fraction(bids[i][0]) for i in served), default=fraction(0))
    paid = sum((fraction(bids[i][0]) * filled[i] for i in served), start=fraction(0)) if own else lowest * sold
    price = round_decimal(paid / sold, _CENT, NEAREST) if sold else None
    return {"price": price, "sold": sold, "unsold": left, "proceeds": round_decimal(paid, _CENT, NEAREST), "filled": filled}


@rule("sealed_bidding", unit="money", given={"sold": "allowance", "price": "money_per_unit"})
def sale_proceeds(sold: Any, price: Rate) -> Any:
    """What a sale at one price brings in, to the cent (sale of 2 September 2024): 348,304 x 104.89 = 36,533,606.56."""
    cents = multiply(whole("units sold", sold), fraction(price) * 100, rounding=NEAREST)
    return int(cents) * _CENT if np.ndim(sold) == 0 else np.array([c * _CENT for c in np.asarray(cents).ravel().tolist()], dtype=object)
