"""A price band that the authority holds by selling and buying, the units it keeps for that, and how much emitters may sell."""

from __future__ import annotations

from decimal import Decimal
from decimal import Decimal as D

import numpy as np
import pytest

from tonne.rules.stability.price_band import band_action, band_mean, most_bought_back, reserve_units, sale_limit


def test_a_reserve_of_the_cap_on_top_or_within():
    assert reserve_units(324_000_000, reserve_share=Decimal("0.08")) == 25_920_000
    assert reserve_units([95_000_000, 0], reserve_share=Decimal("0.05"), reserve_within_total=True).tolist() == [5_000_000, 0]


def test_half_of_an_allocation_may_be_sold():
    assert sale_limit(100_001, sale_limit_share=Decimal("0.50")) == 50_000
    assert sale_limit([0, 3], sale_limit_share=Decimal("0.50")).tolist() == [0, 1]


def test_the_mean_of_the_last_days() -> None:
    assert band_mean([D("151000")] * 10, [1_000] * 10, band_days=10) == D("151.00")
    assert band_mean([1, *[D("151000")] * 10], [1, *[1_000] * 10], band_days=10) == D("151.00")
    assert band_mean([D("100"), D("200")], [1, 2], band_days=2) == D("100.00")
    assert band_mean([0, 0], [0, 0], band_days=2) is None
    with pytest.raises(ValueError, match="10 trading days"):
        band_mean([D("1")], [1], band_days=10)
    with pytest.raises(ValueError, match="no band in force"):
        band_mean([D("1")], [1], band_days=None)


def test_what_is_done_outside_the_band() -> None:
    band = {"band_low": 20, "band_high": 150}
    assert [band_action(D(p), **band) for p in ("19.99", "20", "150.00", "150.01")] == ["buy_back", "none", "none", "auction"]
    assert band_action([D("19.99"), D("151")], **band).tolist() == ["buy_back", "auction"]
    assert band_action(D("1000")) == "none"
    assert band_action([], **band).tolist() == []


def test_many_days_are_looked_at_at_once() -> None:
    prices = np.full(1_000_000, D("19.99"), dtype=object)
    assert set(band_action(prices, band_low=20, band_high=150).tolist()) == {"buy_back"}


def test_buying_back() -> None:
    assert most_bought_back(26_000_000, buy_back_share=D("0.10")) == 2_600_000
    assert most_bought_back([19, 0], buy_back_share=D("0.10")).tolist() == [1, 0]
    assert most_bought_back(np.zeros(0, dtype=np.int64), buy_back_share=D("0.10")).tolist() == []
