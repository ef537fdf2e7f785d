"""When a contract ends: named rules for the last trading day, and the instruments that are listed on a day.

A rule is data: `{rule: last_weekday_before_holidays, clear_days: 4}`. Business days come from the contract's calendar (`holidays`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import Any

from tonne.dates import DateError, is_business_day, to_day
from tonne.market.contract import Contract, ContractError, Instrument, spot

#: How far ahead a series is looked for.
YEARS_AHEAD = 50
ALL_MONTHS = tuple(range(1, 13))
#: The largest count of days that a rule may have.
LONGEST = 250


@dataclass(frozen=True, slots=True)
class Calendar:
    """Business days of a country (`GB-ENG`) or a market (its four-letter code); None: Monday to Friday.

    closed_last_weekday: months whose last weekday is no business day there.
    """

    holidays: str | None = None
    closed_last_weekday: tuple[int, ...] = ()

    def is_open(self, day: date) -> bool:
        if self.is_holiday(day) or day.weekday() >= 5:
            return False
        return day.month not in self.closed_last_weekday or day != last_weekday_of(day.year, day.month)

    def is_holiday(self, day: date) -> bool:
        """Whether the calendar names the day as a holiday; a Saturday is none by itself."""
        return _is_holiday(self.holidays)(day)

    def add(self, day: date, count: int) -> date:
        """The count-th business day after (before, when negative) a day."""
        step = timedelta(days=1 if count >= 0 else -1)
        for _ in range(abs(count)):
            day += step
            while not self.is_open(day):
                day += step
        return day

    def on_or_after(self, day: date) -> date:
        while not self.is_open(day):
            day += timedelta(days=1)
        return day

    def on_or_before(self, day: date) -> date:
        while not self.is_open(day):
            day -= timedelta(days=1)
        return day


@cache
def _is_holiday(text: str | None) -> Callable[[date], bool]:
    """Raises ContractError for a calendar nobody knows."""
    if text is None:
        return lambda day: False
    country, _, part = text.partition("-")
    if len(country) == 2:
        try:
            is_business_day(date(2024, 1, 1), country, part or None)
        except DateError as error:
            raise ContractError(str(error)) from None
        return lambda day: day.weekday() < 5 and not is_business_day(day, country, part or None)
    import holidays  # takes a while to load; most contracts follow a country

    try:
        table = holidays.financial_holidays(text)
    except NotImplementedError:
        raise ContractError(f"no calendar {text!r}; write a country as GB-ENG, or the four-letter code of a market") from None
    return lambda day: day in table


def last_day_of(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def last_weekday_of(year: int, month: int, weekday: int | None = None) -> date:
    """The last Monday to Friday of a month, or its last such weekday (0: Monday)."""
    day = last_day_of(year, month)
    while day.weekday() != weekday if weekday is not None else day.weekday() >= 5:
        day -= timedelta(days=1)
    return day


# -- the rules


def _last_weekday_before_holidays(rule: Mapping[str, Any], year: int, month: int, calendar: Calendar, future: date | None) -> date:
    """The last weekday of the month, a week earlier for as long as it or one of the `clear_days` days after it is a holiday.

    December 2024, Mondays, 4 days, English holidays: 30 December (New Year is near), 23 (Christmas), 16: the last trading day is 2024-12-16.
    """
    clear = int(rule.get("clear_days", 0))
    day = last_weekday_of(year, month, WEEKDAYS.index(rule.get("weekday", "monday")))
    for _ in range(10):
        if not any(calendar.is_holiday(day + timedelta(days=after)) for after in range(clear + 1)):
            return day
        day -= timedelta(days=7)
    raise ContractError(f"no week without a holiday before the end of {year}-{month:02}")


def _business_days_before_last(rule: Mapping[str, Any], year: int, month: int, calendar: Calendar, future: date | None) -> date:
    """`count` business days before the last business day of the month.

    December 2026, 3 days, 31 December not a business day: the last one is the 30th, three before it (29, 28, 24) is 2026-12-24.
    """
    own = replace(calendar, closed_last_weekday=tuple(rule.get("closed_last_weekday", ())))
    return own.add(own.on_or_before(last_day_of(year, month)), -int(rule["count"]))


def _day_or_next(rule: Mapping[str, Any], year: int, month: int, calendar: Calendar, future: date | None) -> date:
    """A day of the month, or the next business day: day 15 of August 2026, a Saturday, is 2026-08-17."""
    return calendar.on_or_after(date(year, month, int(rule["day"])))


def _day_or_previous(rule: Mapping[str, Any], year: int, month: int, calendar: Calendar, future: date | None) -> date:
    """A day of the month, or the business day before it: day 10 of May 2009, a Sunday, is 2009-05-08."""
    return calendar.on_or_before(date(year, month, int(rule["day"])))


def _before_future(rule: Mapping[str, Any], year: int, month: int, calendar: Calendar, future: date | None) -> date:
    """`count` business days before the last trading day of the future of that month."""
    if future is None:
        raise ContractError("this rule counts back from a future: give the contract that the option is exercised into")
    return calendar.add(future, -int(rule["count"]))


def _same_day(rule: Mapping[str, Any], year: int, month: int, calendar: Calendar, future: date | None) -> date:
    raise ContractError("a contract that ends on the day it is listed has no month; ask for the instruments of a day")


def _fixed(rule: Mapping[str, Any], year: int, month: int, calendar: Calendar, future: date | None) -> date:
    """The day a notice names for the month."""
    named = rule["days"].get(f"{year}-{month:02}")
    if named is None:
        raise ContractError(f"no day is known for {year}-{month:02}; there are {', '.join(map(str, rule['days']))}")
    return to_day(named)


WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
_Rule = Callable[[Mapping[str, Any], int, int, Calendar, date | None], date]
_RULES: dict[str, _Rule] = {
    "last_weekday_before_holidays": _last_weekday_before_holidays,
    "business_days_before_last_business_day": _business_days_before_last,
    "day_of_month_or_next_business_day": _day_or_next,
    "day_of_month_or_previous": _day_or_previous,
    "trading_days_before_future": _before_future,
    "same_day": _same_day,
    "fixed": _fixed,
}
#: Rule -> the parameters it must have, and those it may have.
RULES: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "last_weekday_before_holidays": (frozenset({"weekday"}), frozenset({"clear_days"})),
    "business_days_before_last_business_day": (frozenset({"count"}), frozenset({"closed_last_weekday"})),
    "day_of_month_or_next_business_day": (frozenset({"day"}), frozenset()),
    "day_of_month_or_previous": (frozenset({"day"}), frozenset()),
    "trading_days_before_future": (frozenset({"count"}), frozenset()),
    "same_day": (frozenset(), frozenset()),
    "fixed": (frozenset({"days"}), frozenset()),
}


def last_trading_day(rule: Mapping[str, Any], year: int, month: int, holidays: str | None = None, future: date | None = None) -> date:
    """The last trading day of a month's contract. future: the last trading day of what an option is exercised into.

    Raises ContractError for an unknown rule, a parameter that is missing or a calendar nobody knows.
    """
    name = rule.get("rule")
    if name not in _RULES:
        raise ContractError(f"{name!r} is no rule of expiry; there are {', '.join(_RULES)}")
    needed, allowed = RULES[name]
    missing, unknown = sorted(needed - rule.keys()), sorted(rule.keys() - needed - allowed - {"rule"})
    if missing or unknown:
        raise ContractError(
            f"{name}: " + "; ".join(f"{what} {', '.join(names)}" for what, names in (("lacks", missing), ("does not know", unknown)) if names)
        )
    _check(name, rule)
    try:
        return _RULES[name](rule, year, month, Calendar(holidays), future)
    except (ValueError, OverflowError) as error:  # day 31 of a month that has none, a year without a calendar
        raise error if isinstance(error, ContractError) else ContractError(f"{name}: {error}") from error


def _check(name: str, rule: Mapping[str, Any]) -> None:
    """Parameters are what they are to be, and no number sends a search on for ever."""
    for key in {"count", "day", "clear_days"} & rule.keys():
        value = rule[key]
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LONGEST:
            raise ContractError(f"{name}: {key} is a whole number up to {LONGEST}, not {value!r}")
    if rule.get("weekday", "monday") not in WEEKDAYS:
        raise ContractError(f"{name}: {rule['weekday']!r} is no weekday; there are {', '.join(WEEKDAYS)}")
    months = rule.get("closed_last_weekday", ())
    if not isinstance(months, list | tuple) or not all(month in ALL_MONTHS for month in months):
        raise ContractError(f"{name}: closed_last_weekday are months, as [12], not {months!r}")
    if not isinstance(rule.get("days", {}), Mapping):
        raise ContractError(f"{name}: days are by month, as {{2023-11: 2023-11-24}}, not {rule['days']!r}")


# -- what is listed


@dataclass(frozen=True, slots=True)
class Series:
    """One expiry of a contract: `2026-12` (a day for daily contracts), last trading day, day of delivery (None: not known)."""

    name: str
    expiry: date
    delivery: date | None


def of_month(contract: Contract, year: int, month: int, underlying: Contract | None = None) -> Series:
    """A month's contract with its dates. Raises ContractError where the contract's rule of expiry is not known."""
    if contract.expiry is None:
        raise ContractError(f"{contract.id}: its rule of expiry is not known")
    future = of_month(underlying, year, month).expiry if underlying is not None and underlying.expiry is not None else None
    try:
        expiry = last_trading_day(contract.expiry, year, month, contract.holidays, future)
    except ContractError as error:
        raise ContractError(f"{contract.id}: {error}") from None
    return Series(f"{year}-{month:02}", expiry, _delivery(contract, expiry))


def _delivery(contract: Contract, expiry: date) -> date | None:
    if contract.settlement_lag is None:
        return None
    closed = tuple((contract.expiry or {}).get("closed_last_weekday", ()))
    return Calendar(contract.holidays, closed).add(expiry, contract.settlement_lag)


def of_year(contract: Contract, year: int, underlying: Contract | None = None) -> tuple[Series, ...]:
    """The expiries of a year: of the months that the contract lists (none after its series end), of all twelve where that is not known, of the named
    ones where days are."""
    rule = contract.expiry or {}
    if rule.get("rule") == "fixed":
        months = tuple(int(name[5:]) for name in sorted(map(str, rule.get("days", ()))) if name[:4] == str(year))
    else:
        monthly = [row for row in contract.series if _months(row)]
        listed_in = {month for row in monthly for month in _months(row) if f"{year}-{month:02}" <= str(row.get("until", "9999-12"))}
        months = tuple(sorted(listed_in)) if monthly else ALL_MONTHS
    return tuple(of_month(contract, year, month, underlying) for month in months)


def last_listed(contract: Contract) -> str | None:
    """The month (`2030-12`) after which no expiry is listed; None where no such month is known."""
    ends = [row.get("until") for row in contract.series if _months(row)]
    return max(map(str, ends)) if ends and None not in ends else None


def listed(contract: Contract, day: date, underlying: Contract | None = None) -> tuple[Series, ...]:
    """The expiries listed on a day, nearest first, each once. A row of `series` is one of

    {months: [12], count: 7}         the next seven Decembers        {months: all, years_ahead: 10}   every month to December ten years on
    {days: 2}                        today's and the next business day's            `until: 2030-12` ends a row there.

    Raises ContractError where no row is known, or a row has months and does not say how many of them.
    """
    if not contract.series or not all({"count", "years_ahead", "days"} & row.keys() for row in contract.series):
        raise ContractError(f"{contract.id}: how many expiries are listed is not known; name the ones you want")
    found: dict[str, Series] = {}
    for row in contract.series:
        if "days" in row:
            found |= {series.name: series for series in _daily(contract, day, int(row["days"]))}
            continue
        last = _last_month(row, day)
        coming = (one for one in _coming(contract, day, _months(row), underlying) if one.name <= last)
        found |= {series.name: series for series in islice(coming, int(row["count"]) if "count" in row else None)}
    return tuple(sorted(found.values(), key=lambda series: series.expiry))


def _months(row: Mapping[str, Any]) -> tuple[int, ...]:
    months = row.get("months", ())
    return ALL_MONTHS if months == "all" else tuple(months)


def _last_month(row: Mapping[str, Any], day: date) -> str:
    ahead = int(row.get("years_ahead", YEARS_AHEAD))
    return min(f"{day.year + ahead}-12", str(row.get("until", "9999-12")))


def _coming(contract: Contract, day: date, months: Sequence[int], underlying: Contract | None) -> Iterator[Series]:
    """A contract's expiries in such months that are not past on a day."""
    for year in range(day.year, day.year + YEARS_AHEAD + 1):
        for month in sorted(months):
            if (year, month) >= (day.year, day.month):
                series = of_month(contract, year, month, underlying)
                if series.expiry >= day:
                    yield series


