"""A benchmark, or past emissions cut by a rate each year."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tonne.rules.allocation.past_emissions import allocation

LAW = {"allocation_method": {"steel": "benchmark", "all": "past_emissions"}, "yearly_cut": Decimal("0.017"), "uncut_year": 2025}


def test_past_emissions_fall_by_a_part_of_the_base_each_year():
    assert allocation(2026, "glass", historical=1_000_000, **LAW) == 983_000
    assert allocation(2027, "glass", historical=1_000_000, **LAW) == 966_000
    assert allocation(2027, "glass", historical=1_000_000, **LAW, cut_compounds=True) == 966_289
    assert allocation(2025, "glass", historical=1_000_000, **LAW) == 1_000_000
    assert allocation(2099, "glass", historical=1_000_000, **LAW) == 0


def test_a_benchmark_times_mean_output():
    assert allocation(2026, "steel", "iron", 1_000_000, **LAW, benchmark={"iron": Decimal("1.6")}) == 1_600_000
    both = allocation(2026, ["steel", "glass"], ["iron", ""], [1_000, 0], [0, 1_000], **LAW, benchmark={"iron": Decimal("1.6")})
    assert both.tolist() == [1_600, 983]
    assert allocation(2026, [], [], [], [], **LAW).shape == (0,)
    with pytest.raises(ValueError, match="no benchmark for product 'iron'"):
        allocation(2026, "steel", "iron", 1, **LAW)
    with pytest.raises(ValueError, match="no method of allocation"):
        allocation(2026, "glass", **(LAW | {"allocation_method": {}}))


def test_many_rows_at_once():
    rows = allocation(2026, "glass", "", 0, np.full(200_000, 1_000), **LAW)
    assert rows.sum() == 200_000 * 983
