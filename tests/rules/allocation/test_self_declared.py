"""As declared while it fits under the cap, else in proportion."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.allocation.self_declared import declaration_settlement, declared_allocation, declining_limit

ROWS = st.lists(st.tuples(st.integers(0, 10**8), st.integers(0, 10**8)), min_size=1, max_size=8)


def test_declarations_that_fit_are_given_as_declared():
    assert declared_allocation([60, 40], [10, 10], 2013, cap__cap_by_year={2013: 100}).tolist() == [60, 40]


def test_declarations_above_the_cap_weigh_with_the_past():
    assert declared_allocation([60, 60], [60, 40], 2013, cap__cap_by_year={2013: 100}).tolist() == [54, 45]
    assert declared_allocation([100, 20], [20, 20], 2013, cap__cap_by_year={2013: 100}).tolist() == [60, 20]  # weights fit


def test_a_year_without_a_cap_is_refused():
    with pytest.raises(ValueError, match="no cap for 2014"):
        declared_allocation([1], [1], 2014, cap__cap_by_year={2013: 100})


@given(ROWS, st.integers(0, 10**9))
def test_never_more_than_the_cap(rows, cap):
    declared, highest = (np.array(column) for column in zip(*rows, strict=True))
    given_out = declared_allocation(declared, highest, 2013, cap__cap_by_year={2013: cap})
    assert int(given_out.sum()) <= cap
    assert (given_out <= declared).all() and (given_out >= 0).all()


def test_a_difference_inside_the_margin_changes_nothing():
    got = declaration_settlement(100_000, 100_000, [92_000, 91_999, 108_000, 108_001], declaration_margin=Decimal("0.08"))
    assert got.tolist() == [0, -8_001, 0, 8_001]
    assert declaration_settlement(100_000, 80_000, 90_000, declaration_margin=Decimal("0.08")) == 0  # nothing beyond its emissions to take back


def test_the_limit_falls_by_the_same_rate_each_year():
    assert declining_limit(125_197_019, [0, 1, 2], decline_rate=Decimal("0.0413")).tolist() == [125_197_019, 120_026_382, 115_069_292]
    assert declining_limit(np.zeros(0, dtype=np.int64), 1, decline_rate=Decimal("0.0413")).shape == (0,)
    with pytest.raises(ValueError, match="after its reference"):
        declining_limit(1, -1, decline_rate=Decimal("0.0413"))
