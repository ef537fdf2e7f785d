"""Which units stay good for later years: free banking, carry-over of net sellers, borrowing, vintages and their years."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from tonne.rules.declare import rule
from tonne.units import DOWN, UP, IntArray, Rate, UnitsError, fraction, multiply


@rule("free_banking", unit="allowance", given={"holding": "allowance"})
def carry_over(holding: Any) -> Any:
    """Units of a holding that stay good for later years: all of them. 25,000 -> 25,000."""
    return _plain(_units(holding))


free_carry_over = carry_over  # the function above by a name of its own: the next one answers the same ask for another mechanism


@rule(  # type: ignore[no-redef]
    "net_sales_carry_over",
    unit="allowance",
    given={"sold": "allowance", "bought": "allowance", "holding": "allowance", "on_time": "boolean"},
)
def carry_over(sold: Any, bought: Any, holding: Any, on_time: Any = True, *, carry_over_base: int, carry_over_multiple: Rate) -> dict[str, Any]:
    """Units that may be carried over: a base and a multiple of net sales, never more than the holding; late surrenderers none.

    Plan for 2023-24 of October 2024, annex 5.
    10,000 + 1.5 x max(0, 0 - 30,000) = 10,000 of a holding of 25,000; the other 15,000 are void for later years.
    """
    limit, holding = _limit(sold, bought, carry_over_base, carry_over_multiple), _units(holding)
    limit = np.where(np.asarray(on_time, dtype=bool), limit, 0)
    carried = np.minimum(limit, holding)
    return {"limit": _plain(limit), "carried": _plain(carried), "void": _plain(holding - carried)}


@rule("net_sales_carry_over", unit="allowance", given={"sold": "allowance", "bought": "allowance", "holding": "allowance"})
def extra_sale_to_void_nothing(sold: Any, bought: Any, holding: Any, *, carry_over_base: int, carry_over_multiple: Rate) -> Any:
    """The smallest further sale after which everything still held may be carried over: each unit sold leaves the holding and, once net sales
    are above zero, raises the limit.

    Nothing sold or bought, 25,000 held: 15,000 / (1 + 1.5) = 6,000. After buying 30,000: 15,000, because net sales stay at zero.
    """
    net = _units(sold) - _units(bought)
    excess = _units(holding) - carry_over_base
    times = fraction(carry_over_multiple)
    # (excess - times x net) / (1 + times), rounded up: both sides times the multiple's denominator stay whole.
    scaled = excess * times.denominator - net * times.numerator
    by_limit = multiply(_units_or_less(scaled), Fraction(1, times.denominator + times.numerator), rounding=UP)
    return _plain(np.maximum(np.minimum(excess, by_limit), 0))


@rule("borrowing", unit="allowance", given={"gap": "allowance", "verified": "allowance", "next_pre_allocation": "allowance", "year": "year"})
def borrow_limit(
    gap: Any, verified: Any, next_pre_allocation: Any, year: int, *, borrow_share_of_gap: Mapping[int, Rate], borrow_gap_from: Rate
) -> Any:
    """Units that may be taken beforehand from the next pre-allocation: a share of a large enough gap (plan for 2021-22 of March 2023).

    A gap of 100,000 on 1,000,000 (10 %): 100,000 x 0.50 = 50,000. Of 99,999: nothing. A year without a share allows nothing.
    """
    gap, verified, ahead = _units(gap), _units(verified), _units(next_pre_allocation)
    share = borrow_share_of_gap.get(int(year)) or 0
    large = gap * fraction(borrow_gap_from).denominator >= verified * fraction(borrow_gap_from).numerator
    allowed = np.minimum(multiply(gap, share, rounding=DOWN), ahead)
    return _plain(np.where(large & (gap > 0), allowed, 0))


@rule("vintage_order", unit="boolean", given={"vintage": "year", "year": "year", "arrears": "boolean"})
def vintage_pays(
    vintage: Any,
    year: Any,
    arrears: Any = False,
    *,
    later_vintage_pays: bool = True,
    last_limited_vintage: int | None = None,
    arrears_vintages_until: int | None = None,
    arrears_years_until: int | None = None,
) -> Any:
    """Whether units of a vintage may be surrendered for a year's emissions (plan for 2023-24, part 7; draft plan for 2025-26, part 5).

    A 2024 vintage does not pay 2023; a vintage up to the last limited one (2024) does not pay a year after it; arrears may have an exception.
    """
    vintage, year, arrears = np.asarray(vintage), np.asarray(year), np.asarray(arrears, dtype=bool)
    pays: Any = np.logical_or(later_vintage_pays, vintage <= year)
    if last_limited_vintage is not None:
        pays = pays & ~((vintage <= last_limited_vintage) & (year > last_limited_vintage))
    if arrears_vintages_until is not None and arrears_years_until is not None:
        pays = pays | (arrears & (vintage <= arrears_vintages_until) & (year <= arrears_years_until))
    pays = np.asarray(pays & np.ones(arrears.shape, dtype=bool), dtype=bool)
    return bool(pays) if pays.ndim == 0 else pays


def _limit(sold: Any, bought: Any, base: int, times: Rate) -> IntArray:
    net = np.maximum(_units(sold) - _units(bought), 0)
    return np.asarray(base + multiply(np.asarray(net), times, rounding=DOWN), dtype=np.int64)


def _units(values: Any) -> IntArray:
    """Whole units as an int64 array of any shape; fractions are refused, by the first of them."""
    array = np.asarray(values)
    if array.size and array.dtype.kind not in "iu":
        raise UnitsError(f"units are whole numbers, not {array.dtype} values such as {array.ravel()[0]!r}")
    return array.astype(np.int64)


def _units_or_less(values: npt.NDArray[Any]) -> IntArray:
    return np.asarray(values, dtype=np.int64)


def _plain(values: Any) -> Any:
    """An int for a single value, else the array."""
    array = np.asarray(values, dtype=np.int64)
    return int(array) if array.ndim == 0 else array
