"""One-way bidding: one party offers units (or asks for them), the venue gives notice, the other side alone bids in a window, the best bids win.

Where a seller applies, buyers bid upwards and the highest price comes first; where a buyer applies, sellers bid downwards and the lowest comes
first. At one price the earlier bid comes first, then the larger, then the one entered first. The functions are pure: the caller keeps the notice and
the bids and puts them in again. Prices are ticks, quantities lots, moments microseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from tonne.market.negotiated import MINUTE, DealLimits, InstrumentId, Method, Reason, Refused, Side, Trade


class Pricing(StrEnum):
    """What a winner pays: the price of its own bid, or all of them the price of the last bid that wins."""

    OWN_BID = "own_bid"
    LAST_WINNING_BID = "last_winning_bid"


@dataclass(frozen=True, slots=True)
class OneWayRules:
    """The venue's: limits on the quantity, the hours and the limit price of an application; notice: least microseconds from notice to window."""

    limits: DealLimits
    notice: int = 0


@dataclass(frozen=True, slots=True)
class Application:
    """What one party asks the venue to put out to bids. side SELL: it sells and buyers bid; BUY: the mirror of it.

    limit_ticks    the public floor (of a seller) or ceiling (of a buyer); bids are it plus (less) whole increments
    opens, closes  the window; a bid at `opens` is in it, one at `closes` is not
    admitted       accounts that may bid; None: everybody
    divisible      False: one bid for the whole quantity wins
    smallest_bid   lots, where divisible
    reserve_ticks  secret; bids short of it do not win; None: the limit is all
    beats_best     each bid must be better than the best so far by an increment, not only than the bidder's own
    extra_lots     more that the applicant trades if the bids at or inside limit and reserve ask for more than `lots`
    least_lots     nothing is traded where less than this would be
    """

    reference: str
    applicant: int
    side: Side
    instrument: InstrumentId
    lots: int
    limit_ticks: int
    opens: int
    closes: int
    increment: int = 1
    admitted: frozenset[int] | None = None
    divisible: bool = True
    smallest_bid: int = 1
    reserve_ticks: int | None = None
    beats_best: bool = False
    extra_lots: int = 0
    least_lots: int = 0
    pricing: Pricing = Pricing.OWN_BID


@dataclass(frozen=True, slots=True)
class Notice:
    """An accepted application and when the venue made it public. `reserve_ticks` and `extra_lots` of it are not published."""

    application: Application
    announced: int


@dataclass(frozen=True, slots=True)
class Bid:
    bidder: int
    ticks: int
    lots: int
    time: int


@dataclass(frozen=True, slots=True)
class Award:
    """A bid, best first, and the lots it won (0: none)."""

    bid: Bid
    lots: int
    ticks: int


@dataclass(frozen=True, slots=True)
class OneWayResult:
    """How it ended: `sold` (all of it), `partly_sold`, `not_sold`, with why not; the trades; what is left of the quantity put out."""

    outcome: str
    why: str
    trades: tuple[Trade, ...]
    awards: tuple[Award, ...]
    traded: int
    left: int


def announce(rules: OneWayRules, application: Application, time: int, reference_ticks: int | None = None) -> Notice | Refused:
    """The notice, or why the venue does not take the application.

    Order of refusals: size, hours (both ends of the window), limit price, bad_quantity (of bids, extra or least lots), off_increment,
    beyond_limit (a reserve outside the limit), bad_window, notice_too_short.
    """
    a, limits = application, rules.limits
    last = max(a.opens, a.closes - 1)
    wrong = (
        limits.size_refusal(a.lots)
        or limits.hours_refusal(a.opens)
        or limits.hours_refusal(last)
        or limits.price_refusal(a.limit_ticks, reference_ticks)
    )
    if wrong is not None:
        return wrong
    if not 1 <= a.smallest_bid <= a.lots or a.extra_lots < 0 or not 0 <= a.least_lots <= a.lots:
        return Refused(
            Reason.BAD_QUANTITY, f"smallest bid and least quantity of {a.reference} lie within its {a.lots:,} lots, extra lots are none or more"
        )
    if a.increment < 1:
        return Refused(Reason.OFF_INCREMENT, f"bids on {a.reference} move by at least one tick, not {a.increment}")
    if a.reserve_ticks is not None and _better(a, a.limit_ticks, a.reserve_ticks):
        return Refused(
            Reason.BEYOND_LIMIT, f"the reserve of {a.reference} lies outside its public limit of {a.limit_ticks:,} ticks; make the reserve stricter"
        )
    if a.opens >= a.closes or a.opens < time:
        return Refused(Reason.BAD_WINDOW, f"the window of {a.reference} opens from now on and closes after it opens")
    if a.opens - time < rules.notice:
        return Refused(
            Reason.NOTICE_TOO_SHORT, f"the window of {a.reference} opens less than {rules.notice // MINUTE:,} minutes from now; let it open later"
        )
    return Notice(a, time)


def bid(notice: Notice, bids: Sequence[Bid], new: Bid) -> tuple[Bid, ...] | Refused:
    """The bids that now stand, or why the new one does not. A bidder has one bid; a new one replaces it, with its own time, and may
    only raise it: a better price or more lots, and neither less.

    There is no way back: a bid is not withdrawn. Order of refusals: window_closed, clock_backwards, own_account, not_admitted, bad_quantity,
    whole_only, below_minimum, above_maximum, bad_price, beyond_limit, off_increment, not_raised.
    """
    a = notice.application
    wrong = _cannot_bid(a, bids, new) or _bad_size(a, new) or _bad_price(a, new)
    if wrong is not None:
        return wrong
    before = next((old for old in bids if old.bidder == new.bidder), None)
    if before is not None and not _raises(a, before, new):
        return Refused(
            Reason.NOT_RAISED,
            f"account {new.bidder} already bids {before.lots:,} lots at {before.ticks:,} ticks; bid a better price or more lots, and neither less",
        )
    best = _ranked(a, bids)[0].ticks if bids else None
    if a.beats_best and best is not None and not _better(a, new.ticks, best):
        return Refused(Reason.NOT_RAISED, f"the best bid is {best:,} ticks; bid a better price")
    return (*(old for old in bids if old.bidder != new.bidder), new)


