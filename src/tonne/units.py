"""Quantities, money, prices and roundings: integers that know their scale.

A quantity that somebody owns is an int (or an int64 array) of the smallest unit of its measure: an allowance of one tonne, a credit of one kilogram,
a cent. A rate is a Decimal or a Fraction. The two meet in :func:`multiply`, which rounds once, by a named rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fractions import Fraction
from functools import total_ordering
from typing import Any, TypeAlias, overload

import numpy as np
import numpy.typing as npt

Rate: TypeAlias = int | Decimal | Fraction
IntArray: TypeAlias = npt.NDArray[np.int64]
INT64_MAX = 2**63 - 1


class UnitsError(ValueError):
    """Two things that do not fit together: another measure, another currency, more decimals than the scale holds."""


class Rounding(StrEnum):
    """The roundings that texts order. Halves: `nearest` takes them away from zero, `half_even` to the even neighbour."""

    DOWN = "down"
    UP = "up"
    NEAREST = "nearest"
    HALF_EVEN = "half_even"
    EXACT = "exact"


DOWN, UP, NEAREST, HALF_EVEN, EXACT = Rounding.DOWN, Rounding.UP, Rounding.NEAREST, Rounding.HALF_EVEN, Rounding.EXACT


@dataclass(frozen=True, slots=True)
class Measure:
    """What one unit of a unit type measures: its name and how many kilograms of CO2e it stands for (None for money and lots)."""

    name: str
    kilograms: Fraction | None
    decimals: int = 0


#: A short ton is 2,000 pounds of 0.45359237 kg each (international yard and pound agreement, 1959).
MEASURES: dict[str, Measure] = {
    "tonne": Measure("tonne", Fraction(1000)),
    "short_ton": Measure("short_ton", Fraction(2000) * Fraction("0.45359237")),
    "kilogram": Measure("kilogram", Fraction(1)),
    "toe": Measure("toe", None),  # oil equivalent: energy, not mass
    "lot": Measure("lot", None),
}


def measure(name: str) -> Measure:
    """The measure of that name. Raises UnitsError with the names there are."""
    try:
        return MEASURES[name]
    except KeyError:
        raise UnitsError(f"unknown measure {name!r}; there are {', '.join(MEASURES)}") from None


def convert(quantity: int | IntArray, source: str, target: str, rounding: Rounding) -> Any:
    """Express a quantity of one mass measure in another: convert(1_000, "short_ton", "tonne", DOWN) == 907."""
    a, b = measure(source), measure(target)
    if a.kilograms is None or b.kilograms is None:
        raise UnitsError(f"{source} and {target} are not both masses")
    return multiply(quantity, a.kilograms / b.kilograms, rounding=rounding)


def fraction(rate: Rate | str) -> Fraction:
    """A rate as an exact fraction. Floats are refused: 0.24 as a float is not 24/100.

    NumPy's integers become Python's, because a Fraction made of them overflows in silence.
    """
    if isinstance(rate, (float, np.floating)):
        raise UnitsError(f"{rate!r} is a binary float; write the rate as a Decimal, a Fraction or text")
    try:
        exact = Fraction(Decimal(rate)) if isinstance(rate, str) else Fraction(rate)
    except (InvalidOperation, ValueError, OverflowError, TypeError):
        raise UnitsError(f"{rate!r} is not a number") from None
    return exact if type(exact.numerator) is int is type(exact.denominator) else Fraction(int(exact.numerator), int(exact.denominator))


def round_fraction(value: Fraction | Decimal | int, rounding: Rounding) -> int:
    """Round an exact value to an integer by a named rounding; EXACT refuses a remainder."""
    value = fraction(value)
    return _divide(value.numerator, value.denominator, rounding)


def round_decimal(value: Rate, to: Decimal | str, rounding: Rounding) -> Decimal:
    """Round to a multiple of `to`: round_decimal(Decimal("13.9100"), "0.01", NEAREST) == Decimal("13.91")."""
    step = fraction(to)
    if step <= 0:
        raise UnitsError(f"numbers are rounded to a multiple of something more than zero, not of {to}")
    return _exact_product(round_fraction(fraction(value) / step, rounding), Decimal(to))


def _exact_product(count: int, step: Decimal) -> Decimal:
    """count x step with all digits: Decimal's own product keeps 28."""
    sign, digits, exponent = step.as_tuple()
    coefficient = int("".join(map(str, digits))) * (-count if sign else count)
    return Decimal(f"{coefficient}e{exponent}")


@overload
def multiply(quantity: int, *rates: Rate, rounding: Rounding) -> int: ...
@overload
def multiply(quantity: IntArray, *rates: Rate, rounding: Rounding) -> IntArray: ...
def multiply(quantity: Any, *rates: Rate, rounding: Rounding) -> Any:
    """quantity x rate x rate ..., exact, rounded once.

    quantity: an int, an int64 array, or an object array of ints and Fractions. Returns an int or an int64 array of the same shape.
    Raises OverflowError when a result does not fit 64 bits, in an array or alone.
    """
    factor = Fraction(1)
    for rate in rates:
        factor *= fraction(rate)
    if isinstance(quantity, (int, np.integer)):
        return _fitting(_divide(int(quantity) * factor.numerator, factor.denominator, rounding))
    if isinstance(quantity, (Decimal, Fraction)):
        return _fitting(round_fraction(fraction(quantity) * factor, rounding))
    array = np.asarray(quantity)
    if array.dtype == object:
        return _as_int64([round_fraction(fraction(q) * factor, rounding) for q in array.ravel()], array.shape)
    if array.dtype.kind not in "iu":
        raise UnitsError(f"quantities are whole numbers, not {array.dtype}")
    if array.dtype.kind == "u":
        _fitting(int(array.max(initial=0)))
    return _divide_array(array.astype(np.int64), factor.numerator, factor.denominator, rounding)


