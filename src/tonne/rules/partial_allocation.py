"""Free units given in parts: most of an estimate at the beginning of the year, the difference when the output is known."""

from __future__ import annotations

from typing import Any

from tonne.rules.cap import plain, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, Rate, multiply


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
