"""Primary auctions: sealed bids, one round, with every switch that the auctions of carbon markets have; pure and exact.

The order in which the bids are read: those that break the form are refused (a negative quantity, an odd lot); a price above the ceiling counts as the
ceiling; bids below the reserve are dropped; what a bidder bid over its limit or guarantee is trimmed, cheapest bids first; the offer is cleared
(interim price); where the ceiling or a containment reserve adds units, or one withholds them, it is cleared again; then the tests of
under-subscription and of the secondary market; last the units are awarded from the highest price down. `plain_auction.py` is the same law in plain
Python, written apart, and the tests hold the two to each other.

Prices are whole ticks (int64; `AuctionRules.ticks` turns money into them), quantities units, money minor units of the currency.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from tonne.market.auction_awards import NO_LIMIT, Depth, kept_within, share_of_last, sold_of_each, totals_of
from tonne.units import DOWN, NEAREST, IntArray, PriceScale, UnitsError, fraction, multiply

CHOICES: dict[str, tuple[str, ...]] = {
    "pricing": ("lowest_accepted", "pay_as_bid"),
    "ranking": ("random", "time", "pro_rata"),
    "undersubscribed": ("cancel", "partial_at_reserve", "partial_at_lowest_bid", "partial_or_decline"),
    "below_secondary": ("ignore", "cancel", "partial"),
    "over_limit": ("trim", "reject"),
}
OUTCOMES = ("cleared", "partial", "cancelled", "declined")
REASONS = ("", "nothing_offered", "no_bids", "undersubscribed", "bid_below_reserve", "below_secondary", "no_price")
_LARGEST = 1 << 62


class AuctionError(ValueError):
    """Rules, bids or arguments that make no auction; the text begins with the refusal's name."""


class BidReason(IntEnum):
    """Why a bid does not count, or not whole."""

    COUNTS = 0
    BAD_QUANTITY = 1
    BAD_PRICE = 2
    BELOW_MINIMUM = 3
    ODD_LOT = 4
    TOO_MANY_BIDS = 5
    NO_NON_COMPETITIVE = 6
    BELOW_RESERVE = 7
    OVER_LIMIT = 8
    OVER_GUARANTEE = 9


