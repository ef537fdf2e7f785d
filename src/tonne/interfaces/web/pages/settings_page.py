"""A person's own affairs: language, looks, password, second factor, sessions, messages."""

from __future__ import annotations

from fastapi.responses import Response

from tonne.interfaces.web import letters
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.guard import PERSON, pages
from tonne.interfaces.web.pages.account import new_password, same_twice
from tonne.interfaces.web.words import LANGUAGES
from tonne.people import PeopleRefused

router = pages()
SHOWN = 50


@router.get("/settings", allow=PERSON)
def settings(ask: Asked) -> Response:
    return _settings(ask)


def _settings(ask: Ask, status: int = 200, **forms: Form) -> Response:
    people, now, visitor = ask.place.people, ask.place.real_now(), ask.visitor
    return ask.page(
        "settings.html",
        status,
        looks=forms.get("looks") or _looks(ask),
        password=forms.get("password") or _password(ask),
        codes=forms.get("codes") or _codes(ask),
        email=forms.get("email") or _email(ask),
        person=visitor.session.person,
        sessions=people.sessions_of(visitor.person, now),
        mine=visitor.session.id,
        left=people.recovery_codes_left(visitor.person),
        replacement=people.replacement_effective_at(visitor.person),
        messages=[letters.told(one, ask._) for one in people.messages(visitor.person, limit=SHOWN).rows],
        code_hint=ask.place.demo.code_for(visitor) if ask.place.demo is not None else "",
    )


def _looks(ask: Ask) -> Form:
    fields = [Field("language", ask._("Language"), "choice", choices=[(code, own) for code, (own, _) in LANGUAGES.items()])]
    return Form(ask, fields, action=ask.url("/settings/looks"), verb=ask._("Save"), language=ask.visitor.session.person.language)


def _password(ask: Ask) -> Form:
    fields = [Field("old", ask._("Present password"), "password", autocomplete="current-password"), *new_password(ask)]
    return Form(ask, fields, action=ask.url("/settings/password"), verb=ask._("Change the password"))


def _codes(ask: Ask) -> Form:
    return Form(ask, [Field("code", ask._("Code of your app"), "code")], action=ask.url("/settings/codes"), verb=ask._("Make new recovery codes"))


def _email(ask: Ask) -> Form:
    fields = [Field("email", ask._("New e-mail address"), "email", autocomplete="email"), Field("code", ask._("Code of your app"), "code")]
    return Form(ask, fields, action=ask.url("/settings/email"), verb=ask._("Send a link there"))


@router.post("/settings/looks", allow=PERSON)
def looks(ask: Asked) -> Response:
    form = _looks(ask)
    if not form.check():
        return _settings(ask, 422, looks=form)
    ask.place.people.set_language(ask.visitor.person, form.values["language"], by=ask.who(), now=ask.place.real_now())
    return ask.see("/settings")


@router.post("/settings/password", allow=PERSON)
def password(ask: Asked) -> Response:
    """A new password for the old one; other open sessions can be ended afterwards."""
    form = _password(ask)
    if same_twice(ask, form):
        try:
            ask.place.people.change_password(
                ask.visitor.token, form.values["old"], form.values["password"], address=ask.visitor.address, now=ask.place.real_now()
            )
            return ask.see("/settings", changed="password")
        except PeopleRefused as refused:
            if refused.name not in ("wrong_password", "weak_password"):
                raise
            form.fault("old" if refused.name == "wrong_password" else "password", refused.text)
    return _settings(ask, 422, password=form)


@router.post("/settings/codes", allow=PERSON)
def codes(ask: Asked) -> Response:
    form = _codes(ask)
    if form.check():
        try:
            login, made = ask.place.people.new_recovery_codes(
                ask.visitor.token, form.values["code"], address=ask.visitor.address, now=ask.place.real_now()
            )
            ask.set_cookie("tonne", login.token)
            return ask.page("recovery_codes.html", codes=made, following=ask.url("/settings"))
        except PeopleRefused as refused:
            if refused.name not in ("wrong_code", "code_used"):
                raise
            form.fault("code", refused.text)
    return _settings(ask, 422, codes=form)


@router.post("/settings/email", allow=PERSON)
def email(ask: Asked) -> Response:
    form = _email(ask)
    if form.check():
        try:
            login = ask.place.people.change_email(
                ask.visitor.token, form.values["email"], form.values["code"], address=ask.visitor.address, now=ask.place.real_now()
            )
            ask.set_cookie("tonne", login.token)
            return ask.see("/settings", changed="email")
        except PeopleRefused as refused:
            if refused.name not in ("wrong_code", "code_used", "bad_value"):
                raise
            form.fault("email" if refused.name == "bad_value" else "code", refused.text)
    return _settings(ask, 422, email=form)


@router.post("/settings/sessions/{session}/end", allow=PERSON)
def end_session(ask: Asked, session: str) -> Response:
    ask.place.people.end_session(ask.visitor.token, session, now=ask.place.real_now())
    return ask.see("/settings")


@router.post("/settings/sessions/end-others", allow=PERSON)
def end_others(ask: Asked) -> Response:
    ask.place.people.end_other_sessions(ask.visitor.token, now=ask.place.real_now())
    return ask.see("/settings")


@router.post("/settings/messages/read", allow=PERSON)
def read(ask: Asked) -> Response:
    ask.place.people.mark_read(ask.visitor.person, now=ask.place.real_now())
    return ask.see("/settings")


@router.post("/settings/replacement/cancel", allow=PERSON)
def cancel_replacement(ask: Asked) -> Response:
    """Somebody began to replace a factor that is not lost: stop it."""
    ask.place.people.cancel_replacement(ask.visitor.person, by=ask.who(), now=ask.place.real_now())
    return ask.see("/settings")
