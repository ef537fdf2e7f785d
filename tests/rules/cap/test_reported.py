"""A cap set as a share of what the emitters themselves report for a base year."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tonne.rules.cap.reported import cap

LAW = {"statistics__reported_emissions": 160_000_000, "cap_reduction": Decimal("0.27"), "first_cap_year": 2030, "last_cap_year": 2032}


def test_the_base_less_a_share_of_it():
    assert cap(2030, **LAW) == 116_800_000
    assert cap(np.array([2030, 2032]), **LAW).tolist() == [116_800_000, 116_800_000]
    assert cap(np.zeros(0, dtype=np.int64), **LAW).shape == (0,)
    assert cap(2031, **{**LAW, "statistics__reported_emissions": 1}) == 0


@pytest.mark.parametrize(
    ("year", "base", "words"), [(2029, 1, "from 2030 to 2032"), (2033, 1, "from 2030 to 2032"), (2030, None, "not reported yet")]
)
def test_no_cap_outside_the_period_or_without_reports(year, base, words):
    with pytest.raises(ValueError, match=words):
        cap(year, **{**LAW, "statistics__reported_emissions": base})
