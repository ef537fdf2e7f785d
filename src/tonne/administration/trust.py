"""Accounts that a holder trusts, and accounts that are frozen.

To a trusted account units go at once, to another one later, so that a thief who has one password has time against him. Two persons put an account
on the list, and it counts from the moment that the law says; taking it off works at once. A holder's own accounts trust each other.

A freeze stops harm: one administrator blocks an account at once, and a second one confirms within FREEZE_HOURS, or it lifts.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tonne.administration import moments
from tonne.administration.commands import Command
from tonne.administration.decision import Decision, text
from tonne.administration.found import require_unengaged
from tonne.administration.permissions import HELD, require_held, require_holder
from tonne.administration.refusals import LEDGER, Refusal
from tonne.administration.state import State
from tonne.administration.transfer import account
from tonne.ledger import AccountFlag, Result


def is_trusted(state: State, source: int, target: int, moment: datetime) -> bool:
    """Whether an account (both by ledger number) trusts another at a moment: it is the same holder's, or on its list and in effect."""
    ids, holders = state.accounts.ids, state.accounts.holders
    if holders[source] == holders[target]:
        return True
    entry = state.trusted.get(ids[source], {}).get(ids[target])
    return entry is not None and moments.when(entry["from"]) <= moment


def trust_account(state: State, command: Command) -> Decision:
    """Body: account, target, person, moment. The account may be sent units at once, from the moment that the law says; at once where it says none.

    Holders send it inside a proposal only; person and moment are then those of the proposal and of its approval."""
    source, target = _pair(state, command)
    name, other = state.accounts.ids[source], state.accounts.ids[target]
    if state.books.flags()[source] & (AccountFlag.BLOCKED | AccountFlag.CLOSED):
        raise Refusal("account_blocked", f"account {name!r} is blocked or closed: {LEDGER[Result.ACCOUNT_BLOCKED]}")
    if state.accounts.holders[source] == state.accounts.holders[target]:
        raise Refusal("nothing_to_do", f"{name!r} and {other!r} are of one holder and trust each other")
    require_held(state, command, [target])
    if other in state.trusted.get(name, {}):
        raise Refusal("already_exists", f"{other!r} is on the list of {name!r} already, from {state.trusted[name][other]['from']} on")
    moment = moments.moment_of(state, command)
    counts = moments.trusted_from(state, moment, state.accounts.kinds[source], moments.country_of(state, source))
    event = {"event": "account_trusted", "account": name, "target": other, "from": counts.isoformat(), "since": moment.isoformat()}
    return Decision([event | {"person": text(command, "person")}])


def distrust_account(state: State, command: Command) -> Decision:
    """Body: account, target. Takes an account off the list, at once."""
    source, target = _pair(state, command)
    name, other = state.accounts.ids[source], state.accounts.ids[target]
    if other not in state.trusted.get(name, {}):
        raise Refusal("nothing_to_do", f"{other!r} is not on the list of {name!r}")
    return Decision([{"event": "account_distrusted", "account": name, "target": other}])


def _pair(state: State, command: Command) -> tuple[int, int]:
    source, target = account(state, text(command, "account")), account(state, text(command, "target"))
    require_holder(state, command, [source])
    if source == target:
        raise Refusal("same_account", f"{state.accounts.ids[source]!r} needs no trust in itself")
    return source, target


# -- freezes


