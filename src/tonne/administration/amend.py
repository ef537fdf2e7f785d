"""Amend the law of this market: one more dated value of a parameter, with its source. What was decided before stays decided."""

from __future__ import annotations

from tonne.administration.commands import Command
from tonne.administration.decision import Decision, text
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.dates import DateError, to_day
from tonne.law.faults import nearest


def amend(state: State, command: Command) -> Decision:
    """Body: parameter (dotted), from (day), value or grows, source, note. Known from today on."""
    path = text(command, "parameter")
    if path not in state.rulebook.parameters:
        raise Refusal("not_in_the_law", f"{state.rulebook.system.id} has no parameter {path!r}; {nearest(path, state.rulebook.parameters)}")
    parameter = state.rulebook.parameters[path]
    value, grows = command.body.get("value"), command.body.get("grows")
    if grows is None and value is not None and isinstance(value, dict) != (parameter.by is not None):
        raise Refusal("malformed", f"{path} holds {'a table by ' + parameter.by if parameter.by else 'a single value'}")
    if isinstance(value, float):
        raise Refusal("malformed", f"{value!r} is a binary float; write decimals as text")
    try:
        starts = to_day(text(command, "from"))
    except DateError as error:
        raise Refusal("malformed", str(error)) from None
    event = {"event": "amended", "parameter": path, "from": starts.isoformat(), "value": value, "grows": grows, "source": text(command, "source")}
    return Decision([event | {"published": command.day.isoformat(), "note": command.body.get("note", "")}])
