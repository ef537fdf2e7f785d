"""How a year's cap is cut up: a part without vintage for a price containment reserve, set-asides, a part sold years ahead, the rest for its year."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tonne.rules.columns import plain, whole
from tonne.rules.declare import rule
from tonne.units import NEAREST, IntArray, Rate, multiply

Quantities = Mapping[int, int | None]
Shares = Mapping[int, Rate | None]


@rule("divided_cap", unit="allowance", given={"cap": "allowance", "year": "year"})
def reserve_part(cap: Any, year: Any, *, reserve_share_by_year: Shares | None = None, reserve_quantity_by_year: Quantities | None = None) -> Any:
    """Units of a year's cap that go to the price containment reserve: a tabled quantity, otherwise a share; none in a year without either.

    162,800,000 x 0.01 = 1,628,000 for 2013; 10,500,000 as tabled for 2021 (17 CCR 95870(a), 95871(a)).
    """
    return plain(_part(cap, year, reserve_share_by_year, reserve_quantity_by_year))


@rule("divided_cap", unit="allowance", given={"cap": "allowance", "year": "year"})
def vintage_part(cap: Any, year: Any, *, reserve_share_by_year: Shares | None = None, reserve_quantity_by_year: Quantities | None = None) -> Any:
    """Units issued with the year as their vintage: the cap less the reserve's part, whose units have none. 162,800,000 - 1,628,000 = 161,172,000."""
    return plain(whole("a cap", cap) - _part(cap, year, reserve_share_by_year, reserve_quantity_by_year))


@rule("advance_auctions", unit="allowance", given={"cap": "allowance", "year": "year"})
def advance_part(cap: Any, year: Any, *, advance_share_by_year: Shares) -> Any:
    """Units of a year's cap that are sold ahead, in advance auctions of years before. 382,400,000 x 0.10 = 38,240,000, a quarter of it at a time."""
    return plain(_part(cap, year, advance_share_by_year, None))


@rule("advance_auctions", unit="year", given={"year": "year"})
def advance_vintage(year: Any, *, advance_years: int) -> Any:
    """The vintage that the advance auctions of a year sell: 2016 in 2013, three years ahead."""
    return plain(whole("a year", year) + int(advance_years))


@rule("divided_cap", unit="allowance", given={"year": "year", "cap": "allowance", "allocated": "allowance"})
def auction_volume(
    year: Any,
    cap: Any,
    allocated: Any = 0,
    *,
    reserve_share_by_year: Shares | None = None,
    reserve_quantity_by_year: Quantities | None = None,
    set_aside_share_by_year: Shares | None = None,
) -> Any:
    """Units of a year left for auction, now or ahead: the cap less the reserve's part, less set-asides, less free units; never below zero.

    100,000,000 - 4,000,000 - 250,000 - 50,000,000 = 45,750,000 with 4 % for the reserve and 0.25 % set aside.
    """
    left = whole("a cap", cap) - _part(cap, year, reserve_share_by_year, reserve_quantity_by_year) - _part(cap, year, set_aside_share_by_year, None)
    return plain(np.maximum(left - whole("an allocation", allocated), 0))


def _part(cap: Any, year: Any, shares: Shares | None, quantities: Quantities | None) -> IntArray:
    caps, years = np.broadcast_arrays(whole("a cap", cap), whole("a year", year))
    part = np.zeros(caps.shape, dtype=np.int64)
    for one in np.unique(years):
        rows = years == one
        part[rows] = _of_year(shares or {}, quantities or {}, int(one))(caps[rows])
    return part


def _of_year(shares: Shares, quantities: Quantities, year: int) -> Callable[[IntArray], Any]:
    tabled, share = quantities.get(year), shares.get(year)
    if tabled is not None:
        return lambda caps: np.full(caps.shape, int(tabled), dtype=np.int64)
    return lambda caps: multiply(caps, share or 0, rounding=NEAREST)
