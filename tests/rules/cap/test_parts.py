"""What a cap is made of."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import numpy as np
import pytest

from tonne.rules.cap.parts import (
    amount_of,
    cap_part,
    phase_total,
    phase_total_before_reserves,
    reserve_size,
    sum_of_amounts,
    sum_of_sectors,
    total_with_reserves,
)

AMOUNTS = {2014: {"emitters": 292_200_000, "auction": 7_800_000, "reserve": 24_000_000}, 2019: {"emitters": 438_000_000, "reserve": 27_000_000}}
SECTORS: dict[str, Any] = {"sector_amounts": {"power": 138_100_000, "cement": 30_200_000}, "other_sectors": {2020: 7_000_000, 2021: 8_800_000}}
LAW: dict[str, Any] = {
    "reserve_share": {"auction": D("0.05"), "new_entrants": D("0.10"), "gone": None},
    "cap__cap_by_year": {2020: 271_300_000, 2021: 11},
}
PHASES = {"phase_parts": {1: {"year_2015": 540_100_000, "year_2016": 560_700_000, "year_2017": 585_500_000, "stabilisation_reserve": 14_300_000}}}
PARTS = {2021: {"emitters": D("0.97"), "bidding": D("0.03")}, 2022: {"emitters": D("0.96"), "newcomers": D("0.02"), "price": D("0.02")}}


def test_the_amounts_add_up():
    assert sum_of_amounts(2014, amounts_by_year=AMOUNTS) == 324_000_000
    assert sum_of_amounts([2019, 2014], amounts_by_year=AMOUNTS).tolist() == [465_000_000, 324_000_000]
    assert amount_of(2019, "reserve", amounts_by_year=AMOUNTS) == 27_000_000


def test_what_the_plan_does_not_name_is_refused():
    with pytest.raises(ValueError, match="'auction'"):
        amount_of(2019, "auction", amounts_by_year=AMOUNTS)
    with pytest.raises(ValueError, match="2015"):
        sum_of_amounts(2015, amounts_by_year=AMOUNTS)


def test_sectors_add_up_with_the_others_of_the_year() -> None:
    assert sum_of_sectors(2020, **SECTORS) == 175_300_000
    assert sum_of_sectors([2021, 2020], **SECTORS).tolist() == [177_100_000, 175_300_000]
    assert sum_of_sectors(np.zeros(0, dtype=np.int64), **SECTORS).tolist() == []
    with pytest.raises(ValueError, match="2022"):
        sum_of_sectors(2022, **SECTORS)


def test_a_reserve_is_a_share_of_the_cap_and_comes_on_top() -> None:
    assert reserve_size(2020, "auction", **LAW) == 13_565_000
    assert reserve_size([2020, 2021], "new_entrants", **LAW).tolist() == [27_130_000, 1]
    assert total_with_reserves(2020, **LAW) == 271_300_000 + 13_565_000 + 27_130_000
    assert total_with_reserves([2021], **LAW).tolist() == [11 + 1 + 1]


def test_what_the_law_does_not_name_is_refused() -> None:
    with pytest.raises(ValueError, match="no reserve 'gone'"):
        reserve_size(2020, "gone", **LAW)
    with pytest.raises(ValueError, match="no cap for 2022"):
        total_with_reserves(2022, **LAW)


def test_phases() -> None:
    assert phase_total(1, **PHASES) == 1_700_600_000
    assert phase_total_before_reserves(1, **PHASES) == 1_686_300_000
    with pytest.raises(ValueError, match="no plan for phase 2"):
        phase_total(2, **PHASES)


def test_the_parts_of_a_total() -> None:
    assert cap_part(26_000_000, 2022, "price", part_share=PARTS) == 520_000
    assert cap_part(33_500_000, 2024, "emitters", part_share=PARTS) == 32_160_000
    assert sum(cap_part(26_000_000, 2022, part, part_share=PARTS) for part in PARTS[2022]) == 26_000_000
    with pytest.raises(ValueError, match="no part"):
        cap_part(26_000_000, 2022, "bidding", part_share=PARTS)
    with pytest.raises(ValueError, match="no division"):
        cap_part(1, 2020, "emitters", part_share=PARTS)
