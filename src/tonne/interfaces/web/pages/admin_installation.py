"""One installation as the administrator sees it: its years, a verified figure put right, its end."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from fastapi.responses import Response

from tonne.interfaces.views import participants as people_view
from tonne.interfaces.views import reports as reports_view
from tonne.interfaces.views.found import NotFound
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.guard import ADMIN, AUDIT, pages
from tonne.interfaces.web.pages import admin_act as act
from tonne.interfaces.web.pages import admin_common as own
from tonne.interfaces.web.pages.common import cache_of
from tonne.interfaces.web.problems import Problem, not_found
from tonne.interfaces.web.tables import Column
from tonne.interfaces.web.words import N_

router = pages()
REPORT_STATES: dict[str, str] = {"no_entry": N_("not reported"), "not_reported": N_("not reported")}


@router.get("/{system}/admin/installations/{installation}", allow=AUDIT)
def one_installation(ask: Asked, system: str, installation: str) -> Response:
    return _installation(ask, installation)


def _installation(ask: Ask, name: str, status: int = 200, close: Form | None = None, correct: Form | None = None) -> Response:
    market = ask.market
    with market.read() as state:
        cache = cache_of(market)
        try:
            found = people_view.installation(state, name, public=False, cache=cache)
        except NotFound as error:
            raise not_found(name, [f"{market.system}/admin/installations/{one}" for one in error.near]) from None
        corrections = state.reports.corrections
        made = [] if corrections is None else corrections.filter(pl.col("installation") == name).to_dicts()
        verified = found.years.filter(pl.col("verified").is_not_null()).sort("year", descending=True).select("year", "verified").rows()
        frozen = found.account in state.freezes
        findings = list(state.findings.get(name, ()))
        last = reports_view.report(state, name, int(verified[0][0]), market.today) if verified else None
    ask.record("view", f"installation {name}", "shown")
    columns = [
        Column("year", ask._("Year"), "text"),
        Column("state", ask._("Report"), show=lambda value, row: ask._(REPORT_STATES.get(value, value.replace("_", " ")))),
        Column("allocated", ask._("Allocated"), "quantity"),
        Column("verified", ask._("Verified"), "quantity"),
        Column("surrendered", ask._("Surrendered"), "quantity"),
        Column("letter", ask._("Judgement")),
        Column("fine_low_minor", ask._("Fine"), "money", market.rulebook.system.currency),
    ]
    table = ask.table(
        f"installation-{name}", ask._("Year by year"), found.years.select([c.name for c in columns]).sort("year", descending=True), columns
    )
    return ask.page(
        "admin_installation.html",
        status,
        found=found,
        row=found.register,
        heading=found.register.get("name") or name,
        admin_tabs=own.tabs(ask),
        table=table,
        verified=verified,
        corrections=made,
        findings=findings,
        frozen=frozen,
        last=last,
        close=close or _close_form(ask, name),
        correct=correct or (_correct_form(ask, name, verified) if verified else None),
        two=own.two_persons(ask),
        may_act=own.may(ask, "initiate"),
    )


def _close_form(ask: Ask, name: str) -> Form:
    fields = [Field("year", ask._("Last year with emissions"), "number", least=1900, most=2300, value=str(ask.market.today.year))]
    return Form(ask, fields, action=ask.here(f"/admin/installations/{name}/close"), verb=ask._("Review"), danger=True)


def _correct_form(ask: Ask, name: str, verified: Sequence[tuple[int, int]]) -> Form:
    fields = [
        Field(
            "year",
            ask._("Year"),
            "choice",
            choices=[(str(year), ask.say("%(year)s: %(figure)s t now", year=year, figure=figure)) for year, figure in verified],
        ),
        Field("verified", ask._("Right figure"), "number", unit="t", least=0),
        Field("reason", ask._("Reason"), hint=ask._("It stands in the log, beside the old figure.")),
    ]
    return Form(ask, fields, action=ask.here(f"/admin/installations/{name}/correct"), verb=ask._("Review"), danger=True)


@router.post("/{system}/admin/installations/{installation}/close", allow=ADMIN.with_right("initiate"))
def close(ask: Asked, system: str, installation: str) -> Response:
    """The last year with emissions: decided by two persons."""
    form = _close_form(ask, installation)
    if form.check():
        body = {"installation": installation, "year": form.values["year"]}
        try:
            return act.review_or_propose(ask, "close_installation", body, back=ask.here(f"/admin/installations/{installation}"))
        except Problem as problem:
            form.fault("year", problem.detail)
    return _installation(ask, installation, 422, close=form)


@router.post("/{system}/admin/installations/{installation}/correct", allow=ADMIN.with_right("initiate"))
def correct(ask: Asked, system: str, installation: str) -> Response:
    """A verified figure put right, also after the deadline: decided by two persons; what was judged is judged again."""
    with ask.market.read() as state:
        rows = state.reports.frame.filter(pl.col("installation") == installation, pl.col("verified").is_not_null()).sort("year", descending=True)
    form = _correct_form(ask, installation, rows.select("year", "verified").rows())
    if form.check():
        body = {"installation": installation, "year": int(form.values["year"]), "verified": form.values["verified"], "reason": form.values["reason"]}
        try:
            return act.review_or_propose(
                ask, "correct_report", body, back=ask.here(f"/admin/installations/{installation}"), reason=form.values["reason"]
            )
        except Problem as problem:
            form.fault("verified", problem.detail)
    return _installation(ask, installation, 422, correct=form)
