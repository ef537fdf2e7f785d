"""How a year's cap is cut up."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from tonne.rules.cap.division import advance_part, advance_vintage, auction_volume, reserve_part, vintage_part

NONE = np.array([], dtype=np.int64)
D = Decimal
RESERVE = {"reserve_share_by_year": {2013: D("0.01")}, "reserve_quantity_by_year": {2021: 10_500_000}}


def test_the_reserve_takes_a_share_or_a_tabled_quantity() -> None:
    assert reserve_part(162_800_000, 2013, **RESERVE) == 1_628_000
    assert reserve_part(np.array([162_800_000, 320_800_000, 1]), np.array([2013, 2021, 2040]), **RESERVE).tolist() == [1_628_000, 10_500_000, 0]
    assert vintage_part(162_800_000, 2013, **RESERVE) == 161_172_000
    assert reserve_part(NONE, NONE, **RESERVE).tolist() == vintage_part(NONE, NONE, **RESERVE).tolist() == []


def test_a_tenth_is_sold_three_years_ahead() -> None:
    assert advance_part(382_400_000, 2016, advance_share_by_year={2016: D("0.10")}) == 38_240_000
    assert advance_part(382_400_000, 2015, advance_share_by_year={2016: D("0.10")}) == 0
    assert advance_vintage(2013, advance_years=3) == 2016
    assert advance_vintage(np.array([2013, 2015]), advance_years=3).tolist() == [2016, 2018]


def test_the_rest_is_auctioned_and_never_less_than_nothing() -> None:
    aside = {"set_aside_share_by_year": {2013: D("0.005")}}
    assert auction_volume(2013, 162_800_000, 100_000_000, **RESERVE, **aside) == 60_358_000
    assert auction_volume(np.array([2013, 2021]), np.array([100, 20_000_000]), np.array([200, 0]), **RESERVE).tolist() == [0, 9_500_000]
    assert auction_volume(NONE, NONE, NONE).tolist() == []
