"""Checks and replays that take their time: each in a thread beside the requests, one at a time for each market, with how far it is and what it found.

They read the log on connections of their own and never hold the market's gate. Results are kept in memory: whoever wants them later asks again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import structlog

from tonne.interfaces.views import log_view
from tonne.interfaces.web.place import Hall
from tonne.law import Rulebook
from tonne.people import People
from tonne.store import Log
from tonne.store.desk import verify

logger = structlog.get_logger("tonne.audit")
KEPT_MOST = 40
FAULTS_MOST = 200


@dataclass
class Job:
    """kind: chain, law, trail, replay; state: waiting, running, done, failed.

    about: what of the log; done, of: entries; faults: (entry, what is wrong)
    """

    number: str
    kind: str
    about: str
    by: str
    began: datetime
    done: int = 0
    of: int = 0
    state: str = "waiting"
    faults: list[tuple[int, str]] = field(default_factory=list)
    result: Any = None
    head: str = ""
    seconds: float = 0.0
    trouble: str = ""

    @property
    def over(self) -> bool:
        return self.state in ("done", "failed")

    @property
    def percent(self) -> int:
        return min(100 * self.done // self.of, 100) if self.of else 0


class Board:
    """The jobs of one market, newest first."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._count = 0

    def begin(self, kind: str, about: str, by: str, work: Callable[[Job], None]) -> Job:
        """A job of this kind about this that waits or runs already is the one that is meant."""
        with self._lock:
            same = next((one for one in self._jobs.values() if (one.kind, one.about) == (kind, about) and not one.over), None)
            if same is not None:
                return same
            self._count += 1
            made = Job(str(self._count), kind, about, by, datetime.now(UTC))
            self._jobs[made.number] = made
            for old in [name for name, one in self._jobs.items() if one.over][: max(len(self._jobs) - KEPT_MOST, 0)]:
                del self._jobs[old]
        threading.Thread(target=self._run, args=(made, work), name=f"tonne-audit-{kind}", daemon=True).start()
        return made

    def _run(self, job: Job, work: Callable[[Job], None]) -> None:
        with self._turn:
            job.state, start = "running", time.monotonic()
            try:
                work(job)
                job.state = "done"
            except Exception as error:  # whatever a damaged log makes of the reading, the page must say so
                logger.exception("a check of the log broke off", job=job.kind, about=job.about)
                job.trouble, job.state = f"{type(error).__name__}: {error}", "failed"
            job.seconds = time.monotonic() - start

    def find(self, number: str) -> Job | None:
        return self._jobs.get(number)

    def of(self, *kinds: str) -> list[Job]:
        return [one for one in reversed(list(self._jobs.values())) if one.kind in kinds]

    def latest(self, kind: str, about: str) -> Job | None:
        """The newest that did not fail."""
        return next((one for one in self.of(kind) if one.about == about and one.state != "failed"), None)


def board(market: Hall) -> Board:
    found: Board = market.cache.setdefault("audit_jobs", Board())
    return found


# -- the work


def verify_chain(job: Job, log: Log, first: int, last: int) -> None:
    """Hashes of a range computed anew, links followed, the head compared where the range reaches it."""
    job.of, at = max(last - first + 1, 0), first
    while at <= last:
        found = log_view.verify_range(log, at, last)
        job.faults += list(found.faults)[: FAULTS_MOST - len(job.faults)]
        job.head = found.head
        job.done += found.checked
        at = found.last + 1
        if found.complete or not found.checked or len(job.faults) >= FAULTS_MOST:
            break


def verify_law(job: Job, log: Log, book: Rulebook) -> None:
    """The chain, and every entry decided again by the law that the market was founded with, amended as the log says."""
    job.of = log.head().sequence

    def step(entry: Any) -> None:
        job.done = entry.sequence

    faults, state_hash = verify(log, lambda system, scenario: book, step)
    job.faults = [(fault.sequence, fault.what) for fault in faults[:FAULTS_MOST]]
    job.head, job.result = log.head().hash.hex(), state_hash.hex() if state_hash is not None else ""


def verify_trail(job: Job, people: People) -> None:
    """Every row of the trail of views and commands, of all markets of this server."""
    job.of, job.head = people.audit.head()
    fault = people.audit.first_fault()
    job.done = job.of
    job.faults = [(0, fault)] if fault else []


def replay(job: Job, log: Log, book: Rulebook, day: date) -> None:
    """The market as it stood at the end of a day."""
    job.of = log.head().sequence
    found = log_view.day_summary(log, lambda system, scenario: book, day)
    job.result, job.done, job.of, job.head = found, found.entries, found.of, found.state_hash
