"""One way to take a scalar or a column, and one way to read a table by year or by name."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from tonne.rules.columns import among, counted, exact_column, latest, measured, plain, price_of, times_by_year, whole
from tonne.units import DOWN, UP, UnitsError


def test_shapes() -> None:
    assert plain(np.int64(3)) == 3 and whole("n", []).dtype == np.int64
    with pytest.raises(UnitsError, match="whole number"):
        whole("a quantity", [1.5])


def test_less_than_nothing_is_not_counted() -> None:
    assert counted("n", [3, 0]).tolist() == [3, 0]
    with pytest.raises(ValueError, match="n: -1 is negative"):
        counted("n", -1)


def test_the_latest_entry_holds_on() -> None:
    table = {2020: 5, 2022: None, 2023: 7}
    assert [latest(table, year, 0) for year in (2019, 2020, 2022, 2023, 2030)] == [0, 5, 5, 7, 7]
    assert latest(None, 2020) is None


def test_a_rate_and_a_price_of_each_year() -> None:
    rates = {2020: Decimal("0.5"), 2021: Decimal("0.25")}
    assert times_by_year(np.array([3, 3]), [2020, 2021], rates.__getitem__, UP).tolist() == [2, 1]
    assert times_by_year(np.array(3), 2020, rates.__getitem__, DOWN) == 1
    assert times_by_year(np.zeros(0, dtype=np.int64), 2020, rates.__getitem__, DOWN).shape == (0,)
    assert price_of([2021, 2019], rates.get).tolist() == [Decimal("0.25"), None]
    assert price_of(2020, rates.get) == Decimal("0.5")


def test_measured_numbers_stay_what_they_are() -> None:
    assert measured([20, Decimal("20.1")]).tolist() == [20, Fraction("20.1")]
    assert measured(24.9) == 24.9
    with pytest.raises(UnitsError, match="binary float"):
        exact_column(24.9)


def test_a_name_is_among_names() -> None:
    assert among(np.array([["a", "b"]], dtype=object), {"a"}).tolist() == [[True, False]]
