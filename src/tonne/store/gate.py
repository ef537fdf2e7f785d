"""Who may look while the state changes: many readers together, or the one writer.

Phase by phase: readers that came while the writer worked go before its next turn, and the writer goes before readers that come later. Neither can
keep the other out.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Readers hold it for milliseconds; the writer from a decision until it is stored, so that nobody sees what is not in the log."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._reading = 0
        self._admitted = 0  # readers that waited for the writer's last turn and go before its next one
        self._waiting = 0
        self._writing = False
        self._asked = False  # the writer waits

    @contextmanager
    def reading(self) -> Iterator[None]:
        with self._changed:
            if self._writing or self._asked:
                self._waiting += 1
                while not self._admitted:
                    self._changed.wait()
                self._admitted -= 1
            self._reading += 1
        try:
            yield
        finally:
            with self._changed:
                self._reading -= 1
                if not self._reading and not self._admitted:
                    self._changed.notify_all()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """For one writer's thread only."""
        with self._changed:
            self._asked = True
            while self._reading or self._admitted:
                self._changed.wait()
            self._asked, self._writing = False, True
        try:
            yield
        finally:
            with self._changed:
                self._writing = False
                self._admitted, self._waiting = self._admitted + self._waiting, 0
                if self._admitted:
                    self._changed.notify_all()
