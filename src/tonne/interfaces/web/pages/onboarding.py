"""Becoming a participant: a file with documents and checks, the same for both sides; two administrators decide; then the participant exists."""

from __future__ import annotations

import re
from typing import Any

import polars as pl
from fastapi.responses import Response

from tonne.administration.permissions import ADMINISTRATOR
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.guard import ADMIN, AUDIT, PERSON, PUBLIC, pages
from tonne.interfaces.web.problems import Problem, not_found
from tonne.interfaces.web.tables import Column, Filter
from tonne.interfaces.web.words import N_
from tonne.people import PeopleRefused
from tonne.people.applications import Application, days_used

router = pages()
ROLES: dict[str, str] = {
    "operator": N_("operator"),
    "trader": N_("trader"),
    "verifier": N_("verifier"),
    "auctioneer": N_("auctioneer"),
    "bank": N_("bank"),
}
#: What a file is checked for: the common core of what registries ask.
CHECKS: dict[str, str] = {
    "extract": N_("Extract of the company register"),
    "directors": N_("Directors"),
    "owners": N_("Beneficial owners"),
    "authority": N_("Authority of who signs"),
    "identity": N_("Identity and address of each user"),
    "bank": N_("Bank account"),
    "purpose": N_("Purpose of the account"),
}
STATES: dict[str, str] = {
    "draft": N_("draft"),
    "sent": N_("sent"),
    "asked_back": N_("asked back"),
    "checked": N_("checked"),
    "approved": N_("approved"),
    "rejected": N_("rejected"),
}
ANSWERS = ("role", "country", "register_number", "lei", "address", "purpose")
SLUG = re.compile(r"[^a-z0-9]+")
MOST = 500


# -- the applicant


@router.get("/apply", allow=PUBLIC)
def apply(ask: Asked) -> Response:
    """What is needed, how long it takes; a login first."""
    form = _register(ask) if not ask.visitor.signed_in else None
    own = ask.place.people.applications(person=ask.visitor.person, limit=MOST).rows if ask.visitor.signed_in else ()
    return ask.page("apply.html", form=form, sent=False, own=own, halls=_halls(ask), checks=_checks(ask), states=_states(ask))


def _halls(ask: Ask) -> list[tuple[str, str]]:
    from tonne.interfaces.web.words import named

    return [(name, named(hall.rulebook.system.name, ask.language)) for name, hall in sorted(ask.place.halls.items())]


def _checks(ask: Ask) -> dict[str, str]:
    return {name: ask._(text) for name, text in CHECKS.items()}


def _states(ask: Ask) -> dict[str, str]:
    return {name: ask._(text) for name, text in STATES.items()}


def _register(ask: Ask) -> Form:
    fields = [Field("name", ask._("Your name"), autocomplete="name"), Field("email", ask._("E-mail address"), "email", autocomplete="email")]
    return Form(ask, fields, action=ask.url("/apply"), verb=ask._("Send me a link"))


@router.post("/apply", allow=PUBLIC)
def register(ask: Asked) -> Response:
    """A login for somebody new, by a letter. The answer is the same for an address that is known."""
    form = _register(ask)
    if form.check():
        try:
            ask.place.people.register(
                form.values["email"], form.values["name"], language=ask.language, address=ask.visitor.address, now=ask.place.real_now()
            )
            return ask.page("apply.html", form=None, sent=True, own=(), halls=_halls(ask), checks=_checks(ask), states=_states(ask))
        except PeopleRefused as refused:
            if refused.name != "bad_value":
                raise
            form.fault(refused.field if refused.field in ("email", "name") else "email", refused.text)
    return ask.page("apply.html", 422, form=form, sent=False, own=(), halls=_halls(ask), checks=_checks(ask), states=_states(ask))


@router.post("/{system}/apply", allow=PERSON)
def begin(ask: Asked, system: str) -> Response:
    """A new file, as a draft."""
    made = ask.place.people.begin_application(ask.market.system, ask._("New participant"), CHECKS, by=ask.who(), now=ask.place.real_now())
    return ask.see(f"/{system}/apply/{made.id}")


def _own(ask: Ask, application: str) -> Application:
    found = ask.place.people.application(application, by=ask.who())
    if found.system != ask.market.system or found.person != ask.visitor.person:
        raise not_found(application)
    return found


