"""What the text says on a day: rulebooks as dated data with two clocks."""

from tonne.law.catalogue import Examined, examine, load, systems
from tonne.law.faults import (
    BeforeSystem,
    Fault,
    LawError,
    NotYetInForce,
    RulebookError,
    ScenarioError,
    UnknownParameter,
    UnknownSystem,
)
from tonne.law.parameter import Growth, Parameter, Value
from tonne.law.rulebook import Law, Link, Rulebook, System
from tonne.law.scenario import apply_scenario, scenarios

__all__ = [
    "BeforeSystem",
    "Examined",
    "Fault",
    "Growth",
    "Law",
    "LawError",
    "Link",
    "NotYetInForce",
    "Parameter",
    "Rulebook",
    "RulebookError",
    "ScenarioError",
    "System",
    "UnknownParameter",
    "UnknownSystem",
    "Value",
    "apply_scenario",
    "examine",
    "load",
    "scenarios",
    "systems",
]
