"""Accounts, statements and public transactions, counted transfer by transfer; and that nothing leaks before its day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from small_exchanges import buy, exchange, sell
from small_markets import Desk

import tonne
from tonne.administration.kinds import Kind
from tonne.interfaces.views import holdings, transactions
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.found import NotFound
from tonne.ledger import Transfer, TransferFlag

DAY_0 = date(1970, 1, 1)


def plainly(state: Any, name: str) -> list[tuple[int, date, str, str, int, int]]:
    """(id, day, direction, unit, quantity, balance) of an account, by walking through all transfers."""
    number, held, found = state.accounts.number(name), {}, []
    for row in state.books.transfers:
        one = Transfer.of(row)
        if one.flags & (TransferFlag.PENDING | TransferFlag.VOID) or number not in (one.from_account, one.to_account):
            continue
        sign = -1 if one.from_account == number else 1
        held[one.unit] = held.get(one.unit, 0) + sign * one.quantity
        code = state.books.unit_types[one.unit].code
        found.append((one.id, DAY_0 + timedelta(days=one.day), "out" if sign < 0 else "in", code, one.quantity, held[one.unit]))
    return found


@pytest.mark.parametrize("name", ["remainder", "auction", "surrendered", "issuance"])
def test_a_statement_is_every_transfer_with_its_running_balance(ran: Any, name: str) -> None:
    state = ran.outcome.state
    frame = holdings.statement(state, name)
    assert frame.select("id", "day", "direction", "unit", "quantity", "balance").rows() == plainly(state, name)
    assert frame["sequence"].to_list() == [number >> 24 for number in frame["id"].to_list()]
    known = {(one["id"], one["kind"]) for one in frame.iter_rows(named=True)}
    assert known == {(int(row["id"]), Kind(int(row["kind"])).word) for row in state.books.transfers if int(row["id"]) in set(frame["id"].to_list())}


def test_an_index_made_in_steps_is_the_one_made_at_once(ran: Any) -> None:
    """Transfers come in while views are read: the index is caught up in pieces of any size."""
    state = ran.outcome.state

    class Books:
        unit_types = state.books.unit_types
        transfers = state.books.transfers[:0]

    class Growing:
        books = Books()
        accounts = state.accounts

    cache, whole = Cache(), Cache().moves(state)
    at = 0
    for step in (1, 2, 3, 500, 7, 4_000, 1, 1, 90):
        at += step
        Growing.books.transfers = state.books.transfers[:at]
        moves = cache.moves(Growing)  # type: ignore[arg-type]
    Growing.books.transfers = state.books.transfers
    moves = cache.moves(Growing)  # type: ignore[arg-type]
    assert (moves.acts, moves.ordered) == (whole.acts, True) and whole.acts > 0
    for number in range(len(state.accounts)):
        assert moves.of(number).tolist() == whole.of(number).tolist()


def test_balances_show_what_is_held_reserved_and_free() -> None:
    desk = exchange()
    sell(desk, "anna", "81.00", 250)
    buy(desk, "ben", "79.00", 100)
    anna, ben = (holdings.account(desk.state, f"t:{who}") for who in ("anna", "ben"))
    units = next(one for one in anna.balances if one.unit == "EUA")
    assert (units.held, units.reserved, units.available, units.kind, units.measure) == (1_000_000, 250, 999_750, "allowance", "tonne")
    money = next(one for one in ben.balances if one.unit == "EUR")
    assert (money.held, money.reserved, money.available) == (10_000_000_00, 7_900_00, 10_000_000_00 - 7_900_00)
    assert anna.admitted and anna.flags == () and anna.holder == "anna" and anna.holder_name == "Anna"
    desk.accept("set_account_flags", account="t:cleo", flags=["BLOCKED"])
    assert holdings.account(desk.state, "t:cleo").flags == ("blocked",)
    aside = holdings.reserved(desk.state, "t:anna")
    assert aside.select("direction", "unit", "quantity", "counterpart", "kind").rows() == [("out", "EUA", 250, "set-aside", "set_aside")]
    kinds = [one.kind for one in holdings.accounts(desk.state, "anna")]
    assert kinds == ["trading", "collateral", "position", "default_fund"]


def test_the_book_does_not_say_with_whom_one_traded() -> None:
    desk = exchange()
    sell(desk, "anna", "80.00", 10)
    desk.accept("orders", by="venue", orders=[{"verb": "phase", "phase": "continuous"}])
    buy(desk, "ben", "80.00", 10)
    frame = holdings.statement(desk.state, "t:ben")
    traded = frame.filter(pl.col("kind").is_in(["sell", "pay"]))
    assert traded["counterpart_holder"].to_list() == ["Anna", "Anna"]
    hidden = holdings.anonymous(frame)
    assert hidden.filter(pl.col("kind").is_in(["sell", "pay"]))["counterpart"].to_list() == [None, None]
    assert hidden.filter(pl.col("kind") == "deposit")["counterpart"].to_list() == ["bank"]


def test_a_statement_may_be_cut_and_keeps_its_balances(market: Desk) -> None:
    market.accept("transfer", by="alice", **{"from": "operator:A1", "to": "tom-1"}, unit="EUA", quantity=10)
    market.accept("transfer", by="tom", day="2020-02-03", **{"from": "tom-1", "to": "operator:A1"}, unit="EUA", quantity=4)
    whole = holdings.statement(market.state, "operator:A1")
    assert whole.select("direction", "quantity", "balance").rows() == [("in", 1_000, 1_000), ("out", 10, 990), ("in", 4, 994)]
    assert holdings.statement(market.state, "operator:A1", first=date(2020, 2, 2))["balance"].to_list() == [994]
    assert holdings.statement(market.state, "operator:A1", kind="transfer")["quantity"].to_list() == [10, 4]
    assert holdings.over_time(market.state, "operator:A1").rows() == [
        (date(2019, 1, 1), "EUA", 1_000),
        (date(2020, 2, 1), "EUA", 990),
        (date(2020, 2, 3), "EUA", 994),
    ]
    with pytest.raises(NotFound) as lost:
        holdings.account(market.state, "operator:A9", participant="alice")
    assert lost.value.near == ("operator:A1",)
    with pytest.raises(NotFound) as lost:
        holdings.statement(market.state, "operator:B9")
    assert lost.value.near == ()  # whose accounts there are is not told


# -- in public


def test_the_delay_is_the_laws_to_the_day(market: Desk) -> None:
    """The law of these books says three years: on the day before the third anniversary nothing of that day is shown, on the day itself all is."""
    market.accept("transfer", by="alice", **{"from": "operator:A1", "to": "tom-1"}, unit="EUA", quantity=10)
    years = market.state.law().value("registry.transactions_public_after")
    moved = market.state.today
    anniversary = moved.replace(year=moved.year + years)
    before = transactions.transactions(market.state, anniversary - timedelta(days=1))
    assert 10 not in before["quantity"].to_list() and (before["day"] < moved).all()
    shown = transactions.transactions(market.state, anniversary).filter(pl.col("kind") == "transfer")
    assert shown.select("day", "from", "from_holder", "to", "to_holder", "unit", "quantity").rows() == [
        (moved, "operator:A1", "alice", "tom-1", "Tom", "EUA", 10)
    ]
    told = transactions.delay(market.state, anniversary, 1)
    assert (told.years, told.by_law, told.complete_to) == (years, True, moved) and told.rule is not None and told.rule.source


def test_what_happened_on_29_february_waits_for_1_march() -> None:
    assert transactions.years_before(date(2023, 2, 28), 3) == date(2020, 2, 28)
    assert transactions.years_before(date(2023, 3, 1), 3) == date(2020, 3, 1)
    assert transactions.years_before(date(2024, 2, 29), 3) == date(2021, 2, 28)


def test_where_the_law_is_silent_the_platforms_delay_holds(tmp_path: Any) -> None:
    from small_markets import tiny_folder, tiny_market

    desk = tiny_market(tiny_folder(tmp_path / "tiny"))
    desk.accept("open_balance", account="operator:A1", unit="TIN", quantity=50, source="a test", year=2020)
    day = desk.state.today
    assert transactions.delay(desk.state, day, 2).by_law is False
    assert transactions.transactions(desk.state, day.replace(year=day.year + 2) - timedelta(days=1), otherwise_years=2).height == 0
    assert transactions.transactions(desk.state, day.replace(year=day.year + 2), otherwise_years=2)["quantity"].to_list() == [50]
    assert transactions.transactions(desk.state, day, otherwise_years=0)["quantity"].to_list() == [50]


def test_nothing_of_a_single_transfer_inside_the_delay() -> None:
    """Two participants in a month are hidden; with a third the sum is shown; the month that runs is not summed at all."""
    desk = exchange()
    desk.accept("transfer", by="anna", **{"from": "t:anna", "to": "t:ben"}, unit="EUA", quantity=7)
    day = desk.state.today
    assert transactions.transactions(desk.state, day).height == 0
    assert transactions.months(desk.state, day).filter(pl.col("kind") == "transfer").height == 0
    after = date(2026, 4, 1)

    def row() -> dict[str, Any]:
        (found,) = transactions.months(desk.state, after).filter(pl.col("kind") == "transfer").to_dicts()
        return found

    assert (row()["transfers"], row()["quantity"], row()["hidden"]) == (None, None, True)
    desk.accept("transfer", by="ben", **{"from": "t:ben", "to": "t:anna"}, unit="EUA", quantity=7)
    assert row()["hidden"]  # more of the same two
    desk.accept("transfer", by="ben", **{"from": "t:ben", "to": "t:cleo"}, unit="EUA", quantity=5)
    assert (row()["transfers"], row()["quantity"], row()["hidden"]) == (3, 19, False)


def test_sums_of_months_are_those_of_the_books(ran: Any) -> None:
    state = ran.outcome.state
    market = {"issuance", "total_quantity", "auction", "stability_reserve", "surrendered", "cancelled", "invalidated", "outside"}
    sums: dict[tuple[date, str], list[Any]] = {}
    for row in state.books.transfers:
        one = Transfer.of(row)
        if one.flags & (TransferFlag.PENDING | TransferFlag.VOID) or state.books.unit_types[one.unit].kind != "allowance":
            continue
        key = ((DAY_0 + timedelta(days=one.day)).replace(day=1), Kind(one.kind).word)
        entry = sums.setdefault(key, [0, 0, set()])
        entry[0] += 1
        entry[1] += one.quantity
        entry[2] |= {state.accounts.holders[n] for n in (one.from_account, one.to_account) if state.accounts.kinds[n] not in market}
    frame = transactions.months(state, date(2023, 9, 1))
    found = {(row["month"], row["kind"]): (row["transfers"], row["quantity"], row["hidden"]) for row in frame.iter_rows(named=True)}
    assert found == {key: (None, None, True) if 1 <= len(who) <= 2 else (n, units, False) for key, (n, units, who) in sums.items()}
    assert {hidden for _, _, hidden in found.values()} == {True, False}


def test_a_market_without_a_transfer() -> None:
    desk = Desk(tonne.rulebook("eu-ets"), "2019-01-01", 2019)
    day = date(2030, 1, 1)
    assert transactions.transactions(desk.state, day).height == transactions.months(desk.state, day).height == 0
    assert holdings.statement(desk.state, "auction").height == 0 and holdings.by_kind(desk.state) == []
    assert holdings.account(desk.state, "auction").balances == ()
