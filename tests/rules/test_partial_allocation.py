"""Free units given in parts."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from tonne.rules.partial_allocation import initial_allocation, true_up


def test_three_quarters_first_and_the_difference_later() -> None:
    assert initial_allocation(1_000_001, initial_share=Decimal("0.75")) == 750_000
    assert true_up(18_888_614, 13_917_285) == 4_971_329
    assert true_up(np.array([18_823_184, 5]), np.array([18_827_658, 5])).tolist() == [-4_474, 0]
    assert initial_allocation(np.array([], dtype=np.int64), initial_share=Decimal("0.75")).tolist() == []
