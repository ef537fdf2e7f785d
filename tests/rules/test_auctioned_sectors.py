"""Sectors without free units beside sectors with them."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tonne.rules.auctioned_sectors import allocation

LAW = {
    "allocation_method": {"industry": "benchmark", "gas": "historical_emissions", "fuel": "auction"},
    "benchmark": {"steam": Decimal("0.06244")},
    "yearly_factor": {2020: Decimal("0.851")},
}


def test_one_row_of_each_method() -> None:
    assert allocation(2020, "fuel", quantity=1_000_000, **LAW) == 0
    assert allocation(2020, "industry", "steam", 1_000_000, **LAW) == 53_136
    assert allocation(2020, "gas", historical=1_000_000, **LAW) == 851_000


def test_many_rows_and_none() -> None:
    sectors = np.array(["fuel", "industry", "gas"], dtype=object)
    products = np.array(["", "steam", ""], dtype=object)
    units = allocation(np.array([2020] * 3), sectors, products, np.array([10**6] * 3), None, np.array([0, 0, 10**6]), **LAW)
    assert units.tolist() == [0, 53_136, 851_000]
    nobody = np.array([], dtype=object)
    assert allocation(nobody, nobody, nobody, nobody, nobody, nobody, **LAW).tolist() == []


def test_a_sector_without_a_method_is_refused() -> None:
    with pytest.raises(ValueError, match="no method of allocation for sector 'water'"):
        allocation(2020, "water", quantity=1, **LAW)
