"""Settlement prices, variation and premium: what changes hands every day."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.clearing.call import calls
from tonne.clearing.margin import Book, Family, Held, initial_margin
from tonne.clearing.option import Option
from tonne.clearing.position import after_trades, open_interest, trades_of
from tonne.clearing.settlement_price import Evidence, NoPrice, settlement_curve, settlement_price
from tonne.clearing.variation import day, option_value, premium, variation
from tonne.units import DOWN

N, M = 4, 3
PRICES = st.lists(st.integers(-500, 12_000), min_size=M, max_size=M)
TRADES = st.lists(
    st.tuples(st.integers(0, N - 1), st.integers(0, N - 1), st.integers(0, M - 1), st.integers(0, 12_000), st.integers(1, 900)), max_size=20
)
VALUES = st.lists(st.integers(1, 5_000), min_size=M, max_size=M)
PAID = st.lists(st.booleans(), min_size=M, max_size=M)


@given(TRADES, TRADES, PRICES, PRICES, VALUES, PAID)
def test_every_day_adds_up_to_zero_and_each_account_by_hand(before: list, today: list, previous: list, now: list, values: list, paid: list) -> None:
    opening = after_trades(np.zeros((N, M), dtype=np.int64), trades_of(before))
    found = day(opening, trades_of(today), previous, now, values, paid)
    variations, premiums = [0] * N, [0] * N
    for account in range(N):
        for i in range(M):
            if not paid[i]:
                variations[account] += int(opening[account, i]) * (now[i] - previous[i]) * values[i]
    for buyer, seller, i, price, lots in today:
        for account, side in ((buyer, 1), (seller, -1)):
            if paid[i]:
                premiums[account] -= side * lots * price * values[i]
            else:
                variations[account] += side * lots * (now[i] - price) * values[i]
    assert found.variation.tolist() == variations and found.premium.tolist() == premiums
    assert sum(variations) == sum(premiums) == 0 and int(found.total.sum()) == 0
    assert found.positions.tolist() == after_trades(opening, trades_of(today)).tolist()


@given(TRADES, PRICES, PRICES, VALUES)
def test_two_days_of_a_future_are_worth_what_it_moved(trades: list, first: list, last: list, values: list) -> None:
    """A trade marked on its own day and the next brings its whole way from the price agreed."""
    nobody = np.zeros((N, M), dtype=np.int64)
    one = day(nobody, trades_of(trades), first, first, values)
    two = day(one.positions, trades_of([]), first, last, values)
    at_once = day(nobody, trades_of(trades), first, last, values)
    assert (one.variation + two.variation).tolist() == at_once.variation.tolist()


def test_the_examples_of_the_text() -> None:
    assert variation(np.array([[10], [-10]]), [8_290], [8_360], [1_000]).tolist() == [700_000, -700_000]
    assert premium(trades_of([(0, 1, 0, 250, 5)]), [1_000], [True], 2).tolist() == [-1_250_000, 1_250_000]
    assert premium(trades_of([(0, 1, 0, 250, 5)]), [1_000], [False], 2).tolist() == [0, 0]


def test_the_two_premium_styles_cost_the_same_in_the_end() -> None:
    """5 options bought at 250 that end at 400: paid, 250 at once and an asset of 400; futures-style, 150 of variation and no asset."""
    nobody, bought = np.zeros((2, 1), dtype=np.int64), trades_of([(0, 1, 0, 250, 5)])
    paid, futures_style = (day(nobody, bought, [0], [400], [1_000], [style]) for style in (True, False))
    assert paid.premium.tolist() == [-1_250_000, 1_250_000] and not paid.variation.any()
    assert futures_style.variation.tolist() == [750_000, -750_000] and not futures_style.premium.any()
    assert (paid.premium + option_value(paid.positions, [400], [1_000], [True])).tolist() == futures_style.variation.tolist()
    assert not option_value(futures_style.positions, [400], [1_000], [False]).any()


def test_trades_in_the_window_come_first() -> None:
    seen = Evidence([8_360, 8_351, 9_999], [20, 10, 500], [100, 119, 120], bid=8_000, offer=8_001, previous=7_000)
    price = settlement_price(seen, window=(100, 120))
    assert (price.ticks, price.source, price.lots) == (8_357, "trades", 30)
    assert settlement_price(Evidence([3, 4], [1, 1]), rounding=DOWN).ticks == 3
    assert settlement_price(Evidence([3, 4], [1, 1])).ticks == 4  # a half goes up, by name


def test_then_quotes_then_the_day_before() -> None:
    thin = Evidence([8_360], [4], bid=8_340, offer=8_351, previous=8_300)
    assert settlement_price(thin, least_lots=5).ticks == 8_346  # 8,345.5
    assert settlement_price(thin, least_lots=5).source == "quotes"
    wide = settlement_price(thin, least_lots=5, widest_spread=10)
    assert (wide.ticks, wide.source) == (8_340, "previous")  # lifted to the bid
    assert settlement_price(thin, least_lots=5, widest_spread=10, move=60).ticks == 8_351  # 8,360 lowered to the offer
    with pytest.raises(NoPrice, match="set one by hand"):
        settlement_price(Evidence(bid=5))
    with pytest.raises(ValueError, match="crossed"):
        settlement_price(Evidence(bid=5, offer=4))
    with pytest.raises(ValueError, match="needs the times"):
        settlement_price(Evidence([1], [1]), window=(0, 1))


@given(st.integers(-100, 10_000), st.integers(0, 200))
def test_the_middle_lies_within_bid_and_offer(bid: int, width: int) -> None:
    assert bid <= settlement_price(Evidence(bid=bid, offer=bid + width)).ticks <= bid + width


def test_an_expiry_without_a_price_moves_with_its_neighbour() -> None:
    traded, quoted = Evidence([8_360], [50], previous=8_290), Evidence(bid=9_000, offer=9_010, previous=9_005)
    curve = settlement_curve([traded, Evidence(previous=8_500), Evidence(previous=8_700), quoted, Evidence(previous=9_300)])
    assert [(one.ticks, one.source) for one in curve] == [
        (8_360, "trades"), (8_570, "previous"), (8_700, "previous"), (9_005, "quotes"), (9_300, "previous"),
    ]  # fmt: skip
    tied = settlement_curve([traded, Evidence(previous=8_500), quoted])
    assert tied[1].ticks == 8_570  # between +70 and 0 equally near: the earlier


def test_the_day_of_the_document() -> None:
    """docs/clearing.md, "One day in figures": alpha, beta, gamma; a December future and a call on it."""
    price = settlement_price(Evidence([8_360, 8_351], [20, 10], previous=8_290))
    call = Option("call", 90, Decimal("0.38"), 24, Decimal("0.02"))
    worth = call.ticks(Decimal("83.57"), Decimal("0.01"))
    assert (price.ticks, worth) == (8_357, 109)
    trades = trades_of([(2, 1, 0, 8_320, 30), (0, 1, 1, 110, 25)])
    done = day(np.array([[120, 0], [-120, 0], [0, 0]]), trades, [8_290, 0], [price.ticks, worth], [1_000, 1_000], [False, True])
    assert done.variation.tolist() == [8_040_000, -9_150_000, 1_110_000] and done.premium.tolist() == [-2_750_000, 2_750_000, 0]
    assert done.positions.tolist() == [[120, 25], [-150, -25], [30, 0]] and open_interest(done.positions).tolist() == [150, 25]
    family = Family(
        name="allowance",
        currency="EUR",
        lot=1_000,
        price_scan=6,
        volatility_scan=Decimal("0.10"),
        short_option_minimum=50,
        extreme_share=Decimal("0.33"),
    )
    future = Held(code="f", family="allowance", price=Decimal("83.57"), month="2026-12")
    option = Held(code="c", family="allowance", price=Decimal("1.09"), month="2026-12", option=call, future=Decimal("83.57"))
    margin = initial_margin(done.positions, Book((family,), (future, option)))
    assert margin.scan[:, 0].tolist() == [74_609_586, 98_132_065, 18_000_000] and margin.worst[:, 0].tolist() == [14, 15, 13]
    assert margin.minimum[:, 0].tolist() == [0, 125_000, 0] and margin.option_value[:, 0].tolist() == [2_725_000, -2_725_000, 0]
    assert margin.required[:, 0].tolist() == [71_884_586, 100_857_065, 18_000_000]
    called = calls(margin.required[:, 0], [40_000_000, 90_000_000, 20_000_000], step=100_000)
    assert called.call.tolist() == [31_900_000, 10_900_000, 0] and called.excess.tolist() == [0, 0, 2_000_000]
