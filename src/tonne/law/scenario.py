"""What if: a scenario is a patch of dated values on a rulebook, nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tonne.law import schema
from tonne.law.faults import Fault, RulebookError, ScenarioError, nearest
from tonne.law.meaning import misfits
from tonne.law.parameter import Value
from tonne.law.rulebook import Rulebook
from tonne.law.text import read


def apply_scenario(rulebook: Rulebook, scenario: str | Path) -> Rulebook:
    """The rulebook with a scenario laid over it: an id under the rulebook's `scenarios/`, or a file.

    Raises ScenarioError for a scenario of another system or a patch of a parameter that does not exist, RulebookError for a faulty file.
    """
    path = find_scenario(rulebook, scenario)
    shown = f"{path.parent.parent.name}/scenarios/{path.name}" if path.parent.name == "scenarios" else path.name
    document = read(path, shown)
    faults: list[Fault] = []
    model = schema.validate(schema.ScenarioModel, document, faults)
    if faults or model is None:
        raise RulebookError(faults)
    if model.system != rulebook.system.id:
        raise ScenarioError(f"{shown}: the scenario is written for {model.system!r}, not for {rulebook.system.id!r}")
    result = _begun(rulebook.with_values({}, model.id, model.includes_proposed))
    for index, patch in enumerate(model.patches):
        if patch.parameter not in rulebook.parameters:
            line = document.line(("patches", index, "parameter"))
            raise ScenarioError(
                f"{shown}:{line}: patches[{index}] changes {patch.parameter!r}, which {rulebook.system.id} does not have; "
                f"{nearest(patch.parameter, rulebook.parameters)}"
            )
        where = rulebook.parameters[patch.parameter]
        content = growth.table() if (growth := schema.growth(patch.grows)) else patch.value
        for reason, advice in misfits(where.unit, where.by, content):
            faults.append(Fault(shown, document.line(("patches", index)), f"patches.{index}", f"{patch.parameter}: {reason}", advice))
        # Published on the day the scenario takes effect and ordered last, so that the patch wins over the law it patches.
        value = Value(patch.starts, patch.value, patch.source, patch.starts, "scenario", "in_force", patch.note, growth)
        result = _last_on_its_day(result, patch.parameter, value, model.id)
    if faults:
        raise RulebookError(faults)
    return result


def _begun(rulebook: Rulebook) -> Rulebook:
    """A system without any law yet begins, in a scenario that takes its proposals for law, with the first day that they name."""
    days = [value.starts for parameter in rulebook.parameters.values() for value in parameter.values]
    if rulebook.system.has_law or not rulebook.includes_proposed or not days:
        return rulebook
    return replace(rulebook, system=replace(rulebook.system, begins=min(days)))


def _last_on_its_day(rulebook: Rulebook, path: str, value: Value, scenario: str) -> Rulebook:
    """Place the patch after every value that had taken effect by its day: what the law says later still overrides it."""
    same_day = [v.published for v in rulebook.parameter(path).values if v.starts == value.starts]
    published = max([value.published, *same_day])
    patched = Value(value.starts, value.value, value.source, published, value.confidence, value.status, value.note, value.grows)
    return rulebook.with_values({path: patched}, scenario, False)


def scenarios(rulebook: Rulebook) -> list[str]:
    """Ids of the scenarios that lie beside a rulebook."""
    return sorted(path.stem for path in Path(rulebook.place).glob("scenarios/*.yaml"))


def find_scenario(rulebook: Rulebook, scenario: str | Path) -> Path:
    for path in (Path(rulebook.place) / "scenarios" / f"{scenario}.yaml", Path(scenario)):
        if path.is_file():
            return path
    names = scenarios(rulebook)
    raise ScenarioError(f"{rulebook.system.id} has no scenario {str(scenario)!r}; {nearest(str(scenario), names) or 'it has none'}")
