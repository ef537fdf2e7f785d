"""One to three times the price, up to a sum."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tonne.rules.fine_with_total_ceiling import penalty

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
