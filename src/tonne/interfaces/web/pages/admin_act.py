"""What an administrator does that no proposal is made for: shown with its effect, confirmed by a code bound to it, then done or prepared.

A page that wants such a thing done calls `review`. What two persons decide (amendments, corrections, closing) is a proposal (`proposals.review`), and
in a market founded for one person it is done here.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from fastapi.responses import Response
from itsdangerous import BadSignature, URLSafeSerializer

from tonne.administration.commands import Command
from tonne.administration.permissions import ADMINISTRATOR
from tonne.administration.refusals import Refusal
from tonne.interfaces.views import runs
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Form
from tonne.interfaces.web.guard import ADMIN, AUDIT, pages
from tonne.interfaces.web.pages import admin_common as own
from tonne.interfaces.web.pages import proposals
from tonne.interfaces.web.problems import Problem, not_found, status_of
from tonne.interfaces.web.words import N_
from tonne.people import PeopleRefused
from tonne.registers.installations import INSTALLATION_SCHEMA

router = pages()
#: verb -> the button that does it. Nothing else is sent from here.
ACTS: dict[str, str] = {
    "register_participant": N_("Register"),
    "register_installations": N_("Register"),
    "open_account": N_("Open the account"),
    "admit": N_("Admit"),
    "entitle": N_("Put on record"),
    "announce_auction": N_("Announce"),
    "offer": N_("Put up"),
    "clear_auction": N_("Hold the auction"),
    "amend": N_("Amend the law"),
    "close_installation": N_("Close the installation"),
    "correct_report": N_("Correct the figure"),
}
#: What one administrator prepares and another carries out, in a market of two persons: verb -> what of its body names it.
PREPARED: dict[str, str] = {"clear_auction": "auction"}
#: Letters of a content that the form carries itself; what is larger waits in memory, a few at a time, until it is confirmed.
CARRIED_MOST, PARKED_MOST = 100_000, 16
#: Tables whose empty columns have a kind all the same.
SCHEMAS: dict[str, Any] = {"installations": INSTALLATION_SCHEMA}
Tables = Mapping[str, Sequence[Mapping[str, Any]]]


def review_or_propose(ask: Ask, verb: str, body: Mapping[str, Any], *, back: str, reason: str = "") -> Response:
    """For what the authority does by two persons: a proposal, or in a market for one person the deed itself."""
    if own.two_persons(ask):
        return proposals.review(ask, verb, body, back=back, reason=reason)
    return review(ask, verb, body, back=back)


def review(ask: Ask, verb: str, body: Mapping[str, Any], tables: Tables | None = None, *, back: str, then: str = "") -> Response:
    """The page that shows what a command does. back: the form's address; then: the page afterwards (an address without the market's name).

    Raises Problem with the clerk's own name where it would be refused."""
    return _reviewed(ask, {"verb": verb, "body": dict(body), "tables": dict(tables or {}), "back": back, "then": then})


def _reviewed(ask: Ask, content: Mapping[str, Any], form: Form | None = None, status: int = 200, prepared: own.Preparation | None = None) -> Response:
    outcome = outcome_of(ask, content)
    verb = content["verb"]
    two = verb in PREPARED and own.two_persons(ask) and prepared is None
    form = form or Form(ask, [own.code_field(ask)])
    form.verb = ask._("Prepare") if two else ask._("Call off the auction") if content["body"].get("called_off") else ask._(ACTS[verb])
    form.action = ask.here("/admin/act") if prepared is None else ask.here(f"/admin/prepared/{prepared.what}")
    signed = _signer(ask).dumps(_parked(ask, content) | {"print": outcome.print, "person": ask.visitor.person})
    mine = prepared is not None and prepared.person == ask.visitor.person
    return ask.page(
        "admin_review.html",
        status,
        verb=ask._("Call off the auction") if content["body"].get("called_off") else ask._(ACTS[verb]),
        outcome=outcome,
        admin_tabs=own.tabs(ask),
        about=about(ask, content),
        figures=own.figures_of(ask, outcome.events),
        events=own.events_of(ask, outcome.events),
        moves=outcome.moves.to_dicts(),
        kinds={name: ask._(text) for name, text in own.KINDS.items()},
        form=form,
        fields=[("content", signed)],
        two=two,
        back=content["back"],
        prepared=prepared,
        mine=mine,
        changed=prepared is not None and prepared.print != outcome.print,
        can=own.may(ask, "approve" if prepared is not None else "initiate") and not mine,
        code_hint=own.code_hint(ask),
    )


