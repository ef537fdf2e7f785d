"""Moving units: whom they go to and when, told before anything else; then review, a second person, and the receipt, which tasks show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi.responses import HTMLResponse, Response

from tonne.administration import moments
from tonne.administration.permissions import HELD
from tonne.administration.trust import is_trusted
from tonne.interfaces.views import holdings
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.guard import TRADER, pages
from tonne.interfaces.web.pages import proposals
from tonne.interfaces.web.pages.accounts import monies
from tonne.interfaces.web.pages.standing import accounts_of
from tonne.interfaces.web.problems import Problem, title
from tonne.interfaces.web.render import moment as written
from tonne.interfaces.web.render import quantity

router = pages()
OTHER = "other"


@dataclass(frozen=True)
class When:
    """When a transfer would run that is approved now. runs None: at once."""

    target: str
    trusted: bool
    runs: datetime | None
    cancel_until: datetime | None
    trusted_from: datetime | None


@router.get("/{system}/transfers/new", allow=TRADER)
def new(ask: Asked, system: str) -> Response:
    """From, to, unit, quantity, reason."""
    sources = _sources(ask)
    form = _form(ask, sources, ask.query)
    return _page(ask, sources, form)


@router.post("/{system}/transfers/new", allow=TRADER.with_right("initiate"))
def reviewed(ask: Asked, system: str) -> Response:
    """On to the review, or only (`step` = when) what the law says about it."""
    sources = _sources(ask)
    form = _form(ask, sources, ask.form)
    if ask.form.get("step") == "when":
        return _page(ask, sources, form)
    _read(ask, sources, form)
    if form.errors:
        return _page(ask, sources, form, 422)
    values = form.values
    body = {"from": values["from"], "to": values["target"], "unit": values["unit"], "quantity": values["quantity"]}
    back = ask.here(
        "/transfers/new",
        **{"from": values["from"], "to": values["to"], "other": values["other"], "unit": values["unit"], "quantity": values["quantity"]},
    )
    try:
        return proposals.review(ask, "transfer", body, back=back, reason=values["reason"])
    except Problem as problem:
        name = {"unknown_account": "other" if values["to"] == OTHER else "to", "insufficient_balance": "quantity", "unknown_unit_type": "unit"}
        form.fault(
            name.get(problem.name, "to" if problem.name in ("not_permitted", "same_account") else "quantity"),
            f"{title(problem.name, ask._)}: {problem.detail}",
        )
        return _page(ask, sources, form, problem.status if problem.status != 404 else 422)


def _read(ask: Ask, sources: Mapping[str, holdings.Account], form: Form) -> None:
    """Checks what was sent; `target` is the account that is meant, `quantity` what is meant by all."""
    form.check()
    values = form.values
    values["target"] = values.get("other", "") if values.get("to") == OTHER else values.get("to", "")
    if values.get("to") == OTHER and not values.get("other"):
        form.fault("other", ask._("Write the account's number."))
    source = sources.get(values.get("from", ""))
    if source is None or form.errors:
        return
    there = next((one.available for one in source.balances if one.unit == values["unit"]), 0)
    if values["all"]:
        values["quantity"] = there
        form["quantity"].value = str(there)
    if not values["quantity"]:
        form.fault("quantity", ask._("Say how many, or tick all."))
    elif values["quantity"] > there:
        aside = next((one.reserved for one in source.balances if one.unit == values["unit"]), 0)
        said = {"account": source.account, "held": quantity(there + aside), "reserved": quantity(aside), "there": quantity(there)}
        form.fault("quantity", ask.say("Account %(account)s holds %(held)s, of which %(reserved)s are reserved. Available: %(there)s.", **said))


def _sources(ask: Ask) -> dict[str, holdings.Account]:
    """Own accounts with units that can go."""
    return {one.account: one for one in accounts_of(ask) if any(row.kind != "money" and row.available for row in one.balances)}


def _form(ask: Ask, sources: Mapping[str, holdings.Account], given: Mapping[str, Any]) -> Form:
    source = sources.get(str(given.get("from", ""))) or next(iter(sources.values()), None)
    units = {row.unit: row.available for one in sources.values() for row in one.balances if row.kind != "money"}
    here = {row.unit: row.available for row in source.balances} if source is not None else {}
    shown = {unit: here.get(unit, 0) for unit in units}
    left = ask._("%(unit)s, %(there)s available")
    fields = [
        Field(
            "from",
            ask._("From"),
            "choice",
            choices=[(name, _told(ask, one)) for name, one in sources.items()],
            value=source.account if source else "",
        ),
        Field(
            "to",
            ask._("To"),
            "choice",
            choices=_targets(ask, source),
            hint=ask._("Your own accounts and trusted ones first."),
            value=given.get("to", ""),
        ),
        Field(
            "other",
            ask._("Number of the other account"),
            required=False,
            hint=ask._("Only where it is not on the list above."),
            value=given.get("other", ""),
        ),
        Field(
            "unit",
            ask._("Unit"),
            "choice",
            choices=[(unit, left % {"unit": unit, "there": quantity(there)}) for unit, there in shown.items()],
            value=given.get("unit", "") or next((unit for unit, there in shown.items() if there), ""),
        ),
        Field("quantity", ask._("Quantity"), "number", required=False, value=given.get("quantity", "")),
        Field("all", ask._("All that is available"), "checkbox", required=False),
        Field("reason", ask._("Reason"), required=False, hint=ask._("The second person reads it.")),
    ]
    return Form(ask, fields, action=ask.here("/transfers/new"), verb=ask._("Review"))


def _told(ask: Ask, one: holdings.Account) -> str:
    held = ", ".join(f"{quantity(row.available)} {row.unit}" for row in one.balances if row.unit not in monies(ask))
    return f"{one.account} ({held})"


def _targets(ask: Ask, source: holdings.Account | None) -> list[tuple[str, str]]:
    """Own accounts, trusted ones, and the way to any other."""
    if source is None:
        return [(OTHER, ask._("Another account"))]
    with ask.market.read() as state:
        number, now = state.accounts.number(source.account), ask.market.now()
        kinds, ids = state.accounts.kinds, state.accounts.ids
        own = [
            ids[one]
            for one in state.accounts.of_holder(source.holder)
            if one != number and kinds[one] in HELD and kinds[one] not in ("cash", "collateral")
        ]
        listed = {name: is_trusted(state, number, state.accounts.number(name), now) for name in state.trusted.get(source.account, {})}
    found = [(name, ask.say("%(account)s, your own", account=name)) for name in own]
    found += [(name, ask.say("%(account)s, trusted", account=name)) for name, counts in listed.items() if counts]
    found += [(name, ask.say("%(account)s, not trusted yet", account=name)) for name, counts in listed.items() if not counts]
    return [*found, (OTHER, ask._("Another account"))]


def when_of(ask: Ask, source: str, target: str) -> When | None:
    """When a transfer between two accounts would run, approved now. None where one of them is not known or not the visitor's."""
    market = ask.market
    with market.read() as state:
        here, there = state.accounts.find(source), state.accounts.find(target)
        if (
            here < 0
            or there < 0
            or here == there
            or state.accounts.holders[here] != ask.visitor.participant
            or state.accounts.kinds[there] not in HELD
        ):
            return None
        now, country = market.now(), moments.country_of(state, here)
        trusted = is_trusted(state, here, there, now)
        runs = moments.runs_at(state, now, trusted, country)
        later = runs > now
        counts = None if trusted else moments.trusted_from(state, now, state.accounts.kinds[here], country)
        until = moments.cancellable_until(state, runs, now.date()) if later else None
    zone = market.zone
    shown = [None if moment is None or not later else moment.astimezone(zone) for moment in (runs, until, counts)]
    return When(target, trusted, *shown)


