"""What a server answers a client: receipts, refusals by name, events of a stream."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any


class Refused(Exception):
    """The server said no. name: the refusal's own, for machines; detail: in words; sequence: its entry in the log, if it has one; fields and faults:
    what is wrong with which part of what was sent."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        self.name = str(body.get("name", f"http_{status}"))
        self.detail = str(body.get("detail", ""))
        self.reference = str(body.get("reference", ""))
        self.sequence: int | None = body.get("sequence")
        self.fields: Mapping[str, str] = body.get("fields") or {}
        self.faults: Sequence[Mapping[str, Any]] = body.get("faults") or ()
        self.near: Sequence[str] = body.get("near") or ()
        super().__init__(f"{self.name}: {self.detail or body.get('title', '')}")


class NotReached(Exception):
    """No answer came, also not when it was asked again. What was sent may have been done: send it again with the same key to hear."""


@dataclass(frozen=True)
class Receipt:
    """What became of a command. command: its id, which is also a proposal's; sequence: its entry in the log; repeated: it had been done before."""

    command: str
    kind: str
    outcome: str
    sequence: int
    repeated: bool
    day: date
    events: tuple[Mapping[str, Any], ...]

    @property
    def proposal(self) -> str:
        """The number under which a second person approves, of a proposal."""
        return self.command

    @property
    def orders(self) -> tuple[int, ...]:
        """Numbers of the orders that the book took."""
        return tuple(row["order"] for event in self.events for row in event.get("rows", ()) if row["happening"] == "accepted")

    @property
    def refusals(self) -> Mapping[str, int]:
        """Of orders: reasons why the book did not take some, and how many."""
        found: dict[str, int] = {}
        for event in self.events:
            for name, count in event.get("refusals", {}).items():
                found[name] = found.get(name, 0) + count
        return found


@dataclass(frozen=True)
class Event:
    """One thing that is new. topic: what; id: the log's sequence up to which everything was heard, None where more of the same turn follows."""

    topic: str
    id: int | None
    data: Mapping[str, Any] = field(default_factory=dict)


def receipt_of(found: Mapping[str, Any]) -> Receipt:
    return Receipt(
        found["command"],
        found["kind"],
        found["outcome"],
        found["sequence"],
        found["repeated"],
        date.fromisoformat(found["day"]),
        tuple(found["events"]),
    )


def events(lines: Iterator[str]) -> Iterator[Event]:
    """Server-sent events out of the lines of an answer."""
    topic, number, data = "message", None, ""
    for line in lines:
        if not line:
            if data:
                yield Event(topic, number, json.loads(data))
            topic, number, data = "message", None, ""
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            topic = value
        elif name == "id" and value.isdigit():
            number = int(value)
        elif name == "data":
            data += value
