"""Serial numbers, as a pure function of the accepted transfers. Nobody writes them down, so a range cannot be in two places.

Per unit type: what leaves an issuing account gets the next consecutive range, from 1; every transfer moves the ranges that its giver has held
longest (first in, first out); what returns to an issuing account has ended there. A pending transfer moves nothing until it is posted. A transfer
between two issuing accounts is not issuance and has no serials. Ranges are (first, last), both included; strings are for people and made elsewhere.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import numpy as np

from tonne.ledger.transfer import Batch, TransferFlag

__all__ = ["Range", "Serials", "ranges_of_transfer", "serial_ranges", "where"]

Range = tuple[int, int]


@dataclass
class Serials:
    """Where every serial number of one unit type is, and how it came there."""

    issued: int = 0
    """How many were ever issued; the last serial number."""
    held: dict[int, list[Range]] = field(default_factory=dict)
    """By account that holds any, in the order they came in; the sum of lengths is the account's balance."""
    ended: dict[int, list[Range]] = field(default_factory=dict)
    """By issuing account, what was returned to it."""
    moved: dict[int, list[Range]] = field(default_factory=dict)
    """By transfer id, in the order of the books."""

    def where(self, serial: int) -> int:
        """The account that holds a serial number, or the issuing account where it ended. Raises ValueError if it was never issued."""
        for places in (self.held, self.ended):
            for account, ranges in places.items():
                if any(first <= serial <= last for first, last in ranges):
                    return account
        raise ValueError(f"serial {serial} was never issued; {self.issued} were")

    def path(self, serial: int) -> list[int]:
        """The ids of all transfers that moved a serial number, from its issuance on."""
        return [id for id, ranges in self.moved.items() if any(first <= serial <= last for first, last in ranges)]


def replay(transfers: Batch, unit: int, issuing_accounts: Collection[int]) -> Serials:
    """Follow all serial numbers of `unit` through the accepted transfers.

    Raises ValueError when an account that is not issuing gives what it has not.
    """
    issuing = frozenset(int(account) for account in issuing_accounts)
    moves = transfers[(transfers["unit"] == unit) & (transfers["flags"] & (TransferFlag.PENDING | TransferFlag.VOID) == 0)]
    columns = (moves[name].tolist() for name in ("id", "from_account", "to_account", "quantity"))
    serials, queues, ended = Serials(), dict[int, deque[Range]](), dict[int, deque[Range]]()
    for id, giver, taker, quantity in zip(*columns, strict=True):
        if giver in issuing and taker in issuing:
            continue
        if giver in issuing:
            ranges = [(serials.issued + 1, serials.issued + quantity)]
            serials.issued += quantity
        else:
            ranges = _take(queues.get(giver, deque()), quantity, giver, id)
        serials.moved[id] = ranges
        _put((ended if taker in issuing else queues).setdefault(taker, deque()), ranges)
    serials.held = {account: list(queue) for account, queue in sorted(queues.items()) if queue}
    serials.ended = {account: list(queue) for account, queue in sorted(ended.items())}
    return serials


def _take(queue: deque[Range], quantity: int, account: int, id: int) -> list[Range]:
    """Take the ranges that came first; cut the last one taken where needed."""
    taken: list[Range] = []
    while quantity > 0:
        if not queue:
            raise ValueError(f"transfer {id} takes {quantity} more than account {account} holds; is it an issuing account?")
        first, last = queue.popleft()
        if last - first + 1 > quantity:
            queue.appendleft((first + quantity, last))
            last = first + quantity - 1
        quantity -= last - first + 1
        taken.append((first, last))
    return taken


def _put(queue: deque[Range], ranges: Iterable[Range]) -> None:
    """Append; neighbours become one range, which changes no order."""
    for first, last in ranges:
        if queue and queue[-1][1] + 1 == first:
            first = queue.pop()[0]
        queue.append((first, last))


def serial_ranges(transfers: Batch, unit: int, issuing_accounts: Collection[int]) -> dict[int, list[Range]]:
    """By account, the ranges it holds now, in the order they came in."""
    return replay(transfers, unit, issuing_accounts).held


def ranges_of_transfer(transfers: Batch, unit: int, issuing_accounts: Collection[int], id: int) -> list[Range]:
    """The ranges that one transfer moved. Raises ValueError if it moved none of this unit type."""
    last = np.flatnonzero(transfers["id"] == id)
    moved = replay(transfers[: int(last[0]) + 1] if len(last) else transfers[:0], unit, issuing_accounts).moved
    if id not in moved:
        raise ValueError(f"transfer {id} moved no serial numbers of unit type {unit}")
    return moved[id]


def where(transfers: Batch, unit: int, issuing_accounts: Collection[int], serial: int) -> int:
    """The account that holds a serial number, or the issuing account where it ended. Raises ValueError if it was never issued."""
    return replay(transfers, unit, issuing_accounts).where(serial)
