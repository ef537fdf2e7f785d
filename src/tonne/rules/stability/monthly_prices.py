"""Prices that open a door: the mean price of some months against a multiple of the mean of the months before them, or against a set price.

Months are written `2021-12`. A month's own price never tests that month: the months tested end with the month before.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.declare import rule
from tonne.units import NEAREST, Rate, fraction, round_decimal

_CENT = Decimal("0.01")


@rule("monthly_price_trigger", unit="money_per_unit", given={"window_mean": "money_per_unit"})
def trigger_price(window_mean: Any, *, trigger_multiple: Rate) -> Any:
    """The price that the months tested must exceed: a multiple of the mean of the window before them, to the penny (SI 2021/484).

    59.944 x 3 = 179.832 -> 179.83.
    """
    if np.ndim(window_mean) == 0:
        return round_decimal(fraction(window_mean) * fraction(trigger_multiple), _CENT, NEAREST)
    found = np.empty(len(window_mean), dtype=object)
    found[:] = [trigger_price(mean, trigger_multiple=trigger_multiple) for mean in window_mean]
    return found


@rule("monthly_price_trigger", unit="text", given={"month": "text"})
def trigger_window(month: str, *, trigger_months: int, window_months: int) -> dict[str, str]:
    """The months that decide on a month: those tested, which end just before it, and the window before those, whose mean they are held against.

    For 2021-12 with 3 months and a window of 24: tested 2021-09 to 2021-11, window 2019-09 to 2021-08.
    """
    at = _ordinal(month)
    first = at - int(trigger_months)
    return {
        "tested_from": _written(first),
        "tested_to": _written(at - 1),
        "window_from": _written(first - int(window_months)),
        "window_to": _written(first - 1),
    }


@rule("monthly_price_trigger", unit="money_per_unit", given={"month": "text", "monthly_means": "money_per_unit"})
def trigger_price_of(month: str, monthly_means: Mapping[str, Any], *, trigger_multiple: Rate, trigger_months: int, window_months: int) -> Decimal:
    """The trigger price of a month worked out from a series of monthly mean prices, month -> price.

    Every month of the window at 20 and a multiple of 2 -> 40.00. Raises ValueError where a month of the window is not in the series.
    """
    window = trigger_window(month, trigger_months=trigger_months, window_months=window_months)
    months = [_written(o) for o in range(_ordinal(window["window_from"]), _ordinal(window["window_to"]) + 1)]
    if missing := [m for m in months if m not in monthly_means]:
        raise ValueError(f"the window of {month} is {months[0]} to {months[-1]}; the series lacks {len(missing)} of them, first {missing[0]}")
    mean = sum((fraction(monthly_means[m]) for m in months), Fraction(0)) / len(months)
    return round_decimal(mean * fraction(trigger_multiple), _CENT, NEAREST)


@rule("monthly_price_trigger", unit="boolean", given={"monthly_means": "money_per_unit", "trigger": "money_per_unit"})
def price_trigger_is_met(monthly_means: Any, trigger: Any, *, trigger_months: int) -> bool:
    """Whether the mean price was above the trigger in each of the months tested; the last months given count, fewer than needed never do.

    59.98, 60.34 and 61.49 against 52.88 -> yes; 61.49, 74.71 and 78.12 against 75.76 -> no.
    """
    needed = int(trigger_months)
    last = list(monthly_means)[-needed:]
    return len(last) == needed and all(fraction(mean) > fraction(trigger) for mean in last)


@rule("price_level_release", unit="allowance", given={"monthly_means": "money_per_unit", "year": "year", "price_index": "ratio"})
def level_release(
    monthly_means: Any, year: int, price_index: Any = 1, *, level_price: Rate, level_months: int, level_quantity: int, level_years: Any
) -> int:
    """Units released because the mean price of some months in a row lay above a set price, raised with an index (Directive 2003/87/EC art. 30h(2)).

    Above 45 x 1.25 = 56.25 in two months running -> 20,000,000. Nothing outside the years the rule is for.
    """
    first, last = level_years
    means = list(monthly_means)[-int(level_months) :]
    high = fraction(level_price) * fraction(price_index)
    open_ = first <= int(year) <= last and len(means) == int(level_months) and all(fraction(mean) > high for mean in means)
    return int(level_quantity) if open_ else 0


@rule("price_jump_release", unit="allowance", given={"recent_mean": "money_per_unit", "earlier_mean": "money_per_unit", "year": "year"})
def jump_release(
    recent_mean: Any,
    earlier_mean: Any,
    year: int,
    *,
    jump_multiple: Mapping[int, Rate],
    jump_quantity: int,
    great_jump: Rate,
    great_jump_quantity: int,
) -> int:
    """Units released because the mean price of the last months exceeds a multiple of that of the months before (Directive 2003/87/EC art. 30h(1)).

    The multiple is by year, the last one tabled holds on. 60.01 > 1.5 x 40 -> 50,000,000; 120.01 > 3 x 40 -> 150,000,000.
    """
    tabled = [y for y in jump_multiple if y <= int(year)]
    recent, before = fraction(recent_mean), fraction(earlier_mean)
    if recent > fraction(great_jump) * before:
        return int(great_jump_quantity)
    return int(jump_quantity) if tabled and recent > fraction(jump_multiple[max(tabled)]) * before else 0


def _ordinal(month: str) -> int:
    year, _, number = str(month).partition("-")
    if not (year.isdigit() and number.isdigit() and 1 <= int(number) <= 12):
        raise ValueError(f"{month!r} is no month; write it as 2021-12")
    return int(year) * 12 + int(number) - 1


def _written(ordinal: int) -> str:
    return f"{ordinal // 12}-{ordinal % 12 + 1:02d}"
