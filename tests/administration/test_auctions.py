"""Auctions at the desk: announced, bid in, cleared by the law, settled; who may do what; what is published; what is refused and changes nothing."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_markets import Desk, eu, people, tiny_folder

import tonne

DAY = "2019-03-04"


def market(money: int = 1_000_000, **more: int) -> Desk:
    """The European law, 10,000 EUA on the auction account; alice, bob and tom with so much money (minor units)."""
    desk = eu()
    desk.accept("register_participant", day=DAY, participant="bank", name="Bank", role="bank")
    paid(desk, **{"operator:A1": money, "operator:B1": money, "tom-1": money} | more)
    return desk


def paid(desk: Desk, **minor: int) -> None:
    currency = desk.rulebook.system.currency
    desk.accept("deposit", by="bank", currency=currency, tables={"deposits": {"account": list(minor), "minor": list(minor.values())}})


def bids(*rows: tuple[str, str | None, int]) -> dict[str, list[Any]]:
    return {"account": [row[0] for row in rows], "price": [row[1] for row in rows], "quantity": [row[2] for row in rows]}


def announced(desk: Desk, name: str = "first", quantity: int = 2_000, **rest: Any) -> None:
    desk.accept("announce_auction", by="axel", auction=name, unit="EUA", quantity=quantity, **rest)


def result(desk: Desk, name: str = "first") -> dict[str, Any]:
    return next(notice for notice in reversed(desk.state.notices) if notice["what"] == "auction_result" and notice["auction"] == name)


def available(desk: Desk, account: str, unit: str) -> int:
    return int(desk.state.books.available(desk.state.accounts.number(account), desk.state.unit(unit)))


# -- from the announcement to the delivery


def test_bids_come_are_replaced_and_withdrawn_and_the_lowest_accepted_price_holds_for_all() -> None:
    desk = market(20_000_000)
    announced(desk, held_on="2019-03-06")
    desk.accept("bid", by="alice", auction="first", tables={"bids": bids(("operator:A1", "25.00", 500), ("operator:A1", "20.00", 500))})
    desk.accept("bid", by="bob", auction="first", tables={"bids": bids(("operator:B1", "99.00", 2_000))})
    desk.accept("bid", by="bob", auction="first", bids=[["operator:B1", "22.00", 1_000, ""]])  # replaces, and may come as rows of the body
    desk.accept("bid", by="tom", auction="first", bids=[["tom-1", "30.00", 2_000, ""]])
    desk.accept("bid", by="tom", auction="first", withdraw="tom-1")
    desk.refuse("nothing_to_do", "bid", by="tom", auction="first", withdraw="tom-1")
    desk.refuse("not_due", "clear_auction", by="axel", auction="first")
    assert available(desk, "operator:A1", "EUR") == 20_000_000  # nothing is set aside where nobody asks for security
    desk.accept("clear_auction", by="axel", day="2019-03-06", auction="first", seed=7)
    told = result(desk)
    assert (told["outcome"], told["price"], told["sold"], told["unsold"], told["paid_minor"]) == ("cleared", "20.00", 2_000, 0, 4_000_000)
    assert (desk.held("operator:A1"), desk.held("operator:B1"), desk.held("auction")) == (2_000, 1_500, 8_000)
    assert (desk.held("operator:A1", "EUR"), desk.held("treasury", "EUR")) == (18_000_000, 4_000_000)
    desk.refuse("auction_closed", "clear_auction", by="axel", auction="first")
    desk.refuse("auction_closed", "bid", by="alice", auction="first", bids=[["operator:A1", "20.00", 500, ""]])
    desk.refuse("already_exists", "announce_auction", by="axel", auction="first", unit="EUA", quantity=500)
    desk.refuse("unknown_auction", "bid", by="alice", auction="second", bids=[["operator:A1", "20.00", 500, ""]])
    desk.refuse("unknown_auction", "clear_auction", by="axel", auction="second")
    desk.check()


def test_bids_after_the_day_come_too_late_and_the_auction_may_still_be_held() -> None:
    desk = market()
    announced(desk, held_on="2019-03-06")
    desk.accept("bid", by="alice", day="2019-03-06", auction="first", bids=[["operator:A1", "4.00", 2_000, ""]])
    desk.refuse("auction_closed", "bid", by="bob", day="2019-03-07", auction="first", bids=[["operator:B1", "5.00", 2_000, ""]])
    desk.accept("clear_auction", by="axel", day="2019-03-07", auction="first")
    assert result(desk)["sold"] == 2_000 and desk.held("operator:B1") == 500
    desk.check()


def test_guarantees_are_set_aside_and_released_to_the_cent_and_bids_beyond_them_are_refused() -> None:
    desk = market(1_000_000, **{"tom-1": 1_600_001})
    announced(desk, secured=True)
    desk.refuse("insufficient_balance", "bid", by="alice", auction="first", bids=[["operator:A1", "10.01", 1_000, ""]])
    # 500 at 15.00 and 500 more at 9.00: the larger of 7,500 and 9,000
    desk.accept("bid", by="alice", auction="first", bids=[["operator:A1", "15.00", 500, ""], ["operator:A1", "9.00", 500, ""]])
    assert available(desk, "operator:A1", "EUR") == 100_000 and desk.held("operator:A1", "EUR") == 1_000_000
    desk.accept("bid", by="bob", auction="first", bids=[["operator:B1", "9.50", 1_000, ""]])
    desk.accept("bid", by="bob", auction="first", bids=[["operator:B1", "9.60", 500, ""]])  # the old guarantee is free, the new one aside
    assert available(desk, "operator:B1", "EUR") == 520_000
    desk.accept("bid", by="tom", auction="first", bids=[["tom-1", "16.00", 1_000, ""]])
    assert available(desk, "tom-1", "EUR") == 1
    desk.refuse("malformed", "clear_auction", by="axel", auction="first", bids=[["operator:B1", "50.00", 500, ""]])  # no guarantee came with it
    desk.accept("clear_auction", by="axel", auction="first")
    told = result(desk)
    assert (told["price"], told["sold"], told["winners"]) == ("9.60", 2_000, 3)
    assert [desk.held(one, "EUR") for one in ("operator:A1", "operator:B1", "tom-1")] == [520_000, 520_000, 640_001]
    assert all(available(desk, one, "EUR") == desk.held(one, "EUR") for one in ("operator:A1", "operator:B1", "tom-1"))
    desk.check()


def test_where_each_pays_its_own_bid_the_guarantee_covers_the_sum() -> None:
    desk = market(10_000_000)
    rules = {"pricing": "pay_as_bid", "ranking": "time", "undersubscribed": "partial_at_lowest_bid"}
    desk.accept("announce_auction", by="alice", auction="mine", unit="EUA", quantity=300, from_="operator:A1", secured=True, rules=rules)
    assert available(desk, "operator:A1", "EUA") == 700
    rows = [["tom-1", "20.00", 100, ""], ["tom-1", "10.00", 100, ""]]
    desk.accept("bid", by="tom", auction="mine", bids=rows)
    assert available(desk, "tom-1", "EUR") == 10_000_000 - 300_000
    desk.accept("clear_auction", by="axel", auction="mine")
    assert (desk.held("tom-1"), desk.held("tom-1", "EUR")) == (200, 9_700_000)
    assert (desk.held("operator:A1"), available(desk, "operator:A1", "EUA"), desk.held("operator:A1", "EUR")) == (800, 800, 10_300_000)
    assert result(desk, "mine")["outcome"] == "partial" and desk.held("treasury", "EUR") == 0
    desk.check()


def test_called_off_everything_is_free_again() -> None:
    desk = market()
    announced(desk, secured=True, held_on="2019-04-01")
    desk.accept("bid", by="alice", auction="first", bids=[["operator:A1", "9.00", 1_000, ""]])
    desk.accept("clear_auction", by="axel", auction="first", called_off="the bidding window did not open")
    assert (result(desk)["outcome"], result(desk)["reason"]) == ("cancelled", "called_off")
    assert available(desk, "operator:A1", "EUR") == 1_000_000 and desk.held("auction") == 10_000 and not desk.state.exchange.sales
    desk.check()


def test_who_cannot_pay_holds_up_the_auction_until_its_bids_are_left_out() -> None:
    desk = market(0 + 1)
    announced(desk, quantity=500)
    desk.accept("bid", by="tom", auction="first", bids=[["tom-1", "30.00", 500, ""]])
    desk.refuse("insufficient_balance", "clear_auction", by="axel", auction="first")
    desk.accept("clear_auction", by="axel", auction="first", without=["tom-1"])
    assert result(desk)["reason"] == "no_bids" and desk.held("tom-1") == 0
    announced(desk, "second", 500)
    desk.accept("bid", by="tom", auction="second", bids=[["tom-1", "30.00", 500, ""]])
    desk.accept("clear_auction", by="axel", auction="second", paid_in=True)  # the bank pays in what is owed
    assert (desk.held("tom-1"), desk.held("tom-1", "EUR"), desk.held("treasury", "EUR")) == (500, 1, 1_500_000)
    desk.check()


# -- who may do what


def test_bids_and_units_of_others_are_not_ones_own() -> None:
    desk = market()
    announced(desk)
    desk.refuse("not_permitted", "bid", by="bob", auction="first", bids=[["operator:A1", "5.00", 500, ""]])
    desk.refuse("not_permitted", "bid", by="bob", auction="first", bids=[["operator:B1", "5.00", 500, ""], ["operator:A1", "5.00", 500, ""]])
    desk.accept("bid", by="axel", auction="first", bids=[["operator:A1", "5.00", 500, ""]])  # what the auctioneer received elsewhere
    desk.refuse("not_permitted", "bid", by="bob", auction="first", withdraw="operator:A1")
    desk.refuse("not_permitted", "bid", by="axel", auction="first", bids=[["treasury", "5.00", 500, ""]])
    desk.refuse("unknown_account", "bid", by="axel", auction="first", bids=[["operator:Z9", "5.00", 500, ""]])
    for who in ("alice", "tom"):
        desk.refuse("not_permitted", "announce_auction", by=who, auction="x", unit="EUA", quantity=500)
        desk.refuse("not_permitted", "clear_auction", by=who, auction="first")
    for place in ("issuance", "outside", "treasury", "total-quantity", "surrendered"):
        for who in ("axel", "administrator"):
            desk.refuse("not_permitted", "announce_auction", by=who, auction="x", unit="EUA", quantity=500, from_=place)
    desk.refuse("not_permitted", "announce_auction", by="axel", auction="x", unit="EUA", quantity=500, from_="operator:A1")
    desk.refuse("not_permitted", "announce_auction", by="axel", auction="x", unit="EUA", quantity=500, from_="stability-reserve")
    desk.refuse("not_eligible", "announce_auction", by="alice", auction="x", unit="EUR", quantity=500, from_="operator:A1")
    desk.refuse("not_permitted", "announce_auction", by="axel", auction="x", unit="EUA", quantity=500, rules={"lot": 1})
    desk.check()


def test_what_is_offered_is_there_and_promised_once() -> None:
    desk = market()
    announced(desk, "first", 6_000)
    assert "4,000 are there" in desk.refuse("insufficient_balance", "announce_auction", by="axel", auction="second", unit="EUA", quantity=4_500)
    row = ["auction", "EUA", 2_500, "", ""]
    desk.refuse("insufficient_balance", "announce_auction", by="axel", auction="second", offers=[row, row])
    desk.refuse("insufficient_balance", "clear_auction", by="axel", auction="at once", offers=[row, row])
    desk.refuse("insufficient_balance", "announce_auction", by="alice", auction="mine", unit="EUA", quantity=1_001, from_="operator:A1")
    announced(desk, "second", 4_000)
    desk.check()


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("off_tick", [["operator:A1", "5.005", 500, ""]]),
        ("malformed", [["operator:A1", "0", 500, ""]]),
        ("malformed", [["operator:A1", "-5.00", 500, ""]]),
        ("malformed", [["operator:A1", "NaN", 500, ""]]),
        ("malformed", [["operator:A1", "Infinity", 500, ""]]),
        ("malformed", [["operator:A1", "five", 500, ""]]),
        ("malformed", [["operator:A1", "1000000.01", 500, ""]]),
        ("malformed", [["operator:A1", "1e30", 500, ""]]),
        ("malformed", [["operator:A1", "5.00", 0, ""]]),
        ("malformed", [["operator:A1", "5.00", -500, ""]]),
        ("malformed", [["operator:A1", 5, 500, ""]]),
        ("malformed", [["operator:A1", "5.00", True, ""]]),
        ("malformed", [["operator:A1", "5.00", 500]]),
        ("malformed", [["operator:A1", "", 500, ""]]),
        ("malformed", []),
        ("malformed", "none"),
        ("odd_lot", [["operator:A1", "5.00", 499, ""]]),
        ("limit_exceeded", [["operator:A1", "5.00", 8_500, ""]]),
        ("limit_exceeded", [["operator:A1", "5.00", 10**17, ""]]),
    ],
)
def test_a_bid_that_is_none_is_refused_by_name(name: str, rows: Any) -> None:
    desk = market()
    announced(desk)
    desk.refuse(name, "bid", by="alice", auction="first", bids=rows)
    assert not desk.state.exchange.sales["first"]["bids"]


def test_announcements_that_are_none_are_refused_by_name() -> None:
    desk = market()
    for body in (
        {"unit": "EUA", "quantity": 0},
        {"unit": "EUA", "quantity": -500},
        {"unit": "EUA", "quantity": "500"},
        {"offers": []},
        {"offers": [["auction", "EUA", 500]]},
        {"unit": "EUA", "quantity": 500, "secured": "yes"},
        {"unit": "EUA", "quantity": 500, "held_on": "soon"},
    ):
        desk.refuse("malformed", "announce_auction", by="axel", auction="x", **body)
    desk.refuse("day_out_of_order", "announce_auction", by="axel", auction="x", unit="EUA", quantity=500, held_on="2019-03-03")
    desk.refuse("unknown_unit_type", "announce_auction", by="axel", auction="x", unit="XXX", quantity=500)
    for rules in ({"lots": 5}, {"pricing": "dutch"}, {"decimals": 8}, "free"):
        desk.refuse("malformed", "announce_auction", by="alice", auction="x", unit="EUA", quantity=5, from_="operator:A1", rules=rules)
    announced(desk)
    desk.accept("bid", by="alice", auction="first", bids=[["operator:A1", "5.00", 2_000, ""]])
    for body in ({"seed": -1}, {"paid_in": "yes"}, {"year": True}, {"reserve": "much"}, {"secondary": 0}, {"planned": -1}, {"without": "tom-1"}):
        desk.refuse("malformed", "clear_auction", by="axel", auction="first", **body)
    desk.check()


# -- what the law says of the price


def test_a_secret_reserve_price_holds_and_is_not_published() -> None:
    desk = market()
    announced(desk)
    desk.accept("bid", by="alice", auction="first", bids=[["operator:A1", "4.00", 2_000, ""]])
    reply = desk.accept("clear_auction", by="axel", auction="first", reserve="4.005")  # between two steps: the next one above
    told = result(desk)
    assert (told["outcome"], told["price"], told["reserve"], told["sold"]) == ("cancelled", None, None, 0)
    assert "4.0" not in str([{k: v for k, v in event.items() if k != "auction"} for event in reply.events if event["event"] == "published"])
    assert desk.held("auction") == 10_000
    desk.check()


@pytest.mark.parametrize(("secondary", "outcome", "sold"), [("4.00", "cleared", 2_000), ("4.001", "cancelled", 0), ("9.00", "cancelled", 0)])
def test_far_below_the_secondary_market_the_european_auction_is_cancelled(secondary: str, outcome: str, sold: int) -> None:
    desk = market()
    announced(desk)
    desk.accept("bid", by="alice", auction="first", bids=[["operator:A1", "4.00", 2_000, ""]])
    desk.accept("clear_auction", by="axel", auction="first", secondary=secondary)
    assert (result(desk)["outcome"], result(desk)["sold"], desk.held("auction")) == (outcome, sold, 10_000 - sold)
    desk.check()


def of(system: str, day: str, quantity: int, unit: str = "", vintage: int | None = None) -> Desk:
    """Another system's law, with so many units on the auction account."""
    desk = people(Desk(tonne.rulebook(system), day, int(day[:4])))
    unit = unit or desk.rulebook.system.unit_code
    measure = desk.rulebook.system.measure
    desk.accept("add_unit_type", code=unit, kind="allowance", measure=measure, vintage=vintage)
    desk.accept("open_balance", account="auction", unit=unit, quantity=quantity, source="a test", year=int(day[:4]))
    return desk


