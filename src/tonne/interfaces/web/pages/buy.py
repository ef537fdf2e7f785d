"""Buying units the simple way: how many, at most at which price; what it costs; then what was bought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

from fastapi.responses import Response

from tonne.administration.commands import decode
from tonne.interfaces.views.market_view import Instrument, price_of
from tonne.interfaces.views.ticket import Ticket, ticket
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.guard import TRADER, pages
from tonne.interfaces.web.pages.common import cache_of
from tonne.interfaces.web.pages.standing import Standing, standing_of, trading_account
from tonne.interfaces.web.problems import Problem, not_found, title
from tonne.interfaces.web.render import money
from tonne.interfaces.web.words import N_

router = pages()
#: Above the best offer, so that an offer taken by somebody else does not end the purchase: thousandths of the price.
SLACK = 5
LASTING: dict[str, str] = {
    "day": N_("stays in the book today"),
    "ioc": N_("is given up"),
}


@router.get("/{system}/buy", allow=TRADER)
def buy_page(ask: Asked, system: str) -> Response:
    """How many, and at most at which price; filled with what is missing and what is offered."""
    standing = standing_of(ask)
    form = _form(ask, standing)
    asked = ask.query.get("quantity", "")
    form["quantity"].value = asked if asked.isdigit() and asked.isascii() and len(asked) < 16 else standing.owes.gap or ""
    return _page(ask, standing, form)


def _form(ask: Ask, standing: Standing) -> Form:
    spot = standing.spot
    unit, currency = (spot.unit, spot.currency) if spot is not None else (standing.owes.unit, standing.owes.currency)
    offered = (
        ask.say("The best offer is %(price)s.", price=f"{currency} {spot.offer}")
        if spot is not None and spot.offer is not None
        else ask._("Nothing is offered now.")
    )
    fields = [
        Field("quantity", ask._("How many"), "number", unit=unit, most=10**12),
        Field("price", ask._("At most, for one"), "price", unit=currency, hint=offered, value=_most(spot) or ""),
        Field("lasting", ask._("What is not bought at once"), "choice", choices=[(name, ask._(text)) for name, text in LASTING.items()], value="day"),
    ]
    return Form(ask, fields, action=ask.here("/buy"), verb=ask._("Show what it costs"))


def _most(spot: Instrument | None) -> Decimal | None:
    """The best offer and a little more, in whole ticks and inside the day's limits."""
    price = None if spot is None else spot.offer or spot.last or spot.settlement
    if spot is None or price is None:
        return None
    ticks = (price * (1000 + SLACK) / 1000 / spot.tick).to_integral_value(ROUND_CEILING)
    found = ticks * spot.tick
    return min(found, spot.highest) if spot.highest is not None else found


@router.post("/{system}/buy", allow=TRADER.with_right("trade"))
def buy(ask: Asked, system: str) -> Response:
    """First what it costs; sent again with `sure`, the order itself."""
    key = f"web:{ask.visitor.participant}:{ask.key_of()}"
    if ask.market.desk.administration.outcome_of(key) == "accepted":
        return ask.see(f"/{system}/buy/{ask.key_of()}")
    standing = standing_of(ask)
    form = _form(ask, standing)
    if standing.spot is None or not form.check():
        return _page(ask, standing, form, 422)
    with ask.market.read() as state:
        account = trading_account(state, ask.visitor.participant, standing.spot)
    if not account:
        form.fault("quantity", ask._("None of your accounts is admitted to the exchange. Ask the administrator."))
        return _page(ask, standing, form, 422)
    order = {
        "verb": "new",
        "account": account,
        "instrument": standing.spot.code,
        "side": "buy",
        "kind": "limit",
        "quantity": form.values["quantity"],
        "price": form.values["price"],
        "lasting": form.values["lasting"],
    }
    looked = _looked(ask, order)
    if looked.refused:
        form.fault("price" if looked.refused in ("price_limit", "bad_price") else "quantity", f"{title(looked.refused, ask._)}: {looked.reason}")
        return _page(ask, standing, form, 422)
    if ask.form.get("sure") != "yes":
        return ask.page("operator_buy_review.html", 200, standing=standing, looked=looked, form=form, order=order, account=account)
    try:
        receipt = ask.perform("orders", {"orders": [order]})
    except Problem as problem:
        form.fault("quantity", f"{title(problem.name, ask._)}: {problem.detail}")
        form.key = ""  # it stands for the order that was refused
        return _page(ask, standing, form, problem.status)
    return ask.see(f"/{system}/buy/{receipt.command_id.rpartition(':')[2]}")


