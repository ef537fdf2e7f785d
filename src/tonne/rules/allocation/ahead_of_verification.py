"""Units given before the year is verified: a share of last year's, or of an estimate, and the difference afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tonne.rules.columns import plain, since, times_by_year, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, Rate, multiply


@rule("share_ahead", unit="allowance", given={"previous_verified": "tCO2e", "year": "year"})
def pre_allocation(previous_verified: Any, year: Any, *, pre_allocation_share: Mapping[int, Rate]) -> Any:
    """Units issued ahead of verification: a share of what was owed for the year before, parts dropped; the last share tabled holds on.

    1,000,000 owed for 2022, 70 %: 700,000 ahead for 2023. Raises ValueError before the first share.
    """
    owed = whole("an amount owed", previous_verified)
    return plain(times_by_year(owed, year, lambda one: since(pre_allocation_share, one, "share issued ahead"), DOWN))


@rule("estimate_and_true_up", unit="allowance", given={"estimate": "allowance"})
def initial_allocation(estimate: Any, *, initial_share: Rate) -> Any:
    """Units given at the beginning of a year: a share of what the year is estimated to bring. 1,000,001 x 0.75 = 750,000.75 -> 750,000."""
    return plain(multiply(whole("an estimate", estimate), initial_share, rounding=DOWN))


@rule("estimate_and_true_up", unit="allowance", given={"granted": "allowance", "given_before": "allowance"})
def true_up(granted: Any, given_before: Any) -> Any:
    """Units given, or taken back, when the output is verified: what it entitles to less what was given before. 18,888,614 - 13,917,285 = 4,971,329.

    Below zero units are taken back: 18,823,184 - 18,827,658 = -4,474.
    """
    return plain(whole("an allocation", granted) - whole("what was given before", given_before))