@dataclass(frozen=True, slots=True)
class AuctionRules:
    """The switches of an auction.

    pricing: all pay the lowest price accepted, or each its own. ranking: who is served first at the last price. undersubscribed: what happens when
    fewer units are bid for than offered. below_secondary: what happens when the price lies below the one that the caller compares with. lot,
    bid_step, min_bid: units (a step or minimum of None is the lot). price_step: money of a tick. decimals: digits of the currency's minor unit.
    bid_limit_share: most units of the offer that one bidder may bid for. over_limit: a bid that passes a limit is trimmed, or refused whole.
    ceiling_volume_multiple: how far the offer grows where all of it is bid for at the ceiling. category_order: which category on offer sells first.
    non_competitive_share: most of the offer that goes to bids without a price. bids_per_bidder: how many bids a bidder may have; later rows are
    refused.
    """

    pricing: str = "lowest_accepted"
    ranking: str = "random"
    undersubscribed: str = "partial_at_reserve"
    below_secondary: str = "ignore"
    lot: int = 1
    bid_step: int | None = None
    min_bid: int | None = None
    price_step: Decimal = Decimal("0.01")
    bid_limit_share: Fraction | None = None
    ceiling_volume_multiple: Fraction | None = None
    category_order: Mapping[str, int] = field(default_factory=dict)
    non_competitive_share: Fraction | None = None
    over_limit: str = "trim"
    bids_per_bidder: int | None = None
    decimals: int = 2

    def __post_init__(self) -> None:
        for name, words in CHOICES.items():
            if getattr(self, name) not in words:
                raise AuctionError(f"unknown_choice: {name} is {getattr(self, name)!r}; it is one of {', '.join(words)}")
        for name, least in (("lot", 1), ("bid_step", 1), ("min_bid", 0), ("bids_per_bidder", 1), ("decimals", 0)):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
                raise AuctionError(f"bad_rule: {name} is {value!r}; a whole number of at least {least} is needed")
        if fraction(self.price_step) <= 0:
            raise AuctionError(f"bad_rule: price_step is {self.price_step}; a price moves by more than zero")
        for name, low, high in (("bid_limit_share", 0, 1), ("non_competitive_share", 0, 1), ("ceiling_volume_multiple", 1, None)):
            value = getattr(self, name)
            if value is not None and not (low <= fraction(value) and (high is None or fraction(value) <= high)):
                raise AuctionError(f"bad_rule: {name} is {value}; it lies between {low} and {'any number' if high is None else high}")

    @classmethod
    def of(cls, switches: Mapping[str, Any]) -> AuctionRules:
        """The rules of a mapping, as a rulebook has them: absent and None mean the default. Raises AuctionError for a switch that is none."""
        known = {item.name for item in fields(cls)}
        if unknown := sorted(set(switches) - known):
            raise AuctionError(f"unknown_switch: {', '.join(unknown)}; there are {', '.join(sorted(known))}")
        given = {name: value for name, value in switches.items() if value is not None}
        try:
            for name in ("bid_limit_share", "ceiling_volume_multiple", "non_competitive_share"):
                if name in given:
                    given[name] = fraction(given[name])
            if "price_step" in given:
                fraction(given["price_step"])
                given["price_step"] = Decimal(given["price_step"])
        except UnitsError as error:
            raise AuctionError(f"bad_rule: {error}") from None
        return cls(**given)

    @property
    def step(self) -> int:
        return self.lot if self.bid_step is None else self.bid_step

    @property
    def minimum(self) -> int:
        return self.lot if self.min_bid is None else self.min_bid

    @property
    def tick_value(self) -> Fraction:
        """Minor units of the currency in a tick."""
        return fraction(self.price_step) * int(10**self.decimals)

    def ticks(self, price: Decimal | int | str) -> int:
        """Whole ticks of a price in money. Raises AuctionError for one between two ticks."""
        try:
            return _scale(str(self.price_step)).ticks(price)
        except UnitsError:
            raise AuctionError(f"price_off_tick: {price} is no multiple of the step {self.price_step}") from None

    def price(self, ticks: int) -> Decimal:
        """The money of so many ticks."""
        return _scale(str(self.price_step)).price(ticks)

    def bid_limit(self, offered: int) -> int | None:
        """Most units of an offer that one bidder may bid for, a part of a unit dropped; None without such a rule."""
        return None if self.bid_limit_share is None else multiply(offered, self.bid_limit_share, rounding=DOWN)


@lru_cache(maxsize=64)
def _scale(step: str) -> PriceScale:
    """By its text: 0.01 and 0.010 are equal, and write prices differently."""
    return PriceScale("", step)


@dataclass(frozen=True, slots=True)
class Bids:
    """Sealed bids in the order in which they came, one row a bid.

    bidder int32 (numbered from 0), price int64 in ticks (of a non-competitive bid it is not read), quantity int64 in units, non_competitive bool.
    """

    bidder: npt.NDArray[np.int32]
    price: IntArray
    quantity: IntArray
    non_competitive: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, bidder: Any, price: Any, quantity: Any, non_competitive: Any = None) -> Bids:
        """Bids of columns or lists of whole numbers. Raises AuctionError for columns of unequal length, a float, a bidder below zero."""
        columns = [_whole(name, value) for name, value in (("bidder", bidder), ("price", price), ("quantity", quantity))]
        priceless = np.zeros(len(columns[0]), dtype=bool) if non_competitive is None else np.asarray(non_competitive, dtype=bool).reshape(-1)
        if len({len(columns[0]), len(columns[1]), len(columns[2]), len(priceless)}) != 1:
            raise AuctionError(f"bad_bids: columns of {', '.join(str(len(c)) for c in (*columns, priceless))} rows; each bid has one of each")
        if len(columns[0]) and not 0 <= int(columns[0].min()) <= int(columns[0].max()) < 1 << 31:
            raise AuctionError("bad_bids: bidders are numbered from 0 and fit 32 bits")
        return cls(columns[0].astype(np.int32), columns[1], columns[2], priceless)

    def __len__(self) -> int:
        return len(self.bidder)

    @property
    def bidders(self) -> int:
        """One more than the highest number of a bidder."""
        return int(self.bidder.max()) + 1 if len(self.bidder) else 0


