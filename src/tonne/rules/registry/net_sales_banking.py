"""Units that stay good for later years by what their holder sold net."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.columns import plain, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, UP, IntArray, Rate, fraction, multiply


@rule(
    "net_sales_carry_over",
    unit="allowance",
    given={"sold": "allowance", "bought": "allowance", "holding": "allowance", "on_time": "boolean"},
)
def carry_over(sold: Any, bought: Any, holding: Any, on_time: Any = True, *, carry_over_base: int, carry_over_multiple: Rate) -> dict[str, Any]:
    """Units that may be carried over: a base and a multiple of net sales, never more than the holding; late surrenderers none.

    Plan for 2023-24 of October 2024, annex 5.
    10,000 + 1.5 x max(0, 0 - 30,000) = 10,000 of a holding of 25,000; the other 15,000 are void for later years.
    """
    limit, holding = _limit(sold, bought, carry_over_base, carry_over_multiple), whole("units", holding)
    limit = np.where(np.asarray(on_time, dtype=bool), limit, 0)
    carried = np.minimum(limit, holding)
    return {"limit": plain(limit), "carried": plain(carried), "void": plain(holding - carried)}


@rule("net_sales_carry_over", unit="allowance", given={"sold": "allowance", "bought": "allowance", "holding": "allowance"})
def extra_sale_to_void_nothing(sold: Any, bought: Any, holding: Any, *, carry_over_base: int, carry_over_multiple: Rate) -> Any:
    """The smallest further sale after which everything still held may be carried over: each unit sold leaves the holding and, once net sales
    are above zero, raises the limit.

    Nothing sold or bought, 25,000 held: 15,000 / (1 + 1.5) = 6,000. After buying 30,000: 15,000, because net sales stay at zero.
    """
    net = whole("units", sold) - whole("units", bought)
    excess = whole("units", holding) - carry_over_base
    times = fraction(carry_over_multiple)
    # (excess - times x net) / (1 + times), rounded up: both sides times the multiple's denominator stay whole.
    scaled = excess * times.denominator - net * times.numerator
    by_limit = multiply(np.asarray(scaled, dtype=np.int64), Fraction(1, times.denominator + times.numerator), rounding=UP)
    return plain(np.maximum(np.minimum(excess, by_limit), 0))


def _limit(sold: Any, bought: Any, base: int, times: Rate) -> IntArray:
    net = np.maximum(whole("units", sold) - whole("units", bought), 0)
    return np.asarray(base + multiply(np.asarray(net), times, rounding=DOWN), dtype=np.int64)
