"""How many credits of projects may stand in for allowances, and which ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

import numpy as np

from tonne.rules.cap import Table, plain, since, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, Rate, multiply


@rule("share_of_obligation", unit="credit", given={"obligation": "allowance", "year": "year"})
def credit_limit(obligation: Any, year: Any, *, limit_share: Rate | Table | None) -> Any:
    """Credits that may be used for a year: a share of what is owed; a part of a credit is none. 1,000,010 x 0.05 = 50,000.5 -> 50,000.

    The share is one rate, or a table by year whose last value stays. A repealed share admits none.
    """
    owed, years = np.broadcast_arrays(whole("an obligation", obligation), whole("a year", year))
    if not isinstance(limit_share, Mapping):
        return plain(multiply(np.array(owed), limit_share or 0, rounding=DOWN))
    out = np.zeros(owed.shape, dtype=np.int64)
    for one in np.unique(years):
        rows = years == one
        out[rows] = multiply(np.array(owed[rows]), since(limit_share, int(one), "credit limit"), rounding=DOWN)
    return plain(out)


credit_limit_by_share = credit_limit  # the function above by a name of its own: the next one answers the same ask for another mechanism


@rule("credit_entitlement", unit="credit", given={"obligation": "allowance", "year": "year", "kind": "text", "entitlement": "credit"})  # type: ignore[no-redef]
def credit_limit(
    obligation: Any,
    year: Any,
    kind: Any = "installation",
    entitlement: Any = 0,
    *,
    installation_share: Table,
    new_entrant_share: Table | None = None,
    aircraft_share: Table | None = None,
) -> Any:
    """Credits an operator is entitled to: a share of the base of its kind, or its earlier entitlement where that is more.

    Directive 2003/87/EC art. 11a(8). The base of an installation is its free allocation of 2008-2012; of a new entrant or an aircraft operator its
    verified emissions. A year whose share is zero admits none. Installation 2013-2020: max(134,000, 1,000,000 x 0.11 = 110,000) = 134,000.
    """
    base, years, kinds, kept = np.broadcast_arrays(
        whole("a base", obligation), whole("a year", year), np.asarray(kind, dtype=object), whole("an entitlement", entitlement)
    )
    tables = {"installation": installation_share, "new_entrant": new_entrant_share or {}, "aircraft_operator": aircraft_share or {}}
    out = np.zeros(base.shape, dtype=np.int64)
    for name in sorted(set(kinds.ravel().tolist())):
        if name not in tables:
            raise ValueError(f"no kind of operator {name!r}; there are {', '.join(tables)}")
        of_kind = np.asarray(kinds == name, dtype=bool)
        for one in np.unique(years[of_kind]):
            rows = of_kind & (years == one)
            share = since(tables[name], int(one), f"credit limit of the kind {name!r}")
            out[rows] = np.maximum(multiply(np.array(base[rows]), share, rounding=DOWN), kept[rows]) if share else 0
    return plain(out)


credit_limit_by_entitlement = credit_limit


@rule(
    "credit_entitlement",
    unit="boolean",
    given={"credit": "text", "project_type": "text", "registered": "date", "host_least_developed": "boolean"},
)
def credit_is_eligible(
    credit: Any,
    project_type: Any,
    registered: Any,
    host_least_developed: Any = False,
    *,
    accepted_credits: Collection[str] | None,
    excluded_project_types: Collection[str] | None = None,
    registered_until: date | None = None,
) -> Any:
    """Whether a credit may be used on the law's day: kind accepted, project type not banned, project registered in time or in a poorest country.

    Directive 2003/87/EC art. 11a: a project registered after the cut-off lies in a least developed country.

    CER, wind, registered 2012-12-31 -> yes; 2013-01-01 -> only from a least developed country; adipic acid after 30 April 2013 -> no.
    """
    kinds, types = np.asarray(credit, dtype=object), np.asarray(project_type, dtype=object)
    accepted, banned = set(accepted_credits or ()), set(excluded_project_types or ())
    good = _among(kinds, accepted) & ~_among(types, banned)
    if registered_until is not None:
        days = np.asarray(registered, dtype="datetime64[D]")
        good = good & ((days <= np.datetime64(registered_until)) | np.asarray(host_least_developed, dtype=bool))
    return bool(good) if np.ndim(good) == 0 else good


def _among(column: Any, names: Collection[str]) -> Any:
    found = np.fromiter((v in names for v in column.ravel().tolist()), dtype=bool, count=column.size)
    return found.reshape(column.shape)
