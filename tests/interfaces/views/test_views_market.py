"""Prices, depth, own orders, tickets, auctions and money, against what was sent to a small exchange."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from small_exchanges import buy, close, exchange, option, say, sell, send
from small_markets import Desk, eu

from tonne.interfaces.views import auctions_view, market_view, money, ticket, trader_view
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.found import NotFound

TODAY = date(2026, 3, 2)
D = Decimal


@pytest.fixture
def desk() -> Desk:
    """Continuous trading: anna offers 70 at 80.10 (30 of 100 sold to ben), 50 at 80.20; cleo bids 10 at 79.90; ben is long three lots of anna's."""
    desk = exchange()
    desk.accept("orders", by="venue", orders=[{"verb": "phase", "phase": "continuous"}])
    sell(desk, "anna", "80.10", 100)
    sell(desk, "anna", "80.20", 50)
    buy(desk, "ben", "80.10", 30)
    buy(desk, "cleo", "79.90", 10)
    buy(desk, "ben", "81.00", 5, "fut")
    sell(desk, "anna", "81.00", 3, "fut")
    return desk


def test_an_instrument_and_its_book(desk: Desk) -> None:
    spot, future = market_view.instruments(desk.state)
    assert (spot.last, spot.settlement, spot.change, spot.bid, spot.offer) == (D("80.10"), D("80.00"), D("0.10"), D("79.90"), D("80.10"))
    assert (spot.volume, spot.trades, spot.counted, spot.phase, spot.open_interest) == (30, 1, "units", "continuous", None)
    assert (future.volume, future.open_interest, future.counted, future.lot, future.expiry) == (3, 3, "lots", 1_000, date(2026, 3, 16))
    depth = market_view.depth(desk.state, "spot", 1)
    assert [(one.price, one.quantity, one.orders) for one in depth.offers] == [(D("80.10"), 70, 1)]
    assert [(one.price, one.quantity) for one in depth.bids] == [(D("79.90"), 10)]
    assert len(market_view.depth(desk.state, "spot", 5).offers) == 2
    with pytest.raises(NotFound) as lost:
        market_view.instrument(desk.state, "spott")
    assert lost.value.near == ("spot",)


def test_an_iceberg_shows_its_peak_and_no_more(desk: Desk) -> None:
    send(desk, say("ben", instrument="spot", side="sell", price="80.15", quantity=1_000, display=20))
    level = market_view.depth(desk.state, "spot", 5).offers[1]
    assert (level.price, level.quantity) == (D("80.15"), 20)
    own = trader_view.trader(desk.state, "ben").orders
    assert [(one.quantity, one.shown) for one in own if one.instrument == "spot"] == [(1_000, 20)]


def test_trades_name_no_party(desk: Desk) -> None:
    (trade,) = market_view.trades(desk.state, "spot")
    assert (trade.price, trade.quantity, trade.side, trade.negotiated) == (D("80.10"), 30, "buy", False)
    assert not {"account", "buyer", "seller", "order"} & set(trade.__dataclass_fields__)
    buy(desk, "cleo", "80.10", 5)
    assert [one.quantity for one in market_view.trades(desk.state, "spot", 1)] == [5]
    assert market_view.trades(desk.state, "spot", 0) == ()


def test_a_call_has_no_side_that_came() -> None:
    desk = exchange()
    desk.accept("orders", by="venue", orders=[{"verb": "phase", "phase": "opening_call"}])
    for who in ("ben", "cleo"):
        buy(desk, who, "80.00", 10)
    sell(desk, "anna", "80.00", 20)
    desk.accept("orders", by="venue", orders=[{"verb": "phase", "phase": "continuous"}])
    assert [one.side for one in market_view.trades(desk.state, "spot")] == [None, None]


