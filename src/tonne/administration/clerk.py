"""The clerk: takes a command, decides by the law, enters transfers in the books, and writes down what happened.

decide   handler(state, command) -> events and transfers; changes nothing
enter    transfers into the books, all or none (or each for itself, for an import)
evolve   events into the state
entry    one line for the log, chained to the one before

`replay` rebuilds the state from stored entries; `audit` decides each of them again and compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from tonne.administration import permissions
from tonne.administration.commands import Command, Reply, Table, decode, encode, fingerprint, pack, unpack
from tonne.administration.decision import ROWS_PER_COMMAND, Decision
from tonne.administration.events import ACCEPTED, GENESIS, Entry
from tonne.administration.evolve import OPENING, amend, evolve
from tonne.administration.handlers import HANDLERS
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.law import BeforeSystem, LawError, NotYetInForce, Rulebook
from tonne.ledger import Result
from tonne.registers.errors import RegisterError
from tonne.units import UnitsError


class Administration:
    """One market's administration. Not thread-safe: one writer owns it."""

    def __init__(self, rulebook: Rulebook, today: date) -> None:
        self.founding_rulebook = rulebook
        self.state = State(rulebook, today)
        self.sequence = 0
        self.hash = GENESIS
        self._known: dict[str, tuple[int, str, bytes]] = {}

    # -- live

    def handle(self, command: Command) -> tuple[Reply, Entry | None]:
        """Carry out a command. The entry is None when the id had been used before; otherwise it must reach the log before the reply is given."""
        body = encode(dict(command.body))
        print_ = fingerprint(command, body)
        known = self._known.get(command.id)
        if known is not None:
            return self._repeated(command, known, print_), None
        try:
            decision = self._decide(command)
            events, tables = self._enter(decision, self.sequence + 1, command)
        except Refusal as refusal:
            asked = {f"command/{name}": table for name, table in command.tables.items()}
            return self._record(command, refusal.name, [{"event": "refused", "reason": refusal.reason}], asked, body, print_, refusal.reason)
        return self._record(command, ACCEPTED, events, tables, body, print_)

    def knows(self, command_id: str) -> bool:
        """Whether a command of that id was decided before."""
        return command_id in self._known

    def _repeated(self, command: Command, known: tuple[int, str, bytes], print_: bytes) -> Reply:
        sequence, outcome, before = known
        if before != print_:
            return Reply(command.id, "exists_with_different_content", f"the id was used in entry {sequence} for another command", sequence, True)
        return Reply(command.id, outcome, "", sequence, True)

    def _decide(self, command: Command) -> Decision:
        handler = HANDLERS.get(command.kind)
        if handler is None:
            raise Refusal("unknown_command", f"no command {command.kind!r}; there are {', '.join(sorted(HANDLERS))}")
        if command.day < self.state.today:
            raise Refusal("day_out_of_order", f"{command.day} is before {self.state.today}, the market's day")
        permissions.require(self.state, command)
        try:
            return handler(self.state, command)
        except BeforeSystem as error:
            raise Refusal("before_system", str(error)) from error
        except NotYetInForce as error:
            raise Refusal("not_in_force", str(error)) from error
        except LawError as error:
            raise Refusal("not_offered", str(error)) from error
        except (RegisterError, UnitsError) as error:
            raise Refusal("malformed", str(error)) from error
        except ValueError as error:  # how a rule says that the law in force has no figure for what it is asked
            raise Refusal("no_answer", str(error)) from error

    def _enter(self, decision: Decision, sequence: int, command: Command) -> tuple[list[dict[str, Any]], dict[str, Table]]:
        """Books first (what can be refused), then the state. Returns the events and tables to store."""
        # A command that carries ledger rows is recorded by the transfers it made of them, not twice.
        carried = {f"command/{name}": table for name, table in command.tables.items() if isinstance(table, pl.DataFrame)}
        tables: dict[str, Table] = carried | decision.tables
        events = decision.events
        opening = [event for event in events if event["event"] in OPENING]
        for event in opening:
            evolve(self.state, event, tables)
        batch = decision.transfers
        if batch is not None and len(batch):
            if len(batch) >= ROWS_PER_COMMAND:
                raise Refusal("malformed", f"a command holds at most {ROWS_PER_COMMAND - 1:,} transfers, not {len(batch):,}")
            number(batch, sequence)
            results = self.state.books.apply(batch, all_or_nothing=not decision.independent)
            if decision.independent:
                events = [*events, _judged(results)]
                tables["results"] = pl.DataFrame({"id": batch["id"], "result": results})
            elif results.any():
                assert not opening, "a command that opens accounts may not be refused by the books afterwards"
                raise self._refused_by_books(batch, results)
            tables["transfers"] = batch
        for event in events:
            if event["event"] not in OPENING:
                evolve(self.state, event, tables)
        return events, tables

    def _refused_by_books(self, batch: Any, results: Any) -> Refusal:
        failed = int(np.flatnonzero((results != 0) & (results != Result.LINKED_TRANSFER_FAILED))[0])
        row, result = batch[failed], Result(int(results[failed]))
        ids = self.state.accounts.ids
        source = ids[row["from_account"]] if 0 <= row["from_account"] < len(ids) else f"#{row['from_account']}"
        target = ids[row["to_account"]] if 0 <= row["to_account"] < len(ids) else f"#{row['to_account']}"
        unit = self.state.books.unit_types[row["unit"]].code if 0 <= row["unit"] < len(self.state.books.unit_types) else f"#{row['unit']}"
        have = ""
        if result is Result.INSUFFICIENT_BALANCE:
            have = f"; it has {self.state.books.available(int(row['from_account']), int(row['unit'])):,} available"
        number = f" (transfer {failed + 1} of {len(batch)})" if len(batch) > 1 else ""
        return Refusal(result.name_for_people, f"{int(row['quantity']):,} {unit} from {source} to {target}{have}{number}")

    def _record(
        self, command: Command, outcome: str, events: list[dict[str, Any]], tables: Mapping[str, Table], body: bytes, print_: bytes, reason: str = ""
    ) -> tuple[Reply, Entry]:
        rows = b"true" if outcome == ACCEPTED and _carries_rows(command) else b"false"
        self.sequence += 1
        entry = Entry.chained(
            sequence=self.sequence,
            command_id=command.id,
            kind=command.kind,
            actor=command.by,
            day=command.day,
            outcome=outcome,
            command=b'{"body":%b,"print":"%b","rows":%b}' % (body, print_.hex().encode(), rows),
            events=encode(events),
            tables=pack(tables),
            previous=self.hash,
        )
        self.hash = entry.hash
        self._known[command.id] = (self.sequence, outcome, print_)
        if outcome == ACCEPTED:
            self.state.today = command.day
        return Reply(command.id, outcome, reason, self.sequence, False, tuple(events)), entry

    # -- from the log

    def replay(self, entry: Entry) -> None:
        """Take a stored entry as truth: its events and transfers change the state, the law is not asked."""
        events, tables = decode(entry.events), unpack(entry.tables)
        if entry.outcome == ACCEPTED:
            for event in events:
                if event["event"] in OPENING:
                    evolve(self.state, event, tables)
            batch = tables.get("transfers")
            if batch is not None:
                results = self.state.books.apply(np.asarray(batch), all_or_nothing="results" not in tables)
                if "results" not in tables and results.any():
                    raise ReplayError(entry, "its transfers do not post on the state before it")
            for event in events:
                if event["event"] not in OPENING:
                    evolve(self.state, event, tables)
            self.state.today = entry.day
        self._remember(entry)

    def _remember(self, entry: Entry) -> None:
        self.sequence, self.hash = entry.sequence, entry.hash
        print_ = bytes.fromhex(decode(entry.command)["print"])
        self._known[entry.command_id] = (entry.sequence, entry.outcome, print_)

    def audit(self, entry: Entry) -> list[str]:
        """Decide a stored entry again on the state before it, then replay it. Returns what differs from what was stored."""
        command = command_of(entry)
        found: list[str] = []
        try:
            decision = self._decide(command)
            events, transfers = decision.events, decision.transfers
            if entry.outcome != ACCEPTED and not self._books_refuse(decision, entry.sequence):
                found.append(f"was refused as {entry.outcome}, would be accepted")
            elif entry.outcome == ACCEPTED:
                found += _differences(entry, events, transfers)
        except Refusal as refusal:
            if refusal.name != entry.outcome:
                found.append(f"was {entry.outcome}, would be refused as {refusal.name}: {refusal.reason}")
        self.replay(entry)
        return found

    def _books_refuse(self, decision: Decision, sequence: int) -> bool:
        """Whether the books would refuse a decision's transfers (they are tried on a copy, so that nothing changes)."""
        if decision.transfers is None or not len(decision.transfers):
            return False
        from tonne.ledger import Books

        trial = Books.from_bytes(self.state.books.to_bytes())
        batch = decision.transfers.copy()
        number(batch, sequence)
        return bool(trial.apply(batch, all_or_nothing=True).any())

    def snapshot(self) -> bytes:
        """Everything needed to continue after the last entry without the entries before it."""
        known = encode({name: [sequence, outcome, print_.hex()] for name, (sequence, outcome, print_) in self._known.items()})
        head = encode({"sequence": self.sequence, "hash": self.hash.hex(), "known": len(known)})
        return head + b"\n" + known + self.state.to_bytes()

    def restore(self, snapshot: bytes) -> None:
        """Continue from a snapshot; amendments of the law are laid over the rulebook again."""
        end = snapshot.index(b"\n")
        head = decode(snapshot[:end])
        known = decode(snapshot[end + 1 : end + 1 + head["known"]])
        self.state = State.from_bytes(snapshot[end + 1 + head["known"] :], self.founding_rulebook)
        for patch in self.state.amendments:
            amend(self.state, patch)
        self.sequence, self.hash = head["sequence"], bytes.fromhex(head["hash"])
        self._known = {name: (sequence, outcome, bytes.fromhex(print_)) for name, (sequence, outcome, print_) in known.items()}


