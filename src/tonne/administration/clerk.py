"""The clerk: takes a command, decides by the law, enters transfers in the books, and writes down what happened.

decide   handler(state, command) -> events and transfers; changes nothing
enter    transfers into the books, all or none (or each for itself, for an import)
evolve   events into the state
entry    one line for the log, chained to the one before

`replay` rebuilds the state from stored entries; `audit` decides each of them again and compares.

Deciding changes nothing, so whatever breaks there is a refusal. What breaks afterwards is a fault of this program: it stops the writer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from tonne.administration import agenda, permissions
from tonne.administration.acts import ACTS, perform
from tonne.administration.agenda import is_task_id
from tonne.administration.commands import Command, Reply, Table, decode, encode, fingerprint, pack, unpack, well_formed
from tonne.administration.decision import ROWS_PER_COMMAND, Batch, Decision
from tonne.administration.events import ACCEPTED, GENESIS, Entry
from tonne.administration.evolve import EARLY, OPENING, amended, evolve
from tonne.administration.handlers import HANDLERS
from tonne.administration.permissions import LAW
from tonne.administration.refusals import LEDGER, Refusal
from tonne.administration.state import State
from tonne.dates import day_number
from tonne.law import BeforeSystem, LawError, NotYetInForce, Rulebook
from tonne.ledger import Books, Result, UnitType
from tonne.registers.errors import RegisterError
from tonne.units import UnitsError

#: Tables that come as an array and are stored as the decision keeps them. Orders make transfers too, so what they carry is looked for first.
ROW_TABLES = ("instructions", "transfers")


class Known(NamedTuple):
    """What became of a command."""

    sequence: int
    outcome: str
    print_: bytes
    reason: str


class Administration:
    """One market's administration. Not thread-safe: one writer owns it."""

    def __init__(self, rulebook: Rulebook, today: date) -> None:
        self.founding_rulebook = rulebook
        self.state = State(rulebook, today)
        self.sequence = 0
        self.hash = GENESIS
        self._known: dict[str, Known] = {}

    # -- live

    def handle(self, command: Command) -> tuple[Reply, Entry | None]:
        """Carry out a command. The entry must reach the log before the reply is given. It is None when there is nothing to store: the id had been
        used before, or the command is of a form that no log can hold."""
        try:
            command, body = well_formed(command)
            if command.by != LAW and is_task_id(command.id):
                raise ValueError(f"{command.id!r} is an id of the calendar's own commands; choose another")
            print_ = fingerprint(command, body)
        except (TypeError, ValueError, RecursionError, pl.exceptions.PolarsError) as error:
            return Reply(command.id, "malformed", f"{error or type(error).__name__}"), None
        known = self._known.get(command.id)
        if known is not None:
            return self._repeated(command, known, print_), None
        made: Mapping[str, Table] = {}
        try:
            decision = self._decide(command)
            if decision.events[0]["event"] in ACTS:
                made = self._act(decision, self.sequence + 1, command)
            events, tables = self._enter(decision, self.sequence + 1, command)
        except Refusal as refusal:
            if self.state.exchange.taken > self.sequence:
                raise RuntimeError(f"{command.kind} {command.id!r}: the exchange did what the books refuse: {refusal}") from refusal
            asked = {f"command/{name}": table for name, table in command.tables.items()}
            return self._record(command, refusal.name, [{"event": "refused", "reason": refusal.reason}], asked, body, print_, refusal.reason)
        reply, entry = self._record(command, ACCEPTED, events, tables, body, print_)
        return (reply._replace(tables=made) if made else reply), entry

    def _act(self, decision: Decision, sequence: int, command: Command) -> Mapping[str, Table]:
        """Let the exchange do what was decided, and put what follows into the decision. It is beyond refusing: a fault here stops the writer."""
        done = perform(self.state, decision.events[0], decision.tables, sequence, command.day)
        decision.transfers = done.batch if len(done.batch) else None
        decision.events[0] = decision.events[0] | done.told
        return done.made

    def preview(self, command: Command) -> Decision:
        """What a command would do now; nothing is changed or stored. Raises Refusal, as `handle` would answer."""
        try:
            command, _ = well_formed(command)
        except (TypeError, ValueError, RecursionError, pl.exceptions.PolarsError) as error:
            raise Refusal("malformed", f"{error or type(error).__name__}") from error
        decision = self._decide(command)
        self._try(decision, self.sequence + 1)
        return decision

    def outcome_of(self, command_id: str) -> str | None:
        """How a command of that id was decided before: ACCEPTED, a refusal's name, or None when the id is new."""
        known = self._known.get(command_id)
        return known[1] if known else None

    def _repeated(self, command: Command, known: Known, print_: bytes) -> Reply:
        if known.print_ != print_:
            reason = f"the id was used in entry {known.sequence} for another command; choose a new id"
            return Reply(command.id, "exists_with_different_content", reason, known.sequence, True)
        return Reply(command.id, known.outcome, known.reason, known.sequence, True)

    def _decide(self, command: Command) -> Decision:
        handler = HANDLERS.get(command.kind)
        if handler is None:
            raise Refusal("unknown_command", f"no command {command.kind!r}; there are {', '.join(sorted(HANDLERS))}")
        if command.day < self.state.today:
            raise Refusal("day_out_of_order", f"{command.day} is before {self.state.today}, the market's day")
        permissions.require(self.state, command)
        permissions.require_second_person(self.state, command)
        if command.kind != "found" and not len(self.state.accounts):
            raise Refusal("not_due", "the market is not founded yet; `found` comes first")
        try:
            agenda.require_due(self.state, command)
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
        except (ArithmeticError, pl.exceptions.PolarsError) as error:
            raise Refusal("malformed", f"what the command holds cannot be reckoned with: {str(error).splitlines()[0]}") from error

    def _enter(self, decision: Decision, sequence: int, command: Command) -> tuple[list[dict[str, Any]], dict[str, Table]]:
        """Books first (what can be refused), then the state. Returns the events and tables to store."""
        # A command that carries ledger rows is recorded by the transfers it made of them, not twice.
        carried = {f"command/{name}": table for name, table in command.tables.items() if isinstance(table, pl.DataFrame)}
        tables: dict[str, Table] = carried | decision.tables
        events = decision.events
        batch = decision.transfers
        opening = [event for event in events if event["event"] in OPENING]
        if batch is not None and len(batch) >= ROWS_PER_COMMAND:
            raise Refusal("malformed", f"a command holds at most {ROWS_PER_COMMAND - 1:,} transfers, not {len(batch):,}")
        if opening and batch is not None:  # what is opened cannot be taken back, so the transfers are tried first
            self._try(decision, sequence)
        for event in events:
            if event["event"] in EARLY:
                evolve(self.state, event, tables)
        if batch is not None and len(batch):
            number(batch, sequence)
            results = self.state.books.apply(batch, all_or_nothing=not decision.independent)
            if decision.independent:
                events = [*events, _judged(results)]
                tables["results"] = pl.DataFrame({"id": batch["id"], "result": results})
            elif results.any():
                raise self._refused_by_books(self.state.books, batch, results)
            tables["transfers"] = batch
        for event in events:
            if event["event"] not in EARLY:
                evolve(self.state, event, tables)
        return events, tables

    def _try(self, decision: Decision, sequence: int) -> None:
        """Enter a decision's transfers in a copy of the books, with the unit types that it adds. Raises the Refusal that the books would give."""
        batch = decision.transfers
        if batch is None or not len(batch) or decision.independent:
            return
        books = Books.from_bytes(self.state.books.to_bytes())
        for event in decision.events:
            if event["event"] == "unit_type_added":
                books.add_unit_type(UnitType(event["code"], self.state.rulebook.system.id, event["kind"], event["vintage"], event["measure"]))
        batch = batch.copy()
        number(batch, sequence)
        results = books.apply(batch, all_or_nothing=True)
        if results.any():
            raise self._refused_by_books(books, batch, results)

    def _refused_by_books(self, books: Books, batch: Batch, results: Any) -> Refusal:
        failed = int(np.flatnonzero((results != 0) & (results != Result.LINKED_TRANSFER_FAILED))[0])
        row, result = batch[failed], Result(int(results[failed]))
        ids = self.state.accounts.ids
        source = ids[row["from_account"]] if 0 <= row["from_account"] < len(ids) else f"#{row['from_account']}"
        target = ids[row["to_account"]] if 0 <= row["to_account"] < len(ids) else f"#{row['to_account']}"
        unit = books.unit_types[row["unit"]].code if 0 <= row["unit"] < len(books.unit_types) else f"#{row['unit']}"
        have = ""
        if result is Result.INSUFFICIENT_BALANCE:
            have = f"; before this command it has {books.available(int(row['from_account']), int(row['unit'])):,}"
        place = f" (transfer {failed + 1} of {len(batch)})" if len(batch) > 1 else ""
        return Refusal(result.name_for_people, f"{int(row['quantity']):,} {unit} from {source} to {target}{place}: {LEDGER[result]}{have}")

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
        self._known[command.id] = Known(self.sequence, outcome, print_, reason)
        if outcome == ACCEPTED:
            self._come_to(command.day)
        return Reply(command.id, outcome, reason, self.sequence, False, tuple(events)), entry

    # -- from the log

    def replay(self, entry: Entry) -> None:
        """Take a stored entry as truth: its events and transfers change the state, the law is not asked. Raises ReplayError where it does not fit."""
        if (entry.sequence, entry.previous) != (self.sequence + 1, self.hash):
            raise ReplayError(entry, f"it does not follow entry {self.sequence}")
        if not entry.is_intact():
            raise ReplayError(entry, "its hash is not that of what it holds: it was changed after it was stored; `tonne log verify` names all such")
        events, tables = decode(entry.events), unpack(entry.tables)
        if entry.outcome == ACCEPTED:
            for event in events:
                if event["event"] in EARLY:
                    evolve(self.state, event, tables)
            batch = tables.get("transfers")
            if batch is not None:
                stored = tables.get("results")
                results = self.state.books.apply(np.asarray(batch), all_or_nothing=stored is None)
                if not np.array_equal(results, stored["result"].to_numpy() if isinstance(stored, pl.DataFrame) else np.zeros_like(results)):
                    raise ReplayError(entry, "the books judge its transfers otherwise on the state before it")
            for event in events:
                if event["event"] not in EARLY:
                    evolve(self.state, event, tables)
            self._come_to(entry.day)
        self.sequence, self.hash = entry.sequence, entry.hash
        reason = "" if entry.outcome == ACCEPTED else events[0]["reason"]
        self._known[entry.command_id] = Known(entry.sequence, entry.outcome, bytes.fromhex(decode(entry.command)["print"]), reason)

    def _come_to(self, day: date) -> None:
        """The market's calendar moves on: what was reserved until now is free again."""
        if day > self.state.today:
            self.state.books.expire(day_number(day))
        self.state.today = day

    def audit(self, entry: Entry) -> list[str]:
        """Decide a stored entry again on the state before it, then replay it. Returns what differs from what was stored."""
        command = command_of(entry)
        found: list[str] = []
        if fingerprint(command, encode(command.body)).hex() != decode(entry.command)["print"]:
            found.append("the stored command is not the one that was sent: its fingerprint differs")
        try:
            decision = self._decide(command)
            if entry.outcome != ACCEPTED:  # accepted transfers are entered by the replay below, which says if they do not post
                self._try(decision, entry.sequence)
        except Refusal as refusal:
            decision, outcome = Decision([{"event": "refused", "reason": refusal.reason}]), refusal.name
        else:
            outcome = ACCEPTED
            if decision.events[0]["event"] in ACTS and entry.outcome == ACCEPTED:
                self._act(decision, entry.sequence, command)
            if decision.transfers is not None and len(decision.transfers):
                number(decision.transfers, entry.sequence)
                decision.tables["transfers"] = decision.transfers
        if outcome != entry.outcome:
            reason = f": {decision.events[0]['reason']}" if outcome != ACCEPTED else ""
            found.append(f"was {entry.outcome}, would be {outcome}{reason}")
        else:
            found += _differences(entry, decision)
        self.replay(entry)
        return found

    def snapshot(self) -> bytes:
        """Everything needed to continue after the last entry without the entries before it."""
        known = encode({name: [k.sequence, k.outcome, k.print_.hex(), k.reason] for name, k in self._known.items()})
        head = encode({"sequence": self.sequence, "hash": self.hash.hex(), "known": len(known)})
        return head + b"\n" + known + self.state.to_bytes()

    def restore(self, snapshot: bytes) -> None:
        """Continue from a snapshot; amendments of the law are laid over the rulebook again."""
        end = snapshot.index(b"\n")
        head = decode(snapshot[:end])
        known = decode(snapshot[end + 1 : end + 1 + head["known"]])
        self.state = State.from_bytes(snapshot[end + 1 + head["known"] :], self.founding_rulebook)
        for patch in self.state.amendments:
            self.state.rulebook = amended(self.state.rulebook, patch)
        self.sequence, self.hash = head["sequence"], bytes.fromhex(head["hash"])
        self._known = {name: Known(sequence, outcome, bytes.fromhex(print_), reason) for name, (sequence, outcome, print_, reason) in known.items()}


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
    return any(isinstance(command.tables.get(name), np.ndarray) for name in ROW_TABLES)


