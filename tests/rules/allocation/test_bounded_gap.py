"""Nobody lacks, or keeps, more than so much."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.allocation.bounded_gap import final_allocation

FIFTH = Decimal("0.20")
UNITS = st.integers(0, 10**10)


def test_a_gap_beyond_the_bound_is_topped_up():
    assert final_allocation(700_000, 1_000_000, gap_limit=FIFTH) == 800_000
    assert final_allocation([800_000, 799_999], 1_000_000, gap_limit=FIFTH).tolist() == [800_000, 800_000]
    assert final_allocation(1_500_000, 1_000_000, gap_limit=FIFTH) == 1_500_000


def test_the_bound_may_be_one_of_the_first_allocation_and_of_units():
    law = {"gap_limit": FIFTH, "gap_limit_base": "initial", "gap_limit_units": 200_000, "surplus_is_limited": True}
    assert final_allocation([500_000, 5_000_000, 5_500_000], [650_000, 5_500_000, 5_000_000], **law).tolist() == [550_000, 5_300_000, 5_200_000]


def test_only_the_methods_named_are_bounded():
    law = {"gap_limit": FIFTH, "gap_limit_methods": ["benchmark"], "allocation_method": {"cement": "benchmark", "all": "historical_intensity"}}
    assert final_allocation([1, 1], [1_000, 1_000], ["cement", "paper"], **law).tolist() == [800, 1]


def test_without_a_bound_in_force_nothing_changes():
    assert final_allocation(1, 1_000_000) == 1


def test_an_unknown_base_is_refused():
    with pytest.raises(ValueError, match="verified"):
        final_allocation(1, 1, gap_limit=FIFTH, gap_limit_base="reported")


def test_no_rows():
    nothing = np.zeros(0, dtype=np.int64)
    assert final_allocation(nothing, nothing, np.zeros(0, dtype=object), gap_limit=FIFTH).shape == (0,)


@given(UNITS, UNITS)
def test_the_bound_holds_both_ways(initial, verified):
    final = final_allocation(initial, verified, gap_limit=FIFTH, surplus_is_limited=True)
    assert abs(final - verified) <= max(abs(initial - verified), 0)
    assert verified - verified // 5 <= final <= verified + verified // 5 or final == initial
