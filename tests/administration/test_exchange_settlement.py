"""Spot trades that settle later, fail, are bought in; units that may not be sold again at once; trades that two parties agree beside the book."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from small_exchanges import aside, buy, check, close, exchange, free, refusals, say, sell, send, spot
from small_markets import Desk

import tonne
from tonne.dates import day_number, to_day

EUROS = 10_000_000_00
UNITS = 1_000_000


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = exchange()
    yield desk
    check(desk)
    desk.check()


@pytest.fixture
def eex(desk: Desk) -> Desk:
    """The spot contract as the venue's file has it: lots of 1,000, one business day, two after 16:00 in Berlin."""
    desk.accept("list_instrument", by="venue", contract="eex-eua-spot", unit="EUA", reference="80.00")
    return desk


def trade(desk: Desk, price: str, quantity: int, time: str, instrument: str = "eex-eua-spot") -> None:
    """Anna sells to ben at a time."""
    sell(desk, "anna", price, quantity, instrument=instrument, time=time)
    buy(desk, "ben", price, quantity, instrument=instrument, time=time)


def due_days(desk: Desk) -> list[int]:
    return [int(day) for day in desk.state.exchange.due["due"]]


def day(text: str) -> int:
    return day_number(to_day(text))


def test_before_the_cutoff_a_trade_settles_on_the_next_business_day_after_it_on_the_one_after_that(eex: Desk) -> None:
    trade(eex, "80.00", 5_000, "15:59:59")
    trade(eex, "80.00", 3_000, "16:00:01")
    assert due_days(eex) == [day("2026-03-03"), day("2026-03-04")]
    assert (aside(eex, "t:anna"), aside(eex, "t:ben", "EUR")) == (8_000, 8_000 * 8_000)
    assert eex.held("t:ben") == UNITS


def test_a_friday_afternoon_trade_settles_on_tuesday(eex: Desk) -> None:
    eex.accept("open_account", by="anna", account="t:later", kind="trading", day="2026-03-06")
    trade(eex, "80.00", 1_000, "17:00")
    assert due_days(eex) == [day("2026-03-10")]


def test_around_easter_the_calendar_of_the_clearing_house_counts(eex: Desk) -> None:
    eex.accept("open_account", by="anna", account="t:later", kind="trading", day="2026-04-02")  # Maundy Thursday
    trade(eex, "80.00", 1_000, "10:00")
    assert due_days(eex) == [day("2026-04-07")]  # Tuesday: Good Friday and Easter Monday are holidays of the euro's payments


def test_units_meet_money_on_the_day(eex: Desk) -> None:
    trade(eex, "80.05", 5_000, "10:00")
    trade(eex, "80.05", 1_000, "16:30")
    eex.refuse("nothing_to_do", "settle", by="venue")
    reply = eex.accept("settle", by="venue", day="2026-03-03")
    assert (reply.events[0]["count"], reply.events[0]["failed"]) == (1, [])
    check(eex)
    assert eex.held("t:ben") == UNITS + 5_000
    assert eex.held("t:anna", "EUR") == EUROS + 5_000 * 8_005
    assert (aside(eex, "t:anna"), aside(eex, "t:ben", "EUR")) == (1_000, 1_000 * 8_005)


def test_units_bought_for_later_cannot_be_sold_before_they_are_there(eex: Desk) -> None:
    sell(eex, "cleo", "80.00", UNITS, instrument="eex-eua-spot")
    buy(eex, "ben", "80.00", 100_000, instrument="eex-eua-spot")
    order = say("ben", instrument="eex-eua-spot", side="sell", price="80.00", quantity=UNITS + 1_000)
    eex.refuse("no_cover", "orders", by="ben", orders=[order])