def freeze(state: State, command: Command) -> Decision:
    """Body: account, reason, until (a moment, or left out), person, moment. Nothing leaves the account from now on, but by the authority; units that
    a scheduled transfer reserves do not leave it either. Lifts at `until`, or when nobody confirms it in time. Raises Refusal `orders_open` where
    orders of it are in the book: take them out first (`kill`)."""
    number = account(state, text(command, "account"))
    name, kind = state.accounts.ids[number], state.accounts.kinds[number]
    if kind not in HELD:
        raise Refusal("not_eligible", f"{name!r} is the market's own account ({kind}); accounts that participants hold can be frozen")
    flags = AccountFlag(int(state.books.flags()[number]))
    if name in state.freezes or flags & AccountFlag.BLOCKED:
        raise Refusal("nothing_to_do", f"account {name!r} is {'frozen' if name in state.freezes else 'blocked'} already")
    require_unengaged(state, number, flags | AccountFlag.BLOCKED)
    moment = moments.moment_of(state, command)
    until = moments.read_moment(state, text(command, "until"), command.day) if command.body.get("until") else None
    if until is not None and until <= moment:
        raise Refusal("malformed", f"until {until.isoformat()} is not after {moment.isoformat()}")
    event = {"event": "account_frozen", "account": name, "person": text(command, "person"), "moment": moment.isoformat()}
    event |= {"reason": text(command, "reason"), "until": until.isoformat() if until else None}
    event |= {"confirm_by": (moment + timedelta(hours=moments.FREEZE_HOURS)).isoformat()}
    return Decision([event, {"event": "flags_set", "account": name, "flags": int(flags | AccountFlag.BLOCKED)}])


def confirm_freeze(state: State, command: Command) -> Decision:
    """Body: account, person, moment. A second administrator says that the freeze holds."""
    name, frozen = _frozen(state, command)
    person, moment = text(command, "person"), moments.moment_of(state, command)
    if frozen["confirmed"] is not None:
        raise Refusal("nothing_to_do", f"the freeze of {name!r} was confirmed by {frozen['confirmed']}")
    if person == frozen["person"]:
        raise Refusal("own_proposal", f"{person} froze {name!r}; another administrator confirms it")
    if moment > moments.when(frozen["confirm_by"]):
        raise Refusal("proposal_expired", f"the freeze of {name!r} could be confirmed until {frozen['confirm_by']}; freeze it again")
    return Decision([{"event": "freeze_confirmed", "account": name, "person": person, "moment": moment.isoformat()}])


def unfreeze(state: State, command: Command) -> Decision:
    """Body: account, reason, person, moment. Ends a freeze at once."""
    name, _ = _frozen(state, command)
    moment = moments.moment_of(state, command)
    return Decision(_lifted(state, name, moment, text(command, "reason"), text(command, "person")))


def lapse_of_freeze(state: State, command: Command) -> Decision:
    """Body: account, moment. The clock ends a freeze that nobody confirmed in time, or that has come to its end."""
    name, frozen = _frozen(state, command)
    moment = moments.moment_of(state, command)
    reason = ended(frozen, moment)
    if not reason:
        last = frozen["until"] or "somebody lifts it" if frozen["confirmed"] else frozen["confirm_by"]
        raise Refusal("not_due", f"the freeze of {name!r} stands until {last}; it is {moment.isoformat()}")
    return Decision(_lifted(state, name, moment, reason))


def ended(frozen: dict[str, Any], moment: datetime) -> str:
    """Why a freeze is over at a moment; `` while it stands."""
    if frozen["until"] is not None and moment >= moments.when(frozen["until"]):
        return "its end has come"
    if frozen["confirmed"] is None and moment > moments.when(frozen["confirm_by"]):
        return "nobody confirmed it in time"
    return ""


def _frozen(state: State, command: Command) -> tuple[str, dict[str, Any]]:
    name = text(command, "account")
    account(state, name)
    if name not in state.freezes:
        raise Refusal("unknown_freeze", f"account {name!r} is not frozen")
    return name, state.freezes[name]


def _lifted(state: State, name: str, moment: datetime, reason: str, person: str | None = None) -> list[dict[str, Any]]:
    flags = int(state.books.flags()[state.accounts.number(name)]) & ~int(AccountFlag.BLOCKED)
    event = {"event": "account_unfrozen", "account": name, "person": person, "moment": moment.isoformat(), "reason": reason}
    return [event, {"event": "flags_set", "account": name, "flags": flags}]
