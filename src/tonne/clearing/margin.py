"""Initial margin by scanning scenarios: what a portfolio would lose over the worst of sixteen moves of price and volatility, and what is added to it.

Parameters stand by family (the expiries of one future and the options on them); a venue's or a ministry's risk people give them, none is built in.
A family's margin for one account, every part rounded once to the minor unit, against the account:

    scan      the largest loss over the scenarios (rounded up); gains count as none
    spread    longs against shorts of other delivery months: a charge per spread of one lot (rounded up)
    delivery  a charge per lot, long or short, in instruments about to be delivered
    credit    what opposite positions in two families save (rounded down)
    minimum   short options: at least so much a lot
    risk      the larger of scan + spread + delivery - credit and the minimum

The account's requirement in a currency is the sum of its risks less the value of the options whose premium was paid, and never below zero. Options
are priced once an instrument and scenario; accounts meet those losses in whole numbers only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

import numpy as np

from tonne.clearing.exact import added, times, weighed, whole
from tonne.clearing.option import Option
from tonne.market.contract import Instrument
from tonne.units import DOWN, EXACT, NEAREST, UP, IntArray, Rate, UnitsError, decimals_of, fraction, multiply, round_fraction

DELTA_SCALE = 10_000
LARGEST_SCALE = 1_000_000


class MarginError(ValueError):
    """Parameters or instruments that do not fit together."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A move of the price, as a share of the family's scan range, and of the volatility: -1, 0 or 1 times its scan range. In an extreme one the
    price moves by the family's `extreme_multiple` of the range, and its `extreme_share` of the loss counts."""

    price: Fraction
    volatility: int = 0
    extreme: bool = False


