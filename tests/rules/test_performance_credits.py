"""Settling in units and money, late payment, credits that expire, order of retirement, shared limits, invalid credits."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tonne.rules.performance_credits import (
    credits_accepted,
    last_year_of_use,
    penalty,
    replacement_owed,
    settlement,
    units_retired,
    vintage_pays,
)

LAW = {"payment_price_by_year": {2021: 40, 2024: 80}, "unit_use_share": {2019: 1, 2022: Decimal("0.75")}, "late_multiple": 4}
LIVES = {2020: 8, 2023: 5}


@pytest.mark.parametrize(
    ("units", "year", "late", "used", "paid", "money", "left"),
    [
        (52_000, 2024, False, 39_000, 13_000, 1_040_000, 13_000),
        (0, 2024, False, 0, 52_000, 4_160_000, 0),
        (0, 2024, True, 0, 208_000, 16_640_000, 0),
        (60_000, 2021, False, 52_000, 0, 0, 8_000),
    ],
)
def test_units_as_far_as_they_go_then_money(units, year, late, used, paid, money, left):
    assert settlement(52_000, units, year, late, **LAW) == {"used": used, "paid": paid, "money": money, "left": left}


def test_without_a_price_units_must_do():
    prices = {2024: 80, 2025: None}
    assert settlement(100, 100, 2025, payment_price_by_year=prices)["money"] == 0
    with pytest.raises(ValueError, match="nothing can be settled in money for 2025"):
        settlement(100, 99, 2025, payment_price_by_year=prices)
    with pytest.raises(ValueError, match="zero or more"):
        settlement(-1, 0, 2024, payment_price_by_year=prices)


def test_late_payment_is_a_multiple_of_the_price_of_its_year():
    law = {"obligation__payment_price_by_year": {2023: 65, 2024: 80}, "obligation__late_multiple": 4}
    assert penalty(52_000, 2024, **law) == Decimal("16640000.00")
    assert penalty(np.array([0, 1]), np.array([2023, 2024]), **law).tolist() == [0, 320]
    assert penalty(np.zeros(0, dtype=np.int64), 2024, **law).shape == (0,)
    with pytest.raises(ValueError, match="no price for 2025"):
        penalty(1, 2025, **law)


def test_credits_expire_by_vintage():
    assert [vintage_pays(2023, year, credit_life_by_vintage=LIVES) for year in (2022, 2023, 2028, 2029)] == [False, True, True, False]
    assert last_year_of_use([2019, 2022, 2023, 2026], credit_life_by_vintage=LIVES).tolist() == [9999, 2030, 2028, 2031]
    assert last_year_of_use(2023, credit_life_by_vintage={}) == 9999
    assert vintage_pays(np.zeros(0, dtype=np.int64), 2024, credit_life_by_vintage=LIVES).shape == (0,)


def test_one_kind_goes_before_the_other():
    order = {"retirement_order": ["bought", "earned"]}
    assert units_retired(100, {"bought": 60, "earned": 80}, **order) == {"bought": 60, "earned": 40, "missing": 0}
    assert units_retired(100, {"earned": 80}, **order) == {"bought": 0, "earned": 80, "missing": 20}
    with pytest.raises(ValueError, match="kinds are bought, earned"):
        units_retired(100, {"borrowed": 1}, **order)


def test_two_kinds_share_a_limit():
    law = {"share_by_kind": {"offset": Decimal("0.20"), "programme": Decimal("0.10")}, "share_of_all_kinds": Decimal("0.20")}
    assert credits_accepted(1_000_000, {"offset": 150_000, "programme": 80_000}, **law) == 200_000
    assert credits_accepted(1_000_000, {"offset": 50_000, "programme": 130_000}, **law) == 150_000
    assert credits_accepted(0, {"offset": 1}, **law) == 0
    with pytest.raises(ValueError, match="kinds are offset, programme"):
        credits_accepted(1, {"tree": 1}, **law)


def test_who_is_named_replaces_invalid_credits():
    assert replacement_owed("first_seller", 1_000, liable_for_invalid_credits="first_seller") == 1_000
    assert replacement_owed("user", 1_000, liable_for_invalid_credits="first_seller") == 0
    with pytest.raises(ValueError, match="zero or more"):
        replacement_owed("user", -1, liable_for_invalid_credits="user")
