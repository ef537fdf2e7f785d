"""Everything irreversible: proposed with its effect shown, confirmed by a fresh second factor, approved by a second person, then its receipt.

A page that wants units moved calls `review`; what comes after is here, the same for every kind.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from fastapi.responses import Response
from itsdangerous import BadSignature, Signer

from tonne.administration.commands import Command
from tonne.administration.permissions import ADMINISTRATOR
from tonne.administration.refusals import Refusal
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.guard import HOLDER, VERIFIER, Allow, pages
from tonne.interfaces.web.pages.login import safe_next
from tonne.interfaces.web.problems import Problem, not_found, status_of
from tonne.interfaces.web.rights import without_right
from tonne.interfaces.web.tables import Column, Filter
from tonne.interfaces.web.words import N_
from tonne.people import PeopleRefused

router = pages()
TASKERS = Allow(HOLDER.roles | VERIFIER.roles)
CONTENT_MOST = 200_000
#: Nobody reads faster than that: approving sooner is a script's doing.
READING_S, SHOWN_FOR_S = 1, 86_400
VERBS: dict[str, str] = {
    "transfer": N_("Transfer"),
    "surrender": N_("Surrender"),
    "cancel": N_("Cancel units"),
    "withdraw": N_("Take money out"),
    "trust_account": N_("Trust an account"),
    "distrust_account": N_("No longer trust an account"),
    "purchase": N_("Pay at the law's price"),
    "report": N_("Report emissions"),
    "verify": N_("Verify a report"),
    "deposit": N_("Pay money in"),
    "set_account_flags": N_("Block or free an account"),
    "close_installation": N_("Close an installation"),
    "correct_report": N_("Correct a verified report"),
    "amend": N_("Amend the law"),
}
STATES: dict[str, str] = {
    "awaiting_approval": N_("awaiting approval"),
    "scheduled": N_("scheduled"),
    "completed": N_("completed"),
    "rejected": N_("rejected"),
    "cancelled": N_("cancelled"),
    "expired": N_("expired"),
    "refused": N_("refused"),
}


# -- propose


def review(
    ask: Ask, verb: str, body: Mapping[str, Any], tables: Mapping[str, Sequence[Mapping[str, Any]]] | None = None, *, back: str, reason: str = ""
) -> Response:
    """The page that shows what a command will do, before a second factor sends it. back: the form's address, for a second thought.

    Raises Problem with the clerk's own name where it would be refused.
    """
    content = {"verb": verb, "body": dict(body), "tables": dict(tables or {}), "reason": reason, "back": back}
    return _reviewed(ask, content, Form(ask, [_code_field(ask)]))


def _code_field(ask: Ask) -> Field:
    return Field(
        "code", ask._("Code of your app"), "code", hint=ask._("It confirms exactly what stands above; after a change it is asked for again.")
    )


def _reviewed(ask: Ask, content: Mapping[str, Any], form: Form, status: int = 200) -> Response:
    effect = effect_of(ask, content)
    form.verb = ask._(VERBS[content["verb"]])
    form.action = ask.here("/propose")
    return ask.page(
        "review.html",
        status,
        content=content,
        text=json.dumps(content, ensure_ascii=False, sort_keys=True),
        effect=effect,
        form=form,
        sentence=sentence(ask, content["verb"], content["body"], effect),
        verb=ask._(VERBS[content["verb"]]),
        back=content["back"],
        unusual=_unusual(ask, content["verb"], effect),
        code_hint=ask.place.demo.code_for(ask.visitor) if ask.place.demo is not None else "",
    )


def _unusual(ask: Ask, verb: str, effect: Mapping[str, Any]) -> list[str]:
    """How a transfer differs from those before it, in sentences."""
    if verb != "transfer":
        return []
    from tonne.interfaces.web.pages.transfers import habits

    return habits(ask, effect)


def effect_of(ask: Ask, content: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the proposal would do, as the clerk says before it is sent. Raises Problem with the clerk's name of the refusal."""
    market = ask.market
    command = Command("preview", "propose", ask.visitor.participant, market.today, _body(ask, content))
    try:
        effect: Mapping[str, Any] = market.preview(command).events[0]["effect"]
    except Refusal as refusal:
        raise Problem(status_of(refusal.name), refusal.name, refusal.reason) from None
    return effect


