"""Positions, novation, netting, limits, fees: what is counted in lots."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.clearing.exact import added, booked, shares, times, weighed, whole
from tonne.clearing.fee import FeeError, Tariff, fee, trade_fees
from tonne.clearing.limit import delivery_month_breaches, family_breaches, order_breaches, position_breaches
from tonne.clearing.position import PositionError, after_legs, after_trades, check_balanced, gross, netted, novate, open_interest, trades_of
from tonne.units import UnitsError

ACCOUNTS, INSTRUMENTS, HOUSE = 5, 3, 4
TRADES = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, INSTRUMENTS - 1), st.integers(-50, 9_000), st.integers(1, 500)), max_size=30
)
NOBODY = np.zeros((ACCOUNTS, INSTRUMENTS), dtype=np.int64)


@given(TRADES)
def test_positions_add_up_to_zero_and_the_house_stands_in_the_middle(rows: list[tuple[int, int, int, int, int]]) -> None:
    trades = trades_of(rows)
    legs = novate(trades, HOUSE)
    expected = [[0] * INSTRUMENTS for _ in range(ACCOUNTS)]
    for buyer, seller, instrument, _, lots in rows:
        expected[buyer][instrument] += lots
        expected[seller][instrument] -= lots
    found = after_trades(NOBODY, trades)
    assert found.tolist() == expected == after_legs(NOBODY, legs).tolist()
    check_balanced(found)
    assert open_interest(found).tolist() == [sum(max(row[i], 0) for row in expected) for i in range(INSTRUMENTS)]
    assert not NOBODY.any()


def test_a_trade_becomes_two_legs_through_the_house() -> None:
    legs = novate(trades_of([(0, 1, 2, 8_360, 7)]), HOUSE)
    told = [tuple(leg[name].item() for name in ("trade", "from_account", "to_account", "instrument", "price", "lots")) for leg in legs]
    assert told == [(0, 1, HOUSE, 2, 8_360, 7), (0, HOUSE, 0, 2, 8_360, 7)]


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(PositionError, match="trade 1 is of 0 lots"):
        trades_of([(0, 1, 0, 5, 1), (0, 1, 0, 5, 0)])
    with pytest.raises(PositionError, match="no account 9; there are 5"):
        after_trades(NOBODY, trades_of([(9, 1, 0, 5, 1)]))
    with pytest.raises(PositionError, match="instrument 1: longs and shorts differ by 3 lots"):
        open_interest(np.array([[1, 5], [-1, -2]]))
    with pytest.raises(OverflowError):
        after_trades(np.full((2, 1), 2**63 - 1), trades_of([(0, 1, 0, 5, 1)]))
    with pytest.raises(UnitsError, match="whole numbers"):
        whole("lots", [1.5])


def test_netting_of_groups() -> None:
    lots = np.array([[10], [-4], [3], [-9]])
    assert netted(lots, [0, 0, 1, 1], 2).tolist() == [[6], [-6]]
    long, short = gross(lots, [0, 0, 1, 1], 2)
    assert (long.tolist(), short.tolist()) == ([[10], [3]], [[4], [9]])
    with pytest.raises(PositionError, match="one group from 0 to 1"):
        netted(lots, [0, 0, 1, 2], 2)


@given(st.integers(0, 10**15), st.lists(st.integers(0, 10**9), min_size=1, max_size=20).filter(any))
def test_shares_add_up_and_none_passes_its_weight(total: int, weights: list[int]) -> None:
    found = shares(total, weights).tolist()
    assert sum(found) == total and all(part >= 0 for part in found)
    for part, weight in zip(found, weights, strict=True):
        assert abs(part * sum(weights) - total * weight) < sum(weights)
    if total <= sum(weights):
        assert all(part <= weight for part, weight in zip(found, weights, strict=True))


def test_shares_by_hand() -> None:
    assert shares(100, [1, 1, 1]).tolist() == [34, 33, 33]
    assert shares(5, [10, 30, 60]).tolist() == [1, 1, 3]  # 0.5, 1.5, 3: equal remainders, the earlier row first
    assert shares(0, [0, 0]).tolist() == [0, 0]
    with pytest.raises(ValueError, match="all weights are zero"):
        shares(1, [0, 0])


def test_products_that_do_not_fit_are_refused_before_they_are_made() -> None:
    big = np.array([2**40])
    with pytest.raises(OverflowError, match="margin"):
        weighed("margin", big.reshape(1, 1), big)
    with pytest.raises(OverflowError, match="does not fit"):
        times("money", big, big)
    with pytest.raises(OverflowError, match="a sum of"):
        added("money", np.array([2**62, 1]), np.array([2**62, 1]))
    assert added("money", np.array([2**62, 1]), np.array([1, 2**62])).tolist() == [2**62 + 1] * 2
    with pytest.raises(OverflowError, match="together"):
        booked("money", np.array([2**62, 2**62]), [0, 0], [1, 1], 2)
    assert booked("money", np.array([2**62, 1]), [0, 1], [1, 0], 2).tolist() == [2**62 - 1, 1 - 2**62]
    assert times("money", np.array([2**40, 1]), np.array([1, 2**40])).tolist() == [2**40, 2**40]


def test_fees() -> None:
    tariff = Tariff(currency="EUR", aggressor=Decimal("0.0035"), resting=Decimal("-0.0010"), clearing=Decimal("0.0040"), least=Decimal("0.05"))
    assert fee([37, 0], Decimal("0.0059"), Tariff(currency="EUR")).tolist() == [22, 0]  # 21.83 cents
    assert fee([1, 0], Decimal("0.0059"), tariff).tolist() == [5, 0]
    assert fee([10_000], 1, Tariff(currency="EUR", most=25)).tolist() == [2_500]
    trades = trades_of([(0, 1, 0, 8_000, 1_000), (1, 2, 0, 8_000, 100)])
    # 1,000 lots: who came 7.50, who rested 3.00; 100 lots: 0.75 and 0.30
    assert trade_fees(trades, [True, False], tariff, 3).tolist() == [750, 300 + 30, 75]
    with pytest.raises(FeeError, match="below the least"):
        Tariff(currency="EUR", least=2, most=1)
    with pytest.raises(FeeError, match="not negative"):
        fee([-1], 1, tariff)


def test_limits_name_what_breaches() -> None:
    codes, lots = ["a:2026-12", "a:2027-12"], np.array([[120, -100], [-90, 40], [0, 0]])
    assert [tuple(b) for b in position_breaches(lots, codes, {"a:2026-12": 100})] == [("position_limit", 0, "a:2026-12", 120, 100, 20)]
    assert position_breaches(lots, codes, {"a:2026-12": 120, "a:2027-12": 100}) == []
    resting = position_breaches(lots, codes, {"a:2026-12": 100}, selling=np.array([[0, 0], [11, 0], [0, 0]]))
    assert [(b.account, b.held, b.excess) for b in resting] == [(0, 120, 20), (1, -101, 1)]
    together = position_breaches(lots, codes, {"a:2027-12": 50}, group=[0, 1, 0], name="accountability_level")
    assert [(b.name, b.account, b.held) for b in together] == [("accountability_level", 0, -100)]
    assert [(b.account, b.held) for b in family_breaches(lots, ["a", "a"], {"a": 20})] == [(1, -50)]
    assert [b.where for b in delivery_month_breaches(lots, codes, [False, True], dict.fromkeys(codes, 50))] == ["a:2027-12"]
    orders = order_breaches([0, 1, 2, 3], [5_001, 0, 1, 5_000], ["x"] * 4, least=1, most=5_000)
    assert [(b.name, b.account, b.excess) for b in orders] == [("order_limit", 0, 1), ("order_minimum", 1, 1)]
    assert str(orders[0]) == "order_limit: account 0, x: 5,001 lots, limit 5,000, 1 beyond it"
