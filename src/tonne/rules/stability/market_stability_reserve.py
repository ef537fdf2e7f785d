"""A reserve that takes units from the auctions when many are in circulation, gives some back when few are, and loses what exceeds a limit.

All quantities are whole allowances. The parameters change by day, so `law.at(day)` picks the formula: while `full_intake_threshold` is not in force
the rate applies as soon as the upper threshold is passed, from the notice of 2024 on only above the higher one.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.rules.columns import plain, whole
from tonne.rules.declare import rule
from tonne.units import NEAREST, Rate, fraction, multiply


@rule("market_stability_reserve", unit="allowance", given={"supply": "allowance", "demand": "allowance", "holding": "allowance"})
def tnac(supply: Any, demand: Any, holding: Any = 0) -> Any:
    """Allowances in circulation on 31 December: issued since 2008, less verified emissions and cancellations since 2008, less the reserve's holding.

    Decision (EU) 2015/1814 art. 1(4). 20,000 - 17,500 - 1,000 = 1,500.
    """
    return plain(whole("supply", supply) - whole("demand", demand) - whole("the reserve's holding", holding))


@rule("market_stability_reserve", unit="allowance", given={"tnac": "allowance", "months": "month"})
def msr_intake(
    tnac: Any,
    months: int = 12,
    *,
    upper_threshold: int,
    intake_rate: Rate,
    full_intake_threshold: int | None = None,
    minimum_intake: int | None = None,
) -> Any:
    """Allowances withheld from the auctions of the months that follow a publication (Decision (EU) 2015/1814 art. 1(5) and (5a)).

    Above the upper threshold the rate of what circulates, unless that is less than the minimum of a year. Where a higher threshold is in force the
    rate applies only above it, and between the two what exceeds the lower one. 1,134,794,738 x 0.24 = 272,350,737.12 -> 272,350,737;
    1,023,494,202 - 833,000,000 = 190,494,202. The first eight months of 2019: 1,654,574,598 x 0.24 x 8/12 = 264,731,935.68 -> 264,731,936.
    """
    circulating, part = whole("circulation", tnac), Fraction(months, 12)
    share = multiply(circulating, intake_rate, part, rounding=NEAREST)
    over = np.maximum(circulating - upper_threshold, 0)
    if full_intake_threshold is not None:
        return plain(np.where(circulating > full_intake_threshold, share, multiply(over, part, rounding=NEAREST)))
    enough = _reaches(circulating, intake_rate, minimum_intake or 0)
    return plain(np.where((over > 0) & enough, share, 0))


@rule("fixed_quantity_reserve", unit="allowance", given={"tnac": "allowance", "holding": "allowance"})
@rule("market_stability_reserve", unit="allowance", given={"tnac": "allowance", "holding": "allowance"})
def msr_release(tnac: Any, holding: Any, *, lower_threshold: int, release_quantity: int) -> Any:
    """Allowances released from the reserve when fewer than the lower threshold circulate; all it holds when it holds less (art. 1(6)).

    399,999,999 in circulation -> 100,000,000; 400,000,000 -> 0.
    """
    few = whole("circulation", tnac) < lower_threshold
    return plain(np.where(few, np.minimum(release_quantity, np.maximum(whole("the reserve's holding", holding), 0)), 0))


@rule(
    "market_stability_reserve",
    unit="allowance",
    given={"six_month_mean": "money_per_allowance", "two_year_mean": "money_per_allowance", "holding": "allowance"},
)
def price_release(six_month_mean: Any, two_year_mean: Any, holding: Any, *, price_multiple: Rate, price_release_quantity: int) -> Any:
    """Allowances released because prices rose: the mean of six months above a multiple of the mean of the two years before (art. 29a).

    120.01 > 2.4 x 50.00 -> 75,000,000; 120.00 -> 0.
    """
    multiple, held = fraction(price_multiple), whole("the reserve's holding", holding)
    recent, before = np.broadcast_arrays(_prices(six_month_mean), _prices(two_year_mean))
    pairs = zip(recent.ravel(), before.ravel(), strict=True)
    high = np.array([fraction(r) > multiple * fraction(b) for r, b in pairs], dtype=bool).reshape(recent.shape)
    return plain(np.where(high, np.minimum(price_release_quantity, np.maximum(held, 0)), 0))


@rule("market_stability_reserve", unit="allowance", given={"holding": "allowance", "previous_auction_volume": "allowance"})
def msr_invalidation(
    holding: Any, previous_auction_volume: Any = None, *, invalidation_above: str | None, invalidation_limit: int | None = None
) -> Any:
    """Allowances in the reserve that lose their validity on 1 January: those above the limit of the law in force (art. 1(5a)).

    In 2023 the limit is the auction volume of the year before: 3,001,222,787 - 486,087,000 = 2,515,135,787. From 2024 it is a quantity:
    781,744,848 - 400,000,000 = 381,744,848. Where the law has repealed the limit nothing is lost.
    """
    held = whole("the reserve's holding", holding)
    if invalidation_above is None:
        return plain(np.zeros_like(held))
    if invalidation_above == "previous_auction_volume":
        if previous_auction_volume is None:
            raise ValueError("the limit is the auction volume of the year before; give previous_auction_volume")
        return plain(np.maximum(held - whole("an auction volume", previous_auction_volume), 0))
    if invalidation_above != "fixed_quantity" or invalidation_limit is None:
        raise ValueError(f"{invalidation_above!r} is no limit that can be worked out; use previous_auction_volume, or fixed_quantity and its limit")
    return plain(np.maximum(held - invalidation_limit, 0))


@rule("market_stability_reserve", unit="allowance", given={"intake": "allowance", "months": "month"})
def msr_intake_in_months(intake: Any, months: int) -> Any:
    """The part of a twelve-month intake that falls into some of its months. 347,811,404 x 8/12 = 231,874,269.33 -> 231,874,269."""
    return multiply(plain(whole("an intake", intake)), Fraction(months, 12), rounding=NEAREST)


@rule("market_stability_reserve", unit="allowance", given={"previous_intake": "allowance", "intake": "allowance"})
def msr_calendar_year_intake(previous_intake: Any, intake: Any, *, months_before_change: int) -> Any:
    """Allowances withheld in a calendar year: January to August of the intake begun the year before, September to December of the new one.

    231,874,269 + 272,350,737 x 4/12 = 231,874,269 + 90,783,579 = 322,657,848. Each part is rounded, because each is a number of allowances.
    """
    before, after = msr_intake_in_months(previous_intake, months_before_change), msr_intake_in_months(intake, 12 - months_before_change)
    return plain(before + after)


@rule("market_stability_reserve", unit="allowance", given={"opening": "allowance", "intake": "allowance", "outflow": "allowance"})
def msr_holding(opening: Any, intake: Any = 0, outflow: Any = 0) -> Any:
    """What the reserve holds after a year: 486,087,000 + 322,657,848 - 27,000,000 = 781,744,848. Raises ValueError when more leaves than there is."""
    held = whole("the opening holding", opening) + whole("an intake", intake) - whole("an outflow", outflow)
    if np.any(held < 0):
        raise ValueError(f"the reserve cannot hold {int(np.min(held)):,}: more would leave it than it has")
    return plain(held)


def _reaches(circulating: Any, rate: Rate, minimum: int) -> Any:
    """Whether the year's unrounded share is at least the minimum: compared with the smallest circulation that gives it."""
    share = fraction(rate)
    least = -(-minimum * share.denominator // share.numerator) if share else 0
    return circulating >= least if share else np.full(np.shape(circulating), minimum == 0)


def _prices(values: Any) -> Any:
    """Prices as an object array of ints, Decimals or text; a float is refused where it is used."""
    return np.asarray(values if not isinstance(values, (Decimal, Fraction)) else [values], dtype=object).reshape(np.shape(values))
