"""Auctions that several jurisdictions hold as one: the common floor, and whose units are sold when not all are bid for."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.columns import whole
from tonne.rules.declare import rule
from tonne.units import DOWN, NEAREST, IntArray, fraction, multiply, round_decimal


@rule("joint_auction", unit="money_per_unit", given={"prices": "money_per_unit", "rates": "ratio"})
def joint_reserve_price(prices: Any, rates: Any) -> Decimal:
    """The floor of a joint auction: the highest of the partners' own floors, each turned into one currency at the rate of the auction's eve.

    `rates`: what one unit of each partner's currency is worth in the common one. 14.53, 14.35 x 0.77 = 11.05, 14.68 x 0.77 = 11.30: the floor
    is 14.53 (17 CCR 95911). Raises ValueError without a partner.
    """
    if len(prices) == 0 or len(prices) != len(rates):
        raise ValueError(f"{len(prices)} prices and {len(rates)} exchange rates; each partner has one of each, and there is at least one")
    return max(round_decimal(fraction(p) * fraction(r), "0.01", NEAREST) for p, r in zip(prices, rates, strict=True))


@rule(
    "joint_auction",
    unit="allowance",
    given={"sold": "allowance", "jurisdiction": "text", "category": "text", "vintage": "year", "offered": "allowance"},
)
def sold_of_each(sold: int, jurisdiction: Any, category: Any, vintage: Any, offered: Any, *, sale_order: Mapping[str, int]) -> Any:
    """Units sold of each lot on offer when `sold` units are bid for at the floor or above; one row a lot.

    The jurisdictions share the sale in proportion to what each offered, to the nearest unit. Inside a jurisdiction the categories sell in the
    order of `sale_order` (consigned units before the state's own), in a category the oldest vintage first (17 CCR 95911, guidance of August 2016).
    7,260,000 x 10,116,952 / 67,675,951 = 1,085,305.35 -> 1,085,305 of one partner; the other 6,174,695 all from its consigned units.
    Raises ValueError for a category without a place in the order, or when more is sold than offered.
    """
    offers = whole("what is offered", offered).reshape(-1)
    places, years = np.asarray(jurisdiction, dtype=object).reshape(-1).astype(str), whole("a vintage", vintage).reshape(-1)
    unknown = sorted({str(c) for c in np.asarray(category, dtype=object).reshape(-1)} - set(sale_order))
    if unknown:
        raise ValueError(f"no place in the order of sale for {', '.join(unknown)}; there is one for {', '.join(sale_order)}")
    if not 0 <= int(sold) <= int(offers.sum()):
        raise ValueError(f"{int(sold):,} sold of {int(offers.sum()):,} offered")
    if not len(offers):
        return offers
    ranks = np.array([sale_order[str(c)] for c in np.asarray(category, dtype=object).reshape(-1)], dtype=np.int64)
    names, of_row = np.unique(places, return_inverse=True)
    totals = np.zeros(len(names), dtype=np.int64)
    np.add.at(totals, of_row, offers)
    shares = _proportional(int(sold), totals)
    result = np.zeros(len(offers), dtype=np.int64)
    order = np.lexsort((years, ranks, of_row))
    before = np.cumsum(offers[order]) - offers[order]
    first = np.concatenate(([0], np.cumsum(totals)[:-1]))[of_row[order]]
    result[order] = np.clip(shares[of_row[order]] - (before - first), 0, offers[order])
    return result


def _proportional(quantity: int, weights: IntArray) -> IntArray:
    """A quantity shared out in proportion to the last unit: rounded down, what is left to the largest remainders."""
    whole_weight = int(weights.sum())
    if whole_weight == 0:
        return np.zeros(len(weights), dtype=np.int64)
    down = np.asarray(multiply(weights, Fraction(quantity, whole_weight), rounding=DOWN), dtype=np.int64)
    remainders = [int(w) * quantity % whole_weight for w in weights.tolist()]
    for row in sorted(range(len(remainders)), key=lambda i: (-remainders[i], i))[: quantity - int(down.sum())]:
        down[row] += 1
    return down