SCENARIOS = (
    *(Scenario(Fraction(thirds, 3), volatility) for thirds in (0, 1, -1, 2, -2, 3, -3) for volatility in (1, -1)),
    Scenario(Fraction(1), 0, True),
    Scenario(Fraction(-1), 0, True),
)
"""Sixteen: the price unmoved, a third, two thirds and the whole of its range up and down, volatility up and down; and one extreme move each way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Margin parameters of a future and its options.

    lot                   units in one lot, of every instrument of the family
    price_scan            money per unit that the price may move; volatility_scan: as a share (0.10: ten points)
    spread_charge         money per spread of one lot in one month against one in another
    short_option_minimum  money per option written; delivery_charge: money per lot about to be delivered
    extreme_multiple      of the price scan range, in the two extreme scenarios; extreme_share of that loss counts
    Money is exact in the currency's minor unit, else MarginError.
    """

    name: str
    currency: str
    lot: int
    price_scan: Rate
    volatility_scan: Rate = 0
    spread_charge: Rate = 0
    short_option_minimum: Rate = 0
    delivery_charge: Rate = 0
    extreme_multiple: Rate = 3
    extreme_share: Rate = Fraction(1, 3)

    def __post_init__(self) -> None:
        if self.lot < 1:
            raise MarginError(f"{self.name}: a lot has at least one unit, not {self.lot}")
        for name in (
            "price_scan",
            "volatility_scan",
            "spread_charge",
            "short_option_minimum",
            "delivery_charge",
            "extreme_multiple",
            "extreme_share",
        ):
            if fraction(getattr(self, name)) < 0:
                raise MarginError(f"{self.name}: {name} is {getattr(self, name)}; it may not be negative")
        for name in ("spread_charge", "short_option_minimum", "delivery_charge"):
            self.minor(getattr(self, name))

    def minor(self, money: Rate) -> int:
        """Money in the currency's minor unit. Raises MarginError for a fraction of it."""
        try:
            return round_fraction(fraction(money) * self._scale, EXACT)
        except UnitsError:
            raise MarginError(f"{self.name}: {money} {self.currency} is no whole number of the smallest coin") from None

    @property
    def lot_value(self) -> int:
        """Minor units that one lot gains when the price rises by one unit of the currency."""
        return self.lot * self._scale

    @property
    def _scale(self) -> int:
        return int(10 ** decimals_of(self.currency))


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An instrument of a family as margin sees it today.

    price     money per unit: the day's settlement price (of an option, its own)
    month     the delivery month (text); lots of two months make a spread. Of an option: its future's
    option    of an option its terms, and `future` the settlement price of what it is exercised into
    delivering  whether it is about to be delivered
    """

    code: str
    family: str
    price: Rate
    month: str = ""
    option: Option | None = None
    future: Rate | None = None
    delivering: bool = False

    def __post_init__(self) -> None:
        if (self.option is None) != (self.future is None):
            raise MarginError(f"{self.code}: an option needs the price of its future, and nothing else does")

    @classmethod
    def of(
        cls,
        instrument: Instrument,
        family: str,
        ticks: int,
        on: date,
        *,
        delivering: bool = False,
        underlying: Instrument | None = None,
        underlying_ticks: int | None = None,
        volatility: Rate | None = None,
        rate: Rate = 0,
    ) -> Held:
        """A listed instrument at its settlement price in ticks on a day; an option with what it is exercised into, that one's price and a volatility.

        Raises MarginError for an option without these, one that is not European, one past its last day, or one on several lots.
        """
        price, contract = instrument.contract.price(ticks), instrument.contract
        if instrument.right is None or instrument.strike_ticks is None:
            return cls(code=instrument.code, family=family, price=price, month=_month(instrument), delivering=delivering)
        if underlying is None or underlying_ticks is None or volatility is None:
            raise MarginError(f"{instrument.code}: an option needs its future, that one's price and a volatility")
        if contract.style not in (None, "european") or contract.underlying_lots != 1 or instrument.expiry is None or instrument.expiry < on:
            raise MarginError(f"{instrument.code}: only European options on one lot that have not expired are priced here")
        strike, days = contract.price(instrument.strike_ticks), (instrument.expiry - on).days
        terms = Option(instrument.right, strike, volatility, days, rate, contract.premium or "paid")
        future = underlying.contract.price(underlying_ticks)
        return cls(code=instrument.code, family=family, price=price, month=_month(underlying), option=terms, future=future, delivering=delivering)


def _month(instrument: Instrument) -> str:
    day = instrument.delivery or instrument.expiry
    return "" if day is None else f"{day.year}-{day.month:02}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """What opposite positions in two families save: for each spread of `lots[0]` of the first against `lots[1]` of the second, `share` of the price
    scan of both, no more than each one's scan. Credits are given in order; a lot counts once."""

    families: tuple[str, str]
    share: Rate
    lots: tuple[int, int] = (1, 1)


@dataclass(frozen=True)
class Book:
    """All that margin asks: families, instruments (columns of the positions, in this order), credits between families, scenarios.

    Raises MarginError for a family that is not there or comes twice, a credit across currencies or with itself, a share above 1.
    """

    families: tuple[Family, ...]
    instruments: tuple[Held, ...]
    credits: tuple[Credit, ...] = ()
    scenarios: tuple[Scenario, ...] = SCENARIOS
    by_name: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = [family.name for family in self.families]
        codes = [one.code for one in self.instruments]
        for what, words in (("family", names), ("instrument", codes)):
            twice = sorted({word for word in words if words.count(word) > 1}) if len(set(words)) < len(words) else []
            if twice:
                raise MarginError(f"{what} {twice[0]!r} comes twice")
        object.__setattr__(self, "by_name", {name: place for place, name in enumerate(names)})
        for who, name in [*((one.code, one.family) for one in self.instruments), *(("a credit", n) for c in self.credits for n in c.families)]:
            if name not in self.by_name:
                raise MarginError(f"{who}: there is no family {name!r}; there are {', '.join(names)}")
        for credit in self.credits:
            first, second = (self.families[self.by_name[name]] for name in credit.families)
            if first is second or first.currency != second.currency:
                raise MarginError(f"a credit between {first.name} and {second.name}: it needs two families in one currency")
            if min(credit.lots) < 1 or not 0 <= fraction(credit.share) <= 1:
                raise MarginError(f"a credit between {first.name} and {second.name}: lots of at least 1 and a share from 0 to 1")
        if not self.scenarios:
            raise MarginError("no scenario: there is nothing to scan")

    @property
    def currencies(self) -> tuple[str, ...]:
        return tuple(sorted({family.currency for family in self.families}))

    def members(self, family: int) -> list[int]:
        """Columns of a family's instruments."""
        name = self.families[family].name
        return [column for column, one in enumerate(self.instruments) if one.family == name]


