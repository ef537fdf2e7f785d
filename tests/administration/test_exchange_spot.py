"""Spot trading with units and money there beforehand: what is set aside, for how long, and what it stops."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from small_exchanges import aside, buy, check, exchange, free, instructions, last_order, pay, say, sell, send, spot, told
from small_markets import Desk

from tonne.ledger import TRANSFER, TransferFlag
from tonne.market.orders import Lasting, Phase, Side, Verb

EUROS = 10_000_000_00
UNITS = 1_000_000


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = exchange()
    yield desk
    check(desk)
    desk.check()


def test_a_sale_sets_units_aside_and_a_purchase_money(desk: Desk) -> None:
    sell(desk, "anna", "80.05", 500)
    buy(desk, "ben", "80.00", 300)
    assert aside(desk, "t:anna") == 500
    assert aside(desk, "t:ben", "EUR") == 300 * 8_000
    assert aside(desk, "t:anna", "EUR") == aside(desk, "t:ben") == 0


def test_units_and_money_move_at_the_resting_price_and_the_rest_is_free_again(desk: Desk) -> None:
    sell(desk, "anna", "80.05", 500)
    reply = buy(desk, "ben", "80.10", 300)
    assert told(reply) == [("accepted", "none"), ("trade", "none")]
    assert desk.held("t:ben") == UNITS + 300
    assert desk.held("t:ben", "EUR") == EUROS - 300 * 8_005
    assert aside(desk, "t:ben", "EUR") == 0
    assert (desk.held("t:anna"), aside(desk, "t:anna")) == (UNITS - 300, 200)
    assert desk.held("t:anna", "EUR") == EUROS + 300 * 8_005


def test_what_is_cancelled_is_free_again(desk: Desk) -> None:
    sell(desk, "anna", "80.05", 500)
    send(desk, say("anna", "cancel", order=last_order(desk)), by="anna")
    assert aside(desk, "t:anna") == 0


def test_amending_sets_aside_more_or_less(desk: Desk) -> None:
    buy(desk, "ben", "80.00", 300)
    number = last_order(desk)
    for price, quantity in (("80.50", 300), ("80.50", 100), ("79.00", 1_000)):
        send(desk, say("ben", "amend", order=number, instrument="spot", price=price, quantity=quantity), by="ben")
        assert aside(desk, "t:ben", "EUR") == int(price.replace(".", "")) * quantity
    desk.refuse(
        "no_cover",
        "orders",
        by="ben",
        orders=[say("ben", "amend", order=number, instrument="spot", price="90.00", quantity=1_000_000)],
    )


def test_an_order_of_all_there_is_may_be_amended_downwards(desk: Desk) -> None:
    sell(desk, "anna", "80.05", UNITS)
    send(desk, say("anna", "amend", order=last_order(desk), instrument="spot", quantity=UNITS // 2), by="anna")
    assert free(desk, "t:anna") == UNITS // 2


def test_at_the_days_end_orders_of_the_day_end_and_lasting_ones_stay(desk: Desk) -> None:
    sell(desk, "anna", "80.05", 500)
    sell(desk, "anna", "80.06", 200, lasting="gtc")
    reply = desk.accept("close_day", by="venue")
    assert reply.events[0]["orders_ended"] == 1
    assert aside(desk, "t:anna") == 200


def test_an_iceberg_sets_aside_what_it_hides_too(desk: Desk) -> None:
    sell(desk, "anna", "80.00", 1_000, display=100)
    assert aside(desk, "t:anna") == 1_000
    buy(desk, "ben", "80.00", 250)
    assert aside(desk, "t:anna") == 750
    assert desk.held("t:ben") == UNITS + 250


def test_fill_or_kill_and_immediate_or_cancel_leave_nothing_aside(desk: Desk) -> None:
    sell(desk, "anna", "80.00", 100)
    assert told(buy(desk, "ben", "80.00", 200, lasting="fok")) == [("refused", "not_fillable")]
    assert told(buy(desk, "ben", "80.00", 200, lasting="ioc"))[-1] == ("cancelled", "immediate_or_cancel")
    assert aside(desk, "t:ben", "EUR") == 0
    assert desk.held("t:ben") == UNITS + 100


def test_a_market_order_sells_but_buys_only_with_a_limit(desk: Desk) -> None:
    buy(desk, "ben", "79.00", 100)
    send(desk, say("anna", instrument="spot", side="sell", kind="market", quantity=100), by="anna")
    assert desk.held("t:anna", "EUR") == EUROS + 790_000
    desk.refuse("limit_needed", "orders", by="ben", orders=[say("ben", instrument="spot", side="buy", kind="market", quantity=1)])


def test_one_batch_spends_only_once(desk: Desk) -> None:
    reply = send(
        desk,
        say("anna", instrument="spot", side="sell", price="80.00", quantity=600_000),
        say("anna", instrument="spot", side="sell", price="80.00", quantity=600_000),
        say("anna", instrument="spot", side="sell", price="80.00", quantity=400_000),
        by="anna",
    )
    assert reply.events[0]["refused"] == [[1, 102]]
    assert free(desk, "t:anna") == 0


def test_what_is_set_aside_cannot_be_moved_paid_out_cancelled_or_surrendered(desk: Desk) -> None:
    sell(desk, "anna", "90.00", UNITS)
    buy(desk, "anna", "70.00", 142_857)
    short = free(desk, "t:anna", "EUR") + 1
    desk.refuse("insufficient_balance", "transfer", by="anna", from_="t:anna", to="t:ben", unit="EUA", quantity=1)
    desk.refuse("insufficient_balance", "cancel", by="anna", from_="t:anna", unit="EUA", quantity=1, reason="none")
    desk.refuse("insufficient_balance", "withdraw", by="anna", account="t:anna", amount=f"{short // 100}.{short % 100:02}", currency="EUR")


def test_nobody_releases_by_hand_what_is_set_aside(desk: Desk) -> None:
    import numpy as np

    sell(desk, "anna", "90.00", 10)
    state = desk.state
    pending = int(state.exchange.cover_id[state.exchange.cover_id > 0][0])
    row = np.zeros(1, dtype=TRANSFER)
    row["from_account"], row["to_account"], row["unit"] = state.accounts.number("t:anna"), state.accounts.number("set-aside"), state.unit("EUA")
    row["reference"], row["flags"] = pending, int(TransferFlag.VOID)
    desk.refuse("not_permitted", "transfer", tables={"transfers": row})
    row["flags"] = int(TransferFlag.POST)
    desk.refuse("not_permitted", "transfer", tables={"transfers": row})


def test_a_call_matches_at_one_price_and_gives_back_what_was_set_aside_above_it(desk: Desk) -> None:
    send(desk, {"verb": "phase", "phase": "opening_call", "instrument": "spot"})
    buy(desk, "ben", "81.00", 100)
    sell(desk, "anna", "79.00", 100)
    send(desk, {"verb": "phase", "phase": "continuous", "instrument": "spot"})
    assert desk.held("t:ben") == UNITS + 100
    assert aside(desk, "t:ben", "EUR") == aside(desk, "t:anna") == 0
    paid = EUROS - desk.held("t:ben", "EUR")
    assert 7_900 * 100 <= paid <= 8_100 * 100


def test_a_call_that_matches_an_account_with_itself_moves_nothing(desk: Desk) -> None:
    send(desk, {"verb": "phase", "phase": "opening_call", "instrument": "spot"})
    buy(desk, "anna", "80.00", 100)
    sell(desk, "anna", "80.00", 100)
    send(desk, {"verb": "phase", "phase": "continuous", "instrument": "spot"})
    assert (desk.held("t:anna"), desk.held("t:anna", "EUR")) == (UNITS, EUROS)
    assert aside(desk, "t:anna") == aside(desk, "t:anna", "EUR") == 0


def test_self_trade_prevention_reduces_what_is_set_aside(desk: Desk) -> None:
    sell(desk, "anna", "80.00", 100)
    buy(desk, "anna", "80.00", 60, self_trade="decrement")
    assert aside(desk, "t:anna") == 40
    assert aside(desk, "t:anna", "EUR") == 0


# -- batches in which one row changes what another one stands on


def new(who: int, side: Side, price: int, lots: int, number: int, time: int) -> dict[str, int]:
    return {"verb": Verb.NEW, "account": who, "side": side, "price": price, "quantity": lots, "order": number, "time": time}


def batch(desk: Desk, *rows: dict[str, int]) -> dict[int, int]:
    """The rows at once; which of them were not covered, by what."""
    reply = desk.accept("orders", by="venue", tables={"instructions": instructions(*rows)})
    check(desk)
    return dict(reply.events[0]["refused"])


def start(desk: Desk) -> tuple[int, int, int, int]:
    """Account numbers of anna and ben, the first free order number, a moment of the day."""
    state = desk.state
    moment = (state.today.toordinal() - 719_163) * 86_400_000_000 + 36_000_000_000
    return state.accounts.number("t:anna"), state.accounts.number("t:ben"), last_order(desk) + 1, moment


def test_an_amendment_of_an_order_of_the_same_batch_is_covered_on_its_own_side(desk: Desk) -> None:
    anna, _, one, at = start(desk)
    rows = [new(anna, Side.SELL, 9_000, 10, one, at), {"verb": Verb.AMEND, "account": anna, "order": one, "quantity": UNITS + 1, "time": at}]
    assert batch(desk, *rows) == {1: 102}
    rows = [new(anna, Side.BUY, 7_000, 10, one + 1, at), {"verb": Verb.AMEND, "account": anna, "order": one + 1, "quantity": 20, "time": at}]
    assert batch(desk, *rows) == {}
    rows = [new(anna, Side.BUY, 7_000, 10, one + 2, at), {"verb": Verb.AMEND, "account": anna, "order": one + 2, "quantity": UNITS, "time": at}]
    assert batch(desk, *rows) == {1: 102}


def test_an_amendment_after_trades_of_the_same_batch_counts_what_has_traded(desk: Desk) -> None:
    anna, ben, one, at = start(desk)
    sell(desk, "anna", "80.00", UNITS)
    rows = [new(ben, Side.BUY, 8_000, 60_000, one + 1, at), {"verb": Verb.AMEND, "account": anna, "order": one, "quantity": UNITS, "time": at}]
    assert batch(desk, *rows) == {1: 102}


def test_an_amendment_that_names_another_instrument_is_covered_for_its_own(desk: Desk) -> None:
    anna, _, one, at = start(desk)
    sell(desk, "anna", "80.00", 100)
    for instrument in (-1, 1, 99):
        row = {"verb": Verb.AMEND, "account": anna, "order": one, "quantity": UNITS + 1, "instrument": instrument, "time": at}
        desk.refuse("no_cover", "orders", by="venue", tables={"instructions": instructions(row)})


def test_a_number_used_for_two_orders_of_a_batch_covers_neither_side(desk: Desk) -> None:
    anna, _, one, at = start(desk)
    rows = [
        new(anna, Side.BUY, 0, 10, one, at),  # the book refuses a price of nothing, and the number is free
        new(anna, Side.SELL, 9_000, 10, one, at),
        {"verb": Verb.AMEND, "account": anna, "order": one, "quantity": UNITS + 1, "time": at},
    ]
    assert batch(desk, *rows) == {2: 102}


def test_taking_what_the_same_batch_has_made_dearer_is_covered_at_the_dearer_price(desk: Desk) -> None:
    spot(desk, "choice", matching="takers_choice")
    anna, ben, one, at = start(desk)
    listed = desk.state.exchange.number("choice")
    sell(desk, "anna", "80.00", 1_000_000, instrument="choice")
    rows = [
        {"verb": Verb.AMEND, "account": anna, "order": one, "price": 90_000, "time": at},
        {
            "verb": Verb.TAKE,
            "account": ben,
            "order": one + 1,
            "against": one,
            "side": Side.BUY,
            "quantity": 100_000,
            "instrument": listed,
            "time": at,
        },
    ]
    assert batch(desk, *rows) == {1: 102}
    rows = [
        new(anna, Side.BUY, 100, 10, one + 2, at) | {"instrument": listed},
        {
            "verb": Verb.TAKE,
            "account": ben,
            "order": one + 3,
            "against": one + 2,
            "side": Side.SELL,
            "quantity": 10,
            "instrument": listed,
            "time": at,
        },
    ]
    assert batch(desk, *rows) == {}
    assert desk.held("t:ben") == UNITS - 10


def test_a_batch_may_hold_nonsense(desk: Desk) -> None:
    anna, _, one, at = start(desk)
    rows = [
        new(anna, Side.SELL, -5, 10, one, at),
        new(anna, Side.SELL, 8_000, -10, one + 1, at),
        new(anna, 7, 8_000, 10, one + 2, at),  # type: ignore[arg-type]
        new(anna, -1, 8_000, 10, one + 3, at) | {"instrument": 1},  # type: ignore[arg-type]
        new(anna, Side.SELL, 8_000, 10, one + 4, at) | {"instrument": 2**31 - 1},
        new(2**31 - 1, Side.SELL, 8_000, 10, one + 5, at),
        new(-7, Side.SELL, 8_000, 10, one + 6, at),
        {"verb": 99, "account": anna, "time": at},
        {"verb": Verb.AMEND, "account": anna, "order": 2**62, "quantity": 5, "time": at},
        {"verb": Verb.TAKE, "account": anna, "order": one + 7, "against": -4, "quantity": 5, "time": at},
        {"verb": Verb.PHASE, "instrument": 0, "phase": 99, "time": at},
        {"verb": Verb.EXPIRE, "instrument": -1, "expires": -5, "time": at},
        {"verb": Verb.REFERENCE, "instrument": 0, "price": -1, "time": at},
        new(anna, Side.SELL, 2**62, 2**62, one + 8, at),
        new(anna, Side.BUY, 2**62, 2**62, one + 9, at),
        {"verb": Verb.NEW, "account": anna, "kind": 9, "lasting": Lasting.GTD, "phase": Phase.HALT, "quantity": 1, "price": 1, "time": at},
    ]
    before = desk.state.exchange.book.open_orders()
    batch(desk, *rows)
    assert len(desk.state.exchange.book.open_orders()) == len(before)


def test_quantities_beyond_counting_are_not_covered(desk: Desk) -> None:
    desk.accept("add_unit_type", code="HUGE", kind="allowance", measure="tonne", vintage=None)
    spot(desk, "huge", lot=2**30, tick="0.01", unit="HUGE")
    for who, source in (("anna", "outside"), ("ben", "issuance"), ("cleo", "bank")):
        body = {"from_": source, "to": f"t:{who}", "unit": "HUGE", "quantity": 2**62 - 2}
        desk.accept("transfer", **body)
    desk.accept(
        "list_instrument", by="venue", contract="large", kind="spot", unit="HUGE", reference="1.00",
        terms={"lot": 2**31, "unit": "HUGE", "tick": "0.01", "currency": "EUR", "settlement": "prefunded"},
    )  # fmt: skip
    sell(desk, "anna", "1.00", 2**31 * (2**30 - 1), instrument="large")
    sell(desk, "ben", "1.00", 2**31 * (2**30 - 1), instrument="large")
    orders = [say("cleo", instrument="large", side="sell", price="1.00", quantity=2**31 * (2**30 - 1))]
    desk.refuse("no_cover", "orders", by="cleo", orders=orders)
    buy_all = [say("cleo", instrument="large", side="buy", price="900.00", quantity=2**31 * (2**30))]
    desk.refuse("no_cover", "orders", by="cleo", orders=buy_all)


def test_deposits_can_be_traded_with_at_once(desk: Desk) -> None:
    buy(desk, "ben", "100.00", 100_000)
    desk.refuse("no_cover", "orders", by="ben", orders=[say("ben", instrument="spot", side="buy", price="80.00", quantity=1)])
    pay(desk, "t:ben", "80.00")
    buy(desk, "ben", "80.00", 1)
    assert free(desk, "t:ben", "EUR") == 0
