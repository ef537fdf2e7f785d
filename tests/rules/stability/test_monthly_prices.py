"""Monthly means against a multiple of two years, a set price, the months before."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.stability.monthly_prices import jump_release, level_release, price_trigger_is_met, trigger_price, trigger_price_of, trigger_window

D = Decimal
LEVEL = {"level_price": D(45), "level_months": 2, "level_quantity": 20_000_000, "level_years": [2027, 2029]}
JUMP = {"jump_multiple": {2027: D("1.5"), 2029: D(2)}, "jump_quantity": 50_000_000, "great_jump": D(3), "great_jump_quantity": 150_000_000}


def test_the_trigger_is_a_multiple_to_the_penny():
    assert trigger_price(D("59.944"), trigger_multiple=D(3)) == D("179.83")
    assert trigger_price([D(20), D(30)], trigger_multiple=D("2.5")).tolist() == [D("50.00"), D("75.00")]


def test_the_months_of_a_decision():
    months = trigger_window("2021-12", trigger_months=3, window_months=24)
    assert months == {"tested_from": "2021-09", "tested_to": "2021-11", "window_from": "2019-09", "window_to": "2021-08"}
    assert trigger_window("2023-02", trigger_months=6, window_months=24)["window_to"] == "2022-07"
    for wrong in ("2021", "2021-13", "21-x"):
        with pytest.raises(ValueError, match="is no month"):
            trigger_window(wrong, trigger_months=3, window_months=24)


def test_every_month_tested_must_exceed_the_trigger():
    assert price_trigger_is_met([D("59.98"), D("60.34"), D("61.49")], D("52.88"), trigger_months=3)
    assert not price_trigger_is_met([D("61.49"), D("74.71"), D("78.12")], D("75.76"), trigger_months=3)
    assert not price_trigger_is_met([D(60), D(60), D(50)], 50, trigger_months=3)
    assert not price_trigger_is_met([D(60), D(60)], 50, trigger_months=3)
    assert price_trigger_is_met([D(1), D(60), D(60), D(60)], 50, trigger_months=3)


@given(st.lists(st.integers(1, 20_000).map(lambda c: D(c) / 100), min_size=27, max_size=27), st.sampled_from([D(2), D("2.5"), D(3)]))
def test_a_series_gives_its_own_trigger(prices, multiple):
    months = [f"{2019 + m // 12}-{m % 12 + 1:02d}" for m in range(27)]
    found = trigger_price_of("2021-04", dict(zip(months, prices, strict=True)), trigger_multiple=multiple, trigger_months=3, window_months=24)
    assert abs(Fraction(found) - Fraction(sum(prices[:24])) / 24 * Fraction(multiple)) <= Fraction("0.005")


def test_a_series_with_a_hole_is_refused():
    with pytest.raises(ValueError, match="lacks 24 of them, first 2019-09"):
        trigger_price_of("2021-12", {}, trigger_multiple=D(2), trigger_months=3, window_months=24)


def test_a_set_price_in_two_months_running():
    assert level_release([D("45.01"), D("45.01")], 2027, **LEVEL) == 20_000_000
    assert level_release([D("45.01"), D("45.00")], 2027, **LEVEL) == 0
    assert level_release([D(60)], 2027, **LEVEL) == 0
    assert level_release([D(60), D(60)], 2030, **LEVEL) == 0
    assert level_release([D("56.26"), D("56.26")], 2028, D("1.25"), **LEVEL) == 20_000_000


def test_a_jump_of_the_price():
    assert jump_release(D("60.01"), 40, 2027, **JUMP) == 50_000_000
    assert jump_release(60, 40, 2027, **JUMP) == 0
    assert jump_release(70, 40, 2030, **JUMP) == 0
    assert jump_release(D("120.01"), 40, 2030, **JUMP) == 150_000_000
    assert jump_release(70, 40, 2026, **JUMP) == 0
