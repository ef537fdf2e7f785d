"""The register as the administrator keeps it: participants, installations, entitlements; typed or from a file, whose faults are told row by row."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl
from fastapi.responses import Response

from tonne.formats.faults import BadFile, Fault
from tonne.formats.installations import read_installations
from tonne.interfaces.views import participants as people_view
from tonne.interfaces.web import law_words
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.guard import ADMIN, AUDIT, pages
from tonne.interfaces.web.pages import admin_act as act
from tonne.interfaces.web.pages import admin_common as own
from tonne.interfaces.web.pages.common import cache_of
from tonne.interfaces.web.pages.onboarding import SLUG
from tonne.interfaces.web.problems import Problem
from tonne.interfaces.web.tables import Column, Filter
from tonne.interfaces.web.words import N_
from tonne.registers.errors import RegisterError
from tonne.registers.installations import INSTALLATION_SCHEMA

router = pages()
ROLES: dict[str, str] = {
    "operator": N_("operator"),
    "trader": N_("trader"),
    "verifier": N_("verifier"),
    "auctioneer": N_("auctioneer"),
    "venue": N_("venue"),
    "bank": N_("bank"),
}
FAULTS_SHOWN = 500


def form_page(ask: Ask, form: Form, heading: str, lead: str, back: str, status: int = 200, **more: Any) -> Response:
    return ask.page("admin_form.html", status, form=form, heading=heading, lead=lead, admin_tabs=own.tabs(ask), back=ask.here(back), **more)


# -- participants


@router.get("/{system}/admin/participants", allow=AUDIT)
def participants(ask: Asked, system: str) -> Response:
    """Everybody registered, and every holder of an installation's account."""
    market = ask.market
    with market.read() as state:
        frame = people_view.participants(state, cache=cache_of(market))
        accounts = [len(state.accounts.of_holder(name)) for name in frame["participant"].to_list()]
    frame = frame.with_columns(accounts=pl.Series(accounts, dtype=pl.Int64))
    columns = [
        Column("participant", ask._("Id"), href=lambda row: ask.here("/admin/accounts", holder=row["participant"])),
        Column("name", ask._("Name")),
        Column("role", ask._("Role"), show=lambda value, row: ask._(ROLES.get(value, value))),
        Column("country", ask._("Country")),
        Column("installations", ask._("Installations"), "number"),
        Column("accounts", ask._("Accounts"), "number"),
    ]
    filters = [Filter("name", ask._("Name")), Filter("role", ask._("Role"), "choice", [(name, ask._(text)) for name, text in ROLES.items()])]
    ask.record("view", "participants", "shown")
    table = ask.table("participants", ask._("Participants"), frame, columns, filters=filters, empty=ask._("Nobody is registered yet."))
    ways = [(ask.here("/admin/participants/new"), ask._("Register a participant")), (ask.here("/admin/applications"), ask._("Applications"))]
    return ask.page(
        "admin_list.html",
        table=table,
        admin_tabs=own.tabs(ask),
        heading=ask._("Participants"),
        lead="",
        ways=ways if own.may(ask, "initiate") else [],
    )


def _participant_form(ask: Ask) -> Form:
    fields = [
        Field("name", ask._("Name, as in the company register")),
        Field("participant", ask._("Id"), required=False, hint=ask._("Small letters, digits and hyphens. Left out, it is made of the name.")),
        Field("role", ask._("Takes part as"), "choice", choices=[(name, ask._(text)) for name, text in ROLES.items()]),
        Field("country", ask._("Country"), required=False, hint=ask._("Two letters, like DE or CN.")),
    ]
    return Form(ask, fields, action=ask.here("/admin/participants/new"), verb=ask._("Review"))


@router.get("/{system}/admin/participants/new", allow=ADMIN)
def participant_page(ask: Asked, system: str) -> Response:
    lead = ask._("Only who was checked: an application does this by itself when two administrators have approved it.")
    return form_page(ask, _participant_form(ask), ask._("Register a participant"), lead, "/admin/participants")


@router.post("/{system}/admin/participants/new", allow=ADMIN.with_right("initiate"))
def register_participant(ask: Asked, system: str) -> Response:
    form = _participant_form(ask)
    if form.check():
        values = form.values
        name = values["participant"] or SLUG.sub("-", values["name"].lower()).strip("-")[:60]
        if not name or SLUG.sub("-", name) != name:
            form.fault("participant", ask._("Small letters, digits and hyphens only."))
        else:
            body = {"participant": name, "name": values["name"], "role": values["role"], "country": values["country"]}
            try:
                return act.review(
                    ask,
                    "register_participant",
                    body,
                    back=ask.here("/admin/participants/new"),
                    then=f"/admin/participants?name={quote(values['name'])}",
                )
            except Problem as problem:
                form.fault("participant" if problem.name == "already_exists" else "name", problem.detail)
    return form_page(ask, form, ask._("Register a participant"), "", "/admin/participants", 422)


# -- installations


