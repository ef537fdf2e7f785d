"""Checks of the log and replays: begun here, carried out beside the requests, their results shown. They read and change nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
from fastapi.responses import Response

from tonne.interfaces.views import log_view
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.guard import AUDIT, pages
from tonne.interfaces.web.pages import admin_common as own
from tonne.interfaces.web.pages import audit_jobs as jobs
from tonne.interfaces.web.pages.audit import tabs
from tonne.interfaces.web.pages.common import day_asked
from tonne.interfaces.web.problems import Problem, not_found
from tonne.interfaces.web.render import moment as written

router = pages()


@router.get("/{system}/audit/verify", allow=AUDIT)
def verify_page(ask: Asked, system: str) -> Response:
    """What can be checked, and what was."""
    ask.record("view", "checks of the log", "shown")
    return _verify(ask, _verify_form(ask))


def _verify_form(ask: Ask) -> Form:
    last = ask.market.desk.log.head().sequence
    fields = [
        Field(
            "how",
            ask._("Check"),
            "choice",
            value="chain",
            choices=[
                ("chain", ask._("the chain of hashes: every entry is what it was, and none is missing")),
                ("law", ask._("the chain, and every decision again by the law: slower, it decides all anew")),
                ("trail", ask._("the trail of who has looked and acted, of all markets of this server")),
            ],
        ),
        Field("first", ask._("From entry"), "number", value="1", most=10**15),
        Field(
            "last",
            ask._("To entry"),
            "number",
            value=str(max(last, 1)),
            most=10**15,
            hint=ask._("Decisions are always checked from the first entry to the last."),
        ),
    ]
    return Form(ask, fields, action=ask.here("/audit/verify"), verb=ask._("Verify the log"))


def _verify(ask: Ask, form: Form, status: int = 200) -> Response:
    return ask.page(
        "audit_verify.html",
        status,
        form=form,
        audit_tabs=tabs(ask),
        done=jobs.board(ask.market).of("chain", "law", "trail"),
        entries=ask.market.desk.log.head().sequence,
    )


@router.post("/{system}/audit/verify", allow=AUDIT)
def verify(ask: Asked, system: str) -> Response:
    """Begin a check; its page shows how far it is. It reads the log and changes nothing."""
    form = _verify_form(ask)
    if form.check() and form.values["first"] > form.values["last"]:
        form.fault("last", ask._("The last entry is not before the first."))
    if form.errors:
        return _verify(ask, form, 422)
    log, head = ask.market.desk.log, ask.market.desk.log.head()
    last = min(form.values["last"], head.sequence)
    if form.values["how"] == "law":
        job = jobs.board(ask.market).begin("law", f"1-{head.sequence}", ask.visitor.name, lambda one: jobs.verify_law(one, log, ask.market.rulebook))
    elif form.values["how"] == "trail":
        job = jobs.board(ask.market).begin(
            "trail", ask.place.real_now().isoformat(timespec="seconds"), ask.visitor.name, lambda one: jobs.verify_trail(one, ask.place.people)
        )
    else:
        job = jobs.board(ask.market).begin(
            "chain", f"{form.values['first']}-{last}", ask.visitor.name, lambda one: jobs.verify_chain(one, log, form.values["first"], last)
        )
    ask.record("verify", f"{form.values['how']} {job.about}", "begun")
    return ask.see(f"/{system}/audit/jobs/{job.number}")


@router.get("/{system}/audit/jobs/{number}", allow=AUDIT)
def job(ask: Asked, system: str, number: str) -> Response:
    """How far a check or a replay is; then what it found."""
    found = jobs.board(ask.market).find(number)
    if found is None:
        raise not_found(number)
    ask.record("view", f"{found.kind} {found.about}", "shown")
    page = ask.page(
        "audit_job.html",
        job=found,
        audit_tabs=tabs(ask, "/replay" if found.kind == "replay" else "/verify"),
        began=written(found.began),
        summary=_summary(ask, found),
    )
    if not found.over:
        page.headers["refresh"] = "2"  # the browser asks again by itself, without a script
    return page


def _summary(ask: Ask, found: jobs.Job) -> dict[str, Any]:
    """What a replay showed, as the page draws it."""
    result = found.result
    if not isinstance(result, log_view.DaySummary):
        return {}
    units = pl.DataFrame(list(result.holdings), infer_schema_length=None) if result.holdings else pl.DataFrame()
    return {
        "result": result,
        "holdings": units.to_dicts(),
        "notices": [
            (own.events_of(ask, [notice])[0], own.figures_of(ask, [notice])) for notice in ({"event": "published", **one} for one in result.notices)
        ],
    }


# -- replay


@router.get("/{system}/audit/replay", allow=AUDIT)
def replay_page(ask: Asked, system: str) -> Response:
    """The market as it stood on a day. A replay that was made is shown at once, as long as the log up to that day is the same."""
    day = day_asked(ask, "day", None)
    ask.record("view", f"replay {day or ''}".strip(), "shown")
    board = jobs.board(ask.market)
    if day is not None:
        _require_replayable(ask, day)
        kept = board.latest("replay", _about(ask, day))
        if kept is not None:
            return ask.see(f"/{system}/audit/jobs/{kept.number}")
    return ask.page("audit_replay.html", form=_replay_form(ask, day), day=day, audit_tabs=tabs(ask), done=board.of("replay"))


def _replay_form(ask: Ask, day: date | None) -> Form:
    fields = [Field("day", ask._("At the end of"), "date", value=(day or ask.market.today).isoformat())]
    return Form(ask, fields, action=ask.here("/audit/replay"), verb=ask._("Replay"))


def _require_replayable(ask: Ask, day: date) -> None:
    """Raises Problem 400."""
    if day > ask.market.today or day.year < 1990:
        raise Problem(400, "malformed", ask.say("The log reaches to %(day)s; choose a day until then.", day=ask.market.today))


def _about(ask: Ask, day: date) -> str:
    """The day, and of a day that can still get entries how far the log was."""
    return day.isoformat() if day < ask.market.desk.administration.state.today else f"{day.isoformat()} at entry {ask.market.sequence}"


@router.post("/{system}/audit/replay", allow=AUDIT)
def replay(ask: Asked, system: str) -> Response:
    """Begin a replay. It reads the log and changes nothing."""
    form = _replay_form(ask, None)
    if not form.check():
        return ask.page("audit_replay.html", 422, form=form, day=None, audit_tabs=tabs(ask), done=jobs.board(ask.market).of("replay"))
    day = form.values["day"]
    _require_replayable(ask, day)
    log, about = ask.market.desk.log, _about(ask, day)
    job_ = jobs.board(ask.market).begin("replay", about, ask.visitor.name, lambda one: jobs.replay(one, log, ask.market.rulebook, day))
    ask.record("replay", about, "begun")
    return ask.see(f"/{system}/audit/jobs/{job_.number}")
