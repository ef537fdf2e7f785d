"""Entitlements: the authority's own table of who gets how many units free, as it is on record, and a file with more of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
from fastapi.responses import Response

from tonne.formats.faults import BadFile, Fault
from tonne.formats.reading import read_table
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Form
from tonne.interfaces.web.guard import ADMIN, AUDIT, pages
from tonne.interfaces.web.pages import admin_act as act
from tonne.interfaces.web.pages import admin_common as own
from tonne.interfaces.web.pages.admin_register import FAULTS_SHOWN, file_form, kept, told
from tonne.interfaces.web.problems import Problem
from tonne.interfaces.web.tables import Column, Filter, whole

router = pages()


@router.get("/{system}/admin/entitlements", allow=AUDIT)
def entitlements(ask: Asked, system: str) -> Response:
    """What the calendar will allocate, or has, by installation; and a file with more of it."""
    return _entitlements(ask, _entitlement_form(ask))


def _entitlement_form(ask: Ask) -> Form:
    return file_form(
        ask,
        "/admin/entitlements/upload",
        ask._("CSV with the columns installation, year, quantity. Rows replace what is on record for the same installation and year."),
    )


def _entitlements(ask: Ask, upload: Form, status: int = 200, faults: Sequence[Fault] = ()) -> Response:
    year = whole(ask.query, "year", 1900, 2300, 0)
    with ask.market.read() as state:
        frame = state.entitlements.join(state.installations.frame.select("installation", "name"), on="installation", how="left")
    years = frame["year"].unique().sort(descending=True).to_list()
    columns = [
        Column("installation", ask._("Installation"), href=lambda row: ask.here(f"/admin/installations/{row['installation']}")),
        Column("name", ask._("Name")),
        Column("year", ask._("Year"), "text"),
        Column("quantity", ask._("Units"), "quantity"),
        Column("basis", ask._("By"), show=lambda value, row: value.replace("_", " ")),
    ]
    filters = [Filter("year", ask._("Year"), "choice", [(str(one), str(one)) for one in years]), Filter("name", ask._("Name"))]
    ask.record("view", "entitlements", "shown")
    empty = ask.say("Nothing is on record for %(year)s yet: load the table below.", year=year) if year else ask._("Nothing is on record yet.")
    table = ask.table(
        "entitlements",
        ask._("Entitlements on record"),
        frame.sort("year", "installation", descending=[True, False]),
        columns,
        filters=filters,
        totals=("quantity",),
        empty=empty,
    )
    return ask.page(
        "admin_entitlements.html",
        status,
        table=table,
        upload=upload,
        admin_tabs=own.tabs(ask),
        faults_found=faults[:FAULTS_SHOWN],
        faults_total=len(faults),
        may_act=own.may(ask, "initiate"),
    )


@router.post("/{system}/admin/entitlements/upload", allow=ADMIN.with_right("initiate"))
def upload_entitlements(ask: Asked, system: str) -> Response:
    """The authority's table: all of it, or nothing and every fault with its row."""
    upload = _entitlement_form(ask)
    faults: Sequence[Fault] = ()
    if upload.check():
        try:
            with kept(upload.values["file"]) as path:
                rows = _read_entitlements(path)
            return act.review(ask, "entitle", {}, {"entitlements": rows}, back=ask.here("/admin/entitlements"), then="/admin/entitlements")
        except BadFile as bad:
            faults = told(bad.faults)
            upload.fault("file", ask._("Nothing was loaded. What is wrong stands below, row by row."))
        except Problem as problem:
            upload.fault("file", problem.detail)
    return _entitlements(ask, upload, 422, faults)


def _read_entitlements(path: Path) -> list[dict[str, Any]]:
    """Rows installation, year, quantity. Raises BadFile with every fault."""
    table, _dialect = read_table(path, (("installation", "year", "quantity"),), None, "entitlements")
    names, years = table.text("installation", required=True), table.whole("year", least=1900, most=2300, required=True)
    units = table.whole("quantity", required=True, least=0)
    table.refuse_twice((names, years), "installation")
    if table.faults:
        raise BadFile(table.faults, skippable=False)
    frame = pl.DataFrame({"installation": names, "year": years.cast(pl.Int32), "quantity": units.cast(pl.Int64)})
    return frame.to_dicts()
