"""Sealed-bid auctions: secret reserve, ranking by time, minimum price by formula, unsold units."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.sealed_auctions import auction_outcome as by_time
from tonne.rules.sealed_auctions import (
    auction_reserve_price,
    auction_series,
    bid_limit,
    formula_reserve_price,
    outcome_with_confidential_reserve,
)

FLOOR = {"reserve_price_by_year": {2025: Decimal("68.00")}}
BIDS = st.lists(st.tuples(st.integers(50, 100), st.integers(0, 5_000)), max_size=12)


def test_the_public_floor_is_by_year() -> None:
    assert auction_reserve_price(2025, **FLOOR) == 68
    assert auction_reserve_price(2026, **FLOOR) is None
    assert auction_reserve_price([2024, 2025], **FLOOR).tolist() == [None, 68]


def test_partial_sale_or_decline() -> None:
    good = [[75, 4_000], [71, 3_000]]
    partly = outcome_with_confidential_reserve(2025, 10_000, good, 70, **FLOOR)
    assert partly == {"price": 71, "sold": 7_000, "unsold": 3_000, "declined": False}
    assert outcome_with_confidential_reserve(2025, 10_000, [*good, [69, 1_000]], 70, **FLOOR)["declined"] is True
    assert outcome_with_confidential_reserve(2025, 10_000, [*good, [69, 1_000]], None, **FLOOR)["sold"] == 8_000  # 69 is above the public floor
    assert outcome_with_confidential_reserve(2025, 7_000, [*good, [1, 9_000]], 70, **FLOOR)["sold"] == 7_000
    assert outcome_with_confidential_reserve(2025, 7_000, [], 70, **FLOOR) == {"price": None, "sold": 0, "unsold": 7_000, "declined": True}
    assert outcome_with_confidential_reserve(2024, 10, [[1, 10]], **FLOOR)["price"] == 1  # a year without any reserve


@given(BIDS, st.integers(0, 20_000), st.integers(50, 100))
def test_nothing_is_sold_under_the_reserve_and_never_more_than_offered(bids: list[tuple[int, int]], offered: int, reserve: int) -> None:
    got = outcome_with_confidential_reserve(2025, offered, bids, reserve, **FLOOR)
    assert 0 <= got["sold"] <= offered
    assert got["sold"] + got["unsold"] == offered
    assert got["price"] is None or got["price"] >= max(reserve, 68)
    assert not (got["declined"] and got["sold"])


def test_equal_prices_by_time_of_entry() -> None:
    bids = [[10_300, 2_000], [11_000, 9_000], [10_300, 500]]
    assert by_time(10_000, 10_000, bids) == {"price": 10_300, "sold": 10_000, "unsold": 0, "filled": [1_000, 9_000, 0]}
    assert by_time(10_000, 10_400, bids)["filled"] == [0, 9_000, 0]
    assert by_time(10_000, 20_000, bids) == {"price": None, "sold": 0, "unsold": 10_000, "filled": [0, 0, 0]}
    assert by_time(10, 1, []) == {"price": None, "sold": 0, "unsold": 10, "filled": []}
    with pytest.raises(ValueError, match="no quantity"):
        by_time(10, 1, [[5, -1]])
    with pytest.raises(ValueError, match="binary float"):
        by_time(10, 1, [[5.0, 1]])


@given(BIDS, st.integers(0, 20_000))
def test_fills_add_up_and_a_dearer_bid_is_never_passed_over(bids: list[tuple[int, int]], offered: int) -> None:
    got = by_time(offered, 60, bids)
    assert sum(got["filled"]) == got["sold"] <= offered
    unfilled = [price for (price, quantity), filled in zip(bids, got["filled"], strict=True) if filled < quantity and price >= 60]
    if got["price"] is not None and unfilled:
        assert max(unfilled) <= got["price"]


def test_minimum_price_and_limit() -> None:
    assert formula_reserve_price(24_000, 25_000, 26_600, reserve_price_step=1) == 25_200
    assert formula_reserve_price(1, 1, 2, reserve_price_step=Decimal("0.01")) == Decimal("1.33")
    assert bid_limit(550_000, bid_limit_share=Decimal("0.15")) == 82_500
    assert bid_limit([550_000, 19], bid_limit_share=Decimal("0.15")).tolist() == [82_500, 2]
    assert bid_limit(np.zeros(0, dtype=np.int64), bid_limit_share=Decimal("0.15")).tolist() == []


def test_unsold_units_come_again() -> None:
    within = auction_series([100, 100, 100], [40, 0, 500], unsold_passes_year_end=False)
    assert within == {"offered": [100, 160, 260], "sold": [40, 0, 260], "to_next_year": 0, "gone": 0}
    assert auction_series([100], [0], unsold_passes_year_end=True) == {"offered": [100], "sold": [0], "to_next_year": 100, "gone": 0}
    assert auction_series([100], [0], unsold_passes_year_end=False)["gone"] == 100
    assert auction_series([], [], unsold_passes_year_end=True)["to_next_year"] == 0
