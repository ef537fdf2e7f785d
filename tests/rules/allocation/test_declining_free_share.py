"""Free units by past emissions, so much less each year until a sector's free years are over."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tonne.rules.allocation.declining_free_share import allocation

D = Decimal
SHARE = {"free_share_start": 2020, "free_share_cut": {"power": D("0.05"), "industry": D("0.15")}, "free_share_end": {"power": 2025}}


def test_free_shares_fall_by_sector():
    assert [allocation(y, "power", 1_000_000, **SHARE) for y in (2019, 2020, 2024, 2025, 2026)] == [1_000_000, 1_000_000, 800_000, 0, 0]
    assert allocation(2024, ["power", "industry"], [100, 100], [0, 70], **SHARE).tolist() == [80, 70]
    assert allocation(2030, "industry", 100, **SHARE) == 0
    with pytest.raises(ValueError, match="'waste'"):
        allocation(2020, "waste", 1, **SHARE)


def test_a_million_rows_are_quick():
    rows = np.full(1_000_000, 1000, dtype=np.int64)
    sectors = np.where(np.arange(1_000_000) % 2 == 0, "power", "industry").astype(object)
    assert allocation(2022, sectors, rows, **SHARE).sum() == 500_000 * (900 + 700)
