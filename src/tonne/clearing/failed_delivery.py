"""A delivery that failed: the window is extended, then the units are bought in (or sold out) at the failing party's cost, then it is settled in cash.

Amounts are whole minor units. Every outcome is a list of movements from one account to another; the party that did its part never ends worse than
the trade would have put it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from tonne.clearing.settlement import SettlementError, add_days
from tonne.units import NEAREST, Money, Rate, Rounding, fraction, multiply


class Stage(StrEnum):
    """Where an unsettled delivery stands on a day."""

    NOT_DUE = "not_due"
    DUE = "due"
    EXTENDED = "extended"
    BUY_IN = "buy_in"
    CASH = "cash"


class Gain(StrEnum):
    """Who keeps it when closing out comes cheaper than what was agreed."""

    INJURED = "injured"
    FAILING = "failing"
    VENUE = "venue"


class Flow(StrEnum):
    """Why something moves."""

    DELIVERY = "delivery"
    PRICE = "price"
    DIFFERENCE = "difference"
    GAIN = "gain"
    FEE = "fee"
    LATE_CHARGE = "late_charge"


@dataclass(frozen=True, slots=True)
class FailureRules:
    """What a venue does about a failure. Days are business days; shares are of the money agreed and rounded once, by `rounding`.

    extension_days     how long after the due day the delivery may still be made
    buy_in_days        how long after that units are looked for; then cash
    fee_minor, fee_share              the fee of a close-out, fixed and by value, to the venue
    late_share_per_day                charge for each day of extension, to the party that waits
    """

    extension_days: int = 0
    buy_in_days: int = 0
    fee_minor: int = 0
    fee_share: Rate = 0
    late_share_per_day: Rate = 0
    gain: Gain = Gain.INJURED
    rounding: Rounding = NEAREST

    def fee(self, money: int) -> int:
        """The venue's fee for closing out a delivery of this value."""
        return self.fee_minor + multiply(money, self.fee_share, rounding=self.rounding)


@dataclass(frozen=True, slots=True)
class Failure:
    """What was not delivered: units from seller to buyer against money. `failing` is one of the two."""

    trade: int
    units: int
    money: int
    seller: int
    buyer: int
    failing: int

    def __post_init__(self) -> None:
        if self.failing not in (self.seller, self.buyer) or self.seller == self.buyer:
            raise SettlementError(f"trade {self.trade}: account {self.failing} cannot have failed in a trade of {self.seller} with {self.buyer}")
        if self.units <= 0 or self.money < 0:
            raise SettlementError(f"trade {self.trade}: {self.units} units for {self.money} is no delivery")

    @property
    def injured(self) -> int:
        return self.buyer if self.failing == self.seller else self.seller

    def split(self, units: int) -> tuple[Failure, Failure]:
        """A part of the units, and the rest; the money in proportion, the part's rounded down, so that the two add up. Both parts are above 0."""
        if not 0 < units < self.units:
            raise SettlementError(f"trade {self.trade}: a part of {self.units:,} units is some of them and not all, not {units:,}")
        money = self.money * units // self.units
        return replace(self, units=units, money=money), replace(self, units=self.units - units, money=self.money - money)


@dataclass(frozen=True, slots=True)
class Movement:
    """Something that moves, above 0: units, or minor units of money."""

    giver: int
    taker: int
    quantity: int
    why: Flow

    @property
    def is_units(self) -> bool:
        return self.why is Flow.DELIVERY


def stage(rules: FailureRules, due: date, today: date, is_business: Callable[[date], bool]) -> Stage:
    """Where a delivery due on a day stands on another: extended to the end of the extension, then bought in, then cash.

    Extension 1, buy-in 4, due on a Friday: Monday extended, Tuesday to Friday bought in, the Monday after cash.
    """
    if today < due:
        return Stage.NOT_DUE
    if today == due:
        return Stage.DUE
    if today <= add_days(due, rules.extension_days, is_business):
        return Stage.EXTENDED
    return Stage.BUY_IN if today <= add_days(due, rules.extension_days + rules.buy_in_days, is_business) else Stage.CASH


