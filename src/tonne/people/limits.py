"""How much one asker may ask: token buckets in memory, exact under any number of threads.

A bucket holds `burst` requests and fills by `count` every `period`. It is kept as one whole number: the moment (in units of a microsecond
divided by count) at which it will be full again. So there is no rounding, and no drift.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from tonne.people.errors import PeopleRefused

KEYS_MAX = 100_000
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Rate:
    """count requests in each period; burst of them at once (count where 0)."""

    name: str
    count: int
    period: timedelta
    burst: int = 0

    def __post_init__(self) -> None:
        if self.count < 1 or self.burst < 0 or self.period <= timedelta():
            raise ValueError(f"{self.name}: a rate has a positive count and period")

    @property
    def holds(self) -> int:
        return self.burst or self.count


class Limits:
    """take() in front of a request. Several rates can be asked for at once: either all give, or none is used."""

    def __init__(self, keys_max: int = KEYS_MAX) -> None:
        self._lock = threading.Lock()
        self._keys_max = keys_max
        self._full_at: dict[tuple[str, str], tuple[Rate, int]] = {}

    def take(self, *asked: tuple[Rate, str], now: datetime, cost: int = 1) -> None:
        """asked: (rate, key) pairs; key is a user, an API key, an address. PeopleRefused too_many_requests with retry_after; then nothing is used."""
        moment = (now - EPOCH) // MICROSECOND
        with self._lock:
            waits, changes = [0], []
            for rate, key in asked:
                # In units of 1/count microseconds: one request costs `period` of them.
                present, price = moment * rate.count, (rate.period // MICROSECOND) * cost
                room = (rate.period // MICROSECOND) * rate.holds
                full_at = max(self._full_at.get((rate.name, key), (rate, present))[1], present) + price
                if price > room:
                    raise ValueError(f"{rate.name}: a cost of {cost} never fits")
                missing = full_at - room - present
                waits.append(-(-missing // rate.count))
                changes.append(((rate.name, key), (rate, full_at)))
            longest = max(waits)
            if longest > 0:
                raise PeopleRefused("too_many_requests", retry_after=max(1, -(-longest // 1_000_000)))
            self._full_at.update(changes)
            if len(self._full_at) > self._keys_max:
                self._forget(moment)

    def left(self, rate: Rate, key: str, *, now: datetime) -> int:
        """How many requests would be given at this moment."""
        moment = (now - EPOCH) // MICROSECOND
        present, one = moment * rate.count, rate.period // MICROSECOND
        with self._lock:
            full_at = max(self._full_at.get((rate.name, key), (rate, present))[1], present)
        return max(0, (present + one * rate.holds - full_at) // one)

    def _forget(self, moment: int) -> None:
        """Buckets that are full again are as good as new. If none is, the ones that were first seen go: memory is bounded before all."""
        for key in [key for key, (rate, full_at) in self._full_at.items() if full_at <= moment * rate.count]:
            del self._full_at[key]
        # A tenth more than needed, so that this is not done again at the next request.
        for key in list(self._full_at)[: max(0, len(self._full_at) - self._keys_max * 9 // 10)]:
            del self._full_at[key]