def _daily(contract: Contract, day: date, count: int) -> Iterator[Series]:
    calendar = Calendar(contract.holidays)
    day = calendar.on_or_after(day)
    for _ in range(count):
        yield Series(day.isoformat(), day, _delivery(contract, day))
        day = calendar.add(day, 1)


def instruments(
    contract: Contract,
    day: date,
    *,
    underlying: Contract | None = None,
    series: Sequence[Series] | None = None,
    vintages: Sequence[int] = (),
    strikes: Sequence[Decimal | str] = (),
    around: Decimal | str | None = None,
) -> tuple[Instrument, ...]:
    """What may be traded of a contract on a day, nearest expiry first.

    underlying  the contract that an option is exercised into (its rule may count back from the future's last day)
    series      the expiries wanted; those listed on the day if none is given
    vintages    of a contract listed by vintage (`deliverable.by: vintage`): which; the day's year if none is given
    strikes     prices of an option's strikes; or `around`: a price in whose neighbourhood the contract's own rule (step, each_side) sets them
    """
    if contract.kind in ("spot", "auction_spot"):
        return (spot(contract),)
    found = []
    for expiry in listed(contract, day, underlying) if series is None else series:
        for vintage in (vintages or (day.year,)) if contract.deliverable.get("by") == "vintage" else (None,):
            one = Instrument(_code(contract.id, vintage, expiry.name), contract, expiry.expiry, expiry.delivery, vintage=vintage)
            found += _options(one, expiry, strikes, around) if contract.kind == "option" else [one]
    return tuple(found)


