"""How long what one person proposed waits for another to approve."""

from __future__ import annotations

from datetime import UTC

from tonne.rules.declare import rule
from tonne.rules.registry.working_hours import hours_later, moment_of


@rule("approval_in_time", unit="time", given={"moment": "time"})
def approval_expires(moment: str, *, approval_days: int) -> str:
    """When a proposal that was made at a moment can no longer be approved: so many days of 24 hours later. Two days from Monday 15:04: Wednesday
    15:04."""
    given = moment_of(moment, UTC)
    return hours_later(given, 24 * approval_days).isoformat()
