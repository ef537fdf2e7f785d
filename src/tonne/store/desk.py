"""Where commands are handed in: one administration, one log, one writer. A reply is given when what it says is stored."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from types import TracebackType
from typing import Any, Self

from tonne.administration.clerk import Administration
from tonne.administration.commands import Command, Reply
from tonne.administration.events import ACCEPTED, Entry
from tonne.store.errors import StoreError, StoreMissing, StoreStopped
from tonne.store.gate import Gate
from tonne.store.group_commit import Decision, GroupCommit
from tonne.store.log import Fault, Log, Snapshot, open_log

#: load(system, scenario) -> rulebook
Loader = Callable[[str, str], Any]


class Desk:
    """A market that survives: state in memory, truth in the log. Safe to call from any thread."""

    def __init__(self, log: Log, administration: Administration) -> None:
        self.log = log
        self.administration = administration
        #: Called by the writer for each accepted command, in order, before it is stored. It must not raise, and it must be quick.
        self.watch: Callable[[Command, Reply], None] = lambda command, reply: None
        self._gate = Gate()
        self._writer = GroupCommit(log, self._decide, self._rebuild, turn=self._gate.writing)

    # -- opening

    @classmethod
    def open(cls, where: str | os.PathLike[str], load: Loader, system: str | None = None, scenario: str = "", today: date | None = None) -> Self:
        """Open the market at a path or URL, rebuilt from its log; with a system, found a new one where there is none.

        Raises StoreMissing when there is no market and no system is named, WrongSystem when the log is another system's, and what stores raise.
        """
        log = open_log(where, create=system is not None)
        try:
            return cls(log, administration_of(log, load, system, scenario, today))
        except BaseException:
            log.close()
            raise

    # -- commands

    def call(self, command: Command) -> Reply:
        """Hand in a command; the reply comes when it is stored. Raises StoreStopped when the store failed: nothing was acknowledged."""
        reply: Reply = self._writer.call(command)
        return reply

    def submit(self, command: Command) -> Any:
        """Like `call`, but returns a future of the reply."""
        return self._writer.submit(command)

    # -- reading

    @property
    def failure(self) -> BaseException | None:
        """Why the writer stopped; None while it runs."""
        return self._writer.failure

    @contextmanager
    def reading(self) -> Iterator[Administration]:
        """The administration as the log has it, unchanged while it is looked at. The writer waits meanwhile: keep it to milliseconds.

        Raises StoreStopped after a failure of the store, because what is in memory may run ahead of what is stored.
        """
        with self._gate.reading():
            if (failure := self._writer.failure) is not None:
                raise StoreStopped("the writer stopped", where=self.log.where, do="Open the log again and resume") from failure
            yield self.administration

    def _decide(self, commands: list[Command | None]) -> list[Decision]:
        """None stands for a request to store a snapshot: taken before the group, when the state is exactly what the log holds."""
        saved = self._save() if any(command is None for command in commands) else None
        return [self._handled(command) if command is not None else Decision(saved, None) for command in commands]

    def _handled(self, command: Command) -> Decision:
        reply, entry = self.administration.handle(command)
        if entry is not None and reply.accepted:
            self.watch(command, reply)
        return Decision(reply, entry)

    def resume(self, log: Log) -> None:
        """After StoreStopped: go on with the log, opened again. The state is rebuilt from it, so what was not stored has not happened."""
        self._writer.resume(log)
        self.log = log

    def _rebuild(self, log: Log) -> None:
        rulebook = self.administration.founding_rulebook
        fresh = Administration(rulebook, rulebook.system.begins)
        catch_up(fresh, log)
        self.administration = fresh

    # -- keeping

    def snapshot(self) -> None:
        """Store the state, so that the next opening replays only what comes after. Taken between two groups, by the writer itself.

        Raises StoreError when it could not be stored; the market goes on without it.
        """
        failure = self._writer.call(None)
        if failure is not None:
            raise failure

    def _save(self) -> StoreError | None:
        administration = self.administration
        try:
            self.log.save_snapshot(administration.sequence, administration.state.hash(), administration.snapshot())
        except StoreError as error:
            return error
        return None

    def close(self) -> None:
        self._writer.close()
        self.log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class WrongSystem(Exception):
    """The log belongs to another system or scenario."""


def administration_of(log: Log, load: Loader, system: str | None = None, scenario: str = "", today: date | None = None) -> Administration:
    """The administration as the log leaves it: from the newest snapshot, then entry by entry."""
    meta = log.meta()
    if "system" not in meta:
        if system is None:
            raise StoreMissing("this log holds no market yet", where=log.where, do="Name the system to found one")
        log.set_meta("scenario", scenario)
        log.set_meta("system", system)  # last, because it says that a market begins here
        meta = log.meta()
    if system is not None and (meta["system"], meta.get("scenario", "")) != (system, scenario):
        named = f"{meta['system']}{' in scenario ' + meta['scenario'] if meta.get('scenario') else ''}"
        raise WrongSystem(f"{log.where} is the log of {named}; choose another place for {system}{' in scenario ' + scenario if scenario else ''}")
    rulebook = load(meta["system"], meta.get("scenario", ""))
    administration = Administration(rulebook, today or rulebook.system.begins)
    catch_up(administration, log)
    return administration


def catch_up(administration: Administration, log: Log, until: date | None = None, use_snapshot: bool = True) -> None:
    """Replay what the log has beyond the administration, to the end or to a day. A refused command may name any day: it moves no calendar."""
    if use_snapshot and administration.sequence == 0 and until is None:
        snapshot = log.latest_snapshot()
        if snapshot is not None:
            administration.restore(snapshot.state)
    for entry in log.read(after=administration.sequence):
        if until is not None and entry.outcome == ACCEPTED and entry.day > until:
            break
        administration.replay(entry)


def replay_to(log: Log, load: Loader, day: date) -> Administration:
    """The market as it stood at the end of a day, from the first entry on. The log is only read."""
    meta = log.meta()
    administration = Administration(load(meta["system"], meta.get("scenario", "")), day)
    catch_up(administration, log, until=day)
    return administration


def verify(log: Log, load: Loader, progress: Callable[[Entry], None] = lambda entry: None) -> tuple[list[Fault], bytes | None]:
    """Check the chain, decide every entry again by the law, and compare snapshots with the state re-derived.

    Returns the faults, each naming its entry, and the hash of the state at the end (None when the chain itself is broken).
    """
    faults = list(log.verify_chain())
    if faults:
        return faults, None
    meta = log.meta()
    if "system" not in meta:
        return [], None
    rulebook = load(meta["system"], meta.get("scenario", ""))
    administration = Administration(rulebook, rulebook.system.begins)
    snapshot = log.latest_snapshot()
    for entry in log.read():
        try:
            faults += [Fault(entry.sequence, entry.command_id, what) for what in administration.audit(entry)]
        except Exception as error:  # whatever replay makes of a log that was tampered with before it was chained again, it is named
            return [*faults, Fault(entry.sequence, entry.command_id, f"cannot be replayed: {type(error).__name__}: {error}")], None
        if snapshot is not None and snapshot.sequence == entry.sequence and not _is_state_of(snapshot, administration):
            faults.append(Fault(entry.sequence, entry.command_id, "the snapshot stored after this entry is not the state that the entries make"))
        progress(entry)
    try:
        administration.state.books.check()
    except AssertionError as error:
        faults.append(Fault(administration.sequence, None, f"the books do not balance: {error}"))
    return faults, administration.state.hash()


def _is_state_of(snapshot: Snapshot, administration: Administration) -> bool:
    kept = Administration(administration.founding_rulebook, administration.state.today)
    try:
        kept.restore(snapshot.state)
    except Exception:  # bytes that are no state at all
        return False
    return snapshot.state_hash == administration.state.hash() and kept.snapshot() == administration.snapshot()