def test_a_blocked_seller_fails_and_settles_when_it_is_free_again(eex: Desk) -> None:
    trade(eex, "80.00", 5_000, "10:00")
    eex.accept("set_account_flags", account="t:anna", flags=["BLOCKED"])
    eex.refuse("orders_open", "set_account_flags", account="t:anna", flags=["CLOSED"])
    reply = eex.accept("settle", by="venue", day="2026-03-03")
    assert (reply.events[0]["numbers"], reply.events[0]["failed"]) == ([], [1])
    check(eex)
    eex.accept("set_account_flags", account="t:anna", flags=[])
    eex.accept("settle", by="venue", day="2026-03-04")
    assert eex.held("t:ben") == UNITS + 5_000


@pytest.mark.parametrize(("failing", "price"), [("seller", "84.00"), ("buyer", "76.00")])
def test_who_fails_pays_what_the_other_lost_and_the_fee(eex: Desk, failing: str, price: str) -> None:
    who, other = ("anna", "ben") if failing == "seller" else ("ben", "anna")
    trade(eex, "80.00", 5_000, "10:00")
    eex.accept("set_account_flags", account=f"t:{who}", flags=["BLOCKED"])
    eex.refuse("nothing_to_do", "buy_in", by="venue", number=1, failing=failing, price=price)
    eex.accept("settle", by="venue", day="2026-03-03")
    for wrong in ({"price": "-1"}, {"price": "NaN"}, {"price": price, "fee": "-1"}, {"price": price, "failing": "both"}):
        eex.refuse("malformed", "buy_in", by="venue", **{"number": 1, "failing": failing, "price": price, **wrong})
    eex.accept("buy_in", by="venue", number=1, failing=failing, price=price, fee="250.00")
    check(eex)
    assert eex.held(f"t:{other}", "EUR") == EUROS + 5_000 * 400
    assert eex.held(f"t:{who}", "EUR") == EUROS - 5_000 * 400 - 250_00
    assert eex.held("ccp-capital", "EUR") == 250_00
    assert eex.held("t:anna") == eex.held("t:ben") == UNITS
    assert aside(eex, "t:anna") == aside(eex, "t:ben", "EUR") == 0
    eex.refuse("nothing_to_do", "buy_in", by="venue", number=1, failing=failing, price=price)


def test_a_buy_in_beyond_what_is_there_is_refused_by_name(eex: Desk) -> None:
    trade(eex, "80.00", 100_000, "10:00")
    eex.accept("withdraw", by="anna", account="t:anna", amount="10000000.00", currency="EUR")
    eex.accept("set_account_flags", account="t:anna", flags=["BLOCKED"])
    eex.accept("settle", by="venue", day="2026-03-03")
    eex.refuse("insufficient_balance", "buy_in", by="venue", number=1, failing="seller", price="90.00")


# -- China's way: listing and taking, and no resale on the day


@pytest.fixture
def cea() -> Iterator[Desk]:
    desk = Desk(tonne.rulebook("china-national-ets"), "2026-03-02", 2026)
    for name, role in (("venue", "venue"), ("bank", "bank"), ("anna", "trader"), ("ben", "trader"), ("cleo", "trader")):
        desk.accept("register_participant", participant=name, name=name.title(), role=role)
    desk.accept("add_unit_type", code="CEA", kind="allowance", measure="tonne", vintage=None)
    desk.accept("open_exchange", by="venue", venue="seee")
    for name in ("anna", "ben", "cleo"):
        desk.accept("open_account", by=name, account=f"t:{name}", kind="trading")
        desk.accept("transfer", from_="outside", to=f"t:{name}", unit="CEA", quantity=UNITS)
        desk.accept("transfer", from_="bank", to=f"t:{name}", unit="CNY", quantity=EUROS)
        desk.accept("admit", by="venue", account=f"t:{name}")
    desk.accept("list_instrument", by="venue", contract="china-cea", unit="CEA", reference="70.00")
    send(desk, {"verb": "phase", "phase": "continuous", "instrument": "china-cea"})
    yield desk
    check(desk)
    desk.check()