@dataclass(frozen=True, slots=True)
class Offers:
    """What is on offer, one row a jurisdiction, category and vintage: text, text, int64 year, int64 units."""

    jurisdiction: npt.NDArray[np.str_]
    category: npt.NDArray[np.str_]
    vintage: IntArray
    quantity: IntArray

    @classmethod
    def of(cls, jurisdiction: Sequence[str], category: Sequence[str], vintage: Any, quantity: Any) -> Offers:
        places, kinds = np.asarray(jurisdiction, dtype=str).reshape(-1), np.asarray(category, dtype=str).reshape(-1)
        years, units = _whole("vintage", vintage), _whole("quantity", quantity)
        if len({len(places), len(kinds), len(years), len(units)}) != 1 or (units < 0).any():
            raise AuctionError("bad_offer: each row has a jurisdiction, a category, a vintage and a quantity of zero or more")
        return cls(places, kinds, years, units)

    @property
    def total(self) -> int:
        return int(self.quantity.sum())


@dataclass(frozen=True, slots=True)
class AuctionResult:
    """What an auction came to.

    outcome, reason: of OUTCOMES and REASONS. price, interim_price: ticks, None where nothing was sold or bid for. sold: all units sold, of which
    `added` by the ceiling's growth and `containment_sold` by the containment reserves (by_tier: of each). withheld: units taken out for good. unsold:
    what is left of the offer. awards, kept, reasons: a row a bid: units awarded, units that counted, BidReason. costs: minor units by bidder.
    sold_of_offers: units by row of the offer (one row where the offer is a number).
    """

    rules: AuctionRules
    bids: Bids
    outcome: str
    reason: str
    price: int | None
    interim_price: int | None
    offered: int
    sold: int
    unsold: int
    added: int
    containment_sold: int
    by_tier: tuple[int, ...]
    withheld: int
    awards: IntArray
    kept: IntArray
    reasons: npt.NDArray[np.int8]
    costs: IntArray
    sold_of_offers: IntArray
    containment_available: int
    withholdable: int

    def sheet(self, kinds: Sequence[str] | None = None, compliance: Sequence[str] = ()) -> dict[str, Any]:
        """The fields that venues publish; see `auction_sheet.sheet`."""
        from tonne.market.auction_sheet import sheet

        return sheet(self, kinds, compliance)


@dataclass(slots=True)
class _Verdict:
    """Volumes and prices while they are being found; `cut`: units that go to bids with a price, `free`: to those without."""

    outcome: str = "cancelled"
    reason: str = ""
    price: int | None = None
    interim: int | None = None
    free: int = 0
    sold: int = 0
    added: int = 0
    tiers: list[int] = field(default_factory=list)
    withheld: int = 0


def clear_auction(
    rules: AuctionRules,
    offered: int | Offers,
    bids: Bids,
    *,
    reserve: int | None = None,
    ceiling: int | None = None,
    secondary: int | None = None,
    seed: int = 0,
    limits: Any = None,
    guarantees: Any = None,
    tiers: Sequence[tuple[int, int]] = (),
    withhold: tuple[int, int] | None = None,
) -> AuctionResult:
    """Clears one auction. Prices (reserve, ceiling, secondary, triggers) in ticks, quantities in units, guarantees in minor units.

    secondary: the price below which the clearing price fails the test of the secondary market. limits: most units by bidder (purchase or holding
    limit; negative: none). guarantees: by bidder (negative: none asked for). tiers: (trigger, units left) of the containment reserves, lowest trigger
    first. withhold: (trigger, units that may still be withheld). seed: draws the random order. Raises AuctionError; the inputs are left as they are.
    """
    offer = _offer(rules, offered)
    _check(reserve, ceiling, secondary, tiers, withhold)
    worth = np.where(bids.non_competitive, 0, bids.price)
    if ceiling is not None:
        worth = np.minimum(worth, ceiling)
    reasons = _form(rules, bids)
    priced = ~bids.non_competitive
    low = (reasons == BidReason.COUNTS) & priced & (worth < (0 if reserve is None else reserve))
    reasons[low] = BidReason.BELOW_RESERVE
    kept = _within_limits(rules, offer.total, bids, worth, reasons, reserve, limits, guarantees)
    counted = priced & (kept > 0)
    depth = Depth.of(worth[counted], kept[counted])
    free = int(kept[~priced].sum())
    if max(int(bids.price[counted].max(initial=0)), reserve or 0, 1) * (depth.total + free) >= _LARGEST:
        raise AuctionError("too_large: the bids, priced, pass what 64 bits hold; are the units and the price step right?")
    verdict = _judge(rules, offer.total, depth, free, bool(low.any()), reserve, ceiling, secondary, tiers, withhold)
    awards = _award(rules, verdict, bids, worth, kept, depth, seed)
    own = awards * np.where(priced & (rules.pricing == "pay_as_bid"), worth, verdict.price or 0)
    costs = multiply(totals_of(bids.bidder, own, bids.bidders), rules.tick_value, rounding=NEAREST)
    from_offer = min(verdict.sold, offer.total - verdict.withheld)
    added = min(verdict.added, verdict.sold - from_offer)
    by_tier, rest = [], verdict.sold - from_offer - added
    for units in verdict.tiers:
        by_tier.append(min(units, rest))
        rest -= by_tier[-1]
    return AuctionResult(
        rules=rules,
        bids=bids,
        outcome=verdict.outcome,
        reason=verdict.reason,
        price=verdict.price,
        interim_price=verdict.interim,
        offered=offer.total,
        sold=verdict.sold,
        unsold=offer.total - verdict.withheld - from_offer,
        added=added,
        containment_sold=sum(by_tier),
        by_tier=tuple(by_tier),
        withheld=verdict.withheld,
        awards=awards,
        kept=kept,
        reasons=reasons,
        costs=costs,
        sold_of_offers=sold_of_each(from_offer, offer.jurisdiction, offer.category, offer.vintage, offer.quantity, rules.category_order),
        containment_available=sum(units for _, units in tiers),
        withholdable=0 if withhold is None else withhold[1],
    )


