"""The people of an organisation, their rights, its API keys."""

from __future__ import annotations

from datetime import timedelta

from fastapi.responses import Response

from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.guard import ANY_MEMBER, RIGHTS, pages
from tonne.interfaces.web.problems import not_found
from tonne.interfaces.web.words import N_
from tonne.people import PeopleRefused

router = pages()
MEANT: dict[str, str] = {
    "read": N_("see everything of the organisation"),
    "initiate": N_("propose transfers and surrenders, file reports"),
    "approve": N_("approve what others proposed"),
    "trade": N_("place orders and bids"),
    "manage": N_("invite people, give rights, make keys"),
    "audit": N_("read the log and the trail"),
}
DAYS_MOST = 365
#: Who moves units, for which two persons are needed.
MOVERS = ("operator", "trader", "administrator")


@router.get("/{system}/organisation", allow=ANY_MEMBER)
def organisation(ask: Asked, system: str) -> Response:
    return _organisation(ask)


def _organisation(ask: Ask, status: int = 200, invite: Form | None = None, key: Form | None = None, made: str = "") -> Response:
    people, visitor = ask.place.people, ask.visitor
    members = people.members_of(ask.market.system, visitor.participant, all_states=True)
    rows = [(member, people.person(member.person)) for member in members if member.state != "ended"]
    ask.record("view", f"people of {visitor.participant}", "shown")
    return ask.page(
        "organisation.html",
        status,
        rows=rows,
        keys=people.keys_of(system=ask.market.system, participant=visitor.participant),
        may_manage="manage" in visitor.rights,
        invite=invite or _invite(ask),
        key_form=key or _key(ask),
        made=made,
        meant={right: ask._(text) for right, text in MEANT.items()},
        alone=visitor.role in MOVERS and sum(bool(member.rights & {"approve", "initiate"}) for member, _ in rows if member.state == "active") < 2,
        code_hint=ask.place.demo.code_for(visitor) if ask.place.demo is not None else "",
    )


def _ticks(ask: Ask, rights: tuple[str, ...]) -> list[Field]:
    return [Field(f"right_{right}", ask._(MEANT[right]), "checkbox", required=False) for right in rights]


def _chosen(form: Form) -> set[str]:
    return {name.removeprefix("right_") for name, value in form.values.items() if name.startswith("right_") and value}


def _code(ask: Ask) -> Field:
    return Field("code", ask._("Code of your app"), "code")


def _invite(ask: Ask) -> Form:
    rights = RIGHTS if ask.visitor.role == "administrator" else RIGHTS[:-1]
    fields = [
        Field("email", ask._("E-mail address"), "email", autocomplete="off"),
        Field("name", ask._("Name"), autocomplete="off"),
        *_ticks(ask, rights),
        _code(ask),
    ]
    return Form(ask, fields, action=ask.here("/organisation/invite"), verb=ask._("Invite"))


@router.post("/{system}/organisation/invite", allow=ANY_MEMBER.with_right("manage"))
def invite(ask: Asked, system: str) -> Response:
    """Somebody new, or somebody known, with rights for this organisation. The letter with the link goes to them alone."""
    form, people, now = _invite(ask), ask.place.people, ask.place.real_now()
    if form.check() and not _chosen(form):
        form.fault("right_read", ask._("Choose at least one right."))
    if not form.errors:
        email, rights = form.values["email"], sorted(_chosen(form) | {"read"})
        try:
            ask.confirm("invite", email, *rights)
            known = people.person_of_email(email)
            person = known or people.add_person(email, form.values["name"], language=ask.language, by=ask.who(), now=now)
            people.grant(person.id, system, ask.visitor.participant, rights, by=ask.who(), now=now)
            if not person.has_password:
                people.invite(person.id, by=ask.who(), now=now)
            return ask.see(f"/{system}/organisation")
        except PeopleRefused as refused:
            if refused.name in ("wrong_code", "code_used"):
                form.fault("code", refused.text)
            elif refused.name in ("bad_value", "same_person", "not_permitted"):
                form.fault(refused.field if refused.field in ("email", "name") else "email", refused.text)
            else:
                raise
    return _organisation(ask, 422, invite=form)


