"""What time it is. A demo's market stands on a day of its own: its clock runs on from there, and its administrator may push it forward."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta


class Clock:
    """Aware moments in UTC. `start`: the moment that it is now, for a demo; None: the real time."""

    def __init__(self, start: datetime | None = None) -> None:
        self._offset = start - datetime.now(UTC) if start is not None else timedelta(0)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def push(self, to: datetime) -> None:
        """Move on to a later moment. Raises ValueError for an earlier one: what has happened stays."""
        with self._lock:
            now = self.now()
            if to < now:
                raise ValueError(f"the clock stands at {now.isoformat(timespec='minutes')} and never goes back")
            self._offset += to - now
