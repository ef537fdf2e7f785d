"""Acts: what changes the exchange as it is worked out, and cannot be refused any more. Each is named by the event that orders it.

Live, the clerk performs an act when it enters the decision; a replay performs it again from the stored event, and compares the transfers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import numpy as np

from tonne.administration import default, deliver, mark, negotiate, one_way, orders, settle
from tonne.administration.matching import Done, Place, place_of
from tonne.administration.state import State

ACTS: dict[str, Callable[[State, Mapping[str, Any], Mapping[str, Any], Place], Done]] = {
    "matched": orders.matched,
    "agreed": negotiate.agreed,
    "one_way_set": one_way.one_way_set,
    "one_way_closed": one_way.one_way_closed,
    "settled": settle.settled,
    "bought_in": settle.bought_in,
    "day_closed": mark.day_closed,
    "collected": mark.collected,
    "contract_ended": deliver.contract_ended,
    "defaulted": default.defaulted,
}


def perform(state: State, event: Mapping[str, Any], tables: Mapping[str, Any], sequence: int, day: date) -> Done:
    """Carry out what an event orders. The event is told when it was done, so that a replay knows."""
    done = ACTS[event["event"]](state, event, tables, place_of(state, sequence, day))
    state.exchange.taken = sequence
    return done._replace(told=done.told | {"sequence": sequence, "day": day.isoformat()})


def repeat(state: State, event: Mapping[str, Any], tables: Mapping[str, Any]) -> None:
    """What a stored event orders, unless it has just been done. Raises ValueError where the transfers, or what is told, are not those stored."""
    if state.exchange.taken >= event["sequence"]:
        return
    done = perform(state, event, tables, event["sequence"], date.fromisoformat(event["day"]))
    stored = tables.get("transfers")
    batch = np.asarray(stored) if stored is not None else done.batch[:0]
    if not np.array_equal(done.batch, batch) or any(event.get(name) != value for name, value in done.told.items() if name != "rows"):
        raise ValueError(f"what {event['event']} comes to is not what it came to before")
