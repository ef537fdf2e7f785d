"""Exposure to carbon leakage: the product of cost and trade, or each of them."""

from __future__ import annotations

from decimal import Decimal

from tonne.rules.allocation.leakage import is_leakage_exposed

EARLIER = {
    "leakage_trade_from": Decimal("0.30"),
    "leakage_cost_from": Decimal("0.30"),
    "leakage_both_cost_from": Decimal("0.05"),
    "leakage_both_trade_from": Decimal("0.10"),
}


def test_leakage() -> None:
    assert is_leakage_exposed(Decimal("0.01"), Decimal("0.20"), leakage_product_from=Decimal("0.002")) is True
    assert is_leakage_exposed(Decimal("0.01"), Decimal("0.199"), leakage_product_from=Decimal("0.002")) is False
    costs, trades = [Decimal("0.05"), Decimal("0.049"), Decimal(0), Decimal("0.30")], [Decimal("0.10"), Decimal("0.29"), Decimal("0.30"), Decimal(0)]
    assert is_leakage_exposed(costs, trades, **EARLIER).tolist() == [True, False, True, True]
    assert is_leakage_exposed(1, 1) is False
