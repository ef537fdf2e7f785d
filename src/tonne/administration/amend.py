"""Amend the law of this market: one more dated value of a parameter, with its source. What was decided before stays decided."""

from __future__ import annotations

from pydantic import ValidationError

from tonne.administration.commands import Command
from tonne.administration.decision import Decision, optional_text, text
from tonne.administration.evolve import amended
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.administration.values import revive
from tonne.dates import DateError, to_day
from tonne.law.faults import nearest
from tonne.law.meaning import misfits


def amend(state: State, command: Command) -> Decision:
    """Body: parameter (dotted), from (day), value (null repeals) or grows, source, note. Known from today on."""
    path = text(command, "parameter")
    if path not in state.rulebook.parameters:
        raise Refusal("not_in_the_law", f"{state.rulebook.system.id} has no parameter {path!r}; {nearest(path, state.rulebook.parameters)}")
    parameter = state.rulebook.parameters[path]
    value, grows = command.body.get("value"), command.body.get("grows")
    if ("value" in command.body) == (grows is not None):
        raise Refusal("malformed", f"an amendment of {path} has either `value` (null when repealed) or `grows`")
    if grows is not None and parameter.by != "year":
        raise Refusal("malformed", f"what grows is a table by year; {path} is {'a table by ' + parameter.by if parameter.by else 'one value'}")
    try:
        starts = to_day(text(command, "from"))
        wrong = [f"{reason}; {advice}".removesuffix("; ") for reason, advice in misfits(parameter.unit, parameter.by, revive(value, parameter.unit))]
    except DateError as error:
        raise Refusal("malformed", str(error)) from None
    if wrong:
        raise Refusal("malformed", f"{path}: {'; '.join(wrong)}")
    event = {"event": "amended", "parameter": path, "from": starts.isoformat(), "value": value, "grows": grows, "source": text(command, "source")}
    event |= {"published": command.day.isoformat(), "note": optional_text(command, "note")}
    try:
        amended(state.rulebook, event)
    except ValidationError as error:
        wrong = [f"{' '.join(map(str, ('grows', *fault['loc'])))}: {fault['msg'].removeprefix('Value error, ')}" for fault in error.errors()]
        raise Refusal("malformed", f"{path}: {'; '.join(wrong)}") from None
    return Decision([event])
