"""What happens by itself when its time comes: transfers that waited, proposals nobody approved, deadlines of the law."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from tonne.administration import agenda
from tonne.administration.commands import Command
from tonne.administration.permissions import ADMINISTRATOR
from tonne.administration.propose import due
from tonne.interfaces.web.rights import without_right

if TYPE_CHECKING:
    from tonne.interfaces.web.place import Hall
    from tonne.people import People

logger = structlog.get_logger("tonne.keeping")
#: Tasks of the calendar that only look at what is so. The others give, sell or take units: the administrator sees them before they are done.
BY_THEMSELVES = frozenset({"report", "verify", "surrender", "publish_circulation"})
#: Commands in one turn: the keeper comes again a second later.
MOST = 200


def keep(hall: Hall, people: People) -> None:
    """One turn. A refusal is logged and not tried again under the same id."""
    now = hall.now()
    moment = now.isoformat()
    with hall.read() as state:
        waiting = due(state, now)[:MOST] if state.proposals or state.freezes else []
        proposals = {str(body["proposal"]): state.proposals[body["proposal"]] for _verb, body in waiting if "proposal" in body}
        tasks = [task for task in due_tasks(hall, state) if task.name in BY_THEMSELVES][:MOST]
    for verb, body in waiting:
        about = str(body.get("proposal") or body.get("account"))
        asked = {**body, "moment": moment}
        if verb == "run_scheduled":
            asked["without_right"] = without_right(people, hall.system, proposals[about])
        command = Command(f"clock:{verb}:{about}:{moment}", verb, ADMINISTRATOR, hall.today, asked)
        _tell(command, hall.send(command))
    for task in tasks:
        command = task.command()
        if hall.desk.administration.outcome_of(command.id) is None:
            command = Command(command.id, command.kind, command.by, hall.today, command.body)
            _tell(command, hall.send(command))


def due_tasks(hall: Hall, state: object) -> list[agenda.Task]:
    """Tasks of the law whose day has come and that are not done, in order."""
    known = hall.cache.get("first_year")
    if known is None:
        notices = state.noticed("first_year", None)  # type: ignore[attr-defined]
        known = hall.cache["first_year"] = notices[-1]["year"] if notices else None
    if known is None:
        return []
    today = hall.today
    key = ("due", today, len(state.done))  # type: ignore[attr-defined]
    found = hall.cache.get("due")
    if found is None or found[0] != key:
        found = hall.cache["due"] = (key, agenda.due(state, known, today.year, today))  # type: ignore[arg-type]
    tasks: list[agenda.Task] = found[1]
    return tasks


def _tell(command: Command, receipt: object) -> None:
    if not receipt.accepted:  # type: ignore[attr-defined]
        logger.warning("the clock's command was refused", command=command.id, outcome=receipt.outcome, reason=receipt.reason)  # type: ignore[attr-defined]
