"""How credits are used."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tonne.rules.credits.use import explanation_required, last_year_of_use, replacement_owed, units_retired, vintage_pays

LIVES = {2020: 8, 2023: 5}


def test_the_explanation_is_due_above_the_share() -> None:
    law = {"explanation_above": Decimal("0.30")}
    assert explanation_required(1_000_000, 310_000, **law) is True
    assert explanation_required(1_000_000, [300_000, 300_001], **law).tolist() == [False, True]
    assert explanation_required(0, 1, **law) is True


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


def test_who_is_named_replaces_invalid_credits():
    assert replacement_owed("first_seller", 1_000, liable_for_invalid_credits="first_seller") == 1_000
    assert replacement_owed("user", 1_000, liable_for_invalid_credits="first_seller") == 0
    with pytest.raises(ValueError, match="zero or more"):
        replacement_owed("user", -1, liable_for_invalid_credits="user")
