"""A fine between two multiples of the market's price, or between two sums."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tonne.rules.penalty.price_multiple import penalty

LAW = {"multiple_low": 1, "multiple_high": 3, "fine_total_ceiling": 150_000}


def test_the_ceiling_is_of_the_whole_fine():
    assert penalty(1_000, 25, **LAW) == {"low": Decimal("25000.00"), "high": Decimal("75000.00")}
    assert penalty(10_000, 25, **LAW) == {"low": Decimal("150000.00"), "high": Decimal("150000.00")}
    assert penalty([6_162, 6_163, 0], Decimal("24.34"), **LAW)["low"].tolist() == [Decimal("149983.08"), Decimal("150000.00"), Decimal("0.00")]
    assert penalty(np.zeros(0, dtype=np.int64), 25, **LAW)["high"].shape == (0,)


def test_no_price_and_no_surplus():
    with pytest.raises(ValueError, match="mean_price"):
        penalty(1, **LAW)
    with pytest.raises(ValueError, match="surplus"):
        penalty(-1, 25, **LAW)


def test_a_multiple_of_the_price_is_a_range():
    assert penalty(10_000, Decimal("70.0"), multiple_low=5, multiple_high=10) == {"low": Decimal("3500000.00"), "high": Decimal("7000000.00")}
    many = penalty([10_000, 1], [Decimal("70"), Decimal("80.01")], multiple_low=5, multiple_high=10)
    assert many["low"].tolist() == [Decimal("3500000.00"), Decimal("400.05")]
    assert penalty(np.zeros(0, dtype=np.int64), Decimal("70"), multiple_low=5, multiple_high=10)["high"].shape == (0,)


def test_without_multiples_the_fixed_range_holds():
    assert penalty(7, fixed_low=20_000, fixed_high=30_000) == {"low": Decimal("20000.00"), "high": Decimal("30000.00")}
    assert penalty([0, 7], fixed_low=20_000, fixed_high=30_000)["high"].tolist() == [Decimal("0.00"), Decimal("30000.00")]
    assert penalty(7, multiple_low=None, multiple_high=None) == {"low": None, "high": None}
    with pytest.raises(ValueError, match="mean_price"):
        penalty(7, multiple_low=5, multiple_high=10)
