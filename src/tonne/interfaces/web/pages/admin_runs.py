"""The tasks of the law's calendar: what each will do before it is done, who carries it out, and what it did.

Nothing is done by looking. What is confirmed is what was shown: the code is bound to a hash of everything that would be decided, and where the market
has moved meanwhile it is shown again and nothing is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import polars as pl
from fastapi.responses import Response

from tonne.administration.agenda import TASKS
from tonne.administration.commands import Command
from tonne.administration.events import Entry
from tonne.administration.refusals import Refusal
from tonne.interfaces.views import agenda_view, runs
from tonne.interfaces.views.explain import Formula
from tonne.interfaces.web import keeping, law_words
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Form
from tonne.interfaces.web.guard import ADMIN, AUDIT, pages
from tonne.interfaces.web.pages import admin_common as own
from tonne.interfaces.web.pages.admin_rows import compared, price_asked, rows_table, sector_chart
from tonne.interfaces.web.pages.common import cache_of
from tonne.interfaces.web.place import Hall
from tonne.interfaces.web.problems import Problem, not_found, status_of
from tonne.interfaces.web.tables import Column, Filter
from tonne.interfaces.web.words import N_
from tonne.people import PeopleRefused

router = pages()
STATES: dict[str, str] = {"done": N_("done"), "due": N_("due"), "coming": N_("coming")}
ATTEMPTS_MOST = 20


@dataclass(frozen=True)
class Seen:
    """A task as a page shows it. state: done, due, coming; refused: why it could not be done now, `` if it could."""

    task: str
    year: int
    due: date | None
    state: str
    done_on: date | None
    outcome: runs.Outcome | None
    rules: tuple[Formula, ...]
    refused: str
    reason: str
    entry: Entry | None
    command: Command | None
    takes_price: bool

    @property
    def what(self) -> str:
        return f"run:{self.task}:{self.year}"


# -- all of them


@router.get("/{system}/admin/runs", allow=AUDIT)
def all_runs(ask: Asked, system: str) -> Response:
    """Every task of the calendar from two years back to two years ahead."""
    market = ask.market
    today = market.today
    with market.read() as state:
        listed = agenda_view.calendar(state, today, first=today - timedelta(days=731), cache=cache_of(market))
    rows = [
        {
            "day": one.day,
            "task": one.task,
            "what": law_words.said(law_words.TASKS, one.task, ask._),
            "year": one.year,
            "state": one.state,
            "left": one.days_left,
        }
        for one in listed
        if one.task != "auction_held"
    ]
    schema = {"day": pl.Date, "task": pl.String, "what": pl.String, "year": pl.Int64, "state": pl.String, "left": pl.Int64}
    frame = pl.DataFrame(rows, schema=schema).sort(
        pl.col("state").replace_strict({"due": 0, "coming": 1, "done": 2}, default=3), "day", maintain_order=True
    )
    alone = ask._("by itself on its day")
    columns = [
        Column("what", ask._("What the law does"), href=lambda row: ask.here(f"/admin/runs/{row['task']}/{row['year']}")),
        Column("year", ask._("For emissions of"), "text"),
        Column("day", ask._("Day"), "day"),
        Column("left", ask._("Days left"), "number", show=lambda value, row: value if row["state"] == "coming" else None),
        Column("state", ask._("State"), show=lambda value, row: _badge(ask, value)),
        Column(
            "task",
            ask._("Who does it"),
            show=lambda value, row: alone if value in keeping.BY_THEMSELVES else ask._("the administrator, after looking"),
        ),
    ]
    filters = [
        Filter("state", ask._("State"), "choice", [(name, ask._(text)) for name, text in STATES.items()]),
        Filter("year", ask._("For emissions of"), "choice", [(str(year), str(year)) for year in frame["year"].unique().sort().to_list()]),
        Filter(
            "task",
            ask._("Task"),
            "choice",
            [(name, law_words.said(law_words.TASKS, name, ask._)) for name in TASKS if name in set(frame["task"].to_list())],
        ),
    ]
    ask.record("view", "runs of the law", "shown")
    table = ask.table("runs", ask._("The law's calendar"), frame, columns, filters=filters, empty=ask._("The calendar has no task in these years."))
    return ask.page(
        "admin_list.html",
        table=table,
        admin_tabs=own.tabs(ask),
        heading=ask._("Runs"),
        lead=ask._("What the law does on its days. Look at each before it is done."),
        ways=[],
    )


def _badge(ask: Ask, state: str) -> Any:
    tone, picture = {"done": ("success", "circle-check"), "due": ("warning", "clock")}.get(state, ("neutral", "calendar"))
    return law_words.badge(ask._(STATES[state]), tone, picture)


# -- one of them


def seen(ask: Ask, task: str, year: str) -> Seen:
    """A task and what it does, by the market of this moment. Raises Problem 404."""
    if task not in TASKS or not (year.isascii() and year.isdigit() and len(year) == 4):
        raise not_found(f"{task} {year}")
    market, number = ask.market, int(year)
    price, takes = price_asked(ask), False
    entry = entry_of(market, task, number)
    with market.desk.reading() as administration:
        state, cache = administration.state, cache_of(market)
        due, done = runs.task_day(state, task, number), state.done.get(f"{task}:{number}")
        if due is None and done is None:
            raise not_found(f"{task} {year}")
        if done is not None:
            day = date.fromisoformat(done)
            outcome = runs.outcome_of(state, task, number, entry, cache) if entry is not None else None
            rules = runs.rules_of(state, task, number, day, outcome.events if outcome is not None else ())
            return Seen(task, number, due, "done", day, outcome, rules, "", "", entry, None, False)
        assert due is not None
        day = max(due, market.today)
        takes = task == "penalise" and runs.takes_price(state, day)
        command = runs.command_of(state, task, number, day, price)
        refused = reason = ""
        outcome = None
        try:
            outcome = runs.outcome(state, task, number, administration.preview(command), cache)
        except Refusal as refusal:
            refused, reason = refusal.name, refusal.reason
        rules = runs.rules_of(state, task, number, day, outcome.events if outcome is not None else ())
    kind = "due" if due <= market.today else "coming"
    return Seen(task, number, due, kind, None, outcome, rules, refused, reason, None, command, takes)


def ids_of(task: str, year: int) -> list[str]:
    """The ids under which a task may have been sent: the law's own, and those of later attempts, because an id that was refused is used up."""
    return [f"{task}:{year}", *(f"{task}:{year}:attempt-{number}" for number in range(2, ATTEMPTS_MOST + 1))]


