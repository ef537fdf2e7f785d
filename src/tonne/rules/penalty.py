"""What a shortfall costs: money for each missing unit, a multiple of the market's price, more units, a smaller allocation.

`penalty` answers in money (Decimal, to the cent; a mapping low/high where the text leaves a range), `penalty_units` and `allocation_cut` in units.
Four mechanisms answer the ask `penalty`; a rulebook chooses one of them. None of them says whether the units stay owed: that is `still_owed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from tonne.rules.declare import rule
from tonne.units import NEAREST, UP, IntArray, Rate, fraction, multiply

_CENT = Decimal("0.01")


@rule("indexed_fine_per_unit", unit="money", given={"shortfall": "allowance", "year": "year"})
def penalty(shortfall: Any, year: Any, *, amount: Rate, price_index: Mapping[int, Rate] | None = None, price_index_base: int | None = None) -> Any:
    """Money owed for missing units: an amount each, raised with a price index where the law gives one (Directive 2003/87/EC art. 16(3) and (4)).

    The amount is multiplied by index(year) / index(base year); years before the base, and all years while no index is tabled, pay the plain amount.
    Rounded once, the whole sum to the cent. 500 x 100 = 50,000.00; with an index of 108.02 on a base of 100: 500 x 108.02 = 54,010.00.
    """
    missing = _missing(shortfall)
    years, rows = np.broadcast_arrays(np.asarray(year), missing)
    cents = np.zeros(rows.shape, dtype=np.int64)
    for one in np.unique(years):
        chosen = years == one
        cents[chosen] = multiply(np.array(rows[chosen]), fraction(amount) * 100 * _raised(int(one), price_index, price_index_base), rounding=NEAREST)
    return _money(cents)


fine_per_unit = penalty  # the function above by a name of its own: the next one answers the same ask for another mechanism


@rule("price_multiple_fine", unit="money", given={"shortfall": "allowance", "mean_price": "money_per_unit"})  # type: ignore[no-redef]
def penalty(
    shortfall: Any,
    mean_price: Any = None,
    *,
    multiple_low: Rate | None = None,
    multiple_high: Rate | None = None,
    fixed_low: Rate | None = None,
    fixed_high: Rate | None = None,
) -> dict[str, Any]:
    """The range of the fine, in money: the missing units x the mean price x the lowest and the highest multiple.

    While the multiples are not in force, or repealed, the fine lies in a fixed range whatever the quantity; who misses nothing pays nothing.
    10,000 x 70.00 x 5 = 3,500,000.00 and x 10 = 7,000,000.00. Raises ValueError where a multiple is in force and no price is given.
    """
    missing = _missing(shortfall)
    if multiple_low is None and multiple_high is None:
        flags = (missing > 0).astype(np.int64)
        return {"low": _fixed(flags, fixed_low), "high": _fixed(flags, fixed_high)}
    if mean_price is None:
        raise ValueError("the fine is a multiple of the market's mean price; give mean_price")
    low, high = (multiple_low if multiple_low is not None else 0), (multiple_high if multiple_high is not None else multiple_low)
    return {"low": _priced(missing, mean_price, low), "high": _priced(missing, mean_price, high or 0)}


fine_by_price = penalty


@rule("capped_price_multiple_fine", unit="money", given={"shortfall": "allowance", "mean_price": "money_per_unit"})  # type: ignore[no-redef]
def penalty(shortfall: Any, mean_price: Any = None, *, fine_multiple: Rate, fine_ceiling: Rate | None = None) -> Any:
    """Money owed for missing units: a multiple of the market's mean price, at most a ceiling for each unit where the law has one.

    1,000 missing at a mean of 20,000 x 3 = 60,000 each: 60,000,000; at 40,000 the ceiling of 100,000 holds: 100,000,000. Raises ValueError without
    a price, unless there is a ceiling to fall back on and no market yet.
    """
    missing = _missing(shortfall)
    if mean_price is None:
        raise ValueError("the fine is a multiple of the market's mean price; give mean_price")
    each = fraction(mean_price) * fraction(fine_multiple)
    each = each if fine_ceiling is None else min(each, fraction(fine_ceiling))
    return _money(multiply(missing, each * 100, rounding=NEAREST))


fine_by_capped_price = penalty


@rule("tabled_price_fine", unit="money", given={"shortfall": "allowance", "year": "year"})  # type: ignore[no-redef]
def penalty(shortfall: Any, year: Any, *, fine_price_by_year: Mapping[int, Rate | None], fine_multiple: Rate = 1) -> Any:
    """Money owed for missing units: a multiple of a price that the law itself tables for the year (a fixed price, a ceiling, a charge).

    1,000 missing in a year of 45 with a multiple of 2: 90,000.00. The last price tabled holds on. Raises ValueError before the first.
    """
    missing = _missing(shortfall)
    years, rows = np.broadcast_arrays(np.asarray(year), missing)
    cents = np.zeros(rows.shape, dtype=np.int64)
    for one in np.unique(years):
        tabled = [y for y, price in fine_price_by_year.items() if y <= int(one) and price is not None]
        if not tabled:
            raise ValueError(f"no price for {int(one)} that the fine could be a multiple of; the first is of {min(fine_price_by_year, default=None)}")
        chosen = years == one
        price = fine_price_by_year[max(tabled)]
        cents[chosen] = multiply(np.array(rows[chosen]), fraction(price or 0) * 100 * fraction(fine_multiple), rounding=NEAREST)
    return _money(cents)


fine_by_tabled_price = penalty


@rule("multiple_of_units", unit="allowance", given={"shortfall": "allowance"})
def penalty_units(shortfall: Any, *, units_per_unit: Rate) -> Any:
    """Units deducted for missing units (Model Rule): three for each excess ton. 1,000 x 3 = 3,000. A part counts as a unit."""
    missing = _missing(shortfall)
    units = multiply(missing, units_per_unit, rounding=UP)
    return int(units) if missing.ndim == 0 else units


@rule("cut_next_allocation", unit="allowance", given={"shortfall": "allowance"})
def allocation_cut(shortfall: Any, *, cut_share: Rate | None = None) -> Any:
    """Units taken off the next year's free allocation while a shortfall stays uncorrected; none once the law has repealed the cut.

    10,000 x 1 = 10,000. Order 775 of the State Council art. 24.
    """
    missing = _missing(shortfall)
    units = multiply(missing, cut_share if cut_share is not None else 0, rounding=NEAREST)
    return int(units) if missing.ndim == 0 else units


def _missing(shortfall: Any) -> IntArray:
    """The shortfall in whole units; refuses a negative one, which is a surplus, and a fraction."""
    array = np.asarray(shortfall)
    if array.size and array.dtype.kind not in "iu":
        raise ValueError(f"a shortfall is counted in whole units, not in {array.dtype} values such as {array.ravel()[0]!r}")
    if array.size and array.min() < 0:
        raise ValueError(f"a shortfall of {int(array.min()):,} is a surplus; only missing units are fined")
    return array.astype(np.int64)


def _raised(year: int, index: Mapping[int, Rate] | None, base: int | None) -> Fraction:
    """The factor by which the index of a year raises the amount of the base year; a year after the last tabled one keeps the last."""
    if not index:
        return Fraction(1)
    start = min(index) if base is None else base
    tabled = [y for y in index if start <= y <= year]
    return fraction(index[max(tabled)]) / fraction(index[start]) if tabled else Fraction(1)


def _fixed(flags: IntArray, amount: Rate | None) -> Any:
    return None if amount is None else _money(multiply(flags, fraction(amount) * 100, rounding=NEAREST))


def _priced(missing: IntArray, price: Any, multiple: Rate) -> Any:
    """Missing units x price x multiple in money; one price for all or one a row."""
    if np.ndim(price) == 0:
        return _money(multiply(missing, fraction(price) * 100, multiple, rounding=NEAREST))
    prices, rows = np.broadcast_arrays(np.asarray(price, dtype=object), missing)
    cents, texts = np.zeros(rows.shape, dtype=np.int64), prices.astype(str)
    for one in np.unique(texts):
        chosen = texts == one
        cents[chosen] = multiply(np.array(rows[chosen]), fraction(str(one)) * 100, multiple, rounding=NEAREST)
    return _money(cents)


def _money(cents: Any) -> Any:
    """Cents as Decimal money: one Decimal for one row, an object array for many."""
    array = np.asarray(cents)
    if array.ndim == 0:
        return int(array) * _CENT
    money: npt.NDArray[np.object_] = np.empty(array.size, dtype=object)
    money[:] = [c * _CENT for c in array.ravel().tolist()]
    return money.reshape(array.shape)
