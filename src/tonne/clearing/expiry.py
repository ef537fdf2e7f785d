"""The end of a contract: who delivers to whom, which options are exercised, what is settled in cash instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tonne.clearing.exact import added, booked, shares, times, weighed, whole
from tonne.clearing.position import PositionError, check_balanced
from tonne.units import IntArray

DELIVERY = np.dtype([("lots", "<i8"), ("seller", "<i4"), ("buyer", "<i4")])


def deliveries(positions: Any, order: Any = None) -> NDArray[np.void]:
    """Who delivers how many lots to whom at expiry: net shorts paired with net longs, at most one pair fewer than there are parties.

    positions: lots of one instrument by account. Both sides come in account order, or in rising `order` (a number an account: drawn by a seed, or the
    days for which a position has been held), equal ones by account. -10, 4, -2, 8: 4 lots from 0 to 1, 6 from 0 to 3, 2 from 2 to 3. Raises
    PositionError where longs and shorts differ.
    """
    lots = whole("positions", positions)
    check_balanced(lots.reshape(-1, 1))
    rank = np.arange(len(lots)) if order is None else np.asarray(order)
    if rank.shape != lots.shape:
        raise PositionError(f"an order of {rank.size} for {lots.size} accounts")
    places = np.argsort(rank, kind="stable")
    sellers, buyers = places[lots[places] < 0], places[lots[places] > 0]
    given, taken = np.cumsum(-lots[sellers]), np.cumsum(lots[buyers])
    ends = np.union1d(given, taken)
    pairs = np.zeros(len(ends), dtype=DELIVERY)
    pairs["lots"] = np.diff(ends, prepend=0)
    pairs["seller"] = sellers[np.searchsorted(given, ends)]
    pairs["buyer"] = buyers[np.searchsorted(taken, ends)]
    return pairs


def delivery_payments(pairs: NDArray[np.void], price: int, tick_value: int, accounts: int) -> IntArray:
    """What each account pays (below 0) or receives for what is delivered, at the final settlement price in ticks, in minor units."""
    each = times("a delivery", pairs["lots"], whole("price", price * tick_value))
    return booked("deliveries", each, pairs["seller"], pairs["buyer"], accounts)


@dataclass(frozen=True, slots=True)
class Exercise:
    """What expiry made of one option series: whether it was exercised, the lots of the future that each account gets at the strike price (long above
    0), and the cash that the exercise is worth in minor units (above 0: to the holder)."""

    exercised: bool
    futures: IntArray
    cash: IntArray


def in_the_money(right: str, strike: int, price: int) -> bool:
    """Whether exercise brings something: the price (ticks, as the strike) above the strike of a call, below a put's. At the money: no."""
    if right not in ("call", "put"):
        raise ValueError(f"{right!r} is neither a call nor a put")
    return price > strike if right == "call" else price < strike


def exercise(positions: Any, right: str, strike: int, price: int, tick_value: int, underlying_lots: int = 1) -> Exercise:
    """Automatic exercise of one series at expiry (option specification, facts `ice_uka_opt`): every option in the money is exercised, none else.

    positions: lots of the series by account; strike and price: ticks of the future, with its tick value a lot. A call's holder gets the future long
    at the strike, a put's holder short; the writers get the other side. As all are exercised, nobody has to be drawn. The future is then marked from
    the strike to the settlement price, which brings `cash`; a series settled in cash pays it at once and gives no future.
    7 calls at 8,000 with the future at 8,360, 1,000 cents a tick: 7 x 360 x 1,000 = 2,520,000 cents.
    """
    lots = whole("positions", positions)
    check_balanced(lots.reshape(-1, 1))
    if not in_the_money(right, strike, price):
        nothing = np.zeros_like(lots)
        return Exercise(False, nothing, nothing.copy())
    futures = times("exercise", lots, whole("lots", underlying_lots if right == "call" else -underlying_lots))
    return Exercise(True, futures, times("exercise", futures, whole("value", (price - strike) * tick_value)))


def exercise_refusal(wanted: str, right: str, strike: int, price: int) -> str | None:
    """Why a holder's wish at expiry is refused, or None: `cannot_be_abandoned` in the money, `not_in_the_money` for an exercise at or out of it.

    wanted: `exercise` or `abandon`.
    """
    if wanted not in ("exercise", "abandon"):
        raise ValueError(f"{wanted!r}: a holder may wish to exercise or to abandon")
    worth = in_the_money(right, strike, price)
    if wanted == "abandon":
        return "cannot_be_abandoned" if worth else None
    return None if worth else "not_in_the_money"


@dataclass(frozen=True, slots=True)
class MatchedIntentions:
    """What is delivered (`pairs`), and each account's lots that are settled in cash instead (long above 0)."""

    pairs: NDArray[np.void]
    cash_lots: IntArray


def match_intentions(positions: Any, intended: Any, order: Any = None) -> MatchedIntentions:
    """Delivery only where both sides want it (an expiry with matched intentions, facts `ncdex-cer`); all else is settled in cash.

    positions: lots by account; intended: lots (not negative) that each wants to deliver or to take, no more than it holds. The side that offers more
    is cut in proportion, in whole lots (largest remainders, then account order). Sellers of 10 and 6 intend 10 and 2, a buyer of 16 intends 9: 9
    delivered, 8 (7.5) and 1 (1.5; the earlier account first); 7 lots of buying are settled in cash. Raises PositionError for more intended than held.
    """
    lots, wishes = whole("positions", positions), whole("intentions", intended)
    if wishes.shape != lots.shape or np.any(wishes < 0) or np.any(wishes > np.abs(lots)):
        raise PositionError("an intention is a number of lots from 0 to what the account holds")
    check_balanced(lots.reshape(-1, 1))
    gives, takes = np.where(lots < 0, wishes, 0), np.where(lots > 0, wishes, 0)
    matched = min(int(gives.sum()), int(takes.sum()))
    delivered = shares(matched, takes) - shares(matched, gives) if matched else np.zeros_like(lots)
    return MatchedIntentions(deliveries(delivered, order), lots - delivered)


def cash_settlement(positions: IntArray, previous: Any, final: Any, tick_value: Any) -> IntArray:
    """The last variation, from the previous to the final settlement price, which ends what is not delivered. positions: accounts x instruments."""
    moves = added("a move", whole("final prices", final), -whole("previous prices", previous))
    return weighed("cash settlement", whole("positions", positions), times("a move", moves, whole("tick value", tick_value)))


def delivery_margin(positions: Any, price: int, tick_value: int, share: tuple[int, int]) -> IntArray:
    """Margin on lots in delivery until units and money have met, for buyers and sellers alike: a share (numerator, denominator) of the contract
    value at the settlement price, rounded up. 10 lots at 8,360 ticks of 1,000 cents, one tenth: 8,360,000 cents."""
    numerator, denominator = share
    if numerator < 0 or denominator < 1:
        raise ValueError(f"{numerator}/{denominator} is no share")
    value = times("delivery margin", np.abs(whole("positions", positions)), whole("value", abs(price) * tick_value * numerator))
    return np.asarray(-(-value // denominator), dtype=np.int64)