def _body(ask: Ask, content: Mapping[str, Any]) -> dict[str, Any]:
    body = {"verb": content["verb"], "body": content["body"], "person": ask.visitor.person, "moment": ask.market.now().isoformat()}
    if content.get("tables"):
        body["tables"] = content["tables"]
    if content.get("reason"):
        body["reason"] = content["reason"]
    return body


@router.post("/{system}/propose", allow=TASKERS.with_right("initiate"))
def propose(ask: Asked, system: str) -> Response:
    """Send what was reviewed. The code is bound to exactly this content."""
    content = _content(ask)
    form = Form(ask, [_code_field(ask)])
    if ask.market.desk.administration.outcome_of(f"web:{ask.visitor.participant}:{ask.key_of()}") is None:
        if not form.check():
            return _reviewed(ask, content, form, 422)
        try:
            ask.confirm(json.dumps(content, sort_keys=True))
        except PeopleRefused as refused:
            if refused.name not in ("wrong_code", "code_used"):
                raise
            form.fault("code", refused.text)
            return _reviewed(ask, content, form, 422)
    receipt = ask.perform("propose", {name: value for name, value in _body(ask, content).items() if name != "person"})
    return ask.see(f"/{system}/tasks/{receipt.command_id}")


def _content(ask: Ask) -> dict[str, Any]:
    text = str(ask.form.get("content", ""))
    try:
        content = json.loads(text) if len(text) <= CONTENT_MOST else None
    except (ValueError, RecursionError):
        content = None
    shaped = (
        isinstance(content, dict)
        and isinstance(content.get("verb"), str)
        and content["verb"] in VERBS
        and isinstance(content.get("body"), dict)
        and isinstance(content.get("tables"), dict)
    )
    if not shaped:
        raise Problem(422, "malformed", ask._("What was reviewed did not arrive whole; begin again."))
    assert isinstance(content, dict)
    content["back"] = safe_next(str(content.get("back", "")))
    return content


def sentence(ask: Ask, verb: str, body: Mapping[str, Any], effect: Mapping[str, Any]) -> str:
    """What will happen, in one sentence a person can read aloud."""
    from tonne.interfaces.web.render import quantity

    moves = effect.get("moves") or []
    units = ", ".join(f"{quantity(move['quantity'])} {move['unit']}" for move in moves[:3]) + (" \u2026" if len(moves) > 3 else "")
    if verb == "transfer" and moves:
        return ask.say(
            "Transfer %(units)s from account %(source)s to account %(target)s.", units=units, source=moves[0]["from"], target=moves[0]["to"]
        )
    if verb == "surrender" and moves:
        return ask.say("Surrender %(units)s for the emissions of %(year)s. Surrendered units do not come back.", units=units, year=body.get("year"))
    if verb == "cancel" and moves:
        return ask.say("Cancel %(units)s for good. This meets no obligation.", units=units)
    if verb == "trust_account":
        return ask.say(
            "Trust account %(target)s: transfers to it from %(account)s then run at once.", target=body.get("target"), account=body.get("account")
        )
    if verb == "distrust_account":
        return ask.say("Stop trusting account %(target)s, at once.", target=body.get("target"))
    if verb == "amend":
        value = (
            ask._("repealed")
            if body.get("value") is None and not body.get("grows")
            else json.dumps(body.get("value") or body.get("grows"), ensure_ascii=False)
        )
        told = {"parameter": body.get("parameter"), "value": value.strip('"')[:1_000], "day": body.get("from"), "source": body.get("source")}
        return ask.say("Amend the law: %(parameter)s is %(value)s from %(day)s on. Source: %(source)s", **told)
    if verb == "close_installation":
        return ask.say("Close installation %(installation)s: %(year)s is its last year with emissions.", **_named(body, "installation", "year"))
    if verb == "correct_report":
        told = _named(body, "installation", "year", "reason") | {"verified": quantity(body.get("verified"))}
        return ask.say("Correct the verified emissions of %(installation)s for %(year)s to %(verified)s t. Reason: %(reason)s", **told)
    if moves:
        return ask.say("%(verb)s: %(units)s.", verb=ask._(VERBS[verb]), units=units)
    return ask._(VERBS[verb])


