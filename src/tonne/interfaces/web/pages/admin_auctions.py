"""Auctions as the administrator runs them: put up units, announce, hold with a look before, call off; and what was held."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi.responses import Response

from tonne.administration.auction_terms import switches_of
from tonne.administration.sell import volume_of
from tonne.administration.state import State
from tonne.interfaces.views import auctions_view
from tonne.interfaces.views.found import NotFound
from tonne.interfaces.web import law_words
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.guard import ADMIN, AUDIT, pages
from tonne.interfaces.web.pages import admin_act as act
from tonne.interfaces.web.pages import admin_common as own
from tonne.interfaces.web.pages.bids import OUTCOMES, PRICINGS
from tonne.interfaces.web.pages.common import cache_of
from tonne.interfaces.web.problems import Problem, not_found
from tonne.interfaces.web.render import price, quantity
from tonne.interfaces.web.tables import Column, Filter
from tonne.law import LawError

router = pages()
SEED_MOST = 2**53


@router.get("/{system}/admin/auctions", allow=AUDIT)
def auctions(ask: Asked, system: str) -> Response:
    """Those that are announced, and those that were held."""
    market, today = ask.market, ask.market.today
    with market.read() as state:
        held = auctions_view.auctions(state, cache=cache_of(market))
        coming = [auctions_view.open_auction(state, name, today) for name in state.exchange.sales]
        shelf = stall(state)
        volume = _volume(state, today)
    currency = market.rulebook.system.currency
    columns = [
        Column("auction", ask._("Auction"), href=lambda row: ask.here(f"/admin/auctions/{row['auction']}")),
        Column("day", ask._("Day"), "day"),
        Column("year", ask._("Year"), "text"),
        Column("outcome", ask._("Outcome"), show=lambda value, row: law_words.said(OUTCOMES, value, ask._)),
        Column("offered", ask._("Offered"), "quantity"),
        Column("sold", ask._("Sold"), "quantity"),
        Column("price", ask._("Price"), "number", currency, show=lambda value, row: price(value)),
        Column("cover_ratio", ask._("Cover"), "number"),
        Column("bidders", ask._("Bidders"), "number"),
        Column("revenue_minor", ask._("Proceeds"), "money", currency),
    ]
    years = [(str(year), str(year)) for year in held["year"].unique().sort(descending=True).to_list()]
    filters = [Filter("year", ask._("Year"), "choice", years), Filter("auction", ask._("Auction"))]
    ask.record("view", "auctions", "shown")
    table = ask.table("auctions", ask._("Auctions held"), held, columns, filters=filters, empty=ask._("No auction was held yet."), rows_each=20)
    return ask.page(
        "admin_auctions.html",
        table=table,
        pricings=PRICINGS,
        admin_tabs=own.tabs(ask),
        coming=sorted(coming, key=lambda one: (one.held_on, one.auction)),
        shelf=shelf,
        volume=volume,
        year=today.year,
        may_act=own.may(ask, "initiate"),
    )


def stall(state: State) -> list[tuple[str, int, int]]:
    """(unit, on the auction account, of it not promised to an announced auction)."""
    number = state.accounts.find("auction")
    found = []
    for unit, kind in enumerate(state.books.unit_types):
        there = state.books.available(number, unit) if number >= 0 and kind.kind in ("allowance", "credit") else 0
        if there:
            promised = sum(
                row["quantity"]
                for sale in state.exchange.sales.values()
                for row in sale["offers"]
                if row["account"] == number and row["unit"] == unit
            )
            found.append((kind.code, there, there - promised))
    return found


def _volume(state: State, today: date) -> Any:
    """The auction volume of the year as it stands; None where the law has none, or nothing is issued."""
    if state.notice("cap", today.year) is None or f"auction:{today.year}" in state.done:
        return None
    try:
        return volume_of(state, today.year, max(today, state.today))
    except (LawError, ValueError, KeyError):
        return None


# -- put up, announce


def _offer_form(ask: Ask) -> Form:
    today = ask.market.today
    fields = [
        Field("year", ask._("Auction volume of the year"), "number", value=str(today.year), least=1900, most=2300),
        Field("quantity", ask._("Units"), "number", hint=ask._("From the total of the year to the auction account. The law's volume bounds it.")),
        Field("auction", ask._("For the auction"), value="", required=False),
    ]
    return Form(ask, fields, action=ask.here("/admin/auctions/offer"), verb=ask._("Review"))


def _announce_form(ask: Ask) -> Form:
    with ask.market.read() as state:
        shelf = stall(state)
        taken = {*state.exchange.sales, *state.exchange.auctioned}
        try:
            rules = switches_of(state.law(max(ask.market.today, state.today)))
            categories, step = tuple(rules.category_order), rules.step
        except (LawError, ValueError, KeyError):
            categories, step = (), 1
    year = ask.market.today.year
    number = next(count for count in range(1, len(taken) + 2) if f"auction:{year}:{count}" not in taken)
    units = [(code, ask.say("%(unit)s: %(free)s free on the auction account", unit=code, free=quantity(free))) for code, _there, free in shelf]
    fields = [
        Field("auction", ask._("Name of the auction"), value=f"auction:{year}:{number}"),
        Field("held_on", ask._("Held on"), "date", hint=ask._("Bids come until the end of this day.")),
        Field("unit", ask._("Units of"), "choice", choices=units, value=units[0][0] if units else ""),
        Field("quantity", ask._("Units"), "number", hint=ask.say("In steps of %(step)s.", step=quantity(step)) if step > 1 else ""),
        *([Field("category", ask._("Category"), "choice", choices=[(one, one.replace("_", " ")) for one in categories])] if categories else []),
        Field("secured", ask._("A bid's guarantee is set aside on the bidder's account"), "checkbox", required=False, value="yes"),
    ]
    return Form(ask, fields, action=ask.here("/admin/auctions/new"), verb=ask._("Review"))


def _page(ask: Ask, form: Form, heading: str, lead: str, status: int = 200) -> Response:
    return ask.page("admin_form.html", status, form=form, heading=heading, lead=lead, admin_tabs=own.tabs(ask), back=ask.here("/admin/auctions"))


@router.get("/{system}/admin/auctions/new", allow=ADMIN)
def announce_page(ask: Asked, system: str) -> Response:
    return _page(
        ask,
        _announce_form(ask),
        ask._("Announce an auction"),
        ask._("What is offered must stand on the auction account. Bids are sealed until it is held."),
    )


@router.post("/{system}/admin/auctions/new", allow=ADMIN.with_right("initiate"))
def announce(ask: Asked, system: str) -> Response:
    """The announcement, reviewed before it is made."""
    form, market = _announce_form(ask), ask.market
    if form.check():
        values = form.values
        body = {"auction": values["auction"], "held_on": values["held_on"].isoformat(), "unit": values["unit"], "quantity": values["quantity"]}
        body |= {"secured": values["secured"]} | ({"category": values["category"]} if values.get("category") else {})
        if values["held_on"] < market.today:
            form.fault("held_on", ask._("A day from today on."))
        else:
            try:
                return act.review(ask, "announce_auction", body, back=ask.here("/admin/auctions/new"), then=f"/admin/auctions/{values['auction']}")
            except Problem as problem:
                form.fault(_field_of(problem), problem.detail)
    return _page(ask, form, ask._("Announce an auction"), "", 422)


def _field_of(problem: Problem) -> str:
    return {"already_exists": "auction", "insufficient_balance": "quantity", "day_out_of_order": "held_on"}.get(problem.name, "quantity")


@router.get("/{system}/admin/auctions/offer", allow=ADMIN)
def offer_page(ask: Asked, system: str) -> Response:
    return _page(ask, _offer_form(ask), ask._("Put up units"), ask._("Units of the year's auction volume, ahead of the year's end."))


@router.post("/{system}/admin/auctions/offer", allow=ADMIN.with_right("initiate"))
def offer(ask: Asked, system: str) -> Response:
    """Units of the year's volume to the auction account, reviewed before."""
    form = _offer_form(ask)
    if form.check():
        try:
            return act.review(ask, "offer", form.values, back=ask.here("/admin/auctions/offer"), then="/admin/auctions")
        except Problem as problem:
            form.fault("year" if problem.name in ("not_due", "already_done") else "quantity", problem.detail)
    return _page(ask, form, ask._("Put up units"), "", 422)


