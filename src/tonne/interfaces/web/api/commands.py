"""Every command by its verb: for what has no endpoint of its own. The clerk asks again who may, and what it needs."""

from __future__ import annotations

from typing import Any

import polars as pl
from fastapi import Response
from pydantic import Field, JsonValue

from tonne.administration.handlers import HANDLERS
from tonne.administration.permissions import LAW, TWO_PERSONS, VERBS
from tonne.interfaces.web.api.acts import right_of, timed
from tonne.interfaces.web.api.reading import Read, as_json, gives
from tonne.interfaces.web.api.shared import REFUSED, Asked, Body, IdempotencyKey, ReceiptBody, Word, needs, routes, sent
from tonne.interfaces.web.api.tasks import Rows, exact, programs_only
from tonne.interfaces.web.guard import ANY_MEMBER
from tonne.interfaces.web.problems import Problem

router = routes("/{system}", "commands")
#: Verbs with a way of their own (two persons decide), or of the market's own clock.
ELSEWHERE = frozenset({"found", "propose", "approve", "reject", "withdraw_proposal", "run_scheduled", "lapse"})
OPEN = {verb: roles for verb, roles in VERBS.items() if verb not in ELSEWHERE and roles != frozenset({LAW})}
#: What the server says of every command; nobody else does.
SERVERS = ("person", "moment", "without_right")
EXAMPLE = {"kind": "open_account", "body": {"account": "synthetic-01-b", "kind": "trading"}}


class CommandBody(Body):
    """A command as the log keeps it: see `GET /{system}/commands` for the verbs, what their bodies and tables hold, and who may send them."""

    kind: Word = Field(examples=["open_account"])
    body: dict[Word, JsonValue] = Field(default_factory=dict, max_length=100)
    tables: dict[Word, Rows] = Field(default_factory=dict, max_length=5)


def verbs() -> list[dict[str, Any]]:
    """Every verb: what it needs, who may send it, whether a second person must approve."""
    return [
        {
            "kind": verb,
            "about": " ".join((HANDLERS[verb].__doc__ or "").split()),
            "roles": sorted(roles),
            "right": right_of(verb),
            "second_person": TWO_PERSONS.get(verb, "choice"),
        }
        for verb, roles in sorted(OPEN.items())
    ]


@router.get("/commands", allow=ANY_MEMBER, **gives(tuple[dict[str, Any], ...]))
def listed(ask: Read, system: Word) -> Response:
    """The verbs that your role may send."""
    assert ask.market is not None
    return as_json([one for one in verbs() if ask.visitor.role in one["roles"]])


@router.post(
    "/commands",
    allow=ANY_MEMBER,
    responses=REFUSED,
    response_model=ReceiptBody,
    openapi_extra={"requestBody": {"content": {"application/json": {"examples": {"one": {"value": EXAMPLE}}}}}},
)
async def command(ask: Asked, system: Word, key: IdempotencyKey, body: CommandBody) -> dict[str, Any]:
    """Send a command. What two persons decide is refused as `needs_second_person`: propose it at `/tasks`."""
    programs_only(ask)
    if body.kind not in OPEN:
        raise Problem(422, "unknown_command", f"{body.kind[:60]!r} is not sent here; GET this address lists what is")
    if ask.visitor.role not in OPEN[body.kind]:
        raise Problem(403, "not_permitted", f"{body.kind} is for {', '.join(sorted(OPEN[body.kind]))}; you are {ask.visitor.role}")
    needs(ask.visitor, right_of(body.kind))
    said = sorted(set(body.body) & set(SERVERS))
    if said:
        raise Problem(
            422, "malformed", f"{', '.join(said)}: the server says this itself", fields=dict.fromkeys((f"body.{name}" for name in said), "not taken")
        )
    wish = timed(ask, body.kind, exact(body.body))
    return await sent(ask, key, body.kind, wish, {name: frame_of(name, rows) for name, rows in body.tables.items()})


def frame_of(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """A table from rows; a column holds whole numbers, texts or booleans, one of them throughout. Raises Problem 422 naming the column."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    series = []
    for column in columns:
        cells = [row.get(column) for row in rows]
        kinds = {type(cell) for cell in cells if cell is not None}
        if len(kinds) > 1 or any(type(cell) is int and not -(2**63) <= cell < 2**63 for cell in cells):
            raise Problem(422, "malformed", f"table {name!r}, column {column!r}: whole numbers, texts or booleans, one of them throughout")
        kind = {int: pl.Int64, str: pl.String, bool: pl.Boolean}[kinds.pop()] if kinds else pl.Null
        series.append(pl.Series(column, cells, dtype=kind))
    return pl.DataFrame(series)