def bid_guarantee(rules: AuctionRules, bids: Bids) -> IntArray:
    """What each bidder's guarantee must cover, minor units: the largest of price x own quantity bid for at that price or above, rounded to nearest.

    10,000 at 15.00, 50,000 at 12.00 and 40,000 at 10.00: the largest of 150,000, 720,000 and 1,000,000. Bids without a price count at the highest
    price that anybody bids.
    """
    highest = int(bids.price[~bids.non_competitive].max(initial=0))
    worth = np.where(bids.non_competitive, highest, bids.price)
    rows = np.lexsort((-worth, bids.bidder))
    owner, wanted = bids.bidder[rows], bids.quantity[rows]
    if highest * int(wanted.sum()) >= _LARGEST:
        raise AuctionError("too_large: the bids, priced, pass what 64 bits hold; are the units and the price step right?")
    total = np.cumsum(wanted)
    starts = np.flatnonzero(np.concatenate(([True], owner[1:] != owner[:-1]))) if len(rows) else np.zeros(0, dtype=np.int64)
    before = np.repeat(total[starts] - wanted[starts], np.diff(np.append(starts, len(rows))))
    most = np.zeros(bids.bidders, dtype=np.int64)
    np.maximum.at(most, owner, worth[rows] * (total - before))
    return multiply(most, rules.tick_value, rounding=NEAREST)


# -- what counts


def _whole(name: str, values: Any) -> IntArray:
    column = np.asarray(values).reshape(-1)
    if column.dtype.kind not in "iu" and len(column):
        raise AuctionError(f"bad_bids: {name} is a column of {column.dtype}; whole numbers are needed")
    return column.astype(np.int64)


def _offer(rules: AuctionRules, offered: int | Offers) -> Offers:
    if not isinstance(offered, Offers):
        if isinstance(offered, bool) or not isinstance(offered, (int, np.integer)) or not 0 <= offered < _LARGEST:
            raise AuctionError(f"bad_offer: {offered!r}; zero or more whole units are offered, fewer than {_LARGEST:,}")
        return Offers.of([""], [""], [0], [int(offered)])
    if rules.category_order and (lost := sorted(set(offered.category.tolist()) - set(rules.category_order))):
        raise AuctionError(f"bad_offer: no place in the order of sale for {', '.join(lost)}; there is one for {', '.join(rules.category_order)}")
    return offered


def _check(reserve: Any, ceiling: Any, secondary: Any, tiers: Sequence[tuple[int, int]], withhold: tuple[int, int] | None) -> None:
    pairs = [*tiers, *([withhold] if withhold is not None else [])]
    for name, value in (("reserve", reserve), ("ceiling", ceiling), ("secondary", secondary), *(("a trigger", trigger) for trigger, _ in pairs)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0):
            raise AuctionError(f"bad_price: {name} is {value!r}; a price is a whole number of ticks (AuctionRules.ticks makes one)")
    if ceiling is not None and ceiling < max(reserve or 0, 1):
        raise AuctionError(f"bad_price: a ceiling of {ceiling} ticks; it lies above zero and not below the reserve of {reserve or 0}")
    if any(units < 0 for _, units in pairs) or [trigger for trigger, _ in tiers] != sorted(trigger for trigger, _ in tiers):
        raise AuctionError("bad_tiers: containment reserves hold zero units or more and are given from the lowest trigger up")


