"""What is pushed to browsers and programs: one tape a market, one pump that reads it, many listeners that hear the same bytes.

The writer puts every accepted command on the tape, in the order of the log. A pump sends what is stored a few times a second at most, so that a
thousand listeners cost little more than one. A listener's place is a sequence of the log: whoever comes back with it misses nothing and hears nothing
twice. Topics: `market`, `auctions`, `notices`, and of a participant `tasks`, `holdings`, `orders` (own orders and trades).
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection
from typing import TYPE_CHECKING, Any

import structlog

from tonne.administration.commands import Command, Reply
from tonne.interfaces.web.stream_messages import OWN, PUBLIC, Mark, encode, marked, message, read_log, told, top_of, trades_of

if TYPE_CHECKING:
    from tonne.interfaces.web.place import Hall

logger = structlog.get_logger("tonne.streams")
#: Seconds between two messages; of silence, after which a sign of life is sent; between two looks at the listener's rights.
PACE_S, ALIVE_S, RIGHTS_S = 0.25, 15.0, 3.0
#: Entries of the tape that are kept for listeners that come back.
KEPT = 20_000


class Tape:
    """The last accepted commands of one market, in order. Written by the market's writer before they are stored, read up to what is."""

    def __init__(self, begins: int) -> None:
        self.begins = begins  # nothing up to this sequence is on it
        self.marks: deque[Mark] = deque()

    def add(self, mark: Mark) -> None:
        while self.marks and self.marks[-1].sequence >= mark.sequence:  # after a failure of the store what was not stored is decided anew
            self.marks.pop()
        self.marks.append(mark)
        if len(self.marks) > KEPT:
            self.begins = self.marks.popleft().sequence

    def between(self, after: int, until: int) -> list[Mark]:
        """Marks after one sequence up to another, oldest first."""
        found: list[Mark] = []
        for mark in reversed(tuple(self.marks)):
            if mark.sequence <= after:
                break
            if mark.sequence <= until:
                found.append(mark)
        return found[::-1]


class Hub:
    """All tapes, pumps and listeners of one server."""

    def __init__(self) -> None:
        self._tapes: dict[str, Tape] = {}
        self._pumps: dict[str, Pump] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ringing: set[str] = set()
        self._lock = threading.Lock()
        self.by_whom: dict[str, int] = {}
        self.ended = 0  # grows whenever listeners should look whether they may go on

    @property
    def listening(self) -> int:
        return sum(len(pump.listeners) for pump in self._pumps.values())

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """The server's loop, when it starts."""
        self._loop, self._pumps, self._ringing, self.by_whom = loop, {}, set(), {}

    def tape(self, hall: Hall) -> Tape:
        with self._lock:
            return self._tapes.setdefault(hall.system, Tape(hall.sequence))

    # -- from the writer's side

    def decided(self, hall: Hall, command: Command, reply: Reply) -> None:
        """Called by the writer for each accepted command, in order, before it is stored. Never raises: a listener's trouble is not the market's."""
        try:
            self.tape(hall).add(marked(hall, command, reply))
        except Exception:
            logger.exception("a command is not on the tape", command=command.id)

    def happened(self, hall: Hall, command: Command, reply: Reply) -> None:
        """Something was stored: the pump goes and looks. Called in any thread, any number of times."""
        loop = self._loop
        if loop is None or hall.system in self._ringing or hall.system not in self._pumps:
            return
        self._ringing.add(hall.system)
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile: nobody listens any more
            loop.call_soon_threadsafe(self._ring, hall.system)

    def _ring(self, system: str) -> None:
        self._ringing.discard(system)
        pump = self._pumps.get(system)
        if pump is not None:
            pump.bell.set()

    def end(self) -> None:
        """Wake everybody, so that streams look whether they may go on."""
        self.ended += 1
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for pump in self._pumps.values():
            for listener in pump.listeners:
                listener.bell.set()

    # -- listening

    async def listen(
        self, hall: Hall, topics: Collection[str], participant: str, after: int | None, allowed: Callable[[], bool]
    ) -> AsyncIterator[bytes]:
        """What a listener is sent, as server-sent events. after: the id of the last event heard, None: from now on. Ends when `allowed` says no."""
        pump = self._pumps.get(hall.system)
        if pump is None:
            pump = self._pumps[hall.system] = Pump(hall, self.tape(hall))
        async for piece in pump.listen(self, frozenset(topics), participant, after, allowed):
            yield piece


