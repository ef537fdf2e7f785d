"""What an authority may do against prices that run away: the triggers, how far each measure may go, a floor that comes and goes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np

from tonne.rules.columns import plain, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, UP, Rate, fraction, multiply, round_decimal


@rule(
    "stabilisation_triggers",
    unit="boolean",
    given={
        "two_year_mean": "money_per_unit",
        "lowest_month_of_six": "money_per_unit",
        "last_month": "money_per_unit",
        "last_month_volume": "allowance",
        "same_month_volume": "allowance",
    },
)
def stabilisation_triggers(
    two_year_mean: Rate,
    lowest_month_of_six: Rate,
    last_month: Rate,
    last_month_volume: int,
    same_month_volume: Rate,
    *,
    surge_multiple: Rate,
    jump_multiple: Rate,
    jump_volume_multiple: Rate,
    fall_multiple: Rate,
) -> dict[str, bool]:
    """Which triggers of stabilisation measures are met: a surge, a jump, a fall of the price.

    surge  each of six months running above a multiple of the two-year mean
    jump   last month's mean at least a multiple of it, with at least a multiple of the volume usual in that month
    fall   last month's mean at most a share of it: 12,088 against a mean of 20,147 x 0.6 = 12,088.2 -> met
    """
    base = fraction(two_year_mean)
    jump = fraction(last_month) >= base * fraction(jump_multiple)
    return {
        "surge": fraction(lowest_month_of_six) > base * fraction(surge_multiple),
        "jump": jump and int(last_month_volume) >= fraction(same_month_volume) * fraction(jump_volume_multiple),
        "fall": fraction(last_month) <= base * fraction(fall_multiple),
    }


@rule("stabilisation_measures", unit="allowance", given={"reserve": "allowance"})
def reserve_auction_limit(reserve: Any, *, reserve_auction_share: Rate) -> Any:
    """The most of a stabilisation reserve that may be auctioned early: 14,000,000 x 0.25 = 3,500,000."""
    return plain(multiply(whole("a reserve", reserve), reserve_auction_share, rounding=DOWN))


@rule("stabilisation_measures", unit="allowance", given={"allocation": "allowance"})
def holding_limits(allocation: Any, *, holding_minimum_share: Rate, holding_maximum_share: Rate) -> dict[str, Any]:
    """The least and the most that a participant may hold while holding limits are ordered: of 1,000,000 allocated 700,000 and 1,500,000."""
    units = whole("an allocation", allocation)
    return {
        "minimum": plain(multiply(units, holding_minimum_share, rounding=UP)),
        "maximum": plain(multiply(units, holding_maximum_share, rounding=DOWN)),
    }


@rule("stabilisation_measures", unit="allowance", given={"shortage": "allowance"})
def early_sale_limit(shortage: Any, *, early_sale_share: Rate) -> Any:
    """The most that one bidder may buy of units sold from the reserve: 100,000 missing x 0.20 = 20,000."""
    return plain(multiply(whole("a shortage", shortage), early_sale_share, rounding=DOWN))


@rule("temporary_price_floor", unit="money_per_unit", given={"lowest": "money_per_unit"})
def temporary_floor(lowest: Rate, *, temporary_floor_cut: Rate, temporary_floor_step: int | Decimal) -> Decimal:
    """The floor ordered for the market: the lowest price of the days before, less a cut, up to the next step of the price.

    14,300 x 0.90 = 12,870 -> 12,900 in steps of 50. Without a cut the lowest close itself: 7,020.
    """
    return round_decimal(fraction(lowest) * (1 - fraction(temporary_floor_cut)), Decimal(temporary_floor_step), UP)


@rule("temporary_price_floor", unit="boolean", given={"closes": "money_per_unit", "floor": "money_per_unit", "days_in_force": "day"})
def floor_is_lifted(
    closes: Any, floor: Rate, days_in_force: int, *, floor_lift_margin: Rate, floor_lift_days: int, floor_days: int | None = None
) -> bool:
    """Whether the floor ends: the last closes all lie a margin above it, or its time is over.

    Five closes of 14,190 or more over a floor of 12,900 (10 % above) lift it; so does the end of the month for which it was ordered.
    """
    if floor_days is not None and int(days_in_force) >= floor_days:
        return True
    last = [fraction(close) for close in np.asarray(closes, dtype=object).ravel().tolist()][-int(floor_lift_days) :]
    bound = fraction(floor) * (1 + fraction(floor_lift_margin))
    return len(last) == int(floor_lift_days) and all(close >= bound for close in last)


@rule("price_swing_intervention", unit="boolean", given={"at_limit": "boolean"})
def intervention_is_due(at_limit: Any, *, intervention_moves: int, intervention_days: int) -> bool:
    """Whether prices swing so that the authority's panel is called: the price moved by its daily limit so many times in so many trading days running.

    `at_limit` has one truth a trading day, in order. Market intervention rules of 2015: six times in 20 days.
    """
    flags = np.asarray(at_limit, dtype=bool).ravel().astype(np.int64)
    sums = np.concatenate([[0], np.cumsum(flags)])
    window = min(int(intervention_days), len(flags))
    return bool(np.any(sums[window:] - sums[: len(sums) - window] >= int(intervention_moves))) if len(flags) else False


@rule("price_swing_intervention", unit="boolean", given={"votes": "count", "members": "count"})
def intervention_is_adopted(votes: int, members: int, *, intervention_votes: int, intervention_of: int) -> bool:
    """Whether the panel adopted a proposal: so many of so many of its members are for it. Two of three: 8 of 12 yes, 7 of 12 no."""
    return int(members) > 0 and int(votes) * int(intervention_of) >= int(intervention_votes) * int(members)
