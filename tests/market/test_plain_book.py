"""What the books must do, worked out by hand: each case runs on both."""

from __future__ import annotations

import pytest

from tonne.market.draw import draws
from tonne.market.order_book import OrderBook
from tonne.market.orders import (
    Happening,
    Instruction,
    InstrumentRules,
    Lasting,
    Matching,
    OrderFlag,
    Phase,
    Reason,
    SelfTrade,
    Side,
    Verb,
    executions_of,
)
from tonne.market.plain_book import PlainBook

BUY, SELL = Side


@pytest.fixture(params=[OrderBook, PlainBook])
def make(request):
    return lambda **rules: request.param([InstrumentRules(**rules)])


def trades(rows):
    return [(r.against, r.price, r.quantity) for r in executions_of(rows) if r.happening == Happening.TRADE]


def told(rows):
    return [(Happening(r.happening).name, r.order, r.quantity, Reason(r.reason).name_for_people) for r in executions_of(rows)]


# matching


def test_price_then_time_at_the_resting_price(make):
    book = make()
    for number, price in ((1, 103), (2, 101), (3, 102), (4, 101)):
        book.limit(number, number, SELL, 5, price)
    assert trades(book.limit(5, 5, BUY, 17, 102)) == [(2, 101, 5), (4, 101, 5), (3, 102, 5)]
    assert book.best() == (102, 103)
    assert book.trade_price() == 102


def test_pro_rata_rounds_down_and_draws_for_the_rest(make):
    """10 for 7, 5 and 3: 4, 3 and 2, and one unit by lot: the first of the seed's numbers, modulo 3, decides whether order 1 gets it, and so on."""
    book = make(matching=Matching.PRO_RATA, seed=42)
    for number, quantity in ((1, 7), (2, 5), (3, 3)):
        book.limit(number, number, SELL, quantity, 100)
    lots = [int(n) for n in draws(42, 3)]
    winner = next(n for n in (1, 2, 3) if lots[n - 1] % (4 - n) == 0)
    given = {1: 4, 2: 3, 3: 2}
    given[winner] += 1
    assert trades(book.limit(9, 9, BUY, 10, 100)) == [(n, 100, given[n]) for n in (1, 2, 3)]


def test_seeded_random_draws_the_counterpart(make):
    book = make(matching=Matching.SEEDED_RANDOM, seed=7)
    for number in (1, 2, 3):
        book.limit(number, number, SELL, 1, 100)
    waiting, expected = [1, 2, 3], []
    for number in draws(7, 2):
        expected.append((waiting.pop(int(number) % len(waiting)), 100, 1))
    assert trades(book.limit(9, 9, BUY, 2, 100)) == expected


def test_takers_choice(make):
    book = make(matching=Matching.TAKERS_CHOICE)
    for number in range(1, 8):
        book.limit(number, number, SELL, 10, 100 + number)
    book.limit(8, 8, SELL, 10, 101)
    assert trades(book.limit(9, 9, BUY, 5, 110)) == []  # orders only rest
    assert trades(book.take(10, 10, BUY, 4, 8)) == [(8, 101, 4)]  # no time priority: order 8 before order 1
    assert trades(book.take(11, 11, BUY, 4, 5)) == [(5, 105, 4)]
    assert told(book.take(12, 11, BUY, 4, 6)) == [("REFUSED", 12, 4, "not_in_five")]
    assert told(book.take(12, 5, BUY, 4, 5)) == [("REFUSED", 12, 4, "own_order")]
    assert told(book.take(12, 12, SELL, 4, 5)) == [("REFUSED", 12, 4, "unknown_order")]
    rows = book.take(12, 12, BUY, 9, 5)
    assert told(rows)[1:] == [("TRADE", 12, 6, "none"), ("CANCELLED", 12, 3, "immediate_or_cancel")]
    assert told(book.take(13, 13, BUY, 1, 5)) == [("REFUSED", 13, 1, "order_not_open")]
    assert trades(book.take(13, 13, BUY, 1, 6)) == [(6, 106, 1)]  # level 105 is gone, so 106 is the fifth


