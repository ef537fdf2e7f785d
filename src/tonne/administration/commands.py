"""What people, and the calendar, ask of the administration; and how a command and its tables become bytes."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import polars as pl

from tonne.ledger import TRANSFER
from tonne.units import Money

Table: TypeAlias = "pl.DataFrame | np.ndarray[Any, Any]"


@dataclass(frozen=True, slots=True)
class Command:
    """One wish. The sender chooses the id: the same id is never done twice.

    id      unique for ever, e.g. `surrender:2019:DE_1`
    kind    the verb: one of the handlers' names
    by      the participant who asks
    day     the day in the market's calendar on which it is asked
    body    plain values (text, int, bool, lists, mappings; days and decimals as text)
    tables  bulk rows: Polars frames, or transfers as a NumPy array of the ledger's dtype
    """

    id: str
    kind: str
    by: str
    day: date
    body: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)


class Reply(NamedTuple):
    """What the sender hears. `outcome` is `accepted` or the name of the refusal; `repeated` when the id had been used before."""

    command_id: str
    outcome: str
    reason: str = ""
    sequence: int = 0
    repeated: bool = False
    events: tuple[Mapping[str, Any], ...] = ()

    @property
    def accepted(self) -> bool:
        return self.outcome == "accepted"


def encode(value: Any) -> bytes:
    """Canonical JSON: sorted keys, no spaces, days and decimals as text. Raises TypeError for what has no plain form (a float among them)."""
    return _ENCODER.encode(value).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (Decimal, Fraction)):
        return str(value)
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, Money):
        return [value.minor, value.currency]
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no plain form")


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain, allow_nan=False)


def decode(data: bytes) -> Any:
    return json.loads(data)


def pack(tables: Mapping[str, Table]) -> bytes:
    """Tables as one block: a JSON line that names them, then their bytes. Frames as Arrow, transfers raw."""
    if not tables:
        return b""
    head: list[tuple[str, str, int]] = []
    parts: list[bytes] = []
    for name in sorted(tables):
        table = tables[name]
        if isinstance(table, pl.DataFrame):
            buffer = io.BytesIO()
            table.rechunk().write_ipc(buffer, compression="lz4")
            kind, data = "frame", buffer.getvalue()
        else:
            kind, data = "transfers", np.ascontiguousarray(table, dtype=TRANSFER).tobytes()
        head.append((name, kind, len(data)))
        parts.append(data)
    first = json.dumps(head, separators=(",", ":")).encode() + b"\n"
    return first + b"".join(parts)


def unpack(data: bytes) -> dict[str, Table]:
    """The tables of a block, by name."""
    if not data:
        return {}
    end = data.index(b"\n")
    at = end + 1
    tables: dict[str, Table] = {}
    for name, kind, length in json.loads(data[:end]):
        part = data[at : at + length]
        tables[name] = np.frombuffer(part, dtype=TRANSFER) if kind == "transfers" else pl.read_ipc(io.BytesIO(part))
        at += length
    return tables


def fingerprint(command: Command, body: bytes) -> bytes:
    """16 bytes over everything but the id: tells a repeated command from another one that reuses its id. `body` is the command's, encoded."""
    digest = hashlib.sha256(f"{command.kind}\0{command.by}\0{command.day}\0".encode() + body)
    for name in sorted(command.tables):
        table = command.tables[name]
        digest.update(name.encode() + b"\0")
        digest.update(pack({name: table}) if isinstance(table, pl.DataFrame) else np.ascontiguousarray(table).data)
    return digest.digest()[:16]