@dataclass(frozen=True, slots=True)
class Losses:
    """What one long lot of each instrument loses in each scenario, in 1/`scale` of the minor unit (instruments x scenarios); its delta in
    1/10,000 lots; its value as a paid option, in minor units (0: no such option)."""

    loss: IntArray
    scale: int
    delta: IntArray
    value: IntArray


@dataclass(frozen=True, slots=True)
class Margin:
    """Initial margin in minor units. All arrays but `required` (accounts x currencies) are accounts x families; `worst` is the number of the
    scenario (from 1; 0 where nothing can be lost)."""

    families: tuple[str, ...]
    currencies: tuple[str, ...]
    scan: IntArray
    worst: IntArray
    spread: IntArray
    delivery: IntArray
    credit: IntArray
    minimum: IntArray
    risk: IntArray
    option_value: IntArray
    required: IntArray


def scenario_loss(family: Family, one: Held, scenario: Scenario) -> Fraction:
    """What a long lot loses in a scenario (below 0: gains), exact, in minor units.

    A future with a scan range of 6.00 on 1,000 units: 200,000 cents a third down. An option: its model value today less that in the scenario, with
    the future never below a hundredth of its price, because the model knows no price of zero.
    """
    move = scenario.price * fraction(family.price_scan)
    share = Fraction(1)
    if scenario.extreme:
        move, share = move * fraction(family.extreme_multiple), fraction(family.extreme_share)
    if one.option is None or one.future is None:
        return -move * family.lot_value * share
    moved = max(fraction(one.future) + move, fraction(one.future) / 100)
    shift = scenario.volatility * fraction(family.volatility_scan)
    return (one.option.price(one.future) - one.option.price(moved, shift)) * family.lot_value * share


def losses(book: Book) -> Losses:
    """Losses, deltas and option values of all instruments: each option is priced once a scenario, however many accounts hold it.

    `scale` is such that a future's losses are whole; an option's are rounded to the nearest.
    """
    exact = [[scenario_loss(book.families[book.by_name[one.family]], one, each) for each in book.scenarios] for one in book.instruments]
    scale = math.lcm(300, *(loss.denominator for one, row in zip(book.instruments, exact, strict=True) if one.option is None for loss in row))
    if scale > LARGEST_SCALE:
        raise MarginError(f"losses come in 1/{scale} of the smallest coin; give scan ranges and shares with fewer digits")
    loss, delta, value = [], [], []
    for one, row in zip(book.instruments, exact, strict=True):
        loss.append([round_fraction(amount * scale, NEAREST) for amount in row])
        delta.append(DELTA_SCALE if one.option is None or one.future is None else round_fraction(one.option.delta(one.future) * DELTA_SCALE, EXACT))
        paid = one.option is not None and one.option.premium == "paid"
        value.append(round_fraction(fraction(one.price) * book.families[book.by_name[one.family]].lot_value, NEAREST) if paid else 0)
    shape = (len(book.instruments), len(book.scenarios))
    return Losses(np.array(loss, dtype=np.int64).reshape(shape), scale, np.array(delta, dtype=np.int64), np.array(value, dtype=np.int64))


