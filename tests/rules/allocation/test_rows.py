"""Columns of generating units as the rules of the unit benchmarks take them."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tonne.rules.allocation.rows import as_columns, as_given, known_entry, products_down, row_of_year, whole_numbers
from tonne.units import UnitsError


def test_a_single_value_stays_one() -> None:
    single, (one, many) = as_columns(3, [1, 2])
    assert not single
    assert one.tolist() == [3, 3]
    single, (one,) = as_columns(3)
    assert single
    assert as_given(one, single) == 3
    assert as_given(many, False).tolist() == [1, 2]


def test_products_are_rounded_down_once() -> None:
    rates = [([Decimal("0.5"), Decimal("0.3")], np.array([0, 1])), ([Decimal("0.5")], np.array([0, 0]))]
    assert products_down(np.array([7, 7]), rates).tolist() == [1, 1]
    assert products_down(np.array([10**18]), [([Decimal("0.123456789012")], np.array([0]))]).tolist() == [123_456_789_012_000_000]


def test_parts_of_a_unit_and_unknown_names_are_refused() -> None:
    with pytest.raises(UnitsError):
        whole_numbers(np.array([0.5]))
    with pytest.raises(ValueError, match="no benchmark for 2030; the law of this day has 2024"):
        row_of_year({2024: {}}, 2030, "benchmark")
    with pytest.raises(ValueError, match="unknown unit class 'x'; there are y"):
        known_entry({"y": 1}, "x", "unit class")