def _form(rules: AuctionRules, bids: Bids) -> npt.NDArray[np.int8]:
    """The first thing that is wrong with a bid's form, row by row."""
    units, reasons = bids.quantity, np.zeros(len(bids), dtype=np.int8)
    faults = [
        (bids.non_competitive & (rules.non_competitive_share is None), BidReason.NO_NON_COMPETITIVE),
        (units % rules.step != 0, BidReason.ODD_LOT),
        (units < rules.minimum, BidReason.BELOW_MINIMUM),
        (~bids.non_competitive & (bids.price <= 0), BidReason.BAD_PRICE),
        (units <= 0, BidReason.BAD_QUANTITY),
    ]
    for wrong, reason in faults:
        reasons[wrong] = reason
    if rules.bids_per_bidder is not None:
        good = np.flatnonzero(reasons == BidReason.COUNTS)
        order = good[np.argsort(bids.bidder[good], kind="stable")]
        owner = bids.bidder[order]
        starts = np.flatnonzero(np.concatenate(([True], owner[1:] != owner[:-1]))) if len(order) else np.zeros(0, dtype=np.int64)
        place = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
        reasons[order[place >= rules.bids_per_bidder]] = BidReason.TOO_MANY_BIDS
    return reasons


def _within_limits(
    rules: AuctionRules, offered: int, bids: Bids, worth: IntArray, reasons: npt.NDArray[np.int8], reserve: int | None, limits: Any, guarantees: Any
) -> IntArray:
    """Units of each bid that count; notes in `reasons` which were trimmed and why."""
    wanted = np.where(reasons == BidReason.COUNTS, bids.quantity, 0)
    if int(wanted.max(initial=0)) * max(len(wanted), 1) >= _LARGEST and sum(wanted.tolist()) >= _LARGEST:
        raise AuctionError("too_large: the bids pass what 64 bits hold; are the units right?")
    most = np.full(bids.bidders, NO_LIMIT, dtype=np.int64)
    if limits is not None:
        most = np.minimum(most, _by_bidder("limits", limits, bids.bidders))
    if (share := rules.bid_limit(offered)) is not None:
        most = np.minimum(most, share)
    money = None
    if guarantees is not None:
        given = _by_bidder("guarantees", guarantees, bids.bidders)
        money = np.where(given == NO_LIMIT, NO_LIMIT, multiply(np.where(given == NO_LIMIT, 0, given), 1 / rules.tick_value, rounding=DOWN))
    if limits is None and share is None and money is None:
        return wanted
    priced = ~bids.non_competitive & (wanted > 0)
    # A bid without a price may cost as much as the dearest one with a price, or the reserve.
    top = np.where(bids.non_competitive, max(int(worth[priced].max(initial=0)), reserve or 0), worth)
    whole = rules.over_limit == "reject"
    kept, by_limit, by_money = kept_within(bids.bidder, top, bids.non_competitive, wanted, most, money, rules.step, whole_bids=whole)
    reasons[by_limit] = BidReason.OVER_LIMIT
    reasons[by_money] = BidReason.OVER_GUARANTEE
    return kept


def _by_bidder(name: str, values: Any, bidders: int) -> IntArray:
    column = _whole(name, values)
    if len(column) < bidders:
        raise AuctionError(f"bad_limits: {name} for {len(column)} bidders, and there are {bidders}")
    return np.where(column[:bidders] < 0, NO_LIMIT, column[:bidders])


# -- price and volume


