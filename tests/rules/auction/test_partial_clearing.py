"""Auctions that clear partly instead of being cancelled."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tonne.rules.auction.partial_clearing import auction_outcome
from tonne.rules.auction.reserve_price import proceeds

D = Decimal
FLOOR = {"reserve_price_by_year": {2021: D(22)}}


def test_an_auction_clears_partly():
    bids = [[50, 4000], [40, 3000], [30, 2000], [21, 5000]]
    assert auction_outcome(2025, 10_000, bids, **FLOOR) == {"price": 30, "sold": 9000, "unsold": 1000}
    assert auction_outcome(2025, 10_000, bids, 45, **FLOOR) == {"price": 50, "sold": 4000, "unsold": 6000}
    assert auction_outcome(2025, 6000, bids, **FLOOR) == {"price": 40, "sold": 6000, "unsold": 0}
    assert auction_outcome(2025, 10, [], **FLOOR) == {"price": None, "sold": 0, "unsold": 10}
    assert proceeds(9000, 30) == 270_000
    assert proceeds([1, 2], D("1.50")).tolist() == [D("1.50"), D("3.00")]
    with pytest.raises(ValueError, match="whole number"):
        auction_outcome(2025, 10, [(30, -1)], **FLOOR)
