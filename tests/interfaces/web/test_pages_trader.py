"""Trading by the pages: an order in two steps, changed, cancelled, stopped; refusals beside their field; bids with a code; money by two persons."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from tonne.administration.commands import Command
from tonne.interfaces.views import auctions_view, market_view, money, trader_view
from tonne.interfaces.web.place import Place

TICKET = {"side": "buy", "kind": "limit", "lasting": "day"}
REVIEW, PLACE = "/review", "/place"


class Floor:
    """The trader's market as the tests look at it."""

    def __init__(self, place: Place, browser: Any) -> None:
        self.place, self.browser = place, browser
        self.hall = place.demo.hall
        self.system = self.hall.system
        persona = place.demo.plan.people["trader"]
        self.participant, self.account = persona.participant, persona.accounts[0]
        with self.hall.read() as state:
            self.spot, self.future = (next(one for one in market_view.instruments(state) if (one.kind == "spot") == spot) for spot in (True, False))
        self.at = f"/{self.system}/trade/{self.spot.code}"

    @property
    def mine(self) -> trader_view.Trader:
        with self.hall.read() as state:
            return trader_view.trader(state, self.participant)

    @property
    def waiting(self) -> str:
        """A price at which a purchase waits in the book."""
        with self.hall.read() as state:
            now = market_view.instrument(state, self.spot.code)
        return str(now.lowest if now.lowest is not None else now.tick)

    def review(self, **fields: Any) -> Any:
        return self.browser.post_form(self.at, REVIEW, **{**TICKET, "account": self.account, **fields})

    def place_order(self, **fields: Any) -> Any:
        return self.browser.post_form(self.review(**fields), PLACE)

    def numbers(self) -> set[int]:
        return {order.order for order in self.mine.orders}


@pytest.fixture
def floor(place: Place, visit: Callable[..., Any]) -> Floor:
    return Floor(place, visit("trader"))


def code(place: Place, persona: str) -> str:
    return place.demo.code_of(place.demo.login_of(persona).person)


def beside(page: Any, field: str) -> str:
    """The fault beside a field, `` where there is none."""
    found = re.search(rf'id="error-{field}">(.*?)</p>', page.text, re.S)
    return unescape(re.sub("<.*?>", "", found.group(1))).strip() if found else ""


# -- orders


def test_an_order_is_reviewed_then_placed_then_in_the_book(floor: Floor) -> None:
    before = floor.numbers()
    review = floor.review(quantity=100, price=floor.waiting)
    assert review.status_code == 200 and "Place: buy 100" in review.text and "Set aside" in review.text
    assert floor.numbers() == before, "a review sent something"
    done = floor.browser.post_form(review, PLACE)
    (made,) = floor.numbers() - before
    assert done.status_code == 200 and done.url.path == floor.at
    assert f"Order {made} is placed" in done.text and "100 wait in the book" in done.text
    (order,) = (one for one in floor.mine.orders if one.order == made)
    assert (order.side, order.quantity, str(order.price), order.kind, order.lasting) == ("buy", 100, floor.waiting, "limit", "day")


def test_an_order_that_meets_others_trades_and_says_so(floor: Floor) -> None:
    with floor.hall.read() as state:
        offer = market_view.instrument(state, floor.spot.code).offer
    trades = len(floor.mine.trades)
    review = floor.review(quantity=1, price=offer)
    assert "Trades at once" in review.text and "1, for" in review.text
    done = floor.browser.post_form(review, PLACE)
    assert len(floor.mine.trades) == trades + 1
    assert f"1 traded, at {offer} on average." in done.text


def test_the_same_form_twice_is_one_order(floor: Floor) -> None:
    before = floor.numbers()
    review = floor.review(quantity=10, price=floor.waiting)
    first = floor.browser.post_form(review, PLACE)
    again = floor.browser.post_form(review, PLACE)
    assert len(floor.numbers() - before) == 1
    assert first.status_code == again.status_code == 200
    (made,) = floor.numbers() - before
    assert f"Order {made} is placed" in first.text and f"Order {made} is placed" in again.text


def test_change_something_keeps_what_was_typed(floor: Floor) -> None:
    review = floor.review(quantity=123, price=floor.waiting, lasting="gtc")
    hidden = floor.browser.form(review, PLACE)
    page = floor.browser.post(f"{floor.at}/edit", data=hidden)
    assert page.status_code == 200 and 'value="123"' in page.text and f'value="{floor.waiting}"' in page.text
    assert re.search(r'<option value="gtc" selected>', page.text)


