"""Alerts: planted manipulation is found with its evidence, the same flow just below each threshold is not, and honest flow raises nothing."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from tonne.market import data
from tonne.market.orders import Happening, InstrumentRules, Phase, SelfTrade, Side
from tonne.market.plain_book import PlainBook
from tonne.market.surveillance import (
    Limits,
    Watch,
    alerts,
    cornering,
    layering,
    limit_breaches,
    marking_the_close,
    round_trips,
    wash_trades,
)
from tonne.simulation.order_flow import FlowPlan, flow_rules, order_flow

BUY, SELL, SECOND = Side.BUY, Side.SELL, 1_000_000
NOON = 1_767_614_400 * SECOND
WATCH = Watch()


class Scene:
    """A book and all it said; time runs in seconds from noon."""

    def __init__(self, n=1):
        self.book = PlainBook([InstrumentRules(reference=1_000)] * n)
        self.said, self.next = [], 1

    def limit(self, account, side, quantity, price, second=0, instrument=0, self_trade=SelfTrade.CANCEL_NEW):
        number, self.next = self.next, self.next + 1
        moment = NOON + int(second * SECOND)
        self.said.append(self.book.limit(number, account, side, quantity, price, instrument, moment, self_trade=self_trade))
        return number

    def cancel(self, order, account, second):
        self.said.append(self.book.cancel(order, account, NOON + int(second * SECOND)))

    def deal(self, buyer, seller, quantity, price=1_000, second=0, instrument=0):
        """A trade between two accounts."""
        self.limit(seller, SELL, quantity, price, second, instrument, SelfTrade.ALLOW)
        self.limit(buyer, BUY, quantity, price, second, instrument, SelfTrade.ALLOW)

    @property
    def rows(self):
        return np.concatenate(self.said)


# layering


def layered(orders=3, size=50, life=20, traded=10):
    """Account 7 shows buy orders, sells to account 2, takes them away."""
    scene = Scene()
    scene.limit(2, BUY, traded, 999)
    shown = [scene.limit(7, BUY, size, 990 - k, 1) for k in range(orders)]
    scene.limit(7, SELL, traded, 999, 10)
    for order in shown:
        scene.cancel(order, 7, 1 + life)
    return scene, shown


def test_layering_is_found_with_the_orders_shown_and_the_trade_made():
    scene, shown = layered()
    (found,) = alerts(scene.rows)
    assert (found.kind, found.accounts, found.instrument, found.orders, found.trades) == ("layering", (7,), 0, tuple(shown), (1,))
    assert found.begins == NOON + SECOND and found.ends == NOON + 21 * SECOND
    assert found.sentence == "3 buy orders of 150 lots were shown and taken away within 20 s, while their owner's sell side traded 10 lots"


@pytest.mark.parametrize("less", [{"orders": 2, "size": 100}, {"size": 16}, {"life": 61}])
def test_below_a_threshold_it_is_no_layering(less):
    scene, _ = layered(**less)
    assert layering(scene.rows, WATCH) == []


def test_orders_that_trade_are_no_layering():
    scene, shown = layered()
    scene, shown = Scene(), []
    scene.limit(2, BUY, 10, 999)
    shown = [scene.limit(7, BUY, 50, 990 - k, 1) for k in range(3)]
    scene.limit(7, SELL, 10, 999, 10)
    scene.limit(3, SELL, 10, 990, 11)  # a fifth of the first order is filled
    for order in shown:
        scene.cancel(order, 7, 20)
    assert layering(scene.rows, WATCH) == []
    assert len(layering(scene.rows, replace(WATCH, layering_filled=Fraction(1, 5)))) == 1


def test_a_group_layers_with_two_accounts():
    scene = Scene()
    scene.limit(2, BUY, 10, 999)
    shown = [scene.limit(7, BUY, 50, 990 - k, 1) for k in range(3)]
    scene.limit(8, SELL, 10, 999, 10)
    for order in shown:
        scene.cancel(order, 7, 20)
    assert layering(scene.rows, WATCH) == []
    (found,) = layering(scene.rows, WATCH, {7: 1, 8: 1})
    assert found.accounts == (7, 8)


def test_orders_taken_away_before_the_trade_or_far_apart_are_no_layering():
    scene = Scene()
    scene.limit(2, BUY, 10, 999)
    for k in range(3):
        scene.cancel(scene.limit(7, BUY, 50, 990 - k, 1 + k), 7, 2 + k)
    scene.limit(7, SELL, 10, 999, 10)
    apart = [scene.limit(7, BUY, 50, 980 - k, 11) for k in range(3)]
    for k, order in enumerate(apart):
        scene.cancel(order, 7, 20 + 11 * k)
    assert layering(scene.rows, WATCH) == []


# wash trades and round trips


def test_wash_trades_of_one_account_and_of_a_group():
    scene = Scene()
    scene.deal(5, 5, 3)
    scene.deal(5, 6, 4, second=1)
    scene.deal(6, 9, 4, second=2)
    (found,) = wash_trades(scene.rows)
    assert (found.accounts, found.trades, found.orders) == ((5,), (1,), (2, 1)) and "the same account" in found.sentence
    (found,) = wash_trades(scene.rows, {5: 1, 6: 1})
    assert (found.accounts, found.trades) == ((5, 6), (1, 2))
    assert found.sentence == "2 trades, 7 lots in all, with accounts of the same group on both sides"
    # A group with an account's number is not that account.
    assert wash_trades(scene.rows, {6: 9})[0].trades == (1,)


def ringed(times=3, quantity=10, back=10, window=30):
    """Account 1 sells to 2, who sells to 3, who sells back to 1."""
    scene = Scene()
    for k in range(times):
        begin = 1_000 * k
        scene.deal(2, 1, quantity, second=begin)
        scene.deal(30 + k, 40 + k, 10, second=begin + 1)  # others trade between
        scene.deal(3, 2, quantity, second=begin + window / 2)
        scene.deal(1, 3, back, second=begin + window)
    return scene


def test_round_trips_through_others_are_found():
    (found,) = round_trips(ringed().rows, WATCH)
    assert found.accounts == (1, 2, 3) and found.trades == (1, 3, 4, 5, 7, 8, 9, 11, 12) and len(found.orders) == 18
    assert found.sentence.startswith("3 times 10 lots or about as many went round 3 owners")


@pytest.mark.parametrize("less", [{"times": 2}, {"quantity": 4, "back": 4}, {"back": 11}, {"window": 121}])
def test_below_a_threshold_it_is_no_round_trip(less):
    assert round_trips(ringed(**less).rows, WATCH) == []


def test_a_ring_longer_than_the_hops_allowed_is_not_sought():
    assert round_trips(ringed().rows, replace(WATCH, round_trip_hops=2)) == []


# cornering


def test_a_corner_is_told_at_the_first_trade_that_makes_it():
    scene = Scene()
    for k in range(5):
        scene.deal(1, 10 + k, 10, second=k)
    (found,) = cornering(scene.rows, {0: 90}, WATCH)
    assert found.trades == (1, 2, 3) and found.accounts == (1,) and found.ends == NOON + 2 * SECOND
    assert found.sentence == "a net long position of 30 lots is 33 % of the 90 there are"
    assert cornering(scene.rows, {0: 151}, WATCH) == [] and cornering(scene.rows, {1: 9}, WATCH) == []


def test_a_corner_counts_what_was_held_what_was_sold_and_the_group():
    scene = Scene()
    scene.deal(1, 10, 10)
    scene.deal(2, 11, 10, second=1)
    assert cornering(scene.rows, {0: 60}, WATCH) == []
    assert cornering(scene.rows, {0: 60}, WATCH, {1: 4, 2: 4})[0].accounts == (1, 2)
    assert cornering(scene.rows, {0: 60}, WATCH, held={(1, 0): 10})[0].trades == (1,)
    assert cornering(scene.rows, {0: 60}, WATCH, {1: 4, 2: 4}, {(2, 0): -5}) == []


# limits


def test_limits_of_order_position_and_price():
    scene = Scene()
    scene.limit(3, BUY, 101, 900)
    scene.limit(4, BUY, 100, 900)
    scene.deal(1, 2, 60, second=1)
    scene.deal(1, 5, 60, 1_020, second=2)
    scene.deal(6, 1, 60, second=3)  # back within the limit
    limits = {0: Limits(position=100, order=100, lowest=990, highest=1_010)}
    found = limit_breaches(scene.rows, limits)
    assert [(alert.kind, alert.accounts, alert.orders, alert.trades) for alert in found] == [
        ("order_limit", (3,), (1,), ()),
        ("position_limit", (1,), (6,), (2,)),
        ("price_limit", (1, 5), (6, 5), (2,)),
    ]
    assert found[1].sentence == "a net position of 120 lots is beyond the limit of 100" and "the limits are 990 and 1,010" in found[2].sentence
    assert limit_breaches(scene.rows, {0: Limits()}) == [] and limit_breaches(scene.rows, {}) == []


def test_short_positions_have_the_same_limit_and_what_was_held_counts():
    scene = Scene()
    scene.deal(1, 2, 60)
    (found,) = limit_breaches(scene.rows, {0: Limits(position=60)}, held={(2, 0): -1})
    assert found.accounts == (2,) and "-61 lots" in found.sentence
    assert limit_breaches(scene.rows, {0: Limits(position=60)}) == []
    (found,) = limit_breaches(scene.rows, {0: Limits(position=60)}, {2: 1, 3: 1}, {(3, 0): -5})
    assert found.accounts == (2,)


# the close


def marked(share=60, move=12, trades=3):
    scene = Scene()
    scene.deal(20, 21, 50, 1_000, second=0)
    for k in range(4):
        scene.deal(22 + k, 31 + k, (100 - share) // 4, 1_000, second=3_050 + k)
    for k in range(trades):
        scene.deal(1, 40 + k, share // trades, 1_000 + move * (k + 1) // trades, second=3_500 + k)
    return scene


CLOSE = NOON + 3_600 * SECOND


def test_marking_the_close_is_found():
    (found,) = marking_the_close(marked().rows, [CLOSE], WATCH)
    assert (found.kind, found.accounts, found.trades) == ("marking_the_close", (1,), (6, 7, 8)) and len(found.orders) == 3
    assert found.sentence == "60 of the 100 lots of the last 600 s were bought by one owner, while the price went from 1,000 to 1,012 ticks"
    assert marking_the_close(marked(move=-12).rows, [CLOSE], WATCH) == []  # who buys while the price falls does not push it


def test_marking_down_names_the_seller():
    scene = Scene()
    scene.deal(20, 21, 50, 1_000)
    for k in range(3):
        scene.deal(40 + k, 1, 20, 996 - 4 * k, second=3_500 + k)
    (found,) = marking_the_close(scene.rows, [CLOSE], WATCH)
    assert found.accounts == (1,) and "sold by one owner" in found.sentence


@pytest.mark.parametrize("less", [{"share": 30}, {"move": 9}, {"trades": 2}])
def test_below_a_threshold_no_close_is_marked(less):
    assert marking_the_close(marked(**less).rows, [CLOSE], WATCH) == []


def test_without_a_price_before_the_window_no_move_is_told():
    scene = Scene()
    for k in range(3):
        scene.deal(1, 40 + k, 20, 1_000 + 20 * k, second=3_500 + k)
    assert marking_the_close(scene.rows, [CLOSE], WATCH) == [] and marking_the_close(scene.rows, [], WATCH) == []


# all together


@pytest.mark.parametrize("seed", range(3))
def test_honest_flow_raises_no_alert(seed):
    """Two thousand accounts that do not know each other, every kind of order, cancels, calls, halts."""
    rules = flow_rules(4, seed)
    flow = order_flow(20_000, seed, rules, FlowPlan(accounts=2_000, self_trades=False))
    rows = PlainBook(rules).submit(flow)
    closes = rows["time"][(rows["happening"] == int(Happening.PHASE_CHANGED)) & (rows["quantity"] == int(Phase.POST_CLOSE))]
    limits = {k: Limits(position=5_000, order=rule.largest_order, lowest=1, highest=rule.highest_price) for k, rule in enumerate(rules)}
    found = alerts(rows, limits=limits, open_interest=dict.fromkeys(range(4), 50_000), closes=closes.tolist())
    assert found == [] and data.trades(rows).height > 2_000


def test_planted_among_honest_flow_everything_is_found_and_nothing_else():
    scene = Scene()
    scene.deal(5, 5, 3)
    rows = [scene.rows, ringed().rows, layered()[0].rows, marked().rows]
    for number, part in enumerate(rows):
        part["instrument"] = number
        part["time"] += number * 100_000 * SECOND
        part["order"] += 1_000 * number  # a book gives a number once
        part["against"] += 1_000 * number
    joined = np.concatenate(rows)
    found = alerts(joined, closes=[CLOSE + 300_000 * SECOND], first_trade=100)
    assert [(alert.kind, alert.instrument) for alert in found] == [
        ("wash_trade", 0), ("round_trip", 1), ("layering", 2), ("marking_the_close", 3),
    ]  # fmt: skip
    numbers = data.trades(joined, 100)
    for alert in found:
        told = numbers.filter(numbers["trade"].is_in(alert.trades))
        assert told.height == len(alert.trades) and set(told["instrument"]) == {alert.instrument}
        assert alert.begins <= alert.ends and alert.accounts and alert.sentence


def test_no_executions_no_alerts():
    assert alerts(Scene().book.submit(np.zeros(0, dtype=order_flow(0, 1).dtype))) == []
