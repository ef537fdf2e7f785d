"""Credits for reducing more than a period's target asks, sold before the period is over; and how far each kind of credit may cover a shortfall."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.allocation.compliance_factor import Factors, share_of_base
from tonne.rules.columns import counted, plain
from tonne.rules.declare import rule
from tonne.units import DOWN, INT64_MAX, Rate, fraction, multiply


@rule(
    "excess_credits",
    unit="credit",
    given={"emissions_by_year": "tCO2", "historical": "tCO2", "sector": "sector", "year": "year", "product": "text"},
)
def excess_credits(
    emissions_by_year: Any,
    historical: Any,
    sector: str,
    year: int,
    product: str = "",
    *,
    counted_share: Rate | None,
    allocation__compliance_factor: Factors,
    allocation__relief_share: Mapping[str, Rate] | None = None,
) -> Any:
    """Credits that a facility of one group may have sold by the end of each year of a period: its cumulated reductions beyond the target's pace.

    emissions_by_year  one row a year from the period's first: [8500, 7500] for one facility, [[...], [...]] for many
    historical         base-year emissions, one or one a facility
    year               any year of the period

    A year's reduction counts up to half of base-year emissions (counted_share). Base 10,000 with 17 %: after 8,500 a reduction of 1,500 is less than
    1,700, nothing; after 7,500 the cumulated 4,000 exceeds 3,400 by 600. Emissions of 3,000: 7,000 counts as 5,000, less 1,700 is 3,300.
    Raises ValueError where the law of the day states no such share.
    """
    if counted_share is None:
        raise ValueError("the law of this day has no share of base-year emissions up to which a reduction counts")
    emitted, base = counted("emissions", emissions_by_year), counted("base-year emissions", historical)
    cut = share_of_base(int(year), sector, product, allocation__compliance_factor, allocation__relief_share)
    share = fraction(counted_share)
    common = cut.denominator * share.denominator
    if base.size and int(base.max()) * common * max(emitted.shape[0], 1) > INT64_MAX // 2:
        raise OverflowError(f"base-year emissions of {int(base.max()):,} are too large to be counted exactly")
    reduced = np.minimum((base - emitted) * common, base * (share.numerator * cut.denominator))
    elapsed = np.arange(1, emitted.shape[0] + 1, dtype=np.int64).reshape(-1, *([1] * (emitted.ndim - 1)))
    beyond = np.cumsum(reduced, axis=0) - base * (cut.numerator * share.denominator) * elapsed
    return np.maximum(beyond // common, 0)


@rule("credit_kinds", unit="credit", given={"obligation": "allowance", "kind": "text"})
def credit_limit(obligation: Any, kind: Any, *, limit_divisor: Mapping[str, Rate]) -> Any:
    """Credits of a kind that may cover a reduction obligation: the whole of it divided by the kind's divisor; parts of a credit are dropped.

    A divisor is exact where the text says a third: 10,000 / 3 = 3,333. Divisor 1: all of it. Raises ValueError for a kind the law does not admit.
    """
    owed, kinds = np.broadcast_arrays(counted("an obligation", obligation), np.asarray(kind, dtype=object))
    out = np.zeros(owed.shape, dtype=np.int64)
    for name in sorted(set(kinds.ravel().tolist())):
        rows = np.asarray(kinds == name)
        out[rows] = multiply(np.array(owed[rows]), 1 / _of_kind(limit_divisor, name), rounding=DOWN)
    return plain(out)


@rule("credit_kinds", unit="credit", given={"quantity": "credit", "source": "text"})
def counted_credits(quantity: Any, source: Any, *, counting_factor: Mapping[str, Rate] | None = None) -> Any:
    """Tonnes that renewable energy credits stand for by their source: some sources counted more than once. 1,000 of solar x 1.5 = 1,500.

    A source that is not listed counts once.
    """
    amounts, sources = np.broadcast_arrays(counted("credits", quantity), np.asarray(source, dtype=object))
    out = np.array(amounts, dtype=np.int64)
    for name in sorted(set(sources.ravel().tolist())):
        rows = np.asarray(sources == name)
        out[rows] = multiply(np.array(amounts[rows]), (counting_factor or {}).get(name) or 1, rounding=DOWN)
    return plain(out)


def _of_kind(table: Mapping[str, Rate], name: str) -> Fraction:
    if table.get(name) is None:
        raise ValueError(f"no credit of the kind {name!r} is admitted; the law names {', '.join(table)}")
    return fraction(table[name])
