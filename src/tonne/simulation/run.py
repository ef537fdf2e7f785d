"""Runs a market through its years: the law acts on its days, people act by commands, the books keep what came of it.

People here are plain: everybody reports on the deadline, buys what is lacking from whoever has it, and surrenders what the records say was
surrendered (or what is owed, where no record is given). Every command has an id made from its year and verb, so that a run that was
interrupted can be started again on the same log: what is stored is not done twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from tonne.administration.agenda import Task, tasks
from tonne.administration.asks import answer, offers
from tonne.administration.clerk import Administration
from tonne.administration.commands import Command, Reply
from tonne.administration.decision import move
from tonne.administration.events import ACCEPTED
from tonne.administration.kinds import Kind
from tonne.administration.penalise import answers_fine
from tonne.administration.permissions import ADMINISTRATOR
from tonne.administration.purchase import price_by_law
from tonne.administration.stabilise import reserve_parts
from tonne.administration.surrender import (
    admissible,
    admitted_by_installation,
    owed_by_installation,
    payable_by_installation,
    period_end,
    surrendered_by_installation,
)
from tonne.law import LawError
from tonne.registers.installations import INSTALLATION_SCHEMA, Installations
from tonne.registers.reports import Reports
from tonne.simulation.randomness import generator
from tonne.simulation.trading import Trading
from tonne.units import NEAREST, fraction, round_decimal

REMAINDER = "remainder"
Send = Callable[[Command], Reply]


@dataclass(frozen=True)
class Inputs:
    """What a run is given.

    installations, reports   the registers as loaded; a report may carry allocated and surrendered units
    activity                 a frame in the activity register's columns, where the law's own rule is to allocate
    totals                   published totals by year (columns year, allocated, allocated_transitional, allocated_new_entrant, verified, surrendered)
    opening                  units in circulation before the first year, and where the figure is from
    prices                   money per unit by year; a sale without a price moves units only
    synthetic                the label of a generated population, `` for real records
    estimated                the totals' allocation is an estimate, because nobody published or gave it
    lapses                   a seed: about one generated operator in 250 surrenders a tenth too little; None: nobody does
    """

    installations: Installations
    reports: Reports
    activity: pl.DataFrame | None = None
    totals: pl.DataFrame | None = None
    opening: tuple[int, str] | None = None
    prices: Mapping[int, Decimal] = field(default_factory=dict)
    synthetic: str = ""
    estimated: bool = False
    lapses: int | None = None


class RunRefused(Exception):
    """A command that the run depends on was refused. The message is the refusal's."""

    def __init__(self, command: Command, reply: Reply) -> None:
        super().__init__(f"{command.id} was refused: {reply.outcome}: {reply.reason}")
        self.reply = reply


def run(
    administration: Callable[[], Administration],
    send: Send,
    inputs: Inputs,
    first_year: int,
    last_year: int,
    progress: Callable[[str, int, int], None] = lambda what, done, of: None,
) -> None:
    """Carry a market through the emissions years first to last, deadlines included. `administration()` gives the state to read, `send` changes it.

    Raises RunRefused when the law or the books refuse what the run depends on; what was done before stays done.
    """
    rulebook = administration().founding_rulebook
    world = World(administration, send, inputs, first_year, last_year)
    world.prepare(max(rulebook.system.begins, date(first_year - 1, 1, 1)))
    plan = tasks(administration().state, first_year, last_year)
    done_before = administration().state.done
    resumed = max((i for i, task in enumerate(plan) if f"{task.name}:{task.year}" in done_before), default=-1)
    left_out = [task for task in plan[: max(resumed, 0)] if f"{task.name}:{task.year}" not in done_before]
    if left_out:
        raise ValueError(
            f"the log holds a run of fewer years, which went on to its last deadline without the {left_out[0].name} of {left_out[0].year}; "
            "a longer run needs a log of its own"
        )
    for done, task in enumerate(plan):
        progress(f"{task.name.replace('_', ' ')} {task.year}", done, len(plan))
        world.trading.hold(task.day)
        if done > resumed:
            world.before(task)
            world.must(task.command() if task.name != "penalise" else world.penalty_command(task))
        if task.name in ("issue", "allocate") and task.year in world.years:
            world.trading.plan(task)
        if done >= resumed:  # what follows the last task that an interrupted run had done may be missing
            world.after(task)
    world.trading.hold(None)
    progress("done", len(plan), len(plan))


