"""A fine counted in index units."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tonne.rules.index_fine import fine_at_index, fine_in_index_units
from tonne.units import UnitsError


def test_so_many_index_units_for_each_missing_unit():
    assert fine_in_index_units(1000, index_units_per_unit=5) == 5000
    assert fine_in_index_units([0, 3], index_units_per_unit=5).tolist() == [0, 15]
    assert fine_at_index(1000, 3000, index_units_per_unit=5) == Decimal("15000000.00")
    assert fine_at_index([1, 0], Decimal("0.01"), index_units_per_unit=5).tolist() == [Decimal("0.05"), Decimal("0.00")]
    assert fine_at_index(np.zeros(0, dtype=np.int64), 1, index_units_per_unit=5).shape == (0,)
    with pytest.raises(UnitsError, match="whole number"):
        fine_in_index_units(1.5, index_units_per_unit=5)