def entry_of(market: Hall, task: str, year: int) -> Entry | None:
    """The entry by which a task was done; None where it was not, or under another id."""
    for name in ids_of(task, year):
        outcome = market.desk.administration.outcome_of(name)
        if outcome == "accepted":
            return market.entry(name)
        if outcome is None:
            return None
    return None


@router.get("/{system}/admin/runs/{task}/{year}", allow=AUDIT)
def one_run(ask: Asked, system: str, task: str, year: str) -> Response:
    """What a task will do, or did."""
    found = seen(ask, task, year)
    ask.record("view", f"run {task} {year}", "shown")
    return shown(ask, found)


def shown(ask: Ask, found: Seen, status: int = 200, form: Form | None = None, changed: str = "") -> Response:
    task, outcome = found.task, found.outcome
    table = rows_table(ask, outcome, done=found.state == "done") if outcome is not None else None
    two = own.two_persons(ask)
    prepared = own.preparations(ask, found.what) if found.state == "due" else []
    current = [one for one in prepared if outcome is not None and one.print == outcome.print]
    theirs = own.others(ask, current)
    ready = found.state == "due" and outcome is not None
    step = ""
    if ready and two:
        step = "run" if theirs and own.may(ask, "approve") else "prepare" if own.may(ask, "initiate") and not _is_mine(ask, current) else ""
    elif ready and own.may(ask, "approve"):
        step = "run"
    form = form or Form(ask, [own.code_field(ask)])
    form.action = ask.here(f"/admin/runs/{task}/{found.year}/{step or 'run'}")
    form.verb = ask._("Run") if step == "run" else ask._("Prepare")
    return ask.page(
        "admin_run.html",
        status,
        found=found,
        outcome=outcome,
        title=law_words.said(law_words.TASKS, task, ask._),
        admin_tabs=own.tabs(ask),
        figures=own.figures_of(ask, outcome.events) if outcome is not None else [],
        events=own.events_of(ask, outcome.events) if outcome is not None else [],
        nothing=outcome is not None and len(outcome.events) == 1 and not outcome.count,
        moves=outcome.moves.to_dicts() if outcome is not None else [],
        kinds={name: ask._(text) for name, text in own.KINDS.items()},
        rules=own.rules_shown(ask, found.rules),
        table=table if table is not None and (outcome is not None and (outcome.family != runs.ACCOUNTS or outcome.rows.height > 6)) else None,
        chart=sector_chart(ask, outcome) if outcome is not None and outcome.family == runs.UNITS and outcome.rows.height else None,
        compared=compared(outcome) if outcome is not None else None,
        form=form,
        step=step,
        fields=[("print", outcome.print if outcome is not None else ""), ("price", str(price_asked(ask) or ""))],
        changed=changed,
        prepared=prepared,
        theirs=theirs,
        mine=_is_mine(ask, current),
        two=two,
        alone=task in keeping.BY_THEMSELVES,
        code_hint=own.code_hint(ask),
        price=price_asked(ask),
        sequence=found.entry.sequence if found.entry is not None else None,
    )


