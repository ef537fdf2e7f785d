"""What the law does and when: the calendar of its tasks, what waits for the administrator, and the same as an iCalendar file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from tonne.administration import agenda
from tonne.administration.asks import offers
from tonne.administration.refusals import Refusal
from tonne.administration.stabilise import first_year
from tonne.administration.state import State
from tonne.dates import DateError, from_day_number
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.explain import Piece, piece
from tonne.interfaces.views.working_days import working_days
from tonne.registers.reports import WITH_FIGURE

#: Tasks by which somebody else than the law must have done something.
DEADLINES = frozenset({"report", "verify", "interim_surrender", "surrender"})


@dataclass(frozen=True)
class Task:
    """A task of the calendar (or the day of an auction: task auction_held, name its name). state: done, due (its day has come and it is not done),
    coming. days_left: below zero when the day has passed. deadline: participants must have acted by the end of that day."""

    task: str
    year: int
    day: date
    name: str
    state: str
    done_on: date | None
    days_left: int
    working_days_left: int
    deadline: bool


@dataclass(frozen=True)
class Waiting:
    """Something the administrator (or who acts for it) has to do. what: task, auction, agreements, reports, verify, call. count: how many; since: the
    day from which it could be done; name: of the task or auction."""

    what: str
    name: str
    year: int | None
    count: int
    since: date


def calendar(
    state: State,
    today: date,
    *,
    first: date | None = None,
    last: date | None = None,
    holidays: str | None = None,
    cache: Cache | None = None,
) -> tuple[Task, ...]:
    """Everything on the calendar from a day to a day (left out: two years back to two years ahead), in order; auctions that are announced with it."""
    first, last = first or today - timedelta(days=731), last or today + timedelta(days=731)
    depends = (len(state.amendments), len(state.notices) > 0)
    listed = (cache or Cache()).get(("tasks", last.year), depends, lambda: _tasks(state, last))
    found = []
    for task in listed:
        done = state.done.get(f"{task.name}:{task.year}")
        day = date.fromisoformat(done) if done is not None else task.day
        if first <= day <= last:
            found.append(_task(task.name, task.year, day, "", None if done is None else day, today, holidays))
    for name, sale in state.exchange.sales.items():
        day = date.fromisoformat(sale["held_on"])
        if first <= day <= last:
            found.append(_task("auction_held", day.year, day, name, None, today, holidays))
    return tuple(sorted(found, key=lambda one: (one.day, one.task, one.year, one.name)))


def _tasks(state: State, last: date) -> list[agenda.Task]:
    try:
        begins = first_year(state)
        return agenda.tasks(state, begins, max(last.year, begins))
    except (Refusal, DateError):
        return []


def _task(name: str, year: int, day: date, auction: str, done: date | None, today: date, holidays: str | None) -> Task:
    kind = "done" if done is not None else "due" if day <= today else "coming"
    return Task(name, year, day, auction, kind, done, (day - today).days, working_days(today, day, holidays), name in DEADLINES)


def next_deadlines(state: State, today: date, *, most: int = 5, holidays: str | None = None, cache: Cache | None = None) -> tuple[Task, ...]:
    """The next days by which participants must have acted, soonest first; one of today is the first."""
    ahead = calendar(state, today, first=today, holidays=holidays, cache=cache)
    return tuple(task for task in ahead if task.deadline and task.state != "done")[:most]


def rule(state: State, today: date) -> Piece | None:
    """Where the law says all this: the calendar's own parameter on a day, with its source; None where it has none."""
    law = state.law(max(today, state.rulebook.system.begins))
    return piece(law, "calendar.agenda") if law.has("calendar.agenda") else None


def waiting(state: State, today: date, *, cache: Cache | None = None) -> tuple[Waiting, ...]:
    """What could be done and is not, longest waiting first."""
    cache = cache or Cache()
    found = [
        Waiting("task", task.task, task.year, 1, task.day)
        for task in calendar(state, today, first=date(state.rulebook.system.begins.year, 1, 1), last=today, cache=cache)
        if task.state == "due" and task.task != "auction_held"
    ]
    for name, sale in state.exchange.sales.items():
        day = date.fromisoformat(sale["held_on"])
        if day <= today:
            found.append(Waiting("auction", name, day.year, 1, day))
    rows = state.exchange.due
    due = rows[rows["due"] <= (today - date(1970, 1, 1)).days]
    if len(due):
        found.append(Waiting("agreements", "", None, len(due), from_day_number(int(due["due"].min()))))
    called = int((state.exchange.called > 0).sum())
    if called:
        found.append(Waiting("call", "", None, called, from_day_number(int(state.exchange.day))))
    found += _unreported(state, today, cache)
    return tuple(sorted(found, key=lambda one: (one.since, one.what, one.name, one.year or 0)))


def _unreported(state: State, today: date, cache: Cache) -> list[Waiting]:
    """Years whose verification day has passed with installations that have no figure: the authority may estimate them, until the year is judged."""
    from tonne.interfaces.views.reports import counts

    found = []
    for task in calendar(state, today, last=today, cache=cache):
        if task.task != "verify" or f"surrender:{task.year}" in state.done or not offers(state.law(), "obligation"):
            continue
        states = counts(state, task.year, today, cache=cache)
        missing = sum(count for name, count in states.items() if name not in (*WITH_FIGURE, "excluded", "late"))
        if missing:
            found.append(Waiting("reports", "", task.year, missing, task.day))
    return found


def icalendar(listed: Iterable[Task], system: str, stamp: datetime, *, word: Callable[[Task], str] | None = None, name: str = "") -> str:
    """The tasks as a calendar file (RFC 5545): days without a clock, lines folded at 75 octets, ended by CRLF. stamp: when it was made (with a zone);
    word: the summary of a task, left out: its code and year."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tonne//calendar//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH"]
    lines += [f"X-WR-CALNAME:{_escaped(name)}"] if name else []
    made = stamp.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    for task in listed:
        what = word(task) if word is not None else f"{task.task.replace('_', ' ')} {task.name or task.year}"
        lines += [
            "BEGIN:VEVENT",
            f"UID:{_escaped(f'{task.task}-{task.year}-{task.name}'.rstrip('-'))}@{system}.tonne",
            f"DTSTAMP:{made}",
            f"DTSTART;VALUE=DATE:{task.day:%Y%m%d}",
            f"DTEND;VALUE=DATE:{task.day + timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{_escaped(what)}",
            "STATUS:CONFIRMED",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _escaped(text: str) -> str:
    """TEXT as RFC 5545, 3.3.11 writes it."""
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\r\n", "\\n").replace("\n", "\\n")


def _folded(line: str) -> str:
    """At most 75 octets a line, the rest on lines that begin with a blank; no character is cut in two."""
    parts: list[str] = []
    part, size = "", 0
    for letter in line:
        octets = len(letter.encode())
        if size + octets > (75 if not parts else 74):
            parts.append(part)
            part, size = "", 0
        part, size = part + letter, size + octets
    return "\r\n ".join([*parts, part])
