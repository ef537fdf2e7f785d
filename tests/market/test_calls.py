"""Calls: one price for all, and orders that keep everything they came with. Each case runs on both books."""

from __future__ import annotations

import pytest

from tonne.market.order_book import OrderBook
from tonne.market.orders import Happening, InstrumentRules, Lasting, OrderFlag, OrderKind, Phase, Reason, SelfTrade, Side, executions_of
from tonne.market.plain_book import PlainBook

BUY, SELL = Side


@pytest.fixture(params=[OrderBook, PlainBook])
def make(request):
    return lambda **rules: request.param([InstrumentRules(**{"phase": Phase.OPENING_CALL, **rules})])


def trades(rows):
    return [(r.order, r.against, r.price, r.quantity) for r in executions_of(rows) if r.happening == Happening.TRADE]


def uncrossed(rows):
    return [(r.price, r.quantity, r.left) for r in executions_of(rows) if r.happening == Happening.UNCROSSED]


def test_the_published_opening_call(make):
    """facts/trading.yaml, worked example of an opening call of the Korea Exchange: 600 at 7,830; the second sell at 7,830 gets 100 of 200."""
    sells = {7860: [450], 7850: [750], 7840: [300], 7830: [150, 200, 50], 7820: [200], 7810: [150]}
    buys = {7850: [100], 7840: [150], 7830: [200, 150], 7820: [400], 7810: [500], 7800: [650]}
    book, number, of = make(), 0, {}
    for side, table in ((SELL, sells), (BUY, buys)):
        for price, quantities in table.items():
            for quantity in quantities:
                number += 1
                of[number] = (side, price, quantity)
                book.limit(number, number, side, quantity, price)
    rows = book.begin_phase(Phase.CONTINUOUS)
    assert uncrossed(rows) == [(7830, 600, -150)]
    filled = dict.fromkeys(of, 0)
    for buy, sell, price, quantity in trades(rows):
        assert price == 7830
        filled[buy] += quantity
        filled[sell] += quantity
    got = {key: [filled[n] for n, (side, price, _) in of.items() if (side, price) == key] for key in {(s, p) for s, p, _ in of.values()}}
    assert (got[SELL, 7810], got[SELL, 7820], got[SELL, 7830], got[SELL, 7840]) == ([150], [200], [150, 100, 0], [0])
    assert (got[BUY, 7850], got[BUY, 7840], got[BUY, 7830], got[BUY, 7820]) == ([100], [150], [200, 150], [0])
    assert book.trade_price() == 7830
    assert book.best() == (7820, 7830)


@pytest.mark.parametrize(
    ("orders", "reference", "price", "volume"),
    [
        ([(SELL, 10, 100), (BUY, 10, 110)], 104, 104, 10),  # all ticks alike: the reference
        ([(SELL, 10, 100), (BUY, 10, 110)], 150, 110, 10),  # nearest to it
        ([(SELL, 10, 100), (BUY, 10, 110)], 0, 110, 10),  # without one: the higher
        ([(SELL, 10, 100), (BUY, 4, 110), (BUY, 6, 105)], 109, 105, 10),  # the largest volume first
        ([(SELL, 10, 100), (BUY, 14, 110), (SELL, 3, 106)], 101, 106, 13),
        ([(SELL, 10, 100), (BUY, 12, 110), (BUY, 3, 102)], 100, 103, 10),  # then the smallest surplus: 2 above 102, 5 below
        ([(SELL, 5, 0), (BUY, 5, 0)], 90, 90, 5),  # market orders alone: the reference
        ([(SELL, 5, 0), (BUY, 5, 0)], 0, 0, 0),  # and nothing without one
        ([(SELL, 5, 0), (BUY, 3, 80)], 90, 80, 3),
        ([(SELL, 5, 101), (BUY, 3, 80)], 90, 0, 0),
    ],
)  # fmt: skip
def test_the_price_of_a_call(make, orders, reference, price, volume):
    book = make(reference=reference)
    for n, (side, quantity, limit) in enumerate(orders, 1):
        book.limit(n, n, side, quantity, limit) if limit else book.market(n, n, side, quantity)
    rows = book.begin_phase(Phase.CONTINUOUS)
    assert [(p, v) for p, v, _ in uncrossed(rows)] == ([(price, volume)] if volume else [])
    assert (book.open_orders()["price"] > 0).all()  # market orders do not outlast the call


def test_market_orders_first_then_price_then_time(make):
    book = make()
    book.limit(1, 1, BUY, 5, 100)
    book.limit(2, 2, BUY, 5, 101)
    book.market(3, 3, BUY, 5)
    book.limit(4, 4, BUY, 5, 101)
    book.limit(5, 5, SELL, 12, 99)
    assert [t[0] for t in trades(book.begin_phase(Phase.CONTINUOUS))] == [3, 2, 4]


