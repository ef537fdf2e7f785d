"""Failed attempts: so many are free, then each further one waits twice as long, up to the longest lock. Nobody is locked out for good.

An attempt is counted before it is made and taken back when it succeeds: attempts at the same time cannot slip past the count.
A device that the person used before has a count of its own, so that strangers who fail on purpose do not lock the person out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tonne.people.errors import seconds_until
from tonne.people.settings import PeopleSettings
from tonne.people.tables import attempts

FORGOTTEN = timedelta(days=1)
DOUBLINGS_MAX = 20


@dataclass(frozen=True, slots=True)
class Slot:
    """what: the keyed digest that is counted; free: how many failures do not wait; forgiven: whether success wipes all failures or only its own."""

    what: bytes
    free: int
    forgiven: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    slot: Slot
    locked: bool  # this attempt was the last free one: if it fails, the next waits


def waiting(connection: Connection, slots: list[Slot], now: datetime) -> int:
    """Seconds until an attempt may be made; 0 if now."""
    longest = 0
    for slot in slots:
        until = connection.execute(sa.select(attempts.c.locked_until).where(attempts.c.what == slot.what)).scalar()
        if until is not None and until > now:
            longest = max(longest, seconds_until(until - now))
    return longest


def begin(connection: Connection, slots: list[Slot], settings: PeopleSettings, now: datetime) -> list[Receipt]:
    """Counts one attempt in each slot. To be called only after waiting() answered 0, in the same transaction."""
    receipts = []
    for slot in slots:
        row = connection.execute(sa.select(attempts).where(attempts.c.what == slot.what)).one_or_none()
        if row is None:
            connection.execute(sa.insert(attempts).values(what=slot.what, tries=0, since=now, locks=0))
            count, locks = 0, 0
        else:
            quiet = now - max(row.since, row.locked_until or row.since)
            count = 0 if quiet > settings.failure_window else row.tries
            locks = 0 if quiet > FORGOTTEN else row.locks
        count += 1
        until = None
        if locked := count >= slot.free:
            until = now + min(settings.longest_lock, settings.first_lock * 2 ** min(locks, DOUBLINGS_MAX))
            locks, count = locks + 1, slot.free - 1
        connection.execute(sa.update(attempts).where(attempts.c.what == slot.what).values(tries=count, since=now, locks=locks, locked_until=until))
        receipts.append(Receipt(slot, locked))
    return receipts


def succeeded(connection: Connection, receipts: list[Receipt]) -> None:
    """Takes the attempt back. Where a slot is forgiven, the failures before it are forgotten too."""
    for receipt in receipts:
        mine = attempts.c.what == receipt.slot.what
        if receipt.slot.forgiven:
            connection.execute(sa.delete(attempts).where(mine))
        elif receipt.locked:
            connection.execute(sa.update(attempts).where(mine).values(locked_until=None, locks=attempts.c.locks - 1))
        else:
            connection.execute(sa.update(attempts).where(mine, attempts.c.tries > 0).values(tries=attempts.c.tries - 1))


def forget(connection: Connection, now: datetime) -> None:
    connection.execute(sa.delete(attempts).where(attempts.c.since < now - FORGOTTEN))