def _code(contract: str, vintage: int | None, name: str) -> str:
    return f"{contract}:{name}" if vintage is None else f"{contract}:v{vintage}:{name}"


def _options(base: Instrument, series: Series, strikes: Sequence[Decimal | str], around: Decimal | str | None) -> list[Instrument]:
    contract = base.contract
    prices = [Decimal(strike) for strike in strikes] or strikes_around(contract, around)
    month = contract.deliverable.get("month")
    name = f"{series.name[:4]}-{month:02}" if month else series.name
    future = None if contract.underlying is None else _code(contract.underlying, base.vintage, name)
    return [
        replace(base, code=f"{base.code}:{right}:{price}", strike_ticks=contract.ticks(price), right=right, underlying=future)
        for price in sorted(set(prices))
        for right in ("call", "put")
    ]


def strikes_around(contract: Contract, price: Decimal | str | None) -> list[Decimal]:
    """The strikes a contract's rule sets about a price: `each_side` of them on either side of the nearest multiple of `step` below, and that one.

    Raises ContractError where no price is given, or the contract's rule is not known.
    """
    step, each_side = contract.strikes.get("step"), contract.strikes.get("each_side")
    if price is None or step is None or each_side is None:
        raise ContractError(
            f"{contract.id}: name its strikes; {'its rule for them is not known' if price is not None else 'or a price to set them about'}"
        )
    middle = Decimal(price) // Decimal(step) * Decimal(step)
    prices = [middle + Decimal(step) * count for count in range(-int(each_side), int(each_side) + 1)]
    return [one for one in prices if one > 0]


