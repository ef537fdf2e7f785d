"""A server's inside: the markets it keeps open (halls), the logins, the clock, what is pushed to browsers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from tonne.administration.commands import Command, Reply, decode
from tonne.administration.decision import Decision
from tonne.administration.events import ACCEPTED, Entry
from tonne.administration.moments import clock_of
from tonne.administration.state import State
from tonne.interfaces.web import keeping
from tonne.interfaces.web.clock import Clock
from tonne.interfaces.web.outgoing import Outgoing
from tonne.interfaces.web.settings import Settings
from tonne.interfaces.web.streams import Hub
from tonne.law import Rulebook
from tonne.people import Limits, People
from tonne.store.desk import Desk

EXISTS_OTHERWISE = "exists_with_different_content"
#: What is worked out once for each sequence of a market: so many things, then all are made anew.
CACHED_MOST = 5_000
#: Set by the server when it takes a command: a second sending carries another moment, and is the same wish all the same.
SERVERS_OWN = ("moment", "without_right")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a command: the clerk's answer, and what the log holds of it."""

    command_id: str
    kind: str
    outcome: str
    reason: str
    sequence: int
    repeated: bool
    day: date
    events: tuple[Mapping[str, Any], ...] = ()

    @property
    def accepted(self) -> bool:
        return self.outcome == ACCEPTED


class Hall:
    """One market, open. Reads hold the gate for milliseconds; commands go to its only writer."""

    def __init__(self, desk: Desk, clock: Clock, hub: Hub, outgoing: Outgoing) -> None:
        self.desk, self.clock, self.hub, self.outgoing = desk, clock, hub, outgoing
        self.rulebook: Rulebook = desk.administration.founding_rulebook
        self.system: str = self.rulebook.system.id
        self.cache: dict[Any, Any] = {}
        self._zone: tuple[Any, tzinfo] | None = None
        hub.tape(self)
        desk.watch = lambda command, reply: hub.decided(self, command, reply)

    # -- reading

    @contextmanager
    def read(self) -> Iterator[State]:
        """The state as the log has it. Raises StoreStopped after a failure of the store."""
        with self.desk.reading() as administration:
            yield administration.state

    @property
    def sequence(self) -> int:
        """Of the last entry decided: whatever is worked out of the state holds as long as this stands."""
        return self.desk.administration.sequence

    def cached(self, key: Any, make: Any) -> Any:
        """`make(state)` under the gate, once for each sequence. For what is shown to everybody."""
        sequence = self.sequence
        found = self.cache.get(key)
        if found is not None and found[0] == sequence:
            return found[1]
        with self.read() as state:
            sequence, made = self.sequence, make(state)
        if len(self.cache) >= CACHED_MOST:
            self.cache.clear()
        self.cache[key] = (sequence, made)
        return made

    # -- time

    @property
    def zone(self) -> tzinfo:
        """The registry's clock, as the law has it."""
        state = self.desk.administration.state
        key = (state.today, len(state.amendments))
        if self._zone is None or self._zone[0] != key:
            self._zone = (key, clock_of(state))
        return self._zone[1]

    def now(self) -> datetime:
        """The moment on the registry's clock, to the second."""
        return self.clock.now().astimezone(self.zone).replace(microsecond=0)

    @property
    def today(self) -> date:
        """The registry's day; never before what the market has seen."""
        return max(self.now().date(), self.desk.administration.state.today)

    # -- commands

    def command(self, participant: str, key: str, kind: str, body: Mapping[str, Any], tables: Mapping[str, Any] | None = None) -> Command:
        """A wish of a participant, under the id that the sender's key makes."""
        return Command(f"web:{participant}:{key}", kind, participant, self.today, body, tables or {})

    def send(self, command: Command) -> Receipt:
        """Hand in a command; when this returns, it is stored. Sent again with its id, it answers as it did the first time.

        Raises StoreStopped, StoreBusy.
        """
        return self.receipt(command, self.desk.call(command))

    def preview(self, command: Command) -> Decision:
        """What a command would do now. Raises Refusal, StoreStopped."""
        with self.desk.reading() as administration:
            return administration.preview(command)

    def submit(self, command: Command) -> Future[Reply]:
        """Like `send`, for callers that must not block; make a Receipt of the reply by `receipt`."""
        future: Future[Reply] = self.desk.submit(command)
        return future

    def receipt(self, command: Command, reply: Reply) -> Receipt:
        """What to tell the sender. A second sending differs by the day and the moment at which the server took it: these are not the sender's."""
        if reply.outcome == EXISTS_OTHERWISE and (entry := self.desk.log.find(command.id)) is not None:
            first = decode(entry.command)["body"]
            again = {**command.body, **{name: first[name] for name in SERVERS_OWN if name in first}}
            if entry.day != command.day or again != command.body:
                command = replace(command, day=entry.day, body=again)
                reply = self.desk.call(command)
        if not reply.repeated:
            events = tuple(reply.events)
            if reply.accepted:
                self.hub.happened(self, command, reply)
                self.outgoing.happened(self, command.kind, command.body, command.id)
        else:
            events = self._told(command.id) if reply.outcome != EXISTS_OTHERWISE else ()
        return Receipt(command.id, command.kind, reply.outcome, reply.reason, reply.sequence, reply.repeated, command.day, events)

    def _told(self, command_id: str) -> tuple[Mapping[str, Any], ...]:
        entry = self.entry(command_id)
        return tuple(decode(entry.events)) if entry is not None else ()

    def entry(self, command_id: str) -> Entry | None:
        """The log's entry of a command."""
        return self.desk.log.find(command_id)


@dataclass
class Place:
    """Everything one server holds.

    started, stopping: for readiness and a graceful end. demo: what a demonstration adds, None elsewhere. metrics: set by the
    application. provider: of identities, once it was asked.
    """

    settings: Settings
    people: People
    clock: Clock
    hub: Hub
    halls: dict[str, Hall] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    demo: Any = None
    metrics: Any = None
    provider: Any = None
    webhooks: Any = None
    tidied: date | None = None
    started: bool = False
    stopping: bool = False

    def __post_init__(self) -> None:
        self.outgoing = Outgoing(self)
        self.people.watch(lambda kind, which: self.hub.end())

    def open_hall(self, desk: Desk) -> Hall:
        hall = Hall(desk, self.clock, self.hub, self.outgoing)
        self.halls[hall.system] = hall
        return hall

    @staticmethod
    def real_now() -> datetime:
        """The time of this world: logins, sessions and the audit trail live in it, also where the market's clock is a demo's."""
        return datetime.now(UTC)

    def counted(self, kind: str, outcome: str) -> None:
        if self.metrics is not None:
            self.metrics.commands.labels(kind, outcome).inc()

    def keep(self) -> None:
        """What has to be done when its time comes, and by nobody in particular. Called every second, by one thread at a time."""
        for hall in self.halls.values():
            if hall.desk.failure is None:  # a stopped store takes nothing; letters and the trail go on
                keeping.keep(hall, self.people)
            if self.metrics is not None:
                self.metrics.entries.labels(hall.system).set(hall.sequence)
        now = self.real_now()
        self.people.flush(now)
        if self.tidied != now.date():  # once a day: what is past its retention goes
            self.people.tidy(now)
            self.tidied = now.date()
        self.outgoing.turn(now)

    def close(self) -> None:
        """Give everything back; what was acknowledged is stored."""
        for hall in self.halls.values():
            hall.desk.close()
        if self.webhooks is not None:
            self.webhooks.close()
        self.people.close()
