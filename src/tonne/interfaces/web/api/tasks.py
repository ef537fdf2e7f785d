"""What two persons decide: proposed by one, approved by another. Programs need a key; a key approves only where a second person allowed it to."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

import polars as pl
from fastapi import Query, Response
from pydantic import Field, JsonValue

from tonne.administration.commands import Command
from tonne.administration.permissions import TWO_PERSONS
from tonne.administration.refusals import Refusal
from tonne.interfaces.web.api.reading import Paging, Read, as_json, gives, lists, page_of, same
from tonne.interfaces.web.api.shared import REFUSED, Asked, Body, IdempotencyKey, ReceiptBody, Word, needs, routes, sent
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.guard import Allow
from tonne.interfaces.web.pages.proposals import TASKERS, proposals_of
from tonne.interfaces.web.problems import Problem, not_found, status_of
from tonne.interfaces.web.rights import without_right

router = routes("/{system}", "tasks")
SEES = Allow(TASKERS.roles | {"auditor"})
TASKS = dict.fromkeys(
    ("proposal", "verb", "participant", "state", "person", "moment", "reason", "expires", "runs", "cancel_until", "refusal"), pl.String
)
Cell = str | int | bool | None
Rows = Annotated[list[dict[Word, Cell]], Field(min_length=1, max_length=10_000)]
Verb = Literal[tuple(TWO_PERSONS)]  # type: ignore[valid-type]
EXAMPLE = {"verb": "transfer", "body": {"from": "synthetic-01", "to": "synthetic-02", "unit": "UNIT", "quantity": 100}, "reason": "settles invoice 7"}


class ProposeBody(Body):
    """A command that another person of the organisation has to approve."""

    verb: Verb = Field(description="what is proposed", examples=["transfer"])  # type: ignore[valid-type]
    body: dict[Word, JsonValue] = Field(default_factory=dict, max_length=60)
    tables: dict[Word, Rows] = Field(default_factory=dict, max_length=5)
    reason: Annotated[str, Field(max_length=500)] = ""


class DecideBody(Body):
    reason: Annotated[str, Field(max_length=500)] = ""


class RejectBody(Body):
    reason: Annotated[str, Field(min_length=1, max_length=500)]


def programs_only(ask: Ask) -> None:
    """Raises Problem 403 for a browser's session: there a second factor confirms what is shown on the page, and no script may go round it."""
    if ask.visitor.key is None:
        raise Problem(403, "not_permitted", "in a browser, use the pages, where a second factor confirms this; programs send an API key")


def _visible(ask: Ask) -> dict[str, dict[str, Any]]:
    return proposals_of(ask)


class TasksQuery(Paging):
    state: Annotated[str, Field(max_length=40)] | None = Field(
        None, description="awaiting_approval, scheduled, completed, rejected, cancelled, expired, refused"
    )
    verb: Annotated[str, Field(max_length=40)] | None = None


@router.get("/tasks", allow=SEES, **lists(TASKS))
def tasks(ask: Read, system: Word, given: Annotated[TasksQuery, Query()]) -> Response:
    """The organisation's proposals, newest first; everybody's for the administrator."""
    rows = [
        {"proposal": name, **{column: one.get(column) for column in TASKS if column != "proposal"}} for name, one in reversed(_visible(ask).items())
    ]
    return page_of(ask, "tasks", pl.DataFrame(rows, schema=TASKS), given, same(given, "state", "verb"), about="tasks")


@router.get("/tasks/{proposal}", allow=SEES, **gives(dict[str, Any]))
def task(ask: Read, system: Word, proposal: Word) -> Response:
    """One proposal: its effect in exact units, who began it, what became of it."""
    found = _visible(ask).get(proposal)
    if found is None:
        raise not_found(proposal)
    ask.record("view", f"proposal {proposal}", "shown")
    return as_json({"proposal": proposal, **found})


