"""What settles an obligation in money after the deadline."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tonne.rules.penalty.late_payment import penalty


def test_late_payment_is_a_multiple_of_the_price_of_its_year():
    law = {"obligation__payment_price_by_year": {2023: 65, 2024: 80}, "obligation__late_multiple": 4}
    assert penalty(52_000, 2024, **law) == Decimal("16640000.00")
    assert penalty(np.array([0, 1]), np.array([2023, 2024]), **law).tolist() == [0, 320]
    assert penalty(np.zeros(0, dtype=np.int64), 2024, **law).shape == (0,)
    with pytest.raises(ValueError, match=r"no price .* for 2025"):
        penalty(1, 2025, **law)