def _named(body: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: body.get(name) for name in names}


# -- tasks


def proposals_of(ask: Ask) -> dict[str, dict[str, Any]]:
    """Proposals of whom the visitor acts for; of everybody for the administrator."""
    with ask.market.read() as state:
        found = dict(state.proposals)
    mine = ask.visitor.participant
    return found if mine == ADMINISTRATOR else {name: one for name, one in found.items() if one["participant"] == mine}


def may_approve(ask: Ask, proposal: Mapping[str, Any]) -> bool:
    """Whether the visitor could be the second person."""
    return (
        proposal["state"] == "awaiting_approval"
        and proposal["participant"] == ask.visitor.participant
        and proposal["person"] != ask.visitor.person
        and "approve" in ask.visitor.rights
    )


@router.get("/{system}/tasks", allow=TASKERS)
def tasks(ask: Asked, system: str) -> Response:
    """All that waits for the visitor, and what became of the rest."""
    found = proposals_of(ask)
    rows = [
        {
            "proposal": name,
            "what": ask._(VERBS[one["verb"]]),
            "for": one["participant"],
            "state": one["state"],
            "moment": one["moment"],
            "expires": one["expires"] if one["state"] == "awaiting_approval" else one.get("runs"),
            "waits": "yes" if may_approve(ask, one) else "",
        }
        for name, one in reversed(found.items())
    ]
    names = ("proposal", "what", "for", "state", "moment", "expires", "waits")
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), infer_schema_length=None)
    columns = [
        Column("what", ask._("What"), href=lambda row: ask.here(f"/tasks/{row['proposal']}")),
        Column("for", ask._("For")),
        Column("state", ask._("State"), "state"),
        Column("waits", ask._("Waits for you"), show=lambda value, row: ask._("yes") if value else ""),
        Column("moment", ask._("Proposed"), "moment", show=lambda value, row: _short(value)),
        Column("expires", ask._("Until, or runs at"), "moment", show=lambda value, row: _short(value)),
        Column("proposal", ask._("Number"), hidden=True),
    ]
    filters = [
        Filter("state", ask._("State"), "choice", [(name, ask._(text)) for name, text in STATES.items()]),
        Filter("waits", ask._("Waits for you"), "choice", [("yes", ask._("yes"))]),
    ]
    table = ask.table("tasks", ask._("Tasks"), frame, columns, filters=filters, empty=ask._("Nothing waits for you."))
    waiting = sum(bool(row["waits"]) for row in rows)
    return ask.page("tasks.html", table=table, waiting=waiting)


def _short(moment: str | None) -> str | None:
    from tonne.interfaces.web.render import moment as written

    return written(moment) if moment else None


@router.get("/{system}/tasks/{proposal}", allow=TASKERS)
def task(ask: Asked, system: str, proposal: str) -> Response:
    """One proposal: its effect, who began it, what may be done; afterwards its receipt."""
    return _task(ask, proposal, Form(ask, [_code_field(ask)]))


def _task(ask: Ask, name: str, form: Form, status: int = 200) -> Response:
    proposal = proposals_of(ask).get(name)
    if proposal is None:
        raise not_found(name)
    market = ask.market
    entry = market.entry(name)
    effect = proposal["effect"]
    form.verb, form.action = ask._("Approve"), ask.here(f"/tasks/{name}/approve")
    ask.record("view", f"proposal {name}", "shown")
    return ask.page(
        "task.html",
        status,
        name=name,
        proposal=proposal,
        effect=effect,
        sentence=sentence(ask, proposal["verb"], proposal["body"], effect),
        verb=ask._(VERBS[proposal["verb"]]),
        state_text=ask._(STATES[proposal["state"]]),
        people={person: person_name(ask, person) for person in (proposal["person"], proposal.get("approver"), proposal.get("closed_by")) if person},
        entry=entry,
        may_approve=may_approve(ask, proposal),
        may_reject=proposal["state"] == "awaiting_approval" and proposal["participant"] == ask.visitor.participant,
        may_cancel=_may_cancel(ask, proposal),
        form=form,
        shown=_signer(ask).sign(f"{name}|{ask.place.real_now().timestamp():.3f}").decode(),
        others=_approvers(ask, proposal),
        code_hint=ask.place.demo.code_for(ask.visitor) if ask.place.demo is not None else "",
    )


