"""How people in a run buy and sell: at the auctions that the law holds, and among each other on the exchange at a deadline.

The rest of the market is some dealers, alike but for what they think a unit is worth: around the year's mean price, a little apart. Installations
that will lack many units bid beside them. At the deadline whoever lacks units buys from whoever can spare them, in one call at one price, units
against money. Where nobody knows a price nobody can bid: units then change hands without money, as the totals say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tonne.administration.agenda import Task, day_of
from tonne.administration.allocate import ask_rows
from tonne.administration.asks import answer, asks, offers
from tonne.administration.auction_terms import AuctionTerms, switches_of, terms_of
from tonne.administration.commands import Command
from tonne.administration.kinds import Kind
from tonne.administration.permissions import ADMINISTRATOR
from tonne.administration.sell import volume_of
from tonne.administration.stabilise import reserve_parts
from tonne.dates import day_number
from tonne.law import Law, LawError, NotYetInForce
from tonne.market.auction import AuctionError, AuctionRules
from tonne.market.auction_calendar import Outcome, UnsoldRule, split_volume
from tonne.market.orders import INSTRUCTION, OrderKind, Phase, Side, Verb
from tonne.simulation.auction_plan import AuctionPlan
from tonne.simulation.randomness import generator
from tonne.units import NEAREST, decimals_of, fraction, round_decimal, round_fraction

if TYPE_CHECKING:
    from tonne.simulation.run import World

ALL = 10**18
DEALERS = 8
BIDDERS = 40
#: A dealer thinks a unit worth so much less than the one before it; an auction's own price lies around the year's mean by up to the second figure.
APART, AROUND = Fraction(4, 1000), Fraction(2, 100)
#: What an installation that must have units bids above the price.
EAGER = Fraction(5, 100)
MORNING = 10 * 3_600_000_000
DAY = 86_400_000_000


def dealer(number: int) -> str:
    return f"dealer-{number + 1}"


class Trading:
    """Auctions and exchange of one run."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.auctions = AuctionPlan()
        self._planned: set[int] = set()
        self._open: list[int] = []  # years whose whole volume may still grow
        self._shortages: dict[int, list[tuple[str, int]]] = {}
        self._dealers: list[str] = []

    # -- before the first day

    def prepare(self, day: date) -> None:
        """The dealers and the exchange, where somebody knows a price."""
        if not self.world.inputs.prices:
            return
        for name, role in (("venue", "venue"), ("settlement-bank", "bank"), ("dealers", "trader")):
            body = {"participant": name, "name": name.replace("-", " ").capitalize(), "role": role, "country": ""}
            self.world.file(Command(f"register:{name}", "register_participant", ADMINISTRATOR, day, body))
        names = [dealer(number) for number in range(self.dealers(day))]
        accounts = pl.DataFrame(
            {"account": names, "kind": "trading", "holder": "dealers", "installation": pl.Series([None] * len(names), dtype=pl.String)}
        )
        self.world.file(Command("open:dealers", "open_accounts", ADMINISTRATOR, day, {}, {"accounts": accounts}))
        self.world.file(Command("open:exchange", "open_exchange", "venue", day, {"venue": "exchange"}))
        state = self.world.state
        members = [state.accounts.ids[number] for kind in ("operator", "trading", "remainder") for number in state.accounts.of_kind(kind)]
        self.world.file(Command("admit", "admit", "venue", day, {}, {"accounts": pl.DataFrame({"account": members})}))

    def dealers(self, day: date) -> int:
        """So many that twice what is offered may be bid for under the law's limit for one bidder, whenever it is in force."""
        book = self.world.state.rulebook
        parameter = book.parameters.get("auction.bid_limit_share")
        shares = [fraction(value.content) for value in parameter.values if value.content] if parameter is not None else []
        return max([DEALERS, *(-(-2 * share.denominator // share.numerator) for share in shares)])

    # -- auctions

    def plan(self, task: Task) -> None:
        """Once units are issued: the year's auctions on the days that the law names. They wait for the free units where too much would go before."""
        year = task.year
        state = self.world.state
        if year in self._planned or state.notice("cap", year) is None:
            return
        law = state.law(task.day)
        last, given = day_of(state, "auction", year), day_of(state, "allocate", year)
        if last is None or self.price(year) is None:
            return
        if self._rules(law) is None:  # the rules of auctions may come in the course of their first year
            law = state.law(max(date(year, 12, 31), task.day))
        if (rules := self._rules(law)) is None:
            return
        days = [day for day in self._days(law, year) if task.day <= day and self._rules(state.law(day)) is not None] or [max(last, task.day)]
        if task.name == "issue" and given is not None and given <= last:
            cap, early = int(state.notice("cap", year)["quantity"]), sum(day <= given for day in days)
            if self._hangs_on_allocation(law, year) and 3 * self._volume(law, year, cap // 2) * early > cap * len(days):
                return
        self._planned.add(year)
        self._open.append(year)
        self.world.auction_calendar(task)
        unsold = answer(law, "auction_unsold") if offers(law, "auction_unsold") else {"goes": "next"}
        self.auctions.add(year, days, UnsoldRule.of({**unsold, "lot": rules.step}))

    def plans(self, year: int) -> bool:
        """Whether a year's auctions are this room's."""
        return year in self._planned

    def _hangs_on_allocation(self, law: Law, year: int) -> bool:
        """Whether the year's volume is not known before the free units are."""
        if self.world.published_volume(year) is not None or not offers(law, "auction_volume"):
            return False
        return self._volume(law, year, 0) != self._volume(law, year, int(self.world.state.notice("cap", year)["quantity"]))

    def _volume(self, law: Law, year: int, allocated: int) -> int:
        """What the rule would offer, with so many units given free."""
        intake, release = reserve_parts(self.world.state, year)
        pool = {"year": year, "cap": int(self.world.state.notice("cap", year)["quantity"]), "allocated": allocated}
        return int(ask_rows(law, "auction_volume", pool | {"msr_intake": intake, "msr_release": release}))

    def _expected(self, year: int) -> int:
        """Units that will be given free, until it is known: as many as the year before, or half the cap."""
        before = self.world.state.notice("allocated", year - 1)
        return int(before["quantity"]) if before else int(self.world.state.notice("cap", year)["quantity"]) // 2

    def _share_out(self, year: int, day: date, rules: AuctionRules | None) -> None:
        """The volume as it is known on the day, less what the year's auctions so far were planned to offer, over those to come in whole lots."""
        plan = self.auctions
        coming = plan.coming(year)
        spent = plan.spent.get(year, 0)
        if self._whole(year):
            units = int(self.world.state.notice("auction", year)["quantity"])
        else:
            volume = volume_of(self.world.state, year, day)
            units = volume.units
            law = self.world.state.law(day)
            given = day_of(self.world.state, "allocate", year)
            if volume.basis == "rule" and given is not None and day <= given and self._hangs_on_allocation(law, year):
                units = min(units, self._volume(law, year, self._expected(year)))
            units -= min(volume.release, units)
        step = rules.step if rules is not None else 1
        shares = split_volume(max(units - spent, 0) // step * step, len(coming), step)
        for place, share in zip(coming, shares, strict=True):
            plan.plan(place, share)

    def _whole(self, year: int) -> bool:
        """Whether the whole volume of a year is offered already."""
        return f"auction:{year}" in self.world.state.done

    def _rules(self, law: Law) -> AuctionRules | None:
        """The switches of the law's auctions; None where its law of that day does not say how bids are cleared."""
        if not offers(law, "auction_format"):
            return None
        try:
            return switches_of(law)
        except (NotYetInForce, AuctionError):
            return None

    def _days(self, law: Law, year: int) -> list[date]:
        if "auction_dates" not in asks(law.rulebook):
            return []
        begins = law.rulebook.system.begins
        for day in (law.day, date(max(year, begins.year), 12, 31)):
            try:
                return list(answer(law.rulebook.at(max(day, begins)), "auction_dates", (year,)))
            except (LawError, ValueError):
                continue
        return []

    def hold(self, until: date | None) -> None:
        """The auctions whose day has come, in order of their days; all that are left where no day is given."""
        plan = self.auctions
        self._close_years()
        while plan.place < len(plan.planned) and (until is None or plan.planned[plan.place].day <= until):
            self._next()
            self._close_years()

    def rest(self, task: Task) -> bool:
        """The whole volume of a year is offered now. Whether its auctions are this room's to hold, today or on the days still to come."""
        if not self.plans(task.year):
            return False
        self.hold(max(task.day, self.world.state.today))
        return True

    def _close_years(self) -> None:
        """Where a year's auctions are over and its volume proved larger than they offered, one more takes the rest, on the day it was offered."""
        for year in [year for year in self._open if self._whole(year) and not self.auctions.coming(year)]:
            self._open.remove(year)
            state = self.world.state
            day = max(date.fromisoformat(state.done[f"auction:{year}"]), self.auctions.planned[self.auctions.place - 1].day)
            name = f"auction:{year}:{self.auctions.years.count(year) + 1}"
            if name in state.exchange.auctioned or (day >= state.today and self._never_offered(day) > 0):
                self.auctions.add(year, [day])

    def _never_offered(self, day: date) -> int:
        """Whole steps of a bid on the auction account that no auction offered and none is to offer."""
        rules = self._rules(self.world.state.law(day))
        if rules is None:
            return 0
        units = (sum(units for _, units in self._on_the_stall(ALL)) - self.auctions.waiting()) // rules.step * rules.step
        most = rules.bid_limit(units)
        return units if units > 0 and (most is None or most >= rules.minimum) else 0  # what nobody may bid for waits for more

    def _next(self) -> None:
        """One auction. One of a day that is over was held by the run that was interrupted, or had nothing to offer."""
        plan, state = self.auctions, self.world.state
        place = plan.place
        name, year, day = plan.names[place], plan.years[place], plan.planned[place].day
        held = self._result(name, year)
        rules = None
        if day >= state.today:
            rules = self._rules(state.law(day))
            if year in self._open:
                self._share_out(year, day, rules)
            elif held is None:  # the one after the last
                plan.plan(place, self._never_offered(day))
        if held is None and day >= state.today:
            if not self._whole(year):
                self._offer(name, year, plan.planned[place].quantity, day)
            held = self._clear(name, year, plan.planned[place].quantity, plan.offered(), rules, day)
        plan.plan(place, int(held["planned"]) if held is not None else 0)
        plan.end(plan.offered(), _outcome_of(held) if held is not None else Outcome(0))
        self._clear_away(name, day)

    def _offer(self, name: str, year: int, quantity: int, day: date) -> None:
        """The auction's own volume onto the auction account."""
        if quantity:
            body = {"year": year, "quantity": quantity, "auction": name}
            self.world.must(Command(f"offer:{name}", "offer", "auctioneer", day, body))

    def _clear(self, name: str, year: int, planned: int, offered: int, rules: AuctionRules | None, day: date) -> dict[str, Any] | None:
        """One auction of so many units of what is on the auction account; None where that is less than anybody may bid for."""
        lots = self._on_the_stall(offered // rules.step * rules.step) if rules is not None else []
        if rules is None or not lots:
            return None
        category = self._category(rules)
        body: dict[str, Any] = {"auction": name, "year": year, "seed": day_number(day), "paid_in": True, "planned": planned}
        body["offers"] = [["auction", code, quantity, "", category] for code, quantity in lots]
        bids = self._bids(name, year, self.world.state.law(day), rules, sum(quantity for _, quantity in lots))
        self.world.must(Command(name, "clear_auction", "auctioneer", day, body | ({"bids": bids} if bids else {})))
        return self._result(name, year)

    def _clear_away(self, name: str, day: date) -> None:
        """Unsold units that the law sends away leave the auction account."""
        left = self.auctions.left()
        if not any(left) or day < self.world.state.today:  # the run that was interrupted saw to it
            return
        for units_, target, what in zip(left, ("cancelled", "stability-reserve"), ("gone", "reserve"), strict=True):
            for code, units in self._on_the_stall(units_ - self._sent_away(target)):
                body = {"from": "auction", "to": target, "unit": code, "quantity": units}
                self.world.must(Command(f"unsold:{what}:{name}:{code}", "transfer", ADMINISTRATOR, day, body))

    def _sent_away(self, target: str) -> int:
        """Units that left the auction account unsold."""
        state = self.world.state
        rows = state.books.transfers
        rows = rows[(rows["from_account"] == state.accounts.number("auction")) & (rows["kind"] == int(Kind.TRANSFER))]
        return int(rows["quantity"][rows["to_account"] == state.accounts.number(target)].sum())

    def _on_the_stall(self, quantity: int) -> list[tuple[str, int]]:
        """(code, units) of what is on the auction account, oldest vintage first, up to a quantity."""
        state = self.world.state
        stall = state.accounts.number("auction")
        found = []
        for unit in state.allowance_units() if quantity > 0 else ():
            units = min(quantity, state.books.available(stall, unit))
            if units > 0:
                found.append((state.books.unit_types[unit].code, units))
                quantity -= units
        return found

    def _result(self, name: str, year: int) -> dict[str, Any] | None:
        """What is published of an auction, None before it is held."""
        if name not in self.world.state.exchange.auctioned:
            return None
        notices: list[dict[str, Any]] = self.world.state.noticed("auction_result", year)
        return next((notice for notice in reversed(notices) if notice["auction"] == name), None)

    def bidders(self) -> list[str]:
        """Accounts of the dealers, who bid around the price at every auction."""
        return [self.world.state.accounts.ids[number] for number in self.world.state.accounts.of_kind("trading")]

    def _category(self, rules: AuctionRules) -> str:
        """What the public sells itself comes last where the law has an order of sale."""
        return max(rules.category_order, key=lambda word: rules.category_order[word]) if rules.category_order else ""

    def _bids(self, name: str, year: int, law: Law, rules: AuctionRules, offered: int) -> list[list[Any]]:
        """Dealers around the auction's own price, and the installations that lack most. Nobody bids above the law's highest price; who thinks a unit
        worth less than the lowest one bids it all the same where the year's price is not below it, and else does not bid."""
        price = self.price(year)
        assert price is not None
        draw = int(generator(0, name).integers(0, 10_001))
        worth = fraction(price) * (1 + AROUND * Fraction(2 * draw - 10_000, 10_000)) / fraction(rules.price_step)
        terms = terms_of(law, rules, offered, year=year)
        most = min(offered, *(limit for limit in (terms.bid_limit, rules.bid_limit(offered)) if limit is not None), offered)
        dealers = self._dealers = self._dealers or self.bidders()
        each = _in_steps(-(-2 * offered // len(dealers)), rules, most)
        middle = len(dealers) // 2 - 1
        low = terms.reserve is not None and price < rules.price(terms.reserve)

        def text(more: Fraction) -> str | None:
            ticks = max(round_fraction(worth * (1 + more), NEAREST), 1)
            return None if low and ticks < (terms.reserve or 0) else str(rules.price(_held(ticks, terms)))

        rows: list[list[Any]] = []
        for number, one in enumerate(dealers if each >= rules.minimum else ()):
            if (bid := text(APART * (middle - number))) is not None:
                rows.append([one, bid, each, ""])
        left = len(self.auctions.coming(year))  # this one counted
        if (eager := text(EAGER)) is not None:
            for account, lack in self._lacking(year):
                quantity = _in_steps(lack // left, rules, most, down=True)
                if quantity >= rules.minimum:
                    rows.append([account, eager, quantity, ""])
        return rows

    def _lacking(self, year: int) -> list[tuple[str, int]]:
        """Installations that will be short of most units at the year's end, as they themselves see it, less what they hold."""
        if year not in self._shortages:
            rows = self.world.reports.filter(pl.col("year") == year, pl.col("installation") != "remainder")
            lack = rows.select("installation", lack=pl.col("verified").fill_null(0) - pl.col("allocated")).filter(pl.col("lack") > 0)
            most = lack.sort("lack", "installation", descending=[True, False]).head(BIDDERS)
            self._shortages[year] = [(f"operator:{name}", int(units)) for name, units in most.iter_rows()]
        return self._shortages[year]

    def price(self, year: int) -> Decimal | None:
        """The year's mean price, None where nobody knows one."""
        return self.world.inputs.prices.get(year)

    # -- the exchange at a deadline

    def can_trade(self, year: int) -> bool:
        return bool(self.world.state.exchange.venue) and self.price(year) is not None

    def call(self, task: Task, unit: int, buyers: Mapping[int, int], sellers: Mapping[int, int]) -> None:
        """One call in one unit type: buyers at the price, sellers at it; whoever buys pays money in first. All of both sides trades."""
        state = self.world.state
        code = state.books.unit_types[unit].code
        number, tick = self._listed(task, code)
        price = self.price(task.year)
        assert price is not None
        ticks = max(round_fraction(fraction(price) / fraction(tick), NEAREST), 1)
        minor = round_fraction(fraction(tick) * 10 ** decimals_of(state.rulebook.system.currency), NEAREST)
        accounts = state.accounts.ids
        cash = pl.DataFrame({"account": [accounts[one] for one in buyers], "minor": [lots * ticks * minor for lots in buyers.values()]})
        name = f"{task.name}:{task.year}:{code}"
        body = {"currency": state.rulebook.system.currency}
        self.world.must(Command(f"paid-in:{name}", "deposit", "settlement-bank", task.day, body, {"deposits": cash}))
        rows = _call_of(number, ticks, buyers, sellers, state.exchange.book.highest, day_number(task.day) * DAY + MORNING)
        self.world.must(Command(f"call:{name}", "orders", "venue", task.day, {}, {"instructions": rows}))

    def _listed(self, task: Task, code: str) -> tuple[int, Decimal]:
        """The number of a unit type's spot instrument and its tick, listed when it is first needed."""
        state = self.world.state
        system = state.rulebook.system
        tick = Decimal(1).scaleb(-decimals_of(system.currency))
        if state.exchange.number(f"spot:{code}") < 0:
            price = self.price(task.year)
            assert price is not None
            terms = {"lot": 1, "unit": code, "tick": str(tick), "currency": system.currency, "settlement": "prefunded"}
            reference = str(round_decimal(price, tick, NEAREST))
            body = {"contract": f"spot:{code}", "kind": "spot", "terms": terms, "unit": code, "reference": reference}
            self.world.must(Command(f"list:{code}", "list_instrument", "venue", task.day, body))
        return self.world.state.exchange.number(f"spot:{code}"), tick


def _outcome_of(held: Mapping[str, Any]) -> Outcome:
    """What an auction's published result means for what it left unsold; units withheld by the law are not left."""
    price, reserve = held["price"], held["reserve"]
    above = price is not None and (reserve is None or Decimal(price) > Decimal(reserve))
    return Outcome(int(held["sold"]) - int(held["added"]) - sum(held["by_tier"]) + int(held["withheld"]), above)


def _held(ticks: int, terms: AuctionTerms) -> int:
    """Between the law's lowest and highest price."""
    ticks = ticks if terms.reserve is None else max(ticks, terms.reserve)
    return ticks if terms.ceiling is None else min(ticks, terms.ceiling)


def _in_steps(quantity: int, rules: AuctionRules, most: int, down: bool = False) -> int:
    """A quantity in whole steps of a bid: the next above it (below it, with `down`), within the law's limit."""
    step = rules.step
    wanted = quantity // step * step if down else max(-(-quantity // step) * step, -(-rules.minimum // step) * step)
    return min(wanted, most // step * step)


def _call_of(number: int, ticks: int, buyers: Mapping[int, int], sellers: Mapping[int, int], highest: int, time: int) -> Any:
    """Instructions of one call: it opens, everybody's order, it ends; what did not trade is taken out at the day's end."""
    sides: Sequence[tuple[Side, Mapping[int, int]]] = ((Side.BUY, buyers), (Side.SELL, sellers))
    rows = np.zeros(len(buyers) + len(sellers) + 4, dtype=INSTRUCTION)
    rows["instrument"], rows["time"] = number, time
    rows["verb"][[0, 1, -2]] = int(Verb.PHASE)
    rows["verb"][0], rows["price"][0] = int(Verb.REFERENCE), ticks
    rows["phase"][1], rows["phase"][-2] = int(Phase.OPENING_CALL), int(Phase.CONTINUOUS)
    rows["verb"][-1], rows["expires"][-1] = int(Verb.EXPIRE), time // DAY
    at = 2
    for side, wishes in sides:
        mine = rows[at : at + len(wishes)]
        mine["verb"], mine["kind"], mine["side"], mine["price"] = int(Verb.NEW), int(OrderKind.LIMIT), int(side), ticks
        mine["account"], mine["quantity"] = list(wishes), list(wishes.values())
        mine["order"] = highest + at - 1 + np.arange(len(wishes))
        at += len(wishes)
    return rows
