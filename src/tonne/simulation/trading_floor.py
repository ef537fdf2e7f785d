"""What is traded on a shown trading day, when, and by whom: contracts from the venues' files, the session's hours, the days, synthetic people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tonne.administration.matching import moment
from tonne.law import LawError, Rulebook, load, systems
from tonne.law import contracts as texts
from tonne.market.contract import Contract, ContractError
from tonne.market.expiry import Calendar, Series, last_trading_day, of_month
from tonne.market.orders import Phase
from tonne.market.session import SessionPlan, Stage, minutes
from tonne.simulation.run import all_known, mean_prices
from tonne.units import DOWN, NEAREST, decimals_of, fraction, round_decimal, round_fraction

#: Minutes before and after continuous trading, for a contract whose hours name no calls.
PRE_OPEN, CALL = 30, 10
#: Hours where no contract of the system says any.
HOURS = ("continuous", "08:00", "17:00")
#: A market without any known price starts at so much money a unit.
PRICE = Decimal(80)
#: Ways of matching in which orders trade by themselves.
BY_THEMSELVES = ("price_time", "pro_rata", "seeded_random")
MONTH = 12
FEWEST_TICKS = 200
MINUTE = 60_000_000


@dataclass(frozen=True, slots=True)
class Traded:
    """A contract on the floor; `terms` where no venue's file has it and the day writes its own."""

    contract: Contract
    code: str
    terms: dict[str, Any] | None
    series: Series | None = None
    strike: int = 0

    def body(self) -> dict[str, Any]:
        """What `list_instrument` takes of it."""
        body: dict[str, Any] = {"contract": self.contract.id, "code": self.code}
        if self.terms is not None:
            body |= {"terms": self.terms, "kind": self.contract.kind}
        if self.series is not None:
            body["expiry"] = self.series.expiry.isoformat()
            if self.series.delivery is not None:
                body["delivery"] = self.series.delivery.isoformat()
        return body


@dataclass(frozen=True, slots=True)
class Session:
    """The day's plan, the spans of continuous trading (minutes of the day), the time zone, and whose hours these are."""

    plan: SessionPlan
    spans: tuple[tuple[int, int], ...]
    timezone: str
    whose: str

    @property
    def length(self) -> int:
        """Minutes of continuous trading."""
        return sum(closes - opens for opens, closes in self.spans)

    def minute(self, traded: int) -> int:
        """The minute of the day at which so many minutes of continuous trading are over; what lies in a break comes after it."""
        for opens, closes in self.spans:
            if traded < closes - opens:
                return opens + traded
            traded -= closes - opens
        return self.spans[-1][1]

    def time(self, day: date, minute: int) -> int:
        """Microseconds since 1970 of a minute of a day."""
        return moment(day, "00:00", self.timezone) + minute * MINUTE


@dataclass(frozen=True, slots=True)
class Days:
    """first: the option's last trading day, on which positions are built. last: the future's. settled, late: T+1 and T+2 of it. delivery."""

    first: date
    between: date
    last: date
    settled: date
    late: date
    delivery: date


@dataclass(frozen=True, slots=True)
class Floor:
    """Everything that is known before anybody comes."""

    system: str
    unit: str
    currency: str
    price: Decimal
    price_from: str
    spot: Traded
    future: Traded
    option: Traded | None
    session: Session
    days: Days
    notes: tuple[str, ...]

    @property
    def traded(self) -> tuple[Traded, ...]:
        return (self.spot, self.future) if self.option is None else (self.spot, self.future, self.option)

    def ticks(self, share: Fraction | int) -> int:
        """Ticks of a share of the first price, at least one."""
        return max(round_fraction(fraction(self.price) * share / fraction(self.future.contract.tick), NEAREST), 1)

    def money(self, units: Fraction | int) -> int:
        """Minor units that so many units cost at the first price."""
        return round_fraction(fraction(self.price) * units * 10 ** decimals_of(self.currency), NEAREST)

    def text(self, ticks: int) -> str:
        """A price as commands have it."""
        return str(self.future.contract.price(ticks))