def list_sale(desk: Desk, who: str, price: str, quantity: int) -> int:
    sell(desk, who, price, quantity, instrument="china-cea")
    return int(desk.state.exchange.book.highest)


def take(desk: Desk, who: str, side: str, against: int, quantity: int, **rest: str) -> dict[str, int]:
    number = int(desk.state.exchange.book.highest) + 1
    order = say(who, "take", instrument="china-cea", side=side, against=against, quantity=quantity, order=number, **rest)
    return refusals(send(desk, order, by=who))


def test_the_taker_chooses_and_pays_the_listed_price(cea: Desk) -> None:
    first, second = list_sale(cea, "anna", "70.00", 1_000), list_sale(cea, "cleo", "70.00", 1_000)
    assert take(cea, "ben", "buy", second, 400) == {}
    assert cea.held("t:ben", "CEA") == UNITS + 400
    assert cea.held("t:cleo", "CNY") == EUROS + 400 * 7_000
    assert (aside(cea, "t:anna", "CEA"), aside(cea, "t:cleo", "CEA")) == (1_000, 600)
    assert take(cea, "ben", "sell", first, 10) == {"unknown_order": 1}
    assert take(cea, "anna", "buy", first, 10) == {"own_order": 1}
    order = say("ben", "take", instrument="china-cea", side="buy", against=first, quantity=1_000_000, order=99)
    cea.refuse("no_cover", "orders", by="ben", orders=[order])


def test_only_the_best_five_levels_may_be_taken(cea: Desk) -> None:
    numbers = [list_sale(cea, "anna", f"7{place}.00", 10) for place in range(6)]
    assert take(cea, "ben", "buy", numbers[5], 10) == {"not_in_five": 1}
    assert take(cea, "ben", "buy", numbers[4], 10) == {}


def test_a_listing_stays_within_a_tenth_of_the_last_close_and_below_the_size_of_a_block(cea: Desk) -> None:
    assert refusals(sell(cea, "anna", "77.01", 10, instrument="china-cea")) == {"price_limit": 1}
    assert refusals(sell(cea, "anna", "70.00", 100_000, instrument="china-cea")) == {"order_limit": 1}
    take(cea, "ben", "buy", list_sale(cea, "anna", "77.00", 10), 10)
    close(cea)
    assert refusals(sell(cea, "anna", "84.70", 10, instrument="china-cea", day="2026-03-03")) == {}
    assert refusals(sell(cea, "anna", "84.71", 10, instrument="china-cea", day="2026-03-03")) == {"price_limit": 1}


def test_what_was_bought_today_is_sold_tomorrow(cea: Desk) -> None:
    take(cea, "ben", "buy", list_sale(cea, "anna", "70.00", 50_000), 50_000)
    order = say("ben", instrument="china-cea", side="sell", price="70.00", quantity=99_999)
    list_sale(cea, "ben", "77.00", 99_999)  # of what was there before, all may be sold
    cea.accept("cancel", by="ben", from_="t:ben", unit="CEA", quantity=850_001, reason="to see")
    assert free(cea, "t:ben", "CEA") == 100_000
    cea.refuse("resale_lock", "orders", by="ben", orders=[order])
    report = {"method": "block", "instrument": "china-cea", "buyer": "t:cleo", "seller": "t:ben", "price": "70.00", "quantity": 100_000}
    cea.refuse("resale_lock", "report_trade", by="venue", **report)
    cea.accept("orders", by="ben", day="2026-03-03", orders=[order])


