"""The results sheet of an auction: the figures that venues publish, exact, without the names of bidders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tonne.market.auction_awards import totals_of
from tonne.units import NEAREST, IntArray, round_decimal

if TYPE_CHECKING:
    from tonne.market.auction import AuctionResult

_HUNDREDTH = Decimal("0.01")


def sheet(result: AuctionResult, kinds: Sequence[str] | None = None, compliance: Sequence[str] = ()) -> dict[str, Any]:
    """Price, volumes, cover ratio, bidders, winners, bid statistics, concentration and distribution; auctioneer, product and date are the caller's.

    The bids that count (in form, at or above the reserve, after trimming) make the statistics. cover_ratio: units bid for to units offered.
    mean_bid and median_bid count each bid once, *_by_unit each unit (the median allowance price). hhi: the sum of the squares of the winners' shares
    in percent. kinds: the kind of each bidder; then percent_won by kind, and percent_won_by_compliance over the kinds in `compliance` (None where no
    bidder is of one of them). Percentages, ratios and hhi are rounded to hundredths. distribution: units won, largest first.
    """
    rules, bids = result.rules, result.bids
    rows = np.flatnonzero((result.kept > 0) & ~bids.non_competitive)
    prices, units = bids.price[rows], result.kept[rows]
    won = totals_of(bids.bidder, result.awards, bids.bidders)
    winners = won[won > 0]
    found: dict[str, Any] = {
        "outcome": result.outcome,
        "reason": result.reason,
        "price": _money(result, result.price),
        "interim_price": _money(result, result.interim_price),
        "offered": result.offered,
        "sold": result.sold,
        "unsold": result.unsold,
        "added_at_ceiling": result.added,
        "containment_available": result.containment_available,
        "containment_sold": result.containment_sold,
        "withholding_available": result.withholdable,
        "withheld": result.withheld,
        "bid_units": int(result.kept.sum()),
        "cover_ratio": _ratio(int(result.kept.sum()), result.offered),
        "bidders": len(np.unique(bids.bidder)),
        "winners": len(winners),
        "bids": len(bids),
        "min_bid": _money(result, int(prices.min())) if len(rows) else None,
        "max_bid": _money(result, int(prices.max())) if len(rows) else None,
        **_averages(result, prices, units),
        "mean_price_paid": _mean_paid(result),
        "proceeds": Decimal(int(result.costs.sum())).scaleb(-rules.decimals),
        "hhi": _hhi(winners),
        "distribution": sorted(winners.tolist(), reverse=True),
    }
    if kinds is not None:
        shares = _by_kind(result, won, kinds)
        found["percent_won"] = {kind: _ratio(100 * units, result.sold) for kind, units in shares.items()}
        counted = [units for kind, units in shares.items() if kind in set(compliance)]
        found["percent_won_by_compliance"] = _ratio(100 * sum(counted), result.sold) if counted else None
    return found


@dataclass(frozen=True, slots=True)
class Fates:
    """What became of the bids beyond the limits: a word a row ("" for one served whole or not counted), which were capped, and the tie.

    lost: "nothing_sold", "below_the_price", "tie" (its price was the last one served and others bid it too), "units_ran_out" (it alone bid that
    price). capped: bool, bids above the ceiling, which counted as it. tie_price: ticks of the last price served, None without a tie; tied: its rows.
    """

    lost: tuple[str, ...]
    capped: npt.NDArray[np.bool_]
    tie_price: int | None
    tied: IntArray


def fates(result: AuctionResult, ceiling: int | None = None) -> Fates:
    """Why bids that count did not get all they bid for. ceiling: ticks, the one that the auction was cleared with."""
    bids, awards, kept = result.bids, result.awards, result.kept
    worth = bids.price if ceiling is None else np.minimum(bids.price, ceiling)
    priced = ~bids.non_competitive
    capped = priced & (worth < bids.price) & (kept > 0)
    lost = np.full(len(bids), "", dtype=object)
    short = awards < kept
    nobody = np.zeros(0, dtype=np.int64)
    if not result.sold:
        lost[short] = "nothing_sold"
        return Fates(tuple(lost.tolist()), capped, None, nobody)
    lost[short] = "below_the_price"
    lost[short & ~priced] = "units_ran_out"  # bids without a price share what is kept for them
    served = priced & (awards > 0)
    if not served.any():
        return Fates(tuple(lost.tolist()), capped, None, nobody)
    last = int(worth[served].min())
    rows = np.flatnonzero(priced & (kept > 0) & (worth == last))
    if not short[rows].any():
        return Fates(tuple(lost.tolist()), capped, None, nobody)
    tie = len(np.unique(bids.bidder[rows])) > 1
    lost[rows[short[rows]]] = "tie" if tie else "units_ran_out"
    return Fates(tuple(lost.tolist()), capped, last if tie else None, rows if tie else nobody)


def _averages(result: AuctionResult, prices: IntArray, units: IntArray) -> dict[str, Any]:
    """Mean and median of the bids, each once and each by its units; to a hundredth of a tick."""
    if not len(prices):
        return dict.fromkeys(("mean_bid", "median_bid", "mean_bid_by_unit", "median_bid_by_unit"))
    order = np.argsort(prices, kind="stable")
    ranked, total = prices[order], int(units.sum())
    below = np.cumsum(units[order])
    places = ((len(ranked) - 1) // 2, len(ranked) // 2)
    of_units = [int(np.searchsorted(below, place, side="right")) for place in ((total - 1) // 2, total // 2)]
    return {
        "mean_bid": _mean(result, Fraction(_sum(prices), len(prices))),
        "median_bid": _mean(result, Fraction(sum(int(ranked[place]) for place in places), 2)),
        "mean_bid_by_unit": _mean(result, Fraction(int((prices * units).sum()), total)),
        "median_bid_by_unit": _mean(result, Fraction(sum(int(ranked[place]) for place in of_units), 2)),
    }


def _sum(column: IntArray) -> int:
    return int(column.sum()) if int(column.max(initial=0)) * len(column) < 1 << 62 else sum(column.tolist())


def _money(result: AuctionResult, ticks: int | None) -> Decimal | None:
    return None if ticks is None else result.rules.price(ticks)


def _mean(result: AuctionResult, ticks: Fraction) -> Decimal:
    """Ticks and parts of one as money, all with the same decimals."""
    return round_decimal(ticks * Fraction(result.rules.price_step), result.rules.price_step * _HUNDREDTH, NEAREST)


def _mean_paid(result: AuctionResult) -> Decimal | None:
    """What a unit cost on average: of interest where each pays its own bid."""
    if not result.sold:
        return None
    return round_decimal(Fraction(int(result.costs.sum()), 10**result.rules.decimals * result.sold), result.rules.price_step * _HUNDREDTH, NEAREST)


def _ratio(part: int, whole: int) -> Decimal | None:
    return round_decimal(Fraction(part, whole), _HUNDREDTH, NEAREST) if whole else None


def _hhi(winners: IntArray) -> Decimal | None:
    total = int(winners.sum())
    return round_decimal(Fraction(sum(units * units for units in winners.tolist()) * 10_000, total * total), _HUNDREDTH, NEAREST) if total else None


def _by_kind(result: AuctionResult, won: IntArray, kinds: Sequence[str]) -> dict[str, int]:
    shares: dict[str, int] = {}
    if len(kinds) < len(won):
        from tonne.market.auction import AuctionError

        raise AuctionError(f"bad_kinds: kinds of {len(kinds)} bidders, and there are {len(won)}")
    for kind, units in zip(kinds, won.tolist(), strict=False):
        shares[kind] = shares.get(kind, 0) + units
    return dict(sorted(shares.items()))
