"""What people, and the calendar, ask of the administration; and how a command and its tables become bytes."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import polars as pl

from tonne.ledger import TRANSFER
from tonne.market.orders import INSTRUCTION
from tonne.registers import tables as canonical
from tonne.units import Money

Table: TypeAlias = "pl.DataFrame | np.ndarray[Any, Any]"
#: Bounds on what a command carries outside its tables: stores index ids, and bulk belongs into tables.
WORD_BYTES_MAX = 1_000
BODY_BYTES_MAX = 16 * 1024 * 1024


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
    """What the sender hears. `outcome` is `accepted` or the name of the refusal; `repeated` when the id had been used before.

    tables: what was made and can be made again from the log (`executions` of orders).
    A repeated command gets the outcome, reason and sequence of the first time; what happened then stands in the log under that sequence.
    """

    command_id: str
    outcome: str
    reason: str = ""
    sequence: int = 0
    repeated: bool = False
    events: tuple[Mapping[str, Any], ...] = ()
    tables: Mapping[str, Table] = MappingProxyType({})

    @property
    def accepted(self) -> bool:
        return self.outcome == "accepted"


def well_formed(command: Command) -> tuple[Command, bytes]:
    """The command with its body in plain form, as it will be read back from the log: what is decided live is what a replay sees.

    Returns it with the bytes of that body.
    Raises TypeError and ValueError for what no log can hold: words that are empty, too long or hold a NUL, a moment for a day, a float.
    """
    for name in ("id", "kind", "by"):
        word = getattr(command, name)
        if not isinstance(word, str) or not word or "\0" in word or len(word.encode()) > WORD_BYTES_MAX:
            raise ValueError(f"a command's {name} is a text of 1 to {WORD_BYTES_MAX:,} bytes without NUL")
    if not isinstance(command.day, date) or isinstance(command.day, datetime):
        raise TypeError(f"a command's day is a date, not {command.day!r}")
    if not isinstance(command.body, Mapping) or not isinstance(command.tables, Mapping):
        raise TypeError("a command's body and tables are mappings")
    for name, table in command.tables.items():
        if not isinstance(name, str) or not (_is_frame(table) or (_is_rows(table) and (command.kind, name, table.dtype) in ROWS)):
            raise TypeError(
                f"table {name!r} is no Polars frame of plain columns (rows of an array are `transfers` of a transfer, `instructions` of orders)"
            )
    body = plain(command.body)
    encoded = encode(body)
    if len(encoded) > BODY_BYTES_MAX:
        raise ValueError(f"a body holds at most {BODY_BYTES_MAX:,} bytes; carry bulk in tables")
    return Command(command.id, command.kind, command.by, command.day, body, command.tables), encoded


#: verb, table and dtype of what comes as an array.
ROWS = (("transfer", "transfers", TRANSFER), ("orders", "instructions", INSTRUCTION))


def _is_frame(table: Any) -> bool:
    return isinstance(table, pl.DataFrame) and not any(kind.is_nested() or kind == pl.Object for kind in table.dtypes)


def _is_rows(table: Any) -> bool:
    return isinstance(table, np.ndarray) and table.dtype in (TRANSFER, INSTRUCTION) and table.ndim == 1


def plain(value: Any) -> Any:
    """A value in JSON's own types, keys in order; keys, days and decimals are text. Raises TypeError for what has no plain form (a float)."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, Mapping):
        found = {
            key if type(key) is str else _key(key): item if type(item) is str or type(item) is int else plain(item) for key, item in value.items()
        }
        if len(found) != len(value):
            raise ValueError("two keys of a mapping are the same text")
        return dict(sorted(found.items()))
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return _plain(value)


def _key(key: Any) -> str:
    if isinstance(key, (str, int, date)) and not isinstance(key, bool):
        return str(key)
    raise TypeError(f"{key!r} is no key of a mapping")


def encode(value: Any) -> bytes:
    """Canonical JSON: sorted keys, no spaces, days and decimals as text. Raises TypeError for what has no plain form."""
    return _ENCODER.encode(value).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, Decimal) and value.is_finite():
        return f"{value:f}"
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
        elif table.dtype == INSTRUCTION:
            kind, data = "instructions", narrow(table)
        else:
            kind, data = "transfers", np.ascontiguousarray(table, dtype=TRANSFER).tobytes()
        head.append((name, kind, len(data)))
        parts.append(data)
    return b"".join((_head(tuple(head)), *parts))


