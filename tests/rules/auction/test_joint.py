"""The common floor of a joint auction, and whose units are sold when demand is short."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.auction.joint import joint_reserve_price, sold_of_each

ORDER = {"consigned": 1, "state": 2}
LOTS = st.lists(
    st.tuples(st.sampled_from("ABC"), st.sampled_from(list(ORDER)), st.integers(2013, 2020), st.integers(0, 10**8)), min_size=1, max_size=9
)


def test_the_highest_partner_sets_the_floor() -> None:
    assert joint_reserve_price([Decimal("14.53"), Decimal("14.35")], [1, Decimal("0.80")]) == Decimal("14.53")
    assert joint_reserve_price([Decimal("14.53"), Decimal("14.35")], [1, Decimal("1.10")]) == Decimal("15.79")
    with pytest.raises(ValueError, match="at least one"):
        joint_reserve_price([], [])


def sell(sold: int, lots: list[tuple[str, str, int, int]]) -> list[int]:
    place, category, vintage, offered = ([row[i] for row in lots] for i in range(4))
    return sold_of_each(sold, place, category, vintage, np.array(offered), sale_order=ORDER).tolist()


def test_consigned_units_sell_before_the_states_own() -> None:
    lots = [("A", "state", 2016, 35_610_823), ("A", "consigned", 2016, 21_948_176), ("B", "state", 2016, 10_116_952)]
    assert sell(7_260_000, lots) == [0, 6_174_695, 1_085_305]


def test_older_vintages_sell_first() -> None:
    lots = [("B", "state", 2016, 100), ("B", "state", 2013, 40), ("B", "state", 2014, 30)]
    assert sell(75, lots) == [5, 40, 30]


def test_nothing_on_offer_and_what_is_refused() -> None:
    assert sold_of_each(0, [], [], np.array([], dtype=np.int64), np.array([], dtype=np.int64), sale_order=ORDER).tolist() == []
    with pytest.raises(ValueError, match="2 sold of 1 offered"):
        sell(2, [("A", "state", 2016, 1)])
    with pytest.raises(ValueError, match="no place in the order of sale for gift"):
        sell(0, [("A", "gift", 2016, 1)])


@given(LOTS, st.floats(0, 1))
def test_everything_sold_belongs_to_somebody_and_shares_are_even(lots: list[tuple[str, str, int, int]], part: float) -> None:
    total = sum(row[3] for row in lots)
    sold = int(total * part)
    units = sell(sold, lots)
    assert sum(units) == sold
    assert all(0 <= unit <= row[3] for unit, row in zip(units, lots, strict=True))
    for place in {row[0] for row in lots}:
        mine = sum(unit for unit, row in zip(units, lots, strict=True) if row[0] == place)
        offered = sum(row[3] for row in lots if row[0] == place)
        assert abs(mine * total - sold * offered) < max(total, 1)  # within one unit of the exact share
        state = sum(unit for unit, row in zip(units, lots, strict=True) if row[0] == place and row[1] == "state")
        left = sum(row[3] - unit for unit, row in zip(units, lots, strict=True) if row[0] == place and row[1] == "consigned")
        assert state == 0 or left == 0