def test_a_call_asks_nobodys_account_but_the_choice_is_kept_for_afterwards(make):
    book = make()
    book.limit(1, 1, BUY, 5, 100, self_trade=SelfTrade.CANCEL_OLD)
    book.limit(2, 1, SELL, 3, 100)
    book.limit(3, 1, SELL, 4, 105)
    assert trades(book.begin_phase(Phase.CONTINUOUS)) == [(1, 2, 100, 3)]
    rows = executions_of(book.amend(1, 1, price=105))
    assert [(r.happening, r.order, r.reason) for r in rows[1:]] == [(Happening.CANCELLED, 3, Reason.OWN_ORDER)]


# what other engines lost when an order entered during a call


def test_an_iceberg_shows_its_peak_after_the_call_too(make):
    book = make()
    book.limit(1, 1, SELL, 50, 100, display=10)
    assert book.depth().sell.tolist() == [[100, 10, 1]]
    book.begin_phase(Phase.CONTINUOUS)
    assert book.depth().sell.tolist() == [[100, 10, 1]]
    assert [t[3] for t in trades(book.limit(2, 2, BUY, 25, 100))] == [10, 10, 5]


def test_an_iceberg_that_traded_in_a_call_shows_what_is_left_of_its_peak_or_the_next_and_then_stands_last(make):
    for bought, shown, first in ((4, 6, 1), (25, 10, 2)):
        book = make()
        book.limit(1, 1, SELL, 50, 100, display=10)
        book.limit(2, 2, SELL, 5, 100)
        book.limit(3, 3, BUY, bought, 100)
        rows = book.begin_phase(Phase.CONTINUOUS)
        assert book.order(1).shown == shown
        assert (Happening.REPLENISHED in rows["happening"]) == (first == 2)
        assert trades(book.limit(4, 4, BUY, 1, 100))[0][1] == first


def test_a_good_till_date_order_of_a_call_ends_on_its_day(make):
    book = make()
    book.limit(1, 1, BUY, 5, 90, lasting=Lasting.GTD, expires=20_000)
    book.limit(2, 1, BUY, 5, 91, lasting=Lasting.GTC)
    book.limit(3, 1, BUY, 5, 92)
    book.begin_phase(Phase.CONTINUOUS)
    book.begin_phase(Phase.VOLATILITY_CALL)
    book.begin_phase(Phase.CONTINUOUS)
    assert book.end_day(19_999)["order"][:-1].tolist() == [3]
    rows = book.end_day(20_000)
    assert (rows["order"][0], rows["happening"][0], rows["reason"][0]) == (1, Happening.EXPIRED, Reason.DAY_END)
    assert book.open_orders()["order"].tolist() == [2]


def test_flags_and_marks_of_the_sender_survive_every_phase(make):
    book = make(phase=Phase.PRE_OPEN)
    book.limit(1, 1, BUY, 5, 90, flags=OrderFlag.POST_ONLY | 0x2500, lasting=Lasting.GTC)
    book.stop(2, 2, SELL, 7, 80, 79, display=2, self_trade=SelfTrade.DECREMENT, flags=0x100, lasting=Lasting.GTD, expires=9)
    before = book.open_orders().tobytes()
    for phase in (*list(Phase)[:-1], Phase.OPENING_CALL, Phase.CONTINUOUS):
        book.begin_phase(phase)
        assert book.open_orders().tobytes() == before
    book.limit(3, 3, SELL, 5, 95)
    assert book.amend(1, 1, price=95)["reason"][0] == Reason.WOULD_TAKE


def test_a_stop_entered_in_a_call_waits_for_trading_and_can_be_cancelled_before(make):
    book = make()
    book.stop(1, 1, BUY, 5, 100, 105)
    book.stop(2, 2, BUY, 5, 100)
    book.limit(3, 3, BUY, 1, 101)
    book.limit(4, 4, SELL, 1, 101)
    book.limit(5, 5, SELL, 9, 104)
    assert book.cancel(2, 2)["happening"][0] == Happening.CANCELLED
    rows = executions_of(book.begin_phase(Phase.CONTINUOUS))
    assert [r.order for r in rows if r.happening == Happening.TRIGGERED] == [1]
    assert [(r.order, r.against, r.price, r.quantity) for r in rows if r.happening == Happening.TRADE] == [(3, 4, 101, 1), (1, 5, 104, 5)]


# phases


def test_a_call_takes_no_order_that_must_trade_at_once(make):
    book = make()
    for lasting in (Lasting.IOC, Lasting.FOK):
        assert book.limit(1, 1, BUY, 5, 100, lasting=lasting)["reason"][0] == Reason.OUTSIDE_SESSION


@pytest.mark.parametrize("phase", [Phase.HALT, Phase.POST_CLOSE, Phase.CLOSED])
def test_outside_trading_only_cancelling(make, phase):
    book = make()
    book.limit(1, 1, BUY, 5, 100)
    book.limit(2, 2, BUY, 5, 100)
    book.begin_phase(phase)
    assert book.limit(3, 3, BUY, 5, 100)["reason"][0] == Reason.OUTSIDE_SESSION
    assert book.amend(1, 1, quantity=2)["reason"][0] == Reason.OUTSIDE_SESSION
    assert book.cancel(1, 1)["happening"][0] == Happening.CANCELLED
    assert book.mass_cancel(2)["quantity"].tolist() == [5, 1]


