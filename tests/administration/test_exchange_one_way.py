"""One-way bidding on the exchange: what is put out and every bid is set aside; the best bids win when the window is closed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from small_exchanges import aside, exchange, free, say
from small_markets import Desk


@pytest.fixture
def desk() -> Iterator[Desk]:
    """Dora sells; anna, ben and cleo may bid. What a test leaves is replayed and audited."""
    made = exchange(("anna", "ben", "cleo", "dora"))
    yield made
    made.state.books.check()
    made.check()


def put_out(desk: Desk, **changes: Any) -> None:
    body = {"reference": "lot-1", "instrument": "spot", "account": "t:dora", "side": "sell", "quantity": 10_000, "limit": "79.00"}
    body |= {"opens": "10:00", "closes": "11:00", "time": "09:00", "increment": 10, "smallest": 1_000}
    desk.accept("put_out", by="dora", **(body | changes))


def bid(desk: Desk, who: str, price: str, quantity: int, time: str = "10:05", refused: str = "") -> None:
    body = {"reference": "lot-1", "account": f"t:{who}", "price": price, "quantity": quantity, "time": time}
    desk.refuse(refused, "bid_one_way", by=who, **body) if refused else desk.accept("bid_one_way", by=who, **body)


def test_the_best_bids_win_and_are_settled(desk: Desk) -> None:
    put_out(desk)
    assert aside(desk, "t:dora") == 10_000
    bid(desk, "anna", "79.50", 6_000)
    bid(desk, "ben", "80.00", 6_000, "10:10")
    bid(desk, "cleo", "79.50", 4_000, "10:20")
    assert aside(desk, "t:anna", "EUR") == 6_000 * 7_950
    bid(desk, "anna", "79.60", 6_000, "10:30")  # raised: what stood behind the old bid is free
    assert aside(desk, "t:anna", "EUR") == 6_000 * 7_960
    desk.refuse("window_open", "close_one_way", by="venue", reference="lot-1", time="10:59")
    before = {who: (desk.held(f"t:{who}", "EUA"), desk.held(f"t:{who}", "EUR")) for who in ("anna", "ben", "cleo", "dora")}
    reply = desk.accept("close_one_way", by="venue", reference="lot-1", time="11:00")
    assert (reply.events[0]["outcome"], reply.events[0]["traded"], reply.events[0]["left"]) == ("sold", 10_000, 0)
    change = {who: (desk.held(f"t:{who}", "EUA") - u, desk.held(f"t:{who}", "EUR") - m) for who, (u, m) in before.items()}
    assert change == {
        "ben": (6_000, -6_000 * 8_000),
        "anna": (4_000, -4_000 * 7_960),
        "cleo": (0, 0),
        "dora": (-10_000, 6_000 * 8_000 + 4_000 * 7_960),
    }
    for who in ("anna", "ben", "cleo", "dora"):
        assert aside(desk, f"t:{who}") == aside(desk, f"t:{who}", "EUR") == 0


def test_what_is_put_out_or_bid_cannot_be_used_elsewhere(desk: Desk) -> None:
    put_out(desk, quantity=1_000_000)
    assert free(desk, "t:dora") == 0
    desk.refuse("insufficient_balance", "transfer", by="dora", unit="EUA", quantity=1, **{"from": "t:dora", "to": "t:anna"})
    desk.refuse("no_cover", "orders", by="dora", orders=[say("dora", instrument="spot", side="sell", price="80.00", quantity=1)])
    bid(desk, "anna", "80.00", 125_000)
    assert free(desk, "t:anna", "EUR") == 0
    bid(desk, "anna", "80.10", 125_000, "10:06", refused="no_cover")  # ten cents a unit more are not there
    desk.refuse("insufficient_balance", "withdraw", by="anna", account="t:anna", amount="0.01", currency="EUR")


def test_nobody_bids_enough(desk: Desk) -> None:
    put_out(desk, reserve="79.80")
    bid(desk, "anna", "79.50", 10_000)
    reply = desk.accept("close_one_way", by="venue", reference="lot-1", time="12:00")
    assert (reply.events[0]["outcome"], reply.events[0]["why"]) == ("not_sold", "no bid meets the reserve")
    assert aside(desk, "t:dora") == aside(desk, "t:anna", "EUR") == 0
    desk.refuse("unknown_auction", "close_one_way", by="venue", reference="lot-1", time="12:00")


def test_a_buyer_puts_money_out(desk: Desk) -> None:
    put_out(desk, account="t:dora", side="buy", limit="81.00", quantity=2_000)
    assert aside(desk, "t:dora", "EUR") == 2_000 * 8_100
    bid(desk, "anna", "80.50", 2_000)
    bid(desk, "ben", "80.40", 1_500, "10:06")
    assert (aside(desk, "t:anna"), aside(desk, "t:ben")) == (2_000, 1_500)
    desk.accept("close_one_way", by="venue", reference="lot-1", time="11:30")
    assert desk.held("t:dora", "EUA") == 1_000_000 + 2_000
    assert desk.held("t:ben", "EUA") == 1_000_000 - 1_500  # the lowest asks first
    assert desk.held("t:anna", "EUA") == 1_000_000 - 500


@pytest.mark.parametrize(
    ("who", "price", "quantity", "time", "name"),
    [
        ("anna", "78.90", 1_000, "10:05", "beyond_limit"),
        ("anna", "79.05", 1_000, "10:05", "off_increment"),
        ("anna", "79.001", 1_000, "10:05", "off_tick"),
        ("anna", "79.10", 999, "10:05", "below_minimum"),
        ("anna", "79.10", 10_001, "10:05", "above_maximum"),
        ("anna", "79.10", 1_000, "09:59", "window_closed"),
        ("anna", "79.10", 1_000, "11:00", "window_closed"),
        ("dora", "79.10", 1_000, "10:05", "own_account"),
    ],
)
def test_bids_that_do_not_count(desk: Desk, who: str, price: str, quantity: int, time: str, name: str) -> None:
    put_out(desk)
    before = desk.state.hash()
    bid(desk, who, price, quantity, time, refused=name)
    assert desk.state.hash() == before


def test_what_is_traded_whole_has_one_winner(desk: Desk) -> None:
    put_out(desk, whole=True)
    bid(desk, "anna", "80.00", 5_000, refused="whole_only")
    bid(desk, "anna", "79.50", 10_000)
    bid(desk, "ben", "79.60", 10_000, "10:06")
    desk.accept("close_one_way", by="venue", reference="lot-1", time="11:00")
    assert (desk.held("t:ben", "EUA"), desk.held("t:anna", "EUA")) == (1_010_000, 1_000_000)


def test_who_may_and_what_is_malformed(desk: Desk) -> None:
    body = {"reference": "x", "instrument": "spot", "account": "t:dora", "side": "sell", "quantity": 10, "limit": "79.00", "opens": "10:00"}
    body |= {"closes": "11:00", "time": "09:00"}
    desk.refuse("not_permitted", "put_out", by="anna", **body)
    desk.refuse("malformed", "put_out", by="dora", **(body | {"side": "lend"}))
    desk.refuse("malformed", "put_out", by="dora", **(body | {"opens": "25:00"}))
    desk.refuse("bad_window", "put_out", by="dora", **(body | {"closes": "10:00"}))
    desk.refuse("notice_too_short", "put_out", by="dora", **(body | {"notice_minutes": 61}))
    desk.refuse("not_eligible", "put_out", by="dora", **(body | {"instrument": "fut"}))
    desk.refuse("unknown_instrument", "put_out", by="dora", **(body | {"instrument": "nothing"}))
    desk.refuse("no_cover", "put_out", by="dora", **(body | {"quantity": 1_000_001}))
    put_out(desk)
    desk.refuse("already_exists", "put_out", by="dora", **(body | {"reference": "lot-1"}))
    desk.refuse("not_permitted", "close_one_way", by="dora", reference="lot-1", time="12:00")
    bid(desk, "anna", "79.50", 5_000)
    bid(desk, "anna", "79.50", 4_000, "10:06", refused="not_raised")
