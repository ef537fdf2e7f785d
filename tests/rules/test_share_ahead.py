"""A share ahead of verification."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tonne.rules.share_ahead import pre_allocation

SHARES = {2017: Decimal("0.50"), 2023: Decimal("0.70")}


def test_the_last_share_holds_on():
    assert pre_allocation(1_000_001, [2017, 2022, 2023, 2024], pre_allocation_share=SHARES).tolist() == [500_000, 500_000, 700_000, 700_000]
    assert pre_allocation(1_000_000, 2023, pre_allocation_share=SHARES) == 700_000
    with pytest.raises(ValueError, match="2016"):
        pre_allocation(1, 2016, pre_allocation_share=SHARES)
