"""The part of an allocation that is not free."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tonne.rules.paid_share import paid_units

SHARES = {"power": Decimal("0.95"), "steel": Decimal("0.97"), "cement": None}


def test_paid_is_what_is_not_free():
    assert paid_units([1_000_000, 1_000_000], ["power", "steel"], assistance=SHARES).tolist() == [50_000, 30_000]
    assert paid_units(350_000_000, assistance={"all": Decimal("0.97")}) == 10_500_000
    assert paid_units(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=object), assistance=SHARES).shape == (0,)


def test_a_sector_without_a_share_is_refused():
    with pytest.raises(ValueError, match="'cement'"):
        paid_units(1, "cement", assistance=SHARES)
    assert paid_units(100, "cement", assistance=SHARES | {"all": Decimal("0.90")}) == 10