def number(batch: Any, sequence: int) -> None:
    """Give ids to the transfers of a command, in their order; an import's rows bring their own."""
    if batch["id"][0] == 0:
        first = sequence * ROWS_PER_COMMAND + 1
        batch["id"] = np.arange(first, first + len(batch))


class ReplayError(Exception):
    """A stored entry does not fit the state that the entries before it make: the log is damaged or was written by another version."""

    def __init__(self, entry: Entry, reason: str) -> None:
        super().__init__(f"entry {entry.sequence} ({entry.kind} {entry.command_id!r}): {reason}")


def _carries_rows(command: Command) -> bool:
    return any(not isinstance(table, pl.DataFrame) for table in command.tables.values())


def command_of(entry: Entry) -> Command:
    """The command that an entry records, with the tables it carried."""
    stored = unpack(entry.tables)
    tables = {name.removeprefix("command/"): table for name, table in stored.items() if name.startswith("command/")}
    if decode(entry.command).get("rows"):
        tables["transfers"] = stored["transfers"]
    return Command(entry.command_id, entry.kind, entry.actor, entry.day, decode(entry.command)["body"], tables)


def _judged(results: Any) -> dict[str, Any]:
    codes, counts = np.unique(results, return_counts=True)
    return {"event": "judged", "results": {Result(int(c)).name_for_people: int(n) for c, n in zip(codes, counts, strict=True)}}


def _differences(entry: Entry, events: list[dict[str, Any]], transfers: Any) -> list[str]:
    stored = [event for event in decode(entry.events) if event["event"] != "judged"]
    decided = decode(encode(events))
    found: list[str] = []
    if stored != decided:
        first = next((i for i, (a, b) in enumerate(zip(stored, decided, strict=False)) if a != b), min(len(stored), len(decided)))
        found.append(f"event {first + 1} differs: stored {stored[first : first + 1]}, decided {decided[first : first + 1]}")
    before = unpack(entry.tables).get("transfers")
    count_before, count_after = (0 if before is None else len(before)), (0 if transfers is None else len(transfers))
    if count_before != count_after:
        found.append(f"stored {count_before} transfers, decided {count_after}")
    elif count_before and transfers is not None and before is not None:
        names = [name for name in transfers.dtype.names if name != "id"]
        unlike = (
            [i for i in range(count_before) if any(before[name][i] != transfers[name][i] for name in names)]
            if any(not np.array_equal(np.asarray(before)[name], transfers[name]) for name in names)
            else []
        )
        if unlike:
            found.append(f"{len(unlike)} transfers differ, the first is number {unlike[0] + 1}")
    return found
