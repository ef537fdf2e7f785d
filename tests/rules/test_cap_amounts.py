"""A cap as the plan makes it up."""

from __future__ import annotations

import pytest

from tonne.rules.cap_amounts import amount_of, sum_of_amounts

AMOUNTS = {2014: {"emitters": 292_200_000, "auction": 7_800_000, "reserve": 24_000_000}, 2019: {"emitters": 438_000_000, "reserve": 27_000_000}}


def test_the_amounts_add_up():
    assert sum_of_amounts(2014, amounts_by_year=AMOUNTS) == 324_000_000
    assert sum_of_amounts([2019, 2014], amounts_by_year=AMOUNTS).tolist() == [465_000_000, 324_000_000]
    assert amount_of(2019, "reserve", amounts_by_year=AMOUNTS) == 27_000_000


def test_what_the_plan_does_not_name_is_refused():
    with pytest.raises(ValueError, match="'auction'"):
        amount_of(2019, "auction", amounts_by_year=AMOUNTS)
    with pytest.raises(ValueError, match="2015"):
        sum_of_amounts(2015, amounts_by_year=AMOUNTS)
