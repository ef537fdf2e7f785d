"""Units that are good in their own period and the next."""

from __future__ import annotations

import pytest

from tonne.rules.registry.next_period import vintage_pays

ENDS = {year: 2014 for year in range(2010, 2015)} | {year: 2019 for year in range(2015, 2020)}


def test_units_pay_in_their_own_period_and_the_next():
    ends = ENDS | {year: 2024 for year in range(2020, 2025)}
    assert vintage_pays(2014, 2010, calendar__period_end=ends) is True
    assert vintage_pays(2014, 2019, calendar__period_end=ends) is True
    assert vintage_pays(2014, 2020, calendar__period_end=ends) is False
    assert vintage_pays(2019, 2014, calendar__period_end=ends) is False
    assert vintage_pays([2014, 2019], 2020, calendar__period_end=ends).tolist() == [False, True]
    with pytest.raises(ValueError, match="2031 is in no compliance period"):
        vintage_pays(2014, 2031, calendar__period_end=ends)
