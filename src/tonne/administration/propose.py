"""Two persons: one proposes, another approves, and only then it happens; a transfer that the law delays is reserved and runs later.

    propose            -> awaiting_approval      decided once, to be refused now and not later; nothing moves and nothing is reserved
    approve            -> completed, or scheduled: the units are reserved, and leave at the moment that the law says
    reject             -> rejected               the other person says no
    withdraw_proposal  -> cancelled              taken back; a scheduled one until the moment that the law says
    run_scheduled      -> completed or refused   by the clock; what must hold is asked again
    lapse              -> expired                by the clock; nobody approved it in time

Each is one entry of the log. The log knows participants; persons are ids that the sender names, and what rights they have there is for the sender to
know: `without_right` names those of them who have lost theirs. A refused approval changes nothing and can be tried again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tonne.administration import moments, trust
from tonne.administration.commands import Command
from tonne.administration.decision import Decision, optional_text, text
from tonne.administration.effect import Timing, decide, effect_of, inner_command, require_open, require_possible, timing_of
from tonne.administration.kinds import Kind
from tonne.administration.permissions import ADMINISTRATOR, TWO_PERSONS, is_authority, role_of
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.administration.waiting import AWAITING, CANCELLED, EXPIRED, REFUSED, REJECTED, SCHEDULED
from tonne.dates import day_number
from tonne.ledger import TransferFlag, batch_of, posts, voids

Proposal = Mapping[str, Any]


def propose(state: State, command: Command) -> Decision:
    """Body: verb (one of TWO_PERSONS), body, tables (name -> rows as mappings), person, moment, reason. The proposal's id is the command's.

    Refused now by whatever would refuse it if it were approved now."""
    verb, person, moment = text(command, "verb"), text(command, "person"), moments.moment_of(state, command)
    if verb not in TWO_PERSONS:
        raise Refusal("malformed", f"{verb!r} is not proposed; there are {', '.join(TWO_PERSONS)}")
    given = {name: command.body.get(name) or {} for name in ("body", "tables")}
    if not all(isinstance(value, Mapping) for value in given.values()):
        raise Refusal("malformed", "body and tables of a proposal are mappings")
    proposal = {"proposal": command.id, "verb": verb, **given, "participant": command.by, "person": person}
    inner = inner_command(command.id, proposal, command, moment)
    decision = decide(state, inner)
    require_possible(state, decision.transfers)
    timing = timing_of(state, inner, decision, moment)
    said = {"moment": moment.isoformat(), "reason": optional_text(command, "reason"), "expires": moments.expires_at(state, moment).isoformat()}
    return Decision([{"event": "proposed", **proposal, **said, "effect": effect_of(state, decision, timing, moment)}])


def approve(state: State, command: Command) -> Decision:
    """Body: proposal, person, moment, without_right (ids of persons, or left out). Decided anew as the participant's command of today, and carried
    out in this entry; or reserved, where the law has it run later. The delay counts from now: before a second person agrees nothing is proposed."""
    name, proposal = _of_own_side(state, command)
    person, moment = text(command, "person"), moments.moment_of(state, command)
    if person == proposal["person"]:
        raise Refusal("own_proposal", f"{person} proposed this; another person approves it")
    if proposal["state"] != AWAITING:
        raise Refusal("proposal_closed", f"proposal {name!r} is {proposal['state'].replace('_', ' ')}")
    if moment < moments.when(proposal["moment"]):
        raise Refusal("clock_backwards", f"{moment.isoformat()} is before {proposal['moment']}, when it was proposed")
    if moment > moments.when(proposal["expires"]):
        raise Refusal("proposal_expired", f"proposal {name!r} could be approved until {proposal['expires']}; propose it again")
    _require_rights(command, {proposal["person"], person})
    inner = inner_command(name, proposal, command, moment)
    decision = decide(state, inner)
    timing = timing_of(state, inner, decision, moment)
    said = {"proposal": name, "person": person, "moment": moment.isoformat()}
    if timing.runs > moment:
        return _reserved(decision, timing, said)
    decision.events.insert(0, {"event": "proposal_completed", **said})
    return decision


def _reserved(decision: Decision, timing: Timing, said: dict[str, Any]) -> Decision:
    """The same transfer, pending: nobody can spend the units twice while they wait."""
    assert decision.transfers is not None and len(decision.transfers) == 1
    batch = decision.transfers.copy()
    batch["flags"] |= int(TransferFlag.PENDING)
    batch["kind"] = int(Kind.SCHEDULED)
    event = {"event": "proposal_scheduled", **said, "trusted": timing.trusted}
    return Decision([event | {"runs": timing.runs.isoformat(), "cancel_until": timing.cancel_until.isoformat()}], transfers=batch)


def reject(state: State, command: Command) -> Decision:
    """Body: proposal, person, moment, reason. What waits for approval is ended."""
    name, proposal = _of_own_side(state, command)
    if proposal["state"] != AWAITING:
        raise Refusal("proposal_closed", f"proposal {name!r} is {proposal['state'].replace('_', ' ')}")
    return Decision([_end(name, REJECTED, moments.moment_of(state, command), person=text(command, "person"), reason=text(command, "reason"))])


def withdraw_proposal(state: State, command: Command) -> Decision:
    """Body: proposal, person, moment, reason (may be left out). Any person of the participant takes it back: what waits for approval at any time,
    what is scheduled until `cancel_until`; what was reserved is free again. The authority may, until it has run."""
    name, proposal = _of_own_side(state, command) if not is_authority(state, command) else _known(state, command)
    moment = moments.moment_of(state, command)
    if proposal["state"] not in (AWAITING, SCHEDULED):
        raise Refusal("proposal_closed", f"proposal {name!r} is {proposal['state'].replace('_', ' ')}")
    if proposal["state"] == SCHEDULED and not is_authority(state, command) and moment > moments.when(proposal["cancel_until"]):
        raise Refusal("too_late", f"it could be taken back until {proposal['cancel_until']}, and runs at {proposal['runs']}")
    event = _end(name, CANCELLED, moment, person=text(command, "person"), reason=optional_text(command, "reason"))
    return _freed(state, command, proposal, event)


def run_scheduled(state: State, command: Command) -> Decision:
    """Body: proposal, moment, without_right. The clock lets the units go that an approved transfer reserved. Where what must hold no longer holds
    (rights, an account that was blocked or closed, a target no longer trusted) it ends as refused, by name, and the units are free again."""
    name, proposal = _known(state, command)
    moment = moments.moment_of(state, command)
    if proposal["state"] != SCHEDULED:
        raise Refusal("proposal_closed", f"proposal {name!r} is {proposal['state'].replace('_', ' ')}")
    if moment < moments.when(proposal["runs"]):
        raise Refusal("not_due", f"proposal {name!r} runs at {proposal['runs']}; it is {moment.isoformat()}")
    row = state.books.transfer(proposal["pending"])
    assert row is not None
    try:
        _require_rights(command, {proposal["person"], proposal["approver"]})
        inner = inner_command(name, proposal, command, moment)
        decide(state, inner)
        require_open(state, row.from_account, row.to_account)
        if proposal["trusted"] and not trust.is_trusted(state, row.from_account, row.to_account, moment):
            raise Refusal("no_longer_trusted", f"{state.accounts.ids[row.to_account]!r} was trusted when this was approved, and is not now")
    except Refusal as refusal:
        return _freed(state, command, proposal, _end(name, REFUSED, moment, refusal=refusal.name, reason=refusal.reason))
    events = [{"event": "proposal_completed", "proposal": name, "moment": moment.isoformat()}, {"event": "moved", "count": 1}]
    return Decision(events, transfers=posts(batch_of([row]), 0, day_number(command.day), int(Kind.TRANSFER)))


def lapse(state: State, command: Command) -> Decision:
    """Body: moment, and proposal or account. The clock ends what nobody approved or confirmed in time."""
    if command.body.get("account") is not None:
        return trust.lapse_of_freeze(state, command)
    name, proposal = _known(state, command)
    moment = moments.moment_of(state, command)
    if proposal["state"] != AWAITING:
        raise Refusal("proposal_closed", f"proposal {name!r} is {proposal['state'].replace('_', ' ')}")
    if moment <= moments.when(proposal["expires"]):
        raise Refusal("not_due", f"proposal {name!r} can be approved until {proposal['expires']}; it is {moment.isoformat()}")
    return Decision([_end(name, EXPIRED, moment, reason="nobody approved it in time")])


def due(state: State, moment: datetime) -> list[tuple[str, dict[str, str]]]:
    """What the clock has to send at a moment: (verb, body without its moment), in the order of the moments at which it fell due."""
    found: list[tuple[datetime, str, dict[str, str]]] = []
    for name, proposal in state.proposals.items():
        if proposal["state"] == SCHEDULED and moments.when(proposal["runs"]) <= moment:
            found.append((moments.when(proposal["runs"]), "run_scheduled", {"proposal": name}))
        elif proposal["state"] == AWAITING and moments.when(proposal["expires"]) < moment:
            found.append((moments.when(proposal["expires"]), "lapse", {"proposal": name}))
    for name, frozen in state.freezes.items():
        if trust.ended(frozen, moment):
            found.append((moments.when(frozen["until"] if frozen["confirmed"] else frozen["confirm_by"]), "lapse", {"account": name}))
    return [(verb, body) for _, verb, body in sorted(found, key=lambda item: (item[0], item[1], sorted(item[2].items())))]


# -- parts


def _known(state: State, command: Command) -> tuple[str, Proposal]:
    name = text(command, "proposal")
    if name not in state.proposals:
        raise Refusal("unknown_proposal", f"nothing was proposed under the id {name!r}")
    return name, state.proposals[name]


def _of_own_side(state: State, command: Command) -> tuple[str, Proposal]:
    """Of the sender's own participant; administrators decide about what administrators proposed. Raises Refusal: `unknown_proposal`,
    `not_permitted`."""
    name, proposal = _known(state, command)
    both_administrators = role_of(state, command.by) == role_of(state, proposal["participant"]) == ADMINISTRATOR
    if command.by != proposal["participant"] and not both_administrators:
        raise Refusal("not_permitted", f"proposal {name!r} is not {command.by!r}'s")
    return name, proposal


def _require_rights(command: Command, persons: set[str]) -> None:
    """None of the persons has lost the right to act, as the sender says. Raises Refusal: `malformed`, `right_removed`."""
    lost = command.body.get("without_right", [])
    if not isinstance(lost, list) or not all(isinstance(one, str) for one in lost):
        raise Refusal("malformed", "without_right is a list of ids of persons")
    gone = sorted(persons & set(lost))
    if gone:
        raise Refusal("right_removed", f"{' and '.join(gone)} may no longer act for the participant")


def _end(name: str, state: str, moment: datetime, **said: str) -> dict[str, Any]:
    """The event that ends a proposal."""
    return {"event": "proposal_closed", "proposal": name, "state": state, "moment": moment.isoformat(), **said}


def _freed(state: State, command: Command, proposal: Proposal, event: dict[str, Any]) -> Decision:
    """With what the proposal reserved released."""
    if proposal["state"] != SCHEDULED:
        return Decision([event])
    row = state.books.transfer(proposal["pending"])
    assert row is not None
    return Decision([event], transfers=voids(batch_of([row]), 0, day_number(command.day), int(Kind.SCHEDULED)))
