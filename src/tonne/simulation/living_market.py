"""A market in the middle of its year, built by commands: a year that was played to its penalties, and the next one up to the day that is shown.

On that day operators can still report for the last year, surrender for it and buy; one of them, for whom somebody acts, has not reported yet.
Everybody is SYNTHETIC. Every command has an id made from its step: building again on the same log does nothing twice; what was interrupted goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from tonne.administration.agenda import Task, day_of, tasks
from tonne.administration.clerk import Administration
from tonne.administration.commands import Command, Table
from tonne.administration.decision import move
from tonne.administration.events import ACCEPTED
from tonne.administration.kinds import Kind
from tonne.administration.permissions import ADMINISTRATOR
from tonne.simulation.living_exchange import DAYS, PARTS, day_rows, full_book, levels, listing_of, margin_of, money_of
from tonne.simulation.living_history import LivingWorld, by_verifier
from tonne.simulation.living_people import REST, registered
from tonne.simulation.living_plan import BANK, VENUE, LivingPlan, plan_of, trader_name
from tonne.simulation.living_reports import Filed, filed
from tonne.simulation.run import REMAINDER, Send

__all__ = ["LivingPlan", "build", "plan_of"]

#: Days after the deadline on which those who were late surrender; what a trader begins with, in units at the newest price and in units.
CATCH_UP, MONEY, COLLATERAL, UNITS, FUND = 12, 400_000, 300_000, 300_000, 5_000
#: Money of an operator: what it lacks and a little, at most so many units.
LEAST_CASH, MOST_CASH = 2_000, 20_000

Made = tuple[Mapping[str, Any], Mapping[str, Table]]


class Moment(NamedTuple):
    """Something that happens on a day: `id` is the command by which one sees that it was done, `act` everything up to it, `after` what follows."""

    day: date
    id: str
    act: Callable[[], None]
    after: Callable[[], None] = lambda: None
    task: Task | None = None


def build(
    administration: Callable[[], Administration],
    send: Send,
    plan: LivingPlan,
    progress: Callable[[str, int, int], None] = lambda what, done, of: None,
) -> None:
    """Bring a market to the day that is shown. `administration()` gives the state to read, `send` changes it; what is stored is not done again.

    Raises RunRefused when a command is refused, also by a log that holds another market; what was done before stays done.
    """
    world = LivingWorld(administration, send, plan.society, plan.first_year, plan.year + 1)
    Builder(world, plan, administration).build(progress)


class Builder:
    """The moments of a living market, in order."""

    def __init__(self, world: LivingWorld, plan: LivingPlan, administration: Callable[[], Administration]) -> None:
        self.world, self.plan, self._administration = world, plan, administration
        self.board = plan.board

    @property
    def state(self) -> Any:
        return self._administration().state

    def build(self, progress: Callable[[str, int, int], None]) -> None:
        plan, world = self.plan, self.world
        self._found()
        moments = [*self._founding(), *sorted(self._past(), key=lambda moment: moment.day), *self._shown()]
        done = [self._administration().outcome_of(moment.id) == ACCEPTED for moment in moments]
        resumed = max((place for place, there in enumerate(done) if there), default=-1)
        eve = plan.day - timedelta(days=1)
        for place, moment in enumerate(moments):
            progress(moment.id, place, len(moments))
            world.trading.hold(min(moment.day, eve))
            if place > resumed:
                moment.act()
            if moment.task is not None and moment.task.name in ("issue", "allocate"):
                world.trading.plan(moment.task)
            if place >= resumed:
                moment.after()
        progress("done", len(moments), len(moments))

    # -- saying things

    def _say(self, day: date, id: str, kind: str, by: str, body: Mapping[str, Any] | None = None, **tables: Table) -> Moment:
        """A moment of one command that is known beforehand."""
        return Moment(day, id, lambda: self.world.must(Command(id, kind, by, day, body or {}, tables)))

    def _make(self, day: date, id: str, kind: str, by: str, make: Callable[[], Made | None]) -> Moment:
        """A moment of one command that depends on the state; None: there is nothing to do."""

        def act() -> None:
            made = make()
            if made is not None:
                self.world.must(Command(id, kind, by, day, *made))

        return Moment(day, id, act)

    # -- paperwork

    def _found(self) -> None:
        plan, book = self.plan, self.plan.book
        papers = f"{self.world.papers}:living:{plan.seed}:{plan.day}"
        body: dict[str, Any] = {"system": book.system.id, "scenario": book.scenario, "first_year": plan.first_year, "papers": papers}
        body |= {"two_persons": True} if plan.two_persons else {}
        self.world.file(Command("found", "found", ADMINISTRATOR, plan.founded, body))

    def _founding(self) -> Iterator[Moment]:
        day, plan = self.plan.founded, self.plan
        people = [(one.participant, one.name, one.role) for one in plan.people.values() if one.role not in ("administrator", "operator", "trader")]
        people += [("verifier-2", "Millstone Assurance (SYNTHETIC)", "verifier"), ("verifier-3", "Northlight Audit (SYNTHETIC)", "verifier")]
        people += [(name, trader_name(number), "trader") for number, name in enumerate(plan.traders, 1)]
        people += [("dealers", "Rest of the market: dealers (SYNTHETIC)", "trader"), (REST, "Rest of the system (SYNTHETIC)", "operator")]
        people += [(one.participant, one.name, "operator") for one in plan.society.operators]
        for participant, name, role in people:
            body = {"participant": participant, "name": name, "role": role, "country": ""}
            yield self._say(day, f"register:{participant}", "register_participant", ADMINISTRATOR, body)
        yield self._say(day, "register:installations", "register_installations", ADMINISTRATOR, installations=registered(plan.society))
        traders = list(plan.traders)
        nobody = pl.Series([None] * len(traders), dtype=pl.String)
        accounts = pl.DataFrame({"account": traders, "kind": "trading", "holder": traders, "installation": nobody})
        yield self._say(day, "open:traders", "open_accounts", ADMINISTRATOR, accounts=accounts)
        yield self._say(day, "open:dealers", "open_accounts", ADMINISTRATOR, accounts=self.world.dealers(day))
        yield self._say(day, "open:exchange", "open_exchange", VENUE, {"venue": "exchange"})
        yield self._say(day, "admit:traders", "admit", VENUE, {"clearing": True}, accounts=pl.DataFrame({"account": traders}))
        yield self._make(day, "admit:others", "admit", VENUE, self._others)

    def _others(self) -> Made:
        accounts = self.state.accounts
        known = set(self.plan.traders)
        names = [accounts.ids[number] for kind in ("operator", "trading", "remainder") for number in accounts.of_kind(kind)]
        return {}, {"accounts": pl.DataFrame({"account": [name for name in names if name not in known]})}

    # -- what is over when the market is shown

    def _past(self) -> Iterator[Moment]:
        """In the order in which moments of one day follow each other."""
        plan = self.plan
        for task in tasks(self.state, plan.first_year, plan.year + 1):
            if task.day < plan.day and task.day >= plan.founded:
                yield self._task(task)
        issued = max(day for year in (plan.first_year, plan.year) if (day := day_of(self.state, "issue", year)) is not None)
        yield self._make(issued + timedelta(days=1), "list:spot", "list_instrument", VENUE, lambda: self._listed(0))
        late = day_of(self.state, "surrender", plan.first_year)
        assert late is not None
        evening = self.board.calendar.on_or_after(late)
        yield self._say(evening, f"close:{evening}", "close_day", VENUE)
        day = self.board.calendar.on_or_after(late + timedelta(days=CATCH_UP))
        yield self._make(day, f"late:{plan.first_year}", "surrender", ADMINISTRATOR, lambda: self._late(day))
        for one in filed(plan):
            yield from self._filed(one)
        yield from self._trading()

    def _task(self, task: Task) -> Moment:
        def act() -> None:
            self.world.before(task)
            self.world.must(task.command() if task.name != "penalise" else self.world.penalty_command(task))

        return Moment(task.day, f"{task.name}:{task.year}", act, lambda: self.world.after(task), task)

    def _late(self, day: date) -> Made | None:
        rows = self.world.caught_up(self.plan.first_year, day)
        return ({"year": self.plan.first_year}, {"surrenders": rows}) if rows.height else None

    def _filed(self, one: Filed) -> Iterator[Moment]:
        if one.kind == "report":
            yield self._say(one.day, one.id, "report", one.by, {}, reports=one.rows)
        else:
            whose = {self.plan.shown.installation: self.plan.people["verifier"].participant}
            for verifier, rows in by_verifier(one.rows, whose):
                yield self._say(one.day, f"{one.id}:{verifier}", "verify", verifier, {}, reports=rows)

    # -- the weeks of trading before

    def _trading(self) -> Iterator[Moment]:
        plan, board = self.plan, self.board
        days = [board.calendar.add(plan.day, -back) for back in range(DAYS, -1, -1)]
        prices = levels(board, days, plan.seed)
        begins = days[0]
        yield self._make(begins, "units:traders", "transfer", ADMINISTRATOR, self._units)
        for what, minor in self._money().items():
            frame = pl.DataFrame({"account": list(minor), "minor": list(minor.values())}, schema={"account": pl.String, "minor": pl.Int64})
            yield self._say(begins, f"paid-in:{what}", "deposit", BANK, {"currency": board.floor.currency}, deposits=frame)
        yield self._say(begins, "margin", "set_margin", VENUE, margin_of(board))
        for place in range(1, len(board.traded)):
            yield self._future(begins, place, prices[begins])
        for before, day in zip([begins, *days], days[:-1], strict=False):
            for part in range(PARTS):  # from the day before to this day's price
                yield self._orders(day, part, prices[before] + (prices[day] - prices[before]) * (part + 1) // PARTS)
            yield self._say(day, f"close:{day}", "close_day", VENUE, {"window_minutes": 30})

    def _future(self, day: date, place: int, level: int) -> Moment:
        return self._make(day, f"list:{self.board.traded[place].code}", "list_instrument", VENUE, lambda: self._listed(place, level))

    def _orders(self, day: date, part: int, level: int) -> Moment:
        def made() -> Made:
            rows = day_rows(self.state, self.board, self._numbers(), day, part, level, self.plan.seed)
            return {}, {"instructions": rows}

        return self._make(day, f"trades:{day}:{part}", "orders", VENUE, made)

    def _numbers(self) -> list[int]:
        """Ledger numbers of the traders' accounts."""
        return [int(self.state.accounts.number(name)) for name in self.plan.traders]

    def _listed(self, place: int, level: int | None = None) -> Made:
        """An instrument, at the price of the day; the spot is listed earlier, at the price of its year."""
        board, state = self.board, self.state
        ticks = board.ticks(place, level, state.today) if level is not None else board.level
        return listing_of(board, place, state.allowance_code(self.plan.year), ticks, self.plan.seed), {}

    def _units(self) -> Made:
        """What the traders begin with comes from the rest of the market and its dealers: so much, or all alike a part of half of what there is."""
        state = self.state
        unit = state.unit(state.allowance_code(self.plan.year))
        sources = [state.accounts.number("remainder"), *state.accounts.of_holder("dealers")]
        there = {source: state.books.available(source, unit) for source in sources}
        each, rows = min(UNITS, sum(there.values()) // 2 // len(self.plan.traders)), []
        for target in self._numbers():
            left = each
            for source in sources:
                taken = min(left, there[source])
                there[source] -= taken
                left -= taken
                rows += [(source, target, taken)] if taken else []
        givers, targets, units = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
        command = Command("units:traders", "transfer", ADMINISTRATOR, state.today)
        return {}, {"transfers": move(command, Kind.TRANSFER, givers, targets, unit, units)}

    def _money(self) -> dict[str, dict[str, int]]:
        """Minor units that the bank pays in: for trading, behind positions, against a default, and for the operators what they may have to buy."""
        board, traders = self.board, self.plan.traders
        unit = money_of(board, {0: 1}) // board.spot.contract.lot
        lacking = self.world.reports.filter(pl.col("year") == self.plan.year, pl.col("installation") != REMAINDER).sort("installation")
        units = lacking.select("installation", lack=(pl.col("verified") - pl.col("allocated")).clip(LEAST_CASH, MOST_CASH))
        return {
            "trading": dict.fromkeys(traders, MONEY * unit),
            "collateral": {f"collateral:{name}": COLLATERAL * unit for name in traders},
            "default-fund": {f"default_fund:{name}": FUND * unit for name in traders} | {"ccp-capital": FUND * unit},
            "operators": {f"operator:{name}": lack * unit for name, lack in units.iter_rows()},
        }

    # -- the day itself

    def _shown(self) -> Iterator[Moment]:
        """The morning's trades, the auction that is open and the next one, and a full book."""
        plan, board, trading, day = self.plan, self.board, self.world.trading, self.plan.day

        def announce() -> None:
            trading.put_up(day, day.year, 2)
            trading.announce(day, day.year, 0)
            trading.announce(day, day.year, 1)

        def book() -> Made:
            time = board.floor.session.time(day, board.floor.session.minute(board.floor.session.length // PARTS))
            return {}, {"instructions": full_book(self.state, board, self._numbers(), day, time, plan.seed)}

        yield Moment(day, "announce:1", announce)
        yield Moment(day, "bids:0", lambda: trading.bid(day, day.year))
        yield self._orders(day, 0, board.level)
        yield self._make(day, "full-book", "orders", VENUE, book)
