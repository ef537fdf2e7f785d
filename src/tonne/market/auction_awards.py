"""The arithmetic of sealed bids on whole columns: what a bidder's limit leaves of its bids, how much is bid for, who gets the last units.

Every function takes and gives int64 columns, one row a bid. `plain_auction.py` says the same with lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from tonne.market.draw import drawn
from tonne.units import DOWN, INT64_MAX, IntArray, multiply

BoolArray = npt.NDArray[np.bool_]
NO_LIMIT = INT64_MAX
_LEVELS = 1 << 22  # price levels counted in a table; beyond them prices are sorted


@dataclass(frozen=True, slots=True)
class Depth:
    """Prices bid, highest first, and the units bid for at each or above."""

    prices: IntArray
    demand: IntArray

    @classmethod
    def of(cls, prices: IntArray, quantities: IntArray) -> Depth:
        if not len(prices):
            return cls(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
        low, high = int(prices.min()), int(prices.max())
        if high - low < _LEVELS:
            units = np.zeros(high - low + 1, dtype=np.int64)
            np.add.at(units, high - prices, quantities)
            bid = np.flatnonzero(units)
            return cls(high - bid, np.cumsum(units[bid]))
        levels, places = np.unique(-prices, return_inverse=True)
        units = np.zeros(len(levels), dtype=np.int64)
        np.add.at(units, places, quantities)
        bid = np.flatnonzero(units)
        return cls(-levels[bid], np.cumsum(units[bid]))

    @property
    def total(self) -> int:
        return int(self.demand[-1]) if len(self.demand) else 0

    def at(self, price: int) -> int:
        """Units bid for at a price or above."""
        place = int(np.searchsorted(-self.prices, -price, side="right"))
        return int(self.demand[place - 1]) if place else 0

    def lowest_accepted(self, volume: int) -> int:
        """The price of the bid at which the sum reaches the volume; with less bid for, the lowest bid. Some units are bid for, volume > 0."""
        return int(self.prices[min(int(np.searchsorted(self.demand, volume, side="left")), len(self.prices) - 1)])


def totals_of(bidder: npt.NDArray[np.integer], quantities: IntArray, bidders: int) -> IntArray:
    """Units of each bidder."""
    units = np.zeros(bidders, dtype=np.int64)
    np.add.at(units, bidder, quantities)
    return units


def kept_within(
    bidder: npt.NDArray[np.integer],
    worth: IntArray,
    priceless: BoolArray,
    quantities: IntArray,
    limits: IntArray,
    money: IntArray | None,
    step: int,
    *,
    whole_bids: bool,
) -> tuple[IntArray, BoolArray, BoolArray]:
    """What is left of bids when each bidder's cheapest are trimmed until the rest fits; and which were cut by the limit, which by the guarantee.

    Bids of a bidder are walked from the dearest (`worth`, in ticks), at one price the price-less ones first and then in the order of rows. The sum
    may not pass the bidder's limit of units, nor, times the price, its guarantee (`money`, in ticks times units: the formula max over p of p x own
    quantity at p or above, turned round). The bid that passes is cut to whole steps, or goes whole with `whole_bids`; all cheaper ones go.
    """
    kept = quantities.copy()
    by_limit, by_money = np.zeros(len(kept), dtype=bool), np.zeros(len(kept), dtype=bool)
    bidders = len(limits)
    totals = totals_of(bidder, quantities, bidders)
    suspect = totals > limits
    if money is not None:
        highest = np.zeros(bidders, dtype=np.int64)
        np.maximum.at(highest, bidder, worth)
        suspect |= totals > _affordable(money, highest)
    open_bids = np.flatnonzero(suspect[bidder] & (quantities > 0))
    if not len(open_bids):
        return kept, by_limit, by_money
    rows = _from_the_dearest(open_bids, bidder, worth, priceless)
    owner, wanted = bidder[rows], quantities[rows]
    first = np.concatenate(([True], owner[1:] != owner[:-1]))
    starts = np.flatnonzero(first)
    group = np.cumsum(first) - 1
    before = np.cumsum(wanted) - wanted
    before = before - before[starts][group]
    most = limits[owner]
    cut_by_money = np.zeros(len(rows), dtype=bool)
    if money is not None:
        affordable = _affordable(money[owner], worth[rows])
        cut_by_money = affordable < most
        most = np.minimum(most, affordable)
    over = before + wanted > most
    passed = np.cumsum(over) - over  # bids cut before this one, over all bidders
    closed = passed > passed[starts][group]
    part = np.zeros_like(wanted) if whole_bids else np.maximum(most - before, 0) // step * step
    left = np.where(closed, 0, np.where(over, part, wanted))
    kept[rows] = left
    # A bid behind the one that was cut goes for the same cause.
    cutting = np.maximum.accumulate(np.where(over & ~closed, np.arange(len(rows)), -1))
    cause = cut_by_money[np.maximum(cutting, 0)]
    by_limit[rows], by_money[rows] = (left < wanted) & ~cause, (left < wanted) & cause
    return kept, by_limit, by_money


def _from_the_dearest(
    rows: npt.NDArray[np.integer], bidder: npt.NDArray[np.integer], worth: IntArray, priceless: BoolArray
) -> npt.NDArray[np.integer]:
    """Rising rows by bidder, then the dearest first, the price-less before the others, then as they were.

    One sort of whole numbers that hold all four where they fit in 63 bits, which is several times as fast as a sort by four columns.
    """
    high = int(worth[rows].max())
    for_row, for_worth, for_bidder = int(rows[-1]).bit_length(), high.bit_length() + 1, int(bidder[rows].max()).bit_length()
    if for_row + for_worth + for_bidder > 63:
        return rows[np.lexsort((~priceless[rows], -worth[rows], bidder[rows]))]
    key = (bidder[rows].astype(np.int64) << for_worth) | ((high - worth[rows]) << 1) | ~priceless[rows]
    return np.asarray(np.sort((key << for_row) | rows) & ((1 << for_row) - 1))


def _affordable(money: IntArray, worth: IntArray) -> IntArray:
    """Units that money pays for; what costs nothing has no limit."""
    return np.where(worth > 0, money // np.maximum(worth, 1), NO_LIMIT)


def share_of_last(rows: npt.NDArray[np.integer], wanted: IntArray, left: int, ranking: str, seed: int) -> IntArray:
    """Units for each of the bids at one price when `left` units are left for them; `rows` are their places in the book, rising.

    time: first come, first served. random: in rising order of the numbers drawn for their places. pro_rata: in proportion, rounded down to whole
    units, what remains one unit each in that drawn order.
    """
    if left >= int(wanted.sum()):
        return wanted.copy()
    if ranking == "pro_rata":
        shares = multiply(wanted, Fraction(left, int(wanted.sum())), rounding=DOWN)
        shares[np.argsort(drawn(seed, rows))[: left - int(shares.sum())]] += 1  # who wants one has less than it wants
        return shares
    order = np.arange(len(rows)) if ranking == "time" else np.argsort(drawn(seed, rows))
    queue = wanted[order]
    shares = np.empty_like(wanted)
    shares[order] = np.clip(left - (np.cumsum(queue) - queue), 0, queue)
    return shares


def sold_of_each(
    sold: int, jurisdiction: npt.NDArray[np.str_], category: npt.NDArray[np.str_], vintage: IntArray, offered: IntArray, order: Mapping[str, int]
) -> IntArray:
    """Units sold of each row on offer when `sold` are sold in all.

    Jurisdictions share the sale in proportion to what each offered, to the last unit by the largest remainder; inside one the categories sell in
    `order` (none: all alike), in a category the oldest vintage first. 7,260,000 of 67,675,951: a partner that offered 10,116,952 sells 1,085,305.
    """
    result = np.zeros(len(offered), dtype=np.int64)
    if not len(offered) or not int(offered.sum()):
        return result
    _, place = np.unique(jurisdiction, return_inverse=True)
    own = np.zeros(int(place.max()) + 1, dtype=np.int64)
    np.add.at(own, place, offered)
    shares = _proportional(sold, own)
    rank = np.array([order.get(name, 0) for name in category.tolist()], dtype=np.int64)
    rows = np.lexsort((vintage, rank, place))
    first = np.concatenate(([0], np.cumsum(own)[:-1]))
    before = np.cumsum(offered[rows]) - offered[rows] - first[place[rows]]
    result[rows] = np.clip(shares[place[rows]] - before, 0, offered[rows])
    return result


def _proportional(quantity: int, weights: IntArray) -> IntArray:
    whole = int(weights.sum())
    shares = multiply(weights, Fraction(quantity, whole), rounding=DOWN)
    remainders = [weight * quantity % whole for weight in weights.tolist()]
    largest = sorted(range(len(remainders)), key=lambda row: (-remainders[row], row))
    shares[largest[: quantity - int(shares.sum())]] += 1
    return shares
