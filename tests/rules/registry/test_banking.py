"""Units that stay good for later years without limit."""

from __future__ import annotations

import numpy as np
import pytest

from tonne.rules.registry.banking import carry_over
from tonne.units import UnitsError


def test_free_banking_keeps_everything() -> None:
    assert carry_over(25_000) == 25_000
    assert carry_over([1, 2]).tolist() == [1, 2]
    assert carry_over(np.zeros(0, dtype=np.int64)).tolist() == []
    with pytest.raises(UnitsError, match="whole number"):
        carry_over(2.5)
