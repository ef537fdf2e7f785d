"""The log and the trail, for auditors and the administrator: what was asked, by whom, what became of it, and that nothing was changed since."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query, Response
from pydantic import AwareDatetime, Field

from tonne.administration.commands import decode
from tonne.administration.events import Entry
from tonne.interfaces.web.api.reading import Given, Read, Text, as_json, gives, whole
from tonne.interfaces.web.api.shared import Word, routes
from tonne.interfaces.web.guard import AUDIT
from tonne.interfaces.web.problems import Problem, not_found
from tonne.store.log import Headline

router = routes("/{system}", "audit")
LIMIT_MOST = 500
#: Entries verified in one request: the whole chain of a large log is `tonne log verify`'s.
VERIFIED_MOST = 20_000


class LogQuery(Given):
    before: whole(1, 2**62) | None = Field(None, description="entries before this sequence; the newest where left out")  # type: ignore[valid-type]
    limit: whole(1, LIMIT_MOST) = 100  # type: ignore[valid-type]
    kind: Text | None = None
    actor: Text | None = None
    outcome: Text | None = None


def _told(entry: Entry | Headline) -> dict[str, Any]:
    return {
        "sequence": entry.sequence,
        "command": entry.command_id,
        "kind": entry.kind,
        "actor": entry.actor,
        "day": entry.day,
        "outcome": entry.outcome,
        "hash": entry.hash.hex(),
    }


@router.get("/log", allow=AUDIT.with_right("audit"), **gives(dict[str, Any]))
def log(ask: Read, system: Word, given: Annotated[LogQuery, Query()]) -> Response:
    """Entries of the log, newest first; `next` goes into `before` for the following page."""
    market = ask.market
    chosen = {name: getattr(given, name) or "" for name in ("kind", "actor", "outcome")}
    rows = market.desk.log.headlines(given.before, given.limit, **chosen)
    ask.record("view", f"log before {given.before or market.sequence}", "shown")
    following = rows[-1].sequence if len(rows) == given.limit else None
    return as_json({"rows": [_told(one) for one in rows], "next": following, "sequence": market.sequence})


class VerifyQuery(Given):
    after: whole(0, 2**62) = Field(0, description="entries after this sequence")  # type: ignore[valid-type]


@router.get("/log/verify", allow=AUDIT.with_right("audit"), **gives(dict[str, Any]))
def verify(ask: Read, system: Word, given: Annotated[VerifyQuery, Query()]) -> Response:
    """Whether entries after a sequence are as they were written: each one's hash, and its chain to the one before. At most 20,000 of them."""
    market = ask.market
    last = min(market.sequence, given.after + VERIFIED_MOST)
    previous, faults, count = None, [], 0
    for entry in market.desk.log.read(after=given.after, last=last):
        if not entry.is_intact():
            faults.append({"sequence": entry.sequence, "what": "its hash is not that of what it holds"})
        if previous is not None and entry.previous != previous:
            faults.append({"sequence": entry.sequence, "what": "it does not follow the entry before it"})
        previous, count = entry.hash, count + 1
    ask.record("verify", f"log {given.after + 1} to {last}", "intact" if not faults else "broken")
    return as_json(
        {
            "from": given.after + 1,
            "to": last,
            "entries": count,
            "intact": not faults,
            "faults": faults[:100],
            "head": previous.hex() if previous else None,
        }
    )


@router.get("/log/{sequence}", allow=AUDIT.with_right("audit"), **gives(dict[str, Any]))
def entry(ask: Read, system: Word, sequence: whole(1, 2**62)) -> Response:  # type: ignore[valid-type]
    """One entry with the command as it was sent and the events that followed."""
    if sequence > ask.market.sequence:
        raise not_found(str(sequence))
    found = next(iter(ask.market.desk.log.read(after=sequence - 1, last=sequence)), None)
    if found is None:
        raise not_found(str(sequence))
    ask.record("view", f"log entry {sequence}", "shown")
    told = {
        "body": decode(found.command)["body"],
        "events": decode(found.events),
        "previous": found.previous.hex(),
        "tables_bytes": len(found.tables),
    }
    return as_json(_told(found) | told)


class TrailQuery(Given):
    page: whole(1, 10**6) = 1  # type: ignore[valid-type]
    per_page: whole(1, LIMIT_MOST) = 100  # type: ignore[valid-type]
    person: Text | None = None
    participant: Text | None = None
    verb: Text | None = Field(None, description="may end in *")
    result: Text | None = None
    views: Annotated[str, Field(pattern="^(true|false)$")] | None = Field(None, description="only, or without, what was looked at")
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


@router.get("/trail", allow=AUDIT.with_right("audit"), **gives(dict[str, Any]))
def trail(ask: Read, system: Word, given: Annotated[TrailQuery, Query()]) -> Response:
    """Who did and saw what on this market's pages and API, newest first."""
    chosen: dict[str, Any] = {name: getattr(given, name) for name in ("person", "participant", "verb", "result") if getattr(given, name)}
    edges: dict[str, datetime] = {name: value for name in ("since", "until") if (value := getattr(given, name)) is not None}
    views = None if given.views is None else given.views == "true"
    offset = (given.page - 1) * given.per_page
    if offset > 2**31:
        raise Problem(400, "malformed", "that page lies beyond the trail")
    found = ask.place.people.audit.page(system=ask.market.system, views=views, offset=offset, limit=given.per_page, **chosen, **edges)
    ask.record("view", "trail", "shown")
    return as_json({"rows": list(found.rows), "total": found.total, "page": given.page})