def initial_margin(positions: IntArray, book: Book, known: Losses | None = None) -> Margin:
    """Initial margin of all accounts. positions: accounts x instruments, in lots, columns as in the book; `known`: losses made before.

    Raises MarginError for another number of instruments, OverflowError where a sum could pass 64 bits.
    """
    lots = whole("positions", positions)
    if lots.ndim != 2 or lots.shape[1] != len(book.instruments):
        raise MarginError(f"positions of shape {lots.shape} for {len(book.instruments)} instruments; rows are accounts, columns instruments")
    known = losses(book) if known is None else known
    shape = (len(lots), len(book.families))
    scan, worst, spread, delivery, minimum, value, net = (np.zeros(shape, dtype=np.int64) for _ in range(7))
    for place, family in enumerate(book.families):
        columns = book.members(place)
        if not columns:
            continue
        scan[:, place], worst[:, place] = _scan(lots[:, columns], known.loss[columns], known.scale)
        by_month = _deltas(lots, known.delta, book.instruments, columns)
        net[:, place] = by_month.sum(axis=1)
        spread[:, place] = _spread(by_month, family)
        delivering = [column for column in columns if book.instruments[column].delivering]
        delivery[:, place] = times("delivery charge", np.abs(lots[:, delivering]).sum(axis=1), whole("charge", family.minor(family.delivery_charge)))
        options = [column for column in columns if book.instruments[column].option is not None]
        written = np.maximum(-lots[:, options], 0).sum(axis=1)
        minimum[:, place] = times("short option minimum", written, whole("minimum", family.minor(family.short_option_minimum)))
        value[:, place] = weighed("option value", lots[:, columns], known.value[columns])
    credit = _credits(book, net, scan)
    risk = np.maximum(added("margin", scan, spread, delivery, -credit), minimum)
    required = np.zeros((len(lots), len(book.currencies)), dtype=np.int64)
    for place, family in enumerate(book.families):
        of = book.currencies.index(family.currency)
        required[:, of] = added("margin", required[:, of], risk[:, place], -value[:, place])
    names = tuple(family.name for family in book.families)
    return Margin(names, book.currencies, scan, worst, spread, delivery, credit, minimum, risk, value, np.maximum(required, 0))


def _scan(lots: IntArray, loss: IntArray, scale: int) -> tuple[IntArray, IntArray]:
    """The worst scenario's loss in minor units, rounded up, and its number; the first of several equally bad."""
    sums = weighed("scenario losses", lots, loss)
    most = sums.max(axis=1, initial=0)
    return np.asarray(-(-most // scale), dtype=np.int64), np.where(most > 0, sums.argmax(axis=1) + 1, 0)


def _deltas(lots: IntArray, delta: IntArray, instruments: Sequence[Held], columns: list[int]) -> IntArray:
    """Net deltas of accounts x months of one family."""
    months = sorted({instruments[column].month for column in columns})
    found = np.zeros((len(lots), len(months)), dtype=np.int64)
    for place, month in enumerate(months):
        of_month = [column for column in columns if instruments[column].month == month]
        found[:, place] = weighed("deltas", lots[:, of_month], delta[of_month])
    return found


def _spread(by_month: IntArray, family: Family) -> IntArray:
    """Longs of some months against shorts of others, at the charge a spread; part of a spread costs its part."""
    spreads: IntArray = np.minimum(np.maximum(by_month, 0).sum(axis=1), np.maximum(-by_month, 0).sum(axis=1))
    return multiply(spreads, Fraction(family.minor(family.spread_charge), DELTA_SCALE), rounding=UP)


def _credits(book: Book, net: IntArray, scan: IntArray) -> IntArray:
    """What opposite deltas in two families save, no more of a leg than its scan."""
    credit, left = np.zeros_like(scan), net.copy()
    for one in book.credits:
        legs = [book.by_name[name] for name in one.families]
        opposite = (left[:, legs[0]] > 0) != (left[:, legs[1]] > 0)
        sizes = [np.abs(left[:, leg]) // lots for leg, lots in zip(legs, one.lots, strict=True)]
        spreads = np.where(opposite, np.minimum(*sizes), 0)
        for leg, lots in zip(legs, one.lots, strict=True):
            family = book.families[leg]
            used = spreads * lots
            saved = multiply(used, fraction(family.price_scan) * family.lot_value * fraction(one.share) / DELTA_SCALE, rounding=DOWN)
            credit[:, leg] = np.minimum(credit[:, leg] + saved, scan[:, leg])
            left[:, leg] -= np.sign(left[:, leg]) * used
    return credit
