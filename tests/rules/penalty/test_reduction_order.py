"""The order to cover what a period's target misses, with a surcharge in tonnes, and the fine of who ignores it."""

from __future__ import annotations

from decimal import Decimal

from tonne.rules.penalty.reduction_order import fine_for_ignored_order, ordered_units, penalty_units


def test_an_order_asks_for_more_than_is_missing():
    assert ordered_units(1_000, order_multiple=Decimal("1.3")) == 1_300
    assert penalty_units(1_000, order_multiple=Decimal("1.3")) == 300
    assert ordered_units([1, 0, 10], order_multiple=Decimal("1.3")).tolist() == [2, 0, 13]
    assert penalty_units([1, 0, 10], order_multiple=Decimal("1.3")).tolist() == [1, 0, 3]
    assert fine_for_ignored_order(1, fine_most=500_000) == 500_000 and fine_for_ignored_order(0, fine_most=500_000) == 0
    assert fine_for_ignored_order([7, 0], fine_most=500_000).tolist() == [500_000, 0]
