"""A cap that falls by points of a fixed baseline."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tonne.rules.cap.baseline_points import cap

LAW = {"cap_baseline": 68_052_221, "yearly_points": {2023: Decimal("0.07"), 2031: Decimal("0.018")}, "cap_start": 2023}


def test_points_add_up_from_the_first_year() -> None:
    assert cap(2024, **LAW) == 58_524_910
    assert cap(np.array([2030, 2031]), **LAW).tolist() == [29_942_977, 28_718_037]
    assert cap(np.array([], dtype=np.int64), **LAW).tolist() == []


def test_a_tabled_year_is_what_its_table_says_and_the_cap_never_below_zero() -> None:
    assert cap(2023, **LAW, cap_by_year={2023: 63_288_565}) == 63_288_565
    assert cap(2023, **LAW) == 63_288_566
    assert cap(2040, cap_baseline=100, yearly_points={2023: Decimal("0.07")}, cap_start=2023) == 0


def test_before_the_first_year_and_without_points_it_is_refused() -> None:
    with pytest.raises(ValueError, match="the first year with one is 2023"):
        cap(2022, **LAW)
    with pytest.raises(ValueError, match="no points taken off"):
        cap(2023, cap_baseline=1, yearly_points={2025: Decimal("0.1")}, cap_start=2023)