class Listener:
    """One open stream."""

    __slots__ = ("bell",)

    def __init__(self) -> None:
        self.bell = asyncio.Event()


class Pump:
    """Reads a market's tape for all its listeners. Lives while anybody listens."""

    def __init__(self, hall: Hall, tape: Tape) -> None:
        self.hall, self.tape = hall, tape
        self.bell = asyncio.Event()
        self.listeners: set[Listener] = set()
        self.sent: deque[tuple[int, frozenset[str], bytes]] = deque(maxlen=256)  # (id, topics, the market's message)
        self.place = -1  # up to which sequence the tape was read
        self._task: asyncio.Task[None] | None = None
        self._looking = asyncio.Lock()

    async def listen(
        self, hub: Hub, topics: frozenset[str], participant: str, after: int | None, allowed: Callable[[], bool]
    ) -> AsyncIterator[bytes]:
        listener = Listener()
        self.listeners.add(listener)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        loop = asyncio.get_running_loop()
        try:
            here, top = await self._now()
            yield b"retry: 2000\n\n"
            yield await self._caught_up(after, here, top, topics, participant)
            looked, alive, ended = loop.time(), loop.time(), hub.ended
            while True:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(listener.bell.wait(), RIGHTS_S)
                listener.bell.clear()
                now = loop.time()
                if hub.ended != ended or now - looked >= RIGHTS_S:
                    looked, ended = now, hub.ended
                    if not allowed():
                        return
                lost = bool(self.sent) and self.sent[0][0] > here and len(self.sent) == self.sent.maxlen
                if lost:  # a listener that reads slower than the market writes: what it missed is put together for it
                    before = here
                    here, top = await self._now()
                    yield await self._caught_up(before, here, top, topics, participant)
                    alive = now
                    continue
                pieces = []
                for number, changed, market in tuple(self.sent):
                    if number > here:
                        pieces.append(told(number, changed, market, topics, participant))
                        here = number
                text = b"".join(pieces)
                if text:
                    alive = now
                    yield text
                elif now - alive >= ALIVE_S:
                    alive = now
                    yield b"event: alive\ndata: {}\n\n"
        finally:
            self.listeners.discard(listener)

    async def _run(self) -> None:
        """One turn at most every PACE_S; ends when nobody listens."""
        while self.listeners:
            try:
                await asyncio.wait_for(self.bell.wait(), ALIVE_S)
            except TimeoutError:
                continue
            self.bell.clear()
            try:
                await self._turn()
            except Exception:
                logger.exception("a pump stumbled", system=self.hall.system)
            await asyncio.sleep(PACE_S)

    async def _turn(self) -> None:
        before = self.place
        here, top = await self._now()
        marks = self.tape.between(before, here) if before >= 0 else []
        if not marks:
            return
        changed = frozenset().union(*(mark.topics for mark in marks))
        market = message(here, top, trades_of(self.hall, marks), gap=before < self.tape.begins) if "market" in changed else b""
        self.sent.append((here, changed, market))
        for listener in self.listeners:
            listener.bell.set()

    async def _now(self) -> tuple[int, list[Any]]:
        """The last stored sequence, and the top of the book at it. One look serves all who ask at the same time."""
        async with self._looking:
            here, top = await asyncio.to_thread(self.hall.cached, "stream:top", lambda state: (self.hall.sequence, top_of(state)))
            self.place = max(self.place, here)
            return here, top

    async def _caught_up(self, after: int | None, here: int, top: list[Any], topics: frozenset[str], participant: str) -> bytes:
        """For a listener that comes: the top of the book; for one that comes back, also everything since."""
        if after is None or after > here:
            first = message(here, top, [], gap=after is not None) if "market" in topics else b""
            return b"id: %d\nevent: hello\ndata: %s\n\n" % (here, encode({"sequence": here, "topics": sorted(topics)})) + first
        marks, gap = self.tape.between(after, here), False
        if after < self.tape.begins:
            older, gap = await asyncio.to_thread(read_log, self.hall, after, self.tape.begins)
            marks = [*older, *marks]
        changed = frozenset().union(*(mark.topics for mark in marks)) if marks else frozenset[str]()
        if gap:
            changed |= PUBLIC | {f"{topic}:{participant}" for topic in OWN}
        market = message(here, top, trades_of(self.hall, marks), gap=gap) if "market" in changed else b""
        hello = b"event: hello\ndata: %s\n\n" % encode({"sequence": here, "topics": sorted(topics)})
        missed = told(here, changed, market, topics, participant)
        return hello + missed if missed else b"id: %d\n" % here + hello
