"""Moments of people's commands, on the registry's clock; and what the law answers about them: when a transfer runs, until when it can be taken back,
from when an account is trusted, how long a proposal waits.

A command says its moment in its body, because the log has no clock: `moment`, ISO text with an offset. It belongs to the command's day.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from tonne.administration.asks import answer, offers
from tonne.administration.commands import Command
from tonne.administration.decision import text
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.dates import zone
from tonne.law import Law, NotYetInForce

#: Days that a proposal waits where no law says how long: the platform's own choice.
APPROVAL_DAYS = 2
#: Hours in which a second administrator confirms what one has frozen: the platform's own choice.
FREEZE_HOURS = 24


def clock_of(state: State, day: date | None = None) -> Any:
    """The zone of the registry's clock: `registry.time_zone` where the law has one in force, else the system's."""
    law = state.law(day)
    try:
        name = law.value("registry.time_zone") if "registry.time_zone" in law.rulebook.parameters else None
    except NotYetInForce:
        name = None
    return zone(name or state.rulebook.system.time_zone)


def moment_of(state: State, command: Command, name: str = "moment") -> datetime:
    """The moment that a command names, on the registry's clock. Raises Refusal `malformed`: no moment, none with an offset, or none of the command's
    day (a day off by one passes: the sender's calendar may be that of another zone)."""
    found = read_moment(state, text(command, name), command.day)
    if abs(found.date() - command.day) > timedelta(days=1):
        raise Refusal("malformed", f"{name} {found.isoformat()} is not of the command's day, {command.day}")
    return found


def read_moment(state: State, word: str, day: date | None = None) -> datetime:
    """ISO text with an offset, as a moment on the registry's clock. Raises Refusal `malformed`."""
    try:
        found = datetime.fromisoformat(word)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Refusal("malformed", f"{word!r} is no moment with an offset; write it as 2026-11-25T11:59:00+01:00")
    return found.astimezone(clock_of(state, day))


def registry_day(state: State, moment: datetime) -> date:
    """The day of a moment on the registry's clock: what a command's `day` is. A moment without a zone is refused by ValueError."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone has no day at the registry")
    return moment.astimezone(clock_of(state)).date()


def when(word: str) -> datetime:
    """A stored moment as one that can be compared."""
    return datetime.fromisoformat(word)


def runs_at(state: State, moment: datetime, trusted: bool, country: str) -> datetime:
    """When a transfer runs that is approved at a moment; the moment itself where the law delays nothing."""
    found = _asked(state.law(moment.date()), "transfer_runs", moment=moment.isoformat(), trusted=trusted, country=country)
    return moment if found is None else when(found)


def cancellable_until(state: State, runs: datetime, day: date) -> datetime:
    """Until when a transfer can be taken back: where the law is silent, until it runs."""
    found = _asked(state.law(day), "transfer_cancellable_until", runs=runs.isoformat())
    return runs if found is None else when(found)


def trusted_from(state: State, moment: datetime, kind: str, country: str) -> datetime:
    """From when an account counts as trusted; at once where the law is silent."""
    found = _asked(state.law(moment.date()), "trusted_from", moment=moment.isoformat(), account=kind, country=country)
    return moment if found is None else when(found)


def expires_at(state: State, moment: datetime) -> datetime:
    """When a proposal made at a moment can no longer be approved: as the law says, otherwise after APPROVAL_DAYS."""
    found = _asked(state.law(moment.date()), "approval_expires", moment=moment.isoformat())
    return moment + timedelta(days=APPROVAL_DAYS) if found is None else when(found)


def _asked(law: Law, ask: str, **given: Any) -> Any:
    """What the law answers; None where it has no such rule, or none that is in force yet."""
    if not offers(law, ask):
        return None
    try:
        return answer(law, ask, (), given)
    except NotYetInForce:
        return None


def country_of(state: State, account: int) -> str:
    """The country of an account's holder, as registered; `` where it is not known."""
    holder = state.accounts.holders[account]
    return (state.participants[holder].country or "") if holder in state.participants else ""
