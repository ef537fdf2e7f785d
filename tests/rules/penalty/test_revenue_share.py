"""A fine up to a share of revenue, or in a fixed range without revenue."""

from __future__ import annotations

import time
from decimal import Decimal as D
from typing import Any

import numpy as np
import pytest

from tonne.rules.declare import MECHANISMS
from tonne.rules.penalty.revenue_share import penalty

LAW: dict[str, Any] = {"revenue_share": D("0.03"), "fixed_low": 50_000, "fixed_high": 20_000_000}


def test_up_to_a_share_of_revenue() -> None:
    assert penalty(1, 100_000_000, **LAW) == {"low": 0, "high": 3_000_000}
    assert penalty(1, D("33.33"), **LAW) == {"low": 0, "high": D("1.00")}


def test_a_fixed_range_without_revenue_and_nothing_without_a_shortfall() -> None:
    assert penalty(1, **LAW) == penalty(1, 0, **LAW) == {"low": 50_000, "high": 20_000_000}
    assert penalty(0, 100_000_000, **LAW) == penalty(0, **LAW) == {"low": 0, "high": 0}
    with pytest.raises(ValueError, match="surplus"):
        penalty(-1, **LAW)


def test_many_rows_and_none() -> None:
    many = penalty([1, 1, 0], [100, None, 100], **LAW)
    assert many["low"].tolist() == [0, 50_000, 0] and many["high"].tolist() == [3, 20_000_000, 0]
    assert penalty(np.zeros(0, dtype=np.int64), **LAW)["high"].tolist() == []
    assert "penalty" in MECHANISMS["share_of_revenue_fine"]


def test_a_hundred_thousand_rows_that_all_differ() -> None:
    rows = np.arange(100_000, dtype=np.int64)
    started = time.process_time()
    assert penalty(rows, rows * 1_000, **LAW)["high"][100] == D("3000.00")
    assert time.process_time() - started < 5
