"""What the exchange says no to, by which name, and that the no changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from small_exchanges import FAMILY, FUTURE, SPOT, buy, check, close, exchange, future, instructions, last_order, refusals, say, sell, send, spot
from small_markets import Desk

import tonne
from tonne.market.orders import Side, Verb


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = exchange()
    yield desk
    check(desk)
    desk.check()


def sale(**rest: Any) -> dict[str, Any]:
    return {"instrument": "spot", "side": "sell", "price": "80.00", "quantity": 10, **rest}


# -- the whole command is refused


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("unknown_instrument", sale(instrument="spots")),
        ("unknown_account", sale(account="t:nobody")),
        ("off_tick", sale(price="80.005")),
        ("odd_lot", sale(instrument="lots", quantity=1_500)),
        ("malformed", sale(price="eighty")),
        ("malformed", sale(quantity=-5)),
        ("malformed", sale(quantity="5")),
        ("malformed", sale(side="short")),
        ("malformed", sale(time="25:00")),
        ("malformed", sale(colour="red")),
        ("no_cover", sale(quantity=1_000_001)),
        ("no_cover", sale(side="buy", quantity=1_000_000)),
        ("not_permitted", sale(account="t:ben")),
        ("not_admitted", sale(account="t:stranger")),
        ("not_admitted", sale(account="collateral:t:anna")),
    ],
)
def test_an_order_that_cannot_be(desk: Desk, name: str, order: dict[str, Any]) -> None:
    spot(desk, "lots", lot=1_000)
    desk.accept("open_account", by="anna", account="t:stranger", kind="trading")
    book = desk.state.exchange.book.state_hash()
    desk.refuse(name, "orders", by="anna", orders=[{"verb": "new", "account": "t:anna", **order}])
    assert desk.state.exchange.book.state_hash() == book


def test_a_member_without_collateral_accounts_trades_no_futures(desk: Desk) -> None:
    desk.accept("open_account", by="anna", account="t:cash-only", kind="trading")
    desk.accept("admit", by="venue", account="t:cash-only")
    order = {"verb": "new", "account": "t:cash-only", "instrument": "fut", "side": "buy", "price": "81.00", "quantity": 1}
    desk.refuse("not_admitted", "orders", by="anna", orders=[order])
    desk.accept("admit", by="venue", account="t:cash-only", clearing=True)
    desk.refuse("no_cover", "orders", by="anna", orders=[order])


def test_nothing_is_traded_after_its_last_day(desk: Desk) -> None:
    sell(desk, "anna", "81.00", 1, instrument="fut", lasting="gtc")
    close(desk, "2026-03-16")
    assert not len(desk.state.exchange.book.open_orders())
    order = say("anna", instrument="fut", side="sell", price="81.00", quantity=1)
    desk.refuse("instrument_expired", "orders", by="anna", day="2026-03-17", orders=[order])
    report = {"method": "block", "instrument": "fut", "buyer": "t:ben", "seller": "t:anna", "price": "81.00", "quantity": 1}
    desk.refuse("instrument_expired", "report_trade", by="venue", day="2026-03-17", **report)
    desk.refuse("instrument_expired", "close_day", by="venue", day="2026-03-17", prices={"fut": "81.00"})


def test_on_the_last_day_without_a_close_the_next_day_is_too_late(desk: Desk) -> None:
    order = say("anna", instrument="fut", side="sell", price="81.00", quantity=1)
    desk.refuse("instrument_expired", "orders", by="anna", day="2026-03-17", orders=[order])


# -- a row is refused by the book


def test_the_book_refuses_by_name(desk: Desk) -> None:
    spot(desk, "banded", price_limit="0.10")
    sell(desk, "anna", "80.00", 10)
    number = last_order(desk)
    held = desk.state.exchange.book.open_orders()

    def refused(*orders: dict[str, Any], by: str = "anna") -> dict[str, int]:
        return refusals(send(desk, *orders, by=by))

    assert refused(say("anna", **sale(order=number))) == {"duplicate_order": 1}
    assert refused(say("ben", "cancel", order=number), by="ben") == {"not_the_account": 1}
    assert refused(say("anna", "cancel", order=number + 50)) == {"unknown_order": 1}
    assert refused(say("anna", **sale(quantity=0))) == {"bad_quantity": 1}
    assert refused(say("anna", **sale(price="0.00"))) == {"bad_price": 1}
    assert refused(say("anna", **sale(instrument="banded", price="88.01"))) == {"price_limit": 1}
    assert refused(say("anna", **sale(side="buy", post_only=True))) == {"would_take": 1}
    assert refused(say("anna", **sale(display=11))) == {"bad_quantity": 1}
    assert len(desk.state.exchange.book.open_orders()) == len(held)
    send(desk, say("anna", **sale(time="15:00", price="81.00")))
    assert refused(say("anna", **sale(time="14:59")), by="venue") == {"clock_backwards": 1}
    buy(desk, "ben", "80.00", 10)
    assert refused(say("anna", "cancel", order=number)) == {"order_not_open": 1}
    assert refused(say("anna", "amend", order=number, instrument="spot", quantity=5)) == {"order_not_open": 1}


def test_an_own_order_is_not_traded_with(desk: Desk) -> None:
    sell(desk, "anna", "80.00", 10)
    reply = buy(desk, "anna", "80.00", 10)
    assert [row["reason"] for row in reply.events[0]["rows"]] == ["none", "own_order"]
    assert desk.held("t:anna") == 1_000_000


def test_orders_above_the_contracts_limit_are_refused(desk: Desk) -> None:
    spot(desk, "small", max_order_lots=100)
    assert refusals(sell(desk, "anna", "80.00", 101, instrument="small")) == {"order_limit": 1}


def test_outside_the_session_nothing_enters(desk: Desk) -> None:
    for phase in ("halt", "post_close", "closed"):
        send(desk, {"verb": "phase", "phase": phase, "instrument": "spot"})
        assert refusals(sell(desk, "anna", "80.00", 1)) == {"outside_session": 1}


def test_a_killed_account_is_refused_until_it_is_revived(desk: Desk) -> None:
    sell(desk, "anna", "80.00", 10)
    send(desk, say("anna", "kill"), by="anna")
    assert refusals(sell(desk, "anna", "80.00", 1)) == {"killed": 1}
    desk.refuse("not_permitted", "orders", by="anna", orders=[say("anna", "revive")])
    report = {"method": "block", "instrument": "spot", "buyer": "t:ben", "seller": "t:anna", "price": "80.00", "quantity": 1}
    desk.refuse("account_blocked", "report_trade", by="venue", **report)
    send(desk, say("anna", "revive"))
    sell(desk, "anna", "80.00", 1)


# -- flags of accounts


@pytest.mark.parametrize("flag", ["BLOCKED", "CLOSED", "ONE_WAY"])
def test_an_account_with_orders_in_the_book_is_not_stopped_until_they_are_out(desk: Desk, flag: str) -> None:
    sell(desk, "anna", "80.00", 10)
    desk.refuse("orders_open", "set_account_flags", account="t:anna", flags=[flag])
    buy(desk, "ben", "80.00", 4)
    send(desk, say("anna", "kill"))
    desk.accept("set_account_flags", account="t:anna", flags=[flag])
    send(desk, say("anna", "revive"))
    desk.refuse("account_blocked", "orders", by="anna", orders=[say("anna", **sale())])
    report = {"method": "block", "instrument": "spot", "buyer": "t:ben", "seller": "t:anna", "price": "80.00", "quantity": 1}
    desk.refuse("account_blocked", "report_trade", by="venue", **report)
    desk.accept("set_account_flags", account="t:anna", flags=[])
    sell(desk, "anna", "80.00", 1)


def test_an_account_with_positions_is_not_closed(desk: Desk) -> None:
    sell(desk, "anna", "81.00", 1, instrument="fut")
    buy(desk, "ben", "81.00", 1, instrument="fut")
    desk.refuse("orders_open", "set_account_flags", account="t:anna", flags=["CLOSED"])
    desk.accept("set_account_flags", account="t:anna", flags=["BLOCKED"])
    close(desk, fut="80.00")


@pytest.mark.parametrize("account", ["set-aside", "ccp", "ccp-capital", "position:t:anna", "collateral:t:anna", "default_fund:t:anna"])
def test_the_exchanges_own_accounts_keep_their_flags(desk: Desk, account: str) -> None:
    for flag in ("BLOCKED", "CLOSED", "ONE_WAY"):
        desk.refuse("not_permitted", "set_account_flags", account=account, flags=[flag])


@pytest.mark.parametrize("account", ["ccp", "position:t:anna"])
def test_what_may_go_below_zero_goes_on_doing_so(desk: Desk, account: str) -> None:
    desk.refuse("not_permitted", "set_account_flags", account=account, flags=["MUST_NOT_OVERDRAW"])


# -- what ordinary transfers leave alone


def test_lots_change_hands_by_trades_only(desk: Desk) -> None:
    sell(desk, "anna", "81.00", 2, instrument="fut")
    buy(desk, "ben", "81.00", 2, instrument="fut")
    for by, source, target in (("ben", "position:t:ben", "t:ben"), ("administrator", "position:t:ben", "position:t:anna")):
        desk.refuse("not_permitted", "transfer", by=by, from_=source, to=target, unit="fut", quantity=1)
    desk.refuse("not_eligible", "transfer", by="ben", from_="t:ben", to="t:anna", unit="fut", quantity=1)
    desk.refuse("not_permitted", "cancel", by="ben", from_="position:t:ben", unit="fut", quantity=1, reason="none")
    desk.refuse("not_eligible", "open_balance", account="t:ben", unit="fut", quantity=1, source="none")
    rows = {"number": [1], "from": ["outside"], "to": ["t:ben"], "unit": ["fut"], "quantity": [1], "kind": ["transfer"]}
    desk.refuse("not_eligible", "import_transfers", tables={"rows": rows})


def test_the_exchanges_accounts_are_not_transferred_from_or_to(desk: Desk) -> None:
    desk.refuse("not_permitted", "transfer", from_="t:anna", to="set-aside", unit="EUA", quantity=1)
    desk.refuse("not_permitted", "transfer", from_="ccp", to="t:anna", unit="EUR", quantity=1)


def test_the_default_fund_is_released_by_the_house(desk: Desk) -> None:
    desk.accept("deposit", by="bank", account="default_fund:t:anna", amount="100", currency="EUR")
    desk.refuse("not_permitted", "withdraw", by="anna", account="default_fund:t:anna", amount="1", currency="EUR")
    desk.refuse("not_permitted", "transfer", by="anna", from_="default_fund:t:anna", to="t:anna", unit="EUR", quantity=1)
    desk.accept("withdraw", by="venue", account="default_fund:t:anna", amount="1", currency="EUR")


# -- opening, admitting, listing


def test_listing_what_cannot_be_worked_with(desk: Desk) -> None:
    def refuse(name: str, terms: dict[str, Any] | None = None, **body: Any) -> str:
        given = {"contract": "new", "kind": "spot", "unit": "EUA", "reference": "80.00", "terms": SPOT | (terms or {}), **body}
        return desk.refuse(name, "list_instrument", by="venue", **given)

    refuse("already_exists", contract="spot")
    refuse("already_exists", code="EUA")
    refuse("unknown_unit_type", unit="EUX")
    refuse("not_eligible", unit="EUR")
    refuse("not_eligible", unit="fut")
    refuse("off_tick", reference="80.005")
    refuse("malformed", reference="-1")
    refuse("malformed", {"cutoff": "24:00", "settlement_lag": 1, "late_lag": 2})
    refuse("malformed", {"holidays": "ZZ", "settlement_lag": 1})
    refuse("malformed", {"matching": "takers_choice"}, breaker_ticks=5)
    refuse("malformed", reference="99999999.00")
    refuse("malformed", fee="1.00")
    refuse("not_eligible", {"matching": "negotiated"})
    refuse("malformed", FUTURE, kind="future", expiry="2026-04-13")
    refuse("malformed", FUTURE, kind="future", family="EUA")
    refuse("malformed", FUTURE | {"lot": 500}, kind="future", family="EUA", expiry="2026-04-13")
    refuse("malformed", FUTURE, kind="future", family="EUA", expiry="2026-04-13", delivery="2026-04-12")
    refuse("instrument_expired", FUTURE, kind="future", family="EUA", expiry="2026-03-01")
    options = FUTURE | {"premium": "paid"}
    terms = {"kind": "option", "family": "EUA", "right": "call", "strike": "80.00", "volatility": "0.3", "reference": "1.00"}
    refuse("unknown_instrument", options, **terms, expiry="2026-03-09", underlying="fur")
    refuse("malformed", options, **terms, expiry="2026-03-09", underlying="spot")
    refuse("malformed", options, **terms, expiry="2026-03-17", underlying="fut")
    refuse("malformed", options | {"tick": "0.05"}, **terms, expiry="2026-03-09", underlying="fut")
    refuse("malformed", options | {"style": "american"}, **terms, expiry="2026-03-09", underlying="fut")


def test_margin_parameters_fit_what_is_listed(desk: Desk) -> None:
    desk.refuse("malformed", "set_margin", by="venue", families=[FAMILY | {"name": "other"}])
    desk.refuse("malformed", "set_margin", by="venue", families=[FAMILY | {"lot": 500}])
    desk.refuse("malformed", "set_margin", by="venue", families=[FAMILY | {"price_scan": "1e12"}])
    desk.refuse("malformed", "set_margin", by="venue", families=[FAMILY | {"volume": "1"}])
    desk.refuse("malformed", "set_margin", by="venue", families=[])


def test_a_day_is_closed_once_at_prices_that_can_be(desk: Desk) -> None:
    desk.refuse("bad_price", "close_day", by="venue", prices={"fut": "0.00"})
    desk.refuse("bad_price", "close_day", by="venue", prices={"fut": "-3.00"})
    desk.refuse("bad_price", "close_day", by="venue", prices={"fut": "99999.00"})
    desk.refuse("malformed", "close_day", by="venue", prices={"nothing": "81.00"})
    desk.refuse("off_tick", "close_day", by="venue", prices={"fut": "81.001"})
    close(desk)
    desk.refuse("already_done", "close_day", by="venue")


def test_before_anything_is_there(desk: Desk) -> None:
    empty = Desk(desk.rulebook, "2026-03-02", 2026)
    for verb in ("orders", "close_day", "settle", "collect", "report_trade", "set_margin", "list_instrument", "buy_in", "expire_instrument"):
        empty.refuse("not_due", verb)
    empty.accept("open_exchange", venue="home")
    empty.refuse("unknown_instrument", "orders", orders=[{"verb": "new"}])
    for verb in ("close_day", "settle", "collect"):
        empty.refuse("nothing_to_do", verb)
    empty.accept("register_participant", participant="anna", name="Anna", role="trader")
    empty.accept("open_account", by="anna", account="t:anna", kind="trading")
    empty.accept("transfer", from_="outside", to="t:anna", unit="EUR", quantity=5)
    empty.accept("admit", account="t:anna", clearing=True)
    empty.refuse("nothing_to_do", "close_day")
    empty.refuse("nothing_to_do", "declare_default", account="t:anna")
    empty.refuse("already_exists", "admit", account="t:anna", clearing=True)
    empty.refuse("already_exists", "open_exchange", venue="home")
    empty.refuse("not_eligible", "admit", account="issuance")
    empty.check()


def test_what_carries_too_wild_numbers_is_answered(desk: Desk) -> None:
    state = desk.state
    anna = state.accounts.number("t:anna")
    moment = (state.today.toordinal() - 719_163) * 86_400_000_000
    future(desk, "second", expiry="2026-06-15")
    row = {"verb": Verb.NEW, "account": anna, "order": last_order(desk) + 1, "instrument": 1, "side": Side.BUY, "price": 8_100, "time": moment}
    desk.refuse("position_limit", "orders", by="venue", tables={"instructions": instructions(row | {"quantity": 2**31 - 1})})
    many = [row | {"order": last_order(desk) + 1 + place, "quantity": 2**31 - 1} for place in range(200)]
    reply = desk.accept("orders", by="venue", tables={"instructions": instructions(*many)})
    assert {reason for _, reason in reply.events[0]["refused"]} == {104}
    desk.refuse("malformed", "orders", by="venue", tables={"instructions": instructions(row | {"quantity": 1, "time": 1})})
    desk.refuse("not_permitted", "orders", by="anna", tables={"instructions": instructions(row | {"quantity": 1})})  # the venue says what time it is
    desk.refuse("not_permitted", "orders", by="anna", orders=[say("anna", **sale(time="10:00"))])


@pytest.mark.parametrize(("by", "most"), [("anna", 100_000), ("venue", 1_000_000)])
def test_a_command_holds_only_so_many_instructions(desk: Desk, by: str, most: int) -> None:
    row = {"verb": Verb.MASS_CANCEL, "account": desk.state.accounts.number("t:anna"), "instrument": 0}
    table = np.repeat(instructions(row), most + 1)
    desk.refuse("malformed", "orders", by=by, tables={"instructions": table})
    desk.refuse("malformed", "orders", by=by, tables={"instructions": table[:0]})
    desk.accept("orders", by=by, tables={"instructions": table[:most]})


def test_below_the_smallest_order(desk: Desk) -> None:
    spot(desk, "big", min_order_lots=100)
    buy(desk, "ben", "80.00", 100, instrument="big")
    desk.refuse("below_minimum", "orders", by="ben", orders=[say("ben", instrument="big", side="buy", price="80.00", quantity=99)])


def test_nothing_is_collected_before_anything_is_listed() -> None:
    desk = Desk(tonne.rulebook("eu-ets"), "2026-03-02", 2026)
    desk.accept("register_participant", participant="venue", name="Venue", role="venue")
    desk.accept("open_exchange", by="venue", venue="home")
    desk.refuse("nothing_to_do", "collect", by="venue")
    desk.accept("set_margin", by="venue", families=[FAMILY])
    desk.refuse("nothing_to_do", "collect", by="venue")
    desk.refuse("nothing_to_do", "close_day", by="venue")
    desk.check()
