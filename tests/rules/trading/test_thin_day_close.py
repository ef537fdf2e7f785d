"""A few units do not move the price."""

from __future__ import annotations

from decimal import Decimal

from tonne.rules.trading.thin_day_close import close_price


def test_a_thin_day_keeps_the_last_close():
    assert close_price(6_000, 100, 50, thin_day_volume=100) == Decimal(50)
    assert close_price(0, 0, Decimal("25.25"), thin_day_volume=100) == Decimal("25.25")
    assert close_price(6_060, 101, 50, thin_day_volume=100) == Decimal("60.00")
    assert close_price(Decimal("360786.62"), 14_289, 50, thin_day_volume=100) == Decimal("25.25")