def _file_form(ask: Ask, found: Application) -> Form:
    fields = [
        Field("organisation", ask._("Organisation, as in the company register")),
        Field("role", ask._("Takes part as"), "choice", choices=[(name, ask._(text)) for name, text in ROLES.items()]),
        Field("country", ask._("Country"), hint=ask._("Two letters, like DE or CN."), required=False),
        Field("register_number", ask._("Number in the company register"), required=False),
        Field("lei", ask._("Legal entity identifier"), hint=ask._("20 letters and digits; the last two check the others."), required=False),
        Field("address", ask._("Address"), "textarea", required=False),
        Field("purpose", ask._("What the account is for"), "textarea", required=False),
    ]
    known = {"organisation": found.organisation, **{name: found.answers.get(name, "") for name in ANSWERS}}
    return Form(ask, fields, action=ask.here(f"/apply/{found.id}"), verb=ask._("Save"), **known)


@router.get("/{system}/apply/{application}", allow=PERSON)
def mine(ask: Asked, system: str, application: str) -> Response:
    found = _own(ask, application)
    return _mine(ask, found, _file_form(ask, found))


def _mine(ask: Ask, found: Application, form: Form, status: int = 200, document: Form | None = None) -> Response:
    return ask.page(
        "application.html",
        status,
        found=found,
        form=form,
        document=document or _document(ask, found),
        checks=_checks(ask),
        states=_states(ask),
        open=found.state in ("draft", "asked_back"),
        used=days_used(found, ask.place.real_now().date()),
        allowed=ask.place.people.settings.application_days,
    )


def _document(ask: Ask, found: Application) -> Form:
    fields = [
        Field("label", ask._("What it shows"), "choice", choices=list(_checks(ask).items())),
        Field("file", ask._("Document"), "file", hint=ask._("PDF, PNG or JPEG, at most 20 MB."), accept=".pdf,.png,.jpg,.jpeg"),
    ]
    return Form(ask, fields, action=ask.here(f"/apply/{found.id}/documents"), verb=ask._("Add the document"))


@router.post("/{system}/apply/{application}", allow=PERSON)
def save(ask: Asked, system: str, application: str) -> Response:
    """What was typed so far."""
    found = _own(ask, application)
    form = _file_form(ask, found)
    if form.check():
        try:
            answers = {name: str(form.values[name] or "").strip() for name in ANSWERS}
            ask.place.people.save_application(application, form.values["organisation"], answers, by=ask.who(), now=ask.place.real_now())
            return ask.see(f"/{system}/apply/{application}")
        except PeopleRefused as refused:
            if refused.name not in ("bad_value", "too_large"):
                raise
            form.fault(refused.field if refused.field in ANSWERS else "organisation", refused.text)
    return _mine(ask, found, form, 422)


@router.post("/{system}/apply/{application}/documents", allow=PERSON)
def attach(ask: Asked, system: str, application: str) -> Response:
    found = _own(ask, application)
    document = _document(ask, found)
    if document.check():
        name, data = document.values["file"]
        try:
            ask.place.people.attach(application, document.values["label"], name, data, by=ask.who(), now=ask.place.real_now())
            return ask.see(f"/{system}/apply/{application}")
        except PeopleRefused as refused:
            if refused.name not in ("wrong_kind", "too_large", "over_quota", "unsafe_file", "wrong_state", "bad_value"):
                raise
            document.fault("file", refused.text)
    return _mine(ask, found, _file_form(ask, found), 422, document)


@router.post("/{system}/apply/{application}/send", allow=PERSON)
def send(ask: Asked, system: str, application: str) -> Response:
    _own(ask, application)
    ask.place.people.send_application(application, by=ask.who(), now=ask.place.real_now())
    return ask.see(f"/{system}/apply/{application}")


# -- the administrators


@router.get("/{system}/admin/applications", allow=AUDIT)
def applications(ask: Asked, system: str) -> Response:
    """Files that wait, longest first."""
    people, today = ask.place.people, ask.place.real_now().date()
    found: tuple[Any, ...] = people.applications(system=ask.market.system, limit=MOST).rows
    rows = [
        {
            "organisation": one.organisation,
            "role": one.answers.get("role", ""),
            "state": one.state,
            "days": days_used(one, today),
            "sent": one.sent_at.date() if one.sent_at else None,
            "application": one.id,
        }
        for one in found
        if one.state != "draft"
    ]
    schema = {"organisation": pl.String, "role": pl.String, "state": pl.String, "days": pl.Int64, "sent": pl.Date, "application": pl.String}
    columns = [
        Column("organisation", ask._("Organisation"), href=lambda row: ask.here(f"/admin/applications/{row['application']}")),
        Column("role", ask._("As"), show=lambda value, row: ask._(ROLES.get(value, value))),
        Column("state", ask._("State"), "state"),
        Column("days", ask.say("Working days used of %(days)s", days=people.settings.application_days), "number"),
        Column("sent", ask._("Sent"), "day"),
        Column("application", ask._("Number"), hidden=True),
    ]
    filters = [Filter("state", ask._("State"), "choice", [(name, text) for name, text in _states(ask).items() if name != "draft"])]
    frame = pl.DataFrame(rows, schema=schema)
    ask.record("view", "applications", "shown")
    table = ask.table("applications", ask._("Applications"), frame, columns, filters=filters, empty=ask._("No file waits."))
    return ask.page("applications.html", table=table)