def test_an_order_is_changed_in_the_same_two_steps(floor: Floor) -> None:
    before = floor.numbers()
    floor.place_order(quantity=100, price=floor.waiting)
    (made,) = floor.numbers() - before
    page = floor.browser.get(f"{floor.at}?change={made}")
    review = floor.browser.post_form(page, REVIEW, quantity=60, price=floor.waiting)
    assert f"Change order {made} to 60" in review.text
    done = floor.browser.post_form(review, PLACE)
    assert f"Order {made} is changed" in done.text
    assert next(one for one in floor.mine.orders if one.order == made).quantity == 60


def test_an_order_is_cancelled_in_one_step_and_once(floor: Floor) -> None:
    before = floor.numbers()
    page = floor.place_order(quantity=100, price=floor.waiting)
    (made,) = floor.numbers() - before
    done = floor.browser.post_form(page, f"/orders/{made}/cancel")
    assert made not in floor.numbers() and f"Order {made} is cancelled" in done.text
    again = floor.browser.post_form(page, f"/orders/{made}/cancel")
    assert again.status_code == 200 and f"Order {made} is cancelled" in again.text, "the same wish, the same answer"


def test_what_others_have_in_the_book_is_not_touched(floor: Floor) -> None:
    """Somebody else's order looks as one that is not there."""
    with floor.hall.read() as state:
        rows = state.exchange.book.open_orders()
        number = state.accounts.number(floor.account)
        other = next(row for row in rows if int(row["account"]) != number)
        foreign, count = int(other["order"]), len(rows)
    hidden = floor.browser.form(floor.browser.get(floor.at), REVIEW)
    answer = floor.browser.post(f"/{floor.system}/orders/{foreign}/cancel", data=hidden)
    assert "is not among your open orders" in answer.text
    nowhere = floor.browser.post(f"/{floor.system}/orders/999999999/cancel", data=hidden)
    assert nowhere.text.count("is not among your open orders") == answer.text.count("is not among your open orders")
    change = floor.browser.post(
        f"{floor.at}/place", data={**hidden, **TICKET, "account": floor.account, "order": foreign, "quantity": "1", "price": floor.waiting}
    )
    assert change.status_code == 409
    others = floor.browser.post(f"{floor.at}/place", data={**hidden, **TICKET, "account": "trader-2", "quantity": "1", "price": floor.waiting})
    assert others.status_code == 422
    with floor.hall.read() as state:
        assert len(state.exchange.book.open_orders()) == count


# -- refusals


def test_beyond_the_days_limits_is_refused_beside_the_price(floor: Floor) -> None:
    before = floor.numbers()
    high = floor.spot.highest + 1
    page = floor.review(quantity=10, price=high)
    assert page.status_code == 422 and f"Today's prices run from {floor.spot.lowest} to {floor.spot.highest}" in beside(page, "price")
    assert 'value="10"' in page.text and f'value="{high}"' in page.text, "what was typed is gone"
    hidden = floor.browser.form(page, REVIEW)
    straight = floor.browser.post(f"{floor.at}/place", data={**hidden, **TICKET, "account": floor.account, "quantity": "10", "price": str(high)})
    assert straight.status_code == 422 and "Today's prices run from" in beside(straight, "price"), "the book's own refusal was not told"
    assert floor.numbers() == before


