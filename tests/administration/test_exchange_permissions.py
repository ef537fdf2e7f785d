"""Who may do what on the exchange."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from small_exchanges import buy, check, exchange, instructions, last_order, pay, say, sell, send
from small_markets import Desk

from tonne.market.orders import Verb


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = exchange()
    yield desk
    check(desk)
    desk.check()


VENUES: dict[str, dict[str, Any]] = {
    "open_exchange": {"venue": "another"},
    "admit": {"account": "t:anna"},
    "list_instrument": {"contract": "eex-eua-spot", "unit": "EUA", "reference": "80.00"},
    "set_margin": {"families": []},
    "report_trade": {"method": "block", "instrument": "spot", "buyer": "t:ben", "seller": "t:anna", "price": "80.00", "quantity": 1},
    "settle": {},
    "buy_in": {"number": 1, "failing": "seller", "price": "80.00"},
    "close_day": {},
    "collect": {},
    "expire_instrument": {"instrument": "fut"},
    "declare_default": {"account": "t:anna"},
}


@pytest.mark.parametrize("verb", VENUES)
def test_running_the_exchange_is_for_the_venue(desk: Desk, verb: str) -> None:
    for who in ("anna", "bank"):
        desk.refuse("not_permitted", verb, by=who, **VENUES[verb])
    desk.refuse("unknown_participant", verb, by="nobody", **VENUES[verb])


@pytest.mark.parametrize("verb", ["phase", "reference", "expire", "revive"])
def test_the_session_is_the_venues(desk: Desk, verb: str) -> None:
    order = {"verb": verb, "account": "t:anna", "instrument": "spot", "phase": "halt", "price": "80.00", "expires": 20_500}
    desk.refuse("not_permitted", "orders", by="anna", orders=[order])


def test_people_instruct_for_their_own_accounts(desk: Desk) -> None:
    sell(desk, "anna", "80.00", 10)
    number = last_order(desk)
    for verb in ("cancel", "amend", "kill", "mass_cancel"):
        desk.refuse("not_permitted", "orders", by="ben", orders=[{"verb": verb, "account": "t:anna", "order": number, "instrument": "spot"}])
    anna, at = desk.state.accounts.number("t:anna"), desk.state.exchange.book.last_time
    for account in (anna, -1, 2**31 - 1):
        row = {"verb": Verb.CANCEL, "account": account, "order": number, "time": at}
        desk.refuse("not_permitted", "orders", by="ben", tables={"instructions": instructions(row)})
    send(desk, say("anna", "mass_cancel"), by="venue")  # the venue may, for anybody
    buy(desk, "ben", "80.00", 1)


def test_an_operator_trades_from_its_installations_account(desk: Desk) -> None:
    table = {"installation": ["A1"], "name": ["Plant"], "operator": ["otto"]}
    desk.accept("register_installations", tables={"installations": table})
    desk.accept("open_balance", account="operator:A1", unit="EUA", quantity=100, source="a test", year=2026)
    desk.accept("admit", by="venue", account="operator:A1")
    order = {"verb": "new", "account": "operator:A1", "instrument": "spot", "side": "sell", "price": "80.00", "quantity": 60}
    desk.accept("orders", by="otto", orders=[order])
    desk.refuse("not_permitted", "orders", by="anna", orders=[order])
    desk.refuse("insufficient_balance", "transfer", by="otto", from_="operator:A1", to="t:anna", unit="EUA", quantity=41)
    buy(desk, "ben", "80.00", 60)
    assert desk.held("operator:A1", "EUR") == 60 * 8_000


def test_money_comes_in_through_the_bank_and_goes_out_by_the_holder(desk: Desk) -> None:
    for who in ("anna", "venue"):
        desk.refuse("not_permitted", "deposit", by=who, account="t:anna", amount="1", currency="EUR")
    for wrong in ({"amount": "0"}, {"amount": "-5"}, {"amount": "1.005"}, {"amount": "much"}):
        desk.refuse("malformed", "deposit", by="bank", account="t:anna", currency="EUR", **wrong)
    desk.refuse("unknown_unit_type", "deposit", by="bank", account="t:anna", amount="1", currency="EUA")
    desk.refuse("unknown_unit_type", "deposit", by="bank", account="t:anna", amount="1", currency="USD")
    desk.refuse("unknown_account", "deposit", by="bank", account="t:zoe", amount="1", currency="EUR")
    for account in ("ccp", "set-aside", "position:t:anna"):
        desk.refuse("not_eligible", "deposit", by="bank", account=account, amount="1", currency="EUR")
        desk.refuse("not_eligible", "withdraw", by="venue", account=account, amount="1", currency="EUR")
    for who in ("ben", "venue"):
        desk.refuse("not_permitted", "withdraw", by=who, account="t:anna", amount="1", currency="EUR")
        desk.refuse("not_permitted", "withdraw", by=who, account="collateral:t:anna", amount="1", currency="EUR")
    desk.refuse("not_permitted", "withdraw", by="bank", account="t:anna", amount="1", currency="EUR")
    desk.accept("withdraw", by="anna", account="t:anna", amount="1", currency="EUR")
    pay(desk, "ccp-capital", "50")
    desk.refuse("not_permitted", "withdraw", by="anna", account="ccp-capital", amount="1", currency="EUR")
    desk.accept("withdraw", by="venue", account="ccp-capital", amount="1", currency="EUR")


def test_flags_are_for_the_authority(desk: Desk) -> None:
    for who in ("anna", "venue", "bank"):
        desk.refuse("not_permitted", "set_account_flags", by=who, account="t:anna", flags=["BLOCKED"])
