"""Allocation by what the entities themselves declare: as declared while that fits under the cap, else in proportion; corrected afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.columns import exactly, plain, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, NEAREST, Rate, fraction, multiply


@rule("self_declared_allocation", unit="allowance", given={"declared": "tCO2e", "highest": "tCO2e", "year": "year"})
def declared_allocation(declared: Any, highest: Any, year: int, *, cap__cap_by_year: Mapping[int, int]) -> Any:
    """Units of each entity for a year, all entities asked at once: what it declared, if the sum of the declarations is within the cap.

    Otherwise each entity weighs with its declaration, but one that declared more than its highest yearly emissions of the past weighs with the mean
    of the two; the weights are cut in proportion to the cap where they still exceed it, parts of a unit dropped. Detailed rules on allowance
    management of 2014. A cap of 100: 60 and 60 declared, 60 and 40 the highest: weights 60 and 50, so 54 and 45.
    """
    wanted, past = np.broadcast_arrays(whole("declarations", declared), whole("past emissions", highest))
    cap = int(exactly(cap__cap_by_year, int(year), "cap"))
    if int(wanted.sum()) <= cap:
        return plain(np.array(wanted))
    doubled = np.where(wanted > past, wanted + past, 2 * wanted)  # twice the weight, to stay whole
    total = int(doubled.sum())
    share = Fraction(1, 2) if total <= 2 * cap else Fraction(cap, total)
    return plain(multiply(doubled, share, rounding=DOWN))


@rule("self_declared_allocation", unit="allowance", given={"declared": "tCO2e", "allocated": "allowance", "verified": "tCO2e"})
def declaration_settlement(declared: Any, allocated: Any, verified: Any, *, declaration_margin: Rate) -> Any:
    """Units added (above zero) or taken back (below) once emissions are verified, where they differ from the declaration by more than a margin of it.

    Emissions below the declaration: what was allocated beyond them goes back; above: what is lacking is added. Declared and allocated 100,000 with a
    margin of 8 %: 92,000 emitted changes nothing, 91,999 takes 8,001 back, 108,001 adds 8,001.
    """
    wanted, given, emitted = np.broadcast_arrays(
        whole("declarations", declared), whole("an allocation", allocated), whole("verified emissions", verified)
    )
    away = np.abs(emitted - wanted) > multiply(np.array(wanted), declaration_margin, rounding=DOWN)
    lacking = np.where(emitted > wanted, np.maximum(emitted - given, 0), np.minimum(emitted - given, 0))
    return plain(np.where(away, lacking, 0))


@rule("self_declared_allocation", unit="allowance", given={"reference": "tCO2e", "years": "count"})
def declining_limit(reference: Any, years: Any, *, decline_rate: Rate) -> Any:
    """The upper limit of the cap some years after its reference: less by the same rate each year, rounded each year to a whole unit.

    Detailed rules of 2014: 4.13 % a year until 2015. 125,197,019 x (1 - 0.0413) = 120,026,382.1 -> 120,026,382 a year later.
    """
    start, steps = np.broadcast_arrays(whole("a reference", reference), whole("a number of years", years))
    if steps.size and steps.min() < 0:
        raise ValueError("the limit is of years after its reference, not before it")
    out = np.array(start, dtype=np.int64)
    for step in range(int(steps.max()) if steps.size else 0):
        out = np.where(steps > step, multiply(out, 1 - fraction(decline_rate), rounding=NEAREST), out)
    return plain(out)
