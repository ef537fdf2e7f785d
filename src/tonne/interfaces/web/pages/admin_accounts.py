"""All accounts, opening them, admitting them to the exchange; and stopping harm: a freeze at once, confirmed by a second person or lifted."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

import numpy as np
import polars as pl
from fastapi.responses import Response

from tonne.administration.moments import when
from tonne.administration.permissions import ADMINISTRATOR, HELD
from tonne.interfaces.views import holdings
from tonne.interfaces.views.found import NotFound, holder_name, nearest
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.guard import ADMIN, AUDIT, pages
from tonne.interfaces.web.pages import admin_act as act
from tonne.interfaces.web.pages import admin_common as own
from tonne.interfaces.web.pages.admin_register import form_page
from tonne.interfaces.web.pages.common import cache_of
from tonne.interfaces.web.pages.standing import ACCOUNT_KINDS, REGISTRY_ACCOUNTS
from tonne.interfaces.web.problems import Problem, not_found, title
from tonne.interfaces.web.render import money, quantity
from tonne.interfaces.web.tables import Column, Filter
from tonne.interfaces.web.words import N_
from tonne.ledger import AccountFlag
from tonne.people import PeopleRefused

router = pages()
KINDS: dict[str, str] = {
    **ACCOUNT_KINDS,
    **REGISTRY_ACCOUNTS,
    "ccp": N_("Central counterparty"),
    "ccp_capital": N_("Central counterparty's capital"),
    "escrow": N_("Set aside"),
}
TRADING = ("trading", "operator", "remainder")


@router.get("/{system}/admin/accounts", allow=AUDIT)
def accounts(ask: Asked, system: str) -> Response:
    """Every account with its holder and state."""
    market = ask.market

    def made(state: Any) -> pl.DataFrame:
        flags = state.books.flags()
        register = state.accounts
        every = np.arange(len(register), dtype=np.int64)
        held = sum((state.books.balances(every, unit) for unit in state.allowance_units()), np.zeros(len(register), dtype=np.int64))
        rows = [
            {
                "account": register.ids[number],
                "kind": register.kinds[number],
                "holder": register.holders[number],
                "holder_name": holder_name(state, register.holders[number]),
                "units": int(held[number]),
                "admitted": "yes" if state.exchange.member(number) >= 0 else "",
                "state": state_of(register.ids[number] in state.freezes, int(flags[number])),
            }
            for number in range(len(register))
        ]
        schema = {
            "account": pl.String,
            "kind": pl.String,
            "holder": pl.String,
            "holder_name": pl.String,
            "units": pl.Int64,
            "admitted": pl.String,
            "state": pl.String,
        }
        return pl.DataFrame(rows, schema=schema)

    frame = market.cached("admin_accounts", made)
    columns = [
        Column("account", ask._("Account"), href=lambda row: ask.here(f"/admin/accounts/{row['account']}")),
        Column("kind", ask._("Kind"), show=lambda value, row: ask._(KINDS.get(value, value))),
        Column("holder_name", ask._("Holder")),
        Column("holder", ask._("Holder's id"), hidden=True),
        Column("units", ask._("Units held"), "quantity", market.rulebook.system.unit_code),
        Column("admitted", ask._("Trades"), show=lambda value, row: ask._("yes") if value else ""),
        Column("state", ask._("State"), "state"),
    ]
    kinds = frame["kind"].unique().sort().to_list()
    filters = [
        Filter("account", ask._("Account")),
        Filter("holder", ask._("Holder's id")),
        Filter("kind", ask._("Kind"), "choice", [(one, ask._(KINDS.get(one, one))) for one in kinds]),
        Filter(
            "state",
            ask._("State"),
            "choice",
            [("open", ask._("open")), ("frozen", ask._("frozen")), ("blocked", ask._("blocked")), ("closed", ask._("closed"))],
        ),
    ]
    ask.record("view", "all accounts", "shown")
    table = ask.table("accounts", ask._("Accounts"), frame, columns, filters=filters, empty=ask._("No account is open."))
    ways = [(ask.here("/admin/accounts/new"), ask._("Open an account")), (ask.here("/admin/freeze"), ask._("Freeze an account"))]
    return ask.page(
        "admin_list.html", table=table, admin_tabs=own.tabs(ask), heading=ask._("Accounts"), lead="", ways=ways if own.may(ask, "initiate") else []
    )


def state_of(frozen: bool, flags: int) -> str:
    if flags & AccountFlag.CLOSED:
        return "closed"
    return "frozen" if frozen else "blocked" if flags & AccountFlag.BLOCKED else "open"


def _open_form(ask: Ask) -> Form:
    fields = [
        Field("account", ask._("Id of the account"), hint=ask._("It never changes, and may be public.")),
        Field("kind", ask._("Kind"), "choice", value="trading", choices=[("trading", ask._("Trading account")), ("cash", ask._("Cash account"))]),
        Field("holder", ask._("Holder"), hint=ask._("Id of a registered participant.")),
    ]
    return Form(ask, fields, action=ask.here("/admin/accounts/new"), verb=ask._("Review"))


@router.get("/{system}/admin/accounts/new", allow=ADMIN)
def open_page(ask: Asked, system: str) -> Response:
    lead = ask._("Installations get theirs when they are registered.")
    return form_page(ask, _open_form(ask), ask._("Open an account"), lead, "/admin/accounts")


@router.post("/{system}/admin/accounts/new", allow=ADMIN.with_right("initiate"))
def open_account(ask: Asked, system: str) -> Response:
    form = _open_form(ask)
    if form.check():
        try:
            return act.review(
                ask, "open_account", form.values, back=ask.here("/admin/accounts/new"), then=f"/admin/accounts/{form.values['account']}"
            )
        except Problem as problem:
            form.fault("holder" if problem.name == "unknown_participant" else "account", problem.detail)
    return form_page(ask, form, ask._("Open an account"), "", "/admin/accounts", 422)


# -- one account


@router.get("/{system}/admin/accounts/{account}", allow=AUDIT)
def one_account(ask: Asked, system: str, account: str) -> Response:
    return _account(ask, account)


def _account(ask: Ask, name: str, status: int = 200, confirm: Form | None = None, lift: Form | None = None) -> Response:
    market = ask.market
    with market.read() as state:
        try:
            found = holdings.account(state, name, cache=cache_of(market))
        except NotFound:
            near = nearest(name, state.accounts.ids)
            raise not_found(name, [f"{market.system}/admin/accounts/{one}" for one in near]) from None
        number = state.accounts.number(name)
        frozen = dict(state.freezes[name]) if name in state.freezes else None
        if frozen is not None:  # as people read it: on the registry's clock by its name, not by its offset
            frozen |= {one: when(frozen[one]).astimezone(market.zone) for one in ("moment", "until", "confirm_by") if frozen[one]}
        venue = bool(state.exchange.venue)
        kind = state_of(frozen is not None, int(state.books.flags()[number]))
        monies = {one.code for one in state.books.unit_types if one.kind == "money"}
    ask.record("view", f"account {name}", "shown")
    people = ask.place.people
    names = people.names({one for one in ((frozen or {}).get("person"), (frozen or {}).get("confirmed")) if one})
    open_freeze = frozen is not None and frozen["confirmed"] is None
    return ask.page(
        "admin_account.html",
        status,
        found=found,
        kind=ask._(KINDS.get(found.kind, found.kind)),
        state_now=kind,
        admin_tabs=own.tabs(ask),
        frozen=frozen,
        names=names,
        balances=[(one.unit, str(money(one.held, one.unit)) if one.unit in monies else str(quantity(one.held))) for one in found.balances],
        may_freeze=own.may(ask, "initiate") and found.kind in HELD and kind == "open",
        may_admit=own.may(ask, "initiate") and venue and found.kind in TRADING and not found.admitted,
        may_confirm=open_freeze and own.may(ask, "approve") and frozen is not None and frozen["person"] != ask.visitor.person,
        waits=open_freeze and frozen is not None and frozen["person"] == ask.visitor.person,
        confirm=confirm or Form(ask, [own.code_field(ask)], action=ask.here(f"/admin/accounts/{name}/confirm"), verb=ask._("Confirm the freeze")),
        lift=lift or _lift_form(ask, name),
        may_lift=frozen is not None and own.may(ask, "initiate"),
        code_hint=own.code_hint(ask),
    )


def _lift_form(ask: Ask, name: str) -> Form:
    fields = [Field("reason", ask._("Why it is lifted")), own.code_field(ask)]
    return Form(ask, fields, action=ask.here(f"/admin/accounts/{name}/unfreeze"), verb=ask._("Lift the freeze"), danger=True)


@router.post("/{system}/admin/accounts/{account}/admit", allow=ADMIN.with_right("initiate"))
def admit(ask: Asked, system: str, account: str) -> Response:
    """To the exchange: it may trade, and where ticked what is margined."""
    body = {"account": account, "clearing": ask.form.get("clearing") == "yes"}
    return act.review(ask, "admit", body, back=ask.here(f"/admin/accounts/{account}"), then=f"/admin/accounts/{account}")


# -- freezes


def _freeze_form(ask: Ask) -> Form:
    fields = [
        Field("account", ask._("Account"), value=ask.query.get("account", ""), autocomplete="off"),
        Field("reason", ask._("Reason"), hint=ask._("Its holder and the auditors read it.")),
        Field("until", ask._("Until the end of"), "date", required=False, hint=ask._("Left out, it stands until somebody lifts it.")),
        Field("kill", ask._("Take its open orders out first, and let none in"), "checkbox", required=False, value="yes"),
        own.code_field(ask),
    ]
    return Form(ask, fields, action=ask.here("/admin/freeze"), verb=ask._("Freeze"), danger=True)


@router.get("/{system}/admin/freeze", allow=ADMIN)
def freeze_page(ask: Asked, system: str) -> Response:
    return _freeze(ask, _freeze_form(ask))


def _freeze(ask: Ask, form: Form, status: int = 200) -> Response:
    lead = ask._("Nothing leaves the account from this moment. Another administrator confirms it within 24 hours, or it lifts by itself.")
    return form_page(ask, form, ask._("Freeze an account"), lead, "/admin/accounts", status, code_hint=own.code_hint(ask))


@router.post("/{system}/admin/freeze", allow=ADMIN.with_right("initiate"))
def freeze(ask: Asked, system: str) -> Response:
    """At once, by one person."""
    form, market = _freeze_form(ask), ask.market
    if not form.check():
        return _freeze(ask, form, 422)
    values = form.values
    name, until = values["account"], values["until"]
    with market.read() as state:
        known, member = name in state.accounts, name in state.accounts and state.exchange.member(state.accounts.number(name)) >= 0
        near = [] if known else nearest(name, state.accounts.ids)
    if not known:
        form.fault("account", ask.say("No account has this id. Near it: %(near)s.", near=", ".join(near) or "-"))
        return _freeze(ask, form, 422)
    key = ask.key_of()
    if market.desk.administration.outcome_of(f"web:{ADMINISTRATOR}:{key}") is None:
        try:
            ask.confirm("freeze", name, values["reason"], until)
        except PeopleRefused as refused:
            if refused.name not in ("wrong_code", "code_used"):
                raise
            form.fault("code", refused.text)
            return _freeze(ask, form, 422)
    body = {"account": name, "reason": values["reason"], "moment": market.now().isoformat()}
    if until is not None:
        body["until"] = datetime.combine(until, time(23, 59, 59), market.zone).isoformat()
    try:
        if member and values["kill"]:
            ask.perform("orders", {"orders": [{"verb": "kill", "account": name}]}, key=f"{key}-kill", by=ADMINISTRATOR)
        ask.perform("freeze", body, key=key, by=ADMINISTRATOR)
    except Problem as problem:
        form.fault("until" if "until" in problem.detail else "account", problem.detail or title(problem.name, ask._))
        return _freeze(ask, form, 422)
    return ask.see(f"/{system}/admin/accounts/{name}")


def _by_code(ask: Ask, form: Form, *content: Any) -> bool:
    """Whether the form is whole and its code was right."""
    if not form.check():
        return False
    try:
        ask.confirm(*content)
    except PeopleRefused as refused:
        if refused.name not in ("wrong_code", "code_used"):
            raise
        form.fault("code", refused.text)
        return False
    return True


@router.post("/{system}/admin/accounts/{account}/confirm", allow=ADMIN.with_right("approve"))
def confirm(ask: Asked, system: str, account: str) -> Response:
    """The second person says that the freeze holds."""
    form = Form(ask, [own.code_field(ask)], action=ask.here(f"/admin/accounts/{account}/confirm"), verb=ask._("Confirm the freeze"))
    if not _by_code(ask, form, "confirm freeze", account):
        return _account(ask, account, 422, confirm=form)
    ask.perform("confirm_freeze", {"account": account, "moment": ask.market.now().isoformat()}, by=ADMINISTRATOR)
    return ask.see(f"/{system}/admin/accounts/{account}")


@router.post("/{system}/admin/accounts/{account}/unfreeze", allow=ADMIN.with_right("initiate"))
def unfreeze(ask: Asked, system: str, account: str) -> Response:
    form = _lift_form(ask, account)
    if not _by_code(ask, form, "unfreeze", account):
        return _account(ask, account, 422, lift=form)
    body = {"account": account, "reason": form.values["reason"], "moment": ask.market.now().isoformat()}
    ask.perform("unfreeze", body, by=ADMINISTRATOR)
    return ask.see(f"/{system}/admin/accounts/{account}")
