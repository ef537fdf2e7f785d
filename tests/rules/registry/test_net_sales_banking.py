"""Units that stay good for later years by what their holder sold net."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.registry.net_sales_banking import carry_over, extra_sale_to_void_nothing

LAW: dict[str, Any] = {"carry_over_base": 10_000, "carry_over_multiple": D("1.5")}
units = st.integers(0, 10**7)


def test_a_net_buyer_keeps_only_the_base() -> None:
    assert carry_over(0, 30_000, 25_000, **LAW) == {"limit": 10_000, "carried": 10_000, "void": 15_000}


def test_many_rows_and_none() -> None:
    kept = carry_over([0, 20_000, 20_000], [30_000, 0, 0], [25_000, 12_000, 12_000], [True, True, False], **LAW)
    assert kept["carried"].tolist() == [10_000, 12_000, 0] and kept["void"].tolist() == [15_000, 0, 12_000]
    assert carry_over([], [], [], **LAW)["carried"].tolist() == []


@given(units, units, units)
def test_what_is_carried_and_what_is_void_make_up_the_holding(sold: int, bought: int, holding: int) -> None:
    kept = carry_over(sold, bought, holding, **LAW)
    assert kept["carried"] + kept["void"] == holding and 0 <= kept["carried"] <= kept["limit"]
    assert kept["limit"] <= carry_over(sold + 1, bought, holding, **LAW)["limit"]


@given(units, units, units)
def test_the_extra_sale_is_the_smallest_that_voids_nothing(sold: int, bought: int, holding: int) -> None:
    sale = extra_sale_to_void_nothing(sold, bought, holding, **LAW)
    assert 0 <= sale <= holding
    assert carry_over(sold + sale, bought, holding - sale, **LAW)["void"] == 0
    if sale:
        assert carry_over(sold + sale - 1, bought, holding - sale + 1, **LAW)["void"] > 0


def test_extra_sale_scalar_equals_column() -> None:
    assert extra_sale_to_void_nothing([0, 0], [30_000, 0], 25_000, **LAW).tolist() == [15_000, 6_000]
    assert extra_sale_to_void_nothing(0, 0, 25_000, **LAW) == 6_000
