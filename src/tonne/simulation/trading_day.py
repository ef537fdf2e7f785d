"""A trading day that shows everything once: the last trading day of a future, the days before it on which positions are built, and what follows.

    first     accounts, money, units; an option and futures are traded; in the evening the option ends
    between   the option's holders get futures
    last      auction in the morning; trading with news, a call of the circuit breaker, a halt, deals beside the book; settlement prices, margin calls
    settled   spot trades of the day before change hands; a member that cannot pay is taken out, its positions are taken over, the waterfall pays
    late      what was traded after the cut-off changes hands
    delivery  the future is delivered: units against money

Everybody here is synthetic. Every command has an id made from its step, so that a day that was interrupted goes on upon its log; a step makes its
command from the state it finds when its turn comes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from tonne.administration.auction_terms import switches_of, terms_of
from tonne.administration.clerk import Administration
from tonne.administration.commands import Command, Reply
from tonne.administration.cover import collateral_of
from tonne.administration.decision import move
from tonne.administration.events import ACCEPTED
from tonne.administration.kinds import Kind
from tonne.administration.permissions import ADMINISTRATOR
from tonne.law import NotYetInForce
from tonne.market.orders import Phase
from tonne.simulation.randomness import generator
from tonne.simulation.run import RunRefused, Send
from tonne.simulation.trading_floor import CALL, MINUTE, Floor, in_steps
from tonne.simulation.trading_orders import (
    BREAKER,
    SECOND,
    Flow,
    calls_end,
    in_order,
    limits,
    phase,
)
from tonne.units import NEAREST, decimals_of, round_fraction

VENUE, BANK, AUCTIONEER = "venue", "settlement-bank", "auctioneer"
FEWEST, MOST = 12, 500
#: Who has a part of their own, by number; the others are the crowd.
NEWS_SELLER, DEFAULTER, WASHER, LAYERER, SHORT, BUYER, WRITER = range(1, 8)
#: Slices of a day, after each of which the venue looks; what people send in one; slices of the busy day in which something happens.
QUIET, BUSY = 8, 40
ROWS = {QUIET: 60, BUSY: 24}
IN_A_CALL = 30
AT_WASH, AT_LAYERS, AT_NEWS, AT_HALT, AT_BLOCK = 5, 8, 13, 23, 30
SCAN = Fraction(75, 1000)
DEFAULT_LOTS, SHORT_LOTS, OPTION_LOTS = 600, 60, 100
#: Collateral of the defaulter over its margin; assessments as a multiple of a share of the default fund, and the part of them that is needed.
SLACK, ASSESSMENT, ASSESSED = Fraction(12, 10), 2, Fraction(1, 4)
#: In units at the first price: the whole default fund, the house's own money.
FUND, CAPITAL = 15_000, 4_000
OFFERED_EACH = 20_000
#: An auction's price is compared with the spot price less such a share of it: what lies deeper is far below.
FAR_BELOW_SPOT = Fraction(3, 100)

Made = tuple[Mapping[str, Any], Mapping[str, Any]]


class Step(NamedTuple):
    """One command of the day. make: body and tables from the state before it, None: nothing to do. may: refusals that belong to it."""

    id: str
    kind: str
    by: str
    day: date
    make: Callable[[], Made | None]
    may: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DayInputs:
    """How many take part, and the seed of what they do."""

    floor: Floor
    participants: int = 50
    seed: int = 1

    def __post_init__(self) -> None:
        if not FEWEST <= self.participants <= MOST:
            raise ValueError(f"{self.participants} participants; a day has {FEWEST} to {MOST}")


def name_of(number: int) -> str:
    """Participants, and their trading accounts, are called that."""
    return f"synthetic-{number:02d}"


def run_day(
    administration: Callable[[], Administration],
    send: Send,
    inputs: DayInputs,
    progress: Callable[[str, int, int], None] = lambda what, done, of: None,
) -> None:
    """Carry a market through its day. `administration()` gives the state to read, `send` changes it; what is stored already is not done again.

    Raises RunRefused when a command is refused that should not be; what was done before stays done.
    """
    steps = list(TradingDay(administration, inputs).steps())
    known = [administration().outcome_of(step.id) for step in steps]
    done = max((place for place, outcome in enumerate(known) if outcome is not None), default=-1)
    for place, step in enumerate(steps):
        progress(step.id, place, len(steps))
        outcome = known[place]
        if outcome not in (None, ACCEPTED, *step.may):  # it stopped the day before, and would again
            raise RunRefused(Command(step.id, step.kind, step.by, step.day), Reply(step.id, str(outcome), "the log holds this refusal"))
        if 0 < place <= done:  # done; or there was nothing to do then
            continue
        made = step.make()
        if made is None:
            continue
        command = Command(step.id, step.kind, step.by, step.day, *made)
        reply = send(command)
        if reply.outcome == "exists_with_different_content":
            reply = reply._replace(reason="the log holds another day: of other people, another seed, another price, or another text of the law")
        if reply.outcome != ACCEPTED and reply.outcome not in step.may:
            raise RunRefused(command, reply)
    progress("done", len(steps), len(steps))


class TradingDay:
    """The steps of a day, in order."""

    def __init__(self, administration: Callable[[], Administration], inputs: DayInputs) -> None:
        self._administration = administration
        self.inputs, self.floor = inputs, inputs.floor
        self.people = [name_of(number) for number in range(1, inputs.participants + 1)]
        self.crowd = self.people[BUYER - 1 :]
        self.quiet, self.busy = Flow(inputs.floor, inputs.seed, QUIET), Flow(inputs.floor, inputs.seed, BUSY)

    @property
    def state(self) -> Any:
        return self._administration().state

    def steps(self) -> Iterator[Step]:
        yield from self._founding()
        yield from self._listing()
        yield from self._first_day()
        yield from self._last_day()
        yield from self._aftermath()

    def _say(self, id: str, kind: str, day: date, by: str = VENUE, may: tuple[str, ...] = (), /, **body: Any) -> Step:
        """A step whose body is known beforehand."""
        return Step(id, kind, by, day, lambda: (body, {}), may)

    def number(self, name: str) -> int:
        """The ledger number of somebody's trading account."""
        return int(self.state.accounts.number(name))

    def _numbers(self, names: list[str]) -> list[int]:
        return [self.number(name) for name in names]

    # -- paperwork

    def _founding(self) -> Iterator[Step]:
        day = self.floor.days.first
        yield Step("found", "found", ADMINISTRATOR, day, self._found)
        for name, role in ((VENUE, "venue"), (BANK, "bank"), (AUCTIONEER, "auctioneer")):
            yield self._say(f"register:{name}", "register_participant", day, ADMINISTRATOR, participant=name, name=name.capitalize(), role=role)
        for name in self.people:
            told = f"SYNTHETIC participant {name.rpartition('-')[2]}"
            yield self._say(f"register:{name}", "register_participant", day, ADMINISTRATOR, participant=name, name=told, role="trader")
        nobody = pl.Series([None] * len(self.people), dtype=pl.String)
        accounts = pl.DataFrame({"account": self.people, "kind": "trading", "holder": self.people, "installation": nobody})
        yield Step("accounts", "open_accounts", ADMINISTRATOR, day, lambda: ({}, {"accounts": accounts}))
        for account, quantity in (("auction", OFFERED_EACH * len(self.people)), ("remainder", sum(self._units().values()))):
            made = self._opening(account, quantity)
            yield Step(f"opening:{account}", "open_balance", ADMINISTRATOR, day, made)
        yield Step("units", "transfer", ADMINISTRATOR, day, self._hand_out)
        yield self._say("exchange", "open_exchange", day, venue="shown-day")
        members = pl.DataFrame({"account": self.people})
        yield Step("admit", "admit", VENUE, day, lambda: ({"clearing": True}, {"accounts": members}))
        for what, amounts in self._money().items():
            yield Step(f"paid-in:{what}", "deposit", BANK, day, self._paid_in(amounts))

    def _paid_in(self, amounts: Mapping[str, int]) -> Callable[[], Made]:
        table = pl.DataFrame({"account": list(amounts), "minor": list(amounts.values())})
        return lambda: ({"currency": self.floor.currency}, {"deposits": table})

    def _found(self) -> Made:
        book, floor = self._administration().founding_rulebook, self.floor
        law = [(path, p.unit, p.by, [(v.starts, v.published, v.status, v.content) for v in p.values]) for path, p in sorted(book.parameters.items())]
        given = (self.inputs.participants, self.inputs.seed, floor, sorted(book.rules.items()), law)
        papers = hashlib.sha256(repr(given).encode()).hexdigest()
        return {"system": book.system.id, "scenario": book.scenario, "first_year": floor.days.first.year, "papers": papers}, {}

    def _opening(self, account: str, quantity: int) -> Callable[[], Made]:
        year = self.floor.days.first.year

        def made() -> Made:
            code = self.state.allowance_code(year)
            return {"account": account, "unit": code, "quantity": quantity, "source": "SYNTHETIC, for a shown day", "year": year}, {}

        return made

    def _units(self) -> dict[str, int]:
        """Units that people start with: whoever sells short has none."""
        random = generator(self.inputs.seed, "units")
        found = {name: 250_000 + 1_000 * int(random.integers(0, 500)) for name in self.people}
        return found | {name_of(NEWS_SELLER): 12_000_000, name_of(DEFAULTER): 50_000, name_of(SHORT): 0}

    def _hand_out(self) -> Made:
        given = {name: units for name, units in self._units().items() if units}
        day = self.floor.days.first
        unit = self.state.unit(self.state.allowance_code(day.year))
        targets, units = (np.array(column, dtype=np.int64) for column in (self._numbers(list(given)), list(given.values())))
        rows = move(Command("units", "transfer", ADMINISTRATOR, day), Kind.TRANSFER, self.number("remainder"), targets, unit, units)
        return {}, {"transfers": rows}

    def _money(self) -> dict[str, dict[str, int]]:
        """Minor units that the bank pays in at the start: for spot and auction, behind positions, against a default, the house's own."""
        floor, random = self.floor, generator(self.inputs.seed, "money")
        margin = floor.money(SCAN * floor.future.contract.lot)
        lots = {name: 20 + int(random.integers(0, 160)) for name in self.people}
        lots |= {name_of(NEWS_SELLER): 6_000, name_of(LAYERER): 600, name_of(SHORT): 200, name_of(BUYER): 500, name_of(WRITER): 500}
        lots |= dict.fromkeys(self.crowd[2:5], 300)
        behind = {f"collateral:{name}": count * margin for name, count in lots.items()}
        behind[f"collateral:{name_of(DEFAULTER)}"] = round_fraction(DEFAULT_LOTS * margin * SLACK, NEAREST)
        return {
            "trading": {name: floor.money(400_000 + 10_000 * int(random.integers(0, 100))) for name in self.people},
            "collateral": behind,
            "default-fund": {f"default_fund:{name}": self._share() for name in self.people},
            "capital": {"ccp-capital": floor.money(CAPITAL)},
        }

    def _share(self) -> int:
        """Of the default fund, minor units: the same for everybody."""
        return self.floor.money(Fraction(FUND, len(self.people)))

    def _listing(self) -> Iterator[Step]:
        day, floor = self.floor.days.first, self.floor
        contract = floor.future.contract
        family = {"name": floor.unit, "currency": floor.currency, "lot": contract.lot, "price_scan": floor.text(floor.ticks(SCAN))}
        family |= {"volatility_scan": "0.10", "short_option_minimum": floor.text(1)}
        yield self._say("margin", "set_margin", day, families=[family])
        for place, one in enumerate(floor.traded):
            yield Step(f"list:{one.code}", "list_instrument", VENUE, day, self._listed(place))
        body = {"auction": "morning", "held_on": floor.days.last.isoformat(), "secured": True}
        yield Step("announce", "announce_auction", AUCTIONEER, day, lambda: self._announced(body))

    def _listed(self, place: int) -> Callable[[], Made]:
        floor, one = self.floor, self.floor.traded[place]

        def made() -> Made:
            body = one.body() | {"unit": self.state.allowance_code(floor.days.first.year), "seed": self.inputs.seed}
            if place == 0:
                return body | {"reference": str(floor.price), "breaker_ticks": floor.ticks(BREAKER)}, {}
            body |= {"family": floor.unit, "fee": "2"}
            middle = self.quiet.middle(floor.days.first, 0, 1, None)
            if place == 1:
                return body | {"reference": floor.text(middle), "breaker_ticks": floor.ticks(BREAKER)}, {}
            premium = floor.text(middle - self._strike() + floor.ticks(Fraction(1, 500)))
            option = {"right": "call", "strike": floor.text(self._strike()), "underlying": floor.future.code, "volatility": "0.35"}
            return body | option | {"reference": premium}, {}

        return made

    def _strike(self) -> int:
        """Of the option, in ticks: a fiftieth below the first price, so that it ends in the money."""
        return self.floor.future.contract.ticks(self.floor.price) - self.floor.ticks(Fraction(1, 50))

    def _announced(self, body: Mapping[str, Any]) -> Made | None:
        law = self.state.law(self.floor.days.last)
        try:
            rules = switches_of(law)
        except (NotYetInForce, ValueError):  # its law of that day does not say how bids are cleared
            return None
        category = max(rules.category_order, key=lambda word: rules.category_order[word]) if rules.category_order else ""
        quantity = in_steps(OFFERED_EACH * len(self.people), rules.lot)
        return {**body, "offers": [["auction", self.state.allowance_code(self.floor.days.first.year), quantity, "", category]]}, {}

    # -- sessions

    def _session(self, day: date, flow: Flow, news_at: int | None, among: Mapping[int, Callable[[int], Iterator[Step]]]) -> Iterator[Step]:
        """The slices of a day; before some of them (by number) something else happens, at the moment that the slice begins."""
        session = self.floor.session
        for place in range(flow.slices):
            first, last = (session.minute(session.length * part // flow.slices) for part in (place, place + 1))
            if place in among:
                yield from among[place](session.time(day, first))
            yield Step(f"orders:{day}:{place:02d}", "orders", VENUE, day, self._slice(day, flow, place, (first, last), news_at))

    def _slice(self, day: date, flow: Flow, place: int, span: tuple[int, int], news_at: int | None) -> Callable[[], Made]:
        session, plan = self.floor.session, self.floor.session.plan

        def made() -> Made:
            random = generator(self.inputs.seed, "times", day.isoformat(), str(place))
            opens, closes = plan.stages[0].begins, plan.stages[-1].begins
            after, until = (opens - 1 if place == 0 else span[0]), (closes if place == flow.slices - 1 else span[1])
            rows = [phase(stage.phase, session.time(day, stage.begins)) for stage in plan.changes(after, until)]
            if place == 0:
                rows[1:1] = limits(self.state, self.floor, session.time(day, opens))
            halted = news_at is not None and place == AT_HALT
            if news_at is not None and place == AT_HALT + 1:
                rows.append(phase(Phase.CONTINUOUS, session.time(day, min(span[0] + CALL, span[1] - 1))))
            rows += calls_end(self.state, self.floor, session.time(day, span[0]), session.time(day, span[1]))
            begins, ends = session.time(day, span[0]), session.time(day, span[1])
            times = random.integers(begins + MINUTE, ends, ROWS[flow.slices] // (2 if halted else 1)).tolist()
            calls = {0: Phase.OPENING_CALL, flow.slices - 1: Phase.CLOSING_CALL}
            for stage, following in zip(plan.stages, plan.stages[1:], strict=False):
                if calls.get(place) == stage.phase:  # nobody comes in the minutes in which nothing may be cancelled
                    begins, ends = session.time(day, stage.begins) + SECOND, session.time(day, following.begins - stage.cancel_ban)
                    times += random.integers(begins, ends, IN_A_CALL).tolist()
            crowd = self._numbers(self.crowd)
            rows += flow.rows(self.state, crowd, day, place, sorted(times), news_at)
            return {}, {"instructions": in_order(rows)}

        return made

    def _instructed(self, id: str, by: str, day: date, make: Callable[[], Any]) -> Step:
        return Step(id, "orders", by, day, lambda: ({}, {"instructions": make()}))

    def _deal(self, id: str, day: date, method: str, place: int, buyer: int, seller: int, lots: int, price: Callable[[], int]) -> Step:
        """A deal beside the book that the venue reports; in the spot market quantities are units."""
        one = self.floor.traded[place]
        quantity = lots * (one.contract.lot if place == 0 else 1)

        def made() -> Made:
            body = {"method": method, "instrument": one.code, "buyer": name_of(buyer), "seller": name_of(seller), "quantity": quantity}
            return body | {"price": str(one.contract.price(price()))}, {}

        return Step(id, "report_trade", VENUE, day, made)

    def _close(self, day: date, name: str) -> Step:
        return self._say(f"close:{name}", "close_day", day, window_minutes=30)

    # -- the days

    def _first_day(self) -> Iterator[Step]:
        days, flow, floor = self.floor.days, self.quiet, self.floor
        day = days.first

        def deals(time: int) -> Iterator[Step]:
            yield self._deal("block:defaulter", day, "block", 1, DEFAULTER, NEWS_SELLER, DEFAULT_LOTS, lambda: flow.middle(day, 4, 1, None))
            if floor.option is not None:
                value = floor.ticks(Fraction(1, 500))
                yield self._deal(
                    "block:option", day, "block", 2, BUYER, WRITER, OPTION_LOTS, lambda: flow.middle(day, 4, 1, None) - self._strike() + value
                )

        yield from self._session(day, flow, None, {4: deals})
        yield self._close(day, "first")
        yield self._say("settle:between", "settle", days.between, VENUE, ("nothing_to_do",))
        if floor.option is not None:
            yield self._say("exercise", "expire_instrument", days.between, instrument=floor.option.code)

    def _last_day(self) -> Iterator[Step]:
        days, floor, flow = self.floor.days, self.floor, self.busy
        day = days.last
        yield self._say("settle:last", "settle", day, VENUE, ("nothing_to_do",))
        yield Step("pay-calls:first", "deposit", BANK, day, self._pay_calls)
        yield self._say("collect:first", "collect", day)
        bid = [[name_of(SHORT), "1.00001", 1, ""]]
        yield Step("bid:wrong", "bid", name_of(SHORT), day, lambda: ({"auction": "morning", "bids": bid}, {}), ("off_tick", "unknown_auction"))
        yield Step("bids", "bid", AUCTIONEER, day, self._bids)
        yield Step("bid:back", "bid", name_of(WRITER), day, self._take_back)
        yield Step("auction", "clear_auction", AUCTIONEER, day, self._cleared)

        def middle(place: int) -> int:
            return flow.middle(day, place, 1, AT_NEWS)

        def below(time: int) -> Iterator[Step]:
            names = self.crowd[2:5]
            rows = lambda: in_order(flow.far_below(self.state, self._numbers(names), day, AT_NEWS - 1, time))  # noqa: E731
            yield self._instructed("far-below", VENUE, day, rows)

        def wash(time: int) -> Iterator[Step]:
            who = name_of(WASHER)
            yield self._instructed("wash", who, day, lambda: flow.with_itself(self.state, self.number(who), middle(AT_WASH)))

        def layers(time: int) -> Iterator[Step]:
            who, other = name_of(LAYERER), name_of(NEWS_SELLER)
            parts = lambda: flow.layers(self.state, self.number(who), self.number(other), middle(AT_LAYERS), time)  # noqa: E731
            yield self._instructed("layers", VENUE, day, parts)

        def news(time: int) -> Iterator[Step]:
            who = name_of(NEWS_SELLER)
            yield self._instructed("news", VENUE, day, lambda: flow.news(self.state, self.number(who), day, AT_NEWS, time))

        def halt(time: int) -> Iterator[Step]:
            yield self._instructed("halt", VENUE, day, lambda: in_order([phase(Phase.HALT, time)]))

        def resume(time: int) -> Iterator[Step]:
            yield self._instructed("resume", VENUE, day, lambda: in_order([phase(Phase.OPENING_CALL, time)]))

        def deals(time: int) -> Iterator[Step]:
            small = {"proposal": "too small", "instrument": floor.future.code, "account": name_of(SHORT), "counterparty": name_of(BUYER)}
            terms = small | {"side": "sell", "price": floor.text(middle(AT_BLOCK)), "quantity": 1}
            unless = ("below_minimum",)  # a contract may have none
            yield Step("propose:small", "propose_trade", name_of(SHORT), day, lambda: (terms, {}), unless)
            yield self._deal("block:short", day, "block", 1, BUYER, SHORT, SHORT_LOTS, lambda: middle(AT_BLOCK))
            spot = lambda: flow.middle(day, AT_BLOCK, 0, AT_NEWS)  # noqa: E731
            yield self._deal("otc", day, "over_the_counter", 0, BUYER, WRITER, 15, spot)

        among = {1: below, AT_WASH: wash, AT_LAYERS: layers, AT_NEWS: news, AT_HALT: halt, AT_HALT + 1: resume, AT_BLOCK: deals}
        yield from self._session(day, flow, AT_NEWS, among)
        yield self._close(day, "last")

    def _aftermath(self) -> Iterator[Step]:
        days, floor = self.floor.days, self.floor
        day, who = days.settled, name_of(DEFAULTER)
        yield self._say("settle:settled", "settle", day, VENUE, ("nothing_to_do",))
        body = {"account": f"collateral:{name_of(BUYER)}", "amount": str(10**12), "currency": floor.currency}
        yield Step("withdraw:too-much", "withdraw", name_of(BUYER), day, lambda: (body, {}), ("no_cover",))
        yield Step("pay-calls:last", "deposit", BANK, day, self._pay_calls)
        yield self._say("collect:last", "collect", day)
        yield self._say("kill", "orders", day, orders=[{"verb": "kill", "account": who}])
        yield Step("default", "declare_default", VENUE, day, self._default)
        yield Step("pay-calls:default", "deposit", BANK, day, self._pay_calls)
        yield self._say("collect:default", "collect", day)
        yield self._close(day, "settled")
        yield self._say("settle:late", "settle", days.late, VENUE, ("nothing_to_do",))
        yield Step("pay-calls:late", "deposit", BANK, days.late, self._pay_calls)
        yield self._say("collect:late", "collect", days.late)
        day = days.delivery
        yield self._say("settle:delivery", "settle", day, VENUE, ("nothing_to_do",))
        yield self._say("deliver", "expire_instrument", day, instrument=floor.future.code)
        yield Step("deliver:failed", "expire_instrument", VENUE, day, self._bought_elsewhere, ("nothing_to_do",))
        yield self._close(day, "delivery")
        for name in (name_of(BUYER), name_of(WRITER), name_of(NEWS_SELLER)):
            yield Step(f"withdraw:{name}", "withdraw", name, day, self._withdrawn(name))

    # -- commands that depend on the state

    def _bids(self) -> Made | None:
        """Two bids each around the spot price, none below the law's lowest; together about twice what is offered."""
        sale = self.state.exchange.sales.get("morning")
        if sale is None:
            return None
        law = self.state.law(self.floor.days.last)
        rules = switches_of(law)
        offered = sum(row["quantity"] for row in sale["offers"])
        terms = terms_of(law, rules, offered, year=self.floor.days.last.year)
        random, worth = generator(self.inputs.seed, "bids"), self.floor.spot.contract.price(int(self.state.exchange.marks[0]))
        most = min([offered, *(limit for limit in (terms.bid_limit, rules.bid_limit(offered)) if limit is not None)])
        each = 1 if rules.bids_per_bidder == 1 else 2
        rows = []
        for name in self.crowd:
            for part in range(each):
                share = Fraction(int(random.integers(-80, 40)), 10_000) - Fraction(part * 30, 10_000)
                ticks = max(round_fraction(Fraction(worth) * (1 + share) / Fraction(rules.price_step), NEAREST), terms.reserve or 1)
                ticks = min(ticks, terms.ceiling) if terms.ceiling is not None else ticks
                wanted = max(offered * 22 // (10 * each * len(self.crowd)) * int(random.integers(60, 140)) // 100, rules.minimum)
                rows.append((name, str(rules.price(ticks)), min(in_steps(wanted, rules.step), in_steps(most // each, rules.step))))
        table = pl.DataFrame(rows, schema={"account": pl.String, "price": pl.String, "quantity": pl.Int64}, orient="row")
        return {"auction": "morning"}, {"bids": table}

    def _take_back(self) -> Made | None:
        return ({"auction": "morning", "withdraw": name_of(WRITER)}, {}) if "morning" in self.state.exchange.sales else None

    def _cleared(self) -> Made | None:
        if "morning" not in self.state.exchange.sales:
            return None
        beside = int(self.state.exchange.marks[0]) - self.floor.ticks(FAR_BELOW_SPOT)
        return {"auction": "morning", "seed": self.inputs.seed, "secondary": str(self.floor.spot.contract.price(beside))}, {}

    def _pay_calls(self) -> Made | None:
        """Whoever is called brings what is asked for; one does not."""
        exchange, money = self.state.exchange, self.state.unit(self.floor.currency)
        lacking = exchange.called[:, money]
        members = [member for member in np.flatnonzero(lacking).tolist() if self._name(member) != name_of(DEFAULTER)]
        if not members:
            return None
        accounts = [f"collateral:{self._name(member)}" for member in members]
        table = pl.DataFrame({"account": accounts, "minor": lacking[members].tolist()}, schema={"account": pl.String, "minor": pl.Int64})
        return {"currency": self.floor.currency}, {"deposits": table}

    def _name(self, member: int) -> str:
        return str(self.state.accounts.ids[self.state.exchange.members[member]["account"]])

    def _default(self) -> Made:
        """Five take the positions over, at a price so low that every layer of the waterfall has to pay: down to a part of the assessments."""
        state, exchange, money = self.state, self.state.exchange, self.state.unit(self.floor.currency)
        member = exchange.member(self.number(name_of(DEFAULTER)))
        lots, basis, value = int(exchange.position[member, 1]), int(exchange.basis[member, 1]), int(exchange.column("tick_value")[1])
        funds = self._share()
        others = funds * (len(exchange.members) - 1)
        margin = int(collateral_of(state, np.array([member]), money)[0])
        house = int(state.books.available(state.accounts.number("ccp-capital"), money))
        wanted = margin + funds + house + others + round_fraction(ASSESSMENT * others * ASSESSED, NEAREST)
        ticks = (basis * value + int(exchange.owed[member, money]) - wanted) // (lots * value)
        takers = self.crowd[2:7] if len(self.crowd) > 6 else self.crowd[:5]
        parts = [lots // len(takers) + (place < lots % len(takers)) for place in range(len(takers))]
        rows = [(self.floor.future.code, taker, part, self.floor.text(ticks)) for taker, part in zip(takers, parts, strict=True)]
        columns = {"instrument": pl.String, "account": pl.String, "lots": pl.Int64, "price": pl.String}
        table = pl.DataFrame(rows, schema=columns, orient="row")
        return {"account": name_of(DEFAULTER), "assessment_multiple": str(ASSESSMENT)}, {"takers": table}

    def _bought_elsewhere(self) -> Made:
        """What cannot be delivered is settled at what units cost now: a little more than the last price."""
        ticks = int(self.state.exchange.marks[1]) + self.floor.ticks(Fraction(1, 100))
        return {"instrument": self.floor.future.code, "price": self.floor.text(ticks)}, {}

    def _withdrawn(self, name: str) -> Callable[[], Made | None]:
        def made() -> Made | None:
            money, digits = self.state.unit(self.floor.currency), decimals_of(self.floor.currency)
            free = int(self.state.books.available(self.number(f"collateral:{name}"), money))
            amount = f"{free // 10**digits}.{free % 10**digits:0{digits}d}" if digits else str(free)
            return ({"account": f"collateral:{name}", "amount": amount, "currency": self.floor.currency}, {}) if free else None

        return made
