"""Trades that two parties agree beside the order book: block trades, reports of deals made elsewhere, futures exchanged for units or for a swap.

Pure functions: what is asked is answered by an agreed `Trade` (or what holds one) or by a `Refused` that names its reason; nothing is kept here, the
caller keeps the proposals and reports. Prices are ticks, quantities lots (int), moments microseconds since 1970 (UTC), days the venue's trading
days. None of these trades moves a closing price: `listed.day_summary` keeps them apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from tonne.dates import zone
from tonne.market.contract import Contract, PhaseHours, phases_of
from tonne.units import DOWN, UP, Rate, fraction, round_fraction

MINUTE = 60_000_000
"""A minute in microseconds."""

InstrumentId: TypeAlias = int | str
"""An instrument by its number in the book or by its code."""

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)


class Method(StrEnum):
    """How a trade came about."""

    LISTED = "listed"
    BLOCK = "block"
    ONE_WAY = "one_way"
    OVER_THE_COUNTER = "over_the_counter"
    EXCHANGE_FOR_PHYSICAL = "exchange_for_physical"
    EXCHANGE_FOR_SWAP = "exchange_for_swap"


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def other(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class Reason(StrEnum):
    """Why nothing was agreed. Where several hold, the order of the questions is that of `DealLimits.refusal`, then of the function."""

    OWN_ACCOUNT = "own_account"
    BAD_QUANTITY = "bad_quantity"
    BELOW_MINIMUM = "below_minimum"
    ABOVE_MAXIMUM = "above_maximum"
    OUTSIDE_SESSION = "outside_session"
    BAD_PRICE = "bad_price"
    NO_REFERENCE_PRICE = "no_reference_price"
    PRICE_LIMIT = "price_limit"
    CLOCK_BACKWARDS = "clock_backwards"
    NOT_OPEN = "not_open"
    NOT_A_PARTY = "not_a_party"
    EXPIRED = "expired"
    TERMS_DIFFER = "terms_differ"
    SIDES_DIFFER = "sides_differ"
    REPORTED_LATE = "reported_late"
    ALREADY_REPORTED = "already_reported"
    CORRECTION_NOT_ALLOWED = "correction_not_allowed"
    ONE_MEMBER_EACH_SIDE = "one_member_each_side"
    QUANTITIES_DIFFER = "quantities_differ"
    NOT_COVERED = "not_covered"
    BAD_WINDOW = "bad_window"
    NOTICE_TOO_SHORT = "notice_too_short"
    NOT_ADMITTED = "not_admitted"
    WINDOW_CLOSED = "window_closed"
    WINDOW_OPEN = "window_open"
    BEYOND_LIMIT = "beyond_limit"
    OFF_INCREMENT = "off_increment"
    NOT_RAISED = "not_raised"
    WHOLE_ONLY = "whole_only"


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was agreed and nothing changed: the reason by name, and a sentence for people."""

    reason: Reason
    text: str


@dataclass(frozen=True, slots=True)
class Trade:
    """One agreed trade between two accounts: what, price, quantity, the venue's day, the moment, the way it came about, the deal's name."""

    buyer: int
    seller: int
    instrument: InstrumentId
    ticks: int
    lots: int
    day: date
    time: int
    method: Method
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Hours:
    """Spans of the local day in which something may be done.

    A span has its first moment and not its last; one that does not end after it begins runs past midnight.
    """

    spans: tuple[PhaseHours, ...]
    time_zone: str = "UTC"

    @classmethod
    def of(cls, text: str, time_zone: str) -> Hours:
        """Hours.of("09:30-11:30, 13:00-15:00", "Asia/Tokyo"). Raises ContractError for what is no span, DateError for no zone."""
        zone(time_zone)
        return cls(phases_of({"negotiated": text}), time_zone)

    @classmethod
    def of_contract(cls, contract: Contract, phase: str) -> Hours | None:
        """The hours that a contract names for a phase (`block`, `negotiated`); None where it names none."""
        spans = tuple(span for span in contract.phases if span.phase == phase)
        return cls(spans, contract.timezone) if spans else None

    def holds(self, time: int) -> bool:
        """Whether a moment lies within the hours."""
        local = (_FIRST + timedelta(microseconds=time)).astimezone(zone(self.time_zone))
        now = local.hour * 3600 + local.minute * 60 + local.second
        for span in self.spans:
            opens, closes = _seconds(span.opens), _seconds(span.closes)
            if (opens <= now < closes) if opens < closes else (now >= opens or now < closes):
                return True
        return False

    def __str__(self) -> str:
        return ", ".join(f"{span.opens}-{span.closes}" for span in self.spans) + f" {self.time_zone}"


