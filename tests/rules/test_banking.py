"""Which units stay good: net sellers keep more, late vintages pay no earlier year, borrowing takes a large gap."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules import banking
from tonne.rules.declare import MECHANISMS
from tonne.units import UnitsError

LAW: dict[str, Any] = {"carry_over_base": 10_000, "carry_over_multiple": D("1.5")}
units = st.integers(0, 10**7)


def test_a_net_buyer_keeps_only_the_base() -> None:
    assert banking.carry_over(0, 30_000, 25_000, **LAW) == {"limit": 10_000, "carried": 10_000, "void": 15_000}


def test_many_rows_and_none() -> None:
    kept = banking.carry_over([0, 20_000, 20_000], [30_000, 0, 0], [25_000, 12_000, 12_000], [True, True, False], **LAW)
    assert kept["carried"].tolist() == [10_000, 12_000, 0] and kept["void"].tolist() == [15_000, 0, 12_000]
    assert banking.carry_over([], [], [], **LAW)["carried"].tolist() == []


@given(units, units, units)
def test_what_is_carried_and_what_is_void_make_up_the_holding(sold: int, bought: int, holding: int) -> None:
    kept = banking.carry_over(sold, bought, holding, **LAW)
    assert kept["carried"] + kept["void"] == holding and 0 <= kept["carried"] <= kept["limit"]
    assert kept["limit"] <= banking.carry_over(sold + 1, bought, holding, **LAW)["limit"]


@given(units, units, units)
def test_the_extra_sale_is_the_smallest_that_voids_nothing(sold: int, bought: int, holding: int) -> None:
    sale = banking.extra_sale_to_void_nothing(sold, bought, holding, **LAW)
    assert 0 <= sale <= holding
    assert banking.carry_over(sold + sale, bought, holding - sale, **LAW)["void"] == 0
    if sale:
        assert banking.carry_over(sold + sale - 1, bought, holding - sale + 1, **LAW)["void"] > 0


def test_extra_sale_scalar_equals_column() -> None:
    assert banking.extra_sale_to_void_nothing([0, 0], [30_000, 0], 25_000, **LAW).tolist() == [15_000, 6_000]
    assert banking.extra_sale_to_void_nothing(0, 0, 25_000, **LAW) == 6_000


def test_free_banking_keeps_everything() -> None:
    keep = MECHANISMS["free_banking"]["carry_over"].function
    assert keep(25_000) == 25_000 and keep([1, 2]).tolist() == [1, 2] and keep(np.zeros(0, dtype=np.int64)).tolist() == []
    with pytest.raises(UnitsError, match="whole numbers"):
        keep(2.5)


def test_borrowing_from_a_tenth_of_the_verified_emissions_on() -> None:
    law: dict[str, Any] = {"borrow_share_of_gap": {2022: D("0.5"), 2023: 0}, "borrow_gap_from": D("0.10")}
    assert banking.borrow_limit([100_000, 99_999, 100_001, 0], [1_000_000, 1_000_000, 1_000_000, 0], 600_000, 2022, **law).tolist() == [
        50_000,
        0,
        50_000,
        0,
    ]
    assert banking.borrow_limit(400_000, 1_000_000, 150_000, 2022, **law) == 150_000
    assert banking.borrow_limit(400_000, 1_000_000, 150_000, 2023, **law) == 0
    assert banking.borrow_limit([], [], [], 2022, **law).tolist() == []


def test_vintages_and_the_years_they_pay() -> None:
    law: dict[str, Any] = {"later_vintage_pays": False, "last_limited_vintage": 2024}
    assert banking.vintage_pays(2024, 2023, **law) is False and banking.vintage_pays(2023, 2023, **law) is True
    assert banking.vintage_pays([2019, 2024, 2024, 2025], [2024, 2024, 2025, 2025], **law).tolist() == [True, True, False, True]
    assert banking.vintage_pays([2020], [2019]).tolist() == [True]
    assert banking.vintage_pays(2026, [2023, 2025], True, arrears_vintages_until=2026, arrears_years_until=2024, **law).tolist() == [True, False]
    assert banking.vintage_pays([], [], **law).tolist() == []
