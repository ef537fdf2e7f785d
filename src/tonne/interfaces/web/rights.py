"""Who may still act: the log knows persons by id only, so what their rights are now is told to it with each command that hangs on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tonne.interfaces.web.words import N_
from tonne.people import People

#: right of a membership -> what it lets one do
RIGHTS: dict[str, str] = {
    "read": N_("read"),
    "initiate": N_("propose"),
    "approve": N_("approve"),
    "trade": N_("trade"),
    "manage": N_("manage people and keys"),
    "audit": N_("audit"),
}
ACTING = frozenset({"initiate", "approve"})


def without_right(people: People, system: str, proposal: Mapping[str, Any]) -> list[str]:
    """Persons who had a hand in a proposal and may no longer act for its participant."""
    members = people.members_of(system, proposal["participant"])
    able = {one.person for one in members if one.state == "active" and one.rights & ACTING}
    able = {person for person in able if people.person(person).state == "active"}
    return sorted({person for person in (proposal["person"], proposal.get("approver")) if person} - able)
