"""Auctions whose reserve price nobody knows."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.auction.confidential_reserve import auction_outcome

FLOOR = {"reserve_price_by_year": {2025: Decimal("68.00")}}
BIDS = st.lists(st.tuples(st.integers(50, 100), st.integers(0, 5_000)), max_size=12)


def test_partial_sale_or_decline() -> None:
    good = [[75, 4_000], [71, 3_000]]
    partly = auction_outcome(2025, 10_000, good, 70, **FLOOR)
    assert partly == {"price": 71, "sold": 7_000, "unsold": 3_000, "declined": False}
    assert auction_outcome(2025, 10_000, [*good, [69, 1_000]], 70, **FLOOR)["declined"] is True
    assert auction_outcome(2025, 10_000, [*good, [69, 1_000]], None, **FLOOR)["sold"] == 8_000  # 69 is above the public floor
    assert auction_outcome(2025, 7_000, [*good, [1, 9_000]], 70, **FLOOR)["sold"] == 7_000
    assert auction_outcome(2025, 7_000, [], 70, **FLOOR) == {"price": None, "sold": 0, "unsold": 7_000, "declined": True}
    assert auction_outcome(2024, 10, [[1, 10]], **FLOOR)["price"] == 1  # a year without any reserve


@given(BIDS, st.integers(0, 20_000), st.integers(50, 100))
def test_nothing_is_sold_under_the_reserve_and_never_more_than_offered(bids: list[tuple[int, int]], offered: int, reserve: int) -> None:
    got = auction_outcome(2025, offered, bids, reserve, **FLOOR)
    assert 0 <= got["sold"] <= offered
    assert got["sold"] + got["unsold"] == offered
    assert got["price"] is None or got["price"] >= max(reserve, 68)
    assert not (got["declined"] and got["sold"])
