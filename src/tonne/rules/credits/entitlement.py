"""How many credits of projects an operator is entitled to, by what kind of operator it is."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.columns import Table, plain, since, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, multiply


@rule("credit_entitlement", unit="credit", given={"obligation": "allowance", "year": "year", "kind": "text", "entitlement": "credit"})
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
