"""What all endpoints share: how they are described, how a command is sent and answered, pages of rows."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from fastapi import Header
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.guard import Routes, Visitor
from tonne.interfaces.web.place import Hall, Place, Receipt
from tonne.interfaces.web.problems import Problem, status_of

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=100,
        pattern="^[A-Za-z0-9_-]+$",
        description="Chosen by you. The same key never does a thing twice, and gives the same answer; with another body it is refused.",
    ),
]
KEY_FORM = re.compile(r"[A-Za-z0-9_-]{8,100}", re.ASCII)
WHOLE = re.compile(r"[0-9]{1,18}", re.ASCII)
QUANTITY_MOST = 10**17


def _whole(value: Any) -> int:
    """A whole number, or its digits as text. Raises ValueError for 1.0, 1e3, true, a sign, spaces, other scripts' digits."""
    if type(value) is int:
        return value
    if type(value) is str and WHOLE.fullmatch(value):
        return int(value)
    raise ValueError("a whole number, as a number or as 1 to 18 digits of text")


def _counted(least: int, most: int, text: str, example: int) -> Any:
    forms = [{"type": "integer", "minimum": least, "maximum": most}, {"type": "string", "pattern": "^[0-9]{1,18}$"}]
    schema = {"anyOf": forms, "description": text, "examples": [example]}
    return Annotated[int, Field(ge=least, le=most), BeforeValidator(_whole), WithJsonSchema(schema)]


#: A quantity comes as a whole number or as its text, never as 1.0, 1e3, true or full-width digits.
Quantity = _counted(1, QUANTITY_MOST, "whole units, as a number or as its digits", 100)
#: Tonnes, or minor units: zero counts.
Amount = _counted(0, QUANTITY_MOST, "a whole number, zero or more", 12_345)
OrderNumber = _counted(1, 2**62, "the order's number, as the answer to it said", 4711)
Year = _counted(1990, 2200, "an emissions year", 2025)
Price = Annotated[str, Field(pattern=r"^[0-9]{1,12}(\.[0-9]{1,8})?$", description="money per unit, as text", examples=["83.60"])]
Word = Annotated[str, Field(min_length=1, max_length=200)]


class Body(BaseModel):
    """A body that refuses what it does not know."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


class ProblemBody(BaseModel):
    """RFC 9457. `name` is the clerk's or the ledger's own name of the refusal."""

    type: str = Field(examples=["/api/problems#insufficient_balance"])
    title: str = Field(examples=["There is not enough in the account"])
    status: int = Field(examples=[409])
    name: str = Field(examples=["insufficient_balance"])
    detail: str = ""
    do: str = ""
    reference: str = Field(examples=["9f2c1a7b3d4e"])
    fields: dict[str, str] | None = None
    near: list[str] | None = None
    faults: list[dict[str, Any]] | None = Field(None, description="of a file: row, column, value, reason of everything that is wrong with it")
    sequence: int | None = None
    repeated: bool | None = None


class ReceiptBody(BaseModel):
    """What became of a command. `sequence` is its entry in the log."""

    command: str = Field(examples=["web:synthetic-01:order-2025-0001"])
    kind: str = Field(examples=["orders"])
    outcome: str = Field(examples=["accepted"])
    sequence: int = Field(examples=[4711])
    repeated: bool = Field(description="the key had been used before; this is the first answer again")
    day: date
    events: list[dict[str, Any]] = Field(description="what happened, as the log keeps it")


def _problem(text: str) -> dict[str, Any]:
    return {"description": text, "model": ProblemBody, "content": {"application/problem+json": {}}}


#: What any endpoint may answer besides what it is for.
COMMON: dict[int | str, dict[str, Any]] = {
    400: _problem("the request cannot be read"),
    401: _problem("nobody is signed in"),
    403: _problem("not permitted"),
    404: _problem("no such thing, or none that you may know of"),
    405: _problem("this method is not for this address"),
    408: _problem("the request did not arrive in time"),
    413: _problem("too large"),
    422: _problem("something in the request is not what it should be"),
    415: _problem("this kind of content is not taken here"),
    429: _problem("too many requests"),
    503: _problem("not taking anything at the moment"),
}
REFUSED: dict[int | str, dict[str, Any]] = {**COMMON, 409: _problem("refused by name; nothing was done")}


def routes(prefix: str, tag: str) -> Routes:
    """A router of endpoints under /api/v1."""
    return Routes(prefix=f"/api/v1{prefix}", tags=[tag], responses=COMMON)


def told(receipt: Receipt) -> dict[str, Any]:
    """The answer to a command, in plain values. Raises Problem with the refusal's own name."""
    if not receipt.accepted:
        raise Problem(status_of(receipt.outcome), receipt.outcome, receipt.reason, receipt=receipt)
    return {
        "command": receipt.command_id,
        "kind": receipt.kind,
        "outcome": receipt.outcome,
        "sequence": receipt.sequence,
        "repeated": receipt.repeated,
        "day": receipt.day.isoformat(),
        # What the log keeps of an event is plain already: it was written as canonical JSON.
        "events": [{name: value for name, value in event.items() if name != "table"} for event in receipt.events],
    }


async def stored(
    place: Place, market: Hall, visitor: Visitor, key: str, kind: str, body: Mapping[str, Any], tables: Mapping[str, Any] | None = None
) -> Receipt:
    """What became of a command, once it is stored. No thread is held meanwhile."""
    command = market.command(visitor.participant, key, kind, {**body, "person": visitor.person}, tables)
    reply = await asyncio.wrap_future(market.submit(command))
    receipt = market.receipt(command, reply) if not reply.repeated else await asyncio.to_thread(market.receipt, command, reply)
    place.counted(kind, receipt.outcome)
    return receipt


async def sent(ask: Ask, key: str, kind: str, body: Mapping[str, Any], tables: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Send a command for whom the visitor acts, and note it in the trail. Raises Problem with the refusal's own name."""
    receipt = await stored(ask.place, ask.market, ask.visitor, key, kind, body, tables)
    await asyncio.to_thread(ask.record, kind, receipt.command_id, receipt.outcome)
    return told(receipt)


def needs(visitor: Visitor, right: str) -> None:
    """Raises Problem 403 where the membership, or the key, lacks the right."""
    if right not in visitor.rights:
        raise Problem(403, "not_permitted", f"this needs the right {right!r}; you have {', '.join(sorted(visitor.rights)) or 'none'}")


__all__ = [
    "COMMON",
    "KEY_FORM",
    "QUANTITY_MOST",
    "REFUSED",
    "WHOLE",
    "Amount",
    "Asked",
    "Body",
    "IdempotencyKey",
    "OrderNumber",
    "Price",
    "ProblemBody",
    "Quantity",
    "ReceiptBody",
    "Word",
    "Year",
    "needs",
    "routes",
    "sent",
    "stored",
    "told",
]
