"""What a shortfall costs, in money and in units."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules import mechanisms
from tonne.rules.penalty import allocation_cut, fine_by_capped_price, fine_by_price, fine_by_tabled_price, fine_per_unit, penalty_units

UNITS = st.integers(0, 10**9)


def test_two_mechanisms_answer_the_same_ask():
    assert mechanisms()["indexed_fine_per_unit"]["penalty"].function is fine_per_unit
    assert mechanisms()["price_multiple_fine"]["penalty"].function is fine_by_price


def test_a_fine_per_unit_is_money_to_the_cent():
    assert fine_per_unit(500, 2014, amount=100) == Decimal("50000.00")
    assert fine_per_unit(3, 2006, amount=40) == Decimal("120.00")
    assert fine_per_unit([500, 0], [2014, 2014], amount=100).tolist() == [Decimal("50000.00"), Decimal("0.00")]
    assert fine_per_unit(np.zeros(0, dtype=np.int64), 2014, amount=100).shape == (0,)


def test_the_index_raises_the_amount_from_its_base_year_on():
    index = {2012: Decimal("100"), 2013: Decimal("101.5"), 2014: Decimal("102.333")}
    assert fine_per_unit(10, 2012, amount=100, price_index=index) == Decimal("1000.00")
    assert fine_per_unit(10, 2011, amount=100, price_index=index) == Decimal("1000.00")
    assert fine_per_unit(10, 2013, amount=100, price_index=index) == Decimal("1015.00")
    assert fine_per_unit(1, 2014, amount=100, price_index=index) == Decimal("102.33")
    assert fine_per_unit(1000, 2014, amount=100, price_index=index) == Decimal("102333.00")  # rounded once, the whole sum
    assert fine_per_unit(10, 2014, amount=100, price_index=index, price_index_base=2013) == Decimal("1008.21")


def test_a_multiple_of_the_price_is_a_range():
    assert fine_by_price(10_000, Decimal("70.0"), multiple_low=5, multiple_high=10) == {"low": Decimal("3500000.00"), "high": Decimal("7000000.00")}
    many = fine_by_price([10_000, 1], [Decimal("70"), Decimal("80.01")], multiple_low=5, multiple_high=10)
    assert many["low"].tolist() == [Decimal("3500000.00"), Decimal("400.05")]
    assert fine_by_price(np.zeros(0, dtype=np.int64), Decimal("70"), multiple_low=5, multiple_high=10)["high"].shape == (0,)


def test_without_multiples_the_fixed_range_holds():
    assert fine_by_price(7, fixed_low=20_000, fixed_high=30_000) == {"low": Decimal("20000.00"), "high": Decimal("30000.00")}
    assert fine_by_price([0, 7], fixed_low=20_000, fixed_high=30_000)["high"].tolist() == [Decimal("0.00"), Decimal("30000.00")]
    assert fine_by_price(7, multiple_low=None, multiple_high=None) == {"low": None, "high": None}
    with pytest.raises(ValueError, match="mean_price"):
        fine_by_price(7, multiple_low=5, multiple_high=10)


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
        lambda x: fine_per_unit(x, 2014, amount=100),
        lambda x: fine_by_price(x, Decimal("70"), multiple_low=5, multiple_high=10),
        lambda x: penalty_units(x, units_per_unit=3),
        lambda x: allocation_cut(x, cut_share=1),
    ],
)
def test_a_surplus_and_a_fraction_are_refused(ask):
    with pytest.raises(ValueError, match="surplus"):
        ask(-1)
    with pytest.raises(ValueError, match="surplus"):
        ask([3, -1])
    with pytest.raises(ValueError, match="whole units"):
        ask(0.5)


@given(UNITS, UNITS)
def test_missing_more_costs_no_less(a, b):
    low, high = sorted((a, b))
    assert fine_per_unit(low, 2014, amount=100) <= fine_per_unit(high, 2014, amount=100)
    assert penalty_units(low, units_per_unit=3) <= penalty_units(high, units_per_unit=3)


@given(st.lists(UNITS, max_size=20))
def test_a_column_is_as_its_rows(rows):
    column = np.array(rows, dtype=np.int64)
    assert fine_per_unit(column, 2014, amount=Decimal("100.10")).tolist() == [fine_per_unit(r, 2014, amount=Decimal("100.10")) for r in rows]


def test_a_multiple_of_the_price_up_to_a_ceiling():
    law = {"fine_multiple": 3, "fine_ceiling": 100_000}
    assert fine_by_capped_price(1000, Decimal("20000"), **law) == Decimal("60000000.00")
    assert fine_by_capped_price([1000, 0], Decimal("40000"), **law).tolist() == [Decimal("100000000.00"), Decimal("0.00")]
    assert fine_by_capped_price(2, Decimal("0.335"), fine_multiple=3) == Decimal("2.01")
    assert fine_by_capped_price(np.zeros(0, dtype=np.int64), 1, fine_multiple=3).shape == (0,)
    with pytest.raises(ValueError, match="give mean_price"):
        fine_by_capped_price(1, **law)


def test_a_multiple_of_a_price_that_the_law_tables():
    law = {"fine_price_by_year": {2021: 25, 2024: 45}, "fine_multiple": 2}
    assert fine_by_tabled_price(1000, 2024, **law) == Decimal("90000.00")
    assert fine_by_tabled_price([1, 1, 1], [2021, 2023, 2030], **law).tolist() == [Decimal("50.00"), Decimal("50.00"), Decimal("90.00")]
    with pytest.raises(ValueError, match="no price for 2020 that the fine could be a multiple of; the first is of 2021"):
        fine_by_tabled_price(1, 2020, **law)
