"""Auctions between a floor and a ceiling; units of a year bought after it."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.auction.corridor import (
    auction_ceiling_price,
    auction_reserve_price,
    corridor_outcome,
    later_purchase,
    later_purchase_limit,
    later_purchase_price,
    price_in_corridor,
    sale_cost,
    sale_fee,
)
from tonne.units import UnitsError

D = Decimal
FLOOR, CEILING = {2026: D(55)}, {2026: D(65)}
CORRIDOR = {"corridor_floor": FLOOR, "corridor_ceiling": CEILING}
TWICE = D(2)
BIDS = st.lists(st.tuples(st.integers(0, 90).map(D), st.integers(0, 1000)), max_size=10)
LATER = {"later_purchase_share": {2021: D("0.10")}, "later_purchase_price_by_year": {2024: D(45), 2026: D(70)}}


def test_floor_and_ceiling_of_a_year():
    assert auction_reserve_price(2026, corridor_floor=FLOOR) == 55
    assert auction_reserve_price(2025, corridor_floor=FLOOR) is None
    assert auction_ceiling_price([2026, 2025], corridor_ceiling=CEILING).tolist() == [D(65), None]
    assert auction_ceiling_price(np.zeros(0, dtype=np.int64), corridor_ceiling=CEILING).shape == (0,)
    assert [price_in_corridor(2026, p, **CORRIDOR) for p in (50, D("60.50"), 80)] == [55, D("60.50"), 65]
    assert price_in_corridor(2025, 80, **CORRIDOR) == 80


def outcome(offered, bids, multiple=TWICE):
    return corridor_outcome(2026, offered, bids, ceiling_volume_multiple=multiple, **CORRIDOR)


def test_an_auction_clears_inside_the_corridor():
    assert outcome(100, [(D(60), 60), (D(58), 60), (D(54), 500)]) == {"price": D(58), "sold": 100, "unsold": 0, "added": 0}
    assert outcome(100, [(D(60), 60)]) == {"price": D(55), "sold": 60, "unsold": 40, "added": 0}
    assert outcome(100, []) == {"price": D(55), "sold": 0, "unsold": 100, "added": 0}


def test_at_the_ceiling_the_offer_may_double_and_no_more():
    assert outcome(100, [(D(65), 150)]) == {"price": D(65), "sold": 150, "unsold": 0, "added": 50}
    assert outcome(100, [(D(70), 500)]) == {"price": D(65), "sold": 200, "unsold": 0, "added": 100}
    assert outcome(100, [(D(65), 99), (D(64), 1)])["price"] == 64
    assert outcome(100, [(D(65), 500)], multiple=None)["sold"] == 100


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="no price corridor for 2025"):
        corridor_outcome(2025, 1, [], **CORRIDOR)
    with pytest.raises(ValueError, match="whole number"):
        outcome(1, [(D(60), -1)])
    with pytest.raises(UnitsError, match="binary float"):
        outcome(1, [(60.0, 1)])


@given(st.integers(0, 3000), BIDS)
def test_price_and_quantity_stay_inside(offered, bids):
    result = outcome(offered, bids)
    assert 55 <= result["price"] <= 65
    assert result["sold"] + result["unsold"] == offered + result["added"] <= 2 * offered
    assert result["sold"] <= sum(q for p, q in bids if p >= 55)
    assert not result["added"] or result["price"] == 65


def test_a_tenth_of_the_balance_may_be_bought_later():
    assert later_purchase(80_000, 500_000, 2026, **LATER) == {"bought": 50_000, "price": D(70), "cost": D(3_500_000), "still_short": 30_000}
    assert later_purchase(10, 500_000, 2024, **LATER)["cost"] == 450
    assert later_purchase(10, 500_000, 2025, **LATER) == {"bought": 0, "price": None, "cost": D(0), "still_short": 10}
    assert later_purchase_price([2024, 2030], later_purchase_price_by_year=LATER["later_purchase_price_by_year"]).tolist() == [D(45), None]


def test_the_limit_works_on_rows_and_drops_parts():
    share = LATER["later_purchase_share"]
    assert later_purchase_limit(19, 2024, later_purchase_share=share) == 1
    assert later_purchase_limit([19, 20, 20], [2024, 2026, 2020], later_purchase_share=share).tolist() == [1, 2, 0]
    assert later_purchase_limit(np.zeros(0, dtype=np.int64), 2024, later_purchase_share=share).shape == (0,)


def test_cost_and_fee():
    assert sale_cost(1000, 2024, fixed_price_by_year={2024: D(45)}) == 45_000
    assert sale_cost([1, 2], 2024, fixed_price_by_year={2024: D(45)}).tolist() == [45, 90]
    assert sale_fee(1000, 2026, fee_by_year={2026: D("0.0059")}) == D("5.9")
    with pytest.raises(ValueError, match="no fixed price for 2030"):
        sale_cost(1, 2030, fixed_price_by_year={2024: D(45)})
    with pytest.raises(ValueError, match="no fee is tabled for 2023"):
        sale_fee(1, 2023, fee_by_year={2026: D("0.0059")})
