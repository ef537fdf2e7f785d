"""Who must take part by what an installation can do: capacity thresholds by activity, small emitters, the part of a voyage that counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tonne.rules.columns import measured, plain, truth, whole
from tonne.rules.declare import rule
from tonne.units import NEAREST, Rate, fraction, multiply

BoolArray = npt.NDArray[np.bool_]


@rule("activity_thresholds", unit="boolean", given={"activity": "text", "capacity": "number"})
def is_covered(activity: Any, capacity: Any, *, covered_above: Mapping[str, Rate], covered_from: Mapping[str, Rate] | None = None) -> Any:
    """Whether an installation or ship takes part: its capacity exceeds its activity's threshold (or, for ships, reaches it).

    Directive 2003/87/EC annex I: combustion of fuels above 20 MW of rated thermal input, ships of 5,000 gross tonnage and more. 20 MW -> no,
    20.1 MW -> yes, 5,000 GT -> yes. Raises ValueError for an activity without a threshold in the law in force.
    """
    activities, capacities = np.broadcast_arrays(np.asarray(activity, dtype=object), measured(capacity))
    out = np.zeros(activities.shape, dtype=bool)
    for name in sorted(set(activities.ravel().tolist())):
        rows = activities == name
        if covered_above.get(name) is not None:
            out[rows] = _at_least(capacities[rows], covered_above[name], reached=False)
        elif covered_from and covered_from.get(name) is not None:
            out[rows] = _at_least(capacities[rows], covered_from[name], reached=True)
        else:
            known = sorted({*covered_above, *(covered_from or {})})
            raise ValueError(f"no capacity threshold for {name!r} in the law in force; there is one for {', '.join(known)}")
    return truth(out)


@rule("activity_thresholds", unit="boolean", given={"commercial": "boolean", "emissions": "tCO2", "flights": "flight"})
def aircraft_operator_is_covered(
    commercial: Any,
    emissions: Any,
    flights: Any = 0,
    *,
    non_commercial_exempt_below: int,
    commercial_exempt_below: int,
    commercial_exempt_flights: int,
) -> Any:
    """Whether an aircraft operator takes part: small ones are exempt (Directive 2003/87/EC annex I).

    Non-commercial: below 1,000 tCO2 a year. Commercial: below 10,000 tCO2 a year, or fewer than 243 flights in each four-month period.
    """
    tonnes, flown = whole("emissions", emissions), whole("a number of flights", flights)
    by_trade = (tonnes >= commercial_exempt_below) & (flown >= commercial_exempt_flights)
    return truth(np.where(np.asarray(commercial, dtype=bool), by_trade, tonnes >= non_commercial_exempt_below))


@rule("activity_thresholds", unit="boolean", given={"emissions": "tCO2e", "capacity": "MW", "combustion": "boolean"})
def may_opt_out(emissions: Any, capacity: Any = 0, combustion: Any = True, *, small_emissions_below: int, small_capacity_below: Rate) -> Any:
    """Whether a state may leave a small emitter out: below 25,000 tCO2e a year and, for combustion, below 35 MW (Directive 2003/87/EC art. 27)."""
    small = whole("emissions", emissions) < small_emissions_below
    weak = ~_at_least(measured(capacity), small_capacity_below, reached=True) | ~np.asarray(combustion, dtype=bool)
    return truth(small & weak)


@rule("activity_thresholds", unit="boolean", given={"emissions": "tCO2e"})
def may_opt_out_as_ultra_small(emissions: Any, *, ultra_small_emissions_below: int) -> Any:
    """Whether a state may leave an ultra-small emitter out: below 2,500 tCO2e a year (Directive 2003/87/EC art. 27a)."""
    return truth(whole("emissions", emissions) < ultra_small_emissions_below)


@rule("voyage_scope", unit="tCO2e", given={"emissions": "tCO2e", "voyage": "text"})
def emissions_in_scope(emissions: Any, voyage: Any, *, voyage_share: Mapping[str, Rate]) -> Any:
    """The part of a ship's emissions that counts: all between two ports inside and at berth, half to or from a port outside (art. 3ga).

    1,001 x 0.5 = 500.5 -> 501. Raises ValueError for a kind of voyage that the law does not name.
    """
    tonnes, voyages = np.broadcast_arrays(whole("emissions", emissions), np.asarray(voyage, dtype=object))
    out = np.zeros(tonnes.shape, dtype=np.int64)
    for kind in sorted(set(voyages.ravel().tolist())):
        if voyage_share.get(kind) is None:
            raise ValueError(f"no kind of voyage {kind!r}; the law names {', '.join(sorted(voyage_share))}")
        rows = voyages == kind
        out[rows] = multiply(np.array(tonnes[rows]), voyage_share[kind], rounding=NEAREST)
    return plain(out)


def _at_least(values: Any, limit: Rate, *, reached: bool) -> BoolArray:
    bound = fraction(limit)
    scaled = values * bound.denominator
    return np.asarray(scaled >= bound.numerator if reached else scaled > bound.numerator, dtype=bool)
