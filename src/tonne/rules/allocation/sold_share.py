"""What is left free of an allocation when the law sells a share of it, a larger one for some classes and none for others."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from tonne.rules.columns import plain, whole
from tonne.rules.declare import rule
from tonne.rules.groups import row_groups
from tonne.units import NEAREST, Rate, fraction, multiply

#: by year: a share for everybody, or shares by class with `all` for whoever is not named.
Shares = Mapping[int, Any]


@rule("sold_share_by_class", unit="ratio", given={"year": "year", "sector": "sector"})
def paid_share(year: int, sector: str = "all", *, paid_share_by_year: Shares) -> Any:
    """The share of its allocation that a class must buy in a year; the last year tabled holds on. Third phase, not exposed to leakage: 0.10.

    Raises ValueError before the first year, and for a class without a share.
    """
    tabled = [y for y in paid_share_by_year if y <= int(year)]
    if not tabled:
        raise ValueError(f"no paid share for {year}: the first one is of {min(paid_share_by_year, default=None)}")
    row = paid_share_by_year[max(tabled)]
    if not isinstance(row, Mapping):
        return Decimal(row)
    share = row.get(sector, row.get("all"))
    if share is None:
        raise ValueError(f"no paid share for the class {sector!r} in {year}; there are {', '.join(row)}")
    return Decimal(share)


@rule("sold_share_by_class", unit="allowance", given={"year": "year", "sector": "sector", "historical": "tCO2e", "adjustment": "ratio"})
def allocation(year: Any, sector: Any, historical: Any, adjustment: Rate = 1, *, paid_share_by_year: Shares) -> Any:
    """Free units of a row: its past emissions x the adjustment coefficient x what is not sold.

    1,000,000 t x 0.97 = 970,000 in the second phase; 1,000,000 for a class exposed to leakage. Rounded to the nearest unit.
    """
    given = [np.asarray(value, dtype=object) for value in (year, sector, historical)]
    years, sectors, past = np.broadcast_arrays(*given)
    units = np.zeros(past.shape, dtype=np.int64)
    flat, out = [column.ravel() for column in (years, sectors, past)], units.reshape(-1)
    if any(tonnes is None for tonnes in flat[2].tolist()):
        raise ValueError("a row allocated by its past emissions lacks them")
    tonnes = flat[2].astype(np.int64)
    for rows, (one, name) in row_groups(flat[0], flat[1]):
        free = (1 - fraction(paid_share(int(one), name or "all", paid_share_by_year=paid_share_by_year))) * fraction(adjustment)
        out[rows] = multiply(tonnes[rows], free, rounding=NEAREST)
    return plain(units)


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
