"""Fines in a country's index units, fines for false reports, support that is withheld."""

from __future__ import annotations

from decimal import Decimal
from decimal import Decimal as D

import numpy as np
import pytest

from tonne.rules.penalty.other_sanctions import false_report_penalty, fine_at_index, fine_in_index_units, last_year_without_support
from tonne.units import UnitsError


def test_a_false_report() -> None:
    assert false_report_penalty(100, D("50.00"), false_report_multiple=3) == 15_000
    assert false_report_penalty(-100, D("50.00"), false_report_multiple=3) == 15_000


def test_support_is_withheld_for_some_years() -> None:
    assert last_year_without_support(1, 2018, support_withheld_years=3) == 2021
    assert last_year_without_support([0, 5], 2018, support_withheld_years=3).tolist() == [0, 2021]


def test_so_many_index_units_for_each_missing_unit():
    assert fine_in_index_units(1000, index_units_per_unit=5) == 5000
    assert fine_in_index_units([0, 3], index_units_per_unit=5).tolist() == [0, 15]
    assert fine_at_index(1000, 3000, index_units_per_unit=5) == Decimal("15000000.00")
    assert fine_at_index([1, 0], Decimal("0.01"), index_units_per_unit=5).tolist() == [Decimal("0.05"), Decimal("0.00")]
    assert fine_at_index(np.zeros(0, dtype=np.int64), 1, index_units_per_unit=5).shape == (0,)
    with pytest.raises(UnitsError, match="whole number"):
        fine_in_index_units(1.5, index_units_per_unit=5)
