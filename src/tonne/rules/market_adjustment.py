"""Units that the authority keeps to steady the market, when it may step in, and how much of its allocation an emitter may sell."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.cap import plain, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, NEAREST, Rate, fraction, multiply


@rule("government_reserve", unit="allowance", given={"units": "allowance"})
def reserve_units(units: Any, *, reserve_share: Rate, reserve_within_total: bool = False) -> Any:
    """Units the authority keeps: a share of the units given, which are the cap, or what the emitters were given.

    reserve_within_total: the share is one of the total, of which the units given are the rest (units x share / (1 - share)). 324,000,000 x 0.08 =
    25,920,000; 95,000,000 for emitters being 95 per cent of the total: 5,000,000.
    """
    share = fraction(reserve_share)
    return plain(multiply(whole("units", units), share / (1 - share) if reserve_within_total else share, rounding=NEAREST))


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


@rule("sale_limit", unit="allowance", given={"allocated": "allowance"})
def sale_limit(allocated: Any, *, sale_limit_share: Rate) -> Any:
    """Units that an emitter may sell in a year: a share of its free allocation, parts of a unit dropped. 100,001 x 0.50 = 50,000.5 -> 50,000."""
    return plain(multiply(whole("an allocation", allocated), sale_limit_share, rounding=DOWN))
