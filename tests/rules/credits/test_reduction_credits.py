"""Credits for reductions beyond a period's target, and how far kinds of credit reach."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.credits.reduction_credits import counted_credits, credit_limit, excess_credits

LAW = {"counted_share": Decimal("0.5"), "allocation__compliance_factor": {2015: {"a": Decimal("0.17")}}}
YEARS = st.lists(st.integers(0, 20_000), min_size=1, max_size=5)


def test_only_what_exceeds_the_pace_of_the_target_may_be_sold():
    assert excess_credits([8_500, 7_500], 10_000, "a", 2015, **LAW).tolist() == [0, 600]
    assert excess_credits([3_000], 10_000, "a", 2015, **LAW).tolist() == [3_300]
    many = excess_credits([[8_500, 3_000], [7_500, 3_000]], [10_000, 10_000], "a", 2016, **LAW)
    assert many.tolist() == [[0, 3_300], [600, 6_600]]
    assert excess_credits(np.zeros((2, 0), dtype=np.int64), np.zeros(0, dtype=np.int64), "a", 2016, **LAW).shape == (2, 0)


def test_without_a_share_in_force_there_is_no_answer():
    with pytest.raises(ValueError, match="no share of base-year emissions"):
        excess_credits([1], 10, "a", 2015, **(LAW | {"counted_share": None}))


@given(YEARS, st.integers(1, 10_000))
def test_it_is_the_sum_of_counted_reductions_less_the_pace(emissions, base):
    got = excess_credits(emissions, base, "a", 2015, **LAW).tolist()
    total = Fraction(0)
    for elapsed, emitted in enumerate(emissions, 1):
        total += min(Fraction(base - emitted), Fraction(base, 2))
        assert got[elapsed - 1] == max(total - Fraction(17, 100) * base * elapsed, 0) // 1


def test_a_kind_of_credit_covers_its_part():
    divisors = {"outside": 3, "inside": 1}
    assert credit_limit(10_000, "outside", limit_divisor=divisors) == 3_333
    assert credit_limit([10_000, 10_000], ["outside", "inside"], limit_divisor=divisors).tolist() == [3_333, 10_000]
    with pytest.raises(ValueError, match="no credit of the kind 'forest'"):
        credit_limit(1, "forest", limit_divisor=divisors)


def test_some_sources_count_more_than_once():
    assert counted_credits(1_001, "solar", counting_factor={"solar": Decimal("1.5")}) == 1_501
    assert counted_credits([10, 10], ["solar", "biomass"], counting_factor={"solar": Decimal("1.5")}).tolist() == [15, 10]
    assert counted_credits(10, "solar") == 10
