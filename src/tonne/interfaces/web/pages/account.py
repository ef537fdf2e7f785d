"""Becoming a user: the invitation's link, a password, an authenticator, recovery codes; a forgotten password; a new e-mail address."""

from __future__ import annotations

import segno
from fastapi.responses import Response

from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.guard import PUBLIC, pages
from tonne.interfaces.web.pages.login import DEVICE_AGE, PENDING, safe_next
from tonne.people import PeopleRefused

router = pages()
#: Of an authenticator's address: what fits into a picture to scan.
URI_MOST = 500
OVER = ("link_unknown", "link_used", "expired")


def new_password(ask: Ask) -> list[Field]:
    """Twice the same, because nobody sees what is typed."""
    hint = ask._("At least 12 characters. A sentence of your own is good; rules about signs and digits there are none.")
    return [
        Field("password", ask._("New password"), "password", hint=hint, autocomplete="new-password"),
        Field("again", ask._("The same once more"), "password", autocomplete="new-password"),
    ]


def same_twice(ask: Ask, form: Form) -> bool:
    if form.check() and form.values["password"] != form.values["again"]:
        form.fault("again", ask._("The two are not the same."))
    return not form.errors


def spent(ask: Ask, refused: PeopleRefused) -> Response:
    """A link that works no longer. Raises what is something else."""
    if refused.name not in OVER:
        raise refused
    return ask.page("link_over.html", 410, text=refused.text)


# -- invited


@router.get("/invitation/{token}", allow=PUBLIC)
def invitation(ask: Asked, token: str) -> Response:
    """Who is invited, and the choice of a password. Looking at it uses nothing up."""
    try:
        person = ask.place.people.invitation(token, now=ask.place.real_now())
    except PeopleRefused as refused:
        return spent(ask, refused)
    return ask.page("invitation.html", person=person, form=_invited(ask, token))


def _invited(ask: Ask, token: str) -> Form:
    return Form(ask, new_password(ask), action=ask.url(f"/invitation/{token}"), verb=ask._("Go on"))


@router.post("/invitation/{token}", allow=PUBLIC)
def accept(ask: Asked, token: str) -> Response:
    """The password is chosen by the person alone; an authenticator comes next."""
    people, now, form = ask.place.people, ask.place.real_now(), _invited(ask, token)
    try:
        person = people.invitation(token, now=now)
        if same_twice(ask, form):
            device = ask.cookie("tonne-device") or people.new_device()
            agent = ask.request.headers.get("user-agent", "")[:200]
            login = people.accept_invitation(token, form.values["password"], address=ask.visitor.address, agent=agent, device=device, now=now)
            ask.set_cookie("tonne-device", device, DEVICE_AGE)
            ask.set_cookie(PENDING, login.token, 600)
            return ask.see("/login/enrol")
    except PeopleRefused as refused:
        if refused.name != "weak_password":
            return spent(ask, refused)
        form.fault("password", refused.text)
        person = people.invitation(token, now=now)
    return ask.page("invitation.html", 422, person=person, form=form)


# -- an authenticator


@router.get("/login/enrol", allow=PUBLIC)
def enrol(ask: Asked) -> Response:
    """A new secret for an authenticator, as a picture to scan and as text to type."""
    try:
        login, made = ask.place.people.enrol_factor(ask.cookie(PENDING), address=ask.visitor.address, now=ask.place.real_now())
    except PeopleRefused:
        return ask.see("/login")
    ask.set_cookie(PENDING, login.token, 600)
    return _enrol(ask, made.factor, made.secret, made.uri, _enrol_form(ask, made.factor, made.secret, made.uri))


def _enrol_form(ask: Ask, factor: str = "", secret: str = "", uri: str = "") -> Form:
    fields = [
        Field("code", ask._("The code that it shows now"), "code"),
        Field("factor", kind="hidden"),
        Field("secret", kind="hidden"),
        Field("uri", kind="hidden"),
        Field("next", kind="hidden", required=False),
    ]
    known = {"factor": factor, "secret": secret, "uri": uri, "next": safe_next(ask.query.get("next", "/"))}
    return Form(ask, fields, action=ask.url("/login/enrol"), verb=ask._("Confirm"), **known)


