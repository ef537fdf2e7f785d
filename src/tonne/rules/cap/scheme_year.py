"""The units of a scheme year: a table that goes on by a yearly step, small emitters taken out, and what is left of it to sell."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.columns import Table, by_year, plain, since, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, multiply


@rule("scheme_year_supply", unit="allowance", given={"year": "year"})
def cap(year: Any, *, cap_by_year: Table, yearly_step: Table | None = None) -> Any:
    """Units for a scheme year before small emitters are taken out: as tabled, or last year's less the yearly step (GHG ETS Order 2020 art. 19).

    151,437,134 - 4,234,447 = 147,202,687. The step is by the year from which it holds. Raises ValueError before the first tabled year, and for
    a later one that no step reaches.
    """

    def one(y: int) -> int:
        if cap_by_year.get(y) is not None:
            return int(cap_by_year[y])
        known = [k for k, quantity in cap_by_year.items() if k < y and quantity is not None]
        if not known:
            raise ValueError(f"no cap for {y}: the first tabled year is {min(cap_by_year, default='none')}")
        quantity = int(cap_by_year[max(known)])
        for later in range(max(known) + 1, y + 1):
            quantity -= int(since(yearly_step or {}, later, "yearly step of the cap"))
        return max(quantity, 0)

    return by_year(year, one)


@rule("scheme_year_supply", unit="allowance", given={"first": "year", "last": "year"})
def cap_of_period(first: int, last: int, *, cap_by_year: Table, yearly_step: Table | None = None) -> int:
    """Units of all scheme years from the first to the last together, as the law totals them for a period of five years (GHG ETS Order 2020 art. 19).

    155,671,581 + 151,437,134 + 147,202,686 + 142,968,239 + 138,733,792 = 736,013,432.
    """
    return sum(int(cap(year, cap_by_year=cap_by_year, yearly_step=yearly_step)) for year in range(int(first), int(last) + 1))


@rule("scheme_year_supply", unit="ratio", given={"reference_emissions": "tCO2e", "small_emissions": "tCO2e"})
def small_emitter_factor(reference_emissions: int, small_emissions: int) -> Fraction:
    """The part of the base cap that stays when hospitals and small emitters leave: (RE - SI) / RE of their past emissions (GHG ETS Order 2020).

    (100,000,000 - 2,000,000) / 100,000,000 = 0.98. Raises ValueError where there is nothing to divide by or more leaves than there is.
    """
    reference, small = int(reference_emissions), int(small_emissions)
    if reference <= 0 or not 0 <= small <= reference:
        raise ValueError(f"small emitters had {small:,} of {reference:,} tonnes: a part of a whole above zero is asked for")
    return Fraction(reference - small, reference)


@rule(
    "scheme_year_supply",
    unit="allowance",
    given={"base": "allowance", "reference_emissions": "tCO2e", "small_emissions": "tCO2e", "new_entrants": "allowance"},
)
def scheme_year_cap(base: Any, reference_emissions: int, small_emissions: int, new_entrants: Any = 0) -> Any:
    """Units that may be created in a scheme year: base x small emitters' factor, and what is left of the new entrants' reserve.

    150,000,000 x 0.98 + 1,000,000 = 148,000,000; a part of a unit is dropped.
    """
    factor = small_emitter_factor(reference_emissions, small_emissions)
    return plain(np.asarray(multiply(whole("a base cap", base), factor, rounding=DOWN)) + whole("new entrants' reserve", new_entrants))


@rule("scheme_year_supply", unit="allowance", given={"year": "year", "cap": "allowance"})
def industry_cap(year: int, cap: Any, *, industry_cap_share: Table) -> Any:
    """The most that installations may be given for free in a year: a share of the cap. 92,100,000 x 0.40 = 36,840,000."""
    return multiply(plain(whole("a cap", cap)), since(industry_cap_share, int(year), "industry cap"), rounding=DOWN)


@rule(
    "scheme_year_supply",
    unit="allowance",
    given=dict.fromkeys(("cap", "allocated", "aviation", "industry_cap", "rfs", "new_entrants", "bf", "transfers"), "allowance"),
)
def auction_volume(
    cap: Any,
    allocated: Any = 0,
    aviation: Any = 0,
    industry_cap: Any = None,
    rfs: Any = 0,
    new_entrants: Any = 0,
    bf: Any = 0,
    transfers: Any = 0,
) -> Any:
    """Units to be auctioned in a year: AC - (AFA + IC + RFS + NER + BF) + T, never below zero (SI 2021/484 reg. 9).

    AC the adjusted cap, AFA free units of aircraft operators, IC the industry cap, RFS, NER and BF what the regulation reserves, T what it transfers
    in. While no industry cap is given, all that is allocated stands for AFA and IC. 100 - (4 + 40 + 0 + 2 + 1) + 3 = 56.
    """
    given_away = whole("an allocation", allocated) if industry_cap is None else whole("an industry cap", industry_cap) + whole("aviation", aviation)
    kept = whole("RFS", rfs) + whole("new entrants' reserve", new_entrants) + whole("BF", bf)
    return plain(np.maximum(whole("a cap", cap) - given_away - kept + whole("transfers", transfers), 0))