def floor_of(book: Rulebook, year: int, price: Decimal | None = None) -> Floor:
    """The floor of a system's market in December of a year. Raises ValueError for a price that is none, LawError without a law."""
    system, notes = book.system, []
    if price is not None and not 0 < price <= 10**9:
        raise ValueError(f"a price is above zero and of this world, not {price}")
    day = date(year, MONTH, 1)
    book.at(day)  # refuses a system without a law by then
    worth, came_from = (price, "as asked for") if price is not None else _first_price(book, year)
    spot, future = _contract(book, "spot", day, worth), _contract(book, "future", day, worth)
    option = _option(future, day)
    for kind, found in (("spot", spot), ("future", future)):
        if found.terms is not None:
            notes.append(f"no venue's file has a {kind} on {system.unit_code} that can be traded here; its terms are the day's own")
    tick = max(spot.contract.tick, future.contract.tick)
    start = _on_tick(worth, tick)
    if start < FEWEST_TICKS * tick:
        raise ValueError(f"a price of {worth} is {start / tick} ticks of {tick}; a day needs {FEWEST_TICKS} to show anything")
    session = _session((future.contract, spot.contract))
    if session.whose:
        notes.append(f"hours of {session.whose}, {session.timezone}")
    else:
        notes.append(f"no hours are known; {HOURS[1]} to {HOURS[2]}, {session.timezone}")
    assert future.series is not None
    calendar = Calendar(future.contract.holidays)
    last = future.series.expiry
    first = option.series.expiry if option is not None and option.series is not None else calendar.add(last, -3)
    delivery = max(future.series.delivery or calendar.add(last, 3), calendar.add(last, 3))
    days = Days(first, calendar.add(first, 1), last, calendar.add(last, 1), calendar.add(last, 2), delivery)
    if option is None:
        notes.append("no option on that future that can be traded here")
    return Floor(system.id, system.unit_code, system.currency, start, came_from, spot, future, option, session, days, tuple(notes))


def _first_price(book: Rulebook, year: int) -> tuple[Decimal, str]:
    """What a unit is worth when the day begins, and where that is from: the newest published price in the system's money, else a price of the law's
    own (a reserve price, the middle between two triggers, a selling price), else a round figure."""
    system = book.system
    published = [found for name in ("auction_price", "mean_price", "price") if (found := _newest(book, name, year)) is not None]
    if published:
        newest = max(published, key=lambda found: found[0])  # of one year the first: the mean of the auctions
        return newest[1], newest[2]
    by_law = mean_prices(book, max(system.begins.year, year - 5), year).get(year)
    if by_law is not None:
        return by_law, f"the law's own price for {year}; no published one is known"
    worth = PRICE if decimals_of(system.currency) else 100 * PRICE
    return worth, f"a round figure, because no price of {system.unit_code} is known here"


def _newest(book: Rulebook, name: str, year: int) -> tuple[int, Decimal, str] | None:
    """The newest price of a published series up to a year: its year, the price, and what it is. A series by auction has its newest auction last."""
    parameter = book.parameters.get(f"statistics.{name}")
    if parameter is None or parameter.by not in ("year", "auction") or book.system.currency not in parameter.unit:
        return None
    known = all_known(book, parameter) or {}
    if parameter.by == "year":
        rows = [(int(key), key) for key in known if known[key] is not None and int(key) <= year]
    else:
        rows = [(value.starts.year, key) for value in parameter.values if value.starts.year <= year for key in value.content or () if known.get(key)]
    if not rows:
        return None
    last = max(enumerate(rows), key=lambda row: (row[1][0], row[0]))[1]
    price = round_decimal(known[last[1]], "0.01", NEAREST)
    what = str(parameter.label.get("en", name))
    when = last[1] if str(last[1]).startswith(str(last[0])) else f"number {last[1]} of {last[0]}"
    return last[0], price, f"the newest published: {what[:1].lower()}{what[1:]}, {when}"


def busiest_system(year: int) -> str:
    """The system for whose units the venues' files have a spot, a future and an option: there is most to show."""
    day = date(year, MONTH, 1)
    spots, futures, options = ({one.unit for one in _listed(kind, day)} for kind in ("spot", "future", "option"))
    wanted = spots & futures & options
    for name in systems():
        if load(name).system.unit_code in wanted:
            return name
    raise ValueError("no shipped contracts make a market by themselves; name a system")


def _on_tick(price: Decimal, tick: Decimal) -> Decimal:
    return max(round_fraction(fraction(price) / fraction(tick), NEAREST), 1) * tick


