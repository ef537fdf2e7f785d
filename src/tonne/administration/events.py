"""What the administration hands to the log: one entry for each command, accepted or refused."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from datetime import date

GENESIS = bytes(32)
ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log. A refused command is an entry whose outcome is the refusal's name and whose events are empty.

    sequence    1, 2, 3, ... without holes
    command_id  the caller's id, unique in the log
    kind        the command's verb
    actor       who sent it
    day         the day it took effect in the market's own calendar (never the wall clock)
    outcome     ACCEPTED or the name of the refusal
    command     canonical JSON
    events      canonical JSON, a list
    tables      the bytes of the tables the command carried and of the transfers it made (may be empty)
    previous    hash of the entry before, GENESIS for the first
    hash        SHA-256 over everything above
    """

    sequence: int
    command_id: str
    kind: str
    actor: str
    day: date
    outcome: str
    command: bytes
    events: bytes
    tables: bytes
    previous: bytes
    hash: bytes

    @classmethod
    def chained(
        cls,
        *,
        sequence: int,
        command_id: str,
        kind: str,
        actor: str,
        day: date,
        outcome: str,
        command: bytes,
        events: bytes,
        tables: bytes,
        previous: bytes,
    ) -> Entry:
        digest = entry_hash(sequence, command_id, kind, actor, day, outcome, command, events, tables, previous)
        return cls(sequence, command_id, kind, actor, day, outcome, command, events, tables, previous, digest)

    def is_intact(self) -> bool:
        """Whether the stored hash is the hash of the stored fields."""
        return self.hash == entry_hash(
            self.sequence, self.command_id, self.kind, self.actor, self.day, self.outcome, self.command, self.events, self.tables, self.previous
        )


def entry_hash(
    sequence: int, command_id: str, kind: str, actor: str, day: date, outcome: str, command: bytes, events: bytes, tables: bytes, previous: bytes
) -> bytes:
    """SHA-256 over the fields after all their lengths, so that no two entries share a preimage by shifting a boundary."""
    parts = (command_id.encode(), kind.encode(), actor.encode(), day.isoformat().encode(), outcome.encode(), command, events)
    lengths = struct.pack(">9Q", sequence, *map(len, parts), len(tables))
    digest = hashlib.sha256(b"".join((previous, lengths, *parts)))
    digest.update(tables)
    return digest.digest()