def _enrol(ask: Ask, factor: str, secret: str, uri: str, form: Form, status: int = 200) -> Response:
    scan = segno.make(uri, error="m").svg_data_uri(scale=5, border=2, light="#ffffff") if uri.startswith("otpauth://") else ""
    return ask.page("enrol.html", status, form=form, secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)), scan=scan)


@router.post("/login/enrol", allow=PUBLIC)
def enrolled(ask: Asked) -> Response:
    """The first code makes it the factor; recovery codes are shown once."""
    form = _enrol_form(ask)
    given = {name: str(ask.form.get(name, ""))[:URI_MOST] for name in ("factor", "secret", "uri")}
    if not form.check():
        return _enrol(ask, **given, form=form, status=422)
    people, now = ask.place.people, ask.place.real_now()
    try:
        login, codes = people.confirm_factor(ask.cookie(PENDING), form.values["factor"], form.values["code"], address=ask.visitor.address, now=now)
    except PeopleRefused as refused:
        if refused.name in ("wrong_code", "code_used"):
            form.fault("code", refused.text)
            return _enrol(ask, **given, form=form, status=422)
        if refused.name in ("no_session", "expired", "ended"):
            return ask.see("/login")
        raise
    if login.session.acting is None and login.session.memberships:
        people.act_as(login.token, login.session.memberships[0].id, now=now)
    ask.set_cookie(PENDING, "")
    ask.set_cookie("tonne", login.token)
    return ask.page("recovery_codes.html", codes=codes, following=ask.url(safe_next(str(form.values["next"] or "/"))))


# -- forgotten


@router.get("/reset", allow=PUBLIC)
def forgotten(ask: Asked) -> Response:
    return ask.page("reset.html", form=_forgotten(ask), sent=False)


def _forgotten(ask: Ask) -> Form:
    return Form(ask, [Field("email", ask._("E-mail address"), "email", autocomplete="username")], action=ask.url("/reset"), verb=ask._("Send a link"))


@router.post("/reset", allow=PUBLIC)
def ask_for_reset(ask: Asked) -> Response:
    """The same answer whether the address is known or not."""
    form = _forgotten(ask)
    if not form.check():
        return ask.page("reset.html", 422, form=form, sent=False)
    ask.place.people.request_reset(form.values["email"], address=ask.visitor.address, now=ask.place.real_now())
    return ask.page("reset.html", form=form, sent=True)


@router.get("/reset/{token}", allow=PUBLIC)
def reset_page(ask: Asked, token: str) -> Response:
    return ask.page("reset_new.html", form=Form(ask, new_password(ask), action=ask.url(f"/reset/{token}"), verb=ask._("Set the password")))


@router.post("/reset/{token}", allow=PUBLIC)
def reset(ask: Asked, token: str) -> Response:
    """A new password; the second factor is asked for as before."""
    form = Form(ask, new_password(ask), action=ask.url(f"/reset/{token}"), verb=ask._("Set the password"))
    try:
        if same_twice(ask, form):
            ask.place.people.reset_password(token, form.values["password"], address=ask.visitor.address, now=ask.place.real_now())
            return ask.see("/login")
    except PeopleRefused as refused:
        if refused.name != "weak_password":
            return spent(ask, refused)
        form.fault("password", refused.text)
    return ask.page("reset_new.html", 422, form=form)


@router.get("/email/{token}", allow=PUBLIC)
def email_page(ask: Asked, token: str) -> Response:
    """A link that was mailed is opened by programs too: what it does waits for a button."""
    return ask.page("email_confirm.html", form=Form(ask, [], action=ask.url(f"/email/{token}"), verb=ask._("Use this e-mail address")))


@router.post("/email/{token}", allow=PUBLIC)
def email(ask: Asked, token: str) -> Response:
    try:
        ask.place.people.confirm_email(token, address=ask.visitor.address, now=ask.place.real_now())
    except PeopleRefused as refused:
        return spent(ask, refused)
    return ask.see("/login")
