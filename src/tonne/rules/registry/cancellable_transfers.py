"""Until when a transfer that waits can be taken back."""

from __future__ import annotations

from tonne.dates import zone
from tonne.rules.declare import rule
from tonne.rules.registry.working_hours import hours_later, moment_of
from tonne.units import Rate, fraction


@rule("cancellable_transfers", unit="time", given={"runs": "time"})
def transfer_cancellable_until(runs: str, *, time_zone: str, cancel_until: Rate) -> str:
    """Until when a transfer can be taken back that runs at a moment: so many hours before. Two hours before Thursday 12:00: Thursday 10:00."""
    clock = zone(time_zone)
    return hours_later(moment_of(runs, clock).astimezone(clock), -fraction(cancel_until)).isoformat()