@dataclass(frozen=True, slots=True)
class PriceRange:
    """Lowest and highest price of a day, in ticks; None: no such bound."""

    low: int | None = None
    high: int | None = None

    def __contains__(self, ticks: int) -> bool:
        return (self.low is None or self.low <= ticks) and (self.high is None or ticks <= self.high)


def price_range(reference_ticks: int, share: Rate | None) -> PriceRange:
    """The reference price less and plus a share of it, on whole ticks inside: 5,501 ticks and 30 % give 3,851 to 7,151 (3,850.7, 7,151.3)."""
    if share is None:
        return PriceRange()
    exact, around = fraction(reference_ticks), fraction(share)
    return PriceRange(round_fraction(exact * (1 - around), UP), round_fraction(exact * (1 + around), DOWN))


@dataclass(frozen=True, slots=True)
class DealLimits:
    """What a venue asks of any deal: its size, its price around the reference (the last close), its hours. None: not limited."""

    min_lots: int = 1
    max_lots: int | None = None
    price_limit_share: Rate | None = None
    hours: Hours | None = None

    def refusal(self, buyer: int, seller: int, ticks: int, lots: int, time: int, reference_ticks: int | None) -> Refused | None:
        """The first thing wrong with a deal, or None: parties, quantity, size, hours, price, price limit, in this order."""
        if buyer == seller:
            return Refused(Reason.OWN_ACCOUNT, f"account {buyer} cannot deal with itself; name the other party's account")
        return self.size_refusal(lots) or self.hours_refusal(time) or self.price_refusal(ticks, reference_ticks)

    def size_refusal(self, lots: int) -> Refused | None:
        if lots <= 0:
            return Refused(Reason.BAD_QUANTITY, f"a quantity is at least one lot, not {lots:,}")
        if lots < self.min_lots:
            return Refused(Reason.BELOW_MINIMUM, f"{lots:,} lots are fewer than the {self.min_lots:,} of this way of trading; use the order book")
        if self.max_lots is not None and lots > self.max_lots:
            return Refused(Reason.ABOVE_MAXIMUM, f"{lots:,} lots are more than the {self.max_lots:,} of one deal; split it")
        return None

    def hours_refusal(self, time: int) -> Refused | None:
        if self.hours is None or self.hours.holds(time):
            return None
        return Refused(Reason.OUTSIDE_SESSION, f"the hours of this way of trading are {self.hours}; come back then")

    def price_refusal(self, ticks: int, reference_ticks: int | None) -> Refused | None:
        if ticks <= 0:
            return Refused(Reason.BAD_PRICE, f"a price is at least one tick, not {ticks:,}")
        if self.price_limit_share is None:
            return None
        if reference_ticks is None:
            return Refused(Reason.NO_REFERENCE_PRICE, "prices are limited around a reference price and there is none yet; the venue sets one first")
        day = price_range(reference_ticks, self.price_limit_share)
        if ticks in day:
            return None
        return Refused(Reason.PRICE_LIMIT, f"{ticks:,} ticks lie outside the day's {day.low:,} to {day.high:,}; agree a price inside")


# block trades: one side proposes, the other accepts the same terms


class ProposalState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Terms:
    """What both sides must say alike: instrument, price in ticks, lots."""

    instrument: InstrumentId
    ticks: int
    lots: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """A block trade that one side offers to one other. `side` is the proposer's. It stands on its day, until `expires` if that is set."""

    reference: str
    proposer: int
    counterparty: int
    side: Side
    terms: Terms
    day: date
    time: int
    expires: int | None = None
    state: ProposalState = ProposalState.OPEN

    @property
    def buyer(self) -> int:
        return self.proposer if self.side is Side.BUY else self.counterparty

    @property
    def seller(self) -> int:
        return self.proposer if self.side is Side.SELL else self.counterparty


@dataclass(frozen=True, slots=True)
class Agreed:
    """A proposal that is now accepted, and its trade."""

    proposal: Proposal
    trade: Trade


