"""Market data: hand-made days with known bars, and every best price against a book that is asked after each instruction."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from tonne.market import data
from tonne.market.contract import Contract
from tonne.market.orders import EXECUTION, Happening, InstrumentRules, Lasting, Matching, Phase, Side, executions_of
from tonne.market.plain_book import PlainBook
from tonne.simulation.order_flow import FlowPlan, flow_rules, order_flow

MORNING = 1_767_603_600_000_000  # 2026-01-05 09:00 UTC
HOUR = 3_600_000_000
BUY, SELL = Side.BUY, Side.SELL


@pytest.fixture(scope="module")
def day():
    """A call and some continuous trading in one instrument, one trade in another; then the next day."""
    book = PlainBook([InstrumentRules(phase=Phase.OPENING_CALL, reference=100), InstrumentRules()])
    said = [
        book.limit(1, 1, BUY, 5, 102, time=MORNING),
        book.limit(2, 2, SELL, 3, 99, time=MORNING + 1),
        book.limit(3, 3, SELL, 4, 101, time=MORNING + 2),
        book.begin_phase(Phase.CONTINUOUS, 0, time=MORNING + 3),
        book.limit(4, 4, BUY, 6, 103, time=MORNING + 4),  # takes what is left of the sell order at 101
        book.limit(5, 5, SELL, 2, 98, time=MORNING + 5),
        book.limit(6, 6, SELL, 1, 500, instrument=1, time=MORNING + 6),
        book.market(7, 7, BUY, 1, instrument=1, time=MORNING + 7),
        book.limit(8, 8, BUY, 1, 98, time=MORNING + 15 * HOUR),  # 00:00 of the sixth
        book.limit(9, 9, SELL, 5, 97, time=MORNING + 15 * HOUR + 1),
    ]
    return book, np.concatenate(said)


def test_trades_say_who_bought_and_who_came(day):
    table = data.trades(day[1])
    assert table["trade"].to_list() == list(range(1, table.height + 1))
    rows = table.select("price", "quantity", "buyer", "seller", "buy_order", "sell_order", "aggressor", "in_call").rows()
    assert rows == [
        (101, 3, 1, 2, 1, 2, None, True),
        (101, 2, 1, 3, 1, 3, None, True),
        (101, 2, 4, 3, 4, 3, "buy", False),
        (103, 2, 4, 5, 4, 5, "sell", False),
        (500, 1, 7, 6, 7, 6, "buy", False),
        (103, 2, 4, 9, 4, 9, "sell", False),
        (98, 1, 8, 9, 8, 9, "sell", False),
    ]
    assert table["time"][0] == datetime(2026, 1, 5, 9, 0, 0, 3, tzinfo=UTC) and data.trades(day[1], 8)["trade"][0] == 8


def test_a_call_is_told_with_price_quantity_and_surplus(day):
    (row,) = data.auctions(day[1]).to_dicts()
    assert (row["phase"], row["price"], row["quantity"], row["surplus"], row["trades"]) == ("opening_call", 101, 5, -2, 2)


def test_bars_by_day_and_zone(day):
    bars = data.daily_bars(data.trades(day[1]))
    columns = ("instrument", "day", "open", "high", "low", "close", "volume", "value", "trades", "vwap")
    assert bars.select(columns).rows() == [
        (0, date(2026, 1, 5), 101, 103, 101, 103, 9, 913, 4, Decimal("101.444444")),
        (0, date(2026, 1, 6), 103, 103, 98, 98, 3, 304, 2, Decimal("101.333333")),
        (1, date(2026, 1, 5), 500, 500, 500, 500, 1, 500, 1, Decimal("500.000000")),
    ]
    ahead = data.daily_bars(data.trades(day[1]), "Asia/Shanghai")  # 09:00 UTC is 17:00 there, midnight 08:00
    assert ahead["day"].to_list() == [date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 5)]
    behind = data.daily_bars(data.trades(day[1]), "America/New_York")
    assert behind.select("instrument", "day", "trades").rows() == [(0, date(2026, 1, 5), 6), (1, date(2026, 1, 5), 1)]


def test_a_mean_price_is_rounded_half_to_even():
    assert data._vwap(1, 2_000_000) == Decimal("0.000000") and data._vwap(3, 2_000_000) == Decimal("0.000002")
    assert data._vwap(2**61 * 3, 3) == Decimal(2**61)


def test_a_value_beyond_int64_is_an_error_and_no_wrong_figure():
    rows = np.zeros(3, dtype=EXECUTION)
    rows["happening"], rows["price"], rows["quantity"] = int(Happening.TRADE), 2**31 - 1, 2**31 - 1
    with pytest.raises(pl.exceptions.PolarsError):
        data.daily_bars(data.trades(rows))


def test_nothing_makes_empty_tables_of_the_same_shape(day):
    nothing = np.zeros(0, dtype=EXECUTION)
    for table in (data.trades, data.auctions):
        assert table(nothing).height == 0 and table(nothing).schema == table(day[1]).schema
    assert data.daily_bars(data.trades(nothing)).height == 0
    assert data.daily_bars(data.trades(nothing)).columns == data.daily_bars(data.trades(day[1])).columns


def test_depth_shows_peaks_and_neither_stops_nor_market_orders():
    book = PlainBook([InstrumentRules(), InstrumentRules()])
    book.limit(1, 1, SELL, 50, 105, display=5)
    book.limit(2, 2, SELL, 3, 105)
    book.limit(3, 3, SELL, 1, 110)
    book.limit(4, 4, BUY, 2, 100)
    book.stop(5, 5, BUY, 9, 120, 121)
    book.stop(6, 6, SELL, 9, 80)
    book.limit(7, 7, BUY, 9, 104, instrument=1)
    rows = data.depth(book.open_orders(), 0, levels=1).rows()
    assert rows == [(1, "buy", 100, 2, 1), (1, "sell", 105, 8, 2)]
    assert data.depth(book.open_orders(), 0).height == 3 and data.depth(book.open_orders(), 1).rows() == [(1, "buy", 104, 9, 1)]
    assert data.depth(book.open_orders(), 2).height == 0


class Recorder(PlainBook):
    """A book that keeps what was sent."""

    sent: list

    def submit(self, instructions):
        self.sent = [*getattr(self, "sent", []), instructions.copy()]
        return super().submit(instructions)


def test_best_prices_by_hand():
    book = Recorder([InstrumentRules()])
    said = [
        book.limit(1, 1, SELL, 20, 105, display=5, time=1),
        book.stop(2, 2, BUY, 3, 105, 106, time=2),  # rests unseen
        book.limit(3, 3, BUY, 1, 105, time=3),  # one of the peak, and it sets off the stop for three more
        book.limit(4, 4, BUY, 2, 100, time=4),
        book.limit(5, 4, BUY, 6, 105, time=5),  # the last one of the peak, then the next peak
        book.cancel(4, 4, time=6),
    ]
    table = data.best_prices(np.concatenate(book.sent), np.concatenate(said))
    assert table.select("instruction", "bid", "bid_lots", "offer", "offer_lots").rows() == [
        (0, None, None, 105, 5),
        (2, None, None, 105, 1),
        (3, 100, 2, 105, 1),
        (4, 100, 2, 105, 5),
        (5, None, None, 105, 5),
    ]


@pytest.mark.parametrize("seed", range(4))
def test_best_prices_are_those_of_the_book_after_every_instruction(seed):
    """All kinds of matching, icebergs, stops, calls, amendments: the series is checked against `best` and `depth` row by row."""
    rules = flow_rules(5, seed)
    flow = order_flow(2_500, seed, rules, FlowPlan(rows_a_day=900))
    book, parts, expected, last = PlainBook(rules), [], [], {}
    for k in range(len(flow)):
        parts.append(book.submit(flow[k : k + 1]))
        for instrument in range(5):
            levels = book.depth(instrument, 1)
            best = tuple(part for side in levels for part in ((int(side[0][0]), int(side[0][1])) if len(side) else (None, None)))
            if best != last.get(instrument, (None,) * 4):
                last[instrument] = best
                expected.append((k, instrument, *best))
    table = data.best_prices(flow, np.concatenate(parts))
    found = table.select("instruction", "instrument", "bid", "bid_lots", "offer", "offer_lots").rows()
    assert sorted(found) == expected and len(expected) > 500


def test_best_prices_begin_anywhere_with_an_empty_book():
    rules = flow_rules(2)
    flow = order_flow(400, 3, rules, FlowPlan(rows_a_day=200))
    whole = PlainBook(rules).submit(flow)
    moved = whole.copy()
    moved["instruction"] += 1_000
    first, second = data.best_prices(flow, whole), data.best_prices(flow, moved, 1_000)
    assert first.drop("instruction").equals(second.drop("instruction")) and (second["instruction"] - first["instruction"] == 1_000).all()


# money


def _contract(id: str, tick: str, lot: int, currency: str) -> Contract:
    return Contract(id=id, venue="v", kind="future", unit="allowance", lot=lot, tick=Decimal(tick), currency=currency)


def test_prices_in_money_are_exact_with_each_contracts_own_tick():
    contracts = {0: _contract("a", "0.0025", 1_000, "EUR"), 1: _contract("b", "50", 1, "KRW")}
    bars = pl.DataFrame(
        {"instrument": [0, 1, 0], "open": [3, 7, None], "value": [10, 4, 1], "vwap": [Decimal("1.333333"), Decimal(2), None]},
        schema={"instrument": pl.Int32, "open": pl.Int64, "value": pl.Int64, "vwap": pl.Decimal(38, 6)},
    )
    told = data.priced(bars, contracts)
    assert told["open"].to_list() == [Decimal("0.0075"), Decimal(350), None] and str(told["open"][0]) == "0.0075"
    assert told["vwap"].to_list() == [Decimal("0.0033333325"), Decimal(100), None] and told["instrument"].to_list() == [0, 1, 0]
    money = data.in_money(bars, contracts)
    assert money["value"].to_list() == [10 * 250, 4 * 50, 250] and money["currency"].to_list() == ["EUR", "KRW", "EUR"]
    with pytest.raises(KeyError, match="instrument 1"):
        data.priced(bars, {0: contracts[0]})


def test_a_large_price_loses_nothing():
    table = pl.DataFrame({"instrument": [0], "price": [2**53 + 1]})
    assert data.priced(table, {0: _contract("a", "0.01", 1_000, "EUR")})["price"][0] == Decimal(2**53 + 1) / 100


# the day's summary


def test_a_summary_has_every_instrument_with_a_settlement_price(day):
    bars = data.daily_bars(data.trades(day[1]))
    settlement = pl.DataFrame(
        {"instrument": [0, 0, 1, 2], "day": [date(2026, 1, 6), date(2026, 1, 5), date(2026, 1, 5), date(2026, 1, 5)], "settlement": [99, 103, 500, 7]}
    )
    interest = pl.DataFrame({"instrument": [0], "day": [date(2026, 1, 6)], "open_interest": [12]})
    table = data.day_summary(bars, settlement, interest)
    columns = ("instrument", "day", "close", "settlement", "previous_settlement", "change", "volume", "trades", "open_interest")
    assert table.select(columns).rows() == [
        (0, date(2026, 1, 5), 103, 103, None, None, 9, 4, None),
        (0, date(2026, 1, 6), 98, 99, 103, -4, 3, 2, 12),
        (1, date(2026, 1, 5), 500, 500, None, None, 1, 1, None),
        (2, date(2026, 1, 5), None, 7, None, None, 0, 0, None),
    ]
    assert data.day_summary(bars, settlement)["open_interest"].null_count() == 4


def test_a_summary_refuses_two_settlement_prices_and_missing_columns(day):
    bars = data.daily_bars(data.trades(day[1]))
    twice = pl.DataFrame({"instrument": [0, 0], "day": [date(2026, 1, 5)] * 2, "settlement": [1, 2]})
    with pytest.raises(ValueError, match="two settlement prices"):
        data.day_summary(bars, twice)
    with pytest.raises(ValueError, match="settlement are missing"):
        data.day_summary(bars, twice.drop("settlement"))


def test_takers_choice_and_a_stop_out_of_a_call_are_told_apart():
    """The stop that the end of a call sets off trades outside the call."""
    book = PlainBook([InstrumentRules(phase=Phase.OPENING_CALL), InstrumentRules(matching=Matching.TAKERS_CHOICE)])
    said = [
        book.limit(1, 1, BUY, 2, 100, time=1),
        book.limit(2, 2, SELL, 2, 100, time=1),
        book.limit(3, 3, SELL, 4, 103, time=1),
        book.stop(4, 4, BUY, 3, 100, 104, time=1, lasting=Lasting.GTC),
        book.limit(5, 5, SELL, 4, 50, instrument=1, time=1),
        book.take(6, 6, BUY, 3, 5, instrument=1, time=1),
        book.begin_phase(Phase.CONTINUOUS, 0, time=2),
    ]
    table = data.trades(np.concatenate(said))
    assert table.select("price", "quantity", "aggressor", "in_call").rows() == [(50, 3, "buy", False), (100, 2, None, True), (103, 3, "buy", False)]
    assert data.auctions(np.concatenate(said))["trades"].to_list() == [1]
    assert [row.happening for row in executions_of(said[-1])].count(Happening.TRADE) == 2
