"""Prices of European options on futures, by QuantLib's Black-76: the one place of this room where a model speaks, and so the one with binary floats.

What comes out is rounded once, to a tick or to a named fraction of the minor unit; nothing that is owned is ever a float. A premium paid at the
trade is discounted to today; a futures-style option is marked daily like the future itself and is not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from tonne.units import NEAREST, Rate, Rounding, fraction, round_fraction

DAYS_A_YEAR = 365
"""Days of a year in the time to expiry (actual/365 fixed)."""
RIGHTS = ("call", "put")
PREMIUMS = ("paid", "futures_style")


class OptionError(ValueError):
    """An option that cannot be priced as given."""


@dataclass(frozen=True, slots=True)
class Option:
    """A European option on one unit of a future.

    strike      money per unit, above 0
    volatility  of a year, as a share: 0.38 for 38 %
    days        calendar days to expiry; 0 on the last day, when the price is what exercise brings
    rate        continuously compounded; used only where the premium is `paid`
    """

    right: str
    strike: Rate
    volatility: Rate
    days: int
    rate: Rate = 0
    premium: str = "paid"

    def __post_init__(self) -> None:
        if self.right not in RIGHTS:
            raise OptionError(f"{self.right!r} is neither a call nor a put")
        if self.premium not in PREMIUMS:
            raise OptionError(f"{self.premium!r}: a premium is {' or '.join(PREMIUMS)}")
        if fraction(self.strike) <= 0:
            raise OptionError(f"a strike is above zero, not {self.strike}")
        if fraction(self.volatility) < 0 or self.days < 0:
            raise OptionError(f"neither volatility ({self.volatility}) nor days to expiry ({self.days}) may be negative")

    def price(self, forward: Rate, shift: Rate = 0) -> Fraction:
        """Money per unit with the future at `forward` and the volatility shifted (held at 0 below): the exact value of QuantLib's double.

        Raises OptionError for a future at or below zero, which the model does not know.
        """
        import QuantLib as ql

        strike, future, deviation, discount = self._terms(forward, shift)
        return Fraction(ql.blackFormula(self._kind(), strike, future, deviation, discount))

    def delta(self, forward: Rate) -> Fraction:
        """Lots of the future that one option moves like, in ten-thousandths; below 0 of a put."""
        import QuantLib as ql

        strike, future, deviation, discount = self._terms(forward, 0)
        # Without any deviation QuantLib 1.44 takes a put out of the money for a call and answers +1; with next to none it is right.
        model = ql.BlackCalculator(ql.PlainVanillaPayoff(self._kind(), strike), future, max(deviation, 2**-40), discount)
        return Fraction(round_fraction(Fraction(model.deltaForward()) * 10_000, NEAREST), 10_000)

    def ticks(self, forward: Rate, tick: Rate, rounding: Rounding = NEAREST) -> int:
        """The settlement price in whole ticks, at the volatility that the venue settles the series at."""
        return round_fraction(self.price(forward) / fraction(tick), rounding)

    def implied_volatility(self, price: Rate, forward: Rate) -> Decimal:
        """The volatility at which the model gives a price (money per unit), to six digits. Raises OptionError where none does."""
        import QuantLib as ql

        if self.days == 0:
            raise OptionError("on its last day an option's price says nothing about volatility")
        strike, future, _, discount = self._terms(forward, 0)
        try:
            deviation = ql.blackFormulaImpliedStdDev(self._kind(), strike, future, float(fraction(price)), discount)
        except RuntimeError as error:
            told = f"no volatility gives a {self.right} at {self.strike} a price of {price} with the future at {forward}: {error}"
            raise OptionError(told) from None
        return Decimal(round_fraction(Fraction(deviation / math.sqrt(self._years())) * 10**6, NEAREST)).scaleb(-6)

    def at(self, volatility: Rate) -> Option:
        """The same option at another volatility."""
        return replace(self, volatility=volatility)

    def _years(self) -> float:
        return self.days / DAYS_A_YEAR

    def _kind(self) -> int:
        import QuantLib as ql

        return int(ql.Option.Call if self.right == "call" else ql.Option.Put)

    def _terms(self, forward: Rate, shift: Rate) -> tuple[float, float, float, float]:
        """Strike, future, standard deviation over its life and discount, as the model takes them."""
        import QuantLib as ql

        if fraction(forward) <= 0:
            raise OptionError(f"the model needs the future above zero, not at {forward}")
        years, volatility = self._years(), max(fraction(self.volatility) + fraction(shift), Fraction(0))
        discount = 1
        if self.premium == "paid":
            discount = ql.InterestRate(float(fraction(self.rate)), ql.Actual365Fixed(), ql.Continuous, ql.Annual).discountFactor(years)
        return float(fraction(self.strike)), float(fraction(forward)), float(volatility) * math.sqrt(years), discount
