"""How events of persons change the state: proposals, lists of trusted accounts, freezes. Nothing is decided here.

A proposal, under the id of the command that made it:

    verb, participant, person, moment, reason    what, for whom, by whom, when, why
    body, tables     what is carried out once it is approved; empty when it has ended, because the log holds it
    expires          until when it can be approved
    effect           what it does, in plain values (`effect.py`)
    state            awaiting_approval -> scheduled -> completed, or at the side rejected, cancelled, expired, refused
    approver, approved                           once it is approved
    runs, cancel_until, trusted, pending         once it is scheduled; `pending` is the transfer that reserves
    closed, closed_by, refusal, why              once it has ended: when, by whom, a refusal's name, its reason
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tonne.administration.commands import Table
from tonne.administration.state import State

Event = Mapping[str, Any]
Tables = Mapping[str, Table]

AWAITING, SCHEDULED, COMPLETED = "awaiting_approval", "scheduled", "completed"
REJECTED, CANCELLED, EXPIRED, REFUSED = "rejected", "cancelled", "expired", "refused"


def _proposed(state: State, event: Event, tables: Tables) -> None:
    state.proposals[event["proposal"]] = {key: event[key] for key in event if key not in ("event", "proposal")} | {"state": AWAITING}


def _scheduled(state: State, event: Event, tables: Tables) -> None:
    """The command's one transfer is the pending one."""
    pending = int(np.asarray(tables["transfers"])["id"][0])
    state.proposals[event["proposal"]] |= {
        "state": SCHEDULED,
        "approver": event["person"],
        "approved": event["moment"],
        "pending": pending,
        **{key: event[key] for key in ("runs", "cancel_until", "trusted")},
    }


def _completed(state: State, event: Event, tables: Tables) -> None:
    proposal = state.proposals[event["proposal"]]
    approval = {} if "approver" in proposal else {"approver": event["person"], "approved": event["moment"]}
    proposal |= approval | {"state": COMPLETED, "closed": event["moment"], "body": {}, "tables": {}}


def _closed(state: State, event: Event, tables: Tables) -> None:
    said = {"closed_by": event.get("person"), "refusal": event.get("refusal"), "why": event.get("reason")}
    ended = {"state": event["state"], "closed": event["moment"], "body": {}, "tables": {}}
    state.proposals[event["proposal"]] |= ended | {key: value for key, value in said.items() if value}


def _account_trusted(state: State, event: Event, tables: Tables) -> None:
    entry = {"from": event["from"], "since": event["since"], "person": event["person"]}
    state.trusted.setdefault(event["account"], {})[event["target"]] = entry


def _account_distrusted(state: State, event: Event, tables: Tables) -> None:
    entries = state.trusted[event["account"]]
    del entries[event["target"]]
    if not entries:
        del state.trusted[event["account"]]


def _account_frozen(state: State, event: Event, tables: Tables) -> None:
    names = ("person", "moment", "reason", "until", "confirm_by")
    state.freezes[event["account"]] = {name: event[name] for name in names} | {"confirmed": None}


def _freeze_confirmed(state: State, event: Event, tables: Tables) -> None:
    state.freezes[event["account"]]["confirmed"] = event["person"]


def _account_unfrozen(state: State, event: Event, tables: Tables) -> None:
    del state.freezes[event["account"]]


EVOLUTIONS: dict[str, Callable[[State, Event, Tables], None]] = {
    "proposed": _proposed,
    "proposal_scheduled": _scheduled,
    "proposal_completed": _completed,
    "proposal_closed": _closed,
    "account_trusted": _account_trusted,
    "account_distrusted": _account_distrusted,
    "account_frozen": _account_frozen,
    "freeze_confirmed": _freeze_confirmed,
    "account_unfrozen": _account_unfrozen,
}
