"""The part of an allocation that is not free: it must be bought at auction or in the market."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tonne.rules.cap import plain, whole
from tonne.rules.declare import rule
from tonne.units import NEAREST, Rate, fraction, multiply


@rule("paid_share", unit="allowance", given={"units": "allowance", "sector": "sector"})
def paid_units(units: Any, sector: Any = "all", *, assistance: Mapping[str, Rate]) -> Any:
    """Units of an allocation that are not free: the allocation less its free share, by sector (`all` for a sector that is not named).

    Allocation plan of 2013: 97 % free, so 3 % of 350,000,000 = 10,500,000 are paid for. Raises ValueError for a sector without a share.
    """
    whole_units, names = np.broadcast_arrays(whole("an allocation", units), np.asarray(sector, dtype=object))
    kinds, places = np.unique(names.astype(str), return_inverse=True)
    places, paid = places.reshape(names.shape), np.zeros(names.shape, dtype=np.int64)
    for number, kind in enumerate(kinds.tolist()):
        share = assistance.get(kind) if assistance.get(kind) is not None else assistance.get("all")
        if share is None:
            raise ValueError(f"no free share for sector {kind!r}; there is one for {', '.join(assistance) or 'none'}")
        rows = places == number
        paid[rows] = whole_units[rows] - multiply(np.array(whole_units[rows]), fraction(share), rounding=NEAREST)
    return plain(paid)
