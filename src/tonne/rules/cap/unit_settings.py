"""A yearly limit on new units made of three parts: what is auctioned (a price-triggered reserve included), what industry is given, what comes
from overseas. Units for removals stand outside it.
"""

from __future__ import annotations

from typing import Any

from tonne.rules.columns import Table, by_year, exactly, plain, whole
from tonne.rules.declare import rule


@rule("unit_settings", unit="allowance", given={"year": "year"})
def cap(year: Any, *, overall_limit_by_year: Table) -> Any:
    """The overall limit on units of a year (Climate Change Response Act 2002). 32,300,000 for 2023. Raises ValueError for another year."""
    return by_year(year, lambda y: int(exactly(overall_limit_by_year, y, "overall limit")))


@rule("unit_settings", unit="allowance", given={"auctioned": "allowance", "industrial": "allowance", "overseas": "allowance"})
def overall_limit(auctioned: Any, industrial: Any, overseas: Any = 0) -> Any:
    """The overall limit that follows from its parts: 25,900,000 by auction (reserve included) + 6,400,000 to industry + 0 = 32,300,000."""
    return plain(whole("units by auction", auctioned) + whole("industrial units", industrial) + whole("overseas units", overseas))


@rule("unit_settings", unit="allowance", given={"year": "year"})
def industrial_volume(year: Any, *, overall_limit_by_year: Table, auction_limit_by_year: Table, overseas_limit_by_year: Table | None = None) -> Any:
    """Units left for industry in a year: the overall limit less what auctions may sell and less overseas units. 32.3 - 25.9 - 0 = 6.4 million."""

    def one(y: int) -> int:
        limit, sold = int(exactly(overall_limit_by_year, y, "overall limit")), int(exactly(auction_limit_by_year, y, "limit on auctions"))
        return limit - sold - int((overseas_limit_by_year or {}).get(y) or 0)

    return by_year(year, one)


@rule("unit_settings", unit="allowance", given={"year": "year"})
def auction_volume(
    year: Any, *, auction_volume_by_year: Table | None = None, auction_limit_by_year: Table, stability__containment_size_by_year: Table | None = None
) -> Any:
    """Units on offer before the reserve opens: as tabled, else the limit on auctions less the reserve in it. 25,900,000 - 8,000,000 = 17,900,000."""

    def one(y: int) -> int:
        if (auction_volume_by_year or {}).get(y) is not None:
            return int((auction_volume_by_year or {})[y])
        return int(exactly(auction_limit_by_year, y, "limit on auctions")) - int((stability__containment_size_by_year or {}).get(y) or 0)

    return by_year(year, one)