def propose(limits: DealLimits, proposal: Proposal, reference_ticks: int | None) -> Proposal | Refused:
    """The proposal as it stands, or why it cannot: limits first, then an end that lies before its beginning (`bad_window`)."""
    wrong = limits.refusal(
        proposal.buyer, proposal.seller, proposal.terms.ticks, proposal.terms.lots, proposal.time, reference_ticks
    )  # fmt: skip
    if wrong is not None:
        return wrong
    if proposal.expires is not None and proposal.expires <= proposal.time:
        return Refused(Reason.BAD_WINDOW, "the proposal would expire before it is made; give a later end or none")
    return replace(proposal, state=ProposalState.OPEN)


def accept(
    limits: DealLimits, proposal: Proposal, by: int, side: Side, terms: Terms, day: date, time: int, reference_ticks: int | None
) -> Agreed | Refused:
    """The trade, if the counterparty states the same terms and the other side while the proposal stands.

    Order of refusals: not_open, clock_backwards, not_a_party, expired, terms_differ, then the limits again at this moment.
    """
    wrong = _cannot_answer(proposal, by, proposal.counterparty, time)
    if wrong is not None:
        return wrong
    if _has_expired(proposal, day, time):
        return Refused(Reason.EXPIRED, f"the proposal {proposal.reference} stood on {proposal.day} only as long as it said; ask for a new one")
    if terms != proposal.terms or side is not proposal.side.other:
        said = f"{proposal.side.other} {proposal.terms.lots:,} lots of {proposal.terms.instrument} at {proposal.terms.ticks:,} ticks"
        return Refused(Reason.TERMS_DIFFER, f"what is accepted is not what was proposed; to accept it is to {said}")
    wrong = limits.refusal(proposal.buyer, proposal.seller, terms.ticks, terms.lots, time, reference_ticks)
    if wrong is not None:
        return wrong
    trade = Trade(proposal.buyer, proposal.seller, terms.instrument, terms.ticks, terms.lots, day, time, Method.BLOCK, proposal.reference)
    return Agreed(replace(proposal, state=ProposalState.ACCEPTED), trade)


def decline(proposal: Proposal, by: int, time: int) -> Proposal | Refused:
    """The counterparty says no."""
    return _cannot_answer(proposal, by, proposal.counterparty, time) or replace(proposal, state=ProposalState.DECLINED)


def withdraw(proposal: Proposal, by: int, time: int) -> Proposal | Refused:
    """The proposer takes it back before it was answered."""
    return _cannot_answer(proposal, by, proposal.proposer, time) or replace(proposal, state=ProposalState.WITHDRAWN)


def expire(proposal: Proposal, day: date, time: int) -> Proposal:
    """The proposal as it is at a moment: an open one past its end or its day is expired, any other is unchanged."""
    if proposal.state is ProposalState.OPEN and _has_expired(proposal, day, time):
        return replace(proposal, state=ProposalState.EXPIRED)
    return proposal


def _cannot_answer(proposal: Proposal, by: int, who: int, time: int) -> Refused | None:
    if proposal.state is not ProposalState.OPEN:
        return Refused(Reason.NOT_OPEN, f"the proposal {proposal.reference} is {proposal.state}; ask for a new one")
    if time < proposal.time:
        return Refused(Reason.CLOCK_BACKWARDS, f"the proposal {proposal.reference} was made later than this moment; give the moment of the answer")
    if by != who:
        return Refused(Reason.NOT_A_PARTY, f"account {by} cannot do this to the proposal {proposal.reference}; account {who} can")
    return None


def _has_expired(proposal: Proposal, day: date, time: int) -> bool:
    return day != proposal.day or (proposal.expires is not None and time >= proposal.expires)


# deals made over the counter and reported to the venue


@dataclass(frozen=True, slots=True)
class ReportRules:
    """How a deal made elsewhere is reported. `limits` hold for the whole deal, its hours for the report; `within` microseconds after the deal."""

    limits: DealLimits
    within: int | None = None
    one_member_each_side: bool = False
    correction: bool = False
    value_after_close: bool = False


@dataclass(frozen=True, slots=True)
class Party:
    """One account on one side of a deal, the member it trades through, and its lots."""

    member: int
    account: int
    lots: int


