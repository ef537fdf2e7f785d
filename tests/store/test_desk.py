"""The desk: one administration, one log, one writer; many callers, failing stores, snapshots, days gone by."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import polars as pl
import pytest

import tonne
from tonne.administration.commands import Command
from tonne.administration.permissions import ADMINISTRATOR
from tonne.law import Rulebook
from tonne.store import StoreFull, StoreMissing, StoreStopped, open_log
from tonne.store.desk import Desk, WrongSystem, replay_to, verify
from tonne.store.log import Log

DAY = date(2020, 1, 1)
CALLERS = 64


def load(system: str, scenario: str) -> Rulebook:
    return tonne.rulebook(system, scenario or None)


def send(desk: Desk, id: str, kind: str, day: date = DAY, tables: Any = None, **body: Any) -> Any:
    return desk.call(Command(id, kind, ADMINISTRATOR, day, {name.rstrip("_"): value for name, value in body.items()}, tables or {}))


def founded(where: str) -> Desk:
    """A market with 64 traders of 1,000 units each."""
    desk = Desk.open(where, load, "eu-ets")
    assert send(desk, "found", "found", system="eu-ets", scenario="", first_year=2020).accepted
    names = [f"t{number}" for number in range(CALLERS)]
    accounts = pl.DataFrame(
        {"account": names, "kind": "trading", "holder": ADMINISTRATOR, "installation": pl.Series([None] * CALLERS, dtype=pl.String)}
    )
    assert send(desk, "accounts", "open_accounts", tables={"accounts": accounts}).accepted
    for name in names:
        assert send(desk, f"open {name}", "open_balance", account=name, unit="EUA", quantity=1_000, source="a test", year=2020).accepted
    return desk


def transfer(desk: Desk, id: str, source: str, target: str, quantity: int, day: date = DAY) -> Any:
    return send(desk, id, "transfer", day, from_=source, to=target, unit="EUA", quantity=quantity)


def held(desk: Desk, account: str) -> int:
    state = desk.administration.state
    return int(state.books.balance(state.accounts.number(account), state.unit("EUA")))


def busy(desk: Desk, each: int, meanwhile: Callable[[], None] = lambda: None) -> list[Any]:
    """64 threads, each sending units around in a ring, one by one; some more than there are."""

    def work(caller: int) -> list[Any]:
        target = f"t{(caller + 1) % CALLERS}"
        return [transfer(desk, f"{caller}/{n}", f"t{caller}", target, 10**6 if n % 7 == 6 else 1 + n) for n in range(each)]

    with ThreadPoolExecutor(CALLERS) as pool:
        futures = [pool.submit(work, caller) for caller in range(CALLERS)]
        meanwhile()
        return [reply for future in futures for reply in future.result()]


def test_64_callers(where: str) -> None:
    with founded(where) as desk:
        before = desk.administration.sequence
        replies = busy(desk, 14)
        desk.administration.state.books.check()
        assert [held(desk, f"t{n}") for n in range(CALLERS)] == [1_000] * CALLERS  # round the ring as much came as went
        state = desk.administration.state.hash()
    assert len(replies) == 14 * CALLERS
    assert sorted(reply.sequence for reply in replies) == list(range(before + 1, before + 1 + len(replies)))
    assert {reply.outcome for reply in replies} == {"accepted", "insufficient_balance"}
    with open_log(where, mode="read") as log:
        stored = {entry.command_id: (entry.sequence, entry.outcome) for entry in log.read(after=before)}
        assert stored == {reply.command_id: (reply.sequence, reply.outcome) for reply in replies}
    with Desk.open(where, load) as again:
        assert again.administration.state.hash() == state
        repeated = transfer(again, "0/0", "t0", "t1", 1)
        assert (repeated.outcome, repeated.repeated) == ("accepted", True)


def test_a_snapshot_while_busy(where: str) -> None:
    with founded(where) as desk:
        busy(desk, 7, lambda: [desk.snapshot() for _ in range(4)] and None)
        state, sequence = desk.administration.state.hash(), desk.administration.sequence
    with open_log(where, mode="read") as log:
        snapshot = log.latest_snapshot()
        assert snapshot is not None and 0 < snapshot.sequence <= sequence
        faults, hash_ = verify(log, load)
        assert faults == [] and hash_ == state
    with Desk.open(where, load) as quick:  # from the snapshot and what came after it
        assert quick.administration.state.hash() == state
    with open_log(where, mode="read") as log:
        whole = replay_to(log, load, date.max)  # from the first entry
        assert (whole.state.hash(), whole.sequence, whole.snapshot()) == (state, sequence, quick.administration.snapshot())


def test_a_snapshot_that_cannot_be_stored_stops_nobody(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(log: Log, sequence: int, state_hash: bytes, state: bytes) -> None:
        raise StoreFull("no room for a snapshot", where=log.where, do="Make room")

    with founded(where) as desk:
        monkeypatch.setattr(Log, "save_snapshot", full)
        with pytest.raises(StoreFull, match="no room for a snapshot"):
            desk.snapshot()
        assert transfer(desk, "after", "t0", "t1", 1).accepted


def test_what_is_not_stored_has_not_happened(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk fails under 64 callers: what was acknowledged is there when the log is opened again, and nothing else is."""
    store, failing = Log.append, threading.Event()

    def append(log: Log, entries: Any) -> None:
        if failing.is_set() and entries:
            raise StoreFull("the disk is full", where=log.where, do="Make room")
        store(log, entries)

    monkeypatch.setattr(Log, "append", append)
    desk = founded(where)
    acknowledged: list[Any] = []
    stopped: list[str] = []

    def work(caller: int) -> None:
        for n in range(1_000):
            try:
                acknowledged.append(transfer(desk, f"{caller}/{n}", f"t{caller}", f"t{(caller + 1) % CALLERS}", 1))
            except StoreStopped as error:
                stopped.append(str(error))
                return
            if len(acknowledged) == 300:
                failing.set()

    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(work, range(CALLERS)))
    assert len(stopped) == CALLERS and all("the disk is full" in text and "send the request again" in text for text in stopped)
    with pytest.raises(StoreStopped):
        transfer(desk, "later", "t0", "t1", 1)
    with pytest.raises(StoreStopped):
        desk.snapshot()
    failing.clear()
    desk.log.close()
    desk.resume(open_log(where))  # the same desk goes on: its state is what the log holds
    stored = {entry.command_id for entry in desk.log.read()}
    assert {reply.command_id for reply in acknowledged} <= stored
    assert len(stored) == desk.administration.sequence
    moved = len([name for name in stored if "/" in name])
    assert moved == len(acknowledged)
    desk.administration.state.books.check()
    assert len(desk.administration.state.books.transfers) == CALLERS + moved
    assert transfer(desk, "later", "t0", "t1", 1).accepted
    state = desk.administration.state.hash()
    desk.close()
    with Desk.open(where, load) as again:
        assert again.administration.state.hash() == state


