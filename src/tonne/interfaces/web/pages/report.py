"""One emission report: last year's figure beside it, where it stands, what was found; the operator's form with its draft."""

from __future__ import annotations

from typing import Any

import polars as pl
from fastapi.responses import Response

from tonne.interfaces.views import reports as views
from tonne.interfaces.web import law_words
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.guard import OPERATOR, REPORTER, pages
from tonne.interfaces.web.pages import report_files
from tonne.interfaces.web.pages.owing import TO_FILE
from tonne.interfaces.web.pages.standing import installations_of, own_installation, year_asked
from tonne.interfaces.web.problems import Problem, not_found, title
from tonne.interfaces.web.render import day as written_day
from tonne.interfaces.web.render import moment as written
from tonne.interfaces.web.render import percent, quantity
from tonne.interfaces.web.words import N_
from tonne.registers.reports import WITH_FIGURE

router = pages()
#: state of the register -> (word, tone and picture as parts/state.html has them under the code)
STATES: dict[str, str] = {
    "no_entry": N_("not filed"),
    "not_reported": N_("missing"),
    "reported": N_("with the verifier"),
    "rejected": N_("returned with findings"),
    "verified": N_("verified"),
    "estimated": N_("estimated by the administrator"),
    "corrected": N_("corrected"),
    "excluded": N_("excluded"),
}
BADGES = {
    "no_entry": "draft",
    "not_reported": "overdue",
    "reported": "with_verifier",
    "rejected": "returned",
    "verified": "verified",
    "estimated": "estimate",
    "corrected": "corrected",
}
OPEN = (*TO_FILE, "reported")
#: column of the register of activity -> what it says
ACTIVITY: dict[str, str] = {
    "sector": N_("Sector"),
    "product": N_("Product"),
    "quantity": N_("Output"),
    "heat_gj": N_("Heat supplied, GJ"),
    "load": N_("Load, share of full output"),
    "rated_mw": N_("Rated output, MW"),
    "leakage_listed": N_("On the list of sectors exposed to carbon leakage"),
    "border_adjusted": N_("Under a carbon border adjustment"),
    "intensity": N_("Emissions for one of output, t CO2"),
    "historical": N_("Emissions of the base period, t CO2e"),
}


@router.get("/{system}/reports/{installation}/{year}", allow=REPORTER)
def report_page(ask: Asked, system: str, installation: str, year: str) -> Response:
    """Figures with last year's beside them, where it stands, what was found, and what the visitor may do."""
    return shown(ask, own_installation(ask, installation, ("verifier",)), year_asked(ask, year))


def shown(ask: Ask, installation: str, year: int, status: int = 200, *, form: Form | None = None, **decision: Any) -> Response:
    """The page of a report. Raises Problem 404 for a year that has none and needs none."""
    market = ask.market
    with market.read() as state:
        one = views.report(state, installation, year, market.today)
        found = [note for note in state.findings.get(installation, ()) if note["year"] == year]
        settled = f"verify:{year}" in state.done
    if year >= market.today.year or (one.state == "no_entry" and one.report_due is None):
        raise not_found(f"{installation} {year}")
    ask.record("view", f"report {installation} {year}", "shown")
    open_ = one.state in OPEN and (one.report_due is None or one.report_due >= market.today)
    may = may_file(ask) and open_ and installation in installations_of(ask)
    if ask.visitor.role == "verifier" and one.state == "reported":
        from tonne.interfaces.web.pages import verifier

        decision = verifier.forms(ask, one) | decision
    return ask.page(
        "report.html",
        status,
        one=one,
        state=BADGES.get(one.state, one.state),
        stages=_stages(ask, one.state, settled, one),
        changed=change(one.change_permille),
        implausible=one.reported is not None and report_files.is_implausible(one.reported, one.last_year),
        found=found,
        returned=found[-1]["reported"] if found and one.state == "reported" else None,
        lines=_lines(one.activity, ask),
        form=(form or _form(ask, one)) if may else None,
        draft=ask.place.people.draft(ask.visitor.person, draft_name(ask, installation, year)) if may else None,
        closed=_why_closed(ask, one, open_) if ask.visitor.role == "operator" else "",
        **{"verify_form": None, "return_form": None, "code_hint": "", **decision},
    )


def change(permille: int | None) -> str | None:
    """A change as people read it: a sign, and a tenth of a percent."""
    if permille is None:
        return None
    return ("+" if permille > 0 else "") + percent(permille / 1_000).replace("-", "\u2212")


def may_file(ask: Ask) -> bool:
    return ask.visitor.role == "operator" and "initiate" in ask.visitor.rights


def _lines(activity: pl.DataFrame, ask: Ask) -> list[tuple[str, dict[str, Any]]]:
    """(its name, row) of each part of the installation whose activity is on record."""
    parts = []
    for row in activity.to_dicts():
        row["sector"] = law_words.sector(row["sector"], ask._)
        parts.append((str(row["unit"]), {ask._(words): row[name] for name, words in ACTIVITY.items() if row[name] not in (None, "")}))
    return parts


