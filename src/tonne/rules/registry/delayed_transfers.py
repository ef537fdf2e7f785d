"""When a transfer runs: at once to accounts that the holder trusts, later to others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tonne.rules.declare import rule
from tonne.rules.registry.working_hours import Clock, Holidays, hours_later, time_of
from tonne.units import Rate, fraction

#: How a transfer to an account that is not trusted is delayed.
RULES = ("noon", "hours")


@rule("delayed_transfers", unit="time", given={"moment": "time", "trusted": "boolean", "country": "country_code"})
def transfer_runs(
    moment: str,
    trusted: bool = False,
    country: str = "",
    *,
    time_zone: str,
    untrusted_rule: str,
    execution_window: Sequence[str] | None = None,
    untrusted_noon: str | None = None,
    untrusted_delay: Rate | None = None,
    public_holidays: Holidays | None = None,
) -> str:
    """When a transfer runs that was approved at a moment: to a trusted account at once or when the registry opens; to another one later.

    `noon`: approved before noon of a working day, it runs at noon of the next one; later, at noon of the second. Wednesday 11:59: Thursday 12:00;
    12:01: Friday 12:00. Approved on no working day it counts from the next opening. `hours`: each 24 hours are a working day, counted from
    opening hours; 26 hours from Friday 18:00 are Tuesday 12:00. Where the law has no opening hours, they are plain hours. Raises
    ValueError for a rule that lacks its figure.
    """
    clock = Clock.of(time_zone, execution_window, public_holidays, country)
    given = clock.read(moment)
    if trusted:
        return clock.opening(given).isoformat()
    if untrusted_rule == "noon":
        if untrusted_noon is None:
            raise _lacking("untrusted_noon")
        return _noon(clock, given, untrusted_noon).isoformat()
    if untrusted_rule == "hours":
        if untrusted_delay is None:
            raise _lacking("untrusted_delay")
        return _hours(clock, given, untrusted_delay).isoformat()
    raise ValueError(f"untrusted_rule {untrusted_rule!r}: one of {', '.join(RULES)}")


def _noon(clock: Clock, given: datetime, noon: str) -> datetime:
    limit = time_of(noon)
    start = given if clock.is_working(given.date()) else clock.opening(given)
    return clock.at(clock.working_day_after(start.date(), 1 if start < clock.at(start.date(), limit) else 2), limit)


def _hours(clock: Clock, given: datetime, hours: Rate) -> datetime:
    if clock.hours is None:
        return hours_later(given, hours)
    start = clock.opening(given)
    days, rest = divmod(int(fraction(hours) * 3600), 24 * 3600)
    return clock.at(clock.working_day_after(start.date(), days), start.time()) + timedelta(seconds=rest)


def _lacking(name: str) -> ValueError:
    return ValueError(f"the law names a rule that needs {name}, and has no figure for it")
