"""Who owes, and what: units for verified emissions, at the end of a year, at an interim deadline, at the end of a control period.

Quantities are whole units of the system. A part of a unit cannot be surrendered, so where a share leaves one and the text orders no other rounding
the owed number goes up: 40 % of 101 tonnes is met by 41 units, not by 40.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from tonne.rules.declare import rule
from tonne.units import IntArray, Rate, Rounding, fraction, multiply


@rule("control_period_obligation", unit="allowance", given={"verified": "tCO2e", "year": "year", "kind": "text"})
@rule("phased_obligation", unit="allowance", given={"verified": "tCO2e", "year": "year", "kind": "text"})
def obligation(
    verified: Any,
    year: Any,
    kind: Any = "stationary",
    *,
    surrender_share: Mapping[int, Rate] | None = None,
    surrender_share_kinds: Collection[str] | None = None,
    surrender_share_rounding: str = "up",
) -> Any:
    """Units owed for a year's verified emissions: one a ton, for some kinds of operator only a share of them while they are phased in.

    Directive 2003/87/EC art. 3gb (ships): the share is tabled by year of emission; the last tabled share stays, before the first nothing is owed.
    A kind that is not listed owes everything. Without a list the shares hold for all kinds; without a table nothing is phased in, and so a year of a
    control period adds all its emissions to what is owed at the period's end.
    100,000 x 0.40 = 40,000 for a shipping company's 2024 emissions.
    """
    years, kinds, owed = np.broadcast_arrays(np.asarray(year), np.asarray(kind, dtype=object), _units("verified emissions", verified))
    owed = np.array(owed, dtype=np.int64)
    if surrender_share:
        everyone = surrender_share_kinds is None
        phased = np.ones(owed.shape, dtype=bool) if everyone else np.isin(kinds.astype(str), [str(k) for k in surrender_share_kinds or ()])
        for one in np.unique(years[phased]):
            rows = phased & (years == one)
            owed[rows] = multiply(owed[rows], _share_of(int(one), surrender_share), rounding=Rounding(surrender_share_rounding))
    return _like(owed, verified, year, kind)


@rule("control_period_obligation", unit="allowance", given={"verified": "tCO2e", "year": "year"})
def interim_obligation(
    verified: Any, year: Any, *, calendar__period_end: Mapping[int, int], interim_share: Rate | None = None, interim_rounding: str = "up"
) -> Any:
    """Units owed at the interim deadline after one of the first years of a control period; nothing after its last year, when everything is owed.

    Model Rule as amended in 2013: half the emissions of each interim year. A year without a control period is its own last year.
    1,000,001 x 0.50 = 500,000.5 -> 500,001.
    """
    owed = _units("verified emissions", verified)
    if interim_share is None:
        return _like(np.zeros_like(owed), verified, year)
    years, owed = np.broadcast_arrays(np.asarray(year), owed)
    last = np.isin(years, [y for y in np.unique(years) if calendar__period_end.get(int(y), int(y)) == int(y)])
    share = multiply(np.array(owed, dtype=np.int64), interim_share, rounding=Rounding(interim_rounding))
    return _like(np.where(last, 0, share), verified, year)


@rule("control_period_obligation", unit="allowance", given={"verified_by_year": "tCO2e", "surrendered_interim": "allowance"})
def final_obligation(verified_by_year: Any, surrendered_interim: Any = 0) -> Any:
    """Units owed at the end of a control period: the emissions of all its years less what was deducted at the interim deadlines.

    verified_by_year has one row a year: [100, 90, 80] for one source, [[...], [...], [...]] for many. 100 + 90 + 80 - (50 + 45) = 175.
    """
    total = _units("verified emissions", verified_by_year).sum(axis=0, dtype=np.int64)
    owed = np.maximum(total - _units("units surrendered", surrendered_interim), 0)
    return int(owed) if owed.ndim == 0 else owed


@rule("compliance_test", unit="allowance", given={"owed": "allowance", "surrendered": "allowance"})
def shortfall(owed: Any, surrendered: Any) -> Any:
    """Units missing on the deadline: what is owed less what was surrendered, never below zero. 40,000 - 39,500 = 500."""
    missing = np.maximum(_units("units owed", owed) - _units("units surrendered", surrendered), 0)
    return _like(missing, owed, surrendered)


@rule("make_good", unit="allowance", given={"missing": "allowance"})
def still_owed(missing: Any, *, make_good: bool | None = True) -> Any:
    """Units still owed after the penalty: the whole shortfall where the text says that paying does not release from surrendering, else none."""
    left = _units("a shortfall", missing)
    return _like(left if make_good else np.zeros_like(left), missing)


@rule("member_state_threshold", unit="boolean", given={"capacity_mw": "MW", "state": "state", "fossil": "boolean"})
def is_covered(capacity_mw: Any, state: Any, fossil: Any = True, *, covered_from_mw: Rate, member_states: Mapping[str, bool]) -> Any:
    """Whether a plant owes allowances: it burns fossil fuel, has the capacity, and stands in a state that takes part on the law's day.

    Model Rule: 25 MW of nameplate capacity and more. 24.9 MW -> no, 25 MW -> yes in a member state. A state that is not listed takes no part.
    """
    capacities = np.asarray(capacity_mw)
    if capacities.dtype.kind not in "iuf":
        capacities = np.array([fraction(c) for c in capacities.ravel()], dtype=object).reshape(capacities.shape)
    bound = fraction(covered_from_mw)
    large = np.asarray(capacities * bound.denominator >= bound.numerator, dtype=bool)
    inside = np.isin(np.asarray(state, dtype=object).astype(str), [name for name, member in member_states.items() if member])
    covered = large & inside & np.asarray(fossil, dtype=bool)
    return bool(covered) if covered.ndim == 0 else covered


def _share_of(year: int, shares: Mapping[int, Rate]) -> Rate:
    """The share of the latest tabled year up to this one; nothing before the first."""
    tabled = [y for y in shares if y <= year]
    return (shares[max(tabled)] or 0) if tabled else 0


def _units(what: str, values: Any) -> IntArray:
    """Whole units as an int64 array of any shape; refuses fractions and negative numbers by what they are."""
    array = np.asarray(values)
    if array.size == 0:
        return array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise ValueError(f"{what}: whole units are needed, not {array.dtype} values such as {array.ravel()[0]!r}")
    if array.min() < 0:
        raise ValueError(f"{what}: {int(array.min()):,} is negative; there is no such thing as owing or surrendering less than nothing")
    return array.astype(np.int64)


def _like(result: IntArray, *inputs: Any) -> Any:
    """An int where every input was a single value, else the array."""
    return int(result) if all(np.ndim(i) == 0 for i in inputs) else result