def test_without_cover_is_refused_beside_the_quantity_with_the_figures(floor: Floor) -> None:
    before = floor.numbers()
    page = floor.review(quantity=900_000_000, price=floor.waiting)
    assert page.status_code == 422 and re.search(r"This needs .+, and .+ is free on trader-1", beside(page, "quantity"))
    hidden = floor.browser.form(page, REVIEW)
    straight = floor.browser.post(
        f"{floor.at}/place", data={**hidden, **TICKET, "account": floor.account, "quantity": "900000000", "price": floor.waiting}
    )
    assert straight.status_code == 422 and "This needs" in beside(straight, "quantity")
    assert floor.numbers() == before


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"price": "70.005"}, "price", "go in steps of"),
        ({"price": ""}, "price", "Name a price"),
        ({"price": "seventy"}, "price", "A price is written like"),
        ({"price": "70.00", "quantity": "0"}, "quantity", "lies between"),
        ({"price": "70.00", "quantity": "1.5"}, "quantity", "Whole numbers only"),
        ({"kind": "market", "price": ""}, "price", "is bought with a limit"),
        ({"kind": "stop_limit", "price": "70.00"}, "stop", "at which the order wakes"),
        ({"lasting": "gtd", "price": "70.00"}, "expires", "Name the last day"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(
    place: Place, look: Callable[..., Any], shared_place: Place, fields: dict[str, str], field: str, said: str
) -> None:
    floor = Floor(shared_place, look("trader"))
    page = floor.review(**{"quantity": "10", **fields})
    assert page.status_code == 422 and said in beside(page, field), beside(page, field) or page.text[-3000:]


def test_after_the_close_nothing_is_taken(floor: Floor) -> None:
    body = {"orders": [{"verb": "phase", "instrument": floor.spot.code, "phase": "halt"}]}
    assert floor.hall.send(Command("halt", "orders", "venue", floor.hall.today, body)).accepted
    page = floor.review(quantity=10, price=floor.waiting)
    assert page.status_code == 422 and "takes no such orders" in beside(page, "lasting")


# -- stop


def test_stop_empties_the_book_and_shuts_the_entry_until_it_is_given_back(floor: Floor, visit: Callable[..., Any]) -> None:
    floor.place_order(quantity=100, price=floor.waiting)
    assert floor.mine.orders
    page = floor.browser.get(f"/{floor.system}/trade/stop")
    assert "open orders are cancelled" in page.text or "open order is cancelled" in page.text
    assert floor.mine.orders, "looking stopped something"
    done = floor.browser.post_form(page, "/trade/stop", account=floor.account)
    assert not floor.mine.orders and floor.mine.stopped == (floor.account,)
    assert "Exchange (SYNTHETIC)" in done.text and "the administrator" in done.text, "who gives it back is not said"
    screen = floor.browser.get(floor.at)
    assert "Trading is stopped" in screen.text and re.search(r"<fieldset disabled", screen.text)
    hidden = floor.browser.form(screen, "/logout")
    refused = floor.browser.post(
        f"{floor.at}/place", data={**hidden, "_key": "after-the-stop", **TICKET, "account": floor.account, "quantity": "1", "price": floor.waiting}
    )
    assert refused.status_code == 422 and "Trading from this account is stopped" in refused.text
    assert not floor.mine.orders
    assert floor.browser.get(f"/{floor.system}/venue").status_code == 404, "one's own stop is not lifted by oneself"
    administrator = visit("administrator")
    venue = administrator.get(f"/{floor.system}/venue")
    assert floor.account in venue.text
    administrator.post_form(venue, "/venue/revive", account=floor.account)
    assert not floor.mine.stopped
    before = floor.numbers()
    floor.place_order(quantity=1, price=floor.waiting)
    assert len(floor.numbers() - before) == 1


def test_nobody_stops_others(floor: Floor) -> None:
    page = floor.browser.get(f"/{floor.system}/trade/stop")
    answer = floor.browser.post_form(page, "/trade/stop", account="trader-2")
    assert answer.status_code == 403
    with floor.hall.read() as state:
        assert not state.exchange.book.is_killed(state.accounts.number("trader-2"))


# -- who may, and what is shown


def test_who_may_trade_and_who_may_not(look: Callable[..., Any], shared_place: Place) -> None:
    system = shared_place.demo.hall.system
    for path in ("trade", "orders", "fills", "money", "bids", "negotiated", "trade/stop"):
        assert look("trader").get(f"/{system}/{path}").status_code == 200, path
        assert look("operator").get(f"/{system}/{path}").status_code == 200, path
        assert look("verifier").get(f"/{system}/{path}").status_code == 404, path
        assert look("").get(f"/{system}/{path}").url.path == "/login", path
    reader = look("approver").get(f"/{system}/trade")
    assert reader.status_code == 200 and "You may look, and not trade" in reader.text and "/review" not in reader.text


def test_the_parts_that_live_are_the_parts_of_the_page(look: Callable[..., Any], shared_place: Place) -> None:
    """A region that the fetched parts do not hold would never change."""
    floor = Floor(shared_place, look("trader"))
    page, parts = floor.browser.get(floor.at), floor.browser.get(f"{floor.at}/live")
    names = re.findall(r'data-region="(\w+)"', page.text)
    assert sorted(names) == sorted(re.findall(r'data-region="(\w+)"', parts.text)) and len(set(names)) == len(names) >= 9
    assert "<html" not in parts.text and " style=" not in page.text + parts.text and "trader-2" not in parts.text
    assert floor.browser.get(f"/{floor.system}/trade/no-such-thing").status_code == 404


def test_lists_are_downloaded_whole(floor: Floor) -> None:
    floor.place_order(quantity=7, price=floor.waiting)
    rows = floor.browser.get(f"/{floor.system}/orders.json").json()
    assert rows["count"] == len(floor.mine.orders) and {row["order"] for row in rows["rows"]} == floor.numbers()
    chart = floor.browser.get(f"{floor.at}?chart=day&as=csv")
    assert chart.headers["content-type"].startswith("text/csv") and chart.text.startswith("time,price")


def test_a_trader_comes_home_to_the_market(look: Callable[..., Any], shared_place: Place) -> None:
    floor = Floor(shared_place, look("trader"))
    page = floor.browser.get(f"/{floor.system}/home")
    assert floor.spot.code in page.text and floor.future.code in page.text
    assert "Next auctions" in page.text and "No margin is called." in page.text


# -- bids


def test_bids_are_sent_with_a_code_and_replace_what_was_there(floor: Floor) -> None:
    with floor.hall.read() as state:
        auction = auctions_view.open_auctions(state, floor.hall.today)[-1]
    at = f"/{floor.system}/bids/{auction.auction}"
    page = floor.browser.get(at)
    hidden = floor.browser.form(page, "/review")
    review = floor.browser.post(
        f"{at}/review",
        data={**hidden, "account": floor.account, "price": ["70.00", "71.50", ""], "quantity": [str(auction.step), str(2 * auction.step), ""]},
    )
    assert review.status_code == 200 and "Needed at most" in review.text
    without = floor.browser.post_form(review, "/send", code="000000")
    assert without.status_code == 422 and beside(without, "code")
    own = lambda: _own_bids(floor, auction.auction)  # noqa: E731
    assert not own()
    done = floor.browser.post_form(without, "/send", code=code(floor.place, "trader"))
    assert "Your bids are in, sealed." in done.text
    assert [(str(bid.price), bid.quantity) for bid in own()] == [("71.50", 2 * auction.step), ("70.00", auction.step)]
    other = floor.browser.post(f"{at}/send", data=floor.browser.form(review, "/send") | {"code": code(floor.place, "trader")})
    assert other.status_code == 200 and len(own()) == 2, "another form, the same bids"
    back = floor.browser.post_form(at, "/withdraw", code=code(floor.place, "trader"))
    assert back.status_code == 200 and not own()


def _own_bids(floor: Floor, auction: str) -> tuple[auctions_view.OwnBid, ...]:
    with floor.hall.read() as state:
        return auctions_view.own_bids(state, auction, floor.participant, floor.hall.today).bids


def test_faults_of_bids_stand_at_their_rows_and_lines(look: Callable[..., Any], shared_place: Place) -> None:
    floor = Floor(shared_place, look("trader"))
    with floor.hall.read() as state:
        auction = auctions_view.open_auctions(state, floor.hall.today)[-1]
    at = f"/{floor.system}/bids/{auction.auction}"
    hidden = floor.browser.form(floor.browser.get(at), "/review")
    odd = floor.browser.post(
        f"{at}/review", data={**hidden, "account": floor.account, "price": ["70.00", "x"], "quantity": [str(auction.step + 1), "5"]}
    )
    assert odd.status_code == 422 and "Row 1:" in odd.text and "Row 2:" in odd.text
    dear = floor.browser.post(f"{at}/review", data={**hidden, "account": floor.account, "price": ["900.00"], "quantity": [str(auction.offered)]})
    assert dear.status_code == 422 and "are missing" in dear.text
    good = f"price,quantity\n70.00,{auction.step}\n71.00,{2 * auction.step}\n".encode()
    page = floor.browser.post(f"{at}/review", data={**hidden, "account": floor.account}, files={"file": ("bids.csv", good, "text/csv")})
    assert page.status_code == 200 and 'value="70.00"' in page.text and f'value="{2 * auction.step}"' in page.text
    bad = f"price,quantity\n70.00,{auction.step}\n71.00,many\n-3,{auction.step}\n".encode()
    page = floor.browser.post(f"{at}/review", data={**hidden, "account": floor.account}, files={"file": ("bids.csv", bad, "text/csv")})
    assert page.status_code == 422 and "Nothing was loaded from bids.csv" in page.text
    assert "Line 3, quantity" in page.text and "Line 4, price" in page.text


def test_a_draft_is_kept_and_gone_when_it_was_sent(floor: Floor) -> None:
    with floor.hall.read() as state:
        auction = auctions_view.open_auctions(state, floor.hall.today)[-1]
    at = f"/{floor.system}/bids/{auction.auction}"
    hidden = floor.browser.form(floor.browser.get(at), "/review")
    page = floor.browser.post(
        f"{at}/review", data={**hidden, "account": floor.account, "price": ["70.25"], "quantity": [str(auction.step)], "keep": "yes"}
    )
    assert page.status_code == 200 and 'value="70.25"' in page.text and "draft" in page.text
    assert not _own_bids(floor, auction.auction)
    review = floor.browser.post(f"{at}/review", data={**hidden, "account": floor.account, "price": ["70.25"], "quantity": [str(auction.step)]})
    floor.browser.post_form(review, "/send", code=code(floor.place, "trader"))
    assert 'value="70.25"' not in floor.browser.get(at).text and len(_own_bids(floor, auction.auction)) == 1


def test_after_the_window_a_bid_is_refused_by_name(floor: Floor) -> None:
    with floor.hall.read() as state:
        auction = auctions_view.open_auctions(state, floor.hall.today)[0]
    at = f"/{floor.system}/bids/{auction.auction}"
    sent = {"account": floor.account, "price": ["70.00"], "quantity": [str(auction.step)]}
    hidden = floor.browser.form(floor.browser.get(at), "/review")
    review = floor.browser.post(f"{at}/review", data={**hidden, **sent})
    assert review.status_code == 200
    held = Command("held", "clear_auction", "auctioneer", auction.held_on, {"auction": auction.auction, "called_off": "too few bidders"})
    assert floor.hall.send(held).accepted
    late = floor.browser.post_form(review, "/send", code=code(floor.place, "trader"))
    assert late.status_code == 409 and "The window is shut" in late.text
    assert floor.browser.post(f"{at}/review", data={**hidden, **sent}).status_code == 409
    assert "called off" in floor.browser.get(at).text
    assert floor.browser.get(f"/{floor.system}/bids/no-such-auction").status_code == 404


# -- money


def test_money_goes_out_by_two_persons(place: Place, visit: Callable[..., Any]) -> None:
    hall, persona = place.demo.hall, place.demo.plan.people["operator"]
    free = lambda: _free(hall, persona.participant)  # noqa: E731
    before = free()
    operator = visit("operator")
    review = operator.post_form(f"/{hall.system}/money", "/money/out", account=persona.accounts[0], amount="12.34")
    assert "12.34" in review.text and free() == before
    task = operator.post_form(review, "/propose", code=code(place, "operator"))
    assert "/tasks/" in task.url.path and free() == before, "one person took money out"
    second = visit("approver")
    page = second.get(task.url.path)
    time.sleep(1.1)  # nobody reads faster, and the page says so
    done = second.post_form(page, "/approve", code=code(place, "approver"))
    assert done.status_code == 200 and free() == before - 1234


def _free(hall: Any, participant: str) -> int:
    with hall.read() as state:
        return sum(money.money(state, participant).totals.values())


def test_more_than_there_is_does_not_go_out(look: Callable[..., Any], shared_place: Place) -> None:
    floor = Floor(shared_place, look("trader"))
    page = floor.browser.post_form(f"/{floor.system}/money", "/money/out", account=floor.account, amount="999999999999.00")
    assert page.status_code == 422 and "is free on trader-1" in beside(page, "amount")
    page = floor.browser.post_form(f"/{floor.system}/money", "/money/out", account=floor.account, amount="1.234")
    assert page.status_code == 422 and "2 digits" in beside(page, "amount")
    other = floor.browser.post_form(f"/{floor.system}/money", "/money/out", account="trader-2", amount="1.00")
    assert other.status_code == 422 and beside(other, "account")


# -- beside the book


def test_a_trade_is_proposed_beside_the_book_and_seen_by_nobody_else(floor: Floor, visit: Callable[..., Any]) -> None:
    at = f"/{floor.system}/negotiated"
    persona = floor.place.demo.plan.people["operator"]
    terms = {"instrument": floor.spot.code, "side": "sell", "quantity": 5, "price": floor.spot.settlement, "counterparty": persona.accounts[0]}
    page = floor.browser.post_form(at, "/negotiated", account=floor.account, **terms)
    assert "Take back" in page.text
    operator = visit("operator")
    shown = operator.get(at)
    assert "Accept" in shown.text and "Take back" not in shown.text
    held = lambda: _units(floor, persona.accounts[0])  # noqa: E731
    before = held()
    done = operator.post_form(shown, "/negotiated/answer")
    assert done.status_code == 200 and held() == before + 5
    again = operator.post_form(shown, "/negotiated/answer")
    assert again.status_code == 200 and held() == before + 5
    bad = floor.browser.post_form(at, "/negotiated", account=floor.account, **{**terms, "counterparty": "nobody-at-all"})
    assert bad.status_code == 422 and beside(bad, "counterparty")


def _units(floor: Floor, account: str) -> int:
    with floor.hall.read() as state:
        return int(state.books.available(state.accounts.number(account), state.unit(floor.spot.unit)))
