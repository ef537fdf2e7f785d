"""Views and statements: small books whose sums can be seen by eye."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from tonne.ledger import Auditor, Books, Statement, Transfer, TransferFlag, UnitType, batch_of, views
from tonne.ledger.statement import statements_frame

F = TransferFlag
ISSUANCE, PLANT, TRADER, SURRENDERED = range(4)
ALLOCATE, TRADE, SURRENDER = 1, 2, 3


def day(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


@pytest.fixture(params=[Books, Auditor])
def ledger(request):
    ledger = request.param()
    ledger.open_accounts([0, 1, 1, 1])
    for vintage in (2021, 2022):
        ledger.add_unit_type(UnitType(f"A{vintage}", "test", "allowance", vintage, "tonne"))
    rows = [
        Transfer(1, 0, 100, ISSUANCE, PLANT, 0, day("2021-02-01"), kind=ALLOCATE),
        Transfer(2, 0, 40, PLANT, TRADER, 0, day("2021-06-01"), kind=TRADE, flags=F.PENDING),
        Transfer(3, 2, 0, PLANT, TRADER, 0, day("2021-06-03"), kind=TRADE, flags=F.POST),
        Transfer(4, 0, 50, ISSUANCE, PLANT, 1, day("2022-02-01"), kind=ALLOCATE),
        Transfer(5, 0, 60, PLANT, SURRENDERED, 0, day("2022-04-30"), kind=SURRENDER),
        Transfer(6, 5, 10, SURRENDERED, PLANT, 0, day("2022-05-02"), kind=SURRENDER, flags=F.CORRECTS),
        Transfer(7, 0, 5, PLANT, TRADER, 1, day("2022-06-01"), kind=TRADE, flags=F.PENDING, expires=day("2022-06-10")),
    ]
    assert not ledger.apply(batch_of(rows)).any()
    return ledger


def test_holdings_and_supply(ledger):
    table = views.holdings(ledger, accounts=[PLANT])
    assert table.rows() == [(PLANT, 0, "A2021", 10, 0, 0, 10), (PLANT, 1, "A2022", 50, 5, 0, 45)]
    assert views.holdings(ledger, units=[1])["account"].to_list() == [ISSUANCE, PLANT, TRADER]
    assert (views.supply(ledger, 0, [ISSUANCE]), views.supply(ledger, 1, [ISSUANCE])) == (100, 50)


def test_balances_on_a_day(ledger):
    log = ledger.transfers
    days = [date(2021, 1, 31), date(2021, 2, 1), date(2021, 6, 2), date(2021, 6, 3)]
    assert [views.balance_on(log, [PLANT], d) for d in days] == [0, 100, 100, 60]
    assert views.balance_on(log, [PLANT, TRADER], day("2022-12-31")) == 100
    assert views.balance_on(log, [PLANT, TRADER], day("2022-12-31"), units=[1]) == 50
    assert views.balances_on(log, date(2021, 12, 31)).rows() == [(ISSUANCE, 0, -100), (PLANT, 0, 60), (TRADER, 0, 40)]
    now = views.holdings(ledger).filter(pl.col("balance") != 0).select("account", "unit", "balance")
    assert views.balances_on(log, ledger.last_day).equals(now)


def test_flows_gross_and_net(ledger):
    log = ledger.transfers
    assert views.flows(log).rows() == [(ALLOCATE, 0, 1, 100), (ALLOCATE, 1, 1, 50), (TRADE, 0, 1, 40), (SURRENDER, 0, 2, 70)]
    assert views.flows(log, first_day=date(2022, 1, 1), kinds=[ALLOCATE]).rows() == [(ALLOCATE, 1, 1, 50)]
    assert views.net_flows(log, [SURRENDERED]).rows() == [(SURRENDER, 60, 10, 50)]
    assert views.net_flows(log, [PLANT, TRADER], kinds=[ALLOCATE, TRADE]).rows() == [(ALLOCATE, 150, 0, 150)]
    assert views.total(log, ALLOCATE, last_day=date(2021, 12, 31)) == 100
    assert views.total(log, 99) == 0


def test_yearly_table(ledger):
    table = views.by_year(ledger.transfers, {ALLOCATE: "allocated", SURRENDER: "surrendered"})
    assert table.columns == ["year", "allocated", "surrendered"]
    assert table.rows() == [(2021, 100, 0), (2022, 50, 70)]


def test_transfers_as_a_table(ledger):
    table = views.frame(ledger.transfers)
    assert table["moves"].to_list() == [True, False, True, True, True, True, False]
    assert table["day"][0] == date(2021, 2, 1)
    assert table["expires"].to_list() == [None] * 6 + [date(2022, 6, 10)]


@pytest.mark.parametrize("kind", [Books, Auditor])
def test_empty_books_have_empty_views(kind):
    empty = kind()
    assert views.holdings(empty).is_empty() and views.flows(empty.transfers).is_empty() and views.by_year(empty.transfers, {1: "x"}).is_empty()
    assert views.balance_on(empty.transfers, [0], 5) == 0 and views.balances_on(empty.transfers, 5).is_empty()
    assert views.frame(empty.transfers).is_empty() and views.net_flows(empty.transfers, [0]).is_empty()


def test_statements():
    exact = Statement("circulation 2021", date(2022, 5, 12), 1000, 1000, "notice")
    gap = Statement("surrendered", date(2022, 5, 1), 997, 1000, "registry", (("aviation left out", -2),))
    alone = Statement("holdings", date(2022, 5, 1), 7, None, "nobody publishes it")
    assert (exact.difference, exact.agrees) == (0, True)
    assert (gap.difference, gap.explained, gap.unexplained, gap.agrees) == (-3, -2, -1, False)
    assert (alone.difference, alone.unexplained, alone.agrees) == (None, None, None)
    table = statements_frame([exact, gap, alone])
    assert table["agrees"].to_list() == [True, False, None]
    assert table["explanations"].to_list() == ["", "aviation left out: -2", ""]
    assert statements_frame([]).is_empty()
