"""A fine of a multiple of the market's price, up to an amount for each unit."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tonne.rules.penalty.capped_price_multiple import penalty


def test_a_multiple_of_the_price_up_to_a_ceiling():
    law = {"fine_multiple": 3, "fine_ceiling": 100_000}
    assert penalty(1000, Decimal("20000"), **law) == Decimal("60000000.00")
    assert penalty([1000, 0], Decimal("40000"), **law).tolist() == [Decimal("100000000.00"), Decimal("0.00")]
    assert penalty(2, Decimal("0.335"), fine_multiple=3) == Decimal("2.01")
    assert penalty(np.zeros(0, dtype=np.int64), 1, fine_multiple=3).shape == (0,)
    with pytest.raises(ValueError, match="give mean_price"):
        penalty(1, **law)
