"""Free units by the method that the law chose for a sector."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.allocation.sectoral import allocation

LAW = {
    "allocation_method": {"industry": "benchmark", "gas": "historical_emissions", "fuel": "auction"},
    "benchmark": {"steam": Decimal("0.06244")},
    "yearly_factor": {2020: Decimal("0.851")},
}
MIXED = {"power": "benchmark", "heat": "historical_intensity", "all": "historical_emissions"}
NONE = np.zeros(0, dtype=np.int64)


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


def test_each_sector_by_its_own_method():
    law = {"allocation_method": MIXED, "benchmark": {"coal": Decimal("0.911")}}
    assert allocation(2023, "power", "coal", 4_000_000, **law) == 3_644_000
    rows = allocation(2023, ["power", "heat", "paper"], ["coal", "steam", "board"], [100, 100, 100], [None, Decimal("0.5"), None], [0, 0, 70], **law)
    assert rows.tolist() == [91, 50, 70]
    assert allocation(NONE, NONE, NONE, NONE, **law).tolist() == []


def test_assistance_and_the_factor_of_the_year():
    law = {"allocation_method": {"all": "benchmark"}, "benchmark": {"a": 1, "b": 2}, "assistance": {"b": Decimal("0.6"), "all": Decimal("0.9")}}
    assert allocation(2020, "x", ["a", "b"], [100, 100], **law).tolist() == [90, 120]
    law["yearly_factor"] = {2021: Decimal("0.98"), 2022: {"x": Decimal("0.5")}}
    assert [allocation(year, "x", "a", 1000, **law) for year in (2020, 2021, 2022, 2030)] == [900, 882, 450, 450]
    assert allocation(2022, "y", "a", 1000, **law) == 900  # a year that names other sectors only leaves this one whole


def test_rounding_is_named():
    law = {"allocation_method": {"all": "benchmark"}, "benchmark": {"a": Decimal("0.5")}}
    assert [allocation(2020, "x", "a", 3, allocation_rounding=how, **law) for how in ("down", "nearest", "up")] == [1, 2, 2]


def test_what_cannot_be_allocated_is_said():
    with pytest.raises(ValueError, match="no benchmark for product 'c'; there are a"):
        allocation(2020, "x", "c", 1, allocation_method={"all": "benchmark"}, benchmark={"a": 1})
    with pytest.raises(ValueError, match="no method of allocation for sector 'x'; the law has power"):
        allocation(2020, "x", "c", 1, allocation_method={"power": "benchmark"})
    with pytest.raises(ValueError, match="lacks the installation's own past intensity"):
        allocation(2020, "heat", "c", 1, allocation_method=MIXED)


@given(st.lists(st.tuples(st.sampled_from(["power", "heat"]), st.integers(0, 10**9), st.integers(1, 3000)), min_size=1, max_size=30))
def test_columns_answer_as_single_rows_do(rows: list[tuple[str, int, int]]):
    law = {"allocation_method": MIXED, "benchmark": {"coal": Decimal("0.911")}, "yearly_factor": {2020: Decimal("0.97")}}
    sectors, quantity, thousandths = (list(column) for column in zip(*rows, strict=True))
    intensity = [Decimal(t) / 1000 for t in thousandths]
    together = allocation(2023, sectors, "coal", quantity, intensity, **law).tolist()
    assert together == [allocation(2023, s, "coal", q, i, **law) for s, q, i in zip(sectors, quantity, intensity, strict=True)]


def test_a_million_rows_with_an_intensity_of_their_own():
    many = 200_000
    law = {"allocation_method": {"all": "historical_intensity"}}
    intensity = np.array([Decimal(i % 997) / 1000 for i in range(many)], dtype=object)
    result = allocation(2023, "x", "y", np.arange(many), intensity, **law)
    assert result[998] == 1 and len(result) == many


def test_a_row_without_a_product_has_a_method_all_the_same():
    assert allocation(2024, "x", "", 5, None, 100, allocation_method={"all": "historical_emissions"}) == 100
    assert allocation(2024, None, None, 5, None, [100, 7], allocation_method={"all": "historical_emissions"}).tolist() == [100, 7]