def _may_cancel(ask: Ask, proposal: Mapping[str, Any]) -> bool:
    return proposal["state"] == "scheduled" and ask.visitor.participant in (proposal["participant"], ADMINISTRATOR)


def person_name(ask: Ask, person: str) -> str:
    """A person's name for those who may see it: the same organisation and the administrator; the bare id for others."""
    try:
        found = ask.place.people.person(person)
    except PeopleRefused:
        return person
    return found.name or person


def _approvers(ask: Ask, proposal: Mapping[str, Any]) -> list[str]:
    """Names of who could approve."""
    members = ask.place.people.members_of(ask.market.system, proposal["participant"])
    return [
        ask.place.people.person(one.person).name
        for one in members
        if one.state == "active" and "approve" in one.rights and one.person != proposal["person"]
    ]


@router.post("/{system}/tasks/{proposal}/approve", allow=TASKERS.with_right("approve"))
def approve(ask: Asked, system: str, proposal: str) -> Response:
    """The second person's yes, by their own factor."""
    if proposal not in proposals_of(ask):
        raise not_found(proposal)
    form = Form(ask, [_code_field(ask)])
    if ask.market.desk.administration.outcome_of(f"web:{ask.visitor.participant}:{ask.key_of()}") is None:
        _require_read(ask, proposal)
        if not form.check():
            return _task(ask, proposal, form, 422)
        try:
            ask.confirm("approve", proposal)
        except PeopleRefused as refused:
            if refused.name not in ("wrong_code", "code_used"):
                raise
            form.fault("code", refused.text)
            return _task(ask, proposal, form, 422)
    lost = without_right(ask.place.people, system, proposals_of(ask)[proposal])
    ask.perform("approve", {"proposal": proposal, "moment": ask.market.now().isoformat(), "without_right": lost})
    return ask.see(f"/{system}/tasks/{proposal}")


def _signer(ask: Ask) -> Signer:
    """Signs with the newest secret, and takes the older ones too while they are rotated."""
    return Signer(list(reversed(ask.place.settings.secrets)), salt="shown")


def _require_read(ask: Ask, proposal: str) -> None:
    """Raises Problem 429 where the approval came sooner than anybody could have read what it does."""
    try:
        name, _, at = _signer(ask).unsign(str(ask.form.get("_shown", ""))).decode().rpartition("|")
    except BadSignature:
        raise Problem(403, "form_expired") from None
    since = ask.place.real_now().timestamp() - float(at)
    if name != proposal or since > SHOWN_FOR_S:
        raise Problem(403, "form_expired")
    if since < READING_S:
        raise Problem(429, "too_fast", retry_after=READING_S)


@router.post("/{system}/tasks/{proposal}/reject", allow=TASKERS.with_right("approve"))
def reject(ask: Asked, system: str, proposal: str) -> Response:
    """No: with a reason, which the other person sees."""
    return _end(ask, system, proposal, "reject")


@router.post("/{system}/tasks/{proposal}/cancel", allow=TASKERS.with_right("initiate"))
def cancel(ask: Asked, system: str, proposal: str) -> Response:
    """Take back what was proposed, or is scheduled and may still be cancelled."""
    return _end(ask, system, proposal, "withdraw_proposal")


def _end(ask: Ask, system: str, proposal: str, verb: str) -> Response:
    if proposal not in proposals_of(ask):
        raise not_found(proposal)
    reason = str(ask.form.get("reason", "")).strip()[:500] or ask._("no reason given")
    ask.perform(verb, {"proposal": proposal, "moment": ask.market.now().isoformat(), "reason": reason})
    return ask.see(f"/{system}/tasks/{proposal}")