def test_a_block_has_its_own_size_limit_and_hours_and_does_not_move_the_close(cea: Desk) -> None:
    report = {"method": "block", "instrument": "china-cea", "buyer": "t:ben", "seller": "t:anna", "price": "90.00", "quantity": 100_000}
    cea.refuse("below_minimum", "report_trade", by="venue", **report | {"quantity": 99_999})
    cea.refuse("price_limit", "report_trade", by="venue", **report | {"price": "91.01"})
    cea.refuse("outside_session", "report_trade", by="venue", **report | {"time": "10:00"})
    cea.refuse("own_account", "report_trade", by="venue", **report | {"seller": "t:ben"})
    cea.refuse("no_cover", "report_trade", by="venue", **report | {"quantity": 1_000_001})
    cea.refuse("above_maximum", "report_trade", by="venue", **report | {"quantity": 2**31})
    cea.refuse("malformed", "report_trade", by="venue", **report | {"method": "whisper"})
    cea.accept("report_trade", by="venue", **report)
    check(cea)
    assert cea.held("t:ben", "CEA") == UNITS + 100_000
    reply = close(cea)
    assert reply.events[0]["marks"] == [7_000]
    bar = cea.state.exchange.bars[-1]
    assert (int(bar["volume"]), int(bar["negotiated"])) == (0, 100_000)


def test_two_parties_agree_by_saying_the_same(desk: Desk) -> None:
    offer = {"instrument": "spot", "account": "t:anna", "counterparty": "t:ben", "side": "sell", "price": "80.50", "quantity": 10_000}
    desk.refuse("not_permitted", "propose_trade", by="ben", proposal="p1", **offer)
    desk.accept("propose_trade", by="anna", proposal="p1", **offer)
    desk.refuse("already_exists", "propose_trade", by="anna", proposal="p1", **offer)
    desk.refuse("not_permitted", "answer_trade", by="cleo", proposal="p1", answer="accept", price="80.50", quantity=10_000)
    desk.refuse("not_permitted", "answer_trade", by="anna", proposal="p1", answer="accept", price="80.50", quantity=10_000)
    desk.refuse("terms_differ", "answer_trade", by="ben", proposal="p1", answer="accept", price="80.49", quantity=10_000)
    desk.refuse("malformed", "answer_trade", by="ben", proposal="p1", answer="perhaps")
    desk.accept("answer_trade", by="ben", proposal="p1", answer="accept", price="80.50", quantity=10_000)
    check(desk)
    assert desk.held("t:ben") == UNITS + 10_000
    desk.refuse("unknown_order", "answer_trade", by="ben", proposal="p1", answer="decline")
    desk.accept("propose_trade", by="anna", proposal="p2", **offer)
    desk.accept("answer_trade", by="ben", proposal="p2", answer="decline")
    desk.accept("propose_trade", by="anna", proposal="p3", **offer)
    desk.accept("answer_trade", by="anna", proposal="p3", answer="withdraw")
    desk.accept("propose_trade", by="anna", proposal="p4", **offer)
    desk.refuse("expired", "answer_trade", by="ben", day="2026-03-03", proposal="p4", answer="accept", price="80.50", quantity=10_000)
    close(desk)
    desk.refuse("unknown_order", "answer_trade", by="ben", proposal="p4", answer="decline")


def test_legs_are_agreed_all_or_none(desk: Desk) -> None:
    units = {"instrument": "spot", "buyer": "t:ben", "seller": "t:anna", "price": "80.00", "quantity": 10_000}
    lots = {"instrument": "fut", "buyer": "t:anna", "seller": "t:ben", "price": "81.00", "quantity": 10}
    desk.refuse("no_cover", "report_trade", by="venue", method="exchange_for_physical", legs=[units, lots | {"quantity": 100_000}])
    desk.accept("report_trade", by="venue", method="exchange_for_physical", legs=[units, lots])
    check(desk)
    assert desk.held("t:ben") == UNITS + 10_000
    assert desk.state.exchange.position[:, 1].tolist() == [10, -10, 0]


def test_a_lag_of_none_after_the_market_is_copied(desk: Desk) -> None:
    """A contract written out by the venue, settled two days later, in a copy of the market that goes its own way."""
    other = desk.copy()
    spot(other, "slow", settlement_lag=2)
    sell(other, "anna", "80.00", 10, instrument="slow")
    buy(other, "ben", "80.00", 10, instrument="slow")
    assert due_days(other) == [day("2026-03-04")]
    other.check()
