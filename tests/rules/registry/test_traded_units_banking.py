"""Only what was traded stays good."""

from __future__ import annotations

import numpy as np
import pytest

from tonne.rules.registry.traded_units_banking import carry_over


def test_bought_units_stay_good_and_others_are_void():
    assert carry_over(0, 10_000, 25_000) == {"limit": 10_000, "carried": 10_000, "void": 15_000}
    assert carry_over(50_000, 30_000, 25_000) == {"limit": 30_000, "carried": 25_000, "void": 0}
    answer = carry_over([0, 5], [10, 0], [4, 7])
    assert answer["carried"].tolist() == [4, 0] and answer["void"].tolist() == [0, 7]


def test_no_rows_and_nothing_negative():
    nothing = np.zeros(0, dtype=np.int64)
    assert carry_over(nothing, nothing, nothing)["carried"].shape == (0,)
    with pytest.raises(ValueError, match="zero or more"):
        carry_over(0, -1, 1)
