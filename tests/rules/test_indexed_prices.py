"""Prices that rise by a rate and assumed inflation, or with measured inflation."""

from decimal import Decimal

from tonne.rules.indexed_prices import escalated_floor, escalated_trigger, indexed_price


def test_prices_that_rise() -> None:
    rates = {"assumed_inflation": Decimal("0.02")}
    assert escalated_trigger(70, [1, 2, 3, 4], trigger_growth=Decimal("0.10"), **rates) == [
        Decimal("78.40"),
        Decimal("87.81"),
        Decimal("98.34"),
        Decimal("110.15"),
    ]
    assert escalated_floor(20, 3, floor_growth=0, **rates) == Decimal("21.22")
    assert escalated_floor(20, [], floor_growth=0, **rates) == []
    assert indexed_price(75, Decimal("0.036"), price_real_growth=Decimal("0.02")) == Decimal("79.20")