@dataclass(frozen=True, slots=True)
class Deal:
    """A deal as reported: its own name, what, the price, when it was made, who bought and who sold."""

    reference: str
    instrument: InstrumentId
    ticks: int
    made: int
    buyers: tuple[Party, ...]
    sellers: tuple[Party, ...]

    @property
    def lots(self) -> int:
        return sum(party.lots for party in self.buyers)


@dataclass(frozen=True, slots=True)
class Reported:
    """An accepted report: the deal, its trades (one for each pair of accounts that meet), when, and the report that it corrects."""

    deal: Deal
    trades: tuple[Trade, ...]
    day: date
    time: int
    corrects: Deal | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """What everybody sees of a report: the volume at once, price and value when the venue's rules let them."""

    instrument: InstrumentId
    lots: int
    time: int
    ticks: int | None
    value: int | None


def report(
    rules: ReportRules, deal: Deal, day: date, time: int, reference_ticks: int | None, known: Mapping[str, Deal] | None = None
) -> Reported | Refused:
    """The deal's trades, or why the venue does not take it. `known` holds what was reported before, by name.

    Order of refusals: already_reported (the same again), correction_not_allowed (another under its name), bad_quantity, sides_differ,
    one_member_each_side, own_account, size, hours, price, clock_backwards (made after it was reported), reported_late.
    Buyers and sellers meet in the order they are named.
    """
    before = (known or {}).get(deal.reference)
    wrong = _repeats(rules, deal, before) or _bad_sides(rules, deal)
    if wrong is None:
        limits = rules.limits
        wrong = limits.size_refusal(deal.lots) or limits.hours_refusal(time) or limits.price_refusal(deal.ticks, reference_ticks)
    if wrong is None and time < deal.made:
        wrong = Refused(Reason.CLOCK_BACKWARDS, f"the deal {deal.reference} is said to be made after this report; give the moment it was made")
    if wrong is None and rules.within is not None and time - deal.made > rules.within:
        minutes = -(-(time - deal.made) // MINUTE)
        wrong = Refused(Reason.REPORTED_LATE, f"the deal {deal.reference} is {minutes} minutes old; report within {rules.within // MINUTE} minutes")
    if wrong is not None:
        return wrong
    return Reported(deal, _meet(deal, day, time), day, time, before)


def publication(rules: ReportRules, reported: Reported, closed: bool, tick_value: int = 1) -> Published:
    """What is published of a report during the day (closed = False) and after the close. tick_value: minor units per lot and tick."""
    deal, hidden = reported.deal, rules.value_after_close and not closed
    value = None if hidden else deal.ticks * deal.lots * tick_value
    return Published(deal.instrument, deal.lots, reported.time, None if hidden else deal.ticks, value)


def _repeats(rules: ReportRules, deal: Deal, before: Deal | None) -> Refused | None:
    if before is None:
        return None
    if before == deal:
        return Refused(Reason.ALREADY_REPORTED, f"the deal {deal.reference} was reported with the same terms; nothing is to do")
    if not rules.correction:
        return Refused(Reason.CORRECTION_NOT_ALLOWED, f"the deal {deal.reference} was reported with other terms, and a report is final")
    return None


def _bad_sides(rules: ReportRules, deal: Deal) -> Refused | None:
    parties = (*deal.buyers, *deal.sellers)
    if not deal.buyers or not deal.sellers or any(party.lots <= 0 for party in parties):
        return Refused(Reason.BAD_QUANTITY, f"the deal {deal.reference} needs a buyer and a seller, each with at least one lot")
    sold = sum(party.lots for party in deal.sellers)
    if sold != deal.lots:
        return Refused(Reason.SIDES_DIFFER, f"the deal {deal.reference} buys {deal.lots:,} lots and sells {sold:,}; both sides report the same")
    if rules.one_member_each_side and any(len({party.member for party in side}) != 1 for side in (deal.buyers, deal.sellers)):
        return Refused(Reason.ONE_MEMBER_EACH_SIDE, f"the deal {deal.reference} has several members on one side; report it in parts")
    both = {party.account for party in deal.buyers} & {party.account for party in deal.sellers}
    if both:
        return Refused(Reason.OWN_ACCOUNT, f"the deal {deal.reference} has account {min(both)} on both sides; name the other party's account")
    return None


def _meet(deal: Deal, day: date, time: int) -> tuple[Trade, ...]:
    trades, k, left = [], 0, deal.sellers[0].lots
    for buyer in deal.buyers:
        wanted = buyer.lots
        while wanted:
            lots = min(wanted, left)
            trades.append(
                Trade(buyer.account, deal.sellers[k].account, deal.instrument, deal.ticks, lots, day, time, Method.OVER_THE_COUNTER, deal.reference)
            )
            wanted, left = wanted - lots, left - lots
            if not left and k + 1 < len(deal.sellers):
                k += 1
                left = deal.sellers[k].lots
    return tuple(trades)


# futures against units, futures against a swap: two legs or none


@dataclass(frozen=True, slots=True)
class ExchangeTerms:
    """What both sides say of an exchange. The buyer of the futures gives the units (or the swap), the seller of the futures takes them.

    ticks, lots       of the futures leg
    physical, units   of the other leg: which units (or the name of the swap), how many
    amount            what the other leg costs, in minor units of its currency
    """

    reference: str
    futures_buyer: int
    futures_seller: int
    future: InstrumentId
    ticks: int
    lots: int
    physical: InstrumentId
    units: int
    amount: int


@dataclass(frozen=True, slots=True)
class ExchangeRules:
    """limits: of the futures leg. units_per_lot: what one lot stands for. tolerance: the share of it by which the other leg may differ."""

    limits: DealLimits
    units_per_lot: int
    tolerance: Rate = 0
    method: Method = Method.EXCHANGE_FOR_PHYSICAL


@dataclass(frozen=True, slots=True)
class OtherLeg:
    """The leg against the futures: who gives the units and gets the amount (minor units), who takes them.

    `moves` is False for a swap: the venue only notes it.
    """

    giver: int
    taker: int
    physical: InstrumentId
    units: int
    amount: int
    moves: bool


@dataclass(frozen=True, slots=True)
class Exchange:
    """Both legs; the caller posts them linked."""

    future: Trade
    other: OtherLeg


def exchange(
    rules: ExchangeRules,
    buyer_says: ExchangeTerms,
    seller_says: ExchangeTerms,
    day: date,
    time: int,
    reference_ticks: int | None,
    units_available: int | None = None,
    money_available: int | None = None,
) -> Exchange | Refused:
    """Both legs, or neither and why: terms_differ, the limits of the futures leg, bad_quantity, quantities_differ, not_covered.

    units_available: what the giver of the units has, money_available: what their taker has in minor units; None leaves it to the ledger.
    """
    terms = buyer_says
    if terms != seller_says:
        return Refused(Reason.TERMS_DIFFER, f"the two sides of {terms.reference} do not say the same; agree the terms and send them again")
    wrong = rules.limits.refusal(terms.futures_buyer, terms.futures_seller, terms.ticks, terms.lots, time, reference_ticks)
    if wrong is not None:
        return wrong
    if terms.units <= 0 or terms.amount < 0:
        return Refused(Reason.BAD_QUANTITY, f"the other leg of {terms.reference} is of at least one unit and costs nothing or more")
    due = terms.lots * rules.units_per_lot
    if abs(terms.units - due) > fraction(rules.tolerance) * due:
        return Refused(Reason.QUANTITIES_DIFFER, f"{terms.lots:,} lots stand for {due:,} units, the other leg has {terms.units:,}; make them equal")
    moves = rules.method is Method.EXCHANGE_FOR_PHYSICAL
    if moves and units_available is not None and units_available < terms.units:
        return Refused(Reason.NOT_COVERED, f"account {terms.futures_buyer} has {units_available:,} units to give and needs {terms.units:,}")
    if moves and money_available is not None and money_available < terms.amount:
        return Refused(Reason.NOT_COVERED, f"account {terms.futures_seller} has {money_available:,} minor units and needs {terms.amount:,}")
    future = Trade(
        terms.futures_buyer, terms.futures_seller, terms.future, terms.ticks, terms.lots, day, time, rules.method, terms.reference
    )  # fmt: skip
    return Exchange(future, OtherLeg(terms.futures_buyer, terms.futures_seller, terms.physical, terms.units, terms.amount, moves))


def _seconds(text: str) -> int:
    hours, minutes, *seconds = (int(part) for part in text.split(":"))
    return hours * 3600 + minutes * 60 + (seconds[0] if seconds else 0)