def test_own_orders_trades_positions_and_margin(desk: Desk) -> None:
    anna = trader_view.trader(desk.state, "anna")
    assert [(one.price, one.quantity, one.side, one.aside_units) for one in anna.orders] == [
        (D("80.10"), 70, "sell", 70),
        (D("80.20"), 50, "sell", 50),
    ]
    assert [(one.instrument, one.side, one.quantity, one.came) for one in anna.trades] == [("fut", "sell", 3, True), ("spot", "sell", 30, False)]
    (short,) = anna.positions
    assert (short.lots, short.units, short.entry, short.gain_minor) == (-3, -3_000, D("81.00"), 0)
    (margin,) = anna.margins
    # three lots of a thousand units at a scan of 6.00
    assert (margin.held, margin.required, margin.for_orders, margin.free) == (100_000_000, 3 * 6_000_00, 0, 100_000_000 - 3 * 6_000_00)
    ben = trader_view.trader(desk.state, "ben")
    assert [(one.instrument, one.quantity) for one in ben.orders] == [("fut", 2)]
    assert (ben.positions[0].lots, ben.positions[0].bought) == (3, 2) and ben.margins[0].for_orders > 2 * 6_000_00
    assert trader_view.trader(desk.state, "venue").accounts == ()
    desk.accept("orders", by="anna", orders=[{"verb": "kill", "account": "t:anna"}])
    stopped = trader_view.trader(desk.state, "anna")
    assert (stopped.stopped, stopped.orders) == (("t:anna",), ())


def test_the_kept_list_of_orders_follows_the_book(desk: Desk, cache: Cache) -> None:
    assert len(trader_view.trader(desk.state, "anna", cache=cache).orders) == 2
    buy(desk, "cleo", "80.10", 70)
    assert [one.price for one in trader_view.trader(desk.state, "anna", cache=cache).orders] == [D("80.20")]


def test_a_closed_day_is_a_bar_and_gains_are_told_until_they_are_paid(desk: Desk) -> None:
    close(desk, spot="80.05", fut="82.00")
    (bar,) = market_view.bars(desk.state, "spot").to_dicts()
    assert (bar["day"], bar["open"], bar["high"], bar["low"], bar["close"]) == (TODAY, D("80.10"), D("80.10"), D("80.10"), D("80.10"))
    assert (bar["volume"], bar["value_minor"], bar["settlement"], bar["trades"]) == (30, 30 * 8010, D("80.05"), 1)
    after = market_view.instrument(desk.state, "fut")
    assert (after.settlement, after.settled_on, after.volume, after.change) == (D("82.00"), TODAY, 0, None)
    assert trader_view.trader(desk.state, "ben").positions[0].gain_minor == 0  # it was paid
    assert money.money(desk.state, "ben").cash[1].held == 100_000_000 + 3 * 1_000 * 100
    assert market_view.bars(desk.state, "spot", first=date(2026, 3, 3)).height == 0


def test_a_ticket_is_what_the_order_then_does(desk: Desk) -> None:
    order = {"account": "t:ben", "instrument": "spot", "side": "buy", "price": "80.20", "quantity": 130}
    seen = ticket.ticket(desk.state, "ben", order, TODAY)
    assert (seen.refused, seen.value_minor, seen.aside_minor, seen.trades_now) == ("", 130 * 8020, 130 * 8020, 120)
    assert seen.trades_now_minor == 70 * 8010 + 50 * 8020
    before = desk.held("t:ben", "EUR")
    buy(desk, "ben", "80.20", 130)
    assert before - desk.held("t:ben", "EUR") == seen.trades_now_minor
    left = trader_view.trader(desk.state, "ben").orders
    assert [(one.quantity, one.aside_minor) for one in left if one.instrument == "spot"] == [(10, 10 * 8020)]


def test_a_ticket_against_own_orders_and_beyond_what_is_there(desk: Desk) -> None:
    crossing = {"account": "t:anna", "instrument": "spot", "side": "buy", "price": "80.10", "quantity": 5}
    assert ticket.ticket(desk.state, "anna", crossing, TODAY).own_orders == (1,)
    assert ticket.ticket(desk.state, "anna", crossing | {"price": "80.20"}, TODAY).own_orders == (1, 2)
    assert ticket.ticket(desk.state, "anna", crossing | {"price": "80.09"}, TODAY).own_orders == ()
    dear = ticket.ticket(
        desk.state, "ben", {"account": "t:ben", "instrument": "spot", "side": "sell", "price": "90.00", "quantity": 2_000_000}, TODAY
    )
    assert (dear.refused, dear.aside_units, dear.available_units) == ("no_cover", 2_000_000, 1_000_030)
    off = ticket.ticket(desk.state, "ben", {"account": "t:ben", "instrument": "spot", "side": "sell", "price": "80.105", "quantity": 1}, TODAY)
    assert (off.refused, off.own_orders, off.value_minor) == ("off_tick", (), None)
    foreign = ticket.ticket(desk.state, "ben", {"account": "t:anna", "instrument": "spot", "side": "sell", "price": "80.10", "quantity": 1}, TODAY)
    assert foreign.refused == "not_permitted"
    with pytest.raises(NotFound):
        ticket.ticket(desk.state, "ben", {"account": "t:bem", "instrument": "spot"}, TODAY)


