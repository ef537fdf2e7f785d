"""What stands behind a bid, how much one bidder may buy, and who gets the last units where bids at one price exceed them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from tonne.rules.columns import plain, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, Rate, fraction, multiply


@rule("bid_guarantee", unit="money", given={"bids": "bid"})
def bid_guarantee(bids: Sequence[Sequence[Any]]) -> Decimal:
    """The most a bidder could have to pay, which its guarantee covers: the largest of price x own quantity bid for at that price or above.

    10,000 at 15.00, 50,000 at 12.00, 40,000 at 10.00: the largest of 150,000, 720,000 and 1,000,000 (Q-2, r. 46.1, s. 50). Without a bid: 0.
    """
    largest, total = Decimal(0), 0
    for price, quantity in sorted(bids, key=lambda bid: fraction(bid[0]), reverse=True):
        total += int(whole("a bid", quantity))
        largest = max(largest, Decimal(price) * total)
    return largest


@rule("pro_rata_ties", unit="allowance", given={"left": "allowance", "wanted": "allowance", "draw": "rank"})
def tie_shares(left: int, wanted: Any, draw: Any) -> Any:
    """Units for each of the bids at the settlement price when less is left than they want: pro rata, rounded down to whole units.

    What remains goes one unit each in the order of the numbers drawn (Q-2, r. 46.1, ss. 52, 61.3). 10,000 left for 7,000, 5,000 and 3,000: 4,666,
    3,333 and 2,000, and the last unit to the lowest number drawn. Who wants less than is left gets all.
    """
    bids, drawn = whole("a bid", wanted).reshape(-1), whole("a number drawn", draw).reshape(-1)
    total = int(bids.sum())
    if int(left) >= total:
        return plain(bids)
    shares = np.array([int(bid) * int(left) // total for bid in bids.tolist()], dtype=np.int64)
    lucky = [row for row in np.argsort(drawn, kind="stable").tolist() if shares[row] < bids[row]]
    shares[lucky[: int(left) - int(shares.sum())]] += 1
    return shares


@rule("purchase_limit", unit="allowance", given={"offered": "allowance", "kind": "text"})
def purchase_limit(offered: Any, kind: Any, *, purchase_limit_share: Mapping[str, Rate]) -> Any:
    """The most a bidder of a kind may buy in one auction: a share of what is offered. 100,000,000 x 0.04 = 4,000,000 for who has no obligation.

    Raises ValueError for a kind that the law does not name.
    """
    offers, kinds = np.broadcast_arrays(whole("what is offered", offered), np.asarray(kind, dtype=object))
    most = np.zeros(offers.shape, dtype=np.int64)
    for name in sorted(set(kinds.ravel().tolist())):
        if purchase_limit_share.get(name) is None:
            raise ValueError(f"no purchase limit for {name!r}; the law names {', '.join(purchase_limit_share)}")
        rows = np.asarray(kinds == name, dtype=bool)
        most[rows] = multiply(offers[rows], purchase_limit_share[name], rounding=DOWN)
    return plain(most)
