"""From the unit benchmarks to the final figure."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.allocation.unit_corrections import deduction_settlement, final_allocation, gap_rate, gap_top_up, pre_allocation

LARGE, SMALL, SPECIAL, GAS = "coal_conventional_gt300", "coal_conventional_le300", "coal_unconventional_or_cfb", "gas"


def test_exemptions_one_row_many_rows_none() -> None:
    law: dict[str, Any] = {"exempt_products": [GAS], "gap_limit": D("0.20")}
    assert final_allocation(300_000, 320_000, GAS, **law) == 320_000
    assert final_allocation([500_000, 100_000], 1_000_000, [LARGE, GAS], ["a", "a"], **law).tolist() == [600_000, 1_000_000]
    assert final_allocation([500_000, 100_000], 1_000_000, [LARGE, GAS], **law).tolist() == [800_000, 1_000_000]
    assert final_allocation([], [], [], **law).tolist() == []


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 4)), max_size=20))
def test_after_the_top_up_no_entity_lacks_more_than_the_limit(rows: list[tuple[int, int, int]]) -> None:
    initial, verified, entity = ([r[i] for r in rows] for i in range(3))
    units = np.array(initial, dtype=np.int64) + gap_top_up(
        np.array(initial, dtype=np.int64), np.array(verified, dtype=np.int64), np.array(entity), gap_limit=D("0.20")
    )
    for name in set(entity):
        held = sum(u for u, e in zip(units.tolist(), entity, strict=True) if e == name)
        before = sum(u for u, e in zip(initial, entity, strict=True) if e == name)
        floor = sum(v for v, e in zip(verified, entity, strict=True) if e == name) * 8 // 10
        assert held == max(before, floor)


def test_gap_rate_rounds_half_up() -> None:
    assert gap_rate(87_655, 100_000, gap_rate_decimals=2) == D("12.35")
    assert gap_rate([700_000, 0], [1_000_000, 0], gap_rate_decimals=2).tolist() == [D("30.00"), 0]


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_deductions_and_issues_always_make_up_the_final_allocation(pre: int, final: int, to_deduct: int) -> None:
    parts = deduction_settlement(pre, final, to_deduct)
    deducted = to_deduct - parts["still_to_deduct"]
    assert parts["pre_issued"] + parts["final_issued"] + deducted == final
    assert parts["pre_issued"] >= 0 and parts["returned_deduction"] >= 0 and 0 <= deducted <= to_deduct


def test_pre_allocation_rounds_down_and_asks_for_its_base() -> None:
    law: dict[str, Any] = {"pre_allocation_share": {2019: {"power": D("0.7")}, 2024: {"power": D("0.7")}}, "pre_allocation_base": {2019: "reference"}}
    assert pre_allocation(1_000_001, 2024, **law) == 700_000
    assert pre_allocation([10, 10], 2024, ["power", "steel"], **law).tolist() == [7, 0]
    assert pre_allocation(0, 2019, reference=11, **law) == 7
    with pytest.raises(ValueError, match="reference"):
        pre_allocation(1_000_000, 2019, **law)
