"""Reserve tiers at fixed prices, and a ceiling."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tonne.rules.stability.price_tiers import ceiling_price, ceiling_sale, reserve_sale_is_held, tier_price, tier_sales

D = Decimal
TIERS = {"tier_1_price_by_year": {2013: D("40.00"), 2021: D("41.40")}, "tier_2_price_by_year": {2013: D("45.00")}}
LOWEST = {"tier_1_price_by_year": TIERS["tier_1_price_by_year"]}


def test_tiers_have_prices_by_year() -> None:
    assert tier_price(2013, **TIERS) == D("40.00")
    assert tier_price([2013, 2014], 2, **TIERS).tolist() == [D("45.00"), None]
    assert tier_price(2013, 3, **TIERS) is None
    with pytest.raises(ValueError, match="tiers 1 to 3, not 4"):
        tier_price(2013, 4, **TIERS)


def test_a_sale_follows_from_the_trigger_on() -> None:
    assert reserve_sale_is_held(D("24.84"), 2021, **LOWEST, sale_trigger_share=D("0.60"))
    assert not reserve_sale_is_held(D("24.83"), 2021, **LOWEST, sale_trigger_share=D("0.60"))
    assert reserve_sale_is_held([D("24.83"), D("30")], 2021, **LOWEST, sale_trigger_share=D("0.60")).tolist() == [False, True]
    assert reserve_sale_is_held(D("0.01"), 2013, **LOWEST)
    with pytest.raises(ValueError, match="no price of the lowest tier for 2020"):
        reserve_sale_is_held(D("30"), 2020, **LOWEST)


def test_the_cheapest_tier_first() -> None:
    assert tier_sales(5, [3, 4]).tolist() == [3, 2]
    assert tier_sales(50, [3, 4]).tolist() == [3, 4]
    assert tier_sales(0, [3, 4]).tolist() == [0, 0]


def test_at_the_ceiling_the_account_goes_before_new_units() -> None:
    told = ceiling_sale(np.array([100, 50]), 0, 120)
    assert told["from_account"].tolist() == [100, 20]
    assert told["new_units"].tolist() == [0, 30]
    assert ceiling_sale(7, 0) == {"from_account": 0, "new_units": 7}
    assert ceiling_sale(7, 1) == {"from_account": 0, "new_units": 0}
    assert ceiling_sale(np.array([], dtype=np.int64), 0)["new_units"].tolist() == []
    assert ceiling_price(2021, ceiling_price_by_year={2021: D("65.00")}) == D("65.00")
    assert ceiling_price([2020, 2021], ceiling_price_by_year={2021: D("65.00")}).tolist() == [None, D("65.00")]
