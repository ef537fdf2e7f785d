"""Units given before the year is verified."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tonne.rules.allocation.ahead_of_verification import initial_allocation, pre_allocation, true_up

SHARES = {2017: Decimal("0.50"), 2023: Decimal("0.70")}


def test_three_quarters_first_and_the_difference_later() -> None:
    assert initial_allocation(1_000_001, initial_share=Decimal("0.75")) == 750_000
    assert true_up(18_888_614, 13_917_285) == 4_971_329
    assert true_up(np.array([18_823_184, 5]), np.array([18_827_658, 5])).tolist() == [-4_474, 0]
    assert initial_allocation(np.array([], dtype=np.int64), initial_share=Decimal("0.75")).tolist() == []


def test_the_last_share_holds_on():
    assert pre_allocation(1_000_001, [2017, 2022, 2023, 2024], pre_allocation_share=SHARES).tolist() == [500_000, 500_000, 700_000, 700_000]
    assert pre_allocation(1_000_000, 2023, pre_allocation_share=SHARES) == 700_000
    with pytest.raises(ValueError, match="2016"):
        pre_allocation(1, 2016, pre_allocation_share=SHARES)
