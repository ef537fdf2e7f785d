"""What all fines share: missing units as they come in, money as it goes out."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tonne.rules.penalty.shortfalls import missing_units, money


def test_a_surplus_and_a_part_of_a_unit_are_no_shortfall() -> None:
    assert missing_units([3, 0]).tolist() == [3, 0]
    with pytest.raises(ValueError, match="surplus"):
        missing_units([3, -1])
    with pytest.raises(ValueError, match="whole number"):
        missing_units(0.5)


def test_money_is_to_the_cent() -> None:
    assert str(money(500)) == "5.00"
    assert money(np.array([[1, 2]])).tolist() == [[Decimal("0.01"), Decimal("0.02")]]
    assert money(np.zeros(0, dtype=np.int64)).shape == (0,)