def _looked(ask: Ask, order: Mapping[str, Any]) -> Ticket:
    market = ask.market
    asked = {name: value for name, value in order.items() if name != "verb"}
    with market.read() as state:
        return ticket(state, ask.visitor.participant, asked, market.today, cache=cache_of(market))


def _page(ask: Ask, standing: Standing, form: Form, status: int = 200) -> Response:
    cash = None
    account = ""
    if standing.spot is not None:
        with ask.market.read() as state:
            account = trading_account(state, ask.visitor.participant, standing.spot)
            money_unit = state.unit(standing.spot.currency)
            cash = int(state.books.available(state.accounts.number(account), money_unit)) if account and money_unit >= 0 else None
    return ask.page("operator_buy.html", status, standing=standing, spot=standing.spot, form=form, cash=cash, account=account)


# -- what came of it


@dataclass(frozen=True)
class Bought:
    """What an order came to. trades: (price, units, cost in minor units); left: units still in the book; given_up: units that are not."""

    order: int
    trades: tuple[tuple[Decimal, int, int], ...]
    asked: int
    left: int
    given_up: int
    refused: str

    @property
    def units(self) -> int:
        return sum(units for _, units, _ in self.trades)

    @property
    def cost(self) -> int:
        return sum(cost for _, _, cost in self.trades)


@router.get("/{system}/buy/{key}", allow=TRADER)
def bought_page(ask: Asked, system: str, key: str) -> Response:
    """The receipt: what was bought at which price, what is left in the book."""
    entry = ask.market.entry(f"web:{ask.visitor.participant}:{key}")
    if entry is None or entry.kind != "orders" or not decode(entry.command)["body"].get("orders"):
        raise not_found(key)
    command = decode(entry.command)
    order = command["body"]["orders"][0]
    standing = standing_of(ask)
    with ask.market.read() as state:
        number = state.exchange.number(order["instrument"])
        listing = state.exchange.listed[number]
    bought = _bought(decode(entry.events), listing, order)
    ask.record("view", f"order {bought.order}", "shown")
    return ask.page(
        "operator_bought.html",
        bought=bought,
        order=order,
        listing=listing,
        entry=entry,
        standing=standing,
        cost=money(bought.cost, listing["currency"]),
    )


def _bought(events: Any, listing: Mapping[str, Any], order: Mapping[str, Any]) -> Bought:
    rows = [row for event in events for row in event.get("rows", ())]
    own = next((row["order"] for row in rows if row["happening"] == "accepted"), 0)
    scale = 1 if listing["settlement"] == "margined" else listing["lot"]
    trades = [row for row in rows if row["happening"] == "trade" and own in (row["order"], row["against"])]
    found = tuple(
        (price_of(listing, row["price"]) or Decimal(0), row["quantity"] * scale, row["quantity"] * row["price"] * listing["tick_value"])
        for row in trades
    )
    over = [row for row in rows if row["happening"] in ("cancelled", "expired", "refused") and row["order"] in (own, 0)]
    done = sum(units for _, units, _ in found)
    rest = order["quantity"] - done
    refused = over[0]["reason"] if over and not found else ""
    ended = order["lasting"] == "ioc" or bool(over)
    return Bought(own, found, order["quantity"], 0 if ended else rest, rest if ended else 0, refused)
