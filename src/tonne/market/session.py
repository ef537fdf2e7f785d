"""The day's plan of a contract: which phase begins when, what may be done in it, and how long a volatility call lasts.

Times of day are minutes since local midnight in the contract's own time zone; a day that ends after midnight goes on beyond 1440, one that begins on
the evening before begins below 0. Whoever knows the time zone turns a moment into such minutes: no clock is read here. The plan says when; the book
(`Verb.PHASE`) does it, and knows no time of day. A ban on cancelling is the plan's, so it is asked here, before an instruction reaches the book.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tonne.market.orders import Phase, Reason, Verb

__all__ = ["SessionError", "SessionPlan", "Stage", "clock", "minutes"]

_CALLS = (Phase.OPENING_CALL, Phase.VOLATILITY_CALL, Phase.CLOSING_CALL)
_COLLECTING = (Phase.PRE_OPEN, *_CALLS)
_ENTERING = (Verb.NEW, Verb.AMEND)
_LEAVING = (Verb.CANCEL, Verb.MASS_CANCEL)
_FIELDS = ("phase", "from", "cancel_ban")


class SessionError(ValueError):
    """A plan that cannot be: the text says what, where and what to do."""


def minutes(text: str) -> int:
    """ "09:30" -> 570; "24:30" is half past midnight of the next day, "-04:10" ten past eight in the evening before. Raises SessionError."""
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    hours, colon, rest = digits.partition(":")
    if not (colon and hours.isdecimal() and rest.isdecimal() and len(rest) == 2 and int(rest) < 60 and int(hours) <= 48):
        raise SessionError(f"{text!r} is no time of day; write hours and minutes, as 09:30")
    return sign * (60 * int(hours) + int(rest))


def clock(minute: int) -> str:
    """570 -> "09:30": what `minutes` reads."""
    sign, minute = ("-", -minute) if minute < 0 else ("", minute)
    return f"{sign}{minute // 60:02d}:{minute % 60:02d}"


@dataclass(frozen=True, slots=True)
class Stage:
    """A phase from a minute of the day until the next stage begins; in its last `cancel_ban` minutes nothing may be cancelled or amended."""

    begins: int
    phase: Phase
    cancel_ban: int = 0


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """The stages of a day in order. Before the first and after the last the market is CLOSED (the last stage should say so).

    `volatility_minutes` is how long a volatility call lasts; the plan's own stages go on beneath it: one that falls into the call ends it at once,
    and what the plan says then begins.
    """

    stages: tuple[Stage, ...]
    volatility_minutes: int = 5

    def __post_init__(self) -> None:
        if not self.stages:
            raise SessionError("a plan without a stage; give at least when trading begins and when it ends")
        for before, after in zip(self.stages, self.stages[1:], strict=False):
            if after.begins <= before.begins:
                raise SessionError(
                    f"{after.phase.name.lower()} at {clock(after.begins)} does not come after {clock(before.begins)}; put stages in order"
                )
            if before.cancel_ban > after.begins - before.begins:
                raise SessionError(f"{before.phase.name.lower()} bans cancelling for {before.cancel_ban} minutes but is shorter than that")
        if self.stages[-1].phase not in (Phase.CLOSED, Phase.POST_CLOSE):
            raise SessionError(f"the day ends in {self.stages[-1].phase.name.lower()}; end it with a stage of phase closed")
        for stage in self.stages:
            if stage.phase in (Phase.VOLATILITY_CALL, Phase.EXPIRED):
                raise SessionError(f"{stage.phase.name.lower()} is not planned: the book's breaker, or the last trading day, brings it")
            if stage.cancel_ban < 0 or (stage.cancel_ban and stage.phase not in _COLLECTING):
                raise SessionError(f"a ban on cancelling belongs to a stage that collects orders, not to {stage.phase.name.lower()}")
        if self.volatility_minutes < 1:
            raise SessionError(f"a volatility call of {self.volatility_minutes} minutes; it lasts at least one")

    @classmethod
    def of(cls, stages: Sequence[Mapping[str, Any]], volatility_minutes: int = 5) -> SessionPlan:
        """From rows as data: {phase: opening_call, from: "09:00", cancel_ban: 1}. Raises SessionError for an unknown key, phase or time."""
        made = []
        for number, row in enumerate(stages, 1):
            unknown = sorted(set(row) - set(_FIELDS))
            if unknown or "phase" not in row or "from" not in row:
                raise SessionError(f"stage {number}: has {', '.join(map(str, row))}; it takes phase, from, and cancel_ban if there is one")
            name = str(row["phase"]).upper()
            if name not in Phase.__members__:
                raise SessionError(f"stage {number}: no phase {row['phase']!r}; there are {', '.join(phase.name.lower() for phase in Phase)}")
            made.append(Stage(minutes(str(row["from"])), Phase[name], int(row.get("cancel_ban", 0))))
        return cls(tuple(made), volatility_minutes)

    def stage(self, minute: int) -> Stage | None:
        """The stage that runs at a minute; None before the first."""
        found = None
        for stage in self.stages:
            if stage.begins <= minute:
                found = stage
        return found

    def phase(self, minute: int) -> Phase:
        """The phase planned for a minute of the day."""
        stage = self.stage(minute)
        return stage.phase if stage else Phase.CLOSED

    def changes(self, after: int, until: int) -> tuple[Stage, ...]:
        """The stages that begin after one minute and not after another: what to send to the book as time goes on."""
        return tuple(stage for stage in self.stages if after < stage.begins <= until)

    def call_ends(self, began: int) -> tuple[int, Phase]:
        """(minute, phase): when a volatility call that began at a minute ends, and what begins then: trading goes on, or the plan's next stage."""
        end = began + self.volatility_minutes
        for stage in self.changes(began, end):
            return stage.begins, stage.phase
        return end, Phase.CONTINUOUS

    def bans_cancelling(self, minute: int) -> bool:
        """Does this minute lie in the last minutes of a stage that bans cancelling?"""
        stage = self.stage(minute)
        if stage is None or stage.cancel_ban == 0 or stage is self.stages[-1]:
            return False
        return minute >= self.stages[self.stages.index(stage) + 1].begins - stage.cancel_ban

    def refusal(self, verb: Verb, minute: int, phase: Phase | None = None) -> Reason:
        """Why an instruction may not be sent now: OUTSIDE_SESSION, or NONE. `phase` is the book's own, where it is another than planned (a halt)."""
        now = self.phase(minute) if phase is None else phase
        banned = now != Phase.VOLATILITY_CALL and self.bans_cancelling(minute)
        if verb in _ENTERING and now not in (*_COLLECTING, Phase.CONTINUOUS):
            return Reason.OUTSIDE_SESSION
        if verb == Verb.TAKE and now != Phase.CONTINUOUS:
            return Reason.OUTSIDE_SESSION
        if banned and (verb in _LEAVING or verb == Verb.AMEND):
            return Reason.OUTSIDE_SESSION
        return Reason.NONE