def test_margin_of_a_ticket_is_what_the_order_then_asks_for(desk: Desk) -> None:
    seen = ticket.ticket(desk.state, "ben", {"account": "t:ben", "instrument": "fut", "side": "sell", "price": "82.00", "quantity": 10}, TODAY)
    before = trader_view.trader(desk.state, "ben").margins[0]
    assert (seen.refused, seen.position_after, seen.free_minor, seen.aside_minor) == ("", 3 - 10, before.free, 0)
    sell(desk, "ben", "82.00", 10, "fut")
    assert trader_view.trader(desk.state, "ben").margins[0].for_orders - before.for_orders == seen.margin_minor > 0


def test_a_paid_premium_is_money_and_no_mark(desk: Desk) -> None:
    option(desk, "call", "call", "82.00")
    desk.accept("orders", by="venue", orders=[{"verb": "phase", "phase": "continuous"}])
    sell(desk, "anna", "2.00", 4, "call")
    seen = ticket.ticket(desk.state, "ben", {"account": "t:ben", "instrument": "call", "side": "buy", "price": "2.00", "quantity": 4}, TODAY)
    assert (seen.refused, seen.aside_minor, seen.trades_now_minor) == ("", 4 * 1_000 * 200, 4 * 1_000 * 200)
    buy(desk, "ben", "2.00", 4, "call")
    held = [one for one in trader_view.trader(desk.state, "ben").positions if one.instrument == "call"]
    assert [(one.lots, one.entry, one.gain_minor) for one in held] == [(4, None, 0)]
    assert market_view.instrument(desk.state, "call").strike == D("82.00")


def test_agreements_calls_and_movements() -> None:
    desk = exchange(collateral="20000")
    desk.accept("list_instrument", by="venue", contract="later", kind="spot", unit="EUA", reference="80.00", lag=2, terms={
        "lot": 1, "unit": "EUA", "tick": "0.01", "currency": "EUR", "settlement": "prefunded"})  # fmt: skip
    desk.accept("orders", by="venue", orders=[{"verb": "phase", "phase": "continuous"}])
    sell(desk, "anna", "80.00", 10, "later")
    buy(desk, "ben", "80.00", 10, "later")
    buy(desk, "ben", "81.00", 3, "fut")
    sell(desk, "anna", "81.00", 3, "fut")
    ben = money.money(desk.state, "ben")
    assert [(one.side, one.units, one.cost_minor, one.due) for one in ben.agreements] == [("buy", 10, 80_000, date(2026, 3, 4))]
    assert ben.totals == {"EUR": 10_000_000_00 - 80_000} and ben.calls == ()
    desk.accept("call_margin", by="venue", prices={"fut": "76.00"})
    (called,) = money.money(desk.state, "ben").calls
    # three lots at a scan of 6.00 and a loss of 5.00 a unit, against 20,000.00
    assert (called.source, called.amount_minor, called.open) == ("intraday", 18_000_00 + 15_000_00 - 20_000_00, False)
    close(desk, fut="76.00")
    (first, _) = money.money(desk.state, "ben").calls
    assert (first.source, first.open, first.account) == ("day_end", True, "t:ben")
    moved = money.movements(desk.state, "ben")
    assert moved.filter(pl.col("kind") == "variation").select("account", "direction", "quantity").rows() == [("collateral:t:ben", "out", 15_000_00)]
    with pytest.raises(NotFound):
        money.money(desk.state, "benn")


def test_nothing_is_listed() -> None:
    state = eu().state
    assert market_view.instruments(state) == () and trader_view.trader(state, "alice").orders == ()
    assert money.money(state, "alice").cash == () and money.movements(state, "alice").height == 0
    assert auctions_view.auctions(state).height == 0 and auctions_view.open_auctions(state, date(2019, 1, 1)) == ()


# -- auctions