def test_rebuilding_an_empty_market_begins_where_the_law_begins(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Log.append
    monkeypatch.setattr(Log, "append", lambda log, entries: (_ for _ in ()).throw(StoreFull("full", where=log.where, do="Make room")))
    desk = Desk.open(where, load, "eu-ets")
    with pytest.raises(StoreStopped):
        send(desk, "found", "found", system="eu-ets", scenario="", first_year=2020)
    monkeypatch.setattr(Log, "append", store)
    desk.log.close()
    desk.resume(open_log(where))
    assert desk.administration.sequence == 0 and desk.administration.state.today == date(2005, 1, 1)
    assert send(desk, "found", "found", system="eu-ets", scenario="", first_year=2020).accepted
    desk.close()


def test_a_malformed_command_stops_nobody(where: str) -> None:
    with founded(where) as desk:
        for bad in (
            Command("x\0y", "transfer", ADMINISTRATOR, DAY),
            Command("x", "transfer", ADMINISTRATOR, DAY, {"quantity": 0.1}),
            Command("x", "sell", ADMINISTRATOR, DAY, {"price": float("nan")}),
            Command("i" * 5_000, "transfer", ADMINISTRATOR, DAY),
            Command("x", "transfer", ADMINISTRATOR, None),  # type: ignore[arg-type]
        ):
            reply = desk.call(bad)
            assert (reply.outcome, reply.sequence) == ("malformed", 0)
        assert transfer(desk, "x", "t0", "t1", 1).accepted


def test_the_log_of_another_system(where: str) -> None:
    with pytest.raises(StoreMissing):
        Desk.open(where, load)
    founded(where).close()
    with pytest.raises(WrongSystem, match="is the log of eu-ets; choose another place for rggi"):
        Desk.open(where, load, "rggi")
    with pytest.raises(WrongSystem, match="choose another place for eu-ets in scenario dream"):
        Desk.open(where, load, "eu-ets", "dream")
    Desk.open(where, load, "eu-ets").close()  # a refused opening has let go of the log


def test_a_log_that_was_made_and_never_used(where: str) -> None:
    open_log(where).close()
    with pytest.raises(StoreMissing, match=r"this log holds no market yet.*Name the system to found one"):
        Desk.open(where, load)
    Desk.open(where, load, "eu-ets").close()


def test_a_log_whose_making_was_interrupted(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between the two words that say whose log it is: the next opening says them again."""
    meta, calls = Log.set_meta, iter([False, True])

    def set_meta(log: Log, key: str, value: str) -> None:
        if next(calls):
            raise KeyboardInterrupt
        meta(log, key, value)

    monkeypatch.setattr(Log, "set_meta", set_meta)
    scenario = "draft-2025-26"
    with pytest.raises(KeyboardInterrupt):
        Desk.open(where, load, "china-national-ets", scenario)
    monkeypatch.setattr(Log, "set_meta", meta)
    with Desk.open(where, load, "china-national-ets", scenario) as desk:
        assert desk.administration.founding_rulebook.scenario == scenario


def test_the_market_as_it_was_on_a_day(where: str) -> None:
    days = [date(2020, 1, 1), date(2020, 2, 1), date(2020, 3, 1)]
    with founded(where) as desk:
        hashes = []
        for number, day in enumerate(days):
            assert transfer(desk, f"on {day}", "t0", "t1", 10, day).accepted
            # A refused command may name any day; it moves no calendar, and a replay does not stop at it.
            assert transfer(desk, f"far {number}", "t0", "t1", 10**6, date(2090, 1, 1)).outcome == "insufficient_balance"
            hashes.append(desk.administration.state.hash())
    with open_log(where, mode="read") as log:
        for number, day in enumerate(days):
            then = replay_to(log, load, day)
            assert then.state.hash() == hashes[number]
            assert then.state.books.balance(then.state.accounts.number("t0"), then.state.unit("EUA")) == 1_000 - 10 * (number + 1)
        assert replay_to(log, load, date(2020, 2, 28)).state.hash() == hashes[1]
        before = replay_to(log, load, date(2019, 12, 31))
        assert before.sequence == 0 and not len(before.state.accounts)
        assert replay_to(log, load, date.max).state.hash() == hashes[2]
