"""What a shortfall costs in units."""

from __future__ import annotations

from decimal import Decimal
from decimal import Decimal as D

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.penalty import indexed_fine, price_multiple
from tonne.rules.penalty.units_owed import allocation_cut, arrears_taken, later_phase_cut, penalty_units, still_owed, untimely_obligation

ORDER = ["account", "next_allocation"]
UNITS = st.integers(0, 10**9)


def test_units_are_taken_in_the_order_of_the_text() -> None:
    assert arrears_taken(1_000, 400, 5_000, deduct_from=ORDER) == {"from_account": 400, "from_next_allocation": 600, "still_missing": 0}
    assert arrears_taken(1_000, 400, 100, deduct_from=ORDER)["still_missing"] == 500
    assert arrears_taken(1_000, 400, 5_000, deduct_from=["next_allocation"])["from_account"] == 0
    rows = arrears_taken([10, 0], [3, 3], 100, deduct_from=ORDER)
    assert rows["from_account"].tolist() == [3, 0]
    assert rows["from_next_allocation"].tolist() == [7, 0]
    none = np.zeros(0, dtype=np.int64)
    assert arrears_taken(none, none, none, deduct_from=ORDER)["still_missing"].tolist() == []
    with pytest.raises(ValueError, match="not from 'bank'"):
        arrears_taken(1, 1, 1, deduct_from=["bank"])


def test_made_good_or_not():
    assert still_owed(500) == 500
    assert still_owed([500, 0], make_good=False).tolist() == [0, 0]


def test_units_for_units():
    assert penalty_units(1_000, units_per_unit=3) == 3_000
    assert penalty_units([1, 0, 5], units_per_unit=3).tolist() == [3, 0, 15]
    assert penalty_units(3, units_per_unit=Decimal("1.5")) == 5
    assert penalty_units(np.zeros(0, dtype=np.int64), units_per_unit=3).shape == (0,)


def test_the_next_allocation_is_cut_until_the_law_repeals_it():
    assert allocation_cut(10_000, cut_share=1) == 10_000
    assert allocation_cut([10_000, 0], cut_share=Decimal("0.5")).tolist() == [5_000, 0]
    assert allocation_cut(10_000, cut_share=None) == 0


@pytest.mark.parametrize(
    "ask",
    [
        lambda x: indexed_fine.penalty(x, 2014, amount=100),
        lambda x: price_multiple.penalty(x, Decimal("70"), multiple_low=5, multiple_high=10),
        lambda x: penalty_units(x, units_per_unit=3),
        lambda x: allocation_cut(x, cut_share=1),
    ],
)
def test_a_surplus_and_a_fraction_are_refused(ask):
    with pytest.raises(ValueError, match="surplus"):
        ask(-1)
    with pytest.raises(ValueError, match="surplus"):
        ask([3, -1])
    with pytest.raises(ValueError, match="whole number"):
        ask(0.5)


@given(UNITS, UNITS)
def test_missing_more_costs_no_less(a, b):
    low, high = sorted((a, b))
    assert indexed_fine.penalty(low, 2014, amount=100) <= indexed_fine.penalty(high, 2014, amount=100)
    assert penalty_units(low, units_per_unit=3) <= penalty_units(high, units_per_unit=3)


def test_a_later_phase_is_cut_by_a_multiple() -> None:
    assert later_phase_cut(1_000, units_per_missing_unit=2) == 2_000
    assert later_phase_cut([1, 0], units_per_missing_unit=D("1.5")).tolist() == [2, 0]
    assert later_phase_cut(1_000) == 0
    with pytest.raises(ValueError, match="surplus"):
        later_phase_cut(-1, units_per_missing_unit=2)


def test_three_on_top_and_at_most_a_quarter_in_credits() -> None:
    assert untimely_obligation(10_000, units_per_unit=3, credits_share_of_untimely=Decimal("0.25")) == {
        "recovered": 10_000,
        "on_top": 30_000,
        "due": 40_000,
        "credits_most": 10_000,
        "allowances_least": 30_000,
    }


def test_without_a_share_nothing_may_be_credits() -> None:
    told = untimely_obligation(np.array([0, 7]), units_per_unit=3)
    assert told["due"].tolist() == told["allowances_least"].tolist() == [0, 28]
    assert untimely_obligation(np.array([], dtype=np.int64), units_per_unit=3)["due"].tolist() == []