def test_market_immediate_and_fill_or_kill(make):
    book = make()
    assert told(book.market(1, 1, BUY, 5)) == [("REFUSED", 1, 5, "no_liquidity")]
    book.limit(1, 1, SELL, 5, 100)
    book.limit(2, 2, SELL, 5, 101)
    assert told(book.limit(3, 3, BUY, 11, 101, lasting=Lasting.FOK)) == [("REFUSED", 3, 11, "not_fillable")]
    assert told(book.limit(3, 3, BUY, 6, 100, lasting=Lasting.IOC))[1:] == [("TRADE", 3, 5, "none"), ("CANCELLED", 3, 1, "immediate_or_cancel")]
    assert told(book.market(4, 4, BUY, 6))[1:] == [("TRADE", 4, 5, "none"), ("CANCELLED", 4, 1, "no_liquidity")]
    assert book.best() == (0, 0)


def test_post_only_is_refused_when_it_would_take(make):
    book = make()
    book.limit(1, 1, SELL, 5, 100)
    assert told(book.limit(2, 2, BUY, 5, 100, flags=OrderFlag.POST_ONLY)) == [("REFUSED", 2, 5, "would_take")]
    assert told(book.limit(2, 2, BUY, 5, 99, flags=OrderFlag.POST_ONLY)) == [("ACCEPTED", 2, 5, "none")]


def test_a_refused_number_is_free_and_a_used_one_is_not(make):
    book = make()
    book.limit(1, 1, BUY, 5, 100)
    book.cancel(1, 1)
    assert told(book.limit(1, 1, BUY, 5, 100)) == [("REFUSED", 1, 5, "duplicate_order")]


# icebergs


def test_an_iceberg_replenishes_and_stands_last(make):
    book = make()
    book.limit(1, 1, SELL, 25, 100, display=10)
    book.limit(2, 2, SELL, 5, 100)
    rows = book.limit(3, 3, BUY, 10, 100)
    assert told(rows)[1:] == [("TRADE", 3, 10, "none"), ("REPLENISHED", 1, 10, "none")]
    assert trades(book.limit(4, 4, BUY, 17, 100)) == [(2, 100, 5), (1, 100, 10), (1, 100, 2)]
    assert book.order(1).left == book.order(1).shown == 3


def test_a_fill_or_kill_counts_what_icebergs_hide(make):
    book = make()
    book.limit(1, 1, SELL, 25, 100, display=10)
    assert sum(t[2] for t in trades(book.limit(2, 2, BUY, 25, 100, lasting=Lasting.FOK))) == 25


# amending


def test_less_keeps_the_place_more_or_another_price_loses_it(make):
    book = make()
    for number in (1, 2, 3):
        book.limit(number, number, SELL, 5, 100)
    book.amend(1, 1, quantity=3)
    book.amend(2, 2, quantity=6)
    assert trades(book.limit(4, 4, BUY, 9, 100)) == [(1, 100, 3), (3, 100, 5), (2, 100, 1)]
    book.limit(5, 5, BUY, 2, 99)
    assert trades(book.amend(2, 2, price=99)) == [(5, 99, 2)]
    assert book.order(2).left == 3


# stops


def test_stops_fall_due_in_order_of_entry_and_cascade(make):
    book = make()
    for number, price in ((1, 100), (2, 98), (3, 96), (4, 94)):
        book.limit(number, 1, BUY, 1, price)
    book.stop(10, 2, SELL, 1, 97)
    book.stop(11, 3, SELL, 1, 100, 90)
    book.stop(12, 4, SELL, 1, 98)
    book.stop(13, 5, BUY, 1, 105)
    rows = executions_of(book.limit(20, 6, SELL, 1, 100))
    done = [(Happening(r.happening).name, r.order, r.price) for r in rows[1:]]
    assert done == [
        ("TRADE", 20, 100), ("TRIGGERED", 11, 90), ("TRADE", 11, 98), ("TRIGGERED", 12, 0), ("TRADE", 12, 96), ("TRIGGERED", 10, 0),
        ("TRADE", 10, 94),
    ]  # fmt: skip
    assert book.open_orders()["order"].tolist() == [13]


