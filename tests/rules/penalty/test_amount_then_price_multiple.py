"""A fine that was an amount first and a multiple of the price later."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tonne.rules.penalty.amount_then_price_multiple import penalty


def test_a_fine_in_two_stages() -> None:
    assert penalty(1_000, fine_amount=30) == Decimal("30000.00")
    assert penalty(1_000, Decimal("78.97"), fine_amount=30, fine_price_multiple=3) == Decimal("236910.00")
    assert penalty([1, 0], None, 60, fine_price_multiple=3).tolist() == [Decimal("180.00"), Decimal("0.00")]
    assert penalty([], 60, fine_price_multiple=3).tolist() == []
    with pytest.raises(ValueError, match="give price"):
        penalty(1, fine_price_multiple=3)
    with pytest.raises(ValueError, match="surplus"):
        penalty(-1, fine_amount=30)
