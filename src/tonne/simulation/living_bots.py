"""Those who keep a shown market alive: traders quote and trade, verifiers sign, operators report and surrender; a tick at a time, in small commands.

The venue hands in the orders of a tick as one command, because only the venue says what time it is. What is decided depends on the market's state,
the moment and a seed, so the same ticks on the same market do the same again. Nobody is given anything: who has nothing left asks for no more.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from tonne.administration.agenda import day_of
from tonne.administration.commands import Command, Reply
from tonne.administration.permissions import ADMINISTRATOR
from tonne.administration.surrender import admissible, owed_by_installation, surrendered_by_installation
from tonne.dates import day_number
from tonne.market.orders import Instruction, Lasting, Phase, Side, Verb, instructions_of
from tonne.registers.reports import WITH_FIGURE
from tonne.simulation.living_exchange import morning, quote, size
from tonne.simulation.living_plan import VENUE, LivingPlan
from tonne.simulation.randomness import generator
from tonne.simulation.run import REMAINDER, Send

#: Rows of a tick at most; open orders of a trader on one side of an instrument; how far from the middle (in usual distances) an order is taken back.
ROWS, OPEN, FAR = 10, 3, 30
#: A trader's position in a future stays within so many lots; how many ticks in ten bring somebody who takes what is offered, or gives what is bid.
POSITION, TAKES = 60, 4
#: In a minute: reports and surrenders at most; minutes until a verifier signs what waits.
A_MINUTE, SIGNED_AFTER = 2, 4
#: The middle goes by about half a usual distance a tick, and a fiftieth of the way back to the day's reference.
MOVES, BACK = 0.5, 50
_BEGINNING = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class Bots:
    """All of them.

    read   gives the state to look at, as a context: nothing changes while it lasts, and it is short
    send   hands in a command and gives the reply; called outside of `read`
    """

    def __init__(self, read: Callable[[], AbstractContextManager[Any]], send: Send, plan: LivingPlan, seed: int = 1) -> None:
        self._read, self._send, self.plan, self._seed = read, send, plan, seed
        self._minute = -1
        self._seen: dict[str, int] = {}  # installation -> minute in which its report was first seen to wait

    def tick(self, now: datetime) -> list[Reply]:
        """What happens at a moment (with its offset from UTC): replies to what was sent."""
        with self._read() as state:
            commands = self._commands(state, now)
        return [self._send(command) for command in commands]

    def _commands(self, state: Any, now: datetime) -> list[Command]:
        day = max(state.today, self.plan.local(now).date())
        moment = (now - _BEGINNING) // timedelta(microseconds=1)
        random = generator(self._seed, "bots", str(moment), str(state.exchange.book.count))
        found = [] if not self.plan.is_trading(now) or day != self.plan.local(now).date() else self._orders(state, random, day, moment)
        minute = moment // 60_000_000
        if minute != self._minute:
            self._minute = minute
            found += self._registry(state, random, day, minute)
        return found

    # -- on the exchange

    def _orders(self, state: Any, random: Any, day: date, moment: int) -> list[Command]:
        book, board = state.exchange.book, self.plan.board
        time = max(moment, int(book.last_time))
        if time // 86_400_000_000 > day_number(day) + 1:  # the book's clock runs ahead: nothing of today can be said
            return []
        live = [place for place, one in enumerate(board.traded) if self._is_live(state, one.code, day)]
        rows = self._opening(state, time, live)
        live = [place for place in live if book.phase(state.exchange.number(board.traded[place].code)) == Phase.CONTINUOUS]
        if not rows and live:
            flow = _Flow(self, state, random)
            for _ in range(int(random.integers(1, 5))):
                flow.quotes(live[int(random.integers(len(live)))] if random.random() < 0.5 else live[0])
            if int(random.integers(10)) < TAKES:
                flow.takes(live[int(random.integers(len(live)))] if random.random() < 0.4 else live[0])
            number = book.highest
            for row in flow.rows[:ROWS]:
                number += row.verb == Verb.NEW
                rows.append(row._replace(time=time, order=number if row.verb == Verb.NEW else row.order))
        if not rows:
            return []
        return [Command(f"bots:{book.count}:{moment}", "orders", VENUE, day, {}, {"instructions": instructions_of(rows)})]

    def _is_live(self, state: Any, code: str, day: date) -> bool:
        number = state.exchange.number(code)
        return number >= 0 and int(state.exchange.column("last_day")[number]) >= day_number(day)

    def _opening(self, state: Any, time: int, live: list[int]) -> list[Instruction]:
        """The venue begins the day. What it halted in the course of the day stays halted."""
        exchange = state.exchange
        codes = [self.plan.board.traded[place].code for place in live]
        begun = int(exchange.book.last_time) // 86_400_000_000 == time // 86_400_000_000
        closed = [code for code in codes if exchange.book.phase(exchange.number(code)) in (Phase.PRE_OPEN, Phase.POST_CLOSE, Phase.CLOSED)]
        return morning(state, time, {code: int(exchange.marks[exchange.number(code)]) for code in (closed if begun else codes)})

    # -- reports, signatures, surrenders

    def _registry(self, state: Any, random: Any, day: date, minute: int) -> list[Command]:
        plan, year = self.plan, self.plan.year
        rows = state.reports.for_year(year)
        states = dict(zip(rows["installation"].to_list(), rows["state"].to_list(), strict=True))
        found: list[Command] = []
        if _open(state, "report", year, day):
            found += self._reports(random, states, minute, day)
        if _open(state, "verify", year, day):
            found += self._signatures(rows, minute, day)
        if _open(state, "surrender", year, day) and not plan.two_persons:
            found += self._surrenders(state, random, minute, day)
        return found

    def _reports(self, random: Any, states: dict[str, str], minute: int, day: date) -> list[Command]:
        """Operators that have not reported do. What a verifier sent back waits for its operator."""
        plan, found = self.plan, []
        waiting = [
            one
            for one in plan.society.operators
            if one != plan.society.shown and any(states.get(name) in (None, "no_entry", "not_reported") for name in one.installations)
        ]
        for place in random.permutation(len(waiting))[:A_MINUTE].tolist():
            one = waiting[place]
            names = [name for name in one.installations if states.get(name) not in (*WITH_FIGURE, "reported", "rejected")]
            table = pl.DataFrame(
                {"installation": names, "year": [plan.year] * len(names), "emissions": [plan.society.emissions[name] for name in names]}
            )
            table = table.with_columns(pl.col("year").cast(pl.Int32))
            found.append(Command(f"bots:report:{minute}:{one.participant}", "report", one.participant, day, {}, {"reports": table}))
        return found

    def _signatures(self, rows: pl.DataFrame, minute: int, day: date) -> list[Command]:
        """A verifier signs what has waited for some minutes; the persona's verifier is somebody's, and signs by itself."""
        plan, found = self.plan, []
        waiting = rows.filter(pl.col("state") == "reported", pl.col("installation") != REMAINDER)
        reported = dict(zip(waiting["installation"].to_list(), waiting["reported"].to_list(), strict=True))
        self._seen = {name: self._seen.get(name, minute) for name in reported}
        for verifier in sorted({plan.verifier_of(name) for name in reported} - {plan.people["verifier"].participant}):
            ready = [
                n for n in reported if plan.verifier_of(n) == verifier and minute - self._seen[n] >= SIGNED_AFTER and n != plan.shown.installation
            ]
            names = sorted(ready, key=lambda name: (self._seen[name], name))[:A_MINUTE]
            if names:
                table = pl.DataFrame({"installation": names, "year": [plan.year] * len(names), "verified": [reported[name] for name in names]})
                table = table.with_columns(pl.col("year").cast(pl.Int32))
                found.append(Command(f"bots:verify:{minute}:{verifier}", "verify", verifier, day, {}, {"reports": table}))
        return found

    def _surrenders(self, state: Any, random: Any, minute: int, day: date) -> list[Command]:
        """Operators with a verified figure surrender what they owe, once they have all of it."""
        plan, year = self.plan, self.plan.year
        probe = Command("probe", "surrender", ADMINISTRATOR, day, {"year": year})
        figures = state.reports.for_year(year).filter(pl.col("state").is_in(WITH_FIGURE)).select("installation")
        owed = owed_by_installation(state, probe, year, interim=False).join(figures, on="installation", how="semi")
        rows = owed.join(surrendered_by_installation(state), on="installation", how="left")
        left = dict(rows.select("installation", pl.col("owed") - pl.col("surrendered").fill_null(0)).iter_rows())
        owing = [(one.participant, name) for one in plan.society.operators for name in one.installations if one != plan.society.shown]
        units = admissible(state, probe, year)
        found: list[Command] = []
        for place in random.permutation(len(owing)).tolist():
            participant, name = owing[place]
            account, quantity = state.accounts.number(f"operator:{name}"), left.get(name, 0)
            if 0 < quantity <= sum(state.books.available(account, unit) for unit in units) and len(found) < A_MINUTE:
                table = pl.DataFrame({"installation": [name], "quantity": [quantity]})
                found.append(Command(f"bots:surrender:{minute}:{name}", "surrender", participant, day, {"year": year}, {"surrenders": table}))
        return found


class _Flow:
    """The rows of one tick, as they are made: what is spent by earlier ones is not spent again."""

    def __init__(self, bots: Bots, state: Any, random: Any) -> None:
        self.plan, self.state, self.random = bots.plan, state, random
        #: Whoever somebody acts for trades by hand: nobody wants orders that one did not give.
        self.traders = [one for one in self.plan.traders if one != self.plan.people["trader"].participant]
        self.rows: list[Instruction] = []
        self.exchange, self.board = state.exchange, bots.plan.board
        self.open = self.exchange.book.open_orders()
        self._free: dict[tuple[int, int], int] = {}

    def quotes(self, place: int) -> None:
        """A trader takes back what lies too far off or is one too many, and puts a new order beside the middle."""
        random = self.random
        account = int(self.state.accounts.number(self.traders[int(random.integers(len(self.traders)))]))
        number = self.exchange.number(self.board.traded[place].code)
        middle = self.middle(place, number)
        order = quote(random, self.board, place, middle, account)._replace(instrument=number)
        mine = self.open[(self.open["account"] == account) & (self.open["instrument"] == number) & (self.open["side"] == int(order.side))]
        away = np.abs(mine["price"].astype(np.int64) - middle)
        taken = {row.order for row in self.rows}
        farthest = [row for row in np.argsort(-away, kind="stable").tolist() if int(mine["order"][row]) not in taken]
        for rank, row in enumerate(farthest[:2]):
            if away[row] > FAR * self.board.step(place) or len(mine) - rank >= OPEN:
                self.rows.append(Instruction(verb=Verb.CANCEL, order=int(mine["order"][row]), account=account, instrument=number))
        if self.covered(order, place):
            self.rows.append(order)

    def takes(self, place: int) -> None:
        """A trader, or in the spot an operator, trades with the best price at once."""
        plan, random = self.plan, self.random
        number = self.exchange.number(self.board.traded[place].code)
        bid, offer = self.exchange.book.best(number)
        side = Side(int(random.integers(2)))
        price = int(offer if side == Side.BUY else bid)
        if not price:
            return
        who = self.traders[int(random.integers(len(self.traders)))]
        if place == 0 and random.random() < 0.5:
            one = plan.society.operators[int(random.integers(len(plan.society.operators)))]
            if one == plan.society.shown:
                return
            who = f"operator:{one.installations[0]}"
        order = Instruction(price=price, quantity=size(random, self.board, place), account=int(self.state.accounts.number(who)), side=side)
        order = order._replace(instrument=number, lasting=Lasting.IOC)
        if self.covered(order, place):
            self.rows.append(order)

    def middle(self, place: int, number: int) -> int:
        """Between the best prices, moved a little, and drawn back to the day's reference."""
        bid, offer = self.exchange.book.best(number)
        mark = int(self.exchange.marks[number])
        now = (int(bid) + int(offer)) // 2 if bid and offer else int(bid or offer or mark)
        moved = int(np.rint(self.random.standard_normal() * MOVES * self.board.step(place)))
        return max(now + moved + (mark - now) // BACK, 1)

    def covered(self, order: Instruction, place: int) -> bool:
        """Whether the account has what the order may cost; then it is spent as far as this tick goes. Positions in futures stay small."""
        exchange, number = self.exchange, int(order.instrument)
        member = exchange.member(int(order.account))
        bought = order.side == Side.BUY
        if exchange.column("margined")[number]:
            held = int(exchange.position[member, number]) * (1 if bought else -1)
            waiting = int((exchange.bought if bought else exchange.sold)[member, number])
            account, unit = int(exchange.column("collateral")[member]), int(exchange.column("money")[number])
            need = int(exchange.worst[number]) * int(order.quantity)
            if held + waiting + int(order.quantity) > POSITION:
                return False
        else:
            account = int(order.account)
            unit = int(exchange.column("money" if bought else "unit")[number])
            each = int(order.price) * int(exchange.column("tick_value")[number]) if bought else int(exchange.column("lot")[number])
            need = each * int(order.quantity)
        low, high = (int(getattr(exchange.book.state(number), name)) for name in ("lowest_accepted", "highest_accepted"))
        free = self._free.get((account, unit), int(self.state.books.available(account, unit)))
        if need > free or (low and not low <= int(order.price) <= high):
            return False
        self._free[account, unit] = free - need
        return True


def _open(state: Any, task: str, year: int, day: date) -> bool:
    """Whether the deadline of a task lies ahead."""
    until = day_of(state, task, year)
    return until is None or day <= until
