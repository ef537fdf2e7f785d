"""Futures and options: novation, variation to the cent, margin, calls, expiry."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from small_exchanges import FAMILY, aside, buy, check, close, exchange, free, future, last_order, option, owed, pay, position, say, sell, send
from small_markets import Desk

EUROS = 10_000_000_00
COLLATERAL = 1_000_000_00
UNITS = 1_000_000
SCAN = 6_000_00  # 6.00 on 1,000 units, in cents
SPREAD = 100_00


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = exchange()
    yield desk
    check(desk)
    desk.check()


def trade(desk: Desk, price: str, lots: int, code: str = "fut", seller: str = "anna", buyer: str = "ben") -> None:
    sell(desk, seller, price, lots, instrument=code)
    buy(desk, buyer, price, lots, instrument=code)


def collateral(desk: Desk, who: str) -> int:
    return desk.held(f"collateral:t:{who}", "EUR")


def test_the_central_counterparty_stands_between(desk: Desk) -> None:
    trade(desk, "81.00", 20)
    trade(desk, "81.50", 5, seller="ben", buyer="cleo")
    assert [desk.held(f"position:t:{who}", "fut") for who in ("anna", "ben", "cleo")] == [-20, 15, 5]
    assert desk.held("ccp", "fut") == 0
    assert desk.held("ccp", "EUR") == 0


def test_margin_stands_behind_positions_and_open_orders(desk: Desk) -> None:
    trade(desk, "81.00", 20)
    assert aside(desk, "collateral:t:anna", "EUR") == aside(desk, "collateral:t:ben", "EUR") == 20 * SCAN
    sell(desk, "anna", "82.00", 5, instrument="fut")
    assert aside(desk, "collateral:t:anna", "EUR") == 20 * SCAN + 5 * (SCAN + SPREAD)
    buy(desk, "anna", "80.00", 15, instrument="fut")  # buying back asks for nothing
    assert aside(desk, "collateral:t:anna", "EUR") == 20 * SCAN + 5 * (SCAN + SPREAD)
    most = (COLLATERAL - 20 * SCAN - 5 * (SCAN + SPREAD)) // (SCAN + SPREAD)
    order = say("anna", instrument="fut", side="sell", price="82.00", quantity=most + 1)
    desk.refuse("no_cover", "orders", by="anna", orders=[order])
    sell(desk, "anna", "82.00", most, instrument="fut")
    desk.refuse("no_cover", "withdraw", by="anna", account="collateral:t:anna", amount="10000.00", currency="EUR")
    desk.refuse("no_cover", "transfer", by="anna", from_="collateral:t:anna", to="t:anna", unit="EUR", quantity=10_000_00)


def test_variation_runs_from_the_trade_to_the_first_mark_and_from_mark_to_mark(desk: Desk) -> None:
    trade(desk, "81.10", 20)
    close(desk, fut="82.00")
    assert (collateral(desk, "anna"), collateral(desk, "ben")) == (COLLATERAL - 20 * 900_00, COLLATERAL + 20 * 900_00)
    trade_day = close(desk, "2026-03-03", fut="81.37")
    assert trade_day.events[0]["sources"] == ["previous", "given"]
    assert (collateral(desk, "anna"), collateral(desk, "ben")) == (COLLATERAL - 20 * 270_00, COLLATERAL + 20 * 270_00)
    assert desk.held("ccp", "EUR") == 0


def test_the_settlement_price_is_the_mean_of_the_trades_by_lots_or_the_middle_of_quotes(desk: Desk) -> None:
    trade(desk, "83.60", 20)
    trade(desk, "83.51", 10)
    assert close(desk).events[0]["marks"][1] == 8_357
    buy(desk, "ben", "83.00", 1, instrument="fut", day="2026-03-03")
    sell(desk, "anna", "83.10", 1, instrument="fut")
    reply = close(desk)
    assert (reply.events[0]["marks"][1], reply.events[0]["sources"][1]) == (8_305, "quotes")


def test_a_day_closes_while_a_call_collects_orders_that_cross(desk: Desk) -> None:
    send(desk, {"verb": "phase", "phase": "closing_call", "instrument": "fut"})
    sell(desk, "anna", "80.00", 1, instrument="fut")
    buy(desk, "ben", "82.00", 1, instrument="fut")
    reply = close(desk)
    assert (reply.events[0]["marks"][1], reply.events[0]["sources"][1]) == (8_100, "previous")


def test_fees_go_to_the_house_and_everything_sums_to_zero(desk: Desk) -> None:
    future(desk, "dear", expiry="2026-06-15", fee="3.50")
    trade(desk, "81.00", 20, code="dear")
    close(desk, dear="81.00")
    assert desk.held("ccp-capital", "EUR") == 2 * 20 * 3_50
    assert collateral(desk, "anna") == collateral(desk, "ben") == COLLATERAL - 20 * 3_50
    close(desk, "2026-03-03", dear="81.00")
    assert desk.held("ccp-capital", "EUR") == 2 * 20 * 3_50


def test_who_is_called_pays_in_and_is_no_longer_called(desk: Desk) -> None:
    trade(desk, "81.00", 150)
    close(desk, fut="84.00")
    state = desk.state
    anna = state.accounts.number("t:anna")
    need = 150 * SCAN
    left = COLLATERAL - 150 * 3_000_00
    reply = close(desk, "2026-03-03", fut="84.00")
    assert reply.events[0]["called"] == [[anna, state.unit("EUR"), need - left]]
    desk.refuse("no_cover", "withdraw", by="anna", account="collateral:t:anna", amount="0.01", currency="EUR")
    order = say("anna", instrument="fut", side="sell", price="84.00", quantity=1)
    desk.refuse("no_cover", "orders", by="anna", orders=[order])
    buy(desk, "anna", "83.00", 10, instrument="fut")  # what only reduces may always be ordered
    pay(desk, "collateral:t:anna", f"{(need - left) // 100}.{(need - left) % 100:02}")
    assert desk.accept("collect", by="venue").events[0]["called"] == []
    check(desk)


def test_a_loss_beyond_collateral_is_owed_and_collected_later_and_the_winner_is_paid_at_once(desk: Desk) -> None:
    trade(desk, "81.00", 150)
    reply = close(desk, fut="91.00")
    loss = 150 * 10_000_00
    assert owed(desk, "anna") == loss - COLLATERAL
    assert reply.events[0]["owed"] == {f"{desk.state.accounts.number('t:anna')}:{desk.state.unit('EUR')}": loss - COLLATERAL}
    assert collateral(desk, "ben") == COLLATERAL + loss
    assert desk.held("ccp", "EUR") == -(loss - COLLATERAL)
    pay(desk, "collateral:t:anna", "200000.00")
    desk.refuse("no_cover", "withdraw", by="anna", account="collateral:t:anna", amount="0.01", currency="EUR")
    assert desk.accept("collect", by="venue").events[0]["still_owed"] == 1
    assert owed(desk, "anna") == loss - COLLATERAL - 200_000_00
    close(desk, "2026-03-03", fut="90.00")  # a gain of 150,000.00 pays off debts first
    assert owed(desk, "anna") == loss - COLLATERAL - 200_000_00 - 150_000_00
    pay(desk, "collateral:t:anna", "1000000.00")
    desk.accept("collect", by="venue")
    assert (owed(desk, "anna"), desk.held("ccp", "EUR")) == (0, 0)


def test_positions_have_limits(desk: Desk) -> None:
    future(desk, "narrow", expiry="2026-06-15", position_limit_lots=10)
    trade(desk, "81.00", 6, code="narrow")
    buy(desk, "ben", "80.00", 4, instrument="narrow")
    order = say("ben", instrument="narrow", side="buy", price="80.00", quantity=1)
    desk.refuse("position_limit", "orders", by="ben", orders=[order])
    sell(desk, "ben", "83.00", 16, instrument="narrow")
    desk.refuse("position_limit", "orders", by="ben", orders=[order | {"side": "sell", "price": "84.00"}])


def test_taking_and_amending_ask_for_the_right_side_of_margin(desk: Desk) -> None:
    future(desk, "listed", expiry="2026-06-15", matching="takers_choice", position_limit_lots=10)
    sell(desk, "anna", "81.00", 10, instrument="listed")
    take = say("ben", "take", instrument="listed", side="buy", against=last_order(desk), quantity=10, order=last_order(desk) + 1)
    send(desk, take, by="ben")
    assert position(desk, "ben", "listed") == 10
    buy(desk, "anna", "80.00", 5, instrument="listed")
    more = say("anna", "amend", order=last_order(desk), instrument="listed", quantity=21)
    desk.refuse("position_limit", "orders", by="anna", orders=[more])
    send(desk, more | {"quantity": 20}, by="anna")


# -- expiry of futures


def expired(desk: Desk, lots: int = 20, price: str = "82.00") -> None:
    trade(desk, "81.00", lots)
    close(desk, "2026-03-16", fut=price)


def test_a_future_is_delivered_at_its_last_settlement_price(desk: Desk) -> None:
    trade(desk, "81.00", 20)
    desk.refuse("not_due", "expire_instrument", by="venue", instrument="fut")
    close(desk, "2026-03-16", fut="82.00")
    close(desk, "2026-03-17")
    desk.accept("expire_instrument", by="venue", instrument="fut")
    check(desk)
    assert (desk.held("t:anna"), desk.held("t:ben")) == (UNITS - 20_000, UNITS + 20_000)
    assert (desk.held("t:anna", "EUR"), desk.held("t:ben", "EUR")) == (EUROS + 20_000 * 8_200, EUROS - 20_000 * 8_200)
    assert (collateral(desk, "anna"), collateral(desk, "ben")) == (COLLATERAL - 20 * 1_000_00, COLLATERAL + 20 * 1_000_00)
    assert not desk.state.exchange.position.any() and not desk.state.exchange.basis.any() and not desk.state.exchange.owed.any()
    assert aside(desk, "collateral:t:anna", "EUR") == 0
    assert desk.held("ccp", "EUR") == 0
    desk.refuse("nothing_to_do", "expire_instrument", by="venue", instrument="fut")


@pytest.mark.parametrize(("failing", "price"), [("anna", "85.00"), ("ben", "79.00")])
def test_who_cannot_deliver_or_pay_makes_good_what_the_other_lost(desk: Desk, failing: str, price: str) -> None:
    expired(desk)
    if failing == "anna":
        desk.accept("transfer", by="anna", from_="t:anna", to="t:cleo", unit="EUA", quantity=UNITS - 19_999)
    else:
        desk.accept("transfer", by="ben", from_="t:ben", to="t:cleo", unit="EUR", quantity=EUROS - 20_000 * 8_200 + 1)
    desk.refuse("not_covered", "expire_instrument", by="venue", instrument="fut")
    desk.accept("expire_instrument", by="venue", instrument="fut", price=price)
    check(desk)
    other = "ben" if failing == "anna" else "anna"
    gain = {"anna": -20 * 1_000_00, "ben": 20 * 1_000_00}
    assert collateral(desk, failing) == COLLATERAL + gain[failing] - 20 * 3_000_00
    assert collateral(desk, other) == COLLATERAL + gain[other] + 20 * 3_000_00
    assert not desk.state.exchange.position.any()
    assert desk.held("ccp", "EUR") == 0


def test_what_can_be_delivered_is_and_the_rest_waits(desk: Desk) -> None:
    trade(desk, "81.00", 20)
    trade(desk, "81.00", 10, seller="cleo")
    close(desk, "2026-03-16", fut="82.00")
    desk.accept("set_account_flags", account="t:cleo", flags=["BLOCKED"])
    assert desk.accept("expire_instrument", by="venue", instrument="fut").events[0]["left"] == 10
    check(desk)
    close(desk, "2026-03-17")
    desk.accept("set_account_flags", account="t:cleo", flags=[])
    assert desk.accept("expire_instrument", by="venue", instrument="fut").events[0]["left"] == 0
    assert desk.held("t:ben") == UNITS + 30_000


def test_a_failure_beyond_collateral_is_owed(desk: Desk) -> None:
    expired(desk, lots=160, price="81.00")
    desk.accept("transfer", by="anna", from_="t:anna", to="t:cleo", unit="EUA", quantity=UNITS)
    desk.accept("expire_instrument", by="venue", instrument="fut", price="91.00")
    check(desk)
    assert (owed(desk, "anna"), collateral(desk, "anna")) == (160 * 10_000_00 - COLLATERAL, 0)
    assert collateral(desk, "ben") == COLLATERAL + 160 * 10_000_00


def test_a_contract_settled_in_cash_ends_with_its_last_variation(desk: Desk) -> None:
    future(desk, "cash", expiry="2026-03-09", delivery="cash")
    trade(desk, "81.00", 20, code="cash")
    close(desk, "2026-03-09", cash="83.00")
    desk.accept("expire_instrument", by="venue", instrument="cash")
    check(desk)
    assert (desk.held("t:anna"), desk.held("t:ben")) == (UNITS, UNITS)
    assert collateral(desk, "ben") == COLLATERAL + 20 * 2_000_00
    assert not desk.state.exchange.position.any()


# -- options


def test_a_premium_is_paid_at_the_trade_and_counts_while_it_is_only_ordered(desk: Desk) -> None:
    option(desk, "call-82", "call", "82.00")
    buy(desk, "ben", "2.00", 100, instrument="call-82")  # 200,000.00 of premiums
    assert aside(desk, "collateral:t:ben", "EUR") >= 200_000_00
    order = say("ben", instrument="call-82", side="buy", price="2.00", quantity=300)
    desk.refuse("no_cover", "orders", by="ben", orders=[order])
    more = say("ben", "amend", order=last_order(desk), instrument="call-82", price="9.00")
    desk.refuse("no_cover", "orders", by="ben", orders=[more])
    desk.refuse("limit_needed", "orders", by="ben", orders=[say("ben", instrument="call-82", side="buy", kind="market", quantity=1)])
    sell(desk, "anna", "2.00", 100, instrument="call-82")
    assert (collateral(desk, "ben"), collateral(desk, "anna")) == (COLLATERAL - 200_000_00, COLLATERAL + 200_000_00)
    close(desk)
    assert (collateral(desk, "ben"), collateral(desk, "anna")) == (COLLATERAL - 200_000_00, COLLATERAL + 200_000_00)


def test_a_premium_that_losses_have_eaten_is_owed(desk: Desk) -> None:
    option(desk, "call-82", "call", "82.00")
    buy(desk, "ben", "2.00", 100, instrument="call-82", lasting="gtc")
    trade(desk, "81.00", 30)
    close(desk, fut="51.00")  # ben loses 900,000.00
    sell(desk, "cleo", "2.00", 40, instrument="call-82", day="2026-03-03")
    assert (owed(desk, "ben"), collateral(desk, "ben")) == (0, 20_000_00)
    sell(desk, "anna", "2.00", 60, instrument="call-82")
    assert (owed(desk, "ben"), collateral(desk, "ben")) == (100_000_00, 0)
    assert collateral(desk, "cleo") == COLLATERAL + 80_000_00
    assert collateral(desk, "anna") == COLLATERAL + 900_000_00 + 120_000_00


@pytest.mark.parametrize("premium", ["paid", "futures_style"])
@pytest.mark.parametrize(("right", "last"), [("call", "85.00"), ("call", "80.00"), ("put", "80.00"), ("put", "85.00")])
def test_over_its_life_an_option_brings_what_it_is_worth_less_its_premium(desk: Desk, premium: str, right: str, last: str) -> None:
    option(desk, "opt", right, "82.00", premium=premium)
    trade(desk, "2.00", 10, code="opt")
    close(desk, opt="3.10", fut="83.00")
    close(desk, "2026-03-09", fut=last, opt="1.70")  # whatever the option itself was last settled at
    close(desk, "2026-03-10", fut="84.00")  # what came later does not decide
    desk.refuse("not_due", "expire_instrument", by="venue", instrument="fut")
    desk.accept("expire_instrument", by="venue", instrument="opt")
    check(desk)
    worth = max(0, (int(float(last) * 100) - 8_200) * (1 if right == "call" else -1))
    lots = (10 if right == "call" else -10) if worth else 0
    assert [position(desk, who) for who in ("ben", "anna")] == [lots, -lots]
    close(desk, "2026-03-11", fut=last)
    profit = 10 * (worth - 200) * 10_00
    assert collateral(desk, "ben") == COLLATERAL + profit
    assert collateral(desk, "anna") == COLLATERAL - profit
    assert not desk.state.exchange.owed.any()


def test_an_option_whose_future_has_ended_too_is_settled_in_cash(desk: Desk) -> None:
    option(desk, "opt", "call", "80.00", expiry="2026-03-16")
    trade(desk, "2.00", 10, code="opt")
    close(desk, "2026-03-16", fut="85.00")
    desk.accept("expire_instrument", by="venue", instrument="opt")
    assert collateral(desk, "ben") == COLLATERAL + 10 * 3_000_00
    assert not desk.state.exchange.position.any()


def test_margin_may_be_set_anew_and_is_asked_for_by_the_next_act(desk: Desk) -> None:
    trade(desk, "81.00", 20)
    desk.accept("set_margin", by="venue", families=[FAMILY | {"price_scan": "12.00"}])
    desk.accept("collect", by="venue")
    assert aside(desk, "collateral:t:anna", "EUR") == 20 * 2 * SCAN
    assert free(desk, "collateral:t:anna", "EUR") == COLLATERAL - 20 * 2 * SCAN


def test_a_call_during_the_day_counts_losses_and_not_gains() -> None:
    """10 lots at 81.00 need 60,000.00; ten euro against the buyer are another 100,000.00."""
    desk = exchange(collateral="150000")
    sell(desk, "anna", "81.00", 10, instrument="fut")
    buy(desk, "ben", "81.00", 10, instrument="fut")
    before = desk.state.exchange.to_bytes()
    assert desk.accept("call_margin", by="venue").events[0]["calls"] == []
    need = int(desk.state.exchange.cover[:, desk.state.unit("EUR")].max())
    reply = desk.accept("call_margin", by="venue", prices={"fut": "71.00"})
    assert reply.events[0]["calls"] == [["t:ben", "EUR", need + 10_000_000 - 15_000_000]]
    assert desk.accept("call_margin", by="venue", prices={"fut": "71.00"}, trigger="1").events[0]["calls"] == []
    assert desk.state.exchange.to_bytes() == before
    desk.refuse("malformed", "call_margin", by="venue", prices={"none": "71.00"})
    desk.refuse("malformed", "call_margin", by="venue", trigger="2")
    desk.refuse("not_permitted", "call_margin", by="ben")
    desk.check()
