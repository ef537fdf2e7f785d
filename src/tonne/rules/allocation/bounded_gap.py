"""The final allocation after verification, whose distance from what was emitted is bounded: nobody lacks, or keeps, more than so much."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from tonne.rules.columns import plain, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, Rate, multiply


@rule("bounded_gap", unit="allowance", given={"initial": "allowance", "verified": "tCO2e", "sector": "sector"})
def final_allocation(
    initial: Any,
    verified: Any,
    sector: Any = "all",
    *,
    gap_limit: Rate | None = None,
    gap_limit_base: str = "verified",
    gap_limit_units: int | None = None,
    surplus_is_limited: bool = False,
    gap_limit_methods: Collection[str] | None = None,
    allocation_method: Mapping[str, str] | None = None,
) -> Any:
    """Units after the bound: an entity lacks at most a share of its emissions (or of its first allocation), and at most a number of units.

    What it lacks beyond is topped up; where surpluses are limited too, what exceeds the same bound is taken back. With a list of methods only the
    sectors allocated by one of them are bounded; without a bound in force nothing changes. Allocation plan of 2022 of a provincial system:
    700,000 against 1,000,000 emitted lacks 300,000; 20 % are 200,000, so 100,000 are topped up: 800,000.
    """
    given, emitted, names = np.broadcast_arrays(
        whole("a first allocation", initial), whole("verified emissions", verified), np.asarray(sector, dtype=object)
    )
    if gap_limit is None:
        return plain(np.array(given))
    if gap_limit_base not in ("verified", "initial"):
        raise ValueError(f"the bound is a share of `verified` or of `initial`, not of {gap_limit_base!r}")
    bound = multiply(np.array(emitted if gap_limit_base == "verified" else given), gap_limit, rounding=DOWN)
    bound = bound if gap_limit_units is None else np.minimum(bound, gap_limit_units)
    final = np.maximum(given, emitted - bound)
    if surplus_is_limited:
        final = np.minimum(final, emitted + bound)
    return plain(np.where(_bounded(names, gap_limit_methods, allocation_method or {}), final, given))


def _bounded(names: Any, methods: Collection[str] | None, by_sector: Mapping[str, str]) -> Any:
    if methods is None:
        return np.ones(names.shape, dtype=bool)
    kinds, places = np.unique(names.astype(str), return_inverse=True)
    inside = np.array([by_sector.get(str(kind), by_sector.get("all")) in methods for kind in kinds], dtype=bool)
    return inside[places].reshape(names.shape)