def _judge(
    rules: AuctionRules,
    offered: int,
    depth: Depth,
    free_wanted: int,
    any_below: bool,
    reserve: int | None,
    ceiling: int | None,
    secondary: int | None,
    tiers: Sequence[tuple[int, int]],
    withhold: tuple[int, int] | None,
) -> _Verdict:
    """Outcome, price and volumes of the bids that count."""
    found = _Verdict(tiers=[0] * len(tiers))
    if not offered:
        found.reason = "nothing_offered"
        return found
    free = found.free = min(free_wanted, multiply(offered, rules.non_competitive_share or 0, rounding=DOWN))
    found.interim, _ = _clear(depth, free, offered, reserve, rules.undersubscribed)
    set_price = _supply(found, rules, offered, depth, ceiling, tiers, withhold)
    volume = offered + found.added + sum(found.tiers) - found.withheld
    price, sold = _clear(depth, free, volume, reserve, rules.undersubscribed)
    if set_price is not None:
        price = max(set_price, reserve or 0)
    if sold < volume or not sold:
        stop = _short(rules.undersubscribed, sold, any_below)
        if stop != ("partial", "undersubscribed"):
            found.outcome, found.reason = stop
            found.withheld = found.withheld if stop == ("cancelled", "no_bids") else 0
            return found
    if price is None:
        found.reason, found.withheld = "no_price", 0
        return found
    found.outcome, found.reason = ("cleared", "") if sold == volume else ("partial", "undersubscribed")
    if secondary is not None and price < secondary and rules.below_secondary != "ignore":
        matching = depth.at(secondary)
        found.reason = "below_secondary"
        if rules.below_secondary == "cancel" or not matching or volume == free:
            found.outcome, found.withheld = "cancelled", 0
            return found
        found.outcome = "partial"
        sold = min(volume, free + matching)
        price = depth.lowest_accepted(sold - free)
    found.price, found.sold = price, sold
    return found


def _clear(depth: Depth, free: int, volume: int, reserve: int | None, undersubscribed: str) -> tuple[int | None, int]:
    """Price and units sold of a volume: the lowest price accepted; short of bids the reserve, or the lowest bid where that is the rule."""
    wanted = volume - free
    if 0 < wanted <= depth.total:
        return depth.lowest_accepted(wanted), volume
    sold = free + min(depth.total, wanted)
    if wanted > 0 and depth.total and (reserve is None or undersubscribed != "partial_at_reserve"):
        return depth.lowest_accepted(depth.total), sold
    return reserve, sold


def _supply(
    found: _Verdict, rules: AuctionRules, offered: int, depth: Depth, ceiling: int | None, tiers: Sequence[tuple[int, int]], withhold: Any
) -> int | None:
    """What the ceiling and the containment reserves add and what is withheld; the trigger that is the price where a reserve is used in part."""
    free = found.free
    if ceiling is not None and rules.ceiling_volume_multiple is not None and (demand := free + depth.at(ceiling)) >= offered:
        most = multiply(offered, rules.ceiling_volume_multiple, rounding=DOWN)
        found.added = min(demand, most) - offered
    volume = offered + found.added
    for place, (trigger, units) in enumerate(tiers):
        beyond = max(free + depth.at(trigger) - volume, 0)
        found.tiers[place] = min(beyond, units)
        volume += found.tiers[place]
        if 0 < beyond < units:
            return trigger
    if withhold is not None and volume == offered and found.interim is not None and found.interim < withhold[0]:
        found.withheld = min(max(offered - free - depth.at(withhold[0]), 0), withhold[1])
    return None


def _short(undersubscribed: str, sold: int, any_below: bool) -> tuple[str, str]:
    """Outcome and reason of an auction with fewer units bid for than offered."""
    if undersubscribed == "partial_or_decline" and (any_below or not sold):
        return "declined", "bid_below_reserve" if any_below else "no_bids"
    if not sold:
        return "cancelled", "no_bids"
    return ("cancelled", "undersubscribed") if undersubscribed == "cancel" else ("partial", "undersubscribed")


# -- who gets what


def _award(rules: AuctionRules, found: _Verdict, bids: Bids, worth: IntArray, kept: IntArray, depth: Depth, seed: int) -> IntArray:
    """Units of each bid: those without a price first, then from the highest price down, the last price by the ranking."""
    awards = np.zeros(len(bids), dtype=np.int64)
    if not found.sold:
        return awards
    rows = np.flatnonzero(bids.non_competitive & (kept > 0))
    awards[rows] = share_of_last(rows, kept[rows], found.free, rules.ranking, seed)
    wanted = found.sold - found.free
    if wanted:
        last = depth.lowest_accepted(wanted)
        above = worth > last  # those without a price are worth nothing here
        awards[above] = kept[above]
        rows = np.flatnonzero(~bids.non_competitive & (worth == last) & (kept > 0))
        awards[rows] = share_of_last(rows, kept[rows], wanted - int(awards[above].sum()), rules.ranking, seed)
    return awards
