"""Many callers, one writer: what is acknowledged is stored, what fails is not acknowledged, nobody is left waiting."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from stores import chain, execute
from tonne.administration.events import Entry
from tonne.store import Decision, GroupCommit, Log, StoreBusy, StoreFull, StoreStopped, open_log


class Counting:
    """A state that only the writer's thread may touch: the last entry, and which requests were seen."""

    def __init__(self) -> None:
        self.last: Entry | None = None
        self.seen: dict[str, int] = {}
        self.groups: list[int] = []
        self.threads: set[int] = set()

    def decide(self, requests: list[str]) -> list[Decision]:
        self.groups.append(len(requests))
        self.threads.add(threading.get_ident())
        return [self.one(request) for request in requests]

    def one(self, request: str) -> Decision:
        if request in self.seen:
            return Decision(("exists", self.seen[request]), None)
        entry = chain(1, after=self.last, name=request + "-")[0]
        self.last = entry
        self.seen[request] = entry.sequence
        return Decision(("accepted", entry.sequence), entry)

    def rebuild(self, log: Log) -> None:
        self.last, self.seen = None, {}
        for entry in log.read():
            self.last = entry
            self.seen[entry.command_id.rpartition("-")[0]] = entry.sequence


def in_threads(count: int, work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "somebody was left waiting"


def test_sixty_four_callers(where: str) -> None:
    state = Counting()
    replies: list[tuple[str, int]] = []
    with open_log(where) as log:
        with GroupCommit(log, state.decide) as commit:

            def work(caller: int) -> None:
                for number in range(30):
                    kind, sequence = commit.call(f"{caller}/{number}")
                    replies.append((kind, sequence))
                    assert log.head().sequence >= sequence if number % 10 == 0 else True, "acknowledged before it was stored"

            in_threads(64, work)
        assert sorted(replies) == [("accepted", number) for number in range(1, 1921)]
        assert [entry.sequence for entry in log.read()] == list(range(1, 1921))
        assert log.verify_chain() == []
    assert len(state.threads) == 1
    assert len(state.groups) < 1500, "callers share commits"


def test_a_repeated_command_is_answered_and_not_stored(where: str) -> None:
    state = Counting()
    with open_log(where) as log, GroupCommit(log, state.decide) as commit:
        assert commit.call("a") == ("accepted", 1)
        assert commit.call("a") == ("exists", 1)
        assert commit.submit("b").result(10) == ("accepted", 2)
        assert commit.submit("b").result(10) == ("exists", 2)
        assert log.head().sequence == 2


def test_calls_and_futures_mix_and_keep_their_order(where: str) -> None:
    state = Counting()
    with open_log(where) as log, GroupCommit(log, state.decide) as commit:
        futures = [commit.submit(str(number)) for number in range(500)]
        assert commit.call("last") == ("accepted", 501)
        assert [future.result(10)[1] for future in futures] == list(range(1, 501))
        cancelled = commit.submit("x")
        cancelled.cancel()
        assert commit.call("y")[1] == 503, "a caller that gave up changes nothing for the others"


def test_closing_finishes_what_waits_and_refuses_what_comes(where: str) -> None:
    state = Counting()
    with open_log(where) as log:
        commit = GroupCommit(log, state.decide)
        futures = [commit.submit(str(number)) for number in range(300)]
        commit.close()
        commit.close()
        assert all(future.done() for future in futures)
        assert [future.result()[1] for future in futures] == list(range(1, 301))
        for refused in (commit.call, commit.submit):
            with pytest.raises(StoreStopped, match="the writer is closed"):
                refused("late")
        assert commit.failure is None


class Failing:
    """A log that fails at its third append, before or after it stored."""

    def __init__(self, log: Log, stores_first: bool) -> None:
        self.log = log
        self.where = log.where
        self.stores_first = stores_first
        self.appends = 0

    def append(self, entries: list[Entry]) -> None:
        self.appends += 1
        if self.appends == 3:
            if self.stores_first:
                self.log.append(entries)
            raise StoreFull("the disk is full", where=self.where, do="Make room")
        self.log.append(entries)


@pytest.mark.parametrize("stores_first", [False, True])
def test_a_failed_append_acknowledges_nothing_and_stops(where: str, stores_first: bool) -> None:
    state = Counting()
    acknowledged: Counter[str] = Counter()
    refused: dict[str, StoreStopped] = {}
    with open_log(where) as log:
        commit = GroupCommit(Failing(log, stores_first), state.decide, state.rebuild)  # type: ignore[arg-type]

        def work(caller: int) -> None:
            for number in range(5):
                try:
                    commit.call(f"{caller}/{number}")
                    acknowledged[f"{caller}/{number}"] += 1
                except StoreStopped as error:
                    refused[f"{caller}/{number}"] = error

        in_threads(32, work)
        assert isinstance(commit.failure, StoreFull)
        assert len(acknowledged) + len(refused) == 160 and refused
        assert all(isinstance(error.__cause__, StoreFull) and "the disk is full" in str(error) for error in refused.values())
        stored = [entry.command_id.rpartition("-")[0] for entry in log.read()]
        assert set(acknowledged) <= set(stored)
        if not stores_first:
            assert set(acknowledged) == set(stored)
        # All of them are sent again after a restart: nothing is lost, nothing is done twice.
        commit.resume(log)
        in_threads(32, lambda caller: [commit.call(f"{caller}/{number}") for number in range(5)] and None)
        commit.close()
        stored = [entry.command_id.rpartition("-")[0] for entry in log.read()]
        assert sorted(stored) == sorted(f"{caller}/{number}" for caller in range(32) for number in range(5))
        assert log.verify_chain() == []


def test_a_failure_of_the_store_itself(where: str) -> None:
    state = Counting()
    with open_log(where) as log:
        commit = GroupCommit(log, state.decide, state.rebuild)
        commit.call("a")
        execute(where, "UPDATE log_head SET sequence = 50")
        with pytest.raises(StoreStopped, match="someone else wrote") as stopped:
            commit.call("b")
        assert stopped.value.__cause__ is commit.failure
        with pytest.raises(StoreStopped):
            commit.submit("c")
        execute(where, "UPDATE log_head SET sequence = 1")
    with open_log(where) as log:
        commit.resume(log)
        assert commit.call("a") == ("exists", 1)
        assert commit.call("b") == ("accepted", 2)
        commit.close()


@pytest.mark.parametrize("fault", ["raises", "short"])
def test_a_decide_that_breaks_its_promise_stops_everything(where: str, fault: str) -> None:
    state = Counting()

    def decide(requests: list[str]) -> list[Decision]:
        if "bad" in requests:
            if fault == "raises":
                raise ZeroDivisionError("in a rule")
            return []
        return state.decide(requests)

    with open_log(where) as log, GroupCommit(log, decide) as commit:
        commit.call("good")
        with pytest.raises(StoreStopped) as stopped:
            commit.call("bad")
        assert isinstance(stopped.value.__cause__, ZeroDivisionError if fault == "raises" else RuntimeError)
        with pytest.raises(StoreStopped):
            commit.call("good again")
        with pytest.raises(RuntimeError, match="no rebuild"):
            commit.resume(log)


def test_a_rebuild_that_fails_leaves_the_writer_stopped(where: str) -> None:
    def rebuild(log: Log) -> None:
        raise ValueError("cannot read this state")

    def decide(requests: list[str]) -> list[Decision]:
        raise ZeroDivisionError

    with open_log(where) as log:
        commit = GroupCommit(log, decide, rebuild)
        with pytest.raises(RuntimeError, match="still runs"):
            commit.resume(log)
        with pytest.raises(StoreStopped):
            commit.call("a")
        with pytest.raises(ValueError, match="cannot read"):
            commit.resume(log)
        with pytest.raises(StoreStopped, match="cannot read this state"):
            commit.call("a")
        commit.close()


def test_groups_and_the_queue_are_bounded(where: str) -> None:
    state = Counting()
    gate = threading.Event()

    def decide(requests: list[str]) -> list[Decision]:
        gate.wait(30)
        return state.decide(requests)

    with open_log(where) as log:
        commit = GroupCommit(log, decide, size=len, requests_max=10, bytes_max=100, waiting_max=50)
        futures: list[Future[Any]] = [commit.submit("first")]
        while commit._run.queue.qsize():
            time.sleep(0.001)  # until the writer has taken the first one, and waits at the gate
        futures += [commit.submit(f"{number:02d}") for number in range(25)]
        futures += [commit.submit(f"{number:040d}") for number in range(5)]
        futures += [commit.submit("x" * 500)]
        futures += [commit.submit(f"{number:03d}") for number in range(19)]
        with pytest.raises(StoreBusy, match="50 requests wait already"):
            commit.submit("one too many")
        gate.set()
        commit.close()
        assert [future.result(0)[1] for future in futures] == list(range(1, 52))
        assert state.groups[0] == 1
        assert max(state.groups) == 10
        assert 2 in state.groups, "two of forty bytes, and no third"
        assert log.verify_chain() == []
