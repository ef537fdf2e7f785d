"""The units of a scheme year."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from tonne.rules.cap.scheme_year import auction_volume, cap, cap_of_period, industry_cap, scheme_year_cap, small_emitter_factor

CAPS = {"cap_by_year": {2021: 100, 2024: 50, 2025: None}, "yearly_step": {2022: 10}}
D = Decimal


def test_a_cap_falls_by_a_step_unless_it_is_tabled():
    assert cap([2021, 2022, 2023, 2024, 2025], **CAPS).tolist() == [100, 90, 80, 50, 40]
    assert cap_of_period(2021, 2023, **CAPS) == 270
    with pytest.raises(ValueError, match="no cap for 2020"):
        cap(2020, **CAPS)
    with pytest.raises(ValueError, match="no yearly step"):
        cap(2026, cap_by_year={2024: 50})


def test_small_emitters_leave_the_cap():
    assert small_emitter_factor(100, 2) == Fraction(98, 100)
    assert scheme_year_cap(150_000_000, 100_000_000, 2_000_000, 1_000_000) == 148_000_000
    assert scheme_year_cap([100, 101], 100, 2).tolist() == [98, 98]
    for wrong in ((0, 0), (100, 101), (100, -1)):
        with pytest.raises(ValueError, match="small emitters"):
            small_emitter_factor(*wrong)


def test_the_identity_of_the_auction_volume():
    assert auction_volume(100, 0, 4, 40, 0, 2, 1, 3) == 56
    assert auction_volume(100, 30) == 70
    assert auction_volume([100, 10], [30, 30]).tolist() == [70, 0]
    assert industry_cap(2024, 92_100_000, industry_cap_share={2024: D("0.40")}) == 36_840_000
