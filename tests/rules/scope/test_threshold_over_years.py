"""Who takes part by the figures of several years."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.scope.threshold_over_years import is_covered, mean_of_years


def test_each_of_the_last_years_reaches_the_threshold():
    law = {"covered_from": 1_500, "covered_years": 3}
    assert is_covered([1_500, 1_600, 1_500], **law) is True
    assert is_covered([1_500, 1_499, 1_600], **law) is False
    assert is_covered([9_999, 1_500], **law) is False
    assert is_covered([1, 1_500, 1_500, 1_500], **law) is True
    assert is_covered([[1_500, 0], [1_500, 9_000], [1_500, 9_000]], **law).tolist() == [True, False]
    assert is_covered(np.zeros((3, 0), dtype=np.int64), **law).shape == (0,)


def test_or_their_mean_does():
    law = {"covered_from": 100_000, "covered_years": 3, "covered_by_mean": True}
    assert is_covered([90_000, 100_000, 110_000], **law) is True
    assert is_covered([90_000, 100_000, 109_999], **law) is False
    assert mean_of_years([90_000, 100_000, 110_001], covered_years=3) == 100_000
    assert mean_of_years([[3, 4], [3, 5], [3, 6]], covered_years=3).tolist() == [3, 5]
    with pytest.raises(ValueError, match="the mean is of 3 years"):
        mean_of_years([1, 2], covered_years=3)


def test_a_single_figure_is_one_year():
    assert is_covered(25_000, covered_from=25_000) is True
    assert is_covered(24_999, covered_from=25_000) is False
    with pytest.raises(ValueError, match="whole numbers"):
        is_covered(-1, covered_from=1)


@given(st.lists(st.integers(0, 10**9), min_size=3, max_size=3), st.integers(1, 10**9))
def test_who_reaches_it_each_year_reaches_it_in_the_mean(years, threshold):
    if is_covered(years, covered_from=threshold, covered_years=3):
        assert is_covered(years, covered_from=threshold, covered_years=3, covered_by_mean=True)