def _said(ask: Ask, found: When | None, asked: str) -> tuple[str, str, str]:
    """(kind of notice, title, text) of the line that comes before anything else."""
    if found is None:
        return (
            ("neutral", ask._("Choose whom it goes to"), ask._("Then this line says when it leaves."))
            if not asked
            else ("warning", ask._("No such account"), asked)
        )
    if found.runs is None:
        return (
            "success",
            ask._("Leaves as soon as a second person approves"),
            ask.say("%(account)s is trusted.", account=found.target) if found.trusted else "",
        )
    lead = "" if found.trusted else ask.say("%(account)s is not on your trusted list.", account=found.target) + " "
    text = lead + ask.say("You can cancel until %(moment)s.", moment=written(found.cancel_until))
    if found.trusted_from is not None:
        text += " " + ask.say("Put on the list now, it is trusted from %(moment)s.", moment=written(found.trusted_from))
    return "info" if found.trusted else "warning", ask.say("Units leave %(moment)s, if approved now", moment=written(found.runs)), text


def _asked(given: Mapping[str, Any]) -> str:
    to = str(given.get("to", ""))
    return str(given.get("other", "")).strip() if to == OTHER else to


def _page(ask: Ask, sources: Mapping[str, holdings.Account], form: Form, status: int = 200) -> Response:
    target = _asked({field.name: field.value for field in form.fields})
    when = when_of(ask, str(form["from"].value or ""), target) if target else None
    ask.record("view", "new transfer", "shown")
    return ask.page("transfer_new.html", status, form=form, sources=sources, when=_said(ask, when, target))


@router.get("/{system}/transfers/when", allow=TRADER)
def when(ask: Asked, system: str) -> HTMLResponse:
    """The one line, for a form that is being filled in."""
    target = _asked(ask.query)
    found = when_of(ask, ask.query.get("from", ""), target) if target else None
    return ask.page("transfer_when.html", when=_said(ask, found, target))


def habits(ask: Ask, effect: Mapping[str, Any]) -> list[str]:
    """What is unusual about moves, beside what went from that account before: nothing where too little did to say."""
    found = []
    for move in effect.get("moves", ())[:3]:
        with ask.market.read() as state:
            if state.accounts.find(move["from"]) < 0:
                continue
            frame = holdings.statement(state, move["from"], unit=move["unit"], kind="transfer")
        sizes = sorted(row["quantity"] for row in frame.to_dicts() if row["direction"] == "out")
        usual = sizes[len(sizes) // 2] if len(sizes) >= 3 else 0
        if usual and move["quantity"] >= 3 * usual:
            found.append(
                ask.say(
                    "%(times)s times your usual size: half of your transfers were of %(usual)s or less.",
                    times=move["quantity"] // usual,
                    usual=quantity(usual),
                )
            )
    return found
