"""Budgets that several states set together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.cap.state_budgets import (
    bank_adjustment,
    bank_adjustment_of,
    base_after_leaving,
    base_cap,
    base_step,
    cap,
    leaving_state_adjustment,
    state_adjustment,
)

ADJUSTMENTS = {"first": {"per_year": 8_207_664, "since": 2014, "until": 2020}, "second": {"per_year": 13_683_744, "since": 2015, "until": 2020}}
BASE = {2014: 91_000_000, 2015: 88_725_000, 2018: 82_235_598, 2019: 80_179_708}
LAW = {"base_by_year": BASE, "bank_adjustments": ADJUSTMENTS, "adjusted_by_year": {2019: 58_288_301}}
UNITS = st.integers(0, 10**9)


def test_the_base_less_the_adjustments_that_run():
    assert cap(2014, **LAW) == 82_792_336
    assert cap(2015, **LAW) == 66_833_592
    assert cap(2018, **LAW) == 60_344_190
    assert base_cap(2018, base_by_year=BASE) == 82_235_598
    assert bank_adjustment_of(2018, bank_adjustments=ADJUSTMENTS) == 21_891_408


def test_a_published_figure_goes_before_the_sum():
    assert cap(2019, **LAW) == 58_288_301
    assert cap(2019, base_by_year=BASE, bank_adjustments=ADJUSTMENTS) == 58_288_300


def test_columns_of_years():
    years = np.array([[2018, 2014], [2014, 2019]])
    assert cap(years, **LAW).tolist() == [[60_344_190, 82_792_336], [82_792_336, 58_288_301]]
    assert cap(years, **LAW).dtype == np.int64
    assert cap(np.zeros(0, dtype=np.int64), **LAW).shape == (0,)
    assert bank_adjustment_of([2013, 2014, 2021], bank_adjustments=ADJUSTMENTS).tolist() == [0, 8_207_664, 0]


def test_a_year_without_a_budget_is_refused():
    with pytest.raises(ValueError, match="no budget is set for 2031"):
        cap(2031, **LAW)


def test_steps_add_up():
    steps = {"nine states": 2_275_000, "New Jersey": 540_000, "Virginia": 840_000}
    assert base_step(list(steps), step_by_state=steps) == 3_655_000
    assert base_step([], step_by_state=steps) == 0
    with pytest.raises(ValueError, match="Ohio"):
        base_step(["Ohio"], step_by_state=steps)


def test_a_bank_is_spread_over_the_years():
    assert bank_adjustment(300_000_000, 204_548_350, 5) == 19_090_330
    assert bank_adjustment([12, 13, 10], [0, 0, 11], 5).tolist() == [2, 3, 0]
    assert bank_adjustment(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), 5).shape == (0,)
    with pytest.raises(ValueError, match="one year or more"):
        bank_adjustment(1, 0, 0)


def test_a_leaving_state_takes_its_share():
    assert leaving_state_adjustment(19_090_330, 119_767_784, 27_160_000) == 14_761_174  # 14,761,174.48; published 14,761,175
    assert state_adjustment(19_090_330, 119_767_784, 27_160_000) == 4_329_156
    assert base_after_leaving(157_184_044, 73_021_260) == 84_162_784
    with pytest.raises(ValueError, match="is no part of"):
        base_after_leaving(1, 2)


@given(UNITS, st.integers(1, 10**9), st.data())
def test_the_parts_of_an_adjustment_are_within_one_of_the_whole(adjustment, base, data):
    leaver = data.draw(st.integers(0, base))
    both = leaving_state_adjustment(adjustment, base, leaver) + state_adjustment(adjustment, base, leaver)
    assert abs(both - adjustment) <= 1


def test_an_adjustment_beyond_the_budget_is_refused():
    assert cap(2014, base_by_year={2014: 8_207_664}, bank_adjustments=ADJUSTMENTS) == 0
    with pytest.raises(ValueError, match="the adjustments of 2014 take 8,207,664 off a budget of 5"):
        cap(2014, base_by_year={2014: 5}, bank_adjustments=ADJUSTMENTS)
