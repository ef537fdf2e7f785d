"""Dear energy delays a start and halves a step."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.energy_price_clause import first_trading_year, stabilised_price, start_is_delayed

D = Decimal
STEP = {"step_index_threshold": D("12.5"), "step_cut": D("0.5"), "step_raise": D("0.5")}


def test_dear_gas_or_oil_delays_the_start():
    assert not start_is_delayed(40, 105, 70, 80, delay_oil_multiple=2)
    assert start_is_delayed(D("105.01"), 105, 70, 80, delay_oil_multiple=2)
    assert not start_is_delayed(105, 105, 160, 80, delay_oil_multiple=2)
    assert start_is_delayed(105, 105, D("160.01"), 80, delay_oil_multiple=2)
    assert [first_trading_year(d, planned_start=2027, delayed_start=2028) for d in (False, True)] == [2027, 2028]


@pytest.mark.parametrize(
    ("change", "price"), [("45.2", "32.50"), ("12.5", "35.00"), ("12.6", "32.50"), ("-12.5", "35.00"), ("-12.6", "37.50"), ("0", "35.00")]
)
def test_the_step_follows_household_energy(change, price):
    assert stabilised_price(30, 35, D(change), **STEP) == D(price)


@given(st.integers(0, 100), st.integers(0, 100), st.integers(-50, 50))
def test_a_price_never_moves_by_more_than_half_again_the_step(previous, planned, change):
    price = stabilised_price(previous, planned, change, **STEP)
    assert abs(price - previous) <= abs(planned - previous) * D("1.5")