@router.post("/{system}/organisation/{membership}/end", allow=ANY_MEMBER.with_right("manage"))
def end(ask: Asked, system: str, membership: str) -> Response:
    """Their rights end at once, their sessions and keys with them."""
    _require_own(ask, membership)
    ask.place.people.revoke(membership, by=ask.who(), now=ask.place.real_now())
    return ask.see(f"/{system}/organisation")


@router.post("/{system}/organisation/{membership}/suspend", allow=ANY_MEMBER.with_right("manage"))
def suspend(ask: Asked, system: str, membership: str) -> Response:
    _require_own(ask, membership)
    ask.place.people.suspend_membership(membership, by=ask.who(), now=ask.place.real_now())
    return ask.see(f"/{system}/organisation")


@router.post("/{system}/organisation/{membership}/restore", allow=ANY_MEMBER.with_right("manage"))
def restore(ask: Asked, system: str, membership: str) -> Response:
    """Rights come back: a change of who may act, so it asks for a code like an invitation."""
    _require_own(ask, membership)
    ask.confirm("restore", membership)
    ask.place.people.restore_membership(membership, by=ask.who(), now=ask.place.real_now())
    return ask.see(f"/{system}/organisation")


@router.post("/{system}/organisation/{membership}/replace-factor", allow=ANY_MEMBER.with_right("manage"))
def replace_factor(ask: Asked, system: str, membership: str) -> Response:
    """A lost authenticator: a code to be handed over by another way than mail. It works only after a wait, and the person can stop it."""
    member = _require_own(ask, membership)
    ask.confirm("replace-factor", membership)
    made = ask.place.people.replace_factor(member.person, by=ask.who(), now=ask.place.real_now())
    return ask.page("replacement.html", person=ask.place.people.person(member.person), made=made)


def _require_own(ask: Ask, membership: str) -> object:
    members = ask.place.people.members_of(ask.market.system, ask.visitor.participant, all_states=True)
    found = next((one for one in members if one.id == membership), None)
    if found is None:
        raise not_found(membership)
    return found


# -- keys


def _key(ask: Ask) -> Form:
    rights = tuple(right for right in RIGHTS if right in ask.visitor.rights and right not in ("approve", "manage"))
    fields = [
        Field("label", ask._("What it is for")),
        Field("days", ask._("Days that it works"), "number", value="365", most=DAYS_MOST),
        *_ticks(ask, rights),
        _code(ask),
    ]
    return Form(ask, fields, action=ask.here("/organisation/keys"), verb=ask._("Make a key"))


@router.post("/{system}/organisation/keys", allow=ANY_MEMBER.with_right("manage"))
def make_key(ask: Asked, system: str) -> Response:
    """A key for programs. It is shown once; what is stored is its hash."""
    form = _key(ask)
    if form.check() and not _chosen(form):
        form.fault("label", ask._("Choose at least one right."))
    if not form.errors:
        scopes = sorted(_chosen(form))
        try:
            ask.confirm("key", form.values["label"], *scopes)
            session = ask.place.people.session(ask.new_token or ask.visitor.token, ask.place.real_now())
            secret, _key_made = ask.place.people.create_key(
                session,
                form.values["label"],
                scopes,
                lifetime=timedelta(days=form.values["days"]),
                address=ask.visitor.address,
                now=ask.place.real_now(),
            )
            return _organisation(ask, made=secret)
        except PeopleRefused as refused:
            if refused.name in ("wrong_code", "code_used"):
                form.fault("code", refused.text)
            elif refused.name in ("bad_value", "too_many_keys", "not_permitted"):
                form.fault("label", refused.text)
            else:
                raise
    return _organisation(ask, 422, key=form)


@router.post("/{system}/organisation/keys/{key}/revoke", allow=ANY_MEMBER.with_right("manage"))
def revoke_key(ask: Asked, system: str, key: str) -> Response:
    keys = ask.place.people.keys_of(system=ask.market.system, participant=ask.visitor.participant)
    if key not in {one.id for one in keys}:
        raise not_found(key)
    ask.place.people.revoke_key(key, by=ask.who(), now=ask.place.real_now())
    return ask.see(f"/{system}/organisation")
