"""Borrowing from the next year within a limit: how much, and what is given back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tonne.rules.columns import exactly, plain, since, times_by_year, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, UP, Rate, fraction


@rule("limited_borrowing", unit="allowance", given={"base": "allowance", "year": "year"})
def borrow_limit(base: Any, year: Any, *, borrow_share_by_year: Mapping[int, Rate]) -> Any:
    """Units of the next year that may be used for this one: a share of a base (an obligation, a baseline) that the law tables by year.

    1,000,000 x 0.15 = 150,000. Raises ValueError for a year whose share is not tabled.
    """
    return plain(times_by_year(whole("units", base), year, lambda one: fraction(exactly(borrow_share_by_year, one, "borrowing share")), DOWN))


@rule("interest_on_borrowing", unit="allowance", given={"borrowed": "allowance", "year": "year"})
def borrowing_repayment(borrowed: Any, year: Any, *, borrow_interest_by_year: Mapping[int, Rate]) -> Any:
    """What the next year's baseline loses for what this one borrowed: the loan and its interest, a part of a unit counted as one.

    100,000 x 1.02 = 102,000; from the year of a higher rate 100,000 x 1.10 = 110,000. The last rate tabled holds on.
    """
    return plain(times_by_year(whole("units", borrowed), year, lambda one: 1 + fraction(since(borrow_interest_by_year, one, "rate of interest")), UP))
