"""A fine above the price at which an obligation could have been paid."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tonne.rules.penalty.above_ceiling import penalty

FINE = {"fine_multiple": Decimal("1.1"), "stability__ceiling_by_year": {2026: 4300}, "stability__corridor_real_growth": Decimal("0.03")}


def test_who_does_not_even_pay_is_fined_above_the_ceiling():
    assert penalty(1_000, 2026, **FINE) == Decimal("4730000.00")
    assert penalty([1, 0], [2026, 2030], **FINE).tolist() == [Decimal("4730.00"), Decimal("0.00")]
    assert penalty(1, 2030, **FINE) == Decimal("5324.00")
    assert penalty(np.zeros(0, dtype=np.int64), 2026, **FINE).shape == (0,)
    with pytest.raises(ValueError, match="surplus"):
        penalty(-1, 2026, **FINE)
