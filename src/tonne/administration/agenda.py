"""What the law does by itself, and when: tasks from the calendar topic, put on days."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from tonne.administration.commands import Command
from tonne.administration.decision import year_of
from tonne.administration.permissions import LAW
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.dates import agenda_day

#: task of the calendar -> verb of the command that carries it out. The order is that of tasks which fall on one day.
TASKS: dict[str, str] = {
    "invalidate": "invalidate",
    "issue": "issue",
    "report": "report_deadline",
    "verify": "verify_deadline",
    "pre_allocate": "pre_allocate",
    "allocate": "allocate",
    "final_allocate": "final_allocate",
    "award": "award",
    "interim_surrender": "interim_surrender",
    "surrender": "surrender_deadline",
    "penalise": "penalise",
    "publish_circulation": "publish_circulation",
    "stabilise": "stabilise",
    "carry_over": "carry_over",
    "auction": "auction",
}
_ORDER = {task: position for position, task in enumerate(TASKS)}
_TASK_OF = {verb: task for task, verb in TASKS.items()}
#: A stability mechanism looks back: its decisions on the two years before the books began still fall into the books' years.
LOOKING_BACK = {"publish_circulation": 2, "stabilise": 2, "invalidate": 0}


_TASK_ID = re.compile(rf"({'|'.join(TASKS)}):\d+")


def is_task_id(command_id: str) -> bool:
    """Whether an id is one of those that the calendar gives its commands: nobody else may use them up."""
    return _TASK_ID.fullmatch(command_id) is not None


class Task(NamedTuple):
    day: date
    order: int
    name: str
    year: int

    def command(self) -> Command:
        return Command(f"{self.name}:{self.year}", TASKS[self.name], LAW, self.day, {"year": self.year})


def tasks(state: State, first_year: int, last_year: int) -> list[Task]:
    """All tasks of the emissions years first to last, in the order of their days. Raises DateError for a calendar rule that is no day."""
    return sorted(task for year in range(first_year - 2, last_year + 1) for task in _of_year(state, year, first_year))


def _of_year(state: State, year: int, first_year: int) -> Iterator[Task]:
    for name in TASKS:
        due = day_of(state, name, year)
        if due is None:
            continue
        if year >= first_year or (name in LOOKING_BACK and year >= first_year - LOOKING_BACK[name] and due.year >= first_year - 1):
            yield Task(due, _ORDER[name], name, year)


def day_of(state: State, task: str, year: int) -> date | None:
    """The day of a task for an emissions year: the calendar in force on that very day says so. None where the calendar has no such task.

    A task that came into the calendar after the year began, or whose day moved, is found by asking the law of the day found so far again.
    """
    begins = state.rulebook.system.begins
    if year < first_compliance_year(state):
        return None
    for start in (date(year, 1, 1), date(year, 12, 31), date(year + 1, 12, 31)):
        day = _by_law_of(state, max(start, begins), task, year)
        for _ in range(5):
            again = _by_law_of(state, max(day, begins), task, year) if day else None
            if again == day:
                break
            day = again
        if day is not None and day >= begins:
            return day
    return None


def first_compliance_year(state: State) -> int:
    """The first emissions year for which anything is due: `calendar.first_year`, where the law begins before its obligations do."""
    parameter = state.rulebook.parameters.get("calendar.first_year")
    known = [v for v in parameter.values if v.status != "proposed" or state.rulebook.includes_proposed] if parameter is not None else []
    return int(known[-1].content or 0) if known else 0


def _by_law_of(state: State, day: date, task: str, year: int) -> date | None:
    law = state.law(day)
    rule = law.value("calendar.agenda").get(task) if law.has("calendar.agenda") else None
    return agenda_day(rule, year) if rule else None


def due(state: State, first_year: int, last_year: int, to_day: date) -> list[Task]:
    """Tasks not done yet whose day has come, in order."""
    return [task for task in tasks(state, first_year, last_year) if task.day <= to_day and f"{task.name}:{task.year}" not in state.done]


def require_due(state: State, command: Command) -> None:
    """The law acts once for each year, on its day or later. Raises Refusal: `already_done`, `not_offered`, `not_due`; other verbs pass."""
    task = _TASK_OF.get(command.kind)
    if task is None:
        return
    year = year_of(command)
    if f"{task}:{year}" in state.done:
        raise Refusal("already_done", f"{task} for {year} was done on {state.done[f'{task}:{year}']}")
    day = day_of(state, task, year)
    if day is None:
        raise Refusal("not_offered", f"the calendar of {state.rulebook.system.id} has no {task} for {year}")
    if command.day < day:
        raise Refusal("not_due", f"{task} for {year} is due on {day}; it is {command.day}")
