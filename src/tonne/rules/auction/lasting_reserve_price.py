"""A floor that holds from the year for which it is set until another one is."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tonne.rules.columns import latest, price_of
from tonne.rules.declare import rule


@rule("lasting_reserve_price", unit="money_per_unit", given={"year": "year"})
def auction_reserve_price(year: Any, *, reserve_price_by_year: Mapping[int, Decimal]) -> Any:
    """The public price under which no bid counts: 22 from 2021. The last price tabled holds on; None before the first."""
    return price_of(year, lambda y: latest(reserve_price_by_year, y))
