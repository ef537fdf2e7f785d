"""When transfers run, until when they can be taken back, from when an account is trusted, how long a proposal waits."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonne.rules.registry.approval_in_time import approval_expires
from tonne.rules.registry.cancellable_transfers import transfer_cancellable_until
from tonne.rules.registry.delayed_transfers import transfer_runs
from tonne.rules.registry.trusted_account_list import trusted_from

BRUSSELS: dict[str, Any] = {"time_zone": "Europe/Brussels", "execution_window": ["10:00", "16:00"]}
NOON: dict[str, Any] = BRUSSELS | {"untrusted_rule": "noon", "untrusted_noon": "12:00"}
HOURS: dict[str, Any] = BRUSSELS | {"untrusted_rule": "hours", "untrusted_delay": 26}
FIXED: dict[str, Any] = {"time_zone": "Europe/Brussels", "trusted_account_rule": "fixed_time", "trusted_account_time": "12:00"}
SAME: dict[str, Any] = BRUSSELS | {"trusted_account_rule": "same_time"}
FOUR = {"trusted_account_delay": {"person": 7, "other": 4, "gone": None}}
#: Christmas of 2026 is a Friday; so is the first of January.
XMAS = {"public_holidays": {"XX": [date(2026, 12, 24), date(2026, 12, 25), date(2027, 1, 1)]}}
#: The week of 23 November 2026 begins on a Monday.
MON, TUE, WED, THU, FRI, SAT, SUN = (f"2026-11-{day}" for day in range(23, 30))
NEXT_MON, NEXT_TUE, NEXT_WED = "2026-11-30", "2026-12-01", "2026-12-02"


def winter(day: str, clock: str) -> str:
    return f"{day}T{clock}:00+01:00"


@pytest.mark.parametrize(
    ("day", "clock", "runs"),
    [
        (WED, "00:00", THU),
        (WED, "11:59", THU),
        (WED, "12:00", FRI),
        (WED, "12:01", FRI),
        (WED, "23:59", FRI),
        (THU, "12:01", NEXT_MON),
        (FRI, "11:59", NEXT_MON),
        (FRI, "12:01", NEXT_TUE),
        (SAT, "09:00", NEXT_TUE),
        (SUN, "23:00", NEXT_TUE),
        (NEXT_MON, "09:00", NEXT_TUE),
    ],
)
def test_noon_decides(day: str, clock: str, runs: str) -> None:
    assert transfer_runs(winter(day, clock), **NOON) == winter(runs, "12:00")


@pytest.mark.parametrize(
    ("day", "clock", "runs"),
    [
        (WED, "09:59", (WED, "10:00")),
        (WED, "10:00", (WED, "10:00")),
        (WED, "16:00", (WED, "16:00")),
        (WED, "16:01", (THU, "10:00")),
        (FRI, "16:01", (NEXT_MON, "10:00")),
        (SAT, "12:00", (NEXT_MON, "10:00")),
    ],
)
def test_a_trusted_target_waits_for_the_opening_at_most(day: str, clock: str, runs: tuple[str, str]) -> None:
    assert transfer_runs(winter(day, clock), True, **NOON) == winter(*runs) == transfer_runs(winter(day, clock), True, **HOURS)


@pytest.mark.parametrize(
    ("day", "clock", "runs"),
    [
        (MON, "11:15", (TUE, "13:15")),
        (MON, "09:00", (TUE, "12:00")),
        (THU, "16:30", (NEXT_MON, "12:00")),
        (FRI, "09:59", (NEXT_MON, "12:00")),
        (FRI, "15:59", (NEXT_MON, "17:59")),
        (FRI, "18:00", (NEXT_TUE, "12:00")),
        (SUN, "12:00", (NEXT_TUE, "12:00")),
    ],
)
def test_hours_are_counted_on_working_days(day: str, clock: str, runs: tuple[str, str]) -> None:
    assert transfer_runs(winter(day, clock), **HOURS) == winter(*runs)


def test_without_opening_hours_they_are_plain_hours() -> None:
    plain: dict[str, Any] = {"time_zone": "Europe/Brussels", "untrusted_rule": "hours", "untrusted_delay": 26}
    assert transfer_runs(winter(FRI, "18:00"), **plain) == winter(SAT, "20:00")
    assert transfer_runs(winter(SAT, "03:00"), True, **plain) == winter(SAT, "03:00")
    assert transfer_runs("2026-03-28T12:00:00+01:00", **plain) == "2026-03-29T15:00:00+02:00"


@pytest.mark.parametrize(
    ("day", "clock", "fixed", "same"),
    [
        (THU, "11:30", (NEXT_WED, "12:00"), (NEXT_WED, "11:30")),
        (THU, "15:00", (NEXT_WED, "12:00"), (NEXT_WED, "15:00")),
        (SAT, "12:00", ("2026-12-03", "12:00"), ("2026-12-04", "10:00")),
        (MON, "19:00", (FRI, "12:00"), (NEXT_MON, "10:00")),
        (MON, "08:00", (FRI, "12:00"), (FRI, "10:00")),
    ],
)
def test_two_readings_of_four_working_days(day: str, clock: str, fixed: tuple[str, str], same: tuple[str, str]) -> None:
    assert trusted_from(winter(day, clock), **FIXED, **FOUR) == winter(*fixed)
    assert trusted_from(winter(day, clock), **SAME, **FOUR) == winter(*same)


def test_holidays_are_no_working_days_of_their_country() -> None:
    """From Wednesday 23 December: 28, 29, 30, 31; with the 24th and 25th as working days: 24, 25, 28, 29."""
    wednesday = winter("2026-12-23", "11:00")
    assert trusted_from(wednesday, "other", "XX", **FIXED, **FOUR, **XMAS) == winter("2026-12-31", "12:00")
    assert trusted_from(wednesday, "other", "YY", **FIXED, **FOUR, **XMAS) == winter("2026-12-29", "12:00")
    assert trusted_from(winter("2026-12-24", "11:00"), "other", "XX", **SAME, **FOUR, **XMAS) == winter("2027-01-04", "10:00")
    assert transfer_runs(wednesday, False, "XX", **NOON, **XMAS) == winter("2026-12-28", "12:00")
    assert transfer_runs(winter("2026-12-25", "11:00"), True, "XX", **NOON, **XMAS) == winter("2026-12-28", "10:00")
    assert transfer_runs(winter("2026-12-25", "11:00"), False, "XX", **HOURS, **XMAS) == winter("2026-12-29", "12:00")


def test_kinds_of_accounts_have_their_own_delay() -> None:
    assert trusted_from(winter(THU, "11:30"), "person", **FIXED, **FOUR) == winter("2026-12-07", "12:00")
    assert trusted_from(winter(THU, "11:30"), "gone", **FIXED, **FOUR) == winter(NEXT_WED, "12:00")
    with pytest.raises(ValueError, match="no delay for accounts of the kind 'other'; there is person"):
        trusted_from(winter(THU, "11:30"), **FIXED, trusted_account_delay={"person": 7})


def test_a_transfer_can_be_taken_back_until_hours_before_it_runs() -> None:
    law: dict[str, Any] = {"time_zone": "Europe/Brussels", "cancel_until": 2}
    assert transfer_cancellable_until(winter(THU, "12:00"), **law) == winter(THU, "10:00")
    assert transfer_cancellable_until("2026-11-26T11:00:00Z", **law) == winter(THU, "10:00")
    assert transfer_cancellable_until("2026-11-26T12:00:00", **law) == winter(THU, "10:00")


def test_a_proposal_waits_so_many_days_of_24_hours() -> None:
    assert approval_expires("2026-11-25T15:04:00-08:00", approval_days=2) == "2026-11-27T15:04:00-08:00"


def test_the_clock_keeps_summer_time() -> None:
    """The clocks of Brussels change on 29 March and 25 October 2026."""
    assert transfer_runs("2026-03-27T10:59:00Z", **NOON) == "2026-03-30T12:00:00+02:00"
    assert transfer_runs("2026-10-23T09:59:00Z", **NOON) == "2026-10-26T12:00:00+01:00"
    assert transfer_runs("2026-10-23T10:01:00Z", **NOON) == "2026-10-27T12:00:00+01:00"
    assert transfer_runs("2026-07-01T10:59:00Z", **(NOON | {"time_zone": "Etc/GMT-1"})) == "2026-07-02T12:00:00+01:00"


def test_a_moment_without_an_offset_is_the_registrys_own() -> None:
    assert transfer_runs("2026-07-01T11:59", **NOON) == "2026-07-02T12:00:00+02:00"


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (lambda: transfer_runs("2026-11-25", **NOON), "'2026-11-25' is no moment"),
        (lambda: transfer_runs("soon", **NOON), "'soon' is no moment"),
        (lambda: transfer_runs(winter(WED, "11:00"), **(NOON | {"untrusted_rule": "never"})), "one of noon, hours"),
        (lambda: transfer_runs(winter(WED, "11:00"), **(NOON | {"untrusted_noon": None})), "untrusted_noon, and has no figure"),
        (lambda: transfer_runs(winter(WED, "11:00"), **(HOURS | {"untrusted_delay": None})), "untrusted_delay, and has no figure"),
        (lambda: transfer_runs(winter(WED, "11:00"), **(NOON | {"untrusted_noon": "12 CET"})), "'12 CET' is no time of day"),
        (lambda: transfer_runs(winter(WED, "11:00"), **(NOON | {"execution_window": ["16:00", "10:00"]})), "close before they open"),
        (lambda: transfer_runs(winter(WED, "11:00"), **(NOON | {"execution_window": "10:00"})), "two times of day"),
        (lambda: transfer_runs(winter(WED, "11:00"), **(NOON | {"time_zone": "CENTRAL"})), "is no time zone"),
        (lambda: trusted_from(winter(WED, "11:00"), **FOUR, **(FIXED | {"trusted_account_time": None})), "names none"),
        (lambda: trusted_from(winter(WED, "11:00"), **FOUR, **(FIXED | {"trusted_account_rule": "soon"})), "one of fixed_time, same_time"),
    ],
)
def test_what_has_no_answer_says_why(asked: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        asked()


MOMENTS = st.integers(0, 10 * 365 * 1440).map(lambda minutes: (datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)).isoformat())
LISTS = st.sampled_from([NOON, HOURS])


@given(MOMENTS, LISTS, st.booleans(), st.sampled_from(["XX", ""]))
def test_it_runs_later_on_a_working_day_and_never_before_an_earlier_one(moment: str, law: dict[str, Any], trusted: bool, country: str) -> None:
    runs = datetime.fromisoformat(transfer_runs(moment, trusted, country, **law, **XMAS))
    given_on = datetime.fromisoformat(transfer_runs(moment, True, country, time_zone="Europe/Brussels", untrusted_rule="noon"))
    assert runs >= given_on and runs.weekday() < 5
    assert country != "XX" or runs.date() not in XMAS["public_holidays"]["XX"]
    assert runs <= datetime.fromisoformat(transfer_runs(moment, False, country, **law, **XMAS))
    later = (datetime.fromisoformat(moment) + timedelta(hours=1)).isoformat()
    assert runs <= datetime.fromisoformat(transfer_runs(later, trusted, country, **law, **XMAS))


@given(MOMENTS, st.sampled_from([FIXED, SAME]))
def test_four_working_days_are_more_than_three_days_and_less_than_eight(moment: str, law: dict[str, Any]) -> None:
    counts = datetime.fromisoformat(trusted_from(moment, **law, **FOUR))
    passed = counts - datetime.fromisoformat(moment)
    assert timedelta(days=3) < passed < timedelta(days=8) and counts.weekday() < 5
