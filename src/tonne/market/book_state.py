"""What a book is made of when it stands still: its open orders as a table, its instruments as rows, and the one byte form of both books."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tonne.market.orders import InstrumentRules, Matching, Phase

__all__ = ["OPEN_ORDER", "Best", "BookState", "Depth", "InstrumentState", "OpenOrder", "OpenOrders", "read_state", "write_state"]

OpenOrders: TypeAlias = NDArray[np.void]
"""A one-dimensional array of dtype OPEN_ORDER: by instrument; in each the buy orders in the order they would trade, the sell orders, the stops."""

OPEN_ORDER = np.dtype(
    [
        ("order", "<i8"),
        ("account", "<i4"),
        ("instrument", "<i4"),
        ("price", "<i4"),  # 0: a market order that waits for a call, or a STOP
        ("stop", "<i4"),
        ("left", "<i4"),
        ("shown", "<i4"),  # of `left`, what others see
        ("display", "<i4"),  # the peak, 0 shows all
        ("expires", "<i4"),
        ("flags", "<i2"),
        ("side", "i1"),
        ("kind", "i1"),  # a stop that was triggered is MARKET or LIMIT
        ("lasting", "i1"),
        ("self_trade", "i1"),
        ("spare", "<i2"),
    ]
)

_MAGIC = b"tonne-orders-01\n"


class OpenOrder(NamedTuple):
    """One row of an OPEN_ORDER table, in plain ints; fields in the order of OPEN_ORDER."""

    order: int
    account: int
    instrument: int
    price: int
    stop: int
    left: int
    shown: int
    display: int
    expires: int
    flags: int
    side: int
    kind: int
    lasting: int
    self_trade: int
    spare: int = 0


class Best(NamedTuple):
    """Best prices in ticks; 0 where there is none."""

    buy: int
    sell: int


class Depth(NamedTuple):
    """Levels, best first: int64 arrays with the columns price, quantity shown, number of orders. Market orders of a call are not among them."""

    buy: NDArray[np.int64]
    sell: NDArray[np.int64]


class InstrumentState(NamedTuple):
    """What changes in an instrument besides its orders."""

    phase: int
    last: int
    """Price of the last trade; 0 before any."""
    reference: int
    lowest_accepted: int
    highest_accepted: int
    breaker: int
    draws: int
    """How many numbers of the seed were used."""


class BookState(NamedTuple):
    rules: list[InstrumentRules]
    instruments: list[InstrumentState]
    orders: OpenOrders
    used: NDArray[np.uint8]
    """1 for each order number that was ever used, from 0 to the highest."""
    killed: list[int]
    sent: int
    """Instructions since the book began."""
    time: int


def write_state(state: BookState) -> bytes:
    """The canonical bytes: magic; five counts (int64); rules (JSON); instruments (seven int64 each); open orders; used numbers (bits); killed
    accounts (int64); the SHA-256 of all before. Equal states give equal bytes, whatever the history and whichever book."""
    rules = json.dumps([asdict(rule) for rule in state.rules], sort_keys=True, separators=(",", ":")).encode()
    counts = (len(rules), len(state.orders), len(state.used), len(state.killed), state.sent, state.time)
    parts = (
        np.array(counts, dtype="<i8").tobytes(),
        rules,
        np.array(state.instruments, dtype="<i8").tobytes(),
        state.orders.tobytes(),
        np.packbits(state.used).tobytes(),
        np.array(state.killed, dtype="<i8").tobytes(),
    )
    content = _MAGIC + b"".join(parts)
    return content + hashlib.sha256(content).digest()


def read_state(snapshot: bytes) -> BookState:
    """What `write_state` wrote. Raises ValueError when the snapshot is damaged or of another form."""
    content, digest = snapshot[:-32], snapshot[-32:]
    if not content.startswith(_MAGIC) or hashlib.sha256(content).digest() != digest:
        raise ValueError("not a snapshot of an order book, or damaged: its beginning or its SHA-256 is not as expected")
    at = len(_MAGIC)
    n_rules, n_orders, n_used, n_killed, count, time = (int(n) for n in np.frombuffer(content, "<i8", 6, at))
    at += 48
    given = json.loads(content[at : at + n_rules])
    rules = [InstrumentRules(**{**rule, "matching": Matching(rule["matching"]), "phase": Phase(rule["phase"])}) for rule in given]
    at += n_rules
    instruments = [InstrumentState(*row) for row in np.frombuffer(content, "<i8", 7 * len(rules), at).reshape(-1, 7).tolist()]
    at += 56 * len(rules)
    orders = np.frombuffer(content, OPEN_ORDER, n_orders, at)
    at += n_orders * OPEN_ORDER.itemsize
    n_bits = (n_used + 7) // 8
    used = np.unpackbits(np.frombuffer(content, np.uint8, n_bits, at), count=n_used)
    killed = np.frombuffer(content, "<i8", n_killed, at + n_bits).tolist()
    return BookState(rules, instruments, orders, used, killed, count, time)