def _listed(kind: str, day: date) -> list[Contract]:
    """Contracts of a kind that are listed on a day and known well enough to be traded."""
    found = []
    for name in texts.contracts():
        listed = texts.contract(name)
        if listed.kind != kind or listed.status != "listed":
            continue
        try:
            contract = Contract.of(listed.id, listed.venue, kind, listed.at(day).values)
        except (ContractError, LawError):
            continue
        if contract.matching in BY_THEMSELVES and contract.delivery == "physical":
            found.append(contract)
    return found


def _contract(book: Rulebook, kind: str, day: date, worth: Decimal) -> Traded:
    """The first of a venue's contracts on the system's units in its own money, one with hours first; else terms of the day's own, with a tick of
    which the price has a thousand or more."""
    system = book.system
    fits = [one for one in _listed(kind, day) if (one.unit, one.currency) == (system.unit_code, system.currency)]
    if kind == "future":
        fits = [one for one in fits if one.expiry is not None and one.settlement == "margined"]
    terms: dict[str, Any] | None = None
    if fits:
        contract = sorted(fits, key=lambda one: not one.phases)[0]
    else:
        tick = Decimal(1).scaleb(max(worth.adjusted() - 3, -decimals_of(system.currency)))
        terms = {"lot": 1000, "unit": system.unit_code, "currency": system.currency, "tick": f"{tick:f}"}
        terms |= {"settlement": "margined" if kind == "future" else "prefunded", "time_zone": system.time_zone}
        terms |= {"settlement_lag": 3 if kind == "future" else 1}
        if kind == "future":
            terms["expiry"] = {"rule": "last_weekday_before_holidays", "weekday": "monday", "clear_days": 4}
        contract = Contract.of(f"own-{kind}", "own", kind, terms | {"tick": Decimal(terms["tick"])})
    if kind == "spot":
        return Traded(contract, contract.id, terms)
    series = of_month(contract, day.year, MONTH)
    return Traded(contract, f"{contract.id}:{series.name}", terms, series)


def _option(future: Traded, day: date) -> Traded | None:
    """A European option of a venue on the future, with its own last trading day; None where no file has one."""
    assert future.series is not None
    for contract in _listed("option", day):
        fits = contract.underlying == future.contract.id and contract.style in (None, "european") and contract.underlying_lots == 1
        if fits and contract.expiry is not None and contract.tick == future.contract.tick:
            try:
                last = last_trading_day(contract.expiry, day.year, MONTH, contract.holidays, future.series.expiry)
            except ContractError:
                continue
            return Traded(contract, f"{contract.id}:{future.series.name}:call", None, Series(future.series.name, last, None))
    return None


def _session(contracts: tuple[Contract, ...]) -> Session:
    """The stages of the day, from the hours of the first contract that has any; where it names no calls, one before and one after."""
    with_hours = [one for one in contracts if any(span.phase == "continuous" for span in one.phases)]
    whose = with_hours[0] if with_hours else None
    rows = [(span.phase, span.opens, span.closes) for span in whose.phases] if whose is not None else [HOURS]
    spans = tuple(_span(opens, closes) for phase, opens, closes in rows if phase == "continuous")
    opens, closes = spans[0][0], spans[-1][1]
    before = [_span(*row[1:]) for row in rows if row[0] == "opening_call"]
    after = [_span(*row[1:]) for row in rows if row[0] == "closing_call"]
    call = min([opens - CALL, *(one[0] for one in before)])
    ends = max([closes + CALL, *(one[1] for one in after)])
    stages = [Stage(call - PRE_OPEN, Phase.PRE_OPEN), Stage(call, Phase.OPENING_CALL, cancel_ban=1)]
    for place, (begins, until) in enumerate(spans):
        stages.append(Stage(begins, Phase.CONTINUOUS))
        if place + 1 < len(spans):
            stages.append(Stage(until, Phase.HALT))
    stages += [Stage(closes, Phase.CLOSING_CALL, cancel_ban=1), Stage(ends, Phase.POST_CLOSE)]
    zone = whose.timezone if whose is not None else contracts[-1].timezone
    return Session(SessionPlan(tuple(stages)), spans, zone, whose.id if whose is not None else "")


def _span(opens: str, closes: str) -> tuple[int, int]:
    """Minutes of the day; a span that ends on the next day begins on the evening before."""
    first, last = minutes(opens), minutes(closes)
    return (first, last) if last > first else (first - 1440, last)


def in_steps(units: int, step: int) -> int:
    """Units in whole steps, rounded down, at least one step."""
    return max(round_fraction(Fraction(units, step), DOWN), 1) * step
