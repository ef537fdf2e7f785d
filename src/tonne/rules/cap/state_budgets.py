"""Budgets that several states set together: a base cap by year, adjustments for the bank of old allowances, states that come and go.

The base cap's path (a yearly factor, a fixed step) is data: the rulebook holds it as a growth, and a published table overrides it year by year.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.columns import by_year, plain, whole
from tonne.rules.declare import rule
from tonne.units import NEAREST, multiply, round_fraction


@rule("adjusted_budget", unit="allowance", given={"year": "year"})
def cap(
    year: Any,
    *,
    base_by_year: Mapping[int, int],
    bank_adjustments: Mapping[str, Mapping[str, int]] | None = None,
    adjusted_by_year: Mapping[int, int] | None = None,
) -> Any:
    """Allowances of a year's adjusted budget: the base cap less every bank adjustment that runs in the year; a published figure goes before the sum.

    Model Rule. 82,235,598 - 8,207,664 - 13,683,744 = 60,344,190 for 2018. Raises ValueError for a year without a budget, or
    with less than its adjustments take.
    """
    return by_year(year, lambda y: _adjusted(y, base_by_year, bank_adjustments or {}, adjusted_by_year or {}))


@rule("adjusted_budget", unit="allowance", given={"year": "year"})
def base_cap(year: Any, *, base_by_year: Mapping[int, int]) -> Any:
    """Allowances of a year's base budget, before adjustments (Model Rule). 86,506,875 x 0.975 = 84,344,203.125 -> 84,344,203 for 2017."""
    return by_year(year, lambda y: _base(y, base_by_year))


@rule("adjusted_budget", unit="allowance", given={"year": "year"})
def bank_adjustment_of(year: Any, *, bank_adjustments: Mapping[str, Mapping[str, int]] | None = None) -> Any:
    """Allowances that the adjustments for banked allowances take off a year's budget together. 8,207,664 + 13,683,744 = 21,891,408 for 2018."""
    return by_year(year, lambda y: sum(_running(y, bank_adjustments or {})))


@rule("adjusted_budget", unit="allowance", given={"members": "state"})
def base_step(members: Collection[str], *, step_by_state: Mapping[str, int]) -> int:
    """Allowances by which the base cap falls each year while these states take part: 2,275,000 + 540,000 + 840,000 = 3,655,000."""
    unknown = sorted(set(members) - set(step_by_state))
    if unknown:
        raise ValueError(f"no yearly step is set for {', '.join(unknown)}; there are {', '.join(step_by_state)}")
    return sum(step_by_state[member] for member in members)


@rule("bank_adjustment", unit="allowance", given={"bank": "allowance", "emissions": "short_ton", "years": "count"})
def bank_adjustment(bank: Any, emissions: Any, years: int) -> Any:
    """Allowances taken off each of the coming budgets so that the bank is used up: what was held beyond the emissions, spread over the years.

    Third adjustment (Model Rule): (allowances of earlier vintages held on 15 March 2021 - emissions of 2018 to 2020) / 5, nearest.
    (300,000,000 - 204,548,350) / 5 = 19,090,330. A bank smaller than the emissions adjusts nothing.
    """
    if years < 1:
        raise ValueError(f"an adjustment is spread over one year or more, not over {years}")
    surplus = np.maximum(whole("a quantity", bank) - whole("a quantity", emissions), 0)
    spread = multiply(surplus, Fraction(1, years), rounding=NEAREST)
    return plain(spread)


@rule("bank_adjustment", unit="allowance", given={"adjustment": "allowance", "base": "allowance", "state_base": "allowance"})
def state_adjustment(adjustment: int, base: int, state_base: int) -> int:
    """A state's share of the yearly adjustment: its base budget over the regional one. 19,090,330 x 27,160,000 / 119,767,784 -> 4,329,156."""
    _part(base, state_base)
    return round_fraction(Fraction(adjustment) * state_base / base, NEAREST)


@rule("bank_adjustment", unit="allowance", given={"adjustment": "allowance", "base": "allowance", "leaver": "allowance"})
def leaving_state_adjustment(adjustment: int, base: int, leaver: int) -> int:
    """The yearly adjustment that is left when a state leaves: the others' share of the base budgets, rounded once to the nearest.

    19,090,330 x (119,767,784 - 27,160,000) / 119,767,784 = 14,761,174.48 -> 14,761,174.
    """
    _part(base, leaver)
    return round_fraction(Fraction(adjustment) * (base - leaver) / base, NEAREST)


@rule("bank_adjustment", unit="allowance", given={"base": "allowance", "leaver": "allowance"})
def base_after_leaving(base: int, leaver: int) -> int:
    """The base budget without one of its states. 157,184,044 - 73,021,260 = 84,162,784."""
    _part(base, leaver)
    return base - leaver


def _adjusted(year: int, base: Mapping[int, int], adjustments: Mapping[str, Mapping[str, int]], published: Mapping[int, int]) -> int:
    if year in published:
        return published[year]
    taken = sum(_running(year, adjustments))
    if taken > _base(year, base):
        raise ValueError(f"the adjustments of {year} take {taken:,} off a budget of {_base(year, base):,}: nothing is left to adjust")
    return _base(year, base) - taken


def _base(year: int, base: Mapping[int, int]) -> int:
    if year not in base:
        raise ValueError(f"no budget is set for {year}; there are budgets for {min(base)} to {max(base)}")
    return base[year]


def _running(year: int, adjustments: Mapping[str, Mapping[str, int]]) -> list[int]:
    return [a["per_year"] for a in adjustments.values() if a["since"] <= year <= a["until"]]


def _part(whole: int, part: int) -> None:
    if not 0 <= part <= whole or whole == 0:
        raise ValueError(f"a state's budget of {part:,} is no part of a regional budget of {whole:,}")
