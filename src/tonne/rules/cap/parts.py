"""What a cap is made of: the amounts that its plan names, by year, by phase or by sector; shares kept for a purpose; reserves on top."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tonne.rules.columns import Table, by_year, exactly, since, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, NEAREST, Rate, multiply


@rule("cap_amounts", unit="allowance", given={"year": "year"})
def sum_of_amounts(year: Any, *, amounts_by_year: Mapping[int, Mapping[str, int]]) -> Any:
    """Units of a year as the sum of the amounts that its plan names. 438,000,000 + 27,000,000 = 465,000,000.

    Raises ValueError for a year whose amounts were not made public.
    """
    return by_year(year, lambda y: sum(int(amount) for amount in exactly(amounts_by_year, y, "amounts").values()))


@rule("cap_amounts", unit="allowance", given={"year": "year", "part": "text"})
def amount_of(year: Any, part: str, *, amounts_by_year: Mapping[int, Mapping[str, int]]) -> Any:
    """Units of one part of a year's plan: 27,000,000 in reserve. Raises ValueError for a part that the year's plan does not name."""

    def one(y: int) -> int:
        amounts = exactly(amounts_by_year, y, "amounts")
        if amounts.get(part) is None:
            raise ValueError(f"the plan of {y} names no {part!r}; it names {', '.join(amounts)}")
        return int(amounts[part])

    return by_year(year, one)


@rule("phase_budget", unit="allowance", given={"phase": "number"})
def phase_total(phase: int, *, phase_parts: Mapping[int, Mapping[str, int]]) -> int:
    """All units of a phase, reserves included: the sum of the parts that its plan names. Raises ValueError for a phase without a plan.

    540,100,000 + 560,700,000 + 585,500,000 + 14,300,000 = 1,700,600,000.
    """
    return sum(int(part) for part in _parts(phase, phase_parts).values())


@rule("phase_budget", unit="allowance", given={"phase": "number"})
def phase_total_before_reserves(phase: int, *, phase_parts: Mapping[int, Mapping[str, int]]) -> int:
    """Units of a phase that are meant for its participants: the parts that are no reserve. 1,700,600,000 - 14,300,000 = 1,686,300,000."""
    return sum(int(part) for name, part in _parts(phase, phase_parts).items() if not name.endswith("_reserve"))


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


@rule("cap_parts", unit="allowance", given={"cap": "allowance", "year": "year", "part": "text"})
def cap_part(cap: int, year: int, part: str, *, part_share: Mapping[int, Mapping[str, Any]]) -> Any:
    """Units of a year's total that belong to a part of it: what existing emitters are given, what is kept for newcomers, for the price, for bidding.

    Allocation plan for 2022: 26,000,000 x 0.02 = 520,000. The shares of the last year tabled hold on. Raises ValueError for a part that the text
    does not know.
    """
    shares = since(part_share, int(year), "division of the total")
    if shares.get(part) is None:
        raise ValueError(f"no part {part!r} in {year}; there are {', '.join(shares)}")
    return multiply(int(whole("a total", cap)), shares[part], rounding=DOWN)


def _parts(phase: Any, plans: Mapping[int, Mapping[str, int]]) -> Mapping[str, int]:
    if plans.get(int(phase)) is None:
        raise ValueError(f"no plan for phase {phase}; there are {', '.join(map(str, plans)) or 'none'}")
    return plans[int(phase)]
