"""A cap over several years, and what is left of it."""

from __future__ import annotations

import numpy as np
import pytest

from tonne.rules.cap.cumulative import cumulative_cap, room_under_cap

LAW = {"cumulative_cap_by_first_year": {2020: 77_000_000, 2025: 64_500_000}, "last_year_by_first_year": {2020: 2024, 2025: 2029}}


def test_the_cap_of_a_years_period():
    assert cumulative_cap(np.array([2020, 2024, 2025, 2029]), **LAW).tolist() == [77_000_000, 77_000_000, 64_500_000, 64_500_000]
    assert cumulative_cap(np.zeros(0, dtype=np.int64), **LAW).shape == (0,)


@pytest.mark.parametrize("year", [2019, 2030])
def test_no_cap_outside_the_periods(year):
    with pytest.raises(ValueError, match="2020 to 2024, 2025 to 2029"):
        cumulative_cap(year, **LAW)


def test_room_never_below_nothing():
    assert room_under_cap(2023, 60_000_000, **LAW) == 17_000_000
    assert room_under_cap(2023, np.array([77_000_000, 80_000_000]), **LAW).tolist() == [0, 0]
