"""Limits inside the limit: how many credits of a certain kind may be among those that stand in for allowances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tonne.rules.cap import Table, plain, since, whole
from tonne.rules.credits import credit_limit_by_share
from tonne.rules.declare import rule
from tonne.units import DOWN, Rate, multiply


@rule("credit_sublimits", unit="credit", given={"obligation": "allowance", "year": "year", "kind": "text"})
def credit_sublimit(
    obligation: Any, year: Any, kind: Any, *, limit_share: Rate | Table, sublimit_share: Mapping[str, Table], sublimit_base: str = "limit"
) -> Any:
    """Credits of a kind that may be used for a year: a share of all credits admitted, or of the obligation itself where the law says so.

    By kind and year; the last year tabled holds on, before the first a kind has no limit of its own. 1,000,000 x 0.04 = 40,000 credits, at most
    half from projects without benefits in the state: 20,000 (17 CCR 95854). Raises ValueError for a kind that the law does not name.
    """
    owed, years, kinds = np.broadcast_arrays(whole("an obligation", obligation), whole("a year", year), np.asarray(kind, dtype=object))
    limit = np.asarray(credit_limit_by_share(np.array(owed), np.array(years), limit_share=limit_share), dtype=np.int64)
    base = owed if sublimit_base == "obligation" else limit
    most = np.array(limit)
    for name in sorted(set(kinds.ravel().tolist())):
        if sublimit_share.get(name) is None:
            raise ValueError(f"no limit of its own for credits of the kind {name!r}; the law names {', '.join(sublimit_share)}")
        table = sublimit_share[name]
        of_kind = np.asarray(kinds == name, dtype=bool) & (years >= min(table))
        for one in np.unique(years[of_kind]):
            rows = of_kind & (years == one)
            most[rows] = multiply(np.array(base[rows]), since(table, int(one), f"limit of the kind {name!r}"), rounding=DOWN)
    return plain(np.minimum(most, limit))