def at_once(desk: Desk, quantity: int, *rows: tuple[str, str, int], category: str = "", **body: Any) -> dict[str, Any]:
    unit = next(kind.code for kind in desk.state.books.unit_types if kind.kind == "allowance")
    sent = [[*row, ""] for row in rows]
    given = {"unit": unit, "quantity": quantity, "bids": sent, "paid_in": True} | ({"category": category} if category else {})
    desk.accept("clear_auction", by="axel", auction="now", **given, **body)
    desk.check()
    return result(desk, "now")


A, B, T = "operator:A1", "operator:B1", "tom-1"


def test_the_british_auction_sells_what_matches_the_secondary_price_and_never_below_its_floor() -> None:
    told = at_once(of("uk-ets", "2024-03-06", 10_000), 2_000, (A, "40.00", 500), (B, "30.00", 1_500), secondary="35.00")
    assert (told["outcome"], told["price"], told["sold"], told["unsold"], told["reserve"]) == ("partial", "40.00", 500, 1_500, "22.00")
    told = at_once(of("uk-ets", "2024-03-06", 10_000), 2_000, (A, "40.00", 500), (B, "21.99", 1_500))
    assert (told["outcome"], told["price"], told["sold"]) == ("partial", "40.00", 500)


def test_the_new_zealand_auction_declines_when_bids_lie_below_its_reserve() -> None:
    desk = of("nz-ets", "2024-06-19", 10_000)
    told = at_once(desk, 2_000, (A, "70.00", 500), (B, "60.00", 1_500), reserve="65.00")
    assert (told["outcome"], told["sold"], told["unsold"]) == ("declined", 0, 2_000) and desk.held("auction", "NZU") == 10_000


