"""A verifier's work: what waits, by deadline; a report with its differences; signed, or returned with findings on its lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from fastapi.responses import Response

from tonne.administration.report import FINDING_LENGTH_MAX
from tonne.interfaces.views import reports as views
from tonne.interfaces.web import law_words
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.guard import VERIFIER, pages
from tonne.interfaces.web.pages import report as report_page
from tonne.interfaces.web.pages.common import cache_of
from tonne.interfaces.web.pages.report_files import IMPLAUSIBLE
from tonne.interfaces.web.pages.standing import own_installation, year_asked
from tonne.interfaces.web.problems import Problem, title
from tonne.interfaces.web.render import quantity
from tonne.interfaces.web.tables import Column, Filter, Table
from tonne.people import PeopleRefused

router = pages()
#: What `line` of a finding is called for the figure itself; parts of an installation go by the register's own unit.
FIGURE = "emissions"


def home(ask: Ask) -> Response:
    """What waits, soonest deadline first."""
    return _inbox(ask)


@router.get("/{system}/verify", allow=VERIFIER)
def inbox(ask: Asked, system: str) -> Response:
    """The same, at an address of its own."""
    return _inbox(ask)


def _inbox(ask: Ask) -> Response:
    market = ask.market
    with market.read() as state:
        frame = views.inbox(state, market.today, cache=cache_of(market))
        again = {(name, note["year"]) for name, notes in state.findings.items() for note in notes}
    frame = frame.with_columns(again=pl.Series([(row["installation"], row["year"]) in again for row in frame.to_dicts()], dtype=pl.Boolean))
    frame = frame.with_columns(far=pl.col("change_permille").abs() > IMPLAUSIBLE).sort(
        "due", "far", "installation", descending=[False, True, False], nulls_last=True
    )
    ask.record("view", "reports to verify", "shown")
    first = frame.row(0, named=True) if frame.height else None
    return ask.page("verifier_home.html", table=_table(ask, frame), first=first, waiting=frame.height, far=int(frame["far"].sum() or 0))


def _table(ask: Ask, frame: pl.DataFrame) -> Table:
    columns = [
        Column("name", ask._("Installation"), href=lambda row: ask.here(f"/reports/{row['installation']}/{row['year']}")),
        Column("installation", ask._("Number")),
        Column("operator_name", ask._("Operator")),
        Column("year", ask._("Year"), "text"),
        Column("due", ask._("Verify until"), "day"),
        Column("days_left", ask._("Days left"), "number"),
        Column("reported", ask._("Reported"), "quantity", "t"),
        Column("last_year", ask._("Year before"), "quantity", "t"),
        Column("change_permille", ask._("Difference"), "number", show=lambda value, row: report_page.change(value)),
        Column("far", ask._("To look at"), show=lambda value, row: ", ".join(_marks(ask, row))),
        Column("sector", ask._("Sector"), show=lambda value, row: law_words.sector(value, ask._)),
    ]
    filters = [
        Filter("name", ask._("Name")),
        Filter("far", ask._("Large changes"), "choice", [("true", ask._("more than half"))]),
        Filter("sector", ask._("Sector"), "choice", law_words.sectors(frame["sector"], ask._)),
    ]
    return ask.table("verify", ask._("Reports that wait"), frame, columns, filters=filters, empty=ask._("No report waits for a verifier."))


def _marks(ask: Ask, row: Mapping[str, Any]) -> list[str]:
    found = [ask._("large change")] if row["far"] else []
    found += [ask._("no year before")] if row["last_year"] is None else []
    return found + ([ask._("second version")] if row["again"] else [])


# -- one report


def forms(ask: Ask, one: views.Report) -> dict[str, Any]:
    """What the page of a report shows a verifier besides: the two decisions, each with a second factor."""
    hint = ask.place.demo.code_for(ask.visitor) if ask.place.demo is not None else ""
    if "initiate" not in ask.visitor.rights:
        return {}
    return {"verify_form": _verify_form(ask, one), "return_form": _return_form(ask, one), "code_hint": hint}


def _code(ask: Ask) -> Field:
    return Field("code", ask._("Code of your app"), "code")


def _verify_form(ask: Ask, one: views.Report) -> Form:
    figure = Field("figure", kind="hidden", value=str(one.reported))
    verb = ask.say("Verify %(figure)s t", figure=quantity(one.reported))
    return Form(ask, [figure, _code(ask)], action=ask.here(f"/verify/{one.installation}/{one.year}"), verb=verb)


def _return_form(ask: Ask, one: views.Report) -> Form:
    lines = [(FIGURE, ask._("On the figure"))]
    lines += [
        (str(row["unit"]), ask.say("On part %(unit)s, %(product)s", unit=row["unit"], product=row["product"] or ""))
        for row in one.activity.to_dicts()
    ]
    notes = [Field(f"note-{number}", label, "textarea", required=False, rows=2) for number, (_line, label) in enumerate(lines)]
    figure = Field("figure", kind="hidden", value=str(one.reported))
    return Form(
        ask,
        [figure, *notes, _code(ask)],
        action=ask.here(f"/verify/{one.installation}/{one.year}/return"),
        verb=ask._("Return with findings"),
        danger=True,
    )


def _looked_at(ask: Ask, installation: str, year: str) -> views.Report:
    name, number = own_installation(ask, installation, ("verifier",)), year_asked(ask, year)
    with ask.market.read() as state:
        return views.report(state, name, number, ask.market.today)


@router.get("/{system}/verify/{installation}/{year}", allow=VERIFIER)
@router.get("/{system}/verify/{installation}/{year}/return", allow=VERIFIER)
def page_of(ask: Asked, system: str, installation: str, year: str) -> Response:
    """A decision that was answered with its faults, asked for by its address."""
    return ask.see(f"/{system}/reports/{own_installation(ask, installation, ('verifier',))}/{year_asked(ask, year)}")


@router.post("/{system}/verify/{installation}/{year}", allow=VERIFIER.with_right("initiate"))
def verify(ask: Asked, system: str, installation: str, year: str) -> Response:
    """Signed: this very figure, by a fresh second factor."""
    one = _looked_at(ask, installation, year)
    form = _verify_form(ask, one)
    row = {"installation": one.installation, "year": one.year, "verified": one.reported, "state": "verified"}
    return _decided(ask, one, form, "verify_form", row, [])


@router.post("/{system}/verify/{installation}/{year}/return", allow=VERIFIER.with_right("initiate"))
def give_back(ask: Asked, system: str, installation: str, year: str) -> Response:
    """Back to the operator, with what was found on which line."""
    one = _looked_at(ask, installation, year)
    form = _return_form(ask, one)
    lines = [FIGURE, *(str(row["unit"]) for row in one.activity.to_dicts())]
    notes = [(line, str(ask.form.get(f"note-{number}", "")).strip()) for number, line in enumerate(lines)]
    found = [{"installation": one.installation, "year": one.year, "line": line, "text": text} for line, text in notes if text]
    for number, (_line, text) in enumerate(notes):
        if len(text) > FINDING_LENGTH_MAX:
            form.fault(f"note-{number}", ask.say("At most %(most)s letters.", most=quantity(FINDING_LENGTH_MAX)))
    if not found:
        form.fault("note-0", ask._("Say what was found, on at least one line."))
    row = {"installation": one.installation, "year": one.year, "verified": None, "state": "rejected"}
    return _decided(ask, one, form, "return_form", row, found)


def _decided(ask: Ask, one: views.Report, form: Form, name: str, row: Mapping[str, Any], found: list[dict[str, Any]]) -> Response:
    done = ask.see(f"/{ask.market.system}/reports/{one.installation}/{one.year}")
    if ask.market.desk.administration.outcome_of(f"web:{ask.visitor.participant}:{ask.key_of()}") == "accepted":
        return done
    wrong = list(form.errors)
    if not form.check() or wrong:
        return _again(ask, one, form, name, 422)
    if form.values["figure"] != str(one.reported) or one.state != "reported":
        form.fault("code", ask._("The report was changed or decided meanwhile. Look at it once more."))
        form["figure"].value = str(one.reported)
        return _again(ask, one, form, name, 409)
    try:
        ask.confirm(name, one.installation, one.year, one.reported, repr(found))
    except PeopleRefused as refused:
        if refused.name not in ("wrong_code", "code_used"):
            raise
        form.fault("code", refused.text)
        return _again(ask, one, form, name, 422)
    schema = {"installation": pl.String, "year": pl.Int32, "verified": pl.Int64, "state": pl.String}
    try:
        ask.perform("verify", {"findings": found} if found else {}, {"reports": pl.DataFrame([dict(row)], schema=schema)})
    except Problem as problem:
        form.fault("code", f"{title(problem.name, ask._)}: {problem.detail}")
        form.key = ""
        return _again(ask, one, form, name, problem.status)
    return done


def _again(ask: Ask, one: views.Report, form: Form, name: str, status: int) -> Response:
    """The same page, with what was typed into the form that was sent."""
    other = "return_form" if name == "verify_form" else "verify_form"
    return report_page.shown(ask, one.installation, one.year, status, **{name: form, other: _blank(ask, one, other)})


def _blank(ask: Ask, one: views.Report, name: str) -> Form:
    """The form that was not sent."""
    made = (_return_form if name == "return_form" else _verify_form)(ask, one)
    made.key = ""
    return made
