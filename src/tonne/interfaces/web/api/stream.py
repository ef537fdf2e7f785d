"""Server-sent events: what is new in a market, pushed. The same for pages (by their session) and programs (by their key)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import StreamingResponse
from pydantic import Field

from tonne.interfaces.web.api.reading import Given, Read
from tonne.interfaces.web.api.shared import COMMON, Word, routes
from tonne.interfaces.web.app import visitor_of
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.guard import PUBLIC as EVERYBODY
from tonne.interfaces.web.guard import pages
from tonne.interfaces.web.problems import Problem
from tonne.interfaces.web.stream_messages import OWN, PUBLIC

router = routes("/{system}", "stream")
page_router = pages()
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}
EXAMPLE = 'id: 4711\nevent: market\ndata: {"topic":"market","sequence":4711,"instruments":[...],"trades":[...],"gap":false}\n\n'
ANSWERS: dict[int | str, dict[str, Any]] = {
    **COMMON,
    200: {
        "description": "events, until the sender hangs up or the rights end",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": EXAMPLE}},
    },
}


class StreamQuery(Given):
    topics: Annotated[str, Field(max_length=200)] = Field("market", description="market, auctions, notices; signed in also tasks, holdings, orders")


@router.get("/stream", allow=EVERYBODY, responses=ANSWERS, response_class=StreamingResponse)
async def stream(ask: Read, system: Word, given: Annotated[StreamQuery, Query()]) -> StreamingResponse:
    """What is new, as it comes. The id of an event is a sequence of the log: send it back as `Last-Event-ID` and nothing is missed or told twice.

    `market` carries the trades since the event before and the top of every book; other topics say that something is new, and you ask for it.
    Reads ahead by a quarter of a second; `alive` is sent in silence.
    """
    return opened(ask, given.topics)


@page_router.get("/{system}/stream", allow=EVERYBODY)
async def page_stream(ask: Read, system: str, topics: str = "market") -> StreamingResponse:
    """The same for pages."""
    return opened(ask, topics)


def opened(ask: Ask, asked: str) -> StreamingResponse:
    """The stream of who asks. Raises Problem 401, 422, 429."""
    place, visitor, market = ask.place, ask.visitor, ask.market
    topics = frozenset(asked.split(","))
    unknown = topics - PUBLIC - OWN
    if unknown:
        raise Problem(422, "malformed", f"no topic {sorted(unknown)[0][:40]!r}; there are {', '.join(sorted(PUBLIC | OWN))}")
    if topics & OWN and not (visitor.participant and visitor.system == market.system):
        raise Problem(
            403 if visitor.signed_in else 401, "not_permitted", f"{', '.join(sorted(topics & OWN))} are for those who act for somebody here"
        )
    last = ask.request.headers.get("last-event-id", "")
    after = int(last) if last.isascii() and last.isdigit() and len(last) <= 18 else None
    who = visitor.person or f"address:{visitor.address}"
    counts = place.hub.by_whom
    if counts.get(who, 0) >= place.settings.streams_each or sum(counts.values()) >= place.settings.streams_most:
        raise Problem(429, "too_many", f"{place.settings.streams_each} streams are open already; close one", retry_after=15)
    ask.request.state.stream = True
    request = ask.request

    def allowed() -> bool:
        if place.stopping:
            return False
        if not visitor.signed_in:
            return True
        try:
            now = visitor_of(request, place, market, touch=False)
        except Problem:
            return False
        return (now.person, now.participant, now.role) == (visitor.person, visitor.participant, visitor.role)

    counts[who] = counts.get(who, 0) + 1
    pieces = place.hub.listen(market, topics, visitor.participant, after, allowed)
    return Held(pieces, counts, who)


class Held(StreamingResponse):
    """A stream that counts as open until it has ended, however it ends."""

    def __init__(self, pieces: AsyncIterator[bytes], counts: dict[str, int], who: str) -> None:
        super().__init__(pieces, media_type="text/event-stream", headers=HEADERS)
        self._counts, self._who = counts, who

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._counts[self._who] -= 1
            if self._counts[self._who] <= 0:
                del self._counts[self._who]
