"""Money in place of units: a charge or fund payment for each unit of an obligation that is not met with units, and how much of an obligation units
may meet at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tonne.rules.columns import plain, price_of, since, times_by_year, whole
from tonne.rules.declare import rule
from tonne.rules.penalty.shortfalls import CENT
from tonne.units import DOWN, Rate, fraction, multiply

Prices = Mapping[int, Any]


@rule("payment_in_place_of_units", unit="money_per_unit", given={"year": "year"})
def payment_price(year: Any, *, payment_price_by_year: Prices) -> Any:
    """Money that settles one unit of the year's obligation: an excess emissions charge, a payment into a fund, a ceiling price. 80 for 2024.

    None for a year in which nothing can be settled in money.
    """
    return price_of(year, payment_price_by_year.get)


@rule("unit_use_limit", unit="allowance", given={"owed": "allowance", "year": "year"})
def units_admitted(owed: Any, year: Any, *, unit_use_share: Mapping[int, Rate]) -> Any:
    """Most of an obligation that surrendered units may meet; the rest is settled in money. Parts of a unit are dropped.

    The share is by year; the last one tabled holds on. 100,001 x 0.60 = 60,000.6 -> 60,000. Raises ValueError before the first share.
    """
    return plain(times_by_year(whole("what is owed", owed), year, lambda one: since(unit_use_share, one, "share that units may meet"), DOWN))


@rule("settlement_in_units_and_money", unit="allowance", given={"owed": "allowance", "units": "allowance", "year": "year", "late": "boolean"})
def settlement(
    owed: int,
    units: int,
    year: int,
    late: bool = False,
    *,
    payment_price_by_year: Mapping[int, Any],
    unit_use_share: Mapping[int, Rate] | None = None,
    late_multiple: Rate = 1,
) -> dict[str, Any]:
    """How one obligation is settled by someone who holds units: units as far as the year's share admits them, money for the rest.

    After the regular deadline each unit owed is settled `late_multiple` times. SOR/2019-266: 52,000 owed for 2024 and as many units held at 75 %:
    39,000 units and 13,000 x 80 = 1,040,000.00; without units 4,160,000.00, late 16,640,000.00. `paid` counts the units settled in money.
    Raises ValueError for a year in which money settles nothing and units do not suffice.
    """
    if owed < 0 or units < 0:
        raise ValueError("what is owed and what is held are zero or more")
    due = int(multiply(owed, late_multiple if late else 1, rounding=DOWN))
    most = int(units_admitted(due, year, unit_use_share=unit_use_share)) if unit_use_share else due
    used = min(units, most)
    price = payment_price_by_year.get(int(year))
    if price is None and used < due:
        raise ValueError(f"nothing can be settled in money for {year}; there are {', '.join(map(str, payment_price_by_year)) or 'no years'}")
    money = Decimal(multiply(due - used, fraction(price or 0) * 100, rounding=DOWN)) * CENT
    return {"used": used, "paid": due - used, "money": money, "left": units - used}
