"""What is asked of an account: collateral against requirement, intraday, and each member's share of the default fund."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tonne.clearing.exact import added, shares, whole
from tonne.units import DOWN, UP, IntArray, Rate, fraction, multiply


@dataclass(frozen=True, slots=True)
class Calls:
    """By account, in minor units: what it must bring, and what it may take back."""

    call: IntArray
    excess: IntArray

    @property
    def called(self) -> IntArray:
        """Rows of the accounts that must bring something."""
        return np.flatnonzero(self.call)


def collateral_value(amounts: Mapping[str, Any], haircuts: Mapping[str, Rate]) -> IntArray:
    """Collateral by account after haircuts: of each kind its amount less its share, rounded down. Raises ValueError for a kind without a haircut.

    {"cash": 100_000, "government bonds": 200_000} with haircuts of 0 and 0.05: 290,000.
    """
    unknown = sorted(set(amounts) - set(haircuts))
    if unknown:
        raise ValueError(f"no haircut for {', '.join(map(repr, unknown))}; there are {', '.join(haircuts) or 'none'}")
    for kind, haircut in haircuts.items():
        if not 0 <= fraction(haircut) <= 1:
            raise ValueError(f"the haircut on {kind} is a share from 0 to 1, not {haircut}")
    values = [multiply(whole(kind, amount), 1 - fraction(haircuts[kind]), rounding=DOWN) for kind, amount in amounts.items()]
    return np.asarray(sum(values, start=np.zeros((), dtype=np.int64)), dtype=np.int64)


def calls(requirement: Any, collateral: Any, *, threshold: int = 0, step: int = 1) -> Calls:
    """Calls and excess of each account. A shortfall of at most `threshold` is not called; a call is rounded up to a multiple of `step`.

    Required 1,234,567, held 1,000,000, step 10,000: a call of 240,000. Raises ValueError for a step below 1 or a negative threshold.
    """
    if step < 1 or threshold < 0:
        raise ValueError(f"a step is at least 1 (not {step}), a threshold not negative (not {threshold})")
    short = added("a call", whole("requirement", requirement), -whole("collateral", collateral))
    call = np.where(short > threshold, -(-short // step) * step, 0)
    return Calls(call, np.maximum(-short, 0))


def intraday_calls(requirement: Any, variation: Any, collateral: Any, *, trigger: Rate = 0, step: int = 1) -> Calls:
    """Calls during the day: collateral must cover the requirement now and the losses since the last payment; gains do not count before they are paid.

    Called is who lacks more than the `trigger` share of the requirement (rounded up), and then all that is lacking.
    """
    needed = whole("requirement", requirement)
    losses = np.maximum(-whole("variation", variation), 0)
    covered = added("a call", needed, losses)
    found = calls(covered, collateral, step=step)
    return Calls(np.where(covered - whole("collateral", collateral) > multiply(needed, trigger, rounding=UP), found.call, 0), found.excess)


def default_fund(average_margin: Any, size: int, floor: int = 0) -> IntArray:
    """Each member's contribution: in proportion to its average margin, none below the floor; they add up to `size`.

    Who would fall below the floor pays the floor, the others divide the rest, until nobody is below. Where the floors alone reach the size, everybody
    pays the floor, and the sum is theirs. size 1,000, floor 100, margins 50, 450, 500: 100, 426, 474. Raises ValueError for negative figures, and
    for a fund to be divided where nobody has margin.
    """
    margins = whole("average margin", average_margin)
    if size < 0 or floor < 0 or np.any(margins < 0):
        raise ValueError("a fund's size, its floor and the margins are not negative")
    if len(margins) * floor >= size:
        return np.full(len(margins), floor, dtype=np.int64)
    contribution = np.full(len(margins), floor, dtype=np.int64)
    open_rows = np.arange(len(margins))
    while True:
        found = shares(size - floor * (len(margins) - len(open_rows)), margins[open_rows])
        below = found < floor
        if not below.any():
            contribution[open_rows] = found
            return contribution
        open_rows = open_rows[~below]
