"""Four for one."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from tonne.rules.untimely_surrender import untimely_obligation


def test_three_on_top_and_at_most_a_quarter_in_credits() -> None:
    assert untimely_obligation(10_000, units_per_unit=3, credits_share_of_untimely=Decimal("0.25")) == {
        "recovered": 10_000,
        "on_top": 30_000,
        "due": 40_000,
        "credits_most": 10_000,
        "allowances_least": 30_000,
    }


def test_without_a_share_nothing_may_be_credits() -> None:
    told = untimely_obligation(np.array([0, 7]), units_per_unit=3)
    assert told["due"].tolist() == told["allowances_least"].tolist() == [0, 28]
    assert untimely_obligation(np.array([], dtype=np.int64), units_per_unit=3)["due"].tolist() == []