# -- one that is announced


@router.get("/{system}/admin/auctions/{name}", allow=AUDIT)
def one_auction(ask: Asked, system: str, name: str) -> Response:
    """What is offered and by which rules; nothing of the bids before it is held."""
    return _auction(ask, name)


def _auction(ask: Ask, name: str, status: int = 200, hold: Form | None = None, call_off: Form | None = None) -> Response:
    market, today = ask.market, ask.market.today
    with market.read() as state:
        announced = name in state.exchange.sales
        found = auctions_view.open_auction(state, name, today) if announced else None
    if found is None:
        return _held(ask, name)
    ask.record("view", f"auction {name}", "shown")
    prepared = own.preparations(ask, f"clear_auction:{name}")
    return ask.page(
        "admin_auction.html",
        status,
        found=found,
        result=None,
        heading=own.auction_title(ask, name),
        admin_tabs=own.tabs(ask),
        due=found.held_on <= today,
        hold=hold or _hold_form(ask, name),
        call_off=call_off or _call_off_form(ask, name),
        prepared=prepared,
        pricings=PRICINGS,
        may_act=own.may(ask, "initiate"),
    )


def _held(ask: Ask, name: str) -> Response:
    try:
        with ask.market.read() as state:
            fields = auctions_view.result(state, name, cache=cache_of(ask.market)).fields
    except NotFound as error:
        raise not_found(name, [f"{ask.market.system}/admin/auctions/{one}" for one in error.near]) from None
    ask.record("view", f"auction {name}", "shown")
    return ask.page(
        "admin_auction.html",
        found=None,
        result=fields,
        heading=own.auction_title(ask, name),
        admin_tabs=own.tabs(ask),
        currency=ask.market.rulebook.system.currency,
    )


