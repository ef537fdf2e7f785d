"""How credits earned below a limit are used: settling an obligation partly in units and partly in money, how long a credit lives, which kind is
taken first, a limit shared by two kinds, and who makes good a credit found invalid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from tonne.rules.cap import plain, whole
from tonne.rules.declare import rule
from tonne.rules.payment import units_admitted
from tonne.units import DOWN, IntArray, Rate, fraction, multiply

_CENT = Decimal("0.01")


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
    money = Decimal(multiply(due - used, fraction(price or 0) * 100, rounding=DOWN)) * _CENT
    return {"used": used, "paid": due - used, "money": money, "left": units - used}


@rule("late_payment_multiple", unit="money", given={"shortfall": "allowance", "year": "year"})
def penalty(shortfall: Any, year: Any, *, obligation__payment_price_by_year: Mapping[int, Any], obligation__late_multiple: Rate) -> Any:
    """Money that settles what was missing on the deadline: each unit at a multiple of the price at which it could have been paid in time.

    The multiple takes the place of the plain payment and contains it. 52,000 x 80 x 4 = 16,640,000.00. Raises ValueError for a year without a price.
    """
    years, missing = np.broadcast_arrays(np.asarray(year), whole("a shortfall", shortfall))
    cents = np.zeros(missing.shape, dtype=np.int64)
    for one in np.unique(years):
        price = obligation__payment_price_by_year.get(int(one))
        if price is None:
            raise ValueError(f"no price for {int(one)} that a late payment could be a multiple of")
        rows = years == one
        cents[rows] = multiply(np.array(missing[rows]), fraction(price) * 100 * fraction(obligation__late_multiple), rounding=DOWN)
    return Decimal(int(cents)) * _CENT if cents.ndim == 0 else np.array([Decimal(c) * _CENT for c in cents.ravel().tolist()], dtype=object)


@rule("expiring_credits", unit="boolean", given={"vintage": "year", "year": "year"})
def vintage_pays(vintage: Any, year: Any, *, credit_life_by_vintage: Mapping[int, int]) -> Any:
    """Whether credits of a vintage settle a year's obligation: not a year before their own, and no longer than their life after it.

    The life is by vintage; the last one tabled holds on. Five years for vintage 2023: 2023 to 2028. A vintage before the first entry never expires.
    """
    vintages, years = np.broadcast_arrays(np.asarray(vintage), np.asarray(year))
    return _like((vintages <= years) & (years <= _last_years(vintages, credit_life_by_vintage)))


@rule("expiring_credits", unit="year", given={"vintage": "year"})
def last_year_of_use(vintage: Any, *, credit_life_by_vintage: Mapping[int, int]) -> Any:
    """The last year whose obligation credits of a vintage settle: 2023 + 5 = 2028. 9999 for a vintage that never expires."""
    return plain(_last_years(np.asarray(vintage), credit_life_by_vintage))


@rule("retirement_order", unit="allowance", given={"owed": "allowance", "held": "allowance"})
def units_retired(owed: int, held: Mapping[str, int], *, retirement_order: Sequence[str]) -> dict[str, int]:
    """Units of each kind that are taken for an obligation, one kind after the other, and what is then missing.

    100 owed with 60 of the first kind and 80 of the second: 60 and 40. Raises ValueError for a kind that the law does not name.
    """
    unknown = [kind for kind in held if kind not in retirement_order]
    if unknown or owed < 0 or any(quantity < 0 for quantity in held.values()):
        raise ValueError(f"kinds are {', '.join(retirement_order)}, and quantities zero or more; given were {dict(held)}")
    taken, left = {}, int(owed)
    for kind in retirement_order:
        taken[kind] = min(left, int(held.get(kind, 0)))
        left -= taken[kind]
    return {**taken, "missing": left}


@rule("shared_credit_limit", unit="credit", given={"emissions": "tCO2e", "used": "credit"})
def credits_accepted(emissions: int, used: Mapping[str, int], *, share_by_kind: Mapping[str, Rate], share_of_all_kinds: Rate) -> int:
    """Credits of several kinds that count together: each kind up to its own share of the emissions, all of them up to a common one.

    1,000,000 t with 150,000 of one kind (20 %) and 80,000 of another (10 %), together at most 20 %: 200,000. Raises ValueError for an unknown kind.
    """
    unknown = [kind for kind in used if share_by_kind.get(kind) is None]
    if unknown or emissions < 0 or any(quantity < 0 for quantity in used.values()):
        raise ValueError(f"kinds are {', '.join(share_by_kind)}, and quantities zero or more; given were {dict(used)}")
    each = sum(min(int(quantity), int(multiply(emissions, share_by_kind[kind], rounding=DOWN))) for kind, quantity in used.items())
    return min(each, int(multiply(emissions, share_of_all_kinds, rounding=DOWN)))


@rule("invalid_credit_liability", unit="credit", given={"role": "text", "invalidated": "credit"})
def replacement_owed(role: str, invalidated: int, *, liable_for_invalid_credits: str) -> int:
    """Credits that someone must replace after some were found invalid: all of them for whom the law names, none for anybody else.

    Where the first seller bears the risk, of 1,000 invalidated ones the first seller replaces 1,000 and the one who used them none.
    """
    if invalidated < 0:
        raise ValueError("a number of invalidated credits is zero or more")
    return int(invalidated) if role == liable_for_invalid_credits else 0


def _last_years(vintages: Any, lives: Mapping[int, int]) -> IntArray:
    found = np.full(np.shape(vintages), 9999, dtype=np.int64)
    for vintage in np.unique(whole("a vintage", vintages)):
        tabled = [y for y, life in lives.items() if y <= vintage and life is not None]
        if tabled:
            found[vintages == vintage] = int(vintage) + int(lives[max(tabled)])
    return found


def _like(flags: Any) -> Any:
    return bool(flags) if np.ndim(flags) == 0 else np.asarray(flags, dtype=bool)