def value_at(units: int, price: Rate | str, currency: str, rounding: Rounding = NEAREST) -> int:
    """What units cost at a price for one, in minor units: 1,001 at 83.605 EUR = 83,688.605 -> 8,368,861 cents by `nearest`."""
    return Money.of(fraction(price) * fraction(units), currency, rounding).minor


def late_charge(rules: FailureRules, failure: Failure, days: int) -> tuple[Movement, ...]:
    """What the failing party pays the waiting one for so many business days of extension."""
    charge = multiply(failure.money, fraction(rules.late_share_per_day) * fraction(days), rounding=rules.rounding)
    return _some(Movement(failure.failing, failure.injured, charge, Flow.LATE_CHARGE))


def close_out(rules: FailureRules, failure: Failure, other: int, value: int, venue: int) -> tuple[Movement, ...]:
    """A third party takes the failing one's place, at `value` minor units for all the units; the failing party bears the difference and the fee.

    The seller failed (buy-in): `other` sells the units to the buyer, who pays what was agreed; what is missing to `value` comes from the seller.
    The buyer failed (sell-out): `other` buys them from the seller for `value`; what is missing to the price agreed comes from the buyer.
    10,000 units agreed at 800,000.00 and bought in at 840,000.00 with a fee of 250.00: the seller pays 40,000.00 and 250.00.
    Where the value is better than what was agreed, the difference goes by `rules.gain`.
    """
    if value < 0 or other in (failure.seller, failure.buyer):
        raise SettlementError(f"trade {failure.trade}: somebody else takes the failing party's place, for nothing or more; not {other} for {value}")
    if failure.failing == failure.seller:
        moves = _some(
            Movement(other, failure.buyer, failure.units, Flow.DELIVERY),
            Movement(failure.buyer, other, min(value, failure.money), Flow.PRICE),
            Movement(failure.seller, other, value - failure.money, Flow.DIFFERENCE),
        )
    else:
        moves = _some(
            Movement(failure.seller, other, failure.units, Flow.DELIVERY),
            Movement(other, failure.seller, value, Flow.PRICE),
            Movement(failure.buyer, failure.seller, failure.money - value, Flow.DIFFERENCE),
        )
    return moves + _gain(rules, failure, value, venue) + _fee(rules, failure, venue)


def settle_in_cash(rules: FailureRules, failure: Failure, value: int, venue: int) -> tuple[Movement, ...]:
    """No units move; the failing party pays the other what the trade would have been worth at `value` minor units for all the units, and the fee.

    10,000 units agreed at 800,000.00 and worth 830,000.00: a failing seller pays the buyer 30,000.00; a failing buyer nothing, unless the gain of
    the seller is by `rules.gain` not its own.
    """
    if value < 0:
        raise SettlementError(f"trade {failure.trade}: units are worth nothing or more, not {value}")
    lost = value - failure.money if failure.failing == failure.seller else failure.money - value
    paid = _some(Movement(failure.failing, failure.injured, lost, Flow.DIFFERENCE))
    return paid + _gain(rules, failure, value, venue) + _fee(rules, failure, venue)


def _gain(rules: FailureRules, failure: Failure, value: int, venue: int) -> tuple[Movement, ...]:
    """What the party that did its part has too much, and does not keep."""
    gain = failure.money - value if failure.failing == failure.seller else value - failure.money
    if rules.gain is Gain.INJURED:
        return ()
    return _some(Movement(failure.injured, failure.failing if rules.gain is Gain.FAILING else venue, gain, Flow.GAIN))


def _fee(rules: FailureRules, failure: Failure, venue: int) -> tuple[Movement, ...]:
    return _some(Movement(failure.failing, venue, rules.fee(failure.money), Flow.FEE))


def _some(*movements: Movement) -> tuple[Movement, ...]:
    return tuple(movement for movement in movements if movement.quantity > 0)
