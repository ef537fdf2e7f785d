"""Sectors that make a cap, reserves that lie on top of it."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import numpy as np
import pytest

from tonne.rules import cap_reserves

SECTORS: dict[str, Any] = {"sector_amounts": {"power": 138_100_000, "cement": 30_200_000}, "other_sectors": {2020: 7_000_000, 2021: 8_800_000}}
LAW: dict[str, Any] = {
    "reserve_share": {"auction": D("0.05"), "new_entrants": D("0.10"), "gone": None},
    "cap__cap_by_year": {2020: 271_300_000, 2021: 11},
}


def test_sectors_add_up_with_the_others_of_the_year() -> None:
    assert cap_reserves.sum_of_sectors(2020, **SECTORS) == 175_300_000
    assert cap_reserves.sum_of_sectors([2021, 2020], **SECTORS).tolist() == [177_100_000, 175_300_000]
    assert cap_reserves.sum_of_sectors(np.zeros(0, dtype=np.int64), **SECTORS).tolist() == []
    with pytest.raises(ValueError, match="2022"):
        cap_reserves.sum_of_sectors(2022, **SECTORS)


def test_a_reserve_is_a_share_of_the_cap_and_comes_on_top() -> None:
    assert cap_reserves.reserve_size(2020, "auction", **LAW) == 13_565_000
    assert cap_reserves.reserve_size([2020, 2021], "new_entrants", **LAW).tolist() == [27_130_000, 1]
    assert cap_reserves.total_with_reserves(2020, **LAW) == 271_300_000 + 13_565_000 + 27_130_000
    assert cap_reserves.total_with_reserves([2021], **LAW).tolist() == [11 + 1 + 1]


def test_what_the_law_does_not_name_is_refused() -> None:
    with pytest.raises(ValueError, match="no reserve 'gone'"):
        cap_reserves.reserve_size(2020, "gone", **LAW)
    with pytest.raises(ValueError, match="no cap for 2022"):
        cap_reserves.total_with_reserves(2022, **LAW)
