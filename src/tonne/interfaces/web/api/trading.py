"""The exchange as everybody sees it: what is listed, depth, trades, days; auctions that are open and that were held."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response
from pydantic import Field

from tonne.interfaces.views import auctions_view, market_view
from tonne.interfaces.web.api.reading import Days, Given, Paging, Read, YearOf, gives, lists, page_of, seen, shown, whole
from tonne.interfaces.web.api.shared import Word, routes
from tonne.interfaces.web.guard import PUBLIC

router = routes("/{system}", "market")
LEVELS_MOST, TRADES_MOST = 50, 500


@router.get("/instruments", allow=PUBLIC, **gives(tuple[market_view.Instrument, ...]))
def instruments(ask: Read, system: Word) -> Response:
    """All that is listed, with prices, volumes and the phase of the session."""
    return shown(ask, lambda state, cache: market_view.instruments(state) if state.exchange.book is not None else ())


@router.get("/instruments/{code}", allow=PUBLIC, **gives(market_view.Instrument))
def instrument(ask: Read, system: Word, code: Word) -> Response:
    """One instrument and where it stands."""
    return shown(ask, lambda state, cache: market_view.instrument(state, code))


class LevelsQuery(Given):
    levels: whole(1, LEVELS_MOST) = Field(5, description="of each side")  # type: ignore[valid-type]


@router.get("/instruments/{code}/book", allow=PUBLIC, **gives(market_view.DepthView))
def book(ask: Read, system: Word, code: Word, given: Annotated[LevelsQuery, Query()]) -> Response:
    """The best levels of both sides of the order book; no names, and nothing of what orders hide."""
    return shown(ask, lambda state, cache: market_view.depth(state, code, given.levels))


class TradesQuery(Given):
    limit: whole(1, TRADES_MOST) = Field(50, description="newest first")  # type: ignore[valid-type]


@router.get("/instruments/{code}/trades", allow=PUBLIC, **gives(tuple[market_view.Trade, ...]))
def trades(ask: Read, system: Word, code: Word, given: Annotated[TradesQuery, Query()]) -> Response:
    """The last trades of the day that is not closed yet."""
    return shown(ask, lambda state, cache: market_view.trades(state, code, given.limit))


@router.get("/instruments/{code}/bars", allow=PUBLIC, **lists(market_view.BARS))
def bars(ask: Read, system: Word, code: Word, given: Annotated[Days, Query()]) -> Response:
    """The closed days: open, high, low, close, settlement, volume, open interest."""
    frame = seen(ask, lambda state, cache: market_view.bars(state, code, first=given.first, last=given.last))
    return page_of(ask, f"bars-{code}", frame, given)


class HeldQuery(Paging):
    year: YearOf | None = None  # type: ignore[valid-type]


@router.get("/auctions", allow=PUBLIC, **lists(auctions_view.AUCTIONS))
def auctions(ask: Read, system: Word, given: Annotated[HeldQuery, Query()]) -> Response:
    """Auctions that were held, newest first: offered, sold, price, cover, bidders."""
    frame = seen(ask, lambda state, cache: auctions_view.auctions(state, year=given.year, cache=cache))
    return page_of(ask, "auctions", frame, given)


@router.get("/auctions/open", allow=PUBLIC, **gives(tuple[auctions_view.OpenAuction, ...]))
def open_auctions(ask: Read, system: Word) -> Response:
    """Auctions that take bids, soonest first, with what a bid must be like."""
    return shown(ask, lambda state, cache: auctions_view.open_auctions(state, ask.market.today))


@router.get("/auctions/{auction}", allow=PUBLIC, **gives(auctions_view.Result))
def result(ask: Read, system: Word, auction: Word) -> Response:
    """What was published of one auction that was held."""
    return shown(ask, lambda state, cache: auctions_view.result(state, auction, cache=cache))
