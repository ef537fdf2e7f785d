"""Is a rulebook sound? Faults between the law and the rules, and remarks about what a sound one leaves out."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from tonne.administration.asks import asks, path_of
from tonne.law import Fault, Parameter, Rulebook
from tonne.law.catalogue import SHIPPED, loose_links, systems
from tonne.law.faults import NEAR, nearest
from tonne.law.vocabulary import MASS, is_amount, unscaled
from tonne.rules import mechanisms


def unsound(rulebook: Rulebook, broken: Collection[str] = ()) -> list[Fault]:
    """Faults between the law and the rules: mechanism unknown, parameter lacking, parameter that nobody reads, two answers to one ask, a link to a
    system that is none. `broken`: paths that are in the files and could not be read, so that they are not missed as well."""
    known = mechanisms()
    faults: list[Fault] = []
    read: dict[str, set[str]] = {}  # parameter -> units of the answers that stand on it
    owner: dict[str, str] = {}
    lacking: set[str] = set()
    for topic, names in rulebook.rules.items():
        for name in names:
            file, line = rulebook.chosen.get(name, (f"{rulebook.system.id}/{topic}.yaml", 0))
            if name not in known:
                faults.append(Fault(file, line, "rules", f"no mechanism {name!r}", nearest(name, known)))
                continue
            for ask, rule in known[name].items():
                if ask in owner:
                    faults.append(Fault(file, line, "rules", f"{name} and {owner[ask]} both answer {ask!r}", "choose one of them"))
                owner[ask] = name
                for parameter, required in rule.parameters.items():
                    path = path_of(parameter, topic)
                    read.setdefault(path, set()).add(rule.unit)
                    if required and path not in rulebook.parameters and path not in broken and path not in lacking:
                        lacking.add(path)
                        spare = [p for p in rulebook.parameters if not p.startswith("statistics.") and p.partition(".")[0] == path.partition(".")[0]]
                        near = difflib.get_close_matches(path, spare, n=1, cutoff=NEAR)
                        advice = f"did you mean {near[0]!r}?" if near else f"write it; `tonne mechanisms {name}` shows who has it, and how"
                        faults.append(Fault(file, line, path, f"{name} ({ask}) needs this parameter and the rulebook lacks it", advice))
    faults += [
        Fault(p.file, p.line, path, "no chosen rule reads this parameter", "mark it `informative: true` or choose the rule that reads it")
        for path, p in rulebook.parameters.items()
        if path not in read and not p.informative and path not in CLERKS_OWN
    ]
    faults += [
        Fault(p.file, p.line, path, "a rule reads this parameter, so it is not informative", "remove `informative: true`")
        for path, p in rulebook.parameters.items()
        if path in read and p.informative
    ]
    for path, answers in read.items():
        if path in rulebook.parameters:
            faults += _unlike(rulebook.parameters[path], answers)
    return faults + list(_clerks_own(rulebook)) + loose_links(rulebook)


#: What the administration itself reads has one form: unit, and what its keys are.
FORMS = {"calendar.agenda": ("calendar_rule", "task"), "calendar.period_end": ("year", "year"), "calendar.first_year": ("year", None)}


def _clerks_own(rulebook: Rulebook) -> Iterator[Fault]:
    for path, (unit, by) in FORMS.items():
        p = rulebook.parameters.get(path)
        if p is not None and (p.unit, p.by) != (unit, by):
            advice = f"write `unit: {unit}`" + (f" and `by: {by}`" if by else "")
            yield Fault(p.file, p.line, path, f"the administration reads this as {unit}{f' by {by}' if by else ''}", advice)


def _unlike(parameter: Parameter, answers: set[str]) -> Iterator[Fault]:
    """A rule works in whole units of the system: a figure in thousands is none, nor is money where all answers are allowances, nor is mass where
    the topic is how many units there are."""
    unit, topic = parameter.unit, parameter.path.partition(".")[0]
    if unscaled(unit) != unit:
        yield Fault(parameter.file, parameter.line, parameter.path, f"unit {unit!r}, and rules read single ones", f"write it in {unscaled(unit)!r}")
    elif answers == {"allowance"} and is_amount(unit) and (topic in _OF_UNITS or unit not in MASS):
        reason = f"unit {unit!r}, where units of the system are meant: the rules that read it answer in allowances"
        yield Fault(parameter.file, parameter.line, parameter.path, reason, "write `unit: allowance`, if that is what it counts")
    yield from _slips(parameter)


def _slips(parameter: Parameter) -> Iterator[Fault]:
    """A figure that rules read and that is surely written in another scale: a share in per cent, a price that is not for one unit of anything."""
    name, unit = parameter.path.partition(".")[2], parameter.unit
    if unit == "percent" and re.search(r"(^|_)(share|rate|factor|limit)(_|$)", name):
        yield Fault(parameter.file, parameter.line, parameter.path, "unit 'percent', and rules read shares of 1", "write 0.10 with `unit: ratio`")
    if re.search(r"(^|_)prices?(_by_\w+)?$", name) and "_per_" not in unit:
        yield Fault(parameter.file, parameter.line, parameter.path, f"unit {unit!r}, and a price is for one of something", "write EUR_per_allowance")
    for value in parameter.values:
        if unit == "ratio" and "share" in name.split("_") and any(abs(number) > MOST_SHARE for number in _numbers(value.content)):
            reason = "a share above 2: rules read shares of 1"
            yield Fault(parameter.file, value.line or parameter.line, parameter.path, reason, "write 10 per cent as 0.10")


def _numbers(content: Any) -> Iterator[int | Decimal]:
    if isinstance(content, Mapping):
        for value in content.values():
            yield from _numbers(value)
    elif isinstance(content, (list, tuple)):
        for value in content:
            yield from _numbers(value)
    elif isinstance(content, (int, Decimal)) and not isinstance(content, bool):
        yield content


#: A share may double something (a cut of twice what is missing); what is above is a percentage.
MOST_SHARE = 2

#: Topics that say how many units there are; elsewhere a rule may weigh emissions to answer in allowances.
_OF_UNITS = frozenset({"cap", "auction", "stability"})


#: Parameters that the administration itself reads: the calendar of tasks, the periods, and the published totals a run is held against.
CLERKS_OWN = frozenset(
    {
        "calendar.agenda",
        "calendar.first_year",
        "calendar.period_end",
        "registry.vintage_of",
        "registry.carry_over_window_from",
        "registry.carry_over_window_to",
        "stability.months_of_feed",
        "stability.placed_in_reserve",
    }
)


#: task of the calendar -> the ask without which it does nothing, and what to do about it.
IDLE: dict[str, tuple[str, str]] = {
    "issue": ("cap", "choose a mechanism with a cap, such as tabled_cap, or take the task out"),
    "auction": ("auction_volume", "choose how much is sold, such as residual_auction or budget_share_auction"),
    "award": ("units_earned", "choose baseline_and_credit"),
    "pre_allocate": ("pre_allocation", "choose a mechanism that allocates ahead, or take the task out"),
    "interim_surrender": ("interim_obligation", "choose control_period_obligation"),
    "publish_circulation": ("tnac", "choose market_stability_reserve"),
}


def remarks(rulebook: Rulebook) -> list[str]:
    """What a sound rulebook leaves out and a market would miss. None of it is a fault: a law may mean it."""
    offered = asks(rulebook)
    calendar = rulebook.parameters.get("calendar.agenda")
    tasks = {task for value in (calendar.values if calendar is not None else ()) for task in (value.content or {})}
    said = [
        f"the calendar orders {task!r}, and no mechanism answers {ask!r}: {advice}"
        for task, (ask, advice) in IDLE.items()
        if task in tasks and ask not in offered
    ]
    if not tasks:
        said.append("there is no calendar.agenda, so the law never acts by itself and nothing can be run")
    elif "surrender" not in tasks:
        said.append("the calendar has no 'surrender', so nobody is ever judged")
    if "obligation" not in offered:
        said.append("no mechanism answers 'obligation': every unit verified is owed, one for one")
    if "cap" in offered and not {"auction_volume", "allocation", "pre_allocation", "fixed_price"} & set(offered):
        said.append("units are issued and no mechanism says who gets them: choose one for free allocation or for the auction")
    if "penalise" in tasks and not {"penalty", "penalty_units", "allocation_cut"} & set(offered):
        said.append("the calendar orders 'penalise', and no mechanism says what a missing unit costs: choose one, such as indexed_fine_per_unit")
    return [*said, *_days_out_of_order(rulebook), *_below_zero(rulebook, offered), *_names(rulebook)]


#: What must be done before what, in the year of an emission.
BEFORE = (("report", "verify"), ("verify", "award"), ("verify", "surrender"), ("report", "surrender"), ("surrender", "penalise"))


def _days_out_of_order(rulebook: Rulebook) -> Iterator[str]:
    calendar = rulebook.parameters.get("calendar.agenda")
    agenda = calendar.at(date.max, None, True) if calendar is not None else None
    days = {task: str(rule) for task, rule in (agenda or {}).items() if rule}
    for first, then in BEFORE:
        if first in days and then in days and days[then] < days[first]:
            yield f"{then!r} comes before {first!r} ({days[then]} before {days[first]}): nobody can be judged by what is not there yet"


def _below_zero(rulebook: Rulebook, offered: Mapping[str, Any]) -> Iterator[str]:
    read = {path_of(name, topic) for rule, topic in offered.values() for name in rule.parameters}
    for path in sorted(read & rulebook.parameters.keys()):
        if any(number < 0 for value in rulebook.parameters[path].values for number in _numbers(value.content)):
            yield f"{path} holds a figure below zero: is that meant?"


def _names(rulebook: Rulebook) -> Iterator[str]:
    place, name = Path(rulebook.place), rulebook.system.id
    if place.stem != name:
        yield f"the id is {name!r} and the {'file' if place.suffix else 'folder'} is named {place.name!r}: name them alike"
    if name in systems() and place.parent != SHIPPED:
        yield f"{name!r} is the id of a system that ships with tonne: choose another, so that nobody takes the one for the other"
