"""A member cannot pay: who bears it, to the cent, and that everybody else is paid in full."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from small_exchanges import aside, buy, check, close, exchange, option, owed, pay, position, say, sell, send
from small_markets import Desk

COLLATERAL = 1_000_000_00
PEOPLE = ("anna", "ben", "cleo", "dora")
FUND = {"anna": 50_000_00, "ben": 30_000_00, "cleo": 10_000_00, "dora": 10_000_00}
CAPITAL = 40_000_00


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = exchange(PEOPLE)
    for who, cents in FUND.items():
        pay(desk, f"default_fund:t:{who}", f"{cents // 100}.00")
    pay(desk, "ccp-capital", f"{CAPITAL // 100}.00")
    yield desk
    check(desk)
    desk.check()


def takers(*rows: tuple[str, str, int, str]) -> dict[str, dict[str, list[object]]]:
    names = ("instrument", "account", "lots", "price")
    return {"takers": {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}}


def ruined(desk: Desk, price: str = "92.00", lots: int = 150) -> None:
    """Anna sold at 81.00 and the market rose: she loses more than her collateral."""
    sell(desk, "anna", "81.00", lots, instrument="fut")
    buy(desk, "ben", "81.00", lots, instrument="fut")
    sell(desk, "anna", "90.00", 5, instrument="fut", lasting="gtc")
    close(desk, fut=price)


def kill(desk: Desk) -> None:
    send(desk, say("anna", "kill"))


def declare(desk: Desk, *rows: tuple[str, str, int, str], multiple: str = "0") -> list[list[int]]:
    """The rows of the waterfall in the only currency: layer, member, available, used."""
    reply = desk.accept("declare_default", by="venue", account="t:anna", assessment_multiple=multiple, tables=takers(*rows))
    check(desk)
    return reply.events[0]["falls"][0][2]


def test_before_a_default_can_be_declared(desk: Desk) -> None:
    desk.refuse("orders_open", "declare_default", by="venue", account="t:anna")
    sell(desk, "anna", "81.00", 1, instrument="fut")
    desk.refuse("orders_open", "declare_default", by="venue", account="t:anna")
    kill(desk)
    desk.refuse("nothing_to_do", "declare_default", by="venue", account="t:anna")
    sell(desk, "ben", "80.00", 1)
    buy(desk, "cleo", "80.00", 1)
    desk.refuse("not_due", "declare_default", by="venue", account="t:anna")


def test_all_positions_are_taken_over_by_other_members_at_prices(desk: Desk) -> None:
    ruined(desk)
    kill(desk)
    for name, row in (
        ("malformed", ("fut", "t:cleo", 149, "92.00")),
        ("malformed", ("fut", "t:cleo", -150, "92.00")),
        ("not_admitted", ("fut", "t:anna", 150, "92.00")),
        ("unknown_instrument", ("fur", "t:cleo", 150, "92.00")),
        ("unknown_account", ("fut", "t:zoe", 150, "92.00")),
        ("malformed", ("spot", "t:cleo", 150, "92.00")),
        ("off_tick", ("fut", "t:cleo", 150, "92.001")),
        ("bad_price", ("fut", "t:cleo", 150, "-92.00")),
    ):
        desk.refuse(name, "declare_default", by="venue", account="t:anna", tables=takers(row))
    desk.refuse("malformed", "declare_default", by="venue", account="t:anna")
    desk.refuse(
        "malformed", "declare_default", by="venue", account="t:anna", assessment_multiple="-1", tables=takers(("fut", "t:cleo", 150, "92.00"))
    )


def test_each_layer_bears_its_part_to_the_cent(desk: Desk) -> None:
    ruined(desk)  # a loss of 1,650,000.00: 650,000.00 is owed
    assert owed(desk, "anna") == 650_000_00
    ben = desk.held("collateral:t:ben", "EUR")
    kill(desk)
    rows = declare(desk, ("fut", "t:cleo", 100, "92.00"), ("fut", "t:dora", 50, "92.10"), multiple="2")  # 5,000.00 more
    loss = 650_000_00 + 50 * 10 * 10_00
    used = {(layer, member): part for layer, member, _, part in rows if part}
    # her fund 50,000, the house 40,000, the others' fund 50,000, assessments of 100,000; 415,000 stay
    assert used == {
        (1, 0): 50_000_00,
        (2, -1): 40_000_00,
        (3, 1): 30_000_00,
        (3, 2): 10_000_00,
        (3, 3): 10_000_00,
        (5, 1): 60_000_00,
        (5, 2): 20_000_00,
        (5, 3): 20_000_00,
    }
    assert [desk.held(f"default_fund:t:{who}", "EUR") for who in PEOPLE] == [0, 0, 0, 0]
    assert desk.held("ccp-capital", "EUR") == 0
    assert desk.held("collateral:t:ben", "EUR") == ben == COLLATERAL + 150 * 11_000_00
    assert [owed(desk, who) for who in PEOPLE] == [loss - 240_000_00, 60_000_00, 20_000_00, 20_000_00]
    assert [position(desk, who) for who in PEOPLE] == [0, 150, -100, -50]
    desk.accept("collect", by="venue")
    check(desk)
    assert [owed(desk, who) for who in PEOPLE] == [loss - 240_000_00, 0, 0, 0]
    assert desk.held("collateral:t:ben", "EUR") == ben - 60_000_00
    close(desk, "2026-03-03", fut="92.10")
    assert desk.held("collateral:t:cleo", "EUR") == COLLATERAL - 20_000_00 - 100 * 10 * 10_00
    assert desk.held("collateral:t:dora", "EUR") == COLLATERAL - 20_000_00
    assert desk.held("ccp", "EUR") == -(loss - 240_000_00)


def test_the_defaulters_margin_comes_first_and_what_is_left_stays_its_own(desk: Desk) -> None:
    ruined(desk, price="86.00")  # a loss of 750,000.00, paid; then she does not answer a call
    assert (owed(desk, "anna"), desk.held("collateral:t:anna", "EUR")) == (0, 250_000_00)
    kill(desk)
    rows = declare(desk, ("fut", "t:cleo", 150, "87.00"))  # 150,000.00
    assert [(layer, part) for layer, _, _, part in rows if part] == [(0, 150_000_00)]
    assert desk.held("collateral:t:anna", "EUR") == 100_000_00
    assert aside(desk, "collateral:t:anna", "EUR") == 0
    assert desk.held("default_fund:t:anna", "EUR") == FUND["anna"]
    close(desk, "2026-03-03", fut="87.00")
    assert desk.held("ccp", "EUR") == 0


def test_a_gain_on_what_is_taken_over_is_the_members(desk: Desk) -> None:
    ruined(desk, price="86.00")
    kill(desk)
    declare(desk, ("fut", "t:cleo", 150, "85.00"))
    assert desk.held("collateral:t:anna", "EUR") == 250_000_00 + 150_000_00
    close(desk, "2026-03-03", fut="85.00")
    assert desk.held("ccp", "EUR") == 0
    assert desk.held("collateral:t:cleo", "EUR") == COLLATERAL


@pytest.mark.parametrize("writes", [True, False])
def test_options_paid_at_the_trade_are_paid_for_when_they_are_taken_over(desk: Desk, writes: bool) -> None:
    option(desk, "opt", "call", "82.00")
    (sell if writes else buy)(desk, "anna", "2.00", 20, instrument="opt")
    (buy if writes else sell)(desk, "ben", "2.00", 20, instrument="opt")
    ruined(desk, price="95.00", lots=120)
    before = owed(desk, "anna")
    kill(desk)
    rows = declare(desk, ("fut", "t:cleo", 120, "95.00"), ("opt", "t:dora", 20, "3.00"))
    cost = 20 * 3_000_00 * (1 if writes else -1)
    used = sum(part for _, _, _, part in rows)
    assert desk.held("collateral:t:dora", "EUR") == COLLATERAL + cost
    assert owed(desk, "anna") + used == before + cost
    assert position(desk, "dora", "opt") == (-20 if writes else 20)


def test_a_defaulter_stays_out_and_its_estate_is_collected(desk: Desk) -> None:
    ruined(desk)
    kill(desk)
    declare(desk, ("fut", "t:cleo", 150, "92.00"))
    left = owed(desk, "anna")
    assert left == 650_000_00 - 140_000_00
    report = {"method": "block", "instrument": "fut", "buyer": "t:ben", "seller": "t:anna", "price": "92.00", "quantity": 1}
    desk.refuse("account_blocked", "report_trade", by="venue", **report)
    pay(desk, "collateral:t:anna", "10000.00")
    desk.accept("collect", by="venue")
    assert owed(desk, "anna") == left - 10_000_00
    assert desk.held("ccp", "EUR") == -owed(desk, "anna")


def test_a_defaulters_settlement_of_units_fails_on_its_own(desk: Desk) -> None:
    desk.accept("list_instrument", by="venue", contract="eex-eua-spot", unit="EUA", reference="80.00")
    sell(desk, "anna", "80.00", 5_000, instrument="eex-eua-spot", time="10:00")
    buy(desk, "ben", "80.00", 5_000, instrument="eex-eua-spot", time="10:00")
    ruined(desk)
    kill(desk)
    declare(desk, ("fut", "t:cleo", 150, "92.00"))
    desk.accept("settle", by="venue", day="2026-03-03")  # her units were set aside: they settle all the same
    assert desk.held("t:ben") == 1_005_000