class World:
    """The people of a run: operators, verifier, auctioneer, and the administration's own paperwork."""

    def __init__(self, administration: Callable[[], Administration], send: Send, inputs: Inputs, first_year: int, last_year: int) -> None:
        self._administration = administration
        self._send = send
        self.inputs = inputs
        self.first, self.last = first_year, last_year
        self.years = range(first_year, last_year + 1)
        self.reports = with_remainder(inputs, list(self.years))
        self._begun: set[int] = set()
        self.trading = Trading(self)

    @property
    def state(self) -> Any:
        return self._administration().state

    def must(self, command: Command) -> None:
        """Send, unless an interrupted run had sent it before. What was refused then is asked again under a new id, because an id is used once."""
        attempt, asked = 1, command
        while (outcome := self._administration().outcome_of(asked.id)) not in (None, ACCEPTED):
            attempt += 1
            asked = replace(command, id=f"{command.id}:attempt-{attempt}")
        if outcome == ACCEPTED:
            return
        reply = self._send(asked)
        if not reply.accepted:
            raise RunRefused(command, reply)

    # -- paperwork before the first day

    def file(self, command: Command) -> None:
        """Send paperwork, also when an interrupted run had sent it before: a log that was begun with other papers is not continued."""
        reply = self._send(command)
        if reply.outcome == "exists_with_different_content":
            reply = reply._replace(reason="the log holds a run of other years, of other files, or under another text of the law; choose another log")
        if not reply.accepted:
            raise RunRefused(command, reply)

    def prepare(self, day: date) -> None:
        system = self._administration().founding_rulebook.system
        scenario = self._administration().founding_rulebook.scenario
        body = {"system": system.id, "scenario": scenario, "first_year": self.first, "papers": self._papers()}
        self.file(Command("found", "found", ADMINISTRATOR, day, body))
        for name, role in (("verifier", "verifier"), ("auctioneer", "auctioneer")):
            body = {"participant": name, "name": name.capitalize(), "role": role, "country": ""}
            self.file(Command(f"register:{name}", "register_participant", ADMINISTRATOR, day, body))
        frame = self.inputs.installations.frame
        if self.reports["installation"].is_in([REMAINDER]).any():
            rest = {
                "installation": REMAINDER,
                "name": "Rest of the system: published totals less what is registered",
                "operator": "rest of the system",
            }
            filler = {name: rest.get(name) for name in INSTALLATION_SCHEMA} | {"status": "open"}
            frame = pl.concat([frame, pl.DataFrame([filler], schema=INSTALLATION_SCHEMA)])
        self.file(Command("register:installations", "register_installations", ADMINISTRATOR, day, {}, {"installations": frame}))
        self._bring_forward(day)
        self.trading.prepare(day)

    def _papers(self) -> str:
        """SHA-256 over what the run is given and the law it stands on: a log begun with others is not continued, nor shown as theirs."""
        given, law = self.inputs, self._administration().founding_rulebook
        digest = hashlib.sha256()
        for frame in (given.installations.frame, given.reports.frame, given.activity, given.totals):
            digest.update(frame.write_json().encode() if frame is not None else b"none")
        rest = (given.opening, sorted(given.prices.items()), given.synthetic, given.estimated, given.lapses)
        values = [
            (path, p.unit, p.by, [(v.starts, v.published, v.status, v.content) for v in p.values]) for path, p in sorted(law.parameters.items())
        ]
        digest.update(repr((rest, sorted(law.rules.items()), values)).encode())
        return digest.hexdigest()

    def _bring_forward(self, day: date) -> None:
        """The cumulative rule looks back: where the records reach behind the first year, each installation starts from where it stood."""
        before = self.inputs.reports.only(years=(0, self.first - 1))
        if not len(before) or before.frame["surrendered"].null_count() == len(before):
            return
        last = before.statuses().sort("installation", "year").group_by("installation", maintain_order=True).last()
        rows = last.select("installation", owed="cumulative_verified", surrendered="cumulative_surrendered", status="status")
        rows = rows.join(self.inputs.installations.frame.select("installation"), on="installation", how="semi", maintain_order="left")
        if rows.height:
            self.file(Command("bring_forward", "bring_forward", ADMINISTRATOR, day, {"year": self.first - 1}, {"rows": rows}))

    def _begin_year(self, task: Task) -> None:
        """With the first task of an emissions year come its papers: what was produced, and the authority's allocation table."""
        if task.year in self._begun or task.year not in self.years:
            return
        self._begun.add(task.year)
        if self.inputs.activity is not None:
            rows = self.inputs.activity.filter(pl.col("year") == task.year)
            if rows.height:
                self.must(Command(f"activity:{task.year}", "file_activity", ADMINISTRATOR, task.day, {}, {"activity": rows}))
        granted = self.reports.filter(pl.col("year") == task.year, pl.col("allocated") > 0).select("installation", "year", quantity="allocated")
        if granted.height:
            self.must(Command(f"entitlements:{task.year}", "entitle", ADMINISTRATOR, task.day, {}, {"entitlements": granted}))

    # -- what people do around the calendar's tasks

    def before(self, task: Task) -> None:
        self._begin_year(task)
        acts = {
            "report": self._report,
            "surrender": self._comply,
            "interim_surrender": self._comply,
            "issue": self._open,
            "auction": self.auction_calendar,
        }
        act = acts.get(task.name)
        if act is not None and task.year in self.years:
            act(task)

    def after(self, task: Task) -> None:
        if task.name == "auction" and task.year in self.years:
            self._auction(task)
        if task.name == "allocate" and task.year in self.years and self.trading.plans(task.year):
            self.auction_calendar(task)

    def auction_calendar(self, task: Task) -> None:
        """The published auction volume goes before the rule's: an authority's calendar is what was really offered.

        Generated or estimated installations may have been given more than the real ones; then no more is offered than their year leaves.
        """
        volume, cap = self.published_volume(task.year), self.state.notice("cap", task.year)
        if volume is None or cap is None or task.day < self.state.today:
            return
        if self.inputs.synthetic or self.inputs.estimated:
            left = self.state.books.available(self.state.accounts.number("total-quantity"), self.state.unit(cap["unit"]))
            left += sum(notice["quantity"] for notice in self.state.noticed("offered", task.year))
            volume = min(volume, max(0, left - reserve_parts(self.state, task.year)[0]))
        told = self.state.notice("auction_calendar", task.year)
        if told is None or (task.name == "allocate" and told["quantity"] != volume):
            body = {"year": task.year, "volume": int(volume), "source": "statistics.auctioned"}
            self.must(Command(f"auction_calendar:{task.year}:{task.name}", "auction_calendar", ADMINISTRATOR, task.day, body))

    def published_volume(self, year: int) -> int | None:
        """What the authority published as a year's auction volume; a scenario has no published world."""
        rulebook = self._administration().founding_rulebook
        return None if rulebook.scenario else published(rulebook, "auctioned", self.last).get(year)

    def _open(self, task: Task) -> None:
        """Units of before the books began, on the day before the first year's issue (or on it, where the system itself begins)."""
        if task.year != self.first or self.inputs.opening is None or self.inputs.opening[0] <= 0:
            return
        quantity, source = self.inputs.opening
        code = self.state.allowance_code(self.first)
        body = {"account": REMAINDER, "unit": code, "quantity": quantity, "source": source, "year": self.first}
        self.must(Command("opening", "open_balance", ADMINISTRATOR, task.day, body))

    def _report(self, task: Task) -> None:
        rows = self.reports.filter(pl.col("year") == task.year)
        figures = rows.filter(pl.col("verified").is_not_null()).select("installation", "year", emissions="verified")
        if figures.height:
            self.must(Command(f"reports:{task.year}", "report", ADMINISTRATOR, task.day, {}, {"reports": figures}))
        signed = rows.filter(pl.col("verified").is_not_null()).select("installation", "year", "verified", "state")
        if signed.height:
            self.must(Command(f"verified:{task.year}", "verify", "verifier", task.day, {}, {"reports": signed}))
        remarks = rows.filter(pl.col("verified").is_null()).select("installation", "year", "verified", "state")
        if remarks.height:
            self.must(Command(f"remarks:{task.year}", "verify", ADMINISTRATOR, task.day, {}, {"reports": remarks}))

    def _auction(self, task: Task) -> None:
        """The rest of the year's volume. Without a price, or without a law on bids, the plain sale: everything goes to the rest of the market, at the
        price if there is one."""
        if self.trading.rest(task):
            return
        stall = self.state.accounts.number("auction")
        for unit in self.state.allowance_units():
            quantity = self.state.books.available(stall, unit)
            code = self.state.books.unit_types[unit].code
            command_id = f"sell:{task.year}:{code}"
            if quantity > 0:
                sales = pl.DataFrame({"account": [REMAINDER], "quantity": [quantity]})
                body = {"from": "auction", "unit": code, **self._price(task.year)}
                self.must(Command(command_id, "sell", "auctioneer", task.day, body, {"sales": sales}))

    def _price(self, year: int) -> dict[str, Any]:
        price = self.inputs.prices.get(year)
        return {} if price is None else {"price": str(price), "paid_in": True}

    # -- surrender

    def _comply(self, task: Task) -> None:
        """Buy what is lacking, then surrender: as recorded, or what is owed. Inside a longer period nothing is due but its interim part."""
        if task.name == "surrender" and period_end(self.state, task.year) != task.year:
            return
        wanted = self._wanted(task)
        if not wanted.height:
            return
        probe = Command("probe", "surrender", ADMINISTRATOR, task.day, {"year": task.year})
        units = admissible(self.state, probe, task.year)
        names = wanted["installation"]
        accounts = np.array([self.state.accounts.number(f"operator:{name}") for name in wanted["installation"].to_list()], dtype=np.int64)
        whole = wanted["quantity"].to_numpy()
        need = self._admitted(probe, task.year, names, whole)
        self._trade(task, units, accounts, need)
        held = self._held(accounts, units)
        at_price, price = price_by_law(self.state.law(task.day), task.year)
        if at_price == "fixed_price":
            self._purchase(task, "bought", names, need - np.minimum(need, held), price)
            units = admissible(self.state, probe, task.year)
            held = self._held(accounts, units)
        give = np.minimum(need, held)
        rows = wanted.with_columns(quantity=pl.Series(give, dtype=pl.Int64)).filter(pl.col("quantity") > 0)
        if rows.height:
            command_id = f"{'interim_' if task.name == 'interim_surrender' else ''}surrenders:{task.year}"
            self.must(Command(command_id, "surrender", ADMINISTRATOR, task.day, {"year": task.year}, {"surrenders": rows}))
        if at_price == "payment_price" and task.name == "surrender":
            room = names.to_frame().join(payable_by_installation(self.state, probe, task.year), on="installation", how="left", maintain_order="left")
            self._purchase(task, "paid", names, np.minimum(whole - give, room["payable"].fill_null(0).to_numpy()), price)

    def _held(self, accounts: Any, units: Sequence[int]) -> Any:
        return sum((self.state.books.availables(accounts, unit) for unit in units), np.zeros(len(accounts), dtype=np.int64))

    def _admitted(self, probe: Command, year: int, names: pl.Series, wanted: Any) -> Any:
        """Of what is to be met, what units may meet."""
        room = admitted_by_installation(self.state, probe, year)
        if room is None:
            return wanted
        most = names.to_frame().join(room, on="installation", how="left", maintain_order="left")["admitted"].fill_null(0)
        return np.minimum(wanted, most.to_numpy())

    def _purchase(self, task: Task, what: str, names: pl.Series, quantity: Any, price: Decimal | None) -> None:
        """From the authority at the law's own price, by those who lack something and whom it costs at least one minor unit of money."""
        rows = pl.DataFrame({"installation": names, "quantity": quantity}).filter(pl.col("quantity") > 0)
        if rows.height and price:
            body = {"year": task.year, "paid_in": True}
            self.must(Command(f"{what}:{task.year}", "purchase", ADMINISTRATOR, task.day, body, {"purchases": rows}))

    def _wanted(self, task: Task) -> pl.DataFrame:
        """installation, quantity: what was surrendered for the year by the records; without records, what is owed and not surrendered yet."""
        rows = self.reports.filter(pl.col("year") == task.year)
        if rows["surrendered"].is_not_null().any():
            recorded = rows.filter(pl.col("surrendered").fill_null(0) > 0)
            return recorded.select("installation", quantity="surrendered").sort("installation")
        interim = task.name == "interim_surrender"
        law = self.state.law(task.day)
        if interim and not offers(law, "interim_obligation"):
            return pl.DataFrame(schema={"installation": pl.String, "quantity": pl.Int64})
        probe = Command("probe", "surrender", ADMINISTRATOR, task.day, {"year": task.year})
        owed = owed_by_installation(self.state, probe, task.year, interim)
        done = surrendered_by_installation(self.state)
        rest = owed.join(done, on="installation", how="left").select("installation", quantity=pl.col("owed") - pl.col("surrendered").fill_null(0))
        rest = rest.filter(pl.col("quantity") > 0).sort("installation")
        if self.inputs.lapses is None or interim:
            return rest
        lapsed = generator(self.inputs.lapses, "lapses", str(task.year)).random(rest.height) < 0.004
        less = pl.when(pl.Series(lapsed)).then(pl.col("quantity") * 9 // 10).otherwise(pl.col("quantity"))
        return rest.with_columns(quantity=less).filter(pl.col("quantity") > 0)

    def _trade(self, task: Task, units: Sequence[int], accounts: Any, need: Any) -> None:
        """Those who lack units buy them, unit type by unit type, from the rest of the market first, then from those who hold more than they need."""
        books = self.state.books
        lack = np.maximum(need - self._held(accounts, units), 0)
        keep = np.zeros(len(self.state.accounts), dtype=np.int64)
        keep[accounts] = need
        dealers = [number for kind in ("remainder", "trading") for number in self.state.accounts.of_kind(kind)]
        others = np.array([*dealers, *self.state.accounts.of_kind("operator")], dtype=np.int64)
        for unit in units:
            have = books.availables(others, unit)
            spare = np.maximum(have - keep[others], 0)
            keep[others] = np.maximum(keep[others] - have, 0)
            sold = _first_ones(spare, min(int(spare.sum()), int(lack.sum())))
            bought = _first_ones(lack, int(sold.sum()))
            lack = lack - bought
            if sold.any():
                buyers = {int(a): int(q) for a, q in zip(accounts.tolist(), bought.tolist(), strict=True) if q}
                sellers = {int(a): int(q) for a, q in zip(others.tolist(), sold.tolist(), strict=True) if q}
                if self.trading.can_trade(task.year):
                    self.trading.call(task, unit, buyers, sellers)
                else:
                    self._hand_over(task, unit, buyers, sellers)

    def _hand_over(self, task: Task, unit: int, buyers: Mapping[int, int], sellers: Mapping[int, int]) -> None:
        """Without a price units move without money."""
        given, taken = np.cumsum(list(sellers.values())), np.cumsum(list(buyers.values()))
        ends = np.union1d(given, taken)
        source = np.array(list(sellers), dtype=np.int64)[np.searchsorted(given, ends)]
        target = np.array(list(buyers), dtype=np.int64)[np.searchsorted(taken, ends)]
        name = f"handed-over:{task.name}:{task.year}:{self.state.books.unit_types[unit].code}"
        command = Command(name, "transfer", ADMINISTRATOR, task.day)
        rows = move(command, Kind.TRANSFER, source, target, unit, np.diff(ends, prepend=0))
        self.must(replace(command, tables={"transfers": rows}))

    def penalty_command(self, task: Task) -> Command:
        """The calendar's own command, with the market price where the fine is a multiple of it."""
        price = self.inputs.prices.get(task.year + 1, self.inputs.prices.get(task.year))
        body: dict[str, Any] = {"year": task.year} | ({"mean_price": str(price)} if price is not None else {})
        if not answers_fine(self.state.law(task.day), task.year, price):
            body["unpriced"] = True
        plain = task.command()
        return Command(plain.id, plain.kind, plain.by, plain.day, body)


def _first_ones(quantities: Any, total: int) -> Any:
    """Of each quantity, in their order, what is taken until a total is reached."""
    before = np.cumsum(quantities) - quantities
    return np.clip(total - before, 0, quantities)


def with_remainder(inputs: Inputs, years: Sequence[int]) -> pl.DataFrame:
    """installation, year, allocated (all kinds), verified, state, surrendered of the years run; with one row a year for what the published
    totals hold beyond the registered installations. A published total below the sum of what is loaded leaves no remainder."""
    frame = inputs.reports.frame.filter(pl.col("year").is_in(list(years))).join(
        inputs.installations.frame.select("installation"), on="installation", how="semi"
    )
    all_kinds = pl.col("allocated") + pl.col("allocated_transitional") + pl.col("allocated_new_entrant")
    own = frame.select("installation", "year", allocated=all_kinds, verified="verified", state="state", surrendered="surrendered")
    if inputs.totals is None:
        return own
    loaded = own.group_by("year").agg(pl.col("allocated", "verified", "surrendered").sum(), recorded=pl.col("surrendered").is_not_null().any())
    total = inputs.totals.filter(pl.col("year").is_in(list(years)))
    rows = total.join(loaded, on="year", how="left", suffix="_loaded").with_columns(pl.col("^.*_loaded$").fill_null(0))
    rest = rows.select(
        pl.lit(REMAINDER).alias("installation"),
        pl.col("year").cast(pl.Int32),
        allocated=(pl.col("allocated") - pl.col("allocated_loaded")).clip(0),
        verified=(pl.col("verified") - pl.col("verified_loaded")).clip(0),
        state=pl.lit("verified"),
        surrendered=pl.when(pl.col("recorded")).then((pl.coalesce("surrendered", "verified") - pl.col("surrendered_loaded")).clip(0)),
    ).with_columns(pl.col("allocated", "verified", "surrendered").cast(pl.Int64))
    return pl.concat([own, rest.select(own.columns)]).sort("installation", "year")


def published(rulebook: Any, name: str, last_year: int) -> Mapping[int, Any]:
    """A published yearly series of the rulebook's statistics, all that is known of it, `{}` where it has none. Millions become whole units."""
    parameter = rulebook.parameters.get(f"statistics.{name}")
    table = all_known(rulebook, parameter)
    if parameter is None or not isinstance(table, Mapping):
        return {}
    scale = 1_000_000 if parameter.unit.startswith(("million_", "Mt")) else 1
    return {year: int(Decimal(value) * scale) for year, value in table.items() if isinstance(year, int) and value is not None}


def all_known(rulebook: Any, parameter: Any) -> Any:
    """All that is known of a parameter, whenever; None where it has no value, or only proposed ones outside a scenario that includes them."""
    if parameter is None or not parameter.visible(date.max, None, rulebook.includes_proposed):
        return None
    return parameter.at(date.max, None, rulebook.includes_proposed)


def mean_prices(rulebook: Any, first: int, last: int) -> dict[int, Decimal]:
    """Money per unit by year: the published mean where the statistics have one, otherwise midway between the prices at which reserves take and give
    units, otherwise the auction's reserve price, otherwise the authority's own selling price, otherwise nothing."""
    prices: dict[int, Decimal] = {}
    for name in ("auction_price", "mean_price", "price"):
        parameter = rulebook.parameters.get(f"statistics.{name}")
        if parameter is None or parameter.by != "year" or rulebook.system.currency not in parameter.unit:
            continue  # a price in another money is somebody else's price
        for year, price in (all_known(rulebook, parameter) or {}).items():
            if first <= year <= last + 1 and price is not None:
                prices.setdefault(year, round_decimal(price, "0.01", NEAREST))
    for year in range(first, last + 2):
        law = rulebook.at(max(date(year, 12, 31), rulebook.system.begins))
        if year not in prices and (between := _between_triggers(law, year)) is not None:
            prices[year] = between
        for ask in ("auction_reserve_price", "fixed_price", "payment_price"):
            if year in prices or not offers(law, ask):
                continue
            try:
                own = answer(law, ask, (year,))
            except (ValueError, KeyError, LawError):  # the law names none for that year
                continue
            if own is not None and Decimal(str(own)) > 0:
                prices[year] = Decimal(str(own))
    for year in range(first, last + 2):  # a market without a newer price keeps the last one
        if year not in prices and year - 1 in prices:
            prices[year] = prices[year - 1]
    return prices


def _between_triggers(law: Any, year: int) -> Decimal | None:
    """Midway between the price under which units are withheld and the one over which more are sold; None where the law has not both."""
    if not offers(law, "emissions_trigger") or not offers(law, "containment_trigger"):
        return None
    try:
        low, high = answer(law, "emissions_trigger", (year,)), answer(law, "containment_trigger", (year,))
    except (ValueError, KeyError, LawError):
        return None
    return None if low is None or high is None else round_decimal((fraction(low) + fraction(high)) / 2, "0.01", NEAREST)
