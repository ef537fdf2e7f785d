"""Fines in a country's index units, fines for false reports, support that is withheld."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.columns import plain, whole
from tonne.rules.declare import rule
from tonne.rules.penalty.shortfalls import missing_units, money
from tonne.units import NEAREST, Rate, fraction, multiply


@rule("index_unit_fine", unit="count", given={"shortfall": "allowance"})
def fine_in_index_units(shortfall: Any, *, index_units_per_unit: Rate) -> Any:
    """The fine for missing units, in index units: 1,000 missing x 5 = 5,000."""
    return plain(np.asarray(multiply(missing_units(shortfall), index_units_per_unit, rounding=NEAREST)))


@rule("index_unit_fine", unit="money", given={"shortfall": "allowance", "index_value": "money"})
def fine_at_index(shortfall: Any, index_value: Any, *, index_units_per_unit: Rate) -> Any:
    """The fine for missing units in money, at the value of one index unit: 1,000 missing x 5 x 3,000 = 15,000,000.00."""
    missing = missing_units(shortfall)
    return money(multiply(missing, fraction(index_units_per_unit) * fraction(index_value) * 100, rounding=NEAREST))


@rule("false_report_fine", unit="money", given={"difference": "tCO2e", "mean_price": "money_per_unit"})
def false_report_penalty(difference: int, mean_price: Rate, *, false_report_multiple: Rate) -> Any:
    """The fine for a false report: a multiple of the mean price for each tonne by which it was wrong (measures of 2014, order 262).

    100 x 50.00 x 3 = 15,000.00.
    """
    return money(multiply(abs(int(difference)), fraction(mean_price) * 100, false_report_multiple, rounding=NEAREST))


@rule("support_withheld", unit="year", given={"shortfall": "allowance", "year": "year"})
def last_year_without_support(shortfall: Any, year: Any, *, support_withheld_years: int) -> Any:
    """The last year in which who missed the deadline gets no preferential support: the year of the deadline and so many on; 0 for who missed nothing.

    Provisional measures of 2013: three years after a deadline of 2018 -> 2021.
    """
    units, years = np.broadcast_arrays(whole("a shortfall", shortfall), whole("a year", year))
    return plain(np.where(units > 0, years + support_withheld_years, 0))