def test_a_stop_whose_trigger_is_past_comes_at_once(make):
    book = make()
    book.limit(1, 1, BUY, 2, 100)
    book.limit(2, 2, SELL, 1, 100)
    assert told(book.stop(3, 3, SELL, 1, 100)) == [("ACCEPTED", 3, 1, "none"), ("TRIGGERED", 3, 1, "none"), ("TRADE", 3, 1, "none")]


def test_every_trade_of_a_sweep_may_set_off_a_stop(make):
    """A buyer sweeps 99 and 101: the sell stop at 99 is set off by the first trade, though the last was at 101."""
    book = make()
    book.stop(1, 1, SELL, 1, 99, 98)
    book.limit(2, 2, SELL, 1, 99)
    book.limit(3, 3, SELL, 1, 101)
    rows = book.limit(4, 4, BUY, 3, 101)
    assert told(rows)[-2:] == [("TRIGGERED", 1, 1, "none"), ("TRADE", 1, 1, "none")]


# self-trade prevention


@pytest.mark.parametrize(
    ("action", "rows", "left"),
    [
        (SelfTrade.CANCEL_NEW, [("CANCELLED", 9, 8, "own_order")], {1: 5, 2: 5}),
        (SelfTrade.CANCEL_OLD, [("CANCELLED", 1, 5, "own_order"), ("TRADE", 9, 5, "none")], {9: 3}),
        (SelfTrade.CANCEL_BOTH, [("CANCELLED", 1, 5, "own_order"), ("CANCELLED", 9, 8, "own_order")], {2: 5}),
        (SelfTrade.DECREMENT, [("DECREMENTED", 9, 5, "none"), ("CANCELLED", 1, 0, "own_order"), ("TRADE", 9, 3, "none")], {2: 2}),
        (SelfTrade.ALLOW, [("TRADE", 9, 5, "none"), ("TRADE", 9, 3, "none")], {2: 2}),
    ],
)
def test_self_trade_prevention(make, action, rows, left):
    book = make()
    book.limit(1, 7, SELL, 5, 100)
    book.limit(2, 2, SELL, 5, 100)
    assert told(book.limit(9, 7, BUY, 8, 100, self_trade=action))[1:] == rows
    assert {int(o["order"]): int(o["left"]) for o in book.open_orders()} == left


@pytest.mark.parametrize("action", list(SelfTrade))
def test_a_fill_or_kill_does_not_count_on_its_own_orders(make, action):
    book = make()
    book.limit(1, 2, SELL, 3, 100)
    book.limit(2, 7, SELL, 5, 100)
    book.limit(3, 2, SELL, 3, 100)
    rows = book.limit(9, 7, BUY, 6, 100, lasting=Lasting.FOK, self_trade=action)
    assert (told(rows)[0][0] == "ACCEPTED") == (action in (SelfTrade.CANCEL_OLD, SelfTrade.ALLOW))
    if action == SelfTrade.CANCEL_OLD:
        assert trades(rows) == [(1, 100, 3), (3, 100, 3)]


# accounts


def test_kill_cancels_all_and_refuses_until_revive(make):
    book = make()
    book.add_instrument(InstrumentRules())
    book.limit(1, 7, BUY, 5, 100)
    book.limit(2, 8, BUY, 5, 100)
    book.stop(3, 7, SELL, 5, 90, instrument=1)
    assert told(book.kill(7)) == [("CANCELLED", 1, 5, "killed"), ("CANCELLED", 3, 5, "killed"), ("KILLED", 0, 2, "none")]
    assert told(book.limit(4, 7, BUY, 5, 100)) == [("REFUSED", 4, 5, "killed")]
    assert book.is_killed(7) and not book.is_killed(8)
    book.revive(7)
    assert told(book.limit(4, 7, BUY, 5, 100)) == [("ACCEPTED", 4, 5, "none")]


