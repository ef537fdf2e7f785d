"""Baseline and credit, payment in place of units, allocation by sector: one row, many rows, no rows."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.baseline import obligation, units_earned
from tonne.rules.payment import fixed_price, payment_price, units_admitted
from tonne.rules.sector_allocation import allocation

TONNES = st.integers(0, 10**10)
NONE = np.zeros(0, dtype=np.int64)


def test_who_is_above_owes_and_who_is_below_earns_the_difference():
    assert obligation(100_000, 90_000) == 10_000
    assert units_earned(80_000, 90_000) == 10_000
    assert obligation(90_000, 90_000) == units_earned(90_000, 90_000) == 0
    assert obligation([5, 7], [7, 5]).tolist() == [0, 2]
    assert units_earned(NONE, NONE).tolist() == []


@given(verified=TONNES, limit=TONNES)
def test_what_is_owed_less_what_is_earned_is_the_distance_to_the_limit(verified: int, limit: int):
    assert obligation(verified, limit) - units_earned(verified, limit) == verified - limit
    assert min(obligation(verified, limit), units_earned(verified, limit)) == 0


@pytest.mark.parametrize(("verified", "limit"), [(-1, 0), (0, -1), (1.5, 2)])
def test_emissions_and_limits_are_whole_and_not_negative(verified: float, limit: float):
    with pytest.raises(ValueError, match="whole tonnes, zero or more"):
        obligation(verified, limit)


def test_prices_of_the_law_itself():
    assert fixed_price(2024, fixed_price_by_year={2024: 45}) == 45
    assert payment_price(2025, payment_price_by_year={2024: 80}) is None
    assert payment_price([2024, 2025], payment_price_by_year={2024: 80}).tolist() == [80, None]
    assert fixed_price(NONE, fixed_price_by_year={}).tolist() == []


def test_units_meet_a_share_of_what_is_owed():
    share = {2020: Decimal("0.60"), 2023: Decimal("0.70")}
    assert units_admitted(100_001, 2020, unit_use_share=share) == 60_000
    assert units_admitted([100, 100, 100], [2022, 2023, 2030], unit_use_share=share).tolist() == [60, 70, 70]
    assert units_admitted(NONE, 2023, unit_use_share=share).tolist() == []
    with pytest.raises(ValueError, match="no share for 2019: the first one is of 2020"):
        units_admitted(1, 2019, unit_use_share=share)


MIXED = {"power": "benchmark", "heat": "historical_intensity", "all": "historical_emissions"}


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
    with pytest.raises(ValueError, match="its own past intensity lacks it"):
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
