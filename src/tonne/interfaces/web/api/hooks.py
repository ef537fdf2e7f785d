"""Webhooks: calls to an address of yours when something is new, where the server's operator has allowed its host."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Response
from pydantic import Field

from tonne.interfaces.web import webhooks
from tonne.interfaces.web.api.reading import Read, as_json, gives
from tonne.interfaces.web.api.shared import REFUSED, Asked, Body, Word, needs, routes
from tonne.interfaces.web.api.tasks import programs_only
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.guard import ANY_MEMBER
from tonne.interfaces.web.problems import Problem, not_found

router = routes("/{system}", "webhooks")
MADE = {"type": "object", "properties": {"id": {"type": "string"}, "secret": {"type": "string", "description": "shown once; it signs what is sent"}}}


class HookBody(Body):
    """Where to, and what about."""

    url: Annotated[str, Field(min_length=1, max_length=1_000)] = Field(examples=["https://hooks.example.org/market"])
    topics: list[Annotated[str, Field(pattern="^(market|auctions|notices|tasks|holdings|orders)$")]] = Field(min_length=1, max_length=6)


@router.get("/webhooks", allow=ANY_MEMBER, **gives(tuple[dict[str, Any], ...]))
def listed(ask: Read, system: Word) -> Response:
    """The organisation's webhooks, without their secrets."""
    market = ask.market
    return as_json(webhooks.of(ask.place).listed(market.system, ask.visitor.participant) if webhooks.is_on(ask.place.settings) else [])


@router.post(
    "/webhooks",
    allow=ANY_MEMBER.with_right("initiate"),
    responses={**REFUSED, 201: {"description": "made", "content": {"application/json": {"schema": MADE}}}},
    status_code=201,
    response_class=Response,
)
def make(ask: Asked, system: Word, body: HookBody) -> Response:
    """A new webhook. Each call has `Tonne-Signature: t=<seconds>,v1=<HMAC-SHA256 of "<seconds>." and the body>`; answer 2xx, or it comes again."""
    programs_only(ask)
    needs(ask.visitor, "initiate")
    market, visitor = ask.market, ask.visitor
    if not webhooks.is_on(ask.place.settings):
        raise Problem(409, "not_offered", "this server calls nobody: its operator has allowed no host (webhook_hosts)")
    membership = visitor.key.membership.id
    try:
        name, secret = webhooks.of(ask.place).add(
            market.system, visitor.participant, membership, visitor.person, body.url, list(dict.fromkeys(body.topics)), ask.place.real_now()
        )
    except webhooks.HookRefused as refused:
        raise Problem(422, "malformed", str(refused), fields={"url": str(refused)}) from None
    ask.record("webhook.make", f"webhook {name}", "done")
    return as_json({"id": name, "secret": secret}, 201)


@router.delete(
    "/webhooks/{hook}",
    allow=ANY_MEMBER.with_right("initiate"),
    responses={**REFUSED, 204: {"description": "ended"}},
    status_code=204,
    response_class=Response,
)
def end(ask: Asked, system: Word, hook: Word) -> Response:
    """Nothing more is sent to it."""
    programs_only(ask)
    _own(ask, hook)
    webhooks.of(ask.place).end(hook, "ended by its organisation")
    ask.record("webhook.end", f"webhook {hook}", "done")
    return Response(status_code=204)


@router.get("/webhooks/{hook}/deliveries", allow=ANY_MEMBER, **gives(tuple[dict[str, Any], ...]))
def deliveries(ask: Read, system: Word, hook: Word) -> Response:
    """What became of its last hundred messages."""
    _own(ask, hook)
    return as_json(webhooks.of(ask.place).deliveries(hook))


def _own(ask: Ask, hook: str) -> None:
    market = ask.market
    if not webhooks.is_on(ask.place.settings) or hook not in {
        one["id"] for one in webhooks.of(ask.place).listed(market.system, ask.visitor.participant)
    }:
        raise not_found(hook)