def about(ask: Ask, content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The body of a command, field by field; the size of its tables."""
    from tonne.interfaces.web.render import quantity

    found = []
    for name, value in content["body"].items():
        if value in (None, "", [], False):
            continue
        shown = (
            str(quantity(value))
            if isinstance(value, int) and not isinstance(value, bool) and name != "year"
            else value
            if isinstance(value, str)
            else json.dumps(value, ensure_ascii=False)
        )
        found.append((ask._(LABELS.get(name, name.replace("_", " "))), shown))
    for name, rows in content["tables"].items():
        found.append((ask.say("Rows of %(table)s", table=name), str(quantity(len(rows)))))
        found += [(ask._("Units"), str(quantity(sum(int(row["quantity"]) for row in rows))))] if rows and "quantity" in rows[0] else []
    return found


LABELS: dict[str, str] = {
    "auction": N_("Auction"),
    "held_on": N_("Held on"),
    "unit": N_("Unit"),
    "quantity": N_("Quantity"),
    "secured": N_("A bid's guarantee is set aside"),
    "seed": N_("Seed that draws the order of equal bids"),
    "reserve": N_("Secret lowest price"),
    "secondary": N_("Price of the market beside it"),
    "called_off": N_("Called off because"),
    "paid_in": N_("Winners' banks pay at the same time"),
    "participant": N_("Id"),
    "name": N_("Name"),
    "role": N_("Role"),
    "country": N_("Country"),
    "account": N_("Account"),
    "kind": N_("Kind"),
    "holder": N_("Holder"),
    "clearing": N_("May trade what is margined"),
    "installation": N_("Installation"),
    "year": N_("Year"),
    "verified": N_("Verified emissions"),
    "reason": N_("Reason"),
    "parameter": N_("Figure of the law"),
    "from": N_("In force from"),
    "value": N_("Value"),
    "source": N_("Source"),
    "note": N_("Note"),
    "category": N_("Category"),
}


def _signer(ask: Ask) -> URLSafeSerializer:
    return URLSafeSerializer(list(reversed(ask.place.settings.secrets)), salt="act")


def command_of(ask: Ask, content: Mapping[str, Any], name: str = "preview", **more: Any) -> Command:
    tables = {table: pl.DataFrame(list(rows), schema=SCHEMAS.get(table), infer_schema_length=None) for table, rows in content["tables"].items()}
    return Command(name, content["verb"], ADMINISTRATOR, ask.market.today, {**content["body"], **more}, tables)


def outcome_of(ask: Ask, content: Mapping[str, Any]) -> runs.Outcome:
    """What the command would do now. Raises Problem with the clerk's name of the refusal."""
    with ask.market.desk.reading() as administration:
        try:
            decision = administration.preview(command_of(ask, content))
        except Refusal as refusal:
            raise Problem(status_of(refusal.name), refusal.name, refusal.reason) from None
        return runs.outcome(administration.state, content["verb"], ask.market.today.year, decision)


def _parked(ask: Ask, content: Mapping[str, Any]) -> dict[str, Any]:
    """What the form carries of a content: itself, or the name under which a large one waits."""
    text = json.dumps(dict(content), sort_keys=True)
    if len(text) <= CARRIED_MOST:
        return {"content": dict(content)}
    name = hashlib.sha256(text.encode()).hexdigest()
    waiting: OrderedDict[str, dict[str, Any]] = ask.market.cache.setdefault("parked", OrderedDict())
    waiting[name] = dict(content)
    waiting.move_to_end(name)
    while len(waiting) > PARKED_MOST:
        waiting.popitem(last=False)
    return {"parked": name}


def _content(ask: Ask) -> tuple[dict[str, Any], str]:
    """What was reviewed, as this server signed it, and the hash of what it would do. Raises Problem 422."""
    try:
        told = _signer(ask).loads(str(ask.form.get("content", "")))
    except BadSignature:
        told = {}
    content = told.get("content") or ask.market.cache.get("parked", {}).get(told.get("parked"))
    if content is None or told["person"] != ask.visitor.person:
        raise Problem(422, "malformed", ask._("What was reviewed did not arrive whole; begin again."))
    return content, told["print"]


@router.post("/{system}/admin/act", allow=ADMIN.with_right("initiate"))
def act(ask: Asked, system: str) -> Response:
    """Do what was reviewed, or prepare it for a second administrator."""
    content, seen = _content(ask)
    name = f"web:{ADMINISTRATOR}:{ask.key_of()}"
    if ask.market.desk.administration.outcome_of(name) is None:
        answer = _confirmed(ask, content, seen, "act")
        if answer is not None:
            return answer
        if content["verb"] in PREPARED and own.two_persons(ask):
            what = f"{content['verb']}:{content['body'][PREPARED[content['verb']]]}"
            own.prepare(ask, what, seen, content)
            return ask.see(f"/{system}/admin/prepared/{what}")
    _send(ask, content, name)
    return ask.see(f"/{system}{content['then'] or '/admin'}")


def _confirmed(ask: Ask, content: Mapping[str, Any], seen: str, verb: str, prepared: own.Preparation | None = None) -> Response | None:
    """The code, bound to the content and to what it would do; the page again where the one is wrong or the other has changed."""
    if outcome_of(ask, content).print != seen:
        return _reviewed(ask, content, None, 409, prepared)
    form = Form(ask, [own.code_field(ask)])
    if form.check():
        try:
            ask.confirm(verb, ask.market.system, json.dumps(content, sort_keys=True, default=str), seen)
            return None
        except PeopleRefused as refused:
            if refused.name not in ("wrong_code", "code_used"):
                raise
            form.fault("code", refused.text)
    return _reviewed(ask, content, form, 422, prepared)


def _send(ask: Ask, content: Mapping[str, Any], name: str, **more: Any) -> None:
    command = command_of(ask, content, name, person=ask.visitor.person, **more)
    if command.kind in ("amend", "close_installation", "correct_report") and own.two_persons(ask):
        raise Problem(403, "needs_second_person")
    receipt = ask.market.send(command)
    ask.place.counted(command.kind, receipt.outcome)
    ask.record(command.kind, command.id, receipt.outcome)
    if not receipt.accepted:
        raise Problem(status_of(receipt.outcome), receipt.outcome, receipt.reason, receipt=receipt)


# -- what another one prepared


def _preparation(ask: Ask, what: str) -> own.Preparation:
    """The newest of another person, else one's own. Raises Problem 404."""
    found = own.preparations(ask, what)
    theirs = own.others(ask, found)
    if not found or what.partition(":")[0] not in PREPARED:
        raise not_found(what)
    return (theirs or found)[0]


@router.get("/{system}/admin/prepared/{what}", allow=AUDIT)
def prepared(ask: Asked, system: str, what: str) -> Response:
    """What waits for a second administrator, with its effect now."""
    ask.record("view", f"prepared {what}", "shown")
    found = _preparation(ask, what)
    return _reviewed(ask, found.content, prepared=found)


@router.post("/{system}/admin/prepared/{what}", allow=ADMIN.with_right("approve"))
def carry_out(ask: Asked, system: str, what: str) -> Response:
    """The second person's yes. Nobody carries out what they prepared themselves."""
    found = _preparation(ask, what)
    if found.person == ask.visitor.person:
        raise Problem(403, "own_proposal", ask._("You prepared this; another administrator carries it out."))
    if outcome_of(ask, found.content).print != found.print:
        return _reviewed(ask, found.content, None, 409, found)
    answer = _confirmed(ask, found.content, found.print, "carry out", found)
    if answer is not None:
        return answer
    _send(ask, found.content, f"web:{ADMINISTRATOR}:{ask.key_of()}", prepared_by=found.person)
    own.drop(ask, what, [one.person for one in own.preparations(ask, what)])
    return ask.see(f"/{system}{found.content['then'] or '/admin'}")