def _stages(ask: Ask, state: str, settled: bool, one: views.Report) -> list[tuple[str, str, str]]:
    """draft -> with verifier -> verified -> accepted"""
    at = 0 if state in TO_FILE else 1 if state == "reported" else 3 if settled else 2
    due = [one.report_due, one.verify_due, None, None]
    notes = [ask.say("until %(day)s", day=written_day(when, ask.language)) if when is not None else "" for when in due]
    notes[3] = ask.say("from %(day)s", day=written_day(one.verify_due, ask.language)) if one.verify_due is not None else ""
    if state == "rejected":
        notes[0] = ask._("returned with findings")
    words = [ask._("draft"), ask._("with the verifier"), ask._("verified"), ask._("accepted")]
    done = at if state not in WITH_FIGURE else at + 1
    return [(word, "done" if number < done else "current" if number == at else "next", notes[number]) for number, word in enumerate(words)]


def _why_closed(ask: Ask, one: views.Report, open_: bool) -> str:
    if open_ or one.state in WITH_FIGURE or one.state == "excluded":
        return ""
    return str(
        ask.say("Reports could be filed until %(day)s. Now only the administrator can enter a figure.", day=written_day(one.report_due, ask.language))
    )


def draft_name(ask: Ask, installation: str, year: int) -> str:
    return f"report:{ask.market.system}:{installation}:{year}"[:200]


def _form(ask: Ask, one: views.Report, checks: bool = False) -> Form:
    kept = ask.place.people.draft(ask.visitor.person, draft_name(ask, one.installation, one.year)) if not ask.form else None
    value = str(kept.body.get("emissions", "")) if kept is not None else "" if one.reported is None else str(one.reported)
    hint = (
        ask.say("The year before it was %(last)s.", last=f"{quantity(one.last_year)} t")
        if one.last_year is not None
        else ask._("There is no figure of the year before.")
    )
    fields = [Field("emissions", ask.say("Emissions of %(year)s", year=one.year), "number", unit="t", least=0, most=10**12, hint=hint, value=value)]
    if checks or ask.form.get("checked"):
        fields.append(Field("checked", ask._("I have checked this"), "checkbox", required=False))
    return Form(ask, fields, action=ask.here(f"/reports/{one.installation}/{one.year}"), verb=ask._("Send to verifier"))


@router.post("/{system}/reports/{installation}/{year}", allow=OPERATOR.with_right("initiate"))
def send(ask: Asked, system: str, installation: str, year: str) -> Response:
    """Keep the draft, or send the report to the verifier."""
    name, number = own_installation(ask, installation), year_asked(ask, year)
    if ask.form.get("step") == "draft":
        _keep_draft(ask, name, number)
        return ask.see(f"/{system}/reports/{name}/{number}")
    with ask.market.read() as state:
        one = views.report(state, name, number, ask.market.today)
    form = _form(ask, one)
    if not form.check():
        return shown(ask, name, number, 422, form=form)
    figure = form.values["emissions"]
    if report_files.is_implausible(figure, one.last_year) and not form.values.get("checked"):
        form = _form(ask, one, checks=True)
        said = ask.say(
            "The year before it was %(last)s, this is %(now)s. Mend it, or tick that you have checked it.",
            last=f"{quantity(one.last_year)} t",
            now=f"{quantity(figure)} t",
        )
        form.fault("emissions", said)
        return shown(ask, name, number, 422, form=form)
    rows = pl.DataFrame({"installation": [name], "year": [number], "emissions": [figure]}, schema=report_files.Loaded((), 0, ()).frame.schema)
    try:
        ask.perform("report", {}, {"reports": rows})
    except Problem as problem:
        form.fault("emissions", f"{title(problem.name, ask._)}: {problem.detail}")
        form.key = ""
        return shown(ask, name, number, problem.status, form=form)
    ask.place.people.drop_draft(ask.visitor.person, draft_name(ask, name, number))
    return ask.see(f"/{system}/reports/{name}/{number}")


@router.post("/{system}/reports/{installation}/{year}/draft", allow=OPERATOR.with_right("initiate"))
def draft(ask: Asked, system: str, installation: str, year: str) -> Response:
    """What the page saves while somebody types: a line that says so."""
    _keep_draft(ask, own_installation(ask, installation), year_asked(ask, year))
    return ask.page("report_draft.html", saved=written(ask.place.real_now(), True))


def _keep_draft(ask: Ask, installation: str, year: int) -> None:
    body = {"emissions": str(ask.form.get("emissions", ""))[:40]}
    ask.place.people.save_draft(ask.visitor.person, draft_name(ask, installation, year), body, now=ask.place.real_now())
