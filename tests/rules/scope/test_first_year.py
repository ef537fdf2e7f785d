"""A system that starts later when oil and gas are dear."""

from __future__ import annotations

from decimal import Decimal

from tonne.rules.scope.first_year import first_trading_year, start_is_delayed

D = Decimal


def test_dear_gas_or_oil_delays_the_start():
    assert not start_is_delayed(40, 105, 70, 80, delay_oil_multiple=2)
    assert start_is_delayed(D("105.01"), 105, 70, 80, delay_oil_multiple=2)
    assert not start_is_delayed(105, 105, 160, 80, delay_oil_multiple=2)
    assert start_is_delayed(105, 105, D("160.01"), 80, delay_oil_multiple=2)
    assert [first_trading_year(d, planned_start=2027, delayed_start=2028) for d in (False, True)] == [2027, 2028]
