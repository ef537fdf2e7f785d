"""A market in which two persons decide, on Wednesday 25 November 2026, and short words for what they do there."""

from __future__ import annotations

from functools import cache
from typing import Any

from small_markets import Desk, people

import tonne
from tonne.administration.commands import Reply

WEDNESDAY = "2026-11-25"
THURSDAY = "2026-11-26"
#: To tom, who is not trusted.
TO_TOM = {"from": "operator:A1", "to": "tom-1", "unit": "EUA"}
#: To another account of the same holder.
TO_OWN = {"from": "operator:A1", "to": "alice-2", "unit": "EUA"}


def office(**founding: Any) -> Desk:
    """The European law: 1,000 units for alice, who has a second account, and 500 for bob; tom trades. Two persons decide, unless said otherwise."""
    return _office(**{"two_persons": True, **founding}).copy()


@cache
def _office(**founding: Any) -> Desk:
    desk = people(Desk(tonne.rulebook("eu-ets"), "2026-01-01", 2026, **founding))
    for account, quantity in (("operator:A1", 1_000), ("operator:B1", 500)):
        desk.accept("open_balance", account=account, unit="EUA", quantity=quantity, source="a test", year=2026)
    desk.accept("open_account", by="alice", account="alice-2", kind="trading", day=WEDNESDAY)
    return desk


def at(clock: str, day: str = WEDNESDAY, offset: str = "+01:00") -> dict[str, str]:
    """Day and moment of a command, on the registry's clock in winter."""
    return {"day": day, "moment": f"{day}T{clock}:00{offset}"}


def proposed(
    desk: Desk, id: str, verb: str, body: dict[str, Any], *, by: str = "alice", person: str = "ann", when: Any = None, rows: Any = None, **rest: Any
) -> Any:
    """The effect that the proposal shows. `rows`: its tables."""
    rest |= {"tables_": rows} if rows else {}
    reply = desk.accept("propose", by=by, id=id, verb=verb, body=body, person=person, **(when or at("11:00")), **rest)
    return reply.events[0]["effect"]


def approved(desk: Desk, id: str, *, by: str = "alice", person: str = "bea", when: Any = None, **rest: Any) -> Reply:
    return desk.accept("approve", by=by, proposal=id, person=person, **(when or at("11:30")), **rest)


def state_of(desk: Desk, id: str) -> str:
    return str(desk.state.proposals[id]["state"])


def available(desk: Desk, account: str, unit: str = "EUA") -> int:
    return int(desk.state.books.available(desk.state.accounts.number(account), desk.state.unit(unit)))
