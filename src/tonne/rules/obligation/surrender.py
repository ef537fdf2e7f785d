"""Who owes, and what: units for verified emissions, at the end of a year, at an interim deadline, at the end of a control period.

Quantities are whole units of the system. A part of a unit cannot be surrendered, so where a share leaves one and the text orders no other rounding
the owed number goes up: 40 % of 101 tonnes is met by 41 units, not by 40.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from tonne.rules.columns import counted, latest, plain
from tonne.rules.declare import rule
from tonne.units import IntArray, Rate, Rounding, multiply


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
    years, kinds, owed = np.broadcast_arrays(np.asarray(year), np.asarray(kind, dtype=object), counted("verified emissions", verified))
    owed = np.array(owed, dtype=np.int64)
    if surrender_share:
        everyone = surrender_share_kinds is None
        phased = np.ones(owed.shape, dtype=bool) if everyone else np.isin(kinds.astype(str), [str(k) for k in surrender_share_kinds or ()])
        for one in np.unique(years[phased]):
            rows = phased & (years == one)
            owed[rows] = multiply(owed[rows], latest(surrender_share, int(one), 0), rounding=Rounding(surrender_share_rounding))
    return _like(owed, verified, year, kind)


@rule("control_period_obligation", unit="allowance", given={"verified": "tCO2e", "year": "year"})
def interim_obligation(
    verified: Any, year: Any, *, calendar__period_end: Mapping[int, int], interim_share: Rate | None = None, interim_rounding: str = "up"
) -> Any:
    """Units owed at the interim deadline after one of the first years of a control period; nothing after its last year, when everything is owed.

    Model Rule as amended in 2013: half the emissions of each interim year. A year without a control period is its own last year.
    1,000,001 x 0.50 = 500,000.5 -> 500,001.
    """
    owed = counted("verified emissions", verified)
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
    total = counted("verified emissions", verified_by_year).sum(axis=0, dtype=np.int64)
    owed = np.maximum(total - counted("units surrendered", surrendered_interim), 0)
    return plain(owed)


@rule("compliance_test", unit="allowance", given={"owed": "allowance", "surrendered": "allowance"})
def shortfall(owed: Any, surrendered: Any) -> Any:
    """Units missing on the deadline: what is owed less what was surrendered, never below zero. 40,000 - 39,500 = 500."""
    missing = np.maximum(counted("units owed", owed) - counted("units surrendered", surrendered), 0)
    return _like(missing, owed, surrendered)


def _like(result: IntArray, *inputs: Any) -> Any:
    """An int where every input was a single value, else the array."""
    return int(result) if all(np.ndim(i) == 0 for i in inputs) else result
