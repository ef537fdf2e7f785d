"""Signing in, in two steps, and out; for whom somebody acts; staying signed in."""

from __future__ import annotations

from fastapi.responses import Response

from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.guard import PERSON, PUBLIC, pages
from tonne.interfaces.web.problems import Problem
from tonne.people import PeopleRefused

router = pages()
DEVICE_AGE = 365 * 86_400
PENDING = "tonne-step"


def safe_next(path: str) -> str:
    """Where to go afterwards: a path of ours and nothing else."""
    bad = (
        not path.startswith("/") or path.startswith(("//", "/\\")) or any(ord(letter) < 32 or letter == "\\" for letter in path) or len(path) > 2_000
    )
    return "/" if bad else path


def _login_form(ask: Ask) -> Form:
    fields = [
        Field("email", ask._("E-mail address"), "email", autocomplete="username"),
        Field("password", ask._("Password"), "password", autocomplete="current-password"),
        Field("next", kind="hidden", required=False),
    ]
    return Form(ask, fields, action=ask.url("/login"), verb=ask._("Go on"), next=safe_next(ask.query.get("next", "/")))


@router.get("/login", allow=PUBLIC)
def login_page(ask: Asked) -> Response:
    """The first step: e-mail address and password."""
    if ask.visitor.signed_in:
        return ask.see(safe_next(ask.query.get("next", "/")))
    return _login(ask, _login_form(ask))


def _login(ask: Ask, form: Form, status: int = 200) -> Response:
    return ask.page(
        "login.html",
        status,
        form=form,
        personas=ask.place.demo.logins if ask.place.demo is not None else (),
        oidc=bool(ask.place.settings.oidc_issuer),
    )


@router.post("/login", allow=PUBLIC)
def login(ask: Asked) -> Response:
    """Password proven, the second step is asked for. The same answer, in the same time, whether the address is known or not."""
    form = _login_form(ask)
    if not form.check():
        return _login(ask, form, 422)
    people, now = ask.place.people, ask.place.real_now()
    device = ask.cookie("tonne-device") or people.new_device()
    try:
        found = people.login(
            form.values["email"],
            form.values["password"],
            address=ask.visitor.address,
            agent=ask.request.headers.get("user-agent", "")[:200],
            device=device,
            now=now,
        )
    except PeopleRefused as refused:
        if refused.name not in ("wrong_login", "bad_value"):
            raise
        form.fault("password", ask._("E-mail address or password is not right."))
        return _login(ask, form, 422)
    ask.set_cookie("tonne-device", device, DEVICE_AGE)
    ask.set_cookie(PENDING, found.token, 600)
    ask.set_cookie("tonne", "")
    return ask.see("/login/enrol" if found.session.stage == "enrol" else "/login/factor", next=safe_next(form.values["next"]))


def _factor_form(ask: Ask) -> Form:
    fields = [
        Field("code", ask._("Code of your app"), "code", hint=ask._("Six digits, or one of your recovery codes.")),
        Field("end_oldest", ask._("End my oldest session, if too many are open"), "checkbox", required=False),
        Field("next", kind="hidden", required=False),
    ]
    return Form(ask, fields, action=ask.url("/login/factor"), verb=ask._("Sign in"), next=safe_next(ask.query.get("next", "/")))


@router.get("/login/factor", allow=PUBLIC)
def factor_page(ask: Asked) -> Response:
    """The second step: a code."""
    return _factor(ask, _factor_form(ask))


def _factor(ask: Ask, form: Form, status: int = 200) -> Response:
    hint = ask.place.demo.code_of_token(ask.cookie(PENDING)) if ask.place.demo is not None else ""
    return ask.page("factor.html", status, form=form, code_hint=hint)


@router.post("/login/factor", allow=PUBLIC)
def factor(ask: Asked) -> Response:
    """Signed in: under a new token, the first step's is dead."""
    form = _factor_form(ask)
    if not form.check():
        return _factor(ask, form, 422)
    people, now = ask.place.people, ask.place.real_now()
    try:
        found = people.prove(
            ask.cookie(PENDING), form.values["code"], address=ask.visitor.address, end_oldest=bool(form.values["end_oldest"]), now=now
        )
    except PeopleRefused as refused:
        if refused.name in ("no_session", "expired", "ended"):
            return ask.see("/login", next=form.values["next"])
        if refused.name == "too_many_sessions":
            form.fault("end_oldest", ask._("As many sessions are open as you may have: end the oldest to go on."))
        elif refused.name in ("wrong_code", "code_used", "too_early"):
            form.fault("code", refused.text)
        else:
            raise
        return _factor(ask, form, 422)
    return welcomed(ask, found, form.values["next"])


def welcomed(ask: Ask, login: object, following: str) -> Response:
    """The session begins: acting for the only membership where there is one."""
    people, now = ask.place.people, ask.place.real_now()
    session, token = login.session, login.token  # type: ignore[attr-defined]
    ask.set_cookie(PENDING, "")
    if session.stage == "enrol":
        ask.set_cookie(PENDING, token, 600)
        return ask.see("/login/enrol", next=following)
    ask.set_cookie("tonne", token)
    if session.acting is None and session.memberships:
        session = people.act_as(token, session.memberships[0].id, now=now)
    path = safe_next(following)
    if path == "/" and session.acting is not None and session.acting.system in ask.place.halls:
        path = f"/{session.acting.system}/home"
    return ask.see(path)


@router.post("/logout", allow=PERSON)
def logout(ask: Asked) -> Response:
    """Signed out; the browser forgets what it kept."""
    ask.place.people.logout(ask.visitor.token, now=ask.place.real_now())
    ask.place.hub.end()
    ask.set_cookie("tonne", "")
    answer = ask.see("/")
    answer.headers["clear-site-data"] = '"cache", "storage"'
    return answer


@router.post("/session/extend", allow=PERSON)
def extend(ask: Asked) -> Response:
    """One more quarter of an hour: being asked is enough."""
    ends = ask.place.people.idle_ends_at(ask.visitor.token, ask.place.real_now())
    return ask.json({"ends": ends.isoformat()})


@router.post("/act", allow=PERSON)
def act(ask: Asked) -> Response:
    """Act for another organisation, or in another market: said aloud, never by itself."""
    chosen = str(ask.form.get("membership", ""))
    found = next((one for one in ask.visitor.memberships if one.id == chosen), None)
    if found is None:
        raise Problem(404, "not_found")
    ask.place.people.act_as(ask.visitor.token, chosen, now=ask.place.real_now())
    return ask.see(f"/{found.system}/home" if found.system in ask.place.halls else "/")