def deliverable_vintages(instrument: Instrument, day: date, period_ends: int | None = None) -> tuple[int | None, int | None]:
    """The first and the last vintage that may be delivered on a day; None: no bound on that side.

    By the contract's `deliverable.vintages`: `named` (the instrument's own), `named_or_earlier`, `control_period_or_earlier` (period_ends: the last
    year of the compliance period that the contract's year lies in), or `deliverable.windows`, each a span of days with its vintages.
    Raises ContractError where no window holds the day.
    """
    terms = instrument.contract.deliverable
    if "windows" in terms:
        for window in terms["windows"]:
            if to_day(window.get("from", date.min)) <= day <= to_day(window.get("until", date.max)):
                return int(window["vintages"][0]), int(window["vintages"][1])
        raise ContractError(f"{instrument.contract.id}: which vintages may be delivered on {day} is not known")
    match terms.get("vintages"):
        case None:
            return None, None
        case "named" | "named_or_earlier" as rule:
            if instrument.vintage is None:
                raise ContractError(f"{instrument.code}: its vintage is not named")
            return (instrument.vintage if rule == "named" else None), instrument.vintage
        case "control_period_or_earlier":
            if period_ends is None:
                raise ContractError(f"{instrument.code}: give the last year of the compliance period it lies in")
            return None, period_ends
        case other:
            raise ContractError(f"{instrument.contract.id}: {other!r} is no rule of vintages")
