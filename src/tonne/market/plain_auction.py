"""The same auctions in plain Python, written apart: the auditor of `auction.py`. Lists, sums and fractions, nothing clever.

It shares with the fast one the switches (`AuctionRules`) and the numbers drawn, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tonne.market.auction import AuctionRules
from tonne.market.draw import draws


@dataclass(slots=True)
class PlainBid:
    """A bid and what becomes of it; price None: a bid without a price."""

    row: int
    bidder: int
    price: int | None
    quantity: int
    drawn: int
    kept: int = 0
    award: int = 0
    reason: str = "counts"


@dataclass(slots=True)
class PlainResult:
    """What an auction came to, in the words of `AuctionResult`."""

    bids: list[PlainBid]
    offered: int
    outcome: str = "cancelled"
    reason: str = ""
    price: int | None = None
    interim_price: int | None = None
    sold: int = 0
    unsold: int = 0
    added: int = 0
    by_tier: list[int] = field(default_factory=list)
    withheld: int = 0
    costs: dict[int, int] = field(default_factory=dict)
    sold_of_offers: list[int] = field(default_factory=list)


#: jurisdiction, category, vintage, quantity
OfferRow = tuple[str, str, int, int]


def clear_plainly(
    rules: AuctionRules,
    offered: int | Sequence[OfferRow],
    bids: Sequence[tuple[int, int | None, int]],
    *,
    reserve: int | None = None,
    ceiling: int | None = None,
    secondary: int | None = None,
    seed: int = 0,
    limits: Mapping[int, int] | None = None,
    guarantees: Mapping[int, int] | None = None,
    tiers: Sequence[tuple[int, int]] = (),
    withhold: tuple[int, int] | None = None,
) -> PlainResult:
    """Clears one auction of bids (bidder, price in ticks or None, quantity). The arguments are those of `clear_auction`, by bidder in mappings."""
    rows = [("", "", 0, offered)] if isinstance(offered, int) else list(offered)
    total = sum(row[3] for row in rows)
    numbers = [int(number) for number in draws(seed, len(bids))]
    found = PlainResult([PlainBid(i, who, price, units, numbers[i]) for i, (who, price, units) in enumerate(bids)], total)
    _refuse(rules, found.bids, reserve, ceiling)
    below = any(bid.reason == "below_reserve" for bid in found.bids)
    _trim(rules, found.bids, total, limits or {}, guarantees or {}, reserve)
    found.by_tier = [0 for _ in tiers]
    if total == 0:
        found.reason = "nothing_offered"
    else:
        pool = min(total * (Fraction(rules.non_competitive_share or 0)) // 1, sum(bid.kept for bid in found.bids if bid.price is None))
        _decide(rules, found, int(pool), below, reserve, ceiling, secondary, tiers, withhold)
    _split_the_sale(rules, found, rows)
    _bill(rules, found)
    return found


def _refuse(rules: AuctionRules, bids: list[PlainBid], reserve: int | None, ceiling: int | None) -> None:
    count: dict[int, int] = {}
    for bid in bids:
        if bid.quantity <= 0:
            bid.reason = "bad_quantity"
        elif bid.price is not None and bid.price <= 0:
            bid.reason = "bad_price"
        elif bid.quantity < rules.minimum:
            bid.reason = "below_minimum"
        elif bid.quantity % rules.step:
            bid.reason = "odd_lot"
        elif bid.price is None and rules.non_competitive_share is None:
            bid.reason = "no_non_competitive"
        else:
            count[bid.bidder] = count.get(bid.bidder, 0) + 1
            if rules.bids_per_bidder is not None and count[bid.bidder] > rules.bids_per_bidder:
                bid.reason = "too_many_bids"
                continue
            if bid.price is not None and ceiling is not None:
                bid.price = min(bid.price, ceiling)
            if bid.price is not None and reserve is not None and bid.price < reserve:
                bid.reason = "below_reserve"
            else:
                bid.kept = bid.quantity


def _trim(
    rules: AuctionRules, bids: list[PlainBid], offered: int, limits: Mapping[int, int], guarantees: Mapping[int, int], reserve: int | None
) -> None:
    """Cheapest bids first, until what is left fits the bidder's limit and its guarantee."""
    highest = max([bid.price for bid in bids if bid.kept and bid.price is not None] + [reserve or 0])
    for bidder in {bid.bidder for bid in bids}:
        own = [bid for bid in bids if bid.bidder == bidder and bid.kept]
        own.sort(key=lambda bid: (-(highest if bid.price is None else bid.price), bid.price is not None, bid.row))
        limit = limits.get(bidder)
        if rules.bid_limit_share is not None:
            share = int(offered * Fraction(rules.bid_limit_share) // 1)
            limit = share if limit is None or limit < 0 else min(limit, share)
        if limit is not None and limit < 0:
            limit = None
        guarantee = guarantees.get(bidder, -1)
        total, cause = 0, ""
        for bid in own:
            if cause:
                bid.kept, bid.reason = 0, cause
                continue
            price = highest if bid.price is None else bid.price
            room = None if limit is None else limit - total
            if guarantee >= 0 and price:
                paid_for = int(guarantee / rules.tick_value // 1) // price - total
                if room is None or paid_for < room:
                    room, cause = paid_for, "over_guarantee"
            if room is None or bid.kept <= room:
                cause = ""
                total += bid.kept
                continue
            cause = cause or "over_limit"
            bid.kept = 0 if rules.over_limit == "reject" else max(room, 0) // rules.step * rules.step
            bid.reason = cause


def _demand(bids: list[PlainBid], price: int) -> int:
    return sum(bid.kept for bid in bids if bid.price is not None and bid.price >= price)


def _price_at(rules: AuctionRules, bids: list[PlainBid], pool: int, volume: int, reserve: int | None) -> tuple[int | None, int]:
    """Price and units sold when a volume is on offer."""
    wanted, price = volume - pool, None
    got = 0
    for bid in sorted((bid for bid in bids if bid.kept and bid.price is not None), key=lambda bid: -(bid.price or 0)):
        if got < wanted:
            got += bid.kept
            price = bid.price
    if got >= wanted > 0:
        return price, volume
    if wanted <= 0 or price is None or (reserve is not None and rules.undersubscribed == "partial_at_reserve"):
        price = reserve
    return price, pool + min(got, max(wanted, 0))


def _decide(
    rules: AuctionRules,
    found: PlainResult,
    pool: int,
    below: bool,
    reserve: int | None,
    ceiling: int | None,
    secondary: int | None,
    tiers: Sequence[tuple[int, int]],
    withhold: tuple[int, int] | None,
) -> None:
    bids, offered = found.bids, found.offered
    found.interim_price, _ = _price_at(rules, bids, pool, offered, reserve)
    volume, at_trigger = offered, None
    added, opened, withheld = 0, [0 for _ in tiers], 0
    if rules.ceiling_volume_multiple is not None and ceiling is not None and pool + _demand(bids, ceiling) >= offered:
        volume = min(pool + _demand(bids, ceiling), int(offered * Fraction(rules.ceiling_volume_multiple) // 1))
        added = volume - offered
    for i, (trigger, units) in enumerate(tiers):
        if at_trigger is not None:
            break
        beyond = pool + _demand(bids, trigger) - volume
        if beyond > 0 and units > 0:
            opened[i] = min(beyond, units)
            volume += opened[i]
            if beyond < units:
                at_trigger = trigger
    if withhold is not None and volume == offered and found.interim_price is not None and found.interim_price < withhold[0]:
        withheld = min(max(0, offered - pool - _demand(bids, withhold[0])), withhold[1])
        volume -= withheld
    price, sold = _price_at(rules, bids, pool, volume, reserve)
    if at_trigger is not None:
        price = at_trigger if reserve is None else max(at_trigger, reserve)
    found.outcome, found.reason = ("cleared", "") if sold == volume else ("partial", "undersubscribed")
    if sold < volume or sold == 0:
        if rules.undersubscribed == "partial_or_decline" and (below or sold == 0):
            found.outcome, found.reason, sold = "declined", "bid_below_reserve" if below else "no_bids", 0
        elif sold == 0:
            found.outcome, found.reason = "cancelled", "no_bids"
        elif rules.undersubscribed == "cancel":
            found.outcome, found.reason, sold = "cancelled", "undersubscribed", 0
    if sold and price is None:
        found.outcome, found.reason, sold = "cancelled", "no_price", 0
    if sold and secondary is not None and price is not None and price < secondary and rules.below_secondary != "ignore":
        matching = sorted((bid for bid in bids if bid.kept and bid.price is not None and bid.price >= secondary), key=lambda bid: -(bid.price or 0))
        found.reason = "below_secondary"
        if rules.below_secondary == "cancel" or not matching or volume == pool:
            found.outcome, sold = "cancelled", 0
        else:
            found.outcome = "partial"
            sold = min(volume, pool + sum(bid.kept for bid in matching))
            served = 0
            for bid in matching:
                if served < sold - pool:
                    price = bid.price
                served += bid.kept
    if sold == 0 and (found.outcome, found.reason) != ("cancelled", "no_bids"):
        withheld = 0
    found.withheld = withheld
    _hand_out(rules, found, pool, sold)
    found.price, found.sold = (price, sold) if sold else (None, 0)
    from_offer = min(sold, offered - withheld)
    found.added = min(added, sold - from_offer)
    rest = sold - from_offer - found.added
    for i in range(len(tiers)):
        found.by_tier[i] = min(opened[i], rest)
        rest -= found.by_tier[i]


def _hand_out(rules: AuctionRules, found: PlainResult, pool: int, sold: int) -> None:
    if sold == 0:
        return
    _serve(rules, [bid for bid in found.bids if bid.price is None and bid.kept], pool)
    left = sold - pool
    for price in sorted({bid.price for bid in found.bids if bid.price is not None and bid.kept}, reverse=True):
        at = [bid for bid in found.bids if bid.price == price and bid.kept]
        _serve(rules, at, left)
        left = max(left - sum(bid.kept for bid in at), 0)


def _serve(rules: AuctionRules, bids: list[PlainBid], left: int) -> None:
    """Units for bids that stand alike."""
    total = sum(bid.kept for bid in bids)
    by_lot = sorted(bids, key=lambda bid: bid.drawn)
    if rules.ranking == "pro_rata" and left < total:
        for bid in bids:
            bid.award = bid.kept * left // total
        spare = left - sum(bid.award for bid in bids)
        for bid in by_lot:
            if spare and bid.award < bid.kept:
                bid.award += 1
                spare -= 1
        return
    for bid in bids if rules.ranking == "time" else by_lot:
        bid.award = min(bid.kept, left)
        left -= bid.award


def _split_the_sale(rules: AuctionRules, found: PlainResult, rows: list[OfferRow]) -> None:
    """Which rows of the offer are sold: jurisdictions in proportion, categories in order, the oldest vintage first."""
    from_offer = found.sold - found.added - sum(found.by_tier)
    found.unsold = found.offered - found.withheld - from_offer
    found.sold_of_offers = [0 for _ in rows]
    if found.offered == 0:
        return
    places = sorted({row[0] for row in rows})
    own = {place: sum(row[3] for row in rows if row[0] == place) for place in places}
    exact = {place: Fraction(own[place] * from_offer, found.offered) for place in places}
    share = {place: int(exact[place] // 1) for place in places}
    for place in sorted(places, key=lambda place: share[place] - exact[place])[: from_offer - sum(share.values())]:
        share[place] += 1
    for place in places:
        queue = [i for i, row in enumerate(rows) if row[0] == place]
        for i in sorted(queue, key=lambda i: (rules.category_order.get(rows[i][1], 0), rows[i][2])):
            found.sold_of_offers[i] = min(rows[i][3], share[place])
            share[place] -= found.sold_of_offers[i]


def _bill(rules: AuctionRules, found: PlainResult) -> None:
    owed: dict[int, Any] = {}
    for bid in found.bids:
        own = bid.price if rules.pricing == "pay_as_bid" and bid.price is not None else found.price
        owed[bid.bidder] = owed.get(bid.bidder, 0) + bid.award * (own or 0) * rules.tick_value
    found.costs = {bidder: int((2 * money + 1) // 2) for bidder, money in owed.items()}