def _hold_form(ask: Ask, name: str) -> Form:
    fields = [
        Field(
            "seed",
            ask._("Seed that draws the order of equal bids"),
            "number",
            value="0",
            least=0,
            most=SEED_MOST,
            hint=ask._("Any whole number that nobody could know before."),
        ),
        Field(
            "reserve",
            ask._("Secret lowest price"),
            "price",
            required=False,
            hint=ask._("Above the law's own lowest price, or it does nothing. It is not published."),
        ),
        Field("secondary", ask._("Price of the market beside it"), "price", required=False),
        Field("paid_in", ask._("The winners' banks pay what they owe at the same time"), "checkbox", required=False),
    ]
    return Form(ask, fields, action=ask.here(f"/admin/auctions/{name}/hold"), verb=ask._("Look at the result"))


def _call_off_form(ask: Ask, name: str) -> Form:
    fields = [Field("called_off", ask._("Why it is called off"), hint=ask._("It is published. Nobody gets anything, guarantees are free again."))]
    return Form(ask, fields, action=ask.here(f"/admin/auctions/{name}/call-off"), verb=ask._("Review"), danger=True)


@router.post("/{system}/admin/auctions/{name}/hold", allow=ADMIN.with_right("initiate"))
def hold(ask: Asked, system: str, name: str) -> Response:
    """The result before it is one: price, awards, cover, proceeds."""
    form = _hold_form(ask, name)
    if form.check():
        body: dict[str, Any] = {"auction": name, "seed": form.values["seed"]}
        body |= {key: form.values[key] for key in ("reserve", "secondary", "paid_in") if form.values[key]}
        try:
            return act.review(ask, "clear_auction", body, back=ask.here(f"/admin/auctions/{name}"), then=f"/admin/auctions/{name}")
        except Problem as problem:
            form.fault("seed", problem.detail)
    return _auction(ask, name, 422, hold=form)


@router.post("/{system}/admin/auctions/{name}/call-off", allow=ADMIN.with_right("initiate"))
def call_off(ask: Asked, system: str, name: str) -> Response:
    form = _call_off_form(ask, name)
    if form.check():
        body = {"auction": name, "called_off": form.values["called_off"]}
        try:
            return act.review(ask, "clear_auction", body, back=ask.here(f"/admin/auctions/{name}"), then=f"/admin/auctions/{name}")
        except Problem as problem:
            form.fault("called_off", problem.detail)
    return _auction(ask, name, 422, call_off=form)