def command_of(entry: Entry) -> Command:
    """The command that an entry records, with the tables it carried."""
    stored = unpack(entry.tables)
    tables = {name.removeprefix("command/"): table for name, table in stored.items() if name.startswith("command/")}
    if decode(entry.command).get("rows"):
        name = next(name for name in ROW_TABLES if name in stored)
        tables[name] = stored[name]
    return Command(entry.command_id, entry.kind, entry.actor, entry.day, decode(entry.command)["body"], tables)


def _judged(results: Any) -> dict[str, Any]:
    codes, counts = np.unique(results, return_counts=True)
    return {"event": "judged", "results": {Result(int(c)).name_for_people: int(n) for c, n in zip(codes, counts, strict=True)}}


def _differences(entry: Entry, decision: Decision) -> list[str]:
    """What an entry stores, against what is decided now: events one by one, tables and transfers row by row. Judgements of the books are left out."""
    stored = [event for event in decode(entry.events) if event["event"] != "judged"]
    decided = decode(encode(decision.events))
    found: list[str] = []
    if stored != decided:
        first = next((i for i, (a, b) in enumerate(zip(stored, decided, strict=False)) if a != b), min(len(stored), len(decided)))
        found.append(f"event {first + 1} differs: stored {stored[first : first + 1]}, decided {decided[first : first + 1]}")
    kept = {name: table for name, table in unpack(entry.tables).items() if not name.startswith("command/") and name != "results"}
    if kept.keys() != decision.tables.keys():
        found.append(f"stored the tables {sorted(kept)}, decided {sorted(decision.tables)}")
    both = sorted(kept.keys() & decision.tables.keys())
    return found + [f"table {name!r} differs{where}" for name in both for where in _unlike(kept[name], decision.tables[name])]


def _unlike(stored: Table, decided: Table) -> list[str]:
    """Where two tables differ: nothing, or one text."""
    if len(stored) != len(decided):
        return [f": stored {len(stored)} rows, decided {len(decided)}"]
    if isinstance(stored, pl.DataFrame) and isinstance(decided, pl.DataFrame):
        if stored.columns != decided.columns:
            return [f": stored the columns {stored.columns}, decided {decided.columns}"]
        unlike = [i for i, (a, b) in enumerate(zip(stored.rows(), decided.rows(), strict=True)) if a != b] if not stored.equals(decided) else []
    else:
        unlike = np.flatnonzero(np.asarray(stored) != np.asarray(decided)).tolist()
    return [f" in {len(unlike)} rows, the first is number {unlike[0] + 1}"] if unlike else []