def close(notice: Notice, bids: Sequence[Bid], day: date, time: int) -> OneWayResult | Refused:
    """Who wins what. Refused while the window is open.

    The bids that meet limit and reserve are filled best first until the quantity is gone; the last may get a part. Where the quantity is one
    whole, the best bid gets it.
    """
    a = notice.application
    if time < a.closes:
        return Refused(Reason.WINDOW_OPEN, f"bids on {a.reference} are taken until the window closes; close it then")
    ranked = _ranked(a, bids)
    meet = [b for b in ranked if a.reserve_ticks is None or not _better(a, a.reserve_ticks, b.ticks)]
    wanted = sum(b.lots for b in meet)
    left = a.lots + (a.extra_lots if a.divisible else 0)
    if not meet or min(wanted, left) < a.least_lots:
        why = "no bids" if not ranked else "no bid meets the reserve" if not meet else "fewer lots than the applicant would trade"
        return OneWayResult("not_sold", why, (), tuple(Award(b, 0, b.ticks) for b in ranked), 0, a.lots)
    won: dict[int, int] = {}
    for b in meet:
        won[b.bidder] = min(b.lots, left)
        left -= won[b.bidder]
    last = [b for b in meet if won[b.bidder]][-1].ticks
    awards = tuple(Award(b, won.get(b.bidder, 0), last if won.get(b.bidder) and a.pricing is Pricing.LAST_WINNING_BID else b.ticks) for b in ranked)
    trades = tuple(_trade(a, award, day, time) for award in awards if award.lots)
    traded = sum(award.lots for award in awards)
    outcome = "sold" if traded >= a.lots else "partly_sold"
    return OneWayResult(outcome, "" if outcome == "sold" else "fewer lots were bid for", trades, awards, traded, max(0, a.lots - traded))


def _trade(a: Application, award: Award, day: date, time: int) -> Trade:
    buyer, seller = (award.bid.bidder, a.applicant) if a.side is Side.SELL else (a.applicant, award.bid.bidder)
    return Trade(buyer, seller, a.instrument, award.ticks, award.lots, day, time, Method.ONE_WAY, a.reference)


def _better(a: Application, ticks: int, than: int) -> bool:
    """Whether a price is better for the applicant."""
    return ticks > than if a.side is Side.SELL else ticks < than


def _raises(a: Application, before: Bid, new: Bid) -> bool:
    worse = _better(a, before.ticks, new.ticks) or new.lots < before.lots
    return not worse and (new.ticks, new.lots) != (before.ticks, before.lots)


def _ranked(a: Application, bids: Sequence[Bid]) -> list[Bid]:
    sign = -1 if a.side is Side.SELL else 1
    return sorted(bids, key=lambda b: (sign * b.ticks, b.time, -b.lots))


def _cannot_bid(a: Application, bids: Sequence[Bid], new: Bid) -> Refused | None:
    if not a.opens <= new.time < a.closes:
        return Refused(Reason.WINDOW_CLOSED, f"bids on {a.reference} are taken inside its window only")
    if bids and new.time < max(old.time for old in bids):
        return Refused(Reason.CLOCK_BACKWARDS, f"a later bid on {a.reference} was already taken; give the moment of the bid")
    if new.bidder == a.applicant:
        return Refused(Reason.OWN_ACCOUNT, f"account {new.bidder} put {a.reference} out and cannot bid on it")
    if a.admitted is not None and new.bidder not in a.admitted:
        return Refused(
            Reason.NOT_ADMITTED, f"account {new.bidder} is not among those admitted to {a.reference}; apply to the venue before the window"
        )
    return None


def _bad_size(a: Application, new: Bid) -> Refused | None:
    if new.lots <= 0:
        return Refused(Reason.BAD_QUANTITY, f"a bid is for at least one lot, not {new.lots:,}")
    if not a.divisible and new.lots != a.lots:
        return Refused(Reason.WHOLE_ONLY, f"{a.reference} is traded whole; bid for all {a.lots:,} lots")
    if new.lots < a.smallest_bid:
        return Refused(Reason.BELOW_MINIMUM, f"the smallest bid on {a.reference} is {a.smallest_bid:,} lots, not {new.lots:,}")
    if new.lots > a.lots:
        return Refused(Reason.ABOVE_MAXIMUM, f"{new.lots:,} lots are more than {a.reference} puts out; bid for at most {a.lots:,}")
    return None


def _bad_price(a: Application, new: Bid) -> Refused | None:
    if new.ticks <= 0:
        return Refused(Reason.BAD_PRICE, f"a price is at least one tick, not {new.ticks:,}")
    if _better(a, a.limit_ticks, new.ticks):
        return Refused(Reason.BEYOND_LIMIT, f"{new.ticks:,} ticks lie outside the limit of {a.reference}, {a.limit_ticks:,}")
    if abs(new.ticks - a.limit_ticks) % a.increment:
        return Refused(
            Reason.OFF_INCREMENT, f"bids on {a.reference} move by {a.increment:,} ticks from {a.limit_ticks:,}; {new.ticks:,} lies between two steps"
        )
    return None
