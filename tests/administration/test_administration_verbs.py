"""Every verb, accepted once: what it does to the registers and to the books. (`Desk.accept` sends each a second time and sees nothing happen.)"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from small_markets import Desk, emitted, figures, installations, people, surrender, tiny_market

import tonne
from tonne.administration import handlers, permissions
from tonne.administration.found import SYSTEM_ACCOUNTS
from tonne.dates import day_number
from tonne.ledger import AccountFlag, TransferFlag, transfers


def rows(market: Desk, *moves: tuple[str, str, int], unit: str = "EUA", flags: int = 0) -> np.ndarray:
    batch = transfers(len(moves))
    for number, (source, target, quantity) in enumerate(moves):
        batch[number]["from_account"] = market.state.accounts.number(source)
        batch[number]["to_account"] = market.state.accounts.number(target)
        batch[number]["quantity"] = quantity
    batch["unit"], batch["flags"] = market.state.unit(unit), flags
    return batch


def test_every_verb_has_a_handler_and_somebody_who_may_send_it() -> None:
    assert handlers.HANDLERS.keys() == permissions.VERBS.keys()


def test_found(market: Desk) -> None:
    assert market.state.accounts.ids[: len(SYSTEM_ACCOUNTS)] == list(SYSTEM_ACCOUNTS)
    assert [unit.code for unit in market.state.books.unit_types] == ["EUR", "EUA"]
    assert market.state.books.unit_types[0].measure == "EUR minor unit"
    assert market.state.today.isoformat() == "2019-01-01"
    own = market.state.books.flags()
    may = [name for name, kind in SYSTEM_ACCOUNTS.items() if not own[market.state.accounts.number(name)] & AccountFlag.MUST_NOT_OVERDRAW]
    assert may == ["issuance", "outside", "bank", "treasury"]


def test_registering(market: Desk) -> None:
    assert market.state.participants["vera"].role == "verifier"
    assert market.state.accounts.holders[market.state.accounts.number("operator:A1")] == "alice"
    nobody = pl.DataFrame({"installation": ["C1"], "name": ["Plant C1"]})
    market.accept("register_installations", tables={"installations": nobody})
    assert market.state.accounts.holders[market.state.accounts.number("operator:C1")] == "operator of C1"
    market.accept("close_installation", installation="C1", year=2020)
    assert market.state.installations.lookup("C1")["closed"] == 2020


def test_accounts_and_their_flags(market: Desk) -> None:
    assert market.state.accounts.kinds[market.state.accounts.number("tom-1")] == "trading"
    two = {"account": ["x", "y"], "kind": ["trading", "cash"], "holder": ["tom", "tom"], "installation": [None, None]}
    market.accept("open_accounts", tables={"accounts": two})
    assert market.state.accounts.of_holder("tom") == [market.state.accounts.number(name) for name in ("tom-1", "x", "y")]
    market.accept("set_account_flags", account="tom-1", flags=["BLOCKED", "ONE_WAY"])
    number = market.state.accounts.number("tom-1")
    assert market.state.books.flags()[number] == AccountFlag.MUST_NOT_OVERDRAW | AccountFlag.BLOCKED | AccountFlag.ONE_WAY


def test_an_account_let_go_still_may_not_be_overdrawn(market: Desk) -> None:
    market.accept("set_account_flags", account="operator:A1", flags=["BLOCKED"])
    market.accept("set_account_flags", account="operator:A1", flags=[])
    reason = market.refuse("insufficient_balance", "transfer", "alice", from_="operator:A1", to="tom-1", unit="EUA", quantity=1_001)
    assert reason.startswith("1,001 EUA from operator:A1 to tom-1: not enough is available; before this command it has 1,000")


def test_unit_types_and_opening_balances(market: Desk) -> None:
    market.accept("add_unit_type", code="CER", kind="credit", measure="tonne", vintage=2012)
    assert market.state.books.unit_types[market.state.unit("CER")].vintage == 2012
    market.accept("open_balance", account="tom-1", unit="CER", quantity=5, source="the old registry")
    assert (market.held("tom-1", "CER"), market.held("outside", "CER")) == (5, -5)


def test_transfers_one_and_many(market: Desk) -> None:
    market.accept("transfer", "alice", from_="operator:A1", to="tom-1", unit="EUA", quantity=100)
    batch = rows(market, ("operator:A1", "tom-1", 50), ("operator:A1", "operator:B1", 25))
    batch["id"], batch["kind"], batch["day"] = 7, 9, 1  # the clerk sets these itself
    market.accept("transfer", "alice", tables={"transfers": batch})
    assert [market.held(name) for name in ("operator:A1", "operator:B1", "tom-1")] == [825, 525, 150]
    last = market.state.books.transfers[-1]
    assert (last["kind"], last["day"]) == (0, day_number(market.state.today))


def test_units_that_were_reserved_are_free_again_when_their_day_has_come(market: Desk) -> None:
    batch = rows(market, ("operator:A1", "tom-1", 900), flags=int(TransferFlag.PENDING))
    batch["expires"] = day_number(market.state.today) + 10
    market.accept("transfer", "alice", tables={"transfers": batch})
    market.refuse("insufficient_balance", "transfer", "alice", from_="operator:A1", to="tom-1", unit="EUA", quantity=200)
    market.accept("add_unit_type", day="2019-01-11", code="CER", kind="credit", measure="tonne")  # anything that moves the market's day
    market.accept("transfer", "alice", from_="operator:A1", to="tom-1", unit="EUA", quantity=200)


def test_cancel(market: Desk) -> None:
    market.accept("cancel", "alice", from_="operator:A1", unit="EUA", quantity=10, reason="for the climate")
    assert (market.held("operator:A1"), market.held("cancelled")) == (990, 10)


def test_import_of_anothers_records(market: Desk) -> None:
    moves = {
        "number": [1, 2],
        "from": ["operator:A1", "tom-1"],
        "to": ["tom-1"] * 2,
        "unit": ["EUA"] * 2,
        "quantity": [5, 5],
        "kind": ["transfer"] * 2,
    }
    reply = market.accept("import_transfers", tables={"rows": moves})
    assert reply.events[-1]["results"] == {"posted": 1, "same_account": 1}
    again = market.accept("import_transfers", tables={"rows": moves})
    assert again.events[-1]["results"] == {"exists": 1, "same_account": 1}
    assert market.held("tom-1") == 5


def test_report_verify_correct(market: Desk) -> None:
    market.accept("report", "alice", day="2020-02-01", tables={"reports": figures(2019, A1=700)})
    market.accept("report", "alice", tables={"reports": figures(2019, A1=800)})  # filed again
    market.accept("verify", "vera", tables={"reports": {"installation": ["A1"], "year": [2019], "verified": [None], "state": ["rejected"]}})
    market.accept("report", "alice", tables={"reports": figures(2019, A1=810)})
    market.accept("verify", "vera", tables={"reports": {"installation": ["A1"], "year": [2019], "verified": [810]}})
    assert market.state.reports.lookup("A1", 2019) | {"reported": 810, "verified": 810, "state": "verified"} == market.state.reports.lookup(
        "A1", 2019
    )
    market.accept("correct_report", installation="A1", year=2019, verified=805, reason="a slip")
    row = market.state.reports.corrections.row(0, named=True)
    assert (row["before"], row["after"], row["after_deadline"], row["by"]) == (810, 805, False, "administrator")


def test_a_verifier_writes_what_was_found(market: Desk) -> None:
    """Findings stay with the report, each with the figure that it was about; the next version is judged anew."""
    market.accept("report", "alice", day="2020-02-01", tables={"reports": figures(2019, A1=700)})
    returned = {"reports": {"installation": ["A1"], "year": [2019], "verified": [None], "state": ["rejected"]}}
    market.accept("verify", "vera", tables=returned, findings=[{"installation": "A1", "year": 2019, "text": "a meter is missing"}])
    market.accept("report", "alice", tables={"reports": figures(2019, A1=810)})
    market.accept("verify", "vera", tables=returned, findings=[{"installation": "A1", "year": 2019, "line": "coal", "text": "twice"}])
    first = {"year": 2019, "line": "", "text": "a meter is missing", "reported": 700, "by": "vera", "day": "2020-02-01"}
    assert market.state.findings == {"A1": [first, first | {"line": "coal", "text": "twice", "reported": 810}]}
    for wrong in ("text", [{"installation": "B1", "year": 2019, "text": "not in the table"}], [{"installation": ["A1"], "year": 2019, "text": "x"}]):
        market.refuse("malformed", "verify", "vera", tables=returned, findings=wrong)
    for said in ("", 7, "x" * 2_001):
        market.refuse("malformed", "verify", "vera", tables=returned, findings=[{"installation": "A1", "year": 2019, "text": said}])
    market.check()


def test_allocation_by_the_authoritys_table(market: Desk) -> None:
    market.accept("entitle", tables={"entitlements": {"installation": ["A1", "B1"], "year": [2019, 2019], "quantity": [40, 0]}})
    market.law("issue", 2019)
    market.law("allocate", 2019)
    assert (market.held("operator:A1"), market.held("operator:B1")) == (1_040, 500)
    assert market.held("total-quantity") == market.rulebook.at("2019-01-01").cap(2019) - 40


def test_auction_calendar_and_sale_against_money(market: Desk) -> None:
    market.accept("auction_calendar", "axel", year=2019, volume=4_000, source="a notice")
    market.law("issue", 2019)
    market.law("auction", 2019)
    assert market.held("auction") == 14_000
    market.accept(
        "sell", "axel", unit="EUA", price="24.85", paid_in=True, tables={"sales": {"account": ["tom-1", "operator:A1"], "quantity": [3, 1]}}
    )
    assert (market.held("tom-1"), market.held("operator:A1")) == (3, 1_001)
    assert (market.held("treasury", "EUR"), market.held("bank", "EUR")) == (9_940, -9_940)
    market.accept("sell", "axel", unit="EUA", tables={"sales": {"account": ["tom-1"], "quantity": [2]}})  # no price: units only
    assert (market.held("tom-1"), market.held("treasury", "EUR")) == (5, 9_940)


def test_a_year_to_its_end(market: Desk) -> None:
    market.accept("auction_calendar", "axel", year=2019, volume=588_540_000, source="a notice")
    market.advance("2019-12-31")
    assert market.held("stability-reserve") == 1_032_392_786  # the intake's part of 2019, and what the law places in it outright
    emitted_day = "2020-03-01"
    market.accept("add_unit_type", day=emitted_day, code="CER", kind="credit", measure="tonne")
    emitted(market, 2019, A1=900, B1=600)
    market.advance("2020-04-29")
    surrender(market, 2019, A1=900, B1=500)
    market.advance("2020-09-01")
    assert market.status("A1", 2019) == (900, 900, "A")
    assert market.status("B1", 2019) == (600, 500, "B")
    assert market.fine("A1", 2019) is None
    fine = market.fine("B1", 2019)
    assert fine is not None
    assert (fine["shortfall"], fine["low_minor"], fine["high_minor"], fine["units"], fine["released"]) == (100, 1_000_000, 1_000_000, 0, 0)
    assert market.state.notice("compliance", 2019)["statuses"] == {"A": 1, "B": 1}
    assert market.state.notice("circulation", 2019)["published"] == 1_385_496_166
    assert market.state.notice("stabilisation", 2019)["intake"] == 332_519_080
    assert {"report:2019", "verify:2019", "surrender:2019", "penalise:2019", "publish_circulation:2019", "stabilise:2019"} <= market.state.done.keys()


def test_what_the_reserve_holds_above_its_limit_ends() -> None:
    desk = people(Desk(tonne.rulebook("eu-ets"), "2021-12-01", 2022))
    desk.accept("open_balance", account="stability-reserve", unit="EUA", quantity=900_000_000, source="a test", year=2022)
    desk.advance("2024-01-01")
    first, second = (desk.state.notice("invalidation", year) for year in (2022, 2023))
    assert desk.held("invalidated") == first["quantity"] + second["quantity"]
    assert second["quantity"] > 0 and desk.held("stability-reserve") == second["holding"]
    desk.check()


def test_bring_forward() -> None:
    desk = people(Desk(tonne.rulebook("eu-ets"), "2018-01-01", 2019))
    before = {"installation": ["A1", "B1"], "owed": [100, 50], "surrendered": [100, 40], "status": ["A", "B"]}
    desk.accept("bring_forward", year=2018, tables={"rows": before})
    desk.accept("open_balance", account="operator:B1", unit="EUA", quantity=500, source="a test", day="2020-02-01")
    emitted(desk, 2019, A1=0, B1=200)
    surrender(desk, 2019, B1=200)
    desk.advance("2020-05-01")
    assert desk.status("A1", 2019) == (100, 100, "A")
    assert desk.status("B1", 2019) == (250, 240, "B")
    assert desk.fine("B1", 2019) is None  # what was missing before these books is not fined in them
    desk.check()


def test_unit_based_allocation_ahead_and_at_the_end() -> None:
    """Pre-allocation, then the final one: what is too much is taken back as far as it is there."""
    desk = people(Desk(tonne.rulebook("china-national-ets"), "2022-01-01", 2023))
    desk.accept("report", tables={"reports": figures(2023, A1=4_000_000, B1=3_000_000)}, day="2024-02-01")
    desk.accept("verify", tables={"reports": {"installation": ["A1", "B1"], "year": [2023] * 2, "verified": [4_000_000, 3_000_000]}})
    activity = {
        "installation": ["A1"],
        "unit": ["1"],
        "year": [2024],
        "sector": ["power"],
        "product": ["coal_conventional_gt300"],
        "quantity": [1_000_000],
    }
    activity |= {"load": ["0.8"], "rated_mw": [600]}
    frame = pl.DataFrame(activity).with_columns(pl.col("load").cast(pl.Decimal(38, 6)))
    desk.accept("file_activity", "alice", tables={"activity": frame})
    desk.law("pre_allocate", 2024)
    ahead = desk.held("operator:A1", "CEA-2024")
    assert ahead > 0
    desk.accept("transfer", "alice", from_="operator:A1", to="tom-1", unit="CEA-2024", quantity=ahead - 10)
    emitted(desk, 2024, A1=900_000, B1=1)
    desk.law("final_allocate", 2024)
    granted = desk.state.entitlements.filter(pl.col("basis") == "final_allocation", pl.col("installation") == "A1")["quantity"].sum()
    note = desk.state.notice("allocated", 2024)
    assert (
        granted < ahead
        and note["arrears"] + note["returned"]
        == ahead - granted + desk.state.entitlements.filter(pl.col("installation") == "B1", pl.col("basis") == "pre_allocation")["quantity"].sum()
    )
    assert desk.held("operator:A1", "CEA-2024") == 0
    desk.check()


def test_carry_over_of_net_sellers_who_surrendered_on_time() -> None:
    desk = Desk(tonne.rulebook("china-national-ets"), "2023-01-01", 2024)
    names = ("A1", "B1", "C1")
    desk.accept("register_installations", tables={"installations": installations(*names)})
    for name in names:
        desk.accept("open_balance", account=f"operator:{name}", unit="CEA-2024", quantity=40_000, source="a test", year=2024)
    desk.accept("transfer", day="2024-06-01", from_="operator:B1", to="operator:C1", unit="CEA-2024", quantity=10_000)
    desk.advance("2025-08-01")
    emitted(desk, 2024, A1=5_000, B1=5_000, C1=5_000)
    desk.advance("2025-12-30")
    surrender(desk, 2024, A1=5_000, B1=5_000, C1=4_999)
    desk.advance("2026-07-01", mean_price="95.00")
    assert [desk.status(name, 2024)[2] for name in names] == ["A", "A", "B"]
    carried = [desk.held(f"operator:{name}", "CEA-2025") for name in names]
    assert carried == [10_000, 25_000, 0]  # the base; the base and one and a half times the net sales, all of the holding; late: nothing
    assert desk.held("invalidated", "CEA-2024") == (35_000 - 10_000) + 0 + (50_000 - 4_999)
    assert all(desk.held(f"operator:{name}", "CEA-2024") == 0 for name in names)
    desk.check()


def test_a_sale_after_the_window_does_not_raise_the_carry_over() -> None:
    desk = Desk(tonne.rulebook("china-national-ets"), "2023-01-01", 2024)
    names = ("A1", "B1")
    desk.accept("register_installations", tables={"installations": installations(*names)})
    for name in names:
        desk.accept("open_balance", account=f"operator:{name}", unit="CEA-2024", quantity=40_000, source="a test", year=2024)
    desk.advance("2025-08-01")
    emitted(desk, 2024, A1=5_000, B1=5_000)
    desk.advance("2025-12-30")
    surrender(desk, 2024, A1=5_000, B1=5_000)
    desk.accept("transfer", day="2025-12-31", from_="operator:A1", to="operator:B1", unit="CEA-2024", quantity=2_000)  # the last day that counts
    desk.advance("2026-01-14", mean_price="95.00")
    desk.accept("transfer", day="2026-01-15", from_="operator:A1", to="operator:B1", unit="CEA-2024", quantity=4_000)
    desk.advance("2026-07-01", mean_price="95.00")
    assert desk.held("operator:A1", "CEA-2025") == 10_000 + 3_000  # 1.5 times the 2,000 of 2025, nothing for the 4,000 of 2026
    assert desk.held("operator:B1", "CEA-2025") == 10_000
    desk.check()


def test_a_system_is_data(tiny: Path) -> None:
    """A law written in this test alone: issue, auction with a floor, report, surrender, penalty in units."""
    desk = tiny_market(tiny)
    desk.advance("2020-06-30")
    assert desk.held("auction", "TIN") == 500
    below = desk.refuse(
        "limit_exceeded", "sell", "axel", unit="TIN", price="9.99", paid_in=True, tables={"sales": {"account": ["operator:A1"], "quantity": [1]}}
    )
    assert below == "the auction reserve price of 2020 is 10.00; 9.99 is below it"
    sales = {"account": ["operator:A1", "operator:B1"], "quantity": [300, 100]}
    desk.accept("sell", "axel", unit="TIN", price="10.00", paid_in=True, tables={"sales": sales})
    assert desk.held("treasury", "CHF") == 400_000
    desk.accept("report", "alice", day="2021-02-01", tables={"reports": figures(2020, A1=300)})
    desk.accept("report", "bob", tables={"reports": figures(2020, B1=140)})
    desk.accept("verify", "vera", tables={"reports": {"installation": ["A1", "B1"], "year": [2020] * 2, "verified": [300, 140]}})
    desk.accept("surrender", "alice", year=2020, tables={"surrenders": {"installation": ["A1"], "quantity": [300]}})
    desk.accept("surrender", "bob", year=2020, tables={"surrenders": {"installation": ["B1"], "quantity": [100]}})
    desk.advance("2021-05-01")
    assert desk.status("A1", 2020) == (300, 300, "A") and desk.status("B1", 2020) == (140, 100, "B")
    fine = desk.fine("B1", 2020)
    assert fine is not None and (fine["shortfall"], fine["units"], fine["low_minor"]) == (40, 120, 0)
    desk.check()


@pytest.mark.parametrize("price", ["0.004", "0.001"])
def test_units_and_money_both_or_neither(market: Desk, price: str) -> None:
    sale = {"sales": {"account": ["tom-1"], "quantity": [1]}}
    reason = market.refuse("insufficient_balance", "sell", "axel", unit="EUA", price="20.00", tables=sale)
    assert reason.startswith("2,000 EUR from tom-1 to treasury (transfer 1 of 2): not enough is available; before this command it has 0")
    market.accept("open_balance", account="tom-1", unit="EUR", quantity=2_000, source="a bank")
    market.accept("sell", "axel", unit="EUA", price="20.00", tables=sale)
    assert (market.held("tom-1"), market.held("tom-1", "EUR"), market.held("treasury", "EUR")) == (1, 0, 2_000)
    market.refuse(
        "insufficient_balance", "sell", "axel", unit="EUA", price="1.00", paid_in=True, tables={"sales": {"account": ["tom-1"], "quantity": [10**6]}}
    )
    assert market.held("treasury", "EUR") == 2_000
    assert "cost less than one minor unit of EUR" in market.refuse("malformed", "sell", "axel", unit="EUA", price=price, tables=sale)
