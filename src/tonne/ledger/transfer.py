"""A transfer moves one integer quantity of one unit type from one account to another.

A batch is a NumPy array of dtype TRANSFER, one row a transfer; `Transfer` is the same row for people. The byte order is fixed, so the bytes of a
batch, and every hash over them, are the same on any machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, IntFlag
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["LARGEST_QUANTITY", "TRANSFER", "Batch", "PendingState", "Transfer", "TransferFlag", "batch_of", "posts", "transfers", "voids"]

Batch: TypeAlias = NDArray[np.void]
"""A one-dimensional array of dtype TRANSFER."""

TRANSFER = np.dtype(
    [
        ("id", "<i8"),  # the caller's, above 0; the same id is never done twice
        ("reference", "<i8"),  # id of the transfer that this one posts, voids or corrects; 0 if none
        ("quantity", "<i8"),  # in the unit type's measure, above 0; POST and VOID: 0 means all of the pending
        ("from_account", "<i4"),
        ("to_account", "<i4"),
        ("unit", "<i4"),
        ("day", "<i4"),  # days since 1970-01-01
        ("expires", "<i4"),  # PENDING: from this day on it can no longer be posted; 0 = never
        ("kind", "<i2"),  # the caller's code; opaque here
        ("flags", "<i2"),
    ]
)

LARGEST_QUANTITY = 2**62 - 1
"""Bound on every quantity, balance and pending sum: the difference of any two of them still fits in int64."""


class TransferFlag(IntFlag):
    NONE = 0
    LINKED = 1
    """Shares its fate with the next in the batch; a chain ends at the first transfer without LINKED."""
    PENDING = 2
    """Reserves: the quantity stays on from_account but is no longer available there, until posted, voided or expired."""
    POST = 4
    """Carries out the pending transfer named by `reference`; a smaller quantity posts that much and releases the rest."""
    VOID = 8
    """Releases the pending transfer named by `reference`, whole."""
    BY_AUTHORITY = 16
    """The administrator's act: may take from ONE_WAY and BLOCKED accounts. Never lifts MUST_NOT_OVERDRAW or CLOSED."""
    CORRECTS = 32
    """`reference` names a transfer of the same unit type that moved units; nothing is edited, the mistake and its correction both stay."""


class PendingState(IntEnum):
    """What became of an accepted transfer that was PENDING; NONE for every other."""

    NONE = 0
    OPEN = 1
    POSTED = 2
    VOIDED = 3
    EXPIRED = 4


class Transfer(NamedTuple):
    """One row of a batch, in plain ints; fields in the order of TRANSFER."""

    id: int
    reference: int = 0
    quantity: int = 0
    from_account: int = 0
    to_account: int = 0
    unit: int = 0
    day: int = 0
    expires: int = 0
    kind: int = 0
    flags: int = 0

    @classmethod
    def of(cls, row: Any) -> Transfer:
        """From one element of a batch."""
        return cls(*(int(value) for value in row.item()))


def transfers(n: int) -> Batch:
    """An array of `n` empty transfers (all zero), to be filled column by column."""
    return np.zeros(n, dtype=TRANSFER)


def batch_of(rows: Iterable[Transfer]) -> Batch:
    """A batch from rows for people. Raises OverflowError when a number does not fit its column."""
    return np.array([tuple(row) for row in rows], dtype=TRANSFER)


def posts(pending: Batch, ids: Any, day: int, kind: Any = 0, flags: int = 0) -> Batch:
    """Transfers that post each of `pending` (rows as accepted) whole, with new `ids`. Set `quantity` below the pending's to post a part."""
    return _answers(pending, ids, day, kind, TransferFlag.POST | flags)


def voids(pending: Batch, ids: Any, day: int, kind: Any = 0, flags: int = 0) -> Batch:
    """Transfers that void each of `pending` (rows as accepted), with new `ids`."""
    return _answers(pending, ids, day, kind, TransferFlag.VOID | flags)


def _answers(pending: Batch, ids: Any, day: int, kind: Any, flags: int) -> Batch:
    answer = transfers(len(pending))
    for name in ("from_account", "to_account", "unit"):
        answer[name] = pending[name]
    answer["reference"] = pending["id"]
    answer["id"], answer["day"], answer["kind"], answer["flags"] = ids, day, kind, int(flags)
    return answer
