"""Option prices by QuantLib: known values, parity, the two premium styles; and what expiry makes of options and futures."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.clearing.expiry import (
    cash_settlement,
    deliveries,
    delivery_margin,
    delivery_payments,
    exercise,
    exercise_refusal,
    match_intentions,
)
from tonne.clearing.option import Option, OptionError
from tonne.clearing.position import PositionError

CENTS = st.integers(1, 20_000).map(lambda cents: Decimal(cents) / 100)


def test_a_value_worked_out_by_hand() -> None:
    """At the money undiscounted: F (2 N(s/2) - 1), with s = 0.38 (one year)."""
    option = Option("call", 80, Decimal("0.38"), 365, 0, "futures_style")
    normal = (1 + math.erf(0.19 / math.sqrt(2))) / 2
    assert abs(float(option.price(80)) - 80 * (2 * normal - 1)) < 1e-9
    assert option.ticks(80, "0.01") == round(8_000 * (2 * normal - 1))
    assert abs(float(option.delta(80)) - normal) <= 0.00005


@given(CENTS, CENTS, st.integers(0, 150), st.integers(0, 1_000), st.integers(0, 10))
def test_call_less_put_is_the_discounted_way_to_the_strike(strike: Decimal, future: Decimal, points: int, days: int, rate: int) -> None:
    terms = (strike, Decimal(points) / 100, days, Decimal(rate) / 100)
    call, put = Option("call", *terms), Option("put", *terms)
    discount = math.exp(-rate / 100 * days / 365)
    assert abs(float(call.price(future) - put.price(future)) - discount * float(future - strike)) < 1e-8
    assert call.price(future) >= 0 and put.price(future) >= 0 and 0 <= call.delta(future) <= 1 and -1 <= put.delta(future) <= 0
    if points == 0 or days == 0:
        assert abs(float(call.price(future)) - discount * float(max(future - strike, 0))) < 1e-9


def test_only_a_premium_that_is_paid_is_discounted() -> None:
    paid, futures_style = (Option("call", 80, Decimal("0.38"), 365, Decimal("0.05"), style) for style in ("paid", "futures_style"))
    assert abs(float(paid.price(85) / futures_style.price(85)) - math.exp(-0.05)) < 1e-12


def test_volatility_is_found_again() -> None:
    option = Option("put", 90, Decimal("0.4213"), 200, Decimal("0.02"))
    assert option.implied_volatility(option.price(84), 84) == Decimal("0.421300")
    with pytest.raises(OptionError, match="no volatility gives"):
        option.implied_volatility(200, 84)
    with pytest.raises(OptionError, match="last day"):
        Option("put", 90, 1, 0).implied_volatility(7, 84)


def test_what_cannot_be_priced_is_refused() -> None:
    for terms, told in ((("swap", 1, 1, 1), "neither a call nor a put"), (("call", 0, 1, 1), "above zero"), (("call", 1, -1, 1), "negative")):
        with pytest.raises(OptionError, match=told):
            Option(*terms)
    with pytest.raises(OptionError, match="above zero"):
        Option("call", 80, 1, 1).price(0)


def test_a_shifted_volatility_is_never_below_zero() -> None:
    option = Option("call", 80, Decimal("0.05"), 100, 0, "futures_style")
    assert option.price(90, Decimal("-0.10")) == Fraction(10) == option.at(0).price(90)
    assert option.price(90, Decimal("0.10")) == option.at(Decimal("0.15")).price(90)


# -- expiry


def plain_deliveries(lots: list[int]) -> list[tuple[int, int, int]]:
    """By walking: the first seller with lots left delivers to the first buyer with lots left."""
    left, found = list(lots), []
    while any(left):
        seller = next(a for a, own in enumerate(left) if own < 0)
        buyer = next(a for a, own in enumerate(left) if own > 0)
        moved = min(-left[seller], left[buyer])
        found.append((seller, buyer, moved))
        left[seller] += moved
        left[buyer] -= moved
    return found


@given(st.lists(st.integers(-50, 50), max_size=12))
def test_shorts_deliver_to_longs(lots: list[int]) -> None:
    lots = [*lots, -sum(lots)]
    pairs = deliveries(lots)
    assert [(int(p["seller"]), int(p["buyer"]), int(p["lots"])) for p in pairs] == plain_deliveries(lots)
    parties = sum(own != 0 for own in lots)
    assert len(pairs) <= max(parties - 1, 0)
    assert int(delivery_payments(pairs, 8_360, 1_000, len(lots)).sum()) == 0


def test_the_order_decides_who_meets_whom() -> None:
    assert [tuple(p.item()) for p in deliveries([-10, 4, -2, 8])] == [(4, 0, 1), (6, 0, 3), (2, 2, 3)]
    assert [tuple(p.item()) for p in deliveries([-10, 4, -2, 8], [3, 2, 1, 0])] == [(2, 2, 3), (6, 0, 3), (4, 0, 1)]
    many = [-1, 1] * 100
    assert deliveries(many, [0] * 200).tolist() == deliveries(many).tolist()  # equal numbers: by account
    with pytest.raises(PositionError, match="differ"):
        deliveries([1, -2])
    assert delivery_payments(deliveries([-1, 1]), 8_360, 1_000, 2).tolist() == [8_360_000, -8_360_000]


def test_options_in_the_money_are_exercised_and_no_other() -> None:
    call = exercise([7, -7], "call", 8_000, 8_360, 1_000)
    assert call.exercised and call.futures.tolist() == [7, -7] and call.cash.tolist() == [2_520_000, -2_520_000]
    put = exercise([7, -7], "put", 8_400, 8_360, 1_000)
    assert put.futures.tolist() == [-7, 7] and put.cash.tolist() == [280_000, -280_000]
    for right, strike in (("call", 8_360), ("put", 8_360), ("call", 8_361), ("put", 8_359)):
        lapsed = exercise([7, -7], right, strike, 8_360, 1_000)
        assert not lapsed.exercised and not lapsed.futures.any() and not lapsed.cash.any()


def test_a_holder_has_no_choice() -> None:
    assert exercise_refusal("abandon", "call", 8_000, 8_360) == "cannot_be_abandoned"
    assert exercise_refusal("exercise", "call", 8_000, 8_360) is None
    assert exercise_refusal("exercise", "call", 8_360, 8_360) == "not_in_the_money"
    assert exercise_refusal("exercise", "put", 8_000, 8_360) == "not_in_the_money"
    assert exercise_refusal("abandon", "put", 8_000, 8_360) is None


def test_delivery_by_matched_intentions_and_cash_for_the_rest() -> None:
    found = match_intentions([-10, -6, 16], [10, 2, 9])
    assert [tuple(p.item()) for p in found.pairs] == [(8, 0, 2), (1, 1, 2)] and found.cash_lots.tolist() == [-2, -5, 7]
    cash = cash_settlement(found.cash_lots.reshape(-1, 1), [8_300], [8_360], [1_000])
    assert cash.tolist() == [-120_000, -300_000, 420_000]
    nobody = match_intentions([-10, 10], [10, 0])
    assert not len(nobody.pairs) and nobody.cash_lots.tolist() == [-10, 10]
    with pytest.raises(PositionError, match="what the account holds"):
        match_intentions([-10, 10], [11, 0])


@given(st.lists(st.tuples(st.integers(-40, 40), st.integers(0, 40)), max_size=10))
def test_intentions_never_deliver_more_than_was_meant(rows: list[tuple[int, int]]) -> None:
    lots = np.array([*(own for own, _ in rows), -sum(own for own, _ in rows)])
    wishes = np.minimum(np.array([*(wish for _, wish in rows), 400]), np.abs(lots))
    found = match_intentions(lots, wishes)
    delivered = lots - found.cash_lots
    assert np.all(np.abs(delivered) <= wishes) and np.all(delivered * lots >= 0) and not found.cash_lots.sum() and not delivered.sum()
    gives, takes = int(wishes[lots < 0].sum()), int(wishes[lots > 0].sum())
    assert int(found.pairs["lots"].sum()) == min(gives, takes)


def test_delivery_margin_is_asked_of_both_sides() -> None:
    assert delivery_margin([10, -10, 0], 8_360, 1_000, (1, 10)).tolist() == [8_360_000, 8_360_000, 0]
    assert delivery_margin([1], 10, 1, (1, 3)).tolist() == [4]