@router.post(
    "/tasks/preview", allow=TASKERS.with_right("initiate"), responses={**REFUSED, 200: {"description": "what it would do"}}, response_class=Response
)
def preview(ask: Asked, system: Word, body: ProposeBody) -> Response:
    """What a proposal would do if it were approved now: moves, when it would run, until when it could be taken back. Stores nothing."""
    command = Command("preview", "propose", ask.visitor.participant, ask.market.today, {**_wish(ask, body), "person": ask.visitor.person})
    try:
        effect = ask.market.preview(command).events[0]["effect"]
    except Refusal as refusal:
        raise Problem(status_of(refusal.name), refusal.name, refusal.reason) from None
    return as_json({"effect": effect})


def _wish(ask: Ask, body: ProposeBody) -> dict[str, Any]:
    found = {"verb": body.verb, "body": exact(body.body), "moment": ask.market.now().isoformat()}
    if body.tables:
        found["tables"] = body.tables
    if body.reason:
        found["reason"] = body.reason
    return found


def exact(value: Any) -> Any:
    """A body without numbers that have a point: what is owned is whole, and prices are text. Raises Problem 422."""
    if isinstance(value, float):
        raise Problem(422, "malformed", f"write {value} as text or as a whole number, so that it stays exact")
    if isinstance(value, dict):
        return {name: exact(one) for name, one in value.items()}
    if isinstance(value, list):
        return [exact(one) for one in value]
    return value


@router.post(
    "/tasks",
    allow=TASKERS.with_right("initiate"),
    responses=REFUSED,
    response_model=ReceiptBody,
    openapi_extra={"requestBody": {"content": {"application/json": {"examples": {"transfer": {"value": EXAMPLE}}}}}},
)
async def propose(ask: Asked, system: Word, key: IdempotencyKey, body: ProposeBody) -> dict[str, Any]:
    """Propose a command. Moves nothing and reserves nothing until another person approves; the receipt's `command` is the proposal's id."""
    programs_only(ask)
    needs(ask.visitor, "initiate")
    return await sent(ask, key, "propose", _wish(ask, body))


@router.post("/tasks/{proposal}/approve", allow=TASKERS.with_right("approve"), responses=REFUSED, response_model=ReceiptBody)
async def approve(ask: Asked, system: Word, key: IdempotencyKey, proposal: Word, body: DecideBody) -> dict[str, Any]:
    """The second person's yes; refused as `own_proposal` for who proposed, also by another key."""
    programs_only(ask)
    _own(ask, proposal)
    gone = await asyncio.to_thread(without_right, ask.place.people, system, proposals_of(ask)[proposal])
    return await sent(ask, key, "approve", {"proposal": proposal, "moment": ask.market.now().isoformat(), "without_right": gone})


@router.post("/tasks/{proposal}/reject", allow=TASKERS.with_right("approve"), responses=REFUSED, response_model=ReceiptBody)
async def reject(ask: Asked, system: Word, key: IdempotencyKey, proposal: Word, body: RejectBody) -> dict[str, Any]:
    """No, with a reason that the other person sees."""
    programs_only(ask)
    _own(ask, proposal)
    return await sent(ask, key, "reject", {"proposal": proposal, "moment": ask.market.now().isoformat(), "reason": body.reason})


@router.post("/tasks/{proposal}/withdraw", allow=TASKERS.with_right("initiate"), responses=REFUSED, response_model=ReceiptBody)
async def withdraw(ask: Asked, system: Word, key: IdempotencyKey, proposal: Word, body: DecideBody) -> dict[str, Any]:
    """Take back what was proposed, or is scheduled and may still be cancelled."""
    programs_only(ask)
    _own(ask, proposal)
    wish = {"proposal": proposal, "moment": ask.market.now().isoformat()}
    return await sent(ask, key, "withdraw_proposal", wish | ({"reason": body.reason} if body.reason else {}))


def _own(ask: Ask, proposal: str) -> None:
    if proposal not in _visible(ask):
        raise not_found(proposal)
