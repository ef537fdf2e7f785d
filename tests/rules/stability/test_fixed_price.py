"""Units that the authority sells to whoever asks at a fixed price, and a step of that price that follows households' energy."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.stability.fixed_price import stabilised_price

D = Decimal
STEP = {"step_index_threshold": D("12.5"), "step_cut": D("0.5"), "step_raise": D("0.5")}


@pytest.mark.parametrize(
    ("change", "price"), [("45.2", "32.50"), ("12.5", "35.00"), ("12.6", "32.50"), ("-12.5", "35.00"), ("-12.6", "37.50"), ("0", "35.00")]
)
def test_the_step_follows_household_energy(change, price):
    assert stabilised_price(30, 35, D(change), **STEP) == D(price)


@given(st.integers(0, 100), st.integers(0, 100), st.integers(-50, 50))
def test_a_price_never_moves_by_more_than_half_again_the_step(previous, planned, change):
    price = stabilised_price(previous, planned, change, **STEP)
    assert abs(price - previous) <= abs(planned - previous) * D("1.5")