@router.get("/{system}/admin/installations", allow=AUDIT)
def installations(ask: Asked, system: str) -> Response:
    """All installations, with their permit, account and state."""
    market = ask.market
    with market.read() as state:
        frame = people_view.register(state, cache_of(market))
    columns = [
        Column("installation", ask._("Installation"), href=lambda row: ask.here(f"/admin/installations/{row['installation']}")),
        Column("name", ask._("Name")),
        Column("operator_name", ask._("Operator")),
        Column("operator", ask._("Operator's id"), hidden=True),
        Column("sector", ask._("Sector"), show=lambda value, row: law_words.sector(value, ask._)),
        Column("country", ask._("Country")),
        Column("permit", ask._("Permit")),
        Column("opened", ask._("Opened"), "text"),
        Column("closed", ask._("Closed"), "text"),
        Column("status", ask._("State"), "state"),
    ]
    sectors = law_words.sectors(frame["sector"], ask._)
    filters = [
        Filter("name", ask._("Name")),
        Filter("sector", ask._("Sector"), "choice", sectors),
        Filter("status", ask._("State"), "choice", [("open", ask._("open")), ("closed", ask._("closed"))]),
    ]
    ask.record("view", "installations", "shown")
    table = ask.table("installations", ask._("Installations"), frame, columns, filters=filters, empty=ask._("No installation is registered yet."))
    ways = [
        (ask.here("/admin/installations/new"), ask._("Register installations")),
        (ask.here("/admin/entitlements"), ask._("Entitlements")),
    ]
    return ask.page(
        "admin_list.html",
        table=table,
        admin_tabs=own.tabs(ask),
        heading=ask._("Installations"),
        lead="",
        ways=ways if own.may(ask, "initiate") else [],
    )


def _installation_form(ask: Ask) -> Form:
    fields = [
        Field("installation", ask._("Key"), hint=ask._("It names the installation for ever, like DE_1234.")),
        Field("name", ask._("Name")),
        Field("operator", ask._("Operator"), hint=ask._("Id of the participant that holds its account.")),
        Field("permit", ask._("Permit"), required=False),
        Field("activity", ask._("Activity code"), required=False),
        Field("sector", ask._("Sector"), required=False),
        Field("country", ask._("Country"), required=False),
        Field("opened", ask._("First year with emissions"), "number", required=False, least=1900, most=2300),
    ]
    return Form(ask, fields, action=ask.here("/admin/installations/new"), verb=ask._("Review"))


def file_form(ask: Ask, action: str, hint: str) -> Form:
    return Form(
        ask, [Field("file", ask._("File"), "file", hint=hint, accept=".csv,.gz,.parquet")], action=ask.here(action), verb=ask._("Check and review")
    )


def _installations_page(ask: Ask, form: Form, upload: Form, status: int = 200, faults: Sequence[Fault] = ()) -> Response:
    return ask.page(
        "admin_upload.html",
        status,
        form=form,
        upload=upload,
        heading=ask._("Register installations"),
        lead=ask._("Each gets an account, held by its operator."),
        admin_tabs=own.tabs(ask),
        back=ask.here("/admin/installations"),
        faults_found=faults[:FAULTS_SHOWN],
        faults_total=len(faults),
        columns=list(INSTALLATION_SCHEMA),
    )


def _upload_form(ask: Ask) -> Form:
    return file_form(
        ask, "/admin/installations/upload", ask._("CSV, gzipped CSV or Parquet: our own columns, or the account list that a registry publishes.")
    )


@router.get("/{system}/admin/installations/new", allow=ADMIN)
def installations_page(ask: Asked, system: str) -> Response:
    return _installations_page(ask, _installation_form(ask), _upload_form(ask))


@router.post("/{system}/admin/installations/new", allow=ADMIN.with_right("initiate"))
def register_installation(ask: Asked, system: str) -> Response:
    """One installation, typed."""
    form = _installation_form(ask)
    if form.check():
        row = {name: form.values.get(name) or None for name in INSTALLATION_SCHEMA} | {"status": "open"}
        try:
            return act.review(
                ask, "register_installations", {}, {"installations": [row]}, back=ask.here("/admin/installations/new"), then="/admin/installations"
            )
        except (Problem, RegisterError) as problem:
            form.fault("installation", getattr(problem, "detail", "") or str(problem))
    return _installations_page(ask, form, _upload_form(ask), 422)


@router.post("/{system}/admin/installations/upload", allow=ADMIN.with_right("initiate"))
def upload_installations(ask: Asked, system: str) -> Response:
    """A file: all of it, or nothing and every fault with its row."""
    upload = _upload_form(ask)
    faults: Sequence[Fault] = ()
    if upload.check():
        try:
            with kept(upload.values["file"]) as path:
                found, _skipped = read_installations(path)
            rows = found.frame.to_dicts()
            return act.review(
                ask, "register_installations", {}, {"installations": rows}, back=ask.here("/admin/installations/new"), then="/admin/installations"
            )
        except BadFile as bad:
            faults = told(bad.faults)
            upload.fault("file", ask._("Nothing was loaded. What is wrong stands below, row by row."))
        except (Problem, RegisterError) as problem:
            upload.fault("file", getattr(problem, "detail", "") or str(problem))
    return _installations_page(ask, _installation_form(ask), upload, 422, faults)


class kept:
    """An uploaded file on disk, under its own ending, for as long as it is read."""

    def __init__(self, given: tuple[str, bytes]) -> None:
        self._name, self._data = given

    def __enter__(self) -> Path:
        self._folder = tempfile.TemporaryDirectory(prefix="tonne-upload-")
        ending = next((end for end in (".csv.gz", ".parquet", ".gz") if self._name.lower().endswith(end)), ".csv")
        path = Path(self._folder.name) / f"upload{ending}"
        path.write_bytes(self._data)
        return path

    def __exit__(self, *about: object) -> None:
        self._folder.cleanup()


def told(faults: Sequence[Fault]) -> list[Fault]:
    """Faults by the row alone: where the server kept the file is nobody's affair."""
    return [fault._replace(file="") for fault in faults]
