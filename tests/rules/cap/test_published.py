"""The units of a year as an authority makes them public, for some years only."""

from __future__ import annotations

import numpy as np
import pytest

from tonne.rules.cap.published import cap

TOTALS = {2022: 100_000_000, 2023: 105_000_000, 2024: None}


def test_a_year_without_a_public_total_has_none() -> None:
    assert cap(2023, cap_by_year=TOTALS) == 105_000_000
    assert cap(2021, cap_by_year=TOTALS) is None
    assert cap(2024, cap_by_year=TOTALS) is None
    assert cap([2022, 2023], cap_by_year=TOTALS).tolist() == [100_000_000, 105_000_000]
    assert cap(np.zeros(0, dtype=np.int64), cap_by_year=TOTALS).tolist() == []
    with pytest.raises(ValueError, match="2024"):
        cap([2023, 2024], cap_by_year=TOTALS)


def test_a_plan_without_a_figure_sets_no_cap():
    assert cap(2021, cap_by_year={2021: 159_900_000}) == 159_900_000
    assert cap(2019, cap_by_year={2021: 159_900_000}) is None
    assert cap(2019) is None
