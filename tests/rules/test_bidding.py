"""What the auctions share: bids as the law reads them, how much is bid for at a price, where an auction clears."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.bidding import bid_quantity, clear_at_floor, clear_at_lowest_bid, demand_at, demand_by_price, exact_price

BIDS = st.lists(st.tuples(st.integers(1, 100), st.integers(0, 10**6)), max_size=8)
DEPTH = [(Decimal(12), 60), (Decimal(11), 120)]


def test_bids_of_one_price_are_added() -> None:
    assert demand_by_price([(11, 20), ("12", 60), (11, 40)]) == DEPTH
    assert [demand_at(DEPTH, Decimal(price)) for price in (10, 11, 12, 13)] == [120, 120, 60, 0]
    with pytest.raises(ValueError, match="no quantity"):
        bid_quantity(1.5)
    with pytest.raises(ValueError, match="binary float"):
        exact_price(5.0)


def test_two_ways_in_which_a_short_auction_ends() -> None:
    assert clear_at_floor(DEPTH, 200, Decimal(5)) == (5, 120)
    assert clear_at_lowest_bid(DEPTH, 200, Decimal(5)) == (11, 120)
    assert clear_at_floor(DEPTH, 200, Decimal(20)) == (20, 0)
    assert clear_at_lowest_bid(DEPTH, 200, Decimal(20)) == (None, 0)


@given(BIDS, st.integers(1, 10**6))
def test_with_enough_bids_they_clear_alike(bids: list[tuple[int, int]], volume: int) -> None:
    depth = demand_by_price(bids)
    lowest, floor = clear_at_lowest_bid(depth, volume, 10), clear_at_floor(depth, volume, Decimal(10))
    assert lowest[1] == floor[1] == min(volume, demand_at(depth, 10))
    assert floor[1] < volume or lowest == floor
