"""What the trading screen shows: the market as everybody sees it, worked out once for each entry of the log, and what the visitor has in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import polars as pl
from fastapi.responses import Response

from tonne.administration.margining import LARGEST_POSITION
from tonne.administration.state import State
from tonne.interfaces.views import holdings, market_view, trader_view
from tonne.interfaces.views.day_path import day_path
from tonne.interfaces.views.found import NotFound
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.drawings import Drawing, day_drawing, depth_drawing
from tonne.interfaces.web.guard import content_hash
from tonne.interfaces.web.pages.common import AXIS, HIGH, WIDE, cache_of
from tonne.interfaces.web.problems import not_found
from tonne.interfaces.web.render import THIN, price, quantity
from tonne.interfaces.web.words import N_

#: Levels of each side in the book and in the depth drawing; last trades; own trades. Always so many rows, so that nothing jumps.
LEVELS, DEEP, TAPE, FILLS = 10, 40, 14, 8
PHASES: dict[str, str] = {
    "pre_open": N_("before the opening"),
    "opening_call": N_("opening auction"),
    "continuous": N_("open for trading"),
    "volatility_call": N_("volatility auction"),
    "closing_call": N_("closing auction"),
    "halt": N_("halted"),
    "post_close": N_("after the close"),
    "closed": N_("not trading"),
    "expired": N_("expired"),
}
#: Phases in which orders are taken.
TAKING = ("pre_open", "opening_call", "continuous", "volatility_call", "closing_call")
SIDES = {"buy": N_("Buy"), "sell": N_("Sell")}
KINDS = {"limit": N_("Limit order"), "market": N_("Market order"), "stop": N_("Stop order"), "stop_limit": N_("Stop limit order")}
LASTINGS = {
    "day": N_("Today"),
    "gtc": N_("Until cancelled"),
    "gtd": N_("Until a day"),
    "ioc": N_("At once, rest cancelled"),
    "fok": N_("At once and whole, or not"),
}


Path = tuple[tuple[datetime, Decimal], ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """The market as everybody sees it, in one language. instruments: all that has not expired."""

    instruments: tuple[market_view.Instrument, ...]
    one: market_view.Instrument
    depth: market_view.DepthView
    trades: tuple[market_view.Trade, ...]
    depth_drawing: Drawing | None
    day_drawing: Drawing | None


@dataclass(frozen=True, slots=True)
class Rung:
    """One row of the book: what is bid and what is offered at that place, with its share of the largest level in percent.

    own: an order of the visitor's is in it."""

    bid: market_view.Level | None
    bid_share: int
    bid_own: bool
    offer: market_view.Level | None
    offer_share: int
    offer_own: bool


@dataclass(frozen=True, slots=True)
class Purse:
    """What an own account has of the instrument's unit and money, minor units; None where there is no such unit."""

    account: str
    money_free: int
    money_aside: int
    units_free: int | None
    units_aside: int | None


@dataclass(frozen=True, slots=True)
class Own:
    """What the visitor's organisation has here. trades: how many of today there are, of which `trader` has the last ones.

    margin_used: percent of collateral that positions and orders need, None without collateral."""

    trader: trader_view.Trader
    trades: int
    purses: tuple[Purse, ...]
    margin_used: dict[str, int | None]


def path_of(code: str) -> str:
    """An instrument's code as part of an address."""
    return quote(code, safe=":")


def default_code(ask: Ask) -> str | None:
    """The instrument that is shown when nobody names one: the first spot, else the first; None where nothing is listed."""
    listed: Sequence[market_view.Instrument] = ask.market.cached("trade-listed", lambda state: _open(state))
    return next((one.code for one in listed if one.kind == "spot"), listed[0].code if listed else None)


def _open(state: State) -> tuple[market_view.Instrument, ...]:
    return tuple(one for one in market_view.instruments(state) if one.phase != "expired") if state.exchange.book is not None else ()


def seen(ask: Ask, code: str) -> Seen:
    """Raises Problem 404 with the codes that may be meant."""

    def made(state: State) -> Seen:
        one, depth = market_view.instrument(state, code), market_view.depth(state, code, DEEP)
        return Seen(_open(state), one, depth, market_view.trades(state, code, TAPE), *_drawings(ask, one, depth, day_path(state, code)))

    try:
        found: Seen = ask.market.cached(("trade", code, ask.language), made)
    except NotFound as error:
        raise not_found(error.name, [f"{ask.market.system}/trade/{path_of(one)}" for one in error.near]) from None
    return found


