"""What a cap is made of, and what lies on top of it: amounts by sector that add up to it, reserves that are a share of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tonne.rules.cap import Table, by_year, exactly
from tonne.rules.declare import rule
from tonne.units import NEAREST, Rate, multiply


@rule("cap_by_sector", unit="allowance", given={"year": "year"})
def sum_of_sectors(year: Any, *, sector_amounts: Mapping[str, int], other_sectors: Table) -> Any:
    """Units of all sectors together in a year: the amounts that hold for every year, and those of the remaining sectors in that year.

    264,200,000 + 7,000,000 = 271,200,000. Raises ValueError for a year without an amount for the remaining sectors.
    """
    fixed = sum(int(amount) for amount in sector_amounts.values())
    return by_year(year, lambda y: fixed + int(exactly(other_sectors, y, "amount for the remaining sectors")))


@rule("reserves_on_top_of_cap", unit="allowance", given={"year": "year", "reserve": "text"})
def reserve_size(year: Any, reserve: str, *, reserve_share: Mapping[str, Rate], cap__cap_by_year: Table) -> Any:
    """Units of a reserve that comes on top of the year's cap: its share of the cap. 271,300,000 x 0.05 = 13,565,000.

    Raises ValueError for a reserve that the law does not name, and for a year without a cap.
    """
    if reserve_share.get(reserve) is None:
        raise ValueError(f"no reserve {reserve!r}; the law names {', '.join(reserve_share)}")
    return by_year(year, lambda y: multiply(int(exactly(cap__cap_by_year, y, "cap")), reserve_share[reserve], rounding=NEAREST))


@rule("reserves_on_top_of_cap", unit="allowance", given={"year": "year"})
def total_with_reserves(year: Any, *, reserve_share: Mapping[str, Rate], cap__cap_by_year: Table) -> Any:
    """Units of a year's cap and all its reserves: 271,300,000 + 27,130,000 + 13,565,000 + 13,565,000 = 325,560,000."""

    def one(y: int) -> int:
        cap = int(exactly(cap__cap_by_year, y, "cap"))
        return cap + sum(int(multiply(cap, share, rounding=NEAREST)) for share in reserve_share.values() if share is not None)

    return by_year(year, one)
