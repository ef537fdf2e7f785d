"""What happened in a living market before it is shown: a run's years, in which some surrender late or too little; and auctions announced ahead."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from tonne.administration.agenda import Task
from tonne.administration.clerk import Administration
from tonne.administration.commands import Command
from tonne.administration.permissions import ADMINISTRATOR
from tonne.administration.surrender import admissible, owed_by_installation, surrendered_by_installation
from tonne.simulation.living_people import Society
from tonne.simulation.run import REMAINDER, Send, World
from tonne.simulation.trading import Trading, dealer
from tonne.units import NEAREST, decimals_of, fraction, multiply

VERIFIERS = ("verifier-1", "verifier-2", "verifier-3")
REST_ACCOUNT = f"operator:{REMAINDER}"


class LivingTrading(Trading):
    """The auctions of a living market. The dealers bid, who are the rest of the market, and the operators that lack most; the traders trade."""

    def bidders(self) -> list[str]:
        names = self.world.state.accounts.ids
        return [names[number] for number in self.world.state.accounts.of_holder("dealers")]

    def coming(self, year: int, count: int) -> list[tuple[str, date]]:
        """Names and days of the next auctions of a year."""
        plan = self.auctions
        return [(plan.names[place], plan.planned[place].day) for place in plan.coming(year)[:count]]

    def put_up(self, day: date, year: int, count: int) -> None:
        """Units of the next auctions onto the auction account: their shares of the year's volume."""
        plan = self.auctions
        self._share_out(year, day, self._rules(self.world.state.law(day)))
        for place in plan.coming(year)[:count]:
            self._offer(plan.names[place], year, plan.planned[place].quantity, day)

    def announce(self, day: date, year: int, which: int) -> None:
        """One of the next auctions, with bids secured: it is open until its day."""
        plan, state = self.auctions, self.world.state
        place = plan.coming(year)[which]
        name, held_on = plan.names[place], plan.planned[place].day
        rules = self._rules(state.law(held_on))
        assert rules is not None
        shares = [plan.planned[one].quantity // rules.step * rules.step for one in plan.coming(year)[: which + 1]]
        before = dict(self._on_the_stall(sum(shares[:-1])))
        lots = [(code, units - before.get(code, 0)) for code, units in self._on_the_stall(sum(shares)) if units > before.get(code, 0)]
        category = self._category(rules)
        body: dict[str, Any] = {"auction": name, "held_on": held_on.isoformat(), "secured": True}
        body["offers"] = [["auction", code, units, "", category] for code, units in lots]
        self.world.must(Command(f"announce:{which}", "announce_auction", "auctioneer", day, body))

    def bid(self, day: date, year: int) -> None:
        """What came in so far for the auction that is held next; the money that stands behind it is paid in before."""
        state, name = self.world.state, self.coming(year, 1)[0][0]
        rules = self._rules(state.law(day))
        assert rules is not None
        offered = sum(row["quantity"] for row in state.exchange.sales[name]["offers"])
        rows = self._bids(name, year, state.law(day), rules, offered)
        if not rows:
            return
        frame = pl.DataFrame(rows, schema={"account": pl.String, "price": pl.String, "quantity": pl.Int64, "kind": pl.String}, orient="row")
        digits = 10 ** decimals_of(state.rulebook.system.currency)
        minor = [
            int(multiply(units, fraction(price) * digits, rounding=NEAREST)) for price, units in zip(frame["price"], frame["quantity"], strict=True)
        ]
        behind = frame.select("account").with_columns(minor=pl.Series(minor, dtype=pl.Int64)).group_by("account", maintain_order=True).sum()
        body = {"currency": state.rulebook.system.currency}
        self.world.must(Command("paid-in:bids", "deposit", "settlement-bank", day, body, {"deposits": behind}))
        self.world.must(Command("bids:0", "bid", "auctioneer", day, {"auction": name}, {"bids": frame}))


class LivingWorld(World):
    """The people of a living market's past."""

    def __init__(self, administration: Callable[[], Administration], send: Send, people: Society, first: int, last: int) -> None:
        super().__init__(administration, send, people.inputs, first, last)
        self.people = people
        self.trading: LivingTrading = LivingTrading(self)

    @property
    def papers(self) -> str:
        """What the log's founding is compared with."""
        return self._papers()

    def dealers(self, day: date) -> pl.DataFrame:
        """The accounts of the rest of the market, which bids at the auctions."""
        names = [dealer(number) for number in range(self.trading.dealers(day))]
        nobody = pl.Series([None] * len(names), dtype=pl.String)
        return pl.DataFrame({"account": names, "kind": "trading", "holder": "dealers", "installation": nobody})

    def _report(self, task: Task) -> None:
        """The authority enters what everybody reported; three verifiers sign, each for its own."""
        rows = self.reports.filter(pl.col("year") == task.year, pl.col("verified").is_not_null())
        figures = rows.select("installation", "year", emissions="verified")
        self.must(Command(f"reports:{task.year}", "report", ADMINISTRATOR, task.day, {}, {"reports": figures}))
        for verifier, frame in by_verifier(rows.select("installation", "year", "verified", "state")):
            self.must(Command(f"verified:{task.year}:{verifier}", "verify", verifier, task.day, {}, {"reports": frame}))

    def _wanted(self, task: Task) -> pl.DataFrame:
        """What is owed, less what some forget and some have not."""
        rows = super()._wanted(task)
        late, short = (pl.col("installation").is_in(list(names)) for names in (self.people.late, self.people.short))
        less = pl.when(short).then(pl.col("quantity") * 9 // 10).otherwise(pl.col("quantity"))
        return rows.filter(~late).with_columns(quantity=less).filter(pl.col("quantity") > 0)

    def _trade(self, task: Task, units: Sequence[int], accounts: Any, need: Any) -> None:
        """The rest of the system is supplied by the rest of the market, beside the exchange: what is traded there is what the others need."""
        state = self.state
        rest, market = (state.accounts.number(name) for name in (REST_ACCOUNT, "remainder"))
        lack = sum(int(need[row]) for row in (accounts == rest).nonzero()[0].tolist()) - sum(state.books.available(rest, unit) for unit in units)
        for unit in units:
            moved = min(lack, state.books.available(market, unit))
            if moved > 0:
                self._hand_over(task, unit, {rest: moved}, {market: moved})
                lack -= moved
        super()._trade(task, units, accounts, need)

    def caught_up(self, year: int, day: date) -> pl.DataFrame:
        """installation, quantity: what those who were late for a year surrender now, as far as they have it."""
        probe = Command("probe", "surrender", ADMINISTRATOR, day, {"year": year})
        owed = dict(owed_by_installation(self.state, probe, year, interim=False).iter_rows())
        met = dict(surrendered_by_installation(self.state).iter_rows())
        units, rows = admissible(self.state, probe, year), []
        for name in self.people.late:
            account = self.state.accounts.number(f"operator:{name}")
            have = sum(self.state.books.available(account, unit) for unit in units)
            quantity = min(owed.get(name, 0) - met.get(name, 0), have)
            if quantity > 0:
                rows.append((name, quantity))
        return pl.DataFrame(rows, schema={"installation": pl.String, "quantity": pl.Int64}, orient="row")


def verifier_of(installation: str, others: Mapping[str, str]) -> str:
    """Who verifies an installation: the one named in `others`, else by its number."""
    digits = "".join(sign for sign in installation if sign.isdigit())
    return others.get(installation, VERIFIERS[int(digits or 0) % len(VERIFIERS)])


def by_verifier(rows: pl.DataFrame, others: Mapping[str, str] | None = None) -> list[tuple[str, pl.DataFrame]]:
    """A table's rows, apart by who verifies them; verifiers without a row are left out."""
    whose = pl.Series([verifier_of(name, others or {}) for name in rows["installation"].to_list()], dtype=pl.String)
    found = [(verifier, rows.filter(whose == verifier)) for verifier in VERIFIERS]
    return [(verifier, frame) for verifier, frame in found if frame.height]
