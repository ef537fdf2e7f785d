"""A price corridor that rises by a real rate and inflation, paying its ceiling in place of units."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tonne.rules.stability.price_path import payment_price, price_ceiling, price_floor

CEILING = {"ceiling_by_year": {2026: 4300}, "corridor_real_growth": Decimal("0.03")}
FLOOR = {"floor_by_year": {2026: 1700}, "corridor_real_growth": Decimal("0.03")}


def test_the_corridor_rises_by_the_real_rate():
    assert price_ceiling(2026, **CEILING) == 4300 and price_floor(2026, **FLOOR) == 1700
    assert price_ceiling(2030, **CEILING) == 4840 and price_floor(2030, **FLOOR) == 1913
    assert price_ceiling([2026, 2030], **CEILING).tolist() == [4300, 4840]
    with pytest.raises(ValueError, match="no price for 2025"):
        price_ceiling(2025, **CEILING)


def test_inflation_comes_on_top_and_a_set_price_goes_first():
    assert price_ceiling(2027, **CEILING, corridor_inflation={2027: Decimal("0.02")}) == 4518  # 4300 x 1.03 x 1.02 = 4517.58
    assert price_ceiling(2027, **(CEILING | {"ceiling_by_year": {2026: 4300, 2027: 4400}})) == 4400
    assert price_ceiling(2027, **CEILING, corridor_step=Decimal("0.1")) == Decimal("4429.0")


def test_the_ceiling_settles_a_missing_unit():
    assert payment_price(2026, **CEILING) == 4300
    assert payment_price(2025, **CEILING) is None