def test_rggi_withholds_for_good_what_nobody_wants_at_its_lower_trigger() -> None:
    desk = of("rggi", "2024-06-05", 40_000_000)
    code, low = desk.rulebook.system.unit_code, Decimal(desk.state.law().emissions_trigger(2024))
    told = at_once(
        desk, 8_000_000, (A, str(low + 1), 2_000_000), (B, str(low + 1), 2_000_000), (T, str(low + 1), 2_000_000), ("remainder", str(low), 2_000_000)
    )
    assert (told["sold"], sum(told["by_tier"]), told["withheld"]) == (8_000_000, 0, 0)
    desk = of("rggi", "2024-06-05", 40_000_000)
    told = at_once(desk, 8_000_000, (A, str(low - 1), 2_000_000), (B, str(low + 1), 2_000_000), (T, str(low - 1), 2_000_000))
    assert told["withheld"] == 6_000_000 and desk.held("cancelled", code) == 6_000_000
    assert (told["sold"], told["unsold"]) == (2_000_000, 0) and desk.held("auction", code) == 32_000_000


def test_rggi_releases_no_more_than_its_reserve_holds_in_a_year() -> None:
    desk = of("rggi", "2024-06-05", 400_000_000)
    code = desk.rulebook.system.unit_code
    for place in range(5):
        desk.accept("open_account", by="tom", account=f"tom-{place + 2}", kind="trading")
    size = int(desk.state.law().containment_size(2024))
    dear = str(Decimal(desk.state.law().containment_trigger(2024)) + 5)
    everybody = [A, B, T, *(f"tom-{place + 2}" for place in range(5))]
    offered = 4 * size
    before = -desk.held("issuance", code)
    rows = [[one, dear, size // 1_000 * 1_000, ""] for one in everybody]
    for name, more in (("first", size), ("second", 0)):
        desk.accept("clear_auction", by="axel", auction=name, unit=code, quantity=offered, bids=rows, paid_in=True)
        told = result(desk, name)
        assert (sum(told["by_tier"]), told["sold"], told["unsold"]) == (more, offered + more, 0)
    assert -desk.held("issuance", code) == before + size
    desk.check()


def test_germany_sells_up_to_twice_the_offer_at_its_ceiling() -> None:
    desk = of("germany-nehs", "2026-07-07", 10_000_000)
    told = at_once(desk, 1_000_000, (A, "65.00", 900_000), (B, "80.00", 900_000), (T, "60.00", 500_000))
    assert (told["price"], told["sold"], told["added"], told["ceiling"], told["reserve"]) == ("65.00", 1_800_000, 800_000, "65.00", "55.00")
    desk = of("germany-nehs", "2026-07-07", 10_000_000)
    told = at_once(desk, 1_000_000, (A, "54.99", 900_000), (B, "55.00", 300_000))
    assert (told["price"], told["sold"]) == ("55.00", 300_000)


def test_korea_serves_equal_bids_in_the_order_they_came_and_takes_one_of_a_bidder() -> None:
    desk = of("k-ets", "2025-02-12", 100_000, "KAU-2025", 2025)
    desk.accept("announce_auction", by="axel", auction="first", unit="KAU-2025", quantity=10_000)
    two = [[B, "10000", 1_000, ""], [B, "10050", 1_000, ""]]
    desk.refuse("limit_exceeded", "bid", by="bob", auction="first", bids=two)
    desk.refuse("odd_lot", "bid", by="bob", auction="first", bids=[[B, "10000", 900, ""]])
    desk.refuse("odd_lot", "bid", by="bob", auction="first", bids=[[B, "10000", 1_050, ""]])
    desk.refuse("off_tick", "bid", by="bob", auction="first", bids=[[B, "10010", 1_000, ""]])
    for place in range(7):
        desk.accept("open_account", by="tom", account=f"tom-{place + 2}", kind="trading")
    for place in range(7, -1, -1):
        desk.accept("bid", by="tom", auction="first", bids=[[f"tom-{place + 1}", "10000", 2_000, ""]])
    desk.accept("clear_auction", by="axel", auction="first", paid_in=True)
    held = [desk.held(f"tom-{place + 1}", "KAU-2025") for place in range(8)]
    assert result(desk)["price"] == "10000" and held == [0, 1_000, 1_500, 1_500, 1_500, 1_500, 1_500, 1_500]  # 15 % of the offer each
    assert desk.held("treasury", "KRW") == 100_000_000  # a currency without a minor unit
    desk.check()


def test_california_sells_consigned_units_first_and_pays_their_owner() -> None:
    desk = of("california", "2023-02-15", 50_000)
    code = desk.rulebook.system.unit_code
    for account in (A, B):
        desk.accept("open_balance", account=account, unit=code, quantity=10_000, source="a test", year=2023)
    offers = [["auction", code, 40_000, "", "state"], [A, code, 6_000, "", "consigned"], [B, code, 4_000, "", "consigned"]]
    desk.refuse("not_permitted", "announce_auction", by="axel", auction="joint", offers=offers)
    desk.refuse("malformed", "announce_auction", auction="joint", offers=[["auction", code, 40_000, "", "nobody's"]])
    table = pl.DataFrame(offers, schema=["account", "unit", "quantity", "jurisdiction", "category"], orient="row")
    desk.accept("announce_auction", auction="joint", tables={"offers": table})
    assert (available(desk, A, code), available(desk, B, code)) == (4_000, 6_000)
    kinds = [[T, "30.00", 5_000, "voluntary"], ["remainder", "30.00", 6_000, "covered"], [B, "30.00", 4_000, "covered"]]
    desk.refuse("malformed", "bid", auction="joint", bids=[[T, "30.00", 5_000, "dragon"]])
    desk.accept("bid", auction="joint", bids=kinds)
    desk.accept("clear_auction", by="axel", auction="joint", paid_in=True)
    told = result(desk, "joint")
    assert (told["price"], told["sold"], told["unsold"], told["reserve"]) == ("22.21", 12_000, 38_000, "22.21")
    assert desk.held(T, code) == 2_000  # 4 % of the offer for who has no obligation
    assert desk.held("remainder", code) == 6_000
    # all 10,000 consigned units are sold, 2,000 of the state's; whoever wins its own units keeps them and its money
    assert desk.held("auction", code) == 48_000
    assert desk.held(A, code) == 4_000 and desk.held(A, "USD") == 6_000 * 2221
    assert available(desk, B, code) == desk.held(B, code)
    assert desk.held(T, code) + desk.held("remainder", code) + desk.held(A, code) + desk.held(B, code) + desk.held("auction", code) == 70_000
    assert told["paid_minor"] == 12_000 * 2221
    desk.check()


def test_consigned_units_that_nobody_wants_go_back() -> None:
    desk = of("california", "2023-02-15", 50_000)
    code = desk.rulebook.system.unit_code
    desk.accept("open_balance", account=A, unit=code, quantity=10_000, source="a test", year=2023)
    desk.accept("announce_auction", by="alice", auction="mine", offers=[[A, code, 6_000, "", "consigned"]])
    desk.refuse("insufficient_balance", "transfer", by="alice", from_=A, to=B, unit=code, quantity=5_000)
    desk.accept("clear_auction", by="axel", auction="mine")
    assert available(desk, A, code) == 10_000 and result(desk, "mine")["reason"] == "no_bids"
    desk.check()


def test_equal_bids_share_in_proportion_where_the_seller_says_so() -> None:
    desk = market(10_000_000)
    rules = {"pricing": "lowest_accepted", "ranking": "pro_rata"}
    desk.accept("announce_auction", by="alice", auction="mine", unit="EUA", quantity=300, from_=A, rules=rules)
    desk.accept("bid", by="bob", auction="mine", bids=[[B, "10.00", 200, ""]])
    desk.accept("bid", by="tom", auction="mine", bids=[[T, "10.00", 400, ""]])
    desk.accept("clear_auction", by="axel", auction="mine")
    assert (desk.held(B), desk.held(T), desk.held(A), desk.held(A, "EUR")) == (600, 200, 700, 10_300_000)
    desk.check()


def test_every_published_field_is_there_and_nobody_is_named() -> None:
    desk = market(20_000_000)
    announced(desk)
    desk.accept("bid", by="alice", auction="first", bids=[[A, "25.00", 500, ""], [A, "20.00", 500, ""]])
    desk.accept("bid", by="bob", auction="first", bids=[[B, "22.00", 2_000, ""]])
    reply = desk.accept("clear_auction", by="axel", auction="first", seed=3, planned=1_500)
    told = dict(reply.events[0])
    assert told | {
        "event": "auction_cleared", "auction": "first", "outcome": "cleared", "reason": "", "price": "22.00", "offered": 2_000, "sold": 2_000,
        "unsold": 0, "added": 0, "by_tier": [], "withheld": 0, "bid_units": 3_000, "cover_ratio": Decimal("1.50"), "bidders": 2, "winners": 2,
        "bids": 3, "min_bid": Decimal("20.00"), "max_bid": Decimal("25.00"), "paid_minor": 4_400_000, "proceeds": Decimal("44000.00"),
        "planned": 1_500, "year": 2019, "own_rules": False,
        "by_offer": [{"seller": "auction", "unit": "EUA", "offered": 2_000, "sold": 2_000}],
    } == told  # fmt: skip
    assert {"mean_bid", "median_bid", "mean_bid_by_unit", "median_bid_by_unit", "hhi", "mean_price_paid", "interim_price"} <= set(told)
    assert not any(name in str(told) for name in (A, B, "alice", "bob"))
    desk.check()


def test_prices_stay_in_the_steps_of_the_announcement(tmp_path: Path) -> None:
    """The law's price step changes between bid and auction: bids keep their price."""
    auction = """
        rules: [auction_format]
        parameters:
          pricing: {unit: text, values: [{from: 2020-01-01, value: lowest_accepted, source: the council}]}
          tick:
            unit: CHF_per_allowance
            values:
              - {from: 2020-01-01, value: 0.01, source: the council}
              - {from: 2020-03-01, value: 0.05, source: the council}
        """
    desk = people(Desk(tonne.rulebook(tiny_folder(tmp_path / "tiny-ets", auction=auction)), "2020-01-01", 2020))
    desk.accept("add_unit_type", code="TIN", kind="allowance", measure="tonne", vintage=None)
    desk.accept("open_balance", account="auction", unit="TIN", quantity=100, source="a test", year=2020)
    desk.accept("announce_auction", by="axel", auction="first", unit="TIN", quantity=100, held_on="2020-03-02")
    desk.accept("bid", by="alice", day="2020-02-28", auction="first", bids=[[A, "12.34", 100, ""]])
    desk.accept("clear_auction", by="axel", day="2020-03-02", auction="first", paid_in=True)
    assert (result(desk)["price"], desk.held("treasury", "CHF")) == ("12.34", 123_400)
    desk.check()


# -- ahead of the year's end


def test_no_more_is_offered_than_the_year_has_and_nothing_after_it() -> None:
    desk = eu()
    desk.refuse("not_due", "offer", by="axel", year=2019, quantity=1)
    desk.law("issue", 2019)
    desk.accept("auction_calendar", year=2019, volume=1_000_000, source="a test")
    desk.refuse("limit_exceeded", "offer", by="axel", year=2019, quantity=1_000_001)
    desk.refuse("malformed", "offer", by="axel", year=2019, quantity=0)
    desk.refuse("not_permitted", "offer", by="alice", year=2019, quantity=10)
    desk.accept("offer", by="axel", year=2019, quantity=600_000, auction="a")
    desk.refuse("limit_exceeded", "offer", by="axel", year=2019, quantity=400_001)
    desk.accept("offer", by="axel", year=2019, quantity=100_000, auction="b")
    assert desk.held("auction") == 710_000
    desk.advance("2020-01-01")
    assert desk.held("auction") == 1_010_000  # the task offers what was not offered yet
    desk.refuse("already_done", "offer", by="axel", year=2019, quantity=1)
    desk.check()


def test_a_withdrawn_bid_frees_its_guarantee_and_a_bid_without_a_price_needs_one_beside_it() -> None:
    desk = market(1_000_000)
    rules = {"pricing": "lowest_accepted", "non_competitive_share": "0.50"}
    desk.accept("announce_auction", by="alice", auction="mine", unit="EUA", quantity=400, from_=A, rules=rules, secured=True)
    desk.refuse("malformed", "bid", by="tom", auction="mine", bids=[[T, "", 100, ""]])
    desk.accept("bid", by="tom", auction="mine", bids=[[T, "", 100, ""], [T, "20.00", 200, ""]])
    assert available(desk, T, "EUR") == 1_000_000 - 600_000
    desk.accept("bid", by="tom", auction="mine", withdraw=T)
    assert available(desk, T, "EUR") == 1_000_000 and not desk.state.exchange.sales["mine"]["guarantees"]
    desk.accept("bid", by="tom", auction="mine", bids=[[T, None, 300, ""], [T, "20.00", 200, ""]])
    desk.accept("clear_auction", by="axel", auction="mine")
    told = result(desk, "mine")
    assert (told["price"], told["sold"], desk.held(T)) == ("20.00", 400, 400)  # half of the offer goes to bids without a price
    assert desk.held(T, "EUR") == 200_000 == available(desk, T, "EUR")
    desk.check()
