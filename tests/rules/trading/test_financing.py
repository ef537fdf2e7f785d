"""Money against allowances outside the order book."""

from __future__ import annotations

from decimal import Decimal as D

import numpy as np

from tonne.rules.trading.financing import floating_coupon, most_lent, repurchase_flows, swap_payment


def test_repurchase_loan_and_swap() -> None:
    assert repurchase_flows(10_000, D("50.00"), D("52.00")) == {"received": 500_000, "paid_back": 520_000, "cost": 20_000}
    assert most_lent(10_000, D("50.00"), D("0.70")) == 350_000
    assert most_lent(1, D("0.99"), D("0.5")) == D("0.49")
    assert swap_payment(10_000, D("50.00"), D("55.00")) == 50_000
    assert swap_payment(10_000, D("55.00"), D("50.00")) == -50_000


def test_a_coupon_stays_between_floor_and_cap() -> None:
    assert [floating_coupon(bp, coupon_floor_bp=5, coupon_cap_bp=20) for bp in (3, 12, 25)] == [5, 12, 20]
    assert floating_coupon(np.array([3, 25]), coupon_floor_bp=5, coupon_cap_bp=20).tolist() == [5, 20]
