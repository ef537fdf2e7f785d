"""What the law says of an auction on a day: the switches by which it is cleared, its lowest and highest price, limits, containment reserves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from tonne.administration.asks import answer, asks, offers, parameters
from tonne.law import Law, NotYetInForce
from tonne.market.auction import AuctionRules
from tonne.units import DOWN, UP, decimals_of, fraction, round_fraction

TIERS = (1, 2)
RESERVE_FORMULAS = ("formula_reserve_price", "bidding_floor")  # asks that need prices of the market


@dataclass(slots=True)
class AuctionTerms:
    """Prices in ticks, units whole. tiers: (trigger, units left), lowest trigger first; withhold: (trigger, units that may still be withheld).

    sources: of each name found, the ask that gave it. silent: asks that the law offers and has no figure for.
    unsized: places in `tiers` of which the law has the trigger and not the size (it stands as 0). reserve_by_formula: the law has no reserve price
    but a formula over prices of the market."""

    reserve: int | None = None
    ceiling: int | None = None
    bid_limit: int | None = None
    tiers: list[tuple[int, int]] = field(default_factory=list)
    withhold: tuple[int, int] | None = None
    sources: dict[str, str] = field(default_factory=dict)
    silent: list[str] = field(default_factory=list)
    unsized: list[int] = field(default_factory=list)
    reserve_by_formula: bool = False


def switches_of(law: Law) -> AuctionRules:
    """The switches of the system's auctions on the law's day. Raises ValueError for a law that does not say how bids are cleared."""
    if not offers(law, "auction_format"):
        raise ValueError(f"{law.system.id}: its rulebook does not say how bids are cleared (no `auction_format` among tonne asks {law.system.id})")
    return AuctionRules.of({**answer(law, "auction_format"), "decimals": decimals_of(law.system.currency)})


def terms_of(
    law: Law, rules: AuctionRules, offered: int, *, released: Sequence[int] = (0, 0), withheld: int = 0, year: int | None = None
) -> AuctionTerms:
    """What the law's own asks give for an auction of a day. released, withheld: what the year's reserves have given and taken before.

    A lowest price or trigger between two ticks is the next tick above it, a highest one the tick below: no price breaks the law by rounding."""
    terms = AuctionTerms()
    asked = year if year is not None else law.day.year
    reserve = _of_law(law, "auction_reserve_price", terms, {"year": asked})
    ceiling = _of_law(law, "auction_ceiling_price", terms, {"year": asked})
    terms.reserve = None if reserve is None else ticks_of(rules, reserve, UP)
    terms.ceiling = None if ceiling is None else ticks_of(rules, ceiling, DOWN)
    terms.reserve_by_formula = reserve is None and any(offers(law, ask) for ask in RESERVE_FORMULAS)
    limit = _of_law(law, "bid_limit", terms, {"offered": offered})
    terms.bid_limit = None if limit is None else int(limit)
    for tier, gone in zip(TIERS, released, strict=True):
        trigger = _of_law(law, "containment_trigger", terms, {"year": asked, "tier": tier})
        if trigger is not None:
            size = _of_law(law, "containment_size", terms, {"year": asked, "tier": tier})
            if not size and not _has_size(law, tier, asked):
                terms.unsized.append(len(terms.tiers))
            terms.tiers.append((ticks_of(rules, trigger, UP), max(int(size or 0) - int(gone), 0)))
    low = _of_law(law, "emissions_trigger", terms, {"year": asked})
    if low is not None:
        # What the law would withhold of an auction in which nobody bids is the most it can withhold of this one.
        most = {"year": asked, "offered": offered, "demand_at_trigger": 0, "withheld_before": withheld}
        terms.withhold = (ticks_of(rules, low, UP), int(_of_law(law, "containment_withheld", terms, most) or 0))
    return terms


def _has_size(law: Law, tier: int, year: int) -> bool:
    """Whether the law has a size of a tier for a year, zero included: what it answers for a year without one is zero too."""
    rule, topic = asks(law.rulebook).get("containment_size", (None, ""))
    if rule is None:
        return False
    tables = parameters(law, rule, topic)
    names = ("containment_size_by_year", "containment_share_by_year") if tier == 1 else (f"containment_size_{tier}_by_year",)
    return any((tables.get(name) or {}).get(year) is not None for name in names)


def purchase_limits(law: Law, offered: int, kinds: Sequence[str]) -> Any:
    """Most units that each bidder of a kind may buy, by the law; None where it sets no such limits."""
    if not offers(law, "purchase_limit"):
        return None
    return np.array([int(answer(law, "purchase_limit", (offered, kind))) for kind in kinds], dtype=np.int64)


def _of_law(law: Law, ask: str, terms: AuctionTerms, inputs: Mapping[str, Any]) -> Any:
    """The law's answer where it offers the ask and needs no more than these inputs; None else, or where nothing is in force or tabled."""
    rule, _ = asks(law.rulebook).get(ask, (None, ""))
    if rule is None:
        return None
    wanted = {name: value for name, value in inputs.items() if name in rule.given}
    if set(rule.required) - set(wanted):
        return None
    if inputs.get("tier", 1) != 1 and "tier" not in rule.given:
        return None
    try:
        found = answer(law, ask, given=wanted)
    except (NotYetInForce, ValueError):
        found = None
    if found is None:
        terms.silent.append(ask)
        return None
    terms.sources[ask] = ask
    return found


def ticks_of(rules: AuctionRules, price: Any, rounding: Any) -> int:
    """Whole ticks of a price, one between two of them by a named rounding."""
    return round_fraction(fraction(Decimal(str(price))) / fraction(rules.price_step), rounding)
