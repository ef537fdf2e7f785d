"""Free units that their owners must put up for auction: utilities, for the good of those who pay their bills."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tonne.rules.columns import plain, since, whole
from tonne.rules.declare import rule
from tonne.units import UP, Rate, multiply


@rule("consignment", unit="allowance", given={"allocated": "allowance", "year": "year", "kind": "text"})
def consigned_least(allocated: Any, year: Any, kind: Any, *, consignment_share: Mapping[str, Mapping[int, Rate]]) -> Any:
    """The least a utility consigns to auction of its free units of a year: a share by kind of utility, the last year tabled holds on.

    1,000,001 x 0.25 = 250,000.25 -> 250,001: a part of a unit cannot be consigned, and fewer would be too little (17 CCR 95892(b), 95893).
    Raises ValueError for a kind that the law does not name, or a year before the first share.
    """
    units, years, kinds = np.broadcast_arrays(whole("an allocation", allocated), whole("a year", year), np.asarray(kind, dtype=object))
    least = np.zeros(units.shape, dtype=np.int64)
    for name in sorted(set(kinds.ravel().tolist())):
        if consignment_share.get(name) is None:
            raise ValueError(f"no share to consign for {name!r}; the law names {', '.join(consignment_share)}")
        of_kind = np.asarray(kinds == name, dtype=bool)
        for one in np.unique(years[of_kind]):
            rows = of_kind & (years == one)
            least[rows] = multiply(units[rows], since(consignment_share[name], int(one), f"consignment share of {name!r}"), rounding=UP)
    return plain(least)
