"""What is sold."""

from __future__ import annotations

from decimal import Decimal
from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.auction.budget_share import auction_volume

UNITS = st.integers(0, 10**9)


def test_the_auctioned_share():
    assert auction_volume(2024, 69_401_609, auction_share=Decimal("0.90")) == 62_461_448
    assert auction_volume(2024, 100, 30, auction_share=Decimal("0.90")) == 70
    assert auction_volume([2024, 2025], [100, 200], auction_share=1).tolist() == [100, 200]


@given(UNITS, UNITS)
def test_never_more_is_auctioned_than_is_left(budget, allocated):
    offered = auction_volume(2024, budget, allocated, auction_share=Decimal("0.9"))
    assert 0 <= offered <= max(budget - allocated, 0)


def test_many_units_in_circulation_cut_the_auction():
    law = {"auction_share": D("0.05"), "circulation_cut": D("0.5")}
    assert auction_volume(2021, 4_900_000, **law) == 245_000
    assert auction_volume(2021, 4_900_000, 0, 1_000_001, circulation_threshold=1_000_000, **law) == 122_500
    assert auction_volume(2021, 4_900_000, 0, 1_000_000, circulation_threshold=1_000_000, **law) == 245_000
    assert auction_volume(2021, 4_900_000, 4_800_000, **law) == 100_000
    assert auction_volume(2021, [100, 200], [0, 200], **law).tolist() == [5, 0]