def _known(ask: Ask, application: str) -> Application:
    found = ask.place.people.application(application, by=ask.who())
    if found.system != ask.market.system or found.state == "draft":
        raise not_found(application)
    return found


@router.get("/{system}/admin/applications/{application}", allow=AUDIT)
def file(ask: Asked, system: str, application: str) -> Response:
    """The documents beside the answers, checks ticked one by one."""
    found = _known(ask, application)
    ask.record("view", f"application {application}", "shown")
    names = ask.place.people.names({step.person for step in found.steps} | {check.done_by for check in found.checks if check.done_by})
    return ask.page(
        "application_file.html",
        found=found,
        names=names,
        checks=_checks(ask),
        states=_states(ask),
        roles={name: ask._(text) for name, text in ROLES.items()},
        used=days_used(found, ask.place.real_now().date()),
        allowed=ask.place.people.settings.application_days,
        participant=participant_id(ask, found),
        may_act=ask.visitor.role == "administrator",
        may_decide=found.state == "checked" and found.checked_by != ask.visitor.person and "approve" in ask.visitor.rights,
    )


@router.get("/{system}/admin/applications/{application}/documents/{document}", allow=AUDIT)
def document(ask: Asked, system: str, application: str, document: str) -> Response:
    """One document, to be saved: it is never shown inside the portal."""
    found = _known(ask, application)
    if document not in {one.id for _label, one in found.files}:
        raise not_found(document)
    described, data = ask.place.people.file_content(document, by=ask.who(), now=ask.place.real_now())
    return ask.attachment(data, described.name, "application/octet-stream")


@router.post("/{system}/admin/applications/{application}/tick", allow=ADMIN.with_right("initiate"))
def tick(ask: Asked, system: str, application: str) -> Response:
    _known(ask, application)
    check = str(ask.form.get("check", ""))
    if check not in CHECKS:
        raise not_found(check)
    done, note = ask.form.get("done") == "yes", str(ask.form.get("note", ""))[:500]
    ask.place.people.tick_check(application, check, done, note, by=ask.who(), now=ask.place.real_now())
    return ask.see(f"/{system}/admin/applications/{application}")


@router.post("/{system}/admin/applications/{application}/{step}", allow=ADMIN.with_right("initiate"))
def decide(ask: Asked, system: str, application: str, step: str) -> Response:
    """Ask back, hand on to the second administrator, reject, approve. Approving makes the participant, and the applicant its first manager."""
    found, people, now = _known(ask, application), ask.place.people, ask.place.real_now()
    note = str(ask.form.get("note", "")).strip()[:2_000]
    if step == "ask-back":
        people.ask_back(application, note, by=ask.who(), now=now)
    elif step == "check":
        people.check_application(application, by=ask.who(), now=now)
    elif step == "reject":
        people.reject_application(application, note, by=ask.who(), now=now)
    elif step == "approve":
        _admit(ask, found)
    else:
        raise not_found(step)
    return ask.see(f"/{system}/admin/applications/{application}")


def participant_id(ask: Ask, found: Application) -> str:
    """The id that a participant gets: its name in plain letters, or the file's number where it has none of these."""
    return SLUG.sub("-", found.organisation.lower()).strip("-")[:60] or found.id.lower()


def _admit(ask: Ask, found: Application) -> None:
    """The decision of the second person first; then the participant, its account, the applicant's rights. Sent again, nothing is done twice."""
    people, now, name = ask.place.people, ask.place.real_now(), participant_id(ask, found)
    if found.state == "checked":
        people.approve_application(found.id, by=ask.who(), now=now)
    elif found.state != "approved":
        raise Problem(409, "wrong_state", ask._("The file is not checked yet."))
    role = found.answers.get("role", "trader")
    body = {"participant": name, "name": found.organisation, "role": role, "country": found.answers.get("country", "")}
    ask.perform("register_participant", body, key=f"apply-{found.id}-register", by=ADMINISTRATOR)
    if role in ("operator", "trader"):
        account = {"account": name, "kind": "trading", "holder": name}
        ask.perform("open_account", account, key=f"apply-{found.id}-account", by=ADMINISTRATOR)
    rights = ("read", "initiate", "trade", "manage") if role != "verifier" else ("read", "initiate", "manage")
    people.grant(found.person, ask.market.system, name, rights, by=ask.who(), now=now)
