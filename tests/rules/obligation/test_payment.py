"""Money in place of units."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tonne.rules.obligation.payment import payment_price, settlement, units_admitted
from tonne.rules.stability.fixed_price import fixed_price

NONE = np.zeros(0, dtype=np.int64)
LAW = {"payment_price_by_year": {2021: 40, 2024: 80}, "unit_use_share": {2019: 1, 2022: Decimal("0.75")}, "late_multiple": 4}


def test_prices_of_the_law_itself():
    assert fixed_price(2024, fixed_price_by_year={2024: 45}) == 45
    assert payment_price(2025, payment_price_by_year={2024: 80}) is None
    assert payment_price([2024, 2025], payment_price_by_year={2024: 80}).tolist() == [80, None]
    assert fixed_price(NONE, fixed_price_by_year={}).tolist() == []


def test_units_meet_a_share_of_what_is_owed():
    share = {2020: Decimal("0.60"), 2023: Decimal("0.70")}
    assert units_admitted(100_001, 2020, unit_use_share=share) == 60_000
    assert units_admitted([100, 100, 100], [2022, 2023, 2030], unit_use_share=share).tolist() == [60, 70, 70]
    assert units_admitted(NONE, 2023, unit_use_share=share).tolist() == []
    with pytest.raises(ValueError, match="no share that units may meet for 2019: the first is of 2020"):
        units_admitted(1, 2019, unit_use_share=share)


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
