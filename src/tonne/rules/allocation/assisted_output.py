"""Industrial allocation: the level of assistance of an activity x its allocative baseline x its output, with a phase-out of the assistance."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.columns import exact_column, latest, plain
from tonne.rules.declare import rule
from tonne.rules.groups import codes, row_groups
from tonne.units import Rate, Rounding, fraction, multiply


@rule("assisted_output_allocation", unit="text", given={"intensity": "number"})
def assistance_class(intensity: Any, *, assistance_from: Mapping[Any, Any]) -> Any:
    """How emissions-intensive an activity is: the class with the highest threshold that its tonnes per million of revenue reach.

    800 t -> moderately, 1,600 t -> highly; below every threshold `none` (Climate Change Response Act 2002).
    """
    rows = exact_column(intensity)
    found = np.full(np.shape(rows), "none", dtype=object)
    for name, bound in sorted(assistance_from.items(), key=lambda item: fraction(item[1])):
        found = np.where(np.asarray(rows * fraction(bound).denominator >= fraction(bound).numerator, dtype=bool), name, found)
    return str(found) if np.ndim(found) == 0 else found


@rule("assisted_output_allocation", unit="ratio", given={"kind": "text", "year": "year"})
def assistance_level(kind: str, year: int, *, assistance: Mapping[str, Rate], assistance_phase_out: Mapping[Any, Any] | None = None) -> Fraction:
    """The level of assistance of a class in a year: its first level less the yearly steps since. 0.90 - 0.01 x 2 = 0.88 for 2022.

    A step is tabled from the year it first applies to; the last one holds on. Never below zero. Raises ValueError for a class without a level.
    """
    if assistance.get(kind) is None:
        raise ValueError(f"no level of assistance for {kind!r}; there are {', '.join(assistance)}")
    steps = sorted((int(y), fraction(step)) for y, step in (assistance_phase_out or {}).items() if step is not None)
    ends = [*(later for later, _ in steps[1:]), int(year) + 1][: len(steps)]
    fallen = sum((step * max(min(end, int(year) + 1) - first, 0) for (first, step), end in zip(steps, ends, strict=True)), Fraction(0))
    return max(fraction(assistance[kind]) - fallen, Fraction(0))


@rule("assisted_output_allocation", unit="allowance", given={"year": "year", "product": "product", "quantity": "tonne_product"})
def allocation(
    year: Any,
    product: Any,
    quantity: Any,
    *,
    allocative_baseline: Mapping[str, Rate],
    activity_class: Mapping[str, str],
    assistance: Mapping[str, Rate],
    assistance_phase_out: Mapping[Any, Any] | None = None,
    obligation__surrender_share: Mapping[int, Rate] | None = None,
    allocation_rounding: str = "nearest",
) -> Any:
    """Units given to a row of output: level of assistance x allocative baseline x output, less where the year's surrender is a share of emissions.

    An activity without a baseline gets none. Smelter 2021: 0.89 x 2.12 x 333,136 t = 628,561. While one unit paid for two tonnes, half:
    0.90 x 5.160 x 338,633 x 0.5 = 786,306 in 2016.
    """
    given = [np.asarray(value, dtype=object) for value in (year, product, quantity)]
    years, products, outputs = np.broadcast_arrays(*given)
    units = np.zeros(outputs.shape, dtype=np.int64)
    flat, out = [column.ravel() for column in (years, products, outputs)], units.reshape(-1)
    exact = flat[2] if any(isinstance(made, Fraction) for made in codes(flat[2])[0]) else flat[2].astype(np.int64)
    for rows, (one, name) in row_groups(flat[0], flat[1]):
        if allocative_baseline.get(name) is None:
            continue
        level = assistance_level(activity_class.get(name, ""), int(one), assistance=assistance, assistance_phase_out=assistance_phase_out)
        rate = fraction(allocative_baseline[name]) * level * fraction(latest(obligation__surrender_share, int(one), 1))
        out[rows] = multiply(exact[rows], rate, rounding=Rounding(allocation_rounding))
    return plain(units)


@rule("assisted_output_allocation", unit="tCO2e", given={"mwh": "MWh"})
def electricity_part(mwh: Any, *, electricity_eligibility_factor: Rate, electricity_baseline_factor: Rate) -> dict[str, Any]:
    """What bought electricity adds: to the test of eligibility by one factor, to the allocative baseline by another, to the nearest tonne.

    100,000 MWh x 1.0 = 100,000 for eligibility, x 0.52 = 52,000 in the baseline.
    """
    used = np.asarray(mwh).astype(np.int64)
    parts = {"eligibility": electricity_eligibility_factor, "baseline": electricity_baseline_factor}
    tonnes = {name: multiply(used, factor, rounding=Rounding("nearest")) for name, factor in parts.items()}
    return {name: int(row) if np.ndim(row) == 0 else row for name, row in tonnes.items()}