@pytest.fixture
def sale() -> Desk:
    """2,000 units are auctioned on 6 March 2019, with guarantees; alice, bob and tom have 20,000.00 each."""
    desk = eu()
    desk.accept("register_participant", day="2019-03-04", participant="bank", name="Bank", role="bank")
    who = ["operator:A1", "operator:B1", "tom-1"]
    desk.accept("deposit", by="bank", currency="EUR", tables={"deposits": {"account": who, "minor": [2_000_000] * 3}})
    desk.accept("announce_auction", by="axel", auction="first", unit="EUA", quantity=2_000, held_on="2019-03-06", secured=True)
    return desk


def test_an_open_auction_and_bids_that_only_their_sender_sees(sale: Desk) -> None:
    today = date(2019, 3, 4)
    (found,) = auctions_view.open_auctions(sale.state, today)
    assert (found.auction, found.offered, found.days_left, found.secured, found.step) == ("first", 2_000, 2, True, 500)
    assert [(lot.unit, lot.quantity, lot.seller) for lot in found.lots] == [("EUA", 2_000, "auction")]
    preview = auctions_view.bid_preview(sale.state, "first", "alice", "operator:A1", [("15.00", 500), ("9.00", 500)], today)
    assert (preview.refused, preview.needed_minor, preview.there_minor, preview.short_minor) == ("", 900_000, 2_000_000, 0)
    sale.accept("bid", by="alice", auction="first", bids=[["operator:A1", "15.00", 500, ""], ["operator:A1", "9.00", 500, ""]])
    own = auctions_view.own_bids(sale.state, "first", "alice", today)
    assert [(one.price, one.quantity) for one in own.bids] == [(D("15.00"), 500), (D("9.00"), 500)]
    assert own.guarantee_minor == {"operator:A1": 900_000}
    assert auctions_view.own_bids(sale.state, "first", "bob", today).bids == ()
    again = auctions_view.bid_preview(sale.state, "first", "alice", "operator:A1", [("30.00", 1_000)], today)
    assert (again.there_minor, again.short_minor, again.refused) == (2_000_000, 1_000_000, "insufficient_balance")
    assert auctions_view.bid_preview(sale.state, "first", "alice", "operator:A1", [("15.00", 400)], today).refused == "odd_lot"
    assert auctions_view.bid_preview(sale.state, "first", "bob", "operator:A1", [("15.00", 500)], today).refused == "not_permitted"
    assert auctions_view.open_auctions(sale.state, date(2019, 3, 7)) == ()


def test_what_is_published_of_an_auction(sale: Desk) -> None:
    sale.accept("bid", by="alice", auction="first", bids=[["operator:A1", "10.00", 1_000, ""]])
    sale.accept("bid", by="bob", auction="first", bids=[["operator:B1", "8.00", 1_500, ""]])
    sale.accept("clear_auction", by="axel", day="2019-03-06", auction="first", seed=7)
    (row,) = auctions_view.auctions(sale.state).to_dicts()
    assert (row["auction"], row["day"], row["price"], row["sold"], row["unsold"]) == ("first", date(2019, 3, 6), D("8.00"), 2_000, 0)
    assert (row["cover_ratio"], row["bidders"], row["winners"], row["revenue_minor"]) == (D("1.25"), 2, 2, 2_000 * 800)
    assert auctions_view.result(sale.state, "first").fields == row
    with pytest.raises(NotFound) as lost:
        auctions_view.result(sale.state, "frist")
    assert lost.value.near == ("first",)
    with pytest.raises(NotFound):
        auctions_view.own_bids(sale.state, "first", "alice", date(2019, 3, 7))


def test_a_curve_of_bids_without_bidders() -> None:
    curve = auctions_view.bid_curve([("10.00", 500), ("12.50", 1_000), ("10.00", 250)])
    assert curve.rows() == [(D("12.50"), 1_000, 1_000), (D("10.00"), 750, 1_750)]
    assert auctions_view.bid_curve([]).height == 0


def test_every_auction_of_a_run_is_there(ran: object) -> None:
    frame = auctions_view.auctions(ran.outcome.state)  # type: ignore[attr-defined]
    told = ran.auctions()  # type: ignore[attr-defined]
    assert frame.height == told.height > 100
    assert frame["revenue_minor"].sum() == told["proceeds_minor"].sum()
    assert frame.filter(pl.col("year") == 2021)["sold"].sum() == told.filter(pl.col("year") == 2021)["sold"].sum()