@lru_cache(maxsize=256)
def _head(tables: tuple[tuple[str, str, int], ...]) -> bytes:
    return encode(tables) + b"\n"


#: Of an instruction, the first words (int64) are numbers that lie close together in a batch; the bytes after them are mostly the same in all.
_WORDS, _REST = 8, INSTRUCTION.itemsize - 64


def narrow(rows: np.ndarray[Any, Any]) -> bytes:
    """Instructions in a quarter of their size: each word as what lies above the smallest one, in as few bytes as that needs, and of the bytes after
    the words only those that are not the same in every row."""
    plain_rows = np.ascontiguousarray(rows)
    words = plain_rows.view(np.int64).reshape(-1, INSTRUCTION.itemsize // 8)[:, :_WORDS]
    rest = plain_rows.view(np.uint8).reshape(-1, INSTRUCTION.itemsize)[:, 8 * _WORDS :]
    least = words.min(axis=0, initial=2**63 - 1).tolist() if len(rows) else [0] * _WORDS
    most = words.max(axis=0).tolist() if len(rows) else [0] * _WORDS
    widths = [next(width for width in (0, 1, 2, 4, 8) if high - low < 1 << (8 * width)) for low, high in zip(least, most, strict=True)]
    parts = [(words[:, n] - np.int64(low)).astype(f"<u{width}").tobytes() for n, (low, width) in enumerate(zip(least, widths, strict=True)) if width]
    differs = np.flatnonzero((rest != rest[:1]).any(axis=0)).tolist()
    first = rest[0].tolist() if len(rows) else [0] * _REST
    return b"".join((encode([len(rows), least, widths, first, differs]), b"\n", *parts, np.ascontiguousarray(rest[:, differs].T).tobytes()))


def widen(data: bytes) -> np.ndarray[Any, Any]:
    """Instructions from the bytes that `narrow` made."""
    at = data.index(b"\n") + 1
    count, least, widths, first, differs = json.loads(data[:at])
    rows = np.zeros(count, dtype=INSTRUCTION)
    words = rows.view(np.int64).reshape(-1, INSTRUCTION.itemsize // 8)[:, :_WORDS]
    rest = rows.view(np.uint8).reshape(-1, INSTRUCTION.itemsize)[:, 8 * _WORDS :]
    for n, (low, width) in enumerate(zip(least, widths, strict=True)):
        words[:, n] = low
        if width:
            words[:, n] += np.frombuffer(data, dtype=f"<u{width}", count=count, offset=at).astype(np.int64)
            at += count * width
    rest[:] = first
    for n in differs:
        rest[:, n] = np.frombuffer(data, dtype=np.uint8, count=count, offset=at)
        at += count
    return rows


def unpack(data: bytes) -> dict[str, Table]:
    """The tables of a block, by name."""
    if not data:
        return {}
    end = data.index(b"\n")
    at = end + 1
    tables: dict[str, Table] = {}
    for name, kind, length in json.loads(data[:end]):
        part = data[at : at + length]
        if kind == "frame":
            tables[name] = pl.read_ipc(io.BytesIO(part))
        else:
            tables[name] = widen(part) if kind == "instructions" else np.frombuffer(part, dtype=TRANSFER)
        at += length
    return tables


def fingerprint(command: Command, body: bytes) -> bytes:
    """16 bytes over everything but the id: tells a repeated command from another one that reuses its id. `body` is the command's, encoded.

    Equal content gives equal bytes, however a frame was put together; what the clerk sets in ledger rows itself (id, kind, day) does not count.
    """
    digest = hashlib.sha256(f"{command.kind}\0{command.by}\0{command.day}\0".encode() + body)
    for name in sorted(command.tables):
        table = command.tables[name]
        digest.update(f"{name}\0{len(table)}\0".encode())
        if isinstance(table, pl.DataFrame):
            digest.update(canonical.to_bytes(table.with_columns(pl.col(pl.Null).cast(pl.String))))
        else:
            rows = np.ascontiguousarray(table)
            if table.dtype == TRANSFER:
                rows = rows.copy()
                rows["id"], rows["kind"], rows["day"] = 0, 0, 0
            digest.update(rows.view(np.uint8).data)
    return digest.digest()[:16]
