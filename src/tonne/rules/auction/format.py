"""The switches of an auction: what winners pay, whose bid of equal ones comes first, what happens when demand is short, in what steps bids are made.

The switches are words and figures of the law. Whoever clears an auction takes them as they are; what the law at hand leaves open is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tonne.rules.bidding import bid_quantity
from tonne.rules.declare import rule
from tonne.units import Rate, fraction

#: What every winner pays: the lowest bid that gets units, or its own.
PRICING = ("lowest_accepted", "pay_as_bid")
#: Whose bid of equal ones is served: by lot, the earlier one, each in proportion to what it wants.
RANKING = ("random", "time", "pro_rata")
#: What becomes of an auction with fewer units bid for than offered.
UNDERSUBSCRIPTION = ("cancel", "partial_at_reserve", "partial_at_lowest_bid", "partial_or_decline")
#: What becomes of an auction that would clear far below the market beside it.
BELOW_SECONDARY = ("ignore", "cancel", "partial")
#: What becomes of a bid that passes a limit of its bidder.
OVER_LIMIT = ("trim", "reject")
#: Where units go that nobody bought: in parts to the next auctions, whole to the next one (or only to one of the same year), back after some auctions
#: above the floor, nowhere, or into a reserve.
UNSOLD = ("spread", "next", "next_in_year", "reoffer", "gone", "reserve")


def _word(name: str, value: str | None, allowed: Sequence[str]) -> str | None:
    if value is not None and value not in allowed:
        raise ValueError(f"{name}: {value!r} is no switch of an auction; write one of {', '.join(allowed)}")
    return value


def _above_zero(name: str, value: Any) -> Any:
    if value is not None and fraction(value) <= 0:
        raise ValueError(f"{name}: {value} is no step and no share; it lies above zero")
    return value


def _share(name: str, value: Any) -> Any:
    if _above_zero(name, value) is not None and fraction(value) > 1:
        raise ValueError(f"{name}: {value} is more than all that is offered; write a share of 1")
    return value


def _at_least_once(multiple: Any) -> Any:
    if multiple is not None and fraction(multiple) < 1:
        raise ValueError(f"ceiling_volume_multiple: {multiple} would shrink the offer; write 1 or more")
    return multiple


@rule("auction_format", unit="text")
def auction_format(
    *,
    pricing: str,
    ranking: str | None = None,
    undersubscription: str | None = None,
    below_secondary: str | None = None,
    lot: int | None = None,
    bid_step: int | None = None,
    minimum_bid: int | None = None,
    price_step: Rate | None = None,
    tick: Rate | None = None,
    bid_limit_share: Rate | None = None,
    ceiling_volume_multiple: Rate | None = None,
    sale_order: Mapping[str, int] | None = None,
    non_competitive_share: Rate | None = None,
    over_limit: str | None = None,
    bids_per_bidder: int | None = None,
) -> dict[str, Any]:
    """The switches by which the auctions of a system are cleared, by name; those that the law leaves open are left out.

    `lot`, `bid_step`, `min_bid`: units of the system. `price_step`: money for one of them. `bid_limit_share`: most of the offer that a bidder may
    bid for. `ceiling_volume_multiple`: how many times the offer may be sold at the ceiling. `category_order`: which category sells first.
    Regulation (EU) No 1031/2010: lowest accepted bid, equal bids at random, cancelled when short, lots of 500, steps of a cent.
    Raises ValueError for an unknown word, a step that is not above zero and a share above 1.
    """
    switches: dict[str, Any] = {
        "pricing": _word("pricing", pricing, PRICING),
        "ranking": _word("ranking", ranking, RANKING),
        "undersubscribed": _word("undersubscription", undersubscription, UNDERSUBSCRIPTION),
        "below_secondary": _word("below_secondary", below_secondary, BELOW_SECONDARY),
        "lot": _above_zero("lot", lot),
        "bid_step": _above_zero("bid_step", bid_step),
        "min_bid": _above_zero("minimum_bid", minimum_bid),
        "price_step": _above_zero("price_step", tick if price_step is None else price_step),
        "bid_limit_share": _share("bid_limit_share", bid_limit_share),
        "ceiling_volume_multiple": _at_least_once(ceiling_volume_multiple),
        "category_order": dict(sale_order) if sale_order else None,
        "non_competitive_share": _share("non_competitive_share", non_competitive_share),
        "over_limit": _word("over_limit", over_limit, OVER_LIMIT),
        "bids_per_bidder": _above_zero("bids_per_bidder", bids_per_bidder),
    }
    return {name: value for name, value in switches.items() if value is not None}


@rule("auction_format", unit="text")
def auction_unsold(
    *,
    unsold_go_to: str | None = None,
    spread_auctions: int | None = None,
    spread_ceiling: Rate | None = None,
    unsold_passes_year_end: bool | None = None,
    reoffer_after_auctions: int | None = None,
    reoffer_limit_share: Rate | None = None,
    unsold_months: int | None = None,
) -> dict[str, Any]:
    """What becomes of units that stay unsold: the word under `goes` (None where the law at hand is silent), and the figures of it.

    spread: in parts to so many next auctions; next: whole to the next one, next_in_year: only to one of the same year; reoffer: back after so many
    auctions above the floor; gone; reserve: into a reserve of the law. A word written by the law stands, else it follows from the figures that other
    rules read. Raises ValueError for an unknown word.
    """
    if _word("unsold_go_to", unsold_go_to, UNSOLD) is not None:
        return {"goes": unsold_go_to}
    if spread_auctions is not None:
        found = {"goes": "spread", "auctions": int(spread_auctions), "ceiling": spread_ceiling}
    elif reoffer_after_auctions is not None:
        found = {"goes": "reoffer", "after_auctions": int(reoffer_after_auctions), "limit_share": reoffer_limit_share, "months": unsold_months}
    elif unsold_passes_year_end is not None:
        found = {"goes": "next" if unsold_passes_year_end else "next_in_year"}
    else:
        return {"goes": None}
    return {name: value for name, value in found.items() if value is not None}


@rule("cancelled_spread_in_lots", unit="allowance", given={"unsold": "allowance", "planned": "allowance"})
def unsold_spread(unsold: int, planned: Sequence[int], *, spread_auctions: int, lot: int = 1) -> dict[str, Any]:
    """What later auctions offer when one is cancelled: an equal part in whole lots to each of the next ones, odd lots and units to the first.

    2,658,000 cancelled and four auctions of 2,658,000 ahead: 3,322,500 each. With fewer auctions planned these take all; `to_account` is what no
    auction takes, all of it where none is planned. Regulation (EU) No 1031/2010; the exchange's notice of March 2022.
    """
    volumes = [bid_quantity(quantity) for quantity in planned][: int(spread_auctions)]
    if not volumes:
        return {"volumes": [], "to_account": bid_quantity(unsold)}
    lots, odd_units = divmod(bid_quantity(unsold), int(lot))
    part, odd_lots = divmod(lots, len(volumes))
    volumes = [volume + (part + (place < odd_lots)) * int(lot) for place, volume in enumerate(volumes)]
    return {"volumes": [volumes[0] + odd_units, *volumes[1:]], "to_account": 0}
