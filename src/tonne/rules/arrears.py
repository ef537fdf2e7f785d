"""What follows a shortfall besides a fine: units taken from the account and from the next allocation, support that is withheld."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from tonne.rules.cap import plain, whole
from tonne.rules.declare import rule
from tonne.units import NEAREST, Rate, fraction, multiply

_SOURCES = ("account", "next_allocation")


@rule("arrears_deduction", unit="allowance", given={"missing": "allowance", "held": "allowance", "next_allocation": "allowance"})
def arrears_taken(missing: Any, held: Any, next_allocation: Any = 0, *, deduct_from: Sequence[str]) -> dict[str, Any]:
    """Units that the authority takes for a shortfall, source by source in the order of the text, and what is still missing after that.

    Measures of 2014 (order 262). Missing 1,000, 400 on the account, 5,000 to come: 400 from the account, 600 from the next allocation, none left.
    """
    owed, account, coming = np.broadcast_arrays(whole("a shortfall", missing), whole("a holding", held), whole("an allocation", next_allocation))
    left, there = np.array(owed), dict(zip(_SOURCES, (account, coming), strict=True))
    taken = {name: np.zeros(left.shape, dtype=np.int64) for name in _SOURCES}
    for name in deduct_from:
        if name not in there:
            raise ValueError(f"units are taken from {', '.join(_SOURCES)}, not from {name!r}")
        taken[name] = np.minimum(left, there[name])
        left = left - taken[name]
    return {f"from_{name}": plain(units) for name, units in taken.items()} | {"still_missing": plain(left)}


@rule("false_report_fine", unit="money", given={"difference": "tCO2e", "mean_price": "money_per_unit"})
def false_report_penalty(difference: int, mean_price: Rate, *, false_report_multiple: Rate) -> Any:
    """The fine for a false report: a multiple of the mean price for each tonne by which it was wrong (measures of 2014, order 262).

    100 x 50.00 x 3 = 15,000.00.
    """
    cents = multiply(abs(int(difference)), fraction(mean_price) * 100, false_report_multiple, rounding=NEAREST)
    return int(cents) * Decimal("0.01")


@rule("support_withheld", unit="year", given={"missing": "allowance", "year": "year"})
def last_year_without_support(missing: Any, year: Any, *, support_withheld_years: int) -> Any:
    """The last year in which who missed the deadline gets no preferential support: the year of the deadline and so many on; 0 for who missed nothing.

    Provisional measures of 2013: three years after a deadline of 2018 -> 2021.
    """
    units, years = np.broadcast_arrays(whole("a shortfall", missing), whole("a year", year))
    return plain(np.where(units > 0, years + support_withheld_years, 0))