def _is_mine(ask: Ask, found: list[own.Preparation]) -> bool:
    return any(one.person == ask.visitor.person for one in found)


# -- prepare, run


def _checked(ask: Ask, task: str, year: str) -> tuple[Seen, Response | None]:
    """The task as it is now; a page instead where it cannot be done, or would no longer do what was shown."""
    found = seen(ask, task, year)
    if found.state != "due" or found.outcome is None:
        return found, shown(ask, found, 409)
    if found.outcome.print != str(ask.form.get("print", "")):
        ask.record("run", f"{task} {year}: the market has moved, shown again", "refused")
        return found, shown(
            ask, found, 409, changed=ask._("The market has moved since this was shown. Nothing was done; below is what it would do now.")
        )
    return found, None


def _confirmed(ask: Ask, found: Seen, verb: str) -> Response | None:
    """The code, bound to the task and to everything that it would do; the page again where it is wrong."""
    assert found.outcome is not None
    form = Form(ask, [own.code_field(ask)])
    if form.check():
        try:
            ask.confirm(verb, ask.market.system, found.task, found.year, found.outcome.print)
            return None
        except PeopleRefused as refused:
            if refused.name not in ("wrong_code", "code_used"):
                raise
            form.fault("code", refused.text)
    return shown(ask, found, 422, form)


@router.post("/{system}/admin/runs/{task}/{year}/prepare", allow=ADMIN.with_right("initiate"))
def prepare(ask: Asked, system: str, task: str, year: str) -> Response:
    """The first of two persons: this is what should be done."""
    found, answer = _checked(ask, task, year)
    answer = answer or _confirmed(ask, found, "prepare")
    if answer is not None:
        return answer
    assert found.outcome is not None
    own.prepare(ask, found.what, found.outcome.print, {"price": str(price_asked(ask) or "")})
    return ask.see(f"/{system}/admin/runs/{task}/{year}", price=str(price_asked(ask) or ""))


@router.post("/{system}/admin/runs/{task}/{year}/run", allow=ADMIN.with_right("approve"))
def run(ask: Asked, system: str, task: str, year: str) -> Response:
    """Carry it out: in a market of two persons only what another one has prepared."""
    if entry_of(ask.market, task, int(year) if year.isdigit() else 0) is not None:
        return ask.see(f"/{system}/admin/runs/{task}/{year}")
    found, answer = _checked(ask, task, year)
    if answer is not None:
        return answer
    assert found.outcome is not None and found.command is not None
    body: dict[str, Any] = {"person": ask.visitor.person, "moment": ask.market.now().isoformat()}
    prepared = [one for one in own.preparations(ask, found.what) if one.print == found.outcome.print]
    if own.two_persons(ask):
        theirs = own.others(ask, prepared)
        if not theirs:
            raise Problem(
                403, "own_proposal" if prepared else "needs_second_person", ask._("One administrator prepares a run, another one carries it out.")
            )
        body["prepared_by"] = theirs[0].person
    answer = _confirmed(ask, found, "run")
    if answer is not None:
        return answer
    receipt = carried_out(ask, found, body)
    own.drop(ask, found.what, [one.person for one in prepared])
    return ask.see(f"/{system}/admin/runs/{task}/{year}", entry=receipt)


def carried_out(ask: Ask, found: Seen, body: Mapping[str, Any]) -> int:
    """The law's command, sent under the first id that is not used up; the number of its entry. Raises Problem."""
    assert found.command is not None
    market = ask.market
    name = next((name for name in ids_of(found.task, found.year) if market.desk.administration.outcome_of(name) is None), None)
    if name is None:
        raise Problem(409, "already_done", ask._("It was refused too many times; look at the log."))
    command = replace(found.command, id=name, day=market.today, body={**found.command.body, **body})
    receipt = market.send(command)
    ask.place.counted(command.kind, receipt.outcome)
    ask.record("run", command.id, receipt.outcome)
    if not receipt.accepted:
        raise Problem(status_of(receipt.outcome), receipt.outcome, receipt.reason, receipt=receipt)
    return receipt.sequence
