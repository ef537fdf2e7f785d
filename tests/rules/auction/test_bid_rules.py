"""What stands behind a bid, how much one bidder may buy, and who gets the last units where bids at one price exceed them."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.auction.bid_rules import bid_guarantee, purchase_limit, tie_shares

SHARES = {"purchase_limit_share": {"covered": Decimal("0.25"), "voluntary": Decimal("0.04")}}


def test_a_guarantee_covers_the_dearest_way_to_fill_a_schedule() -> None:
    bids = [[Decimal("12.00"), 50_000], [Decimal("15.00"), 10_000], [Decimal("10.00"), 40_000]]
    assert bid_guarantee(bids) == 1_000_000
    assert bid_guarantee(bids[:2]) == 720_000
    assert bid_guarantee([]) == 0


def test_ties_are_shared_pro_rata_and_the_rest_is_drawn() -> None:
    assert tie_shares(10_000, [7_000, 5_000, 3_000], [2, 1, 3]).tolist() == [4_666, 3_334, 2_000]
    assert tie_shares(15_000, [7_000, 5_000, 3_000], [2, 1, 3]).tolist() == [7_000, 5_000, 3_000]
    assert tie_shares(0, [], []).tolist() == []


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=8), st.integers(0, 10**7))
def test_nothing_is_lost_and_nobody_gets_more_than_wanted(wanted: list[int], left: int) -> None:
    shares = tie_shares(left, np.array(wanted), np.arange(len(wanted)))
    assert int(shares.sum()) == min(left, sum(wanted))
    assert (shares <= np.array(wanted)).all()
    assert (shares >= 0).all()


def test_purchases_by_kind() -> None:
    assert purchase_limit(51_069_285, "voluntary", **SHARES) == 2_042_771
    assert purchase_limit(np.array([100, 100]), np.array(["covered", "voluntary"], dtype=object), **SHARES).tolist() == [25, 4]
    with pytest.raises(ValueError, match="no purchase limit for 'bank'"):
        purchase_limit(1, "bank", **SHARES)
