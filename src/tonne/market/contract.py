"""What is traded: a contract with its terms, and the instruments (series) it lists. Prices are whole ticks, quantities whole lots.

A contract is made from terms that somebody resolved for one day (`Contract.of`); it never changes, a new edition of the terms is a new object.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tonne.dates import DateError, zone
from tonne.units import INT64_MAX, MEASURES, PriceScale, UnitsError, decimals_of, fraction

KINDS = ("spot", "daily_future", "future", "option", "forward", "auction_spot")
SETTLEMENTS = ("prefunded", "margined")
PREMIUMS = ("paid", "futures_style")
STYLES = ("european", "american")
RIGHTS = ("call", "put")
#: How resting orders share what comes. `negotiated` has no book: parties agree a price and report it.
MATCHINGS = ("price_time", "pro_rata", "seeded_random", "takers_choice", "negotiated")
#: What a span of the day may be. The order book knows the first eight; the others are done beside it.
PHASES = (
    "pre_open", "opening_call", "continuous", "volatility_call", "closing_call", "halt", "post_close", "closed",
    "negotiated", "block", "auction",
)  # fmt: skip
#: Business days from trade to delivery, at most.
LONGEST_LAG = 250
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?|24:00")


class ContractError(ValueError):
    """Terms that are missing or that do not fit together."""


class PriceOffTick(ContractError):
    """A price between two ticks."""


class OddLot(ContractError):
    """A quantity of units that is no whole number of lots."""


@dataclass(frozen=True, slots=True)
class PhaseHours:
    """One span of the trading day: a word of PHASES, from and until (`HH:MM`, local time). `closes` not after `opens` means the next day."""

    phase: str
    opens: str
    closes: str

    def __post_init__(self) -> None:
        _one_of("phase", self.phase, PHASES)
        for text in (self.opens, self.closes):
            if not isinstance(text, str) or not _TIME.fullmatch(text):
                raise ContractError(f"{text!r} is no time of day; write it as 09:30")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """The terms of one contract on one day.

    lot                   units of the underlying in one lot (of an option: in one lot of what it is exercised into)
    tick                  smallest step of a price, in money per unit
    price_limit_share     largest move from the reference price as a share of it (None: no limit); block_price_limit_share for block trades
    price_limit_steps     a ladder of such shares, smallest first; empty when there is none
    settlement            `prefunded` (units and money are there before the order) or `margined`
    settlement_lag        business days from trade (spot) or last trading day (future) to delivery (None: not known); late_lag after the cut-off
    cutoff                local time from which late_lag applies, None: no cut-off
    resale_lag            days until bought units may be sold again: 0 or 1
    block_min_lots, min_order_lots, max_order_lots, position_limit_lots      in lots, None: no such limit is known
    deliverable, margin, strikes, expiry     the terms as written (plain mappings); `series` a tuple of such mappings
    holidays              a country (`GB-ENG`: with its part, ISO 3166) or a market (its four-letter code), None: every weekday is a business day
    """

    id: str
    venue: str
    kind: str
    unit: str
    lot: int
    tick: Decimal
    currency: str
    measure: str = "tonne"
    price_limit_share: Decimal | None = None
    block_price_limit_share: Decimal | None = None
    price_limit_steps: tuple[Decimal, ...] = ()
    block_min_lots: int | None = None
    min_order_lots: int = 1
    max_order_lots: int | None = None
    position_limit_lots: int | None = None
    settlement: str = "margined"
    delivery: str = "physical"
    settlement_lag: int | None = None
    cutoff: str | None = None
    late_lag: int | None = None
    resale_lag: int = 0
    premium: str | None = None
    style: str | None = None
    underlying: str | None = None
    underlying_lots: int = 1
    matching: str = "price_time"
    phases: tuple[PhaseHours, ...] = ()
    timezone: str = "UTC"
    holidays: str | None = None
    deliverable: Mapping[str, Any] = field(default_factory=dict, hash=False)
    margin: Mapping[str, Any] = field(default_factory=dict, hash=False)
    strikes: Mapping[str, Any] = field(default_factory=dict, hash=False)
    expiry: Mapping[str, Any] | None = field(default=None, hash=False)
    series: tuple[Mapping[str, Any], ...] = field(default=(), hash=False)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _one_of("kind", self.kind, KINDS)
        _one_of("settlement", self.settlement, SETTLEMENTS)
        _one_of("matching", self.matching, MATCHINGS)
        _one_of("measure", self.measure, tuple(MEASURES))
        self._count_fields()
        if self.premium is not None:
            _one_of("premium", self.premium, PREMIUMS)
        if self.style is not None:
            _one_of("style", self.style, STYLES)
        if (self.kind == "option") != (self.premium is not None):
            raise ContractError(f"{self.id}: an option says how its premium is paid, and nothing else does; premium is {self.premium!r}")
        if self.cutoff is not None and not _TIME.fullmatch(self.cutoff):
            raise ContractError(f"{self.id}: the cut-off {self.cutoff!r} is no time of day; write it as 16:00")
        try:
            zone(self.timezone)
            PriceScale(self.currency, _of_this_world(self.tick))
            self._limit_fields()
        except (DateError, UnitsError) as error:
            raise ContractError(f"{self.id}: {error}") from None
        if self.tick_value > INT64_MAX:
            raise ContractError(f"{self.id}: a tick on a lot is worth {self.tick_value:,}, more than 64 bits hold")

    def _count_fields(self) -> None:
        for name, least in (("lot", 1), ("min_order_lots", 1), ("underlying_lots", 1), ("resale_lag", 0)):
            _count(self.id, name, getattr(self, name), least)
        for name, least in (("block_min_lots", 1), ("max_order_lots", 1), ("position_limit_lots", 0), ("settlement_lag", 0), ("late_lag", 0)):
            if getattr(self, name) is not None:
                _count(self.id, name, getattr(self, name), least)
        for name in ("settlement_lag", "late_lag"):
            if (getattr(self, name) or 0) > LONGEST_LAG:
                raise ContractError(f"{self.id}: {name} is at most {LONGEST_LAG} business days, not {getattr(self, name):,}")
        if self.max_order_lots is not None and self.max_order_lots < self.min_order_lots:
            raise ContractError(f"{self.id}: the largest order, {self.max_order_lots} lots, is below the smallest, {self.min_order_lots}")

    def _limit_fields(self) -> None:
        shares = [self.price_limit_share, self.block_price_limit_share, *self.price_limit_steps]
        for share in shares:
            if share is not None and fraction(_of_this_world(share)) <= 0:
                raise ContractError(f"{self.id}: a price limit is a share of more than zero, not {share}")
        if list(self.price_limit_steps) != sorted(set(self.price_limit_steps)):
            raise ContractError(f"{self.id}: the steps of a price limit rise, {', '.join(map(str, self.price_limit_steps))} do not")

    @classmethod
    def of(cls, id: str, venue: str, kind: str, terms: Mapping[str, Any]) -> Contract:
        """A contract from resolved terms (term -> plain value), as `tonne contract show ID` names them.

        Where nothing is said, a spot contract is prefunded and anything else margined, and orders match by price and time.
        Raises ContractError with every term that is missing: without lot, tick, currency and unit nothing can be traded.
        """
        missing = [name for name in ("lot", "unit", "tick", "currency") if terms.get(name) is None]
        if missing:
            raise ContractError(f"{id}: not known: {', '.join(missing)}; without these it cannot be traded here")
        try:
            return cls._of(id, venue, kind, terms)
        except ContractError:
            raise
        except (TypeError, ValueError, AttributeError, ArithmeticError, KeyError) as error:
            raise ContractError(f"{id}: its terms cannot be read: {error}") from error

    @classmethod
    def _of(cls, id: str, venue: str, kind: str, terms: Mapping[str, Any]) -> Contract:
        given = {name: terms[name] for name in _SAME_NAME if terms.get(name) is not None}
        given.setdefault("settlement", "prefunded" if kind == "spot" else "margined")
        lot = int(terms["lot"])
        listed, block = _price_limits(id, terms.get("price_limit"))
        return cls(
            id=id,
            venue=venue,
            kind=kind,
            tick=Decimal(terms["tick"]),
            price_limit_share=listed,
            block_price_limit_share=block,
            price_limit_steps=tuple(Decimal(step) for step in terms.get("price_limit_steps") or ()),
            block_min_lots=_in_lots(id, "block_min", terms, lot),
            max_order_lots=_largest_order(id, terms, lot),
            position_limit_lots=_in_lots(id, "position_limit", terms, lot),
            phases=phases_of(terms.get("hours") or {}),
            timezone=terms.get("time_zone") or "UTC",
            expiry=terms.get("expiry"),
            series=tuple(terms.get("series") or ()),
            notes=tuple(terms.get("notes") or ()),
            **given,
        )

    @property
    def tick_value(self) -> int:
        """Minor units of the currency that one tick on one lot is worth: 1,000 units x 0.01 EUR = 10.00 EUR = 1,000 cents."""
        value = self.lot * Fraction(self.tick) * 10 ** decimals_of(self.currency)
        if value.denominator != 1:
            smallest = Fraction(1, 10 ** decimals_of(self.currency))
            raise ContractError(
                f"{self.id}: a tick of {self.tick} on a lot of {self.lot} is {Fraction(value) * smallest} {self.currency}, "
                "no whole number of the smallest coin"
            )
        return int(value)

    def ticks(self, price: Decimal | int | str) -> int:
        """Whole ticks of a price. Raises PriceOffTick for one between two ticks."""
        try:
            return PriceScale(self.currency, self.tick).ticks(_of_this_world(price))
        except UnitsError as error:
            raise PriceOffTick(f"{self.id}: {error}") from None

    def price(self, ticks: int) -> Decimal:
        """The price of a whole number of ticks."""
        return PriceScale(self.currency, self.tick).price(ticks)

    def lots(self, units: int) -> int:
        """Whole lots of a quantity of units. Raises OddLot for a remainder."""
        lots, rest = divmod(units, self.lot)
        if rest:
            raise OddLot(f"{self.id}: {units:,} units are {lots:,} lots of {self.lot:,} and {rest:,} more; trade a multiple of {self.lot:,}")
        return lots

    def units(self, lots: int) -> int:
        """Units in a number of lots."""
        return lots * self.lot

    def value(self, ticks: int, lots: int) -> int:
        """What so many lots are worth at a price in ticks, in minor units of the currency."""
        return ticks * lots * self.tick_value


@dataclass(frozen=True, slots=True)
class Instrument:
    """One thing with a price: a spot contract itself, one expiry of a future, one strike of an option.

    code     unique, also the ledger's unit type of positions (measure `lot`): `id`, `id:2026-12`, `id:2026-12-14` (daily),
             `id:v2026:2026-12` (of a vintage), `id:2026-12:call:75.50`
    expiry   last trading day; delivery the day the units move; both None for spot. first_day: first day it is listed, None: not known
    strike_ticks, right     of an option; the strike in ticks of the contract
    underlying   code of the future that an option is exercised into, None where it is not known
    """

    code: str
    contract: Contract
    expiry: date | None = None
    delivery: date | None = None
    strike_ticks: int | None = None
    right: str | None = None
    first_day: date | None = None
    vintage: int | None = None
    underlying: str | None = None

    def __post_init__(self) -> None:
        if (self.strike_ticks is None) != (self.right is None):
            raise ContractError(f"{self.code}: a strike and a right go together")
        if self.right is not None:
            _one_of("right", self.right, RIGHTS)
            if self.contract.kind != "option":
                raise ContractError(f"{self.code}: only an option has a strike; {self.contract.id} is a {self.contract.kind}")
        if self.expiry is not None and self.delivery is not None and self.delivery < self.expiry:
            raise ContractError(f"{self.code}: delivery on {self.delivery} before the last trading day, {self.expiry}")

    def is_listed_on(self, day: date) -> bool:
        """Whether it may be traded on a day: not before its first day, not after its last."""
        return (self.first_day is None or self.first_day <= day) and (self.expiry is None or day <= self.expiry)


def phases_of(hours: Mapping[str, str]) -> tuple[PhaseHours, ...]:
    """The spans of a day written as phase -> `09:30-11:30, 13:00-15:00`, in the order written. `listed` is continuous trading."""
    found = []
    for phase, spans in hours.items():
        for span in str(spans).split(","):
            opens, dash, closes = span.strip().partition("-")
            if not dash:
                raise ContractError(f"{span.strip()!r} is no span of hours; write it as 09:30-11:30")
            found.append(PhaseHours("continuous" if phase == "listed" else phase, opens, closes))
    return tuple(found)


def spot(contract: Contract) -> Instrument:
    """The one instrument of a spot contract."""
    return Instrument(contract.id, contract)


_SAME_NAME = (
    "unit", "lot", "currency", "measure", "min_order_lots", "settlement", "delivery", "settlement_lag", "cutoff", "late_lag", "resale_lag",
    "premium", "style", "underlying", "underlying_lots", "matching", "holidays", "deliverable", "margin", "strikes",
)  # fmt: skip


def _of_this_world(number: Any) -> Any:
    """A number of no more than 18 digits before or after the point: one with a great exponent would be worked out for hours."""
    try:
        exact = Decimal(number)
    except (ArithmeticError, TypeError, ValueError):
        raise UnitsError(f"{str(number)[:40]!r} is not a number") from None
    if not exact.is_finite() or abs(exact.adjusted()) > 18 or int(exact.as_tuple().exponent) < -18:
        raise UnitsError(f"{str(number)[:40]!r} has more than 18 digits before or after the point")
    return number


def _one_of(what: str, word: str, allowed: tuple[str, ...]) -> None:
    if word not in allowed:
        raise ContractError(f"{word!r} is no {what}; there are {', '.join(allowed)}")


def _count(id: str, name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ContractError(f"{id}: {name} is a whole number of at least {least}, not {value!r}")


def _price_limits(id: str, limit: Any) -> tuple[Decimal | None, Decimal | None]:
    """One share stands for every method; a mapping has one for `listed` and one for `block`."""
    if limit is None:
        return None, None
    if isinstance(limit, Mapping):
        unknown = sorted(set(limit) - {"listed", "block"})
        if unknown:
            raise ContractError(f"{id}: a price limit is for `listed` or for `block`, not for {', '.join(map(repr, unknown))}")
        return tuple(None if limit.get(way) is None else Decimal(limit[way]) for way in ("listed", "block"))  # type: ignore[return-value]
    return Decimal(limit), Decimal(limit)


def _in_lots(id: str, name: str, terms: Mapping[str, Any], lot: int) -> int | None:
    """A limit that is written in lots (`name_lots`) or in units (`name_units`, a multiple of the lot)."""
    if terms.get(f"{name}_lots") is not None:
        return int(terms[f"{name}_lots"])
    units = terms.get(f"{name}_units")
    if units is None:
        return None
    if units % lot:
        raise ContractError(f"{id}: {name}_units, {units:,}, is no multiple of the lot of {lot:,}")
    return int(units) // lot


def _largest_order(id: str, terms: Mapping[str, Any], lot: int) -> int | None:
    """Written in lots, in units, or as the first size that is too large (`max_order_below_units`)."""
    below = terms.get("max_order_below_units")
    return (int(below) - 1) // lot if below is not None else _in_lots(id, "max_order", terms, lot)
