"""A fine of an amount for each missing unit, raised with a price index."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.penalty.indexed_fine import penalty

UNITS = st.integers(0, 10**9)


def test_a_fine_per_unit_is_money_to_the_cent():
    assert penalty(500, 2014, amount=100) == Decimal("50000.00")
    assert penalty(3, 2006, amount=40) == Decimal("120.00")
    assert penalty([500, 0], [2014, 2014], amount=100).tolist() == [Decimal("50000.00"), Decimal("0.00")]
    assert penalty(np.zeros(0, dtype=np.int64), 2014, amount=100).shape == (0,)


def test_the_index_raises_the_amount_from_its_base_year_on():
    index = {2012: Decimal("100"), 2013: Decimal("101.5"), 2014: Decimal("102.333")}
    assert penalty(10, 2012, amount=100, price_index=index) == Decimal("1000.00")
    assert penalty(10, 2011, amount=100, price_index=index) == Decimal("1000.00")
    assert penalty(10, 2013, amount=100, price_index=index) == Decimal("1015.00")
    assert penalty(1, 2014, amount=100, price_index=index) == Decimal("102.33")
    assert penalty(1000, 2014, amount=100, price_index=index) == Decimal("102333.00")  # rounded once, the whole sum
    assert penalty(10, 2014, amount=100, price_index=index, price_index_base=2013) == Decimal("1008.21")


@given(st.lists(UNITS, max_size=20))
def test_a_column_is_as_its_rows(rows):
    column = np.array(rows, dtype=np.int64)
    assert penalty(column, 2014, amount=Decimal("100.10")).tolist() == [penalty(r, 2014, amount=Decimal("100.10")) for r in rows]
