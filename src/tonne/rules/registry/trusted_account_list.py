"""From when an account counts as trusted that a holder has put on its list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tonne.rules.declare import rule
from tonne.rules.registry.working_hours import Clock, Holidays, time_of

#: How the working days are counted.
RULES = ("fixed_time", "same_time")


@rule("trusted_account_list", unit="time", given={"moment": "time", "account": "text", "country": "country_code"})
def trusted_from(
    moment: str,
    account: str = "other",
    country: str = "",
    *,
    time_zone: str,
    trusted_account_rule: str,
    trusted_account_delay: Mapping[str, int | None],
    trusted_account_time: str | None = None,
    execution_window: Sequence[str] | None = None,
    public_holidays: Holidays | None = None,
) -> str:
    """From when an account counts as trusted that was put on the list of an account at a moment.

    `fixed_time`: at a set time of so many working days after; four to noon from Thursday 11:30: Wednesday 12:00. `same_time`: so many working days
    to the same time of day, counted in opening hours; from Thursday 11:30: Wednesday 11:30; from Saturday, when nobody is there: Friday 10:00.
    Raises ValueError for a kind of account that the law does not know.
    """
    days = trusted_account_delay.get(account)
    if days is None:
        days = trusted_account_delay.get("other")
    if days is None:
        raise ValueError(f"no delay for accounts of the kind {account!r}; there is {', '.join(trusted_account_delay)}")
    clock = Clock.of(time_zone, execution_window, public_holidays, country)
    given = clock.read(moment)
    if trusted_account_rule == "same_time":
        start = clock.opening(given)
        return clock.at(clock.working_day_after(start.date(), days), start.time()).isoformat()
    if trusted_account_rule == "fixed_time":
        if trusted_account_time is None:
            raise ValueError("the law counts to a set time of day, and names none: trusted_account_time")
        return clock.at(clock.working_day_after(given.date(), days), time_of(trusted_account_time)).isoformat()
    raise ValueError(f"trusted_account_rule {trusted_account_rule!r}: one of {', '.join(RULES)}")
