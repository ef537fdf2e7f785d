"""Baseline and credit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.obligation.baseline_and_credit import obligation, units_earned

NONE = np.zeros(0, dtype=np.int64)
TONNES = st.integers(0, 10**10)


def test_who_is_above_owes_and_who_is_below_earns_the_difference():
    assert obligation(100_000, 90_000) == 10_000
    assert units_earned(80_000, 90_000) == 10_000
    assert obligation(90_000, 90_000) == units_earned(90_000, 90_000) == 0
    assert obligation([5, 7], [7, 5]).tolist() == [0, 2]
    assert units_earned(NONE, NONE).tolist() == []


@given(verified=TONNES, limit=TONNES)
def test_what_is_owed_less_what_is_earned_is_the_distance_to_the_limit(verified: int, limit: int):
    assert obligation(verified, limit) - units_earned(verified, limit) == verified - limit
    assert min(obligation(verified, limit), units_earned(verified, limit)) == 0


@pytest.mark.parametrize(("verified", "limit"), [(-1, 0), (0, -1), (1.5, 2)])
def test_emissions_and_limits_are_whole_and_not_negative(verified: float, limit: float):
    with pytest.raises(ValueError, match=r"is negative|whole number"):
        obligation(verified, limit)