def test_mass_cancel_in_one_instrument_or_all(make):
    book = make()
    book.add_instrument(InstrumentRules())
    for number in (1, 2, 3, 4):
        book.limit(number, 7, BUY, 5, 100, instrument=number % 2)
    assert told(book.mass_cancel(7, instrument=0)) == [("CANCELLED", 2, 5, "none"), ("CANCELLED", 4, 5, "none"), ("MASS_CANCELLED", 0, 2, "none")]
    assert told(book.mass_cancel(7))[-1] == ("MASS_CANCELLED", 0, 2, "none")


def test_an_order_is_its_accounts(make):
    book = make()
    book.limit(1, 7, BUY, 5, 100)
    assert told(book.cancel(1, 8)) == [("REFUSED", 1, 0, "not_the_account")]
    assert told(book.amend(1, 8, quantity=2)) == [("REFUSED", 1, 2, "not_the_account")]
    assert told(book.cancel(2, 7)) == [("REFUSED", 2, 0, "unknown_order")]
    book.cancel(1, 7)
    assert told(book.cancel(1, 7)) == [("REFUSED", 1, 0, "order_not_open")]


# refusals leave no trace

GOOD = Instruction(order=5, price=100, quantity=10, account=1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"verb": 10}, Reason.BAD_INSTRUCTION), ({"side": 2}, Reason.BAD_INSTRUCTION), ({"flags": 2}, Reason.BAD_INSTRUCTION),
        ({"flags": 1, "lasting": Lasting.IOC}, Reason.BAD_INSTRUCTION), ({"lasting": Lasting.GTD}, Reason.BAD_INSTRUCTION),
        ({"expires": 5}, Reason.BAD_INSTRUCTION), ({"display": 2, "lasting": Lasting.FOK}, Reason.BAD_INSTRUCTION),
        ({"against": 1}, Reason.BAD_INSTRUCTION),
        ({"account": -1}, Reason.BAD_INSTRUCTION), ({"order": 0}, Reason.BAD_INSTRUCTION), ({"verb": Verb.TAKE}, Reason.BAD_INSTRUCTION),
        ({"time": 5}, Reason.CLOCK_BACKWARDS), ({"instrument": 1}, Reason.UNKNOWN_INSTRUMENT), ({"order": 1}, Reason.DUPLICATE_ORDER),
        ({"quantity": 0}, Reason.BAD_QUANTITY), ({"quantity": 2**31}, Reason.BAD_QUANTITY), ({"display": 11}, Reason.BAD_QUANTITY),
        ({"quantity": 101, "display": 1}, Reason.BAD_QUANTITY), ({"quantity": 501}, Reason.ORDER_LIMIT), ({"price": 0}, Reason.BAD_PRICE),
        ({"price": 10**7}, Reason.BAD_PRICE), ({"kind": 1}, Reason.BAD_PRICE), ({"stop": 1}, Reason.BAD_PRICE), ({"price": 201}, Reason.PRICE_LIMIT),
    ],
)  # fmt: skip
def test_each_refusal_has_its_name_and_changes_nothing(make, change, reason):
    book = make(largest_order=500, highest_accepted=200)
    book.limit(1, 1, SELL, 1, 150, time=10)
    before = (book.open_orders().tobytes(), book.best())
    row = executions_of(book.send(GOOD._replace(**change)))[0]
    assert (Happening(row.happening), Reason(row.reason)) == (Happening.REFUSED, reason)
    assert (book.open_orders().tobytes(), book.best()) == before
    free = change.get("order", 5) != 1
    assert book.send(GOOD)["happening"][0] == Happening.ACCEPTED or not free


def test_phase_reads_back(make):
    book = make(phase=Phase.PRE_OPEN)
    assert book.phase() == Phase.PRE_OPEN
    assert told(book.begin_phase(Phase.CONTINUOUS)) == [("PHASE_CHANGED", 0, Phase.CONTINUOUS, "none")]