def test_a_halt_in_a_call_keeps_what_was_collected_until_trading_goes_on(make):
    book = make()
    book.limit(1, 1, BUY, 5, 102)
    book.market(2, 2, SELL, 3)
    assert trades(book.begin_phase(Phase.HALT)) == []
    assert trades(book.begin_phase(Phase.CONTINUOUS)) == [(1, 2, 102, 3)]


def test_a_closing_call_uncrosses_into_the_close_and_pre_open_does_not(make):
    book = make(phase=Phase.CLOSING_CALL)
    book.limit(1, 1, BUY, 5, 102)
    book.limit(2, 2, SELL, 5, 101)
    assert len(trades(book.begin_phase(Phase.POST_CLOSE))) == 1
    book = make(phase=Phase.PRE_OPEN)
    book.limit(1, 1, BUY, 5, 102)
    book.limit(2, 2, SELL, 5, 101)
    assert trades(book.begin_phase(Phase.OPENING_CALL)) == []
    assert len(trades(book.begin_phase(Phase.CONTINUOUS))) == 1


def test_an_instrument_that_has_expired_never_opens_again(make):
    book = make()
    book.limit(1, 1, BUY, 5, 102, lasting=Lasting.GTC)
    rows = executions_of(book.begin_phase(Phase.EXPIRED))
    assert [(r.happening, r.reason) for r in rows] == [(Happening.PHASE_CHANGED, 0), (Happening.EXPIRED, Reason.INSTRUMENT_EXPIRED)]
    assert book.limit(2, 1, BUY, 5, 102)["reason"][0] == Reason.INSTRUMENT_EXPIRED
    assert book.begin_phase(Phase.CONTINUOUS, instrument=0)["reason"][0] == Reason.INSTRUMENT_EXPIRED
    assert len(book.begin_phase(Phase.CONTINUOUS)) == 0


# the circuit breaker


def test_a_trade_outside_the_breaker_begins_a_call_instead(make):
    book = make(phase=Phase.CONTINUOUS, reference=100, breaker=5)
    book.limit(1, 1, SELL, 5, 104)
    book.limit(2, 1, SELL, 5, 106)
    rows = executions_of(book.limit(3, 3, BUY, 8, 110))
    assert [(r.happening, r.price, r.quantity, r.reason) for r in rows[1:]] == [
        (Happening.TRADE, 104, 5, 0),
        (Happening.PHASE_CHANGED, 106, Phase.VOLATILITY_CALL, Reason.VOLATILITY),
    ]
    assert book.phase() == Phase.VOLATILITY_CALL
    assert book.order(3).left == 3  # it takes part in the call
    assert uncrossed(book.begin_phase(Phase.CONTINUOUS)) == [(106, 3, -2)]
    assert book.phase() == Phase.CONTINUOUS


def test_what_must_trade_at_once_ends_when_the_call_begins(make):
    for lasting in (Lasting.IOC, Lasting.FOK):
        book = make(phase=Phase.CONTINUOUS, reference=100, breaker=5)
        book.limit(1, 1, SELL, 5, 104)
        book.limit(2, 1, SELL, 5, 106)
        rows = executions_of(book.limit(3, 3, BUY, 8, 110, lasting=lasting))
        if lasting == Lasting.FOK:  # it does not fill, so nothing trades and nothing breaks
            assert [r.reason for r in rows] == [Reason.NOT_FILLABLE]
            assert book.phase() == Phase.CONTINUOUS
        else:
            assert (rows[-1].happening, rows[-1].reason, rows[-1].quantity) == (Happening.CANCELLED, Reason.VOLATILITY, 3)


def test_the_price_limits_of_the_day(make):
    book = make(phase=Phase.CONTINUOUS, reference=100, lowest_accepted=90, highest_accepted=110)
    assert book.limit(1, 1, BUY, 5, 111)["reason"][0] == Reason.PRICE_LIMIT
    assert book.limit(1, 1, BUY, 5, 110)["happening"][0] == Happening.ACCEPTED
    assert book.amend(1, 1, price=89)["reason"][0] == Reason.PRICE_LIMIT
    rows = executions_of(book.set_reference(90, 81, 99))
    assert [(r.happening, r.order, r.reason) for r in rows[:-1]] == [(Happening.CANCELLED, 1, Reason.PRICE_LIMIT)]
    assert book.set_reference(120, 81, 99)["reason"][0] == Reason.BAD_INSTRUCTION
    book.market(2, 2, BUY, 1)
    assert book.limit(3, 1, BUY, 5, 99, flags=0)["happening"][0] == Happening.ACCEPTED
    assert book.order(3).kind == OrderKind.LIMIT
