"""How much is offered when law moves it: what is left of a scheme year's cap, fewer units while many circulate, unsold ones spread over later
auctions, a reserve that takes or gives a set number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.cap import Table, by_year, plain, since, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, NEAREST, Rate, fraction, multiply

Bids = Sequence[Sequence[Any]]


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
    return sum(int(scheme_cap(year, cap_by_year=cap_by_year, yearly_step=yearly_step)) for year in range(int(first), int(last) + 1))


scheme_cap = cap  # by a name of its own: another mechanism of this room answers the same ask


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


@rule("unsold_spread_over_auctions", unit="allowance", given={"unsold": "allowance", "planned": "allowance", "already": "allowance"})
def unsold_spread(
    unsold: int, planned: Sequence[int], already: Sequence[int] | None = None, *, spread_auctions: int, spread_ceiling: Rate
) -> dict[str, Any]:
    """What later auctions offer when units stay unsold: an equal part to each of the next ones, none above a multiple of its first planned volume.

    SI 2021/484. What one auction cannot take goes to the others, what none can take to the stability account. 1,000 unsold, four auctions of
    10,000: 10,250 each. 12,000 unsold, four of 10,000: 12,500 each and 2,000 for the account.
    """
    first = [int(q) for q in planned][: int(spread_auctions)]
    volumes = [q + int(a) for q, a in zip(first, [0] * len(first) if already is None else already, strict=True)]
    ceilings = [multiply(q, spread_ceiling, rounding=DOWN) for q in first]
    left = int(unsold)
    while left > 0 and (open_ := [i for i, v in enumerate(volumes) if v < ceilings[i]]):
        part, extra = divmod(left, len(open_))
        for place, i in enumerate(open_):
            added = min(part + (place < extra), ceilings[i] - volumes[i])
            volumes[i] += added
            left -= added
    return {"volumes": volumes, "to_account": left}


@rule("lasting_reserve_price", unit="money_per_unit", given={"year": "year"})
def auction_reserve_price(year: Any, *, reserve_price_by_year: Mapping[int, Decimal]) -> Any:
    """The public price under which no bid counts: 22 from 2021. The last price tabled holds on; None before the first."""

    def one(y: int) -> Any:
        tabled = [k for k, price in reserve_price_by_year.items() if k <= y and price is not None]
        return reserve_price_by_year[max(tabled)] if tabled else None

    years = np.asarray(year)
    if years.ndim == 0:
        return one(int(years))
    found = np.empty(years.shape, dtype=object)
    for distinct in np.unique(years):
        found[years == distinct] = one(int(distinct))
    return found


@rule(
    "partial_clearing_auction", unit="allowance", given={"year": "year", "offered": "allowance", "bids": "bid", "secondary_price": "money_per_unit"}
)
def auction_outcome(
    year: int, offered: int, bids: Bids, secondary_price: Any = None, *, reserve_price_by_year: Mapping[int, Decimal]
) -> dict[str, Any]:
    """Price, units sold and unsold of an auction that clears partly instead of being cancelled; bids are pairs (price, quantity).

    Bids below the reserve price do not count. Short of bids, the lowest one that counts is the price: 10,000 offered, 9,000 bid for down to 30 ->
    9,000 sold at 30. Where the price lies far below the secondary market's (then give that), only bids that match or exceed it are filled.
    """
    floor = auction_reserve_price(int(year), reserve_price_by_year=reserve_price_by_year)
    least = max([fraction(p) for p in (floor, secondary_price) if p is not None], default=Fraction(0))
    counted: dict[Decimal, int] = {}
    for price, quantity in bids:
        if isinstance(quantity, float) or int(quantity) < 0:
            raise ValueError(f"a bid is for a whole number of units, not for {quantity!r}")
        if fraction(price) >= least:
            counted[Decimal(price)] = counted.get(Decimal(price), 0) + int(quantity)
    total, last = 0, None
    for price in sorted(counted, reverse=True):
        total, last = total + counted[price], price
        if total >= offered:
            return {"price": price, "sold": int(offered), "unsold": 0}
    return {"price": last, "sold": total, "unsold": int(offered) - total}


@rule("partial_clearing_auction", unit="money", given={"sold": "allowance", "price": "money_per_unit"})
def proceeds(sold: Any, price: Any) -> Any:
    """What an auction brings in: units sold x price. 9,000 x 30 = 270,000."""
    units = whole("units sold", sold)
    fraction(price)
    return int(units) * Decimal(price) if units.ndim == 0 else units.astype(object) * Decimal(price)


auction_volume_left = auction_volume  # by a name of its own: the next one answers the same ask


@rule(  # type: ignore[no-redef]
    "auction_cut_by_circulation", unit="allowance", given={"cap": "allowance", "allocated": "allowance", "circulation": "allowance"}
)
def auction_volume(
    cap: Any,
    allocated: Any = 0,
    circulation: Any = 0,
    *,
    auction_share: Rate,
    circulation_cut: Rate | None = None,
    circulation_threshold: int | None = None,
) -> Any:
    """Units to be auctioned: a share of the cap, cut while more than a threshold circulate; never more than what is left of the cap.

    4,900,000 x 0.05 = 245,000, halved to 122,500 above the threshold. While no threshold is in force nothing is cut.
    """
    caps, free = whole("a cap", cap), whole("an allocation", allocated)
    planned = np.asarray(multiply(caps, auction_share, rounding=DOWN))
    if circulation_threshold is not None:
        less = np.asarray(multiply(caps, fraction(auction_share) * (1 - fraction(circulation_cut or 0)), rounding=DOWN))
        planned = np.where(whole("circulation", circulation) > circulation_threshold, less, planned)
    return plain(np.maximum(np.minimum(planned, caps - free), 0))


@rule("planned_quantity", unit="allowance", given={"year": "year"})  # type: ignore[no-redef]
def cap(year: int, *, cap_by_year: Table | None = None) -> Any:
    """Units for a year as the plan sets them, None where its figure is not known: then units come into being as they are allocated.

    159,900,000 for 2021.
    """
    return (cap_by_year or {}).get(int(year))


planned_cap = cap  # by a name of its own


@rule("declining_free_share", unit="allowance", given={"year": "year", "sector": "sector", "quantity": "tCO2e", "benchmarked": "allowance"})
def allocation(
    year: int,
    sector: Any,
    quantity: Any,
    benchmarked: Any = 0,
    *,
    free_share_start: int,
    free_share_cut: Mapping[str, Rate],
    free_share_end: Mapping[str, int] | None = None,
) -> Any:
    """Free units by past emissions: all of them in the first year, so much less each year after, nothing once the sector's free years are over.

    `quantity` is the tonnes of the base; a sector's allocation never falls below its benchmark, where one is given. 1,000,000 x (1 - 0.05 x 4) =
    800,000 in the fifth year; industry 1,000,000 x (1 - 0.15 x 4) = 400,000. Raises ValueError for a sector without a rate.
    """
    sectors, base, floor = np.broadcast_arrays(
        np.asarray(sector, dtype=object), whole("a base", quantity), whole("an allocation by benchmark", benchmarked)
    )
    out = np.zeros(base.shape, dtype=np.int64)
    passed = max(int(year) - int(free_share_start), 0)
    for name in sorted({str(s) for s in sectors.ravel().tolist()}):
        if name not in free_share_cut:
            raise ValueError(f"no yearly cut of free units for sector {name!r}; there is one for {', '.join(free_share_cut)}")
        rows = np.asarray(sectors == name, dtype=bool)
        end = (free_share_end or {}).get(name)
        share = max(1 - fraction(free_share_cut[name]) * passed, Fraction(0)) if end is None or int(year) < int(end) else Fraction(0)
        out[rows] = np.maximum(multiply(np.array(base[rows]), share, rounding=NEAREST), floor[rows])
    return plain(out)


@rule("fixed_quantity_reserve", unit="allowance", given={"tnac": "allowance"})
def msr_intake(tnac: Any, *, upper_threshold: int, intake_quantity: int) -> Any:
    """Units withheld from auctions when more than the upper threshold circulate: a set number (the second system's own reserve).

    440,000,001 -> 100,000,000; 440,000,000 -> 0.
    """
    return plain(np.where(whole("circulation", tnac) > upper_threshold, intake_quantity, 0))


@rule("fixed_quantity_reserve", unit="allowance", given={"tnac": "allowance", "holding": "allowance"})
def msr_release(tnac: Any, holding: Any, *, lower_threshold: int, release_quantity: int) -> Any:
    """Units released when fewer than the lower threshold circulate: a set number, or all the reserve holds when it holds less.

    209,999,999 -> 100,000,000; 210,000,000 -> 0.
    """
    few = whole("circulation", tnac) < lower_threshold
    return plain(np.where(few, np.minimum(release_quantity, np.maximum(whole("the reserve's holding", holding), 0)), 0))
