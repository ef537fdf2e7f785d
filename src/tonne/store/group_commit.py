"""Many callers, one writer, one commit: what waits while the disk writes goes into the next transaction together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from queue import Empty, SimpleQueue
from typing import Any, Generic, NamedTuple, TypeVar

from tonne.administration.events import Entry
from tonne.store.errors import StoreBusy, StoreStopped
from tonne.store.log import Log

REQUESTS_MAX = 4_096  # in one group
BYTES_MAX = 32 * 1024 * 1024  # in one group, as `size` counts them
WAITING_MAX = 100_000  # in the queue; more is refused (StoreBusy) rather than remembered

Request = TypeVar("Request")


class Decision(NamedTuple):
    """reply goes to the caller once the entry is stored; entry None: there is nothing to store (a repeated command)."""

    reply: Any
    entry: Entry | None


class GroupCommit(Generic[Request]):
    """Owns the state by owning the only thread that may touch it.

    log      opened for writing; the caller closes it, after close() here
    decide   called in the writer's thread with a group of requests, gives one Decision for each, in order. It must not raise: what it raises
             stops everything, because the state may be half changed
    rebuild  called in the writer's thread with a log by resume(), to make the state anew
    size     bytes of a request, to bound a group
    turn     entered while a group is decided and stored: whoever must not see a state that is not in the log yet, waits for its end
    """

    def __init__(
        self,
        log: Log,
        decide: Callable[[list[Request]], Sequence[Decision]],
        rebuild: Callable[[Log], None] | None = None,
        *,
        size: Callable[[Request], int] | None = None,
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
        requests_max: int = REQUESTS_MAX,
        bytes_max: int = BYTES_MAX,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        self.log = log
        self._decide = decide
        self._rebuild = rebuild
        self._size = size
        self._turn = turn
        self._requests_max = requests_max
        self._bytes_max = bytes_max
        self._waiting_max = waiting_max
        self._run = _Run()
        self._thread = self._started(None)

    # Callers

    def call(self, request: Request) -> Any:
        """The reply, once what was decided is on disk. StoreStopped: not acknowledged, see submit. StoreBusy: not taken, try again."""
        ticket = _Waiting(request)
        self._put(ticket)
        return ticket.wait()

    def submit(self, request: Request) -> Future[Any]:
        """A future of the reply, resolved in the writer's thread once what was decided is on disk. Safe from any thread.

        StoreStopped here or in the future: not acknowledged. It may be stored or not; send it again with the same command id after resume().
        StoreBusy: not taken.
        """
        ticket = _Promised(request)
        self._put(ticket)
        return ticket.future

    @property
    def failure(self) -> BaseException | None:
        """Why the writer stopped; None while it runs, and after a clean close."""
        return self._run.failure

    def close(self) -> None:
        """Refuses new requests, finishes those that wait, ends the thread. Requests that raced with closing get StoreStopped."""
        run = self._run
        if not run.closing:
            run.closing = True
            run.queue.put(None)
        self._thread.join()

    def resume(self, log: Log) -> None:
        """After a failure: rebuilds the state from a freshly opened log, then accepts again. Raises what rebuild raises, and stays stopped then."""
        if self._rebuild is None:
            raise RuntimeError("this GroupCommit was given no rebuild function: make a new one")
        if not self._run.ended:
            raise RuntimeError("the writer still runs: there is nothing to resume")
        self._thread.join()
        self.log = log
        self._run = _Run()
        ready: Future[None] = Future()
        self._thread = self._started(ready)
        ready.result()

    def __enter__(self) -> GroupCommit[Request]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _put(self, ticket: _Ticket) -> None:
        run = self._run
        if run.closing or run.ended:
            raise self._stopped(run)
        if run.queue.qsize() >= self._waiting_max:
            raise StoreBusy(f"{self._waiting_max} requests wait already", where=self.log.where, do="Try again in a moment")
        run.queue.put(ticket)
        if run.ended:
            # The writer may have looked at the queue for the last time before this ticket came: whoever sees the end clears the queue.
            self._refuse_waiting(run)

    # The writer

    def _started(self, ready: Future[None] | None) -> threading.Thread:
        thread = threading.Thread(target=self._write, args=(self._run, ready), name="tonne-writer", daemon=True)
        thread.start()
        return thread

    def _write(self, run: _Run, ready: Future[None] | None) -> None:
        try:
            if ready is not None:
                assert self._rebuild is not None
                self._rebuild(self.log)
                ready.set_result(None)
            while group := self._next_group(run):
                self._commit(run, group)
        except BaseException as error:  # whatever it was, nobody may be left waiting
            run.failure = error
            if ready is not None and not ready.done():
                ready.set_exception(error)
        finally:
            run.ended = True
            self._refuse_waiting(run)

    def _next_group(self, run: _Run) -> list[_Ticket]:
        """Waits for one request, takes what else is there, up to the limits. Empty: closed."""
        queue = run.queue
        held, run.held = run.held, None
        first = held or queue.get()
        if first is None:
            return []
        group = [first]
        room = self._bytes_max - (self._size(first.request) if self._size else 0)
        # One thread takes, so what qsize counts can only grow: no get can fail.
        for _ in range(min(queue.qsize(), self._requests_max - 1)):
            ticket = queue.get_nowait()
            if ticket is None:
                queue.put(None)  # close: behind everything that came before it
                break
            if self._size is not None:
                room -= self._size(ticket.request)
                if room < 0:
                    run.held = ticket
                    break
            group.append(ticket)
        return group

    def _commit(self, run: _Run, group: list[_Ticket]) -> None:
        try:
            with self._turn():
                decisions = self._decide([ticket.request for ticket in group])
                if len(decisions) != len(group):
                    raise RuntimeError(f"decide was given {len(group)} requests and made {len(decisions)} decisions")
                self.log.append([decision.entry for decision in decisions if decision.entry is not None])
        except BaseException as error:
            run.failure = error
            run.ended = True  # before the first caller hears of it, so that it cannot send the next request into the void
            for ticket in group:
                ticket.fail(self._stopped(run))
            raise
        for ticket, decision in zip(group, decisions, strict=True):
            ticket.settle(decision.reply)

    def _stopped(self, run: _Run) -> StoreStopped:
        if run.failure is None:
            return StoreStopped("the writer is closed", where=self.log.where, do="Open the log again")
        error = StoreStopped(
            f"the writer stopped ({run.failure}); what was not acknowledged may be stored or not",
            where=self.log.where,
            do="Put that right, open the log again, rebuild the state, and send the request again with the same command id",
        )
        error.__cause__ = run.failure
        return error

    def _refuse_waiting(self, run: _Run) -> None:
        held, run.held = run.held, None
        if held is not None:
            held.fail(self._stopped(run))
        while True:
            try:
                ticket = run.queue.get_nowait()
            except Empty:
                return
            if ticket is not None:
                ticket.fail(self._stopped(run))


class _Run:
    """From one start of the writer's thread to its end. A caller that came late finds the end of the run it came to, not the next run's beginning."""

    def __init__(self) -> None:
        # SimpleQueue is C code with one lock, far lighter than queue.Queue, and a get that finds nothing sleeps without polling.
        self.queue: SimpleQueue[_Ticket | None] = SimpleQueue()
        self.held: _Ticket | None = None  # taken from the queue and found too large for the group that was being filled
        self.failure: BaseException | None = None
        self.closing = False
        self.ended = False


class _Ticket:
    __slots__ = ("request",)

    def __init__(self, request: Any) -> None:
        self.request = request

    def settle(self, reply: Any) -> None:
        raise NotImplementedError

    def fail(self, error: BaseException) -> None:
        raise NotImplementedError


class _Waiting(_Ticket):
    """A caller that blocks. A bare lock is the cheapest thing a thread can sleep on; a Future carries a condition variable and its own lock."""

    __slots__ = ("_done", "_error", "_reply")

    def __init__(self, request: Any) -> None:
        self.request = request
        self._reply: Any = None
        self._error: BaseException | None = None
        self._done = threading.Lock()
        self._done.acquire()

    def wait(self) -> Any:
        self._done.acquire()
        if self._error is not None:
            raise self._error
        return self._reply

    def settle(self, reply: Any) -> None:
        self._reply = reply
        self._done.release()

    def fail(self, error: BaseException) -> None:
        self._error = error
        self._done.release()


class _Promised(_Ticket):
    __slots__ = ("future",)

    def __init__(self, request: Any) -> None:
        self.request = request
        self.future: Future[Any] = Future()

    def settle(self, reply: Any) -> None:
        # A caller may have given up waiting; the command is stored all the same.
        if self.future.set_running_or_notify_cancel():
            self.future.set_result(reply)

    def fail(self, error: BaseException) -> None:
        if self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)
