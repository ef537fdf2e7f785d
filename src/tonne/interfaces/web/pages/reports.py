"""The list of emission reports, and files of many of them: all rows are sent, or none and every fault is told."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import Any

import polars as pl
from fastapi.responses import Response

from tonne.administration.agenda import day_of
from tonne.interfaces.views import reports as views
from tonne.interfaces.web import law_words
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.guard import OPERATOR, REPORTER, pages
from tonne.interfaces.web.pages import report_files
from tonne.interfaces.web.pages.common import cache_of
from tonne.interfaces.web.pages.report import BADGES, OPEN, STATES, change, may_file
from tonne.interfaces.web.pages.standing import installations_of
from tonne.interfaces.web.problems import Problem, not_found, title
from tonne.interfaces.web.tables import TYPES, Column, Filter, file_bytes

router = pages()
#: Bytes of the file of faults that is kept, packed.
KEPT_MOST = 180_000


@router.get("/{system}/reports", allow=REPORTER)
def reports(ask: Asked, system: str) -> Response:
    """Own installations' reports of all years; for verifiers and the administrator, everybody's of one year."""
    own = ask.visitor.role == "operator"
    years = _years(ask)
    year = next((one for one in years if str(one) == ask.query.get("year", "")), None) or _ended(ask, years)
    market = ask.market
    with market.read() as state:
        chosen = years if own else [year]
        frames = [
            views.reports(state, one, market.today, operator=ask.visitor.participant if own else None, cache=cache_of(market)) for one in chosen
        ]
    frame = pl.concat(frames) if frames else pl.DataFrame(schema=views.REPORTS)
    ask.record("view", "reports", "shown")
    return ask.page(
        "reports.html",
        table=_table(ask, frame, own),
        years=[] if own else years,
        year=year,
        upload=_upload_form(ask) if own and may_file(ask) else None,
        found=None,
    )


def _years(ask: Ask) -> list[int]:
    """Emissions years that have reports or may have, newest first."""
    market = ask.market
    with market.read() as state:
        known = set(state.reports.frame["year"].unique().to_list())
        due = {year for year in range(market.today.year - 2, market.today.year) if day_of(state, "report", year) is not None}
    return sorted(known | due, reverse=True)


def _ended(ask: Ask, years: list[int]) -> int:
    return next((year for year in years if year < ask.market.today.year), ask.market.today.year - 1)


def _table(ask: Ask, frame: pl.DataFrame, own: bool) -> Any:
    base = "reports" if ask.visitor.role != "verifier" else "verify"
    columns = [
        Column("name", ask._("Installation"), href=lambda row: ask.here(f"/reports/{row['installation']}/{row['year']}")),
        Column("installation", ask._("Number")),
        Column("operator_name", ask._("Operator"), hidden=own),
        Column("year", ask._("Year"), "text"),
        Column("state", ask._("State"), "state", show=lambda value, row: BADGES.get(value, value)),
        Column("figure", ask._("Emissions"), "quantity", "t"),
        Column("last_year", ask._("Year before"), "quantity", "t"),
        Column("change_permille", ask._("Difference"), "number", show=lambda value, row: change(value)),
        Column("late", ask._("Late"), show=lambda value, row: ask._("late") if value else ""),
        Column("reported", ask._("Reported"), "quantity", hidden=True),
        Column("verified", ask._("Verified"), "quantity", hidden=True),
        Column("sector", ask._("Sector"), hidden=True, show=lambda value, row: law_words.sector(value, ask._)),
        Column("country", ask._("Country"), hidden=True),
    ]
    filters = [
        Filter("state", ask._("State"), "choice", [(name, ask._(text)) for name, text in STATES.items()]),
        Filter("name", ask._("Name")),
    ]
    empty = ask._("No installation reports here.") if base == "reports" else ask._("No report of this year.")
    return ask.table("reports", ask._("Emission reports"), frame, columns, filters=filters, empty=empty)


# -- many at once


def _upload_form(ask: Ask) -> Form:
    fields = [
        Field(
            "file",
            ask._("File of reports (CSV)"),
            "file",
            accept=".csv,text/csv",
            hint=ask._("Columns installation, year, emissions; others are not looked at."),
        ),
        Field("checked", ask._("I have checked figures that differ by more than half from the year before"), "checkbox", required=False),
    ]
    return Form(ask, fields, action=ask.here("/reports/upload"), verb=ask._("Send to verifier"))


def open_years(ask: Ask) -> dict[str, dict[int, int | None]]:
    """Own installation -> years that may be reported now -> the figure of the year before."""
    market = ask.market
    found: dict[str, dict[int, int | None]] = {name: {} for name in installations_of(ask)}
    years = _years(ask)
    with market.read() as state:
        for year in years:
            due = day_of(state, "report", year)
            if year >= market.today.year or (due is not None and due < market.today):
                continue
            rows = views.reports(state, year, market.today, operator=ask.visitor.participant, states=OPEN, cache=cache_of(market))
            for row in rows.to_dicts():
                if row["installation"] in found:
                    found[row["installation"]][year] = row["last_year"]
    return found


@router.get("/{system}/reports/upload", allow=OPERATOR)
def upload_page(ask: Asked, system: str) -> Response:
    """A page that was answered to a file, asked for by its address."""
    return ask.see(f"/{system}/reports")


@router.post("/{system}/reports/upload", allow=OPERATOR.with_right("initiate"))
def upload(ask: Asked, system: str) -> Response:
    """A file: all of its rows are sent, or none and every fault is told."""
    form = _upload_form(ask)
    chosen = ask.files.get("file")
    if ask.market.desk.administration.outcome_of(f"web:{ask.visitor.participant}:{ask.key_of()}") == "accepted":
        return ask.see(f"/{system}/reports")
    if not form.check() or chosen is None:
        return _uploaded(ask, form, None)
    found = report_files.read(ask, chosen[1], open_years(ask), bool(form.values["checked"]))
    if found.faults:
        form.fault("file", report_files.sentence(ask, found))
        form["file"].hint = ask.say("You chose %(name)s. Mend it and choose it again.", name=chosen[0][:120])
        _keep_faults(ask, chosen[0], found)
        return _uploaded(ask, form, found)
    try:
        ask.perform("report", {}, {"reports": found.frame})
    except Problem as problem:
        form.fault("file", f"{title(problem.name, ask._)}: {problem.detail}")
        form["file"].hint = ask.say("You chose %(name)s.", name=chosen[0][:120])
        form.key = ""
        return _uploaded(ask, form, None, problem.status)
    return ask.see(f"/{system}/reports", sent=len(found.rows))


def _uploaded(ask: Ask, form: Form, found: report_files.Loaded | None, status: int = 422) -> Response:
    years = _years(ask)
    with ask.market.read() as state:
        frames = [views.reports(state, year, ask.market.today, operator=ask.visitor.participant, cache=cache_of(ask.market)) for year in years]
    table = _table(ask, pl.concat(frames) if frames else pl.DataFrame(schema=views.REPORTS), True)
    return ask.page("reports.html", status, table=table, years=[], year=0, upload=form, found=found)


def _keep_faults(ask: Ask, name: str, found: report_files.Loaded) -> None:
    """For the file of all faults, until the next file is sent. Where there are more than can be kept, its last row says so."""
    frame = report_files.fault_frame(found)
    packed = zlib.compress(file_bytes(frame, "csv"), 9)
    while len(packed) > KEPT_MOST:
        frame = frame.head(frame.height // 2)
        more = pl.DataFrame(
            [(0, "", "", ask.say("and %(count)s faults more", count=len(found.faults) - frame.height))], schema=frame.schema, orient="row"
        )
        packed = zlib.compress(file_bytes(pl.concat([frame, more]), "csv"), 9)
    body = {"name": name[:120], "packed": base64.b64encode(packed).decode()}
    ask.place.people.save_draft(ask.visitor.person, f"report-faults:{ask.market.system}", body, now=ask.place.real_now())


@router.get("/{system}/reports/faults", allow=OPERATOR)
def faults(ask: Asked, system: str) -> Response:
    """All faults of the file that was sent last."""
    kept = ask.place.people.draft(ask.visitor.person, f"report-faults:{system}")
    if kept is None:
        raise not_found("faults")
    return ask.attachment(zlib.decompress(base64.b64decode(kept.body["packed"])), "faults.csv", TYPES["csv"])


@router.get("/{system}/reports/template", allow=OPERATOR)
def template(ask: Asked, system: str) -> Response:
    """An empty sheet for everything that may be reported now; with last=yes, filled with last year's figures."""
    with_last = ask.query.get("last") == "yes"
    rows = [(name, year, last if with_last else None, last) for name, years in open_years(ask).items() for year, last in sorted(years.items())]
    schema: Mapping[str, Any] = {"installation": pl.String, "year": pl.Int32, "emissions": pl.Int64, "last_year": pl.Int64}
    raise ask.file("reports-last-year" if with_last else "reports", pl.DataFrame(rows, schema=schema, orient="row"), "csv")
