"""When unsold units come back, how many, and when they leave the auctions."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from tonne.rules.unsold import auctions_above_floor, leaves_auctions, reoffered

D = Decimal
RULE = {"reoffer_after_auctions": 2, "reoffer_limit_share": D("0.25")}


def test_only_the_latest_auctions_in_a_row_count() -> None:
    assert auctions_above_floor([D("13.57"), D("13.80"), D("14.75")], [D("13.57")] * 3) == 2
    assert auctions_above_floor([D("14.75"), D("13.57")], [D("13.57")] * 2) == 0
    assert auctions_above_floor([], []) == 0
    with pytest.raises(ValueError, match="1 settlement prices and 0 floors"):
        auctions_above_floor([D(1)], [])


def test_a_quarter_of_the_new_offer_cut_down() -> None:
    assert reoffered(74_172_921, 54_962_497, 2, **RULE) == 13_740_624
    assert reoffered(10, 54_962_497, 2, **RULE) == 10
    assert reoffered(74_172_921, 54_962_497, 1, **RULE) == 0
    assert reoffered(np.array([5, 100]), np.array([100, 100]), np.array([2, 3]), **RULE).tolist() == [5, 25]
    assert reoffered(np.array([], dtype=np.int64), np.array([], dtype=np.int64), 2, **RULE).tolist() == []


def test_months_end_on_the_same_day_or_the_months_last() -> None:
    assert not leaves_auctions(date(2016, 2, 17), date(2018, 2, 17), unsold_months=24)
    assert leaves_auctions(date(2016, 2, 17), date(2018, 2, 18), unsold_months=24)
    assert not leaves_auctions(date(2016, 2, 29), date(2018, 2, 28), unsold_months=24)
    assert leaves_auctions(date(2016, 2, 29), date(2018, 3, 1), unsold_months=24)
    days = np.array(["2022-05-18", "2022-05-19"], dtype="datetime64[D]")
    assert leaves_auctions(days, date(2025, 5, 19), unsold_months=36).tolist() == [True, False]
    assert leaves_auctions(days[:0], date(2025, 5, 19), unsold_months=36).tolist() == []