def own(ask: Ask, unit: str, currency: str) -> Own:
    """Orders, trades, positions, margin and money of the visitor's organisation."""
    with ask.market.read() as state:
        found = trader_view.trader(state, ask.visitor.participant, cache=cache_of(ask.market), last_trades=FILLS)
        count = trader_view.trade_count(state, [state.accounts.number(account) for account in found.accounts])
        purses = []
        for account in found.accounts:
            there = {one.unit: one for one in holdings.balances(state, state.accounts.number(account))}
            money, units = there.get(currency), there.get(unit)
            purses.append(
                Purse(
                    account,
                    money.available if money else 0,
                    money.reserved if money else 0,
                    (units.available if units else 0) if unit else None,
                    (units.reserved if units else 0) if unit else None,
                )
            )
    used = {
        f"{one.account} {one.currency}": min((one.required + one.for_orders + one.owed) * 100 // one.held, 999) if one.held else None
        for one in found.margins
    }
    return Own(found, count, tuple(purses), used)


def rungs(depth: market_view.DepthView, orders: Sequence[trader_view.OpenOrder]) -> list[Rung]:
    """The rows of the book, always LEVELS of them."""
    bids, offers = depth.bids[:LEVELS], depth.offers[:LEVELS]
    top = max((level.quantity for level in (*bids, *offers)), default=1)
    mine = {(one.side, one.price) for one in orders if one.instrument == depth.code and one.kind in ("limit", "market")}
    rows = []
    for place in range(LEVELS):
        bid, offer = (side[place] if place < len(side) else None for side in (bids, offers))
        rows.append(
            Rung(
                bid,
                bid.quantity * 100 // top if bid else 0,
                bid is not None and ("buy", bid.price) in mine,
                offer,
                offer.quantity * 100 // top if offer else 0,
                offer is not None and ("sell", offer.price) in mine,
            )
        )
    return rows


def _drawings(ask: Ask, one: market_view.Instrument, depth: market_view.DepthView, path: Path) -> tuple[Drawing | None, Drawing | None]:
    """Depth, and the day's price."""
    top = max(sum(level.quantity for level in side) for side in (depth.bids, depth.offers))
    counted = ask._("lots") if one.counted == "lots" else ask._("units")
    known = ask._("settled %(price)s") if one.settled_on is not None else ask._("listed at %(price)s")
    settled = known % {"price": price(one.settlement)}
    return depth_drawing(depth, f"{quantity(top)} {counted}"), day_drawing(path, ask.market.zone, one.settlement, settled)


def stopped_by(ask: Ask) -> list[str]:
    """Names of who gives the entry back to a stopped account: the exchange, and the administrator."""
    with ask.market.read() as state:
        return [*(one.name for one in state.participants.values() if one.role == "venue"), ask._("the administrator")]


def told(ask: Ask, code: str) -> dict[str, Any]:
    """Everything that the regions of the screen show of an instrument."""
    market = seen(ask, code)
    mine = own(ask, market.one.unit, market.one.currency)
    one = market.one
    return {
        "market": market,
        "one": one,
        "mine": mine,
        "rungs": rungs(market.depth, mine.trader.orders),
        "depth_drawing": market.depth_drawing,
        "day_drawing": market.day_drawing,
        "tape_rows": [*market.trades, *[None] * (TAPE - len(market.trades))],
        "fills_rows": mine.trader.trades[:FILLS],
        "fills_more": max(mine.trades - FILLS, 0),
        "change_share": change_share(one),
        "phase": ask._(PHASES[one.phase]),
        "is_open": one.phase in TAKING,
        "counted": ask._("lots") if one.counted == "lots" else ask._("units"),
        "words": {"sides": _said(ask, SIDES), "kinds": _said(ask, KINDS), "lastings": _said(ask, LASTINGS)},
        "zone": ask.market.zone,
        "unlimited": LARGEST_POSITION,
        "path_of": path_of,
        "cancel_key": lambda order: cancel_key(ask, order),
        "may_trade": "trade" in ask.visitor.rights,
    }


def change_share(one: market_view.Instrument) -> str:
    """The change in percent of what it is counted from; `` where there is none."""
    now = one.last if one.trades else one.settlement
    before = None if one.change is None or now is None else now - one.change
    if not before or one.change is None:
        return ""
    share = (one.change / before * 100).quantize(Decimal("0.01"))
    return f"{'+' if share > 0 else chr(0x2212) if share < 0 else ''}{abs(share)}{THIN}%"


def _said(ask: Ask, table: Mapping[str, str]) -> dict[str, str]:
    return {name: ask._(text) for name, text in table.items()}


def cancel_key(ask: Ask, order: trader_view.OpenOrder) -> str:
    """The same for the same wish, so that a part of the page that did not change stays the same, and a second click does nothing."""
    return f"cancel-{order.order}-{content_hash(ask.visitor.person, order.order, order.quantity, order.price)[:20]}"


def screen(ask: Ask, code: str, ticket: Mapping[str, Any], status: int = 200) -> Response:
    """The whole trading screen with a ticket on it."""
    shown = told(ask, code)
    chart = ask.chart(
        "day",
        ask.say("Price of %(instrument)s today", instrument=code),
        lambda: _day_chart(ask, code),
        subtitle=ask.say(
            "%(currency)s per %(unit)s, each trade in the book", currency=shown["one"].currency, unit=shown["one"].unit or shown["one"].code
        ),
        summary=ask.say("Price of each trade of %(instrument)s today", instrument=code),
    )
    return ask.page("trade.html", status, **shown, chart=chart, ticket=ticket, live=ask.here(f"/trade/{path_of(code)}/live"))


def _day_chart(ask: Ask, code: str) -> tuple[Any, pl.DataFrame]:
    """All trades of the day as a line that holds its value."""
    with ask.market.read() as state:
        path = day_path(state, code, 10**9)
    frame = pl.DataFrame(
        {"time": [moment.isoformat() for moment, _ in path], "price": [str(one) for _, one in path]}, schema={"time": pl.String, "price": pl.String}
    )
    zoned = [{"time": moment.astimezone(ask.market.zone).replace(tzinfo=None).isoformat(), "price": float(one)} for moment, one in path]
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": WIDE,
        "height": HIGH,
        "data": {"values": zoned},
        "mark": {"type": "line", "interpolate": "step-after"},
        "encoding": {
            "x": {"field": "time", "type": "temporal", "axis": {**AXIS, "format": "%H:%M", "grid": False}},
            "y": {"field": "price", "type": "quantitative", "scale": {"zero": False}, "axis": {"title": None}},
            "tooltip": [{"field": "time", "type": "temporal", "format": "%H:%M:%S"}, {"field": "price", "type": "quantitative"}],
        },
    }
    return spec, frame