def _divide(numerator: int, denominator: int, rounding: Rounding) -> int:
    quotient, rest = divmod(numerator, denominator)
    if rest == 0 or rounding is Rounding.DOWN:
        return quotient
    if rounding is Rounding.UP:
        return quotient + 1
    if rounding is Rounding.EXACT:
        raise UnitsError(f"{numerator}/{denominator} is not a whole number and the text orders no rounding")
    if 2 * rest != denominator:
        return quotient + (2 * rest > denominator)
    if rounding is Rounding.HALF_EVEN:
        return quotient + (quotient & 1)
    return quotient + (numerator >= 0)


def _divide_array(array: IntArray, numerator: int, denominator: int, rounding: Rounding) -> IntArray:
    """Stay in int64 where the products fit; fall back to Python's integers where they do not."""
    bound = max(1, int(array.max(initial=0)), -int(array.min(initial=0))) * abs(numerator)
    if 2 * (bound + denominator) > INT64_MAX:
        return _as_int64([_divide(int(q) * numerator, denominator, rounding) for q in array.ravel()], array.shape)
    product = array * numerator
    quotient, rest = np.divmod(product, denominator)
    if rounding is Rounding.DOWN:
        return np.asarray(quotient, dtype=np.int64)
    if rounding is Rounding.UP:
        return np.asarray(quotient + (rest > 0), dtype=np.int64)
    if rounding is Rounding.EXACT:
        if np.any(rest):
            raise UnitsError("some products are not whole numbers and the text orders no rounding")
        return np.asarray(quotient, dtype=np.int64)
    half = 2 * rest == denominator
    tie = (quotient & 1) if rounding is Rounding.HALF_EVEN else (product >= 0)
    return np.asarray(quotient + np.where(half, tie, 2 * rest > denominator), dtype=np.int64)


def _fitting(value: int) -> int:
    if not -INT64_MAX - 1 <= value <= INT64_MAX:
        raise OverflowError(f"{value} does not fit 64 bits")
    return value


def _as_int64(values: Sequence[int], shape: tuple[int, ...]) -> IntArray:
    return np.array([_fitting(value) for value in values], dtype=np.int64).reshape(shape)


#: Digits after the point of currencies whose minor unit is not a hundredth (ISO 4217).
CURRENCY_DECIMALS = {"CLP": 0, "ISK": 0, "JPY": 0, "KRW": 0, "VND": 0, "BHD": 3, "JOD": 3, "KWD": 3, "OMR": 3, "TND": 3}


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency in its minor unit: Money(1391, "USD") is 13.91 USD. Two currencies neither add up nor compare."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.minor, (int, np.integer)):
            raise UnitsError(f"money is a whole number of its minor unit, not {self.minor!r}; see Money.of")

    @classmethod
    def of(cls, amount: Rate | str, currency: str, rounding: Rounding = Rounding.EXACT) -> Money:
        """Money.of("13.91", "USD"). More decimals than the currency has are refused unless a rounding is named."""
        return cls(round_fraction(fraction(amount) * 10 ** decimals_of(currency), rounding), currency)

    @property
    def amount(self) -> Decimal:
        return Decimal(f"{self.minor}e-{decimals_of(self.currency)}")

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other).minor

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other).minor, self.currency)

    def times(self, factor: Rate, rounding: Rounding) -> Money:
        return Money(multiply(self.minor, factor, rounding=rounding), self.currency)

    def _same(self, other: Money) -> Money:
        if not isinstance(other, Money):
            raise UnitsError(f"{self} and {other!r} do not meet: money meets money")
        if self.currency != other.currency:
            raise UnitsError(f"{self.currency} and {other.currency} neither add up nor compare")
        return other

    def __str__(self) -> str:
        return f"{self.amount:,} {self.currency}"


def decimals_of(currency: str) -> int:
    """Digits after the point of a currency: 2 unless ISO 4217 says otherwise."""
    return CURRENCY_DECIMALS.get(currency, 2)


@dataclass(frozen=True, slots=True)
class PriceScale:
    """Prices as whole ticks: PriceScale("EUR", "0.01").ticks("83.60") == 8360."""

    currency: str
    tick: Decimal

    def __init__(self, currency: str, tick: Decimal | str) -> None:
        object.__setattr__(self, "currency", currency)
        if fraction(tick) <= 0:
            raise UnitsError(f"a tick is more than zero, not {tick}")
        object.__setattr__(self, "tick", Decimal(tick))

    def ticks(self, price: Decimal | int | str) -> int:
        """Whole ticks of a price; raises UnitsError for a price between two ticks."""
        steps = fraction(price) / Fraction(self.tick)
        if steps.denominator != 1:
            raise UnitsError(f"{price} {self.currency} is not a multiple of the tick {self.tick}")
        return steps.numerator

    def price(self, ticks: int) -> Decimal:
        return _exact_product(ticks, self.tick)

    def cost(self, ticks: int, quantity: int, rounding: Rounding = Rounding.NEAREST) -> Money:
        """What a quantity costs at a price in ticks, in minor units of the currency."""
        return Money.of(fraction(self.tick) * fraction(ticks) * fraction(quantity), self.currency, rounding)
