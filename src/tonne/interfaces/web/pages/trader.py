"""A trader's pages: the screen with book, ticket, own orders, trades and positions; own lists to take along; the first page after signing in."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import polars as pl
from fastapi.responses import Response

from tonne.interfaces.views import auctions_view, market_view, money, trader_view
from tonne.interfaces.web import letters
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.guard import TRADER, pages
from tonne.interfaces.web.pages import order_form, proposals, ticket, trade_screen
from tonne.interfaces.web.pages.common import cache_of
from tonne.interfaces.web.pages.trade_screen import KINDS, LASTINGS, PHASES, SIDES, path_of
from tonne.interfaces.web.tables import Column, Filter

router = pages()
MESSAGES = 5
ORDERS: dict[str, Any] = {
    "order": pl.Int64,
    "account": pl.String,
    "instrument": pl.String,
    "side": pl.String,
    "kind": pl.String,
    "lasting": pl.String,
    "price": pl.String,
    "stop": pl.String,
    "quantity": pl.Int64,
    "shown": pl.Int64,
    "counted": pl.String,
    "expires": pl.Date,
    "aside_minor": pl.Int64,
    "aside_units": pl.Int64,
}
TRADES: dict[str, Any] = {
    "number": pl.Int64,
    "time": pl.String,
    "account": pl.String,
    "instrument": pl.String,
    "side": pl.String,
    "price": pl.String,
    "quantity": pl.Int64,
    "units": pl.Int64,
    "counted": pl.String,
    "cost_minor": pl.Int64,
    "order": pl.Int64,
    "came": pl.Boolean,
    "negotiated": pl.Boolean,
}


@router.get("/{system}/trade", allow=TRADER)
def trade(ask: Asked, system: str) -> Response:
    """The screen, with the instrument that most come for."""
    code = trade_screen.default_code(ask)
    return _screen(ask, code) if code is not None else ask.page("trade_nothing.html")


@router.get("/{system}/trade/{instrument}", allow=TRADER)
def trade_in(ask: Asked, system: str, instrument: str) -> Response:
    """The screen with one instrument."""
    return _screen(ask, instrument)


def _screen(ask: Ask, code: str) -> Response:
    one = trade_screen.seen(ask, code).one
    accounts = trade_screen.own(ask, one.unit, one.currency).trader.accounts
    number = ask.query.get("change", "")
    changed = ticket.own_order(ask, number) if number else None
    said = ticket.receipt_of(ask, one)
    if number and (changed is None or changed.instrument != code):
        changed, said = None, said or ticket.gone(ask, number)
    form = order_form.form_of(ask, one, accounts, changed)
    if "chart" not in ask.query:
        ask.record("view", f"trade {code}", "shown")
    return trade_screen.screen(ask, code, ticket.ticket(ask, one, form, changed=changed, said=said))


@router.get("/{system}/trade/{instrument}/live", allow=TRADER)
def live(ask: Asked, system: str, instrument: str) -> Response:
    """The parts of the screen that change by themselves, and nothing else."""
    return ask.page("trade_live.html", **trade_screen.told(ask, instrument))


# -- lists to take along


def _mine(ask: Ask) -> trader_view.Trader:
    with ask.market.read() as state:
        return trader_view.trader(state, ask.visitor.participant, cache=cache_of(ask.market))


def _frame(rows: Any, schema: dict[str, Any]) -> pl.DataFrame:
    found = [{name: value if schema[name] != pl.String or value is None else str(value) for name, value in asdict(row).items()} for row in rows]
    return pl.DataFrame(found, schema=schema, infer_schema_length=None)


def _side(ask: Ask) -> list[tuple[str, str]]:
    return [(name, ask._(text)) for name, text in SIDES.items()]


@router.get("/{system}/orders", allow=TRADER)
def orders(ask: Asked, system: str) -> Response:
    """All own open orders, as a table."""
    rows = _mine(ask).orders
    columns = [
        Column("order", ask._("Order"), "number", show=lambda value, row: str(value)),
        Column("instrument", ask._("Instrument"), href=lambda row: ask.here(f"/trade/{path_of(row['instrument'])}")),
        Column("side", ask._("Side"), show=lambda value, row: ask._(SIDES[value])),
        Column("price", ask._("Price"), "number"),
        Column("quantity", ask._("Quantity left"), "quantity"),
        Column("counted", ask._("Counted in"), show=lambda value, row: ask._("lots") if value == "lots" else ask._("units")),
        Column("kind", ask._("Kind"), show=lambda value, row: ask._(KINDS[value])),
        Column("lasting", ask._("Lasts"), show=lambda value, row: ask._(LASTINGS[value])),
        Column("stop", ask._("Trigger price"), "number"),
        Column("expires", ask._("Last day"), "day"),
        Column("account", ask._("Account")),
        Column("shown", ask._("Shown"), "quantity", hidden=True),
        Column("aside_minor", ask._("Money set aside"), "number", hidden=True),
        Column("aside_units", ask._("Units set aside"), "quantity", hidden=True),
    ]
    filters = [Filter("instrument", ask._("Instrument")), Filter("side", ask._("Side"), "choice", _side(ask))]
    table = ask.table(
        "orders", ask._("Open orders"), _frame(rows, ORDERS), columns, filters=filters, empty=ask._("No order of yours is in the book.")
    )
    return ask.page("trade_list.html", table=table, title=ask._("Open orders"))


@router.get("/{system}/fills", allow=TRADER)
def fills(ask: Asked, system: str) -> Response:
    """All own trades of the day that is not closed yet, as a table."""
    zone = ask.market.zone
    rows = _mine(ask).trades
    frame = _frame(rows, TRADES).with_columns(
        time=pl.Series([row.time.astimezone(zone).isoformat(timespec="milliseconds") for row in rows], dtype=pl.String)
    )
    columns = [
        Column("time", ask._("Time"), "moment", show=lambda value, row: value[11:19]),
        Column("instrument", ask._("Instrument"), href=lambda row: ask.here(f"/trade/{path_of(row['instrument'])}")),
        Column("side", ask._("Side"), show=lambda value, row: ask._(SIDES[value])),
        Column("price", ask._("Price"), "number"),
        Column("quantity", ask._("Quantity"), "quantity"),
        Column("counted", ask._("Counted in"), show=lambda value, row: ask._("lots") if value == "lots" else ask._("units")),
        Column("cost_minor", ask._("Traded value"), "money", unit=ask.market.rulebook.system.currency),
        Column("order", ask._("Order"), "number", show=lambda value, row: str(value) if value else None),
        Column("account", ask._("Account")),
        Column("number", ask._("Trade"), "number", hidden=True),
        Column("units", ask._("Units"), "quantity", hidden=True),
        Column("negotiated", ask._("Agreed beside the book"), hidden=True),
    ]
    filters = [Filter("instrument", ask._("Instrument")), Filter("side", ask._("Side"), "choice", _side(ask))]
    table = ask.table("fills", ask._("Your trades today"), frame, columns, filters=filters, empty=ask._("Nothing of yours has traded today."))
    return ask.page("trade_list.html", table=table, title=ask._("Your trades today"))


# -- the first page


def home(ask: Ask) -> Response:
    """The market at a glance, what is open and held, what is called, which auctions come next, what was said."""
    market = ask.market
    with market.read() as state:
        mine = trader_view.trader(state, ask.visitor.participant, cache=cache_of(market))
        own_money = money.money(state, ask.visitor.participant)
        coming = auctions_view.open_auctions(state, market.today)
    listed = [
        one
        for one in market.cached("instruments", lambda state: market_view.instruments(state) if state.exchange.book is not None else ())
        if one.phase != "expired"
    ]
    waiting = [(name, one) for name, one in proposals.proposals_of(ask).items() if proposals.may_approve(ask, one)]
    messages = ask.place.people.messages(ask.visitor.person, limit=MESSAGES)
    ask.record("view", "trader home", "shown")
    return ask.page(
        "trade_home.html",
        listed=listed,
        mine=mine,
        money_view=own_money,
        calls=[one for one in own_money.calls if one.open],
        coming=coming[:5],
        waiting=waiting,
        sentences={name: proposals.sentence(ask, one["verb"], one["body"], one["effect"]) for name, one in waiting},
        messages=[letters.told(one, ask._) for one in messages.rows],
        phases={name: ask._(text) for name, text in PHASES.items()},
        path_of=path_of,
    )
