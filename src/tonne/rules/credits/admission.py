"""Which credits may be used, by their kind, their project, its age and place."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

import numpy as np

from tonne.rules.columns import among, truth
from tonne.rules.declare import rule


@rule(
    "credit_conditions",
    unit="boolean",
    given={
        "credit": "text",
        "project_type": "text",
        "reduced_on": "date",
        "covered_boundary": "boolean",
        "registered": "date",
        "host_least_developed": "boolean",
    },
)
def credit_is_admitted(
    credit: Any,
    project_type: Any = "",
    reduced_on: Any = None,
    covered_boundary: Any = False,
    registered: Any = None,
    host_least_developed: Any = False,
    *,
    admitted_units: Collection[str] | None,
    excluded_project_types: Collection[str] | None = None,
    reduced_after: date | None = None,
    covered_boundary_excluded: bool | None = False,
    registered_until: date | None = None,
) -> Any:
    """Whether a credit may be used: its kind is admitted, its project type not banned, it was reduced late enough, not inside the system itself, and
    its project registered in time or in a least developed country.

    Offset rules of 2014: a wind credit for reductions of 2014 -> yes; of 2012 where only those after 1 January 2013 count -> no. Directive
    2003/87/EC art. 11a: CER, wind, registered 2012-12-31 -> yes; 2013-01-01 -> only from a least developed country. Where a day counts, a credit of
    unknown day is not admitted.
    """
    good = among(np.asarray(credit, dtype=object), set(admitted_units or ()))
    good = good & ~among(np.asarray(project_type, dtype=object), set(excluded_project_types or ()))
    reduced, inside, listed, poorest = (
        np.asarray(reduced_on, dtype="datetime64[D]"),
        np.asarray(covered_boundary, dtype=bool),
        np.asarray(registered, dtype="datetime64[D]"),
        np.asarray(host_least_developed, dtype=bool),
    )
    if reduced_after is not None:
        good = good & (reduced > np.datetime64(reduced_after, "D"))
    if covered_boundary_excluded:
        good = good & ~inside
    if registered_until is not None:
        good = good & ((listed <= np.datetime64(registered_until, "D")) | poorest)
    return truth(good)
