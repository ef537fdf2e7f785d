"""Prices of the law that move."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tonne.rules.auction.escalation import escalated_floor, escalated_price, escalated_trigger
from tonne.units import UnitsError

D = Decimal
INDEX = {"price_index_by_year": {2015: D("237.433")}, "price_index_before_by_year": {2015: D("233.546")}}
RATE = {"escalation_rate": D("0.05")}


def test_one_price_by_the_tabled_index() -> None:
    assert escalated_price(D("11.34"), 2015, **RATE, **INDEX) == D("12.10")


def test_many_prices_none_and_a_given_rate() -> None:
    prices = escalated_price([D("40.00"), D("45.00")], 2014, D("0.02"), **RATE)
    assert prices.tolist() == [D("42.80"), D("48.15")]
    assert escalated_price([], np.array([], dtype=np.int64), **RATE).tolist() == []


def test_the_two_rates_are_added_not_chained() -> None:
    assert escalated_price(D("100.00"), 2020, D("0.10"), **RATE) == D("115.00")


def test_a_text_may_cut_off() -> None:
    assert escalated_price(D("10.00"), 2013, D("0.02162"), **RATE, escalation_rounding="down") == D("10.71")
    assert escalated_price(D("10.00"), 2013, D("0.02162"), **RATE) == D("10.72")


def test_a_year_without_an_index_is_refused_and_so_is_a_float() -> None:
    with pytest.raises(ValueError, match="no price index for 2016: there is one for 2015"):
        escalated_price(D("12.10"), 2016, **RATE, **INDEX)
    with pytest.raises(UnitsError):
        escalated_price(12.1, 2015, **RATE, **INDEX)


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
    assert escalated_price(75, inflation=Decimal("0.036"), escalation_rate=Decimal("0.02")) == Decimal("79.20")
