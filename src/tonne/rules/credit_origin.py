"""Which credits may stand in for allowances by where, when and from what they come, and how many of them may come from outside the jurisdiction."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

import numpy as np

from tonne.rules.cap import plain, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, Rate, multiply


@rule("credit_origin_limit", unit="credit", given={"local": "credit", "outside": "credit", "base": "allowance"})
def credits_used(local: Any, outside: Any, base: Any, *, limit_share: Rate | None, outside_share: Rate | None) -> dict[str, Any]:
    """How many of the credits at hand may be used: those from outside up to their own share of the base, all together up to the whole share.

    Offset rules of 2014. Local credits are used first. Base 1,000,000 with 5 % and 2.5 %: of 10,000 local and 60,000 outside, 10,000 and 25,000
    may be used.
    """
    inside, beyond, bases = np.broadcast_arrays(whole("local credits", local), whole("outside credits", outside), whole("a base", base))
    most = multiply(np.array(bases), limit_share or 0, rounding=DOWN)
    used = np.minimum(inside, most)
    from_outside = np.minimum(np.minimum(beyond, multiply(np.array(bases), outside_share or 0, rounding=DOWN)), most - used)
    return {"local": plain(used), "outside": plain(from_outside), "total": plain(used + from_outside)}


@rule(
    "credit_conditions",
    unit="boolean",
    given={"credit": "text", "project_type": "text", "reduced_on": "date", "covered_boundary": "boolean"},
)
def credit_is_admitted(
    credit: Any,
    project_type: Any = "",
    reduced_on: Any = None,
    covered_boundary: Any = False,
    *,
    admitted_units: Collection[str] | None,
    excluded_project_types: Collection[str] | None = None,
    reduced_after: date | None = None,
    covered_boundary_excluded: bool | None = False,
) -> Any:
    """Whether a credit may be used: its kind is admitted, its project type not banned, it was reduced late enough, and not inside the system itself.

    Offset rules of the pilot phase. A wind credit for reductions of 2014 -> yes; of 2012 where only those after 1 January 2013 count -> no; a
    hydropower credit where hydropower is banned -> no. A credit of unknown age is not admitted where age counts.
    """
    kinds, types, days, covered = np.broadcast_arrays(
        np.asarray(credit, dtype=object),
        np.asarray(project_type, dtype=object),
        np.asarray(reduced_on, dtype="datetime64[D]"),
        np.asarray(covered_boundary, dtype=bool),
    )
    accepted, banned = set(admitted_units or ()), set(excluded_project_types or ())
    good = _among(kinds, accepted) & ~_among(types, banned)
    if reduced_after is not None:
        good = good & (days > np.datetime64(reduced_after, "D"))
    if covered_boundary_excluded:
        good = good & ~covered
    return bool(good) if np.ndim(good) == 0 else good


def _among(column: Any, names: Collection[str]) -> Any:
    found = np.fromiter((v in names for v in column.ravel().tolist()), dtype=bool, count=column.size)
    return found.reshape(column.shape)
